//! Owns `harness export`: items and records in the formats of other tools.
//!
//! Must not know the formats.

use super::asking::Sampling;
use super::eval::items;
use super::flags::{belongs, prompts};
use super::given::Given;
use super::{Failure, print_json, print_line, setting, signals, suite};
use crate::ask::batch;
use crate::ask::examiner::request;
use crate::ask::models::ModelEntry;
use crate::ask::prompt::Prompts;
use crate::export::folder::{ExportError, Folder};
use crate::export::hugging_face::HuggingFace;
use crate::export::inspect::Inspect;
use crate::export::lm_eval::LmEval;
use crate::export::openai_batch::{Lines, OpenAiBatch};
use crate::export::question::{About, Export, ExportedQuestion};
use crate::export::records::Records;
use crate::item::record::Task;
use crate::job::error::JobError;
use crate::job::eval::asked::{EvalItems, Weaving};
use crate::run::command::quoted;
use crate::run::homes::Homes;
use crate::run::manifest::Manifest;
use crate::run::sink::stream_records;
use crate::run::store::is_address;
use clap::ValueEnum;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Write items or records in the formats of other tools; the same items give the same files
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A suite (a name, a name with its version, or a file of YAML), a run (of an attack its misses, of an evaluation its
    /// items), or a file of items as `generate` writes it [default: the suite standard]
    #[arg(value_name = "SUITE|RUN_DIR|FILE", conflicts_with_all = ["suite", "preset", "items"])]
    what: Option<String>,
    /// Format
    #[arg(long, value_enum)]
    to: Target,
    /// Folder to write to; it must be empty, or not exist yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    asked: items::Flags,
    /// How to ask: step-by-step (the default), answer-only, or a prompt file; files may be given for several tasks
    #[arg(long, value_name = "NAME|FILE")]
    prompt: Vec<String>,
    /// openai-batch: model that the requests are for
    #[arg(long, value_name = "MODEL", required_if_eq("to", "openai-batch"))]
    model: Option<String>,
    /// openai-batch: ask each item so many times
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: Option<u32>,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sampling: Sampling,
}

/// The formats by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// Tasks for lm-evaluation-harness, with utils.py
    LmEval,
    /// Samples and a task file for Inspect
    Inspect,
    /// A data set for the Hugging Face Hub: Parquet and a card
    Hf,
    /// Requests for OpenAI's Batch API; `harness eval --import-batch` takes the replies
    OpenaiBatch,
    /// The records of a run as Parquet
    Parquet,
}

impl Args {
    /// Exports.
    pub(super) fn run(&self, homes: &Homes) -> Result<(), Failure> {
        self.check_format()?;
        let asked = self.asked.clone().naming(self.what.as_deref());
        if self.to == Target::Parquet {
            return self.records(asked.items(), homes);
        }
        let run = asked.items().filter(|path| path.is_dir() || is_address(path)).map(Path::to_owned);
        let selection = asked.selection(None, None, &Given::default());
        let (prompts, asked) = (prompts(&self.prompt)?, EvalItems::resolve(&selection, homes)?);
        // The items of a run are called as they were when it was made.
        let (label, seed) = match run {
            Some(run) => {
                let dir = homes.open(&run).map_err(Failure::usage)?;
                let plan = Manifest::read(&dir).map_err(Failure::unread)?.plan;
                (plan.preset().name.clone(), plan.seed())
            }
            None => (asked.suite.name.clone(), self.asked.seed),
        };
        let mut export = self.export(&prompts, homes)?;
        let mut counts = BTreeMap::<Task, u64>::new();
        let setting = setting(homes, signals::worker_stopper()?);
        let fingerprint = asked.each(Weaving::Told(&setting), |subject| {
            let messages = prompts.of(subject.item.task).render(&subject.item).map_err(JobError::usage)?;
            *counts.entry(subject.item.task).or_default() += 1;
            export
                .add(&ExportedQuestion { subject, messages })
                .map_err(|error| if error.is_usage() { JobError::usage(error) } else { JobError::Failed(error.into()) })
        });
        let fingerprint = fingerprint.map_err(suite::unwoven)?;
        let about = About {
            label,
            seed,
            fingerprint,
            chosen_against: asked.chosen_against.clone(),
            prompts: counts.keys().map(|&task| (task, prompts.of(task).id())).collect(),
        };
        export.finish(&about).map_err(refused)?;
        let items: u64 = counts.values().sum();
        let About { label, fingerprint, seed, .. } = &about;
        if self.json {
            return print_json(&json!({
                "out": self.out, "items": items, "tasks": counts, "suite": label, "seed": seed, "fingerprint": fingerprint,
            }));
        }
        let out = self.out.display();
        print_line(&format!("{items} items of {label}, seed {seed}, fingerprint {fingerprint}: {out}"))
    }

