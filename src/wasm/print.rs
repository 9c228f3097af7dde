//! Owns the text format as this program writes it: one instruction a line, annotations as `;;` comments.
//!
//! Must not know what an annotation means, nor read text (that is `parse`). Indices are plain numbers, as a
//! disassembler prints them, with functions numbered in a comment.

use super::isa::{Imm, Op};
use super::program::{BlockType, Extern, Flat, Instr, Program};
use super::types::{ValType, Value};
use std::fmt::Write;

/// A comment to print on a line of its own before entry `pc` of a function's flat code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The function.
    pub func: u32,
    /// Before which entry.
    pub pc: u32,
    /// What stands behind `;;`.
    pub text: String,
}

/// The module as text.
pub fn print(program: &Program, annotations: &[Annotation]) -> String {
    let mut text = String::from("(module\n");
    if let Some(memory) = &program.memory {
        let max = memory.max.map_or(String::new(), |max| format!(" {max}"));
        line(&mut text, 1, &format!("(memory {}{max})", memory.min));
    }
    for (index, global) in program.globals.iter().enumerate() {
        let ty = if global.mutable { format!("(mut {})", global.ty) } else { global.ty.to_string() };
        let init = instr_text(program, &global.init);
        line(&mut text, 1, &format!("(global (;{index};) {ty} ({init}))"));
    }
    for func in 0..program.funcs.len() as u32 {
        let notes: Vec<&Annotation> = annotations.iter().filter(|note| note.func == func).collect();
        print_func(program, func, &notes, &mut text);
    }
    text.push_str(")\n");
    text
}

fn print_func(program: &Program, func: u32, notes: &[&Annotation], text: &mut String) {
    line(text, 1, &header(program, func));
    let locals = &program.funcs[func as usize].locals;
    if !locals.is_empty() {
        line(text, 2, &format!("(local{})", type_list(locals)));
    }
    let flat = program.flatten(func);
    for (pc, entry) in flat.iter().enumerate() {
        for note in notes.iter().filter(|note| note.pc as usize == pc) {
            let inside = usize::from(matches!(entry.instr.op, Op::End | Op::Else) && pc + 1 < flat.len());
            line(text, 2 + entry.depth as usize + inside, &format!(";;{}", note.text));
        }
        if pc + 1 < flat.len() {
            print_entry(program, entry, text);
        }
    }
    line(text, 1, ")");
}

fn print_entry(program: &Program, entry: &Flat, text: &mut String) {
    line(text, 2 + entry.depth as usize, &instr_text(program, &entry.instr));
}

fn line(text: &mut String, depth: usize, content: &str) {
    writeln!(text, "{:1$}{content}", "", depth * 2).expect("a string takes all");
}

fn header(program: &Program, func: u32) -> String {
    let ty = program.func_type(func);
    let mut header = format!("(func (;{func};)");
    for export in program.exports.iter().filter(|export| export.kind == Extern::Func && export.index == func) {
        write!(header, " (export {:?})", export.name).expect("a string takes all");
    }
    if !ty.params.is_empty() {
        write!(header, " (param{})", type_list(&ty.params)).expect("a string takes all");
    }
    if !ty.results.is_empty() {
        write!(header, " (result{})", type_list(&ty.results)).expect("a string takes all");
    }
    header
}

fn type_list(types: &[ValType]) -> String {
    types.iter().map(|ty| format!(" {ty}")).collect()
}

/// One instruction as text.
pub fn instr_text(program: &Program, instr: &Instr) -> String {
    let name = instr.op.mnemonic();
    match instr.op.row().imm {
        Imm::None | Imm::MemIndex | Imm::MemMem => name.into(),
        Imm::Local
        | Imm::Global
        | Imm::Label
        | Imm::Func
        | Imm::Table
        | Imm::Elem
        | Imm::Data
        | Imm::DataMem
        | Imm::Lane { .. } => {
            format!("{name} {}", instr.a)
        }
        Imm::TableTable => format!("{name} {} {}", instr.a, instr.b),
        Imm::ElemTable => format!("{name} {} {}", instr.b, instr.a),
        Imm::TypeTable => format!("{name} {} (type {})", instr.b, instr.a),
        Imm::HeapType => format!("{name} {}", instr.val_type().heap_name()),
        Imm::ValTypes => format!("{name} (result {})", instr.val_type()),
        Imm::V128 => format!("{name} i32x4 {}", Value::new(ValType::V128, program.vectors[instr.a as usize]).text()),
        Imm::Shuffle => {
            let lanes = program.vectors[instr.a as usize].to_le_bytes();
            lanes.iter().fold(name.to_string(), |text, lane| format!("{text} {lane}"))
        }
        Imm::MemArgLane { width } => format!("{} {}", memory_text(name, instr, width), instr.lane()),
        Imm::LabelTable => {
            let labels = &program.label_tables[instr.a as usize];
            labels.iter().fold(name.to_string(), |text, label| format!("{text} {label}"))
        }
        Imm::MemArg { width } => memory_text(name, instr, width),
        Imm::I32 => format!("{name} {}", Value::new(ValType::I32, instr.b.into()).text()),
        Imm::I64 => format!("{name} {}", Value::new(ValType::I64, instr.b.into()).text()),
        Imm::F32 => format!("{name} {}", float_literal(Value::new(ValType::F32, instr.b.into()), 23)),
        Imm::F64 => format!("{name} {}", float_literal(Value::new(ValType::F64, instr.b.into()), 52)),
        Imm::BlockType => match instr.block_type() {
            BlockType::Empty => name.into(),
            BlockType::Value(ty) => format!("{name} (result {ty})"),
            BlockType::Func(index) => format!("{name} (type {index})"),
        },
    }
}

fn memory_text(name: &str, instr: &Instr, width: u8) -> String {
    let mut text = name.to_string();
    if instr.b != 0 {
        write!(text, " offset={}", instr.b).expect("a string takes all");
    }
    if 1 << instr.align() != width {
        write!(text, " align={}", 1 << instr.align()).expect("a string takes all");
    }
    text
}

/// NaNs are written with sign and payload, so that text reads back to the same bits.
fn float_literal(value: Value, mantissa_bits: u32) -> String {
    if !value.is_nan() {
        return value.text();
    }
    let width = if value.ty == ValType::F32 { 32 } else { 64 };
    let sign = if value.bits >> (width - 1) & 1 == 1 { "-" } else { "" };
    let payload = value.bits & ((1 << mantissa_bits) - 1);
    if payload == 1 << (mantissa_bits - 1) { format!("{sign}nan") } else { format!("{sign}nan:{payload:#x}") }
}
