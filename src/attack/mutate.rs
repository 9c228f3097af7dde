//! Owns mutation: from the choices that made one program, a program that is like it.
//!
//! Must not know what programs are worth. A parent's choices are played again to a weaver, some of them dropped, drawn
//! anew or taken from another parent. Where one is not legal any more, a legal one takes its place; immediates that are not
//! asked for are left out. So every child is a finished program within the same bounds, as any woven one.

use crate::seed::{Rng, Seed};
use crate::wasm::isa::Op;
use crate::weave::prior::{Prior, Taste};
use crate::weave::weaver::{Loom, Phase, Weaver};
use std::sync::Arc;

/// What makes a program: the seed of its values, and its choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Genome {
    /// Of the values inside constants' buckets.
    pub seed: u64,
    /// By number.
    pub actions: Vec<u16>,
}

impl Genome {
    /// Of a program.
    pub(crate) fn of(weaver: &Weaver) -> Self {
        Self { seed: weaver.seed(), actions: weaver.actions().to_vec() }
    }

    /// The choices, cut before each instruction: it and its immediates.
    fn groups(&self) -> Vec<&[u16]> {
        let is_instr = |&action: &u16| usize::from(action) < Op::COUNT;
        self.actions.chunk_by(|_, next| !is_instr(next)).collect()
    }
}

/// A part of a child.
#[derive(Clone, Copy, Debug)]
enum Gene<'a> {
    /// Choices of a parent.
    Keep(&'a [u16]),
    /// The instruction of a parent, its immediates drawn anew.
    Instruction(&'a [u16]),
    /// An instruction drawn anew.
    Fresh,
}

/// Makes children.
#[derive(Clone, Debug)]
pub(crate) struct Mutator {
    loom: Arc<Loom>,
    taste: Taste,
}

/// How likely one more edit is made.
const MORE: f64 = 0.5;
/// Instructions that one edit takes out or puts in, at most.
const STRETCH: u32 = 4;
/// How likely a child has its parent's constants; otherwise others of the same buckets.
const SAME_VALUES: f64 = 0.75;

impl Mutator {
    /// One whose own choices follow the prior.
    pub(crate) fn new(loom: Arc<Loom>, prior: &Prior) -> Self {
        Self { taste: prior.taste(&loom.config.instructions()), loom }
    }

    /// A program without parents.
    pub(crate) fn fresh(&self, seed: Seed) -> Weaver {
        let mut weaver = Weaver::new(self.loom.clone(), seed.to_u64());
        self.taste.weave(&mut weaver, &mut seed.child("choices").rng());
        weaver
    }

    /// A child of one parent, or of two: then it may end as the other does.
    pub(crate) fn child(&self, parent: &Genome, other: Option<&Genome>, seed: Seed) -> Weaver {
        let mut rng = seed.child("choices").rng();
        let mut genes: Vec<Gene<'_>> = parent.groups().into_iter().map(Gene::Keep).collect();
        edit(&mut genes, other, &mut rng);
        while rng.unit() < MORE {
            edit(&mut genes, other, &mut rng);
        }
        let values = if rng.unit() < SAME_VALUES { parent.seed } else { seed.to_u64() };
        let mut weaver = Weaver::new(self.loom.clone(), values);
        for gene in genes {
            self.play(&mut weaver, gene, &mut rng);
        }
        self.taste.weave(&mut weaver, &mut rng);
        weaver
    }

    fn play(&self, weaver: &mut Weaver, gene: Gene<'_>, rng: &mut Rng) {
        match gene {
            Gene::Keep(group) => self.keep(weaver, group, rng),
            Gene::Instruction(group) => self.keep(weaver, &group[..1], rng),
            Gene::Fresh => {
                self.complete(weaver, rng);
                self.draw(weaver, rng);
            }
        }
    }

    fn keep(&self, weaver: &mut Weaver, group: &[u16], rng: &mut Rng) {
        for &action in group {
            let action = usize::from(action);
            let is_instr = action < Op::COUNT;
            if is_instr && !weaver.legal().contains_number(action) {
                self.complete(weaver, rng);
            }
            if weaver.legal().contains_number(action) {
                weaver.step_number(action);
            } else if is_instr || weaver.phase() != Phase::Instr {
                // An instruction that is not legal has another in its place, an immediate too.
                self.draw(weaver, rng);
            }
        }
    }

    /// Chooses what is left to choose of the instruction that was begun.
    fn complete(&self, weaver: &mut Weaver, rng: &mut Rng) {
        while !matches!(weaver.phase(), Phase::Instr | Phase::Done) {
            self.draw(weaver, rng);
        }
    }

    fn draw(&self, weaver: &mut Weaver, rng: &mut Rng) {
        if weaver.phase() != Phase::Done {
            let number = self.taste.draw(weaver, rng);
            weaver.step_number(number);
        }
    }
}

/// Changes one place.
fn edit<'a>(genes: &mut Vec<Gene<'a>>, other: Option<&'a Genome>, rng: &mut Rng) {
    let at = rng.below(genes.len() as u32) as usize;
    let stretch = 1 + rng.below(STRETCH) as usize;
    let end = genes.len().min(at + stretch);
    match (rng.below(5), other) {
        (0, _) => genes[at] = Gene::Fresh,
        (1, _) => {
            if let Gene::Keep(group) = genes[at] {
                genes[at] = Gene::Instruction(group);
            }
        }
        (2, _) => drop(genes.drain(at..end)),
        (3, Some(other)) => {
            let tail = other.groups();
            let from = rng.below(tail.len() as u32) as usize;
            genes.truncate(at + 1);
            genes.extend(tail[from..].iter().map(|group| Gene::Keep(group)));
        }
        _ => drop(genes.splice(at..at, std::iter::repeat_n(Gene::Fresh, stretch))),
    }
    if genes.is_empty() {
        genes.push(Gene::Fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weave::config::WeaveConfig;
    use crate::weave::recipe::{GENERATOR, rebuild};

    #[test]
    fn children_are_whole_programs_that_are_like_their_parents() {
        for yaml in ["{}", "forbid: [load, store, f64]\nlimits: {results: 2, min_results: 1}"] {
            let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
            let loom = Arc::new(Loom::new(config).expect("valid settings"));
            let mutator = Mutator::new(loom.clone(), &Prior::default());
            let root = Seed::new(3);
            let (mut same, mut kept, mut all) = (0, 0, 0);
            for n in 0..300 {
                let parents = [0, 1].map(|at| Genome::of(&mutator.fresh(root.indexed("parent", 2 * n + at))));
                let other = (n % 2 == 0).then_some(&parents[1]);
                let child = mutator.child(&parents[0], other, root.indexed("child", n));
                let again = rebuild(loom.clone(), GENERATOR, child.seed(), child.actions()).expect("a whole program");
                assert_eq!(again.program(), child.program());
                same += u32::from(child.actions() == parents[0].actions);
                let common = child.actions().iter().zip(&parents[0].actions).take_while(|(a, b)| a == b).count();
                (kept, all) = (kept + common, all + parents[0].actions.len());
            }
            assert!(same < 90, "{same} of 300 are copies");
            assert!(kept * 4 > all, "{kept} of {all} choices up to the first change");
        }
    }

    #[test]
    fn groups_hold_an_instruction_and_its_immediates() {
        let immediate = Op::COUNT as u16;
        let genome = Genome { seed: 0, actions: vec![immediate, 1, immediate, immediate + 1, 2, 3] };
        let expected: [&[u16]; 4] = [&[immediate], &[1, immediate, immediate + 1], &[2], &[3]];
        assert_eq!(genome.groups(), expected);
    }
}
