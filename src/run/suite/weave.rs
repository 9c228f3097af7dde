//! Owns the items of a suite and a seed: the same on every machine, for any number of threads, and whatever else of the
//! suite is woven.
//!
//! Must not know who is asked. No program is there twice: of two that are the same the later one is left out, and the next
//! one takes its number. Parts come upon the same program so rarely that a selection is a piece of the whole but for that.
//! Programs that a part has as recipes are its own from the start.

use super::recipes::Pool;
use super::{Part, Suite};
use crate::item::halt::Halt;
use crate::item::record::{Item, Task};
use crate::item::source::PROGRAMS_PER_ITEM;
use crate::item::stream::Disagrees;
use crate::run::yaml::ConfigError;
use crate::seed::Seed;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Which of a suite's items are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// These tasks alone.
    pub tasks: Option<Vec<Task>>,
    /// So many items of each task at most, evenly over its parts: of each part its first ones.
    pub limit: Option<u64>,
}

/// Who weaves: on so many threads, until they are halted.
#[derive(Clone, Copy, Debug)]
pub struct Workers<'h> {
    /// Threads at once.
    pub threads: usize,
    /// What ends them early.
    pub halt: &'h Halt,
}

/// One item of a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuiteItem {
    /// The item. Its id says task, level and number, `stack-l3-00017`.
    pub item: Item,
    /// Its difficulty.
    pub level: u8,
    /// The preset that it is of.
    pub preset: String,
}

/// The items of a suite and a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Items {
    /// In the order of the suite's parts.
    pub items: Vec<SuiteItem>,
    /// Of these items: see [`fingerprint`].
    pub fingerprint: String,
}

/// Why a suite cannot be woven.
#[derive(Debug, thiserror::Error)]
pub enum WeaveError {
    /// Its recipes, or a preset that does not work at its level.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It does not ask what is selected.
    #[error("{suite} does not ask {task}; it asks {asks}")]
    NoTask {
        /// The suite.
        suite: String,
        /// What was selected.
        task: Task,
        /// What it asks.
        asks: String,
    },
    /// A part asks about next to nothing.
    #[error(
        "part {part} of {suite} ({task}, preset {preset}, level {level}): of {programs} programs only {items} made an item of \
         their own, of {wanted}; ask for fewer items, or loosen the preset's limits"
    )]
    TooFew {
        /// The suite.
        suite: String,
        /// Which part, from 1.
        part: usize,
        /// What it asks.
        task: Task,
        /// Its preset.
        preset: String,
        /// Its level.
        level: u8,
        /// Programs woven.
        programs: u64,
        /// Items made.
        items: u64,
        /// Items to be made.
        wanted: u64,
    },
    /// The machine and wasmtime disagree.
    #[error(transparent)]
    Disagrees(#[from] Disagrees),
    /// The caller broke off, or it was halted.
    #[error("stopped before every item of the suite was woven")]
    Stopped,
    /// What was kept of it is not what it says.
    #[error(
        "the items kept in {path} are not those of the suite, though the file is whole; remove it, and they are woven anew"
    )]
    Kept {
        /// The file.
        path: PathBuf,
    },
}

