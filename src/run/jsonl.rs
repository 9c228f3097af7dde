//! Owns files of JSON lines: appending so that a kill loses at most the line being written, and reading what a kill left.
//!
//! Must not know what the lines mean. Each line is one `write` of whole bytes to a file in append mode, so that after a
//! `kill -9` every line but the last is whole; a last line without its newline is *cut*, and readers say so.

use serde::{Serialize, de::DeserializeOwned};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// A file that lines are appended to.
#[derive(Debug)]
pub struct JsonLines {
    file: File,
    path: PathBuf,
    /// Bytes of whole lines in the file.
    whole: u64,
}

impl JsonLines {
    /// Opens the file for appending, made where it is missing. A cut last line of an earlier run is repaired first:
    /// ended if only its newline is missing, else taken off.
    pub fn open(path: &Path) -> Result<Self, LineError> {
        let fail = |source| LineError::Open { path: path.into(), source };
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(path).map_err(fail)?;
        repair(&mut file).map_err(fail)?;
        let whole = file.metadata().map_err(fail)?.len();
        Ok(Self { file, path: path.into(), whole })
    }

    /// Appends one line. When this returns, the line survives a kill of this process.
    pub fn append<T: Serialize>(&mut self, row: &T) -> Result<(), LineError> {
        let mut line =
            serde_json::to_vec(row).map_err(|source| LineError::Encode { path: self.path.clone(), source })?;
        line.push(b'\n');
        if let Err(source) = self.file.write_all(&line) {
            // A full disk may have taken half of the line; what comes after must not be glued to it.
            let _ = self.file.set_len(self.whole);
            return Err(LineError::Write { path: self.path.clone(), source });
        }
        self.whole += line.len() as u64;
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the file end with a newline or be empty.
fn repair(file: &mut File) -> io::Result<()> {
    let metadata = file.metadata()?;
    // A pipe or device has no end to look at.
    let (whole, last) = if metadata.is_file() { last_line(file, metadata.len())? } else { (0, Vec::new()) };
    match &last[..] {
        [] => Ok(()),
        last if is_whole_json(last) => file.write_all(b"\n"),
        _ => file.set_len(whole),
    }
}

/// What stands behind the last newline, and where it begins. The file may be larger than memory.
fn last_line(file: &mut File, length: u64) -> io::Result<(u64, Vec<u8>)> {
    const STRETCH: u64 = 64 * 1024;
    let (mut start, mut last) = (length, Vec::new());
    while start > 0 {
        let stretch = STRETCH.min(start);
        start -= stretch;
        let mut bytes = vec![0; stretch as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        if let Some(newline) = bytes.iter().rposition(|&b| b == b'\n') {
            last.splice(..0, bytes.drain(newline + 1..));
            return Ok((start + newline as u64 + 1, last));
        }
        last.splice(..0, bytes);
    }
    Ok((0, last))
}

/// No proper prefix of a JSON object is JSON, so this tells whether only the newline is missing.
fn is_whole_json(line: &[u8]) -> bool {
    line.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

/// What a file of lines holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines<T> {
    /// Each whole line, in the order of the file.
    pub rows: Vec<T>,
    /// What is to be told of a last line that a kill cut off.
    pub cut: Option<Cut>,
}

/// A last line that a kill cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// Bytes of it.
    pub bytes: usize,
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, line, bytes } = self;
        write!(f, "{}:{line}: the last line was cut off after {bytes} bytes and is left out", path.display())
    }
}

/// Reads every line. A cut last line is left out and told of; any other line that cannot be read is an error.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Lines<T>, LineError> {
    let mut stream = stream(path)?;
    let rows = stream.by_ref().collect::<Result<Vec<T>, LineError>>()?;
    Ok(Lines { rows, cut: stream.cut })
}

/// Reads line by line, for files that are larger than memory.
///
/// # Errors
/// If the file cannot be opened.
pub fn stream<T: DeserializeOwned>(path: &Path) -> Result<Stream<T>, LineError> {
    let file = File::open(path).map_err(|source| LineError::Read { path: path.into(), source })?;
    let (reader, line) = (BufReader::new(file), Vec::new());
    Ok(Stream { reader, path: path.into(), line, number: 0, cut: None, row: PhantomData })
}

/// The lines of a file, one after the other.
#[derive(Debug)]
pub struct Stream<T> {
    reader: BufReader<File>,
    path: PathBuf,
    line: Vec<u8>,
    number: usize,
    /// What is to be told of a last line that a kill cut off, once the others are read.
    pub cut: Option<Cut>,
    row: PhantomData<T>,
}

