//! Owns the guesses that take no more than a glance at the text.
//!
//! Must not know how often they are right.

use super::posed::Posed;
use crate::item::record::{Said, Shape, Task, Truth};
use crate::wasm::isa::Op;
use crate::wasm::program::Flat;
use crate::wasm::types::{ValType, Value};

/// Zero of each type, no flag, or as much fuel as the text has instructions.
pub(super) fn zero(posed: &Posed) -> Truth {
    match posed.task.shape() {
        Shape::Flags => flags(posed, |_| false),
        Shape::Amount => {
            amount(posed.task, posed.code.iter().map(|code| Posed::instructions(code)).sum::<usize>() as u64)
        }
        Shape::Values => values(posed.task, &zeros(&posed.types())),
    }
}

/// The constants that stand last before the place: walking up the text from there, the top operand is the first one of
/// its type, the operand below the next one of its own, and so on. Zero where none is left.
pub(super) fn last_const(posed: &Posed) -> Truth {
    let (Shape::Values, Some(place)) = (posed.task.shape(), posed.place()) else { return zero(posed) };
    let before = posed.constants().filter(|constant| (constant.func, constant.pc) < place);
    let before: Vec<Value> = before.map(|constant| constant.value).collect();
    values(posed.task, &last_upwards(&before, &posed.types()))
}

/// Every flag is reached.
pub(super) fn all_true(posed: &Posed) -> Truth {
    flags_or_zero(posed, |_| true)
}

/// No flag is reached.
pub(super) fn all_false(posed: &Posed) -> Truth {
    flags_or_zero(posed, |_| false)
}

/// Flags are reached up to the first branch in the text.
pub(super) fn until_branch(posed: &Posed) -> Truth {
    let first = first_branch(&posed.code);
    flags_or_zero(posed, |index| {
        let probe = posed.probes[index].probe;
        first.is_none_or(|first| (probe.func, probe.pc) <= first)
    })
}

/// The first flag alone is reached.
pub(super) fn first_flag(posed: &Posed) -> Truth {
    flags_or_zero(posed, |index| index == 0)
}

/// An answer about the flags; of other tasks the guess of [`zero`].
fn flags_or_zero(posed: &Posed, state: impl Fn(usize) -> bool) -> Truth {
    if posed.task.shape() == Shape::Flags { flags(posed, state) } else { zero(posed) }
}

pub(super) fn flags(posed: &Posed, state: impl Fn(usize) -> bool) -> Truth {
    let states = posed.probes.iter().enumerate().map(|(index, asked)| (asked.name.clone(), state(index)));
    posed.task.truth(Said::Flags(&states.collect::<Vec<_>>()))
}

/// An answer of values, in the shape of the task.
pub(super) fn values(task: Task, values: &[Value]) -> Truth {
    task.truth(Said::Values(values))
}

/// An answer of one number.
pub(super) fn amount(task: Task, amount: u64) -> Truth {
    task.truth(Said::Amount(&amount))
}

/// Walking up from the end: the top value is the first constant of its type, the value below the next one of its own,
/// and so on. Zero where none is left.
fn last_upwards(constants: &[Value], types: &[ValType]) -> Vec<Value> {
    let mut upwards = constants.iter().rev();
    let next = |&ty: &ValType| upwards.find(|value| value.ty == ty).copied().unwrap_or(Value::zero(ty));
    let mut values: Vec<Value> = types.iter().rev().map(next).collect();
    values.reverse();
    values
}

/// Zero of each type.
fn zeros(types: &[ValType]) -> Vec<Value> {
    types.iter().map(|&ty| Value::zero(ty)).collect()
}

/// Function and index of the branch that stands first in the text.
fn first_branch(functions: &[Vec<Flat>]) -> Option<(u32, u32)> {
    let leaves = |entry: &Flat| matches!(entry.instr.op, Op::Br | Op::BrIf | Op::BrTable | Op::Return);
    let at = |code: &Vec<Flat>| code.iter().position(leaves);
    functions.iter().enumerate().find_map(|(func, code)| Some((func as u32, at(code)? as u32)))
}
