//! Owns the question whether the text must list the function types, and which uses of them can be written out.
//!
//! Must not know lines. A reader gives a signature that is written out the number of the first type that is equal, or
//! else the next number, in the order of the text (spec 6.6.4); where that gives the types the numbers that they have,
//! a list of them would only be in the way.

use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{BlockType, Instr, Program};
use crate::wasm::types::FuncType;
use std::collections::HashSet;

/// The function types of a program, compared once.
pub(super) struct Types<'a> {
    program: &'a Program,
    /// Whether no type before it is equal.
    first: Vec<bool>,
}

impl<'a> Types<'a> {
    pub(super) fn new(program: &'a Program) -> Self {
        let mut known = HashSet::new();
        Self { program, first: program.types.iter().map(|ty| known.insert(ty)).collect() }
    }

    /// A type by its number.
    pub(super) fn at(&self, index: u32) -> &'a FuncType {
        &self.program.types[index as usize]
    }

    /// Whether no type before it is equal.
    pub(super) fn is_first(&self, index: u32) -> bool {
        self.first[index as usize]
    }

    /// Whether type `index`, written out in full as the type of a block, is read as that type again: it is the first of
    /// its kind, and has no shorter form.
    pub(super) fn reads_back(&self, index: u32) -> bool {
        let ty = self.at(index);
        (!ty.params.is_empty() || ty.results.len() > 1) && self.is_first(index)
    }

    /// Whether the types must be listed, so that what the text says has the numbers that the program has.
    pub(super) fn must_be_listed(&self) -> bool {
        let program = self.program;
        let mut implied: Vec<&FuncType> = Vec::new();
        let mut known = HashSet::new();
        let mut add = |index: u32| {
            let ty = self.at(index);
            if known.insert(ty) {
                implied.push(ty);
            }
        };
        for func in 0..program.funcs.len() as u32 {
            add(program.funcs[func as usize].ty);
            for entry in program.flatten(func) {
                if names_type(self, &entry.instr) {
                    return true;
                }
                inline_type(self, &entry.instr).into_iter().for_each(&mut add);
            }
        }
        !implied.into_iter().eq(&program.types)
    }
}

/// Whether a block type stands there by its number: then the text must list the types.
fn names_type(types: &Types, instr: &Instr) -> bool {
    match instr.op.row().imm {
        Imm::TypeTable => true,
        Imm::BlockType => matches!(instr.block_type(), BlockType::Func(index) if !types.reads_back(index)),
        _ => false,
    }
}

/// The type that a block brings with it, by its number, if it is written out.
fn inline_type(types: &Types, instr: &Instr) -> Option<u32> {
    match (instr.op, instr.op.row().imm) {
        (Op::Else | Op::End, _) => None,
        (_, Imm::BlockType) => match instr.block_type() {
            BlockType::Func(index) if types.reads_back(index) => Some(index),
            _ => None,
        },
        _ => None,
    }
}
