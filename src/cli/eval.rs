//! Owns `harness eval`: several models on the same items, and what came of it.
//!
//! Must not know how items are made, asked or judged.

pub(super) mod asked;
mod imported;
pub(super) mod keep;
mod replay;
pub(super) mod show;
mod woven;

use super::bill::{self, Bill};
use super::budget;
use super::connect::{Connection, Way};
use super::flags::{all_fit, idle, prompts};
use super::gate::{self, Gate};
use super::resume::{self, Earlier};
use super::{Failure, Verb, print_json, runtime, say};
use crate::ask::evaluate::{Candidate, Place, Prompts, Subject, evaluate};
use crate::ask::models::{ModelEntry, Prices};
use crate::ask::pipeline::{Ended, StopSignal};
use crate::ask::prompt::Prompt;
use crate::item::record::Verdict;
use crate::report::evaluation::EvaluationFigures;
use crate::run::clock::Stamp;
use crate::run::dir::{MANIFEST, RunDir, RunName};
use crate::run::homes::Homes;
use crate::run::intact;
use crate::run::manifest::{self, Evaluation, Examinee, Manifest, Plan, Status};
use crate::run::order::put_in_order;
use crate::run::shard::Shard;
use crate::seed::Seed;
use asked::Asked;
use futures::{Stream, StreamExt, stream};
use keep::{Keep, KeepError};
use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use woven::Woven;

/// Ask models about the same seeded items, and see how often each is right
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model to ask, as for `attack`; may be given several times
    #[arg(long, value_name = "MODEL", default_value = "sim/novice")]
    model: Vec<String>,
    #[command(flatten)]
    asked: asked::Flags,
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

/// A model, and where to ask it.
struct Examined {
    connection: Connection,
    candidate: Candidate,
    prices: Option<Prices>,
    /// What of it is known already.
    known: HashSet<Place>,
}

impl Args {
    /// Evaluates, or goes on, or grades anew.
    pub fn run(&self, homes: &Homes) -> Result<(), Failure> {
        if let Some(path) = &self.replay {
            idle(self.way.given(), "with --replay, which asks nobody")?;
            let figures = replay::replay(path, &self.log_dir, self.way.strictness(), homes)?;
            return self.show(&figures, Status::Complete);
        }
        if !self.import_batch.is_empty() {
            return self.show(&imported::import(self, &self.import_batch, homes)?, Status::Complete);
        }
        let Some(path) = &self.resume else { return self.carry_out(None, homes) };
        match Earlier::reopen(path, "eval", homes)? {
            (earlier, Verb::Eval(args)) => args.carry_out(Some(earlier), homes),
            _ => unreachable!("its verb was looked at"),
        }
    }

    fn carry_out(&self, earlier: Option<Earlier>, homes: &Homes) -> Result<(), Failure> {
        let entries = self.model.iter().map(|name| self.way.entry(name)).collect::<Result<Vec<_>, _>>()?;
        if let Some(at) = (1..entries.len()).find(|&at| entries[..at].contains(&entries[at])) {
            let problem = format!("--model {} is given twice; leave one out", entries[at].name());
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        }
        self.budget.check(&entries)?;
        let prompts = prompts(&self.prompt)?;
        let asked = Arc::new(self.asked.resolve(self.shard, homes)?);
        all_fit(&self.prompt, &asked.asks())?;
        if self.dry_run {
            return self.show_bills(&entries, &prompts, &asked);
        }
        let plan = self.plan(&entries, &prompts, &asked)?;
        let started = Stamp::now();
        let begun = Manifest::begin(plan, std::env::args(), self.way.max_connections, started);
        let earlier = earlier.map_or_else(|| self.earlier(homes), |earlier| Ok(Some(earlier)))?;
        let (is_new, is_complete) = (earlier.is_none(), earlier.as_ref().is_some_and(Earlier::is_complete));
        if !is_complete {
            entries.iter().try_for_each(|entry| self.way.check(entry))?;
        }
        let (dir, mut manifest) = match earlier {
            Some(earlier) => (earlier.dir.clone(), earlier.go_on(&begun)?),
            None => (self.new_dir(&entries, &asked.label, &begun.started, homes)?, begun),
        };
        if is_complete {
            return self.show_complete(&dir);
        }
        manifest.write(&dir)?;
        if manifest.fingerprint.is_some() && manifest.extent(&dir.items()).is_none() {
            manifest.note([dir.items().as_path()])?;
        }
        // Nothing is asked about items that are not those of the run.
        intact::check(&dir.items(), &manifest).map_err(Failure::unread)?;
        // At the end the records are put in order: what is known of them is looked at now, and noted again then.
        intact::check(&dir.records(), &manifest).map_err(Failure::unread)?;
        manifest.forget(&dir.records());
        manifest.write(&dir)?;
        let clock = Instant::now();
        let ended = runtime()?.block_on(self.ask(&entries, &prompts, &asked, (&dir, &mut manifest)));
        let (status, failure) = match ended {
            Ok(status) => (status, None),
            Err(failure) => (Status::Interrupted, Some(failure)),
        };
        if is_new && failure.as_ref().is_some_and(Failure::is_refusal) && keep::is_empty(&dir) {
            // Nobody was asked anything: a wrong key or name, and nothing worth keeping.
            std::fs::remove_dir_all(dir.path())?;
            return Err(failure.expect("there is one"));
        }
        if status == Status::Complete {
            put_in_order(&dir, manifest.plan.evaluation.as_ref().expect("the plan is of one"))?;
        }
        manifest.end(status, Stamp::now(), clock.elapsed());
        manifest.note([dir.items().as_path(), &dir.records()])?;
        manifest.write(&dir)?;
        let figures = keep::figures(&dir)?;
        match failure {
            Some(failure) => Err(failure),
            None => self.show(&figures, status),
        }
    }

