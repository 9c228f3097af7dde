//! Owns the models at this program's own endpoint: the simulated solvers and the guessers, side by side.
//!
//! Must not know how they come to their answers. Names may be given with their prefix (`sim/novice`, `guess/zero`) or
//! without; no solver is called as a guesser is.

use super::chat::Message;
use super::guess::learned::Learned;
use super::guess::{Guesser, Posed, reply};
use super::serve::{RespondError, Responder};
use crate::item::record::Task;
use crate::solver::{Solver, documented};
use std::collections::BTreeMap;

/// All simulated solvers, behind one endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct Solvers;

impl Responder for Solvers {
    fn models(&self) -> Vec<String> {
        documented().into_iter().map(|documented| documented.name).collect()
    }

    fn respond(&self, model: &str, messages: &[Message], seed: Option<u64>) -> Result<String, RespondError> {
        let solver: Solver = model.parse().map_err(|_| RespondError::UnknownModel(model.into()))?;
        solver.reply(messages, seed).map_err(|problem| RespondError::BadRequest(problem.to_string()))
    }
}

/// All that answer here.
#[derive(Clone, Debug, Default)]
pub struct Residents {
    /// What `guess/learned` has learned of each task; without any, it is not served.
    pub learned: BTreeMap<Task, Learned>,
}

impl Residents {
    fn guess(&self, guesser: Guesser, messages: &[Message]) -> Result<String, RespondError> {
        let posed = Posed::find(messages).map_err(|problem| RespondError::BadRequest(problem.to_string()))?;
        let answer = guesser.answer(&posed, self.learned.get(&posed.task));
        answer.as_ref().map(reply).ok_or_else(|| {
            RespondError::BadRequest(format!(
                "{} has not learned this task; start with a --preset of it",
                guesser.model()
            ))
        })
    }
}

impl Responder for Residents {
    fn models(&self) -> Vec<String> {
        let awake = |guesser: &Guesser| *guesser != Guesser::Learned || !self.learned.is_empty();
        let guessers = Guesser::ALL.into_iter().filter(awake).map(Guesser::model);
        Solvers.models().into_iter().chain(guessers).collect()
    }

    fn respond(&self, model: &str, messages: &[Message], seed: Option<u64>) -> Result<String, RespondError> {
        match model.parse() {
            Ok(guesser) => self.guess(guesser, messages),
            Err(_) => Solvers.respond(model, messages, seed),
        }
    }
}

#[cfg(test)]
mod tests;
