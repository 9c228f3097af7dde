//! Owns which instructions are legal whose effect depends on the module, the frame or the values.
//!
//! Must not know immediates: an instruction is legal here if one of its immediates would be.

use super::Cost;
use super::tables::least_bytes;
use crate::wasm::isa::Op;
use crate::wasm::program::PAGE_BYTES;
use crate::wasm::types::ValType;
use crate::weave::action::ActionSet;
use crate::weave::scope::Effect;
use crate::weave::weaver::Weaver;

/// Pages that `memory.grow` is asked for at most: beyond its limits the engine decides.
const MOST_PAGES: u32 = 16;

impl Weaver {
    /// Whether any of these immediates is legal.
    pub(super) fn any(&self, fill: impl FnOnce(&Self, &mut ActionSet)) -> bool {
        let mut options = ActionSet::default();
        fill(self, &mut options);
        !options.is_empty()
    }

    #[inline]
    pub(super) fn can_special(&self, op: Op) -> bool {
        match op {
            Op::Drop => {
                let scope = self.scope();
                let operand = !scope.types.is_empty() || scope.polymorphic;
                operand && self.affords(&Cost::of(op, 1, Effect::of(op)))
            }
            Op::LocalGet | Op::LocalSet | Op::LocalTee => self.can_local(op),
            Op::GlobalGet | Op::GlobalSet => self.can_global(op),
            Op::Select | Op::TypedSelect => self.can_select(op),
            Op::Block | Op::Loop | Op::If => self.can_block(op),
            Op::Br | Op::BrIf => self.any(|weaver, set| weaver.labels(op, set)),
            Op::BrTable => self.any(|weaver, set| weaver.target_counts(set)),
            Op::Return => self.can_return(),
            // Charged as if the operands stayed, which is more than it takes.
            Op::Unreachable => !self.live && self.affords(&Cost::of(op, 1, Effect::NONE)),
            Op::Call | Op::ReturnCall | Op::RefFunc => self.any(|weaver, set| weaver.callees(op, set)),
            Op::CallIndirect | Op::ReturnCallIndirect => self.any(|weaver, set| weaver.tables(op, set)),
            Op::RefNull => self.any(|weaver, set| weaver.heap_types(set)),
            Op::RefIsNull => {
                let reference = self.scope().peek(0).is_some_and(ValType::is_ref);
                reference && self.affords(&Cost::of(op, 1, Effect::of(op)))
            }
            _ => self.can_whole(op),
        }
    }

    /// Access to tables, to stretches of memory, and vectors with three operands.
    fn can_whole(&self, op: Op) -> bool {
        match op {
            Op::MemoryInit | Op::DataDrop | Op::TableInit | Op::ElemDrop => {
                self.any(|weaver, set| weaver.segments(op, set))
            }
            Op::MemoryCopy | Op::MemoryFill | Op::MemoryGrow => self.can_memory(op),
            Op::TableGet | Op::TableSet | Op::TableSize | Op::TableGrow | Op::TableFill | Op::TableCopy => {
                self.any(|weaver, set| weaver.tables(op, set))
            }
            _ => {
                let row = op.row();
                let cost = Cost { elsewhere: 0, ..Cost::of(op, least_bytes(op), Effect::of(op)) };
                row.params.len() > 2 && self.scope().matches(row.params) && self.affords(&cost)
            }
        }
    }

    fn can_select(&self, op: Op) -> bool {
        let scope = self.scope();
        let (Some(ValType::I32), Some(second), Some(first)) = (scope.peek(0), scope.peek(1), scope.peek(2)) else {
            return false;
        };
        let typed = op == Op::TypedSelect;
        let cost = Cost::of(op, if typed { 3 } else { 1 }, Effect::on(op, first));
        first == second && (typed || !first.is_ref()) && self.affords(&cost)
    }

    fn can_return(&self) -> bool {
        let body = self.enclosing(self.cursor).last().expect("every sequence lies in a function");
        self.can_leave_to(body, 0, 0, true) && self.affords(&Cost::of(Op::Return, 1, Effect::of(Op::Return)))
    }

    fn can_memory(&self, op: Op) -> bool {
        let row = op.row();
        if !self.scope().matches(row.params) {
            return false;
        }
        let operand = |down: u32| self.machine.operand(down).bits as u32;
        let mut cost = Cost { elsewhere: self.new_memory_bytes(), ..Cost::of(op, 4, Effect::of(op)) };
        if self.live && op == Op::MemoryGrow {
            return operand(0) <= MOST_PAGES && self.is_growable() && self.affords(&cost);
        }
        if self.live {
            let size = self.memory_bytes();
            let fits = |start: u32| u64::from(start) + u64::from(operand(0)) <= size;
            if !fits(operand(2)) || (op == Op::MemoryCopy && !fits(operand(1))) {
                return false;
            }
            cost.fuel += operand(0).min(PAGE_BYTES * MOST_PAGES);
        }
        self.affords(&cost)
    }

    /// A memory without a declared maximum could grow as far as the engine lets it.
    fn is_growable(&self) -> bool {
        self.program.memory.as_ref().is_none_or(|memory| memory.max.is_some())
    }
}
