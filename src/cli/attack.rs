//! Owns `harness attack`: its flags, and what came of it.

mod show;

use super::asking::Flags;
use super::bill;
use super::budget;
use super::flags::{belongs, fits};
use super::gate::{self, Gate};
use super::given::{Given, pick};
use super::shrink::enough;
use super::{Failure, asking, ended_early, print_json};
use crate::ask::prompt::Prompt;
use crate::job::attack::{self, Outcome, QUERY_BUDGET};
use crate::job::runs::{Earlier, Place};
use crate::job::shrink::{self, ShrinkLimits};
use crate::learn::device::Device;
use crate::learn::pretrained::Pretrained;
use crate::report::figures::AttackFigures;
use crate::run::homes::Homes;
use crate::run::manifest::Status;
use crate::run::plan::{self, AttackPlan, Conditions, Examinee, Plan, PolicyFile, ShrinkBest, StrategyPlan};
use crate::run::preset::Preset;
use crate::run::shrunk::Shrunk;
use clap::ValueEnum;
use std::path::PathBuf;

/// Weave programs that a model mispredicts, and learn to weave more of them
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Preset: a name in policies/, or a file
    #[arg(long, default_value = "policies/stack.yaml", value_name = "NAME|FILE")]
    preset: String,
    /// Who chooses the programs
    #[arg(long, value_enum, default_value_t = StrategyName::Ppo, value_name = "NAME")]
    strategy: StrategyName,
    /// `--strategy matched`: the run directory of an attack whose programs it is to be like
    #[arg(long, value_name = "RUN_DIR", required_if_eq("strategy", "matched"))]
    like: Option<PathBuf>,
    /// `--strategy ppo`: ask all that the policy weaves, as the original does; by default a predictor chooses among many
    /// programs, as long as it proves right
    #[arg(long)]
    no_predictor: bool,
    /// `--strategy ppo`: a policy to start from, as `harness train` keeps it; it may know another preset
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// `--strategy ppo`: where updates compute, cpu, cuda or metal
    #[arg(long, default_value_t = Device::Cpu, value_name = "DEVICE")]
    device: Device,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Requests to spend, confirmations included (the baseline's are apart)
    #[arg(long, default_value_t = QUERY_BUDGET, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    query_budget: u64,
    /// Ask the random baseline too; by default only where asking is free
    #[arg(long, conflicts_with = "no_baseline")]
    baseline: bool,
    /// Ask no random baseline
    #[arg(long)]
    no_baseline: bool,
    /// Then cut K misses down that were missed again, as `harness shrink --best K` does
    #[arg(long, default_value_t = 0, value_name = "K")]
    shrink: usize,
    /// Requests at most to cut down each of them, beyond --query-budget
    #[arg(long, default_value_t = shrink::QUERY_BUDGET, value_name = "N", requires = "shrink")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    shrink_budget: u64,
    /// Prompt file, in place of the shipped one of the task
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
    /// Where run directories go
    #[arg(long, default_value = "results", value_name = "DIR")]
    log_dir: PathBuf,
    /// Say what would be spent, and spend nothing
    #[arg(long)]
    dry_run: bool,
    /// End with exit code 100 if the model is wrong on more of its finished replies than this, from 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = gate::share)]
    fail_miss_above: Option<f64>,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
    /// Go on with a run that was stopped or killed; what it has is not asked again
    #[arg(long, value_name = "RUN_DIR", conflicts_with = "dry_run")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    budget: budget::Flags,
    #[command(flatten)]
    asking: Flags,
}

/// The strategies by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StrategyName {
    /// A masked policy learns from every batch of verdicts
    Ppo,
    /// Chance, both over actions and over categories
    Random,
    /// Chance, with the length and the instructions of the programs of another attack (--like)
    Matched,
    /// Mutation and selection on the choices that made a program
    Evolve,
    /// Mutation of the best program of each cell: construct, fuel and verdict
    MapElites,
}

