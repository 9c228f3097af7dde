//! Owns flags that several verbs have.

use super::Failure;
use crate::ask::prompt::{Prompt, Prompts};
use crate::item::record::Task;
use crate::run::store::is_address;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use std::path::Path;

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
        let named = Prompt::named(name).map_err(Failure::usage)?;
        if let Some(twice) = named.iter().find(|prompt| own.iter().any(|other: &Prompt| other.task == prompt.task)) {
            let problem =
                format!("--prompt {name}: the task {} has a prompt already; leave one out", twice.task.name());
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        }
        own.extend(named);
    }
    Ok(Prompts::new(own))
}

/// Refuses a prompt that asks what is not asked.
pub(super) fn fits(prompt: &Prompt, tasks: &[Task]) -> Result<(), Failure> {
    if tasks.contains(&prompt.task) {
        return Ok(());
    }
    let asked = tasks.iter().map(|task| task.name()).collect::<Vec<_>>().join(", ");
    let (prompt, task) = (prompt.id(), prompt.task.name());
    let problem =
        format!("--prompt {prompt} asks the task {task}, and what is asked is {asked}; name a prompt of that task");
    Err(Failure::usage(anyhow::anyhow!(problem)))
}

/// Refuses names and files of prompts that ask what is not asked; a way to ask that all tasks have is for those that are.
pub(super) fn all_fit(names: &[String], tasks: &[Task]) -> Result<(), Failure> {
    names.iter().try_for_each(|name| match &Prompt::named(name).map_err(Failure::usage)?[..] {
        [one] => fits(one, tasks),
        _ => Ok(()),
    })
}

/// Refuses the first flag that is given though it is for other values of the flag `chosen`: whether it is, the flag, and
/// which values it is for.
pub(super) fn belongs<'v, V: ValueEnum + 'v>(
    chosen: &str,
    flags: impl IntoIterator<Item = (bool, &'static str, &'v [V])>,
) -> Result<(), Failure> {
    let Some((_, flag, of)) = flags.into_iter().find(|(is_wrong, ..)| *is_wrong) else { return Ok(()) };
    let values: Vec<PossibleValue> = of.iter().filter_map(ValueEnum::to_possible_value).collect();
    let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
    let problem = format!("{flag} is for {chosen} {}; leave one of them out", values.join(" or "));
    Err(Failure::usage(anyhow::anyhow!(problem)))
}

/// Refuses the first flag that is given though it says nothing where this is so.
pub(super) fn idle(flags: impl IntoIterator<Item = (bool, &'static str)>, so: &str) -> Result<(), Failure> {
    let Some((_, flag)) = flags.into_iter().find(|(is_given, _)| *is_given) else { return Ok(()) };
    Err(Failure::usage(anyhow::anyhow!("{flag} says nothing {so}; leave it out")))
}

/// Refuses an address where only a file here can be written.
pub(super) fn file_here(flag: &str, path: Option<&Path>) -> Result<(), Failure> {
    match path.filter(|path| is_address(path)) {
        Some(path) => {
            Err(Failure::usage(anyhow::anyhow!("{flag} takes a file here, and {} is an address", path.display())))
        }
        None => Ok(()),
    }
}
