//! Owns the question whether the text must list the function types, and which uses of them can be written out.
//!
//! Must not know lines. A reader gives a signature that is written out the number of the first type that is equal, or
//! else the next number, in the order of the text (spec 6.6.4); where that gives the types the numbers that they have,
//! a list of them would only be in the way.

use super::instr;
use crate::wasm::program::Program;
use crate::wasm::types::FuncType;

/// Whether type `index`, written out in full as the type of a block, is read as that type again: it is the first of its
/// kind, and has no shorter form.
pub(super) fn reads_back(program: &Program, index: u32) -> bool {
    let ty = &program.types[index as usize];
    (!ty.params.is_empty() || ty.results.len() > 1) && is_first(program, index)
}

/// Whether no type before it is equal.
pub(super) fn is_first(program: &Program, index: u32) -> bool {
    let ty = &program.types[index as usize];
    !program.types[..index as usize].contains(ty)
}

/// Whether the types must be listed, so that what the text says has the numbers that the program has.
pub(super) fn must_be_listed(program: &Program) -> bool {
    let mut implied: Vec<&FuncType> = Vec::new();
    let mut add = |index: u32| {
        let ty = &program.types[index as usize];
        if !implied.contains(&ty) {
            implied.push(ty);
        }
    };
    for func in 0..program.funcs.len() as u32 {
        add(program.funcs[func as usize].ty);
        if func < program.imported_funcs() {
            continue;
        }
        for entry in program.flatten(func) {
            if instr::names_type(program, &entry.instr) {
                return true;
            }
            instr::inline_type(program, &entry.instr).into_iter().for_each(&mut add);
        }
    }
    !implied.into_iter().eq(&program.types)
}
