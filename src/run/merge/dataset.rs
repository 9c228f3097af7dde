//! Owns merging the parts of a data set: their items in the order of one that was made in one piece.
//!
//! Must not know how items are made. Which stretch of programs yields the last item is known only when all parts are
//! there, so a part may have a stretch too few; the user is asked to make that one.

use super::{MergeError, in_order};
use crate::item::record::Item;
use crate::item::source::STRIDE;
use crate::run::dataset::{Card, Counts, DataSet, Splits, SuiteCard, WovenCard};
use crate::run::gathering::{Gathered, Gathering};
use crate::run::jsonl::{self, Stream};
use crate::run::shard::Shard;
use crate::run::suite::Fingerprint;
use std::path::{Path, PathBuf};

/// A part of a data set.
struct Part {
    path: PathBuf,
    card: Card,
    shard: Shard,
}

/// The data set that parts make together, before it is written.
pub(crate) struct Parts {
    parts: Vec<Part>,
    whole: Card,
}

/// What a part's items stand in.
const ITEMS: &str = "items.jsonl";

impl Parts {
    /// Reads the cards in these folders.
    ///
    /// # Errors
    /// If they are not all the parts of one data set.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, MergeError> {
        let parts = paths.iter().map(|path| Part::read(path)).collect::<Result<Vec<_>, _>>()?;
        let whole = parts[0].card.whole();
        for other in &parts[1..] {
            let what = differences(&whole, &other.card.whole(), parts[0].shard, other.shard);
            if !what.is_empty() {
                let (first, other) = (parts[0].path.clone(), other.path.clone());
                return Err(MergeError::Different { first, other, what: what.join(", ") });
            }
        }
        Ok(Self { parts: in_order(parts, |part| (&part.path, part.shard))?, whole })
    }

    /// What they are together.
    pub(crate) fn whole(&self) -> &Card {
        &self.whole
    }

    /// Writes the whole into a folder; `weave` makes the items of a stretch of programs that no part has.
    ///
    /// # Errors
    /// If a part is damaged, or something cannot be read, written or woven.
    pub(crate) fn write<E: From<MergeError>>(
        self,
        out: &Path,
        weave: impl FnMut(u64) -> Result<Vec<Item>, E>,
    ) -> Result<Counts, E> {
        let (format, split) = self.whole.form();
        let splits = split.map_or(Ok(Splits::default()), str::parse).map_err(MergeError::Split)?;
        let data = DataSet::create(out, format, splits).map_err(MergeError::DataSet)?;
        match self.whole {
            Card::Suite(card) => Ok(write_suite(&self.parts, card, data)?),
            Card::Woven(card) => write_woven(&self.parts, *card, data, weave),
        }
    }
}

impl Part {
    fn read(path: &Path) -> Result<Self, MergeError> {
        let card = Card::read(path)?;
        let shard = card.shard().ok_or_else(|| MergeError::Whole(path.into()))?;
        if matches!(&card, Card::Woven(card) if !card.complete) {
            return Err(MergeError::UnfinishedData(path.into()));
        }
        Ok(Self { path: path.into(), card, shard })
    }

    fn items(&self) -> Result<Stream<Item>, MergeError> {
        Ok(jsonl::stream(&self.path.join(ITEMS))?)
    }

    /// How many of its stretches it has.
    fn stretches(&self) -> u64 {
        match &self.card {
            Card::Woven(card) => card.part.map_or(0, |part| part.stretches),
            Card::Suite(_) => 0,
        }
    }
}

/// What is not the same of two wholes, by its keys.
fn differences(first: &Card, other: &Card, shard: Shard, other_shard: Shard) -> Vec<String> {
    let keys = |card: &Card| serde_yaml::to_value(card).expect("plain data").as_mapping().cloned().unwrap_or_default();
    let (mine, others) = (keys(first), keys(other));
    let missing = others.keys().filter(|key| !mine.contains_key(*key));
    let differ = mine.keys().chain(missing).filter(|key| mine.get(*key) != others.get(*key));
    let mut what: Vec<String> = differ.filter_map(|key| key.as_str()).map(str::to_owned).collect();
    what.extend((shard.of() != other_shard.of()).then(|| "the numbers of parts".to_owned()));
    what
}

