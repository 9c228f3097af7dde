//! Owns the question whether an answer hangs on what the specification leaves open: the bits of a NaN that arithmetic
//! makes (spec 4.3.3). Its sign may be any; its payload may be any too if an operand is a NaN other than the canonical one.
//!
//! Must not know how an answer is told. It is found out by doing otherwise: the function runs again with other NaNs,
//! all of them allowed, and what differs then hangs on them. So nothing is said of a NaN whose bits are never looked
//! at, and a NaN as an answer is a NaN whatever its bits. What a start function computes stays as it is. A dependence
//! that none of [`VARIANTS`] shows is not found.

use super::{Located, NoRoom, Request, Sight, Stopped};
use crate::seed::Rng;
use crate::wasm::isa::Op;
use crate::wasm::machine::{Machine, Observer, Stop};
use crate::wasm::program::{Place, Program};
use crate::wasm::rerun::Snapshot;
use crate::wasm::types::{Bits, ValType, Value};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Runs with other NaNs: one in which everything that may be different is, and some in which chance decides, so that
/// two NaNs which cancel each other out in one do not in the next.
const VARIANTS: u64 = 4;
/// Fuel that the search for the instruction may take, beyond the first that it tries.
const SEARCH_FUEL: u64 = 100_000_000;

/// An instruction that can make a NaN, lane by lane.
#[derive(Clone, Copy)]
struct Maker {
    /// Bits of a lane of its operands, and of its result.
    from: u32,
    to: u32,
}

/// By the number of the instruction.
static MAKERS: LazyLock<Vec<Option<Maker>>> = LazyLock::new(|| Op::ALL.iter().map(|&op| maker(op)).collect());

fn maker(op: Op) -> Option<Maker> {
    let (shape, name) = op.mnemonic().split_once('.')?;
    let to = match shape {
        "f32" | "f32x4" => 32,
        "f64" | "f64x2" => 64,
        _ => return None,
    };
    let from = match name {
        "add" | "sub" | "mul" | "div" | "sqrt" | "min" | "max" | "ceil" | "floor" | "trunc" | "nearest" => to,
        "promote_f32" | "promote_low_f32x4" => 32,
        "demote_f64" | "demote_f64x2_zero" => 64,
        // Signs, and what picks an operand, are exact (`neg`, `abs`, `copysign`, `pmin`, `pmax`).
        _ => return None,
    };
    Some(Maker { from, to })
}

/// Whether these bits of a lane are a NaN, and then whether it is canonical: its payload is the highest bit alone.
fn canonical(lane: u64, width: u32) -> Option<bool> {
    let mantissa = if width == 32 { 23 } else { 52 };
    let magnitude = lane & (u64::MAX >> (65 - width));
    let infinite = (u64::MAX >> (65 - width)) >> mantissa << mantissa;
    (magnitude > infinite).then(|| magnitude == infinite | 1 << (mantissa - 1))
}

fn lane(bits: Bits, number: u32, width: u32) -> u64 {
    (bits >> (number * width)) as u64 & (u64::MAX >> (64 - width))
}

impl Maker {
    /// Other bits that a result could have, if it has a NaN. `choice` says for each lane whether its sign is another (bit
    /// 0) and its payload, where that is open (bit 1).
    fn otherwise(self, operands: &[Value], result: Value, mut choice: impl FnMut() -> u64) -> Option<Bits> {
        let lanes = |width: u32, ty: ValType| if ty == ValType::V128 { 128 / width } else { 1 };
        let mut bits = result.bits;
        for number in 0..lanes(self.to, result.ty) {
            if canonical(lane(result.bits, number, self.to), self.to).is_none() {
                continue;
            }
            let of = operands.iter().filter(|operand| number < lanes(self.from, operand.ty));
            let open =
                of.map(|operand| canonical(lane(operand.bits, number, self.from), self.from)).any(|c| c == Some(false));
            let (mantissa, choice) = (if self.to == 32 { 23 } else { 52 }, choice());
            let sign: u64 = if choice & 1 == 1 { 1 << (self.to - 1) } else { 0 };
            let payload: u64 = if open && choice & 2 == 2 { (1 << (mantissa - 1)) - 1 } else { 0 };
            bits ^= Bits::from(sign | payload) << (number * self.to);
        }
        (bits != result.bits).then_some(bits)
    }
}

