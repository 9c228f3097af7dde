//! Owns leaderboards: evaluations side by side, as files to publish.
//!
//! Must not know how figures are computed or shown.

use super::error::{JobError, is_damage};
use super::setting::Setting;
use crate::ask::prompt::Prompt;
use crate::report::leaderboard::{Entrant, Leaderboard, csv, entrant, leaderboard, markdown, page};
use crate::run::dir::{MANIFEST, RunDir, folders_with, write_whole};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// How deep runs may lie within a folder.
const DEPTH: usize = 4;

/// Evaluations that are put side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderboardPlan {
    /// Run directories of evaluations, or folders that hold some.
    pub runs: Vec<PathBuf>,
    /// Files of prompts that do not come with the program, for their texts on the page.
    pub prompts: Vec<PathBuf>,
    /// The folder that the files go to.
    pub out: PathBuf,
}

/// Ranks the models of evaluations, and writes `leaderboard.md`, `.json`, `.csv` and `index.html`.
///
/// # Errors
/// If there is no evaluation, one is damaged, or the files cannot be written.
pub fn run(plan: &LeaderboardPlan, setting: &Setting<'_>) -> Result<Leaderboard, JobError> {
    let entrants = entrants(&plan.runs, setting)?;
    let prompts = plan.prompts.iter().map(|file| Prompt::load(file)).collect::<Result<Vec<_>, _>>();
    let prompts = prompts.map_err(JobError::usage)?;
    let found = leaderboard(&entrants).map_err(JobError::unread)?;
    note_rejudged(&found, setting);
    let out = setting.homes.bring(&plan.out).map_err(JobError::usage)?;
    std::fs::create_dir_all(&out).map_err(|error| {
        JobError::wrong(format!("cannot make {}: {error}; name another one with --out", plan.out.display()))
    })?;
    let files = [
        ("leaderboard.md", markdown::markdown(&found)),
        ("leaderboard.json", serde_json::to_string_pretty(&found)? + "\n"),
        ("leaderboard.csv", csv::csv(&found)?),
        ("index.html", page::page(&found, &entrants, prompts)?),
    ];
    for (name, text) in &files {
        write_whole(&out.join(name), text)?;
    }
    Ok(found)
}

/// The runs that were given, and those in the folders that were given; each once.
fn entrants(runs: &[PathBuf], setting: &Setting<'_>) -> Result<Vec<Entrant>, JobError> {
    let mut entrants: Vec<Entrant> = Vec::new();
    for path in runs {
        let here = setting.homes.bring(path).map_err(JobError::usage)?;
        if here.join(MANIFEST).exists() {
            let dir = setting.homes.named(RunDir::open(&here).map_err(JobError::usage)?);
            entrants.push(entrant(dir).map_err(JobError::unread)?);
        } else {
            entrants.extend(within(&here, path, setting)?);
        }
    }
    let mut known = HashSet::new();
    entrants.retain(|entrant| known.insert(entrant.dir.path().to_path_buf()));
    if entrants.is_empty() {
        let problem = "there is no run of `harness eval` to rank; make one with `harness eval --suite standard`";
        return Err(JobError::wrong(problem));
    }
    Ok(entrants)
}

/// The evaluations in a folder. It may hold runs of every kind: those that rank no models are passed over, and told.
fn within(here: &Path, path: &Path, setting: &Setting<'_>) -> Result<Vec<Entrant>, JobError> {
    let runs = folders_with(here, &[MANIFEST], DEPTH)
        .map_err(|error| JobError::wrong(format!("cannot look for runs in {}: {error}", path.display())))?;
    let mut found = Vec::new();
    for run in &runs {
        let opened = RunDir::open(run).map_err(anyhow::Error::from);
        match opened.and_then(|dir| Ok(entrant(setting.homes.named(dir))?)) {
            Ok(entrant) => found.push(entrant),
            Err(why) if is_damage(&why) => return Err(JobError::Failed(why)),
            Err(why) => setting.note(&format!("left out: {why}")),
        }
    }
    Ok(found)
}

/// Says which rows do not count the verdicts that were stored.
fn note_rejudged(found: &Leaderboard, setting: &Setting<'_>) {
    for row in found.boards.iter().flat_map(|board| &board.rows).filter(|row| row.rejudged > 0) {
        let (count, model, run) = (row.rejudged, &row.model, &row.run);
        setting.note(&format!(
            "{run}: {count} stored verdicts of {model} are not what its replies are worth; the replies count"
        ));
    }
}
