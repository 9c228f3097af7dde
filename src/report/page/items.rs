//! Owns the items of a page: what is told of each, and how thousands of them travel in one file.
//!
//! Must not know which items a report chooses. Each is a line of JSON, followed by its program in a block with those of
//! others; the lines are compressed and written as base64,
//! so that nothing in them can be markup, and the page's script reads them where they stand. Replies are cut, and the
//! execution is told only where the caller wants it.

use super::super::said;
use super::programs::Block;
use super::prompts::Prompts;
use super::trace::{ShownTrace, trace};
use crate::ask::prompt::Prompt;
use crate::item::record::{Purpose, Record, Task, Verdict};
use crate::run::plan;
use crate::wasm::machine::Machine;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::collections::HashMap;
use std::io::Write;

/// Bytes of a reply, or of any other text of a model, at most.
const REPLY_BYTES: usize = 1024;
/// Bytes of a reply, once programs are left out.
const SHORT_REPLY_BYTES: usize = 160;
/// Bytes of programs that are written together: enough to find their like, few beside the page.
const BLOCK: usize = 800_000;
/// What an item without a program takes, compressed bytes, and how many items a page has by default.
const SHORT_ITEM: usize = 130;
const ITEMS: u64 = 10_000;
/// Compression with others makes a program at least so many times smaller.
const SHRINKS: usize = 6;
/// Compressed bytes up to which items come with their programs.
const PROGRAMS: usize = 5_300_000;
/// Compressed bytes up to which items are shown at all; base64 makes four of three, so that with its tables the page
/// stays under 8 MB. Most of ten thousand items such as those of the suite `standard` find room with their programs.
const ALL: usize = 5_600_000;

/// An item as the page tells of it.
#[derive(Clone, Debug, Serialize)]
pub struct ItemView {
    /// Its name in its run.
    pub id: String,
    /// Who was asked, where a page has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What was asked.
    pub task: Task,
    /// What became of it.
    pub verdict: Verdict,
    /// How difficult it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Fuel of the run.
    pub fuel: u64,
    /// Bytes of the module.
    pub bytes: u32,
    /// Hash of its canonical form.
    pub canonical: String,
    /// Who chose it.
    pub chosen_by: String,
    /// Why it was asked.
    pub purpose: Purpose,
    /// Round, or epoch of an evaluation.
    pub round: u32,
    /// Position in the round.
    pub index: u32,
    /// The program as the model saw it; `None` where it is not told.
    #[serde(skip)]
    pub program: Option<String>,
    /// Whether the next block of programs has it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    told: bool,
    /// Number of the item on the page that has the same program.
    #[serde(skip_serializing_if = "Option::is_none")]
    same: Option<u64>,
    /// What there was to get right.
    pub slots: Vec<Slot>,
    /// Values that were said too many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<String>,
    /// The reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Quote>,
    /// The visible reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Quote>,
    /// The provider's refusal, or what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Quote>,
    /// Why the model stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// More that a report knows of it, a name and a text each: its cell in the archive, its shrunk form.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<(String, String)>,
    /// Number of its prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<usize>,
    /// Number of its run.
    run: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<ShownTrace>,
}

/// One value or flag: its name, the truth, what was said, and whether that is right, each where it is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slot(pub String, pub String, pub Option<String>, pub Option<bool>);

/// A text of a model, cut where it is long.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quote {
    /// Its beginning.
    pub text: String,
    /// Bytes of the whole, where it was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
}

impl Quote {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        Self { text: text.into(), of: None }.cut(REPLY_BYTES)
    }

    fn cut(mut self, bytes: usize) -> Self {
        let (whole, end) = (self.text.len(), self.text.floor_char_boundary(bytes));
        if end < whole {
            self.text.truncate(end);
            self.of.get_or_insert(whole);
        }
        self
    }
}

/// A run whose items are on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunNumber(usize);

/// A run as the page knows it.
#[derive(Clone, Debug)]
struct Run {
    /// Its directory as a command names it.
    dir: String,
    prompts: Vec<plan::Prompt>,
}

/// The last line: what the items have in common.
#[derive(Debug, Serialize)]
struct Common<'a> {
    runs: Vec<&'a str>,
    prompts: Vec<super::prompts::Text>,
}

/// Collects the items of a page, one after the other, in the order in which the page lists them.
pub struct ItemBook {
    runs: Vec<Run>,
    prompts: Prompts,
    machine: Machine,
    /// Items by the hash of their programs.
    known: HashMap<blake3::Hash, u64>,
    /// Programs that wait for others, to be written together.
    programs: Vec<String>,
    lines: GzEncoder<Vec<u8>>,
    /// How many items there will be.
    expected: u64,
    count: u64,
    shortened: u64,
    left_out: u64,
}

impl ItemBook {
    /// Without items; `prompts` are those of the caller whose texts do not come with the program.
    pub fn new(prompts: Vec<Prompt>) -> Self {
        let lines = GzEncoder::new(Vec::new(), Compression::best());
        Self {
            runs: Vec::new(),
            prompts: Prompts::new(prompts),
            machine: Machine::default(),
            known: HashMap::new(),
            programs: Vec::new(),
            lines,
            expected: ITEMS,
            count: 0,
            shortened: 0,
            left_out: 0,
        }
    }

    /// Says how many items there will be, so that each gets its share of the room.
    pub fn expect(&mut self, items: u64) {
        self.expected = items;
    }

