//! Owns the edits that leave a program as long as it is and make it plainer: smaller constants, fewer bytes of memory, no
//! offsets, the shortest counters of loops.
//!
//! Must not know which of them helps.

use super::subject::{Subject, inside};
use super::typing::labels;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{Instr, Place, Program};
use crate::wasm::types::{ValType, Value};

/// How far the constants of a program are from the plainest, in all.
pub(super) fn complexity(program: &Program, code: &[Instr]) -> u64 {
    let of = |instr: &Instr| match instr.op {
        Op::I32Const => u64::from((instr.b as u32 as i32).unsigned_abs()),
        Op::I64Const => (instr.b as i64).unsigned_abs(),
        Op::F32Const => 1 + (f64::from(f32::from_bits(instr.b as u32)).abs().min(1e9)) as u64,
        Op::F64Const => 1 + (f64::from_bits(instr.b).abs().min(1e9)) as u64,
        Op::V128Const => u64::from(program.vectors[instr.a as usize].count_ones()),
        _ => 0,
    };
    code.iter().fold(0, |sum, instr| sum.saturating_add(of(instr)))
}

/// The program with plainer constants: first all at once, then one after the other.
pub(super) fn plainer(subject: &Subject) -> Vec<Subject> {
    let places: Vec<Place> = subject.places().into_iter().map(|(_, place)| place).collect();
    let constants: Vec<Place> = places.iter().copied().filter(|&place| value(&subject.at(place)).is_some()).collect();
    let mut found = Vec::new();
    for number in [0, 1] {
        let mut new = subject.clone();
        for &place in &constants {
            let (ty, _) = value(&subject.at(place)).expect("it is a constant");
            *new.at_mut(place) = Instr::constant(ty, numbered(ty, f64::from(number)));
        }
        found.push(new);
    }
    for &place in &constants {
        let (ty, bits) = value(&subject.at(place)).expect("it is a constant");
        for bits in simpler(ty, bits) {
            let mut new = subject.clone();
            *new.at_mut(place) = Instr::constant(ty, bits);
            found.push(new);
        }
    }
    for (index, global) in subject.program.globals.iter().enumerate().filter(|(_, global)| global.import.is_none()) {
        for bits in value(&global.init).map_or(Vec::new(), |(ty, bits)| simpler(ty, bits)) {
            let mut new = subject.clone();
            new.program.globals[index].init = Instr::constant(global.ty, bits);
            found.push(new);
        }
    }
    for &place in &places {
        let instr = subject.at(place);
        if matches!(instr.op.row().imm, Imm::MemArg { .. }) && instr.b != 0 {
            let mut new = subject.clone();
            *new.at_mut(place) = Instr { b: 0, ..instr };
            found.push(new);
        }
        if instr.op == Op::V128Const && subject.program.vectors[instr.a as usize] != 0 {
            let mut new = subject.clone();
            new.program.vectors.push(0);
            *new.at_mut(place) = Instr::index(Op::V128Const, new.program.vectors.len() as u32 - 1);
            found.push(new);
        }
    }
    found.extend(memories(subject));
    found
}

/// A number constant.
fn value(instr: &Instr) -> Option<(ValType, u128)> {
    let ty = match instr.op {
        Op::I32Const => ValType::I32,
        Op::I64Const => ValType::I64,
        Op::F32Const => ValType::F32,
        Op::F64Const => ValType::F64,
        _ => return None,
    };
    Some((ty, instr.b.into()))
}

/// A number as bits of a type.
fn numbered(ty: ValType, number: f64) -> u128 {
    match ty {
        ValType::I32 => Value::i32(number as i32).bits,
        ValType::I64 => Value::i64(number as i64).bits,
        ValType::F32 => Value::f32(number as f32).bits,
        _ => Value::f64(number).bits,
    }
}

