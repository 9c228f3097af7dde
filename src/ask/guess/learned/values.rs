//! Owns the candidates for a value: which numbers a slot may hold that are in the text or that such slots often hold,
//! and what is to be seen around each.
//!
//! Must not know which of them is right.

use super::super::posed::{Constant, Posed};
use super::super::shape::Slot;
use crate::item::task::features::{Features, before, size, word};
use crate::wasm::isa::Op;
use crate::wasm::program::Flat;
use crate::wasm::types::{Bits, ValType, Value};
use crate::weave::literal::bucket_of;

/// Constants of the text that are candidates, nearest first.
const NEAREST: usize = 16;

/// A value that a slot may hold.
#[derive(Clone, Debug)]
pub(super) struct CandidateValue {
    pub(super) bits: Bits,
    /// What is to be seen around it.
    pub(super) features: Features,
}

/// The candidates for one slot, bottom first; `common` are the bits that such slots held most often, most often first.
pub(super) fn candidates(posed: &Posed, index: usize, common: &[Bits]) -> Vec<CandidateValue> {
    let Some((func, pc)) = posed.place() else { return Vec::new() };
    let slot = posed.slots[index];
    let seen = Seen { posed, slot, depth: posed.slots.len() - 1 - index, func: func as usize, pc: pc as usize };
    let nearest = seen.nearest();
    let mut values: Vec<Bits> = nearest.iter().map(|near| near.constant.value.bits).collect();
    let globals = posed.program.globals.iter().enumerate().filter(|(_, global)| global.ty == slot.ty);
    let initial: Vec<(usize, Bits)> = globals.map(|(index, global)| (index, global.init.b.into())).collect();
    values.extend(initial.iter().map(|(_, bits)| bits));
    values.extend(common);
    values.extend(ordinary(slot.ty));
    let mut candidates: Vec<CandidateValue> = Vec::new();
    for bits in values {
        if candidates.iter().any(|candidate| candidate.bits == bits) {
            continue;
        }
        let mut features = seen.value(bits, common);
        let here = nearest.iter().enumerate().filter(|(_, near)| near.constant.value.bits == bits);
        here.clone().take(2).for_each(|(rank, near)| seen.constant(rank, near, &mut features));
        features.add("times in text", &[seen.producer(), size(here.count())]);
        for (index, _) in initial.iter().filter(|(_, initial)| *initial == bits) {
            let same = seen
                .producing()
                .is_some_and(|entry| entry.instr.op == Op::GlobalGet && entry.instr.a as usize == *index);
            features.add("global", &[same.into(), posed.program.globals[*index].mutable.into()]);
        }
        candidates.push(CandidateValue { bits, features });
    }
    candidates
}

/// 0, 1 and -1, or what comes nearest to them in a type.
fn ordinary(ty: ValType) -> Vec<Bits> {
    let values = match ty {
        ValType::I32 => vec![Value::i32(1), Value::i32(-1)],
        ValType::I64 => vec![Value::i64(1), Value::i64(-1)],
        ValType::F32 => vec![Value::f32(1.0), Value::f32(-1.0)],
        ValType::F64 => vec![Value::f64(1.0), Value::f64(-1.0)],
        ValType::V128 | ValType::FuncRef | ValType::ExternRef => Vec::new(),
    };
    std::iter::once(0).chain(values.into_iter().map(|value| value.bits)).collect()
}

/// A constant in the text, seen from the place.
struct Near {
    constant: Constant,
    /// Lines between them.
    distance: usize,
    behind: bool,
}

/// One slot, and the place that it is asked for at.
struct Seen<'p> {
    posed: &'p Posed,
    slot: Slot,
    /// Operands above it.
    depth: usize,
    func: usize,
    pc: usize,
}

