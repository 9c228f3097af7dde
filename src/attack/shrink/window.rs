//! Owns cutting a stretch out of an execution: a program that begins with the state which the other one had at some
//! step, executes the same code up to the probe, and nothing else.
//!
//! Must not know which stretch is worth trying. What the stretch needs is pushed as constants, globals, memory and tables
//! begin as they were; a branch out of the stretch leaves the function.

use super::subject::{Mark, Subject, inside};
use super::trace::{Recording, State};
use super::typing::{Typing, labels, type_index};
use crate::wasm::isa::{Imm, Op};
use crate::wasm::machine::Machine;
use crate::wasm::program::{Data, Elem, Export, Extern, Func, Instr, Place, Program, SegmentMode, Seq, SeqId};
use crate::wasm::types::{FuncType, ValType, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of memory that a stretch may begin with.
const MOST_MEMORY: usize = 4096;

/// A sequence that was being executed when the probe was reached, innermost first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) func: u32,
    pub(super) seq: SeqId,
    /// How far it was executed: up to the probe, or with the instruction that holds or calls what is within.
    pub(super) end: u32,
    /// The step of that.
    at: usize,
    /// Whether the probe stands in this sequence itself.
    inner: bool,
}

/// The sequences around the probe at a step, innermost first, callers last.
pub(super) fn levels(subject: &Subject, trace: &Recording, step: usize) -> Vec<Level> {
    let mut levels = Vec::new();
    let (mut at, mut inner) = (step, true);
    loop {
        let here = &trace.steps[at];
        let (func, activation, mut place) = (here.func, here.activation, here.place);
        loop {
            let end = place.index + u32::from(!inner);
            levels.push(Level { func, seq: place.seq, end, at, inner });
            inner = false;
            let Some(parent) = subject.parent(func, place.seq) else { break };
            let Some(entered) = trace.last(activation, parent.seq, parent.index, at) else { return levels };
            (at, place) = (entered, parent);
        }
        let begun = trace.steps.iter().position(|step| step.activation == activation).expect("it is there");
        let Some(caller) = begun.checked_sub(1) else { return levels };
        // What runs when the module is instantiated makes no call.
        let place = trace.steps[caller].place;
        let code = subject.code(place.seq);
        let calls = |instr: &Instr| matches!(instr.op.row().imm, Imm::Func | Imm::TypeTable) && instr.op != Op::RefFunc;
        if !code.get(place.index as usize).is_some_and(calls) {
            return levels;
        }
        at = caller;
    }
}

/// How much of the operand stack a stretch begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stack {
    /// What it takes.
    Needed,
    /// All of the frame.
    Whole,
}

/// Where a stretch begins: a level, the instruction in its sequence, and what of the operand stack it begins with.
#[derive(Clone, Copy)]
pub(super) struct Opening {
    pub(super) level: Level,
    pub(super) start: u32,
    pub(super) stack: Stack,
}

