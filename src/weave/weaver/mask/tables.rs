//! Owns the sets that depend on the settings alone, prepared once.
//!
//! Must not know values or a program.

use super::needs_memory;
use crate::wasm::effect::StackType;
use crate::wasm::isa::{Category, Op, Semantics, Trap};
use crate::wasm::machine::{is_free, width};
use crate::wasm::types::ValType;
use crate::weave::action::{Action, ActionSet};
use crate::weave::config::WeaveConfig;
use crate::weave::literal::min_const_bytes;
use crate::weave::scope::Effect;

/// Types of one operand as the tables see it: none, one of seven, or any (in polymorphic code).
const KINDS: usize = 2 + ValType::ALL.len();
const ANY: usize = KINDS - 1;

/// What an operand is to the tables.
#[inline]
fn kind(ty: Option<ValType>, polymorphic: bool) -> usize {
    match ty {
        Some(ty) => 1 + ty.index(),
        None if polymorphic => ANY,
        None => 0,
    }
}

/// What the top two operands are to the tables, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::weave) struct Kinds(u8);

impl Kinds {
    /// How many there are.
    pub(in crate::weave) const COUNT: usize = KINDS * KINDS;

    /// All of them, by number.
    pub(in crate::weave) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(|number| Self(number as u8))
    }

    /// Of these types.
    #[inline]
    pub(super) fn of(top: Option<ValType>, second: Option<ValType>, polymorphic: bool) -> Self {
        Self((kind(top, polymorphic) * KINDS + kind(second, polymorphic)) as u8)
    }

    /// Its number.
    #[inline]
    pub(in crate::weave) fn index(self) -> usize {
        self.0.into()
    }

    /// What the top operand is.
    #[inline]
    pub(super) fn top(self) -> usize {
        self.index() / KINDS
    }

    fn second(self) -> usize {
        self.index() % KINDS
    }

    /// Of these instructions those whose fixed operands can be such, and `end`: no other can be legal.
    pub(in crate::weave) fn candidates(self, allowed: &ActionSet) -> impl Iterator<Item = Op> {
        let fits = move |op: &Op| *op == Op::End || (*op != Op::Else && fits_both(*op, self));
        instructions(allowed).filter(fits)
    }
}

