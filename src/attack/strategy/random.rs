//! Owns the random strategies: chance chooses, nothing is learned.
//!
//! Must not know what the programs were worth.

use super::Strategy;
use crate::learn;
use crate::learn::checkpoint::CheckpointError;
use crate::learn::ppo::UpdateMetrics;
use crate::seed::Seed;
use crate::weave::chance::Chance;
use crate::weave::weaver::{Loom, Weaver};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Both kinds of chance in turn: the better of them is the baseline.
pub struct Random {
    loom: Arc<Loom>,
}

impl Random {
    /// A random strategy under these settings.
    pub fn new(loom: Arc<Loom>) -> Self {
        Self { loom }
    }

    /// Which chance chooses the program at this position of a batch.
    pub fn chance(at: usize) -> Chance {
        Chance::ALL[at % Chance::ALL.len()]
    }
}

impl Strategy for Random {
    fn name(&self) -> String {
        "random".into()
    }

    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Weaver>> {
        let weave = |(at, seed): (usize, &Seed)| {
            let mut weaver = Weaver::new(self.loom.clone(), seed.to_u64());
            Self::chance(at).weave(&mut weaver, &mut seed.child("choices").rng());
            weaver
        };
        Ok(seeds.iter().enumerate().map(weave).collect())
    }

    fn learn(&mut self, _: &[Option<f32>]) -> learn::Result<Option<UpdateMetrics>> {
        Ok(None)
    }

    fn save(&self, _: &Path) -> Result<Option<PathBuf>, CheckpointError> {
        Ok(None)
    }
}
