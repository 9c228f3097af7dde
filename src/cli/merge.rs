//! Owns `harness merge`: its flags, and what was put together.

use super::eval::show;
use super::{Failure, print_json, print_line, setting, signals};
use crate::job::merge::{self, MergePlan, Merged};
use crate::run::homes::Homes;
use std::path::PathBuf;

/// Put the parts that `eval --shard` or `generate --shard` made together: the same files as made in one piece
#[derive(Debug, clap::Args)]
pub(super) struct Args {
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

impl Args {
    /// Puts the parts together and says what they are.
    pub(super) fn run(&self, homes: &Homes) -> Result<(), Failure> {
        let plan = MergePlan { parts: self.parts.clone(), out: self.out.clone(), policy: self.policy.clone() };
        let merged = merge::run(&plan, &setting(homes, signals::worker_stopper()?))?;
        if self.json { print_json(&merged) } else { self.show(&merged) }
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
