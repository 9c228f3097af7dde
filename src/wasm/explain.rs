//! Owns the annotated dump of a binary: what every byte is, and what every instruction did when it ran.
//!
//! Must not know how it is printed ([`text`] knows one way). It works from the bytes as they are, so that encodings
//! that others chose, such as padded LEB128 numbers, are shown truthfully; what they mean is said by the program read
//! from them. The operands around an instruction are shown whole up to [`DEEP`] of them; of more it is the top [`TOP`] and
//! how many lie below, since a dump that shows a deep stack at every instruction grows with the square of the program.

mod code;
mod layout;
mod text;
mod trace;

#[cfg(test)]
mod tests;

use super::inspect::{NoRoom, Stopped};
use super::parse::ParseError;
use super::print::{Names, Printer};
use super::program::Program;
use super::types::{ValType, Value};
use serde::Serialize;
pub use text::text;
use trace::{Operands, Trace};

/// Operands that are shown whole, at most.
pub const DEEP: u32 = 64;
/// Operands that are shown of more.
pub const TOP: u32 = 8;

/// What is run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The function that is called.
    pub entry: u32,
    /// Its arguments.
    pub args: Vec<Value>,
    /// Which execution of an instruction the operands are shown of, from 1.
    pub hit: u32,
    /// Fuel at most.
    pub fuel_limit: u64,
}

/// A binary, from its first to its last byte.
#[derive(Clone, Debug, Serialize)]
pub struct Dump {
    /// Bytes in all.
    pub size: u32,
    /// Magic number and version.
    pub header: Vec<Entry>,
    /// Sections, in their order.
    pub sections: Vec<Section>,
    /// Functions that did not begin, in a module with so much code that theirs is not taken apart.
    #[serde(skip_serializing_if = "is_zero")]
    pub functions_without_code: u32,
    /// What the run came to, if anything was run.
    pub run: Option<Ran>,
}

/// A stretch of bytes, and what it is.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Where it begins.
    pub offset: u32,
    /// The bytes, hexadecimal.
    pub bytes: Hex,
    /// What they are.
    pub what: String,
}

/// A section.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// Where it begins.
    pub offset: u32,
    /// The byte that says which it is.
    pub id: u8,
    /// Its name.
    pub name: String,
    /// Its id and length as they stand there.
    pub bytes: Hex,
    /// Bytes of its content.
    pub length: u32,
    /// Its content, functions with code left out.
    pub entries: Vec<Entry>,
    /// Functions with code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<Function>,
}

/// A function with code.
#[derive(Clone, Debug, Serialize)]
pub struct Function {
    /// Its index.
    pub index: u32,
    /// How it is called: `$name`, `$f3`.
    pub name: String,
    /// Its head in the text format, without parentheses: `func (;3;) (param i32)`.
    pub declaration: String,
    /// Its length and its locals.
    pub head: Vec<Entry>,
    /// Its code.
    pub code: Vec<Instruction>,
}

/// An instruction.
#[derive(Clone, Debug, Serialize)]
pub struct Instruction {
    /// Where it begins.
    pub offset: u32,
    /// Its bytes, hexadecimal.
    pub bytes: Hex,
    /// Its index in the function.
    pub pc: u32,
    /// Blocks around it.
    pub depth: u32,
    /// The instruction as text.
    pub text: String,
    /// What follows the opcode.
    pub immediates: Vec<Field>,
    /// What it did; none if nothing was run.
    #[serde(flatten)]
    pub ran: Option<Executed>,
}

/// A field behind an opcode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// What it is.
    pub name: &'static str,
    /// How it is written.
    pub encoding: super::schema::Encoding,
    /// Its bytes, hexadecimal.
    pub bytes: Hex,
    /// Its value.
    pub value: String,
    /// Bytes more than it needs.
    pub padding: u32,
}

