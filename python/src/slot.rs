//! Owns one environment: a program in the making, the next one after it, and what a finished one is worth.
//!
//! Must not know its neighbours or Python. Program `n` of a seed is the same whatever was chosen in those before it.

use crate::finished::{End, Finished};
use crate::kit::Kit;
use std::sync::Arc;
use wasmweaver::learn::episode::Episode;
use wasmweaver::learn::rollout::{Env, legal_actions};
use wasmweaver::learn::train::FAILED;
use wasmweaver::learn::train::judge::Judge;
use wasmweaver::seed::{Rng, Seed};
use wasmweaver::weave::action::{self, Action};
use wasmweaver::weave::weaver::Phase;
use wasmweaver::weave::weaver::goal::Goal;

/// Words of the largest mask: every action, and every place.
const WORDS: usize = (action::COUNT + wasmweaver::item::task::place::PARTS).div_ceil(64);

/// One environment.
#[derive(Debug)]
pub(crate) struct Slot {
    kit: Arc<Kit>,
    master: Seed,
    /// Which program of that seed it is, from 0.
    number: u64,
    pub(crate) episode: Episode,
    pub(crate) ended: bool,
    judge: Judge,
    /// Steps since the seed was given.
    steps: u64,
    /// Draws legal actions at random.
    chance: Rng,
}

impl Slot {
    pub(crate) fn new(kit: &Arc<Kit>) -> Self {
        let episode = Episode::new(&kit.loom, &kit.vocabulary, 0);
        let master = Seed::new(0);
        let (judge, chance) = (Judge::default(), master.rng());
        let mut slot = Self { kit: kit.clone(), master, number: 0, episode, ended: false, judge, steps: 0, chance };
        slot.begin();
        slot
    }

    /// Starts the first program of a seed.
    pub(crate) fn seed(&mut self, seed: u64) {
        (self.master, self.number, self.steps) = (Seed::new(seed), 0, 0);
        self.chance = self.master.child("sampled").rng();
        self.begin();
    }

    /// Starts the next program.
    pub(crate) fn next(&mut self) {
        self.number += 1;
        self.begin();
    }

    fn begin(&mut self) {
        let (seed, preset) = (self.master.indexed("episode", self.number), &self.kit.preset);
        let goal = Goal::draw(preset.weave.fuel, preset.train.depth, &mut seed.child("goal").rng());
        self.episode.weaver.reset(seed.to_u64());
        (self.episode.goal, self.episode.place, self.ended) = (Some(goal), None, false);
    }

    /// Takes a choice; the end of the episode, if this was it. A choice that is not legal fails it.
    pub(crate) fn step(&mut self, output: usize) -> Option<(f64, Finished)> {
        self.steps += 1;
        if !self.is_legal(output) {
            let phase = self.episode.weaver.phase();
            let name = action_name(&self.kit, output);
            return Some(self.end(FAILED.into(), End::Failed(format!("{name} is not legal in {phase:?}"))));
        }
        if !self.episode.step(output) {
            return None;
        }
        let goal = self.episode.goal.expect("`begin` draws one");
        let Some(look) = self.judge.look(&self.episode.weaver, &goal) else {
            return Some(self.end(FAILED.into(), End::Failed("the run trapped".into())));
        };
        let reward = self.kit.reward.of(&look, &self.kit.preset.weaving_reward);
        let bytes = self.episode.weaver.bytes();
        Some(self.end(reward, End::Woven { fuel: look.fuel, bytes, align: look.align, length: look.length }))
    }

    fn end(&mut self, reward: f64, end: End) -> (f64, Finished) {
        self.ended = true;
        let (weaver, goal) = (&self.episode.weaver, self.episode.goal.expect("`begin` draws one"));
        let finished = Finished {
            kit: self.kit.clone(),
            seed: self.master.indexed("episode", self.number),
            actions: weaver.actions().to_vec(),
            place: self.episode.place,
            number: self.number,
            step: self.steps,
            last: None,
            goal,
            reward,
            end,
        };
        (reward, finished)
    }

    fn is_legal(&self, output: usize) -> bool {
        let (weaver, vocabulary) = (&self.episode.weaver, &self.kit.vocabulary);
        let is_place = output >= vocabulary.len() - vocabulary.places();
        let at_places = weaver.phase() == Phase::Done;
        at_places == is_place && (is_place || weaver.legal().contains_number(vocabulary.action(output)))
    }

    pub(crate) fn observe(&self, out: &mut [f32]) {
        self.episode.observe(out);
    }

    /// Writes 1 for each legal action and 0 for the others; of an episode that is over the same for all.
    pub(crate) fn mask(&self, out: &mut [u8], over: u8) {
        if self.ended {
            return out.fill(over);
        }
        out.fill(0);
        let mut words = [0; WORDS];
        self.episode.mask(&mut words[..out.len().div_ceil(64)]);
        legal_actions(&words).for_each(|output| out[output] = 1);
    }

    /// One of the legal actions, all equally likely; 0 when the episode is over.
    pub(crate) fn draw(&mut self) -> usize {
        let (weaver, vocabulary) = (&self.episode.weaver, &self.kit.vocabulary);
        if self.ended {
            return 0;
        }
        if weaver.phase() == Phase::Done {
            return vocabulary.place(self.chance.below(vocabulary.places() as u32) as u8);
        }
        vocabulary.output(weaver.legal().pick(&mut self.chance)).expect("what is legal has an output")
    }
}

/// What an output stands for: a mnemonic, another choice as in `Local(2)`, or a part of the places.
pub(crate) fn action_name(kit: &Kit, output: usize) -> String {
    let vocabulary = &kit.vocabulary;
    match output.checked_sub(vocabulary.len() - vocabulary.places()) {
        Some(place) => format!("Place({place})"),
        None => match Action::from_number(vocabulary.action(output)) {
            Action::Instr(op) => op.mnemonic().to_owned(),
            other => format!("{other:?}"),
        },
    }
}
