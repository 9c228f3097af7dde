//! Owns `harness suite`: which suites there are, what one holds under a seed, and the two halves of a held-out seed.

mod secret;

use super::table::{Column, TextTable};
use super::{Failure, print_json, print_line, setting, signals};
use crate::item::record::Task;
use crate::job::error::JobError;
use crate::job::eval::asked::select;
use crate::job::suites::{self, Listed, Stratum};
use crate::run::suite::{Items, Select, Suite, WeaveError};
use serde::Serialize;
use std::time::Instant;

/// List suites, see what one holds, and commit to a secret seed
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    List(List),
    Show(Show),
    Commit(secret::Commit),
    Reveal(secret::Reveal),
}

/// List the suites that the program carries, with the items of each task
#[derive(Debug, clap::Args)]
struct List {
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// Weave a suite's items and print their fingerprint: the same on every machine
#[derive(Debug, clap::Args)]
struct Show {
    /// The suite: a name, a name with its version, or a file
    #[arg(value_name = "NAME[@VERSION]|FILE")]
    suite: String,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// These tasks alone; may be given several times
    #[arg(long, value_enum)]
    task: Vec<Task>,
    /// Items of each task at most, evenly over its levels
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Threads; the items are the same for any number of them [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Does what the verb says.
    pub(super) fn run(&self) -> Result<(), Failure> {
        match &self.verb {
            Verb::List(args) => args.run(),
            Verb::Show(args) => args.run(),
            Verb::Commit(args) => args.run(),
            Verb::Reveal(args) => args.run(),
        }
    }
}

/// The suite of this name.
pub(super) fn load(name: &str) -> Result<Suite, Failure> {
    Suite::load(name).map_err(Failure::usage)
}

/// Weaves the items of a suite, with a bar on stderr.
pub(super) fn weave(suite: &Suite, seed: u64, select: &Select, threads: Option<u16>) -> Result<Items, Failure> {
    let homes = super::homes();
    let setting = setting(&homes, signals::worker_stopper()?);
    suites::weave(suite, seed, select, threads, &setting).map_err(unwoven)
}

/// Items that were not all woven, because a signal stopped it.
pub(super) fn unwoven(error: JobError) -> Failure {
    match error.cause() {
        Some(WeaveError::Stopped) => {
            signals::interrupted("the items were not all woven yet; give the same command again")
                .unwrap_or(error.into())
        }
        _ => error.into(),
    }
}

/// Seconds by the clock on the wall, to the millisecond.
pub(super) fn seconds_since(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

impl List {
    fn run(&self) -> Result<(), Failure> {
        let suites = suites::shipped();
        if self.json {
            return print_json(&serde_json::json!({ "suites": suites }));
        }
        let counts = Task::ALL.iter().map(|task| Column::number(task.name()));
        let about = [Column::text("levels").rank(1), Column::text("for").folding()];
        let mut table = TextTable::new([Column::text("suite")].into_iter().chain(counts).chain(about));
        for Listed { suite, description, items, levels } in suites {
            let counts = Task::ALL.iter().map(|task| items.get(task).map_or("-".to_owned(), ToString::to_string));
            let levels = levels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            table.row([suite].into_iter().chain(counts).chain([levels, description]));
        }
        print_line(&table.text())
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    suite: String,
    seed: u64,
    fingerprint: &'a str,
    items: usize,
    parts: Vec<Stratum>,
    seconds: f64,
}

impl Show {
    fn run(&self) -> Result<(), Failure> {
        let started = Instant::now();
        let suite = load(&self.suite)?;
        let Items { items, fingerprint } = weave(&suite, self.seed, &select(&self.task, self.limit), self.threads)?;
        let seconds = seconds_since(started);
        let shown = Shown {
            suite: suite.label(),
            seed: self.seed,
            fingerprint: &fingerprint,
            items: items.len(),
            parts: suites::strata(&items),
            seconds,
        };
        if self.json {
            return print_json(&shown);
        }
        let mut table = TextTable::new([
            Column::text("task"),
            Column::number("level"),
            Column::text("preset").rank(1),
            Column::number("items"),
            Column::number("fuel"),
            Column::number("bytes"),
            Column::number("instructions executed"),
        ]);
        for Stratum { task, level, preset, items, mean_fuel, mean_bytes, mean_instructions } in &shown.parts {
            let numbers = [*mean_fuel, *mean_bytes, *mean_instructions].map(|mean| format!("{mean:.1}"));
            let names = [task.to_string(), level.to_string(), preset.clone(), items.to_string()];
            table.row(names.into_iter().chain(numbers));
        }
        print_line(&table.text())?;
        print_line(&format!("{} items of {}, seed {}, in {seconds:.1} s", shown.items, shown.suite, shown.seed))?;
        print_line(&format!("fingerprint {fingerprint}"))
    }
}
