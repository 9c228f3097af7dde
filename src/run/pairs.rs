//! Owns `pairs.jsonl`: missed programs of a run that were asked again with one instruction changed, one line for each.
//!
//! Must not know what the answers show.

use super::dir::RunDir;
use super::jsonl::{self, LineError};
use crate::attack::pairs::{Manner, Role};
use crate::item::record::Record;
use serde::{Deserialize, Serialize};

/// One line: a twin, and what the model answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// What an instruction was suspected of, in the words of the claim.
    pub claim: String,
    /// The item that it is a twin of.
    pub of: String,
    /// Whether the suspect was changed, or another instruction.
    pub role: Role,
    /// How; unknown of pairs that were asked before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manner: Option<Manner>,
    /// The change: `i32.lt_u -> i32.lt_s`.
    pub change: String,
    /// The twin with its label and the answer.
    pub record: Record,
}

/// The pairs of a run; none where nobody asked any.
///
/// # Errors
/// If the file cannot be read.
pub fn read_pairs(dir: &RunDir) -> Result<Vec<Pair>, LineError> {
    if dir.pairs().exists() { Ok(jsonl::read(&dir.pairs())?.rows) } else { Ok(Vec::new()) }
}