/// Other NaNs for a run.
struct Variant<'a> {
    /// Which they are; without it all that may be different is.
    chance: Option<Rng>,
    /// The only place that they come from.
    only: Option<(u32, Place)>,
    /// Where another NaN was taken, each place once, in order.
    taken: &'a mut Vec<(u32, Place)>,
    known: HashSet<(u32, Place)>,
}

impl Variant<'_> {
    fn run(&mut self, program: &Program, machine: &mut Machine, observer: &mut impl Observer) -> Stop {
        loop {
            let at = (machine.func(), machine.place());
            let runs = program.seqs.get(at.1.seq as usize).filter(|_| machine.depth() > 0);
            let instr = runs.and_then(|seq| seq.code.get(at.1.index as usize));
            let maker = instr.and_then(|instr| Some((MAKERS[instr.op.index()]?, instr.op)));
            let maker = maker.filter(|_| self.only.is_none_or(|only| only == at));
            let operands = maker.map(|(_, op)| op.row().params.len() as u32).unwrap_or_default();
            let operands: Vec<Value> = (0..operands).map(|down| machine.operand(down)).collect();
            if let Some(stop) = machine.step(program, observer) {
                return stop;
            }
            let Some((maker, _)) = maker else { continue };
            let choice = || self.chance.as_mut().map_or(u64::MAX, Rng::bits);
            if let Some(bits) = maker.otherwise(&operands, machine.operand(0), choice) {
                machine.set_operand(0, bits);
                if self.known.insert(at) {
                    self.taken.push(at);
                }
            }
        }
    }
}

impl Request<'_> {
    /// The function and pc of an instruction whose NaN the answers hang on, if they hang on any. `machine` is used for the
    /// runs that find out.
    pub fn hangs_on(&self, sight: &Sight, machine: &mut Machine) -> Option<(u32, u32)> {
        let makes = |func: &u32| self.program.flatten(*func).iter().any(|flat| MAKERS[flat.instr.op.index()].is_some());
        if !sight.ran.iter().any(makes) {
            return None;
        }
        let mut differs = |number: u64, only: Option<(u32, Place)>, taken: &mut Vec<(u32, Place)>| {
            let chance = (number > 0).then(|| Rng::from_u64(number));
            let again = self.again(Variant { chance, only, taken, known: HashSet::new() }, machine);
            again.is_ok_and(|other| !same(sight, &other))
        };
        for number in 0..VARIANTS {
            let mut taken = Vec::new();
            if differs(number, None, &mut taken) {
                let tries = 1 + SEARCH_FUEL / sight.fuel.max(1);
                let alone = taken.iter().take(tries as usize).find(|&&at| differs(number, Some(at), &mut Vec::new()));
                let &(func, place) = alone.or(taken.first())?;
                return self.call().pc(func, place);
            }
            // Without a NaN there is nothing to choose.
            if number == 0 && taken.is_empty() {
                break;
            }
        }
        None
    }

    fn again(&self, mut variant: Variant<'_>, machine: &mut Machine) -> Result<Sight, NoRoom> {
        let mut watcher = self.watcher();
        let mut located = Located { observer: &mut watcher, last: None };
        let call = self.call();
        let ended =
            call.run_by(machine, &mut located, |machine, observer| variant.run(self.program, machine, observer))?;
        let at = located.last;
        let ended = ended.map_err(|trap| Stopped { trap, at: at.and_then(|(func, place)| call.pc(func, place)) });
        Ok(self.seen(watcher, machine, ended))
    }
}

/// Whether two runs give the same answers. A NaN is as good as any other.
fn same(one: &Sight, other: &Sight) -> bool {
    let values = |one: &[Value], other: &[Value]| {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.same(*other))
    };
    let operands = |one: &Option<Snapshot>, other: &Option<Snapshot>| match (one, other) {
        (Some(one), Some(other)) => values(&one.operands, &other.operands),
        (one, other) => one.is_none() && other.is_none(),
    };
    let ended = match (&one.ended, &other.ended) {
        (Ok(one), Ok(other)) => values(&one.results, &other.results),
        (Err(one), Err(other)) => one == other,
        _ => false,
    };
    ended
        && (&one.hits, &one.flags, one.fuel) == (&other.hits, &other.flags, other.fuel)
        && one.operands.iter().zip(&other.operands).all(|(one, other)| operands(one, other))
}
