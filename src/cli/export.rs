//! Owns `harness export`: items and records in the formats of other tools.
//!
//! Must not know the formats.

use super::asking::Sampling;
use super::eval::items;
use super::flags::{belongs, prompts};
use super::given::Given;
use super::{Failure, print_json, print_line, setting, signals, suite};
use crate::export::question::About;
use crate::job::export::{self, BatchPlan, ExportPlan, Exported};
use crate::run::command::quoted;
use crate::run::homes::Homes;
use crate::run::store::is_address;
use clap::ValueEnum;
use serde_json::json;
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
        let Some(to) = self.target()? else { return self.records(asked.items(), homes) };
        let prompts = prompts(&self.prompt)?;
        let selection = asked.selection(None, None, &Given::default());
        let plan = ExportPlan { selection, prompts, to, out: self.out.clone() };
        let exported = export::run(&plan, &setting(homes, signals::worker_stopper()?));
        let Exported { about, counts } = exported.map_err(suite::unwoven)?;
        let About { label, seed, fingerprint, .. } = &about;
        let items: u64 = counts.values().sum();
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

    /// What items are written as; `None` for records.
    fn target(&self) -> Result<Option<export::Target>, Failure> {
        Ok(Some(match self.to {
            Target::OpenaiBatch => export::Target::OpenAiBatch(Box::new(self.batch()?)),
            Target::LmEval => export::Target::LmEval { max_tokens: self.sampling.max_tokens() },
            Target::Inspect => export::Target::Inspect,
            Target::Hf => export::Target::HuggingFace,
            Target::Parquet => return Ok(None),
        }))
    }

    fn batch(&self) -> Result<BatchPlan, Failure> {
        let model = self.sampling.entry(self.model.as_deref().expect("the flag is required"))?;
        let (params, epochs, import) = (self.sampling.params(&model), self.epochs.unwrap_or(1), self.import());
        Ok(BatchPlan { model, params, epochs, import })
    }

    /// The command that judges the replies: what was exported, asked by `eval`.
    fn import(&self) -> String {
        let (mut words, mut is_value) = (vec!["harness".to_owned(), "eval".into()], false);
        let mut named = self.what.as_deref();
        for arg in super::words().into_iter().skip(2) {
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
        let count = export::records(run, &self.out, &setting(homes, signals::worker_stopper()?))?;
        if self.json {
            return print_json(&json!({"out": self.out, "records": count}));
        }
        let file = self.out.join("records.parquet");
        print_line(&format!("{count} records of {}: {}", run.display(), file.display()))
    }
}
