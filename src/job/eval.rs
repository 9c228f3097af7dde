//! Owns evaluations: several models on the same items, and what came of it.
//!
//! Must not know how items are made, asked or judged.

pub mod asked;
mod imported;
mod keep;
mod replay;
mod woven;

pub use imported::import;
pub use keep::figures;
pub use replay::replay;

use super::bill::{Bill, Queries};
use super::connect::{self, Connection};
use super::error::JobError;
use super::events::{Event, Waiting};
use super::prompts;
use super::runs::{Opened, Place};
use super::setting::Setting;
use crate::ask::budget::Budget;
use crate::ask::evaluate::{self, Subject, evaluate};
use crate::ask::exchange::{Exchange, ExchangeError, Finish};
use crate::ask::prompt::Prompts;
use crate::report::evaluation::EvaluationFigures;
use crate::run::clock::Stamp;
use crate::run::dir::{RunDir, RunName};
use crate::run::homes::Homes;
use crate::run::intact;
use crate::run::manifest::{Manifest, Status};
use crate::run::order::put_in_order;
use crate::run::plan::{self, Conditions, EvalPlan, Examinee, ItemsPlan, Plan};
use crate::run::shard::Shard;
use crate::run::yaml::is_path;
use crate::seed::Seed;
use asked::{EvalItems, Selection};
use futures::{Stream, StreamExt, stream};
use keep::{Keep, KeepError};
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;
use woven::Woven;

/// What came of an evaluation.
#[derive(Debug)]
pub struct Outcome {
    /// Where it lies.
    pub dir: RunDir,
    /// How far it came.
    pub status: Status,
    /// What it measured.
    pub figures: EvaluationFigures,
}

/// An evaluation whose names and files are resolved.
pub struct Evaluation {
    /// Its plan.
    pub plan: EvalPlan,
    /// Its items.
    pub asked: Arc<EvalItems>,
    /// How each task is asked.
    pub prompts: Prompts,
}

impl Evaluation {
    /// Of these items, models and prompts.
    ///
    /// # Errors
    /// If there are no such items, or a model is named twice.
    pub fn new(
        selection: Selection,
        models: Vec<Examinee>,
        prompts: Prompts,
        epochs: u32,
        homes: &Homes,
    ) -> Result<Self, JobError> {
        if let Some(at) = (1..models.len()).find(|&at| models[..at].iter().any(|one| one.name == models[at].name)) {
            return Err(JobError::wrong(format!("--model {} is given twice; leave one out", models[at].name)));
        }
        let asked = Arc::new(EvalItems::resolve(&selection, homes)?);
        let Selection { mut items, tasks, limit, seed, shard } = selection;
        if let ItemsPlan::Suite { name } = &mut items
            && !is_path(name)
        {
            // A suite without its version is the newest of its day.
            name.clone_from(&asked.suite.name);
        }
        let plan = EvalPlan {
            seed,
            suite: asked.suite.clone(),
            items,
            tasks,
            limit,
            epochs,
            models,
            prompts: prompts.iter().map(plan::Prompt::of).collect(),
            chosen_against: asked.chosen_against.clone(),
            shard,
        };
        Ok(Self { plan, asked, prompts })
    }

    /// Of a plan.
    ///
    /// # Errors
    /// If one of its files is not at hand any more, or was changed.
    pub fn of(plan: EvalPlan, homes: &Homes) -> Result<Self, JobError> {
        let EvalPlan { items, tasks, limit, seed, shard, .. } = plan.clone();
        let asked = Arc::new(EvalItems::resolve(&Selection { items, tasks, limit, seed, shard }, homes)?);
        if asked.suite.config != plan.suite.config {
            let name = &plan.suite.name;
            return Err(JobError::wrong(format!("{name} is not what it was when the run began; begin a new run")));
        }
        let prompts = Prompts::new(prompts::of_plan(&plan.prompts)?);
        Ok(Self { plan, asked, prompts })
    }

