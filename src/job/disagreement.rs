//! Owns keeping a program on which the machine and wasmtime differ, where it can be studied, and saying so.
//!
//! Must not know what was asked about it.

use super::error::JobError;
use crate::item::make::Draft;
use crate::run::dir::RunDir;
use crate::run::evidence::Evidence;
use crate::wasm::encode::encode;

/// Saves a program on which the machine and wasmtime differ, and says so.
pub(super) fn disagreement(error: &impl std::fmt::Display, draft: &Draft, dir: &RunDir) -> JobError {
    let base = dir.disagreement();
    JobError::Failed(match evidence(draft).and_then(|evidence| Ok(evidence.save(&base)?)) {
        Ok(()) => anyhow::anyhow!(
            "{error}; this is a bug of ours, please report it with {}.wat, .wasm and .json",
            dir.shown(&base)
        ),
        Err(unsaved) => anyhow::anyhow!("{error}; and it could not be saved: {unsaved}"),
    })
}

/// The item has its recipe.
fn evidence(draft: &Draft) -> anyhow::Result<Evidence> {
    Ok(Evidence {
        text: Some(draft.item.program.clone()),
        binary: Some(encode(&draft.program)),
        told: Some(serde_json::to_value(&draft.item)?),
    })
}
