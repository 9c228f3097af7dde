//! Owns `shrunk.jsonl`: the programs of a run that were cut down, one line for each.
//!
//! Must not know how they were cut.

use super::dir::{DirError, RunDir, write_whole};
use super::jsonl::{self, LineError};
use super::spending::Spending;
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

/// What was cut down of a run; nothing where nothing was.
///
/// # Errors
/// If the file cannot be read.
pub fn read_shrunk(dir: &RunDir) -> Result<Vec<Shrunk>, LineError> {
    if dir.shrunk().exists() { Ok(jsonl::read(&dir.shrunk())?.rows) } else { Ok(Vec::new()) }
}

/// Adds a line, in the place of an earlier one of the same item.
///
/// # Errors
/// If the file cannot be read or written.
pub fn keep_shrunk(dir: &RunDir, line: &Shrunk) -> Result<(), ShrunkError> {
    let mut lines = read_shrunk(dir)?;
    match lines.iter_mut().find(|other| other.from == line.from) {
        Some(earlier) => earlier.clone_from(line),
        None => lines.push(line.clone()),
    }
    let mut text = String::new();
    for line in &lines {
        let encode = |source| ShrunkError::Encode { from: line.from.clone(), source };
        text += &serde_json::to_string(line).map_err(encode)?;
        text.push('\n');
    }
    Ok(write_whole(&dir.shrunk(), &text)?)
}

#[cfg(test)]
mod tests {
    use super::super::dir::tests::Scratch;
    use super::super::sink::tests::sample;
    use super::*;
    use crate::item::record::{Purpose, Verdict};

    #[test]
    fn a_later_one_of_the_same_item_takes_the_place_of_the_earlier() {
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
            record: sample(Purpose::Shrink, 0, 0, Verdict::Wrong),
        };
        for line in [line("a", 9), line("b", 7), line("a", 4)] {
            keep_shrunk(&dir, &line).expect("can be written");
        }
        assert_eq!(read_shrunk(&dir).expect("reads back"), [line("a", 4), line("b", 7)]);
    }
}
