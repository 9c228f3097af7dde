//! Owns holding many woven programs against every promise, and measuring what guessers get right.
//!
//! Must not know the promises, nor the guessers.

use super::connect::unlearned;
use super::error::JobError;
use super::events::{Event, Stage};
use super::setting::Setting;
use crate::ask::guess::lessons::{self, LESSONS};
use crate::ask::guess::measure::{Floor, measure};
use crate::item::verify::{Broken, Verified, verify};
use crate::run::clock::Stamp;
use crate::run::dir::RunName;
use crate::run::evidence::Evidence;
use crate::run::preset::Preset;
use crate::seed::Seed;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Broken programs that are kept at most.
const KEPT: usize = 100;

/// How often it is told how far it is.
const EVERY: Duration = Duration::from_millis(50);

/// What is verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyPlan {
    /// The preset: its name, or its file.
    pub preset: String,
    /// Programs to weave; of guessers the items that they are asked.
    pub count: u64,
    /// The seed that everything random comes from.
    pub seed: u64,
    /// Where broken programs are kept, in a folder of their own.
    pub log_dir: PathBuf,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What was counted.
    pub verified: Verified,
    /// Programs that broke a promise, and the folder with the first hundred; `None` if every promise was kept.
    pub broken: Option<Kept>,
}

/// Broken programs.
#[derive(Debug)]
pub struct Kept {
    /// How many there are.
    pub programs: usize,
    /// The folder that has their text, bytes and recipes.
    pub place: String,
}

/// Weaves programs and holds each against every promise, with wasmtime as the judge.
///
/// # Errors
/// If there is no such preset, or broken programs cannot be written.
pub fn run(plan: &VerifyPlan, setting: &Setting<'_>) -> Result<Outcome, JobError> {
    let preset = Preset::load(&plan.preset).map_err(JobError::usage)?;
    let loom = preset.loom().map_err(JobError::usage)?;
    let taste = preset.prior.taste(&loom.config.instructions());
    setting.events.tell(Event::Began(&Stage::Verifying { programs: plan.count }));
    let (verified, broken) = counted(setting, |done| verify(&loom, &taste, Seed::new(plan.seed), plan.count, done));
    setting.events.tell(Event::Ended);
    let broken = if verified.holds() { None } else { Some(keep(&broken, plan, setting)?) };
    Ok(Outcome { verified, broken })
}

/// Measures how many items of a preset can be guessed without executing anything.
///
/// # Errors
/// If there is no such preset, or it makes too few items.
pub fn guessers(plan: &VerifyPlan, setting: &Setting<'_>) -> Result<Floor, JobError> {
    let preset = Preset::load(&plan.preset).map_err(JobError::usage)?;
    let source = preset.source(&preset.loom().map_err(JobError::usage)?);
    let seed = Seed::new(plan.seed);
    setting.note(&format!("making {} items, and {LESSONS} others for guess/learned to learn from", plan.count));
    let learned = lessons::learn(std::slice::from_ref(&source), seed).map_err(unlearned)?;
    let items = source.items(seed, plan.count as usize).map_err(|error| unlearned(error.into()))?;
    measure(&items, learned.get(&source.task())).map_err(|error| JobError::Failed(error.into()))
}

/// Does work on another thread, and tells how far it is meanwhile.
fn counted<T: Send>(setting: &Setting<'_>, work: impl FnOnce(&AtomicU64) -> T + Send) -> T {
    let done = AtomicU64::new(0);
    let result = std::thread::scope(|scope| {
        let worker = scope.spawn(|| work(&done));
        while !worker.is_finished() {
            setting.events.tell(Event::Woven(done.load(Ordering::Relaxed)));
            std::thread::sleep(EVERY);
        }
        worker.join()
    });
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Writes broken programs with what broke and what rebuilds them.
fn keep(broken: &[Broken], plan: &VerifyPlan, setting: &Setting<'_>) -> Result<Kept, JobError> {
    let name =
        RunName { verb: "verify", strategy: None, preset: &plan.preset, model: Some("wasmtime"), seed: plan.seed };
    let dir = setting.homes.create(&plan.log_dir, &name, &Stamp::now()).map_err(JobError::usage)?;
    for (at, Broken { what, weaver }) in broken.iter().enumerate().take(KEPT) {
        Evidence::of_woven(weaver, what).save(&dir.path().join(format!("broken-{at:03}")))?;
    }
    Ok(Kept { programs: broken.len(), place: dir.name() })
}
