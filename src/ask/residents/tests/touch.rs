//! Owns which misconceptions an execution touches, told from what the machine executes and on which values.
//!
//! Must not know how a reader acts a misconception out: what is read right elsewhere is held against this. Where it is
//! coarse it says that something is touched which is not.

use crate::solver::misconception::Misconception::{self, *};
use crate::solver::misconception::TABLE;
use crate::wasm::isa::{Category, Op, Semantics};
use crate::wasm::machine::{Machine, Observer, width};
use crate::wasm::program::{Instr, Place, Program, SeqId};
use crate::wasm::rerun::Execution;
use crate::wasm::types::{ValType, Value};
use std::collections::HashMap;

/// For each misconception, whether the run of this function touches it.
pub(super) fn touched(program: &Program, entry: u32) -> [bool; TABLE.len()] {
    let code = program.seqs.iter().flat_map(|seq| &seq.code);
    let loops = code.filter(|instr| instr.op == Op::Loop).map(|instr| (instr.body(), 0)).collect();
    let mut watch = Watch { program, loops, entered: vec![0; program.funcs.len()], touched: [false; TABLE.len()] };
    Execution { machine: &mut Machine::default(), program, entry, fuel_limit: 10_000_000 }
        .run(&mut watch)
        .expect("it was run before");
    watch.touched
}

struct Watch<'p> {
    program: &'p Program,
    /// For the body of each loop, iterations begun since the loop was entered last.
    loops: HashMap<SeqId, u32>,
    /// How often each function was entered.
    entered: Vec<u32>,
    touched: [bool; TABLE.len()],
}

impl Observer for Watch<'_> {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        self.arrive(func, place);
        self.note(StackForgotten, machine.frame_operands().len() > own(StackForgotten));
        if let Some(instr) = self.program.seqs[place.seq as usize].code.get(place.index as usize) {
            self.control(machine, func, instr);
            self.memory(machine, instr);
            self.compute(machine, instr);
        }
    }
}