/// The items of a suite, which were dealt out in turn.
fn write_suite(parts: &[Part], card: SuiteCard, mut data: DataSet) -> Result<Counts, MergeError> {
    let mut lines = parts.iter().map(Part::items).collect::<Result<Vec<_>, _>>()?;
    let mut prints = Fingerprint::default();
    for at in 0.. {
        let Some(item) = lines[at % parts.len()].next().transpose()? else { break };
        prints.add(&item);
        data.add(&item).map_err(MergeError::DataSet)?;
    }
    for (part, lines) in parts.iter().zip(&mut lines) {
        if lines.next().transpose()?.is_some() {
            return Err(wrong(part, lines.number(), "one item too many"));
        }
    }
    let (found, expected) = (prints.finish(), card.fingerprint.clone());
    if found != expected {
        return Err(MergeError::Fingerprint { found, expected });
    }
    let card = SuiteCard { items: data.len(), ..card };
    data.finish(&Card::Suite(card)).map_err(MergeError::DataSet)
}

/// The items of a preset, stretch by stretch.
fn write_woven<E: From<MergeError>>(
    parts: &[Part],
    card: WovenCard,
    data: DataSet,
    mut weave: impl FnMut(u64) -> Result<Vec<Item>, E>,
) -> Result<Counts, E> {
    let mut lines = parts.iter().map(Lines::open).collect::<Result<Vec<_>, MergeError>>()?;
    let mut gathering = Gathering::new(data, card.items, None);
    for stretch in 0.. {
        let (at, own) = (stretch as usize % parts.len(), stretch / parts.len() as u64);
        let items = if own < parts[at].stretches() { lines[at].of_stretch(stretch)? } else { weave(stretch)? };
        let woven = (stretch + 1) * STRIDE;
        let mut steps = items.iter().map(Some).chain([None]);
        if steps.any(|item| gathering.take(item, woven).is_break()) {
            break;
        }
    }
    let Gathered { counts, .. } = gathering.finish(card).map_err(MergeError::DataSet)?;
    Ok(counts)
}

/// The items of a part, one ahead.
struct Lines<'p> {
    part: &'p Part,
    stream: Stream<Item>,
    next: Option<Item>,
}

impl<'p> Lines<'p> {
    fn open(part: &'p Part) -> Result<Self, MergeError> {
        let mut lines = Self { part, stream: part.items()?, next: None };
        lines.advance()?;
        Ok(lines)
    }

    fn advance(&mut self) -> Result<(), MergeError> {
        self.next = self.stream.next().transpose()?;
        let (read, expected) = (self.stream.number() as u64, self.part.card.items());
        if self.next.is_none() && read != expected {
            let problem = format!("the file ends here, and its card says that there are {expected} items");
            return Err(wrong(self.part, self.stream.number(), &problem));
        }
        Ok(())
    }

    /// The items of a stretch of programs. Stretches are asked for in their order.
    fn of_stretch(&mut self, stretch: u64) -> Result<Vec<Item>, MergeError> {
        let mut items = Vec::new();
        while let Some(item) = self.next.take() {
            // The ids of woven items are the numbers of their programs.
            match item.id.parse::<u64>().map(|number| number / STRIDE) {
                Ok(of) if of == stretch => items.push(item),
                Ok(of) if of > stretch => {
                    self.next = Some(item);
                    break;
                }
                _ => {
                    return Err(wrong(
                        self.part,
                        self.stream.number(),
                        &format!("program {} does not belong here", item.id),
                    ));
                }
            }
            self.advance()?;
        }
        Ok(items)
    }
}

fn wrong(part: &Part, line: usize, problem: &str) -> MergeError {
    MergeError::Line { path: part.path.join(ITEMS), line: line.max(1), problem: problem.into() }
}
