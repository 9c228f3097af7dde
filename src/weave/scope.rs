//! Owns what is known statically about an open sequence: its operand types, where it stands, and what closing it costs.
//!
//! Must not know values. The cheapest way to close a sequence whose operands are `S` and whose results are `R`: keep
//! their longest common prefix, drop the rest, push constants for what is missing. Each step of that way makes what is
//! left cheaper by exactly its own cost; that is why a budget which could pay for closing once can always do so.

use super::literal::min_const_bytes;
use crate::wasm::effect::{StackType, Word};
use crate::wasm::isa::Op;
use crate::wasm::program::SeqId;
use crate::wasm::types::ValType;

/// Bytes of a terminator: `end`, or `else` after a first arm.
pub const TERMINATOR: u32 = 1;

/// Bytes of `i32.const N; i32.lt_u; br_if 0`, the end of a counted loop.
pub const TAIL_BYTES: u32 = 5;
/// Fuel of the same.
pub const TAIL_FUEL: u32 = 3;

/// A few value types, in place: parameters or results.
#[derive(Clone, Copy, Debug)]
pub struct Types {
    len: u8,
    types: [ValType; Types::MAX],
}

impl Types {
    /// As many as any signature of the vocabulary has.
    pub const MAX: usize = 3;
    /// None.
    pub const NONE: Types = Types { len: 0, types: [ValType::I32; Types::MAX] };

    /// One.
    #[inline]
    pub fn one(ty: ValType) -> Self {
        Self { len: 1, types: [ty; Self::MAX] }
    }

    /// These.
    ///
    /// # Panics
    /// If there are more than [`Types::MAX`].
    #[inline]
    pub fn of(types: &[ValType]) -> Self {
        let mut list = Self::NONE;
        types.iter().for_each(|&ty| list.push(ty));
        list
    }

    /// The operands that an instruction pops, where the type left open is this; those of a block or call apart.
    pub fn popped(op: Op, open: ValType) -> Self {
        let mut list = Self::NONE;
        for word in StackType::of(op).popped.iter() {
            match word {
                Word::Is(ty) => list.push(*ty),
                Word::Open => list.push(open),
                Word::Params | Word::Results | Word::Carried => {}
            }
        }
        list
    }

    /// Adds one at the end.
    ///
    /// # Panics
    /// If it is full.
    #[inline]
    pub fn push(&mut self, ty: ValType) {
        self.types[usize::from(self.len)] = ty;
        self.len += 1;
    }
}

impl std::ops::Deref for Types {
    type Target = [ValType];

    #[inline]
    fn deref(&self) -> &[ValType] {
        &self.types[..usize::from(self.len)]
    }
}

impl PartialEq for Types {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Types {}

/// Parameters and results of a block or function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What it takes.
    pub params: Types,
    /// What it leaves.
    pub results: Types,
}

impl Signature {
    /// `[] -> []`
    pub const NONE: Signature = Signature::of(Types::NONE, Types::NONE);

    /// From these parameters to these results.
    pub const fn of(params: Types, results: Types) -> Self {
        Self { params, results }
    }

    /// Without parameters.
    pub const fn to(results: Types) -> Self {
        Self::of(Types::NONE, results)
    }
}

/// What the `end` of a sequence still has to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing.
    Plain,
    /// How often this loop runs.
    Loop,
    /// Whether this arm of a recursive function calls the function again.
    Recursion,
}

