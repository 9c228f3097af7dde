//! Owns what is known statically about an open sequence: its operand types, where it stands, and what closing it costs.
//!
//! Must not know values. The cheapest way to close a sequence whose operands are `S` and whose results are `R`: keep
//! their longest common prefix, drop the rest, push constants for what is missing. Each step of that way makes what is
//! left cheaper by exactly its own cost; that is why a budget which could pay for closing once can always do so.

use super::literal::min_const_bytes;
use crate::wasm::isa::{Op, Row};
use crate::wasm::program::SeqId;
use crate::wasm::types::ValType;

/// Bytes of a terminator: `end`, or `else` after a first arm.
pub const TERMINATOR: u32 = 1;

/// Bytes of `i32.const N; i32.lt_u; br_if 0`, the end of a counted loop.
pub const TAIL_BYTES: u32 = 5;
/// Fuel of the same.
pub const TAIL_FUEL: u32 = 3;

/// A sequence that is, or was, open.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The function it belongs to.
    pub func: u32,
    /// The sequence around it; none for a function's body.
    pub parent: Option<SeqId>,
    /// What made it: `block`, `loop`, `if`, or `call` for a body.
    pub op: Op,
    /// The result that it must leave, if any.
    pub result: Option<ValType>,
    /// Operand types at its end, bottom first.
    pub types: Vec<ValType>,
    /// After a branch that is always taken: operands below `types` may be anything.
    pub polymorphic: bool,
    /// Blocks around it in its function.
    pub depth: u32,
    /// The counter of a counted loop, once its body is complete and it only waits for its trip count.
    pub counting: Option<Counting>,
    /// The local that counts the iterations of a loop.
    pub counter: Option<u32>,
    /// Cost of closing it, as last entered in the ledger.
    pub cost: Closing,
    /// Instructions placed here that no execution reaches.
    pub dead: u32,
}

/// A counted loop whose further iterations are being tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// Iterations asked for.
    pub wanted: u32,
    /// Iterations completed.
    pub done: u32,
}

/// What it takes to close a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// Bytes, its terminator included.
    pub bytes: u32,
    /// Fuel.
    pub fuel: u32,
}

/// How an instruction changes the operand types.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effect {
    /// Operands popped.
    pub pops: u32,
    /// Type pushed, if any. No instruction of the table pushes more than one.
    pub push: Option<ValType>,
}

impl Effect {
    /// The fixed effect of a row.
    pub fn of(row: &Row) -> Self {
        Self { pops: row.params.len() as u32, push: row.results.first().copied() }
    }
}

impl Scope {
    /// A new, empty sequence.
    pub fn new(func: u32, parent: Option<SeqId>, op: Op, result: Option<ValType>, depth: u32) -> Self {
        Self {
            func,
            parent,
            op,
            result,
            types: Vec::new(),
            polymorphic: false,
            depth,
            counting: None,
            counter: None,
            cost: Closing::default(),
            dead: 0,
        }
    }

    /// What closing costs now.
    pub fn closing(&self) -> Closing {
        self.closing_after(Effect::default())
    }

    /// What closing would cost after an instruction with this effect.
    pub fn closing_after(&self, effect: Effect) -> Closing {
        if self.counting.is_some() {
            return Closing { bytes: TAIL_BYTES + TERMINATOR, fuel: 0 };
        }
        let kept = self.types.len().saturating_sub(effect.pops as usize);
        let len = kept + usize::from(effect.push.is_some());
        let at = |index: usize| if index < kept { Some(self.types[index]) } else { effect.push };
        let fits = match (self.result, len) {
            (None, _) | (_, 0) => 0,
            (Some(result), _) => usize::from(at(0) == Some(result)),
        };
        let mut cost = Closing { bytes: (len - fits) as u32 + TERMINATOR, fuel: 0 };
        // In polymorphic code missing results need not be pushed.
        if let (Some(result), 0, false) = (self.result, fits, self.polymorphic) {
            cost.bytes += min_const_bytes(result);
            cost.fuel += 1;
        }
        cost
    }

    /// Whether the sequence can end here.
    pub fn can_end(&self) -> bool {
        match (self.result, self.types.as_slice()) {
            (None, []) => true,
            (Some(_), []) => self.polymorphic,
            (Some(result), [only]) => *only == result,
            _ => false,
        }
    }

    /// The type `down` places under the top; `None` if there is none or, in polymorphic code, it may be any.
    pub fn peek(&self, down: usize) -> Option<ValType> {
        self.types.len().checked_sub(1 + down).map(|at| self.types[at])
    }

    /// Whether the top operands can have these types (last on top).
    pub fn matches(&self, wanted: &[ValType]) -> bool {
        wanted.iter().rev().enumerate().all(|(down, ty)| match self.peek(down) {
            Some(found) => found == *ty,
            None => self.polymorphic,
        })
    }

    /// Changes the types.
    pub fn apply(&mut self, effect: Effect) {
        let kept = self.types.len().saturating_sub(effect.pops as usize);
        self.types.truncate(kept);
        self.types.extend(effect.push);
    }

    /// From here on nothing is reached.
    pub fn cut(&mut self) {
        self.types.clear();
        self.polymorphic = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValType::{F64, I32};

    fn scope(types: &[ValType], result: Option<ValType>, polymorphic: bool) -> Scope {
        Scope { types: types.to_vec(), polymorphic, ..Scope::new(0, None, Op::Block, result, 0) }
    }

    #[test]
    fn closing_costs_drops_constants_and_the_terminator() {
        let cost = |types, result, polymorphic| {
            let closing = scope(types, result, polymorphic).closing();
            (closing.bytes, closing.fuel)
        };
        assert_eq!(cost(&[], None, false), (1, 0));
        assert_eq!(cost(&[I32, F64], None, false), (3, 0));
        assert_eq!(cost(&[], Some(F64), false), (10, 1));
        assert_eq!(cost(&[], Some(F64), true), (1, 0));
        assert_eq!(cost(&[I32], Some(I32), false), (1, 0));
        assert_eq!(cost(&[F64, I32], Some(I32), false), (2 + 2 + 1, 1));
        assert_eq!(cost(&[F64, I32], Some(I32), true), (3, 0));
    }

    #[test]
    fn each_step_of_closing_pays_for_itself() {
        let mut open = scope(&[F64, I32, I32], Some(I32), false);
        let mut spent = Closing::default();
        let whole = open.closing();
        while !open.can_end() {
            let push = open.types.is_empty().then_some(I32);
            let effect = Effect { pops: u32::from(push.is_none()), push };
            open.apply(effect);
            spent.bytes += if push.is_some() { 2 } else { 1 };
            spent.fuel += u32::from(push.is_some());
            assert_eq!(
                (spent.bytes + open.closing().bytes, spent.fuel + open.closing().fuel),
                (whole.bytes, whole.fuel)
            );
        }
    }
}
