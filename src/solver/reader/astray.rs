//! Owns the operands of code that is read but never executed, where the specification lets an instruction take what
//! were never pushed (spec 3.3, stack-polymorphic instructions).
//!
//! Must not know what an instruction does with them. What is missing, or is of another type, is zero.

use super::super::value::Held;
use super::Reader;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::Instr;
use crate::wasm::types::ValType;

/// An operand that an instruction takes: of this type, or of any.
type Wanted = Option<ValType>;

impl Reader<'_> {
    /// Makes sure of the operands that an instruction takes.
    pub(super) fn supply(&mut self, instr: &Instr) {
        let wanted = self.wanted(instr);
        self.have(self.label(0).height, wanted.into_iter());
    }

    /// Makes sure of operands on top, bottom first, none of them below `height`.
    pub(super) fn have(&mut self, height: usize, wanted: impl ExactSizeIterator<Item = Wanted>) {
        let missing = (height + wanted.len()).saturating_sub(self.slots.len());
        self.slots.splice(height..height, std::iter::repeat_n(Held::zero(ValType::I32), missing));
        let first = self.slots.len() - wanted.len();
        for (held, wanted) in self.slots[first..].iter_mut().zip(wanted) {
            *held = wanted.filter(|&ty| ty != held.ty()).map_or(*held, Held::zero);
        }
    }

    /// The operands that an instruction takes, bottom first; of branches only the condition or index, since carrying
    /// makes sure of the others.
    fn wanted(&self, instr: &Instr) -> Vec<Wanted> {
        let program = self.program;
        let params = |ty: u32| program.types[ty as usize].params.as_slice();
        // Those that depend on the module, under and over the ones that stand in the table.
        let (under, over): (Vec<Wanted>, Wanted) = match (instr.op, instr.op.row().imm) {
            (_, Imm::BlockType) => (some(program.block_arity(instr.block_type()).0), None),
            (Op::Call | Op::ReturnCall, _) => (some(&program.func_type(instr.a).params), None),
            (Op::CallIndirect | Op::ReturnCallIndirect, _) => (some(params(instr.a)), None),
            (Op::Drop | Op::RefIsNull, _) => (vec![None], None),
            (Op::Select | Op::TypedSelect, _) => (vec![None, None], None),
            (Op::LocalSet | Op::LocalTee, _) => {
                (vec![Some(self.slots[self.frame().base + instr.a as usize].ty())], None)
            }
            (Op::GlobalSet, _) => (vec![Some(program.globals[instr.a as usize].ty)], None),
            (Op::TableGrow, _) => (vec![Some(program.tables[instr.a as usize].ty)], None),
            (Op::TableFill, _) => {
                let element = program.tables[instr.a as usize].ty;
                return some(&[ValType::I32, element, ValType::I32]);
            }
            (Op::TableSet, _) => (vec![], Some(program.tables[instr.a as usize].ty)),
            _ => (vec![], None),
        };
        let fixed = some(instr.op.row().params);
        under.into_iter().chain(fixed).chain(over.map(Some)).collect()
    }
}

fn some(types: &[ValType]) -> Vec<Wanted> {
    types.iter().map(|&ty| Some(ty)).collect()
}
