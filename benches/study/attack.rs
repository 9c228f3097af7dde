//! Owns one attack of the study: how it is run, and the line that is left of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use wasmweaver::ask::chat::ChatReply;
use wasmweaver::ask::judge::judge;
use wasmweaver::ask::prompt::Prompt;
use wasmweaver::item::record::{Purpose, Record};
use wasmweaver::run::dir::RunDir;
use wasmweaver::run::preset::Preset;
use wasmweaver::run::sink::read_records;
use wasmweaver::solver::Solver;
use wasmweaver::weave::recipe::GENERATOR;

/// Raised whenever attacks change in a way that neither the generator nor the preset tells of.
pub(super) const VERSION: u32 = 1;
/// Queries of an attack.
pub(super) const BUDGET: u64 = 2000;
/// After so many queries, and each multiple, it is counted what was found.
pub(super) const STEP: u64 = 100;
/// The preset of all attacks.
const PRESET: &str = "stack";

/// What must be equal for lines to be compared.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    generator: String,
    version: u32,
    /// Hash of the preset with everything that it leaves to defaults.
    settings: String,
}

impl Stamp {
    /// That of this program.
    pub(super) fn now() -> Self {
        let preset = Preset::load(PRESET).expect("it is shipped");
        let text = serde_yaml::to_string(&preset).expect("plain data");
        let settings = blake3::hash(text.as_bytes()).to_hex().as_str()[..16].to_owned();
        Self { generator: GENERATOR.into(), version: VERSION, settings }
    }
}

/// What is left of an attack.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) strategy: String,
    pub(super) solver: String,
    pub(super) seed: u64,
    /// Finished replies to its questions, and misses among them, confirmed or not.
    pub(super) replies: u64,
    pub(super) misses: u64,
    /// After each [`STEP`] queries: misses that were confirmed, ...
    pub(super) failures: Vec<u64>,
    /// ... those of different canonical form, ...
    pub(super) unique: Vec<u64>,
    /// ... and cells with one.
    pub(super) cells: Vec<u64>,
    /// On one core.
    pub(super) seconds: f64,
    #[serde(flatten)]
    pub(super) stamp: Stamp,
}

impl Line {
    /// Whether this is that attack.
    pub(super) fn is_of(&self, unit: &Unit, strategy: &str) -> bool {
        self.strategy == strategy && self.solver == unit.solver && self.seed == unit.seed
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { strategy, solver, seed, failures, unique, cells, seconds, .. } = self;
        let last = |numbers: &[u64]| numbers.last().copied().unwrap_or(0);
        let (failures, unique, cells) = (last(failures), last(unique), last(cells));
        write!(f, "{solver:20} {seed:3} {strategy:18} {failures:5} {unique:5} unique {cells:4} cells {seconds:6.1} s")
    }
}

/// A solver and a seed: what all strategies are held against.
pub(super) struct Unit {
    pub(super) solver: String,
    pub(super) seed: u64,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with seed {}", self.solver, self.seed)
    }
}

impl Unit {
    /// Runs the strategies one after the other until the time is over; each attack's line is handed on at once. Where
    /// `matched` has nobody to be like, since `ppo` was run earlier, it is run again: the same seed asks the same.
    pub(super) fn run(
        &self,
        strategies: &[&str],
        scratch: &Path,
        stamp: &Stamp,
        until: Option<Instant>,
        done: impl Fn(Line),
    ) -> Result<(), String> {
        let mut like: Option<PathBuf> = None;
        for &strategy in strategies {
            if until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            if strategy == "matched" && like.is_none() {
                like = Some(self.attack("ppo", None, scratch)?.0);
            }
            let (run_dir, seconds) = self.attack(strategy, like.as_deref(), scratch)?;
            done(self.line(strategy, &run_dir, seconds, stamp)?);
            if strategy == "ppo" {
                like = Some(run_dir);
            }
        }
        Ok(())
    }

