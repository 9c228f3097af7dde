//! Owns `harness attack`: resolves flags, runs the search with everything around it, and shows what came of it.

mod show;

use super::again;
use super::bill::{self, Bill};
use super::budget;
use super::connect::{Connection, Flags};
use super::disagreement::disagreement;
use super::flags::{belongs, fits};
use super::gate::{self, Gate};
use super::progress::{Progress, RoundLog, ShrinkProgress, watch};
use super::resume::{self, Earlier};
use super::shrink::{self, CONFIRM, QUERY_BUDGET, Shrinking};
use super::{Failure, Verb, print_json, runtime, say, signals};
use crate::ask::models::ModelEntry;
use crate::ask::prompt::Prompt;
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
use crate::learn::device::Device;
use crate::learn::pretrained::Pretrained;
use crate::report::figures::AttackFigures;
use crate::report::summary::write_summary;
use crate::run::clock::Stamp;
use crate::run::command::quoted;
use crate::run::dir::{RunDir, RunName};
use crate::run::homes::Homes;
use crate::run::manifest::{self, Manifest, Plan, Status};
use crate::run::preset::Preset;
use crate::run::shrunk::Shrunk;
use crate::run::sink::{JsonlSink, read_records};
use crate::seed::Seed;
use crate::weave::recipe::{GENERATOR, RecipeError};
use crate::weave::weaver::Loom;
use clap::ValueEnum;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Weave programs that a model mispredicts, and learn to weave more of them
#[derive(Debug, clap::Args)]
pub struct Args {
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
    #[arg(long, default_value_t = 2000, value_name = "N")]
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
    #[arg(long, default_value_t = QUERY_BUDGET, value_name = "N", requires = "shrink")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    shrink_budget: u64,
    /// Prompt file, in place of the shipped one of the task
    #[arg(long, value_name = "FILE")]
    pub(super) prompt: Option<PathBuf>,
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
    pub(super) asking: Flags,
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

/// Flags, resolved.
struct Resolved {
    preset: Preset,
    prompt: Prompt,
    entry: ModelEntry,
    loom: Arc<Loom>,
    source: ItemSource,
    baseline: bool,
    policy: Option<Pretrained>,
    device: Processor,
}

impl Args {
    /// Attacks, or goes on with an attack; writes a run directory and prints its figures.
    pub fn run(&self, homes: &Homes) -> Result<(), Failure> {
        let Some(path) = &self.resume else { return self.carry_out(None, homes) };
        match Earlier::reopen(path, "attack", homes)? {
            (earlier, Verb::Attack(args)) if earlier.is_complete() => {
                args.is_same(&earlier)?;
                let figures = write_summary(&earlier.dir).map_err(Failure::unread)?;
                say("the run is complete; nothing is left to ask");
                args.told(&figures, &Shrinking::default(), &earlier.dir, Status::Complete)
            }
            (earlier, Verb::Attack(args)) => args.carry_out(Some(earlier), homes),
            _ => unreachable!("its verb was looked at"),
        }
    }

    fn carry_out(&self, earlier: Option<Earlier>, homes: &Homes) -> Result<(), Failure> {
        let resolved = self.resolve()?;
        self.budget.check(std::slice::from_ref(&resolved.entry))?;
        if self.dry_run {
            return self.show_bill(&resolved);
        }
        let like = self.like.as_deref().map(|path| homes.open(path)).transpose().map_err(Failure::usage)?;
        runtime()?.block_on(self.attack(resolved, (earlier, like), homes))
    }

    /// What names and files stand for.
    fn resolve(&self) -> Result<Resolved, Failure> {
        self.check_strategy()?;
        if self.shrink > 0 {
            shrink::enough("--shrink-budget", self.shrink_budget, CONFIRM)?;
        }
        let preset = Preset::load(&self.preset).map_err(Failure::usage)?;
        let prompt = match &self.prompt {
            Some(path) => Prompt::load(path).map_err(Failure::usage)?,
            None => Prompt::shipped(preset.task),
        };
        fits(&prompt, &[preset.task])?;
        let entry = self.asking.entry()?;
        let baseline = !self.no_baseline && (self.baseline || entry.provider.is_resident());
        let loom = Arc::new(Loom::new(preset.weave.clone()));
        let source = preset.source(&loom);
        let policy = self.policy.as_deref().map(Pretrained::load).transpose().map_err(Failure::usage)?;
        let device = self.device.open().map_err(Failure::usage)?;
        Ok(Resolved { preset, prompt, entry, loom, source, baseline, policy, device })
    }

