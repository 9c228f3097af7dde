//! Owns the answers about a module that this project did not write: its probe comments read as questions, answered by
//! the machine and confirmed by wasmtime.
//!
//! Must not know files, flags or how answers are printed. The keys of [`Report`] are read by others' scripts.

use super::task::{FLAG, INSPECT};
use crate::wasm::inspect::{Request, Sight, func_text, value_text};
use crate::wasm::machine::Machine;
use crate::wasm::oracle::Oracle;
use crate::wasm::parse::{self, Marked, ParseError};
use crate::wasm::print::instr_text;
use crate::wasm::program::{Extern, Import, Probe, Program};
use crate::wasm::types::{ValType, Value};
use serde::Serialize;

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
    /// No such function.
    #[error("the module exports no function `{name}`; {}", exported(.exports))]
    NoFunction {
        /// The one that is wanted.
        name: String,
        /// Those that it exports.
        exports: Vec<String>,
    },
    /// An argument does not fit.
    #[error("argument {number} of `{name}` is {}: `{given}`", .wanted.map_or("one too many".into(), |ty| format!("no {ty}")))]
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
    /// Imports, where none are wanted.
    #[error("the module imports {}; without --strict zeros stand in for them", .0.join(", "))]
    Imports(Vec<String>),
}

fn exported(names: &[String]) -> String {
    match names {
        [] => "it exports none at all".into(),
        names => format!("name one with --invoke: {}", names.join(", ")),
    }
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
    /// The place; null if it is none of an instruction: a segment did not fit.
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
    let probe = |mark: &&Marked, hit: u32| Probe { func: mark.func, pc: mark.pc, hit };
    let request = Request {
        program: &program,
        entry,
        args,
        probes: inspects.iter().map(|mark| probe(mark, wish.hit.unwrap_or_else(|| hit(mark)))).collect(),
        flags: flags.iter().map(|mark| probe(mark, 1)).collect(),
        fuel_limit: wish.fuel,
    };
    let mut machine = Machine::default();
    let sight = request.look(&mut machine);
    let disagreement = request.confirm(&sight, &machine, &Oracle::new()).err();
    let mut report = report(&request, &sight, &inspects, &flags);
    report.confirmed = disagreement.is_none();
    report.disagreement = disagreement.map(|disagreement| disagreement.to_string());
    if let Some(spot) = report.trap.as_mut().and_then(|trap| trap.at.as_mut()) {
        let (func, pc) = sight.ended.err().and_then(|stopped| stopped.at).expect("that is the spot");
        let place = |of: Vec<Vec<u32>>| of.get((func - program.imported_funcs()) as usize)?.get(pc as usize).copied();
        match source {
            Source::Text(text) => spot.line = place(parse::lines(text)),
            Source::Binary(bytes) => spot.offset = place(parse::offsets(bytes)),
        }
    }
    Ok(report)
}

/// The first word of a probe comment.
fn name(mark: &Marked) -> &str {
    mark.comment.split_whitespace().next().unwrap_or_default()
}

/// The arrival that a comment names: `INSPECT hit 2`.
fn hit(mark: &Marked) -> u32 {
    let mut words = mark.comment.split_whitespace().skip_while(|word| *word != "hit");
    words.nth(1).and_then(|number| number.parse().ok()).filter(|&hit| hit > 0).unwrap_or(1)
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

fn report(request: &Request<'_>, sight: &Sight, inspects: &[&Marked], flags: &[&Marked]) -> Report {
    let program = request.program;
    let told = |values: &[Value]| -> Vec<Told> {
        values.iter().map(|&value| Told { r#type: value.ty, value: value_text(program, value) }).collect()
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
    let mut states: Vec<(String, bool)> = Vec::new();
    for (mark, &passed) in flags.iter().zip(&sight.flags) {
        // One flag may stand at several places.
        match states.iter_mut().find(|(known, _)| known == name(mark)) {
            Some((_, state)) => *state |= passed,
            None => states.push((name(mark).into(), passed)),
        }
    }
    let trap = sight.ended.as_ref().err().map(|stopped| Trapped {
        message: stopped.trap.to_string(),
        at: stopped.at.map(|(func, pc)| Spot {
            function: func_text(program, func),
            pc,
            instruction: instr_text(program, &program.flatten(func)[pc as usize].instr),
            line: None,
            offset: None,
        }),
    });
    Report {
        stack_values: inspections.first().map_or(Some(Vec::new()), |first| first.stack_values.clone()),
        flag_states: states,
        return_values: sight.ended.as_ref().ok().map(|outcome| told(&outcome.results)),
        fuel: sight.fuel,
        confirmed: false,
        inspections,
        trap,
        disagreement: None,
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
