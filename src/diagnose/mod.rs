//! Owns diagnosis: which questions tell most about what a reader gets wrong, and what their answers say of it.
//!
//! Must not know HTTP or files: it weaves candidates (`pool`), says which are asked next, is told the answers, and keeps
//! what is believed. Hypotheses are mutants ([`crate::cause::mutant`]): each predicts an answer to each
//! question that it touches. This is adaptive group testing with noise: a right answer speaks against all mutants that
//! would have been wrong, a wrong one for those that give its very value.

pub mod candidate;
pub mod designer;
pub mod diagnosis;
pub mod heard;
pub mod pool;
pub mod posterior;
