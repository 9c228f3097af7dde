//! Owns the weaver as an environment: what a policy sees of it, and which actions its outputs stand for.
//!
//! Must not know what an episode is worth. The only place in this folder that knows weaving; the learner beside it works
//! for any environment.

use super::rollout::Env;
use crate::weave::action::{self, Action};
use crate::weave::config::WeaveConfig;
use crate::weave::weaver::observe::OBSERVATION;
use crate::weave::weaver::{Loom, Weaver};
use std::sync::Arc;

/// No output of the policy.
const NONE: u16 = u16::MAX;

/// The actions that settings leave possible at all: a policy has one output for each of these, and none for the
/// hundreds of instructions that its preset forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// The number of the action that each output stands for, ascending.
    actions: Vec<u16>,
    /// The output of each action by its number, or [`NONE`].
    outputs: Vec<u16>,
}

impl Vocabulary {
    /// Of these settings.
    pub fn new(config: &WeaveConfig) -> Self {
        let instructions = config.instructions();
        let possible = |&number: &usize| match Action::from_number(number) {
            action @ Action::Instr(_) => instructions.contains(action),
            _ => true,
        };
        let actions: Vec<u16> = (0..action::COUNT).filter(possible).map(|number| number as u16).collect();
        let mut outputs = vec![NONE; action::COUNT];
        for (output, &number) in actions.iter().enumerate() {
            outputs[usize::from(number)] = output as u16;
        }
        Self { actions, outputs }
    }

    /// How many outputs a policy has.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether nothing is possible; it never is.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The number of the action that an output stands for.
    pub fn action(&self, output: usize) -> usize {
        usize::from(self.actions[output])
    }

    /// The output of an action by its number, if it has one.
    pub fn output(&self, number: usize) -> Option<usize> {
        Some(self.outputs[number]).filter(|&output| output != NONE).map(usize::from)
    }

    /// Of something that there is one of for each action, that of the outputs.
    pub fn select<T: Copy>(&self, of_actions: &[T]) -> Vec<T> {
        self.actions.iter().map(|&number| of_actions[usize::from(number)]).collect()
    }
}

/// A program in the making, as a learner sees it.
#[derive(Clone, Debug)]
pub struct Episode {
    /// The program.
    pub weaver: Weaver,
    vocabulary: Arc<Vocabulary>,
}

impl Episode {
    /// Features in one observation; the latest actions come behind them, as many as the policy reads.
    pub const OBSERVATION: usize = OBSERVATION;

    /// At the start of the program of this seed.
    pub fn new(loom: &Arc<Loom>, vocabulary: &Arc<Vocabulary>, seed: u64) -> Self {
        Self { weaver: Weaver::new(loom.clone(), seed), vocabulary: vocabulary.clone() }
    }
}

impl Env for Episode {
    fn observe(&self, out: &mut [f32]) {
        let (features, recent) = out.split_at_mut(Self::OBSERVATION);
        self.weaver.observe(features);
        let mut past = self.weaver.actions().iter().rev();
        let token = |&number: &u16| self.vocabulary.output(number.into()).map_or(0, |output| output + 1);
        recent.fill_with(|| past.next().map_or(0, token) as f32);
    }

    fn mask(&self, out: &mut [u64]) {
        out.fill(0);
        for number in self.weaver.legal().numbers() {
            let output = self.vocabulary.outputs[number];
            debug_assert_ne!(
                output,
                NONE,
                "{:?} is legal, so its settings leave it possible",
                Action::from_number(number)
            );
            out[usize::from(output) / 64] |= 1 << (output % 64);
        }
    }

    fn step(&mut self, output: usize) -> bool {
        self.weaver.step_number(self.vocabulary.action(output))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::rollout::legal_actions;
    use crate::seed::Seed;

    #[test]
    fn every_legal_action_has_an_output_and_back() {
        for yaml in ["{}", "forbid: [load, store, f64]", "allow: [loop, local, i32.add, call]"] {
            let config: WeaveConfig = serde_yaml::from_str(yaml).expect("well-formed");
            let vocabulary = Arc::new(Vocabulary::new(&config));
            assert!(vocabulary.len() < action::COUNT, "without vectors there is less to choose");
            let loom = Arc::new(Loom::new(config));
            for n in 0..50 {
                let mut episode = Episode::new(&loom, &vocabulary, n);
                let mut rng = Seed::new(n).rng();
                let mut mask = vec![0; vocabulary.len().div_ceil(64)];
                loop {
                    episode.mask(&mut mask);
                    let outputs: Vec<usize> = legal_actions(&mask).collect();
                    let legal: Vec<usize> = episode.weaver.legal().numbers().collect();
                    assert_eq!(outputs.iter().map(|&output| vocabulary.action(output)).collect::<Vec<_>>(), legal);
                    assert!(legal.iter().zip(&outputs).all(|(&n, &output)| vocabulary.output(n) == Some(output)));
                    if episode.step(*rng.pick(&outputs)) {
                        break;
                    }
                }
            }
        }
    }
}
