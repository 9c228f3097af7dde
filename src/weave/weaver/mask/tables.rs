//! Owns the sets that depend on the settings alone, prepared once.
//!
//! Must not know values or a program.

use super::needs_memory;
use crate::wasm::isa::{Category, Op, Row, Semantics, Trap};
use crate::wasm::machine::{is_free, width};
use crate::wasm::types::ValType;
use crate::weave::action::{Action, ActionSet};
use crate::weave::config::WeaveConfig;
use crate::weave::literal::min_const_bytes;
use crate::weave::scope::{Effect, Types};

/// Types of one operand as the tables see it: none, one of seven, or any (in polymorphic code).
const KINDS: usize = 2 + ValType::ALL.len();
const ANY: usize = KINDS - 1;

/// What an operand is to the tables.
#[inline]
pub(super) fn kind(ty: Option<ValType>, polymorphic: bool) -> usize {
    match ty {
        Some(ty) => 1 + ty.index(),
        None if polymorphic => ANY,
        None => 0,
    }
}

/// Instructions that cost the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) bytes: u32,
    pub(super) fuel: u32,
    pub(super) memory: bool,
    pub(super) effect: Effect,
}

/// What tells whether an instruction traps.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trapping {
    Unary(fn(u64) -> Result<u64, Trap>),
    Binary(fn(u64, u64) -> Result<u64, Trap>),
}

/// Sets that depend on the settings alone.
#[derive(Clone, Debug)]
pub(in crate::weave::weaver) struct Tables {
    /// Every allowed instruction.
    pub(in crate::weave::weaver) allowed: ActionSet,
    /// Allowed instructions with a fixed effect whose operands can be these.
    fixed: Vec<ActionSet>,
    /// Allowed instructions whose effect depends on the module, the frame or the operands, by their fixed operands.
    special: Vec<Vec<Op>>,
    /// Instructions that leave more operands than they take.
    pub(super) growing: ActionSet,
    /// Instructions of `fixed` that can trap by the value of their operands, memory accesses apart, by their top operand.
    trapping: Vec<Vec<(Op, Trapping)>>,
    /// Accesses whose address lies on top, and those with a value above it, by their top operand.
    pub(super) loads: [ActionSet; KINDS],
    pub(super) stores: [ActionSet; KINDS],
    /// All of `fixed` by what they cost.
    pub(super) classes: Vec<(Class, ActionSet)>,
    /// What can combine two values of a type into one, without a trap.
    pub(super) combining: [ActionSet; ValType::ALL.len()],
}

/// Whether what an instruction does to the operand types is the same everywhere, and the top two decide if it fits.
fn is_fixed(op: Op) -> bool {
    let row = op.row();
    let plain = !matches!(row.semantics, Semantics::Special) || row.category == Category::Const;
    (plain || matches!(op, Op::Nop | Op::MemorySize)) && row.params.len() <= 2
}

fn fits(wanted: Option<&ValType>, kind: usize) -> bool {
    wanted.is_none_or(|ty| kind == ANY || kind == 1 + ty.index())
}

fn fits_both(op: Op, (top, second): (usize, usize)) -> bool {
    // What these pop besides numbers has the type of a table, and lies between or above them.
    match op {
        Op::TableSet => return top != 0,
        Op::TableFill => return fits(Some(&ValType::I32), top) && second != 0,
        _ => {}
    }
    let mut params = op.row().params.iter().rev();
    fits(params.next(), top) && fits(params.next(), second)
}

fn all_kinds() -> impl Iterator<Item = (usize, usize)> {
    (0..KINDS).flat_map(|top| (0..KINDS).map(move |second| (top, second)))
}

