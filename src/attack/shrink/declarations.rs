//! Owns the edits of what is declared: parameters, locals that are never written, results, and of what is asked: flags
//! and arrivals.
//!
//! Must not know which of them helps.

use super::subject::{Subject, inside};
use super::trace::Recording;
use super::typing::{block_type, type_index};
use super::window::constant;
use crate::item::record::Task;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{Instr, Place};
use crate::wasm::types::{FuncType, Value};

/// The program with a parameter less, with a constant in place of a local, with a result less, with less that is asked.
pub(super) fn declarations(subject: &Subject, trace: &Recording) -> Vec<Subject> {
    let mut found = Vec::new();
    for func in subject.functions() {
        let params = subject.program.func_type(func).params.len() as u32;
        if func != subject.entry {
            found.extend((0..params).flat_map(|param| without_param(subject, trace, func, param)));
        }
        let declared = subject.program.funcs[func as usize].locals.len() as u32;
        found.extend((params..params + declared).filter_map(|local| unwritten(subject, func, local)));
        found.extend(without_result(subject, func));
    }
    let structured = |place: &Place| subject.at(*place).op.row().imm == Imm::BlockType;
    let blocks = subject.places().into_iter().map(|(_, place)| place).filter(structured);
    found.extend(blocks.flat_map(|place| narrower_block(subject, place)).collect::<Vec<_>>());
    found.extend(asked_less(subject));
    found
}

/// Whether an instruction pushes one value and takes none.
fn is_simple(instr: &Instr) -> bool {
    let constant = matches!(instr.op.row().imm, Imm::I32 | Imm::I64 | Imm::F32 | Imm::F64 | Imm::V128);
    constant || matches!(instr.op, Op::LocalGet | Op::GlobalGet | Op::RefNull | Op::RefFunc)
}

/// The local that an instruction names.
fn local(instr: &Instr) -> Option<u32> {
    (instr.op.row().imm == Imm::Local).then_some(instr.a)
}

/// A function that takes one argument less: the parameter is a local of its own, zero, or where it is never written the
/// constant that was passed first.
fn without_param(subject: &Subject, trace: &Recording, func: u32, param: u32) -> Vec<Subject> {
    let ty = subject.program.func_type(func).clone();
    let params = ty.params.len() as u32;
    let mut new = subject.clone();
    let mut passed = None;
    // Backwards, so that places that are still to come stay where they are.
    for (_, place) in subject.places().into_iter().rev() {
        let instr = subject.at(place);
        if !matches!(instr.op, Op::Call | Op::ReturnCall) || instr.a != func {
            continue;
        }
        let Some(start) = place.index.checked_sub(params) else { return Vec::new() };
        let arguments = &subject.code(place.seq)[start as usize..place.index as usize];
        if !arguments.iter().all(is_simple) {
            return Vec::new();
        }
        if let Some(step) = trace.steps.iter().find(|step| step.place == place) {
            let at = (step.operands.len() + param as usize).checked_sub(params as usize);
            passed = at.and_then(|at| step.operands.get(at).copied());
        }
        let at = (start + param) as usize;
        new.splice(place.seq, at..at + 1, Vec::new());
    }
    let mut fewer = ty.clone();
    let gone = fewer.params.remove(param as usize);
    new.program.funcs[func as usize].ty = type_index(&mut new.program, FuncType { ..fewer });
    new.program.funcs[func as usize].locals.insert(0, gone);
    let moved = |index: u32| match index {
        _ if index == param => params - 1,
        _ if index > param && index < params => index - 1,
        _ => index,
    };
    let own: Vec<Place> = new.places().into_iter().filter(|(of, _)| *of == func).map(|(_, place)| place).collect();
    for &place in &own {
        if let Some(index) = local(&new.at(place)) {
            new.at_mut(place).a = moved(index);
        }
    }
    let constant = passed.and_then(|value| with_constant(&new, func, params - 1, value));
    constant.into_iter().chain([new]).collect()
}

