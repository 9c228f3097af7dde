//! Owns the text of one instruction.
//!
//! Must not know the lines around it. Indices are plain numbers, but for functions that have a name.

use super::Names;
use super::types::Types;
use crate::wasm::isa::Imm;
use crate::wasm::program::{BlockType, Instr, Program};
use crate::wasm::types::{FuncType, ValType, Value};
use std::fmt::{Display, Write};

/// One instruction as text.
pub(super) fn text(program: &Program, names: &Names, types: &Types, instr: &Instr) -> String {
    let name = instr.op.mnemonic();
    match instr.op.row().imm {
        Imm::None | Imm::MemIndex | Imm::MemMem => name.into(),
        Imm::Func => format!("{name} {}", names.reference(instr.a)),
        Imm::Local | Imm::Global | Imm::Label | Imm::Table | Imm::Elem | Imm::Data | Imm::DataMem => {
            format!("{name} {}", instr.a)
        }
        Imm::Lane { .. } => format!("{name} {}", instr.lane()),
        Imm::TableTable => format!("{name} {} {}", instr.a, instr.b),
        Imm::ElemTable => format!("{name} {} {}", instr.b, instr.a),
        Imm::TypeTable => format!("{name} {} (type {})", instr.b, instr.a),
        Imm::HeapType => format!("{name} {}", instr.val_type().heap_name()),
        Imm::ValTypes => format!("{name} (result {})", instr.val_type()),
        Imm::V128 => format!("{name} i32x4 {}", Value::new(ValType::V128, program.vectors[instr.a as usize]).text()),
        Imm::Shuffle => {
            let lanes = program.vectors[instr.a as usize].to_le_bytes();
            listed(name.to_string(), &lanes)
        }
        Imm::MemArgLane { width } => format!("{} {}", memory_text(name, instr, width), instr.lane()),
        Imm::LabelTable => {
            let labels = &program.label_tables[instr.a as usize];
            listed(name.to_string(), labels)
        }
        Imm::MemArg { width } => memory_text(name, instr, width),
        Imm::I32 => format!("{name} {}", Value::new(ValType::I32, instr.b.into()).text()),
        Imm::I64 => format!("{name} {}", Value::new(ValType::I64, instr.b.into()).text()),
        Imm::F32 => format!("{name} {}", float_literal(Value::new(ValType::F32, instr.b.into()), 23)),
        Imm::F64 => format!("{name} {}", float_literal(Value::new(ValType::F64, instr.b.into()), 52)),
        Imm::BlockType => format!("{name}{}", block_type(types, instr.block_type())),
    }
}

/// A text with things behind it, each with its own space in front. They may be a million, so nothing is written twice.
fn listed(mut text: String, things: &[impl Display]) -> String {
    things.iter().for_each(|thing| write!(text, " {thing}").expect("a string takes all"));
    text
}

/// The type of a block as it stands behind the mnemonic, with its own space in front.
fn block_type(types: &Types, ty: BlockType) -> String {
    match ty {
        BlockType::Empty => String::new(),
        BlockType::Value(ty) => format!(" (result {ty})"),
        BlockType::Func(index) if types.reads_back(index) => signature(types.at(index)),
        BlockType::Func(index) => format!(" (type {index})"),
    }
}

/// Parameters and results, each list with its own space in front: ` (param i32 i32) (result i32)`.
pub(super) fn signature(ty: &FuncType) -> String {
    let list = |keyword: &str, types: &[ValType]| match types {
        [] => String::new(),
        types => listed(format!(" ({keyword}"), types) + ")",
    };
    list("param", &ty.params) + &list("result", &ty.results)
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
