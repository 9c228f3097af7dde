//! Owns the solver: what it gets wrong, and its reply to a conversation.
//!
//! Must not know its name. It finds the question, reads the program as it understands it, and writes down what it found.

use super::misconception::Misconceptions;
use super::question::{FoundQuestion, Unanswerable};
use super::{reader, reply};
use crate::item::message::Message;

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
        Ok(self.reply_within(&FoundQuestion::find(messages)?, messages, seed, reader::MAX_STEPS))
    }

    /// The reply to a question after at most so many instructions; slips are drawn from the conversation and the seed.
    pub(crate) fn reply_within(
        &self,
        question: &FoundQuestion,
        messages: &[Message],
        seed: Option<u64>,
        steps: usize,
    ) -> String {
        let mut answer = reader::read_within(question, self.misconceptions, steps);
        reply::slip(&mut answer, self.noise, messages, seed);
        reply::write(&answer)
    }
}