/// Cuts from an opening up to the probe at a step.
pub(super) fn cut(
    subject: &Subject,
    trace: &Recording,
    machine: &mut Machine,
    fuel_limit: u64,
    Opening { level, start, stack }: Opening,
    step: usize,
) -> Option<Subject> {
    let activation = trace.steps[level.at].activation;
    let first = trace.last(activation, level.seq, start, level.at)?;
    let state = Recording::state(subject, machine, fuel_limit, first)?;
    let mut new = subject.clone();
    let mut copier = Copier { from: &subject.program, to: &mut new.program, map: BTreeMap::new() };
    let nested = subject.parent(level.func, level.seq).is_some();
    let code = &subject.code(level.seq)[start as usize..level.end as usize];
    let copy = copier.code(code, 0, nested);
    let map = copier.map;
    let operands = &trace.steps[first].operands;
    let mut typing = Typing::new(operands.iter().map(|value| value.ty).collect());
    let ends = typing.run(&subject.program, level.func, code);
    let below = match (stack, ends) {
        (Stack::Whole, _) => 0,
        (Stack::Needed, Some(())) => typing.least,
        (Stack::Needed, None) => return None,
    };
    let mut body = Vec::new();
    let (locals, code) = with_locals(&mut new.program, subject, level.func, &state, copy, &mut body)?;
    let values = operands[below..].iter().map(|value| constant(&mut new.program, *value));
    body.extend(values.collect::<Option<Vec<_>>>()?);
    body.extend(code);
    let func = new.program.funcs.len() as u32;
    let results = ends.map_or(Vec::new(), |()| typing.stack.split_off(below));
    let ty = type_index(&mut new.program, FuncType { params: Vec::new(), results });
    let end = body.len() as u32;
    let seq = push(&mut new.program, body);
    new.program.funcs.push(Func { ty, locals, body: seq, import: None });
    begin_with(&mut new.program, &state)?;
    new.program.start = None;
    new.program.exports = vec![Export { name: "run".into(), kind: Extern::Func, index: func }];
    new.entry = func;
    let probe = subject.marks[0];
    new.marks = vec![if level.inner {
        Mark { func, place: Place { seq, index: end }, hit: 1 }
    } else {
        let passed = trace.steps[first..=step].iter().filter(|step| step.place == probe.place);
        let same = |other: u32| other == activation;
        match (map.get(&probe.place.seq), same(trace.steps[step].activation)) {
            (Some(&copied), true) => {
                let hit = passed.filter(|step| same(step.activation)).count() as u32;
                Mark { func, place: Place { seq: copied, ..probe.place }, hit }
            }
            _ => Mark { hit: passed.filter(|step| step.func == probe.func).count() as u32, ..probe },
        }
    }];
    Some(new)
}

fn push(program: &mut Program, code: Vec<Instr>) -> SeqId {
    program.seqs.push(Seq { code, open: false });
    program.seqs.len() as SeqId - 1
}

/// A copy of some code, and the copy of each sequence inside.
pub(super) fn copied(program: &mut Program, code: &[Instr]) -> (Vec<Instr>, BTreeMap<SeqId, SeqId>) {
    let from = program.clone();
    let mut copier = Copier { from: &from, to: program, map: BTreeMap::new() };
    (copier.code(code, 0, false), copier.map)
}

/// Copies code with what is inside of it, so that two functions never share a sequence.
struct Copier<'a> {
    from: &'a Program,
    to: &'a mut Program,
    /// The copy of each sequence.
    map: BTreeMap<SeqId, SeqId>,
}

impl Copier<'_> {
    /// So many blocks within what is cut out. If that stood in a block itself, a conditional branch to there was not
    /// taken, or the stretch would have ended.
    fn code(&mut self, code: &[Instr], depth: u32, nested: bool) -> Vec<Instr> {
        code.iter().map(|instr| self.instruction(*instr, depth, nested)).collect()
    }

    fn instruction(&mut self, instr: Instr, depth: u32, nested: bool) -> Instr {
        if instr.op.row().imm == Imm::BlockType {
            let mut arms = inside(&instr).map(|seq| {
                let code = self.code(&self.from.seqs[seq as usize].code, depth + 1, nested);
                let copied = push(self.to, code);
                self.map.insert(seq, copied);
                copied
            });
            let body = arms.next().expect("a block has a body");
            let otherwise = arms.next();
            return Instr::structured(instr.op, instr.block_type(), body, otherwise);
        }
        let targets = labels(self.from, &instr);
        let outside = |label: &u32| if nested { *label >= depth } else { *label > depth };
        if !targets.iter().any(outside) {
            return instr;
        }
        match instr.op {
            Op::BrIf => Instr::plain(Op::Drop),
            Op::BrTable => {
                self.to.label_tables.push(targets.into_iter().map(|label| label.min(depth)).collect());
                Instr::index(Op::BrTable, self.to.label_tables.len() as u32 - 1)
            }
            _ => Instr { a: instr.a.min(depth), ..instr },
        }
    }
}

