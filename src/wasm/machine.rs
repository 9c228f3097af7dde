//! Owns execution: an interpreter with exact semantics, exact fuel, and an undo log.
//!
//! Must not know who writes the programs it runs. It stops at the end of an open sequence (a *frontier*) and goes on
//! when code has been appended there, so that a program can run while it is being woven. [`Machine::mark`] and
//! [`Machine::rollback`] take back any stretch of execution at the cost of what it changed; nothing is copied.
//!
//! What runs is a store of instances, each of one program ([`Modules`]). Instance 0 is there after [`Machine::reset`]
//! and is the only one while a program is woven; all its addresses are its indices. Others are linked to it
//! ([`Machine::link`]). An import that no instance provides is stood in for: a function pops its arguments and pushes
//! default values, a global, table or memory is made as declared.
//!
//! Fuel is wasmtime's (`wasmtime-cranelift`, `func_environ.rs`): `nop`, `drop`, `block`, `loop`, `unreachable`,
//! `return`, `else` and `end` are free, every other instruction costs 1, and so does entering a function that has code.
//! `memory.copy`, `memory.fill` and `memory.init` cost 1 more for each byte, the same of tables for each element, once it
//! is known that they are there; `table.grow` costs 1 more for each element asked for, also if it is refused.

mod address;
mod control;
mod hot;
mod link;
mod look;
mod memory;
mod special;
mod table;
mod undo;
mod vector;

#[cfg(test)]
mod tests;

use address::Link;
pub use address::Provided;
use control::Label;
pub use control::OpenLabel;
use hot::{Dispatch, HOT};
pub use hot::{is_free, width};
pub use link::LinkError;
use memory::Memory;
pub use table::MAX_ELEMENTS;
use table::TableInstance;
use undo::Log;
pub use undo::Mark;

use super::isa::Trap;
use super::program::{Instr, Place, Program, SeqId};
use super::types::{Bits, ValType, Value};
use std::borrow::Borrow;

/// Calls at most nested, as many as fit wasmtime's stack if they are small.
const MAX_CALL_DEPTH: u32 = 10_000;
/// Slots and labels at most in use when a function is entered; what one function adds is bounded by its code.
const MAX_STACK: u32 = 1 << 20;

/// Where the machine finds the program of each instance. A lone program is instance 0.
pub trait Modules {
    /// The program of an instance.
    fn program(&self, instance: u32) -> &Program;
}

impl Modules for Program {
    #[inline(always)]
    fn program(&self, _: u32) -> &Program {
        self
    }
}

impl<P: Borrow<Program>> Modules for [P] {
    fn program(&self, instance: u32) -> &Program {
        self[instance as usize].borrow()
    }
}

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
    /// Just before the instruction (or the implicit `end`) at `place` of `func` executes. The function belongs to
    /// [`Machine::instance`].
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
    /// Instance that runs.
    instance: u32,
    /// Address of its memory, if it has one.
    memory: u32,
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

/// Where execution goes after an instruction.
enum Flow {
    /// To the next one of the sequence.
    Next,
    /// To another sequence, perhaps of another instance.
    Jump,
    /// The invoked function returned.
    Finish,
}

/// Why execution stops after an instruction, if it does.
fn stop(flow: Result<Flow, Trap>) -> Option<Stop> {
    match flow {
        Ok(Flow::Finish) => Some(Stop::Finished),
        Ok(Flow::Next | Flow::Jump) => None,
        Err(trap) => Some(Stop::Trap(trap)),
    }
}

/// The state of running programs.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    r: Registers,
    /// Locals and operands of all activations.
    slots: Vec<Bits>,
    types: Vec<ValType>,
    labels: Vec<Label>,
    globals: Vec<Bits>,
    tables: Vec<TableInstance>,
    memories: Vec<Memory>,
    /// Segments that are not there (any more), by address.
    dropped_elems: Vec<bool>,
    dropped_datas: Vec<bool>,
    /// Instances but for the first.
    links: Vec<Link>,
    /// Allocations of former programs.
    spare_tables: Vec<TableInstance>,
    spare_memories: Vec<Memory>,
    log: Log,
    /// Slots and labels under these were live at some mark: changes to them are logged.
    slot_floor: u32,
    label_floor: u32,
    serial: u32,
    /// Out of fuel above this.
    pub fuel_limit: u64,
    /// Whether what a refused `table.grow` asked for raises the limit by as much as it costs: then -1 is the answer,
    /// whatever was asked for. While a program is woven it is not: there a limit is what may be spent.
    pub spares_refused: bool,
    /// Slots kept for locals that are declared while the function runs.
    spare_locals: u32,
    /// Pages of a memory that could not be had from the system.
    starved: Option<u32>,
}

