//! Owns `shrunk.jsonl`: the programs of a run that were cut down, one line for each.
//!
//! Must not know how they were cut.

use super::dir::{DirError, RunDir, write_whole};
use super::jsonl::{self, LineError};
use super::spending::{Spending, Tally};
use crate::attack::shrink::Size;
use crate::item::record::Record;
use serde::{Deserialize, Serialize};

/// One line: the smallest program found in place of a missed one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shrunk {
    /// The item that it was cut out of.
    pub from: String,
    /// How large that was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// Requests spent.
    pub queries: u64,
    /// How often it was missed.
    pub hits: u32,
    /// Of how often it was asked.
    pub of: u32,
    /// What these took and cost, replies from the cache left out; unknown of lines that were kept before it was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spending>,
    /// Whether nothing that could still be cut was missed; `false` where the budget or the user ended it before.
    pub smallest: bool,
    /// The model that misses it, where it is not the one that the run asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The program with its label and the answer.
    pub record: Record,
}

/// The file could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum ShrunkError {
    /// It cannot be read.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] DirError),
    /// A line is not valid.
    #[error("cannot write what was cut out of {from} as JSON: {source}")]
    Encode {
        /// The item.
        from: String,
        /// What serde said.
        source: serde_json::Error,
    },
}

impl Shrunk {
    /// What to keep of a line and a later one about the same: the smaller program, the size that the first began with, and
    /// what both took.
    fn joined(&self, later: &Self) -> Self {
        let better = if later.is_as_good_as(self) { later } else { self };
        Self {
            before: self.before,
            queries: self.queries.saturating_add(later.queries),
            spent: spent(&[self.clone(), later.clone()]),
            ..better.clone()
        }
    }

    /// Whether it is not larger, and as finished, as another line about the same.
    fn is_as_good_as(&self, other: &Self) -> bool {
        self.after < other.after || (self.after == other.after && self.smallest >= other.smallest)
    }

    fn is_about(&self, other: &Self) -> bool {
        (&self.from, &self.model) == (&other.from, &other.model)
    }
}

/// What was cut down of a run, by asking the model that it asked; nothing where nothing was.
///
/// # Errors
/// If the file cannot be read.
pub fn read_shrunk(dir: &RunDir) -> Result<Vec<Shrunk>, LineError> {
    let mut lines = read_all_shrunk(dir)?;
    lines.retain(|line| line.model.is_none());
    Ok(lines)
}

/// The same by asking any model.
///
/// # Errors
/// If the file cannot be read.
pub fn read_all_shrunk(dir: &RunDir) -> Result<Vec<Shrunk>, LineError> {
    if dir.shrunk().exists() { Ok(jsonl::read(&dir.shrunk())?.rows) } else { Ok(Vec::new()) }
}

/// What cutting these down took and cost; `None` where no line says.
pub fn spent(lines: &[Shrunk]) -> Option<Spending> {
    let mut tally = Tally::default();
    let mut told = lines.iter().filter_map(|line| line.spent.as_ref()).peekable();
    told.peek()?;
    told.for_each(|spent| tally.merge(spent));
    Some(tally.spending())
}

/// Adds a line. With an earlier one of the same item and model it becomes one: the smaller program, and what both took.
/// Returns the line that is kept.
///
/// # Errors
/// If the file cannot be read or written.
pub fn keep_shrunk(dir: &RunDir, line: &Shrunk) -> Result<Shrunk, ShrunkError> {
    let mut lines = read_all_shrunk(dir)?;
    let earlier = lines.iter().position(|other| line.is_about(other));
    let kept = earlier.map_or_else(|| line.clone(), |at| lines.remove(at).joined(line));
    lines.insert(earlier.unwrap_or(lines.len()), kept.clone());
    let mut text = String::new();
    for line in &lines {
        let encode = |source| ShrunkError::Encode { from: line.from.clone(), source };
        text += &serde_json::to_string(line).map_err(encode)?;
        text.push('\n');
    }
    write_whole(&dir.shrunk(), &text)?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::super::dir::tests::Scratch;
    use super::super::sink::tests::sample;
    use super::*;
    use crate::item::record::{Purpose, Verdict};

    #[test]
    fn the_smallest_of_each_item_and_model_is_kept() {
        let scratch = Scratch::new();
        scratch.file("manifest.yaml", "");
        let dir = RunDir::open(scratch.path()).expect("is one");
        assert_eq!(read_shrunk(&dir).expect("no file is no line"), []);
        let size = |instructions| Size { instructions, bytes: 2 * instructions };
        let line = |from: &str, instructions| Shrunk {
            from: from.into(),
            before: size(50),
            after: size(instructions),
            queries: 40,
            hits: 2,
            of: 2,
            spent: None,
            smallest: true,
            model: None,
            record: sample(Purpose::Shrink, 0, 0, Verdict::Wrong),
        };
        let of_a = |instructions| Shrunk { queries: 120, ..line("a", instructions) };
        let foreign = Shrunk { model: Some("m/other".into()), ..line("a", 2) };
        let unfinished = Shrunk { smallest: false, ..line("a", 4) };
        let keep = |line: &Shrunk| keep_shrunk(&dir, line).expect("can be written");
        for line in [line("a", 9), line("b", 7), line("a", 4), foreign.clone()] {
            keep(&line);
        }
        // The smaller one stays, and what the others took is counted.
        let of_b = Shrunk { queries: 80, ..line("b", 7) };
        assert_eq!(keep(&line("b", 8)), of_b);
        assert_eq!(keep(&unfinished), of_a(4));
        assert_eq!(read_shrunk(&dir).expect("reads back"), [of_a(4), of_b.clone()]);
        assert_eq!(read_all_shrunk(&dir).expect("reads back"), [of_a(4), of_b, foreign]);
    }
}
