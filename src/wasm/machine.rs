//! Owns execution: an interpreter with exact semantics, exact fuel, and an undo log.
//!
//! Must not know who writes the program it runs. It stops at the end of an open sequence (a *frontier*) and goes on
//! when code has been appended there, so that a program can run while it is being woven. [`Machine::mark`] and
//! [`Machine::rollback`] take back any stretch of execution at the cost of what it changed; nothing is copied.
//!
//! Fuel is wasmtime's (`wasmtime-cranelift`, `func_environ.rs`): `nop`, `drop`, `block`, `loop`, `unreachable`,
//! `return`, `else` and `end` are free, every other instruction costs 1, and so does entering a function.

mod control;
mod look;
mod memory;
mod undo;

use control::Label;
pub use undo::Mark;
use undo::Undo;

use super::isa::{Imm, Op, Semantics, Trap};
use super::program::{Instr, PAGE_BYTES, Place, Program, SeqId};
use super::types::{Bits, ValType, Value};

/// Calls at most nested; far above what fuel bounds allow a woven program.
const MAX_CALL_DEPTH: u32 = 1_000;

/// Why the machine stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At the end of an open sequence: append code there, or close it, and go on.
    Frontier,
    /// The invoked function returned; its results are the operands left.
    Finished,
    /// A trap.
    Trap(Trap),
}

/// Is told of every step; what reruns, probes and coverage are made of.
pub trait Observer {
    /// Just before the instruction (or the implicit `end`) at `place` of `func` executes.
    fn before(&mut self, machine: &Machine, func: u32, place: Place);
}

/// Watches nothing, at no cost.
pub struct Blind;

impl Observer for Blind {
    #[inline(always)]
    fn before(&mut self, _: &Machine, _: u32, _: Place) {}
}

/// The registers: everything small that a mark saves whole.
#[derive(Clone, Copy, Debug, Default)]
struct Registers {
    seq: SeqId,
    pc: u32,
    /// Function that runs.
    func: u32,
    /// Slot of its local 0.
    base: u32,
    /// Index of its activation in `labels`.
    bottom: u32,
    /// Slots in use.
    sp: u32,
    /// Labels in use.
    lp: u32,
    calls: u32,
    fuel: u64,
}

/// The state of one running program.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    r: Registers,
    /// Locals and operands of all activations.
    slots: Vec<Bits>,
    types: Vec<ValType>,
    labels: Vec<Label>,
    globals: Vec<Bits>,
    memory: Vec<u8>,
    /// All changes since the start to memory, and to the rest below the floors.
    log: Vec<Undo>,
    /// Slots and labels under these were live at some mark: changes to them are logged.
    slot_floor: u32,
    label_floor: u32,
    serial: u32,
    /// Out of fuel above this.
    pub fuel_limit: u64,
    /// Slots kept for locals that are declared while the function runs.
    spare_locals: u32,
}

impl Machine {
    /// Instantiates: globals and memory as at the start, nothing running. `spare_locals` slots are kept in every
    /// activation for locals that are declared later. Allocations of the last program are used again.
    pub fn reset(&mut self, program: &Program, spare_locals: u32) {
        for at in (0..self.log.len()).rev() {
            if let Undo::Memory { at, width, .. } = self.log[at] {
                self.memory[at as usize..at as usize + usize::from(width)].fill(0);
            }
        }
        self.log.clear();
        self.r = Registers::default();
        (self.slot_floor, self.label_floor, self.serial) = (0, 0, 0);
        self.spare_locals = spare_locals;
        self.fuel_limit = u64::MAX;
        self.globals.clear();
        self.globals.extend(program.globals.iter().map(|global| Bits::from(global.init.b)));
        let bytes = program.memory.as_ref().map_or(0, |memory| memory.min as usize * PAGE_BYTES as usize);
        self.memory.resize(bytes, 0);
    }

    /// Calls a function with arguments; [`Machine::run`] then executes it.
    pub fn invoke(&mut self, program: &Program, func: u32, args: &[Value]) -> Result<(), Trap> {
        args.iter().for_each(|arg| self.push(arg.ty, arg.bits));
        self.enter(program, func, Place { seq: 0, index: 0 })
    }

    /// Executes until something needs a decision.
    pub fn run(&mut self, program: &Program, observer: &mut impl Observer) -> Stop {
        loop {
            if let Some(stop) = self.step(program, observer) {
                return stop;
            }
        }
    }

    /// Executes one instruction, or the implicit `end` of a sequence.
    pub fn step(&mut self, program: &Program, observer: &mut impl Observer) -> Option<Stop> {
        let seq = &program.seqs[self.r.seq as usize];
        let Some(&instr) = seq.code.get(self.r.pc as usize) else {
            if seq.open {
                return Some(Stop::Frontier);
            }
            observer.before(self, self.r.func, self.place());
            return self.end();
        };
        observer.before(self, self.r.func, self.place());
        self.r.pc += 1;
        match self.execute(program, &instr) {
            Ok(stop) => stop,
            Err(trap) => Some(Stop::Trap(trap)),
        }
    }

