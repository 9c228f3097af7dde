//! Owns covering: the first share of a budget goes over the whole space, so that no misconception stays unmet.
//!
//! Must not know strategies or verdicts: it is the same for all that learn. Each query has a focus, in turn every
//! category of instructions and every construct that the preset allows: programs in which it is frequent. Of several
//! such programs the search asks the one whose answer depends on most that is new: instructions, with the buckets of
//! their operands, edge values among them (a greedy cover, as coverage-guided fuzzers have it).

use crate::cause::profile::Profile;
use crate::seed::Seed;
use crate::wasm::isa::{Category, Op};
use crate::weave::action::Action;
use crate::weave::prior::{Prior, Taste};
use crate::weave::weaver::{Loom, Weaver};
use std::collections::HashSet;
use std::sync::Arc;

/// Programs that are woven for one query.
pub(crate) const CANDIDATES: usize = 8;
/// Instructions that make constructs; what is a category of its own is not among them.
const CONSTRUCTS: [Op; 6] = [Op::Loop, Op::If, Op::BrIf, Op::BrTable, Op::Call, Op::CallIndirect];
/// What the focus weighs beside all else together.
const WEIGHT: f32 = 0.5;

/// What was covered, and what comes next.
pub struct Cover {
    loom: Arc<Loom>,
    /// One for each focus.
    tastes: Vec<Taste>,
    /// The focus of the next query.
    next: usize,
    met: HashSet<u16>,
}

impl Cover {
    /// Of what these settings allow. Beside its focus a program follows the prior.
    pub fn new(loom: Arc<Loom>, prior: &Prior) -> Self {
        let allowed = loom.config.instructions();
        let is_allowed = |op: Op| allowed.contains(Action::Instr(op));
        let in_use = |category: &Category| Op::ALL.iter().any(|&op| op.row().category == *category && is_allowed(op));
        let categories: Vec<Category> = Category::ALL.iter().copied().filter(in_use).collect();
        let weight = |category: Category| prior.categories.get(category.name()).copied().unwrap_or(1.0);
        let total =
            categories.iter().map(|&category| weight(category)).sum::<f32>() + prior.instructions.values().sum::<f32>();
        let mut foci: Vec<Prior> = Vec::new();
        for category in categories {
            let mut focus = prior.clone();
            focus.categories.insert(category.name().into(), weight(category).max(WEIGHT * total));
            foci.push(focus);
        }
        for op in CONSTRUCTS.into_iter().filter(|&op| is_allowed(op)) {
            let mut focus = prior.clone();
            focus.instructions.insert(op.mnemonic().into(), WEIGHT * total);
            foci.push(focus);
        }
        let tastes = foci.iter().map(|focus| focus.taste(&allowed)).collect();
        Self { loom, tastes, next: 0, met: HashSet::new() }
    }

    /// Weaves [`CANDIDATES`] programs for each query, one after the other for each.
    ///
    /// # Panics
    /// If the number of seeds is no multiple of that.
    pub fn weave(&mut self, seeds: &[Seed]) -> Vec<Weaver> {
        let (queries, []) = seeds.as_chunks::<CANDIDATES>() else { panic!("{CANDIDATES} seeds for each query") };
        let mut woven = Vec::with_capacity(seeds.len());
        for query in queries {
            let taste = &self.tastes[self.next % self.tastes.len()];
            self.next += 1;
            woven.extend(query.iter().map(|seed| {
                let mut weaver = Weaver::new(self.loom.clone(), seed.to_u64());
                taste.weave(&mut weaver, &mut seed.child("choices").rng());
                weaver
            }));
        }
        woven
    }

    /// For each query the number of the program that is asked about: that with most that is new. None where there is
    /// nothing to ask about any of them.
    pub fn choose(&mut self, profiles: &[Option<&Profile>]) -> Vec<usize> {
        let mut chosen = Vec::new();
        for (query, candidates) in profiles.chunks(CANDIDATES).enumerate() {
            let new = |profile: &Profile| profile.features.iter().filter(|at| !self.met.contains(at)).count();
            let asked = candidates.iter().enumerate().filter_map(|(at, profile)| Some((at, (*profile)?)));
            // Of equals the first.
            let best = asked.rev().max_by_key(|(_, profile)| new(profile));
            if let Some((at, profile)) = best {
                self.met.extend(&profile.features);
                chosen.push(query * CANDIDATES + at);
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests;
