//! Owns the simulated solvers: models of a fallible reader of WebAssembly, asked like any model.
//!
//! Must not know truth, recipe or verdict: a solver answers from the text of the request alone. Its weaknesses are
//! known, named and documented ([`misconception`]), which is how an attack is shown to find what is there. A solver
//! (`simulated`) finds the program and what is asked about it in the messages (`question`), executes it as it understands
//! it (`reader`, `compute` on the values of `value` and `memory`), and writes the reply (`reply`). Names are read in `name`.

mod compute;
mod memory;
pub mod misconception;
mod name;
pub(crate) mod question;
mod reader;
mod reply;
mod simulated;
mod store;
mod value;
mod vector;

pub use name::{Documented, SolverNameError, documented};
pub use question::Unanswerable;
pub use simulated::Solver;

#[cfg(test)]
mod tests;
