//! Owns going on with a run that ended early: its command line is read again from its manifest, with what is given now
//! behind it, and refused if it would no longer ask the same.
//!
//! Must not know what a run does.

use super::{Cli, Failure, Verb, command, signals};
use crate::run::command::quoted;
use crate::run::dir::RunDir;
use crate::run::homes::Homes;
use crate::run::manifest::{Manifest, Status};
use clap::FromArgMatches;
use std::path::Path;

/// A run that goes on.
pub(super) struct Earlier {
    /// Where it lies.
    pub(super) dir: RunDir,
    /// What it was.
    pub(super) manifest: Manifest,
}

impl Earlier {
    /// The run in a directory, and its verb as it was called, with the arguments of this process behind: the later of two
    /// that say different things counts.
    ///
    /// # Errors
    /// If there is no run of this verb, or its command line cannot be read any more.
    pub(super) fn reopen(path: &Path, verb: &str, homes: &Homes) -> Result<(Self, Verb), Failure> {
        let Self { dir, manifest } = Self::open(path, homes)?;
        if manifest.plan.verb != verb {
            let (path, was) = (path.display(), &manifest.plan.verb);
            let problem = format!("{path} is a run of `harness {was}`; resume it with that verb");
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        }
        // The time of one part is none of the next one's business.
        let before = without(manifest.command.iter().cloned(), "--time-limit");
        let args = before.chain(without(std::env::args().skip(2), "--resume"));
        let verb = parsed(args, path)?;
        Ok((Self { dir, manifest }, verb))
    }

    /// The run in a directory; one that is not complete is locked, so that nobody else goes on with it.
    ///
    /// # Errors
    /// If there is none, or somebody works on it.
    pub(super) fn open(path: &Path, homes: &Homes) -> Result<Self, Failure> {
        let read = |dir: RunDir| {
            let manifest = Manifest::read(&dir).map_err(Failure::unread)?;
            Ok::<Self, Failure>(Self { dir, manifest })
        };
        let found = read(homes.open(path).map_err(Failure::usage)?)?;
        if found.is_complete() {
            return Ok(found);
        }
        // Read again: whoever had the lock before may have ended the run meanwhile.
        read(homes.take(path).map_err(Failure::usage)?)
    }

    /// Whether there is nothing left to do.
    pub(super) fn is_complete(&self) -> bool {
        self.manifest.status == Status::Complete
    }

    /// The manifest with which it goes on: the old one, if this one would ask the same.
    ///
    /// # Errors
    /// Naming what differs.
    pub(super) fn go_on(self, now: &Manifest) -> Result<Manifest, Failure> {
        self.is_same(now)?;
        Ok(Manifest { status: Status::Running, finished: None, ..self.manifest })
    }

    /// Whether a run that begins now would ask the same.
    ///
    /// # Errors
    /// Naming what differs.
    pub(super) fn is_same(&self, now: &Manifest) -> Result<(), Failure> {
        if self.manifest.identity() == now.identity() {
            return Ok(());
        }
        let differs = self.manifest.differences(now).join(", ");
        let path = self.dir.name();
        Err(Failure::usage(anyhow::anyhow!(
            "{path} cannot be resumed like this: {differs} would differ from what the run began with; undo that, or \
             begin a new run"
        )))
    }
}

/// How a verb ends whose run did not come to its end, and how the run goes on.
///
/// # Errors
/// If a signal stopped it; the user's own limits may.
pub(super) fn ended_early(verb: &str, run: &str) -> Result<(), Failure> {
    signals::ended_early(&format!("go on with: harness {verb} --resume {}", quoted(run)))
}

/// The verb of a run, as it was called.
///
/// # Errors
/// If its command line cannot be read any more.
pub(super) fn verb_of(manifest: &Manifest, path: &Path) -> Result<Verb, Failure> {
    parsed(without(manifest.command.iter().cloned(), "--resume"), path)
}

fn parsed(args: impl Iterator<Item = String>, path: &Path) -> Result<Verb, Failure> {
    let matches = command().args_override_self(true).try_get_matches_from(args);
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| {
        Failure::usage(anyhow::anyhow!("the command line of {} cannot be read again: {error}", path.display()))
    })?;
    Ok(cli.verb)
}

/// The arguments without one flag and its value.
pub(super) fn without(args: impl Iterator<Item = String>, flag: &str) -> impl Iterator<Item = String> {
    let mut named = false;
    args.filter(move |arg| {
        let is_value = std::mem::replace(&mut named, arg == flag);
        let is_flag = arg.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
        !is_value && !is_flag
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_flag_is_left_out_in_either_form() {
        let without =
            |args: &str| super::without(args.split(' ').map(String::from), "--resume").collect::<Vec<_>>().join(" ");
        assert_eq!(without("--json --resume results/x --max-connections 4"), "--json --max-connections 4");
        assert_eq!(without("--resume=results/x --json"), "--json");
        assert_eq!(without("--resumed --json"), "--resumed --json");
    }
}
