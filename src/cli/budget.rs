//! Owns what ends a run before its questions do: dollars, time, and signals. Each ends it cleanly, so that it can be
//! resumed.
//!
//! Must not know what is asked.

use super::{Failure, say, signals};
use crate::ask::models::{ModelEntry, Prices};
use crate::ask::pipeline::{Stop, StopSignal};
use crate::item::record::Record;
use crate::run::spending::{dollars as shown, paid};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Sender;

/// Flags about what a run may cost.
#[derive(Debug, Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Budget")]
pub struct Flags {
    /// Dollars that may be spent, by the prices in models.yaml; then no more is asked, and what is in flight is waited for
    #[arg(long, value_name = "USD", value_parser = dollars)]
    cost_limit: Option<f64>,
    /// Seconds that the run may take; then as above
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..))]
    time_limit: Option<u64>,
}

fn dollars(text: &str) -> Result<f64, String> {
    let dollars = text.strip_prefix('$').unwrap_or(text).parse().ok();
    dollars
        .filter(|dollars: &f64| *dollars > 0.0 && dollars.is_finite())
        .ok_or_else(|| "write dollars, as in 2.50".into())
}

/// What a run has spent, and what it may.
pub struct Budget {
    cost_limit: Option<f64>,
    spent: f64,
    sender: Arc<Sender<Stop>>,
    why: Option<String>,
}

impl Flags {
    /// Whether the limits can be watched.
    ///
    /// # Errors
    /// If nobody knows the prices of a model, and dollars are limited.
    pub fn check(&self, entries: &[ModelEntry]) -> Result<(), Failure> {
        let unpriced = entries.iter().find(|entry| entry.prices.is_none() && !entry.provider.is_resident());
        if let (Some(_), Some(entry)) = (self.cost_limit, unpriced) {
            let problem = format!(
                "--cost-limit needs the prices of {}, which models.yaml does not have; give them in a file for --models",
                entry.name()
            );
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        }
        Ok(())
    }

    /// Dollars that may be spent, if they are limited.
    pub fn cost_limit(&self) -> Option<f64> {
        self.cost_limit
    }

    /// Begins to count and to listen, within a runtime.
    pub fn open(&self) -> (Budget, StopSignal) {
        let (sender, signal) = listen();
        if let Some(seconds) = self.time_limit {
            let sender = sender.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                stop(&sender, &format!("{seconds} s are over (--time-limit)"));
            });
        }
        (Budget { cost_limit: self.cost_limit, spent: 0.0, sender, why: None }, signal)
    }
}

impl Budget {
    /// Counts an answer, by what its provider counted or its texts let expect.
    pub fn pay(&mut self, prices: Option<&Prices>, Record { item, answer, .. }: &Record) {
        if let Some(prices) = prices {
            self.spend(paid(prices, item, answer).usd);
        }
    }

    /// Counts dollars.
    pub fn spend(&mut self, dollars: f64) {
        self.spent += dollars;
        if let (Some(limit), None) = (self.cost_limit.filter(|&limit| self.spent >= limit), &self.why) {
            let why = format!("{} are spent (--cost-limit)", shown(limit));
            stop(&self.sender, &why);
            self.why = Some(why);
        }
    }

    /// Dollars spent so far.
    pub fn spent(&self) -> f64 {
        self.spent
    }
}

/// Asks nothing new.
fn stop(sender: &Sender<Stop>, why: &str) {
    let first = sender.send_if_modified(|order| {
        let goes = *order == Stop::Go;
        if goes {
            *order = Stop::Finish;
        }
        goes
    });
    if first {
        say(&format!("{why}: stopping"));
    }
}

/// Begins to listen for signals, within a runtime.
pub(super) fn listen() -> (Arc<Sender<Stop>>, StopSignal) {
    let (sender, signal) = tokio::sync::watch::channel(Stop::Go);
    let sender = Arc::new(sender);
    tokio::spawn(obey(sender.clone()));
    (sender, signal)
}

/// One signal: finish what is in flight. Two: drop it. The third ends the process; what was asked is on disk.
async fn obey(sender: Arc<Sender<Stop>>) {
    let mut told = signals::listen();
    loop {
        let heard = *told.borrow_and_update();
        let order = match heard.times {
            0 => Stop::Go,
            1 => Stop::Finish,
            _ => Stop::Now,
        };
        if order != Stop::Go {
            sender.send_replace(order);
            say(if order == Stop::Finish { "stopping (again to drop what is in flight)" } else { "stopping now" });
        }
        if told.changed().await.is_err() {
            return;
        }
    }
}