fn instructions(set: &ActionSet) -> impl Iterator<Item = Op> {
    Op::ALL.iter().copied().filter(|&op| set.contains(Action::Instr(op)))
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

/// What decides whether an instruction is legal whose operands have the right types.
#[derive(Clone, Copy, Debug)]
pub(super) struct Test {
    /// Whether it leaves more operands than it takes.
    pub(super) growing: bool,
    /// Its place among the classes, for an instruction with a fixed effect.
    pub(super) class: u8,
    pub(super) values: Values,
}

/// What the values at hand must allow.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values {
    /// Nothing.
    Any,
    /// Not to trap.
    Traps(Trapping),
    /// An access of so many bytes at an address so far under the top.
    Access { down: u8, width: u8 },
    /// More than a table can say.
    Special,
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
    /// Both, and `end`.
    candidates: Vec<Vec<Op>>,
    candidate_sets: Vec<ActionSet>,
    /// `candidates` by their category; those categories that have any.
    groups: Vec<Vec<Vec<Op>>>,
    /// What decides about each instruction, by its number.
    tests: Vec<Test>,
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

fn fits_both(op: Op, kinds: Kinds) -> bool {
    let (top, second) = (kinds.top(), kinds.second());
    // What these pop besides numbers has the type of a table, and lies between or above them.
    match op {
        Op::TableSet => return top != 0,
        Op::TableFill => return fits(Some(&ValType::I32), top) && second != 0,
        _ => {}
    }
    let mut params = op.row().params.iter().rev();
    fits(params.next(), top) && fits(params.next(), second)
}

impl Tables {
    /// Prepares the sets.
    pub(in crate::weave::weaver) fn new(config: &WeaveConfig) -> Self {
        let allowed = config.instructions();
        let ops = || instructions(&allowed);
        let set = |filter: &dyn Fn(Op) -> bool| ActionSet::of_instructions(ops().filter(|&op| filter(op)));
        let classes = classes(ops().filter(|&op| is_fixed(op)));
        let candidates = |kinds: Kinds| kinds.candidates(&allowed);
        let traps = |op: Op| trapping(op).map(|trapping| (op, trapping));
        let accesses = |operands: usize| {
            std::array::from_fn(|top| {
                set(&|op| width(op) > 0 && op.row().params.len() == operands && fits(op.row().params.last(), top))
            })
        };
        Self {
            fixed: Kinds::all().map(|kinds| set(&|op| is_fixed(op) && fits_both(op, kinds))).collect(),
            special: Kinds::all()
                .map(|kinds| candidates(kinds).filter(|&op| !is_fixed(op) && op != Op::End).collect())
                .collect(),
            candidates: Kinds::all().map(|kinds| candidates(kinds).collect()).collect(),
            candidate_sets: Kinds::all().map(|kinds| ActionSet::of_instructions(candidates(kinds))).collect(),
            groups: Kinds::all().map(|kinds| groups(candidates(kinds))).collect(),
            tests: Op::ALL.iter().map(|&op| test(op, &classes)).collect(),
            growing: set(&grows),
            trapping: (0..KINDS)
                .map(|top| ops().filter(|op| fits(op.row().params.last(), top)).filter_map(traps).collect())
                .collect(),
            loads: accesses(1),
            stores: accesses(2),
            combining: std::array::from_fn(|index| set(&|op| combines(op, ValType::ALL[index]))),
            classes,
            allowed,
        }
    }

    /// Instructions with a fixed effect by the kinds of the top two operands.
    #[inline]
    pub(super) fn fixed(&self, kinds: Kinds) -> &ActionSet {
        &self.fixed[kinds.index()]
    }

    /// Other instructions whose fixed operands can be these.
    #[inline]
    pub(super) fn special(&self, kinds: Kinds) -> &[Op] {
        &self.special[kinds.index()]
    }

    /// All instructions that can be legal on operands of these kinds.
    #[inline]
    pub(super) fn candidates(&self, kinds: Kinds) -> &[Op] {
        &self.candidates[kinds.index()]
    }

    /// [`Tables::candidates`] by their category.
    #[inline]
    pub(super) fn groups(&self, kinds: Kinds) -> &[Vec<Op>] {
        &self.groups[kinds.index()]
    }

    /// [`Tables::candidates`] as a set.
    #[inline]
    pub(super) fn candidate_set(&self, kinds: Kinds) -> &ActionSet {
        &self.candidate_sets[kinds.index()]
    }

    /// What decides whether a candidate is legal.
    #[inline]
    pub(super) fn test(&self, op: Op) -> &Test {
        &self.tests[op.index()]
    }

    /// Instructions that can trap on a top operand of this kind.
    #[inline]
    pub(super) fn trapping(&self, top: usize) -> &[(Op, Trapping)] {
        &self.trapping[top]
    }
}

/// Instructions by their category.
fn groups(ops: impl Iterator<Item = Op>) -> Vec<Vec<Op>> {
    let mut groups = vec![Vec::new(); Category::ALL.len()];
    ops.for_each(|op| groups[op.row().category.index()].push(op));
    groups.retain(|group| !group.is_empty());
    groups
}

fn trapping(op: Op) -> Option<Trapping> {
    match op.row().semantics {
        Semantics::TryUnary(f) => Some(Trapping::Unary(f)),
        Semantics::TryBinary(f) => Some(Trapping::Binary(f)),
        _ => None,
    }
}

fn test(op: Op, classes: &[(Class, ActionSet)]) -> Test {
    let operands = op.row().params.len() as u8;
    let values = match trapping(op) {
        _ if !is_fixed(op) => Values::Special,
        Some(trapping) => Values::Traps(trapping),
        None if width(op) > 0 => Values::Access { down: operands - 1, width: width(op) },
        None => Values::Any,
    };
    let class = classes.iter().position(|(_, members)| members.contains(Action::Instr(op))).unwrap_or(0);
    Test { growing: grows(op), class: class as u8, values }
}

fn grows(op: Op) -> bool {
    let StackType { popped, pushed, .. } = StackType::of(op);
    pushed.operands() > popped.operands()
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
    // The types popped make no difference, and of the type pushed only whether it can stay as a result.
    Class { bytes: least_bytes(op), fuel: u32::from(!is_free(op)), memory: needs_memory(op), effect: Effect::of(op) }
}
