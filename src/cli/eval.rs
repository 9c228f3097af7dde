//! Owns `harness eval`: its flags, and what came of it.

pub(super) mod items;
pub(super) mod show;

use super::asking::Way;
use super::bill;
use super::budget;
use super::flags::{all_fit, idle, prompts};
use super::gate::{self, Gate};
use super::given::{Given, pick};
use super::{Failure, asking, ended_early, print_json, setting, signals};
use crate::item::record::Verdict;
use crate::job::eval::{self, Evaluation, Outcome};
use crate::job::runs::{Earlier, Place};
use crate::report::evaluation::EvaluationFigures;
use crate::run::homes::Homes;
use crate::run::manifest::Status;
use crate::run::plan::{Conditions, EvalPlan, Examinee, Plan};
use crate::run::shard::Shard;
use std::path::PathBuf;

/// The flags that decide an evaluation, as [`Given`] names them.
const OF_PLAN: [&str; 16] = [
    "model",
    "suite",
    "preset",
    "level",
    "items",
    "task",
    "limit",
    "seed",
    "shard",
    "epochs",
    "prompt",
    "base_url",
    "temperature",
    "max_tokens",
    "reasoning_effort",
    "float_tolerance",
];

/// Ask models about the same seeded items, and see how often each is right
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Model to ask, as for `attack`; may be given several times
    #[arg(long, value_name = "MODEL", default_value = "sim/novice")]
    model: Vec<String>,
    #[command(flatten)]
    items: items::Flags,
    /// Ask each item so many times
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: u32,
    /// How to ask: step-by-step (the default), answer-only, or a prompt file; files may be given for several tasks
    #[arg(long, value_name = "NAME|FILE")]
    prompt: Vec<String>,
    /// Ask the items of this part alone; `harness merge` puts the parts together
    #[arg(long, value_name = "I/N", conflicts_with = "replay")]
    shard: Option<Shard>,
    /// Where run directories go: a folder, or s3://, gs://, az://
    #[arg(long, default_value = "results", value_name = "DIR")]
    log_dir: PathBuf,
    /// Exactly this run directory, for schedulers: made if it is not there, gone on with if it holds this very run
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = ["log_dir", "dry_run", "resume", "replay"])]
    into: Option<PathBuf>,
    /// Say what would be spent, and spend nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on with a run that was stopped or killed; what it has is not asked again
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = ["dry_run", "replay"])]
    resume: Option<PathBuf>,
    /// Grade the replies of a run anew, without asking anybody
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = ["dry_run", "model", "suite", "preset", "items", "task"])]
    #[arg(conflicts_with_all = ["limit", "epochs", "prompt"])]
    replay: Option<PathBuf>,
    /// Judge the replies of a batch, without asking anybody: its output and error files; model, items, prompt and parameters
    /// as they were for `harness export --to openai-batch`
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["dry_run", "resume", "replay"])]
    import_batch: Vec<PathBuf>,
    /// End with exit code 1 if the provider was in trouble over any question
    #[arg(long)]
    fail_on_error: bool,
    /// End with exit code 100 if a model is right less often than this at a task, from 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = gate::share)]
    fail_below: Option<f64>,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    budget: budget::Flags,
    #[command(flatten)]
    way: Way,
}

impl Args {
    /// Evaluates, or goes on, or grades anew.
    pub(super) fn run(&self, homes: &Homes, given: &Given) -> Result<(), Failure> {
        if let Some(path) = &self.replay {
            idle(self.way.given(), "with --replay, which asks nobody")?;
            let setting = setting(homes, signals::worker_stopper()?);
            let outcome = eval::replay(path, &self.log_dir, self.way.strictness(), &setting)?;
            return self.show(&outcome.figures, Status::Complete, &Conditions::default());
        }
        let earlier = self.resume.as_deref().map(|path| Earlier::open(path, homes)).transpose()?;
        let evaluation = match &earlier {
            None => self.evaluation(None, given, homes)?,
            Some(earlier) => match &earlier.manifest.plan {
                Plan::Eval(plan) => self.evaluation(Some(plan), given, homes)?,
                other => return Err(super::attack::other_verb(earlier, other)),
            },
        };
        let conditions = self.conditions(earlier.as_ref().map(|earlier| &earlier.manifest.conditions), given);
        if self.dry_run {
            return self.show_bills(&evaluation, &conditions);
        }
        let place = match (earlier, &self.into) {
            (Some(earlier), _) => Place::Earlier(Box::new(earlier)),
            (None, Some(path)) => Place::Exactly(path.clone()),
            (None, None) => Place::Below(self.log_dir.clone()),
        };
        let Outcome { figures, status, .. } = if self.import_batch.is_empty() {
            asking(homes, async |setting| Ok(eval::run(&evaluation, &conditions, place, setting).await?))?
        } else {
            let setting = setting(homes, signals::worker_stopper()?);
            eval::import(&evaluation, &conditions, place, &self.import_batch, &setting)?
        };
        self.show(&figures, status, &conditions)
    }