impl Seen<'_> {
    fn code(&self) -> &[Flat] {
        &self.posed.code[self.func]
    }

    /// What pushed the slot.
    fn producing(&self) -> Option<&Flat> {
        self.code().get(self.slot.producer? as usize)
    }

    fn producer(&self) -> u64 {
        word(self.code(), self.slot.producer.map(|at| at as usize))
    }

    /// The constants of the slot's type that stand nearest.
    fn nearest(&self) -> Vec<Near> {
        let line = |func: usize, pc: usize| self.posed.code[..func].iter().map(Vec::len).sum::<usize>() + pc;
        let here = line(self.func, self.pc);
        let near = |constant: Constant| {
            let there = line(constant.func as usize, constant.pc as usize);
            Near { constant, distance: here.abs_diff(there), behind: there >= here }
        };
        let of_type = self.posed.constants().filter(|constant| constant.value.ty == self.slot.ty);
        let mut nearest: Vec<Near> = of_type.map(near).collect();
        // Stable: of two that are as far away, the one that stands first.
        nearest.sort_by_key(|near| near.distance);
        nearest.truncate(NEAREST);
        nearest
    }

    /// What can be said of a value wherever it stands.
    fn value(&self, bits: Bits, common: &[Bits]) -> Features {
        let mut features = Features::default();
        let value = [bits as u64, (bits >> 64) as u64];
        let ty = self.slot.ty.index() as u64;
        let bucket = u64::from(bucket_of(Value::new(self.slot.ty, bits)));
        let producer = self.producer();
        let made: [u64; 3] = self.slot.producer.map_or([0; 3], |at| before(self.code(), at as usize));
        let above: [u64; 3] = before(self.code(), self.pc);
        features.add("type", &[ty]);
        features.add("value", &[ty, value[0], value[1]]);
        features.add("value of", &[ty, value[0], value[1], producer]);
        features.add("value made of", &[ty, value[0], producer, made[0]]);
        features.add("value made all", &[ty, value[0], producer, made[0], made[1]]);
        features.add("bucket of", &[ty, bucket, producer]);
        features.add("bucket made of", &[ty, bucket, producer, made[0]]);
        features.add("bucket here", &[ty, bucket, above[0], self.depth as u64]);
        features.add("value at", &[ty, value[0], self.depth as u64, self.posed.slots.len() as u64]);
        for length in 1..=3 {
            features.add("value behind", &[&[ty, value[0]], &above[..length]].concat());
        }
        let rank = common.iter().position(|other| *other == bits);
        features.add("common", &[ty, rank.map_or(0, |rank| size(rank + 1)), producer]);
        if let Some(entry) = self.producing().filter(|entry| is_variable(entry)) {
            let sets = self.code()[..self.pc].iter().filter(|set| writes(set, entry)).count();
            features.add("value of variable", &[ty, value[0], producer, size(sets)]);
        }
        features
    }

    /// What can be said of a value because a constant of the text has it.
    fn constant(&self, rank: usize, near: &Near, features: &mut Features) {
        let (rank, producer) = (rank as u64, self.producer());
        let Constant { func, pc, .. } = near.constant;
        let code = &self.posed.code[func as usize];
        let (own, behind) = (u64::from(func as usize == self.func), u64::from(near.behind));
        features.add("rank", &[rank, behind]);
        features.add("rank at", &[rank, self.depth as u64, self.posed.slots.len() as u64]);
        features.add("rank of", &[rank, producer]);
        features.add("distance", &[size(near.distance), own, behind]);
        features.add("distance of", &[size(near.distance), producer]);
        let next = code.get(pc as usize + 1);
        let follower = word(code, Some(pc as usize + 1));
        features.add("followed", &[follower, producer, own, behind]);
        features.add("followed at", &[follower, self.depth as u64, size(near.distance)]);
        let itself = own == 1 && self.slot.producer == Some(pc);
        features.add("itself", &[itself.into(), producer]);
        if own == 1
            && let Some(at) = self.slot.producer
        {
            features.add("from producer", &[size(at.abs_diff(pc) as usize), u64::from(pc > at), producer]);
        }
        if let (Some(next), Some(entry)) = (next, self.producing()) {
            let stored = writes(next, entry) && (own == 1 || next.instr.op == Op::GlobalSet);
            let since = &self.code()[..self.pc];
            let again = own == 1 && since.iter().skip(pc as usize + 2).any(|set| writes(set, entry));
            features.add("stored", &[stored.into(), again.into(), producer, behind]);
        }
    }
}

fn is_variable(entry: &Flat) -> bool {
    matches!(entry.instr.op, Op::LocalGet | Op::LocalTee | Op::GlobalGet)
}

/// Whether an instruction writes the variable that another reads.
fn writes(set: &Flat, get: &Flat) -> bool {
    let pair = match set.instr.op {
        Op::LocalSet | Op::LocalTee => matches!(get.instr.op, Op::LocalGet | Op::LocalTee),
        Op::GlobalSet => get.instr.op == Op::GlobalGet,
        _ => false,
    };
    pair && set.instr.a == get.instr.a
}
