//! Owns asking the model of a run again, as the run did: with the same prompt, and who asks.
//!
//! Must not know why.

use super::Failure;
use super::connect::{Connection, Way};
use crate::ask::examiner::Examiner;
use crate::ask::prompt::Prompt;
use crate::item::record::Task;
use crate::run::manifest::Manifest;
use std::path::Path;

/// The prompt of a run: that of a file, or the shipped one of the task, if it is what the run was asked with.
///
/// # Errors
/// If it is another one.
pub(super) fn prompt(manifest: &Manifest, file: Option<&Path>, task: Task) -> Result<Prompt, Failure> {
    let prompt = match file {
        Some(path) => Prompt::load(path).map_err(Failure::usage)?,
        None => Prompt::shipped(task),
    };
    let usage = |problem: String| Err(Failure::usage(anyhow::anyhow!("{problem}")));
    let short = |hash: &str| hash.chars().take(8).collect::<String>();
    match &manifest.plan.prompt {
        Some(used) if used.hash == prompt.hash => Ok(prompt),
        Some(used) => usage(format!(
            "the run was asked with the prompt {} ({}...), and this is {} ({}...); give its file with --prompt FILE",
            used.name,
            short(&used.hash),
            prompt.id(),
            short(&prompt.hash),
        )),
        None => usage("this run has no prompt of its own; it is no attack".into()),
    }
}

/// One who asks the model of a connection.
pub(super) fn examiner(way: &Way, connection: &Connection, prompt: Prompt) -> Examiner {
    Examiner {
        prompt,
        model: connection.model.clone(),
        model_id: connection.entry.id.clone(),
        params: way.params(&connection.entry),
        limits: way.limits(),
        strictness: way.strictness(),
    }
}
