//! Owns where a preset's items come from: programs woven by a chooser, and the questions about them.
//!
//! Must not know files, nor which chooser it is. Item `n` of a seed is made of program `n` alone, so any range of them
//! can be made anywhere, on any number of threads.

use super::halt::Halt;
use super::make::{Draft, Maker};
use super::record::Task;
use super::task::place::Placement;
use super::task::{Asker, ProbeConfig};
use crate::seed::Seed;
use crate::weave::chooser::Chooser;
use crate::weave::weaver::{Loom, Weaver};
use std::sync::Arc;

/// Programs that one thread weaves at a time.
pub const STRIDE: u64 = 256;
/// Programs that are woven for one item at most, on average: past that a preset asks about next to nothing.
pub const PROGRAMS_PER_ITEM: u64 = 100;

/// What a preset says about programs and questions, made ready.
#[derive(Clone, Debug)]
pub struct ItemSource {
    /// What is asked.
    pub task: Task,
    loom: Arc<Loom>,
    chooser: Arc<dyn Chooser>,
    asker: Arc<Asker>,
    pub(super) halt: Halt,
}

/// A preset that asks about next to nothing.
#[derive(Debug, thiserror::Error)]
#[error(
    "of {programs} programs only {items} made an item; loosen the limits of `weave` or what `probe` asks for, or ask for \
     fewer items"
)]
pub struct TooFew {
    /// Programs woven.
    pub programs: u64,
    /// Items made of them.
    pub items: usize,
}

impl ItemSource {
    /// Of these settings. For `reachability` some programs are woven and read first, to learn what their text gives away.
    pub fn new(loom: &Arc<Loom>, task: Task, probe: ProbeConfig, chooser: Arc<dyn Chooser>) -> Self {
        Self::until(loom, task, probe, chooser, &Halt::default())
    }

    /// The same until it is halted: then it reads and streams no more programs, and what it streamed may be too little.
    pub fn until(loom: &Arc<Loom>, task: Task, probe: ProbeConfig, chooser: Arc<dyn Chooser>, halt: &Halt) -> Self {
        let asker = Arc::new(Asker::new(task, probe, loom, &*chooser, halt));
        Self { task, loom: loom.clone(), chooser, asker, halt: halt.clone() }
    }

    /// The same without reading programs first, which takes seconds: its items are good for a look at their form alone.
    pub fn unread(loom: &Arc<Loom>, task: Task, probe: ProbeConfig, chooser: Arc<dyn Chooser>) -> Self {
        let asker = Arc::new(Asker::unread(task, probe));
        Self { task, loom: loom.clone(), chooser, asker, halt: Halt::default() }
    }

    /// The same questions about the programs of another chooser, without learning from those: if few programs
    /// come again and again, every value would be familiar.
    pub fn woven_by(self, chooser: Arc<dyn Chooser>) -> Self {
        Self { chooser, ..self }
    }

    /// What is asked.
    pub fn task(&self) -> Task {
        self.task
    }

    /// A maker of questions about programs.
    pub fn maker(&self) -> Maker {
        Maker::new(self.asker.clone())
    }

    /// A thread's worth of what is needed to make items.
    pub fn bench(&self) -> Bench<'_> {
        Bench { source: self, weaver: Weaver::new(self.loom.clone(), 0), maker: self.maker() }
    }
}

/// Makes one item after the other.
#[derive(Debug)]
pub struct Bench<'s> {
    source: &'s ItemSource,
    weaver: Weaver,
    maker: Maker,
}

impl Bench<'_> {
    /// The question about program `number` of a seed, if there is one worth asking.
    pub fn draft(&mut self, seed: Seed, number: u64) -> Option<Draft> {
        let seed = seed.indexed("program", number);
        self.weaver.reset(seed.to_u64());
        self.source.chooser.weave(&mut self.weaver, &mut seed.child("choices").rng());
        self.maker.make(&self.weaver, number.to_string(), Placement::Random(&mut seed.child("probe").rng()))
    }
}
