//! Whole jobs against a scripted model: budgets to the query and the cent, stops at every point, trouble of every kind.

mod before_asking;
mod cutting;
mod without_questions;

use super::attack;
use super::error::JobError;
use super::eval::asked::Selection;
use super::eval::{self, Evaluation};
use super::events::tests::Recorded;
use super::report::{self, ReportPlan};
use super::runs::{Earlier, Place};
use super::setting::Setting;
use crate::ask::chat::{ChatError, ChatErrorKind, ChatReply, ChatRequest, Scripted};
use crate::ask::models::Prices;
use crate::ask::prompt::{Prompt, Prompts};
use crate::ask::stop::{Stop, Stopper};
use crate::item::record::{Purpose, Record, Task, Usage};
use crate::run::dir::RunDir;
use crate::run::dir::tests::Scratch;
use crate::run::homes::Homes;
use crate::run::manifest::{Manifest, Status};
use crate::run::plan::tests::examinee;
use crate::run::plan::{self, AttackPlan, Conditions, Examinee, ItemsPlan, Plan, StrategyPlan};
use crate::run::preset::Preset;
use crate::run::sink::read_records;
use crate::solver::Solver;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What a reply costs: a thousand tokens read and a hundred written.
const CENT: f64 = 0.01;

type Script = Box<dyn Fn(usize, &ChatRequest) -> Result<ChatReply, ChatError> + Send + Sync>;

/// A reply as a solver with a weakness gives it, with its tokens counted.
fn said(request: &ChatRequest) -> ChatReply {
    let solver: Solver = "sim/unsigned-as-signed+no-wrap".parse().expect("a solver");
    let content = solver.reply(&request.messages, None).expect("there is a question");
    let usage = Usage { prompt_tokens: Some(1000), completion_tokens: Some(100), ..Usage::default() };
    ChatReply { usage, ..ChatReply::text(content) }
}

fn trouble(kind: ChatErrorKind) -> Result<ChatReply, ChatError> {
    Err(ChatError::new(kind, "trouble"))
}

/// A folder for runs, a listener, and a model that is a function of how often it was asked.
struct World {
    scratch: Scratch,
    homes: Homes,
    events: Arc<Recorded>,
    model: Arc<Scripted>,
    why: Arc<Mutex<Vec<String>>>,
    stopper: Stopper,
}

impl World {
    fn new(script: Script) -> Self {
        let (why, number) = (Arc::new(Mutex::new(Vec::new())), AtomicUsize::new(0));
        let told = why.clone();
        Self {
            scratch: Scratch::new(),
            homes: Homes::telling(|_| ()),
            events: Arc::default(),
            model: Arc::new(Scripted::new(move |request| script(number.fetch_add(1, Ordering::SeqCst), request))),
            stopper: Stopper::telling(move |text| told.lock().expect("whole").push(text.to_owned())),
            why,
        }
    }

    /// One that always replies.
    fn replying() -> Self {
        Self::new(Box::new(|_, request| Ok(said(request))))
    }

    /// One that is told to stop while it gives this reply, from 0.
    fn stopping_at(at: usize, order: Stop) -> Self {
        let mut world = Self::replying();
        let (stopper, number) = (Stopper::default(), AtomicUsize::new(0));
        world.stopper = stopper.clone();
        world.model = Arc::new(Scripted::new(move |request| {
            if number.fetch_add(1, Ordering::SeqCst) == at {
                stopper.order(order);
            }
            Ok(said(request))
        }));
        world
    }

    fn setting(&self) -> Setting<'_> {
        let around = Setting::new(&self.homes);
        let setting = Setting { events: self.events.clone(), stopper: self.stopper.clone(), ..around };
        ["m/x", "m/y", "m/z"].iter().fold(setting, |setting, name| setting.answered_by(*name, self.model.clone()))
    }

    fn below(&self) -> Place {
        Place::Below(self.scratch.path().into())
    }

    /// The same folder, with another model, never stopped.
    fn then(self, script: Script) -> Self {
        let fresh = Self::new(script);
        Self { scratch: self.scratch, ..fresh }
    }

    fn runs(&self) -> usize {
        std::fs::read_dir(self.scratch.path()).expect("is there").count()
    }

    async fn attack(
        &self,
        plan: &AttackPlan,
        conditions: &Conditions,
        place: Place,
    ) -> Result<attack::Outcome, JobError> {
        attack::run(plan, conditions, place, &self.setting()).await
    }

    fn earlier(&self, dir: &RunDir) -> Place {
        Place::Earlier(Box::new(Earlier::open(dir.path(), &self.homes).expect("is a run")))
    }
}

