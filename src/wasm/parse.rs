//! Owns reading: WAT or WASM that anybody wrote, into a [`Program`], with the probes that its comments name.
//!
//! Must not know what a probe asks. Text is read by the `wat` crate and validated by wasmparser; the code is then
//! decoded by our own table. Comments do not survive assembling, so each probe comment becomes, before it, an
//! instruction pair with a constant that stands nowhere else, and is taken out again.

use super::isa::{Imm, Op};
use super::program::{BlockType, Export, Extern, Func, Global, Instr, Memory, Program, Seq, SeqId};
use super::types::{FuncType, ValType};
use std::collections::HashMap;
use std::sync::LazyLock;
use wasmparser::{BinaryReader, Parser, Payload};

/// What can be wrong with a module from outside.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The text is no WAT, or the bytes are no valid module.
    #[error("{0}")]
    Invalid(String),
    /// Valid, but outside of what the machine runs.
    #[error("this module uses {0}, which is not supported")]
    Unsupported(String),
}

impl From<wasmparser::BinaryReaderError> for ParseError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// A probe comment in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// What stands behind `;;`, trimmed.
    pub comment: String,
    /// The function.
    pub func: u32,
    /// Just before this entry of its flat code.
    pub pc: u32,
}

/// Reads a text whose comments `;;KEYWORD...` mark probes, for each of the keywords.
///
/// # Errors
/// See [`ParseError`].
pub fn parse_text(text: &str, keywords: &[&str]) -> Result<(Program, Vec<Marked>), ParseError> {
    let magic = unused_constant(text);
    let mut comments = Vec::new();
    let marked: Vec<String> = text.lines().map(|line| mark_line(line, keywords, magic, &mut comments)).collect();
    let bytes = wat::parse_str(marked.join("\n")).map_err(|error| ParseError::Invalid(error.to_string()))?;
    let mut program = parse_binary(&bytes)?;
    let found = take_marks(&mut program, magic);
    let marks = found.into_iter().map(|(number, func, pc)| Marked { comment: comments[number].clone(), func, pc });
    Ok((program, marks.collect()))
}

/// Puts a marker where the line's comment starts, if it is one of the keywords'.
fn mark_line(line: &str, keywords: &[&str], magic: u64, comments: &mut Vec<String>) -> String {
    let Some((code, comment)) = line.split_once(";;") else { return line.to_string() };
    let comment = comment.trim();
    if !keywords.iter().any(|keyword| comment.starts_with(keyword)) {
        return line.to_string();
    }
    comments.push(comment.to_string());
    // Two constants: the first says that this is a marker, the second which one.
    let number = comments.len() - 1;
    format!("{code}(drop (i64.const {magic})) (drop (i64.const {number}))")
}

/// A constant that stands nowhere in the text: it is the text's own hash.
fn unused_constant(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("32 bytes hold 8")) >> 1
}

/// Takes the markers out of the code and returns (number, function, pc) of each.
fn take_marks(program: &mut Program, magic: u64) -> Vec<(usize, u32, u32)> {
    let mut places = Vec::new();
    for (seq, Seq { code, .. }) in program.seqs.iter_mut().enumerate() {
        let is_mark = |instr: &Instr| instr.op == Op::I64Const && instr.b == magic;
        while let Some(index) = code.iter().position(is_mark) {
            let number = code[index + 2].b as usize;
            code.drain(index..index + 4);
            places.push((number, seq as SeqId, index as u32));
        }
    }
    let mut marks = Vec::new();
    for func in 0..program.funcs.len() as u32 {
        for (pc, flat) in program.flatten(func).iter().enumerate() {
            let here = places.iter().filter(|(_, seq, index)| (*seq, *index) == (flat.place.seq, flat.place.index));
            marks.extend(here.map(|&(number, ..)| (number, func, pc as u32)));
        }
    }
    marks.sort_unstable();
    marks
}

