//! Owns the simulated solvers: models of a fallible reader of WebAssembly, asked like any model.
//!
//! Must not know truth, recipe or verdict: a solver answers from the text of the request alone. Its weaknesses are
//! known, named and documented ([`misconception`]), which is how an attack is shown to find what is there. A solver
//! finds the program and what is asked about it in the messages (`question`), executes it as it understands it (`reader`, `compute`
//! on the values of `value` and `memory`), and writes the reply (`reply`). Names are read in `name`.

mod compute;
mod memory;
pub mod misconception;
mod name;
pub(crate) mod question;
mod reader;
mod reply;
mod store;
mod value;
mod vector;

pub use name::{Documented, SolverNameError, documented};
pub use question::Unanswerable;

use crate::item::message::Message;
use misconception::Misconceptions;
use question::Question;

/// A simulated solver. [`str::parse`] makes one of its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solver {
    /// What it gets wrong.
    pub misconceptions: Misconceptions,
    /// The probability that one slot of a reply is wrong for no reason, 0 to 1.
    pub noise: f64,
}

impl Solver {
    /// The solver that makes no mistake.
    pub const ORACLE: Self = Self { misconceptions: Misconceptions::NONE, noise: 0.0 };

    /// The reply to a conversation. A function of its arguments alone.
    ///
    /// # Errors
    /// If there is no program in the messages that something is asked about.
    pub fn reply(&self, messages: &[Message], seed: Option<u64>) -> Result<String, Unanswerable> {
        Ok(self.reply_within(&Question::find(messages)?, (messages, seed), reader::MAX_STEPS))
    }

    /// The reply to a question after at most so many instructions; slips are drawn from the conversation and the seed.
    pub(crate) fn reply_within(
        &self,
        question: &Question,
        (messages, seed): (&[Message], Option<u64>),
        steps: usize,
    ) -> String {
        let mut answer = reader::read_within(question, self.misconceptions, steps);
        reply::slip(&mut answer, self.noise, messages, seed);
        reply::write(&answer)
    }
}

#[cfg(test)]
mod tests;
