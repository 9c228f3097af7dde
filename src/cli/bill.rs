//! Owns showing what a run would cost.
//!
//! Must not know how it is reckoned.

use super::table::prose;
use super::{Failure, print_json, print_line};
use crate::job::bill::{Bill, Bought};
use serde::Serialize;

/// Shows bills, and what a limit in dollars buys of them; with what stands for them as JSON, that.
pub(super) fn show(bills: &[Bill], limit: Option<f64>, json: Option<impl Serialize>) -> Result<(), Failure> {
    let bought = limit.map(|limit| Bought::of(bills, limit));
    if let Some(told) = json {
        return print_json(&Told { told, bought });
    }
    let sentences = bills.iter().map(Bill::sentence).chain(bought.iter().map(Bought::sentence));
    sentences.into_iter().try_for_each(|sentence| print_line(&prose(&sentence)))
}

/// What `--dry-run --json` prints.
#[derive(Serialize)]
struct Told<T> {
    #[serde(flatten)]
    told: T,
    #[serde(flatten)]
    bought: Option<Bought>,
}
