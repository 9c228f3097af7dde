//! Owns reading a program as its solver would execute it by hand: control, locals, globals and memory.
//!
//! Must not know prompts or replies. It is a machine of its own, since its values may leave their types and its jumps
//! may go where the specification's do not; what an instruction computes is still said by its row (`compute`). It is
//! total: it ends after [`MAX_STEPS`], and what a misreading makes impossible it passes over, knowing that the program
//! never traps: an access out of bounds reads zero or stores nothing, a division by zero or a truncation that cannot be
//! gives zero. At `unreachable` it gives up. Where control goes stands in `control`; where code is read that is never
//! executed, and so may take operands that were never pushed, `astray` has them ready.

mod astray;
mod control;

use super::compute::compute;
use super::misconception::Misconception::{
    BigEndian, F32AsF64, LoadsUnextended, LoopsCapped, LoopsOnce, ReturnIgnored, SelectSwapped, StackForgotten,
};
use super::misconception::Misconceptions;
use super::question::{FoundQuestion, Wanted};
use super::reply::Answer;
use super::store::Store;
use super::value::Held;
use super::vector;
use crate::item::record::Task;
use crate::wasm::isa::{Imm, Op, Semantics};
use crate::wasm::machine::{is_free, width};
use crate::wasm::program::{Instr, Place, Program, SeqId};
use crate::wasm::types::{ValType, Value};

/// Instructions read at most, some 10 milliseconds; a local of an entered function counts as one.
pub(super) const MAX_STEPS: usize = 1_000_000;
/// Calls nested at most: as the machine's.
const MAX_CALLS: usize = 1_000;

/// The answer, as a reader with these misconceptions sees it. A reader that does not end within so many instructions
/// answers with what it saw so far.
pub(super) fn read_within(question: &FoundQuestion, misread: Misconceptions, steps: usize) -> Answer {
    let mut reader = Reader { steps_left: steps, ..Reader::new(&question.program, misread) };
    let going = reader.start(question.entry);
    match &question.wanted {
        Wanted::Operands { place, hit } => Answer::Values(Task::Stack, reader.operands_at(going, *place, *hit)),
        Wanted::Flags(flags) => {
            let mut passed = vec![false; flags.len()];
            reader.run(going, |reader| {
                flags.iter().zip(&mut passed).for_each(|((_, place), passed)| *passed |= reader.at == *place);
                Going::On
            });
            Answer::Flags(flags.iter().map(|(name, _)| name.clone()).zip(passed).collect())
        }
        Wanted::End(task) => {
            reader.run(going, |_| Going::On);
            reader.left(*task)
        }
    }
}

/// Whether there is more to read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Going {
    On,
    Ended,
}

/// A block, loop, arm or function body that is open.
#[derive(Clone, Copy, Debug)]
struct Label<'p> {
    body: SeqId,
    /// Where reading goes on after it.
    resume: Place,
    /// First slot of its operands.
    height: usize,
    /// What a branch to its start carries, if it is a loop.
    again: Option<&'p [ValType]>,
    /// Iterations begun, if it is a loop.
    iterations: u32,
    results: &'p [ValType],
}

/// A call that is open.
#[derive(Clone, Copy, Debug)]
struct Frame {
    func: u32,
    /// Slot of its local 0.
    base: usize,
    /// First slot of its operands.
    floor: usize,
    /// Its first label: that of its body.
    first_label: usize,
}

struct Reader<'p> {
    program: &'p Program,
    misread: Misconceptions,
    at: Place,
    /// Locals and operands of all calls.
    slots: Vec<Held>,
    labels: Vec<Label<'p>>,
    frames: Vec<Frame>,
    store: Store,
    /// Iterations of one loop at most.
    most_iterations: u32,
    /// Operands of one function that are remembered.
    remembered: usize,
    /// For each function, the declared locals that its last call left; empty where nothing is kept.
    kept: Vec<Vec<Held>>,
    /// Whether code is read that is never executed, as far as known: its operands may not be there.
    astray: bool,
    steps_left: usize,
    fuel: u64,
}

impl<'p> Reader<'p> {
    fn new(program: &'p Program, misread: Misconceptions) -> Self {
        let capped = misread.number(LoopsCapped).unwrap_or(u32::MAX);
        Self {
            program,
            misread,
            at: Place { seq: 0, index: 0 },
            slots: Vec::new(),
            labels: Vec::new(),
            frames: Vec::new(),
            store: Store::new(program, |value| constant(value, misread)),
            most_iterations: if misread.has(LoopsOnce) { 1 } else { capped },
            remembered: misread.number(StackForgotten).map_or(usize::MAX, |number| number as usize),
            kept: Vec::new(),
            astray: false,
            steps_left: MAX_STEPS,
            fuel: 0,
        }
    }