/// A constant in place of a local that is never written.
fn with_constant(subject: &Subject, func: u32, index: u32, value: Value) -> Option<Subject> {
    let mut new = subject.clone();
    for (_, place) in subject.places().into_iter().filter(|(of, _)| *of == func) {
        let instr = subject.at(place);
        if local(&instr) == Some(index) {
            if instr.op != Op::LocalGet {
                return None;
            }
            let instr = constant(&mut new.program, value)?;
            *new.at_mut(place) = instr;
        }
    }
    Some(new)
}

/// Zero in place of a declared local that is never written.
fn unwritten(subject: &Subject, func: u32, index: u32) -> Option<Subject> {
    let ty = subject.program.local_type(func, index)?;
    with_constant(subject, func, index, Value::zero(ty))
}

/// A function with a result less, and without one of its instructions.
fn without_result(subject: &Subject, func: u32) -> Vec<Subject> {
    let ty = subject.program.func_type(func).clone();
    let narrow = |result: usize| {
        let mut new = subject.clone();
        let mut fewer = ty.clone();
        fewer.results.remove(result);
        new.program.funcs[func as usize].ty = type_index(&mut new.program, fewer);
        new
    };
    let own: Vec<Place> = subject.places().into_iter().filter(|(of, _)| *of == func).map(|(_, place)| place).collect();
    (0..ty.results.len()).flat_map(|result| with_one_less(&narrow(result), &own)).collect()
}

/// A block with a parameter or result less, and without one of the instructions inside.
fn narrower_block(subject: &Subject, place: Place) -> Vec<Subject> {
    let instr = subject.at(place);
    let (params, results) = subject.program.block_arity(instr.block_type());
    let (params, results) = (params.to_vec(), results.to_vec());
    let mut own = Vec::new();
    let mut waiting: Vec<u32> = inside(&instr).collect();
    while let Some(seq) = waiting.pop() {
        own.extend((0..subject.code(seq).len() as u32).map(|index| Place { seq, index }));
        waiting.extend(subject.code(seq).iter().flat_map(inside).collect::<Vec<_>>());
    }
    let mut found = Vec::new();
    let mut narrow = |params: &[_], results: &[_]| {
        let mut new = subject.clone();
        let ty = block_type(&mut new.program, params, results);
        *new.at_mut(place) = Instr::structured(instr.op, ty, instr.body(), instr.otherwise());
        found.extend(with_one_less(&new, &own));
    };
    for at in 0..results.len() {
        let mut fewer = results.clone();
        fewer.remove(at);
        narrow(&params, &fewer);
    }
    if !params.is_empty() {
        let mut fewer = params.clone();
        fewer.remove(params.len() - 1);
        narrow(&fewer, &results);
    }
    found
}

/// As it is, and without each of some instructions.
fn with_one_less(subject: &Subject, places: &[Place]) -> Vec<Subject> {
    let without = |place: &Place| {
        let mut new = subject.clone();
        let at = place.index as usize;
        new.splice(place.seq, at..at + 1, Vec::new());
        new
    };
    places.iter().map(without).chain([subject.clone()]).collect()
}

/// With a flag less, or an earlier arrival.
fn asked_less(subject: &Subject) -> Vec<Subject> {
    let mut found = Vec::new();
    match subject.task {
        Task::Reachability => found.extend((0..subject.marks.len()).filter(|_| subject.marks.len() > 1).map(|flag| {
            let mut new = subject.clone();
            new.marks.remove(flag);
            new
        })),
        Task::Stack => {
            let hit = subject.marks[0].hit;
            let mut hits = vec![1, 2, hit / 2, hit.saturating_sub(1)];
            hits.retain(|&other| other > 0 && other < hit);
            hits.dedup();
            found.extend(hits.into_iter().map(|hit| {
                let mut new = subject.clone();
                new.marks[0].hit = hit;
                new
            }));
        }
        _ => {}
    }
    found
}
