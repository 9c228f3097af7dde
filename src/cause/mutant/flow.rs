//! Owns the ways in which a reader may misread what is no computation: branches, loops, calls, memory, variables.
//!
//! Must not know what becomes of a change: a row looks at the machine just before an instruction executes, and says what
//! happens in its place ([`Change`]). What needs the history of a run (loops that end early, locals that stay) has a mark
//! of its own, for the one who runs it to act on.

use super::rule::bare;
use crate::wasm::isa::{Category, Imm, Op};
use crate::wasm::machine::Machine;
use crate::wasm::program::{Instr, Program};
use crate::wasm::types::{Bits, ValType};

/// What happens in the place of an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    /// What the specification says.
    Exact,
    /// Another instruction with the same operands.
    Instead(Instr),
    /// A branch to this label, without what decided about it.
    Branch(u32),
    /// An operand, counted from the top, is another one before.
    Operand(u32, Bits),
    /// The result is another one.
    Result(Bits),
    /// The arguments of the call are in the opposite order, those of one type among each other.
    Reversed,
    /// A branch goes back to a loop no more than so often; then it leaves it.
    Capped(u32),
    /// A loop runs so many times more, or less, than it does.
    Runs(i32),
    /// Declared locals are what the last call of the function left.
    Kept,
    /// No value: the reader would read where nothing is.
    Nothing,
}

/// A row.
pub(super) struct Flow {
    /// Its name in that of a mutant.
    pub(super) name: &'static str,
    /// What is misread, in words.
    pub(super) words: &'static str,
    /// Whether it is about an instruction.
    pub(super) has: fn(Op) -> bool,
    /// What happens.
    pub(super) change: fn(&Machine, &Program, &Instr) -> Change,
}

