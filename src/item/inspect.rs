//! Owns the answers about a module that this project did not write: its probe comments read as questions, answered by
//! the machine and confirmed by wasmtime.
//!
//! Must not know files, flags or how answers are printed. The keys of [`Report`] are read by others' scripts.

use super::task::{FLAG, INSPECT};
use crate::wasm::inspect::{NoRoom, Request, Sight};
use crate::wasm::machine::Machine;
use crate::wasm::oracle::{Disagreement, Oracle};
use crate::wasm::parse::{self, Marked, ParseError};
use crate::wasm::print::{Printer, printable};
use crate::wasm::program::{Extern, Import, Probe, Program};
use crate::wasm::types::{ValType, Value};
use serde::Serialize;
use std::collections::HashMap;

/// What is wanted of a module.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The exported function that is called.
    pub invoke: String,
    /// Its arguments as text; the rest is zero.
    pub args: Vec<String>,
    /// Which arrival at an INSPECT is meant, from 1; by default the one that its comment names, or the first.
    pub hit: Option<u32>,
    /// Fuel at most.
    pub fuel: u64,
    /// Refuse imports, for which else zeros stand in.
    pub strict: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is no module that the machine runs.
    #[error(transparent)]
    Unreadable(#[from] ParseError),
    /// It cannot be run.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// No such function.
    #[error("the module exports no function `{}`; {}", printable(.name), exported(.exports))]
    NoFunction {
        /// The one that is wanted.
        name: String,
        /// Those that it exports.
        exports: Vec<String>,
    },
    /// An argument does not fit.
    #[error(
        "argument {number} of `{}` is {}: `{}`",
        printable(.name),
        .wanted.map_or("one too many".into(), |ty| format!("no {ty}")),
        printable(.given)
    )]
    Argument {
        /// The function.
        name: String,
        /// Which one, from 1.
        number: usize,
        /// What was given.
        given: String,
        /// The type of the parameter, if there is one.
        wanted: Option<ValType>,
    },
    /// A comment names no valid arrival.
    #[error("line {line}: `;;{}` names no arrival; write `hit` and a number from 1", printable(.comment))]
    Hit {
        /// Its line.
        line: u32,
        /// What it says.
        comment: String,
    },
    /// A comment names no valid flag.
    #[error("line {line}: `;;{}` names no flag; write `{FLAG}` and a number, as in `;;{FLAG}0`", printable(.flag))]
    Flag {
        /// Its line.
        line: u32,
        /// What it says.
        flag: String,
    },
    /// Two places have one flag.
    #[error("line {line}: `{flag}` stands in line {earlier} already; give each place a flag of its own")]
    Twice {
        /// The flag.
        flag: String,
        /// The later line.
        line: u32,
        /// The earlier one.
        earlier: u32,
    },
    /// Imports, where none are wanted.
    #[error("the module imports {}; without --strict zeros stand in for them", some(.0))]
    Imports(Vec<String>),
}

fn exported(names: &[String]) -> String {
    match names {
        [] => "it exports none at all".into(),
        names => format!("name one with --invoke: {}", some(names)),
    }
}

/// Names that a module gives, in one line: of very many the first.
fn some(names: &[String]) -> String {
    const TOLD: usize = 20;
    let told: Vec<String> = names.iter().take(TOLD).map(|name| printable(name)).collect();
    let more = names.len() - told.len();
    told.join(", ") + &if more == 0 { String::new() } else { format!(" and {more} more") }
}

/// A value of any module: functions by their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Its type.
    pub r#type: ValType,
    /// Its text: integers signed, floats in the shortest form that reads back, `Null`, `$name`.
    pub value: String,
}

/// The answers.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The operands at the first INSPECT of the text, bottom first; empty if there is none, null if it was not reached.
    pub stack_values: Option<Vec<Told>>,
    /// Whether each flag was passed, in the order of the text.
    #[serde(serialize_with = "as_object")]
    pub flag_states: Vec<(String, bool)>,
    /// Results of the function; null if it trapped.
    pub return_values: Option<Vec<Told>>,
    /// Fuel used, to the end or to the trap.
    pub fuel: u64,
    /// Whether wasmtime says the same.
    pub confirmed: bool,
    /// Every INSPECT in the order of the text; written where there are several.
    #[serde(skip_serializing_if = "is_one")]
    pub inspections: Vec<Inspection>,
    /// How the run ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trap: Option<Trapped>,
    /// What wasmtime says otherwise: a bug of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<String>,
    /// Why wasmtime could not say anything: a limit of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<String>,
    /// An instruction that makes a NaN whose bits the specification leaves open, where an answer hangs on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nondeterministic: Option<Spot>,
}

/// One INSPECT.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Its line.
    pub line: u32,
    /// Which arrival was asked for.
    pub hit: u32,
    /// How many arrivals there were.
    pub hits: u32,
    /// The operands, bottom first; null if there were not so many arrivals.
    pub stack_values: Option<Vec<Told>>,
}

