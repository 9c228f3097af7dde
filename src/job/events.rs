//! Owns what a job tells while it goes on.
//!
//! Must not know who listens: a progress bar, a page, a test.

use crate::ask::limits::Meter;
use crate::attack::search::RoundMetrics;
use crate::attack::shrink::Size;
use crate::item::record::Record;
use crate::learn::train::Round;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// A part of a job with a progress of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// An attack of so many queries.
    Attack {
        /// Requests that count, the baseline's not.
        queries: u64,
    },
    /// An evaluation.
    Evaluation {
        /// Questions whose answers are known from before.
        known: u64,
        /// Questions in all.
        total: u64,
    },
    /// Minimal pairs of an attack.
    Pairs {
        /// Questions.
        questions: u64,
    },
    /// Cutting missed programs down.
    Shrinking,
    /// Weaving items before any question is asked.
    Weaving {
        /// The suite or preset.
        of: String,
        /// Items.
        items: u64,
    },
    /// Holding woven programs against every promise.
    Verifying {
        /// Programs.
        programs: u64,
    },
    /// Training a policy.
    Training,
}

/// Something that happened. As JSON: `{"event": "woven", "data": 40}`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event<'a> {
    /// Something to tell people, in a sentence.
    Note(&'a str),
    /// A stage begins; what is told until it ends is of it.
    Began(&'a Stage),
    /// A final answer came.
    Answered {
        /// The question and the answer.
        record: &'a Record,
        /// Dollars that the run has spent so far.
        spent: f64,
    },
    /// A strategy has learned from a round of an attack.
    Learned(&'a RoundMetrics),
    /// The next program is cut down: its item, its number from 1, and how many there are.
    Cutting(&'a str, usize, usize),
    /// It was missed with so little left of it.
    Smaller(Size),
    /// So many items or programs are woven.
    Woven(u64),
    /// A training is so far, from 0 to 1.
    Trained {
        /// How far.
        done: f64,
        /// Its last round.
        round: &'a Round,
        /// Environment steps a second, the update included.
        steps_per_s: f64,
    },
    /// What is waited for, about once a second while anything is asked; empty if nothing.
    Waiting(&'a str),
    /// The stage is over.
    Ended,
}

/// A listener. Events of one job come one after the other, from any thread.
pub trait Events: Send + Sync {
    /// Something happened.
    fn tell(&self, event: Event<'_>);
}

/// The listener that ignores all events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl Events for Silence {
    fn tell(&self, _: Event<'_>) {}
}

/// How often it is told what is waited for.
const EVERY: Duration = Duration::from_secs(1);

/// Tells what is waited for until it is dropped: silence would look like a standstill.
pub(super) struct Waiting(tokio::task::JoinHandle<()>);

impl Waiting {
    /// Begins, within a runtime. `also` says what else is waited for than replies.
    pub(super) fn begin(
        events: Arc<dyn Events>,
        meters: Vec<Arc<Meter>>,
        also: impl Fn() -> Option<String> + Send + 'static,
    ) -> Self {
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let for_replies = meters.iter().filter_map(|meter| waiting_for(meter));
                let waiting: Vec<String> = also().into_iter().chain(for_replies).collect();
                events.tell(Event::Waiting(&waiting.join("; ")));
            }
        }))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.abort();
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

#[cfg(test)]
pub(crate) mod tests {
    use super::{Event, Events};
    use std::sync::Mutex;

    /// Keeps what it was told, in words.
    #[derive(Default)]
    pub(crate) struct Recorded(Mutex<Vec<String>>);

    impl Recorded {
        /// All of it so far.
        pub(crate) fn told(&self) -> Vec<String> {
            self.0.lock().expect("no listener panics").clone()
        }

        /// How many begin like this.
        pub(crate) fn count(&self, start: &str) -> usize {
            self.told().iter().filter(|line| line.starts_with(start)).count()
        }
    }

    impl Events for Recorded {
        fn tell(&self, event: Event<'_>) {
            let line = match event {
                Event::Note(text) => format!("note {text}"),
                Event::Began(stage) => format!("began {stage:?}"),
                Event::Answered { record, spent } => {
                    format!("answered {} {} {spent:.4}", record.purpose.name(), record.answer.verdict)
                }
                Event::Learned(metrics) => format!("learned round {}", metrics.round),
                Event::Cutting(id, number, of) => format!("cutting {id} {number}/{of}"),
                Event::Smaller(size) => format!("smaller {}", size.instructions),
                Event::Woven(items) => format!("woven {items}"),
                Event::Trained { done, .. } => format!("trained {done:.2}"),
                Event::Waiting(_) => return,
                Event::Ended => "ended".into(),
            };
            self.0.lock().expect("no listener panics").push(line);
        }
    }
}
