//! Owns the progress line on stderr: of an attack what is spent, how fast, how often the model misses, beside chance; of
//! an evaluation how often models are right; of a training how far it is and what programs are worth; and of all that ask
//! what they wait for.
//!
//! Must not change what is recorded.

pub mod line;

use super::budget::Budget;
use super::say;
use crate::ask::limits::Meter;
use crate::ask::models::Prices;
use crate::attack::search::{RoundMetrics, Watch};
use crate::attack::shrink::{self, Size};
use crate::item::record::{Purpose, Record, SinkError, Verdict};
use crate::learn::train::Round;
use crate::run::dir::RunDir;
use crate::run::jsonl::{self, JsonLines, LineError};
use crate::run::spending::{Spending, Tally, dollars};
use line::{Line, rate};
use serde::Serialize;
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Finished replies that the rates on the line look back on.
const WINDOW: usize = 200;

/// What stands on the line of those that ask: what may be cut comes last.
const ASKING: &str = "{bar:12} {pos}/{len}, {rate}, {eta} left, {wide_msg}";

/// How often a plain line is printed where stderr is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// When plain lines are printed in place of a bar: where nobody sees it.
struct Plain {
    spoken: Instant,
}

impl Plain {
    fn new() -> Self {
        Self { spoken: Instant::now() }
    }

    /// The first one after a second: what is over before needs none.
    fn soon() -> Self {
        let waited = PLAIN_EVERY.saturating_sub(WATCH_EVERY);
        Self { spoken: Instant::now().checked_sub(waited).unwrap_or_else(Instant::now) }
    }

    /// Whether the next one is due; it is said then.
    fn is_due(&mut self) -> bool {
        let due = self.spoken.elapsed() >= PLAIN_EVERY && !std::io::stderr().is_terminal();
        if due {
            self.spoken = Instant::now();
        }
        due
    }
}

/// Misses among the last finished replies.
#[derive(Default)]
struct Window(VecDeque<bool>);

impl Window {
    fn push(&mut self, record: &Record) {
        if record.answer.verdict.is_finished_reply() {
            self.0.push_back(record.answer.verdict.is_miss());
            if self.0.len() > WINDOW {
                self.0.pop_front();
            }
        }
    }

    fn text(&self) -> String {
        let misses = self.0.iter().filter(|&&miss| miss).count();
        if self.0.is_empty() { "-".into() } else { format!("{:.0} %", 100.0 * misses as f64 / self.0.len() as f64) }
    }
}

/// Shows the progress of an attack and keeps the learner's figures.
pub struct Progress {
    line: Line,
    rounds: RoundLog,
    budget: Budget,
    prices: Option<Prices>,
    attack: Window,
    baseline: Window,
    plain: Plain,
    /// When the last round was over.
    learned: Instant,
    /// Who the provider says has answered.
    pub model_returned: Option<String>,
}

/// `metrics.jsonl` of an attack.
#[derive(Debug)]
pub struct RoundLog {
    lines: JsonLines,
    /// Rounds that an earlier part of the attack told of already.
    told: u32,
}

impl RoundLog {
    /// Goes on behind what is there.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open(dir: &RunDir) -> Result<Self, LineError> {
        let lines = JsonLines::open(&dir.metrics())?;
        let told = jsonl::read::<serde::de::IgnoredAny>(&dir.metrics())?.rows.len() as u32;
        Ok(Self { lines, told })
    }
}

/// One line of `metrics.jsonl`.
#[derive(Serialize)]
struct RoundLine<'a> {
    #[serde(flatten)]
    metrics: &'a RoundMetrics,
    /// Environment steps a second, asking and the baseline included.
    steps_per_s: f64,
}

impl Progress {
    /// A line for this many queries.
    pub fn new(queries: u64, rounds: RoundLog, budget: Budget, prices: Option<Prices>) -> Self {
        Self {
            line: Line::new(Some(queries), ASKING),
            rounds,
            budget,
            prices,
            attack: Window::default(),
            baseline: Window::default(),
            plain: Plain::new(),
            learned: Instant::now(),
            model_returned: None,
        }
    }

    /// The line, to tell more on it.
    pub fn line(&self) -> Line {
        self.line.clone()
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.line.finish();
    }

    /// What is left to spend, for what comes after.
    pub fn into_budget(self) -> Budget {
        self.budget
    }
}