/// Where a run ended early.
#[derive(Clone, Debug, Serialize)]
pub struct Trapped {
    /// Why, in the words of the official test suite.
    pub message: String,
    /// The place; null if no instruction was executed: a segment did not fit.
    pub at: Option<Spot>,
}

/// The place of an instruction.
#[derive(Clone, Debug, Serialize)]
pub struct Spot {
    /// The function: `$name`, `$f3`.
    pub function: String,
    /// The index of the instruction in it, from 0; `else` and `end` count.
    pub pc: u32,
    /// The instruction.
    pub instruction: String,
    /// Its line in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Its offset in the binary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
}

/// A module as it was given.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// The text format.
    Text(&'a str),
    /// The binary format.
    Binary(&'a [u8]),
}

/// Answers what a module's comments ask, and what its function returns.
///
/// # Errors
/// See [`Refusal`]. A trap is no error, but an answer.
pub fn inspect(source: Source<'_>, wish: &Wish) -> Result<Report, Refusal> {
    let (program, marks) = match source {
        Source::Text(text) => parse::parse_text(text, &[INSPECT, FLAG])?,
        Source::Binary(bytes) => (parse::parse_binary(bytes)?, Vec::new()),
    };
    if wish.strict {
        refuse_imports(&program)?;
    }
    let (entry, args) = called(&program, &wish.invoke, &wish.args)?;
    let (inspects, flags): (Vec<&Marked>, Vec<&Marked>) = marks
        .iter()
        .filter(|mark| name(mark) == INSPECT || name(mark).starts_with(FLAG))
        .partition(|mark| name(mark) == INSPECT);
    let named = inspects.iter().map(|mark| hit(mark)).collect::<Result<Vec<u32>, Refusal>>()?;
    once(&flags)?;
    let probe = |mark: &&Marked, hit: u32| Probe { func: mark.func, pc: mark.pc, hit };
    let request = Request {
        program: &program,
        entry,
        args,
        probes: inspects.iter().zip(named).map(|(mark, named)| probe(mark, wish.hit.unwrap_or(named))).collect(),
        flags: flags.iter().map(|mark| probe(mark, 1)).collect(),
        fuel_limit: wish.fuel,
    };
    let mut machine = Machine::default();
    let sight = request.look(&mut machine)?;
    let held = request.confirm(&sight, &machine, &Oracle::new());
    let printer = Printer::new(&program);
    let mut report = report(&request, &sight, &printer, &inspects, &flags);
    report.confirmed = held.is_ok();
    match held {
        Ok(()) => {}
        Err(Disagreement::Limit(limit)) => report.unconfirmed = Some(limit),
        Err(disagreement) => report.disagreement = Some(disagreement.to_string()),
    }
    let trapped = sight.ended.as_ref().err().and_then(|stopped| stopped.at);
    let open = request.hangs_on(&sight, &mut machine);
    if trapped.or(open).is_some() {
        let spots = Spots::new(source, &program, &printer);
        if let Some(trap) = &mut report.trap {
            trap.at = trapped.map(|(func, pc)| spots.at(func, pc));
        }
        report.nondeterministic = open.map(|(func, pc)| spots.at(func, pc));
    }
    Ok(report)
}

/// Where instructions stand in what was given.
struct Spots<'a> {
    program: &'a Program,
    printer: &'a Printer<'a>,
    is_text: bool,
    places: Vec<Vec<u32>>,
}

impl<'a> Spots<'a> {
    fn new(source: Source<'_>, program: &'a Program, printer: &'a Printer<'a>) -> Self {
        let (is_text, places) = match source {
            Source::Text(text) => (true, parse::lines(text)),
            Source::Binary(bytes) => (false, parse::offsets(bytes)),
        };
        Self { program, printer, is_text, places }
    }

    fn at(&self, func: u32, pc: u32) -> Spot {
        let of_func = self.places.get((func - self.program.imported_funcs()) as usize);
        let place = of_func.and_then(|places| places.get(pc as usize)).copied();
        Spot {
            function: self.printer.names().func(func),
            pc,
            instruction: self.printer.instr(&self.program.flatten(func)[pc as usize].instr),
            line: place.filter(|_| self.is_text),
            offset: place.filter(|_| !self.is_text),
        }
    }
}

/// The first word of a probe comment.
fn name(mark: &Marked) -> &str {
    mark.comment.split_whitespace().next().unwrap_or_default()
}

/// The arrival that a comment names: `INSPECT hit 2`; the first where it names none. A comment that only looks
/// like one is refused: `hit2` does not mean the first arrival. Values may stand behind, as in an annotated program.
fn hit(mark: &Marked) -> Result<u32, Refusal> {
    let mut words = mark.comment.split_whitespace().skip(1);
    let Some(word) = words.next().filter(|word| word.to_ascii_lowercase().starts_with("hit")) else { return Ok(1) };
    let number = words.next().filter(|_| word == "hit").and_then(|word| word.trim_end_matches([',', ':']).parse().ok());
    let is_clear = words.next().is_none_or(|word| word.parse::<u32>().is_err());
    let number = number.filter(|&hit| hit > 0 && is_clear);
    number.ok_or_else(|| Refusal::Hit { line: mark.line, comment: mark.comment.clone() })
}

