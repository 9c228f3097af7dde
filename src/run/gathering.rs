//! Owns when a data set of a preset's items is complete: so many items that are not alike, or of a part enough for its
//! share.
//!
//! Must not know how items are made. The whole and the merging of its parts take items in the same order through the same
//! steps, which is why they end up the same.

use super::dataset::{Card, Counts, DataSet, DataSetError, WovenCard, WovenPart};
use super::shard::Shard;
use crate::item::record::Item;
use crate::item::source::{PROGRAMS_PER_ITEM, STRIDE};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Stretches that a part makes beyond its share, so that merging seldom has to weave what one part has too few of.
const SPARE: u64 = 1;

/// A data set that is being filled.
#[derive(Debug)]
pub(crate) struct Gathering {
    data: DataSet,
    count: u64,
    programs: u64,
    repeated: u64,
    failed: Option<DataSetError>,
    part: Option<Share>,
}

/// How far a part is.
#[derive(Debug)]
struct Share {
    shard: Shard,
    seen: HashSet<String>,
    /// Stretches that it made since it had its share.
    spare: u64,
}

/// A data set that is finished.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// Its items.
    pub counts: Counts,
    /// Programs woven, up to the end of a stretch.
    pub programs: u64,
    /// Items left out because their canonical form was there.
    pub repeated: u64,
    /// Whether it has as many items as were asked for.
    pub complete: bool,
}

impl Gathering {
    /// Begins to fill one with `count` items, or a part of it (made by [`DataSet::part`]) with its share.
    pub(crate) fn new(data: DataSet, count: u64, shard: Option<Shard>) -> Self {
        let part = shard.map(|shard| Share { shard, seen: HashSet::new(), spare: 0 });
        Self { data, count, programs: 0, repeated: 0, failed: None, part }
    }

    /// Takes the next item, or with `None` the end of a stretch; `woven` programs were woven so far, this stretch included.
    pub(crate) fn take(&mut self, item: Option<&Item>, woven: u64) -> ControlFlow<()> {
        self.programs = woven;
        if let Some(item) = item {
            match self.data.add(item) {
                Ok(new) => self.repeated += u64::from(!new),
                Err(error) => self.failed = Some(error),
            }
            if let Some(part) = &mut self.part {
                part.seen.insert(item.canonical.clone());
            }
        }
        // Programs are counted by stretches; within one more items may come.
        let ended = item.is_none();
        let is_spent = ended && woven > self.limit();
        let is_done = match &mut self.part {
            None => self.data.len() == self.count,
            // A part has whole stretches.
            Some(part) if ended && part.seen.len() as u64 >= part.shard.share(self.count) => {
                part.spare += 1;
                part.spare > SPARE
            }
            Some(_) => false,
        };
        if is_done || is_spent || self.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Items so far, as far as they count.
    pub(crate) fn len(&self) -> u64 {
        self.part.as_ref().map_or(self.data.len(), |part| part.seen.len() as u64)
    }

    /// Programs after which nothing more is hoped for.
    fn limit(&self) -> u64 {
        match &self.part {
            None => PROGRAMS_PER_ITEM * self.count,
            Some(part) => PROGRAMS_PER_ITEM * part.shard.share(self.count) + SPARE * STRIDE,
        }
    }

    /// Ends it, with a card that this completes.
    ///
    /// # Errors
    /// If something could not be written, now or before.
    pub(crate) fn finish(self, card: WovenCard) -> Result<Gathered, DataSetError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let (programs, repeated) = (self.programs, self.repeated);
        let complete = match &self.part {
            None => self.data.len() == self.count,
            Some(part) => part.spare > SPARE,
        };
        let part =
            self.part.map(|part| WovenPart { shard: part.shard, stretches: programs / STRIDE, of_items: self.count });
        let items = self.data.len();
        let card = WovenCard { items, complete, programs, repeated, part, ..card };
        let counts = self.data.finish(&Card::Woven(Box::new(card)))?;
        Ok(Gathered { counts, programs, repeated, complete })
    }
}
