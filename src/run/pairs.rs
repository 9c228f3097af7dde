//! Owns `pairs.jsonl`: missed programs of a run that were asked again with one instruction changed, one line for each.
//!
//! Must not know what the answers show.

use super::dir::RunDir;
use super::extent::Damage;
use super::intact::{self, ReadError};
use super::manifest::Manifest;
use crate::cause::twin::{Manner, Role};
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

/// The pairs of a run; none where none were asked. Each was asked once, and those that the manifest knows are as they were.
///
/// # Errors
/// If the file cannot be read, or does not hold what was answered.
pub(crate) fn read_pairs(dir: &RunDir) -> Result<Vec<Pair>, ReadError> {
    let (path, manifest) = (dir.pairs(), Manifest::read(dir)?);
    if !path.exists() && manifest.extent(&path).is_none() {
        return Ok(Vec::new());
    }
    // More are asked by and by, and the process may be killed before they are noted.
    let mut pairs: Vec<Pair> = Vec::new();
    for pair in intact::lines::<Pair>(&path, Some(&manifest))?.or_more() {
        let pair = pair?;
        let is_same = |other: &Pair| (&other.claim, &other.of, other.role) == (&pair.claim, &pair.of, pair.role);
        if pairs.iter().any(is_same) {
            let what = format!("a second pair of the same kind: {} of {}", pair.change, pair.of);
            return Err(Damage { path, line: Some(pairs.len() as u64 + 1), what }.into());
        }
        pairs.push(pair);
    }
    Ok(pairs)
}
