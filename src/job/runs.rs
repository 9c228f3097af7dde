//! Owns where a job's run lies: in a new directory, in a given one, or in that of a run that goes on.
//!
//! Must not know what a run does.

use super::error::JobError;
use super::setting::Setting;
use crate::run::clock::Stamp;
use crate::run::dir::{MANIFEST, RunDir, RunName};
use crate::run::homes::Homes;
use crate::run::manifest::{Manifest, Status};
use crate::run::plan::{Conditions, Plan};
use std::path::{Path, PathBuf};

/// Where the run of a job goes.
#[derive(Debug)]
pub enum Place {
    /// A new directory below this one, with a name of its own.
    Below(PathBuf),
    /// Exactly this directory: made if it is not there, gone on with if it holds this very run.
    Exactly(PathBuf),
    /// That of a run that goes on.
    Earlier(Box<Earlier>),
}

/// A run that was begun before.
#[derive(Debug)]
pub struct Earlier {
    /// Where it lies.
    pub dir: RunDir,
    /// What it was.
    pub manifest: Manifest,
}

impl Earlier {
    /// The run in a directory; one that is not complete is locked, so that no other process goes on with it.
    ///
    /// # Errors
    /// If there is none, or another process works on it.
    pub fn open(path: &Path, homes: &Homes) -> Result<Self, JobError> {
        let read = |dir: RunDir| {
            let manifest = Manifest::read(&dir).map_err(JobError::unread)?;
            Ok::<Self, JobError>(Self { dir, manifest })
        };
        let found = read(homes.open(path).map_err(JobError::usage)?)?;
        if found.is_complete() {
            return Ok(found);
        }
        // Read again: the process that had the lock before may have ended the run meanwhile.
        read(homes.take(path).map_err(JobError::usage)?)
    }

    /// Whether there is nothing left to do.
    pub fn is_complete(&self) -> bool {
        let Manifest { status, shrinking, .. } = &self.manifest;
        *status == Status::Complete && shrinking.is_none_or(|shrinking| shrinking == Status::Complete)
    }

    /// Whether a run that begins now would ask the same.
    fn is_same(&self, now: &Manifest) -> Result<(), JobError> {
        if self.manifest.identity() == now.identity() {
            return Ok(());
        }
        Err(JobError::Differs { run: self.dir.name(), keys: self.manifest.differences(now) })
    }
}

/// A run that is opened to be worked on.
pub(super) struct Opened {
    pub(super) dir: RunDir,
    pub(super) manifest: Manifest,
    /// Whether nothing was there before.
    pub(super) is_new: bool,
    /// Whether nothing is left to do.
    pub(super) is_complete: bool,
}

impl Place {
    /// The run that is there already, if one is.
    pub(super) fn earlier(self, homes: &Homes) -> Result<Self, JobError> {
        let Self::Exactly(path) = &self else { return Ok(self) };
        let is_there = homes.bring(path).map_err(JobError::usage)?.join(MANIFEST).exists();
        if is_there { Ok(Self::Earlier(Box::new(Earlier::open(path, homes)?))) } else { Ok(self) }
    }

    /// Whether a run there is complete.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self, Self::Earlier(earlier) if earlier.is_complete())
    }

    /// Opens it for this plan. An earlier run must be of the same one; what is new gets its manifest when the job writes it.
    ///
    /// # Errors
    /// If it cannot be made, or holds another run: then it is named what differs.
    pub(super) fn open(
        self,
        plan: Plan,
        conditions: &Conditions,
        name: &RunName<'_>,
        setting: &Setting<'_>,
    ) -> Result<Opened, JobError> {
        let started = Stamp::now();
        let begun = Manifest::begin(plan, conditions.clone(), setting.command.iter().cloned(), started);
        match self {
            Self::Earlier(earlier) => {
                earlier.is_same(&begun)?;
                let is_complete = earlier.is_complete();
                let Earlier { dir, manifest } = *earlier;
                let manifest = if is_complete {
                    manifest
                } else {
                    let Manifest { schema, plan, conditions, .. } = begun;
                    Manifest { schema, plan, conditions, status: Status::Running, finished: None, ..manifest }
                };
                Ok(Opened { dir, manifest, is_new: false, is_complete })
            }
            Self::Exactly(path) => {
                let dir = setting.homes.create_at(&path).map_err(JobError::usage)?;
                Ok(Opened { dir, manifest: begun, is_new: true, is_complete: false })
            }
            Self::Below(folder) => {
                let dir = setting.homes.create(&folder, name, &begun.started).map_err(JobError::usage)?;
                Ok(Opened { dir, manifest: begun, is_new: true, is_complete: false })
            }
        }
    }
}
