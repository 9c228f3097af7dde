//! Owns changing one instruction of a program and nothing else.
//!
//! Must not know why it is suspected. An instruction is swapped for a neighbour: one of the same type and [`Meaning`]
//! that is not of the suspected kind. Where there is none it stays, and its operand is made plain; or it is taken out,
//! and what it computed stands there as a constant, which hides what it was computed of. So each change says what it is
//! ([`Manner`]). Structures have neighbours of their own: a loop becomes a block, a `return` a branch to the end of its
//! function.

use super::Manner;
use crate::cause::construct::Construct;
use crate::cause::facts::{Circumstance, Fact, Subject};
use crate::item::edit::Question;
use crate::wasm::effect::effect;
use crate::wasm::isa::{Category, Imm, Op};
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::print::Printer;
use crate::wasm::program::{Instr, Place};
use crate::wasm::types::{ValType, Value};

/// A changed question, and the change in words: `i32.lt_u -> i32.lt_s`.
pub(super) struct Swap {
    pub(super) question: Question,
    pub(super) manner: Manner,
    pub(super) change: String,
}

/// The changes of the instruction at a place that could show whether it is to blame, the most telling first. Whether the
/// changed program still has an answer is for the caller to see.
pub(super) fn swaps(
    question: &Question,
    at: (u32, Place),
    suspected: Fact,
    fuel: u64,
    machine: &mut Machine,
) -> Vec<Swap> {
    let instr = question.program.seqs[at.1.seq as usize].code[at.1.index as usize];
    let kind = match suspected {
        Fact::Behind(_, kind) if kind.has(instr.op) => kind,
        _ => Subject::One(instr.op),
    };
    let one = |manner: Manner| move |instr: Instr| (manner, vec![instr]);
    let mut changes: Vec<(Manner, Vec<Instr>)> =
        structure(question, at, instr).into_iter().map(one(Manner::Structure)).collect();
    changes.extend(neighbours(instr, kind).map(one(Manner::Neighbour)));
    changes.extend(masked(instr, suspected).map(|with| (Manner::Plain, with)));
    changes.extend(constant(instr).map(one(Manner::Constant)));
    changes.extend(taken_out(question, at, instr, fuel, machine).map(|with| (Manner::Removed, with)));
    let printer = Printer::new(&question.program);
    let text = |instr: &Instr| printer.instr(instr);
    let swap = |(manner, with): (Manner, Vec<Instr>)| Swap {
        manner,
        change: format!("{} -> {}", text(&instr), with.iter().map(text).collect::<Vec<_>>().join(" ")),
        question: question.replace(at.0, at.1, &with),
    };
    changes.into_iter().map(swap).collect()
}

/// What a structure is swapped for.
fn structure(question: &Question, at: (u32, Place), instr: Instr) -> Option<Instr> {
    match instr.op {
        Op::Loop => Some(Instr { op: Op::Block, ..instr }),
        Op::Return => {
            let flat = question.program.flatten(at.0);
            let entry = flat.iter().find(|entry| entry.place == at.1).expect("it stands there");
            Some(Instr::index(Op::Br, entry.depth))
        }
        Op::Br | Op::BrIf if instr.a > 0 => Some(Instr { a: instr.a - 1, ..instr }),
        _ => None,
    }
}

