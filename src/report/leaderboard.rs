//! Owns the leaderboard: which models did better than which others, at each task of each set of items.
//!
//! Must not know how it is shown: `markdown`, `csv` and `page` each know this struct alone. One table never holds
//! replies to different items: runs share one exactly when their fingerprints are equal. Records may be more than memory
//! holds: of each item only counts are kept.

mod chart;
pub(crate) mod csv;
mod drill;
mod examined;
mod heat;
pub(crate) mod markdown;
mod noise;
mod overall;
pub(crate) mod page;
mod pairs;
mod read;

pub use heat::Heat;
pub use noise::Noise;
pub use overall::{Overall, OverallRow};
pub use pairs::{Duel, Duels};
pub use read::LeaderboardError;
pub(crate) use read::{Entrant, entrant};

use super::evaluation::Slice;
use crate::item::record::{Task, Usage, Verdict};
use crate::run::clock::Stamp;
use examined::Examined;
use serde::Serialize;
use std::collections::BTreeMap;

/// All tables, with the keys of `leaderboard.json`. What is not known is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leaderboard {
    /// Every model at every task, one for each set of items with several tasks.
    pub overall: Vec<Overall>,
    /// One for each set of items and task.
    pub boards: Vec<Board>,
}

/// How several models did at one task on the same items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Board {
    /// Name and version of the suite, or the preset, or where the items were taken from.
    pub suite: String,
    /// The seed of the items.
    pub seed: u64,
    /// Of all items of the runs, those of other tasks among them.
    pub fingerprint: String,
    /// The task.
    pub task: Task,
    /// Items of this task.
    pub items: u64,
    /// The ranked rows by strict accuracy, then those that are not ranked.
    pub rows: Vec<Row>,
    /// Every two of the ranked rows, and of the best guesser.
    pub duels: Duels,
    /// By what most of an item's answer is computed with, and fuel.
    pub heat: Vec<Heat>,
    /// Items that no ranked row ever got right.
    pub unsolved: Vec<Unsolved>,
}

/// What a row is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A model.
    Model,
    /// A guesser: what is reached without executing anything.
    Floor,
    /// The solver that makes no mistake.
    Ceiling,
}

impl Role {
    /// The place of a row that is complete: `2`, `=1` where others share it, or what it is there for.
    fn place(self, place: Option<u64>, tied: bool) -> String {
        match self {
            Self::Floor => "floor".into(),
            Self::Ceiling => "ceiling".into(),
            Self::Model => place.map_or(String::new(), |place| format!("{}{place}", if tied { "=" } else { "" })),
        }
    }
}

/// How one model did in one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Place among the ranked rows, from 1, the same for equals; null for floor, ceiling and what is not complete.
    pub rank: Option<u64>,
    /// The model asked for.
    pub model: String,
    /// The run's directory, as it was given.
    pub run: String,
    /// What it is there for.
    pub role: Role,
    /// Why it is not ranked, if it is not complete.
    pub incomplete: Option<String>,
    /// Items with a final verdict.
    pub items: u64,
    /// Final verdicts.
    pub replies: u64,
    /// How often each item was to be asked.
    pub epochs: u32,
    /// Replies whose stored verdict was wrong; the new one counts.
    #[serde(skip_serializing_if = "is_none")]
    pub rejudged: u64,
    /// `correct` over all final verdicts, those among them that are trouble of the provider.
    pub accuracy_strict: Option<f64>,
    /// Of the strict accuracy, 95 %: Wilson's interval with as many independent answers as the replies are worth, which are
    /// the items where each is asked once.
    pub ci95: Option<[f64; 2]>,
    /// `correct` over the replies from which an answer was read.
    pub accuracy_answered: Option<f64>,
    /// How often each verdict came.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Tokens, as far as the provider counted them.
    pub tokens: Usage,
    /// What they cost, US dollars; null where prices are unknown.
    pub cost_usd: Option<f64>,
    /// Whether tokens that the provider did not count are reckoned from the texts.
    pub cost_estimated: bool,
    /// How far replies to the same item agree; null where each item was asked once.
    pub noise: Option<Noise>,
    /// By how difficult the items were made.
    pub by_level: Vec<Slice>,
    /// Version of the program that asked.
    pub wasmweaver: String,
    /// The commit that it was built from, where it was told.
    pub commit: Option<String>,
    /// When the run began.
    pub started: Stamp,
    /// What repeats the run.
    pub command: String,
}

impl Row {
    /// Whether it has a place among the others.
    pub(crate) fn is_complete(&self) -> bool {
        self.incomplete.is_none()
    }

    /// Its name in a table of `rows`; with its run if another row has that model.
    pub(crate) fn label(&self, rows: &[Row]) -> String {
        label(&self.model, &self.run, rows.iter().map(|row| (row.model.as_str(), row.run.as_str())))
    }
}

/// The name of a model among `all`; with its run's name if another run has a model of that name.
fn label<'r>(model: &str, run: &str, all: impl IntoIterator<Item = (&'r str, &'r str)>) -> String {
    let twin = all.into_iter().any(|other| other.0 == model && other.1 != run);
    let name = std::path::Path::new(run).file_name().map_or(run.into(), |name| name.to_string_lossy());
    if twin { format!("{model} ({name})") } else { model.into() }
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// An item that no model got right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unsolved {
    /// Its id.
    pub id: String,
    /// Its canonical form.
    pub canonical: String,
    /// How difficult it was made.
    pub level: Option<u8>,
    /// Fuel of its run.
    pub fuel: u64,
    /// The construct that computes most of its answer.
    pub category: &'static str,
}

/// Computes all tables from what is stored of these runs.
///
/// # Errors
/// If a file of a run cannot be read.
pub(crate) fn leaderboard(entrants: &[Entrant]) -> Result<Leaderboard, LeaderboardError> {
    let (mut overall, mut boards) = (Vec::new(), Vec::new());
    for group in read::groups(entrants) {
        let examined = Examined::read(&group)?;
        let own: Vec<Board> = Task::ALL.iter().filter_map(|&task| examined.board(task)).collect();
        overall.extend(examined.overall(&own));
        boards.extend(own);
    }
    Ok(Leaderboard { overall, boards })
}

#[cfg(test)]
mod tests;
