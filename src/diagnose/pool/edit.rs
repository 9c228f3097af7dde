//! Owns edits that bring a question to where mutants differ.
//!
//! Must not know mutants: an edit puts another instruction of the same signature in the place of one that ran, or makes
//! the constant before one its other operand, or an edge case.

use crate::item::edit::Question;
use crate::item::make::Draft;
use crate::seed::Rng;
use crate::wasm::isa::{Category, Op, Semantics};
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Instr, Place, Program};
use crate::wasm::types::{Bits, ValType, Value};
use crate::weave::action::Action;
use crate::weave::weaver::Loom;

/// How often an instruction is exchanged first.
const EXCHANGED: f64 = 0.5;
/// How often a constant becomes the other operand; else it becomes an edge case.
const EQUAL: f64 = 0.5;
/// How much more fuel the edited program may take.
const FUEL: u64 = 4;

/// The question edited, if the edit leaves one with an answer.
pub(super) fn edited(draft: &Draft, loom: &Loom, rng: &mut Rng, machine: &mut Machine) -> Option<Draft> {
    let fuel = draft.item.fuel;
    let mut question = Question::of(&draft.item).ok()?;
    if rng.unit() < EXCHANGED {
        let ran = Ran::of(&question, fuel, machine).computing;
        if !ran.is_empty() {
            let &(func, place, op) = rng.pick(&ran);
            let like = alike(op, loom);
            if !like.is_empty() {
                question = question.replace(func, place, &[Instr::plain(*rng.pick(&like))]);
            }
        }
    }
    let fits = Ran::of(&question, FUEL * fuel, machine).constants;
    if !fits.is_empty() {
        let &(func, place, other) = rng.pick(&fits);
        let ty = other.0;
        let bits = match other.1.filter(|_| rng.unit() < EQUAL) {
            Some(value) => value.bits,
            None => edge(ty, rng),
        };
        question = question.replace(func, place, &[Instr::constant(ty, bits)]);
    }
    let most = u64::from(loom.config.fuel.max).min(FUEL * fuel);
    question.label(machine, format!("{}e", draft.item.id), most)
}

/// Whether an instruction only computes numbers of numbers.
fn computes(op: Op) -> bool {
    let row = op.row();
    let is_plain = matches!(
        row.semantics,
        Semantics::Unary(_) | Semantics::Binary(_) | Semantics::TryUnary(_) | Semantics::TryBinary(_)
    );
    is_plain && row.params.iter().chain(row.results).all(|ty| ValType::NUMBERS.contains(ty))
}

/// Other instructions of the same signature that the preset allows.
fn alike(op: Op, loom: &Loom) -> Vec<Op> {
    let allowed = loom.config.instructions();
    let (params, results) = (op.row().params, op.row().results);
    let fits = |other: &Op| {
        let row = other.row();
        *other != op && computes(*other) && row.params == params && row.results == results
    };
    Op::ALL.iter().copied().filter(fits).filter(|&other| allowed.contains(Action::Instr(other))).collect()
}

/// What ran that can be edited.
struct Ran<'a> {
    program: &'a Program,
    computing: Vec<(u32, Place, Op)>,
    /// Constants just before an instruction that takes them, with its other operand of the same type.
    constants: Vec<(u32, Place, (ValType, Option<Value>))>,
}

impl<'a> Ran<'a> {
    fn of(question: &'a Question, fuel: u64, machine: &mut Machine) -> Self {
        let mut ran = Self { program: &question.program, computing: Vec::new(), constants: Vec::new() };
        // A trap ends the run; what was seen before it is seen.
        let _ = question.execution(machine, fuel).run(&mut ran);
        ran
    }
}

impl Observer for Ran<'_> {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        let code = &self.program.seqs[place.seq as usize].code;
        let Some(instr) = code.get(place.index as usize).filter(|instr| computes(instr.op)) else { return };
        if !self.computing.contains(&(func, place, instr.op)) {
            self.computing.push((func, place, instr.op));
        }
        let Some(before) = place.index.checked_sub(1).map(|index| code[index as usize]) else { return };
        if before.op.row().category != Category::Const || before.op == Op::V128Const {
            return;
        }
        let (params, own) = (instr.op.row().params, machine.operand(0));
        let other = (params.len() == 2).then(|| machine.operand(1)).filter(|other| other.ty == own.ty);
        let place = Place { index: place.index - 1, ..place };
        self.constants.push((func, place, (own.ty, other)));
    }
}

/// A value at which readers stumble.
fn edge(ty: ValType, rng: &mut Rng) -> Bits {
    const INTS: [u64; 12] = [
        0,
        u64::MAX,
        1 << 63,
        i64::MAX as u64,
        0x80,
        0xff80,
        0x8000,
        0x8000_0000,
        0x7fff_ffff,
        0x1234_5678_9abc_def0,
        33,
        65,
    ];
    const FLOATS: [f64; 14] =
        [0.0, -0.0, f64::NAN, f64::INFINITY, -1.5, 2.5, -2.5, 0.5, -3.7, 1e10, 3.0e9, -7.25, 1e19, -0.5];
    match ty {
        ValType::I32 => Bits::from(*rng.pick(&INTS) as u32),
        ValType::I64 => Bits::from(*rng.pick(&INTS)),
        ValType::F32 => Bits::from((*rng.pick(&FLOATS) as f32).to_bits()),
        _ => Bits::from(rng.pick(&FLOATS).to_bits()),
    }
}