    /// Refuses flags that say nothing in the format that is chosen.
    fn check_format(&self) -> Result<(), Failure> {
        use Target::{Hf, Inspect, LmEval, OpenaiBatch};
        const ITEMS: &[Target] = &[LmEval, Inspect, Hf, OpenaiBatch];
        let asked = &self.asked;
        let own = [(self.model.is_some(), "--model"), (self.epochs.is_some(), "--epochs")];
        let requests = own.into_iter().chain(self.sampling.given()).map(|(is_given, flag)| {
            let of: &[Target] = if flag == "--max-tokens" { &[OpenaiBatch, LmEval] } else { &[OpenaiBatch] };
            (is_given, flag, of)
        });
        let items = [
            (!self.prompt.is_empty(), "--prompt", ITEMS),
            (!asked.task.is_empty(), "--task", ITEMS),
            (asked.limit.is_some(), "--limit", ITEMS),
            (asked.seed != 0, "--seed", ITEMS),
        ];
        let flags = requests.chain(items);
        belongs("--to", flags.map(|(is_given, flag, of)| (is_given && !of.contains(&self.to), flag, of)))
    }

    fn export(&self, prompts: &Prompts, homes: &Homes) -> Result<Box<dyn Export>, Failure> {
        // A model that is none is told before a folder is made.
        let lines = (self.to == Target::OpenaiBatch).then(|| self.lines(prompts)).transpose()?;
        let folder = self.folder(homes)?;
        Ok(match (self.to, lines) {
            (Target::OpenaiBatch, Some(lines)) => Box::new(OpenAiBatch::new(folder, lines, self.import())),
            (Target::LmEval, _) => {
                let most = self.sampling.max_reply_tokens().and_then(|most| u32::try_from(most).ok());
                Box::new(LmEval::new(folder, most))
            }
            (Target::Inspect, _) => Box::new(Inspect::new(folder).map_err(refused)?),
            _ => Box::new(HuggingFace::new(folder)),
        })
    }

    fn folder(&self, homes: &Homes) -> Result<Folder, Failure> {
        Folder::create(&homes.bring(&self.out).map_err(Failure::usage)?).map_err(refused)
    }

    /// How an item is written as requests of a batch.
    fn lines(&self, prompts: &Prompts) -> Result<Lines, Failure> {
        let entry: ModelEntry = self.sampling.entry(self.model.as_deref().expect("the flag is required"))?;
        let (params, prompts, epochs) = (self.sampling.params(&entry), prompts.clone(), self.epochs.unwrap_or(1));
        Ok(Box::new(move |question| {
            let item = question.item();
            let line = |epoch| {
                let request = request(&entry.id, &params, &prompts, item, epoch).expect("was rendered before");
                let custom_id = batch::custom_id(&item.id, &request);
                let line = batch::line(&custom_id, &request, entry.style());
                (custom_id, line)
            };
            (0..epochs).map(line).collect()
        }))
    }

    /// The command that judges the replies: what was exported, asked by `eval`.
    fn import(&self) -> String {
        let (mut words, mut is_value) = (vec!["harness".to_owned(), "eval".into()], false);
        let mut named = self.what.as_deref();
        for arg in std::env::args().skip(2) {
            if std::mem::take(&mut is_value) || arg == "--json" {
                continue;
            }
            let left_out = ["--to", "--out"].into_iter().any(|flag| arg.split('=').next() == Some(flag));
            is_value = left_out && !arg.contains('=');
            if left_out {
                continue;
            }
            if named == Some(arg.as_str()) {
                named = None;
                let is_items = self.asked.clone().naming(Some(&arg)).items().is_some();
                words.push(if is_items { "--items" } else { "--suite" }.into());
            }
            words.push(quoted(&arg));
        }
        words.join(" ")
    }

    fn records(&self, run: Option<&Path>, homes: &Homes) -> Result<(), Failure> {
        let run = run.filter(|path| path.is_dir() || is_address(path)).ok_or_else(|| {
            Failure::usage(anyhow::anyhow!("--to parquet takes the records of a run; name its directory"))
        })?;
        let dir = homes.open(run).map_err(Failure::usage)?;
        let manifest = Manifest::read(&dir).map_err(Failure::unread)?;
        let records = stream_records(&dir).map_err(Failure::unread)?;
        let name = dir.path().canonicalize()?.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut export = Records::new(self.folder(homes)?, name, manifest).map_err(refused)?;
        for record in records {
            export.add(record.map_err(Failure::unread)?).map_err(refused)?;
        }
        let count = export.finish().map_err(refused)?;
        let file = self.out.join("records.parquet");
        if self.json {
            return print_json(&json!({"out": self.out, "records": count}));
        }
        print_line(&format!("{count} records of {}: {}", run.display(), file.display()))
    }
}

fn refused(error: ExportError) -> Failure {
    if error.is_usage() { Failure::usage(error) } else { Failure::Error(error.into()) }
}
