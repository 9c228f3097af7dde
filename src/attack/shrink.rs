//! Owns shrinking: a program that a model mispredicts is cut down to the smallest that it still mispredicts.
//!
//! Must not know how the program came to be, which model answers, or how the result is stored. What is cut is the
//! program of a stored item, by edits that know nothing of models (`window`, `cuts`, `declarations`, `constants`). Each
//! edit that is a question at all is labelled anew and held against wasmtime before a model is asked; it counts only if
//! it is smaller (`Rank`), missed, and missed again when asked again. So shrinking ends, and its result is a miss by
//! itself.
//!
//! Large cuts come first: the probe to where the first wrong value shows, the stretch of the execution that is needed for
//! it by bisection, then stretches of code from long to short (delta debugging: Zeller and Hildebrandt 2002), until no
//! edit that is left is missed.

mod asking;
mod constants;
mod cuts;
mod declarations;
mod inline;
mod subject;
mod trace;
mod typing;
mod unused;
mod window;

#[cfg(test)]
mod tests;

pub use asking::{ShrinkError, Watch};
pub use subject::Size;

use crate::ask::exchange::{Exchange, ExchangeError};
use crate::item::edit::Question;
use crate::item::make::Draft;
use crate::item::record::{Answer, Item, Record, Task};
use crate::wasm::machine::Machine;
use crate::wasm::print::print;
use asking::Asking;
use std::collections::BTreeMap;
use subject::{Subject, instructions};
use trace::Recording;
use typing::{Extent, retype};
use unused::drop_unused;
use window::{Opening, Stack, cut, levels};

/// Candidates that are asked at once; the smallest one missed is taken.
const WIDTH: usize = 8;
/// Places that one bisection looks at.
const MOST_PLACES: usize = 256;
/// Fuel that an edited program may use beyond what the program had.
const MORE_FUEL: u64 = 64;

/// Who is asked, and how often.
pub struct Shrinker {
    /// Who is asked, and how.
    pub exchange: Exchange,
    /// How often a smaller program must be missed again.
    pub confirm: u32,
    /// Requests at most, for one program.
    pub query_budget: u64,
    /// Programs that others were cut down to, by canonical form, each with the item that it was cut out of: what comes to
    /// one of them is as small as it gets, and is not asked about.
    pub known: BTreeMap<String, String>,
}

/// Why shrinking ended.
#[derive(Debug)]
pub enum Finish {
    /// No edit that is left is missed.
    Smallest,
    /// The budget is spent.
    Budget,
    /// It was told to stop.
    Stopped,
    /// The program was not missed again, and is as it was.
    NotMissed,
    /// There was no reply about the program as it was: what the last trouble was.
    Unanswered(String),
    /// It comes to the program that this other item was cut down to.
    Known(String),
    /// The model could not be asked on.
    Broken(ExchangeError),
}

/// What came of a program.
#[derive(Debug)]
pub struct Shrunk {
    /// The question that is left, with its label and answer; `None` if not even the program as it was is missed again.
    pub record: Option<Record>,
    /// How large the program was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// Requests spent.
    pub queries: u64,
    /// How often it was missed of how often it was asked.
    pub missed: (u32, u32),
    /// Why it ended.
    pub finish: Finish,
}

/// How small a program is: what comes first decides. Every step of shrinking lowers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    size: Size,
    /// Characters of the text, the probes left out.
    text: usize,
    /// How far the constants are from zero.
    complexity: u64,
    /// Flags.
    marks: usize,
    /// Steps before the probe.
    step: usize,
}

/// A program that could be asked about.
struct SmallerProgram {
    subject: Subject,
    rank: Rank,
    draft: Draft,
}

/// The smallest so far.
struct Current {
    subject: Subject,
    rank: Rank,
    item: Item,
    answer: Answer,
    missed: (u32, u32),
    trace: Recording,
}

/// A pass: edits of a program, in the order in which they are tried.
type Pass = fn(&Subject, &Recording) -> Vec<Subject>;

