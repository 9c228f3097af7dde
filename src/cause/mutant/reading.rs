//! Owns running a question as a mutant reads it.
//!
//! Must not know which mutants there are. The machine is the exact one; only in the place of what the mutant misreads
//! something else happens. Misread control may lead where code has not the operands that it takes: there the reading
//! ends, and the mutant has no answer. The start function is read as it is.

use super::flow::{Change, target};
use super::rule::{Made, exact};
use super::{Mutant, Slip};
use crate::cause::facts::Circumstance;
use crate::cause::flow::Node;
use crate::item::edit::Question;
use crate::item::record::{Task, Truth};
use crate::item::task::flag_name;
use crate::wasm::effect::effect;
use crate::wasm::isa::Op;
use crate::wasm::machine::{Blind, Machine, OpenLabel, Stop};
use crate::wasm::program::{Instr, Place, Probe, Program};
use crate::wasm::types::{Bits, Value};
use std::collections::HashMap;

/// What a question's run has to tell those who misread it.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// How often the body of each loop ran, in the order in which loops were entered.
    pub(super) loops: Vec<u32>,
}

/// One reading of a question.
pub(super) struct Reading<'a> {
    question: &'a Question,
    mutant: &'a Mutant,
    course: &'a Course,
    machine: &'a mut Machine,
    /// Where the probes stand, and which of them were passed.
    places: Vec<Option<(u32, Place)>>,
    passed: Vec<bool>,
    hits_left: u32,
    /// Whether something was misread that may leave the operands that valid code relies on.
    astray: bool,
    /// Of each loop that is open or was: its number in the order of entering, and how often its body ran.
    loops: HashMap<u32, Turns>,
    entered: usize,
    /// How often an activation executed an instruction.
    visits: HashMap<(u32, Place), u32>,
    /// The declared locals that the last call of a function left.
    kept: HashMap<u32, Vec<Bits>>,
}

#[derive(Clone, Copy)]
struct Turns {
    number: usize,
    count: u32,
    /// Whether it has had its additional run.
    extended: bool,
}