/// What `--json` prints.
#[derive(serde::Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    figures: &'a AttackFigures,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    shrunk: &'a [Shrunk],
}

impl Args {
    /// Attacks, or goes on with an attack; writes a run directory and prints its figures.
    pub(super) fn run(&self, homes: &Homes, given: &Given) -> Result<(), Failure> {
        let earlier = self.resume.as_deref().map(|path| Earlier::open(path, homes)).transpose()?;
        let plan = match &earlier {
            None => self.plan(None, given)?,
            Some(earlier) => match &earlier.manifest.plan {
                Plan::Attack(plan) => self.plan(Some(plan), given)?,
                other => return Err(other_verb(earlier, other)),
            },
        };
        let conditions = self.conditions(earlier.as_ref().map(|earlier| &earlier.manifest.conditions), given);
        if self.dry_run {
            return self.show_bill(&plan, &conditions);
        }
        let place = match earlier {
            Some(earlier) => Place::Earlier(Box::new(earlier)),
            None => Place::Below(self.log_dir.clone()),
        };
        let outcome = asking(homes, async |setting| Ok(attack::run(&plan, &conditions, place, setting).await?))?;
        self.told(&outcome, &conditions)
    }

    fn conditions(&self, earlier: Option<&Conditions>, given: &Given) -> Conditions {
        let conditions = self.budget.limit(self.asking.way.conditions(earlier, given), given);
        Conditions { device: pick(given.has("device"), self.device, Some(conditions.device)), ..conditions }
    }

    /// What the flags say, or of a run that goes on what it began with.
    fn plan(&self, earlier: Option<&AttackPlan>, given: &Given) -> Result<AttackPlan, Failure> {
        let model = self.model(earlier, given)?;
        let begun = self.begun(earlier, &model, given)?;
        let prompt = match &self.prompt {
            Some(path) => {
                let prompt = Prompt::load(path).map_err(Failure::usage)?;
                fits(&prompt, &[Preset::of_plan(&begun.preset).map_err(Failure::usage)?.task])?;
                plan::Prompt::of(&prompt)
            }
            None => begun.prompt.clone(),
        };
        Ok(AttackPlan {
            seed: pick(given.has("seed"), self.seed, Some(begun.seed)),
            strategy: self.strategy(&begun.strategy, given)?,
            query_budget: pick(given.has("query_budget"), self.query_budget, Some(begun.query_budget)),
            baseline: pick(given.any(&["baseline", "no_baseline"]), self.baseline, Some(begun.baseline)),
            shrink: self.shrinking(begun.shrink, given)?,
            preset: begun.preset,
            prompt,
            model,
        })
    }

    /// What flags change: the usual attack, or that of a run that goes on.
    fn begun(&self, earlier: Option<&AttackPlan>, model: &Examinee, given: &Given) -> Result<AttackPlan, Failure> {
        let usual = || attack::usual(&self.preset, model.clone());
        Ok(match earlier {
            None => usual()?,
            Some(earlier) if given.has("preset") => {
                let AttackPlan { preset, prompt, .. } = usual()?;
                AttackPlan { preset, prompt, ..earlier.clone() }
            }
            Some(earlier) => {
                let preset = Preset::of_plan(&earlier.preset).map_err(Failure::usage)?;
                AttackPlan { preset: preset.named(&earlier.preset.name), ..earlier.clone() }
            }
        })
    }

    fn model(&self, earlier: Option<&AttackPlan>, given: &Given) -> Result<Examinee, Failure> {
        match earlier.filter(|_| !given.has("model")) {
            Some(earlier) => self.asking.way.again(&earlier.model, given),
            None => self.asking.way.examinee(&self.asking.model),
        }
    }

    fn shrinking(&self, begun: Option<ShrinkBest>, given: &Given) -> Result<Option<ShrinkBest>, Failure> {
        if !given.any(&["shrink", "shrink_budget"]) {
            return Ok(begun);
        }
        if self.shrink == 0 {
            return Ok(None);
        }
        let limits = ShrinkLimits { query_budget: self.shrink_budget, ..ShrinkLimits::default() };
        enough("--shrink-budget", limits)?;
        Ok(Some(ShrinkBest { best: self.shrink, query_budget: self.shrink_budget }))
    }

