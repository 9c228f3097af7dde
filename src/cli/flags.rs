//! Owns flags that several verbs have.

use crate::item::record::Task;
use clap::ValueEnum;

/// The tasks by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TaskName {
    /// The operand stack at ;;INSPECT
    Stack,
    /// Which of the places ;;FLAG_n execution passes
    Reachability,
    /// What the exported function returns
    Result,
    /// How much fuel the run uses
    Fuel,
}

impl From<TaskName> for Task {
    fn from(name: TaskName) -> Self {
        match name {
            TaskName::Stack => Self::Stack,
            TaskName::Reachability => Self::Reachability,
            TaskName::Result => Self::Result,
            TaskName::Fuel => Self::Fuel,
        }
    }
}

/// So many threads, or one for each processor.
pub(super) fn threads(given: Option<u16>) -> usize {
    given.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}
