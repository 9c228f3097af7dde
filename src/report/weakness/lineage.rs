//! Owns lineages: which questions are about relatives.
//!
//! Must not know verdicts. Strategies that mutate ask about many children of one program. What a family shares goes with
//! its misses, whether or not it causes any; so a family may stand on one side of a test alone, and count there once.
//! Ancestry is read from recipes, so that runs of any strategy and any age have it: a child has its parent's seed, or a
//! long stretch of its choices, which programs that were chosen apart never have in common.

use crate::item::record::Record;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Choices in a row that only relatives have in common.
const STRETCH: usize = 20;

/// The number of each record's lineage: equal for relatives, and for programs that count as the same.
pub(super) fn lineages(records: &[&Record]) -> Vec<usize> {
    let mut families = Families { parents: (0..records.len()).collect() };
    let mut forms = HashMap::new();
    let mut seeds = HashMap::new();
    let mut stretches: HashMap<&[u16], usize> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        let recipe = &record.item.recipe;
        families.meet(&mut forms, record.item.canonical.as_str(), at);
        if !recipe.actions.is_empty() {
            families.meet(&mut seeds, recipe.seed, at);
            let whole = recipe.actions.len().min(STRETCH);
            recipe.actions.windows(whole).for_each(|stretch| families.meet(&mut stretches, stretch, at));
        }
    }
    (0..records.len()).map(|at| families.root(at)).collect()
}

/// A forest in which every tree is a family; its root has the smallest number.
struct Families {
    parents: Vec<usize>,
}

impl Families {
    fn root(&mut self, mut at: usize) -> usize {
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    /// A program that has something of an earlier one is related to it.
    fn meet<K: Eq + std::hash::Hash>(&mut self, known: &mut HashMap<K, usize>, key: K, at: usize) {
        match known.entry(key) {
            Entry::Vacant(entry) => _ = entry.insert(at),
            Entry::Occupied(entry) => {
                let (a, b) = (self.root(*entry.get()), self.root(at));
                self.parents[a.max(b)] = a.min(b);
            }
        }
    }
}
