//! Owns `harness corpus`: what real code, or any folder of modules, consists of.

use super::progress::line::Line;
use super::{Failure, print_json, print_line, say};
use crate::run::corpus;
use crate::run::dir::write_whole;
use crate::weave::align::profile::{Comparison, Profile, compare};
use serde::Serialize;
use std::path::PathBuf;

/// Count what modules consist of, and compare corpora
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Build(Build),
    Compare(Compare),
}

/// Make the profile of a folder of .wasm and .wat files: shares of instructions, classes and n-grams
#[derive(Debug, clap::Args)]
struct Build {
    /// The folder; each folder or module directly in it is a package, and all packages weigh the same
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// File to write the profile to; without it, stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Say how far two corpora are apart, and where
#[derive(Debug, clap::Args)]
struct Compare {
    /// A profile, a folder of modules, or `reference`: 112 npm packages
    #[arg(value_name = "A")]
    a: String,
    /// Another
    #[arg(value_name = "B")]
    b: String,
    /// Which column of both: `mean` (packages weigh the same) or `pooled` (instructions do)
    #[arg(long, default_value = "mean", value_parser = ["mean", "pooled"])]
    column: String,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    a: &'a str,
    b: &'a str,
    column: &'a str,
    tables: Vec<Comparison>,
}

impl Args {
    /// Does what the verb says.
    pub(super) fn run(&self) -> Result<(), Failure> {
        match &self.verb {
            Verb::Build(args) => args.run(),
            Verb::Compare(args) => args.run(),
        }
    }
}

/// Loads a profile with a bar for its packages.
fn load(name: &str) -> Result<Profile, Failure> {
    let bar = Line::new(Some(0), "{bar:24} {pos}/{len} packages").bar;
    let mut done = |counted: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(counted as u64);
    };
    let mut left_out = |error: &crate::wasm::survey::SurveyError| bar.suspend(|| say(&format!("left out: {error}")));
    let profile = corpus::load(name, &mut left_out, &mut done).map_err(Failure::usage);
    bar.finish_and_clear();
    profile
}

impl Build {
    fn run(&self) -> Result<(), Failure> {
        if !self.folder.is_dir() {
            return Err(Failure::usage(anyhow::anyhow!(
                "{} is no folder; give one with modules",
                self.folder.display()
            )));
        }
        let profile = load(&self.folder.to_string_lossy())?;
        let text = serde_json::to_string_pretty(&profile)?;
        let Some(out) = &self.out else { return print_line(&text) };
        write_whole(out, &format!("{text}\n"))?;
        let counts = profile.counts;
        say(&format!(
            "{} modules of {} packages, {} instructions: {}",
            counts.modules,
            counts.packages,
            counts.instructions_incl_end_else,
            out.display()
        ));
        Ok(())
    }
}

impl Compare {
    fn run(&self) -> Result<(), Failure> {
        let (a, b) = (load(&self.a)?, load(&self.b)?);
        let tables = compare(&a, &b, &self.column);
        if self.json {
            return print_json(&Report { a: &self.a, b: &self.b, column: &self.column, tables });
        }
        for table in tables {
            print_line(&format!("{:<18} {:.4} alike (1 - JSD)", table.table, table.alignment))?;
            for row in table.differences.iter().take(5) {
                print_line(&format!("    {:<34} {:>7.3} % {:>7.3} %", row.name, 100.0 * row.a, 100.0 * row.b))?;
            }
        }
        Ok(())
    }
}