impl Machine {
    /// Calls a function of instance 0 with arguments; [`Machine::run`] then executes it. What a former call left is
    /// gone.
    ///
    /// # Errors
    /// [`Trap::OutOfFuel`].
    pub fn invoke(&mut self, modules: &(impl Modules + ?Sized), func: u32, args: &[Value]) -> Result<(), Trap> {
        self.invoke_in(modules, 0, func, args)
    }

    /// [`Machine::invoke`] for any instance.
    ///
    /// # Errors
    /// [`Trap::OutOfFuel`].
    pub fn invoke_in(
        &mut self,
        modules: &(impl Modules + ?Sized),
        instance: u32,
        func: u32,
        args: &[Value],
    ) -> Result<(), Trap> {
        self.r =
            Registers { instance, memory: self.memory_address(instance), fuel: self.r.fuel, ..Registers::default() };
        args.iter().for_each(|arg| self.push(arg.ty, arg.bits));
        self.call(modules, modules.program(instance), func)?;
        Ok(())
    }

    /// Executes until something needs a decision.
    pub fn run<M: Modules + ?Sized>(&mut self, modules: &M, observer: &mut impl Observer) -> Stop {
        // A host function has nothing to execute.
        if self.r.lp == 0 {
            return Stop::Finished;
        }
        loop {
            let program = modules.program(self.r.instance);
            let seq = &program.seqs[self.r.seq as usize];
            let flow = loop {
                let Some(instr) = seq.code.get(self.r.pc as usize) else {
                    if seq.open {
                        return Stop::Frontier;
                    }
                    observer.before(self, self.r.func, self.place());
                    break self.end();
                };
                observer.before(self, self.r.func, self.place());
                self.r.pc += 1;
                match self.execute(modules, program, instr) {
                    Ok(Flow::Next) => {}
                    Ok(flow) => break flow,
                    Err(trap) => return Stop::Trap(trap),
                }
            };
            if let Flow::Finish = flow {
                return Stop::Finished;
            }
        }
    }

    /// Executes one instruction, or the implicit `end` of a sequence.
    pub fn step<M: Modules + ?Sized>(&mut self, modules: &M, observer: &mut impl Observer) -> Option<Stop> {
        if self.r.lp == 0 {
            return Some(Stop::Finished);
        }
        let program = modules.program(self.r.instance);
        let seq = &program.seqs[self.r.seq as usize];
        let instr = seq.code.get(self.r.pc as usize);
        if instr.is_none() && seq.open {
            return Some(Stop::Frontier);
        }
        observer.before(self, self.r.func, self.place());
        let flow = match instr {
            None => Ok(self.end()),
            Some(instr) => {
                self.r.pc += 1;
                self.execute(modules, program, instr)
            }
        };
        stop(flow)
    }

    /// Executes another instruction in the place of the next one. The operands that it pops must be there.
    pub fn step_as<M: Modules + ?Sized>(&mut self, modules: &M, instr: &Instr) -> Option<Stop> {
        self.r.pc += 1;
        let flow = self.execute(modules, modules.program(self.r.instance), instr);
        stop(flow)
    }