    fn execute(&mut self, program: &Program, instr: &Instr) -> Result<Option<Stop>, Trap> {
        let row = instr.op.row();
        if !is_free(instr.op) {
            self.burn(1)?;
        }
        match row.semantics {
            Semantics::Unary(f) => {
                let a = self.pop() as u64;
                self.push(row.results[0], Bits::from(f(a)));
            }
            Semantics::Binary(f) => {
                let (b, a) = (self.pop() as u64, self.pop() as u64);
                self.push(row.results[0], Bits::from(f(a, b)));
            }
            Semantics::TryUnary(f) => {
                let a = self.pop() as u64;
                self.push(row.results[0], Bits::from(f(a)?));
            }
            Semantics::TryBinary(f) => {
                let (b, a) = (self.pop() as u64, self.pop() as u64);
                self.push(row.results[0], Bits::from(f(a, b)?));
            }
            Semantics::Load(f) => {
                let at = self.address(instr)?;
                self.push(row.results[0], Bits::from(f(self.bytes_at(at, width(instr.op)))));
            }
            Semantics::Store => {
                let value = self.pop() as u64;
                let at = self.address(instr)?;
                self.write_bytes(at, width(instr.op), value);
            }
            Semantics::Special => return self.special(program, instr),
            _ => unreachable!("{} is not executed yet", instr.op),
        }
        Ok(None)
    }

    fn special(&mut self, program: &Program, instr: &Instr) -> Result<Option<Stop>, Trap> {
        match instr.op {
            Op::Nop => {}
            Op::Unreachable => return Err(Trap::Unreachable),
            Op::Drop => drop(self.pop()),
            Op::Select => {
                let condition = self.pop() as u32;
                let (second, ty) = (self.pop(), self.top_type());
                let first = self.pop();
                self.push(ty, if condition != 0 { first } else { second });
            }
            Op::I32Const | Op::I64Const | Op::F32Const | Op::F64Const => {
                self.push(instr.op.row().results[0], Bits::from(instr.b));
            }
            Op::LocalGet => {
                let at = (self.r.base + instr.a) as usize;
                self.push(self.types[at], self.slots[at]);
            }
            Op::LocalSet => {
                let (ty, bits) = (self.top_type(), self.pop());
                self.write_slot(self.r.base + instr.a, bits, ty);
            }
            Op::LocalTee => {
                let top = self.r.sp as usize - 1;
                self.write_slot(self.r.base + instr.a, self.slots[top], self.types[top]);
            }
            Op::GlobalGet => {
                self.push(program.globals[instr.a as usize].ty, self.globals[instr.a as usize]);
            }
            Op::GlobalSet => {
                let bits = self.pop();
                let at = instr.a as usize;
                self.log.push(Undo::Global { at: instr.a, bits: self.globals[at] });
                self.globals[at] = bits;
            }
            Op::MemorySize => self.push(ValType::I32, self.memory.len() as Bits / Bits::from(PAGE_BYTES)),
            Op::Block | Op::Loop => self.enter_block(program, instr, instr.body()),
            Op::If => {
                let taken = if self.pop() as u32 != 0 { Some(instr.body()) } else { instr.otherwise() };
                // Without an `else` arm the parameters are the results, and stay where they are.
                taken.into_iter().for_each(|seq| self.enter_block(program, instr, seq));
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
            Op::Return => return Ok(self.branch(self.r.lp - 1 - self.r.bottom)),
            Op::Call => self.enter(program, instr.a, self.place())?,
            op => unreachable!("{} has no semantics", op.mnemonic()),
        }
        Ok(None)
    }

    fn burn(&mut self, cost: u64) -> Result<(), Trap> {
        self.r.fuel += cost;
        if self.r.fuel > self.fuel_limit { Err(Trap::OutOfFuel) } else { Ok(()) }
    }

    // Operands

    #[inline]
    fn push(&mut self, ty: ValType, bits: Bits) {
        self.write_slot(self.r.sp, bits, ty);
        self.r.sp += 1;
    }

    #[inline]
    fn pop(&mut self) -> Bits {
        self.r.sp -= 1;
        self.slots[self.r.sp as usize]
    }

    fn top_type(&self) -> ValType {
        self.types[self.r.sp as usize - 1]
    }

    #[inline]
    fn write_slot(&mut self, at: u32, bits: Bits, ty: ValType) {
        let index = at as usize;
        if index >= self.slots.len() {
            self.slots.resize(index + 64, 0);
            self.types.resize(index + 64, ValType::I32);
        }
        if at < self.slot_floor {
            self.log.push(Undo::Slot { at, bits: self.slots[index], ty: self.types[index] });
        }
        self.slots[index] = bits;
        self.types[index] = ty;
    }
}

/// Bytes that a load or store touches.
pub fn width(op: Op) -> u8 {
    match op.row().imm {
        Imm::MemArg { width } => width,
        _ => 0,
    }
}

/// Instructions that cost no fuel.
pub fn is_free(op: Op) -> bool {
    use Op::{Block, Drop, Else, End, Loop, Nop, Return, Unreachable};
    matches!(op, Nop | Drop | Block | Loop | Unreachable | Return | Else | End)
}
