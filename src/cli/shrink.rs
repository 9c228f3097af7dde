//! Owns `harness shrink`, and the same at the end of an attack: missed programs of a run are cut down and kept in it.
//!
//! Must not know how a program is cut.

use super::again;
use super::budget;
use super::connect::{Connection, Way};
use super::disagreement::disagreement;
use super::palette::judged;
use super::progress::ShrinkProgress;
use super::table::prose;
use super::{Failure, print_json, print_line, runtime, say, signals};
use crate::ask::pipeline::StopSignal;
use crate::ask::prompt::Prompt;
use crate::attack::shrink::{Finish, ShrinkError, Shrinker};
use crate::item::edit::Question;
use crate::item::record::{Item, Looks, Record};
use crate::item::task::show_with_truth;
use crate::report::summary::write_summary;
use crate::report::weakness::{Weaknesses, spread};
use crate::run::dir::RunDir;
use crate::run::homes::Homes;
use crate::run::manifest::Manifest;
use crate::run::shrunk::{Shrunk, keep_shrunk, read_shrunk};
use crate::run::sink::read_records;
use crate::run::spending::Spending;
use crate::seed::Seed;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

/// How often a smaller program must be missed again, where nobody says.
pub(super) const CONFIRM: u32 = 1;

/// Requests at most for one program, where nobody says.
pub(super) const QUERY_BUDGET: u64 = 1000;

/// Cut missed programs of a run down to the smallest that the model still misses
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run directory of an attack, or of an evaluation
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// Item to cut down; may be given several times
    #[arg(long, value_name = "ID")]
    item: Vec<String>,
    /// In place of items: K misses that were missed again when asked again, the shortest of each claim of the report first,
    /// then the next of each; one for each canonical form, and none that was cut down before
    #[arg(long, value_name = "K", conflicts_with = "item")]
    best: Option<usize>,
    /// How often a smaller program must be missed again to count
    #[arg(long, default_value_t = CONFIRM, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100))]
    confirm: u32,
    /// Requests at most for each program, confirmations included
    #[arg(long, default_value_t = QUERY_BUDGET, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    query_budget: u64,
    /// Model to ask; by default the run's
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Prompt file, where the run was asked with one
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    budget: budget::Flags,
    #[command(flatten)]
    way: Way,
}

/// The least budget for a program that reaches for one smaller one: both are asked, and asked again.
pub(super) fn least(confirm: u32) -> u64 {
    2 * (1 + u64::from(confirm))
}

/// Refuses a smaller budget.
pub(super) fn enough(flag: &str, budget: u64, confirm: u32) -> Result<(), Failure> {
    let least = least(confirm);
    if budget >= least {
        return Ok(());
    }
    let problem = format!("{flag} {budget} is too small to try one smaller program; give at least {least}");
    Err(Failure::usage(anyhow::anyhow!(problem)))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    run: String,
    file: String,
    shrunk: &'a [Shrunk],
    not_missed: &'a [String],
    same: &'a [Same],
    #[serde(flatten)]
    spent: &'a Spending,
}

/// What came of the programs of a run.
#[derive(Default)]
pub(super) struct Shrinking {
    pub(super) shrunk: Vec<Shrunk>,
    /// Items that were not missed again, and are left alone.
    pub(super) not_missed: Vec<String>,
    /// Whether somebody stopped it.
    pub(super) stopped: bool,
    /// Items that come to a program which is known.
    pub(super) same: Vec<Same>,
    /// What all of it took and cost.
    pub(super) spent: Spending,
}

/// An item that comes to the program that another one was cut down to.
#[derive(Serialize)]
pub(super) struct Same {
    /// The item.
    from: String,
    /// The other one.
    same_as: String,
    /// Requests spent until that was seen.
    queries: u64,
}

