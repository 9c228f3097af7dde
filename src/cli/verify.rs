//! Owns `harness verify`: weaves many programs and holds each against every promise.

use super::suite::seconds_since;
use super::table::{Column, TextTable};
use super::{Failure, print_json, print_line, say, setting};
use crate::ask::guess::measure::{Floor, Unit};
use crate::ask::stop::Stopper;
use crate::item::verify::Verified;
use crate::job::verify::{self, Kept, Outcome, VerifyPlan};
use crate::run::homes::Homes;
use serde::Serialize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;

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
        let (started, seed) = (Instant::now(), self.seed.settle()?);
        let (preset, log_dir) = (self.preset.clone(), self.log_dir.clone());
        let plan = VerifyPlan { preset, count: self.count, seed, log_dir };
        let setting = setting(homes, Stopper::default());
        if self.guessers {
            let floor = verify::guessers(&plan, &setting)?;
            return self.show_guessers(Guessed { seed, floor, seconds: seconds_since(started) });
        }
        let Outcome { verified, broken } = verify::run(&plan, &setting)?;
        self.show(Report { seed, verified, seconds: seconds_since(started) })?;
        let Some(Kept { programs, place }) = broken else { return Ok(()) };
        let again = format!("harness verify --preset {} -n {} --seed {seed}", self.preset, self.count);
        Err(Failure::Error(anyhow::anyhow!(
            "{programs} programs broke a promise; they are in {place}, with their recipes; all of it again: `{again}`"
        )))
    }

    fn show(&self, report: Report) -> Result<(), Failure> {
        if self.json {
            return print_json(&report);
        }
        let counts = serde_json::to_value(&report.verified)?;
        let mut rows = counts.as_object().into_iter().flatten();
        rows.try_for_each(|(name, count)| print_line(&format!("{name:18} {:>10}", count.to_string())))?;
        print_line(&format!("{:18} {:>10.1}", "seconds", report.seconds))
    }

    /// Shows what guessers get right; [`Failure::Missed`] if it is too much.
    fn show_guessers(&self, guessed: Guessed) -> Result<(), Failure> {
        if self.json {
            print_json(&guessed)?;
        } else {
            print_line(&floor_table(&guessed.floor))?;
            print_line(&format!("in {:.1} s", guessed.seconds))?;
        }
        let missed = guessed.floor.missed();
        if missed.is_empty() { Ok(()) } else { Err(Failure::Missed(anyhow::anyhow!("{}", missed.join("; ")))) }
    }
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