    /// The run directory of an attack, and how long it took.
    fn attack(&self, strategy: &str, like: Option<&Path>, scratch: &Path) -> Result<(PathBuf, f64), String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        // One core each: what computes beside the main thread waits most of the time.
        command.env("RAYON_NUM_THREADS", "1").env("TOKIO_WORKER_THREADS", "1");
        command.args(["attack", "--json", "--no-baseline", "--preset", PRESET]);
        command.args(["--model", &format!("sim/{}", self.solver), "--seed", &self.seed.to_string()]);
        command.args(["--query-budget", &BUDGET.to_string()]).arg("--log-dir").arg(scratch);
        match (strategy, like) {
            ("ppo-no-predictor", _) => command.args(["--strategy", "ppo", "--no-predictor"]),
            ("matched", Some(like)) => command.args(["--strategy", "matched", "--like"]).arg(like),
            _ => command.args(["--strategy", strategy]),
        };
        let output = command.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let figures: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        let run_dir = figures["run_dir"].as_str().ok_or("there is no run directory")?;
        Ok((run_dir.into(), figures["seconds"].as_f64().ok_or("the run has not ended")?))
    }

    fn line(&self, strategy: &str, run_dir: &Path, seconds: f64, stamp: &Stamp) -> Result<Line, String> {
        let dir = RunDir::open(run_dir).map_err(|error| error.to_string())?;
        let mut records = read_records(&dir).map_err(|error| error.to_string())?.rows;
        // Within a round the questions come before their confirmations; `Purpose` is ordered so.
        records.sort_by_key(|record| (record.round, record.purpose, record.index));
        let confirmer = Confirmer::new(&self.solver)?;
        let steps = (BUDGET / STEP) as usize;
        let mut line = Line {
            strategy: strategy.into(),
            solver: self.solver.clone(),
            seed: self.seed,
            replies: 0,
            misses: 0,
            failures: Vec::with_capacity(steps),
            unique: Vec::with_capacity(steps),
            cells: Vec::with_capacity(steps),
            seconds,
            stamp: stamp.clone(),
        };
        let (mut failures, mut unique, mut cells) = (0, BTreeSet::new(), BTreeSet::new());
        for query in 1..=BUDGET {
            // A run that could not spend its budget has found all that it will.
            if let Some(record) = records.get(query as usize - 1).filter(|record| record.purpose == Purpose::Attack) {
                line.replies += u64::from(record.answer.verdict.is_finished_reply());
                line.misses += u64::from(record.answer.verdict.is_miss());
                if record.answer.verdict.is_miss() && confirmer.misses_again(record)? {
                    failures += 1;
                    unique.insert(&record.item.canonical);
                    cells.extend(&record.cell);
                }
            }
            if query.is_multiple_of(STEP) {
                line.failures.push(failures);
                line.unique.push(unique.len() as u64);
                line.cells.push(cells.len() as u64);
            }
        }
        Ok(line)
    }
}

/// Asks a solver again, outside of the budget: all strategies have every one of their misses confirmed.
struct Confirmer {
    solver: Solver,
    prompt: Prompt,
}

impl Confirmer {
    fn new(solver: &str) -> Result<Self, String> {
        let solver = solver.parse::<Solver>().map_err(|error| error.to_string())?;
        let task = Preset::load(PRESET).map_err(|error| error.to_string())?.task;
        Ok(Self { solver, prompt: Prompt::shipped(task) })
    }

    /// Whether it misses the same question once more, with a seed that no attack uses.
    fn misses_again(&self, record: &Record) -> Result<bool, String> {
        let messages = self.prompt.render(&record.item).map_err(|error| error.to_string())?;
        let reply = self.solver.reply(&messages, Some(u64::MAX)).map_err(|error| error.to_string())?;
        let reply = ChatReply { content: Some(reply), finish_reason: Some("stop".into()), ..ChatReply::default() };
        Ok(judge(&reply, &record.item.truth).verdict.is_miss())
    }
}