impl Args {
    /// Shrinks, keeps and shows.
    pub fn run(&self, homes: &Homes) -> Result<(), Failure> {
        enough("--query-budget", self.query_budget, self.confirm)?;
        let dir = homes.take(&self.run).map_err(Failure::usage)?;
        let manifest = Manifest::read(&dir).map_err(Failure::unread)?;
        let records = read_records(&dir).map_err(Failure::unread)?.rows;
        // What another model misses says nothing about this one.
        let kept = if self.model.is_none() { read_shrunk(&dir).map_err(Failure::unread)? } else { Vec::new() };
        let picked = self.picked(&records, &kept)?;
        let items: Vec<&Item> = picked.iter().map(|record| &record.item).collect();
        let prompt = again::prompt(&manifest, self.prompt.as_deref(), &items)?;
        let entry = self.way.entry(&self.model(&manifest, &picked)?)?;
        let plan = &manifest.plan;
        if self.model.is_none() && plan.evaluation.is_none() && self.way.request(&entry)? != plan.request {
            say("the run was asked with other settings (temperature, tokens, address, ...) than this asks with");
        }
        self.budget.check(std::slice::from_ref(&entry))?;
        let prices = entry.prices_here();
        let shrinking = runtime()?.block_on(async {
            let connection = self.way.connect(entry, &[], Seed::new(0)).await?;
            let shrinker = shrinker(&self.way, &connection, prompt, (self.confirm, self.query_budget));
            let (budget, stop) = self.budget.open();
            shrink_all(&dir, (&picked, &kept), shrinker, ShrinkProgress::new(budget, prices), stop).await
        })?;
        if manifest.plan.verb == "attack" {
            // The summary says what that cost.
            write_summary(&dir)?;
        }
        if self.json {
            let (run, file) = (dir.name(), dir.shown(&dir.shrunk()));
            let Shrinking { shrunk, not_missed, same, spent, .. } = &shrinking;
            print_json(&Report { run, file, shrunk, not_missed, same, spent })?;
        } else {
            shrinking.show(&dir)?;
        }
        if !shrinking.stopped {
            return Ok(());
        }
        signals::ended_early("what was cut down is kept; go on with the same command for the other programs")
    }

    /// The records that are to be shrunk.
    fn picked<'r>(&self, records: &'r [Record], kept: &[Shrunk]) -> Result<Vec<&'r Record>, Failure> {
        let path = self.run.display();
        if let Some(best) = self.best {
            let best = self::best(records, kept, best)?;
            let left = if kept.is_empty() { "no miss" } else { "no other miss" };
            let none = || usage(&format!("{path} has {left} that was missed again; name items with --item"));
            return if best.is_empty() { Err(none()) } else { Ok(best) };
        }
        if self.item.is_empty() {
            return Err(usage("name what to shrink: --item ID, or the K best misses with --best K"));
        }
        let find = |id: &String| {
            let asked = |record: &&Record| self.model.is_none() || record.model.is_none() || record.model == self.model;
            let of_item = || records.iter().filter(|record| record.item.id == *id).filter(asked);
            let missed = of_item().find(|record| record.answer.verdict.is_miss());
            missed.ok_or_else(|| match of_item().next() {
                Some(record) => usage(&format!("item {id} was not missed but {}", record.answer.verdict)),
                None => usage(&format!("{path} has no item {id}; the ids stand in its records.jsonl and summary.md")),
            })
        };
        self.item.iter().map(find).collect()
    }

    /// The model that is asked: the one named, or the run's.
    fn model(&self, manifest: &Manifest, picked: &[&Record]) -> Result<String, Failure> {
        let of_run = || manifest.plan.model.clone().or_else(|| picked.first()?.model.clone());
        let model = self.model.clone().or_else(of_run);
        model.ok_or_else(|| usage("the run does not say which model was asked; name one with --model"))
    }
}

fn usage(problem: &str) -> Failure {
    Failure::usage(anyhow::anyhow!("{problem}"))
}

/// Who shrinks by asking this model, confirming so often and within so many requests for each program.
pub(super) fn shrinker(
    way: &Way,
    connection: &Connection,
    prompt: Prompt,
    (confirm, query_budget): (u32, u64),
) -> Shrinker {
    Shrinker { examiner: again::examiner(way, connection, prompt), confirm, query_budget, known: BTreeMap::new() }
}

/// The misses of a run that say most when they are cut down, without those that are as small as they get.
fn best<'r>(records: &'r [Record], kept: &[Shrunk], count: usize) -> Result<Vec<&'r Record>, Failure> {
    let done: HashSet<&str> = kept.iter().filter(|line| line.smallest).map(|line| line.from.as_str()).collect();
    let best = spread(records, &Weaknesses::of(records)?).into_iter();
    Ok(best.filter(|record| !done.contains(record.item.id.as_str())).take(count).collect())
}

/// Shrinks the best misses of a run: those that were missed again, the shortest of each claim first.
pub(super) async fn shrink_best(
    dir: &RunDir,
    count: usize,
    shrinker: Shrinker,
    progress: ShrinkProgress,
    stop: StopSignal,
) -> Result<Shrinking, Failure> {
    let records = read_records(dir)?.rows;
    let kept = read_shrunk(dir)?;
    let best = best(&records, &kept, count)?;
    if best.is_empty() {
        say("no miss was missed again when it was asked again: there is nothing to shrink");
    }
    shrink_all(dir, (&best, &kept), shrinker, progress, stop).await
}