/// Every row.
pub(super) static FLOWS: [Flow; 46] = [
    Flow {
        name: "select-swapped",
        words: "select takes the other operand",
        has: |op| matches!(op, Op::Select | Op::TypedSelect),
        change: |machine, _, _| Change::Operand(0, Bits::from(machine.operand(0).bits as u32 == 0)),
    },
    Flow {
        name: "select-first",
        words: "select takes its first operand always",
        has: |op| matches!(op, Op::Select | Op::TypedSelect),
        change: |_, _, _| Change::Operand(0, 1),
    },
    Flow {
        name: "select-second",
        words: "select takes its second operand always",
        has: |op| matches!(op, Op::Select | Op::TypedSelect),
        change: |_, _, _| Change::Operand(0, 0),
    },
    Flow {
        name: "if-swapped",
        words: "the arms of if are exchanged",
        has: |op| op == Op::If,
        change: |machine, _, _| Change::Operand(0, Bits::from(machine.operand(0).bits as u32 == 0)),
    },
    Flow { name: "if-taken", words: "if takes its first arm always", has: |op| op == Op::If, change: taken },
    Flow { name: "if-untaken", words: "if takes its else arm always", has: |op| op == Op::If, change: untaken },
    Flow {
        name: "br_if-inverted",
        words: "br_if branches on zero",
        has: |op| op == Op::BrIf,
        change: |machine, _, _| Change::Operand(0, Bits::from(machine.operand(0).bits as u32 == 0)),
    },
    Flow { name: "br_if-taken", words: "br_if branches always", has: |op| op == Op::BrIf, change: taken },
    Flow { name: "br_if-untaken", words: "br_if never branches", has: |op| op == Op::BrIf, change: untaken },
    Flow {
        name: "condition-positive",
        words: "conditions hold for positive numbers only",
        has: is_conditional,
        change: |machine, _, _| Change::Operand(0, Bits::from(machine.operand(0).bits as i32 > 0)),
    },
    Flow {
        name: "condition-one",
        words: "conditions hold for 1 only",
        has: is_conditional,
        change: |machine, _, _| Change::Operand(0, Bits::from(machine.operand(0).bits as u32 == 1)),
    },
    Flow {
        name: "condition-lowest-bit",
        words: "conditions hold for odd numbers only",
        has: is_conditional,
        change: |machine, _, _| Change::Operand(0, machine.operand(0).bits & 1),
    },
    Flow {
        name: "label-inner",
        words: "labels are counted from 1",
        has: is_branch,
        change: |machine, program, instr| relabelled(machine, program, instr, |label| label.saturating_sub(1)),
    },
    Flow {
        name: "label-outer",
        words: "branches go out of one block more",
        has: is_branch,
        change: |machine, program, instr| relabelled(machine, program, instr, |label| label + 1),
    },
    Flow {
        name: "label-innermost",
        words: "branches leave the innermost block only",
        has: is_branch,
        change: |machine, program, instr| relabelled(machine, program, instr, |_| 0),
    },
    Flow {
        name: "br-ignored",
        words: "br is passed over",
        has: |op| op == Op::Br,
        change: |_, _, _| Change::Instead(Instr::plain(Op::Nop)),
    },
    Flow {
        name: "br_table-default",
        words: "br_table takes its default always",
        has: |op| op == Op::BrTable,
        change: |_, _, _| Change::Operand(0, u32::MAX.into()),
    },
    Flow {
        name: "br_table-first",
        words: "br_table takes its first label for an index past the end",
        has: |op| op == Op::BrTable,
        change: |machine, program, instr| {
            let is_past = machine.operand(0).bits as u32 as usize >= program.label_tables[instr.a as usize].len() - 1;
            if is_past { Change::Operand(0, 0) } else { Change::Exact }
        },
    },
    Flow {
        name: "br_table-modulo",
        words: "br_table takes its index modulo the number of labels",
        has: |op| op == Op::BrTable,
        change: |machine, program, instr| {
            let labels = program.label_tables[instr.a as usize].len() as u32;
            Change::Operand(0, (machine.operand(0).bits as u32 % labels).into())
        },
    },
    Flow {
        name: "br_table-next",
        words: "br_table takes the label after the one of its index",
        has: |op| op == Op::BrTable,
        change: |machine, _, _| Change::Operand(0, (machine.operand(0).bits as u32).saturating_add(1).into()),
    },
    Flow {
        name: "br_table-previous",
        words: "br_table takes the label before the one of its index",
        has: |op| op == Op::BrTable,
        change: |machine, program, instr| {
            let default = program.label_tables[instr.a as usize].len() as u32 - 1;
            Change::Operand(0, (machine.operand(0).bits as u32).min(default).saturating_sub(1).into())
        },
    },
    capped("loop-once", "loops run once", |_, _, _| Change::Capped(1)),
    capped("loop-capped-2", "loops run 2 times at most", |_, _, _| Change::Capped(2)),
    capped("loop-capped-3", "loops run 3 times at most", |_, _, _| Change::Capped(3)),
    capped("loop-capped-4", "loops run 4 times at most", |_, _, _| Change::Capped(4)),
    capped("loop-capped-5", "loops run 5 times at most", |_, _, _| Change::Capped(5)),
    capped("loop-capped-8", "loops run 8 times at most", |_, _, _| Change::Capped(8)),
    capped("loop-capped-10", "loops run 10 times at most", |_, _, _| Change::Capped(10)),
    capped("loop-less", "loops run once less", |_, _, _| Change::Runs(-1)),
    capped("loop-more", "loops run once more", |_, _, _| Change::Runs(1)),
    Flow {
        name: "return-ignored",
        words: "return is passed over",
        has: |op| op == Op::Return,
        change: |_, _, _| Change::Instead(Instr::plain(Op::Nop)),
    },
    Flow {
        name: "args-reversed",
        words: "arguments are given in the opposite order",
        has: is_call,
        change: |_, _, _| Change::Reversed,
    },
    Flow {
        name: "locals-kept",
        words: "declared locals keep what the last call left in them",
        has: is_call,
        change: |_, _, _| Change::Kept,
    },
    Flow {
        name: "callee-next",
        words: "call_indirect takes the function after the one of its index",
        has: |op| matches!(op, Op::CallIndirect | Op::ReturnCallIndirect),
        change: |machine, _, _| Change::Operand(0, (machine.operand(0).bits as u32).wrapping_add(1).into()),
    },
    Flow {
        name: "callee-previous",
        words: "call_indirect takes the function before the one of its index",
        has: |op| matches!(op, Op::CallIndirect | Op::ReturnCallIndirect),
        change: |machine, _, _| Change::Operand(0, (machine.operand(0).bits as u32).wrapping_sub(1).into()),
    },
    Flow {
        name: "tee-ignored",
        words: "local.tee leaves its local as it is",
        has: |op| op == Op::LocalTee,
        change: |_, _, _| Change::Instead(Instr::plain(Op::Nop)),
    },
    Flow {
        name: "set-ignored",
        words: "local.set leaves its local as it is",
        has: |op| op == Op::LocalSet,
        change: |_, _, _| Change::Instead(Instr::plain(Op::Drop)),
    },
    Flow {
        name: "global-ignored",
        words: "global.set leaves its global as it is",
        has: |op| op == Op::GlobalSet,
        change: |_, _, _| Change::Instead(Instr::plain(Op::Drop)),
    },
    Flow {
        name: "store-ignored",
        words: "stores leave memory as it is",
        has: |op| op.row().category == Category::Store,
        change: |machine, _, instr| match loaded(machine, instr, instr.b) {
            Some(bytes) => Change::Operand(0, little(&bytes)),
            None => Change::Nothing,
        },
    },
    Flow {
        name: "big-endian",
        words: "memory is big-endian",
        has: |op| is_access(op) && width(op) > 1,
        change: |machine, _, instr| {
            let turned = |bits: Bits, width: u8| Bits::from((bits as u64).swap_bytes() >> (64 - 8 * u32::from(width)));
            let width = width(instr.op);
            match (instr.op.row().category, loaded(machine, instr, instr.b)) {
                (Category::Store, _) => Change::Operand(0, turned(machine.operand(0).bits, width)),
                (_, Some(bytes)) => Change::Result(widened(instr.op, turned(little(&bytes), width) as u64)),
                (_, None) => Change::Nothing,
            }
        },
    },
    Flow {
        name: "offset-ignored",
        words: "offsets of loads and stores are passed over",
        has: is_access,
        change: |_, _, instr| Change::Instead(Instr { b: 0, ..*instr }),
    },
    Flow {
        name: "offset-in-words",
        words: "offsets of loads and stores count words",
        has: |op| is_access(op) && width(op) > 1,
        change: |_, _, instr| Change::Instead(Instr { b: instr.b.saturating_mul(width(instr.op).into()), ..*instr }),
    },
    Flow {
        name: "address-in-words",
        words: "addresses of loads and stores count words",
        has: |op| is_access(op) && width(op) > 1,
        change: |machine, _, instr| {
            let down = u32::from(instr.op.row().category == Category::Store);
            let address = machine.operand(down).bits as u32;
            Change::Operand(down, address.wrapping_mul(width(instr.op).into()).into())
        },
    },
    Flow {
        name: "grow-new",
        words: "memory.grow gives the new size",
        has: |op| op == Op::MemoryGrow,
        change: |machine, program, _| {
            let (pages, more) = (machine.memory_pages(), machine.operand(0).bits as u32);
            let most = program.memory.as_ref().and_then(|memory| memory.max).unwrap_or(65_536);
            let fits = u64::from(pages) + u64::from(more) <= u64::from(most);
            if fits { Change::Result((pages + more).into()) } else { Change::Exact }
        },
    },
    Flow {
        name: "size-in-bytes",
        words: "memory.size gives bytes",
        has: |op| op == Op::MemorySize,
        change: |machine, _, _| Change::Result(machine.memory_pages().wrapping_mul(65_536).into()),
    },
    Flow {
        name: "grow-ignored",
        words: "memory.grow leaves memory as it is",
        has: |op| op == Op::MemoryGrow,
        change: |_, _, _| Change::Operand(0, 0),
    },
];

