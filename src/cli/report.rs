//! Owns `harness report`: the page of a run.

use super::{Failure, print_json, print_line};
use crate::report::weakness::Weaknesses;
use crate::run::dir::RunDir;
use crate::run::sink::read_records;
use std::path::PathBuf;

/// Write the page of a run: figures, weaknesses, counterexamples
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run directory
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Writes the page.
    pub fn run(&self) -> Result<(), Failure> {
        let dir = RunDir::open(&self.run).map_err(Failure::usage)?;
        let records = read_records(&dir).map_err(Failure::usage)?.rows;
        let weaknesses = Weaknesses::of(&records)?;
        if self.json {
            return print_json(&weaknesses);
        }
        for claim in &weaknesses.claims {
            print_line(&format!(
                "{} (p {:.1e}; explains {:?}; alike {:?})",
                claim.sentence(),
                claim.p,
                claim.explains,
                claim.alike
            ))?;
        }
        Ok(())
    }
}
