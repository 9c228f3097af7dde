//! Owns finding the prompts of a plan again: those that come with the program, or those of a file.
//!
//! Must not know what is asked.

use super::error::JobError;
use crate::ask::prompt::Prompt;
use crate::item::record::{Item, Task};
use crate::run::manifest::Manifest;
use crate::run::plan;
use std::path::Path;

/// The prompt of a run that asked about these items: one that comes with the program, or that of a file; by default the
/// one that its plan names.
///
/// # Errors
/// If it is another one, or if the items are of several tasks, which one prompt cannot ask.
pub(crate) fn of_run(manifest: &Manifest, file: Option<&Path>, asked: &[&Item]) -> Result<Prompt, JobError> {
    let task = asked.first().map(|item| item.task).ok_or_else(|| JobError::wrong("nothing was asked"))?;
    if asked.iter().any(|item| item.task != task) {
        return Err(JobError::wrong("these items ask different things; take those of one task at a time"));
    }
    let used = manifest.plan.prompts();
    match file {
        Some(path) => of_file(path, used),
        None => {
            let found = used.iter().find_map(|used| find(used, task).transpose());
            found.unwrap_or_else(|| Err(none(used, "none at hand is the same")))
        }
    }
}

/// The prompts of a plan.
///
/// # Errors
/// If one is not at hand any more, or was changed.
pub(super) fn of_plan(used: &[plan::Prompt]) -> Result<Vec<Prompt>, JobError> {
    let found = |used: &plan::Prompt| {
        let each = Task::ALL.iter().find_map(|&task| find(used, task).transpose());
        each.unwrap_or_else(|| Err(none(std::slice::from_ref(used), "none at hand is the same")))
    };
    used.iter().map(found).collect()
}

/// A prompt of this task.
fn find(used: &plan::Prompt, task: Task) -> Result<Option<Prompt>, JobError> {
    let shipped = Prompt::all_shipped(task).into_iter().find(|prompt| prompt.hash == used.hash);
    match (&used.file, shipped) {
        (_, Some(prompt)) => Ok(Some(prompt)),
        (Some(file), None) if file.exists() => {
            Ok(Some(of_file(file, std::slice::from_ref(used))?).filter(|prompt| prompt.task == task))
        }
        _ => Ok(None),
    }
}

fn of_file(path: &Path, used: &[plan::Prompt]) -> Result<Prompt, JobError> {
    let prompt = Prompt::load(path).map_err(JobError::usage)?;
    let is_used = used.iter().any(|used| used.hash == prompt.hash);
    if is_used { Ok(prompt) } else { Err(none(used, "this file is another one")) }
}

fn none(used: &[plan::Prompt], what: &str) -> JobError {
    let names: Vec<&str> = used.iter().map(|used| used.name.as_str()).collect();
    let names = names.join(", ");
    JobError::wrong(format!("the run was asked with the prompt {names}, and {what}; give its file with --prompt FILE"))
}