/// A sequence that is, or was, open.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The function it belongs to.
    pub func: u32,
    /// The sequence around it; none for a function's body.
    pub parent: Option<SeqId>,
    /// What made it: `block`, `loop`, `if`, or `call` for a body.
    pub op: Op,
    /// The operands that it starts with: what a branch to a loop carries.
    pub params: Types,
    /// The results that it must leave.
    pub results: Types,
    /// Operand types at its end, bottom first.
    pub types: Vec<ValType>,
    /// After a branch that is always taken: operands below `types` may be anything.
    pub polymorphic: bool,
    /// Blocks around it in its function.
    pub depth: u32,
    /// What its `end` decides.
    pub ending: Ending,
    /// The counter of a counted loop, once its body is complete and it only waits for its trip count.
    pub counting: Option<Counting>,
    /// The local that counts the iterations of a loop, or how deep a function may still call itself.
    pub counter: Option<u32>,
    /// Cost of closing it, as last entered in the ledger.
    pub cost: Closing,
    /// The most that any one instruction can add to the cost of closing.
    pub slack: Closing,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Operands popped; more than there are where all of them go.
    pub pops: u32,
    /// Types pushed.
    pub push: Types,
}

impl Effect {
    /// Nothing.
    pub const NONE: Effect = Effect { pops: 0, push: Types::NONE };

    /// Of an instruction: its whole effect, or the part that no immediate changes.
    #[inline]
    pub const fn of(op: Op) -> Self {
        EFFECTS[op.index()]
    }

    /// Of an instruction that leaves a type open: that of a variable, of the elements of a table, of operands.
    #[inline]
    pub fn on(op: Op, ty: ValType) -> Self {
        let effect = Self::of(op);
        if PUSHES_OPEN[op.index()] { Self { push: Types::one(ty), ..effect } } else { effect }
    }

    /// Of a block or a call of this signature.
    #[inline]
    pub fn with(op: Op, signature: &Signature) -> Self {
        let effect = Self::of(op);
        if effect.pops == u32::MAX {
            return effect;
        }
        Self { pops: effect.pops + signature.params.len() as u32, push: signature.results }
    }
}

/// The effect of every instruction by its number: what has to be looked up for each choice, out of [`StackType`].
static EFFECTS: [Effect; Op::COUNT] = {
    let mut effects = [Effect::NONE; Op::COUNT];
    let mut index = 0;
    while index < Op::COUNT {
        let StackType { popped, pushed, leaves } = StackType::of(Op::ALL[index]);
        let mut push = Types::NONE;
        let mut at = 0;
        while let Some(word) = pushed.word(at) {
            if let Word::Is(ty) = word {
                push.types[push.len as usize] = ty;
                push.len += 1;
            }
            at += 1;
        }
        effects[index] = Effect { pops: if *leaves { u32::MAX } else { popped.operands() as u32 }, push };
        index += 1;
    }
    effects
};

/// Whether an instruction pushes an operand, by its number, of a type that is left open.
static PUSHES_OPEN: [bool; Op::COUNT] = {
    let mut pushes = [false; Op::COUNT];
    let mut index = 0;
    while index < Op::COUNT {
        pushes[index] = matches!(StackType::of(Op::ALL[index]).pushed.word(0), Some(Word::Open));
        index += 1;
    }
    pushes
};

impl Scope {
    /// A new sequence, which starts with its parameters.
    pub fn new(func: u32, parent: Option<SeqId>, op: Op, signature: Signature, depth: u32) -> Self {
        let Signature { params, results } = signature;
        Self {
            func,
            parent,
            op,
            params,
            results,
            types: if op == Op::Call { Vec::new() } else { params.to_vec() },
            polymorphic: false,
            depth,
            ending: Ending::Plain,
            counting: None,
            counter: None,
            cost: Closing::default(),
            slack: Closing {
                bytes: results.iter().map(|&ty| min_const_bytes(ty)).sum::<u32>() + Types::MAX as u32,
                fuel: results.len() as u32,
            },
            dead: 0,
        }
    }

    /// What closing costs now.
    pub fn closing(&self) -> Closing {
        self.closing_after(&Effect::NONE)
    }

    /// What closing would cost after an instruction with this effect.
    #[inline]
    pub fn closing_after(&self, effect: &Effect) -> Closing {
        if self.counting.is_some() {
            return Closing { bytes: TAIL_BYTES + TERMINATOR, fuel: 0 };
        }
        let kept = self.types.len().saturating_sub(effect.pops as usize);
        let len = kept + effect.push.len();
        if self.results.is_empty() {
            return Closing { bytes: len as u32 + TERMINATOR, fuel: 0 };
        }
        self.closing_to_results(effect, kept, len)
    }