/// Those that are tried until none helps, large cuts first.
const PASSES: [Pass; 8] = [
    |subject, _| cuts::tails(subject),
    cuts::stretches,
    cuts::structure,
    |subject, _| inline::inlined(subject),
    |subject, _| cuts::pairs(subject),
    declarations::declarations,
    |subject, _| constants::counters(subject),
    |subject, _| constants::plainer(subject),
];

impl Shrinker {
    /// Cuts the program of an item down.
    ///
    /// # Errors
    /// See [`ShrinkError`].
    pub async fn shrink(&mut self, item: &Item, watch: &mut dyn Watch) -> Result<Shrunk, ShrinkError> {
        let question = Question::of(item)?;
        let before = Size::of(&question.program);
        let subject = Subject::of(question).ok_or_else(|| ShrinkError::Unlabelled { id: item.id.clone() })?;
        let Self { exchange, confirm, query_budget, known } = self;
        let mut work = Work {
            asking: Asking::new(exchange, *confirm, *query_budget, watch),
            machine: Machine::default(),
            fuel_limit: item.fuel + MORE_FUEL,
            id: format!("{}-shrunk", item.id),
            drops_unused: false,
            known,
            same: None,
        };
        let start = work.label(subject).ok_or_else(|| ShrinkError::Unlabelled { id: item.id.clone() })?;
        if let Some(from) = work.known.get(&start.draft.item.canonical) {
            let finish = Finish::Known(from.clone());
            return Ok(Shrunk { record: None, before, after: before, queries: 0, missed: (0, 0), finish });
        }
        let Some((answer, missed)) = work.asking.is_missed(&start.draft).await? else {
            let finish = match work.asking.trouble() {
                _ if work.asking.is_stopped() => Finish::Stopped,
                Some(trouble) => Finish::Unanswered(trouble),
                None if work.asking.is_over() => work.asking.finish(),
                None => Finish::NotMissed,
            };
            let queries = work.asking.spent();
            return Ok(Shrunk { record: None, before, after: before, queries, missed: (0, 0), finish });
        };
        let mut current = work.adopt(start, answer, missed);
        let finish = match work.run(&mut current).await {
            Ok(()) => work.asking.finish(),
            // What was found before stays found.
            Err(ShrinkError::Exchange(error)) => Finish::Broken(error),
            Err(error) => return Err(error),
        };
        let (after, queries) = (current.rank.size, work.asking.spent());
        if let (Some(from), Finish::Smallest | Finish::Budget) = (work.same.take(), &finish) {
            let finish = Finish::Known(from);
            return Ok(Shrunk { record: None, before, after, queries, missed: current.missed, finish });
        }
        let record = Some(asking::record(current.item, current.answer));
        Ok(Shrunk { record, before, after, queries, missed: current.missed, finish })
    }
}

/// State while one program is cut down.
struct Work<'a> {
    asking: Asking<'a>,
    machine: Machine,
    fuel_limit: u64,
    /// What the result is called.
    id: String,
    /// Whether what nothing uses is taken away from every candidate.
    drops_unused: bool,
    /// As of the shrinker.
    known: &'a BTreeMap<String, String>,
    /// The item that was cut down to the same program.
    same: Option<String>,
}

