//! Owns `harness merge`: the parts of an evaluation or of a data set, put together.
//!
//! Must not know what is in them.

use super::eval::{keep, show};
use super::resume::without;
use super::{Failure, print_json, print_line, say};
use crate::item::halt::Halt;
use crate::item::record::Item;
use crate::item::stream::Disagrees;
use crate::learn::pretrained::Pretrained;
use crate::report::evaluation::EvaluationFigures;
use crate::run::dataset::{CARD, Card, Counts, WovenCard};
use crate::run::dir::{MANIFEST, RunDir, folders_with};
use crate::run::homes::Homes;
use crate::run::merge::{MergeError, Parts, merge_evaluation};
use crate::seed::Seed;
use crate::weave::weaver::Loom;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

/// Put the parts that `eval --shard` or `generate --shard` made together: the same files as made in one piece
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Parts, or folders that have them: here, or s3://, gs://, az://
    #[arg(required = true, value_name = "PART|FOLDER")]
    parts: Vec<PathBuf>,
    /// Where the whole goes: a folder that is empty or not there yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The policy that wove a data set's programs, where it was one
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// What merging made.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Merged {
    Evaluation(Box<EvaluationFigures>),
    DataSet {
        parts: usize,
        #[serde(flatten)]
        counts: Counts,
    },
}

/// How deep parts are looked for in a folder.
const DEPTH: usize = 3;

impl Args {
    /// Puts the parts together and says what they are.
    pub fn run(&self, homes: &Homes) -> Result<(), Failure> {
        let parts = self.find(homes)?;
        let (runs, data): (Vec<PathBuf>, Vec<PathBuf>) =
            parts.into_iter().partition(|path| path.join(MANIFEST).exists());
        let merged = match (&runs[..], &data[..]) {
            ([], []) => return Err(self.wrong("there are no parts")),
            (runs, []) => self.evaluation(runs, homes)?,
            ([], data) => self.data_set(data, homes)?,
            _ => return Err(self.wrong("there are parts of an evaluation and of a data set")),
        };
        if self.json { print_json(&merged) } else { self.show(&merged) }
    }

    /// The parts that were given, and those in the folders that were given; each once.
    fn find(&self, homes: &Homes) -> Result<Vec<PathBuf>, Failure> {
        let mut found = Vec::new();
        for path in &self.parts {
            let here = homes.bring(path).map_err(Failure::usage)?;
            let within = folders_with(&here, &[MANIFEST, CARD], DEPTH)
                .map_err(|error| self.wrong(&format!("cannot look for parts in {}: {error}", path.display())))?;
            if within.is_empty() {
                return Err(self.wrong(&format!("{} has no part", path.display())));
            }
            found.extend(within.into_iter().filter(|path| !found.contains(path)).collect::<Vec<_>>());
        }
        Ok(found)
    }

    fn wrong(&self, problem: &str) -> Failure {
        Failure::usage(anyhow::anyhow!(
            "{problem}; name what `harness eval --shard I/N` or `harness generate --shard I/N` made, for each I from 1 to N"
        ))
    }

    fn evaluation(&self, runs: &[PathBuf], homes: &Homes) -> Result<Merged, Failure> {
        let open = |path: &PathBuf| Ok(homes.named(RunDir::open(path).map_err(Failure::usage)?));
        let runs = runs.iter().map(open).collect::<Result<Vec<_>, Failure>>()?;
        let out = homes.create_at(&self.out).map_err(Failure::usage)?;
        let merged = merge_evaluation(&runs, &out).map_err(failure).and_then(|mut manifest| {
            for flag in ["--shard", "--into", "--log-dir"] {
                manifest.command = without(manifest.command.into_iter(), flag).collect();
            }
            manifest.write(&out)?;
            Ok(Merged::Evaluation(Box::new(keep::figures(&out)?)))
        });
        if merged.is_err() {
            // Nothing half-merged stays.
            std::fs::remove_dir_all(out.path())?;
        }
        merged
    }

    fn data_set(&self, folders: &[PathBuf], homes: &Homes) -> Result<Merged, Failure> {
        let parts = Parts::read(folders).map_err(failure)?;
        let mut weaver = match parts.whole() {
            Card::Woven(card) => Some(self.weaver(card)?),
            Card::Suite(_) => None,
        };
        let out = homes.take_folder(&self.out).map_err(Failure::usage)?;
        let counts = parts.write(&out, |stretch| {
            let weaver = weaver.as_mut().expect("items of a suite are all in its parts");
            weaver(stretch)
        });
        let counts = counts.map_err(MergeFailure::told)?;
        Ok(Merged::DataSet { parts: folders.len(), counts })
    }

    /// Makes the items of stretches that no part has.
    fn weaver(&self, card: &WovenCard) -> Result<impl FnMut(u64) -> Result<Vec<Item>, MergeFailure> + use<>, Failure> {
        let loom = Arc::new(Loom::new(card.config.weave.clone()));
        let policy = self.policy.as_deref().map(Pretrained::load).transpose().map_err(Failure::usage)?;
        let hash = policy.as_ref().map(Pretrained::hash).transpose()?;
        if hash.is_some() && hash != card.policy {
            return Err(self.wrong("--policy is not what wove these parts"));
        }
        let source = match &policy {
            Some(policy) => card.config.source_by(
                &loom,
                Arc::new(policy.chooser(&loom.config, &card.config.prior)?),
                &Halt::default(),
            ),
            None => card.config.source(&loom),
        };
        let (seed, is_ours) = (Seed::new(card.seed), hash == card.policy);
        Ok(move |stretch| {
            if !is_ours {
                return Err(MergeFailure::Policy);
            }
            say("weaving a stretch of programs that no part has");
            let mut items = Vec::new();
            source.stream_stretches(
                seed,
                1,
                |_| stretch,
                |draft, _| match draft {
                    Some(draft) => {
                        items.push(draft.item);
                        ControlFlow::Continue(())
                    }
                    None => ControlFlow::Break(()),
                },
            )?;
            Ok(items)
        })
    }

    fn show(&self, merged: &Merged) -> Result<(), Failure> {
        match merged {
            Merged::Evaluation(figures) => show::show(figures),
            Merged::DataSet { parts, counts } => {
                let sides: Vec<String> = counts.splits.iter().map(|(name, count)| format!("{name} {count}")).collect();
                let (items, sides, out) = (counts.items, sides.join(", "), self.out.display());
                print_line(&format!("{items} items ({sides}) of {parts} parts: {out}"))
            }
        }
    }
}

/// Why a data set could not be merged.
#[derive(Debug, thiserror::Error)]
enum MergeFailure {
    #[error(transparent)]
    Merge(#[from] MergeError),
    #[error(transparent)]
    Disagrees(#[from] Disagrees),
    #[error("the parts have a stretch of programs too few, and a policy wove them; name it with --policy")]
    Policy,
}

impl MergeFailure {
    fn told(self) -> Failure {
        match self {
            Self::Merge(error) => failure(error),
            Self::Policy => Failure::usage(self),
            Self::Disagrees(_) => Failure::Error(self.into()),
        }
    }
}

/// What the user can mend is told as that.
fn failure(error: MergeError) -> Failure {
    if error.is_usage() { Failure::usage(error) } else { Failure::Error(error.into()) }
}
