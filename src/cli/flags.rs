//! Owns flags that several verbs have.

use crate::item::record::Task;
use clap::ValueEnum;
use clap::builder::PossibleValue;

/// The tasks by name.
impl ValueEnum for Task {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

/// So many threads, or one for each processor.
pub(super) fn threads(given: Option<u16>) -> usize {
    given.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}
