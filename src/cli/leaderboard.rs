//! Owns `harness leaderboard`: evaluations side by side, as files to publish.
//!
//! Must not know how figures are computed or shown.

mod show;

use super::gate::{self, Gate};
use super::{Failure, is_damage, print_json, say};
use crate::ask::prompt::Prompt;
use crate::report::leaderboard::{Entrant, Leaderboard, csv, entrant, leaderboard, markdown, page};
use crate::run::dir::{MANIFEST, RunDir, folders_with, write_whole};
use crate::run::homes::Homes;
use std::path::PathBuf;

/// How deep runs may lie within a folder.
const DEPTH: usize = 4;

/// Put evaluations side by side: tables by items and task, as Markdown, JSON, CSV and one page
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run directories of `eval`, or folders that hold some
    #[arg(required = true, value_name = "RUN_DIR")]
    runs: Vec<PathBuf>,
    /// Where the files go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Prompt file of a run whose prompt does not come with the program, for its text on the page; may be given several
    /// times
    #[arg(long, value_name = "FILE")]
    prompt: Vec<PathBuf>,
    /// End with exit code 100 if a ranked model is right less often than this, from 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = gate::share)]
    fail_below: Option<f64>,
    /// The model that --fail-below is about, in place of all that are ranked
    #[arg(long, value_name = "MODEL", requires = "fail_below")]
    model: Option<String>,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Writes the files and shows the tables.
    pub(super) fn run(&self, homes: &Homes) -> Result<(), Failure> {
        let entrants = self.entrants(homes)?;
        let prompts = self.prompt.iter().map(|file| Prompt::load(file)).collect::<Result<Vec<_>, _>>();
        let prompts = prompts.map_err(Failure::usage)?;
        let found = leaderboard(&entrants).map_err(Failure::unread)?;
        tell_rejudged(&found);
        let out = homes.bring(&self.out).map_err(Failure::usage)?;
        std::fs::create_dir_all(&out).map_err(|error| {
            Failure::usage(anyhow::anyhow!("cannot make {}: {error}; name another one with --out", self.out.display()))
        })?;
        let json = serde_json::to_string_pretty(&found)? + "\n";
        let files = [
            ("leaderboard.md", markdown::markdown(&found)),
            ("leaderboard.json", json),
            ("leaderboard.csv", csv::csv(&found)?),
            ("index.html", page::page(&found, &entrants, prompts)?),
        ];
        for (name, text) in &files {
            write_whole(&out.join(name), text)?;
        }
        if self.json {
            print_json(&found)?
        } else {
            show::show(&found, &self.out)?
        }
        self.judge(&found)
    }

    /// The runs that were given, and those in the folders that were given.
    fn entrants(&self, homes: &Homes) -> Result<Vec<Entrant>, Failure> {
        let mut entrants: Vec<Entrant> = Vec::new();
        for path in &self.runs {
            let here = homes.bring(path).map_err(Failure::usage)?;
            if here.join(MANIFEST).exists() {
                let dir = homes.named(RunDir::open(&here).map_err(Failure::usage)?);
                entrants.push(entrant(dir).map_err(Failure::unread)?);
                continue;
            }
            let runs = folders_with(&here, &[MANIFEST], DEPTH).map_err(|error| {
                Failure::usage(anyhow::anyhow!("cannot look for runs in {}: {error}", path.display()))
            })?;
            for run in &runs {
                // Of a folder what ranks no models is passed over, not refused: it may hold runs of every kind.
                match RunDir::open(run).map_err(anyhow::Error::from).and_then(|dir| Ok(entrant(homes.named(dir))?)) {
                    Ok(entrant) => entrants.push(entrant),
                    Err(damaged) if is_damage(&damaged) => return Err(Failure::Error(damaged)),
                    Err(why) => say(&format!("left out: {why}")),
                }
            }
        }
        let mut known = std::collections::HashSet::new();
        entrants.retain(|entrant| known.insert(entrant.dir.path().to_path_buf()));
        if entrants.is_empty() {
            let problem = "there is no run of `harness eval` to rank; make one with `harness eval --suite standard`";
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        }
        Ok(entrants)
    }

    fn judge(&self, found: &Leaderboard) -> Result<(), Failure> {
        let Some(least) = self.fail_below else { return Ok(()) };
        let gate = Gate::at_least("--fail-below", least);
        let mut judged = 0;
        for board in &found.boards {
            let wanted = |model: &str, ranked: bool| self.model.as_deref().map_or(ranked, |name| name == model);
            for row in board.rows.iter().filter(|row| wanted(&row.model, row.rank.is_some())) {
                let what = format!("{} on {} ({})", row.model, board.suite, board.task);
                let figure = row.accuracy_strict.filter(|_| row.is_complete());
                gate.judge(&what, "is right", figure, row.incomplete.as_deref())?;
                judged += 1;
            }
        }
        if judged > 0 {
            return Ok(());
        }
        let whom = self.model.as_deref().unwrap_or("any ranked model");
        Err(Failure::Missed(anyhow::anyhow!("there is no figure of {whom} (--fail-below {least})")))
    }
}

/// Says which rows do not count the verdicts that were stored.
fn tell_rejudged(found: &Leaderboard) {
    for row in found.boards.iter().flat_map(|board| &board.rows).filter(|row| row.rejudged > 0) {
        let (count, model, run) = (row.rejudged, &row.model, &row.run);
        say(&format!(
            "{run}: {count} stored verdicts of {model} are not what its replies are worth; the replies count"
        ));
    }
}
