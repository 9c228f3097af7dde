//! Owns attacks, evaluations and reports as functions: what is wished for goes in as JSON, and what came of it comes out so.
//!
//! Must not know how a job is carried out. Defaults are those of the command line.

use crate::border::{json, refuse};
use crate::called::{Called, Raised, Told, carry_out};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use wasmweaver::ask::prompt::{Prompt, Prompts};
use wasmweaver::item::record::Task;
use wasmweaver::job::error::JobError;
use wasmweaver::job::eval::asked::Selection;
use wasmweaver::job::eval::{self, Evaluation};
use wasmweaver::job::report::ReportPlan;
use wasmweaver::job::runs::{Earlier, Place};
use wasmweaver::job::setting::Setting;
use wasmweaver::job::{attack as attacks, connect, report as reports};
use wasmweaver::run::homes::Homes;
use wasmweaver::run::manifest::{Manifest, Status};
use wasmweaver::run::plan::{AttackPlan, Conditions, Examinee, ItemsPlan, Plan, StrategyPlan};

/// Whose replies are wanted, and who is told of them.
struct Sides {
    /// A model's name, or what a callable is called.
    name: String,
    callable: Option<Arc<Called>>,
    events: Option<Arc<Told>>,
    raised: Raised,
}

impl Sides {
    fn new(name: String, callable: Option<Py<PyAny>>, told: Option<Py<PyAny>>) -> Self {
        let raised = Raised::default();
        let callable = callable.map(|callable| Arc::new(Called { callable, raised: raised.clone() }));
        let events = told.map(|callable| Arc::new(Told { callable, raised: raised.clone() }));
        Self { name, callable, events, raised }
    }

    fn examinee(&self) -> Result<Examinee, JobError> {
        if self.callable.is_some() { Ok(Examinee::named(&self.name)) } else { connect::examinee(&self.name) }
    }

    /// `name` is what the plan of the run calls the model.
    fn setting<'h>(&self, homes: &'h Homes, name: &str) -> Setting<'h> {
        let mut setting = Setting { stopper: self.raised.stopper(), ..Setting::new(homes) };
        if let Some(events) = &self.events {
            setting.events = events.clone();
        }
        match &self.callable {
            Some(callable) => setting.answered_by(name, callable.clone()),
            None => setting,
        }
    }
}

/// Where a run goes, and how it is carried out.
#[derive(Debug, Deserialize)]
struct Way {
    log_dir: PathBuf,
    resume: Option<PathBuf>,
    max_connections: Option<u32>,
    cost_limit: Option<f64>,
    time_limit: Option<u64>,
}

impl Way {
    fn earlier(&self, homes: &Homes) -> Result<Option<Earlier>, JobError> {
        self.resume.as_deref().map(|path| Earlier::open(path, homes)).transpose()
    }

    fn conditions(&self, earlier: Option<&Earlier>) -> Conditions {
        let before = earlier.map(|earlier| earlier.manifest.conditions.clone()).unwrap_or_default();
        Conditions {
            max_connections: self.max_connections.unwrap_or(before.max_connections),
            cost_limit: self.cost_limit.or(before.cost_limit),
            time_limit: self.time_limit,
            ..before
        }
    }

    fn place(&self, earlier: Option<Earlier>) -> Place {
        earlier.map_or_else(|| Place::Below(self.log_dir.clone()), |earlier| Place::Earlier(Box::new(earlier)))
    }
}

/// What came of a run: its figures, and whether it came to its end.
#[derive(Serialize)]
struct Outcome<T> {
    status: Status,
    #[serde(flatten)]
    figures: T,
}

#[derive(Debug, Deserialize)]
struct AttackWish {
    preset: String,
    strategy: String,
    seed: u64,
    query_budget: Option<u64>,
    baseline: Option<bool>,
    #[serde(flatten)]
    way: Way,
}

impl AttackWish {
    fn plan(&self, model: Examinee) -> Result<AttackPlan, JobError> {
        let usual = attacks::usual(&self.preset, model)?;
        Ok(AttackPlan {
            seed: self.seed,
            strategy: strategy(&self.strategy)?,
            query_budget: self.query_budget.unwrap_or(usual.query_budget),
            baseline: self.baseline.unwrap_or(usual.baseline),
            ..usual
        })
    }
}

fn strategy(name: &str) -> Result<StrategyPlan, JobError> {
    let all = [StrategyPlan::default(), StrategyPlan::Random, StrategyPlan::Evolve, StrategyPlan::MapElites];
    let known = all.each_ref().map(StrategyPlan::name).join(", ");
    let found = all.into_iter().find(|plan| plan.name() == name);
    found.ok_or_else(|| JobError::wrong(format!("there is no strategy {name}; known are {known}")))
}

