//! Owns weaving the items of suites, with what is told meanwhile, and keeping them for the next time.
//!
//! Must not know what is done with them.

use super::error::JobError;
use super::events::{Event, Stage};
use super::setting::Setting;
use crate::item::halt::Halt;
use crate::run::suite::{Items, Select, Shelf, Suite, SuiteItem, WeaveError, Workers};
use crate::seed::Seed;
use std::ops::ControlFlow;

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
