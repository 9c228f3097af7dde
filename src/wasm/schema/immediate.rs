//! Owns the description of immediates: fields in the order of the binary format.
//!
//! Must not know instructions.

use crate::wasm::isa::Imm;
use Encoding::{Byte, Bytes, Indices, Signed, Types, U32, Zero};
use serde::{Serialize, Serializer};
use std::fmt;

/// How a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// An unsigned LEB128 number of 32 bits.
    U32,
    /// A signed LEB128 number of so many bits.
    Signed(u8),
    /// One byte.
    Byte,
    /// One byte, zero.
    Zero,
    /// So many bytes.
    Bytes(u8),
    /// A count, and so many [`Encoding::U32`].
    Indices,
    /// A count, and so many value types.
    Types,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::U32 => f.write_str("u32"),
            Self::Signed(bits) => write!(f, "s{bits}"),
            Self::Byte => f.write_str("byte"),
            Self::Zero => f.write_str("byte 0x00"),
            Self::Bytes(count) => write!(f, "{count} bytes"),
            Self::Indices => f.write_str("vec(u32)"),
            Self::Types => f.write_str("vec(valtype)"),
        }
    }
}

impl Serialize for Encoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One field behind an opcode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Immediate {
    /// What it is.
    pub name: &'static str,
    /// How it is written.
    pub encoding: Encoding,
    /// What it means.
    pub meaning: String,
}

fn field(name: &'static str, encoding: Encoding, meaning: impl Into<String>) -> Immediate {
    Immediate { name, encoding, meaning: meaning.into() }
}

/// The fields of an immediate.
pub fn immediates(imm: Imm) -> Vec<Immediate> {
    let index = |name, meaning: &str| field(name, U32, meaning);
    let memory = || field("memory", Zero, "the memory, of which there is one");
    match imm {
        Imm::None => vec![],
        Imm::BlockType => {
            let meaning =
                "0x40 for [] -> [], the byte of a value type for [] -> [t], or else the index of a function type";
            vec![field("block type", Signed(33), meaning)]
        }
        Imm::Label => {
            vec![index("label", "how many blocks to leave: 0 is the innermost, the function itself the last")]
        }
        Imm::LabelTable => vec![
            field("labels", Indices, "the targets by index"),
            index("default", "the target of every index past the end"),
        ],
        Imm::Func => vec![index("function", "a function, imported ones first")],
        Imm::Local => vec![index("local", "a local, parameters first")],
        Imm::Global => vec![index("global", "a global, imported ones first")],
        Imm::MemArg { width } => memory_access(width),
        Imm::MemIndex => vec![memory()],
        Imm::MemMem => {
            vec![field("memory", Zero, "the memory that is written"), field("memory", Zero, "the memory that is read")]
        }
        Imm::DataMem => vec![index("data", "the data segment that is read"), memory()],
        Imm::Data => vec![index("data", "a data segment")],
        Imm::TypeTable => vec![
            index("type", "the function type that is called"),
            index("table", "where the function is found; the text format has it in front of the type"),
        ],
        Imm::Table => vec![index("table", "a table, imported ones first")],
        Imm::TableTable => {
            vec![index("table", "the table that is written"), index("table", "the table that is read")]
        }
        Imm::ElemTable => vec![
            index("elem", "the element segment that is read"),
            index("table", "the table that is written; the text format has it in front of the segment"),
        ],
        Imm::Elem => vec![index("elem", "an element segment")],
        Imm::HeapType => vec![field("heap type", Byte, "0x70 for func, 0x6f for extern")],
        Imm::ValTypes => vec![field("types", Types, "the type of the operands; exactly one")],
        Imm::V128 => vec![field("value", Bytes(16), "lane 0 first, each lane little-endian")],
        Imm::Shuffle => {
            vec![field("lanes", Bytes(16), "for each lane of the result, which of the 32 lanes of both operands")]
        }
        Imm::Lane { width } => vec![lane(width)],
        Imm::MemArgLane { width } => {
            let mut fields = memory_access(width);
            fields.push(lane(width));
            fields
        }
        Imm::I32 => vec![field("value", Signed(32), "signed; an unsigned number has the same bits")],
        Imm::I64 => vec![field("value", Signed(64), "signed; an unsigned number has the same bits")],
        Imm::F32 => vec![field("value", Bytes(4), "IEEE 754 binary32, little-endian")],
        Imm::F64 => vec![field("value", Bytes(8), "IEEE 754 binary64, little-endian")],
    }
}

fn memory_access(width: u8) -> Vec<Immediate> {
    let most = width.trailing_zeros();
    vec![
        field("align", U32, format!("a hint: the address is a multiple of 2 to this power, which is at most {most}")),
        field("offset", U32, format!("is added to the address; {width} bytes are accessed there")),
    ]
}

fn lane(width: u8) -> Immediate {
    field("lane", Byte, format!("a lane number, less than {}", 16 / width))
}
