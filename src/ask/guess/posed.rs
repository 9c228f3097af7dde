//! Owns what a guesser sees: a question's program and places as they stand in the text, and the shape of the answer.
//!
//! Must not know truth, recipe, or what executing anything would show. Types and heights are read off the validated
//! text, so that a guess is never wrong for its shape alone: the floor is that of a reader who knows WebAssembly and
//! computes nothing.

use super::shape::{self, Slot};
use crate::ask::chat::Message;
use crate::item::record::{Item, Looks, Probe, Shape, Task};
use crate::item::task::text::{self, Text};
use crate::item::task::{INSPECT, flag_name};
use crate::solver::Unanswerable;
use crate::solver::question::{FoundQuestion, Wanted};
use crate::wasm::isa::Op;
use crate::wasm::parse::{ParseError, parse_text};
use crate::wasm::program::{Flat, Place, Program};
use crate::wasm::types::{ValType, Value};

/// A question, read from its text.
#[derive(Debug)]
pub struct Posed {
    /// What is asked.
    pub(in crate::ask) task: Task,
    /// The program.
    pub(super) program: Program,
    /// The function that is run.
    pub(super) entry: u32,
    /// The flat code of every function; empty for an imported one.
    pub(super) code: Vec<Vec<Flat>>,
    /// The places asked about, in the order of the text.
    pub(super) probes: Vec<PosedProbe>,
    /// The operands or results asked for, bottom first.
    pub(super) slots: Vec<Slot>,
}

/// One place that a question looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PosedProbe {
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
        let name = |index| if item.task.shape() == Shape::Flags { flag_name(index) } else { INSPECT.to_owned() };
        let asked = |(index, &probe)| PosedProbe { name: name(index), probe };
        let entry = program.export("run").unwrap_or_default();
        Self::new(item.task, program, entry, item.probes.iter().enumerate().map(asked).collect())
    }

    /// The question of a conversation.
    ///
    /// # Errors
    /// If there is none in it.
    pub fn find(messages: &[Message]) -> Result<Self, Unanswerable> {
        let FoundQuestion { program, entry, wanted } = FoundQuestion::find(messages)?;
        let code: Vec<Vec<Flat>> = text::functions(&program).collect();
        let at = |place: Place| {
            let pc = |code: &Vec<Flat>| code.iter().position(|entry| entry.place == place);
            let found = code.iter().enumerate().find_map(|(func, code)| Some((func as u32, pc(code)? as u32)));
            found.unwrap_or_default()
        };
        let asked = |name: String, place, hit| {
            let (func, pc) = at(place);
            PosedProbe { name, probe: Probe { func, pc, hit } }
        };
        let (task, probes) = match wanted {
            Wanted::Operands { place, hit } => (Task::Stack, vec![asked(INSPECT.into(), place, hit)]),
            Wanted::Flags(flags) => {
                (Task::Reachability, flags.into_iter().map(|(name, place)| asked(name, place, 1)).collect())
            }
            Wanted::End(task) => (task, Vec::new()),
        };
        Self::new(task, program, entry, probes).map_err(|error| Unanswerable::Unreadable(error.to_string()))
    }

    pub(super) fn new(task: Task, program: Program, entry: u32, probes: Vec<PosedProbe>) -> Result<Self, ParseError> {
        let code: Vec<Vec<Flat>> = text::functions(&program).collect();
        let mut posed = Self { task, entry, code, probes, slots: Vec::new(), program };
        posed.slots = match task {
            Task::Stack => match posed.place() {
                Some((func, pc)) => shape::operands(&posed.program, func, pc)?,
                None => Vec::new(),
            },
            Task::Result => shape::results(&posed.program, entry)?,
            _ => Vec::new(),
        };
        Ok(posed)
    }

    /// Function and index in its flat code of the first place asked about; for the result, the end of the run.
    pub(super) fn place(&self) -> Option<(u32, u32)> {
        match self.task.looks() {
            Looks::Probes => self.probes.first().map(|asked| (asked.probe.func, asked.probe.pc)),
            Looks::End => {
                let code = self.code.get(self.entry as usize)?;
                Some((self.entry, code.len().saturating_sub(1) as u32))
            }
        }
    }

    /// The program as it is read.
    pub(super) fn text(&self) -> Text<'_> {
        Text { program: &self.program, code: &self.code, entry: self.entry }
    }

    /// Types of what is asked for, bottom first.
    pub(super) fn types(&self) -> Vec<ValType> {
        self.slots.iter().map(|slot| slot.ty).collect()
    }

    /// Every constant that an instruction pushes, in the order of the text.
    pub(super) fn constants(&self) -> impl Iterator<Item = Constant> + '_ {
        self.code.iter().enumerate().flat_map(move |(func, code)| {
            code.iter().enumerate().filter_map(move |(pc, entry)| {
                let value = text::constant(&self.program, &entry.instr)?;
                Some(Constant { value, func: func as u32, pc: pc as u32 })
            })
        })
    }

    /// Instructions of a function as the text shows them: `else` and `end` are none.
    pub(super) fn instructions(code: &[Flat]) -> usize {
        code.iter().filter(|entry| !matches!(entry.instr.op, Op::Else | Op::End)).count()
    }
}