fn priced(name: &str) -> Examinee {
    let prices = Prices { input: 5.0, output: 50.0, as_of: "2026-01".into() };
    Examinee { prices: Some(prices), ..examinee(name) }
}

fn plan(query_budget: u64) -> AttackPlan {
    AttackPlan {
        seed: 3,
        preset: Preset::shipped("stack").expect("is shipped").named("stack"),
        strategy: StrategyPlan::Random,
        prompt: plan::Prompt::of(&Prompt::shipped(Task::Stack)),
        model: priced("m/x"),
        query_budget,
        baseline: false,
        shrink: None,
    }
}

/// One question at a time, so that a limit is met to the cent.
fn one_by_one() -> Conditions {
    Conditions { max_connections: 1, ..Conditions::default() }
}

/// The records of a run by their places, without what depends on the order of replies.
fn records(dir: &RunDir) -> Vec<Record> {
    let mut records = read_records(dir).expect("can be read").rows;
    records.sort_by_key(|record| (record.round, record.purpose, record.model.clone(), record.index));
    records
}

#[tokio::test]
async fn an_attack_spends_its_queries_to_the_last_and_no_more() {
    for (budget, baseline) in [(1, false), (33, true), (50, false)] {
        let world = World::replying();
        let plan = AttackPlan { baseline, ..plan(budget) };
        let outcome = world.attack(&plan, &one_by_one(), world.below()).await.expect("all answer");
        let records = records(&outcome.dir);
        let of = |purpose| records.iter().filter(|record| record.purpose == purpose).count() as u64;
        assert_eq!((of(Purpose::Attack) + of(Purpose::Confirm), outcome.status), (budget, Status::Complete));
        assert_eq!(of(Purpose::Baseline) > 0, baseline);
        assert_eq!((world.model.asked(), world.events.count("answered")), (records.len(), records.len()));
        let told = world.events.told();
        assert_eq!(told.first().map(String::as_str), Some(&*format!("began Attack {{ queries: {budget} }}")));
        assert_eq!(told.last().map(String::as_str), Some("ended"));
        assert_eq!(outcome.figures.queries, budget);
    }
}

#[tokio::test]
async fn every_strategy_spends_the_same_budget() {
    let world = World::replying();
    let attack = async |strategy: StrategyPlan| {
        let plan = AttackPlan { strategy, ..plan(100) };
        let outcome = world.attack(&plan, &Conditions::default(), world.below()).await.expect("all answer");
        let figures = outcome.figures;
        assert_eq!((figures.queries, figures.strategy.as_deref()), (100, Some(plan.strategy.name())));
        assert!(figures.cells_filled > 1, "{figures:?}");
        (figures.predictor_trusted, outcome.dir)
    };
    let (trusted, ppo) = attack(StrategyPlan::default()).await;
    assert!(trusted.is_some());
    let like = ppo.path().to_owned();
    for other in [
        StrategyPlan::Ppo { predictor: false, policy: None },
        StrategyPlan::Random,
        StrategyPlan::Matched { like },
        StrategyPlan::Evolve,
        StrategyPlan::MapElites,
    ] {
        assert_eq!(attack(other).await.0, None);
    }
}

#[tokio::test]
async fn dollars_end_a_run_to_the_cent_and_it_goes_on_for_more() {
    let world = World::replying();
    let (plan, limited) = (plan(60), Conditions { cost_limit: Some(25.0 * CENT), ..one_by_one() });
    let outcome = world.attack(&plan, &limited, world.below()).await.expect("all answer");
    assert_eq!((outcome.status, world.model.asked()), (Status::Interrupted, 25));
    assert!(world.events.told().iter().any(|line| line.ends_with(" 0.2500")), "{:?}", world.events.told());
    assert_eq!(*world.why.lock().expect("whole"), ["$0.25 are spent (--cost-limit)"]);
    // What it has is not asked again, and counts against the limit of the next part.
    let world = world.then(Box::new(|_, request| Ok(said(request))));
    let limited = Conditions { cost_limit: Some(40.0 * CENT), ..one_by_one() };
    let more = world.attack(&plan, &limited, world.earlier(&outcome.dir)).await.expect("all answer");
    assert_eq!((more.status, world.model.asked()), (Status::Interrupted, 15));
    let world = world.then(Box::new(|_, request| Ok(said(request))));
    let all = world.attack(&plan, &one_by_one(), world.earlier(&outcome.dir)).await.expect("all answer");
    assert_eq!((all.status, world.model.asked()), (Status::Complete, 20));
}