/// Plainer values than this one, the plainest first. Whether they are is seen when the programs are compared.
fn simpler(ty: ValType, bits: u128) -> Vec<u128> {
    let mut values: Vec<u128> = match ty {
        ValType::I32 | ValType::I64 => {
            let number = if ty == ValType::I32 { i64::from(bits as u32 as i32) } else { bits as u64 as i64 };
            let power =
                number.unsigned_abs().checked_ilog2().map_or(0, |log| 1i64.checked_shl(log).unwrap_or(i64::MAX));
            let least = if ty == ValType::I32 { i64::from(i32::MIN) } else { i64::MIN };
            let tries = [0, 1, -1, 2, 8, 32, 64, number / 10, number / 2, power, power.wrapping_neg(), least];
            tries
                .iter()
                .map(|&number| if ty == ValType::I32 { Value::i32(number as i32) } else { Value::i64(number) })
                .map(|value| value.bits)
                .collect()
        }
        _ => {
            let number =
                if ty == ValType::F32 { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits as u64) };
            let rounded = |digits: usize| format!("{number:.digits$e}").parse::<f64>().unwrap_or(number);
            let tries =
                [0.0, 1.0, 0.5, 0.1, 2.0, -0.0, -1.0, number.trunc(), rounded(0), rounded(1), rounded(2), rounded(4)];
            tries.iter().map(|&number| numbered(ty, number)).collect()
        }
    };
    let mut seen = vec![bits];
    values.retain(|bits| {
        !seen.contains(bits) && {
            seen.push(*bits);
            true
        }
    });
    values
}

/// Memory that begins with less in it.
fn memories(subject: &Subject) -> Vec<Subject> {
    let mut found = Vec::new();
    for (index, data) in subject.program.datas.iter().enumerate() {
        let length = data.bytes.len();
        let halves = [0..length, 0..length / 2, length / 2..length];
        let singles = (0..length).filter(|_| length <= 16).map(|at| at..at + 1);
        for gone in halves.into_iter().chain(singles).filter(|gone| !gone.is_empty()) {
            let mut new = subject.clone();
            let bytes = &mut new.program.datas[index].bytes;
            bytes[gone].fill(0);
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            found.push(new);
        }
        for (at, byte) in data.bytes.iter().enumerate().filter(|(_, byte)| length <= 16 && **byte != 1 && **byte != 255)
        {
            let mut new = subject.clone();
            new.program.datas[index].bytes[at] = if byte & 0x80 == 0 { 1 } else { 255 };
            found.push(new);
        }
    }
    if let Some(memory) = &subject.program.memory {
        let mut new = subject.clone();
        let least = crate::wasm::program::Memory { min: 1, max: None, ..memory.clone() };
        new.program.memory = Some(least);
        found.push(new);
    }
    for (index, table) in subject.program.tables.iter().enumerate().filter(|(_, table)| table.max.is_some()) {
        let mut new = subject.clone();
        new.program.tables[index].max = None;
        new.program.tables[index].min = table.min;
        found.push(new);
    }
    found
}

/// Loops that count with the least there is: a local that two or four iterations bring back to zero, in place of all that
/// a conditional branch to the start looks at.
pub(super) fn counters(subject: &Subject) -> Vec<Subject> {
    let mut found = Vec::new();
    let loops = subject.places().into_iter().filter(|(_, place)| subject.at(*place).op == Op::Loop);
    for (func, place) in loops {
        let body = inside(&subject.at(place)).next().expect("a loop has a body");
        let again = |instr: &Instr| instr.op == Op::BrIf && labels(&subject.program, instr) == [0];
        for end in (0..subject.code(body).len()).filter(|&at| again(&subject.code(body)[at])) {
            let local =
                subject.program.func_type(func).params.len() + subject.program.funcs[func as usize].locals.len();
            let local = |op: Op| Instr::index(op, local as u32);
            let twice = vec![local(Op::LocalGet), Instr::plain(Op::I32Eqz), local(Op::LocalTee)];
            let four = [Op::I64Ctz, Op::I32WrapI64].map(Instr::plain);
            let four = vec![local(Op::LocalGet), four[0], local(Op::LocalTee), four[1]];
            for (ty, counter) in [(ValType::I32, twice), (ValType::I64, four)] {
                for start in (0..=end).filter(|start| end - start + 1 >= counter.len()) {
                    let mut new = subject.clone();
                    new.program.funcs[func as usize].locals.push(ty);
                    new.splice(body, start..end, counter.clone());
                    found.push(new);
                }
            }
        }
    }
    found
}
