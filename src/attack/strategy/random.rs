//! Owns the random strategy: chance chooses, nothing is learned.
//!
//! Must not know what the programs were worth.

use super::{Strategy, Tried, Woven};
use crate::learn;
use crate::learn::ppo::UpdateMetrics;
use crate::seed::Seed;
use crate::weave::chance::Chance;
use crate::weave::weaver::{Loom, Weaver};
use std::sync::Arc;

/// Both kinds of chance in turn: the better of them is the baseline.
pub(crate) struct Random {
    loom: Arc<Loom>,
}

impl Random {
    /// A random strategy under these settings.
    pub(crate) fn new(loom: Arc<Loom>) -> Self {
        Self { loom }
    }

    /// Which chance chooses the program at this position of a batch.
    pub(crate) fn chance(at: usize) -> Chance {
        Chance::ALL[at % Chance::ALL.len()]
    }
}

impl Strategy for Random {
    fn name(&self) -> String {
        "random".into()
    }

    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Woven>> {
        let weave = |(at, seed): (usize, &Seed)| {
            let mut weaver = Weaver::new(self.loom.clone(), seed.to_u64());
            Self::chance(at).weave(&mut weaver, &mut seed.child("choices").rng());
            weaver.into()
        };
        Ok(seeds.iter().enumerate().map(weave).collect())
    }

    fn learns(&self) -> bool {
        false
    }

    fn learn(&mut self, _: &[Tried<'_>]) -> learn::Result<Option<UpdateMetrics>> {
        Ok(None)
    }
}