    fn closing_to_results(&self, effect: &Effect, kept: usize, len: usize) -> Closing {
        let (fits, missing) = self.missing_after(effect, kept, len);
        let constants: u32 = missing.iter().map(|&ty| min_const_bytes(ty)).sum();
        Closing { bytes: (len - fits) as u32 + constants + TERMINATOR, fuel: missing.len() as u32 }
    }

    /// What the cheapest way to close does after an instruction with this effect: how many operands are dropped, and the
    /// types of the results that are pushed.
    pub fn closing_steps(&self, effect: &Effect) -> (usize, &[ValType]) {
        let kept = self.types.len().saturating_sub(effect.pops as usize);
        let len = kept + effect.push.len();
        let (fits, missing) = self.missing_after(effect, kept, len);
        (len - fits, missing)
    }

    /// How many operands can stay, and which results are missing then. In polymorphic code none need be pushed.
    fn missing_after(&self, effect: &Effect, kept: usize, len: usize) -> (usize, &[ValType]) {
        let polymorphic = self.polymorphic || effect.pops == u32::MAX;
        let at = |index: usize| if index < kept { self.types[index] } else { effect.push[index - kept] };
        let fits = self.fitting(len, polymorphic, at);
        (fits, if polymorphic { &[] } else { &self.results[fits..] })
    }

    /// How many of the lowest of `len` operands can stay: they are the first results, or, in polymorphic code, the last
    /// ones, since any operands may lie below.
    fn fitting(&self, len: usize, polymorphic: bool, at: impl Fn(usize) -> ValType) -> usize {
        let most = len.min(self.results.len());
        let is_tail = |count: &usize| {
            let skipped = self.results.len() - count;
            (0..*count).all(|index| at(index) == self.results[skipped + index])
        };
        if polymorphic {
            (0..=most).rev().find(is_tail).expect("nothing always fits")
        } else {
            (0..most).take_while(|&index| at(index) == self.results[index]).count()
        }
    }

    /// Whether the sequence can end here.
    #[inline]
    pub fn can_end(&self) -> bool {
        let (types, results) = (self.types.as_slice(), &*self.results);
        types == results || (self.polymorphic && results.ends_with(types))
    }

    /// The type `down` places under the top; `None` if there is none or, in polymorphic code, it may be any.
    #[inline]
    pub fn peek(&self, down: usize) -> Option<ValType> {
        self.types.len().checked_sub(1 + down).map(|at| self.types[at])
    }

    /// Whether the top operands can have these types (last on top).
    #[inline]
    pub fn matches(&self, wanted: &[ValType]) -> bool {
        self.matches_under(wanted, 0)
    }

    /// As [`Scope::matches`], for the operands under the top `above`.
    #[inline]
    pub fn matches_under(&self, wanted: &[ValType], above: usize) -> bool {
        wanted.iter().rev().enumerate().all(|(down, ty)| match self.peek(above + down) {
            Some(found) => found == *ty,
            None => self.polymorphic,
        })
    }

