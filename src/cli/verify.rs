//! Owns `harness verify`: weaves many programs and holds each against every promise.

use super::progress::line::Line;
use super::table::{Column, Table};
use super::{Failure, print_json, print_line, say};
use crate::ask::guess::lessons::{self, LESSONS};
use crate::ask::guess::measure::{Floor, Unit, measure};
use crate::item::verify::{Broken, Verified, verify};
use crate::job::connect::unlearned;
use crate::run::clock::Stamp;
use crate::run::dir::RunName;
use crate::run::homes::Homes;
use crate::run::preset::Preset;
use crate::seed::Seed;
use crate::wasm::{encode::encode, print::print};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Weave programs and check that each is valid, never traps, and keeps to its limits, with wasmtime as the judge
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Preset: a name in policies/, or a file
    #[arg(long, default_value = "stack", value_name = "NAME|FILE")]
    preset: String,
    /// Programs to weave; with --guessers, items to make
    #[arg(short = 'n', long, default_value_t = 20_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Instead, measure how many items can be guessed without executing anything, and hold it against the targets
    #[arg(long)]
    guessers: bool,
    /// Where broken programs are written
    #[arg(long, default_value = "results", value_name = "DIR")]
    log_dir: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    verified: Verified,
    seconds: f64,
}

#[derive(Serialize)]
struct Guessed {
    #[serde(flatten)]
    floor: Floor,
    seconds: f64,
}

impl Args {
    /// Verifies; an error if a promise was broken.
    pub fn run(&self, homes: &Homes) -> Result<(), Failure> {
        let preset = Preset::load(&self.preset).map_err(Failure::usage)?;
        if self.guessers {
            return self.guess(&preset);
        }
        let loom = preset.loom().map_err(Failure::usage)?;
        let taste = preset.prior.taste(&loom.config.instructions());
        let started = Instant::now();
        let (verified, broken) =
            self.with_progress(|done| verify(&loom, &taste, Seed::new(self.seed), self.count, done));
        let seconds = seconds_since(started);
        let holds = verified.holds();
        if self.json {
            print_json(&Report { verified, seconds })?;
        } else {
            let counts = serde_json::to_value(&verified)?;
            let mut rows = counts.as_object().into_iter().flatten();
            rows.try_for_each(|(name, count)| print_line(&format!("{name:18} {:>10}", count.to_string())))?;
            print_line(&format!("{:18} {seconds:>10.1}", "seconds"))?;
        }
        if holds {
            return Ok(());
        }
        let place = self.save(&broken, homes)?;
        Err(Failure::Error(anyhow::anyhow!("{} programs broke a promise; they are in {place}", broken.len())))
    }

    /// Measures the guessers; [`Failure::Missed`] if one gets too much right.
    fn guess(&self, preset: &Preset) -> Result<(), Failure> {
        let started = Instant::now();
        let source = preset.source(&preset.loom().map_err(Failure::usage)?);
        let seed = Seed::new(self.seed);
        say(&format!("making {} items, and {LESSONS} others for guess/learned to learn from", self.count));
        let learned = lessons::learn(std::slice::from_ref(&source), seed).map_err(unlearned)?;
        let items = source.items(seed, self.count as usize).map_err(|error| unlearned(error.into()))?;
        let floor = measure(&items, learned.get(&source.task()))?;
        let missed = floor.missed();
        if self.json {
            print_json(&Guessed { floor, seconds: seconds_since(started) })?;
        } else {
            print_line(&floor_table(&floor))?;
            print_line(&format!("in {:.1} s", seconds_since(started)))?;
        }
        if missed.is_empty() { Ok(()) } else { Err(Failure::Missed(anyhow::anyhow!("{}", missed.join("; ")))) }
    }

    fn with_progress<T: Send>(&self, work: impl FnOnce(&AtomicU64) -> T + Send) -> T {
        let bar = Line::new(Some(self.count), "{bar:24} {pos}/{len} programs, {rate}, {eta} left").bar;
        let done = AtomicU64::new(0);
        let result = std::thread::scope(|scope| {
            let worker = scope.spawn(|| work(&done));
            while !worker.is_finished() {
                bar.set_position(done.load(Ordering::Relaxed));
                std::thread::sleep(Duration::from_millis(50));
            }
            worker.join()
        });
        bar.finish_and_clear();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Writes broken programs as text, binary and what broke.
    fn save(&self, broken: &[Broken], homes: &Homes) -> Result<String, Failure> {
        let name =
            RunName { verb: "verify", strategy: None, preset: &self.preset, model: Some("wasmtime"), seed: self.seed };
        let dir = homes.create(&self.log_dir, &name, &Stamp::now()).map_err(Failure::usage)?;
        for (at, Broken { what, weaver }) in broken.iter().enumerate().take(100) {
            let base = dir.path().join(format!("broken-{at:03}"));
            std::fs::write(base.with_extension("wat"), print(weaver.program(), &[]))?;
            std::fs::write(base.with_extension("wasm"), encode(weaver.program()))?;
            let recipe = format!("{what}\nseed {}\nactions {:?}\n", weaver.seed(), weaver.actions());
            std::fs::write(base.with_extension("txt"), recipe)?;
        }
        Ok(dir.name())
    }
}

/// Seconds, to the millisecond.
fn seconds_since(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

/// What each guesser gets right, and how much it may.
fn floor_table(floor: &Floor) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let values =
        if floor.guessers.iter().any(|guessed| guessed.flags.is_some()) { "flags right" } else { "values right" };
    let numbers = [Column::number("items right"), Column::number(values)];
    let columns = [Column::text("guesser")].into_iter().chain(numbers).chain([Column::text("wanted").folding()]);
    let mut table = Table::new(columns);
    for guessed in &floor.guessers {
        let wanted = guessed.targets.iter().map(|held| {
            let unit = if held.unit == Unit::Items { "items" } else { "flags" };
            let from = if held.at_least > 0.0 { format!("{} to ", percent(held.at_least)) } else { "at most ".into() };
            let missed = if held.met { "" } else { ": missed" };
            format!("{unit} {from}{}{missed}", percent(held.at_most))
        });
        let wanted = wanted.collect::<Vec<_>>().join(", ");
        table.row([guessed.model.clone(), percent(guessed.items), percent(guessed.values), wanted]);
    }
    format!("{}\n{} items, {} values", table.text(), floor.items, floor.values)
}
