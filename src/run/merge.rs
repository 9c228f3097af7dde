//! Owns putting the parts of a piece of work together again: which parts belong together, and that none is missing.
//!
//! Must not know models or reports. The result equals what one process would have made, byte for byte; what
//! could make it differ (a part that is missing, double, unfinished or of something else) is an error that names it.

mod dataset;
mod evaluation;

pub(crate) use dataset::Parts;
pub(crate) use evaluation::merge_evaluation;

use super::dataset::{DataSetError, SplitError};
use super::dir::DirError;
use super::intact::ReadError;
use super::jsonl::LineError;
use super::manifest::ManifestError;
use super::shard::Shard;
use super::yaml::ConfigError;
use std::path::{Path, PathBuf};

/// Parts cannot be put together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    /// It is whole.
    #[error("{} is no part: it was made without --shard", .0.display())]
    Whole(PathBuf),
    /// It is nothing that has parts.
    #[error("{} is a run of `harness {verb}`, which has no parts; merge runs of `harness eval --shard`", run.display())]
    NoParts {
        /// Its directory.
        run: PathBuf,
        /// Its verb.
        verb: String,
    },
    /// It was stopped or killed.
    #[error("{} is not complete; go on with it first: harness eval --resume {}", .0.display(), .0.display())]
    Unfinished(PathBuf),
    /// It was stopped.
    #[error("{} is not complete; remove it and make this part again: harness generate --shard I/N", .0.display())]
    UnfinishedData(PathBuf),
    /// Two parts are of different wholes.
    #[error("{} and {} are parts of different things: {what} differ; merge what one command with --shard made", first.display(), other.display())]
    Different {
        /// The first part.
        first: PathBuf,
        /// Another one.
        other: PathBuf,
        /// What is not the same.
        what: String,
    },
    /// One part twice.
    #[error("{} and {} are both part {shard}; leave one out", first.display(), other.display())]
    Double {
        /// The first.
        first: PathBuf,
        /// The other.
        other: PathBuf,
        /// Which part.
        shard: Shard,
    },
    /// Parts are not there.
    #[error("{} of {of} parts are missing: {}; make them with --shard I/{of}", missing.len(), listed(missing))]
    Missing {
        /// Their numbers, from 0.
        missing: Vec<u32>,
        /// How many parts there are.
        of: u32,
    },
    /// A part has not the lines it should have.
    #[error("{path}:{line}: {problem}; the part is damaged: make it again")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Together they are not what each says the whole is.
    #[error(
        "the items together have the fingerprint {found}, and each part says {expected}; a part was changed: make them again"
    )]
    Fingerprint {
        /// As it is.
        found: String,
        /// As it should be.
        expected: String,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// A card cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file of a part does not hold what the part wrote.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The result cannot be written.
    #[error(transparent)]
    Write(#[from] DirError),
    /// The data set cannot be written.
    #[error(transparent)]
    DataSet(DataSetError),
    /// Its card splits it in a way that makes no sense.
    #[error(transparent)]
    Split(SplitError),
}

impl MergeError {
    /// Whether the user can mend it by merging something else.
    pub(crate) fn is_usage(&self) -> bool {
        match self {
            Self::Line { .. } | Self::Fingerprint { .. } | Self::Read(_) | Self::Write(_) => false,
            Self::Manifest(error) => !matches!(error, ManifestError::Damaged(_)),
            Self::DataSet(error) => !matches!(error, DataSetError::Write { .. }),
            _ => true,
        }
    }
}

/// Numbers as people count them, the first few.
fn listed(missing: &[u32]) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<String> = missing.iter().take(SHOWN).map(|at| (at + 1).to_string()).collect();
    names.extend((missing.len() > SHOWN).then(|| "...".to_owned()));
    names.join(", ")
}

/// Parts in their order, if each is there once.
///
/// # Errors
/// [`MergeError::Double`] and [`MergeError::Missing`]; the number of parts is taken from the first.
fn in_order<T>(parts: Vec<T>, about: impl Fn(&T) -> (&Path, Shard)) -> Result<Vec<T>, MergeError> {
    let Some(of) = parts.first().map(|part| about(part).1.of()) else { return Ok(parts) };
    let mut places: Vec<Option<T>> = (0..of).map(|_| None).collect();
    for part in parts {
        let (path, shard) = about(&part);
        if let Some(first) = &places[shard.at() as usize] {
            return Err(MergeError::Double { first: about(first).0.into(), other: path.into(), shard });
        }
        places[shard.at() as usize] = Some(part);
    }
    let missing: Vec<u32> = (0..of).filter(|&at| places[at as usize].is_none()).collect();
    if missing.is_empty() {
        Ok(places.into_iter().flatten().collect())
    } else {
        Err(MergeError::Missing { missing, of })
    }
}
