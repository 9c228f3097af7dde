//! Owns the types of operands as they follow from the code alone, and giving functions and blocks the results that their
//! code leaves: what an edit takes away or adds then needs no `drop`.
//!
//! Must not know which edits there are. Nothing is checked here: what does not fit is no valid module and is found so.

use super::subject::{Subject, inside};
use crate::wasm::effect::effect;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{BlockType, Instr, Program, SeqId};
use crate::wasm::types::{FuncType, ValType};

/// An operand stack of types.
#[derive(Clone, Debug)]
pub(super) struct Typing {
    pub(super) stack: Vec<ValType>,
    /// The lowest that it came to: what lies under it was never touched.
    pub(super) least: usize,
}

impl Typing {
    pub(super) fn new(stack: Vec<ValType>) -> Self {
        let least = stack.len();
        Self { stack, least }
    }

    fn pop(&mut self) -> Option<ValType> {
        let top = self.stack.pop();
        self.least = self.least.min(self.stack.len());
        top
    }

    /// What some code does to it; `None` where operands are missing or control never comes to the end.
    pub(super) fn run(&mut self, program: &Program, func: u32, code: &[Instr]) -> Option<()> {
        code.iter().try_for_each(|instr| self.step(program, func, instr))
    }

    /// What one instruction does to it.
    fn step(&mut self, program: &Program, func: u32, instr: &Instr) -> Option<()> {
        let effect = effect(program, func, instr).filter(|effect| !effect.leaves())?;
        let mut open = None;
        for ty in effect.popped().rev() {
            let found = self.pop()?;
            open = if ty.is_none() { Some(found) } else { open };
        }
        for ty in effect.pushed() {
            self.stack.push(ty.or(open)?);
        }
        Some(())
    }
}

/// The number of a function type, added where the program has none such.
pub(super) fn type_index(program: &mut Program, ty: FuncType) -> u32 {
    let known = program.types.iter().position(|other| *other == ty);
    known.unwrap_or_else(|| {
        program.types.push(ty);
        program.types.len() - 1
    }) as u32
}

/// The type of a block with these parameters and results.
pub(super) fn block_type(program: &mut Program, params: &[ValType], results: &[ValType]) -> BlockType {
    match (params, results) {
        ([], []) => BlockType::Empty,
        ([], [ty]) => BlockType::Value(*ty),
        _ => BlockType::Func(type_index(program, FuncType { params: params.into(), results: results.into() })),
    }
}

/// How far results follow the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Every block and function.
    All,
    /// The function that is run.
    Entry,
    /// Nowhere.
    Nothing,
}

/// Gives functions and blocks the results that their code leaves, where nothing leaves them early.
pub(super) fn retype(subject: &mut Subject, extent: Extent) {
    match extent {
        Extent::Nothing => {}
        Extent::Entry => {
            let body = subject.program.funcs[subject.entry as usize].body;
            let mut typing = Typing::new(Vec::new());
            let code = subject.code(body).to_vec();
            let ends = typing.run(&subject.program, subject.entry, &code).is_some();
            results(subject, subject.entry, ends.then_some(typing.stack));
        }
        Extent::All => function(subject, subject.entry, &mut Vec::new()),
    }
}

fn results(subject: &mut Subject, func: u32, left: Option<Vec<ValType>>) {
    let body = subject.program.funcs[func as usize].body;
    let Some(results) = left.filter(|_| !is_left_early(&subject.program, body, 0)) else { return };
    let ty = FuncType { params: subject.program.func_type(func).params.clone(), results };
    subject.program.funcs[func as usize].ty = type_index(&mut subject.program, ty);
}

/// A function, after those that it calls.
fn function(subject: &mut Subject, func: u32, begun: &mut Vec<u32>) {
    if begun.contains(&func) || subject.program.funcs[func as usize].import.is_some() {
        return;
    }
    begun.push(func);
    let called: Vec<u32> = subject.program.flatten(func).iter().filter_map(|flat| called(&flat.instr)).collect();
    called.into_iter().for_each(|callee| function(subject, callee, begun));
    let body = subject.program.funcs[func as usize].body;
    let left = sequence(subject, func, body, Vec::new());
    results(subject, func, left);
}

/// The function that an instruction names to call it.
pub(super) fn called(instr: &Instr) -> Option<u32> {
    matches!(instr.op, Op::Call | Op::ReturnCall).then_some(instr.a)
}

/// Retypes what is inside a sequence; what it leaves on these operands.
fn sequence(subject: &mut Subject, func: u32, seq: SeqId, start: Vec<ValType>) -> Option<Vec<ValType>> {
    let mut typing = Some(Typing::new(start));
    for at in 0..subject.code(seq).len() {
        if subject.code(seq)[at].op.row().imm == Imm::BlockType {
            block(subject, func, seq, at);
        }
        let instr = subject.code(seq)[at];
        typing = typing.and_then(|mut typing| typing.step(&subject.program, func, &instr).map(|()| typing));
    }
    typing.map(|typing| typing.stack)
}

/// Retypes the block that stands at `at` in `seq`, after what is inside it.
fn block(subject: &mut Subject, func: u32, seq: SeqId, at: usize) {
    let instr = subject.code(seq)[at];
    let params = subject.program.block_arity(instr.block_type()).0.to_vec();
    let arms: Vec<Option<Vec<ValType>>> =
        inside(&instr).map(|inner| sequence(subject, func, inner, params.clone())).collect();
    let branched = inside(&instr).any(|inner| has_branch(&subject.program, inner, 0));
    let alone = instr.op == Op::If && instr.otherwise().is_none();
    if alone || (branched && instr.op != Op::Loop) {
        return;
    }
    let mut ends = arms.into_iter().flatten();
    let Some(results) = ends.next().filter(|first| ends.all(|other| other == *first)) else { return };
    let ty = block_type(&mut subject.program, &params, &results);
    subject.program.seqs[seq as usize].code[at] = Instr::structured(instr.op, ty, instr.body(), instr.otherwise());
}

/// The labels that an instruction can branch to.
pub(super) fn labels(program: &Program, instr: &Instr) -> Vec<u32> {
    match instr.op.row().imm {
        Imm::Label => vec![instr.a],
        Imm::LabelTable => program.label_tables[instr.a as usize].clone(),
        _ => Vec::new(),
    }
}

/// Whether some code, so many blocks within a block, branches to the block's label.
pub(super) fn has_branch(program: &Program, seq: SeqId, depth: u32) -> bool {
    program.seqs[seq as usize].code.iter().any(|instr| {
        labels(program, instr).contains(&depth) || inside(instr).any(|inner| has_branch(program, inner, depth + 1))
    })
}

/// Whether a function can be left before its end.
pub(super) fn is_left_early(program: &Program, seq: SeqId, depth: u32) -> bool {
    let leaves = |op: Op| matches!(op, Op::Return | Op::ReturnCall | Op::ReturnCallIndirect);
    program.seqs[seq as usize].code.iter().any(|instr| {
        leaves(instr.op)
            || labels(program, instr).contains(&depth)
            || inside(instr).any(|inner| is_left_early(program, inner, depth + 1))
    })
}
