//! Owns flags that several verbs have.

use super::Failure;
use crate::ask::evaluate::Prompts;
use crate::ask::prompt::Prompt;
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

/// How each task is asked: as usual, or by these names and files.
pub(super) fn prompts(names: &[String]) -> Result<Prompts, Failure> {
    let mut own = Vec::new();
    for name in names {
        own.extend(Prompt::named(name).map_err(Failure::usage)?);
    }
    Ok(Prompts::new(own))
}

/// So many threads, or one for each processor.
pub(super) fn threads(given: Option<u16>) -> usize {
    given.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}