#[tokio::test]
async fn an_attack_that_is_stopped_anywhere_comes_to_the_same_end() {
    let plan = AttackPlan { baseline: true, strategy: StrategyPlan::Evolve, ..plan(70) };
    let whole = World::replying();
    let whole_run = whole.attack(&plan, &one_by_one(), whole.below()).await.expect("all answer");
    for (at, order) in [(0, Stop::Finish), (31, Stop::Finish), (35, Stop::Now), (64, Stop::Finish), (100, Stop::Now)] {
        let world = World::stopping_at(at, order);
        let first = world.attack(&plan, &one_by_one(), world.below()).await.expect("all answer");
        assert_eq!(first.status, Status::Interrupted, "{at}");
        assert_eq!(Manifest::read(&first.dir).expect("is there").status, Status::Interrupted);
        let kept = records(&first.dir).len();
        let world = world.then(Box::new(|_, request| Ok(said(request))));
        let second = world.attack(&plan, &one_by_one(), world.earlier(&first.dir)).await.expect("all answer");
        assert_eq!(second.status, Status::Complete);
        assert_eq!(records(&second.dir), records(&whole_run.dir), "stopped at {at}");
        assert_eq!(kept + world.model.asked(), whole.model.asked(), "stopped at {at}");
        // Once more: nothing is left to do.
        let third = world.attack(&plan, &one_by_one(), world.earlier(&first.dir)).await.expect("is complete");
        assert_eq!(third.figures, second.figures);
        assert!(world.events.count("note the run is complete") == 1);
    }
}

#[tokio::test]
async fn a_run_goes_on_with_its_own_plan_alone() {
    let world = World::stopping_at(5, Stop::Finish);
    let first = world.attack(&plan(20), &one_by_one(), world.below()).await.expect("all answer");
    let other = AttackPlan { seed: 4, query_budget: 30, ..plan(20) };
    let refused = world.attack(&other, &one_by_one(), world.earlier(&first.dir)).await.expect_err("is another plan");
    assert!(refused.is_usage(), "{refused}");
    assert!(refused.to_string().contains("seed, query_budget would differ"), "{refused}");
    // What is cut down afterwards, names and conditions decide no record.
    let world = world.then(Box::new(|_, request| Ok(said(request))));
    let mut same = plan(20);
    same.preset.name = "copy".into();
    let fast = Conditions { max_connections: 7, ..Conditions::default() };
    let all = world.attack(&same, &fast, world.earlier(&first.dir)).await.expect("is the same plan");
    assert_eq!(all.status, Status::Complete);
    assert_eq!(Manifest::read(&all.dir).expect("is there").conditions.max_connections, 7);
}

#[tokio::test]
async fn trouble_is_told_and_keeps_what_is_worth_keeping() {
    // A wrong key: no question was answered, and nothing stays.
    let world = World::new(Box::new(|_, _| trouble(ChatErrorKind::Auth)));
    let refused = world.attack(&plan(20), &one_by_one(), world.below()).await.expect_err("no key");
    assert!(refused.is_refusal() && refused.is_usage() && world.runs() == 0, "{refused}");
    // No credit, later: what was answered stays.
    let world = World::new(Box::new(|number, request| match number {
        12 => trouble(ChatErrorKind::Quota),
        _ => Ok(said(request)),
    }));
    let refused = world.attack(&plan(20), &one_by_one(), world.below()).await.expect_err("no credit");
    assert!(refused.is_refusal() && world.runs() == 1, "{refused}");
    // The model has ceased to answer.
    let world = World::new(Box::new(|_, _| trouble(ChatErrorKind::Provider)));
    let outage = world.attack(&plan(20), &one_by_one(), world.below()).await.expect_err("nobody answers");
    assert!(!outage.is_usage() && outage.to_string().starts_with("m/x does not answer: "), "{outage}");
    assert!(outage.to_string().ends_with("--resume asks them again") && world.runs() == 1, "{outage}");
    // The model never says what it was asked for.
    let world = World::new(Box::new(|_, _| Ok(ChatReply::text("I cannot tell."))));
    let formless = world.attack(&plan(60), &one_by_one(), world.below()).await.expect_err("has no form");
    assert!(formless.to_string().contains("none of the first 30 replies has an answer"), "{formless}");
}

