//! Owns what all strategies share: they weave programs and are told what these were worth.
//!
//! Must not know models or how records are kept. Every strategy obeys the same bounds and spends the same budget.

pub mod ppo;
pub mod random;

use crate::learn;
use crate::learn::ppo::UpdateMetrics;
use crate::seed::Seed;
use crate::weave::weaver::Weaver;
use std::path::{Path, PathBuf};

/// Who chooses the programs.
pub trait Strategy: Send {
    /// Its name, as on the command line.
    fn name(&self) -> String;

    /// Weaves one finished program for each seed, in order.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Weaver>>;

    /// What the last woven programs were worth, in order; `None` for those that nothing was learned of.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    fn learn(&mut self, rewards: &[Option<f32>]) -> learn::Result<Option<UpdateMetrics>>;

    /// Saves what it has learned; the file, if it learns anything.
    ///
    /// # Errors
    /// Trouble with the file.
    fn save(&self, path: &Path) -> Result<Option<PathBuf>, crate::learn::checkpoint::CheckpointError>;
}
