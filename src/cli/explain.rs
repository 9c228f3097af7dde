//! Owns `harness explain`: every byte of a module, and what every instruction did.

use super::inspect::{read, source, unreadable};
use super::{Failure, print_json, print_line};
use crate::item::inspect::{Source, called};
use crate::wasm::explain::{Run, explain, text};
use crate::wasm::parse::{ParseError, assemble, parse_binary};
use std::borrow::Cow;
use std::path::PathBuf;

/// What is called where nothing else is said.
const DEFAULT_FUNCTION: &str = "run";

/// Dump a module byte by byte, with what every instruction did when it ran
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The module: text or binary
    #[arg(value_name = "FILE.wat|FILE.wasm")]
    file: PathBuf,
    /// The exported function that is called [default: run, if there is one]
    #[arg(long, value_name = "NAME")]
    invoke: Option<String>,
    /// Its arguments; those that are left out are zero
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "VALUE,...")]
    args: Vec<String>,
    /// Which execution of each instruction the operands are shown of
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    hit: u32,
    /// Fuel at most
    #[arg(long, default_value_t = 10_000_000, value_name = "N")]
    fuel: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Prints the dump. A run that traps is explained like any other.
    pub fn run(&self) -> Result<(), Failure> {
        let given = read(&self.file)?;
        let wrong = |error: ParseError| unreadable(&self.file, &error);
        let bytes = match source(&self.file, &given)? {
            Source::Binary(bytes) => Cow::Borrowed(bytes),
            Source::Text(text) => Cow::Owned(assemble(text).map_err(wrong)?),
        };
        let program = parse_binary(&bytes).map_err(wrong)?;
        let name = self.invoke.as_deref().unwrap_or(DEFAULT_FUNCTION);
        let run = if self.invoke.is_some() || program.export(name).is_some() {
            let called = called(&program, name, &self.args);
            let (entry, args) =
                called.map_err(|refusal| Failure::usage(anyhow::anyhow!("{}: {refusal}", self.file.display())))?;
            Some(Run { entry, args, hit: self.hit, fuel_limit: self.fuel })
        } else {
            None
        };
        let dump = explain(&bytes, &program, run.as_ref()).map_err(wrong)?;
        if self.json { print_json(&dump) } else { print_line(text(&dump).trim_end()) }
    }
}