    fn show_complete(&self, dir: &RunDir) -> Result<(), Failure> {
        intact::check(&dir.items(), &Manifest::read(dir).map_err(Failure::unread)?).map_err(Failure::unread)?;
        let figures = keep::figures(dir)?;
        say("the run is complete; nothing is left to ask");
        self.show(&figures, Status::Complete)
    }

    /// The run that is gone on with, by `--into`.
    fn earlier(&self, homes: &Homes) -> Result<Option<Earlier>, Failure> {
        let Some(path) = &self.into else { return Ok(None) };
        let is_there = homes.bring(path).map_err(Failure::usage)?.join(MANIFEST).exists();
        is_there.then(|| Earlier::open(path, homes)).transpose()
    }

    /// The directory of a new run.
    fn new_dir(&self, entries: &[ModelEntry], label: &str, started: &Stamp, homes: &Homes) -> Result<RunDir, Failure> {
        if let Some(path) = &self.into {
            return homes.create_at(path).map_err(Failure::usage);
        }
        let model = if let [entry] = entries { entry.name() } else { format!("{}-models", entries.len()) };
        let part = self.shard.map(|shard| format!("{model}-part{}of{}", shard.at() + 1, shard.of()));
        let model = part.unwrap_or(model);
        let name = RunName { verb: "eval", strategy: None, preset: label, model: Some(&model), seed: self.asked.seed };
        homes.create(&self.log_dir, &name, started).map_err(Failure::usage)
    }

    /// Asks everybody at once.
    async fn ask(
        &self,
        entries: &[ModelEntry],
        prompts: &Prompts,
        asked: &Arc<Asked>,
        (dir, manifest): (&RunDir, &mut Manifest),
    ) -> Result<Status, Failure> {
        let (mut budget, stop) = self.budget.open();
        let mut woven = Woven::begin(asked, dir, manifest);
        let mut examined = Vec::new();
        for entry in entries {
            examined.push(self.examine(entry, asked).await?);
        }
        keep::recall(dir, &mut examined, &mut budget)?;
        let items = asked.count()?;
        let total = items * u64::from(self.epochs) * examined.len() as u64;
        let known: usize = examined.iter().map(|one| one.known.len()).sum();
        let keep = RefCell::new(Keep::open(dir, budget, (known as u64, total))?);
        let meters = examined.iter().map(|one| one.connection.meter.clone()).collect();
        let watching = keep.borrow().watch(meters, woven.told(asked.label.clone(), items));
        let each = examined.iter().map(|one| self.ask_one(one, prompts, woven.subjects(dir), stop.clone(), &keep));
        let (each, halt) = (futures::future::try_join_all(each), woven.halt());
        let asking = async {
            let ended = each.await;
            // Items that nobody asks about are not woven.
            halt.wish();
            ended
        };
        let (ended, noted) = tokio::join!(asking, woven.noted(dir, manifest, stop.clone()));
        watching.abort();
        keep.into_inner().finish();
        examined.iter().for_each(|one| one.connection.tell_cache());
        let mut status = noted?;
        for (one, ended) in examined.iter().zip(ended?) {
            match ended {
                Ended::Complete => {}
                Ended::Stopped => status = Status::Interrupted,
                Ended::Outage { questions, trouble } => {
                    let name = &one.candidate.name;
                    return Err(Failure::Error(anyhow::anyhow!(
                        "{name} does not answer: {questions} questions one after the other met trouble, and --resume asks them \
                         again; the last: {trouble}"
                    )));
                }
                Ended::Formless(never) => {
                    return Err(Failure::Error(anyhow::anyhow!("{}: {never}", one.candidate.name)));
                }
                Ended::Fatal(error) => return Err(Failure::refused(&one.candidate.name, &error)),
            }
        }
        Ok(status)
    }

