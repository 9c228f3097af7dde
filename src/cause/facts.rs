//! Owns the facts of a question: what can be said in plain words of the computation that its answer depends on.
//!
//! Must not know verdicts. A fact is an instruction, or a group of them, in some circumstance (`shifts and rotations by the
//! width or more`), or a structure of the run (`a loop whose body runs 3 times or more`). Unlike the features of a
//! [`profile`](super::profile), which only a machine reads, each has a name that people understand; so the weaknesses of a
//! model are told in them, and a minimal pair knows which instruction to change.

mod circumstance;
mod group;
mod structure;

pub use circumstance::Circumstance;
pub use structure::Structure;

use super::flow::{FlowTrace, Node};
use crate::item::edit::{Question, UnreadableItem};
use crate::item::record::{Item, Task};
use crate::wasm::isa::Op;
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::Place;
use std::collections::BTreeMap;
use std::fmt;
use structure::{Loops, Structures};

/// Instructions that a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Those of a group, by its number.
    Group(u8),
    /// One alone.
    One(Op),
}

/// Something that is true of a question. Ordered from the general to the special.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// How the run goes before the place that is asked about.
    Structure(Structure),
    /// The answer depends on an instruction of this kind, executed in this circumstance.
    Behind(Circumstance, Subject),
}

impl Subject {
    fn of(op: Op) -> impl Iterator<Item = Self> {
        group::of(op).iter().map(|&group| Self::Group(group)).chain([Self::One(op)])
    }

    /// Whether an instruction is of this kind.
    pub fn has(self, op: Op) -> bool {
        match self {
            Self::Group(number) => group::of(op).contains(&number),
            Self::One(one) => one == op,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(number) => f.write_str(group::ALL[usize::from(*number)].words),
            Self::One(op) => f.write_str(op.mnemonic()),
        }
    }
}

/// In plain words: `unsigned comparisons with a negative operand`.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Structure(structure) => structure.fmt(f),
            Self::Behind(circumstance, kind) => write!(f, "{kind}{}", circumstance.words()),
        }
    }
}

/// What is true of a question, each with the places of the code that make it so.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    found: BTreeMap<Fact, Vec<(u32, Place)>>,
    loops: Loops,
    /// The instructions that the answer depends on.
    behind: Vec<(u32, Place)>,
}

impl Facts {
    /// Of a stored item; its program runs once more.
    ///
    /// # Errors
    /// If its program cannot be read.
    pub fn of(item: &Item, machine: &mut Machine) -> Result<Self, UnreadableItem> {
        Ok(Self::of_question(&Question::of(item)?, item.fuel, machine))
    }

    /// Of a question whose run takes this fuel at most. Of one that traps: of what came before.
    pub fn of_question(question: &Question, fuel: u64, machine: &mut Machine) -> Self {
        let Question { program, task, probes, .. } = question;
        let probe = probes.first().filter(|_| *task == Task::Stack);
        let mut watch = Watch { trace: FlowTrace::new(program, probe), structures: Structures::new(program, probe) };
        // A trap ends the run; what was seen before it is seen.
        let _ = question.execution(machine, fuel).run(&mut watch);
        let Watch { trace, structures } = watch;
        let mut roots = trace.roots(*task);
        roots.extend(trace.decisions_before());
        let mut facts = Self { found: structures.found(), loops: Loops::of(program), behind: Vec::new() };
        for node in trace.behind(&roots) {
            facts.note(&trace.nodes[node]);
        }
        facts
    }

    fn note(&mut self, node: &Node) {
        if !self.behind.contains(&node.at) {
            self.behind.push(node.at);
        }
        for circumstance in Circumstance::ALL.into_iter().filter(|circumstance| circumstance.holds(node)) {
            for kind in Subject::of(node.op()).filter(|&kind| circumstance.suits(kind)) {
                let places = self.found.entry(Fact::Behind(circumstance, kind)).or_default();
                // Of code that runs again it is the loop that makes it so.
                let again = circumstance == Circumstance::Again;
                let at = if again { self.loops.around(node.at.1).unwrap_or(node.at) } else { node.at };
                if !places.contains(&at) {
                    places.push(at);
                }
            }
        }
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Fact> {
        self.found.keys().copied()
    }

    /// Whether one of them is true.
    pub fn contains(&self, fact: Fact) -> bool {
        self.found.contains_key(&fact)
    }

    /// The instructions that the answer depends on, in the order in which they ran first.
    pub fn behind(&self) -> &[(u32, Place)] {
        &self.behind
    }

    /// The instructions that make a fact true, by function and place, in the order in which they ran first; none for what
    /// no single instruction is responsible for.
    pub fn places(&self, fact: Fact) -> &[(u32, Place)] {
        self.found.get(&fact).map_or(&[], Vec::as_slice)
    }
}

/// Follows values and sees how the run goes.
struct Watch<'a> {
    trace: FlowTrace<'a>,
    structures: Structures<'a>,
}

impl Observer for Watch<'_> {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        self.trace.before(machine, func, place);
        self.structures.before(machine, func, place);
    }
}

#[cfg(test)]
mod tests;
