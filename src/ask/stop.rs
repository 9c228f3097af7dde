//! Owns the order to stop: who gives it, and where it is heard.
//!
//! Must not know signals, budgets or questions.

use crate::item::halt::Halt;
use std::sync::{Arc, Weak};
use tokio::sync::watch;

/// Where [`Stop`] is heard.
pub type StopSignal = watch::Receiver<Stop>;

/// How a run of questions is told to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    #[default]
    Go,
    /// Ask nothing new; wait for what is in flight, one attempt's time at most.
    Finish,
    /// Drop what is in flight, too. Dropped questions have no answer, so that a resumed run asks them again.
    Now,
}

/// Gives the order to stop. Clones give it to the same listeners.
#[derive(Clone)]
pub struct Stopper(Arc<Inner>);

struct Inner {
    sender: watch::Sender<Stop>,
    halt: Halt,
    told: Box<dyn Fn(&str) + Send + Sync>,
}

/// A stopper as long as another owner holds it.
pub struct WeakStopper(Weak<Inner>);

impl WeakStopper {
    /// The stopper, if it is still held.
    pub fn upgrade(&self) -> Option<Stopper> {
        self.0.upgrade().map(Stopper)
    }
}

impl Default for Stopper {
    /// One that does not tell why.
    fn default() -> Self {
        Self::telling(|_| ())
    }
}

impl Stopper {
    /// One that tells why it stops, once, in words such as `$2.00 are spent (--cost-limit)`.
    pub fn telling(told: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { sender: watch::Sender::new(Stop::Go), halt: Halt::default(), told: Box::new(told) }))
    }

    /// The same without holding it.
    pub fn downgrade(&self) -> WeakStopper {
        WeakStopper(Arc::downgrade(&self.0))
    }

    /// Where its orders are heard.
    pub fn signal(&self) -> StopSignal {
        self.0.sender.subscribe()
    }

    /// The same for work that waits for nothing, and looks between two steps.
    pub fn halt(&self) -> Halt {
        self.0.halt.clone()
    }

    /// Gives an order, in place of the one before.
    pub fn order(&self, stop: Stop) {
        if stop != Stop::Go {
            self.0.halt.wish();
        }
        self.0.sender.send_replace(stop);
    }

    /// Lets nothing new be asked, unless an order to stop was given before.
    pub fn finish(&self, why: &str) {
        let is_first = self.0.sender.send_if_modified(|order| {
            let goes = *order == Stop::Go;
            if goes {
                *order = Stop::Finish;
            }
            goes
        });
        if is_first {
            self.0.halt.wish();
            (self.0.told)(why);
        }
    }
}
