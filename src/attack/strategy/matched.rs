//! Owns the strategy `matched`: random programs with the length and the instructions of those that another attack asked.
//!
//! Must not know how that attack chose them, nor what came of them. It is the control for "long programs fail by
//! themselves" and "programs full of shifts fail by themselves": an attack that only found out which instructions, and how
//! many of them, its model gets wrong does no better than this. Each program has a pattern, the program that the other
//! attack asked at the same place, so that it is matched over time as well. The pattern's instructions (those of dead code
//! among them) are put in a bag; of those that are legal one is drawn. What is seldom legal, or fell behind in earlier
//! programs, is the more likely, or operations on two operands would stay in the bag. Only where none is legal another one
//! is drawn, of those that fell behind. When as many stand as in the pattern, the program ends as soon as it may. Order, operands, constants and
//! branches are chance.

use super::{Strategy, Tried, Woven};
use crate::learn;
use crate::learn::ppo::UpdateMetrics;
use crate::seed::{Rng, Seed};
use crate::wasm::isa::Op;
use crate::weave::weaver::{Loom, Phase, Weaver};
use std::sync::Arc;

/// How often an instruction that did not fall behind is drawn where none of the bag is legal, beside one that is one
/// short: seldom, but some must be.
const FOREIGN: f64 = 0.01;

/// Chance with the mix of another attack.
pub(crate) struct Matched {
    loom: Arc<Loom>,
    /// How often each instruction stands in each pattern: (instruction, times).
    patterns: Vec<Vec<(usize, u32)>>,
    /// How often each instruction should stand in the programs so far, and how often it does.
    wanted: Vec<f64>,
    placed: Vec<f64>,
    /// How often each instruction was legal so far, of so many times.
    legal: Vec<f64>,
    steps: f64,
    /// The pattern of the next program.
    next: usize,
}

/// There is nothing to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no program that `matched` could be like")]
pub(crate) struct NoPattern;

impl Matched {
    /// Like these programs, each given by its choices, in this order; past the last from the first again.
    ///
    /// # Errors
    /// If there are none.
    pub(crate) fn new<'a>(loom: Arc<Loom>, programs: impl Iterator<Item = &'a [u16]>) -> Result<Self, NoPattern> {
        let patterns: Vec<Vec<(usize, u32)>> = programs.map(pattern).collect();
        if patterns.is_empty() {
            return Err(NoPattern);
        }
        let none = vec![0.0; Op::COUNT];
        let (wanted, placed) = (none.clone(), none);
        Ok(Self { loom, patterns, wanted, placed, legal: vec![1.0; Op::COUNT], steps: 1.0, next: 0 })
    }

    fn weave_like(&mut self, pattern: usize, seed: Seed) -> Weaver {
        let mut weaver = Weaver::new(self.loom.clone(), seed.to_u64());
        let mut rng = seed.child("choices").rng();
        let mut bag = vec![0u32; Op::COUNT];
        for &(op, times) in &self.patterns[pattern] {
            bag[op] = times;
            self.wanted[op] += f64::from(times);
        }
        let mut left: u32 = bag.iter().sum();
        while weaver.phase() != Phase::Done {
            let number = if weaver.phase() == Phase::Instr {
                let op = self.choose(&weaver, &bag, left, &mut rng);
                bag[op] = bag[op].saturating_sub(1);
                self.placed[op] += 1.0;
                left = left.saturating_sub(1);
                op
            } else {
                weaver.legal().pick(&mut rng)
            };
            weaver.step_number(number);
        }
        weaver
    }

    fn choose(&mut self, weaver: &Weaver, bag: &[u32], left: u32, rng: &mut Rng) -> usize {
        let end = Op::End.index();
        let mut legal: Vec<usize> = weaver.legal().numbers().collect();
        if left == 0 && legal.contains(&end) {
            return end;
        }
        // An early `end` of the outermost block would cut the program short; inner blocks have theirs in the bag.
        if left > 1 && weaver.scope().depth == 0 && legal.len() > 1 {
            legal.retain(|&op| op != end);
        }
        for &op in &legal {
            self.legal[op] += 1.0;
        }
        self.steps += 1.0;
        // What fell behind so far catches up.
        let behind = |op: usize| (self.wanted[op] + 1.0) / (self.placed[op] + 1.0);
        let own: Vec<f64> =
            legal.iter().map(|&op| f64::from(bag[op]) * behind(op).powi(2) * self.steps / self.legal[op]).collect();
        let has_own = own.iter().any(|&weight| weight > 0.0);
        let mix = legal.iter().map(|&op| (self.wanted[op] - self.placed[op]).max(FOREIGN)).collect();
        legal[draw(if has_own { own } else { mix }, rng)]
    }
}