fn another(plan: &Plan, verb: &str) -> JobError {
    JobError::wrong(format!("the run is one of `{}`, not of `{verb}`; resume it with that", plan.verb()))
}

/// An attack's figures, as JSON.
#[pyfunction]
pub(crate) fn attack(
    py: Python<'_>,
    name: String,
    callable: Option<Py<PyAny>>,
    on_event: Option<Py<PyAny>>,
    wish: &str,
) -> PyResult<String> {
    let wish: AttackWish = serde_json::from_str(wish).map_err(refuse)?;
    let sides = Sides::new(name, callable, on_event);
    let outcome = carry_out(py, &sides.raised, async || {
        let homes = Homes::telling(|_| ());
        let earlier = wish.way.earlier(&homes)?;
        let plan = match earlier.as_ref().map(|earlier| &earlier.manifest.plan) {
            None => wish.plan(sides.examinee()?)?,
            Some(Plan::Attack(plan)) => plan.clone(),
            Some(other) => return Err(another(other, "attack")),
        };
        let conditions = wish.way.conditions(earlier.as_ref());
        let setting = sides.setting(&homes, &plan.model.name);
        let outcome = attacks::run(&plan, &conditions, wish.way.place(earlier), &setting).await?;
        Ok(Outcome { status: outcome.status, figures: outcome.figures })
    })?;
    json(&outcome)
}

#[derive(Debug, Deserialize)]
struct EvalWish {
    suite: String,
    tasks: Vec<Task>,
    limit: Option<u64>,
    epochs: u32,
    seed: u64,
    prompt: Option<String>,
    #[serde(flatten)]
    way: Way,
}

impl EvalWish {
    fn evaluation(&self, model: Examinee, homes: &Homes) -> Result<Evaluation, JobError> {
        let selection = Selection {
            items: ItemsPlan::Suite { name: self.suite.clone() },
            tasks: self.tasks.clone(),
            limit: self.limit,
            seed: self.seed,
            shard: None,
        };
        let prompts = match &self.prompt {
            Some(name) => Prompts::new(Prompt::named(name).map_err(JobError::usage)?),
            None => Prompts::default(),
        };
        Evaluation::new(selection, vec![model], prompts, self.epochs, homes)
    }
}

/// An evaluation's figures, as JSON.
#[pyfunction]
pub(crate) fn evaluate(
    py: Python<'_>,
    name: String,
    callable: Option<Py<PyAny>>,
    on_event: Option<Py<PyAny>>,
    wish: &str,
) -> PyResult<String> {
    let wish: EvalWish = serde_json::from_str(wish).map_err(refuse)?;
    let sides = Sides::new(name, callable, on_event);
    let outcome = carry_out(py, &sides.raised, async || {
        let homes = Homes::telling(|_| ());
        let earlier = wish.way.earlier(&homes)?;
        let evaluation = match earlier.as_ref().map(|earlier| &earlier.manifest.plan) {
            None => wish.evaluation(sides.examinee()?, &homes)?,
            Some(Plan::Eval(plan)) => Evaluation::of(plan.clone(), &homes)?,
            Some(other) => return Err(another(other, "evaluate")),
        };
        let conditions = wish.way.conditions(earlier.as_ref());
        let name = evaluation.plan.models.first().map(|model| model.name.clone()).unwrap_or_default();
        let setting = sides.setting(&homes, &name);
        let outcome = eval::run(&evaluation, &conditions, wish.way.place(earlier), &setting).await?;
        Ok(Outcome { status: outcome.status, figures: outcome.figures })
    })?;
    json(&outcome)
}

/// What a model fails on, by an attack on it: the claims, as JSON. A callable answers in the place of the model.
#[pyfunction]
pub(crate) fn report(
    py: Python<'_>,
    run: PathBuf,
    callable: Option<Py<PyAny>>,
    on_event: Option<Py<PyAny>>,
    pairs: Option<usize>,
) -> PyResult<String> {
    let sides = Sides::new(String::new(), callable, on_event);
    let plan = ReportPlan { run, pairs, ..ReportPlan::default() };
    let outcome = carry_out(py, &sides.raised, async || {
        let homes = Homes::telling(|_| ());
        let manifest = Manifest::read(&homes.open(&plan.run).map_err(JobError::usage)?).map_err(JobError::unread)?;
        let name = manifest.plan.examinees().first().map(|model| model.name.clone()).unwrap_or_default();
        let outcome = reports::run(&plan, &Conditions::default(), &sides.setting(&homes, &name)).await?;
        Ok(outcome.weaknesses.claims)
    })?;
    json(&outcome)
}
