//! Owns what is legal: the set of choices that keep the program valid, free of traps, and within every bound.
//!
//! Must not know preferences. An action is legal if the operand types fit, the values at hand do not make it trap, and
//! what is used plus its cost plus the cheapest way to close everything open stays within the byte and fuel limits.
//! The types are answered by a table over the top two operands; then the bits that depend on values are cleared. This
//! is also the original's set of action constraints; none of them can fail here after the fact. With plenty left of
//! everything, which is most of the time, costs are not looked at one by one.

mod calls;
mod control;
mod draw;
mod operands;
mod special;
mod tables;

use super::{Phase, Weaver};
use crate::wasm::isa::{Category, Op};
use crate::wasm::machine::width;
use crate::wasm::program::PAGE_BYTES;
use crate::weave::action::{Action, ActionSet};
use crate::weave::budget::MEMORY_BYTES;
use crate::weave::scope::Effect;
pub(super) use operands::value_types;
use tables::Class;
pub(in crate::weave) use tables::Kinds;
pub(super) use tables::Tables;

/// What a choice costs.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// Bytes in the function at the cursor, what closing new blocks takes included.
    body: u32,
    /// Bytes elsewhere in the module.
    elsewhere: u32,
    /// Fuel, what closing new blocks takes included.
    fuel: u32,
    /// Effect on the operands at the cursor.
    effect: Effect,
    /// The instruction, and those that come with it.
    runs: (Op, &'static [Op]),
    /// Whether it opens a block or calls a new function.
    opens: bool,
}

impl Cost {
    /// Of a plain instruction of so many bytes.
    fn of(op: Op, body: u32, effect: Effect) -> Self {
        Self {
            body,
            elsewhere: 0,
            fuel: u32::from(!crate::wasm::machine::is_free(op)),
            effect,
            runs: (op, &[]),
            opens: false,
        }
    }
}

impl Weaver {
    /// The legal choices of the current phase.
    pub(super) fn compute_legal(&self) -> ActionSet {
        let mut set = ActionSet::default();
        match self.phase {
            Phase::Instr => self.instructions(&mut set),
            Phase::Done => {}
            Phase::Local(op) => self.locals(op, &mut set),
            Phase::Global(op) => self.globals(op, &mut set),
            Phase::GlobalInit(ty, _) => self.global_inits(ty, &mut set),
            Phase::Bucket(ty) => self.constants(ty, super::time::constant_op(ty), 0, &mut set),
            Phase::Offset(op) => self.offsets(op, &mut set),
            Phase::Align(op) => {
                (0..=width(op).trailing_zeros()).for_each(|align| set.insert(Action::Align(align)));
            }
            Phase::Lane(op) => (0..lanes(op)).for_each(|lane| set.insert(Action::Lane(lane))),
            Phase::HeapType => self.heap_types(&mut set),
            Phase::Table(op) => self.tables(op, &mut set),
            Phase::TableFrom(_) => self.tables_from(&mut set),
            Phase::Segment(op) => self.segments(op, &mut set),
            Phase::Label(op) => self.labels(op, &mut set),
            Phase::Targets => self.target_counts(&mut set),
            Phase::BlockType(op) => self.block_types(op, &mut set),
            Phase::Results(Op::End) => self.entry_results(&mut set),
            Phase::Results(op) => self.results(op, &mut set),
            Phase::Else => self.else_arms(&mut set),
            Phase::Counted => self.countings(&mut set),
            Phase::Callee(op) => self.callees(op, &mut set),
            Phase::Params(op) => self.params(op, &mut set),
            Phase::Recursive(_) => [false, true].iter().for_each(|&is| set.insert(Action::Recursive(is))),
            Phase::Trips => self.trips(&mut set),
            Phase::Combine => self.combinations(&mut set),
        }
        set
    }

    /// Whether a choice fits what is left. Dead code costs no fuel.
    #[inline]
    fn affords(&self, cost: &Cost) -> bool {
        self.is_roomy(cost.body + cost.elsewhere, cost.fuel) || self.affords_exactly(cost)
    }

    /// Whether there is plenty for a choice with this price, whatever it does to the operands.
    #[inline]
    fn is_roomy(&self, bytes: u32, fuel: u32) -> bool {
        i64::from(bytes) <= self.room.easy_bytes && i64::from(fuel) <= self.room.easy_fuel
    }

    fn affords_exactly(&self, cost: &Cost) -> bool {
        let scope = self.scope();
        let (now, then) = (scope.cost, scope.closing_after(&cost.effect));
        let body = (cost.body + then.bytes).saturating_sub(now.bytes);
        let bytes = self.ledger.closed_with(scope.func, body, cost.elsewhere);
        let fuel = i64::from(cost.fuel) + i64::from(then.fuel) - i64::from(now.fuel);
        bytes <= self.config().bytes.max
            && (!self.live || fuel <= self.room.fuel)
            && self.affords_time(cost.runs.0, cost.runs.1, &cost.effect, cost.opens)
    }

    // Instructions

