//! Owns the ways in which a program can trap.
//!
//! Must not know instructions: the table says which of them traps how.

use serde::{Deserialize, Serialize};

/// Why execution ended early. Its text is the message of the official test suite (`assert_trap`), so that it reads the
/// same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Trap {
    /// `unreachable` was executed.
    #[error("unreachable")]
    Unreachable,
    /// Division or remainder by zero.
    #[error("integer divide by zero")]
    IntegerDivideByZero,
    /// The quotient or the truncated float does not fit the result type.
    #[error("integer overflow")]
    IntegerOverflow,
    /// Truncation of a NaN.
    #[error("invalid conversion to integer")]
    InvalidConversionToInteger,
    /// An access that ends past the end of the memory.
    #[error("out of bounds memory access")]
    MemoryOutOfBounds,
    /// An access past the end of a table or an element segment, other than by an indirect call.
    #[error("out of bounds table access")]
    TableOutOfBounds,
    /// An indirect call past the end of its table.
    #[error("undefined element")]
    UndefinedElement,
    /// An indirect call of a null reference.
    #[error("uninitialized element")]
    UninitializedElement,
    /// An indirect call of a function with another type.
    #[error("indirect call type mismatch")]
    IndirectCallTypeMismatch,
    /// Calls nested too deeply.
    #[error("call stack exhausted")]
    CallStackExhausted,
    /// The step budget is spent. No trap of the specification, so the text is wasmtime's.
    #[error("all fuel consumed by WebAssembly")]
    OutOfFuel,
}

impl Trap {
    /// Every trap.
    pub const ALL: [Trap; 11] = [
        Trap::Unreachable,
        Trap::IntegerDivideByZero,
        Trap::IntegerOverflow,
        Trap::InvalidConversionToInteger,
        Trap::MemoryOutOfBounds,
        Trap::TableOutOfBounds,
        Trap::UndefinedElement,
        Trap::UninitializedElement,
        Trap::IndirectCallTypeMismatch,
        Trap::CallStackExhausted,
        Trap::OutOfFuel,
    ];
}