/// Reads a module in binary form.
///
/// # Errors
/// See [`ParseError`].
pub fn parse_binary(bytes: &[u8]) -> Result<Program, ParseError> {
    wasmparser::Validator::new_with_features(features()).validate_all(bytes)?;
    let mut program = Program::default();
    let mut func_types = Vec::new();
    let mut bodies = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    let ty = ty?;
                    program.types.push(FuncType { params: val_types(ty.params())?, results: val_types(ty.results())? });
                }
            }
            Payload::FunctionSection(section) => {
                func_types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory?;
                    let max = memory.maximum.map(|max| max as u32);
                    program.memory = Some(Memory { min: memory.initial as u32, max, import: None });
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    program.globals.push(read_global(&global?)?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == wasmparser::ExternalKind::Func {
                        program.exports.push(Export {
                            name: export.name.into(),
                            kind: Extern::Func,
                            index: export.index,
                        });
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let func = read_func(&mut program, func_types[bodies], &body)?;
                program.funcs.push(func);
                bodies += 1;
            }
            Payload::ImportSection(_) => return Err(ParseError::Unsupported("imports".into())),
            Payload::TableSection(_) | Payload::ElementSection(_) => {
                return Err(ParseError::Unsupported("tables".into()));
            }
            Payload::DataSection(_) => return Err(ParseError::Unsupported("data segments".into())),
            Payload::StartSection { .. } => return Err(ParseError::Unsupported("a start function".into())),
            _ => {}
        }
    }
    Ok(program)
}

/// WebAssembly 2.0; what the machine lacks of it is refused by name while decoding.
pub fn features() -> wasmparser::WasmFeatures {
    wasmparser::WasmFeatures::WASM2
}

fn val_type(ty: wasmparser::ValType) -> Result<ValType, ParseError> {
    match ty {
        wasmparser::ValType::I32 => Ok(ValType::I32),
        wasmparser::ValType::I64 => Ok(ValType::I64),
        wasmparser::ValType::F32 => Ok(ValType::F32),
        wasmparser::ValType::F64 => Ok(ValType::F64),
        other => Err(ParseError::Unsupported(format!("the type {other}"))),
    }
}

fn val_types(types: &[wasmparser::ValType]) -> Result<Vec<ValType>, ParseError> {
    types.iter().map(|&ty| val_type(ty)).collect()
}

fn read_global(global: &wasmparser::Global<'_>) -> Result<Global, ParseError> {
    let ty = val_type(global.ty.content_type)?;
    let mut program = Program::default();
    let mut reader = global.init_expr.get_binary_reader();
    let init = read_instr(&mut program, &mut reader)?;
    if Instr::constant(ty, 0).op != init.op {
        return Err(ParseError::Unsupported(format!("`{}` in a global's initial value", init.op.mnemonic())));
    }
    Ok(Global { ty, mutable: global.ty.mutable, init, import: None })
}

fn read_func(program: &mut Program, ty: u32, body: &wasmparser::FunctionBody<'_>) -> Result<Func, ParseError> {
    let mut locals = Vec::new();
    for run in body.get_locals_reader()? {
        let (count, ty) = run?;
        let ty = val_type(ty)?;
        locals.extend((0..count).map(|_| ty));
    }
    let mut reader = body.get_operators_reader()?.get_binary_reader();
    let body = read_code(program, &mut reader)?;
    Ok(Func { ty, locals, body, import: None })
}

/// Reads instructions to the function's own `end`. The stack of open sequences is explicit, so that no nesting a
/// stranger chose can exhaust ours.
fn read_code(program: &mut Program, reader: &mut BinaryReader<'_>) -> Result<SeqId, ParseError> {
    let body = new_seq(program);
    let mut open = vec![body];
    while let Some(&seq) = open.last() {
        let mut instr = read_instr(program, reader)?;
        match instr.op {
            Op::End => drop(open.pop()),
            Op::Else => {
                open.pop();
                let otherwise = new_seq(program);
                open.push(otherwise);
                let parent = open[open.len() - 2];
                let last = program.seqs[parent as usize].code.last_mut().expect("an `if` came before its `else`");
                *last = Instr::structured(Op::If, last.block_type(), last.body(), Some(otherwise));
            }
            Op::Block | Op::Loop | Op::If => {
                let inner = new_seq(program);
                instr = Instr::structured(instr.op, instr.block_type(), inner, None);
                program.seqs[seq as usize].code.push(instr);
                open.push(inner);
            }
            _ => program.seqs[seq as usize].code.push(instr),
        }
    }
    Ok(body)
}

