//! Owns the file of a corpus: what many modules consist of, weighted fairly.
//!
//! Must not know programs of ours. The tables have the form and the names of the reference profile, so that each can
//! stand in for the other. Two columns: in `mean` every package weighs the same, and each of its modules is normalised
//! first; in `pooled` every instruction weighs the same, up to [`POOLED_MOST`] a package, so that one large package does
//! not speak for all.

mod build;
mod compare;

pub use build::{POOLED_MOST, ProfileBuilder};
pub use compare::{Comparison, Difference, compare};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Shares by name, most frequent first, in several columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShareTable {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// A share for each column.
    pub p: Map<String, Value>,
}

impl ShareTable {
    /// Names and shares of a column; of the first if there is none of this name.
    pub fn column<'t>(&'t self, name: &str) -> impl Iterator<Item = (&'t str, f64)> + 't {
        let at = self.columns.iter().position(|column| column == name).unwrap_or(0);
        self.p.iter().map(move |(name, shares)| (name.as_str(), shares.get(at).and_then(Value::as_f64).unwrap_or(0.0)))
    }
}

/// How much was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Packages: folders directly in the corpus, and files directly in it.
    pub packages: u64,
    /// Modules.
    pub modules: u64,
    /// Functions with code.
    pub functions: u64,
    /// Instructions, `end` and `else` included.
    pub instructions_incl_end_else: u64,
    /// Bytes of all modules.
    pub bytes: u64,
}

/// What a corpus consists of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// What it is of.
    #[serde(default)]
    pub about: String,
    /// How much was counted.
    #[serde(default)]
    pub counts: Counts,
    /// Instructions, without `end` and `else`.
    pub opcodes: ShareTable,
    /// The shares of `end` and `else` among all instructions.
    #[serde(default)]
    pub end_else_share_of_all: Map<String, Value>,
    /// Classes of instructions.
    #[serde(rename = "classes_by_mapping")]
    pub classes: ShareTable,
    /// The original's categories.
    #[serde(rename = "wasmweaver_buckets")]
    pub buckets: ShareTable,
    /// Triples of categories within functions, `end` and `else` included.
    #[serde(rename = "abstract_trigrams_wasmweaver_categories")]
    pub trigrams: ShareTable,
    /// The most frequent pairs of instructions.
    #[serde(default)]
    pub bigrams_top2000: ShareTable,
    /// The most frequent triples of instructions.
    #[serde(default)]
    pub trigrams_top2000: ShareTable,
    /// Functions: lengths, locals, nesting.
    #[serde(default)]
    pub structure_per_function: Map<String, Value>,
    /// Blocks and branches.
    #[serde(default)]
    pub control: Map<String, Value>,
    /// Constants.
    #[serde(default)]
    pub constants: Map<String, Value>,
    /// Memory accesses.
    #[serde(default)]
    pub memarg: Map<String, Value>,
}
