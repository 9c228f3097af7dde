//! Owns the instructions that ask for more than operands: blocks, branches, calls, globals, tables, memory as a whole.
//!
//! Must not know how those are kept: it pops what they need and pushes what they give.

use super::table::{Element, part};
use super::{Flow, Machine, Modules};
use crate::wasm::isa::{Op, Trap};
use crate::wasm::program::{Instr, Program};
use crate::wasm::types::{Bits, ValType};

impl Machine {
    pub(super) fn special<M: Modules + ?Sized>(
        &mut self,
        modules: &M,
        program: &Program,
        instr: &Instr,
    ) -> Result<Flow, Trap> {
        match instr.op {
            Op::Nop => {}
            Op::Unreachable => return Err(Trap::Unreachable),
            Op::Drop => self.r.sp -= 1,
            Op::Select | Op::TypedSelect => {
                let [condition] = self.pops();
                if condition as u32 == 0 {
                    self.copy_slot(self.r.sp - 1, self.r.sp - 2);
                }
                self.r.sp -= 1;
            }
            Op::GlobalGet => {
                let at = self.global_address(instr.a);
                self.push(program.globals[instr.a as usize].ty, self.globals[at]);
            }
            Op::GlobalSet => {
                let at = self.global_address(instr.a);
                let bits = self.pop();
                self.log.global(at as u32, self.globals[at]);
                self.globals[at] = bits;
            }
            Op::Block | Op::Loop => {
                self.enter_block(program, instr, instr.body());
                return Ok(Flow::Jump);
            }
            Op::If => {
                let taken = if self.pop() as u32 != 0 { Some(instr.body()) } else { instr.otherwise() };
                // Without an `else` arm the parameters are the results, and stay where they are.
                if let Some(seq) = taken {
                    self.enter_block(program, instr, seq);
                    return Ok(Flow::Jump);
                }
            }
            Op::Br => return Ok(self.branch(instr.a)),
            Op::BrIf => {
                if self.pop() as u32 != 0 {
                    return Ok(self.branch(instr.a));
                }
            }
            Op::BrTable => {
                let targets = &program.label_tables[instr.a as usize];
                let chosen = (self.pop() as u32 as usize).min(targets.len() - 1);
                return Ok(self.branch(targets[chosen]));
            }
            Op::Return => return Ok(self.return_()),
            Op::Call => return self.call(modules, program, instr.a),
            Op::CallIndirect => {
                let address = self.callee(modules, program, instr)?;
                return self.call_address(modules, address, self.place());
            }
            Op::ReturnCall => return self.tail_call(modules, self.func_address(self.r.instance, instr.a)),
            Op::ReturnCallIndirect => {
                let address = self.callee(modules, program, instr)?;
                return self.tail_call(modules, address);
            }
            Op::RefNull => self.push(instr.val_type(), 0),
            Op::RefIsNull => {
                let [reference] = self.top();
                self.replace::<1>(ValType::I32, u64::from(reference == 0));
            }
            Op::RefFunc => {
                let address = self.func_address(self.r.instance, instr.a);
                self.push(ValType::FuncRef, 1 + Bits::from(address));
            }
            _ => self.bulk(program, instr)?,
        }
        Ok(Flow::Next)
    }

    /// The address of the function that an indirect call finds in its table.
    fn callee<M: Modules + ?Sized>(&mut self, modules: &M, program: &Program, instr: &Instr) -> Result<u32, Trap> {
        let index = self.pop();
        let reference = self.element(instr.b as u32, index).ok_or(Trap::UndefinedElement)?;
        let address = reference.checked_sub(1).ok_or(Trap::UninitializedElement)? as u32;
        let (instance, func) = self.func_at(address);
        let same = modules.program(instance).func_type(func) == &program.types[instr.a as usize];
        if same { Ok(address) } else { Err(Trap::IndirectCallTypeMismatch) }
    }