    #[inline]
    fn instructions(&self, set: &mut ActionSet) {
        if self.is_spent() {
            set.insert(Action::Instr(self.closing_move()));
            return;
        }
        let (scope, tables, kinds) = (self.scope(), &self.loom.tables, self.kinds());
        *set = *tables.fixed(kinds);
        if self.live && !scope.types.is_empty() {
            self.clear_traps(kinds.top(), set);
        }
        if self.is_tight() {
            self.clear_unaffordable(set);
        }
        for &op in tables.special(kinds) {
            set.insert_if(Action::Instr(op), self.can_special(op));
        }
        if scope.types.len() >= self.config().limits.stack as usize {
            set.subtract(&tables.growing);
        }
        set.insert_if(Action::Instr(Op::End), self.can_end_now());
        if set.is_empty() {
            set.insert(Action::Instr(self.closing_move()));
        }
    }

    /// Whether nothing but closing is left. With its fuel spent, code could go on only with what costs none: empty
    /// blocks and `nop`s up to the byte limit.
    #[inline]
    fn is_spent(&self) -> bool {
        if self.live { self.room.fuel <= 0 } else { self.scope().dead >= self.config().limits.dead }
    }

    /// What the top two operands are to the tables.
    #[inline]
    fn kinds(&self) -> Kinds {
        let scope = self.scope();
        Kinds::of(scope.peek(0), scope.peek(1), scope.polymorphic)
    }

    /// The one step of the cheapest way to close the block.
    fn closing_move(&self) -> Op {
        let scope = self.scope();
        if scope.can_end() {
            return Op::End;
        }
        match scope.results.get(scope.types.len()) {
            Some(&missing) if !scope.polymorphic && scope.results.starts_with(&scope.types) => {
                super::time::constant_op(missing)
            }
            _ => Op::Drop,
        }
    }

    /// Whether so little is left that even a plain instruction may be too much.
    #[inline]
    fn is_tight(&self) -> bool {
        !self.is_roomy(18 + MEMORY_BYTES, 1)
    }

    fn clear_unaffordable(&self, set: &mut ActionSet) {
        for (class, members) in &self.loom.tables.classes {
            if set.meets(members) && !self.affords(&self.class_cost(class)) {
                set.subtract(members);
            }
        }
        if self.timer.is_on() {
            for action in set.clone().iter() {
                let Action::Instr(op) = action else { continue };
                if !self.affords_time(op, &[], &Effect::of(op), false) {
                    set.remove(action);
                }
            }
        }
    }

    /// The least that an instruction of a class costs.
    fn class_cost(&self, class: &Class) -> Cost {
        Cost {
            body: class.bytes,
            elsewhere: if class.memory { self.new_memory_bytes() } else { 0 },
            fuel: class.fuel,
            effect: class.effect,
            runs: (Op::Nop, &[]),
            opens: false,
        }
    }

    fn new_memory_bytes(&self) -> u32 {
        if self.program.memory.is_none() { MEMORY_BYTES } else { 0 }
    }

    /// Takes out what would trap on the values on top.
    #[inline]
    fn clear_traps(&self, top: usize, set: &mut ActionSet) {
        let tables = &self.loom.tables;
        for (op, trapping) in tables.trapping(top) {
            if set.contains(Action::Instr(*op)) && self.traps(*trapping) {
                set.remove(Action::Instr(*op));
            }
        }
        let size = self.memory_bytes();
        let address = |down: u32| u64::from(self.machine.operand(down).bits as u32);
        // Most addresses are within the memory for every access, or outside of it for all.
        if set.meets(&tables.loads[top]) && address(0) + 16 > size {
            self.clear_accesses(&tables.loads[top], address(0), size, set);
        }
        if self.scope().types.len() > 1 && set.meets(&tables.stores[top]) && address(1) + 16 > size {
            self.clear_accesses(&tables.stores[top], address(1), size, set);
        }
    }

    fn clear_accesses(&self, accesses: &ActionSet, address: u64, size: u64, set: &mut ActionSet) {
        let mut outside = *accesses;
        outside.intersect(set);
        for action in outside.iter() {
            let Action::Instr(op) = action else { continue };
            if address + u64::from(width(op)) > size {
                set.remove(action);
            }
        }
    }

    /// Bytes of the memory, or of the one page that a first access brings.
    fn memory_bytes(&self) -> u64 {
        if self.program.memory.is_some() { self.machine.memory().len() as u64 } else { u64::from(PAGE_BYTES) }
    }

    /// Whether an access at this offset lies within the memory.
    fn in_bounds(&self, op: Op, offset: u32) -> bool {
        let address = self.machine.operand(op.row().params.len() as u32 - 1).bits as u32;
        u64::from(address) + u64::from(offset) + u64::from(width(op)) <= self.memory_bytes()
    }

    // Ending

    #[inline]
    fn can_end_now(&self) -> bool {
        let scope = self.scope();
        scope.can_end() && (!self.live || scope.op != Op::Call || scope.func != self.entry() || self.may_finish())
    }

    /// Whether the soft minimums are met.
    fn may_finish(&self) -> bool {
        let config = self.config();
        self.machine.fuel() >= u64::from(config.fuel.min)
            && self.ledger.closed() >= config.bytes.min
            && config.time.is_none_or(|time| self.timer.spent() >= u64::from(time.min))
    }
}

/// Lanes that an instruction can name.
fn lanes(op: Op) -> u32 {
    use crate::wasm::isa::Imm;
    match op.row().imm {
        Imm::Lane { width } | Imm::MemArgLane { width } => 16 / u32::from(width),
        _ => 0,
    }
}

/// Whether an instruction reads or writes memory as a whole.
fn needs_memory(op: Op) -> bool {
    width(op) > 0 || matches!(op.row().category, Category::Memory) && op != Op::DataDrop
}
