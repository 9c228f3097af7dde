//! Owns the progress line on stderr: of an attack what is spent, how fast, how often the model misses, beside chance; of
//! a training how far it is and what programs are worth.
//!
//! Must not change what is recorded.

use super::say;
use crate::attack::search::{RoundMetrics, Watch};
use crate::item::record::{Purpose, Record, SinkError};
use crate::learn::train::Round;
use crate::run::jsonl::JsonLines;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Finished replies that the rates on the line look back on.
const WINDOW: usize = 200;

/// How often a plain line is printed where stderr is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

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
    bar: ProgressBar,
    metrics: JsonLines,
    attack: Window,
    baseline: Window,
    /// Where nobody sees the line: when the last plain one was printed.
    spoken: Instant,
    /// When the last round was over.
    learned: Instant,
    /// Who the provider says has answered.
    pub model_returned: Option<String>,
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
    pub fn new(budget: u64, metrics: JsonLines) -> Self {
        let bar = ProgressBar::with_draw_target(Some(budget), ProgressDrawTarget::stderr());
        let template = "{bar:24} {pos}/{len} queries, {per_sec}, {msg}, {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well-formed"));
        Self {
            bar,
            metrics,
            attack: Window::default(),
            baseline: Window::default(),
            spoken: Instant::now(),
            learned: Instant::now(),
            model_returned: None,
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress {
    fn answered(&mut self, record: &Record) {
        match record.purpose {
            Purpose::Attack => self.attack.push(record),
            Purpose::Baseline => self.baseline.push(record),
            Purpose::Confirm | Purpose::Eval => {}
        }
        if self.model_returned.is_none() {
            self.model_returned.clone_from(&record.answer.model_returned);
        }
        if record.purpose != Purpose::Baseline {
            self.bar.inc(1);
        }
        self.bar.set_message(format!("missing {} (chance {})", self.attack.text(), self.baseline.text()));
        if !std::io::stderr().is_terminal() && self.spoken.elapsed() >= PLAIN_EVERY {
            self.spoken = Instant::now();
            let (done, of) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let (rate, left) = (self.bar.per_sec(), self.bar.eta().as_secs());
            say(&format!("{done}/{of} queries, {rate:.0}/s, {}, {left} s left", self.bar.message()));
        }
    }

    fn learned(&mut self, metrics: &RoundMetrics) -> Result<(), SinkError> {
        let seconds = std::mem::replace(&mut self.learned, Instant::now()).elapsed().as_secs_f64();
        let steps_per_s = (metrics.steps as f64 / seconds).round();
        self.metrics.append(&RoundLine { metrics, steps_per_s }).map_err(Into::into)
    }
}

/// Shows the progress of a training.
pub struct TrainingProgress {
    bar: ProgressBar,
    spoken: Instant,
}

impl TrainingProgress {
    const PARTS: u64 = 1000;

    /// A line at its start.
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(Self::PARTS), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24} {percent} %, {msg}, {eta} left");
        bar.set_style(style.expect("the template is well-formed"));
        Self { bar, spoken: Instant::now() }
    }

    /// Another round is over.
    pub fn show(&mut self, done: f64, round: &Round, steps_per_s: f64) {
        let Round { steps, figures, .. } = round;
        let worth = format!(
            "R {:.2} (align {:.3}, length {:.3})",
            figures.mean_reward, figures.mean_align, figures.mean_length
        );
        self.bar.set_position((done * Self::PARTS as f64) as u64);
        self.bar.set_message(format!("{steps} steps, {steps_per_s:.0}/s, {worth}"));
        if !std::io::stderr().is_terminal() && self.spoken.elapsed() >= PLAIN_EVERY {
            self.spoken = Instant::now();
            say(&format!("{:.0} %, {}", 100.0 * done, self.bar.message()));
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Default for TrainingProgress {
    fn default() -> Self {
        Self::new()
    }
}
