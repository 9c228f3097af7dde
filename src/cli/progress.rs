//! Owns the progress line on stderr: of an attack what is spent, how fast, how often the model misses, beside chance; of
//! an evaluation how often models are right; of a training how far it is and what programs are worth; and of all that ask
//! what they wait for.
//!
//! Must not change what is recorded.

pub(super) mod line;

use super::say;
use crate::item::record::{Purpose, Record, Verdict};
use crate::job::events::{Event, Events, Stage};
use crate::learn::train::Round;
use crate::run::spending::dollars;
use line::{Line, rate};
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Finished replies that the rates on the line look back on.
const WINDOW: usize = 200;

/// What stands on the line of those that ask: what may be cut comes last.
const ASKING: &str = "{bar:12} {pos}/{len}, {rate}, {eta} left, {wide_msg}";

/// How often a plain line is printed where stderr is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// When plain lines are printed in place of a bar: where there is no terminal.
struct Plain {
    spoken: Instant,
}

impl Plain {
    fn new() -> Self {
        Self { spoken: Instant::now() }
    }

    /// The first one after a second: what is over before needs none.
    fn soon() -> Self {
        let waited = PLAIN_EVERY.saturating_sub(WAITED_EVERY);
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

/// About how often a job tells what it waits for.
const WAITED_EVERY: Duration = Duration::from_secs(1);

/// Shows what a job tells: one line at a time, for the stage that goes on.
#[derive(Default)]
pub(super) struct Progress(Mutex<Option<Bar>>);

/// The line of a stage.
struct Bar {
    line: Line,
    plain: Plain,
    of: Of,
    waiting: Waiting,
}

/// What a line tells.
enum Of {
    Attack { attack: Window, baseline: Window },
    Evaluation(Right),
    Pairs,
    Shrinking { about: String },
    Weaving,
    Verifying,
    Training,
}

/// How often models were right.
#[derive(Default)]
struct Right {
    correct: u64,
    answers: u64,
    troubles: u64,
}

/// What was said of what is waited for.
#[derive(Default)]
struct Waiting {
    told: String,
    spoken: Option<Instant>,
}

/// Parts of a training's bar.
const PARTS: u64 = 1000;

impl Bar {
    fn new(stage: &Stage) -> Self {
        let (line, plain, of) = match stage {
            Stage::Attack { queries } => {
                let (attack, baseline) = (Window::default(), Window::default());
                (Line::new(Some(*queries), ASKING), Plain::new(), Of::Attack { attack, baseline })
            }
            Stage::Evaluation { known, total } => {
                let line = Line::new(Some(*total), ASKING);
                line.bar.set_position(*known);
                line.bar.reset_eta();
                (line, Plain::new(), Of::Evaluation(Right::default()))
            }
            Stage::Pairs { questions } => (Line::new(Some(*questions), ASKING), Plain::new(), Of::Pairs),
            Stage::Shrinking => {
                let line = Line::new(None, "{spinner} {pos} queries, {wide_msg}");
                (line, Plain::new(), Of::Shrinking { about: String::new() })
            }
            Stage::Weaving { of, items } => {
                let line = Line::new(Some(*items), "{bar:24} {pos}/{len} items woven, {eta} left: {wide_msg}");
                line.tell(of.clone());
                line.bar.tick();
                (line, Plain::soon(), Of::Weaving)
            }
            Stage::Verifying { programs } => (
                Line::new(Some(*programs), "{bar:24} {pos}/{len} programs, {rate}, {eta} left"),
                Plain::new(),
                Of::Verifying,
            ),
            Stage::Training => {
                (Line::new(Some(PARTS), "{bar:12} {percent} %, {eta} left, {wide_msg}"), Plain::new(), Of::Training)
            }
        };
        Self { line, plain, of, waiting: Waiting::default() }
    }

    fn answered(&mut self, record: &Record, spent: f64) {
        let due = self.plain.is_due();
        let cost = if spent > 0.0 { format!(", {}", dollars(spent)) } else { String::new() };
        if record.purpose != Purpose::Baseline {
            self.line.bar.inc(1);
        }
        match &mut self.of {
            Of::Attack { attack, baseline } => {
                match record.purpose {
                    Purpose::Attack => attack.push(record),
                    Purpose::Baseline => baseline.push(record),
                    Purpose::Confirm | Purpose::Eval | Purpose::Shrink | Purpose::Pair => {}
                }
                self.line.tell(format!("missed {} (random {}){cost}", attack.text(), baseline.text()));
            }
            Of::Evaluation(right) => {
                right.push(record.answer.verdict);
                // Texts cost more than questions to a server that answers at once.
                if right.answers % 64 == 1 || due {
                    self.line.tell(right.text() + &cost);
                }
            }
            Of::Shrinking { .. } | Of::Pairs | Of::Weaving | Of::Verifying | Of::Training => {}
        }
        if due {
            self.say(if matches!(self.of, Of::Attack { .. }) { "queries" } else { "questions" });
        }
    }

    /// How far it is, in a plain line.
    fn say(&self, what: &str) {
        let ((done, of), told) = (self.line.done(), self.line.told());
        let speed = rate(self.line.bar.per_sec());
        say(&match &self.of {
            Of::Attack { .. } => {
                format!("{done}/{of} {what}, {speed}, {told}, {} s left", self.line.bar.eta().as_secs())
            }
            Of::Evaluation(_) => format!("{done}/{of} {what}, {speed}, {told}"),
            Of::Pairs => format!("{done}/{of} {what}, {speed}"),
            Of::Shrinking { .. } => format!("{told}, {done} queries"),
            Of::Weaving => format!("{done}/{of} items of {told} woven"),
            Of::Verifying => format!("{done}/{of} programs verified, {speed}"),
            Of::Training => format!("{:.0} %, {told}", 100.0 * done as f64 / of as f64),
        });
    }

    fn cutting(&mut self, id: &str, number: usize, of: usize) {
        let about = format!("{id} ({number} of {of})");
        self.line.tell(format!("shrinking {about}"));
        self.of = Of::Shrinking { about };
    }

    fn smaller(&self, instructions: u32) {
        if let Of::Shrinking { about } = &self.of {
            self.line.tell(format!("shrinking {about}: {instructions} instructions"));
        }
    }

    fn woven(&mut self, items: u64) {
        self.line.bar.set_position(items);
        if self.plain.is_due() {
            self.say("items");
        }
    }

    fn trained(&mut self, done: f64, round: &Round, steps_per_s: f64) {
        let Round { steps, figures, .. } = round;
        let worth = format!(
            "R {:.2} (align {:.3}, length {:.3})",
            figures.mean_reward, figures.mean_align, figures.mean_length
        );
        self.line.bar.set_position((done * PARTS as f64) as u64);
        self.line.tell(format!("{steps} steps, {steps_per_s:.0}/s, {worth}"));
        if self.plain.is_due() {
            self.say("steps");
        }
    }

    /// Silence would look like a standstill. Where no bar is shown, it is told in a line now and then, when it changed.
    fn waits(&mut self, text: &str) {
        self.line.warn(text.to_owned());
        self.line.bar.tick();
        let Waiting { told, spoken } = &mut self.waiting;
        let due = spoken.is_none_or(|spoken| spoken.elapsed() >= PLAIN_EVERY);
        if !std::io::stderr().is_terminal() && due && !text.is_empty() && text != told {
            *spoken = Some(Instant::now());
            say(text);
            text.clone_into(told);
        }
    }
}

impl Right {
    fn push(&mut self, verdict: Verdict) {
        self.answers += 1;
        self.correct += u64::from(verdict == Verdict::Correct);
        self.troubles += u64::from(!verdict.is_reply());
    }

    fn text(&self) -> String {
        let right = 100.0 * self.correct as f64 / self.answers as f64;
        let troubles = if self.troubles > 0 { format!(", {} without a reply", self.troubles) } else { String::new() };
        format!("{right:.0} % right{troubles}")
    }
}

impl Events for Progress {
    fn tell(&self, event: Event<'_>) {
        // A line is a line, whatever became of who drew it last.
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (event, shown.as_mut()) {
            (Event::Note(text), Some(bar)) => bar.line.bar.suspend(|| say(text)),
            (Event::Note(text), None) => say(text),
            (Event::Began(stage), _) => *shown = Some(Bar::new(stage)),
            (Event::Answered { record, spent }, Some(bar)) => bar.answered(record, spent),
            (Event::Cutting(id, number, of), Some(bar)) => bar.cutting(id, number, of),
            (Event::Smaller(size), Some(bar)) => bar.smaller(size.instructions),
            (Event::Woven(items), Some(bar)) => bar.woven(items),
            (Event::Trained { done, round, steps_per_s }, Some(bar)) => bar.trained(done, round, steps_per_s),
            (Event::Waiting(text), Some(bar)) => bar.waits(text),
            (Event::Ended, Some(bar)) => {
                bar.line.finish();
                *shown = None;
            }
            (Event::Learned(_), _) | (_, None) => {}
        }
    }
}
