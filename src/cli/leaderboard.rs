//! Owns `harness leaderboard`: evaluations side by side, as files to publish.
//!
//! Must not know how figures are computed or shown.

mod show;

use super::gate::{self, Gate};
use super::{Failure, print_json, setting, signals};
use crate::job::leaderboard::{self, LeaderboardPlan};
use crate::report::leaderboard::Leaderboard;
use crate::run::homes::Homes;
use std::path::PathBuf;

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
        let (runs, prompts, out) = (self.runs.clone(), self.prompt.clone(), self.out.clone());
        let plan = LeaderboardPlan { runs, prompts, out };
        let found = leaderboard::run(&plan, &setting(homes, signals::worker_stopper()?))?;
        if self.json {
            print_json(&found)?
        } else {
            show::show(&found, &self.out)?
        }
        self.judge(&found)
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