    /// A run whose items follow: its directory as a command names it, and the prompts of its manifest.
    pub fn run(&mut self, dir: &str, prompts: &[plan::Prompt]) -> RunNumber {
        self.runs.push(Run { dir: dir.into(), prompts: prompts.into() });
        RunNumber(self.runs.len() - 1)
    }

    /// What the page tells of a record of a run; `in_full` with the execution, instruction by instruction.
    pub fn view(&mut self, RunNumber(run): RunNumber, record: &Record, in_full: bool) -> ItemView {
        let Record { item, answer, .. } = record;
        let (slots, beyond) = slots(record);
        let quote = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(Quote::of);
        ItemView {
            id: item.id.clone(),
            model: record.model.clone(),
            task: item.task,
            verdict: answer.verdict,
            level: record.level,
            fuel: item.fuel,
            bytes: item.bytes,
            canonical: item.canonical.clone(),
            chosen_by: record.chosen_by.clone(),
            purpose: record.purpose,
            round: record.round,
            index: record.index,
            program: Some(item.program.clone()),
            told: false,
            same: None,
            slots,
            beyond,
            reply: quote(&answer.reply),
            reasoning: quote(&answer.reasoning),
            trouble: quote(&answer.refusal).or(quote(&answer.error)),
            finish_reason: answer.finish_reason.clone(),
            notes: record.cell.iter().map(|cell| ("cell".into(), cell.clone())).collect(),
            prompt: self.prompts.of(&self.runs[run].prompts, item),
            run,
            trace: if in_full { trace(&mut self.machine, item) } else { None },
        }
    }

    /// Takes in the next item. Where room runs short it comes without its program, its prompt and its execution; whether
    /// it came at all.
    pub fn add(&mut self, mut view: ItemView) -> bool {
        let written = self.lines.get_ref().len();
        if written > ALL {
            self.left_out += 1;
            return false;
        }
        // Room is kept for those that follow.
        let following = self.expected.saturating_sub(self.count) as usize;
        let waiting = self.waiting() / SHRINKS;
        let has_room = written + waiting + following * SHORT_ITEM < PROGRAMS;
        if let Some(program) = view.program.take() {
            let hash = blake3::hash(program.as_bytes());
            view.same = self.known.get(&hash).copied();
            view.told = view.same.is_none() && has_room;
            if view.told {
                self.known.insert(hash, self.count);
                self.programs.push(program);
            }
            self.shortened += u64::from(view.same.is_none() && !has_room);
        }
        if !has_room {
            view.trace = None;
            if view.same.is_none() {
                view.prompt = None;
            }
            for quote in [&mut view.reply, &mut view.reasoning, &mut view.trouble] {
                *quote = quote.take().map(|quote| quote.cut(SHORT_REPLY_BYTES));
            }
        }
        self.line(&view);
        self.count += 1;
        if self.waiting() > BLOCK {
            self.flush();
        }
        true
    }

    /// Bytes of the programs that wait.
    fn waiting(&self) -> usize {
        self.programs.iter().map(String::len).sum()
    }

    /// Writes the programs that wait, behind their items.
    fn flush(&mut self) {
        let programs = std::mem::take(&mut self.programs);
        self.line(&Block::of(&programs));
    }

    fn line(&mut self, line: &impl Serialize) {
        serde_json::to_writer(&mut self.lines, line).expect("plain data into memory");
        self.lines.write_all(b"\n").expect("memory takes all");
    }

    /// All of them. `note` says in a sentence what they are, and what the caller left out; it also gets
    /// what had no room.
    pub fn finish(mut self, note: impl Into<String>) -> Items {
        self.flush();
        let runs = std::mem::take(&mut self.runs);
        let prompts = std::mem::replace(&mut self.prompts, Prompts::new(Vec::new())).into_texts();
        self.line(&Common { runs: runs.iter().map(|run| run.dir.as_str()).collect(), prompts });
        let data = STANDARD.encode(self.lines.finish().expect("memory takes all"));
        let mut note = note.into();
        if self.shortened > 0 {
            note +=
                &format!(" The last {} come without their programs, for which the page has no room.", self.shortened);
        }
        if self.left_out > 0 {
            note += &format!(" There was no room for {} more.", self.left_out);
        }
        Items { data, count: self.count, note }
    }
}

/// The items of a page, ready to be written.
#[derive(Clone, Debug)]
pub struct Items {
    data: String,
    count: u64,
    note: String,
}

impl Items {
    pub(super) fn data(&self) -> &str {
        &self.data
    }

    pub(super) fn note(&self) -> &str {
        &self.note
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// The truth beside what was said, slot by slot, and what was said beyond. Where an answer was read but is not in the
/// usual form, only what is right is known.
fn slots(record: &Record) -> (Vec<Slot>, Vec<String>) {
    let truth = record.item.truth.texts();
    let said = record.answer.reply.as_deref().filter(|_| record.answer.verdict.answered());
    let mut said = said.and_then(|reply| said::said(reply, &record.item.truth)).unwrap_or_default();
    let beyond = said.split_off(truth.len().min(said.len()));
    let slot = |(at, (name, truth)): (usize, (String, String))| {
        Slot(name, truth, said.get(at).cloned(), record.answer.slots.get(at).copied())
    };
    (truth.into_iter().enumerate().map(slot).collect(), beyond)
}

#[cfg(test)]
mod tests;
