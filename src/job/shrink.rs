//! Owns shrinking the missed programs of a run: which ones, one after the other, each kept as soon as it is small.
//!
//! Must not know how a program is cut.

use super::connect::{self, Connection};
use super::disagreement::disagreement;
use super::error::JobError;
use super::events::{Event, Events, Stage, Waiting};
use super::prompts;
use super::setting::Setting;
use crate::ask::budget::Budget;
use crate::ask::exchange::Exchange;
use crate::ask::models::Prices;
use crate::ask::prompt::Prompts;
use crate::attack::shrink::{Finish, ShrinkError, Shrinker, Shrunk as Cut, Size, Watch};
use crate::item::record::{Item, Record};
use crate::report::summary::write_summary;
use crate::report::weakness::{Weaknesses, spread};
use crate::run::dir::RunDir;
use crate::run::manifest::Manifest;
use crate::run::plan::{Conditions, Examinee, Request};
use crate::run::shrunk::{Shrunk, keep_shrunk, read_all_shrunk, read_shrunk};
use crate::run::sink::read_records;
use crate::run::spending::{Spending, Tally};
use crate::seed::Seed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

/// How often a smaller program must be missed again, by default.
pub const CONFIRM: u32 = 1;
/// Requests at most for one program, by default.
pub const QUERY_BUDGET: u64 = 1000;

/// What is cut down, and by asking whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShrinkPlan {
    /// The run directory of an attack, or of an evaluation.
    pub run: PathBuf,
    /// What of it.
    pub what: Picked,
    /// How long.
    pub limits: ShrinkLimits,
    /// Who is asked; by default the model of the run, as the run asked it.
    pub model: Option<Examinee>,
    /// What is different from how the run asked its model.
    pub changes: Request,
    /// The prompt's file, where it is not where it was.
    pub prompt: Option<PathBuf>,
}

/// Which programs of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Picked {
    /// Those of these items.
    Items(Vec<String>),
    /// So many of those that say most when they are cut down, without those that were.
    Best(usize),
}

/// How long a program is cut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShrinkLimits {
    /// How often a smaller program must be missed again to count.
    pub confirm: u32,
    /// Requests at most for each program, confirmations included.
    pub query_budget: u64,
}

impl ShrinkLimits {
    /// The least budget for a program that reaches for one smaller one: both are asked, and asked again.
    pub fn least(self) -> u64 {
        2 * (1 + u64::from(self.confirm))
    }
}

impl Default for ShrinkLimits {
    fn default() -> Self {
        Self { confirm: CONFIRM, query_budget: QUERY_BUDGET }
    }
}

/// What came of the programs of a run.
#[derive(Debug, Default)]
pub struct Shrinking {
    /// Those that were cut down.
    pub shrunk: Vec<Shrunk>,
    /// Items that were not missed again, and are left alone.
    pub not_missed: Vec<String>,
    /// Items about which no reply came, and why.
    pub unanswered: Vec<Unanswered>,
    /// Whether it was stopped.
    pub stopped: bool,
    /// Items that come to a program which is known.
    pub same: Vec<Same>,
    /// What all of it took and cost.
    pub spent: Spending,
}

/// An item that comes to the program that another one was cut down to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Same {
    /// The item.
    pub from: String,
    /// The other one.
    pub same_as: String,
    /// Requests spent until that was seen.
    pub queries: u64,
}

/// An item about which no reply came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unanswered {
    /// The item.
    pub from: String,
    /// What the trouble was.
    pub trouble: String,
}

/// Shrinks what a plan names, and keeps it in the run.
///
/// # Errors
/// See [`JobError`]; what was cut down before stays.
pub async fn run(
    plan: &ShrinkPlan,
    conditions: &Conditions,
    setting: &Setting<'_>,
) -> Result<(RunDir, Shrinking), JobError> {
    let dir = setting.homes.take(&plan.run).map_err(JobError::usage)?;
    let manifest = Manifest::read(&dir).map_err(JobError::unread)?;
    let records = read_records(&dir).map_err(JobError::unread)?.rows;
    let asked = manifest.plan.examinees();
    let is_run_s = |model: &&Examinee| asked.len() == 1 && asked[0].name == model.name;
    let other = plan.model.as_ref().filter(|model| !is_run_s(model)).map(|model| model.name.clone());
    // What another model misses says nothing about this one.
    let mut kept = read_all_shrunk(&dir).map_err(JobError::unread)?;
    kept.retain(|line| line.model == other);
    let picked = picked(plan, &records, &kept)?;
    let items: Vec<&Item> = picked.iter().map(|record| &record.item).collect();
    let prompt = prompts::of_run(&manifest, plan.prompt.as_deref(), &items)?;
    let examinee = match &plan.model {
        Some(model) => model.clone(),
        None => changed(model_of(&manifest, &picked)?, &plan.changes, setting),
    };
    connect::check_prices(std::slice::from_ref(&examinee), conditions)?;
    let connection = Connection::open(&examinee, conditions, &[], Seed::new(0), setting).await?;
    let budget = Arc::new(Budget::open(conditions.allowance(), setting.stopper.clone()));
    let exchange = connection.exchange(&examinee, Prompts::new([prompt]), conditions, &budget);
    let waiting = Waiting::begin(setting.events.clone(), connection.meter.iter().cloned().collect(), || None);
    let cutting = Cutting { dir: &dir, kept: &kept, model: other, limits: plan.limits };
    let shrinking = cutting.all(&picked, exchange, setting).await;
    drop(waiting);
    if manifest.plan.attack().is_some() {
        // The summary says what that cost, however it ended.
        write_summary(&dir)?;
    }
    let shrinking = shrinking?;
    let came_to_nothing = shrinking.shrunk.is_empty() && shrinking.not_missed.is_empty() && shrinking.same.is_empty();
    match shrinking.unanswered.last().filter(|_| came_to_nothing) {
        Some(Unanswered { from, trouble }) => Err(JobError::failed(format!(
            "{} does not answer: no reply about {from} came; {trouble}; give the same command again",
            examinee.name
        ))),
        None => Ok((dir, shrinking)),
    }
}