    /// Calls the entry. It takes no arguments where it was asked for by our own prompts; else they are zero.
    fn start(&mut self, entry: u32) -> Going {
        let params = &self.program.func_type(entry).params;
        self.slots.extend(params.iter().map(|&ty| Held::zero(ty)));
        // What is imported and exported again has nothing to read.
        let is_imported = self.program.funcs[entry as usize].import.is_some();
        let going = self.call(entry);
        if is_imported { Going::Ended } else { going }
    }

    /// The operands of the function that runs; its results once it has returned.
    fn operands(&self) -> &[Held] {
        &self.slots[self.frames.last().map_or(0, |frame| frame.floor)..]
    }

    /// What the whole run comes to, of what a task asks.
    fn left(&self, task: Task) -> Answer {
        match task {
            Task::Result => Answer::Values(task, self.operands().to_vec()),
            Task::Fuel => Answer::Amount(task, self.fuel),
            Task::Stack | Task::Reachability => unreachable!("these look at places"),
        }
    }

    /// Reads to the end, or until `look`, which sees each place before it is read, has seen enough.
    fn run(&mut self, mut going: Going, mut look: impl FnMut(&Self) -> Going) {
        while going == Going::On && self.steps_left > 0 {
            going = look(self);
            if going == Going::On {
                going = self.step();
            }
        }
    }

    /// The operands at the `hit`-th arrival at a place, bottom first. If it never comes to that, the last arrival has to
    /// do, and if there was none, the operands where reading ended.
    fn operands_at(&mut self, going: Going, place: Place, hit: u32) -> Vec<Held> {
        let mut hits_left = hit;
        let mut seen = None;
        self.run(going, |reader| {
            if reader.at != place {
                return Going::On;
            }
            seen = Some(reader.operands().to_vec());
            hits_left -= 1;
            if hits_left == 0 { Going::Ended } else { Going::On }
        });
        seen.unwrap_or_else(|| self.operands().to_vec())
    }

    /// Reads one instruction, or the end of a sequence.
    fn step(&mut self) -> Going {
        self.steps_left -= 1;
        let Some(instr) = self.program.seqs[self.at.seq as usize].code.get(self.at.index as usize) else {
            let label = self.label(0);
            return self.leave(label);
        };
        self.at.index += 1;
        self.fuel += u64::from(!is_free(instr.op));
        if self.astray {
            self.supply(instr);
        }
        let going = self.execute(instr);
        self.forget(1);
        going
    }

    fn execute(&mut self, instr: &Instr) -> Going {
        let row = instr.op.row();
        match row.semantics {
            Semantics::Special => return self.special(instr),
            Semantics::Load(extend) => {
                let bits = self.load(instr) as u64;
                let bits = self.in_order(bits, instr);
                let bits = if self.misread.has(LoadsUnextended) { bits } else { extend(bits) };
                self.slots.push(Held::exact(row.results[0], bits.into()));
            }
            Semantics::WideLoad(extend) => {
                let bits = self.load(instr);
                self.slots.push(Held::exact(row.results[0], extend(bits)));
            }
            Semantics::LoadLane => {
                let vector = self.pop().wide();
                let bits = self.load(instr);
                self.slots.push(vector::with_lane(instr, vector, bits));
            }
            Semantics::Store | Semantics::StoreLane => {
                let value = self.pop();
                let numeric = value.ty() != ValType::V128;
                let value = if numeric { self.in_order(value.bits(), instr).into() } else { value.wide() };
                if let Some(at) = self.address(instr) {
                    self.store.memory.store(at, width(instr.op), vector::stored(instr, value));
                }
            }
            _ => {
                let first = self.slots.len() - row.params.len();
                let operands = &self.slots[first..];
                let result = vector::compute(self.program, instr, operands)
                    .unwrap_or_else(|| compute(instr.op, operands, self.misread));
                self.slots.truncate(first);
                self.slots.push(result);
            }
        }
        Going::On
    }

    /// Pops the address; the bytes there.
    fn load(&mut self, instr: &Instr) -> u128 {
        self.address(instr).and_then(|at| self.store.memory.load(at, width(instr.op))).unwrap_or(0)
    }

