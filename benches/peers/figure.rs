//! Owns what a measurement is, how time is taken, and how the figures are shown.
//!
//! Must not know what is measured.

use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

const WARM_UP: Duration = Duration::from_millis(300);
const REPETITION: Duration = Duration::from_millis(600);
const REPETITIONS: u32 = 7;

/// One figure with what is needed to read it.
pub(crate) struct Figure {
    /// Key in the JSON line.
    pub(crate) name: String,
    pub(crate) value: f64,
    /// The share of a core that was there for it.
    pub(crate) core: Option<f64>,
    pub(crate) unit: &'static str,
    /// The preset that was woven.
    pub(crate) preset: String,
    /// What was measured besides, in words.
    pub(crate) detail: String,
    /// What limits it.
    pub(crate) limit: &'static str,
    /// At least this much is asked for.
    pub(crate) target: Option<f64>,
}

/// Units of work per second.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    /// By the wall clock.
    pub(crate) per_second: f64,
    /// The share of a core that this thread had meanwhile: under 1 the machine had other things to do, and the rate of
    /// a whole core is that much higher.
    pub(crate) core: Option<f64>,
}

impl Rate {
    /// Nanoseconds of this thread for one unit.
    pub(crate) fn nanoseconds(self) -> f64 {
        1e9 * self.core.unwrap_or(1.0) / self.per_second
    }
}

/// Warms up, then takes the best of several repetitions. `work` does a little and says how many units that was.
pub(crate) fn rate(mut work: impl FnMut() -> u64) -> Rate {
    let mut run = |least: Duration| {
        let (start, cpu) = (Instant::now(), cpu_time());
        let mut units = 0;
        loop {
            units += work();
            let elapsed = start.elapsed();
            if elapsed >= least {
                let core = cpu.zip(cpu_time()).map(|(from, to)| (to - from).div_duration_f64(elapsed));
                return Rate { per_second: units as f64 / elapsed.as_secs_f64(), core };
            }
        }
    };
    run(WARM_UP);
    let rates = (0..REPETITIONS).map(|_| run(REPETITION));
    rates.max_by(|a, b| a.per_second.total_cmp(&b.per_second)).expect("there are repetitions")
}

/// How long this thread has run; Linux tells.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// Prints the table, then the JSON line.
pub(crate) fn print_all(figures: &[Figure]) {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["figure", "value", "asked for", "core", "preset", "beside it", "limited by"]);
    for figure in figures {
        let target = figure.target.map_or(String::new(), |target| format!("{} {}", short(target), figure.unit));
        let value = format!("{} {}", short(figure.value), figure.unit);
        let core = figure.core.map_or(String::new(), |core| format!("{core:.2}"));
        table.add_row([&figure.name, &value, &target, &core, &figure.preset, &figure.detail, figure.limit]);
    }
    println!("{table}");
    let entry = |figure: &Figure| {
        let value = json!({
            "value": rounded(figure.value),
            "core": figure.core.map(rounded),
            "unit": figure.unit,
            "asked": figure.target,
            "of_asked": figure.target.map(|target| rounded(figure.value / target)),
            "preset": figure.preset,
            "detail": figure.detail,
            "limited_by": figure.limit,
        });
        (figure.name.clone(), value)
    };
    let all: Map<String, Value> = figures.iter().map(entry).collect();
    println!("{}", Value::Object(all));
}

/// Four significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().expect("a number was written")
}

/// A number with thousands set apart; with decimals where it is small.
fn short(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}