    fn strategy(&self, begun: &StrategyPlan, given: &Given) -> Result<StrategyPlan, Failure> {
        const OF_STRATEGY: [&str; 4] = ["strategy", "like", "no_predictor", "policy"];
        self.check_strategy()?;
        if !given.any(&OF_STRATEGY) {
            return Ok(begun.clone());
        }
        Ok(match self.strategy {
            StrategyName::Ppo => StrategyPlan::Ppo { predictor: !self.no_predictor, policy: self.policy_file()? },
            StrategyName::Random => StrategyPlan::Random,
            StrategyName::Matched => StrategyPlan::Matched { like: self.like.clone().unwrap_or_default() },
            StrategyName::Evolve => StrategyPlan::Evolve,
            StrategyName::MapElites => StrategyPlan::MapElites,
        })
    }

    fn policy_file(&self) -> Result<Option<PolicyFile>, Failure> {
        let Some(file) = self.policy.clone() else { return Ok(None) };
        let hash = Pretrained::load(&file).map_err(Failure::usage)?.hash()?;
        Ok(Some(PolicyFile { file, hash }))
    }

    /// Refuses flags of another strategy than the one that is chosen.
    fn check_strategy(&self) -> Result<(), Failure> {
        let flags = [
            (self.like.is_some(), "--like", &[StrategyName::Matched]),
            (self.no_predictor, "--no-predictor", &[StrategyName::Ppo]),
            (self.policy.is_some(), "--policy", &[StrategyName::Ppo]),
            (self.device != Device::Cpu, "--device", &[StrategyName::Ppo]),
        ];
        belongs(
            "--strategy",
            flags.map(|(is_given, flag, of)| (is_given && !of.contains(&self.strategy), flag, &of[..])),
        )
    }

    /// Shows the figures and what was cut down, and holds the figures against `--fail-miss-above`.
    fn told(&self, outcome: &Outcome, conditions: &Conditions) -> Result<(), Failure> {
        let Outcome { dir, status, figures, shrinking } = outcome;
        if self.json {
            print_json(&Report { figures, shrunk: &shrinking.shrunk })?;
        } else {
            show::show(figures, dir)?;
            super::shrink::show(shrinking, dir)?;
        }
        let stopped = *status != Status::Complete;
        let spent = figures.spending.cost_usd;
        if stopped {
            ended_early("attack", &dir.name(), conditions.allowance().is_spent(spent))?;
        } else if shrinking.stopped {
            let all = spent.zip(shrinking.spent.cost_usd).map(|(asked, cut)| asked + cut);
            ended_early("attack", &dir.name(), conditions.allowance().is_spent(all))?;
        }
        let Some(most) = self.fail_miss_above else { return Ok(()) };
        let who = figures.model.as_deref().unwrap_or("the model");
        let figure = figures.miss_rate.filter(|_| !stopped);
        Gate::at_most("--fail-miss-above", most).judge(who, "is wrong", figure, stopped.then_some(gate::STOPPED))
    }

    fn show_bill(&self, plan: &AttackPlan, conditions: &Conditions) -> Result<(), Failure> {
        let bill = attack::bill(plan, conditions)?;
        bill::show(std::slice::from_ref(&bill), conditions.cost_limit, self.json.then_some(&bill))
    }
}

/// A run that another verb made cannot go on with this one.
pub(super) fn other_verb(earlier: &Earlier, plan: &Plan) -> Failure {
    let (path, was) = (earlier.dir.name(), plan.verb());
    let todo = match plan {
        Plan::Train(_) => "which begins anew each time; an attack takes its policy with --policy",
        _ => "resume it with that verb",
    };
    Failure::usage(anyhow::anyhow!("{path} is a run of `harness {was}`; {todo}"))
}
