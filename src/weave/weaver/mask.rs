//! Owns what is legal: the set of choices that keep the program valid, free of traps, and within every bound.
//!
//! Must not know preferences. An action is legal if the operand types fit, the values at hand do not make it trap, and
//! what is used plus its cost plus the cheapest way to close everything open stays within the byte and fuel limits.
//! The types are answered by a table over the top two operands; then the bits that depend on values are cleared. This
//! is also the original's set of action constraints; none of them can fail here after the fact.

mod immediates;

use super::{Phase, Weaver};
use crate::wasm::isa::{Category, Op, Semantics};
use crate::wasm::machine::{is_free, width};
use crate::wasm::program::{BlockType, PAGE_BYTES};
use crate::wasm::types::ValType;
use crate::weave::action::{Action, ActionSet, TRIPS};
use crate::weave::budget::{MEMORY_BYTES, NEW_GLOBAL_BYTES};
use crate::weave::config::WeaveConfig;
use crate::weave::literal::min_const_bytes;
use crate::weave::scope::{Effect, TAIL_BYTES, TAIL_FUEL};

/// Types of one operand as the table sees it: none, one of four, or any (in polymorphic code).
const KINDS: usize = 2 + ValType::NUMBERS.len();
const ANY: usize = KINDS - 1;
/// With this much to spare, no instruction without a structured immediate can pass a limit.
const ROOMY_BYTES: u32 = 24;
const ROOMY_FUEL: i64 = 4;
/// Bytes of `local.get c; i32.const 1; i32.add; local.tee c`, with one-byte indices.
const HEAD_BYTES: u32 = 7;
const HEAD_FUEL: u32 = 4;
/// `i32.const 0; local.set c`.
const COUNTER_BYTES: u32 = 4;
const COUNTER_FUEL: u32 = 2;

/// Sets that depend on the settings alone.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    /// Every allowed instruction.
    allowed: ActionSet,
    /// Allowed instructions with a fixed effect whose operands can be these: `[top][second]`.
    fixed: [[ActionSet; KINDS]; KINDS],
    /// Allowed instructions whose effect depends on the module, the frame or the operands.
    special: ActionSet,
    /// Instructions that leave more operands than they take.
    growing: ActionSet,
    /// Instructions of `fixed` that can trap by the value of their operands, memory accesses apart.
    trapping: Vec<Op>,
    /// Memory accesses by width.
    accesses: Vec<Op>,
}

/// What a choice costs.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    /// Bytes in the function at the cursor, what closing new blocks takes included.
    body: u32,
    /// Bytes elsewhere in the module.
    elsewhere: u32,
    /// Fuel, what closing new blocks takes included.
    fuel: u32,
    /// Effect on the operands at the cursor.
    effect: Effect,
}

fn is_fixed(op: Op) -> bool {
    let row = op.row();
    !matches!(row.semantics, Semantics::Special)
        || (row.category == Category::Const && op != Op::V128Const)
        || matches!(op, Op::Nop | Op::MemorySize)
}

fn fits(wanted: Option<&ValType>, kind: usize) -> bool {
    wanted.is_none_or(|ty| kind == ANY || kind == 1 + ty.index())
}

impl Tables {
    /// Prepares the sets.
    pub(super) fn new(config: &WeaveConfig) -> Self {
        let allowed = config.instructions();
        let ops = || Op::ALL.iter().copied().filter(|&op| allowed.contains(Action::Instr(op)));
        let set = |filter: &dyn Fn(Op) -> bool| {
            let mut set = ActionSet::default();
            ops().filter(|&op| filter(op)).for_each(|op| set.insert(Action::Instr(op)));
            set
        };
        let fixed = std::array::from_fn(|top| {
            std::array::from_fn(|second| {
                set(&|op| {
                    let mut params = op.row().params.iter().rev();
                    is_fixed(op) && fits(params.next(), top) && fits(params.next(), second)
                })
            })
        });
        let grows =
            |op: Op| op.row().results.len() > op.row().params.len() || matches!(op, Op::LocalGet | Op::GlobalGet);
        let traps = |op: &Op| matches!(op.row().semantics, Semantics::TryUnary(_) | Semantics::TryBinary(_));
        Self {
            allowed,
            fixed,
            special: set(&|op| !is_fixed(op)),
            growing: set(&grows),
            trapping: ops().filter(traps).collect(),
            accesses: ops().filter(|&op| width(op) > 0).collect(),
        }
    }
}

