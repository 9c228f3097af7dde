//! Owns mutants: other meanings of instructions, under which the same program has another answer.
//!
//! Must not know models, answers or statistics. A reader's misconception predicts not only that an answer is wrong, but
//! which wrong answer comes; so a mutant is a hypothesis about a reader that each question can refute. As in mutation
//! testing, most touch no given run: [`Mutants::answers`] sees first, on the exact run, which ones could differ, and runs
//! those alone.

mod flow;
mod list;
mod reading;
mod rule;

use super::facts::Circumstance;
use crate::item::edit::Question;
use crate::item::record::Truth;
use crate::wasm::isa::{Op, Semantics};
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Instr, Place, Program};
use flow::{Change, Flow};
use list::listed;
use reading::{Reading, operands};
use rule::{Made, Rule, exact};
use std::fmt;

/// How one instruction is misread.
#[derive(Clone, Copy)]
enum Slip {
    /// As another one of the same signature.
    As(Op),
    /// By another rule.
    Rule(&'static Rule),
    /// As something else happening.
    Flow(&'static Flow),
}

/// What sort of thing is misread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// One instruction as another one.
    Pair,
    /// An instruction of any type as another one, or many as their twins.
    Family,
    /// One or many by another rule.
    Rule,
    /// The course of the run, or memory.
    Flow,
    /// A pair or a rule under a circumstance only.
    Partly,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pair, Self::Family, Self::Rule, Self::Flow, Self::Partly];
}

/// Another meaning of one or several instructions.
#[derive(Clone)]
pub struct Mutant {
    /// A name that stays the same from version to version: `i32.shr_u=i32.shr_s`, `i32.shl:unmasked`, `loop-once`.
    name: String,
    words: String,
    /// What is misread, and how.
    slips: Vec<(Op, Slip)>,
    /// The circumstance in which it is.
    when: Circumstance,
}

impl fmt::Debug for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mutant({})", self.name)
    }
}

/// In plain words: `i32.shr_u is read as i32.shr_s`.
impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Mutant {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The instructions that it misreads.
    pub fn subjects(&self) -> impl ExactSizeIterator<Item = Op> {
        self.slips.iter().map(|(op, _)| *op)
    }

    /// The instruction that another one is read as, where it is one alone.
    pub fn read_as(&self) -> Option<(Op, Op)> {
        match self.slips[..] {
            [(from, Slip::As(to))] => Some((from, to)),
            _ => None,
        }
    }

    /// What sort of thing it misreads.
    pub fn sort(&self) -> Sort {
        match self.slips[..] {
            _ if self.when != Circumstance::Any => Sort::Partly,
            [(_, Slip::As(_))] => Sort::Pair,
            [(_, Slip::As(_)), ..] => Sort::Family,
            [(_, Slip::Rule(_)), ..] => Sort::Rule,
            _ => Sort::Flow,
        }
    }

    /// The circumstance in which it misreads.
    pub fn when(&self) -> Circumstance {
        self.when
    }

    fn slip(&self, op: Op) -> Option<Slip> {
        self.slips.iter().find(|(of, _)| *of == op).map(|(_, slip)| *slip)
    }

    /// Whether what locals hold when a call ends matters.
    fn keeps_locals(&self) -> bool {
        self.name == "locals-kept"
    }

    /// One that misreads nothing, but counts what loops do.
    fn counting() -> Self {
        static COUNTING: Flow = flow::capped("", "", |_, _, _| Change::Capped(u32::MAX));
        let slips = [Op::Loop, Op::Br, Op::BrIf, Op::BrTable].map(|op| (op, Slip::Flow(&COUNTING))).to_vec();
        Self { name: String::new(), words: String::new(), slips, when: Circumstance::Any }
    }

    /// The answer to a question under it; `None` where it comes to none: it would trap, run too long, or read what is
    /// not there.
    pub fn answer(&self, question: &Question, fuel: u64, machine: &mut Machine) -> Option<Truth> {
        let course = reading::course(question, fuel, machine);
        Reading::new(question, self, &course, machine).answer(limit(fuel))
    }

    /// The same under a circumstance only.
    fn only(&self, when: Circumstance) -> Self {
        Self {
            name: format!("{}@{}", self.name, when.name()),
            words: format!("{}, but only{}", self.words, when.words()),
            when,
            ..self.clone()
        }
    }
}

/// Fuel that a reading may take of a program that takes this much.
fn limit(fuel: u64) -> u64 {
    4 * fuel + 200
}