fn evaluation(world: &World, models: &[&str], epochs: u32) -> Evaluation {
    let selection = Selection {
        items: ItemsPlan::Suite { name: "smoke@1".into() },
        tasks: vec![Task::Stack, Task::Result],
        limit: Some(6),
        seed: 7,
        shard: None,
    };
    let models = models.iter().map(|name| priced(name)).collect();
    Evaluation::new(selection, models, Prompts::default(), epochs, &world.homes).expect("there is such a suite")
}

#[tokio::test]
async fn an_evaluation_that_is_stopped_anywhere_is_the_whole_one_line_by_line() {
    let whole = World::replying();
    let all = evaluation(&whole, &["m/x", "m/y"], 2);
    let run = eval::run(&all, &one_by_one(), whole.below(), &whole.setting()).await.expect("all answer");
    assert_eq!((run.status, whole.model.asked()), (Status::Complete, 12 * 2 * 2));
    let text = |dir: &RunDir| std::fs::read_to_string(dir.records()).expect("is there");
    for at in [0, 1, 20, 43] {
        let world = World::stopping_at(at, Stop::Finish);
        let first = eval::run(&all, &one_by_one(), world.below(), &world.setting()).await.expect("all answer");
        assert_eq!(first.status, Status::Interrupted, "{at}");
        let kept = records(&first.dir).len();
        let world = world.then(Box::new(|_, request| Ok(said(request))));
        // By its plan alone, as it stands in the manifest.
        let Plan::Eval(plan) = Manifest::read(&first.dir).expect("is there").plan else { panic!("is an evaluation") };
        let again = Evaluation::of(plan, &world.homes).expect("its suite is at hand");
        let place = world.earlier(&first.dir);
        let second = eval::run(&again, &one_by_one(), place, &world.setting()).await.expect("all answer");
        assert_eq!((second.status, kept + world.model.asked()), (Status::Complete, 48), "{at}");
        assert_eq!(text(&second.dir), text(&run.dir), "stopped at {at}");
    }
}

#[tokio::test]
async fn two_models_share_the_dollars_of_an_evaluation() {
    let world = World::replying();
    let all = evaluation(&world, &["m/x", "m/y"], 1);
    let limited = Conditions { cost_limit: Some(10.0 * CENT), ..one_by_one() };
    let run = eval::run(&all, &limited, world.below(), &world.setting()).await.expect("all answer");
    assert_eq!(run.status, Status::Interrupted);
    // The other model's question was under way when the last cent was spent.
    assert!((10..=11).contains(&world.model.asked()), "{}", world.model.asked());
    let unpriced = Evaluation { plan: plan::EvalPlan { models: vec![examinee("m/z")], ..all.plan }, ..all };
    let refused = eval::run(&unpriced, &limited, world.below(), &world.setting()).await.expect_err("has no price");
    assert!(refused.is_usage() && refused.to_string().contains("--cost-limit needs the prices of m/z"), "{refused}");
}

async fn attacked(world: &World) -> RunDir {
    let outcome = world.attack(&plan(300), &Conditions::default(), world.below()).await.expect("all answer");
    assert_eq!(outcome.status, Status::Complete);
    outcome.dir
}

#[tokio::test]
async fn a_report_asks_within_its_dollars_and_goes_on_where_it_stopped() {
    let world = World::replying();
    let dir = attacked(&world).await;
    let plan = ReportPlan { run: dir.path().into(), pairs: Some(5), ..ReportPlan::default() };
    let world = world.then(Box::new(|_, request| Ok(said(request))));
    let limited = Conditions { cost_limit: Some(3.0 * CENT), ..one_by_one() };
    let first = report::run(&plan, &limited, &world.setting()).await.expect("all answer");
    assert!(first.stopped && world.model.asked() == 3 && first.page.exists(), "{} asked", world.model.asked());
    let world = world.then(Box::new(|_, request| Ok(said(request))));
    let second = report::run(&plan, &Conditions::default(), &world.setting()).await.expect("all answer");
    assert!(!second.stopped && !second.weaknesses.claims.is_empty());
    let asked = world.events.told().iter().filter(|line| line.starts_with("answered pair")).count();
    let pairs = second.pairs.expect("some were asked").cost_usd.expect("prices are known");
    assert_eq!((pairs / CENT).round() as usize, asked + 3, "the first three are not asked again");
}