impl Work<'_> {
    /// Whether nothing more is to be found out.
    fn is_over(&self) -> bool {
        self.same.is_some() || self.asking.is_over()
    }

    async fn run(&mut self, current: &mut Current) -> Result<(), ShrinkError> {
        self.drops_unused = true;
        let clean = current.subject.clone();
        // A model that is misled by unused parts keeps them.
        self.drops_unused = self.take_any(current, vec![clean]).await? || !self.is_smaller_when_clean(current);
        loop {
            let before = current.rank;
            self.cut_stretch(current).await?;
            for pass in PASSES {
                while !self.is_over() && self.take_any(current, pass(&current.subject, &current.trace)).await? {}
            }
            if current.rank == before || self.is_over() {
                return Ok(());
            }
        }
    }

    fn is_smaller_when_clean(&self, current: &Current) -> bool {
        let mut clean = current.subject.clone();
        drop_unused(&mut clean);
        Size::of(&clean.program) < current.rank.size
    }

    /// Looks for the shortest stretch of the execution that is missed by itself, up to the first place where a miss shows.
    async fn cut_stretch(&mut self, current: &mut Current) -> Result<(), ShrinkError> {
        if current.subject.task != Task::Stack {
            return Ok(());
        }
        loop {
            let before = current.rank;
            self.bisect(current, moved(&current.subject, &current.trace)).await?;
            let levels = levels(&current.subject, &current.trace, current.rank.step);
            let whole = levels.iter().flat_map(|level| self.windows(current, *level, [0])).collect();
            self.take_any(current, whole).await?;
            if let Some(&outer) = self::levels(&current.subject, &current.trace, current.rank.step).last() {
                let apart = (outer.end as usize).div_ceil(MOST_PLACES).max(1);
                let starts = self.windows(current, outer, (1..=outer.end).rev().step_by(apart));
                self.bisect(current, starts).await?;
            }
            if current.rank == before || self.is_over() {
                return Ok(());
            }
        }
    }

    /// The stretches of one level with these beginnings.
    fn windows(
        &mut self,
        current: &Current,
        level: window::Level,
        starts: impl IntoIterator<Item = u32>,
    ) -> Vec<Subject> {
        let Current { subject, trace, rank, .. } = current;
        let mut found = Vec::new();
        for start in starts {
            for stack in [Stack::Needed, Stack::Whole] {
                let opening = Opening { level, start, stack };
                found.extend(cut(subject, trace, &mut self.machine, self.fuel_limit, opening, rank.step));
            }
        }
        found
    }

    /// Tries edits in their order, some at a time; the smallest that is missed among those becomes the current one.
    async fn take_any(&mut self, current: &mut Current, subjects: Vec<Subject>) -> Result<bool, ShrinkError> {
        let mut batch: Vec<SmallerProgram> = Vec::new();
        let mut subjects = subjects.into_iter();
        loop {
            let next = subjects.next();
            let ends = next.is_none();
            if let Some(candidate) = next.and_then(|subject| self.candidate(subject, current.rank)) {
                let twice = batch.iter().any(|other| other.draft.item.program == candidate.draft.item.program);
                if !twice {
                    batch.push(candidate);
                }
            }
            let full = batch.len() == WIDTH || (ends && !batch.is_empty());
            if full && self.take(current, std::mem::take(&mut batch)).await? {
                return Ok(true);
            }
            if ends || self.is_over() {
                return Ok(false);
            }
        }
    }

    /// Looks for the smallest that is missed, as if all larger than a missed one were missed too.
    async fn bisect(&mut self, current: &mut Current, subjects: Vec<Subject>) -> Result<(), ShrinkError> {
        let than = current.rank;
        let mut open: Vec<SmallerProgram> =
            subjects.into_iter().filter_map(|subject| self.candidate(subject, than)).collect();
        open.sort_by_key(|candidate| candidate.rank);
        open.dedup_by(|a, b| a.draft.item.program == b.draft.item.program);
        while !open.is_empty() && !self.is_over() {
            let width = WIDTH.min(open.len());
            let picked: Vec<usize> = (0..width).map(|at| at * open.len() / width).collect();
            let ranks: Vec<Rank> = open.iter().map(|candidate| candidate.rank).collect();
            let mut rest: Vec<Option<SmallerProgram>> = open.into_iter().map(Some).collect();
            let batch = picked.iter().filter_map(|&at| rest[at].take()).collect();
            self.take(current, batch).await?;
            // Between the last that was not missed and the new current one.
            let start = picked.iter().rev().find(|&&at| ranks[at] < current.rank).map_or(0, |at| at + 1);
            let end = ranks.partition_point(|rank| *rank < current.rank);
            open = rest.into_iter().take(end).skip(start).flatten().collect();
        }
        Ok(())
    }

    /// Asks about candidates; whether the smallest that is missed became the current one.
    async fn take(&mut self, current: &mut Current, mut batch: Vec<SmallerProgram>) -> Result<bool, ShrinkError> {
        let drafts: Vec<&Draft> = batch.iter().map(|candidate| &candidate.draft).collect();
        self.same = drafts.iter().find_map(|draft| self.known.get(&draft.item.canonical)).cloned();
        if self.same.is_some() {
            return Ok(false);
        }
        let missed = self.asking.first(&drafts).await?;
        let mut smallest: Vec<usize> = missed;
        smallest.sort_by_key(|&at| batch[at].rank);
        for at in smallest {
            if let Some((answer, missed)) = self.asking.again(&batch[at].draft).await? {
                *current = self.adopt(batch.swap_remove(at), answer, missed);
                self.asking.smaller(current.rank.size);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The edit as a program that can be asked about, if it is smaller and was not asked before.
    fn candidate(&mut self, subject: Subject, than: Rank) -> Option<SmallerProgram> {
        for extent in [Extent::All, Extent::Entry, Extent::Nothing] {
            let mut subject = subject.clone();
            retype(&mut subject, extent);
            if self.drops_unused {
                drop_unused(&mut subject);
            }
            if instructions(&subject.program) > than.size.instructions {
                continue;
            }
            let fits = |candidate: &SmallerProgram| candidate.rank < than && candidate.draft.item.truth.slots() > 0;
            if let Some(candidate) = self.label(subject).filter(fits)
                && !self.asking.knows(&candidate.draft)
            {
                return Some(candidate);
            }
        }
        None
    }

    fn label(&mut self, subject: Subject) -> Option<SmallerProgram> {
        let question = subject.question()?;
        let size = Size::of(&question.program);
        let draft = question.label(&mut self.machine, self.id.clone(), self.fuel_limit)?;
        let program = &subject.program;
        let places = subject.places().into_iter().map(|(_, place)| subject.at(place));
        let inits = program.globals.iter().map(|global| global.init);
        let constants: Vec<_> = places.chain(inits).collect();
        let bytes: u64 = program.datas.iter().flat_map(|data| &data.bytes).map(|&byte| u64::from(byte != 0)).sum();
        let step = match (subject.task, subject.marks.first()) {
            (Task::Stack, Some(mark)) => {
                let trace = Recording::of(&subject, &mut self.machine, self.fuel_limit);
                trace.arrival(mark.func, mark.place, mark.hit).unwrap_or(0)
            }
            _ => 0,
        };
        let rank = Rank {
            size,
            text: print(program, &[]).len(),
            complexity: constants::complexity(program, &constants).saturating_add(bytes),
            marks: subject.marks.len(),
            step,
        };
        Some(SmallerProgram { subject, rank, draft })
    }

    fn adopt(&mut self, candidate: SmallerProgram, answer: Answer, missed: (u32, u32)) -> Current {
        let SmallerProgram { subject, rank, draft } = candidate;
        let trace = Recording::of(&subject, &mut self.machine, self.fuel_limit);
        Current { subject, rank, item: draft.item, answer, missed, trace }
    }
}

/// The same program with its probe at earlier steps that have operands; at so many that the rest is found among fewer.
fn moved(subject: &Subject, trace: &Recording) -> Vec<Subject> {
    let mark = subject.marks[0];
    let Some(until) = trace.arrival(mark.func, mark.place, mark.hit) else { return Vec::new() };
    let earlier = trace.steps[..until].iter().enumerate().filter(|(_, step)| !step.operands.is_empty());
    let earlier: Vec<(usize, &trace::Step)> = earlier.collect();
    let apart = earlier.len().div_ceil(MOST_PLACES).max(1);
    let at = |(at, step): (usize, &trace::Step)| {
        let mut new = subject.clone();
        new.marks[0] = subject::Mark { func: step.func, place: step.place, hit: trace.hit(at) };
        new
    };
    earlier.into_iter().rev().step_by(apart).map(at).collect()
}