/// How a reading goes on.
enum Next {
    On,
    /// What is asked about was reached.
    Reached,
    Finished,
    /// There is no answer.
    Lost,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        question: &'a Question,
        mutant: &'a Mutant,
        course: &'a Course,
        machine: &'a mut Machine,
    ) -> Self {
        let Question { program, probes, .. } = question;
        let place = |probe: &Probe| Some((probe.func, program.place(probe.func, probe.pc)?));
        Self {
            question,
            mutant,
            course,
            machine,
            places: probes.iter().map(place).collect(),
            passed: vec![false; probes.len()],
            hits_left: probes.first().map_or(0, |probe| probe.hit),
            astray: false,
            loops: HashMap::new(),
            entered: 0,
            visits: HashMap::new(),
            kept: HashMap::new(),
        }
    }

    /// The answer; `None` where the reading comes to none.
    pub(super) fn answer(mut self, fuel: u64) -> Option<Truth> {
        let Question { program, entry, .. } = self.question;
        self.machine.reset(program, 0);
        self.machine.fuel_limit = fuel;
        self.machine.start(program, 0, &mut Blind).ok()?;
        self.machine.invoke(program, *entry, &[]).ok()?;
        loop {
            match self.next(program) {
                Next::On => {}
                Next::Lost => return None,
                Next::Reached => {
                    return Some(Truth::StackValues(self.machine.frame_operands().collect()));
                }
                Next::Finished => return self.end(),
            }
        }
    }

    /// The answer of a reading that came to its end; none to a question about a place that it did not reach.
    fn end(self) -> Option<Truth> {
        match self.question.task {
            Task::Result => Some(Truth::ReturnValues(self.machine.frame_operands().collect())),
            Task::Fuel => Some(Truth::Fuel(self.machine.fuel())),
            Task::Reachability => {
                let flags = self.passed.iter().enumerate();
                Some(Truth::FlagStates(flags.map(|(at, &is_passed)| (flag_name(at), is_passed)).collect()))
            }
            // What looks elsewhere has no predicted answers.
            _ => None,
        }
    }

    fn next(&mut self, program: &Program) -> Next {
        let (func, place) = (self.machine.func(), self.machine.place());
        if self.look(func, place) {
            return Next::Reached;
        }
        let Some(instr) = program.seqs[place.seq as usize].code.get(place.index as usize) else {
            let lacks = |label: OpenLabel| label.above < label.leaves;
            return if self.astray && self.machine.open_label(0).is_none_or(lacks) {
                Next::Lost
            } else {
                self.stepped(program, None)
            };
        };
        if self.astray && !self.has_operands(program, func, instr) {
            return Next::Lost;
        }
        let change = self.change(program, func, place, instr);
        self.execute(program, instr, change)
    }

    /// Notes the probes at a place; whether what is asked about is reached.
    fn look(&mut self, func: u32, place: Place) -> bool {
        if self.question.task == Task::Stack {
            if self.places.first() != Some(&Some((func, place))) || self.hits_left == 0 {
                return false;
            }
            self.hits_left -= 1;
            return self.hits_left == 0;
        }
        for (at, passed) in self.places.iter().zip(&mut self.passed) {
            *passed |= *at == Some((func, place));
        }
        false
    }

    /// Whether the operands that an instruction takes are there.
    fn has_operands(&self, program: &Program, func: u32, instr: &Instr) -> bool {
        let Some(label) = self.machine.open_label(0) else { return false };
        let Some(effect) = effect(program, func, instr) else { return false };
        let popped = effect.popped().count() as u32;
        if label.above < popped {
            return false;
        }
        let carried = |depth| self.machine.open_label(depth).map(|to| to.above.saturating_sub(to.carries));
        match instr.op {
            Op::Br | Op::BrIf => carried(instr.a).is_some_and(|spare| spare >= u32::from(instr.op == Op::BrIf)),
            Op::BrTable => program.label_tables[instr.a as usize].iter().all(|&to| carried(to).is_some_and(|n| n > 0)),
            Op::Return => label.above as usize >= program.func_type(func).results.len(),
            _ => true,
        }
    }

    /// What the mutant makes of an instruction.
    fn change(&mut self, program: &Program, func: u32, place: Place, instr: &Instr) -> Change {
        let Some(slip) = self.mutant.slip(instr.op) else { return Change::Exact };
        if !self.holds(func, place, instr) {
            return Change::Exact;
        }
        match slip {
            Slip::As(to) => Change::Instead(Instr { op: to, ..*instr }),
            Slip::Rule(rule) => {
                let [x, y] = operands(self.machine, instr.op);
                match (rule.make)(instr.op, x, y) {
                    Made::Exact => Change::Exact,
                    Made::Bits(bits) => Change::Result(bits.into()),
                    Made::Nothing => Change::Nothing,
                }
            }
            Slip::Flow(flow) => (flow.change)(self.machine, program, instr),
        }
    }

    /// Whether the circumstance in which the mutant misreads is there.
    fn holds(&mut self, func: u32, place: Place, instr: &Instr) -> bool {
        let when = self.mutant.when;
        if when == Circumstance::Any {
            return true;
        }
        let visits = self.visits.entry((self.machine.activation(), place)).or_default();
        let before = *visits;
        *visits += 1;
        when.holds(&node(self.machine, func, place, instr, before))
    }

    /// Executes an instruction as it is read.
    fn execute(&mut self, program: &Program, instr: &Instr, change: Change) -> Next {
        match change {
            Change::Exact => self.stepped(program, None),
            Change::Nothing => Next::Lost,
            Change::Instead(instead) => {
                // Behind these, valid code may take operands that were never pushed (spec 3.3).
                self.astray |= matches!(instr.op, Op::Br | Op::Return);
                self.stepped(program, Some(&instead))
            }
            Change::Branch(label) => self.branch(program, instr, label),
            Change::Operand(down, bits) => {
                self.machine.set_operand(down, bits);
                self.stepped(program, None)
            }
            Change::Result(bits) => {
                let next = self.stepped(program, None);
                if matches!(next, Next::On) {
                    self.machine.set_operand(0, bits);
                }
                next
            }
            Change::Reversed => {
                self.reverse(program, instr);
                self.stepped(program, None)
            }
            Change::Capped(most) => self.turn(program, instr, |turns, _| turns.count >= most),
            Change::Runs(-1) => self.turn(program, instr, |turns, course| {
                let all = course.loops.get(turns.number).copied().unwrap_or(u32::MAX);
                turns.count + 1 >= all && all > 1
            }),
            Change::Runs(_) => self.once_more(program, instr),
            Change::Kept => self.call_keeping(program),
        }
    }

    fn stepped(&mut self, program: &Program, instead: Option<&Instr>) -> Next {
        let keeps = self.mutant.keeps_locals();
        let before = keeps.then(|| (self.machine.calls(), self.machine.func(), self.declared(program)));
        let stop = match instead {
            Some(instr) => self.machine.step_as(program, instr),
            None => self.machine.step(program, &mut Blind),
        };
        if let Some((calls, func, locals)) = before
            && self.machine.calls() < calls
        {
            self.kept.insert(func, locals);
        }
        match stop {
            None => Next::On,
            Some(Stop::Finished) => Next::Finished,
            Some(Stop::Trap(_) | Stop::Frontier) => Next::Lost,
        }
    }

    /// A branch to another label than the one that stands there.
    fn branch(&mut self, program: &Program, instr: &Instr, label: u32) -> Next {
        self.astray = true;
        if instr.op != Op::Br {
            self.machine.step_as(program, &Instr::plain(Op::Drop));
        }
        let fits = self.machine.open_label(label).is_some_and(|to| to.above >= to.carries);
        if fits { self.stepped(program, Some(&Instr::index(Op::Br, label))) } else { Next::Lost }
    }

    /// A branch that goes back to a loop, unless that ends before.
    fn turn(&mut self, program: &Program, instr: &Instr, ends: impl Fn(Turns, &Course) -> bool) -> Next {
        if instr.op == Op::Loop {
            return self.enter_loop(program);
        }
        let Some(label) = target(self.machine, program, instr) else { return self.stepped(program, None) };
        let Some(serial) = self.machine.open_label(label).filter(|open| open.is_loop).map(|open| open.serial) else {
            return self.stepped(program, None);
        };
        let course = self.course;
        let Some(turns) = self.loops.get_mut(&serial) else { return Next::Lost };
        if !ends(*turns, course) {
            turns.count += 1;
            return self.stepped(program, None);
        }
        self.astray = true;
        if instr.op != Op::Br {
            self.machine.step_as(program, &Instr::plain(Op::Drop));
        }
        if self.machine.open_label(label).is_none_or(|open| open.above < open.leaves) {
            return Next::Lost;
        }
        match self.machine.leave_block(label) {
            Some(_) => Next::Finished,
            None => Next::On,
        }
    }

    /// A conditional branch back to a loop is taken once where it would have ended it.
    fn once_more(&mut self, program: &Program, instr: &Instr) -> Next {
        let loops = |label| self.machine.open_label(label).filter(|open| open.is_loop);
        if let (Op::BrIf, Some(open)) = (instr.op, loops(instr.a))
            && self.machine.operand(0).bits as u32 == 0
            && let Some(turns) = self.loops.get_mut(&open.serial).filter(|turns| !turns.extended)
        {
            turns.extended = true;
            self.machine.set_operand(0, 1);
        }
        self.turn(program, instr, |_, _| false)
    }

    fn enter_loop(&mut self, program: &Program) -> Next {
        let next = self.stepped(program, None);
        if let Some(open) = self.machine.open_label(0) {
            self.loops.insert(open.serial, Turns { number: self.entered, count: 1, extended: false });
            self.entered += 1;
        }
        next
    }

    /// The arguments of a call in the opposite order, as far as they have one type.
    fn reverse(&mut self, program: &Program, instr: &Instr) {
        let indirect = matches!(instr.op, Op::CallIndirect | Op::ReturnCallIndirect);
        let params = match indirect {
            true => &program.types[instr.a as usize].params,
            false => &program.func_type(instr.a).params,
        };
        let (count, under) = (params.len() as u32, u32::from(indirect));
        for at in 0..count / 2 {
            let (first, last) = (under + count - 1 - at, under + at);
            let (a, b) = (self.machine.operand(first), self.machine.operand(last));
            if a.ty == b.ty {
                self.machine.set_operand(first, b.bits);
                self.machine.set_operand(last, a.bits);
            }
        }
    }

    /// A call whose declared locals are those that the last one left.
    fn call_keeping(&mut self, program: &Program) -> Next {
        let next = self.stepped(program, None);
        let func = self.machine.func();
        if let (Next::On, Some(kept)) = (&next, self.kept.get(&func)) {
            let first = program.func_type(func).params.len() as u32;
            (first..).zip(kept).for_each(|(index, &bits)| self.machine.set_local(index, bits));
        }
        next
    }

    fn declared(&self, program: &Program) -> Vec<Bits> {
        let func = self.machine.func();
        let first = program.func_type(func).params.len() as u32;
        let count = program.funcs[func as usize].locals.len() as u32;
        (first..first + count).map(|index| self.machine.local(index).bits).collect()
    }
}