/// The sort of thing an instruction computes: a reader who understands one of a meaning understands the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Those of a category that are alike once their type is.
    Plain(Category),
    /// Vectors of one shape.
    Shaped(Category, &'static str),
    /// Shifts and rotations.
    Shift,
    /// Divisions and remainders.
    Division,
    /// Minima and maxima.
    Extremum,
    /// Roundings to integers.
    Rounding,
    /// Signs of floats.
    Sign,
    /// Conversions of one sort: `trunc`, `extend`, `convert`, ...
    Conversion(&'static str),
    /// Nothing else is like it.
    Own(Op),
}

/// The one place that says which instructions mean alike.
fn meaning(op: Op) -> Meaning {
    let (row, (shape, name)) = (op.row(), op.mnemonic().split_once('.').unwrap_or(("", op.mnemonic())));
    match row.category {
        Category::IntArithmetic if !row.traps.is_empty() => Meaning::Division,
        Category::IntBitwise if Construct::of(op) == Some(Construct::Shift) => Meaning::Shift,
        Category::FloatArithmetic => match name {
            "min" | "max" => Meaning::Extremum,
            "ceil" | "floor" | "trunc" | "nearest" => Meaning::Rounding,
            "abs" | "neg" | "copysign" => Meaning::Sign,
            "sqrt" => Meaning::Own(op),
            _ => Meaning::Plain(row.category),
        },
        Category::Conversion => {
            Meaning::Conversion(name.split(|c: char| c == '_' || c.is_ascii_digit()).next().unwrap_or(name))
        }
        Category::VectorInt | Category::VectorFloat | Category::VectorComparison | Category::VectorLane => {
            Meaning::Shaped(row.category, shape)
        }
        Category::IntArithmetic
        | Category::IntBitwise
        | Category::IntComparison
        | Category::FloatComparison
        | Category::Load
        | Category::Store => Meaning::Plain(row.category),
        _ => Meaning::Own(op),
    }
}

/// Instructions of the same type, immediate and meaning that are not of a kind, by how near they stand in the table.
fn neighbours(instr: Instr, kind: Subject) -> impl Iterator<Item = Instr> {
    let (row, own) = (instr.op.row(), meaning(instr.op));
    let is_neighbour = move |op: &Op| {
        let other = op.row();
        // Accesses of another width have another alignment at most; they count as alike.
        let same_imm = std::mem::discriminant(&other.imm) == std::mem::discriminant(&row.imm);
        let same_type = other.params == row.params && other.results == row.results;
        *op != instr.op && meaning(*op) == own && same_type && same_imm && !kind.has(*op)
    };
    let mut near: Vec<Op> = Op::ALL.iter().copied().filter(is_neighbour).collect();
    near.sort_by_key(|op| op.index().abs_diff(instr.op.index()));
    near.into_iter().map(move |op| {
        let Imm::MemArg { width } = op.row().imm else { return Instr { op, ..instr } };
        Instr { op, a: instr.a.min(u32::from(width).ilog2()), ..instr }
    })
}

/// A shift by the width or more with its count reduced before, which is what it does itself: the result stays.
fn masked(instr: Instr, suspected: Fact) -> Option<Vec<Instr>> {
    let Fact::Behind(Circumstance::CountPastWidth, _) = suspected else { return None };
    let (ty, and) = match instr.op.row().params {
        [.., ValType::I32] => (ValType::I32, Op::I32And),
        [.., ValType::I64] => (ValType::I64, Op::I64And),
        _ => return None,
    };
    let width = if ty == ValType::I32 { 32 } else { 64 };
    let is_shift = meaning(instr.op) == Meaning::Shift;
    is_shift.then(|| vec![Instr::constant(ty, width - 1), Instr::plain(and), instr])
}

/// A simple constant in place of another.
fn constant(instr: Instr) -> Option<Instr> {
    let bits: u128 = match instr.op {
        Op::I32Const | Op::I64Const => 1,
        Op::F32Const => 1.5_f32.to_bits().into(),
        Op::F64Const => 1.5_f64.to_bits().into(),
        _ => return None,
    };
    Some(Instr { b: bits as u64, ..instr })
}

/// The instruction taken out: its operands are dropped, and what it left stands there as constants, if it left the same
/// each time; of a `br_table`, a branch to where it went.
fn taken_out(
    question: &Question,
    at: (u32, Place),
    instr: Instr,
    fuel: u64,
    machine: &mut Machine,
) -> Option<Vec<Instr>> {
    let (params, results) = arity(question, at, instr)?;
    let mut seen = Seen { at, results, takes: instr.op == Op::BrTable, waiting: None, values: Vec::new() };
    let _ = question.execution(machine, fuel).run(&mut seen);
    let (first, rest) = seen.values.split_first()?;
    let is_constant = |value: &Value| !value.ty.is_ref() && value.ty != ValType::V128;
    if rest.iter().any(|other| other != first) || !first.iter().all(is_constant) {
        return None;
    }
    let drops = std::iter::repeat_n(Instr::plain(Op::Drop), params);
    if instr.op == Op::BrTable {
        let labels = &question.program.label_tables[instr.a as usize];
        let label = labels[(first[0].bits as usize).min(labels.len() - 1)];
        return Some(drops.chain([Instr::index(Op::Br, label)]).collect());
    }
    Some(drops.chain(first.iter().map(|value| Instr::constant(value.ty, value.bits))).collect())
}

/// How many operands an instruction takes and leaves; `None` for those that decide where to go, and for those that
/// leave nothing a constant could replace. Of a `br_table` only the operands matter.
fn arity(question: &Question, at: (u32, Place), instr: Instr) -> Option<(usize, usize)> {
    let is_special =
        matches!(instr.op, Op::Call | Op::Select | Op::TypedSelect | Op::BrTable | Op::LocalGet | Op::GlobalGet);
    let computes = match instr.op.row().category {
        Category::Control | Category::Parametric | Category::Local | Category::Global | Category::Call => false,
        // What stood there as a constant would stand there as the same one.
        Category::Const => false,
        _ => instr.op.row().results.len() == 1,
    };
    let effect = effect(&question.program, at.0, &instr).filter(|_| is_special || computes)?;
    let (params, results) = (effect.popped().count(), effect.pushed().count());
    Some((params, if instr.op == Op::BrTable { params } else { results }))
}

/// Notes what an instruction leaves on the stack, or what it takes from there.
struct Seen {
    at: (u32, Place),
    results: usize,
    /// Whether what it takes is looked at.
    takes: bool,
    /// The activation in which it was executed and has not yet left anything.
    waiting: Option<u32>,
    values: Vec<Vec<Value>>,
}

impl Seen {
    fn note(&mut self, machine: &Machine) {
        let height = machine.frame_operands().len();
        let first = height.saturating_sub(self.results);
        self.values.push(machine.frame_operands().skip(first).collect());
    }
}

impl Observer for Seen {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        // A call is over when its own activation goes on.
        if self.waiting == Some(machine.activation()) {
            self.waiting = None;
            self.note(machine);
        }
        if (func, place) == self.at && self.takes {
            self.note(machine);
        } else if (func, place) == self.at {
            self.waiting = Some(machine.activation());
        }
    }
}