    /// What asking each model would cost, before anything is spent.
    ///
    /// # Errors
    /// If there is no such model, or a sample of the items cannot be woven.
    pub(crate) fn bills(&self, conditions: &Conditions) -> Result<Vec<Bill>, JobError> {
        let Self { plan, asked, prompts } = self;
        let (items, characters) = (asked.count()?, asked.characters(prompts)?);
        let queries = Queries { queries: items * u64::from(plan.epochs), baseline: None, shrink: None };
        plan.models.iter().map(|model| Bill::of(model, conditions, queries, characters)).collect()
    }

    /// The positions, among all items, of those that are asked.
    fn positions(&self) -> impl Iterator<Item = u32> + use<> {
        let shard = self.plan.shard.unwrap_or(Shard::WHOLE);
        (0..).map(move |own| u32::try_from(shard.position(own)).expect("items are counted in 32 bits"))
    }

    /// Who is asked, and which part of it, in the name of a run.
    fn model_name(&self) -> String {
        let EvalPlan { models, shard, .. } = &self.plan;
        let model = if let [one] = &models[..] { one.name.clone() } else { format!("{}-models", models.len()) };
        match shard {
            Some(shard) => format!("{model}-part{}of{}", shard.at() + 1, shard.of()),
            None => model,
        }
    }

    fn name<'a>(&'a self, model: &'a str) -> RunName<'a> {
        let EvalPlan { suite, seed, .. } = &self.plan;
        RunName { verb: "eval", strategy: None, preset: &suite.name, model: Some(model), seed: *seed }
    }
}

/// Carries an evaluation out. A run that is complete is only looked at.
///
/// # Errors
/// See [`JobError`]. A run that was begun stays, and can be gone on with; one without an answer does not.
pub async fn run(
    evaluation: &Evaluation,
    conditions: &Conditions,
    place: Place,
    setting: &Setting<'_>,
) -> Result<Outcome, JobError> {
    let plan = &evaluation.plan;
    connect::check_prices(&plan.models, conditions)?;
    let place = place.earlier(setting.homes)?;
    if !place.is_complete() {
        plan.models.iter().try_for_each(|model| connect::check(model, conditions, setting))?;
    }
    let model = evaluation.model_name();
    let Opened { dir, mut manifest, is_new, is_complete } =
        place.open(Plan::Eval(plan.clone()), conditions, &evaluation.name(&model), setting)?;
    if is_complete {
        return look(dir, &manifest, setting);
    }
    begin(&dir, &mut manifest)?;
    setting.homes.send()?;
    let clock = Instant::now();
    let ended = Asking { evaluation, conditions, setting, dir: &dir }.ask(&mut manifest).await;
    let (status, failure) = match ended {
        Ok(status) => (status, None),
        Err(failure) => (Status::Interrupted, Some(failure)),
    };
    let failure = match failure {
        Some(failure) if is_new && failure.is_refusal() && keep::is_empty(&dir) => {
            // Nothing was answered: a wrong key or name, and nothing worth keeping.
            std::fs::remove_dir_all(dir.path())?;
            return Err(failure);
        }
        failure => failure,
    };
    if status == Status::Complete {
        put_in_order(&dir, plan)?;
    }
    manifest.end(status, Stamp::now(), clock.elapsed());
    manifest.note([dir.items().as_path(), &dir.records()])?;
    manifest.write(&dir)?;
    let figures = figures(&dir)?;
    match failure {
        Some(failure) => Err(failure),
        None => Ok(Outcome { dir, status, figures }),
    }
}

/// What came of a run that is complete.
fn look(dir: RunDir, manifest: &Manifest, setting: &Setting<'_>) -> Result<Outcome, JobError> {
    intact::check(&dir.items(), manifest).map_err(JobError::unread)?;
    let figures = figures(&dir)?;
    setting.note("the run is complete; nothing is left to ask");
    Ok(Outcome { dir, status: Status::Complete, figures })
}

