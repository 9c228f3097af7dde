//! Owns flags that several verbs have.

use super::Failure;
use crate::ask::evaluate::Prompts;
use crate::ask::prompt::Prompt;
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
