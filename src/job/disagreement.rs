//! Owns keeping a program on which the machine and wasmtime differ, where it can be studied, and saying so.
//!
//! Must not know what was asked about it.

use super::error::JobError;
use crate::item::make::Draft;
use crate::run::dir::RunDir;
use crate::wasm::encode::encode;
use std::path::{Path, PathBuf};

/// Saves a program on which the machine and wasmtime differ, and says so.
pub(super) fn disagreement(error: &impl std::fmt::Display, draft: &Draft, dir: &RunDir) -> JobError {
    JobError::Failed(match save(draft, &dir.disagreement()) {
        Ok(saved) => anyhow::anyhow!(
            "{error}; this is a bug of ours, please report it with {}.wat, .wasm and .json",
            dir.shown(&saved)
        ),
        Err(unsaved) => anyhow::anyhow!("{error}; and it could not be saved: {unsaved}"),
    })
}

fn save(draft: &Draft, base: &Path) -> anyhow::Result<PathBuf> {
    std::fs::write(base.with_extension("wat"), &draft.item.program)?;
    std::fs::write(base.with_extension("wasm"), encode(&draft.program))?;
    std::fs::write(base.with_extension("json"), serde_json::to_string_pretty(&draft.item)?)?;
    Ok(base.into())
}