/// Makes a run ready to be gone on with: what it has must be what it wrote.
fn begin(dir: &RunDir, manifest: &mut Manifest) -> Result<(), JobError> {
    manifest.write(dir)?;
    if manifest.fingerprint.is_some() && manifest.extent(&dir.items()).is_none() {
        manifest.note([dir.items().as_path()])?;
    }
    // Nothing is asked about items that are not those of the run.
    intact::check(&dir.items(), manifest).map_err(JobError::unread)?;
    // At the end the records are put in order: what is known of them is looked at now, and noted again then.
    intact::check(&dir.records(), manifest).map_err(JobError::unread)?;
    manifest.forget(&dir.records());
    Ok(manifest.write(dir)?)
}

/// An evaluation that can begin.
struct Asking<'a> {
    evaluation: &'a Evaluation,
    conditions: &'a Conditions,
    setting: &'a Setting<'a>,
    dir: &'a RunDir,
}

impl Asking<'_> {
    /// Asks everybody at once.
    async fn ask(&self, manifest: &mut Manifest) -> Result<Status, JobError> {
        let Self { evaluation, conditions, setting, dir } = *self;
        let Evaluation { plan, asked, prompts } = evaluation;
        let budget = Arc::new(Budget::open(conditions.allowance(), setting.stopper.clone()));
        let mut woven = Woven::begin(asked, dir, manifest, setting.shelf.as_ref());
        let mut connections = Vec::new();
        for model in &plan.models {
            let sources = asked.sources_for(&model.name).map_err(JobError::usage)?;
            connections.push(Connection::open(model, conditions, &sources, Seed::new(plan.seed), setting).await?);
        }
        let open = |(model, connection): (&Examinee, &Connection)| {
            connection.exchange(model, prompts.clone(), conditions, &budget)
        };
        let mut exchanges: Vec<Exchange> = plan.models.iter().zip(&connections).map(open).collect();
        let known = keep::recall(dir, &exchanges.iter().collect::<Vec<_>>())?;
        let items = asked.count()?;
        let total = items * u64::from(plan.epochs) * exchanges.len() as u64;
        let answered = known.iter().map(|places| places.len() as u64).sum();
        let keep = RefCell::new(Keep::open(dir, budget.clone(), answered, total, setting.events.clone())?);
        let meters = connections.iter().filter_map(|connection| connection.meter.clone()).collect();
        let waiting = Waiting::begin(setting.events.clone(), meters, woven.told(asked.suite.name.clone(), items));
        let each = exchanges
            .iter_mut()
            .zip(&known)
            .map(|(exchange, known)| self.ask_one(exchange, known, woven.subjects(dir), &keep));
        // One model in trouble holds no other one up; a full disk ends all.
        let (each, halt) = (futures::future::try_join_all(each), woven.halt());
        let asking = async {
            let ended = each.await;
            // Items that no model is asked about are not woven.
            halt.wish();
            ended
        };
        let (ended, noted) = tokio::join!(asking, woven.noted(dir, manifest, budget.signal()));
        drop(waiting);
        setting.events.tell(Event::Ended);
        connections.iter().for_each(|connection| connection.tell_cache(setting));
        let mut status = noted?;
        for finish in ended? {
            let finish = finish.map_err(|error| JobError::exchange(error, "--resume asks them again"))?;
            if finish == Finish::Stopped {
                status = Status::Interrupted;
            }
        }
        Ok(status)
    }

    async fn ask_one(
        &self,
        exchange: &mut Exchange,
        known: &HashSet<evaluate::Place>,
        subjects: impl Stream<Item = Result<Subject, KeepError>>,
        keep: &RefCell<Keep>,
    ) -> Result<Result<Finish, ExchangeError>, KeepError> {
        let finish = evaluate(
            exchange,
            self.evaluation.plan.epochs,
            stream::iter(self.evaluation.positions()).zip(subjects),
            |place| known.contains(&place),
            |record, timing| keep.borrow_mut().record(&record, &timing),
        );
        match finish.await {
            Ok(finish) => Ok(Ok(finish)),
            Err(KeepError::Exchange(error)) => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }
}
