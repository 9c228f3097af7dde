//! Owns the language: types, exact arithmetic, the instruction table, programs, the machine that runs them, their
//! binary and text forms, and the second opinion of wasmtime.
//!
//! Must not know how programs are made, what is asked about them, or who answers.

pub mod effect;
pub mod encode;
pub mod explain;
pub mod inspect;
pub mod isa;
pub mod machine;
pub mod numeric;
pub mod oracle;
pub mod parse;
pub mod print;
pub mod program;
pub mod rerun;
pub mod schema;
pub mod survey;
pub mod trap;
pub mod types;
