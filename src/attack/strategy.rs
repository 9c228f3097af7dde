//! Owns what all strategies share: they weave programs and are told what these were worth.
//!
//! Must not know models or how records are kept. Every strategy obeys the same bounds and spends the same budget. Those
//! that learn are told first of programs that they did not choose: a share of every budget covers the space.

pub(crate) mod elites;
pub(crate) mod evolve;
pub(crate) mod matched;
pub(crate) mod ppo;
pub(crate) mod random;

use super::archive::Cell;
use crate::learn;
use crate::learn::ppo::UpdateMetrics;
use crate::seed::Seed;
use crate::weave::weaver::Weaver;
use std::path::{Path, PathBuf};

/// A program with the choices that made it.
#[derive(Clone, Debug)]
pub struct Woven {
    /// The finished program.
    pub weaver: Weaver,
    /// The part of its places at which it is asked about; `None` leaves that to chance.
    pub place: Option<u8>,
}

impl From<Weaver> for Woven {
    fn from(weaver: Weaver) -> Self {
        Self { weaver, place: None }
    }
}

/// A program, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Tried<'a> {
    /// The finished program.
    pub woven: &'a Woven,
    /// What it was worth; `None` where nothing can be learned of it.
    pub reward: Option<f32>,
    /// Its cell; `None` where there was nothing to ask, or no finished reply.
    pub cell: Option<Cell>,
    /// Whether its worth is known; otherwise it is what a predictor expects.
    pub real: bool,
}

/// Who chooses the programs.
pub trait Strategy: Send {
    /// Its name, as on the command line.
    fn name(&self) -> String;

    /// Weaves one finished program for each seed, in order.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Woven>>;

    /// Whether it makes anything of [`Strategy::learn`]: only then does the budget begin with covering the space.
    fn learns(&self) -> bool {
        true
    }

    /// What programs were worth: those of the last round, woven by it or to cover the space.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    fn learn(&mut self, tried: &[Tried<'_>]) -> learn::Result<Option<UpdateMetrics>>;

    /// Saves what it has learned; the file, if there is something to save.
    ///
    /// # Errors
    /// Trouble with the file.
    fn save(&self, path: &Path) -> Result<Option<PathBuf>, crate::learn::checkpoint::CheckpointError> {
        let _ = path;
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
