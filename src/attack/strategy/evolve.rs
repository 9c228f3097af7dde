//! Owns the strategy `evolve`: programs that paid have children, and what paid long ago counts less.
//!
//! Must not know questions or replies. Tournament selection on a population in which worth fades with age (after aging
//! evolution, Real et al. 2019): without fading, one lucky program would be the parent of everything; if age alone
//! decided, as there, a rare miss would be gone before it has found its like.

use super::{Strategy, Tried, Woven};
use crate::attack::mutate::{Genome, Mutator};
use crate::learn;
use crate::learn::ppo::UpdateMetrics;
use crate::seed::{Rng, Seed};
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use std::sync::Arc;

/// Programs that can have children.
const POPULATION: usize = 128;
/// How many of them each tournament draws.
const TOURNAMENT: usize = 16;
/// What is left of a program's worth after one more round.
const FADING: f32 = 0.95;
/// The share of the programs that have no parents.
const NEWCOMERS: f64 = 0.1;
/// The share of the children that have two parents.
const CROSSED: f64 = 0.3;

struct Individual {
    genome: Genome,
    worth: f32,
}

/// Mutation and selection.
pub(crate) struct Evolve {
    mutator: Mutator,
    /// The most worthy first, of equals the youngest.
    population: Vec<Individual>,
}

impl Evolve {
    /// An empty population; what is drawn anew follows the prior.
    pub(crate) fn new(loom: Arc<Loom>, prior: &Prior) -> Self {
        Self { mutator: Mutator::new(loom, prior), population: Vec::new() }
    }

    /// The winner of a tournament: the population is in order, so the first of those drawn.
    fn winner(&self, rng: &mut Rng) -> &Genome {
        let drawn = (0..TOURNAMENT).map(|_| rng.below(self.population.len() as u32) as usize);
        &self.population[drawn.min().expect("a tournament has players")].genome
    }
}

impl Strategy for Evolve {
    fn name(&self) -> String {
        "evolve".into()
    }

    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Woven>> {
        let weave = |seed: &Seed| {
            let mut rng = seed.child("parents").rng();
            if self.population.is_empty() || rng.unit() < NEWCOMERS {
                return self.mutator.fresh(*seed);
            }
            let parent = self.winner(&mut rng);
            let other = (rng.unit() < CROSSED).then(|| self.winner(&mut rng));
            self.mutator.child(parent, other, *seed)
        };
        Ok(seeds.iter().map(weave).map(Woven::from).collect())
    }

    fn learn(&mut self, tried: &[Tried<'_>]) -> learn::Result<Option<UpdateMetrics>> {
        self.population.iter_mut().for_each(|individual| individual.worth *= FADING);
        let born = tried
            .iter()
            .filter(|tried| tried.real)
            .filter_map(|tried| Some(Individual { genome: Genome::of(&tried.woven.weaver), worth: tried.reward? }));
        // The sort is stable: of equals those born last come first.
        let old = std::mem::take(&mut self.population);
        self.population = born.chain(old).collect();
        self.population.sort_by(|a, b| b.worth.total_cmp(&a.worth));
        self.population.truncate(POPULATION);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hit_rate, loom};
    use super::*;

    #[test]
    fn worth_fades_and_the_worthy_stay() {
        let mut evolve = Evolve::new(loom(), &Prior::default());
        let woven = evolve.weave(&[Seed::new(0)]).expect("no tensors")[0].clone();
        let tried = |reward| Tried { woven: &woven, reward, cell: None, real: true };
        evolve.learn(&[tried(Some(1.0)), tried(None)]).expect("no tensors");
        assert_eq!(evolve.population.len(), 1, "nothing is learned of a program without a worth");
        for _ in 0..10 {
            evolve.learn(&vec![tried(Some(0.0)); 32]).expect("no tensors");
        }
        assert_eq!(evolve.population.len(), POPULATION);
        assert!((evolve.population[0].worth - FADING.powi(10)).abs() < 1e-6);
        assert_eq!(evolve.population[1].worth, 0.0);
    }

    #[test]
    fn what_pays_becomes_frequent() {
        let (early, late) = hit_rate(&mut Evolve::new(loom(), &Prior::default()));
        assert!(late > 0.5 && late > 2.0 * early, "{early} then {late}");
    }
}