/// The model that a run asked about these.
fn model_of(manifest: &Manifest, picked: &[&Record]) -> Result<Examinee, JobError> {
    let asked = manifest.plan.examinees();
    let of_record = picked.first().and_then(|record| record.model.as_ref());
    let found = match of_record {
        Some(name) => asked.iter().find(|examinee| examinee.name == *name),
        None => asked.first(),
    };
    found.cloned().ok_or_else(|| JobError::wrong("the run does not say which model was asked; name one with --model"))
}

/// The same model, asked with what is changed.
fn changed(asked: Examinee, changes: &Request, setting: &Setting<'_>) -> Examinee {
    let request = asked.request.changed(changes);
    if request != asked.request {
        setting.note("the run was asked with other settings (temperature, tokens, address, ...) than this asks with");
    }
    Examinee { request, ..asked }
}

/// The records that are to be shrunk.
fn picked<'r>(plan: &ShrinkPlan, records: &'r [Record], kept: &[Shrunk]) -> Result<Vec<&'r Record>, JobError> {
    match &plan.what {
        Picked::Best(count) => {
            let best = best(records, kept, *count)?;
            let left = if kept.is_empty() { "no miss" } else { "no other miss" };
            let path = plan.run.display();
            let none = || JobError::wrong(format!("{path} has {left} that was missed again; name items with --item"));
            if best.is_empty() { Err(none()) } else { Ok(best) }
        }
        Picked::Items(ids) => ids.iter().map(|id| missed(plan, records, id)).collect(),
    }
}

/// The record of an item that was missed, by the model that is asked if one is named.
fn missed<'r>(plan: &ShrinkPlan, records: &'r [Record], id: &str) -> Result<&'r Record, JobError> {
    let named = plan.model.as_ref().map(|model| &model.name);
    let asked = |record: &&Record| named.is_none() || record.model.is_none() || record.model.as_ref() == named;
    let of_item = || records.iter().filter(|record| record.item.id == *id).filter(asked);
    let missed = of_item().find(|record| record.answer.verdict.is_miss());
    missed.ok_or_else(|| {
        JobError::wrong(match of_item().next() {
            Some(record) => format!("item {id} was not missed but {}", record.answer.verdict),
            None => {
                let path = plan.run.display();
                format!("{path} has no item {id}; the ids stand in its records.jsonl and summary.md")
            }
        })
    })
}

/// The misses of a run that say most when they are cut down, without those that are as small as they get.
fn best<'r>(records: &'r [Record], kept: &[Shrunk], count: usize) -> Result<Vec<&'r Record>, JobError> {
    let done: HashSet<&str> = kept.iter().filter(|line| line.smallest).map(|line| line.from.as_str()).collect();
    let best = spread(records, &Weaknesses::of(records)?).into_iter();
    Ok(best.filter(|record| !done.contains(record.item.id.as_str())).take(count).collect())
}

/// Shrinks the best misses of a run: those that were missed again, the shortest of each claim first.
pub(super) async fn best_of(
    dir: &RunDir,
    count: usize,
    exchange: Exchange,
    limits: ShrinkLimits,
    setting: &Setting<'_>,
) -> Result<Shrinking, JobError> {
    let records = read_records(dir)?.rows;
    let kept = read_shrunk(dir)?;
    let mut best = best(&records, &[], count)?;
    if best.is_empty() {
        setting.note("no miss was missed again when it was asked again: there is nothing to shrink");
    }
    // The same ones where the attack goes on, without those that are done.
    let is_done = |record: &Record| kept.iter().any(|line| line.smallest && line.from == record.item.id);
    best.retain(|record| !is_done(record));
    Cutting { dir, kept: &kept, model: None, limits }.all(&best, exchange, setting).await
}

/// The programs of a run while they are cut down.
pub(super) struct Cutting<'a> {
    /// The run.
    pub(super) dir: &'a RunDir,
    /// What was cut down of it before, by asking the same model.
    pub(super) kept: &'a [Shrunk],
    /// The model that is asked, where it is not the run's.
    pub(super) model: Option<String>,
    /// How long each is cut down.
    pub(super) limits: ShrinkLimits,
}

