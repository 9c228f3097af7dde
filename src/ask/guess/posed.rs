//! Owns what a guesser sees: a question's program and places as they stand in the text, and the shape of the answer.
//!
//! Must not know truth, recipe, or what executing anything would show. Types and heights are read off the validated
//! text, so that a guess is never wrong for its shape alone: the floor is that of a reader who knows WebAssembly and
//! computes nothing.

use super::shape::{self, Slot};
use crate::ask::chat::Message;
use crate::ask::solver::{Question, Unanswerable};
use crate::item::record::{Item, Probe, Task};
use crate::item::task::INSPECT;
use crate::wasm::isa::Op;
use crate::wasm::parse::{ParseError, parse_text};
use crate::wasm::program::{Flat, Instr, Program};
use crate::wasm::types::{ValType, Value};

/// A question, read from its text.
#[derive(Debug)]
pub struct Posed {
    /// What is asked.
    pub(super) task: Task,
    /// The program.
    pub(super) program: Program,
    /// The function that is run.
    pub(super) entry: u32,
    /// The flat code of every function; empty for an imported one.
    pub(super) code: Vec<Vec<Flat>>,
    /// The places asked about, in the order of the text.
    pub(super) probes: Vec<Asked>,
    /// The operands or results asked for, bottom first.
    pub(super) slots: Vec<Slot>,
}

/// One place that a question looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// What it is called in the answer: the name of the flag.
    pub(super) name: String,
    /// Where it stands.
    pub(super) probe: Probe,
}

/// A constant in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Constant {
    pub(super) value: Value,
    pub(super) func: u32,
    pub(super) pc: u32,
}

impl Posed {
    /// The question of an item.
    ///
    /// # Errors
    /// If its text cannot be read.
    pub fn of_item(item: &Item) -> Result<Self, ParseError> {
        let (program, _) = parse_text(&item.program, &[])?;
        let name = |index| if item.task == Task::Reachability { format!("FLAG_{index}") } else { INSPECT.to_owned() };
        let asked = |(index, &probe)| Asked { name: name(index), probe };
        let entry = program.export("run").unwrap_or_default();
        Self::new(item.task, program, entry, item.probes.iter().enumerate().map(asked).collect())
    }

    /// The question of a conversation.
    ///
    /// # Errors
    /// If there is none in it.
    pub fn find(messages: &[Message]) -> Result<Self, Unanswerable> {
        let Question { program, entry, place, hit } = Question::find(messages)?;
        let at = |func: u32| program.flatten(func).iter().position(|entry| entry.place == place);
        let found = (0..program.funcs.len() as u32).find_map(|func| Some((func, at(func)? as u32)));
        let asked = found.map(|(func, pc)| Asked { name: INSPECT.into(), probe: Probe { func, pc, hit } });
        Self::new(Task::Stack, program, entry, asked.into_iter().collect())
            .map_err(|error| Unanswerable::Unreadable(error.to_string()))
    }

    pub(super) fn new(task: Task, program: Program, entry: u32, probes: Vec<Asked>) -> Result<Self, ParseError> {
        let code = (0..program.funcs.len() as u32)
            .map(|func| if program.funcs[func as usize].import.is_some() { Vec::new() } else { program.flatten(func) });
        let mut posed = Self { task, entry, code: code.collect(), probes, slots: Vec::new(), program };
        posed.slots = match task {
            Task::Stack => match posed.place() {
                Some((func, pc)) => shape::operands(&posed.program, func, pc)?,
                None => Vec::new(),
            },
            Task::Result => shape::results(&posed.program, entry)?,
            Task::Reachability | Task::Fuel => Vec::new(),
        };
        Ok(posed)
    }

    /// Function and index in its flat code of the first place asked about; for the result, the end of the run.
    pub(super) fn place(&self) -> Option<(u32, u32)> {
        match self.task {
            Task::Stack | Task::Reachability => self.probes.first().map(|asked| (asked.probe.func, asked.probe.pc)),
            Task::Result | Task::Fuel => {
                let code = self.code.get(self.entry as usize)?;
                Some((self.entry, code.len().saturating_sub(1) as u32))
            }
        }
    }

    /// Every constant that an instruction pushes, in the order of the text.
    pub(super) fn constants(&self) -> impl Iterator<Item = Constant> + '_ {
        self.code.iter().enumerate().flat_map(move |(func, code)| {
            code.iter().enumerate().filter_map(move |(pc, entry)| {
                let value = constant(&self.program, &entry.instr)?;
                Some(Constant { value, func: func as u32, pc: pc as u32 })
            })
        })
    }

    /// Instructions of a function as the text shows them: `else` and `end` are none.
    pub(super) fn instructions(code: &[Flat]) -> usize {
        code.iter().filter(|entry| !matches!(entry.instr.op, Op::Else | Op::End)).count()
    }
}

/// The value that an instruction pushes wherever it stands.
pub(super) fn constant(program: &Program, instr: &Instr) -> Option<Value> {
    let ty = match instr.op {
        Op::I32Const => ValType::I32,
        Op::I64Const => ValType::I64,
        Op::F32Const => ValType::F32,
        Op::F64Const => ValType::F64,
        Op::V128Const => return Some(Value::new(ValType::V128, *program.vectors.get(instr.a as usize)?)),
        Op::RefNull => return Some(Value::zero(instr.val_type())),
        Op::RefFunc => return Some(Value::new(ValType::FuncRef, 1 + u128::from(instr.a))),
        _ => return None,
    };
    Some(Value::new(ty, instr.b.into()))
}
