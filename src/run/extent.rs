//! Owns the number and the hash of a file's lines, and the error where they differ from those noted.
//!
//! Must not know what the lines mean. A line that a kill cut off does not count.

use super::jsonl::LineError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// The whole lines of a file, or the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// How many.
    pub lines: u64,
    /// Their bytes, newlines included.
    pub bytes: u64,
    /// BLAKE3 of these.
    pub hash: String,
}

impl Extent {
    /// That of a file, read from its beginning to its end.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(path: &Path) -> Result<Self, LineError> {
        let fail = |source| LineError::Read { path: path.into(), source };
        let mut reader = BufReader::new(File::open(path).map_err(fail)?);
        let (mut along, mut line) = (Along::default(), Vec::new());
        while reader.read_until(b'\n', &mut line).map_err(fail)? > 0 {
            if line.last() == Some(&b'\n') {
                along.add(&line);
            }
            line.clear();
        }
        Ok(along.extent())
    }
}

/// An extent that grows line by line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Along {
    hasher: blake3::Hasher,
    lines: u64,
    bytes: u64,
}

impl Along {
    /// Takes in the next line; its newline counts, whether a kill cut it off or not.
    pub(crate) fn add(&mut self, line: &[u8]) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        self.hasher.update(text).update(b"\n");
        self.lines += 1;
        self.bytes += text.len() as u64 + 1;
    }

    /// Lines so far.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// What it is so far.
    pub(crate) fn extent(&self) -> Extent {
        let hash = self.hasher.finalize().to_hex()[..32].to_owned();
        Extent { lines: self.lines, bytes: self.bytes, hash }
    }
}

/// A file of a run does not hold what the run wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, where one can be named.
    pub line: Option<u64>,
    /// What is wrong, without a full stop.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what } = self;
        write!(f, "{}", path.display())?;
        if let Some(line) = line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {what}; put the file back as the run wrote it, or begin a new run")
    }
}