impl Cutting<'_> {
    /// Shrinks one program after the other; each is kept as soon as it is small, and what comes to one that is kept is
    /// not asked about.
    pub(super) async fn all(
        self,
        records: &[&Record],
        exchange: Exchange,
        setting: &Setting<'_>,
    ) -> Result<Shrinking, JobError> {
        let mut told = Told::new(&*setting.events, &exchange);
        let ShrinkLimits { confirm, query_budget } = self.limits;
        let mut shrinker = Shrinker { exchange, confirm, query_budget, known: self.known(records) };
        let mut shrinking = Shrinking::default();
        setting.events.tell(Event::Began(&Stage::Shrinking));
        for (record, number) in records.iter().zip(1..) {
            let id = &record.item.id;
            told.begin();
            setting.events.tell(Event::Cutting(id, number, records.len()));
            let item = self.begin_with(&record.item);
            let cut = shrinker.shrink(&item, &mut told).await.map_err(|error| explain(error, self.dir))?;
            if let Some(line) = self.line(id, &cut, told.of_this.spending()) {
                let line = keep_shrunk(self.dir, &line)?;
                shrinker.known.extend(line.smallest.then(|| known(&line)));
                shrinking.shrunk.push(line);
            }
            shrinking.end(id, cut.finish, cut.queries)?;
            if shrinking.stopped {
                break;
            }
        }
        setting.events.tell(Event::Ended);
        shrinking.spent = told.of_all.spending();
        Ok(shrinking)
    }

    /// The programs that need no cutting, with the items that they were cut out of. An item that is asked for is cut down
    /// anew, even if it was cut down before.
    fn known(&self, asked: &[&Record]) -> BTreeMap<String, String> {
        let is_asked = |line: &Shrunk| asked.iter().any(|record| record.item.id == line.from);
        self.kept.iter().filter(|line| line.smallest && !is_asked(line)).map(known).collect()
    }

    /// What is cut down of an item: where a limit ended it before, what was left then.
    fn begin_with(&self, item: &Item) -> Item {
        let begun = self.kept.iter().find(|line| line.from == item.id && !line.smallest);
        begun.map_or_else(|| item.clone(), |line| Item { id: item.id.clone(), ..line.record.item.clone() })
    }

    /// The line of what is left of an item; `None` where it was not missed.
    fn line(&self, from: &str, cut: &Cut, spent: Spending) -> Option<Shrunk> {
        Some(Shrunk {
            from: from.to_owned(),
            before: cut.before,
            after: cut.after,
            queries: cut.queries,
            hits: cut.missed.0,
            of: cut.missed.1,
            spent: Some(spent),
            smallest: matches!(cut.finish, Finish::Smallest),
            model: self.model.clone(),
            record: cut.record.clone()?,
        })
    }
}

/// The form of a program that was cut down, and its item.
fn known(line: &Shrunk) -> (String, String) {
    (line.record.item.canonical.clone(), line.from.clone())
}

impl Shrinking {
    /// Notes how cutting an item down ended.
    fn end(&mut self, item: &str, finish: Finish, queries: u64) -> Result<(), JobError> {
        let from = item.to_owned();
        match finish {
            Finish::NotMissed => self.not_missed.push(from),
            Finish::Unanswered(trouble) => self.unanswered.push(Unanswered { from, trouble }),
            Finish::Known(same_as) => self.same.push(Same { from, same_as, queries }),
            Finish::Broken(error) => {
                return Err(JobError::exchange(error, "what was cut down is kept; give the same command again"));
            }
            Finish::Stopped => self.stopped = true,
            Finish::Smallest | Finish::Budget => {}
        }
        Ok(())
    }
}

/// A disagreement is saved where it can be studied.
fn explain(error: ShrinkError, dir: &RunDir) -> JobError {
    match error {
        ShrinkError::Exchange(error) => JobError::exchange(error, "give the same command again"),
        ShrinkError::Disagreement { ref draft, .. } => disagreement(&error, draft, dir),
        error => error.into(),
    }
}

/// Hands on what is told of shrinking, and counts what it costs.
struct Told<'a> {
    events: &'a dyn Events,
    budget: Arc<Budget>,
    prices: Option<Prices>,
    of_this: Tally,
    of_all: Tally,
}

impl<'a> Told<'a> {
    fn new(events: &'a dyn Events, exchange: &Exchange) -> Self {
        let (budget, prices) = (exchange.budget().clone(), exchange.examiner().prices.clone());
        Self { events, budget, prices, of_this: Tally::default(), of_all: Tally::default() }
    }

    /// Begins with the next program.
    fn begin(&mut self) {
        self.of_this = Tally::default();
    }
}

impl Watch for Told<'_> {
    fn answered(&mut self, record: &Record, attempts: u32) {
        if attempts > 0 {
            for tally in [&mut self.of_this, &mut self.of_all] {
                tally.add(self.prices.as_ref(), &record.item, &record.answer);
            }
        }
        self.events.tell(Event::Answered { record, spent: self.budget.spent() });
    }

    fn smaller(&mut self, size: Size) {
        self.events.tell(Event::Smaller(size));
    }
}
