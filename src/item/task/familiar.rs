//! Owns which values a reader may hope for without executing anything: those that stand in the text, and those that many
//! programs have.
//!
//! Must not know tasks. A question is worth asking if one of the values asked for is neither.

use super::text;
use crate::wasm::program::Program;
use crate::wasm::types::{Bits, ValType, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Values of a type that count as common, at most.
const COMMON: usize = 64;
/// How often a value was seen that counts as common: once or twice is no habit.
const OFTEN: u32 = 3;

/// The values that many programs have.
#[derive(Clone, Debug, Default)]
pub(super) struct Familiar {
    common: BTreeSet<(ValType, Bits)>,
}

impl Familiar {
    /// Of the answers to many questions.
    pub(super) fn of(values: impl Iterator<Item = Value>) -> Self {
        let mut counts: BTreeMap<ValType, BTreeMap<Bits, u32>> = BTreeMap::new();
        for value in values {
            *counts.entry(value.ty).or_default().entry(value.bits).or_default() += 1;
        }
        let most = |(ty, counts): (ValType, BTreeMap<Bits, u32>)| {
            let mut counts: Vec<(Bits, u32)> = counts.into_iter().filter(|(_, count)| *count >= OFTEN).collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            counts.into_iter().take(COMMON).map(move |(bits, _)| (ty, bits))
        };
        Self { common: counts.into_iter().flat_map(most).collect() }
    }

    /// As it is to the reader of one program.
    pub(super) fn with(&self, program: &Program) -> Known<'_> {
        let code = text::functions(program);
        let constants = code.flat_map(|code| text::constants(program, &code)).map(|value| (value.ty, value.bits));
        let globals = program.globals.iter().filter_map(|global| text::constant(program, &global.init));
        let mut written: Vec<_> = constants.chain(globals.map(|value| (value.ty, value.bits))).collect();
        written.sort_unstable();
        Known { familiar: self, written }
    }
}

/// What the reader of one program may hope for.
#[derive(Clone, Debug)]
pub(super) struct Known<'f> {
    familiar: &'f Familiar,
    /// The values in the text, sorted.
    written: Vec<(ValType, Bits)>,
}

impl Known<'_> {
    /// Whether one of these has to be computed.
    pub(super) fn leaves_out(&self, values: &[Value]) -> bool {
        values.iter().any(|value| {
            let key = (value.ty, value.bits);
            !is_plain(*value) && self.written.binary_search(&key).is_err() && !self.familiar.common.contains(&key)
        })
    }
}

/// A value that any program may have: zero, one, minus one, what is no number, a reference.
fn is_plain(value: Value) -> bool {
    let number = match value.ty {
        ValType::I32 => f64::from(value.bits as i32),
        ValType::I64 => value.bits as i64 as f64,
        ValType::F32 => f64::from(f32::from_bits(value.bits as u32)),
        ValType::F64 => f64::from_bits(value.bits as u64),
        ValType::V128 => return [0, Bits::MAX].contains(&value.bits),
        ValType::FuncRef | ValType::ExternRef => return true,
    };
    !number.is_finite() || [0.0, 1.0, -1.0].contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::parse::parse_text;

    #[test]
    fn a_value_is_computed_if_it_is_neither_written_nor_common() {
        let text = "(module (global f32 (f32.const 2.5)) (func (export \"run\") i32.const 9 drop i64.const 7 drop))";
        let (program, _) = parse_text(text, &[]).expect("valid");
        let seen = [40, 40, 40, 41, 41].map(Value::i32);
        let familiar = Familiar::of(seen.into_iter());
        let known = familiar.with(&program);
        let familiar = [
            Value::i32(9),
            Value::i64(7),
            Value::f32(2.5),
            Value::i32(40),
            Value::i32(-1),
            Value::f32(-0.0),
            Value::f64(f64::NAN),
            Value::zero(ValType::FuncRef),
        ];
        assert!(!known.leaves_out(&familiar) && !known.leaves_out(&[]));
        for computed in [Value::i32(7), Value::i64(9), Value::i32(41), Value::f64(2.5), Value::i32(2)] {
            assert!(known.leaves_out(&[Value::i32(0), computed]), "{computed}");
        }
    }
}