    fn conditions(&self, earlier: Option<&Conditions>, given: &Given) -> Conditions {
        self.budget.limit(self.way.conditions(earlier, given), given)
    }

    /// What the flags say, or of a run that goes on what it began with.
    fn evaluation(&self, earlier: Option<&EvalPlan>, given: &Given, homes: &Homes) -> Result<Evaluation, Failure> {
        if let Some(plan) = earlier.filter(|_| !given.any(&OF_PLAN)) {
            return Ok(Evaluation::of(plan.clone(), homes)?);
        }
        let prompts = match earlier.filter(|_| !given.has("prompt")) {
            Some(plan) => Evaluation::of(plan.clone(), homes)?.prompts,
            None => prompts(&self.prompt)?,
        };
        let models = self.models(earlier, given)?;
        let selection = self.items.selection(self.shard, earlier, given);
        let epochs = pick(given.has("epochs"), self.epochs, earlier.map(|plan| plan.epochs));
        let evaluation = Evaluation::new(selection, models, prompts, epochs, homes)?;
        all_fit(&self.prompt, &evaluation.asked.asks())?;
        Ok(evaluation)
    }

    fn models(&self, earlier: Option<&EvalPlan>, given: &Given) -> Result<Vec<Examinee>, Failure> {
        match earlier.filter(|_| !given.has("model")) {
            Some(plan) => plan.models.iter().map(|model| self.way.again(model, given)).collect(),
            None => self.model.iter().map(|name| self.way.examinee(name)).collect(),
        }
    }

    fn show_bills(&self, evaluation: &Evaluation, conditions: &Conditions) -> Result<(), Failure> {
        let bills = evaluation.bills(conditions)?;
        bill::show(&bills, conditions.cost_limit, self.json.then(|| serde_json::json!({ "bills": bills })))
    }

    fn show(&self, figures: &EvaluationFigures, status: Status, conditions: &Conditions) -> Result<(), Failure> {
        if self.json {
            print_json(figures)?
        } else {
            show::show(figures)?
        }
        if status != Status::Complete {
            let costs = figures.rows.iter().map(|row| row.cost_usd);
            let is_spent = conditions.allowance().is_spent(costs.sum());
            ended_early("eval", &figures.run_dir.to_string_lossy(), is_spent)?;
        }
        let trouble = |verdict: &Verdict| !verdict.is_reply();
        let troubled: u64 = figures
            .rows
            .iter()
            .flat_map(|row| row.verdicts.iter().filter(|(verdict, _)| trouble(verdict)).map(|(_, count)| count))
            .sum();
        if self.fail_on_error && troubled > 0 {
            let problem = format!("the provider was in trouble over {troubled} questions (--fail-on-error)");
            return Err(Failure::Error(anyhow::anyhow!(problem)));
        }
        self.judge(figures, status)
    }

    /// Holds every row against `--fail-below`.
    fn judge(&self, figures: &EvaluationFigures, status: Status) -> Result<(), Failure> {
        let Some(least) = self.fail_below else { return Ok(()) };
        let gate = Gate::at_least("--fail-below", least);
        let stopped = (status != Status::Complete).then_some(gate::STOPPED);
        if stopped.is_some() || figures.rows.is_empty() {
            gate.judge("any model", "is right", None, stopped)?;
        }
        for row in &figures.rows {
            gate.judge(&format!("{} ({})", row.model, row.task), "is right", row.accuracy_strict, None)?;
        }
        Ok(())
    }
}
