//! Owns attacks: a run directory, a search, its records and figures, and the misses that are cut down at the end.
//!
//! Must not know how a search spends its budget.

mod rounds;

use super::bill::{Bill, Queries};
use super::connect::{self, Connection};
use super::disagreement::disagreement;
use super::error::JobError;
use super::events::{Event, Stage, Waiting};
use super::prompts;
use super::runs::{Opened, Place};
use super::setting::Setting;
use super::shrink::{self, CONFIRM, ShrinkLimits, Shrinking};
use crate::ask::budget::Budget;
use crate::ask::prompt::{Prompt, Prompts};
use crate::attack::cover::Cover;
use crate::attack::predictor::Predictor;
use crate::attack::search::{AttackError, Finish, Known, Search};
use crate::attack::strategy::Strategy;
use crate::attack::strategy::elites::Elites;
use crate::attack::strategy::evolve::Evolve;
use crate::attack::strategy::matched::Matched;
use crate::attack::strategy::ppo::{Ppo, Start};
use crate::attack::strategy::random::Random;
use crate::item::make::Draft;
use crate::item::record::{Purpose, Record};
use crate::item::source::ItemSource;
use crate::item::task::place::Placement;
use crate::learn::Processor;
use crate::learn::pretrained::Pretrained;
use crate::report::figures::AttackFigures;
use crate::report::summary::write_summary;
use crate::run::clock::Stamp;
use crate::run::dir::{RunDir, RunName};
use crate::run::homes::Homes;
use crate::run::manifest::{Manifest, Status};
use crate::run::plan::{self, AttackPlan, Conditions, Examinee, Plan, StrategyPlan};
use crate::run::preset::Preset;
use crate::run::sink::{JsonlSink, read_records};
use crate::seed::Seed;
use crate::weave::recipe::{GENERATOR, RecipeError};
use crate::weave::weaver::Loom;
use rounds::Rounds;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Programs from which the length of prompts is reckoned.
const SAMPLE: u32 = 50;

/// Requests that an attack may spend by default.
pub const QUERY_BUDGET: u64 = 2000;

/// An attack on a model with the default settings; the random baseline is asked where asking is free.
///
/// # Errors
/// If there is no such preset.
pub fn usual(preset: &str, model: Examinee) -> Result<AttackPlan, JobError> {
    let settings = Preset::load(preset).map_err(JobError::usage)?;
    Ok(AttackPlan {
        seed: 0,
        preset: settings.named(preset),
        strategy: StrategyPlan::default(),
        prompt: plan::Prompt::of(&Prompt::shipped(settings.task)),
        query_budget: QUERY_BUDGET,
        baseline: connect::is_free(&model),
        shrink: None,
        model,
    })
}

/// What came of an attack.
#[derive(Debug)]
pub struct Outcome {
    /// Where it lies.
    pub dir: RunDir,
    /// How far it came.
    pub status: Status,
    /// What it found.
    pub figures: AttackFigures,
    /// What was cut down at its end.
    pub shrinking: Shrinking,
}

/// What the files and settings of a plan come to.
struct Tools {
    preset: Preset,
    prompt: Prompt,
    loom: Arc<Loom>,
    source: ItemSource,
    policy: Option<Pretrained>,
    device: Processor,
}

impl Tools {
    fn of(plan: &AttackPlan, conditions: &Conditions) -> Result<Self, JobError> {
        let preset = Preset::of_plan(&plan.preset).map_err(JobError::usage)?;
        let prompt = prompts::of_plan(std::slice::from_ref(&plan.prompt))?.remove(0);
        let loom = preset.loom().map_err(JobError::usage)?;
        let source = preset.source(&loom);
        let device = conditions.device.open().map_err(JobError::usage)?;
        Ok(Self { policy: policy(&plan.strategy)?, preset, prompt, loom, source, device })
    }
}

/// The policy that an attack begins with, which must be the one of its plan.
fn policy(strategy: &StrategyPlan) -> Result<Option<Pretrained>, JobError> {
    let StrategyPlan::Ppo { policy: Some(named), .. } = strategy else { return Ok(None) };
    let policy = Pretrained::load(&named.file).map_err(JobError::usage)?;
    if policy.hash()? != named.hash {
        let file = named.file.display();
        return Err(JobError::wrong(format!(
            "{file} is not the policy that the run began with; name that with --policy"
        )));
    }
    Ok(Some(policy))
}

