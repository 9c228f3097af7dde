//! Owns asking the model of a run again, as the run did: with the same prompt, and who asks.
//!
//! Must not know why.

use super::Failure;
use super::connect::{Connection, Way};
use crate::ask::examiner::Examiner;
use crate::ask::prompt::Prompt;
use crate::item::record::Item;
use crate::run::manifest::Manifest;
use std::path::Path;

/// The prompt of a run that asked about these items: one that comes with the program, or that of a file.
///
/// # Errors
/// If it is another one, or if the items are of several tasks, which one prompt cannot ask.
pub(super) fn prompt(manifest: &Manifest, file: Option<&Path>, asked: &[&Item]) -> Result<Prompt, Failure> {
    let usage = |problem: String| Failure::usage(anyhow::anyhow!("{problem}"));
    let task = asked.first().map(|item| item.task).ok_or_else(|| usage("nothing was asked".into()))?;
    if asked.iter().any(|item| item.task != task) {
        return Err(usage("these items ask different things; take those of one task at a time".into()));
    }
    let at_hand = match file {
        Some(path) => vec![Prompt::load(path).map_err(Failure::usage)?],
        None => Prompt::all_shipped(task),
    };
    let plan = &manifest.plan;
    let used: Vec<_> = plan.prompt.iter().chain(plan.evaluation.iter().flat_map(|asked| &asked.prompts)).collect();
    let is_used = |prompt: &Prompt| used.iter().any(|used| used.hash == prompt.hash);
    at_hand.into_iter().find(is_used).ok_or_else(|| {
        let names: Vec<&str> = used.iter().map(|used| used.name.as_str()).collect();
        let given = if file.is_some() { "this file is another one" } else { "none at hand is the same" };
        usage(format!(
            "the run was asked with the prompt {}, and {given}; give its file with --prompt FILE",
            names.join(", ")
        ))
    })
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