impl Watch<'_> {
    fn note(&mut self, one: Misconception, touched: bool) {
        self.touched[one as usize] |= touched;
    }

    fn arrive(&mut self, func: u32, place: Place) {
        if place.index > 0 {
            return;
        }
        if place.seq == self.program.funcs[func as usize].body {
            self.entered[func as usize] += 1;
            self.note(ArgsReversed, self.program.func_type(func).params.len() > 1);
        }
        let Some(iterations) = self.loops.get_mut(&place.seq) else { return };
        *iterations += 1;
        let iterations = *iterations;
        self.note(LoopsOnce, iterations > 1);
        self.note(LoopsCapped, iterations as usize > own(LoopsCapped));
    }

    fn control(&mut self, machine: &Machine, func: u32, instr: &Instr) {
        match instr.op {
            // Not where it is entered again below itself, so that recursion counts all its iterations.
            Op::Loop if self.entered[func as usize] < 2 => _ = self.loops.insert(instr.body(), 0),
            Op::Select | Op::TypedSelect => self.note(SelectSwapped, true),
            Op::Return => self.note(ReturnIgnored, true),
            Op::Br => self.note(LabelOffByOne, instr.a > 0),
            Op::BrIf => self.note(LabelOffByOne, instr.a > 0 && machine.operand(0).bits != 0),
            Op::BrTable => {
                let labels = &self.program.label_tables[instr.a as usize];
                let chosen = (machine.operand(0).bits as usize).min(labels.len() - 1);
                self.note(TableDefault, labels[chosen] != labels[labels.len() - 1]);
                self.note(LabelOffByOne, labels[chosen] > 0);
            }
            Op::LocalGet => {
                let declared = instr.a as usize >= self.program.func_type(func).params.len();
                self.note(LocalsKept, declared && self.entered[func as usize] > 1);
            }
            _ => {}
        }
    }

    fn memory(&mut self, machine: &Machine, instr: &Instr) {
        let row = instr.op.row();
        let vectors = row.params.contains(&ValType::V128) || row.results.contains(&ValType::V128);
        if vectors || !matches!(row.category, Category::Load | Category::Store) {
            return;
        }
        self.note(BigEndian, width(instr.op) > 1);
        if row.category == Category::Load && row.mnemonic.ends_with("_s") {
            let last = machine.operand(0).bits as usize + instr.b as usize + usize::from(width(instr.op)) - 1;
            self.note(LoadsUnextended, machine.memory()[last] >= 0x80);
        }
    }

    fn compute(&mut self, machine: &Machine, instr: &Instr) {
        let row = instr.op.row();
        let computes = !matches!(row.semantics, Semantics::Special | Semantics::Load(_) | Semantics::Store);
        if instr.op.index() >= Op::SCALARS || !computes {
            return;
        }
        let operands: Vec<Value> = (0..row.params.len() as u32).rev().map(|down| machine.operand(down)).collect();
        let (_, name) = row.mnemonic.split_once('.').expect("a type and a name");
        let floats = |ty: ValType| row.params.contains(&ty) || row.results.contains(&ty);
        self.note(F32AsF64, floats(ValType::F32) && !name.contains("reinterpret"));
        let numbers: Vec<i128> = operands.iter().map(|&value| signed(value)).collect();
        let bits = if row.params[0] == ValType::I32 { 32 } else { 64 };
        match (name, numbers.as_slice()) {
            ("add", &[a, b]) => self.note(NoWrap, wraps(row.params[0], a + b)),
            ("sub", &[a, b]) => self.note(NoWrap, wraps(row.params[0], a - b)),
            ("mul", &[a, b]) => self.note(NoWrap, wraps(row.params[0], a * b)),
            ("shl", &[a, b]) => self.note(NoWrap, wraps(row.params[0], a << (b & (bits - 1)))),
            ("extend8_s", &[a]) => self.note(ZeroExtended, (a as i8) < 0),
            ("extend16_s", &[a]) => self.note(ZeroExtended, (a as i16) < 0),
            ("extend32_s" | "extend_i32_s", &[a]) => self.note(ZeroExtended, (a as i32) < 0),
            _ => {}
        }
        if let ("shl" | "shr_s" | "shr_u" | "rotl" | "rotr", &[a, b]) = (name, numbers.as_slice()) {
            self.note(ShiftUnmasked, !(0..bits).contains(&b));
            self.note(ArithmeticShift, name == "shr_u" && a < 0);
        }
        let unsigned = name.ends_with("_u") && !name.starts_with("trunc");
        self.note(UnsignedAsSigned, unsigned && numbers.iter().any(|&number| number < 0));
        self.float(name, &operands);
    }

    fn float(&mut self, name: &str, operands: &[Value]) {
        let numbers: Vec<f64> = operands.iter().map(|value| value.text().parse().unwrap_or(f64::NAN)).collect();
        match (name, numbers.as_slice()) {
            ("min" | "max", &[a, b]) => {
                self.note(MinMaxNan, a.is_nan() != b.is_nan());
                self.note(ZeroUnsigned, a == 0.0 && b == 0.0);
            }
            ("copysign", &[_, b]) => self.note(ZeroUnsigned, b == 0.0 || b.is_nan()),
            ("nearest", &[a]) => self.note(HalfAway, a.fract().abs() == 0.5),
            _ => {}
        }
    }
}

/// The number that a misconception is counted with.
fn own(one: Misconception) -> usize {
    TABLE[one as usize].parameter.expect("it is counted") as usize
}

fn signed(value: Value) -> i128 {
    if value.ty == ValType::I32 { i128::from(value.bits as i32) } else { i128::from(value.bits as i64) }
}

fn wraps(ty: ValType, exact: i128) -> bool {
    match ty {
        ValType::I32 => i32::try_from(exact).is_err(),
        ValType::I64 => i64::try_from(exact).is_err(),
        _ => false,
    }
}