/// Carries an attack out. A run that is complete is only looked at.
///
/// # Errors
/// See [`JobError`]. A run that was begun stays, and can be gone on with; one without an answer does not.
pub async fn run(
    plan: &AttackPlan,
    conditions: &Conditions,
    place: Place,
    setting: &Setting<'_>,
) -> Result<Outcome, JobError> {
    connect::check_prices(std::slice::from_ref(&plan.model), conditions)?;
    let tools = Tools::of(plan, conditions)?;
    let place = place.earlier(setting.homes)?;
    if place.is_complete() {
        return look(plan, conditions, place, setting);
    }
    // First everything that can refuse to start; the directory is made when nothing can any more.
    let (sources, seed) = (std::slice::from_ref(&tools.source), Seed::new(plan.seed));
    let connection = Connection::open(&plan.model, conditions, sources, seed, setting).await?;
    let mut search = search(plan, &tools, setting.homes)?;
    if let Place::Earlier(earlier) = &place {
        search.known = Known::of(read_records(&earlier.dir).map_err(JobError::unread)?.rows);
    }
    let run = place.open(Plan::Attack(plan.clone()), conditions, &name(plan), setting)?;
    Attack { plan, conditions, setting, connection, prompt: tools.prompt }.carry_out(search, run).await
}

/// What came of a run that is complete, if it is of this plan.
fn look(plan: &AttackPlan, conditions: &Conditions, place: Place, setting: &Setting<'_>) -> Result<Outcome, JobError> {
    let Opened { dir, .. } = place.open(Plan::Attack(plan.clone()), conditions, &name(plan), setting)?;
    let figures = write_summary(&dir).map_err(JobError::unread)?;
    setting.note("the run is complete; nothing is left to ask");
    Ok(Outcome { dir, status: Status::Complete, figures, shrinking: Shrinking::default() })
}

fn name(plan: &AttackPlan) -> RunName<'_> {
    let (strategy, model) = (Some(plan.strategy.name()), Some(plan.model.name.as_str()));
    RunName { verb: "attack", strategy, preset: &plan.preset.name, model, seed: plan.seed }
}

/// An attack that can begin.
struct Attack<'a> {
    plan: &'a AttackPlan,
    conditions: &'a Conditions,
    setting: &'a Setting<'a>,
    connection: Connection,
    prompt: Prompt,
}

impl Attack<'_> {
    async fn carry_out(self, mut search: Search, run: Opened) -> Result<Outcome, JobError> {
        let Self { plan, conditions, setting, connection, .. } = &self;
        let Opened { dir, mut manifest, is_new, .. } = run;
        manifest.write(&dir)?;
        setting.homes.send()?;
        let mut sink = JsonlSink::open(&dir)?;
        let budget = Arc::new(Budget::open(conditions.allowance(), setting.stopper.clone()));
        let prompts = Prompts::new([self.prompt.clone()]);
        let mut exchange = connection.exchange(&plan.model, prompts, conditions, &budget);
        let mut rounds = Rounds::open(&dir, &*setting.events)?;
        setting.events.tell(Event::Began(&Stage::Attack { queries: plan.query_budget }));
        let waiting = Waiting::begin(setting.events.clone(), connection.meter.iter().cloned().collect(), || None);
        let clock = Instant::now();
        let ended = search.run(&mut exchange, &mut sink, &mut rounds).await;
        drop(waiting);
        setting.events.tell(Event::Ended);
        connection.tell_cache(setting);
        // What went wrong is kept first: nothing that is written after it may hide it.
        let (status, failure) = match ended {
            Ok(Finish::Complete) => (Status::Complete, None),
            Ok(Finish::Stopped) => (Status::Interrupted, None),
            Err(error) => (Status::Interrupted, Some(explain(error, &dir))),
        };
        let failure = match failure {
            Some(failure) if failure.is_refusal() && sink.is_empty() && is_new => {
                // Nothing was answered: a wrong key or name, and nothing worth keeping.
                std::fs::remove_dir_all(dir.path())?;
                return Err(failure);
            }
            failure => failure,
        };
        manifest.model_returned = rounds.model_returned.take();
        manifest.end(status, Stamp::now(), clock.elapsed());
        // Whatever ends this process from here on, the run knows what is left to do.
        manifest.shrinking = plan.shrink.filter(|_| status == Status::Complete).map(|_| Status::Interrupted);
        let written = conclude(&mut manifest, &*search.strategy, &dir);
        if let Some(failure) = failure {
            return Err(failure);
        }
        let (figures, mut shrinking) = (written?, Shrinking::default());
        if let (Status::Complete, Some(wanted)) = (status, plan.shrink) {
            let limits = ShrinkLimits { confirm: CONFIRM, query_budget: wanted.query_budget };
            let prompts = Prompts::new([self.prompt.clone()]);
            let exchange = connection.exchange(&plan.model, prompts, conditions, &budget);
            shrinking = shrink::best_of(&dir, wanted.best, exchange, limits, setting).await?;
            if !shrinking.stopped {
                manifest.shrinking = Some(Status::Complete);
                manifest.write(&dir)?;
            }
            // The summary says what that cost.
            write_summary(&dir)?;
        }
        Ok(Outcome { dir, status, figures, shrinking })
    }
}