    #[inline(always)]
    fn execute<M: Modules + ?Sized>(&mut self, modules: &M, program: &Program, instr: &Instr) -> Result<Flow, Trap> {
        let hot = &HOT[instr.op.index()];
        self.burn(u64::from(hot.cost))?;
        match hot.kind {
            Dispatch::Const => self.push(hot.result, Bits::from(instr.b)),
            Dispatch::LocalGet => {
                let at = (self.r.base + instr.a) as usize;
                self.push(self.types[at], self.slots[at]);
            }
            Dispatch::LocalSet => {
                self.r.sp -= 1;
                self.copy_slot(self.r.sp, self.r.base + instr.a);
            }
            Dispatch::LocalTee => self.copy_slot(self.r.sp - 1, self.r.base + instr.a),
            Dispatch::Unary(f) => {
                let [a] = self.top();
                self.replace::<1>(hot.result, f(a as u64));
            }
            Dispatch::Binary(f) => {
                let [a, b] = self.top();
                self.replace::<2>(hot.result, f(a as u64, b as u64));
            }
            Dispatch::TryUnary(f) => {
                let [a] = self.top();
                self.replace::<1>(hot.result, f(a as u64)?);
            }
            Dispatch::TryBinary(f) => {
                let [a, b] = self.top();
                self.replace::<2>(hot.result, f(a as u64, b as u64)?);
            }
            Dispatch::Load(f) => {
                let [address] = self.top();
                let at = self.address(address, instr.b, hot.width)?;
                self.replace::<1>(hot.result, f(self.load(at, hot.width)));
            }
            Dispatch::Store => {
                let [address, value] = self.top();
                let at = self.address(address, instr.b, hot.width)?;
                self.store(at, hot.width, value as u64);
                self.r.sp -= 2;
            }
            Dispatch::Vector => self.vector(program, instr)?,
            Dispatch::Other => return self.special(modules, program, instr),
        }
        Ok(Flow::Next)
    }

    #[inline(always)]
    fn burn(&mut self, cost: u64) -> Result<(), Trap> {
        self.r.fuel += cost;
        if self.r.fuel > self.fuel_limit { Err(Trap::OutOfFuel) } else { Ok(()) }
    }

    // Operands

    #[inline(always)]
    fn push(&mut self, ty: ValType, bits: Bits) {
        let at = self.r.sp;
        if at as usize >= self.slots.len() {
            self.grow_slots(at);
        }
        self.write_slot(at, ty, bits);
        self.r.sp = at + 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> Bits {
        self.r.sp -= 1;
        self.slots[self.r.sp as usize]
    }

    /// The top operands, the topmost last. They stay.
    #[inline(always)]
    fn top<const N: usize>(&self) -> [Bits; N] {
        let sp = self.r.sp as usize;
        self.slots[sp - N..sp].try_into().expect("N slots")
    }

    /// Pops N operands.
    #[inline(always)]
    fn pops<const N: usize>(&mut self) -> [Bits; N] {
        let operands = self.top();
        self.r.sp -= N as u32;
        operands
    }

    /// Puts one result in the place of the top N operands.
    #[inline(always)]
    fn replace<const N: u32>(&mut self, ty: ValType, bits: u64) {
        self.write_slot(self.r.sp - N, ty, Bits::from(bits));
        self.r.sp -= N - 1;
    }

    /// Puts another value of its type in the place of an operand, counted from the top.
    pub fn set_operand(&mut self, down: u32, bits: Bits) {
        let at = self.r.sp - 1 - down;
        self.write_slot(at, self.types[at as usize], bits);
    }

    /// Puts another value of its type in the place of a local.
    pub fn set_local(&mut self, index: u32, bits: Bits) {
        let at = self.r.base + index;
        self.write_slot(at, self.types[at as usize], bits);
    }

    #[inline(always)]
    fn copy_slot(&mut self, from: u32, to: u32) {
        self.write_slot(to, self.types[from as usize], self.slots[from as usize]);
    }

    /// Overwrites a slot that is there.
    #[inline(always)]
    fn write_slot(&mut self, at: u32, ty: ValType, bits: Bits) {
        let index = at as usize;
        let (slot, slot_type) = (&mut self.slots[index], &mut self.types[index]);
        if at < self.slot_floor {
            self.log.slot(at, *slot_type, *slot);
        }
        *slot = bits;
        *slot_type = ty;
    }

    #[cold]
    #[inline(never)]
    fn grow_slots(&mut self, at: u32) {
        let count = (at as usize + 64).max(self.slots.len() * 2);
        self.slots.resize(count, 0);
        self.types.resize(count, ValType::I32);
    }
}
