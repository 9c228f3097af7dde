//! Owns items of a preset as its data sets have them, to train a guesser on and to measure guessers by.
//!
//! Must not know files, nor policies that learned. The choices are those of the preset's prior alone, so that the floor
//! is that of the preset.

use super::learned::{self, Learned};
use crate::item::make::Maker;
use crate::item::record::{Item, Task};
use crate::item::task::ProbeConfig;
use crate::seed::Seed;
use crate::wasm::parse::ParseError;
use crate::weave::prior::Prior;
use crate::weave::weaver::{Loom, Weaver};
use std::sync::Arc;

/// Items that `guess/learned` is trained on.
pub const LESSONS: usize = 10_000;
/// Programs that are woven for one item at most, on average: past that a preset asks about next to nothing.
const PROGRAMS_PER_ITEM: u64 = 100;
/// Programs that one thread weaves at a time.
const STRIDE: u64 = 256;

/// Where items come from: what a preset says about programs and questions.
#[derive(Clone, Debug)]
pub struct Lessons {
    /// Settings of the programs.
    pub loom: Arc<Loom>,
    /// What is asked.
    pub task: Task,
    /// Which places are asked about.
    pub probe: ProbeConfig,
    /// What programs are made of.
    pub prior: Prior,
}

/// Nothing can be learned, or measured.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    /// The preset makes too few items.
    #[error(
        "of {programs} programs only {items} made an item; loosen the limits of `weave` or what `probe` asks for, or ask \
         for fewer items"
    )]
    TooFew {
        /// Programs woven.
        programs: u64,
        /// Items made of them.
        items: usize,
    },
    /// An item's own text cannot be read: a mistake in this program.
    #[error("an item cannot be read from its own text: {0}")]
    Unreadable(#[from] ParseError),
}

impl Lessons {
    /// The first `count` items of a seed; the same whatever the number of threads.
    ///
    /// # Errors
    /// If there are too few.
    pub fn items(&self, seed: Seed, count: usize) -> Result<Vec<Item>, LessonError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let limit = PROGRAMS_PER_ITEM * count as u64;
        let (mut items, mut programs) = (Vec::new(), 0);
        while items.len() < count && programs < limit {
            let starts = (0..threads).map(|part| programs + part * STRIDE);
            let parts = std::thread::scope(|scope| {
                let weave = |start| scope.spawn(move || self.stretch(seed, start));
                let handles: Vec<_> = starts.map(weave).collect();
                handles.into_iter().map(|handle| handle.join().expect("weaving does not panic")).collect::<Vec<_>>()
            });
            items.extend(parts.into_iter().flatten());
            programs += threads * STRIDE;
        }
        if items.len() < count {
            return Err(LessonError::TooFew { programs, items: items.len() });
        }
        items.truncate(count);
        Ok(items)
    }

    /// The items of [`STRIDE`] programs.
    fn stretch(&self, seed: Seed, start: u64) -> Vec<Item> {
        let taste = self.prior.taste(&self.loom.config.instructions());
        let mut maker = Maker::new(self.probe);
        let mut weaver = Weaver::new(self.loom.clone(), 0);
        let make = |number: u64| {
            let seed = seed.indexed("program", number);
            weaver.reset(seed.to_u64());
            taste.weave(&mut weaver, &mut seed.child("choices").rng());
            let draft = maker.make(&weaver, format!("{number}"), &mut seed.child("probe").rng())?;
            Some(draft.item)
        };
        (start..start + STRIDE).filter_map(make).collect()
    }

    /// A guesser trained on [`LESSONS`] items that have nothing to do with those of the seed itself.
    ///
    /// # Errors
    /// If there are too few.
    pub fn learn(&self, seed: Seed) -> Result<Learned, LessonError> {
        let items = self.items(seed.child("lessons"), LESSONS)?;
        Ok(learned::train(items.iter())?)
    }
}
