//! Owns `harness verify`: weaves many programs and holds each against every promise.

use super::progress::line::Line;
use super::table::{Column, TextTable};
use super::{Failure, print_json, print_line, say};
use crate::ask::guess::lessons::{self, LESSONS};
use crate::ask::guess::measure::{Floor, Unit, measure};
use crate::item::verify::{Broken, Verified, verify};
use crate::job::connect::unlearned;
use crate::run::clock::Stamp;
use crate::run::dir::RunName;
use crate::run::evidence::Evidence;
use crate::run::homes::Homes;
use crate::run::preset::Preset;
use crate::seed::Seed;
use serde::Serialize;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Weave programs and check that each is valid, never traps, and keeps to its limits, with wasmtime as the judge
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Preset: a name in policies/, or a file
    #[arg(long, default_value = "stack", value_name = "NAME|FILE")]
    preset: String,
    /// Programs to weave; with --guessers, items to make
    #[arg(short = 'n', long, default_value_t = 20_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Seed of everything random; `random` draws one and says which, so that the same can be verified again
    #[arg(long, default_value = "0", value_name = "SEED|random")]
    seed: SeedArg,
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

/// A seed, or the wish for a new one.
#[derive(Clone, Copy, Debug)]
enum SeedArg {
    Given(u64),
    Random,
}

impl FromStr for SeedArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "random" => Ok(Self::Random),
            number => number.parse().map(Self::Given).map_err(|_| "write a whole number, or `random` for a fresh one"),
        }
    }
}

impl SeedArg {
    /// The seed; one that was drawn is told.
    fn settle(self) -> Result<u64, Failure> {
        match self {
            Self::Given(seed) => Ok(seed),
            Self::Random => {
                let mut bytes = [0; 8];
                getrandom::fill(&mut bytes)
                    .map_err(|error| anyhow::anyhow!("the system has no randomness: {error}; give --seed a number"))?;
                // As many bits as every reader of JSON keeps.
                let seed = u64::from_le_bytes(bytes) >> 11;
                say(&format!("seed {seed}"));
                Ok(seed)
            }
        }
    }
}

#[derive(Serialize)]
struct Report {
    seed: u64,
    #[serde(flatten)]
    verified: Verified,
    seconds: f64,
}

#[derive(Serialize)]
struct Guessed {
    seed: u64,
    #[serde(flatten)]
    floor: Floor,
    seconds: f64,
}

impl Args {
    /// Verifies; an error if a promise was broken.
    pub(super) fn run(&self, homes: &Homes) -> Result<(), Failure> {
        let preset = Preset::load(&self.preset).map_err(Failure::usage)?;
        let seed = self.seed.settle()?;
        if self.guessers {
            return self.guess(&preset, seed);
        }
        let loom = preset.loom().map_err(Failure::usage)?;
        let taste = preset.prior.taste(&loom.config.instructions());
        let started = Instant::now();
        let (verified, broken) = self.with_progress(|done| verify(&loom, &taste, Seed::new(seed), self.count, done));
        let seconds = seconds_since(started);
        let holds = verified.holds();
        if self.json {
            print_json(&Report { seed, verified, seconds })?;
        } else {
            let counts = serde_json::to_value(&verified)?;
            let mut rows = counts.as_object().into_iter().flatten();
            rows.try_for_each(|(name, count)| print_line(&format!("{name:18} {:>10}", count.to_string())))?;
            print_line(&format!("{:18} {seconds:>10.1}", "seconds"))?;
        }
        if holds {
            return Ok(());
        }
        let place = self.save(&broken, seed, homes)?;
        let again = format!("harness verify --preset {} -n {} --seed {seed}", self.preset, self.count);
        Err(Failure::Error(anyhow::anyhow!(
            "{} programs broke a promise; they are in {place}, with their recipes; all of it again: `{again}`",
            broken.len()
        )))
    }

    /// Measures the guessers; [`Failure::Missed`] if one gets too much right.
    fn guess(&self, preset: &Preset, number: u64) -> Result<(), Failure> {
        let started = Instant::now();
        let source = preset.source(&preset.loom().map_err(Failure::usage)?);
        let seed = Seed::new(number);
        say(&format!("making {} items, and {LESSONS} others for guess/learned to learn from", self.count));
        let learned = lessons::learn(std::slice::from_ref(&source), seed).map_err(unlearned)?;
        let items = source.items(seed, self.count as usize).map_err(|error| unlearned(error.into()))?;
        let floor = measure(&items, learned.get(&source.task()))?;
        let missed = floor.missed();
        if self.json {
            print_json(&Guessed { seed: number, floor, seconds: seconds_since(started) })?;
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

    /// Writes broken programs with what broke and what rebuilds them.
    fn save(&self, broken: &[Broken], seed: u64, homes: &Homes) -> Result<String, Failure> {
        let name = RunName { verb: "verify", strategy: None, preset: &self.preset, model: Some("wasmtime"), seed };
        let dir = homes.create(&self.log_dir, &name, &Stamp::now()).map_err(Failure::usage)?;
        for (at, Broken { what, weaver }) in broken.iter().enumerate().take(100) {
            Evidence::of_woven(weaver, what).save(&dir.path().join(format!("broken-{at:03}")))?;
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
    let mut table = TextTable::new(columns);
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
