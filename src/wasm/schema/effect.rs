//! Owns signatures written out, and what decides about what they leave open.
//!
//! Must not know what is popped and pushed. A word that starts with `t` is left open.

use crate::wasm::effect::{Side, StackType, Word};
use crate::wasm::isa::Op;

/// Both sides: `[i32 i32] -> [i32]`. Behind an instruction that leaves the stack can hold anything, as under its operands.
pub(super) fn text(op: Op) -> String {
    let StackType { popped, pushed, leaves } = StackType::of(op);
    let others = match leaves {
        false => [None; 2],
        true if popped.contains(&Word::Params) => [Some("t3*"), Some("t4*")],
        true => [Some("t1*"), Some("t2*")],
    };
    let side = |side: &Side, others: Option<&'static str>| {
        let words = others.into_iter().chain(side.iter().map(word));
        format!("[{}]", words.collect::<Vec<_>>().join(" "))
    };
    format!("{} -> {}", side(popped, others[0]), side(pushed, others[1]))
}

fn word(word: &Word) -> &'static str {
    match word {
        Word::Is(ty) => ty.name(),
        Word::Open => "t",
        Word::Params => "t1*",
        Word::Results => "t2*",
        Word::Carried => "t*",
    }
}

/// What decides about what the signature leaves open; `None` if that is nothing.
pub(super) fn depends_on(op: Op) -> Option<&'static str> {
    Some(match op {
        Op::Unreachable => "nothing: code behind it is never executed, and takes any operands",
        Op::Block | Op::Loop => "the block type; the parameters stay on the stack inside the block",
        Op::If => "the block type; without `else` its parameters are its results",
        Op::Else => "the block type of the `if`: results of the first arm, parameters of the second",
        Op::End => "the results of the block or function that it closes",
        Op::Br => {
            "what the label carries (t*): the results of a block, the parameters of a loop; operands under it (t1*) are dropped"
        }
        Op::BrIf => "what the label carries: the results of a block, the parameters of a loop",
        Op::BrTable => {
            "what the labels carry (t*), which must be as many operands for each of them, of types that fit all; \
             an index past the end takes the default label"
        }
        Op::Return => "the results of the function (t*)",
        Op::Call => "the type of the function that the immediate names",
        Op::CallIndirect => {
            "the type that the immediate names; the function found in the table must have an equal type, or it traps"
        }
        Op::ReturnCall => {
            "the parameters of the function that the immediate names (t1*); its results must be the caller's"
        }
        Op::ReturnCallIndirect => {
            "the parameters of the type that the immediate names (t1*); its results must be the caller's"
        }
        Op::RefNull => "the immediate: funcref or externref",
        Op::RefIsNull => "the operand: any reference",
        Op::Drop => "the operand: any type",
        Op::Select => "the operands: both of one type, no reference",
        Op::TypedSelect => "the immediate: any type",
        Op::LocalGet | Op::LocalSet | Op::LocalTee => "the type of the local",
        Op::GlobalGet => "the type of the global",
        Op::GlobalSet => "the type of the global, which must be mutable",
        Op::TableGet | Op::TableSet | Op::TableGrow | Op::TableFill => "the element type of the table",
        _ => return None,
    })
}
