//! Owns reading a program as its solver would execute it by hand: control, locals, globals and memory.
//!
//! Must not know prompts or replies. It is a machine of its own, since its values may leave their types and its jumps
//! may go where the specification's do not; what an instruction computes is still said by its row (`compute`). It is
//! total: it ends after [`MAX_STEPS`], and what a misreading makes impossible it passes over, knowing that the program
//! never traps: an access out of bounds reads zero or stores nothing, a division by zero or a truncation that cannot be
//! gives zero. At `unreachable` it gives up.

use super::compute::compute;
use super::misconception::Misconception::{ArgsReversed, F32AsF64, LoopsOnce, SelectSwapped, TableDefault};
use super::misconception::Misconceptions;
use super::question::{Question, Wanted};
use super::reply::Answer;
use super::store::Store;
use super::value::{Held, reverse};
use super::vector;
use crate::wasm::isa::{Imm, Op, Semantics};
use crate::wasm::machine::{is_free, width};
use crate::wasm::program::{BlockType, Instr, Place, Program, SeqId};
use crate::wasm::types::{FuncType, ValType, Value};

/// Instructions read at most, some 10 milliseconds; a local of an entered function counts as one.
const MAX_STEPS: usize = 1_000_000;
/// Calls nested at most: as the machine's.
const MAX_CALLS: usize = 1_000;