/// The two operands on top, or the one twice.
pub(super) fn operands(machine: &Machine, op: Op) -> [u64; 2] {
    let y = machine.operand(0).bits as u64;
    if op.row().params.len() < 2 { [y, y] } else { [machine.operand(1).bits as u64, y] }
}

/// What is to be known of an execution to tell its circumstances.
fn node(machine: &Machine, func: u32, place: Place, instr: &Instr, before: u32) -> Node {
    let height = machine.frame_operands().len();
    let operand = |down: usize| (down < height).then(|| machine.operand(down as u32));
    let values = [operand(1), operand(0)];
    let result = || {
        let ty = *instr.op.row().results.first()?;
        (values[0].is_some() || instr.op.row().params.len() < 2).then_some(())?;
        let [x, y] = operands(machine, instr.op);
        Some(Value::new(ty, exact(instr.op, x, y)?.into()))
    };
    let computes = matches!(instr.op.row().params.len(), 1 | 2) && height >= instr.op.row().params.len();
    Node {
        instr: *instr,
        at: (func, place),
        values: [values[0], values[1], if computes { result() } else { None }],
        argument: None,
        inputs: Vec::new(),
        before,
        depth: machine.calls().saturating_sub(1) as usize,
        recursive: false,
    }
}

/// How the run goes when nothing is misread.
pub(super) fn course(question: &Question, fuel: u64, machine: &mut Machine) -> Course {
    let nothing = Mutant::counting();
    let empty = Course::default();
    let mut reading = Reading::new(question, &nothing, &empty, machine);
    reading.count(fuel)
}

impl Reading<'_> {
    fn count(&mut self, fuel: u64) -> Course {
        let Question { program, entry, .. } = self.question;
        self.machine.reset(program, 0);
        self.machine.fuel_limit = fuel;
        let begun = self.machine.start(program, 0, &mut Blind).and_then(|()| self.machine.invoke(program, *entry, &[]));
        if begun.is_ok() {
            while let Next::On | Next::Reached = self.next(program) {}
        }
        let mut loops = vec![1; self.entered];
        self.loops.values().for_each(|turns| loops[turns.number] = turns.count);
        Course { loops }
    }
}