impl Weaver {
    /// The legal choices of the current phase.
    pub(super) fn compute_legal(&self) -> ActionSet {
        let mut set = ActionSet::default();
        match self.phase {
            Phase::Done => {}
            Phase::Entry => self.entries(&mut set),
            Phase::Instr => set = self.instructions(),
            Phase::Local(op) => self.locals(op, &mut set),
            Phase::Global(op) => self.globals(op, &mut set),
            Phase::GlobalInit(ty) => self.constants(ty, NEW_GLOBAL_BYTES + 2, &mut set),
            Phase::Label(op) => self.labels(op, &mut set),
            Phase::BlockType(op) => self.block_types(op, &mut set),
            Phase::Else(ty) => {
                let options = [false, true].into_iter().filter(|&with| self.can_structure(Op::If, ty, with));
                options.for_each(|with| set.insert(Action::Else(with)));
            }
            Phase::Callee => self.callees(&mut set),
            Phase::Signature => self.signatures(&mut set),
            Phase::Trips => self.trips(&mut set),
            Phase::Bucket(ty) => self.constants(ty, 0, &mut set),
            Phase::Offset(op) => self.offsets(op, &mut set),
        }
        set
    }

    fn affords(&self, cost: Cost) -> bool {
        let scope = self.scope();
        let (now, then) = (scope.cost, scope.closing_after(cost.effect));
        let body = cost.body + then.bytes;
        let bytes = if body >= now.bytes {
            self.ledger.closed_with(scope.func, body - now.bytes, cost.elsewhere)
        } else {
            self.ledger.closed_with(scope.func, 0, cost.elsewhere)
        };
        let fuel = i64::from(cost.fuel) + i64::from(then.fuel) - i64::from(now.fuel);
        bytes <= self.config().bytes.max && (!self.live || fuel <= self.spare_fuel())
    }

    // Instructions

    fn instructions(&self) -> ActionSet {
        let scope = self.scope();
        // With its fuel spent, code could go on only with what costs none: empty blocks and `nop`s up to the byte limit.
        let spent = if self.live { self.spare_fuel() == 0 } else { scope.dead >= self.config().limits.dead };
        if spent {
            return self.closing_moves();
        }
        let tables = &self.loom.tables;
        let kind = |down| scope.peek(down).map_or(if scope.polymorphic { ANY } else { 0 }, |ty| 1 + ty.index());
        let mut set = tables.fixed[kind(0)][kind(1)];
        if self.live {
            self.clear_traps(&mut set);
        }
        if !self.is_roomy() {
            self.clear_unaffordable(&mut set);
        }
        self.add_special(&mut set);
        if scope.types.len() >= self.config().limits.stack as usize {
            set.0.iter_mut().zip(&tables.growing.0).for_each(|(word, growing)| *word &= !growing);
        }
        if self.can_end_now() {
            set.insert(Action::Instr(Op::End));
        }
        if set.is_empty() { self.closing_moves() } else { set }
    }

    /// The one step of the cheapest way to close the block.
    fn closing_moves(&self) -> ActionSet {
        let scope = self.scope();
        let mut set = ActionSet::default();
        let action = match scope.result {
            _ if scope.can_end() => Op::End,
            Some(result) if scope.types.is_empty() => crate::wasm::program::Instr::constant(result, 0).op,
            _ => Op::Drop,
        };
        set.insert(Action::Instr(action));
        set
    }

    fn is_roomy(&self) -> bool {
        let bytes = self.ledger.closed_with(self.scope().func, ROOMY_BYTES, 0) <= self.config().bytes.max;
        bytes && (!self.live || self.spare_fuel() >= ROOMY_FUEL)
    }

    fn clear_traps(&self, set: &mut ActionSet) {
        let height = self.scope().types.len();
        if height == 0 {
            return;
        }
        let top = self.machine.operand(0).bits as u64;
        for &op in &self.loom.tables.trapping {
            if !set.contains(Action::Instr(op)) {
                continue;
            }
            let traps = match op.row().semantics {
                Semantics::TryUnary(f) => f(top).is_err(),
                Semantics::TryBinary(f) => f(self.machine.operand(1).bits as u64, top).is_err(),
                _ => unreachable!("only these are listed"),
            };
            if traps {
                set.remove(Action::Instr(op));
            }
        }
        for &op in &self.loom.tables.accesses {
            if set.contains(Action::Instr(op)) && !self.in_bounds(op, 0) {
                set.remove(Action::Instr(op));
            }
        }
    }