fn search(plan: &AttackPlan, tools: &Tools, homes: &Homes) -> Result<Search, JobError> {
    let (Tools { preset, loom, source, .. }, seed) = (tools, Seed::new(plan.seed));
    let strategy: Box<dyn Strategy> = match &plan.strategy {
        StrategyPlan::Ppo { .. } => Box::new(Ppo::new(
            loom.clone(),
            source.maker().places(),
            &preset.prior,
            tools.policy.as_ref().map_or(Start::Untrained(&preset.policy), Start::Trained),
            preset.ppo.clone(),
            &tools.device,
            seed.child("ppo"),
        )?),
        StrategyPlan::Random => Box::new(Random::new(loom.clone())),
        StrategyPlan::Matched { like } => Box::new(matched(loom, like, homes)?),
        StrategyPlan::Evolve => Box::new(Evolve::new(loom.clone(), &preset.prior)),
        StrategyPlan::MapElites => Box::new(Elites::new(loom.clone(), &preset.prior, seed.child("map-elites"))),
    };
    let predicts = matches!(plan.strategy, StrategyPlan::Ppo { predictor: true, .. });
    Ok(Search {
        loom: loom.clone(),
        maker: source.maker(),
        reward: preset.reward,
        config: preset.attack,
        strategy,
        cover: Cover::new(loom.clone(), &preset.prior),
        predictor: predicts.then(|| Predictor::new(seed.child("predictor"))),
        baseline: plan.baseline,
        seed,
        query_budget: plan.query_budget,
        known: Known::default(),
    })
}

/// Like the programs that another attack asked about.
fn matched(loom: &Arc<Loom>, like: &Path, homes: &Homes) -> Result<Matched, JobError> {
    let dir = homes.open(like).map_err(JobError::usage)?;
    let records = read_records(&dir).map_err(JobError::unread)?.rows;
    let mut asked: Vec<&Record> = records.iter().filter(|record| record.purpose == Purpose::Attack).collect();
    asked.sort_by_key(|record| (record.round, record.index));
    if let Some(recipe) = asked.iter().map(|record| &record.item.recipe).find(|recipe| recipe.generator != GENERATOR) {
        let found = recipe.generator.clone();
        return Err(JobError::usage(RecipeError::Generator { found }));
    }
    let programs = asked.iter().map(|record| record.item.recipe.actions.as_slice());
    Matched::new(loom.clone(), programs)
        .map_err(|error| JobError::wrong(format!("{error}: the attack in {} asked nothing; name another", dir.name())))
}

/// Writes what is made of the records.
fn conclude(manifest: &mut Manifest, strategy: &dyn Strategy, dir: &RunDir) -> Result<AttackFigures, JobError> {
    manifest.note([dir.records().as_path()])?;
    manifest.write(dir)?;
    strategy.save(&dir.checkpoint())?;
    Ok(write_summary(dir)?)
}

/// Why the search ended; a disagreement is saved where it can be studied.
fn explain(error: AttackError, dir: &RunDir) -> JobError {
    match error {
        AttackError::Exchange(error) => JobError::exchange(error, "--resume asks them again"),
        AttackError::Disagreement { ref draft, .. } => disagreement(&error, draft, dir),
        error => error.into(),
    }
}

/// What an attack would cost, before anything is spent.
///
/// # Errors
/// If there is no such model, or a file of the plan cannot be read.
pub(crate) fn bill(plan: &AttackPlan, conditions: &Conditions) -> Result<Bill, JobError> {
    let characters = characters(plan, conditions)?;
    let baseline = if plan.baseline { plan.query_budget } else { 0 };
    let shrink = plan.shrink.map(|shrink| shrink.query_budget.saturating_mul(shrink.best as u64));
    let queries = Queries { queries: plan.query_budget, baseline: Some(baseline), shrink };
    Bill::of(&plan.model, conditions, queries, characters)
}

/// Characters of a prompt on average, reckoned from programs as the attack would weave them first.
fn characters(plan: &AttackPlan, conditions: &Conditions) -> Result<f64, JobError> {
    let Tools { loom, source, prompt, .. } = Tools::of(plan, conditions)?;
    let mut random = Random::new(loom);
    let seed = Seed::new(plan.seed).child("dry run");
    let seeds: Vec<Seed> = (0..SAMPLE).map(|at| seed.indexed("program", at.into())).collect();
    let mut maker = source.maker();
    let (mut characters, mut prompts) = (0, 0u32);
    for (woven, seed) in random.weave(&seeds)?.iter().zip(&seeds) {
        let placement = Placement::Random(&mut seed.child("probe").rng());
        if let Some(Draft { item, .. }) = maker.make(&woven.weaver, String::new(), placement) {
            let messages = prompt.render(&item)?;
            characters += messages.iter().map(|message| message.content.chars().count() as u64).sum::<u64>();
            prompts += 1;
        }
    }
    Ok(characters as f64 / f64::from(prompts.max(1)))
}