    /// The positions, among all items, of those that are asked.
    fn positions(&self) -> impl Iterator<Item = u32> + use<> {
        let shard = self.shard.unwrap_or(Shard::WHOLE);
        (0..).map(move |own| u32::try_from(shard.position(own)).expect("items are counted in 32 bits"))
    }

    async fn ask_one(
        &self,
        one: &Examined,
        prompts: &Prompts,
        subjects: impl Stream<Item = Result<Subject, KeepError>>,
        stop: StopSignal,
        keep: &RefCell<Keep>,
    ) -> Result<Ended, KeepError> {
        evaluate(
            &one.candidate,
            (prompts, self.epochs),
            stream::iter(self.positions()).zip(subjects),
            |place| one.known.contains(&place),
            stop,
            |record, timing| keep.borrow_mut().record(&record, &timing, one.prices.as_ref()),
        )
        .await
    }

    async fn examine(&self, entry: &ModelEntry, asked: &Asked) -> Result<Examined, Failure> {
        let seed = Seed::new(self.asked.seed);
        let connection = self.way.connect(entry.clone(), &asked.sources_for(entry), seed).await?;
        let candidate = Candidate {
            name: entry.name(),
            id: entry.id.clone(),
            model: connection.model.clone(),
            params: self.way.params(entry),
            limits: self.way.limits(),
            strictness: self.way.strictness(),
        };
        Ok(Examined { connection, candidate, prices: entry.prices_here(), known: HashSet::new() })
    }

    fn plan(&self, entries: &[ModelEntry], prompts: &Prompts, asked: &Asked) -> Result<Plan, Failure> {
        let examinee = |entry: &ModelEntry| -> Result<Examinee, Failure> {
            Ok(Examinee { name: entry.name(), request: self.way.request(entry)?, prices: entry.prices_here() })
        };
        let prompt = |prompt: &Prompt| manifest::Prompt { name: prompt.id(), hash: prompt.hash.clone() };
        let evaluation = Evaluation {
            tasks: asked.tasks.clone(),
            limit: self.asked.limit,
            epochs: self.epochs,
            models: entries.iter().map(examinee).collect::<Result<_, _>>()?,
            prompts: prompts.iter().map(prompt).collect(),
            chosen_against: asked.chosen_against.clone(),
            shard: self.shard,
        };
        Ok(Plan {
            verb: "eval".into(),
            seed: self.asked.seed,
            strategy: None,
            preset: manifest::Preset { name: asked.label.clone(), config: asked.config.clone() },
            prompt: None,
            model: None,
            policy: None,
            request: serde_yaml::Value::Null,
            query_budget: None,
            evaluation: Some(evaluation),
        })
    }

    fn show_bills(&self, entries: &[ModelEntry], prompts: &Prompts, asked: &Asked) -> Result<(), Failure> {
        let (items, characters) = (asked.count()?, asked.characters(prompts)?);
        let queries = items * u64::from(self.epochs);
        let bill = |entry| Bill::new(entry, (queries, None, None), characters, self.way.max_reply_tokens());
        let bills: Vec<Bill> = entries.iter().map(bill).collect();
        bill::show(&bills, self.budget.cost_limit(), self.json.then(|| serde_json::json!({ "bills": bills })))
    }

    fn show(&self, figures: &EvaluationFigures, status: Status) -> Result<(), Failure> {
        if self.json {
            print_json(figures)?
        } else {
            show::show(figures)?
        }
        if status != Status::Complete {
            resume::ended_early("eval", &figures.run_dir.to_string_lossy())?;
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
