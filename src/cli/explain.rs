//! Owns `harness explain`: every byte of a module, and what every instruction did; of a file, or of an item of a run.
//!
//! Must not know how a dump is made.

use super::inspect::{read, shown, source, unreadable};
use super::{Failure, print_json, print_line};
use crate::item::inspect::{Source, called};
use crate::item::record::Item;
use crate::job::items;
use crate::run::homes::Homes;
use crate::wasm::explain::{Run, Unexplained, explain, text};
use crate::wasm::parse::{ParseError, assemble, parse_binary};
use std::borrow::Cow;
use std::path::PathBuf;

/// What is called where nothing else is said.
const DEFAULT_FUNCTION: &str = "run";

/// Dump a module byte by byte, with what every instruction did when it ran
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The module, text or binary, `-` for standard input; or with --item a run directory
    #[arg(value_name = "FILE.wat|FILE.wasm|RUN_DIR")]
    file: PathBuf,
    /// The item of the run that is explained, by its id
    #[arg(long, value_name = "ID", conflicts_with_all = ["invoke", "args"])]
    item: Option<String>,
    /// The exported function that is called [default: run, if there is one]
    #[arg(long, value_name = "NAME")]
    invoke: Option<String>,
    /// Its arguments; those that are left out are zero
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "VALUE,...")]
    args: Vec<String>,
    /// Which execution of each instruction the operands are shown of; of more than 64 operands it is the top 8, and how many
    /// lie below [default: 1; of an item the one it asks about]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    hit: Option<u32>,
    /// Fuel at most
    #[arg(long, default_value_t = 10_000_000, value_name = "N")]
    fuel: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Prints the dump. A run that traps is explained like any other.
    pub(super) fn run(&self, homes: &Homes) -> Result<(), Failure> {
        match &self.item {
            Some(id) => self.explain_item(&items::find(&self.file, id, homes)?),
            None if self.file.is_dir() => {
                let file = self.file.display();
                let problem = format!("{file} is a folder; of a run directory name an item, as in --item a0001-0002");
                Err(Failure::usage(anyhow::anyhow!(problem)))
            }
            None => {
                let given = read(&self.file)?;
                self.explain(source(&self.file, &given)?, 1)
            }
        }
    }

    /// What was asked and what is right, then the dump.
    fn explain_item(&self, item: &Item) -> Result<(), Failure> {
        if !self.json {
            let truth: Vec<String> =
                item.truth.texts().iter().map(|(slot, value)| format!("{slot}: {value}")).collect();
            print_line(&format!("{} asks for {}\n\n{}\n", item.id, item.task.key(), item.program.trim_end()))?;
            print_line(&format!(
                "the truth is {}\n",
                if truth.is_empty() { "empty".into() } else { truth.join(", ") }
            ))?;
        }
        self.explain(Source::Text(&item.program), item.probes.first().map_or(1, |probe| probe.hit))
    }

    fn explain(&self, source: Source<'_>, hit: u32) -> Result<(), Failure> {
        let wrong = |error: ParseError| unreadable(&self.file, &error);
        let bytes = match source {
            Source::Binary(bytes) => Cow::Borrowed(bytes),
            Source::Text(text) => Cow::Owned(assemble(text).map_err(wrong)?),
        };
        let program = parse_binary(&bytes).map_err(wrong)?;
        let name = self.invoke.as_deref().unwrap_or(DEFAULT_FUNCTION);
        let run = if self.invoke.is_some() || program.export(name).is_some() {
            let called = called(&program, name, &self.args);
            let (entry, args) =
                called.map_err(|refusal| Failure::usage(anyhow::anyhow!("{}: {refusal}", shown(&self.file))))?;
            Some(Run { entry, args, hit: self.hit.unwrap_or(hit), fuel_limit: self.fuel })
        } else {
            None
        };
        let dump = explain(&bytes, &program, run.as_ref()).map_err(|error| match error {
            Unexplained::Unreadable(error) => wrong(error),
            Unexplained::NoRoom(error) => Failure::usage(anyhow::anyhow!("{}: {error}", shown(&self.file))),
        })?;
        if self.json { print_json(&dump) } else { print_line(text(&dump).trim_end()) }
    }
}