    /// Changes the types.
    #[inline]
    pub fn apply(&mut self, effect: &Effect) {
        let kept = self.types.len().saturating_sub(effect.pops as usize);
        self.types.truncate(kept);
        effect.push.iter().for_each(|&ty| self.types.push(ty));
        self.polymorphic |= effect.pops == u32::MAX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::effect::effect;
    use crate::wasm::isa::Imm;
    use crate::wasm::program::{BlockType, Func, Global, Instr, Program, Table};
    use crate::wasm::types::FuncType;
    use ValType::{F64, I32, I64};

    fn scope(types: &[ValType], results: &[ValType], polymorphic: bool) -> Scope {
        let signature = Signature::to(Types::of(results));
        Scope { types: types.to_vec(), polymorphic, ..Scope::new(0, None, Op::Block, signature, 0) }
    }

    #[test]
    fn closing_costs_drops_constants_and_the_terminator() {
        let cost = |types, results, polymorphic| {
            let closing = scope(types, results, polymorphic).closing();
            (closing.bytes, closing.fuel)
        };
        assert_eq!(cost(&[], &[], false), (1, 0));
        assert_eq!(cost(&[I32, F64], &[], false), (3, 0));
        assert_eq!(cost(&[], &[F64], false), (10, 1));
        assert_eq!(cost(&[], &[F64], true), (1, 0));
        assert_eq!(cost(&[I32], &[I32], false), (1, 0));
        assert_eq!(cost(&[F64, I32], &[I32], false), (2 + 2 + 1, 1));
        assert_eq!(cost(&[F64, I32], &[I32], true), (3, 0));
        assert_eq!(cost(&[I32, F64], &[I32, I64, F64], false), (1 + 2 + 9 + 1, 2));
        assert_eq!(cost(&[I64, F64], &[I32, I64, F64], true), (1, 0), "the missing one may be anything below");
        assert_eq!(cost(&[I64, I32], &[I32, I64], true), (1 + 1, 0), "i64 alone is the last result");
    }

    #[test]
    fn each_step_of_closing_pays_for_itself() {
        let mut open = scope(&[F64, I32, I32], &[I32, I64], false);
        let mut spent = Closing::default();
        let whole = open.closing();
        while !open.can_end() {
            let effect = match open.types.as_slice() {
                [] => Effect::of(Op::I32Const),
                [I32] => Effect::of(Op::I64Const),
                _ => Effect::of(Op::Drop),
            };
            let promised = open.closing_after(&effect);
            open.apply(&effect);
            assert_eq!(promised, open.closing());
            spent.bytes += if effect.push.is_empty() { 1 } else { 2 };
            spent.fuel += effect.push.len() as u32;
            assert_eq!((spent.bytes + promised.bytes, spent.fuel + promised.fuel), (whole.bytes, whole.fuel));
        }
    }

    /// What the mask reckons with is what an instruction does in a program, for every row of the table.
    #[test]
    fn effects_are_those_of_programs() {
        let signature = Signature::of(Types::of(&[I64, I64]), Types::one(F64));
        for (&op, ty) in Op::ALL.iter().flat_map(|op| ValType::ALL.map(|ty| (op, ty))) {
            let program = Program {
                types: vec![FuncType { params: signature.params.to_vec(), results: signature.results.to_vec() }],
                funcs: vec![Func { ty: 0, locals: vec![ty], body: 0, import: None }],
                globals: vec![Global { ty, mutable: true, init: Instr::plain(Op::Nop), import: None }],
                tables: vec![Table { ty, min: 0, max: None, import: None }],
                ..Program::default()
            };
            let has_signature = matches!(op.row().imm, Imm::BlockType | Imm::TypeTable)
                || (op.row().imm == Imm::Func && op != Op::RefFunc);
            let instr = match op.row().imm {
                Imm::BlockType => Instr::structured(op, BlockType::Func(0), 0, None),
                Imm::Local => Instr::index(op, 2),
                Imm::HeapType | Imm::ValTypes => Instr::index(op, ty.index() as u32),
                _ => Instr::index(op, 0),
            };
            let found = effect(&program, 0, &instr).expect("the program has all that it names");
            let types = |side: Vec<Option<ValType>>| side.iter().map(|found| found.unwrap_or(ty)).collect::<Vec<_>>();
            let (popped, pushed) = (types(found.popped().collect()), types(found.pushed().collect()));
            let ours = if has_signature { Effect::with(op, &signature) } else { Effect::on(op, ty) };
            let pops = if found.leaves() { u32::MAX } else { popped.len() as u32 };
            assert_eq!((ours.pops, &*ours.push), (pops, &pushed[..]), "{op}");
            let before = if has_signature { &signature.params[..] } else { &[] };
            assert_eq!([before, &*Types::popped(op, ty)].concat(), popped, "{op}");
        }
    }
}
