//! Owns what a run may spend: dollars and time. When either is used up, nothing new is asked, so that the run ends in good
//! order and can be resumed.
//!
//! Must not know what is asked.

use super::models::Prices;
use super::price::paid;
use super::stop::{StopSignal, Stopper};
use crate::item::record::{Answer, Item};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Dollars by which a sum of many prices may miss its true value: ten cents are less than 0.1 as floating-point numbers.
const ROUNDING: f64 = 1e-9;

/// What may be spent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Allowance {
    /// US dollars; `None` without a limit.
    pub dollars: Option<f64>,
    /// How long it may take; `None` without a limit.
    pub time: Option<Duration>,
}

impl Allowance {
    /// Whether nothing is left of the dollars after so many; unknown ones spend nothing.
    pub fn is_spent(&self, usd: Option<f64>) -> bool {
        self.dollars.zip(usd).is_some_and(|(limit, usd)| usd >= limit)
    }
}

/// What has been spent, by all who ask in one run.
pub struct Budget {
    dollars: Option<f64>,
    spent: Mutex<f64>,
    stopper: Stopper,
    clock: Option<tokio::task::JoinHandle<()>>,
}

impl Budget {
    /// Begins to count, and the time to run; within a runtime, if time is limited.
    pub fn open(allowance: Allowance, stopper: Stopper) -> Self {
        let clock = allowance.time.map(|time| {
            let stopper = stopper.clone();
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                stopper.finish(&format!("{} s are over (--time-limit)", time.as_secs_f64()));
            })
        });
        Self { dollars: allowance.dollars, spent: Mutex::new(0.0), stopper, clock }
    }

    /// One without limits, which is never stopped.
    pub fn unlimited() -> Self {
        Self::open(Allowance::default(), Stopper::default())
    }

    /// Counts an answer, by what its provider counted or its texts let expect.
    pub fn pay(&self, prices: Option<&Prices>, item: &Item, answer: &Answer) {
        let Some(prices) = prices else { return };
        let spent = {
            let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
            *spent += paid(prices, item, answer).usd;
            *spent
        };
        if let Some(limit) = self.dollars.filter(|&limit| spent >= limit - ROUNDING) {
            self.stopper.finish(&format!("{} are spent (--cost-limit)", super::price::dollars(limit)));
        }
    }

    /// Dollars spent so far.
    pub fn spent(&self) -> f64 {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the order to stop is heard.
    pub fn signal(&self) -> StopSignal {
        self.stopper.signal()
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        if let Some(clock) = &self.clock {
            clock.abort();
        }
    }
}