    /// Whether an access at this offset lies within the memory (or the one page that a first access brings).
    fn in_bounds(&self, op: Op, offset: u32) -> bool {
        let address = self.machine.operand(op.row().params.len() as u32 - 1).bits as u32;
        let pages = self.program.memory.as_ref().map_or(1, |memory| memory.min);
        u64::from(address) + u64::from(offset) + u64::from(width(op)) <= u64::from(pages) * u64::from(PAGE_BYTES)
    }

    fn clear_unaffordable(&self, set: &mut ActionSet) {
        for action in set.clone().iter() {
            let Action::Instr(op) = action else { continue };
            if !self.affords(self.fixed_cost(op)) {
                set.remove(action);
            }
        }
    }

    /// The least that an instruction with a fixed effect costs.
    fn fixed_cost(&self, op: Op) -> Cost {
        let row = op.row();
        let memory = width(op) > 0 || op == Op::MemorySize;
        let immediate = match row.category {
            Category::Const => min_const_bytes(row.results[0]) - 1,
            _ if width(op) > 0 => 2,
            _ if op == Op::MemorySize => 1,
            _ => 0,
        };
        Cost {
            body: row.opcode.len() as u32 + immediate,
            elsewhere: if memory && self.program.memory.is_none() { MEMORY_BYTES } else { 0 },
            fuel: u32::from(!is_free(op)),
            effect: Effect::of(row),
        }
    }

    fn add_special(&self, set: &mut ActionSet) {
        for action in self.loom.tables.special.iter() {
            let Action::Instr(op) = action else { continue };
            if self.can_special(op) {
                set.insert(action);
            }
        }
    }

    fn can_special(&self, op: Op) -> bool {
        let scope = self.scope();
        let any = |fill: &dyn Fn(&mut ActionSet)| {
            let mut options = ActionSet::default();
            fill(&mut options);
            !options.is_empty()
        };
        match op {
            Op::Drop => {
                let effect = Effect { pops: 1, push: None };
                let operand = !scope.types.is_empty() || scope.polymorphic;
                operand && self.affords(Cost { body: 1, effect, ..Cost::default() })
            }
            Op::Select => {
                let alternatives = scope.peek(1).is_some() && scope.peek(1) == scope.peek(2);
                let effect = Effect { pops: 3, push: scope.peek(1) };
                scope.peek(0) == Some(ValType::I32)
                    && alternatives
                    && self.affords(Cost { body: 1, fuel: 1, effect, ..Cost::default() })
            }
            Op::LocalGet | Op::LocalSet | Op::LocalTee => any(&|set| self.locals(op, set)),
            Op::GlobalGet | Op::GlobalSet => any(&|set| self.globals(op, set)),
            Op::Block | Op::Loop => self.can_structure(op, BlockType::Empty, false),
            Op::If => scope.matches(&[ValType::I32]) && self.can_structure(op, BlockType::Empty, false),
            Op::Br | Op::BrIf => any(&|set| self.labels(op, set)),
            Op::Return => {
                let body = self.enclosing(self.cursor).last().expect("every sequence lies in a function");
                self.can_branch_to(body, &[])
                    && self.affords(Cost { body: 1, effect: Effect { pops: u32::MAX, push: None }, ..Cost::default() })
            }
            Op::Unreachable => !self.live && self.affords(Cost { body: 1, ..Cost::default() }),
            Op::Call => any(&|set| self.callees(set)),
            // `end` is decided last; `else` belongs to its `if`; `br_table` is not offered yet.
            _ => false,
        }
    }

    // Ending

    fn can_end_now(&self) -> bool {
        let scope = self.scope();
        scope.can_end() && (!self.live || scope.op != Op::Call || scope.func != 0 || self.may_finish())
    }

    /// Whether the soft minimums are met.
    fn may_finish(&self) -> bool {
        let config = self.config();
        self.machine.fuel() >= u64::from(config.fuel.min) && self.ledger.closed() >= config.bytes.min
    }

    fn trips(&self, set: &mut ActionSet) {
        set.insert(Action::Trips(None));
        let cost = Cost { body: HEAD_BYTES + TAIL_BYTES, fuel: HEAD_FUEL + TAIL_FUEL, ..Cost::default() };
        if self.affords(cost) {
            TRIPS.iter().for_each(|&trips| set.insert(Action::Trips(Some(trips))));
        }
    }
}