    /// The low bytes of a number, as many as an instruction reads or writes, in the order that a reader believes in.
    fn in_order(&self, bits: u64, instr: &Instr) -> u64 {
        match width(instr.op) {
            width @ 2..=8 if self.misread.has(BigEndian) => bits.swap_bytes() >> (64 - 8 * u32::from(width)),
            _ => bits,
        }
    }

    /// Forgets what lies too deep, after so many operands came on top.
    fn forget(&mut self, pushed: usize) {
        let end = self.slots.len().saturating_sub(self.remembered);
        let Some(frame) = self.frames.last().filter(|frame| end > frame.floor) else { return };
        let start = end.saturating_sub(pushed).max(frame.floor);
        self.slots[start..end].iter_mut().for_each(|held| *held = Held::zero(held.ty()));
    }

    /// Pops the address; the effective one, if there can be such an address.
    fn address(&mut self, instr: &Instr) -> Option<u64> {
        self.pop().unsigned().checked_add(instr.b)
    }

    fn special(&mut self, instr: &Instr) -> Going {
        match instr.op.row().imm {
            Imm::BlockType => self.open(instr),
            Imm::Local => self.local(instr),
            Imm::Global => self.global(instr),
            Imm::Label | Imm::LabelTable => return self.jump(instr),
            Imm::I32 | Imm::I64 | Imm::F32 | Imm::F64 => {
                let value = Value::new(instr.op.row().results[0], instr.b.into());
                self.slots.push(constant(value, self.misread));
            }
            _ => return self.plain(instr),
        }
        Going::On
    }

    fn plain(&mut self, instr: &Instr) -> Going {
        match instr.op {
            Op::Unreachable => return Going::Ended,
            Op::Return if self.misread.has(ReturnIgnored) => self.astray = true,
            Op::Return => return self.branch(self.outermost()),
            Op::Call => return self.call(instr.a),
            Op::ReturnCall => return self.tail_call(Some(instr.a), self.program.funcs[instr.a as usize].ty),
            Op::CallIndirect | Op::ReturnCallIndirect => return self.call_indirect(instr),
            Op::Nop => {}
            Op::Drop => drop(self.pop()),
            Op::Select | Op::TypedSelect => {
                let condition = self.pop().is_true() != self.misread.has(SelectSwapped);
                let (second, first) = (self.pop(), self.pop());
                self.slots.push(if condition { first } else { second });
            }
            Op::V128Const => self.slots.extend(vector::constant(self.program, instr)),
            Op::RefNull => self.slots.push(Held::zero(instr.val_type())),
            Op::RefIsNull => {
                let reference = self.pop().wide();
                self.slots.push(Held::truth(reference == 0));
            }
            Op::RefFunc => self.slots.push(Held::exact(ValType::FuncRef, (1 + instr.a).into())),
            _ => return self.bulk(instr),
        }
        Going::On
    }

    /// An instruction on tables or on memory as a whole. One that moves too much to follow ends the reading.
    fn bulk(&mut self, instr: &Instr) -> Going {
        let first = self.slots.len() - Store::operands(instr.op);
        let moved = Store::moved(instr.op, &self.slots[first..]);
        if moved > self.steps_left as u64 {
            return Going::Ended;
        }
        self.steps_left -= moved as usize;
        self.fuel += moved;
        let result = self.store.bulk(self.program, instr, &self.slots[first..]);
        self.slots.truncate(first);
        self.slots.extend(result);
        Going::On
    }

    fn local(&mut self, instr: &Instr) {
        let at = self.frame().base + instr.a as usize;
        match instr.op {
            Op::LocalGet => self.slots.push(self.slots[at]),
            Op::LocalSet => self.slots[at] = self.pop(),
            _ => self.slots[at] = *self.slots.last().expect("validated code has an operand here"),
        }
    }

    fn global(&mut self, instr: &Instr) {
        let at = instr.a as usize;
        match instr.op {
            Op::GlobalGet => self.slots.push(self.store.globals[at]),
            _ => self.store.globals[at] = self.pop(),
        }
    }

    fn label(&self, depth: usize) -> Label<'p> {
        self.labels[self.labels.len() - 1 - depth]
    }

    fn frame(&self) -> Frame {
        *self.frames.last().expect("reading ends with the last call")
    }

    fn pop(&mut self) -> Held {
        self.slots.pop().expect("validated code has an operand here")
    }
}

/// A constant as a reader holds it.
fn constant(value: Value, misread: Misconceptions) -> Held {
    let as_written = value.ty == ValType::F32 && misread.has(F32AsF64);
    if as_written { Held::decimal(value) } else { Held::Exact(value) }
}
