//! Owns what a reader finds in a text without executing it.
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

/// The code of every function, in the order of the text; imported ones have none.
pub(crate) fn functions(program: &Program) -> impl Iterator<Item = Vec<Flat>> + '_ {
    (0..program.funcs.len() as u32).map(|func| program.flatten(func))
}
