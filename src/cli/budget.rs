//! Owns the flags about what a run may cost.
//!
//! Must not know what it costs.

use super::given::{Given, pick};
use crate::run::plan::Conditions;

/// Flags about what a run may cost.
#[derive(Debug, Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Budget")]
pub(super) struct Flags {
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

impl Flags {
    /// The conditions with these limits.
    pub(super) fn limit(&self, conditions: Conditions, given: &Given) -> Conditions {
        let cost_limit = pick(given.has("cost_limit"), self.cost_limit, Some(conditions.cost_limit));
        Conditions { cost_limit, time_limit: self.time_limit, ..conditions }
    }
}