impl Suite {
    /// Weaves the selected items of a seed on so many threads, each confirmed by wasmtime, until it is halted. `watch` is told
    /// how many there are so far, and how many there will be; it may break off.
    ///
    /// # Errors
    /// See [`WeaveError`].
    pub fn weave(
        &self,
        seed: Seed,
        select: &Select,
        workers: Workers<'_>,
        mut watch: impl FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<Items, WeaveError> {
        let mut items = Vec::new();
        let fingerprint = self.each(seed, select, workers, |item, of| {
            items.extend(item);
            watch(items.len() as u64, of)
        })?;
        Ok(Items { items, fingerprint })
    }

    /// The same for more items than memory holds: `take` gets one after the other, now and then none, and how many there
    /// will be; it may break off. The fingerprint of all.
    ///
    /// # Errors
    /// See [`WeaveError`].
    pub fn each(
        &self,
        seed: Seed,
        select: &Select,
        workers: Workers<'_>,
        mut take: impl FnMut(Option<SuiteItem>, u64) -> ControlFlow<()>,
    ) -> Result<String, WeaveError> {
        let shares = self.shares(select)?;
        let pools = self.parts.iter().map(Pool::of).collect::<Result<Vec<_>, _>>()?;
        let (seed, of): (Seed, u64) = (seed.child(&self.label()), shares.iter().sum());
        let (mut prints, mut seen, mut left) = (Fingerprint::default(), HashSet::new(), of);
        for (at, &wanted) in shares.iter().enumerate().filter(|(_, wanted)| **wanted > 0) {
            let job = Job { suite: self, pools: &pools, at, wanted, first: self.first_number(at) };
            let seed = seed.indexed("part", at as u64);
            let mut goes_on = ControlFlow::Continue(());
            job.weave(seed, workers, &mut seen, |item| {
                item.iter().for_each(|item| prints.add(&item.item));
                left -= u64::from(item.is_some());
                goes_on = take(item, of);
                goes_on
            })?;
            // A caller that breaks off at the last item of a part wants none of the next.
            if left > 0 && goes_on.is_break() {
                return Err(WeaveError::Stopped);
            }
        }
        Ok(prints.finish())
    }

    /// How many items are selected.
    ///
    /// # Errors
    /// [`WeaveError::NoTask`].
    pub fn count(&self, select: &Select) -> Result<u64, WeaveError> {
        Ok(self.shares(select)?.iter().sum())
    }

    /// Some questions of each selected part, `most` of each task or a few more, for a look at their form, behind the number of
    /// its items. They are of programs like the suite's, made within a moment, and none of its items: nothing confirms them.
    ///
    /// # Errors
    /// [`WeaveError::NoTask`], or a preset that does not work at its level.
    pub fn sketch(&self, seed: Seed, select: &Select, most: u64) -> Result<Vec<(u64, Vec<Item>)>, WeaveError> {
        let shares = self.shares(select)?;
        let selected = || self.parts.iter().zip(&shares).filter(|(_, share)| **share > 0);
        let sketched = selected().map(|(part, &share)| {
            let source = part.settings.source_unread(&part.loom()?);
            let parts = selected().filter(|(other, _)| other.task == part.task).count() as u64;
            let (mut bench, seed) = (source.bench(), seed.child("sketch"));
            let drafts = (0..PROGRAMS_PER_ITEM).filter_map(|number| bench.draft(seed, number));
            Ok((share, drafts.take(most.div_ceil(parts) as usize).map(|draft| draft.item).collect()))
        });
        sketched.collect()
    }

    /// How many items of each part are selected.
    fn shares(&self, select: &Select) -> Result<Vec<u64>, WeaveError> {
        if let Some(tasks) = &select.tasks {
            let asks = |task: Task| self.parts.iter().any(|part| part.task == task);
            if let Some(&task) = tasks.iter().find(|&&task| !asks(task)) {
                let known: Vec<&str> = self.counts().into_iter().map(|(task, _)| task.name()).collect();
                return Err(WeaveError::NoTask { suite: self.label(), task, asks: known.join(", ") });
            }
        }
        let mut shares = vec![0; self.parts.len()];
        for &task in Task::ALL.iter().filter(|task| select.tasks.as_ref().is_none_or(|tasks| tasks.contains(task))) {
            let of_task = self.parts.iter().zip(&mut shares).filter(|(part, _)| part.task == task);
            let mut open: Vec<(u64, &mut u64)> = of_task.map(|(part, share)| (part.items, share)).collect();
            deal(select.limit.unwrap_or(u64::MAX), &mut open);
        }
        Ok(shares)
    }

    /// The number of a part's first item: parts of the same task and level count on.
    fn first_number(&self, at: usize) -> u64 {
        let part = &self.parts[at];
        let alike = |other: &&Part| (other.task, other.level) == (part.task, part.level);
        self.parts[..at].iter().filter(alike).map(|part| part.items).sum()
    }
}

/// Deals out a number, evenly and the earlier ones first, to those who take no more than so much.
fn deal(number: u64, open: &mut [(u64, &mut u64)]) {
    let mut left = number.min(open.iter().map(|(most, _)| most).sum());
    let mut turn = 0;
    while left > 0 {
        for (_, share) in open.iter_mut().filter(|(most, _)| *most > turn) {
            let takes = left.min(1);
            **share += takes;
            left -= takes;
        }
        turn += 1;
    }
}

/// One part that is to be woven.
struct Job<'s> {
    suite: &'s Suite,
    /// Of every part.
    pools: &'s [Option<Pool>],
    at: usize,
    wanted: u64,
    /// The number of its first item.
    first: u64,
}