    /// Tables, and memory as a whole.
    #[inline(never)]
    fn bulk(&mut self, program: &Program, instr: &Instr) -> Result<(), Trap> {
        match instr.op {
            Op::TableGet => {
                let at = self.pop();
                let bits = self.element(instr.a, at).ok_or(Trap::TableOutOfBounds)?;
                self.push(program.tables[instr.a as usize].ty, bits);
            }
            Op::TableSet => {
                let [at, value] = self.pops();
                self.table_fill(instr.a, at, value, 1)?;
            }
            Op::TableSize => self.push(ValType::I32, Bits::from(self.table_size(instr.a))),
            Op::TableGrow => {
                let [value, by] = self.pops();
                let (by, can) = (by as u32, self.can_grow(instr.a, by as u32));
                if self.spares_refused && !can {
                    self.fuel_limit = self.fuel_limit.saturating_add(by.into());
                }
                self.burn(by.into())?;
                let before = if can { self.table_grow(instr.a, value, by) } else { u32::MAX };
                self.push(ValType::I32, Bits::from(before));
            }
            Op::TableFill => {
                let [at, value, count] = self.pops();
                self.elements(instr.a, at, count)?;
                self.burn_stretch(count)?;
                self.table_fill(instr.a, at, value, count)?;
            }
            Op::TableCopy => {
                let [to, from, count] = self.pops();
                self.elements(instr.b as u32, from, count)?;
                self.elements(instr.a, to, count)?;
                self.burn_stretch(count)?;
                let to = Element { table: instr.a, index: to };
                let from = Element { table: instr.b as u32, index: from };
                self.table_copy(to, from, count)?;
            }
            Op::TableInit => {
                let operands @ [to, from, count] = self.pops();
                let items = self.items(program, instr.a);
                part(items, from, count).ok_or(Trap::TableOutOfBounds)?;
                self.elements(instr.b as u32, to, count)?;
                self.burn_stretch(count)?;
                self.table_init(program, items, instr.b as u32, operands)?;
            }
            Op::ElemDrop => self.drop_elem(instr.a),
            Op::MemorySize => self.push(ValType::I32, Bits::from(self.memory_size())),
            Op::MemoryGrow => {
                let [by] = self.top();
                let before = self.memory_grow(by as u32);
                self.replace::<1>(ValType::I32, u64::from(before));
            }
            Op::MemoryFill => {
                let [at, value, count] = self.pops();
                self.stretch(at, count)?;
                self.burn_stretch(count)?;
                self.memory_fill(at, value, count)?;
            }
            Op::MemoryCopy => {
                let [to, from, count] = self.pops();
                self.stretch(from, count)?;
                self.stretch(to, count)?;
                self.burn_stretch(count)?;
                self.memory_copy(to, from, count)?;
            }
            Op::MemoryInit => {
                let [to, from, count] = self.pops();
                let bytes = self.data(program, instr.a);
                part(bytes, from, count).ok_or(Trap::MemoryOutOfBounds)?;
                self.stretch(to, count)?;
                self.burn_stretch(count)?;
                self.memory_init(bytes, to, from, count)?;
            }
            Op::DataDrop => self.drop_data(instr.a),
            op => unreachable!("{} has no semantics", op.mnemonic()),
        }
        Ok(())
    }

    /// Pays for a stretch that is there; one that is not costs no fuel.
    fn burn_stretch(&mut self, count: Bits) -> Result<(), Trap> {
        self.burn(u64::from(count as u32))
    }

    /// The value of a constant expression of the running instance.
    pub(super) fn constant(&self, program: &Program, instr: &Instr) -> Bits {
        match instr.op {
            Op::RefNull => 0,
            Op::RefFunc => 1 + Bits::from(self.func_address(self.r.instance, instr.a)),
            Op::GlobalGet => self.globals[self.global_address(instr.a)],
            Op::V128Const => program.vectors[instr.a as usize],
            _ => Bits::from(instr.b),
        }
    }
}