/// Shrinks one program after the other; each is kept as soon as it is small, and what comes to one that is kept is not
/// asked about.
pub(super) async fn shrink_all(
    dir: &RunDir,
    (records, kept): (&[&Record], &[Shrunk]),
    mut shrinker: Shrinker,
    mut progress: ShrinkProgress,
    stop: StopSignal,
) -> Result<Shrinking, Failure> {
    let mut shrinking = Shrinking::default();
    let known = |line: &Shrunk| (line.record.item.canonical.clone(), line.from.clone());
    let asked = |from: &str| records.iter().any(|record| record.item.id == from);
    // Whoever is named is cut down anew, whatever it was cut down to before.
    let others = kept.iter().filter(|line| line.smallest && !asked(&line.from));
    shrinker.known = others.map(known).collect();
    for (record, number) in records.iter().zip(1..) {
        let id = &record.item.id;
        progress.begin(format!("{id} ({number} of {})", records.len()));
        let shrunk =
            shrinker.shrink(&record.item, &mut progress, stop.clone()).await.map_err(|error| explain(error, dir))?;
        if let Some(left) = shrunk.record {
            let line = Shrunk {
                from: id.clone(),
                before: shrunk.before,
                after: shrunk.after,
                queries: shrunk.queries,
                spent: Some(progress.spent()),
                hits: shrunk.missed.0,
                of: shrunk.missed.1,
                smallest: matches!(shrunk.finish, Finish::Smallest),
                record: left,
            };
            keep_shrunk(dir, &line)?;
            if line.smallest {
                shrinker.known.extend([known(&line)]);
            }
            shrinking.shrunk.push(line);
        }
        match shrunk.finish {
            Finish::NotMissed => shrinking.not_missed.push(id.clone()),
            Finish::Known(same_as) => {
                shrinking.same.push(Same { from: id.clone(), same_as, queries: shrunk.queries });
            }
            Finish::Broken(error) => return Err(error.into()),
            Finish::Stopped => {
                shrinking.stopped = true;
                break;
            }
            Finish::Smallest | Finish::Budget => {}
        }
    }
    progress.finish();
    shrinking.spent = progress.spent_in_all();
    Ok(shrinking)
}

/// A disagreement is saved where it can be studied.
fn explain(error: ShrinkError, dir: &RunDir) -> Failure {
    match &error {
        ShrinkError::Disagreement { draft, .. } => disagreement(&error, draft, dir),
        _ => error.into(),
    }
}

impl Shrinking {
    /// Shows every program with its truth, and what was said.
    pub(super) fn show(&self, dir: &RunDir) -> Result<(), Failure> {
        for id in &self.not_missed {
            print_line(&format!("{id}: not missed when asked again; it is left alone\n"))?;
        }
        for line in &self.shrunk {
            let Shrunk { from, before, after, queries, hits, of, record, .. } = line;
            let end = if line.smallest { "" } else { "; not yet the smallest" };
            print_line(&prose(&format!(
                "{from}: {} instructions ({} bytes), cut down to {} ({} bytes) with {queries} queries; missed {hits} of {of} \
                 times{end}",
                before.instructions, before.bytes, after.instructions, after.bytes
            )))?;
            let Question { program, task, probes, .. } = Question::of(&record.item)?;
            print_line(show_with_truth(task, &program, &probes, &record.item.truth).trim_end())?;
            if task.looks() == Looks::End {
                let values: Vec<String> = record.item.truth.texts().into_iter().map(|(_, value)| value).collect();
                print_line(&format!("truth: {}", judged(&values.join(", "), true)))?;
            }
            let said = record.answer.reply.as_deref().unwrap_or_default().trim();
            print_line(&format!("the model said:\n{}\n", judged(&prose(said), false)))?;
        }
        for Same { from, same_as, queries } in &self.same {
            let after = if *queries == 0 { String::new() } else { format!(", as {queries} queries show") };
            print_line(&format!("{from}: comes to the same program as {same_as}{after}\n"))?;
        }
        // Nothing asked, or free: nothing to tell.
        if self.spent.cost_usd.is_none_or(|usd| usd > 0.0) && !(self.shrunk.is_empty() && self.not_missed.is_empty()) {
            print_line(&format!("shrinking cost {}: {}", self.spent.cost(), self.spent.tokens()))?;
        }
        if self.shrunk.is_empty() { Ok(()) } else { print_line(&format!("kept in {}", dir.shown(&dir.shrunk()))) }
    }
}
