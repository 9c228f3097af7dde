//! Owns making many confirmed items on many threads, in the order of their numbers.
//!
//! Must not know what becomes of them. Threads take stretches of programs and hand over what they made; the stretches are
//! put in order, so that the items are the same whatever the number of threads.

use super::make::{Confirmer, Draft};
use super::record::Item;
use super::source::{ItemSource, PROGRAMS_PER_ITEM, STRIDE, TooFew};
use crate::seed::Seed;
use crate::wasm::oracle::{Disagreement, Oracle};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

/// Stretches that wait to be taken, for each thread.
const WAITING: usize = 4;

/// The machine and wasmtime disagree about an item: a bug of ours, and no label.
#[derive(Debug, thiserror::Error)]
#[error("our machine and wasmtime disagree about program {}: {disagreement}", draft.item.id)]
pub struct Disagrees {
    /// The item.
    pub draft: Box<Draft>,
    /// What about.
    pub disagreement: Disagreement,
}

/// Why there are not so many items.
#[derive(Debug, thiserror::Error)]
pub enum ItemsError {
    /// The settings make next to none.
    #[error(transparent)]
    TooFew(#[from] TooFew),
    /// One of them is wrong: a bug of ours.
    #[error(transparent)]
    Disagrees(#[from] Disagrees),
}

/// What one stretch of programs became.
type Stretch = Result<Vec<Draft>, Disagrees>;

impl ItemSource {
    /// The first `count` items of a seed, each confirmed by wasmtime; the same whatever the number of threads.
    ///
    /// # Errors
    /// If there are too few, or the first disagreement.
    pub fn items(&self, seed: Seed, count: usize) -> Result<Vec<Item>, ItemsError> {
        let limit = PROGRAMS_PER_ITEM * count as u64;
        let (mut items, mut programs) = (Vec::with_capacity(count), 0);
        self.stream(seed, rayon::current_num_threads(), |draft, woven| {
            programs = woven;
            // Programs are counted by stretches; within one more items may come.
            let is_spent = draft.is_none() && programs >= limit;
            if items.len() < count {
                items.extend(draft.map(|draft| draft.item));
            }
            if items.len() == count || is_spent { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if items.len() < count { Err(TooFew { programs, items: items.len() }.into()) } else { Ok(items) }
    }

    /// Makes the items of a seed one after the other, each confirmed by wasmtime, until `take` breaks off. `take` sees each
    /// item, and after each stretch how many programs were woven so far, with `None`. Halted, it ends within a program's time.
    ///
    /// # Errors
    /// The first disagreement.
    pub fn stream(
        &self,
        seed: Seed,
        threads: usize,
        take: impl FnMut(Option<Draft>, u64) -> ControlFlow<()>,
    ) -> Result<(), Disagrees> {
        self.stream_of(seed, threads, |_| true, take)
    }

    /// The same of some stretches alone: `number` says which is the n-th of them, counted from 0. What `take` sees woven is
    /// counted in these.
    ///
    /// # Errors
    /// The first disagreement.
    pub fn stream_stretches(
        &self,
        seed: Seed,
        threads: usize,
        number: impl Fn(u64) -> u64 + Sync,
        take: impl FnMut(Option<Draft>, u64) -> ControlFlow<()>,
    ) -> Result<(), Disagrees> {
        self.stream_where(seed, threads, number, |_: &Item| true, take)
    }

    /// The same of those items alone that are wanted; nothing is spent on confirming the others.
    ///
    /// # Errors
    /// The first disagreement.
    pub fn stream_of(
        &self,
        seed: Seed,
        threads: usize,
        wanted: impl Fn(&Item) -> bool + Sync,
        take: impl FnMut(Option<Draft>, u64) -> ControlFlow<()>,
    ) -> Result<(), Disagrees> {
        self.stream_where(seed, threads, |at| at, wanted, take)
    }

    fn stream_where(
        &self,
        seed: Seed,
        threads: usize,
        number: impl Fn(u64) -> u64 + Sync,
        wanted: impl Fn(&Item) -> bool + Sync,
        mut take: impl FnMut(Option<Draft>, u64) -> ControlFlow<()>,
    ) -> Result<(), Disagrees> {
        let (number, wanted) = (&number, &wanted);
        let (next, stop, oracle) = (AtomicU64::new(0), AtomicBool::new(false), Oracle::new());
        let (sender, receiver) = sync_channel::<(u64, Stretch)>(WAITING * threads);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let (sender, next, stop, oracle) = (sender.clone(), &next, &stop, &oracle);
                scope.spawn(move || {
                    let mut confirmer = Confirmer::default();
                    let is_over = || stop.load(Ordering::Relaxed) || self.halt.is_wished();
                    while !is_over() {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let drafts = self.drafts(seed, number(at) * STRIDE, wanted, &is_over);
                        let Some(drafts) = drafts else { return };
                        let made = confirmed(drafts, oracle, &mut confirmer);
                        // They are not taken any more.
                        if sender.send((at, made)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let taken = in_order(receiver.iter(), &mut take);
            stop.store(true, Ordering::Relaxed);
            drop(receiver);
            taken
        })
    }

    /// The drafts of a stretch that are wanted; none once it is over, since half a stretch is of no use.
    fn drafts(
        &self,
        seed: Seed,
        start: u64,
        wanted: &impl Fn(&Item) -> bool,
        is_over: &impl Fn() -> bool,
    ) -> Option<Vec<Draft>> {
        let (mut bench, mut drafts) = (self.bench(), Vec::new());
        for number in start..start + STRIDE {
            if is_over() {
                return None;
            }
            drafts.extend(bench.draft(seed, number).filter(|draft| wanted(&draft.item)));
        }
        Some(drafts)
    }
}

/// A stretch of these drafts.
fn confirmed(mut drafts: Vec<Draft>, oracle: &Oracle, confirmer: &mut Confirmer) -> Stretch {
    let told: Vec<&Draft> = drafts.iter().collect();
    match confirmer.confirm(&told, oracle) {
        Ok(()) => Ok(drafts),
        Err((at, disagreement)) => Err(Disagrees { draft: Box::new(drafts.swap_remove(at)), disagreement }),
    }
}

/// Hands over stretches in their order, however they come.
fn in_order(
    made: impl Iterator<Item = (u64, Stretch)>,
    take: &mut impl FnMut(Option<Draft>, u64) -> ControlFlow<()>,
) -> Result<(), Disagrees> {
    let (mut early, mut due) = (BTreeMap::new(), 0);
    for (number, stretch) in made {
        early.insert(number, stretch);
        while let Some(stretch) = early.remove(&due) {
            due += 1;
            for draft in stretch? {
                if take(Some(draft), due * STRIDE).is_break() {
                    return Ok(());
                }
            }
            if take(None, due * STRIDE).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::record::Task;
    use crate::item::task::ProbeConfig;
    use crate::weave::config::WeaveConfig;
    use crate::weave::prior::Prior;
    use crate::weave::weaver::Loom;
    use std::sync::Arc;

    #[test]
    fn items_are_the_same_whatever_the_number_of_threads() {
        let loom = Arc::new(Loom::new(WeaveConfig::default()).expect("valid settings"));
        let taste = Prior::default().taste(&loom.config.instructions());
        let source = ItemSource::new(&loom, Task::Stack, ProbeConfig::default(), Arc::new(taste));
        let take = |threads| {
            let mut items = Vec::new();
            let took = source.stream(Seed::new(1), threads, |draft, _| {
                items.extend(draft.map(|draft| draft.item));
                if items.len() == 300 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            took.expect("wasmtime agrees");
            items
        };
        let items = take(1);
        assert_eq!(items.len(), 300);
        assert!(items == take(3) && items == source.items(Seed::new(1), 300).expect("enough"));
    }
}
