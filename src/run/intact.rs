//! Owns whether the files of a run hold what the run wrote: all its lines and no others, each question once, no model that it
//! did not ask.
//!
//! Must not know what a line means beyond its place. The manifest says how far a file goes and what its hash is up to there;
//! of a run that is going on, or was killed, there may be more lines behind. Runs of before this was noted are held against
//! what can be known of them: how many questions an evaluation has, and that no record is younger than its timing.

use super::dir::RunDir;
use super::extent::{Along, Damage, Extent};
use super::jsonl::{self, Cut, LineError, Stream};
use super::manifest::{Manifest, ManifestError, Status};
use super::plan::Plan;
use crate::item::record::{Purpose, SCHEMA_VERSION};
use serde::de::{DeserializeOwned, IgnoredAny};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A file of a run could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file or a line of it cannot be read.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// It does not hold what the run wrote.
    #[error("{0}")]
    Damaged(#[from] Damage),
    /// The manifest, which says what it should hold, cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A later version of this program wrote them.
    #[error("{path}:{line}: schema {schema} is newer than this program's {SCHEMA_VERSION}; use a later wasmweaver")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Its schema.
        schema: u32,
    },
}

/// The lines of a file of a run, held against what its manifest says of them.
#[derive(Debug)]
pub(crate) struct Lines<T> {
    stream: Stream<T>,
    /// How far the manifest knows them.
    known: Option<Extent>,
    /// Whether there may be more.
    is_open: bool,
    along: Along,
    is_over: bool,
}

/// Reads a file of a run; without a manifest nothing is known of it.
///
/// # Errors
/// If it cannot be opened, or is not there and should be.
pub(crate) fn lines<T>(path: &Path, manifest: Option<&Manifest>) -> Result<Lines<T>, ReadError>
where
    T: DeserializeOwned,
{
    let known = manifest.and_then(|manifest| manifest.extent(path)).cloned();
    let stream = jsonl::stream(path).map_err(|error| match (&error, &known) {
        (LineError::Read { source, .. }, Some(known)) if source.kind() == ErrorKind::NotFound => {
            damage(path, None, format!("it is not there, and the run wrote {} lines", known.lines)).into()
        }
        _ => ReadError::from(error),
    })?;
    let is_open = manifest.is_some_and(|manifest| manifest.status == Status::Running);
    Ok(Lines { stream, known, is_open, along: Along::default(), is_over: false })
}

/// A file that has fewer lines than it should.
fn ends_early(path: &Path, lines: u64, why: String) -> Damage {
    let (line, what) = if lines == 0 { (None, "there is no line") } else { (Some(lines), "the file ends here") };
    damage(path, line, format!("{what}, and {why}"))
}

fn damage(path: &Path, line: Option<u64>, what: String) -> Damage {
    Damage { path: path.into(), line, what }
}

impl<T> Lines<T> {
    /// The same of a file that may go on, even if its run has ended.
    pub(crate) fn or_more(self) -> Self {
        Self { is_open: true, ..self }
    }

    /// The line of the row that came last, with its newline.
    pub(crate) fn line(&self) -> &[u8] {
        self.stream.line()
    }

    /// Its number, from 1.
    pub(crate) fn number(&self) -> usize {
        self.stream.number()
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        self.stream.path()
    }

    /// What is to be told of a last line that a kill cut off, once the others are read.
    pub(crate) fn cut(&self) -> Option<Cut> {
        self.stream.cut.clone()
    }

    fn damage(&self, line: Option<u64>, what: String) -> ReadError {
        damage(self.path(), line, what).into()
    }

    /// Holds the line that came last against what is known.
    fn check(&mut self) -> Result<(), ReadError> {
        let Some(known) = &self.known else { return Ok(()) };
        if self.along.lines() >= known.lines {
            if self.is_open {
                return Ok(());
            }
            let what = format!("the run ended with {} lines, and this one was added", known.lines);
            return Err(self.damage(Some(self.number() as u64), what));
        }
        self.along.add(self.stream.line());
        if self.along.lines() < known.lines || self.along.extent() == *known {
            return Ok(());
        }
        let what =
            format!("the first {} lines are not those that the run wrote: their hash is another one", known.lines);
        Err(self.damage(None, what))
    }

    /// Holds the end against what is known.
    fn end(&self) -> Result<(), ReadError> {
        match &self.known {
            Some(known) if self.along.lines() < known.lines => {
                let (there, wrote) = (self.along.lines(), known.lines);
                Err(ends_early(self.path(), there, format!("the run wrote {wrote} lines")).into())
            }
            _ => Ok(()),
        }
    }
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = match self.stream.next() {
            Some(Ok(row)) => Some(self.check().map(|()| row)),
            Some(Err(LineError::Line { line, source, .. })) => {
                Some(Err(self.damage(Some(line as u64), format!("{source}"))))
            }
            Some(Err(error)) => Some(Err(error.into())),
            None => self.end().err().map(Err),
        };
        // What stands behind damage is not looked at.
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Reads a file of a run to its end for nothing but this, if anything is known of it.
///
/// # Errors
/// If it does not hold what the run wrote.
pub(crate) fn check(path: &Path, manifest: &Manifest) -> Result<(), ReadError> {
    if manifest.extent(path).is_none() {
        return Ok(());
    }
    lines::<IgnoredAny>(path, Some(manifest))?.try_for_each(|line| line.map(drop))
}

/// The places of the questions that have a record.
#[derive(Debug, Default)]
pub(crate) struct Places(HashMap<(Option<usize>, Purpose, u32, u32), [u64; 4]>);

impl Places {
    /// Takes in the next one: of which model (its number), for what, in which round, at which position. False if it has one.
    pub(crate) fn add(&mut self, model: Option<usize>, purpose: Purpose, round: u32, index: u32) -> bool {
        // Neighbours share an entry, so that a place takes little more than a bit.
        let (entry, bit) = (index / 256, index % 256);
        let word = &mut self.0.entry((model, purpose, round, entry)).or_default()[bit as usize / 64];
        let before = std::mem::replace(word, *word | 1 << (bit % 64));
        before != *word
    }
}

/// Holds the number of a run's records against what is known of it, where the manifest does not say how far they go.
///
/// # Errors
/// If some are missing.
pub(crate) fn count(dir: &RunDir, manifest: &Manifest, records: u64) -> Result<(), ReadError> {
    let path = dir.records();
    if manifest.status == Status::Running || manifest.extent(&path).is_some() {
        return Ok(());
    }
    let is_complete = manifest.status == Status::Complete;
    if let (Plan::Eval(evaluation), true, Some(items)) = (&manifest.plan, is_complete, manifest.items) {
        let asked = items * u64::from(evaluation.epochs) * evaluation.models.len() as u64;
        if records < asked {
            return Err(ends_early(&path, records, format!("the run is complete with {asked} records")).into());
        }
    }
    if records == 0 && is_complete && manifest.plan.attack().is_some() {
        return Err(ends_early(&path, records, "the run is complete".into()).into());
    }
    if !dir.timings().exists() {
        return Ok(());
    }
    // A record is written before its timing.
    let timings = lines::<IgnoredAny>(&dir.timings(), None)?.filter(Result::is_ok).count() as u64;
    if records < timings {
        return Err(ends_early(&path, records, format!("timings.jsonl has {timings} lines")).into());
    }
    Ok(())
}
