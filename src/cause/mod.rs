//! Owns causes: what an answer was computed of, the facts about that computation, and changing one of them.
//!
//! Must not know models, answers or statistics: it reads a program and what is asked about it. What goes with misses is
//! for those above to find out.

pub mod construct;
pub mod facts;
mod flow;
pub mod mutant;
pub mod profile;
pub mod twin;