impl Job<'_> {
    fn weave(
        &self,
        seed: Seed,
        workers: Workers<'_>,
        seen: &mut HashSet<String>,
        mut take: impl FnMut(Option<SuiteItem>) -> ControlFlow<()>,
    ) -> Result<(), WeaveError> {
        let part = &self.suite.parts[self.at];
        let mut source = part.settings.source_until(&part.loom()?, workers.halt);
        if let Some(pool) = &self.pools[self.at] {
            source = source.woven_by(pool.replayer.clone());
        }
        let most = PROGRAMS_PER_ITEM * self.wanted;
        let (mut items, mut programs, mut stopped) = (0, 0, false);
        source.stream_of(
            seed,
            workers.threads,
            |item| self.owns(item),
            |draft, woven| {
                programs = woven;
                // Programs are counted by stretches; within one more items may come.
                let spent = draft.is_none() && programs > most;
                let new = draft.filter(|draft| seen.insert(draft.item.canonical.clone()));
                let new = new.map(|draft| self.item(draft.item, items));
                items += u64::from(new.is_some());
                stopped = take(new).is_break();
                let done = stopped || items == self.wanted || spent;
                if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        )?;
        let missing = items < self.wanted;
        if missing && (stopped || workers.halt.is_wished()) {
            return Err(WeaveError::Stopped);
        }
        if missing {
            let (suite, preset) = (self.suite.label(), part.preset.clone());
            let Part { task, level, .. } = *part;
            let (part, wanted) = (self.at + 1, self.wanted);
            return Err(WeaveError::TooFew { suite, part, task, preset, level, programs, items, wanted });
        }
        Ok(())
    }

    fn item(&self, item: Item, number: u64) -> SuiteItem {
        let Part { task, level, preset, .. } = &self.suite.parts[self.at];
        let id = format!("{task}-l{level}-{:05}", self.first + number);
        SuiteItem { item: Item { id, ..item }, level: *level, preset: preset.clone() }
    }

    /// Whether an item's program may be this part's: not if it is among the recipes of another.
    fn owns(&self, item: &Item) -> bool {
        let holds = |pool: &Option<Pool>| pool.as_ref().is_some_and(|pool| pool.forms.contains(&item.canonical));
        let others = if self.pools[self.at].is_some() { &self.pools[..self.at] } else { self.pools };
        !others.iter().any(holds)
    }
}

/// A hash of questions and answers in their order, 16 hexadecimal digits: two lists have the same if they ask the same
/// about the same programs and hold the same for true, whatever the items are called and however they were made.
pub fn fingerprint<'i>(items: impl IntoIterator<Item = &'i Item>) -> String {
    let mut prints = Fingerprint::default();
    items.into_iter().for_each(|item| prints.add(item));
    prints.finish()
}

/// A [`fingerprint`] in the making.
#[derive(Debug, Default)]
pub struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    /// Takes in the next item.
    pub fn add(&mut self, item: &Item) {
        let mut text = |text: &str| {
            self.0.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        };
        text(item.task.name());
        text(&item.program);
        let probes = item.probes.iter().map(|probe| format!("{} {} {}", probe.func, probe.pc, probe.hit));
        text(&probes.collect::<Vec<_>>().join("\n"));
        item.truth.texts().iter().for_each(|(name, value)| text(&format!("{name} {value}")));
        text("");
    }

    /// That of all.
    pub fn finish(self) -> String {
        self.0.finalize().to_hex()[..16].to_string()
    }
}