/// The answer of a mutant to a question, where it is not the truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its number in [`Mutants::all`].
    pub mutant: usize,
    /// What it answers; `None` where it comes to no answer, so that only the miss is predicted.
    pub said: Option<Truth>,
}

/// A list of mutants, ready to be run.
#[derive(Clone, Debug)]
pub struct Mutants {
    all: Vec<Mutant>,
    /// By instruction, the numbers of those that misread it.
    about: Vec<Vec<u32>>,
}

impl Mutants {
    /// All that misread some of these instructions.
    pub fn of(instructions: &[Op]) -> Self {
        let all = listed(instructions);
        let mut about = vec![Vec::new(); Op::COUNT];
        for (number, mutant) in (0..).zip(&all) {
            mutant.subjects().for_each(|op| about[op.index()].push(number));
        }
        Self { all, about }
    }

    /// All of them.
    pub fn all(&self) -> &[Mutant] {
        &self.all
    }

    /// What those answer that touch the run of a question and do not answer its truth, ascending. `fuel` is what the run
    /// takes.
    pub fn answers(&self, question: &Question, truth: &Truth, fuel: u64, machine: &mut Machine) -> Vec<Answer> {
        let course = reading::course(question, fuel, machine);
        let of_those_that = self.touching(question, fuel, machine).into_iter();
        of_those_that
            .filter_map(|number| {
                let said = Reading::new(question, &self.all[number], &course, machine).answer(limit(fuel));
                (said.as_ref().is_none_or(|said| !same(said, truth))).then_some(Answer { mutant: number, said })
            })
            .collect()
    }

    /// Those that could change what a run does, ascending.
    fn touching(&self, question: &Question, fuel: u64, machine: &mut Machine) -> Vec<usize> {
        let mut watch = Watch { mutants: self, program: &question.program, differ: vec![false; self.all.len()] };
        // A trap ends the run; what was seen before it is seen.
        let _ = question.execution(machine, fuel).run(&mut watch);
        (0..self.all.len()).filter(|&number| watch.differ[number]).collect()
    }
}

/// Whether two answers would be judged the same.
fn same(one: &Truth, other: &Truth) -> bool {
    match (one, other) {
        (Truth::StackValues(a), Truth::StackValues(b)) | (Truth::ReturnValues(a), Truth::ReturnValues(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(*b))
        }
        (one, other) => one == other,
    }
}

/// Sees on the exact run which mutants do something else at an instruction.
struct Watch<'a> {
    mutants: &'a Mutants,
    program: &'a Program,
    differ: Vec<bool>,
}

impl Observer for Watch<'_> {
    fn before(&mut self, machine: &Machine, _: u32, place: Place) {
        let Some(instr) = self.program.seqs[place.seq as usize].code.get(place.index as usize) else { return };
        let about = &self.mutants.about[instr.op.index()];
        if about.is_empty() {
            return;
        }
        let right = computes(instr.op).then(|| operands(machine, instr.op)).map(|[x, y]| (x, y, exact(instr.op, x, y)));
        for &number in about {
            let differs = &mut self.differ[number as usize];
            *differs =
                *differs || could_differ(&self.mutants.all[number as usize], machine, self.program, instr, right);
        }
    }
}

/// Whether a mutant does something else here, circumstances apart.
fn could_differ(
    mutant: &Mutant,
    machine: &Machine,
    program: &Program,
    instr: &Instr,
    right: Option<(u64, u64, Option<u64>)>,
) -> bool {
    match (mutant.slip(instr.op), right) {
        (None, _) => false,
        (Some(Slip::As(to)), Some((x, y, right))) => exact(to, x, y) != right,
        (Some(Slip::Rule(rule)), Some((x, y, right))) => match (rule.make)(instr.op, x, y) {
            Made::Exact => false,
            Made::Bits(bits) => Some(bits) != right,
            Made::Nothing => true,
        },
        (Some(Slip::As(_) | Slip::Rule(_)), None) => true,
        (Some(Slip::Flow(flow)), _) => match (flow.change)(machine, program, instr) {
            Change::Exact => false,
            Change::Operand(down, bits) => machine.operand(down).bits != bits,
            _ => true,
        },
    }
}

/// Whether it only computes: numbers of numbers.
fn computes(op: Op) -> bool {
    let is_plain = matches!(
        op.row().semantics,
        Semantics::Unary(_) | Semantics::Binary(_) | Semantics::TryUnary(_) | Semantics::TryBinary(_)
    );
    is_plain && op.index() < Op::SCALARS
}

#[cfg(test)]
mod tests;