/// What an instruction did.
#[derive(Clone, Debug, Serialize)]
pub struct Executed {
    /// How often it was executed.
    pub hits: u64,
    /// Fuel that it used in all, what it moved and the functions it entered included.
    pub fuel: u64,
    /// Whether it was never executed.
    pub dead: bool,
    /// Operands that lie below those of `before`: of more than [`DEEP`] the top [`TOP`] alone are shown.
    #[serde(skip_serializing_if = "is_zero")]
    pub below_before: u32,
    /// The operands of its frame just before the execution that is shown, bottom first.
    pub before: Option<Vec<Shown>>,
    /// As `below_before`, of `after`.
    #[serde(skip_serializing_if = "is_zero")]
    pub below_after: u32,
    /// The operands just after it, when its frame went on; none if that execution left the function.
    pub after: Option<Vec<Shown>>,
    /// Why it ended the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trap: Option<String>,
}

/// A value as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its type.
    pub r#type: ValType,
    /// Its text.
    pub value: String,
}

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
pub struct Ran {
    /// The function that was called.
    pub function: String,
    /// Fuel used.
    pub fuel: u64,
    /// Its results; none if it trapped.
    pub results: Option<Vec<Shown>>,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trap: Option<String>,
}

/// Bytes, written as `41 ac 02`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02x}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why there is no dump.
#[derive(Debug, thiserror::Error)]
pub enum Unexplained {
    /// The bytes are no module.
    #[error(transparent)]
    Unreadable(#[from] ParseError),
    /// It cannot be run.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

/// Dumps the binary that `program` was read from, with what a run of it did, if there is one.
///
/// # Errors
/// See [`Unexplained`].
pub fn explain(bytes: &[u8], program: &Program, run: Option<&Run>) -> Result<Dump, Unexplained> {
    let trace = run.map(|run| Ok::<_, NoRoom>((run, Trace::run(program, run)?))).transpose()?;
    let printer = Printer::new(program);
    let began = trace.iter().flat_map(|(_, trace)| trace.places.keys()).map(|(func, _)| *func).collect();
    let mut dump = layout::dump(&printer, program, bytes, &began)?;
    if let Some((run, trace)) = trace {
        let names = printer.names();
        dump.run = Some(ran(names, run, &trace));
        let functions = dump.sections.iter_mut().flat_map(|section| &mut section.functions);
        functions.for_each(|function| annotate(names, program, function, &trace));
    }
    Ok(dump)
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn shown(names: &Names, values: &[Value]) -> Vec<Shown> {
    values.iter().map(|&value| Shown { r#type: value.ty, value: names.value(value) }).collect()
}

fn ran(names: &Names, run: &Run, trace: &Trace) -> Ran {
    Ran {
        function: names.func(run.entry),
        fuel: trace.fuel,
        results: trace.ended.as_ref().ok().map(|outcome| shown(names, &outcome.results)),
        trap: trace.ended.as_ref().err().map(|stopped| stopped.trap.to_string()),
    }
}

fn annotate(names: &Names, program: &Program, function: &mut Function, trace: &Trace) {
    if function.code.is_empty() {
        return;
    }
    for (flat, instruction) in program.flatten(function.index).iter().zip(&mut function.code) {
        let at = trace.places.get(&(function.index, flat.place));
        let here = |stopped: &&Stopped| stopped.at == Some((function.index, instruction.pc));
        let (before, after) = (at.and_then(|at| at.before.as_ref()), at.and_then(|at| at.after.as_ref()));
        let below = |operands: Option<&Operands>| operands.map_or(0, |operands| operands.below);
        let top = |operands: Option<&Operands>| operands.map(|operands| shown(names, &operands.top));
        instruction.ran = Some(Executed {
            hits: at.map_or(0, |at| at.hits),
            fuel: at.map_or(0, |at| at.fuel),
            dead: at.is_none(),
            below_before: below(before),
            before: top(before),
            below_after: below(after),
            after: top(after),
            trap: trace.ended.as_ref().err().filter(here).map(|stopped| stopped.trap.to_string()),
        });
    }
}