fn new_seq(program: &mut Program) -> SeqId {
    program.seqs.push(Seq::default());
    program.seqs.len() as SeqId - 1
}

/// Every instruction by its opcode bytes: a prefix and a number, or one byte.
static BY_OPCODE: LazyLock<HashMap<&'static [u8], Op>> =
    LazyLock::new(|| Op::ALL.iter().map(|op| (op.row().opcode, *op)).collect());

fn read_instr(program: &mut Program, reader: &mut BinaryReader<'_>) -> Result<Instr, ParseError> {
    let op = read_opcode(reader)?;
    Ok(match op.row().imm {
        Imm::None => Instr::plain(op),
        Imm::Local | Imm::Global | Imm::Label | Imm::Func => Instr::index(op, reader.read_var_u32()?),
        Imm::MemIndex => {
            reader.read_var_u32()?;
            Instr::plain(op)
        }
        Imm::MemArg { .. } => Instr::memory(op, reader.read_var_u32()?, reader.read_var_u32()?),
        Imm::I32 => Instr { op, a: 0, b: u64::from(reader.read_var_i32()? as u32) },
        Imm::I64 => Instr { op, a: 0, b: reader.read_var_i64()? as u64 },
        Imm::F32 => Instr { op, a: 0, b: u64::from(reader.read_f32()?.bits()) },
        Imm::F64 => Instr { op, a: 0, b: reader.read_f64()?.bits() },
        Imm::BlockType => Instr::structured(op, read_block_type(reader)?, 0, None),
        Imm::LabelTable => {
            let count = reader.read_var_u32()?;
            let labels = (0..=count).map(|_| reader.read_var_u32()).collect::<Result<Vec<u32>, _>>()?;
            program.label_tables.push(labels);
            Instr::index(op, program.label_tables.len() as u32 - 1)
        }
        _ => return Err(ParseError::Unsupported(format!("`{}`", op.mnemonic()))),
    })
}

fn read_opcode(reader: &mut BinaryReader<'_>) -> Result<Op, ParseError> {
    let first = reader.read_u8()?;
    if let Some(&op) = BY_OPCODE.get(&[first][..]) {
        return Ok(op);
    }
    let unknown = |code: String| ParseError::Unsupported(format!("the instruction with opcode {code}"));
    if !matches!(first, 0xfb..=0xfe) {
        return Err(unknown(format!("{first:#04x}")));
    }
    let number = reader.read_var_u32()?;
    let found = u8::try_from(number).ok().filter(|&byte| byte < 0x80);
    found
        .and_then(|byte| BY_OPCODE.get(&[first, byte][..]).copied())
        .ok_or_else(|| unknown(format!("{first:#04x} {number}")))
}

fn read_block_type(reader: &mut BinaryReader<'_>) -> Result<BlockType, ParseError> {
    const EMPTY: i64 = -0x40;
    let code = reader.read_var_s33()?;
    match u32::try_from(code) {
        Ok(index) => Ok(BlockType::Func(index)),
        Err(_) if code == EMPTY => Ok(BlockType::Empty),
        // A negative number of one byte is the code of a value type.
        Err(_) => ValType::ALL
            .into_iter()
            .find(|ty| i64::from(ty.code()) == code & 0x7f)
            .map(BlockType::Value)
            .ok_or_else(|| ParseError::Unsupported(format!("a block type with code {:#04x}", code & 0x7f))),
    }
}
