//! Owns the weaver as an environment: what a policy sees of it, and which actions its outputs stand for.
//!
//! Must not know what an episode is worth. The only place in this folder that knows weaving; the learner beside it works
//! for any environment.

use super::rollout::Env;
use crate::weave::action::{self, Action};
use crate::weave::config::WeaveConfig;
use crate::weave::weaver::goal::{GOAL, Goal};
use crate::weave::weaver::observe::OBSERVATION;
use crate::weave::weaver::{Loom, Phase, Weaver};
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
    /// Parts of a finished program's places that one more output each stands for, behind the actions; 0 where the place
    /// of a question is not the policy's to choose.
    places: usize,
}

impl Vocabulary {
    /// Of these settings.
    pub fn new(config: &WeaveConfig) -> Self {
        let instructions = config.instructions();
        let possible = |&number: &usize| match Action::from_number(number) {
            action @ Action::Instr(_) => instructions.contains(action),
            _ => true,
        };
        let actions = (0..action::COUNT).filter(possible).map(|number| number as u16).collect();
        Self::of_actions(actions).expect("numbers in order")
    }

    /// Of these actions by their numbers; `None` if they do not ascend, or one is unknown.
    pub fn of_actions(actions: Vec<u16>) -> Option<Self> {
        let ascending = actions.is_sorted_by(|a, b| a < b);
        if !ascending || actions.last().is_none_or(|&last| usize::from(last) >= action::COUNT) {
            return None;
        }
        let mut outputs = vec![NONE; action::COUNT];
        for (output, &number) in actions.iter().enumerate() {
            outputs[usize::from(number)] = output as u16;
        }
        Some(Self { actions, outputs, places: 0 })
    }

    /// The same with a last action: at which of so many parts of its places the finished program is asked about.
    pub fn with_places(self, places: usize) -> Self {
        Self { places, ..self }
    }

    /// How many parts of its places the last action chooses among; 0 without one.
    pub fn places(&self) -> usize {
        self.places
    }

    /// The number of the action of each output, in order; places stand for none.
    pub fn actions(&self) -> impl Iterator<Item = usize> {
        self.actions.iter().map(|&number| number.into())
    }

    /// How many outputs a policy has.
    pub fn len(&self) -> usize {
        self.actions.len() + self.places
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

    /// Of logits, one for each action, those of the outputs; all places are equally likely.
    pub fn select(&self, of_actions: &[f32]) -> Vec<f32> {
        let actions = self.actions.iter().map(|&number| of_actions[usize::from(number)]);
        actions.chain(std::iter::repeat_n(0.0, self.places)).collect()
    }

    /// The output of a part of the places.
    pub fn place(&self, part: u8) -> usize {
        self.actions.len() + usize::from(part)
    }
}

/// A program in the making, as a learner sees it.
#[derive(Clone, Debug)]
pub struct Episode {
    /// The program.
    pub weaver: Weaver,
    /// What it is to become, where there is a goal.
    pub goal: Option<Goal>,
    /// The part of its places at which it is asked about, once that is chosen.
    pub place: Option<u8>,
    vocabulary: Arc<Vocabulary>,
}

impl Episode {
    /// Features in one observation; the latest actions come behind them, as many as the policy reads. Those of a goal
    /// are zero where there is none.
    pub const OBSERVATION: usize = OBSERVATION + GOAL;

    /// At the start of the program of this seed.
    pub fn new(loom: &Arc<Loom>, vocabulary: &Arc<Vocabulary>, seed: u64) -> Self {
        Self { weaver: Weaver::new(loom.clone(), seed), goal: None, place: None, vocabulary: vocabulary.clone() }
    }

    /// The same with something to aim at.
    pub fn with_goal(self, goal: Goal) -> Self {
        Self { goal: Some(goal), ..self }
    }
}

/// What a policy sees of a weaver: its features, those of a goal, and the latest actions as far as `out` has room.
pub(super) fn observe(weaver: &Weaver, goal: Option<&Goal>, vocabulary: &Vocabulary, out: &mut [f32]) {
    let (features, recent) = out.split_at_mut(Episode::OBSERVATION);
    let (features, aim) = features.split_at_mut(OBSERVATION);
    weaver.observe(features);
    match goal {
        Some(goal) => weaver.observe_goal(goal, aim),
        None => aim.fill(0.0),
    }
    let mut past = weaver.actions().iter().rev();
    let token = |&number: &u16| vocabulary.output(number.into()).map_or(0, |output| output + 1);
    recent.fill_with(|| past.next().map_or(0, token) as f32);
}

impl Env for Episode {
    fn observe(&self, out: &mut [f32]) {
        observe(&self.weaver, self.goal.as_ref(), &self.vocabulary, out);
    }

    fn mask(&self, out: &mut [u64]) {
        out.fill(0);
        if self.weaver.phase() == Phase::Done {
            let places = self.vocabulary.actions.len()..self.vocabulary.len();
            return places.for_each(|output| out[output / 64] |= 1 << (output % 64));
        }
        let legal = self.weaver.legal();
        assert!(
            !legal.is_empty(),
            "nothing is legal in {:?} (seed {}, actions {:?})",
            self.weaver.phase(),
            self.weaver.seed(),
            self.weaver.actions()
        );
        for number in legal.numbers() {
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
        match output.checked_sub(self.vocabulary.actions.len()) {
            Some(part) => {
                self.place = Some(part as u8);
                true
            }
            None => self.weaver.step_number(self.vocabulary.action(output)) && self.vocabulary.places == 0,
        }
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
            let loom = Arc::new(Loom::new(config).expect("valid settings"));
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
