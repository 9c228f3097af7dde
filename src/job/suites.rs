//! Owns the suites: which there are, what one holds, and weaving its items, with what is told meanwhile and what is kept for
//! the next time.
//!
//! Must not know what is done with the items.

use super::error::JobError;
use super::events::{Event, Stage};
use super::setting::Setting;
use crate::item::halt::Halt;
use crate::item::record::Task;
use crate::run::suite::{Items, Select, Shelf, Suite, SuiteItem, WeaveError, Workers};
use crate::seed::Seed;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// A suite that comes with the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its name and version.
    pub suite: String,
    /// What it is for.
    pub description: String,
    /// Items by task.
    pub items: BTreeMap<Task, u64>,
    /// The levels of its items.
    pub levels: Vec<u8>,
}

/// The suites that come with the program.
pub fn shipped() -> Vec<Listed> {
    let listed = |suite: Suite| {
        let mut levels: Vec<u8> = suite.parts.iter().map(|part| part.level).collect();
        levels.sort_unstable();
        levels.dedup();
        Listed {
            suite: suite.label(),
            items: suite.counts().into_iter().collect(),
            description: suite.description,
            levels,
        }
    };
    Suite::shipped().into_iter().map(listed).collect()
}

/// What a suite holds of one task at one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stratum {
    /// The task.
    pub task: Task,
    /// The level.
    pub level: u8,
    /// The preset of its programs.
    pub preset: String,
    /// Items.
    pub items: usize,
    /// Mean fuel of its programs.
    pub mean_fuel: f64,
    /// Mean bytes.
    pub mean_bytes: f64,
    /// Mean instructions executed.
    pub mean_instructions: f64,
}

impl Stratum {
    /// Of items of one kind, of which there is one at least. Means are to one digit.
    fn of(items: &[SuiteItem]) -> Self {
        let SuiteItem { item, level, preset } = &items[0];
        let mean = |of: &dyn Fn(&SuiteItem) -> f64| {
            (10.0 * items.iter().map(of).sum::<f64>() / items.len() as f64).round() / 10.0
        };
        Self {
            task: item.task,
            level: *level,
            preset: preset.clone(),
            items: items.len(),
            mean_fuel: mean(&|one| one.item.fuel as f64),
            mean_bytes: mean(&|one| one.item.bytes.into()),
            mean_instructions: mean(&|one| one.item.instructions.into()),
        }
    }
}

/// What items of a suite are of, in their order.
pub fn strata(items: &[SuiteItem]) -> Vec<Stratum> {
    let same = |a: &SuiteItem, b: &SuiteItem| (a.item.task, a.level, &a.preset) == (b.item.task, b.level, &b.preset);
    items.chunk_by(same).map(Stratum::of).collect()
}

/// So many threads, or one for each processor.
pub(super) fn threads(given: Option<u16>) -> usize {
    given.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

/// Weaves the items of a suite.
///
/// # Errors
/// As [`each`].
pub(crate) fn weave(
    suite: &Suite,
    seed: u64,
    select: &Select,
    threads: Option<u16>,
    setting: &Setting<'_>,
) -> Result<Items, JobError> {
    let mut items = Vec::new();
    let fingerprint = each(suite, seed, select, threads, setting, |item| {
        items.push(item);
        true
    })?;
    Ok(Items { items, fingerprint })
}

/// The same for more items than memory holds: `take` gets each, and says whether to go on. Their fingerprint.
///
/// # Errors
/// If the suite asks nothing of what is selected, too little comes of it, or it is stopped ([`WeaveError::Stopped`]).
pub(crate) fn each(
    suite: &Suite,
    seed: u64,
    select: &Select,
    threads: Option<u16>,
    setting: &Setting<'_>,
    mut take: impl FnMut(SuiteItem) -> bool,
) -> Result<String, JobError> {
    let (of, items) = (suite.label(), suite.count(select).map_err(JobError::usage)?);
    setting.events.tell(Event::Began(&Stage::Weaving { of, items }));
    let mut count = 0;
    let halt = setting.stopper.halt();
    let woven = each_until(suite, seed, select, threads, &halt, setting.shelf.as_ref(), |item| {
        count += u64::from(item.is_some());
        setting.events.tell(Event::Woven(count));
        item.is_none_or(&mut take)
    });
    setting.events.tell(Event::Ended);
    woven
}

/// The same for those who show progress and hear of the end themselves; `take` gets none now and then. A suite that was woven
/// before is not woven again.
pub(super) fn each_until(
    suite: &Suite,
    seed: u64,
    select: &Select,
    threads: Option<u16>,
    halt: &Halt,
    shelf: Option<&Shelf>,
    mut take: impl FnMut(Option<SuiteItem>) -> bool,
) -> Result<String, JobError> {
    let workers = Workers { threads: self::threads(threads), halt };
    let woven = suite.each_kept(shelf, Seed::new(seed), select, workers, |item, _| {
        if take(item) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    woven.map_err(|error| match error {
        WeaveError::Config(_) | WeaveError::NoTask { .. } => JobError::usage(error),
        other => JobError::Failed(other.into()),
    })
}