    /// Refuses flags that would ask something else than a complete run has asked.
    fn is_same(&self, earlier: &Earlier) -> Result<(), Failure> {
        let resolved = self.resolve()?;
        let model = resolved.entry.name();
        earlier.is_same(&self.manifest(&resolved, &model, Stamp::now())?)
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

    async fn attack(
        &self,
        resolved: Resolved,
        (earlier, like): (Option<Earlier>, Option<RunDir>),
        homes: &Homes,
    ) -> Result<(), Failure> {
        // First everything that can refuse to start; the directory is made when nothing can any more.
        let connection = self
            .asking
            .way
            .connect(resolved.entry.clone(), std::slice::from_ref(&resolved.source), Seed::new(self.seed))
            .await?;
        let mut search = self.search(&resolved, &connection, like.as_ref())?;
        let started = Stamp::now();
        let model = connection.entry.name();
        let begun = self.manifest(&resolved, &model, started)?;
        let is_new = earlier.is_none();
        let (dir, mut manifest) = match earlier {
            Some(earlier) => {
                search.known = Known::of(read_records(&earlier.dir).map_err(Failure::unread)?.rows);
                (earlier.dir.clone(), earlier.go_on(&begun)?)
            }
            None => {
                let (preset, strategy) = (&*self.preset, begun.plan.strategy.as_deref());
                let name = RunName { verb: "attack", strategy, preset, model: Some(&model), seed: self.seed };
                (homes.create(&self.log_dir, &name, &begun.started).map_err(Failure::usage)?, begun)
            }
        };
        manifest.write(&dir)?;
        let mut sink = JsonlSink::open(&dir)?;
        let (budget, stop) = self.budget.open();
        let prices = resolved.entry.prices_here();
        let mut progress = Progress::new(self.query_budget, RoundLog::open(&dir)?, budget, prices);
        let watching = tokio::spawn(watch(progress.line(), vec![connection.meter.clone()], || None));
        let clock = Instant::now();
        let ended = search.run(&mut sink, &mut progress, stop.clone()).await;
        watching.abort();
        progress.finish();
        connection.tell_cache();
        // What went wrong is kept first: nothing that is written after it may hide it.
        let (status, failure) = match ended {
            Ok(Finish::Complete) => (Status::Complete, None),
            Ok(Finish::Stopped) => (Status::Interrupted, None),
            Err(AttackError::Model(error)) if error.is_fatal() && sink.is_empty() && is_new => {
                // Nobody was asked anything: a wrong key or name, and nothing worth keeping.
                std::fs::remove_dir_all(dir.path())?;
                return Err(Failure::refused(&model, &error));
            }
            Err(error) => (Status::Interrupted, Some(explain(error, &dir))),
        };
        manifest.model_returned = progress.model_returned.take();
        manifest.end(status, Stamp::now(), clock.elapsed());
        let written = conclude(&mut manifest, &*search.strategy, &dir);
        if let Some(failure) = failure {
            return Err(failure);
        }
        let figures = written?;
        let shrinking = if status == Status::Complete && self.shrink > 0 {
            let told = ShrinkProgress::new(progress.into_budget(), resolved.entry.prices_here());
            let limits = (CONFIRM, self.shrink_budget);
            let shrinker = shrink::shrinker(&self.asking.way, &connection, resolved.prompt.clone(), limits);
            let shrinking = shrink::shrink_best(&dir, self.shrink, shrinker, told, stop).await?;
            // The summary says what that cost.
            write_summary(&dir)?;
            shrinking
        } else {
            Shrinking::default()
        };
        self.told(&figures, &shrinking, &dir, status)
    }

    /// Shows the figures and what was cut down, and holds the figures against `--fail-miss-above`.
    fn told(
        &self,
        figures: &AttackFigures,
        shrinking: &Shrinking,
        dir: &RunDir,
        status: Status,
    ) -> Result<(), Failure> {
        if self.json {
            print_json(&Outcome { figures, shrunk: &shrinking.shrunk })?;
        } else {
            show::show(figures, dir)?;
            shrinking.show(dir)?;
        }
        if status != Status::Complete {
            resume::ended_early("attack", &dir.name())?;
        } else if shrinking.stopped {
            let best = self.shrink;
            signals::ended_early(&format!(
                "the attack is complete; go on with: harness shrink {} --best {best}",
                quoted(&dir.name())
            ))?;
        }
        let Some(most) = self.fail_miss_above else { return Ok(()) };
        let (who, stopped) = (figures.model.as_deref().unwrap_or("the model"), status != Status::Complete);
        let figure = figures.miss_rate.filter(|_| !stopped);
        Gate::at_most("--fail-miss-above", most).judge(who, "is wrong", figure, stopped.then_some(gate::STOPPED))
    }

    fn search(&self, resolved: &Resolved, connection: &Connection, like: Option<&RunDir>) -> Result<Search, Failure> {
        let (preset, seed) = (&resolved.preset, Seed::new(self.seed));
        let strategy: Box<dyn Strategy> = match self.strategy {
            StrategyName::Ppo => Box::new(Ppo::new(
                (resolved.loom.clone(), resolved.source.maker().places()),
                &preset.prior,
                resolved.policy.as_ref().map_or(Start::Untrained(&preset.policy), Start::Trained),
                preset.ppo.clone(),
                &resolved.device,
                seed.child("ppo"),
            )?),
            StrategyName::Random => Box::new(Random::new(resolved.loom.clone())),
            StrategyName::Matched => Box::new(matched(&resolved.loom, like.expect("the flag is required"))?),
            StrategyName::Evolve => Box::new(Evolve::new(resolved.loom.clone(), &preset.prior)),
            StrategyName::MapElites => {
                Box::new(Elites::new(resolved.loom.clone(), &preset.prior, seed.child("map-elites")))
            }
        };
        let predicts = self.strategy == StrategyName::Ppo && !self.no_predictor;
        Ok(Search {
            loom: resolved.loom.clone(),
            maker: resolved.source.maker(),
            reward: preset.reward,
            config: preset.attack,
            strategy,
            cover: Cover::new(resolved.loom.clone(), &preset.prior),
            predictor: predicts.then(|| Predictor::new(seed.child("predictor"))),
            baseline: resolved.baseline,
            examiner: again::examiner(&self.asking.way, connection, resolved.prompt.clone()),
            seed,
            query_budget: self.query_budget,
            known: Known::default(),
        })
    }

    fn manifest(&self, resolved: &Resolved, model: &str, started: Stamp) -> Result<Manifest, Failure> {
        let request = self.asking.way.request(&resolved.entry)?;
        let prompt = manifest::Prompt { name: resolved.prompt.id(), hash: resolved.prompt.hash.clone() };
        let config = serde_yaml::to_value(&resolved.preset)?;
        let plan = Plan {
            verb: "attack".into(),
            seed: self.seed,
            strategy: self.strategy.to_possible_value().map(|value| value.get_name().to_owned()),
            preset: manifest::Preset { name: self.preset.clone(), config },
            prompt: Some(prompt),
            model: Some(model.into()),
            policy: resolved.policy.as_ref().map(Pretrained::hash).transpose()?,
            request,
            query_budget: Some(self.query_budget),
            evaluation: None,
        };
        let mut manifest = Manifest::begin(plan, std::env::args(), self.asking.way.max_connections, started);
        manifest.price_table_date = resolved.entry.prices.as_ref().map(|prices| prices.as_of.clone());
        manifest.prices = resolved.entry.prices_here();
        Ok(manifest)
    }

    /// Tokens are reckoned from prompts of programs as the run would weave them first.
    fn show_bill(&self, resolved: &Resolved) -> Result<(), Failure> {
        const SAMPLE: u32 = 50;
        let mut random = Random::new(resolved.loom.clone());
        let seed = Seed::new(self.seed).child("dry run");
        let seeds: Vec<Seed> = (0..SAMPLE).map(|at| seed.indexed("program", at.into())).collect();
        let mut maker = resolved.source.maker();
        let (mut characters, mut prompts) = (0, 0u32);
        for (woven, seed) in random.weave(&seeds)?.iter().zip(&seeds) {
            if let Some(Draft { item, .. }) =
                maker.make(&woven.weaver, String::new(), Placement::Random(&mut seed.child("probe").rng()))
            {
                let messages = resolved.prompt.render(&item)?;
                characters += messages.iter().map(|message| message.content.chars().count() as u64).sum::<u64>();
                prompts += 1;
            }
        }
        let baseline = if resolved.baseline { self.query_budget } else { 0 };
        let characters = characters as f64 / f64::from(prompts.max(1));
        let most = self.asking.way.max_reply_tokens();
        let shrink = (self.shrink > 0).then(|| self.shrink_budget.saturating_mul(self.shrink as u64));
        let bill = Bill::new(&resolved.entry, (self.query_budget, Some(baseline), shrink), characters, most);
        bill::show(std::slice::from_ref(&bill), self.budget.cost_limit(), self.json.then_some(&bill))
    }
}

/// Like the programs that the run named by `--like` asked about.
fn matched(loom: &Arc<Loom>, dir: &RunDir) -> Result<Matched, Failure> {
    let records = read_records(dir).map_err(Failure::unread)?.rows;
    let mut asked: Vec<&Record> = records.iter().filter(|record| record.purpose == Purpose::Attack).collect();
    asked.sort_by_key(|record| (record.round, record.index));
    if let Some(recipe) = asked.iter().map(|record| &record.item.recipe).find(|recipe| recipe.generator != GENERATOR) {
        let found = recipe.generator.clone();
        return Err(Failure::usage(RecipeError::Generator { found }));
    }
    let programs = asked.iter().map(|record| record.item.recipe.actions.as_slice());
    Matched::new(loom.clone(), programs).map_err(|error| {
        Failure::usage(anyhow::anyhow!("{error}: the attack in {} asked nothing; name another", dir.name()))
    })
}

/// What `--json` prints.
#[derive(serde::Serialize)]
struct Outcome<'a> {
    #[serde(flatten)]
    figures: &'a AttackFigures,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    shrunk: &'a [Shrunk],
}

/// Writes what is made of the records.
fn conclude(manifest: &mut Manifest, strategy: &dyn Strategy, dir: &RunDir) -> Result<AttackFigures, Failure> {
    manifest.note([dir.records().as_path()])?;
    manifest.write(dir)?;
    strategy.save(&dir.checkpoint())?;
    Ok(write_summary(dir)?)
}

/// A disagreement is saved where it can be studied.
fn explain(error: AttackError, dir: &RunDir) -> Failure {
    match &error {
        AttackError::Disagreement { draft, .. } => disagreement(&error, draft, dir),
        _ => error.into(),
    }
}