/// The answer, as a reader with these misconceptions sees it. One who does not come to the end answers with what was
/// seen so far.
pub(super) fn read(question: &Question, misread: Misconceptions) -> Answer {
    let mut reader = Reader::new(&question.program, misread);
    let going = reader.start(question.entry);
    match &question.wanted {
        Wanted::Operands { place, hit } => Answer::Stack(reader.operands_at(going, *place, *hit)),
        Wanted::Flags(flags) => {
            let mut passed = vec![false; flags.len()];
            reader.run(going, |reader| {
                flags.iter().zip(&mut passed).for_each(|((_, place), passed)| *passed |= reader.at == *place);
                Going::On
            });
            Answer::Flags(flags.iter().map(|(name, _)| name.clone()).zip(passed).collect())
        }
        Wanted::Results => {
            reader.run(going, |_| Going::On);
            Answer::Results(reader.operands().to_vec())
        }
        Wanted::Fuel => {
            reader.run(going, |_| Going::On);
            Answer::Fuel(reader.fuel)
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
    results: &'p [ValType],
}

/// A call that is open.
#[derive(Clone, Copy, Debug)]
struct Frame {
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
    steps_left: usize,
    fuel: u64,
}

impl<'p> Reader<'p> {
    fn new(program: &'p Program, misread: Misconceptions) -> Self {
        Self {
            program,
            misread,
            at: Place { seq: 0, index: 0 },
            slots: Vec::new(),
            labels: Vec::new(),
            frames: Vec::new(),
            store: Store::new(program, |value| constant(value, misread)),
            steps_left: MAX_STEPS,
            fuel: 0,
        }
    }

    /// Calls the entry. It takes no arguments where it was asked for by our own prompts; else they are zero.
    fn start(&mut self, entry: u32) -> Going {
        let params = &self.program.func_type(entry).params;
        self.slots.extend(params.iter().map(|&ty| Held::zero(ty)));
        self.enter(entry)
    }

    /// The operands of the function that runs; its results once it has returned.
    fn operands(&self) -> &[Held] {
        &self.slots[self.frames.last().map_or(0, |frame| frame.floor)..]
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
        let program = self.program;
        let Some(instr) = program.seqs[self.at.seq as usize].code.get(self.at.index as usize) else {
            let label = self.label(0);
            return self.leave(label);
        };
        self.at.index += 1;
        self.fuel += u64::from(!is_free(instr.op));
        let row = instr.op.row();
        match row.semantics {
            Semantics::Special => return self.special(instr),
            Semantics::Load(extend) => {
                let bits = self.load(instr) as u64;
                self.slots.push(Held::exact(row.results[0], extend(bits).into()));
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
                let value = self.pop().wide();
                if let Some(at) = self.address(instr) {
                    self.store.memory.store(at, width(instr.op), vector::stored(instr, value));
                }
            }
            _ => {
                let first = self.slots.len() - row.params.len();
                let operands = &self.slots[first..];
                let result = vector::compute(program, instr, operands)
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

    /// An instruction on tables or on memory as a whole. One that moves more than anybody could follow ends the reading.
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

    // Control

    fn open(&mut self, instr: &Instr) {
        let body = match instr.op {
            // Without an `else` arm the parameters are the results, and stay where they are.
            Op::If if !self.pop().is_true() => instr.otherwise(),
            _ => Some(instr.body()),
        };
        let Some(body) = body else { return };
        let program = self.program;
        let (params, results) = match instr.block_type() {
            BlockType::Empty => (&[][..], &[][..]),
            ty => program.block_arity(ty),
        };
        let height = self.slots.len() - params.len();
        let again = (instr.op == Op::Loop).then_some(params);
        self.labels.push(Label { body, resume: self.at, height, again, results });
        self.at = Place { seq: body, index: 0 };
    }

    fn jump(&mut self, instr: &Instr) -> Going {
        match instr.op {
            Op::Br => self.branch(instr.a as usize),
            Op::BrIf if !self.pop().is_true() => Going::On,
            Op::BrIf => self.branch(instr.a as usize),
            _ => {
                let labels = &self.program.label_tables[instr.a as usize];
                let index = usize::try_from(self.pop().unsigned()).unwrap_or(usize::MAX);
                let chosen = if self.misread.has(TableDefault) { usize::MAX } else { index };
                self.branch(labels[chosen.min(labels.len() - 1)] as usize)
            }
        }
    }

    /// A call; of an imported function the stand-in answers with zeros.
    fn call(&mut self, func: u32) -> Going {
        if self.program.funcs[func as usize].import.is_none() {
            return self.enter(func);
        }
        self.stand_in(self.program.funcs[func as usize].ty);
        Going::On
    }

    /// What nobody knows takes its arguments and gives zeros.
    fn stand_in(&mut self, ty: u32) {
        let FuncType { params, results } = &self.program.types[ty as usize];
        self.slots.truncate(self.slots.len() - params.len());
        self.slots.extend(results.iter().map(|&ty| Held::zero(ty)));
    }

    /// A call through a table. Where a misreading finds no such function there, it is passed over.
    fn call_indirect(&mut self, instr: &Instr) -> Going {
        let index = self.pop().unsigned();
        let callee = self.store.callee(self.program, instr, index);
        match callee {
            _ if instr.op == Op::ReturnCallIndirect => self.tail_call(callee, instr.a),
            Some(func) => self.call(func),
            None => {
                self.stand_in(instr.a);
                Going::On
            }
        }
    }

    /// Leaves the function with the arguments of another one in the place of its results, and calls that.
    fn tail_call(&mut self, callee: Option<u32>, ty: u32) -> Going {
        let Some(func) = callee.filter(|&func| self.program.funcs[func as usize].import.is_none()) else {
            self.stand_in(ty);
            return self.branch(self.outermost());
        };
        let frame = self.frame();
        let resume = self.label(self.outermost()).resume;
        let args = self.slots.split_off(self.slots.len() - self.program.func_type(func).params.len());
        self.slots.truncate(frame.base);
        self.slots.extend(args);
        self.labels.truncate(frame.first_label);
        self.frames.pop();
        self.at = resume;
        self.enter(func)
    }

    /// The depth of the label that is the function's own.
    fn outermost(&self) -> usize {
        self.labels.len() - 1 - self.frame().first_label
    }

    fn enter(&mut self, func: u32) -> Going {
        let program = self.program;
        let declared = &program.funcs[func as usize];
        let ty = program.func_type(func);
        if self.frames.len() == MAX_CALLS || self.steps_left <= declared.locals.len() {
            return Going::Ended;
        }
        self.steps_left -= declared.locals.len();
        self.fuel += 1;
        let base = self.slots.len() - ty.params.len();
        if self.misread.has(ArgsReversed) {
            reverse(&mut self.slots[base..]);
        }
        self.slots.extend(declared.locals.iter().map(|&ty| Held::zero(ty)));
        let floor = self.slots.len();
        self.frames.push(Frame { base, floor, first_label: self.labels.len() });
        let body = declared.body;
        self.labels.push(Label { body, resume: self.at, height: floor, again: None, results: &ty.results });
        self.at = Place { seq: body, index: 0 };
        Going::On
    }

    fn branch(&mut self, depth: usize) -> Going {
        let label = self.label(depth);
        self.labels.truncate(self.labels.len() - depth);
        match label.again {
            Some(params) if !self.misread.has(LoopsOnce) => {
                self.carry(label.height, params);
                self.at = Place { seq: label.body, index: 0 };
                Going::On
            }
            _ => self.leave(label),
        }
    }

    /// Leaves the innermost label with its results.
    fn leave(&mut self, label: Label<'p>) -> Going {
        self.labels.pop();
        self.at = label.resume;
        self.carry(label.height, label.results);
        let frame = self.frame();
        if frame.first_label != self.labels.len() {
            return Going::On;
        }
        self.slots.drain(frame.base..frame.floor);
        self.frames.pop();
        if self.frames.is_empty() { Going::Ended } else { Going::On }
    }

    /// Moves the operands on top down to `height`. A jump that was misread may not have what is wanted there: what is
    /// missing, or is of another type, becomes zero.
    fn carry(&mut self, height: usize, wanted: &[ValType]) {
        let missing = (height + wanted.len()).saturating_sub(self.slots.len());
        self.slots.splice(height..height, std::iter::repeat_n(Held::zero(ValType::I32), missing));
        let from = self.slots.len() - wanted.len();
        for (index, &ty) in wanted.iter().enumerate() {
            let held = self.slots[from + index];
            self.slots[height + index] = if held.ty() == ty { held } else { Held::zero(ty) };
        }
        self.slots.truncate(height + wanted.len());
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