/// Refuses a flag that has no number, and one that stands at two places: it would not be clear which of them was passed.
fn once(flags: &[&Marked]) -> Result<(), Refusal> {
    let mut known: HashMap<&str, u32> = HashMap::new();
    flags.iter().try_for_each(|mark| {
        let (flag, line) = (name(mark), mark.line);
        let number = flag.strip_prefix(FLAG).unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::Flag { line, flag: flag.into() });
        }
        match known.insert(flag, line) {
            None => Ok(()),
            Some(earlier) => Err(Refusal::Twice { flag: flag.into(), line, earlier }),
        }
    })
}

fn refuse_imports(program: &Program) -> Result<(), Refusal> {
    let funcs = program.funcs.iter().map(|func| &func.import);
    let tables = program.tables.iter().map(|table| &table.import);
    let memory = program.memory.iter().map(|memory| &memory.import);
    let globals = program.globals.iter().map(|global| &global.import);
    let imports = funcs.chain(tables).chain(memory).chain(globals).flatten();
    let names: Vec<String> = imports
        .map(|import| {
            let Import { module, name } = &**import;
            format!("`{module}.{name}`")
        })
        .collect();
    if names.is_empty() { Ok(()) } else { Err(Refusal::Imports(names)) }
}

/// The exported function of a name, and its arguments from text; those that are left out are zero.
///
/// # Errors
/// [`Refusal::NoFunction`] and [`Refusal::Argument`].
pub fn called(program: &Program, name: &str, given: &[String]) -> Result<(u32, Vec<Value>), Refusal> {
    let entry = program.export(name).ok_or_else(|| {
        let exports = program.exports.iter().filter(|export| export.kind == Extern::Func);
        Refusal::NoFunction { name: name.into(), exports: exports.map(|export| export.name.clone()).collect() }
    })?;
    let params = &program.func_type(entry).params;
    let mut args: Vec<Value> = params.iter().map(|&ty| Value::zero(ty)).collect();
    for (at, given) in given.iter().enumerate() {
        let wanted = params.get(at).copied();
        let value = wanted.and_then(|ty| argument(ty, given));
        let wrong = || Refusal::Argument { name: name.into(), number: at + 1, given: given.clone(), wanted };
        args.get_mut(at).zip(value).map(|(arg, value)| *arg = value).ok_or_else(wrong)?;
    }
    Ok((entry, args))
}

/// A value of a type from text: as it is told, or an integer without a sign. No reference but null can be given.
fn argument(ty: ValType, text: &str) -> Option<Value> {
    let unsigned = || match ty {
        ValType::I32 => text.parse::<u32>().ok().map(|x| Value::i32(x as i32)),
        ValType::I64 => text.parse::<u64>().ok().map(|x| Value::i64(x as i64)),
        _ => None,
    };
    Value::parse(ty, text).or_else(unsigned).filter(|value| !ty.is_ref() || value.bits == 0)
}

fn report(
    request: &Request<'_>,
    sight: &Sight,
    printer: &Printer<'_>,
    inspects: &[&Marked],
    flags: &[&Marked],
) -> Report {
    let told = |values: &[Value]| -> Vec<Told> {
        values.iter().map(|&value| Told { r#type: value.ty, value: printer.names().value(value) }).collect()
    };
    let inspections: Vec<Inspection> = inspects
        .iter()
        .enumerate()
        .map(|(at, mark)| Inspection {
            line: mark.line,
            hit: request.probes[at].hit,
            hits: sight.hits[at],
            stack_values: sight.operands[at].as_ref().map(|snapshot| told(&snapshot.operands)),
        })
        .collect();
    let states = flags.iter().zip(&sight.flags).map(|(mark, &passed)| (name(mark).to_owned(), passed)).collect();
    let trap = sight.ended.as_ref().err().map(|stopped| Trapped { message: stopped.trap.to_string(), at: None });
    Report {
        stack_values: inspections.first().map_or(Some(Vec::new()), |first| first.stack_values.clone()),
        flag_states: states,
        return_values: sight.ended.as_ref().ok().map(|outcome| told(&outcome.results)),
        fuel: sight.fuel,
        confirmed: false,
        inspections,
        trap,
        disagreement: None,
        unconfirmed: None,
        nondeterministic: None,
    }
}

/// One is told by `stack_values` already.
fn is_one(inspections: &[Inspection]) -> bool {
    inspections.len() < 2
}

fn as_object<S: serde::Serializer>(flags: &[(String, bool)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(flags.iter().map(|(name, state)| (name, state)))
}

#[cfg(test)]
mod tests;
