//! Owns the signatures that depend on the module, written out.
//!
//! Must not know what the table says of the others. A word that starts with `t` is left open.

use crate::wasm::isa::Op;

/// The signature, and what decides about what it leaves open; `None` if the table says it all.
pub(super) fn effect(op: Op) -> Option<(&'static str, &'static str)> {
    Some(match op {
        Op::Unreachable => ("[t1*] -> [t2*]", "nothing: code behind it is never executed, and takes any operands"),
        Op::Block | Op::Loop => ("[t1*] -> [t2*]", "the block type; the parameters stay on the stack inside the block"),
        Op::If => ("[t1* i32] -> [t2*]", "the block type; without `else` its parameters are its results"),
        Op::Else => {
            ("[t2*] -> [t1*]", "the block type of the `if`: results of the first arm, parameters of the second")
        }
        Op::End => ("[t*] -> [t*]", "the results of the block or function that it closes"),
        Op::Br => (
            "[t1* t*] -> [t2*]",
            "what the label carries (t*): the results of a block, the parameters of a loop; operands under it (t1*) are dropped",
        ),
        Op::BrIf => ("[t* i32] -> [t*]", "what the label carries: the results of a block, the parameters of a loop"),
        Op::BrTable => (
            "[t1* t* i32] -> [t2*]",
            "what the labels carry (t*), which must be as many operands for each of them, of types that fit all; \
             an index past the end takes the default label",
        ),
        Op::Return => ("[t1* t*] -> [t2*]", "the results of the function (t*)"),
        Op::Call => ("[t1*] -> [t2*]", "the type of the function that the immediate names"),
        Op::CallIndirect => (
            "[t1* i32] -> [t2*]",
            "the type that the immediate names; the function found in the table must have an equal type, or it traps",
        ),
        Op::ReturnCall => (
            "[t3* t1*] -> [t4*]",
            "the parameters of the function that the immediate names (t1*); its results must be the caller's",
        ),
        Op::ReturnCallIndirect => (
            "[t3* t1* i32] -> [t4*]",
            "the parameters of the type that the immediate names (t1*); its results must be the caller's",
        ),
        Op::RefNull => ("[] -> [t]", "the immediate: funcref or externref"),
        Op::RefIsNull => ("[t] -> [i32]", "the operand: any reference"),
        Op::Drop => ("[t] -> []", "the operand: any type"),
        Op::Select => ("[t t i32] -> [t]", "the operands: both of one type, no reference"),
        Op::TypedSelect => ("[t t i32] -> [t]", "the immediate: any type"),
        Op::LocalGet => ("[] -> [t]", "the type of the local"),
        Op::LocalSet => ("[t] -> []", "the type of the local"),
        Op::LocalTee => ("[t] -> [t]", "the type of the local"),
        Op::GlobalGet => ("[] -> [t]", "the type of the global"),
        Op::GlobalSet => ("[t] -> []", "the type of the global, which must be mutable"),
        Op::TableGet => ("[i32] -> [t]", "the element type of the table"),
        Op::TableSet => ("[i32 t] -> []", "the element type of the table"),
        Op::TableGrow => ("[t i32] -> [i32]", "the element type of the table"),
        Op::TableFill => ("[i32 t i32] -> []", "the element type of the table"),
        _ => return None,
    })
}