impl Tables {
    /// Prepares the sets.
    pub(in crate::weave::weaver) fn new(config: &WeaveConfig) -> Self {
        let allowed = config.instructions();
        let ops = || Op::ALL.iter().copied().filter(|&op| allowed.contains(Action::Instr(op)));
        let set = |filter: &dyn Fn(Op) -> bool| ActionSet::of_instructions(ops().filter(|&op| filter(op)));
        let ends = |op: Op| matches!(op, Op::End | Op::Else);
        let traps = |op: Op| match op.row().semantics {
            Semantics::TryUnary(f) => Some((op, Trapping::Unary(f))),
            Semantics::TryBinary(f) => Some((op, Trapping::Binary(f))),
            _ => None,
        };
        let accesses = |operands: usize| {
            std::array::from_fn(|top| {
                set(&|op| width(op) > 0 && op.row().params.len() == operands && fits(op.row().params.last(), top))
            })
        };
        Self {
            allowed,
            fixed: all_kinds().map(|kinds| set(&|op| is_fixed(op) && fits_both(op, kinds))).collect(),
            special: all_kinds()
                .map(|kinds| ops().filter(|&op| !is_fixed(op) && !ends(op) && fits_both(op, kinds)).collect())
                .collect(),
            growing: set(&grows),
            trapping: (0..KINDS)
                .map(|top| ops().filter(|op| fits(op.row().params.last(), top)).filter_map(traps).collect())
                .collect(),
            loads: accesses(1),
            stores: accesses(2),
            classes: classes(ops().filter(|&op| is_fixed(op))),
            combining: std::array::from_fn(|index| set(&|op| combines(op, ValType::ALL[index]))),
        }
    }

    /// Instructions with a fixed effect by the kinds of the top two operands.
    #[inline]
    pub(super) fn fixed(&self, (top, second): (usize, usize)) -> &ActionSet {
        &self.fixed[top * KINDS + second]
    }

    /// Other instructions whose fixed operands can be these.
    #[inline]
    pub(super) fn special(&self, (top, second): (usize, usize)) -> &[Op] {
        &self.special[top * KINDS + second]
    }

    /// Instructions that can trap on a top operand of this kind.
    #[inline]
    pub(super) fn trapping(&self, top: usize) -> &[(Op, Trapping)] {
        &self.trapping[top]
    }
}

fn grows(op: Op) -> bool {
    let row: &Row = op.row();
    let gets = matches!(op, Op::LocalGet | Op::GlobalGet | Op::RefNull | Op::RefFunc);
    gets || (row.results.len() > row.params.len() && op != Op::RefIsNull)
}

fn combines(op: Op, ty: ValType) -> bool {
    let row = op.row();
    let binary = matches!(row.semantics, Semantics::Binary(_) | Semantics::Wide2(_));
    op == Op::Drop || (binary && row.params == [ty, ty] && row.results == [ty])
}

/// Groups instructions by the least that they cost.
fn classes(ops: impl Iterator<Item = Op>) -> Vec<(Class, ActionSet)> {
    let mut classes: Vec<(Class, ActionSet)> = Vec::new();
    for op in ops {
        let class = class(op);
        let at = classes.iter().position(|(known, _)| *known == class).unwrap_or_else(|| {
            classes.push((class, ActionSet::default()));
            classes.len() - 1
        });
        classes[at].1.insert(Action::Instr(op));
    }
    classes
}

/// Bytes of the shortest form of an instruction with a fixed effect.
pub(super) fn least_bytes(op: Op) -> u32 {
    use crate::wasm::isa::Imm;
    let row = op.row();
    let immediate = match row.imm {
        _ if row.category == Category::Const => return min_const_bytes(row.results[0]),
        Imm::MemArgLane { .. } => 3,
        Imm::Shuffle => 16,
        _ if width(op) > 0 => 2,
        Imm::MemIndex | Imm::Lane { .. } => 1,
        _ => 0,
    };
    row.opcode.len() as u32 + immediate
}

fn class(op: Op) -> Class {
    let row = op.row();
    // The types popped make no difference, and of the type pushed only whether it can stay as a result.
    let effect = Effect { pops: row.params.len() as u32, push: Types::of(row.results) };
    Class { bytes: least_bytes(op), fuel: u32::from(!is_free(op)), memory: needs_memory(op), effect }
}
