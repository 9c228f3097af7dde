//! Owns `harness inspect`: exact answers about a module that anybody wrote.

use super::table::prose;
use super::{Failure, print_json, print_line};
use crate::item::inspect::{Refusal, Report, Source, Spot, Told, Trapped, Wish, inspect};
use crate::wasm::parse::{ParseError, decode};
use crate::wasm::print::printable;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What stands for standard input.
const STDIN: &str = "-";
/// What a binary module begins with.
const MAGIC: &[u8] = b"\0asm";

/// Answer every ;;INSPECT and ;;FLAG_n of a module, and what it returns, confirmed by wasmtime
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The module: text or binary; `-` is standard input
    #[arg(value_name = "FILE.wat|FILE.wasm")]
    file: PathBuf,
    /// The exported function that is called
    #[arg(long, default_value = "run", value_name = "NAME")]
    invoke: String,
    /// Its arguments; those that are left out are zero
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "VALUE,...")]
    args: Vec<String>,
    /// Which arrival at an INSPECT is meant [default: the one that the comment names (`;;INSPECT hit 2`), or the first]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    hit: Option<u32>,
    /// Fuel at most, looked at before each instruction: the last one may take more, as a large `memory.fill` or a refused
    /// `table.grow` does
    #[arg(long, default_value_t = 10_000_000, value_name = "N")]
    fuel: u64,
    /// Refuse imports; else memories, tables, globals and functions that return zeros stand in for them
    #[arg(long)]
    strict: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Prints the answers; an error if the run trapped or wasmtime disagrees.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let bytes = read(&self.file)?;
        let source = source(&self.file, &bytes)?;
        let wish = Wish {
            invoke: self.invoke.clone(),
            args: self.args.clone(),
            hit: self.hit,
            fuel: self.fuel,
            strict: self.strict,
        };
        let report = inspect(source, &wish).map_err(|refusal| match refusal {
            Refusal::Unreadable(error) => unreadable(&self.file, &error),
            other => Failure::usage(anyhow::anyhow!("{}: {other}", shown(&self.file))),
        })?;
        if self.json {
            print_json(&report)?
        } else {
            self.print(&report)?
        }
        self.judge(&report)
    }

    fn print(&self, report: &Report) -> Result<(), Failure> {
        for seen in &report.inspections {
            let values = match &seen.stack_values {
                Some(values) => list(values, "an empty stack"),
                None if seen.hits == 0 => "not reached".into(),
                None if seen.hits == 1 => "reached once in all".into(),
                None => format!("reached {} times in all", seen.hits),
            };
            print_line(&format!("INSPECT at line {}, hit {}: {values}", seen.line, seen.hit))?;
        }
        for (name, state) in &report.flag_states {
            print_line(&format!("{}: {state}", printable(name)))?;
        }
        if let Some(values) = &report.return_values {
            print_line(&format!("{} returns {}", printable(&self.invoke), list(values, "nothing")))?;
        }
        if let Some(spot) = &report.nondeterministic {
            let line = spot.line.map_or(String::new(), |line| format!("line {line}, "));
            print_line(&prose(&format!(
                "nondeterministic: an answer hangs on the bits of the NaN that `{}` makes ({line}{}); WebAssembly leaves \
                 them open, told is what follows from the canonical NaN",
                spot.instruction,
                place(spot)
            )))?;
        }
        print_line(&format!("fuel: {}", report.fuel))?;
        print_line(if report.confirmed { "confirmed by wasmtime" } else { "not confirmed by wasmtime" })
    }

    fn judge(&self, report: &Report) -> Result<(), Failure> {
        if let Some(disagreement) = &report.disagreement {
            let error = anyhow::anyhow!("{}: {disagreement}: please report this program", shown(&self.file));
            return Err(Failure::Error(error));
        }
        if let Some(limit) = &report.unconfirmed {
            let error = anyhow::anyhow!("{}: not confirmed, since wasmtime cannot run it: {limit}", shown(&self.file));
            return Err(Failure::Error(error));
        }
        match &report.trap {
            None => Ok(()),
            Some(trap) => Err(Failure::Error(anyhow::anyhow!("{}", told(&self.file, trap)))),
        }
    }
}

/// The module in a file, or in standard input.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let read = if file == Path::new(STDIN) {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    read.map_err(|error| Failure::usage(anyhow::anyhow!("cannot read {}: {error}", shown(file))))
}

/// How a file is called.
pub(super) fn shown(file: &Path) -> String {
    if file == Path::new(STDIN) { "<stdin>".into() } else { file.display().to_string() }
}

/// What a file holds says its beginning, not its name.
pub(super) fn source<'a>(file: &Path, bytes: &'a [u8]) -> Result<Source<'a>, Failure> {
    if bytes.starts_with(MAGIC) {
        return Ok(Source::Binary(bytes));
    }
    let text = decode(bytes);
    let text = text.map_err(|_| anyhow::anyhow!("{} is neither a binary module nor text", shown(file)));
    text.map(Source::Text).map_err(Failure::usage)
}

pub(super) fn unreadable(file: &Path, error: &ParseError) -> Failure {
    let file = shown(file);
    Failure::usage(match error {
        ParseError::Text { line, column, message } => anyhow::anyhow!("{file}:{line}:{column}: {message}"),
        other => anyhow::anyhow!("{file}: {other}"),
    })
}

fn list(values: &[Told], nothing: &str) -> String {
    if values.is_empty() {
        return nothing.into();
    }
    values.iter().map(|told| format!("{}({})", told.r#type, told.value)).collect::<Vec<_>>().join(", ")
}

/// A trap with its place: `a.wat:8: unreachable at unreachable, instruction 3 of $run`.
fn told(file: &Path, trap: &Trapped) -> String {
    let file = shown(file);
    let Some(spot) = &trap.at else {
        return format!("{file}: {} before the first instruction", trap.message);
    };
    let line = spot.line.map_or(String::new(), |line| format!("{line}:"));
    format!("{file}:{line} {} at `{}`, {}", trap.message, spot.instruction, place(spot))
}

/// `instruction 3 of $run, offset 0x2a`
fn place(Spot { function, pc, offset, .. }: &Spot) -> String {
    let offset = offset.map_or(String::new(), |offset| format!(", offset {offset:#x}"));
    format!("instruction {pc} of {function}{offset}")
}