/// The instructions among a program's choices, and how often each stands there.
fn pattern(actions: &[u16]) -> Vec<(usize, u32)> {
    let mut counts = std::collections::BTreeMap::new();
    for op in actions.iter().map(|&action| usize::from(action)).filter(|&action| action < Op::COUNT) {
        *counts.entry(op).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// The place of one of several weights, in proportion to it; at least one is above 0.
fn draw(weights: Vec<f64>, rng: &mut Rng) -> usize {
    let mut left = rng.unit() * weights.iter().sum::<f64>();
    let mut last = 0;
    for (at, weight) in weights.into_iter().enumerate().filter(|(_, weight)| *weight > 0.0) {
        last = at;
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    last
}

impl Strategy for Matched {
    fn name(&self) -> String {
        "matched".into()
    }

    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Woven>> {
        let first = self.next;
        self.next += seeds.len();
        let count = self.patterns.len();
        Ok(seeds.iter().enumerate().map(|(at, seed)| self.weave_like((first + at) % count, *seed).into()).collect())
    }

    fn learns(&self) -> bool {
        false
    }

    fn learn(&mut self, _: &[Tried<'_>]) -> learn::Result<Option<UpdateMetrics>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::loom;
    use super::*;
    use crate::attack::mutate::Mutator;
    use crate::weave::prior::Prior;

    #[test]
    fn programs_have_the_length_and_the_mix_of_their_patterns() {
        let prior: Prior = serde_yaml::from_str("instructions: {i32.rotl: 9, f32.sqrt: 5}").expect("valid");
        let mutator = Mutator::new(loom(), &prior);
        let patterns: Vec<Weaver> = (0..200).map(|n| mutator.fresh(Seed::new(4).indexed("pattern", n))).collect();
        let mut matched = Matched::new(loom(), patterns.iter().map(Weaver::actions)).expect("there are some");
        let seeds: Vec<Seed> = (0..200).map(|n| Seed::new(5).indexed("program", n)).collect();
        let woven = matched.weave(&seeds).expect("no tensors").into_iter().map(|woven| woven.weaver);
        let woven: Vec<Weaver> = woven.collect();
        let length = |weaver: &Weaver| pattern(weaver.actions()).iter().map(|(_, times)| *times).sum::<u32>();
        let share = |weavers: &[Weaver], op: Op| {
            let times = weavers.iter().flat_map(|weaver| pattern(weaver.actions())).filter(|(of, _)| *of == op.index());
            f64::from(times.map(|(_, times)| times).sum::<u32>()) / f64::from(weavers.iter().map(length).sum::<u32>())
        };
        for op in [Op::I32Rotl, Op::F32Sqrt, Op::I64Add, Op::LocalGet] {
            let (wanted, got) = (share(&patterns, op), share(&woven, op));
            assert!((wanted - got).abs() < 0.25 * wanted + 0.005, "{op:?}: {wanted} and {got}");
        }
        let close = patterns.iter().zip(&woven).filter(|(a, b)| length(a).abs_diff(length(b)) * 5 <= length(a));
        assert!(close.count() > 150, "most are within a fifth of the length");
        assert!(patterns.iter().zip(&woven).all(|(a, b)| a.actions() != b.actions()));
        assert_eq!(Matched::new(loom(), std::iter::empty()).err(), Some(NoPattern));
    }
}