impl Watch for Progress {
    fn answered(&mut self, record: &Record, attempts: u32) {
        if attempts > 0 {
            self.budget.pay(self.prices.as_ref(), record);
        }
        match record.purpose {
            Purpose::Attack => self.attack.push(record),
            Purpose::Baseline => self.baseline.push(record),
            Purpose::Confirm | Purpose::Eval | Purpose::Shrink | Purpose::Pair => {}
        }
        if self.model_returned.is_none() {
            self.model_returned.clone_from(&record.answer.model_returned);
        }
        if record.purpose != Purpose::Baseline {
            self.line.bar.inc(1);
        }
        let spent = Some(self.budget.spent()).filter(|&spent| spent > 0.0);
        let spent = spent.map_or(String::new(), |spent| format!(", {}", dollars(spent)));
        self.line.tell(format!("missed {} (random {}){spent}", self.attack.text(), self.baseline.text()));
        if self.plain.is_due() {
            let (done, of) = self.line.done();
            let left = self.line.bar.eta().as_secs();
            say(&format!(
                "{done}/{of} queries, {}, {}, {left} s left",
                rate(self.line.bar.per_sec()),
                self.line.told()
            ));
        }
    }

    fn learned(&mut self, metrics: &RoundMetrics) -> Result<(), SinkError> {
        let seconds = std::mem::replace(&mut self.learned, Instant::now()).elapsed().as_secs_f64();
        let steps_per_s = (metrics.steps as f64 / seconds).round();
        if metrics.round < self.rounds.told {
            return Ok(());
        }
        self.rounds.lines.append(&RoundLine { metrics, steps_per_s }).map_err(Into::into)
    }
}

/// Shows the progress of shrinking, and counts what it costs.
pub struct ShrinkProgress {
    line: Line,
    budget: Budget,
    prices: Option<Prices>,
    about: String,
    /// What this program took and cost, and what all did.
    spent: [Tally; 2],
    plain: Plain,
}

impl ShrinkProgress {
    /// A line for so many requests as it takes.
    pub fn new(budget: Budget, prices: Option<Prices>) -> Self {
        let line = Line::new(None, "{spinner} {pos} queries, {wide_msg}");
        Self { line, budget, prices, about: String::new(), spent: Default::default(), plain: Plain::new() }
    }

    /// Begins with a program.
    pub fn begin(&mut self, about: String) {
        self.line.tell(format!("shrinking {about}"));
        self.about = about;
        self.spent[0] = Tally::default();
    }

    /// What the program that was begun last took and cost so far.
    pub fn spent(&self) -> Spending {
        self.spent[0].spending()
    }

    /// What all programs took and cost.
    pub fn spent_in_all(&self) -> Spending {
        self.spent[1].spending()
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.line.finish();
    }
}

impl shrink::Watch for ShrinkProgress {
    fn answered(&mut self, record: &Record, attempts: u32) {
        if attempts > 0 {
            self.budget.pay(self.prices.as_ref(), record);
            self.spent.iter_mut().for_each(|tally| tally.add(self.prices.as_ref(), &record.item, &record.answer));
        }
        self.line.bar.inc(1);
        if self.plain.is_due() {
            say(&format!("{}, {} queries", self.line.told(), self.line.bar.position()));
        }
    }

    fn smaller(&mut self, size: Size) {
        self.line.tell(format!("shrinking {}: {} instructions", self.about, size.instructions));
    }
}

/// Shows the progress of an evaluation.
pub struct EvalProgress {
    line: Line,
    plain: Plain,
    correct: u64,
    answers: u64,
    troubles: u64,
}

impl EvalProgress {
    /// A line for so many questions, of which some have their answers from before.
    pub fn new(known: u64, total: u64) -> Self {
        let line = Line::new(Some(total), ASKING);
        line.bar.set_position(known);
        line.bar.reset_eta();
        Self { line, plain: Plain::new(), correct: 0, answers: 0, troubles: 0 }
    }

    /// The line, to tell more on it.
    pub fn line(&self) -> Line {
        self.line.clone()
    }