/// The instruction that pushes a value; `None` for one that no constant is.
pub(super) fn constant(program: &mut Program, value: Value) -> Option<Instr> {
    match value.ty {
        ValType::V128 => {
            program.vectors.push(value.bits);
            Some(Instr::index(Op::V128Const, program.vectors.len() as u32 - 1))
        }
        ValType::FuncRef if value.bits != 0 => Some(Instr::index(Op::RefFunc, value.bits as u32 - 1)),
        ValType::ExternRef if value.bits != 0 => None,
        _ => Some(Instr::constant(value.ty, value.bits)),
    }
}

/// The locals that code needs, and the code with them: what is never written is the constant that it was, what is
/// written is set before.
fn with_locals(
    program: &mut Program,
    subject: &Subject,
    func: u32,
    state: &State,
    mut code: Vec<Instr>,
    before: &mut Vec<Instr>,
) -> Option<(Vec<ValType>, Vec<Instr>)> {
    let (mut read, mut written) = (BTreeSet::new(), BTreeSet::new());
    each(program, &mut code, &mut |instr| match instr.op {
        Op::LocalGet => _ = read.insert(instr.a),
        Op::LocalSet | Op::LocalTee => _ = written.insert(instr.a),
        _ => {}
    });
    let mut locals = Vec::new();
    let mut numbers = BTreeMap::new();
    let mut values = BTreeMap::new();
    for &local in read.union(&written) {
        let value = *state.locals.get(local as usize)?;
        if value.bits != 0 && !written.contains(&local) {
            values.insert(local, constant(program, value)?);
            continue;
        }
        let number = locals.len() as u32;
        numbers.insert(local, number);
        locals.push(subject.program.local_type(func, local)?);
        if value.bits != 0 && read.contains(&local) {
            before.extend([constant(program, value)?, Instr::index(Op::LocalSet, number)]);
        }
    }
    each(program, &mut code, &mut |instr| {
        if instr.op.row().imm == Imm::Local {
            *instr = values.get(&instr.a).copied().unwrap_or_else(|| Instr { a: numbers[&instr.a], ..*instr });
        }
    });
    Some((locals, code))
}

/// Does something to every instruction of some code, inner ones included.
fn each(program: &mut Program, code: &mut [Instr], act: &mut impl FnMut(&mut Instr)) {
    for instr in code {
        for seq in inside(instr) {
            let mut inner = std::mem::take(&mut program.seqs[seq as usize].code);
            each(program, &mut inner, act);
            program.seqs[seq as usize].code = inner;
        }
        act(instr);
    }
}

/// Lets a program begin with globals, memory and tables as they were.
fn begin_with(program: &mut Program, state: &State) -> Option<()> {
    for index in 0..program.globals.len() {
        let global = &program.globals[index];
        let value = Value::new(global.ty, *state.globals.get(index)?);
        if global.import.is_none()
            && let Some(init) = constant(program, value)
        {
            program.globals[index].init = init;
        }
    }
    if let Some(memory) = &mut program.memory {
        memory.min = state.pages;
    }
    if state.memory.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MOST_MEMORY {
        return None;
    }
    // Segments that others name keep their numbers; those that are copied at the start are empty now.
    for data in program.datas.iter_mut().filter(|data| data.mode != SegmentMode::Passive) {
        data.bytes.clear();
        data.mode = SegmentMode::Active { target: 0, offset: Instr::constant(ValType::I32, 0) };
    }
    for (at, bytes) in &state.memory {
        let mode = SegmentMode::Active { target: 0, offset: Instr::constant(ValType::I32, u128::from(*at)) };
        program.datas.push(Data { bytes: bytes.clone(), mode });
    }
    for elem in program.elems.iter_mut().filter(|elem| matches!(elem.mode, SegmentMode::Active { .. })) {
        elem.items.clear();
    }
    for (target, elements) in state.tables.iter().enumerate() {
        let ty = program.tables.get(target)?.ty;
        program.tables[target].min = elements.len() as u32;
        for (at, &bits) in elements.iter().enumerate().filter(|(_, bits)| **bits != 0) {
            let items = vec![constant(program, Value::new(ty, bits))?];
            let offset = Instr::constant(ValType::I32, at as u128);
            let mode = SegmentMode::Active { target: target as u32, offset };
            program.elems.push(Elem { ty, items, mode });
        }
    }
    Some(())
}
