//! Owns the strategy `map-elites`: the best program of every cell is kept, and emitters search around them.
//!
//! Must not know questions or replies. The archive has a cell for each construct, fuel bucket and verdict. Emitters
//! follow the improvement emitters of CMA-ME (Fontaine et al. 2020) as pyribs has them: each mutates a parent of its own,
//! moves to the child that added most to the archive, and begins again at an elite drawn uniformly when a whole
//! generation added nothing. A program that pays as much as the elite of its cell takes its place, since among programs
//! that pay nothing an archive would otherwise never move.

use super::{Strategy, Tried, Woven};
use crate::attack::archive::Cell;
use crate::attack::mutate::{Genome, Mutator};
use crate::learn;
use crate::learn::ppo::UpdateMetrics;
use crate::seed::{Rng, Seed};
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Emitters; each weaves an equal share of a round.
const EMITTERS: usize = 4;
/// How likely a child's tail is that of another elite.
const CROSSED: f64 = 0.3;

/// How a program changed the archive, worst first.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Change {
    None,
    /// Pays as much as the elite that it replaced, or more by so much.
    Better(f32),
    /// The first of its cell, with this worth.
    New(f32),
}

/// The archive and its emitters.
pub(crate) struct Elites {
    mutator: Mutator,
    archive: BTreeMap<Cell, (Genome, f32)>,
    /// The parent of each emitter.
    emitters: Vec<Option<Genome>>,
    /// The emitter of each program of the last round, by its place.
    emitted: Vec<usize>,
    rng: Rng,
}

impl Elites {
    /// An empty archive; what is drawn anew follows the prior.
    pub(crate) fn new(loom: Arc<Loom>, prior: &Prior, seed: Seed) -> Self {
        Self {
            mutator: Mutator::new(loom, prior),
            archive: BTreeMap::new(),
            emitters: vec![None; EMITTERS],
            emitted: Vec::new(),
            rng: seed.child("restarts").rng(),
        }
    }

    fn elite(archive: &BTreeMap<Cell, (Genome, f32)>, rng: &mut Rng) -> Option<Genome> {
        let cells = archive.len() as u32;
        (cells > 0).then(|| archive.values().nth(rng.below(cells) as usize).expect("below the count").0.clone())
    }

    fn enter(&mut self, cell: Cell, genome: Genome, worth: f32) -> Change {
        match self.archive.get(&cell) {
            Some((_, best)) if worth < *best => Change::None,
            Some((_, best)) => {
                let gained = worth - best;
                self.archive.insert(cell, (genome, worth));
                Change::Better(gained)
            }
            None => {
                self.archive.insert(cell, (genome, worth));
                Change::New(worth)
            }
        }
    }
}

impl Strategy for Elites {
    fn name(&self) -> String {
        "map-elites".into()
    }

    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Woven>> {
        for parent in self.emitters.iter_mut().filter(|parent| parent.is_none()) {
            *parent = Self::elite(&self.archive, &mut self.rng);
        }
        self.emitted = (0..seeds.len()).map(|at| at % EMITTERS).collect();
        let weave = |(&emitter, seed): (&usize, &Seed)| match &self.emitters[emitter] {
            Some(parent) => {
                let mut rng = seed.child("parents").rng();
                let other = if rng.unit() < CROSSED { Self::elite(&self.archive, &mut rng) } else { None };
                self.mutator.child(parent, other.as_ref(), *seed)
            }
            None => self.mutator.fresh(*seed),
        };
        Ok(self.emitted.iter().zip(seeds).map(weave).map(Woven::from).collect())
    }

    fn learn(&mut self, tried: &[Tried<'_>]) -> learn::Result<Option<UpdateMetrics>> {
        let mut best: Vec<(Change, Option<Genome>)> = vec![(Change::None, None); EMITTERS];
        for (at, tried) in tried.iter().enumerate() {
            let (Some(cell), Some(worth), true) = (tried.cell, tried.reward, tried.real) else { continue };
            let genome = Genome::of(&tried.woven.weaver);
            let change = self.enter(cell, genome.clone(), worth);
            // What was woven to cover the space belongs to no emitter.
            if let Some(&emitter) = self.emitted.get(at)
                && change > best[emitter].0
            {
                best[emitter] = (change, Some(genome));
            }
        }
        if !self.emitted.is_empty() {
            // An elite that was only replaced by its equal is no progress: the emitter begins again elsewhere.
            let moved = best.into_iter().map(|(change, genome)| genome.filter(|_| change > Change::Better(0.0)));
            self.emitters = moved.collect();
        }
        self.emitted.clear();
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hit_rate, loom};
    use super::*;
    use crate::cause::construct::Construct;
    use crate::cause::profile::Profile;
    use crate::item::record::Verdict;

    fn elites() -> Elites {
        Elites::new(loom(), &Prior::default(), Seed::new(1))
    }

    fn cell(fuel: u64, verdict: Verdict) -> Cell {
        Cell::new(&Profile { features: vec![], construct: Construct::Loop, fuel }, verdict)
    }

    #[test]
    fn each_cell_keeps_its_best() {
        let mut elites = elites();
        let genome = |seed| Genome { seed, actions: vec![] };
        let (wrong, correct) = (cell(20, Verdict::Wrong), cell(20, Verdict::Correct));
        assert_eq!(elites.enter(wrong, genome(1), 0.5), Change::New(0.5));
        assert_eq!(elites.enter(correct, genome(2), 0.0), Change::New(0.0));
        assert_eq!(elites.enter(wrong, genome(3), 0.25), Change::None);
        assert_eq!(elites.enter(wrong, genome(4), 0.75), Change::Better(0.25));
        assert_eq!(elites.enter(correct, genome(5), 0.0), Change::Better(0.0));
        assert_eq!(elites.archive[&wrong].0.seed, 4);
        assert_eq!(elites.archive[&correct].0.seed, 5, "an equal takes the place");
        assert!(Change::New(0.0) > Change::Better(1.0) && Change::Better(0.0) > Change::None);
    }

    #[test]
    fn emitters_move_to_what_is_new_and_begin_again_without_it() {
        let mut elites = elites();
        let seeds: Vec<Seed> = (0..8).map(|n| Seed::new(7).indexed("program", n)).collect();
        let woven = elites.weave(&seeds).expect("no tensors");
        let tried: Vec<Tried<'_>> = woven
            .iter()
            .enumerate()
            .map(|(at, woven)| {
                let cell = Some(cell(if at == 5 { 100 } else { 10 }, Verdict::Wrong));
                Tried { woven, reward: Some(0.5), cell, real: true }
            })
            .collect();
        elites.learn(&tried).expect("no tensors");
        // Program 0 opened the first cell, program 5 the second; all others are no better than 0.
        let parents: Vec<Option<u64>> =
            elites.emitters.iter().map(|parent| parent.as_ref().map(|genome| genome.seed)).collect();
        assert_eq!(parents, [Some(woven[0].weaver.seed()), Some(woven[5].weaver.seed()), None, None]);
    }

    #[test]
    fn what_pays_is_found_again() {
        let (early, late) = hit_rate(&mut elites());
        assert!(late > 1.5 * early, "{early} then {late}");
    }
}