    /// A final answer came; so many dollars are spent.
    pub fn answered(&mut self, record: &Record, spent: f64) {
        let verdict = record.answer.verdict;
        self.answers += 1;
        self.correct += u64::from(verdict == Verdict::Correct);
        self.troubles += u64::from(!verdict.is_reply());
        self.line.bar.inc(1);
        let due = self.plain.is_due();
        // Texts cost more than questions to a server that answers at once.
        if self.answers % 64 == 1 || due {
            let right = 100.0 * self.correct as f64 / self.answers as f64;
            let mut message = format!("{right:.0} % right");
            if self.troubles > 0 {
                message += &format!(", {} without a reply", self.troubles);
            }
            if spent > 0.0 {
                message += &format!(", {}", dollars(spent));
            }
            self.line.tell(message);
        }
        if due {
            let (done, of) = self.line.done();
            say(&format!("{done}/{of} questions, {}, {}", rate(self.line.bar.per_sec()), self.line.told()));
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.line.finish();
    }
}

/// Shows how many items of a suite or preset are woven.
pub struct WeavingProgress {
    line: Line,
    plain: Plain,
}

impl WeavingProgress {
    /// A line for so many items of a suite or preset.
    pub fn new(of: &str, items: u64) -> Self {
        let line = Line::new(Some(items), "{bar:24} {pos}/{len} items woven, {eta} left: {wide_msg}");
        line.tell(of.to_owned());
        line.bar.tick();
        Self { line, plain: Plain::soon() }
    }

    /// So many more are.
    pub fn woven(&mut self, more: u64) {
        self.reach(self.line.done().0 + more);
    }

    /// So many are there.
    pub fn reach(&mut self, items: u64) {
        self.line.bar.set_position(items);
        if self.plain.is_due() {
            let (done, of) = self.line.done();
            say(&woven(done, of, &self.line.told()));
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.line.finish();
    }
}

/// How many items of a suite there are.
pub fn woven(items: u64, of: u64, suite: &str) -> String {
    format!("{items}/{of} items of {suite} woven")
}

/// How often it is told what is waited for.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Tells behind a bar what is waited for, for as long as it is polled: silence would look like a standstill. Where nobody
/// sees the bar, it is told in a line now and then, when it changed. `also` says what else is waited for than replies.
pub async fn watch(line: Line, meters: Vec<Arc<Meter>>, also: impl Fn() -> Option<String>) {
    let mut told = String::new();
    let mut spoken: Option<Instant> = None;
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        let waiting: Vec<String> =
            also().into_iter().chain(meters.iter().filter_map(|meter| waiting_for(meter))).collect();
        let text = waiting.join("; ");
        line.warn(text.clone());
        line.bar.tick();
        let due = spoken.is_none_or(|spoken| spoken.elapsed() >= PLAIN_EVERY);
        if !std::io::stderr().is_terminal() && due && !text.is_empty() && text != told {
            spoken = Some(Instant::now());
            say(&text);
            told = text;
        }
    }
}

/// What a client waits for, if anything.
fn waiting_for(meter: &Meter) -> Option<String> {
    let trouble = meter.last_trouble()?;
    let retries = meter.retries();
    let slowed = format!("{retries} retries, {} at once: {trouble}", meter.window());
    Some(match meter.pause() {
        Some(pause) => format!("waiting {:.0} s as the provider wants, {slowed}", pause.as_secs_f64().ceil()),
        None => slowed,
    })
}

/// Shows the progress of a training.
pub struct TrainingProgress {
    line: Line,
    plain: Plain,
}

impl TrainingProgress {
    const PARTS: u64 = 1000;

    /// A line at its start.
    pub fn new() -> Self {
        Self { line: Line::new(Some(Self::PARTS), "{bar:12} {percent} %, {eta} left, {wide_msg}"), plain: Plain::new() }
    }

    /// Another round is over.
    pub fn show(&mut self, done: f64, round: &Round, steps_per_s: f64) {
        let Round { steps, figures, .. } = round;
        let worth = format!(
            "R {:.2} (align {:.3}, length {:.3})",
            figures.mean_reward, figures.mean_align, figures.mean_length
        );
        self.line.bar.set_position((done * Self::PARTS as f64) as u64);
        self.line.tell(format!("{steps} steps, {steps_per_s:.0}/s, {worth}"));
        if self.plain.is_due() {
            say(&format!("{:.0} %, {}", 100.0 * done, self.line.told()));
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.line.finish();
    }
}

impl Default for TrainingProgress {
    fn default() -> Self {
        Self::new()
    }
}
