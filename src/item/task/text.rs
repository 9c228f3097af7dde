//! Owns what a reader finds in a text without executing it, for the guesses of all tasks.
//!
//! Must not know tasks.

use crate::wasm::isa::Op;
use crate::wasm::program::{Flat, Instr, Program};
use crate::wasm::types::{ValType, Value};

/// A program as a reader has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'p> {
    pub(crate) program: &'p Program,
    /// The flat code of every function; empty for an imported one.
    pub(crate) code: &'p [Vec<Flat>],
    /// The function that is run.
    pub(crate) entry: u32,
}

/// The constants that stand in some code, in its order.
pub(super) fn constants(program: &Program, code: &[Flat]) -> Vec<Value> {
    code.iter().filter_map(|entry| constant(program, &entry.instr)).collect()
}

/// The value that an instruction pushes wherever it stands.
pub(crate) fn constant(program: &Program, instr: &Instr) -> Option<Value> {
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

/// For each type the constant of it that stands last; zero where there is none.
pub(super) fn last_of_type(constants: &[Value], types: &[ValType]) -> Vec<Value> {
    let last = |&ty: &ValType| constants.iter().rev().find(|value| value.ty == ty).copied();
    types.iter().map(|ty| last(ty).unwrap_or(Value::zero(*ty))).collect()
}

/// Walking up from the end: the top value is the first constant of its type, the value below the next one of its own,
/// and so on. Zero where none is left.
pub(crate) fn last_upwards(constants: &[Value], types: &[ValType]) -> Vec<Value> {
    let mut upwards = constants.iter().rev();
    let next = |&ty: &ValType| upwards.find(|value| value.ty == ty).copied().unwrap_or(Value::zero(ty));
    let mut values: Vec<Value> = types.iter().rev().map(next).collect();
    values.reverse();
    values
}

/// The last constants in their order, whatever types they have; `None` if there are too few.
pub(super) fn last_in_order(constants: &[Value], count: usize) -> Option<Vec<Value>> {
    Some(constants[constants.len().checked_sub(count)?..].to_vec())
}

/// A value that so many programs have that a reader may hope for it: zero, one, minus one, what is no number.
pub(super) fn is_common(value: Value) -> bool {
    let number = match value.ty {
        ValType::I32 => f64::from(value.bits as i32),
        ValType::I64 => value.bits as i64 as f64,
        ValType::F32 => f64::from(f32::from_bits(value.bits as u32)),
        ValType::F64 => f64::from_bits(value.bits as u64),
        ValType::V128 => return [0, u128::MAX].contains(&value.bits),
        ValType::FuncRef | ValType::ExternRef => return value.bits == 0,
    };
    !number.is_finite() || [0.0, 1.0, -1.0].contains(&number)
}

/// Zero of each type.
pub(crate) fn zeros(types: &[ValType]) -> Vec<Value> {
    types.iter().map(|&ty| Value::zero(ty)).collect()
}

/// The code of every function, in the order of the text; imported ones have none.
pub(crate) fn functions(program: &Program) -> impl Iterator<Item = Vec<Flat>> + '_ {
    (0..program.funcs.len() as u32).map(|func| program.flatten(func))
}

/// Function and index of the branch that stands first in the text.
pub(crate) fn first_branch(functions: &[Vec<Flat>]) -> Option<(u32, u32)> {
    let leaves = |entry: &Flat| matches!(entry.instr.op, Op::Br | Op::BrIf | Op::BrTable | Op::Return);
    let at = |code: &Vec<Flat>| code.iter().position(leaves);
    functions.iter().enumerate().find_map(|(func, code)| Some((func as u32, at(code)? as u32)))
}