pub(super) const fn capped(
    name: &'static str,
    words: &'static str,
    change: fn(&Machine, &Program, &Instr) -> Change,
) -> Flow {
    Flow { name, words, has: |op| is_branch(op) || op == Op::Loop, change }
}

fn taken(_: &Machine, _: &Program, _: &Instr) -> Change {
    Change::Operand(0, 1)
}

fn untaken(_: &Machine, _: &Program, _: &Instr) -> Change {
    Change::Operand(0, 0)
}

fn is_branch(op: Op) -> bool {
    matches!(op, Op::Br | Op::BrIf | Op::BrTable)
}

fn is_conditional(op: Op) -> bool {
    matches!(op, Op::If | Op::BrIf | Op::Select | Op::TypedSelect)
}

fn is_call(op: Op) -> bool {
    matches!(op, Op::Call | Op::CallIndirect | Op::ReturnCall | Op::ReturnCallIndirect)
}

fn is_access(op: Op) -> bool {
    op.index() < Op::SCALARS && matches!(op.row().category, Category::Load | Category::Store)
}

/// The label that a branch would take, if it is taken.
pub(super) fn target(machine: &Machine, program: &Program, instr: &Instr) -> Option<u32> {
    match instr.op {
        Op::Br => Some(instr.a),
        Op::BrIf => (machine.operand(0).bits as u32 != 0).then_some(instr.a),
        Op::BrTable => {
            let labels = &program.label_tables[instr.a as usize];
            Some(labels[(machine.operand(0).bits as u32 as usize).min(labels.len() - 1)])
        }
        _ => None,
    }
}

/// A branch to another label: one that carries as many values, and is there.
fn relabelled(machine: &Machine, program: &Program, instr: &Instr, other: fn(u32) -> u32) -> Change {
    let Some(label) = target(machine, program, instr) else { return Change::Exact };
    let label_instead = other(label);
    if label_instead == label {
        return Change::Exact;
    }
    let carries = |label| machine.open_label(label).map(|open| open.carries);
    if carries(label_instead).is_none() || carries(label) != carries(label_instead) {
        return Change::Nothing;
    }
    Change::Branch(label_instead)
}

/// Bytes of a memory access.
fn width(op: Op) -> u8 {
    match op.row().imm {
        Imm::MemArg { width } => width,
        _ => 0,
    }
}

/// The bytes that an access would find; `None` out of bounds.
fn loaded(machine: &Machine, instr: &Instr, offset: u64) -> Option<Vec<u8>> {
    let down = u32::from(instr.op.row().category == Category::Store);
    let at = u64::from(machine.operand(down).bits as u32) + offset;
    let at = usize::try_from(at).ok()?;
    Some(machine.memory().get(at..at.checked_add(usize::from(width(instr.op)))?)?.to_vec())
}

fn little(bytes: &[u8]) -> Bits {
    bytes.iter().rev().fold(0, |bits, &byte| bits << 8 | Bits::from(byte))
}

/// What a load makes of its bytes.
fn widened(op: Op, bits: u64) -> Bits {
    let is_signed = bare(op).ends_with("_s");
    let missing = 64 - 8 * u32::from(width(op));
    let wide = if is_signed { ((bits << missing) as i64 >> missing) as u64 } else { bits };
    let is_short = op.row().results[0] == ValType::I32;
    Bits::from(if is_short { u64::from(wide as u32) } else { wide })
}
