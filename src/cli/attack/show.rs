//! Owns the table of an attack.
//!
//! Must not know how figures are computed.

use crate::cli::palette::{GLUE, verdicts};
use crate::cli::table::TextTable;
use crate::cli::{Failure, print_line};
use crate::report::figures::AttackFigures;
use crate::run::command::quoted;
use crate::run::dir::RunDir;

/// Shows the figures to people, and where everything is.
pub(super) fn show(figures: &AttackFigures, dir: &RunDir) -> Result<(), Failure> {
    let percent = |rate: Option<f64>| rate.map_or("unknown".into(), |rate| format!("{:.1}{GLUE}%", 100.0 * rate));
    let AttackFigures { queries, replies, unique_misses, spending, .. } = figures;
    let counts = figures.verdicts.iter().map(|(verdict, count)| (*verdict, *count));
    let mut rows = vec![
        ("model", figures.model.clone().unwrap_or_default()),
        ("strategy", figures.strategy.clone().unwrap_or_default()),
        ("queries", format!("{queries}, of them {replies} finished attack replies")),
        ("verdicts", verdicts(counts)),
        ("miss rate", format!("{}, {unique_misses} unique misses", percent(figures.miss_rate))),
        ("miss rate, last quarter", percent(figures.miss_rate_last_quarter)),
        ("  unique among these", percent(figures.distinct_share_last_quarter)),
        ("miss rate, random baseline", percent(figures.baseline_miss_rate)),
        ("coverage", format!("{} cells of construct and fuel with a miss", figures.cells_filled)),
    ];
    rows.extend(figures.predictor().map(|told| ("predictor", told)));
    if !spending.is_free() {
        rows.extend([("tokens", spending.tokens()), ("cost", spending.cost())]);
    }
    rows.push(("seconds", figures.seconds.map_or("unknown".into(), |seconds| format!("{seconds:.1}"))));
    let mut table = TextTable::of_pairs();
    rows.into_iter().for_each(|(name, value)| table.row([name.to_owned(), value]));
    print_line(&table.text())?;
    for (what, path) in [
        ("summary", dir.summary()),
        ("records", dir.records()),
        ("learner's figures", dir.metrics()),
        ("checkpoint", dir.checkpoint()),
    ] {
        if path.exists() {
            print_line(&format!("{what:18} {}", dir.shown(&path)))?;
        }
    }
    print_line(&format!("{:18} harness report {}", "what it fails on", quoted(&dir.name())))
}
