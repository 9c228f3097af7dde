//! Owns showing the claims of a report in its summary, those that are proved apart from those that are not.
//!
//! Must not know how claims are found.

use super::super::stats::Share;
use super::super::weakness::{Claim, Cure, Status, Weaknesses};
use super::text::{interval, percent, table};

/// The section; without a claim there is none.
pub(super) fn section(weaknesses: &Weaknesses) -> String {
    let mut text = String::new();
    for status in Status::ALL {
        let rows: Vec<Vec<String>> = weaknesses.of_status(status).map(row).collect();
        if !rows.is_empty() {
            let columns = ["", "miss rate", "elsewhere", "cured", "control"];
            text += &format!("\n{}.\n\n{}", status.says(), table(&columns, &rows));
        }
    }
    if text.is_empty() { text } else { format!("## What it fails on\n{text}") }
}

fn row(claim: &Claim) -> Vec<String> {
    let rate = |share: Share| share.rate().map_or("unknown".into(), percent);
    let cured = |share: fn(&Cure) -> Share| claim.cure.as_ref().map_or(String::new(), |cure| between(share(cure)));
    let (suspect, control) = (cured(|cure| cure.suspect), cured(|cure| cure.control));
    vec![claim.what.clone(), rate(claim.with), rate(claim.without), suspect, control]
}

/// `95.0 % (76.4-99.1 %, 19 of 20)`.
fn between(share: Share) -> String {
    let Some((rate, range)) = share.rate().zip(share.wilson()) else { return "none asked".into() };
    format!("{} ({}, {} of {})", percent(rate), interval(range), share.hits, share.of)
}