impl<T> Stream<T> {
    /// The line of the row that came last, with its newline.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// Its number, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<T: DeserializeOwned> Iterator for Stream<T> {
    type Item = Result<T, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line.clear();
        match self.reader.read_until(b'\n', &mut self.line) {
            Ok(0) => return None,
            Ok(_) => self.number += 1,
            Err(source) => return Some(Err(LineError::Read { path: self.path.clone(), source })),
        }
        let (path, line) = (&self.path, self.number);
        if self.line.last() != Some(&b'\n') && !is_whole_json(&self.line) {
            self.cut = Some(Cut { path: path.clone(), line, bytes: self.line.len() });
            return None;
        }
        let row = serde_json::from_slice(&self.line);
        Some(row.map_err(|source| LineError::Line { path: path.clone(), line, source }))
    }
}

/// A file of lines could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It could not be opened for appending.
    #[error("cannot open {path} for appending: {source}; check its rights or name another directory with --log-dir")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line could not be appended.
    #[error("cannot append to {path}: {source}; free some space or name another directory with --log-dir")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A row is not JSON.
    #[error("cannot write a line of {path} as JSON: {source}")]
    Encode {
        /// The file.
        path: PathBuf,
        /// What serde said.
        source: serde_json::Error,
    },
    /// It could not be read.
    #[error("cannot read {path}: {source}; is this a run directory?")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line within the file is not what it should be.
    #[error("{path}:{line}: {source}; the line was damaged or written by another version: take it out or use that one")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What serde said.
        source: serde_json::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::super::dir::tests::Scratch;
    use super::*;
    use serde_json::{Value, json};

    fn rows(path: &Path) -> Lines<Value> {
        read(path).expect("readable")
    }

    #[test]
    fn lines_read_back_across_openings() {
        let scratch = Scratch::new();
        let path = scratch.path().join("a.jsonl");
        for n in 0..3 {
            let mut lines = JsonLines::open(&path).expect("can be opened");
            lines.append(&json!({"n": n, "text": "a\nb"})).expect("can be written");
        }
        let expected = (0..3).map(|n| json!({"n": n, "text": "a\nb"})).collect();
        assert_eq!(rows(&path), Lines { rows: expected, cut: None });
    }

    #[test]
    fn a_kill_at_any_byte_loses_at_most_the_last_line() {
        let scratch = Scratch::new();
        let text = "{\"n\":0}\n{\"n\":[1,{}]}\n";
        for cut_at in 0..=text.len() {
            let path = scratch.file("a.jsonl", &text[..cut_at]);
            let newlines = text[..cut_at].matches('\n').count();
            let missing_newline_only = cut_at == 7 || cut_at == text.len() - 1;
            let whole = newlines + usize::from(missing_newline_only);
            let left = rows(&path);
            assert_eq!(left.rows.len(), whole, "cut at {cut_at}");
            let nothing_lost = missing_newline_only || text[..cut_at].ends_with('\n') || cut_at == 0;
            assert_eq!(left.cut.is_none(), nothing_lost, "cut at {cut_at}");

            JsonLines::open(&path).expect("can be opened").append(&json!({"n": 2})).expect("can be written");
            let resumed = rows(&path);
            assert_eq!(resumed.cut, None, "cut at {cut_at}");
            assert_eq!(resumed.rows.len(), whole + 1, "cut at {cut_at}");
            assert_eq!(resumed.rows[whole], json!({"n": 2}));
        }
    }

    #[test]
    fn what_was_cut_is_said() {
        let scratch = Scratch::new();
        let path = scratch.file("a.jsonl", "{\"n\":0}\n{\"n\":");
        let cut = rows(&path).cut.expect("is cut").to_string();
        assert!(cut.ends_with("a.jsonl:2: the last line was cut off after 5 bytes and is left out"), "{cut}");
    }

    #[test]
    fn a_cut_line_is_found_however_long_it_is() {
        let scratch = Scratch::new();
        for length in [1, 64 * 1024 - 1, 64 * 1024, 200_000] {
            for (before, whole) in [("", 0), ("{\"n\":0}\n", 8)] {
                let path = scratch.file("a.jsonl", &format!("{before}{{{}", " ".repeat(length - 1)));
                drop(JsonLines::open(&path).expect("repaired"));
                assert_eq!(std::fs::metadata(&path).expect("is there").len(), whole, "{length} behind {before:?}");
            }
        }
    }

    #[test]
    fn damage_within_the_file_is_an_error_with_its_line() {
        let scratch = Scratch::new();
        let path = scratch.file("a.jsonl", "{\"n\":0}\n{\"n\":\n{\"n\":2}\n");
        let error = read::<Value>(&path).expect_err("line 2 is damaged").to_string();
        assert!(error.contains("a.jsonl:2: "), "{error}");
        let error = read::<Value>(&scratch.path().join("none.jsonl")).expect_err("is missing").to_string();
        assert!(error.contains("none.jsonl"), "{error}");
        let error = JsonLines::open(&scratch.path().join("no/a.jsonl")).expect_err("no directory").to_string();
        assert!(error.contains("no/a.jsonl") && error.contains("--log-dir"), "{error}");
    }
}
