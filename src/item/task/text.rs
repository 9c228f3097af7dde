//! Owns what a reader finds in a text without executing it, for the guesses of all tasks.
//!
//! Must not know tasks.

use crate::wasm::isa::Category;
use crate::wasm::program::{Flat, Program};
use crate::wasm::types::{ValType, Value};

/// The constants that stand in some code, in its order.
pub(super) fn constants(code: &[Flat]) -> Vec<Value> {
    let constants = code.iter().filter(|entry| entry.instr.op.row().category == Category::Const);
    constants.map(|entry| Value::new(entry.instr.op.row().results[0], entry.instr.b.into())).collect()
}

/// For each type the constant of it that stands last; zero where there is none.
pub(super) fn last_of_type(constants: &[Value], types: &[ValType]) -> Vec<Value> {
    let last = |&ty: &ValType| constants.iter().rev().find(|value| value.ty == ty).copied();
    types.iter().map(|ty| last(ty).unwrap_or(Value::zero(*ty))).collect()
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
    };
    !number.is_finite() || [0.0, 1.0, -1.0].contains(&number)
}

/// Zero of each type.
pub(super) fn zeros(types: &[ValType]) -> Vec<Value> {
    types.iter().map(|&ty| Value::zero(ty)).collect()
}

/// The code of every function, in the order of the text.
pub(super) fn functions(program: &Program) -> impl Iterator<Item = Vec<Flat>> + '_ {
    (0..program.funcs.len() as u32).map(|func| program.flatten(func))
}
