//! Owns the constructs: what a program, or the part of it that a question is about, is mostly made of.
//!
//! Must not know what counts them.

use crate::wasm::isa::{Category, Op};

/// What a program is mostly about. Of several with as many votes the first stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Construct {
    /// Functions that call themselves.
    Recursion,
    /// Code that runs again.
    Loop,
    /// Code of a called function.
    Call,
    /// Shifts and rotations.
    Shift,
    /// Other bitwise instructions.
    Bitwise,
    /// Integer arithmetic.
    Arithmetic,
    /// Integer comparisons.
    Comparison,
    /// Floats, their comparisons among them.
    Float,
    /// Conversions.
    Conversion,
    /// Vectors.
    Vector,
    /// Loads, stores, stretches of memory.
    Memory,
    /// Tables and references.
    Table,
    /// Conditions: branches, `if`, `select`.
    Branch,
    /// Constants and variables alone.
    Other,
}

impl Construct {
    /// What an instruction speaks for; constants and variables speak for nothing.
    pub fn of(op: Op) -> Option<Self> {
        Some(match op.row().category {
            Category::Control | Category::Parametric => Self::Branch,
            Category::Call => Self::Call,
            Category::Load | Category::Store | Category::Memory => Self::Memory,
            Category::Table | Category::Reference => Self::Table,
            Category::IntArithmetic => Self::Arithmetic,
            Category::IntBitwise if is_shift(op) => Self::Shift,
            Category::IntBitwise => Self::Bitwise,
            Category::IntComparison => Self::Comparison,
            Category::FloatArithmetic | Category::FloatComparison => Self::Float,
            Category::Conversion => Self::Conversion,
            Category::VectorInt | Category::VectorFloat | Category::VectorComparison | Category::VectorLane => {
                Self::Vector
            }
            Category::Local | Category::Global | Category::Const => return None,
        })
    }

    /// Its name in cells.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recursion => "recursion",
            Self::Loop => "loop",
            Self::Call => "call",
            Self::Shift => "shift",
            Self::Bitwise => "bitwise",
            Self::Arithmetic => "arithmetic",
            Self::Comparison => "comparison",
            Self::Float => "float",
            Self::Conversion => "conversion",
            Self::Vector => "vector",
            Self::Memory => "memory",
            Self::Table => "table",
            Self::Branch => "branch",
            Self::Other => "other",
        }
    }
}

fn is_shift(op: Op) -> bool {
    op.mnemonic().split('.').nth(1).is_some_and(|word| word.starts_with("sh") || word.starts_with("rot"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_are_no_other_bitwise_instructions() {
        for (op, construct) in [
            (Op::I32Shl, Some(Construct::Shift)),
            (Op::I64Rotr, Some(Construct::Shift)),
            (Op::I32And, Some(Construct::Bitwise)),
            (Op::F32Add, Some(Construct::Float)),
            (Op::BrIf, Some(Construct::Branch)),
            (Op::LocalGet, None),
            (Op::I32Const, None),
        ] {
            assert_eq!(Construct::of(op), construct, "{op:?}");
        }
    }
}
