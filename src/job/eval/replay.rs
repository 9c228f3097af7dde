//! Owns `harness eval --replay`: the replies of a run, graded anew, as a run of its own.
//!
//! Must not know models: none is asked.

use super::{Outcome, keep};
use crate::ask::judge::Strictness;
use crate::ask::pipeline::regrade;
use crate::item::record::{RecordSink, Timing};
use crate::job::error::JobError;
use crate::job::setting::Setting;
use crate::run::clock::Stamp;
use crate::run::dir::{RunDir, RunName};
use crate::run::intact;
use crate::run::manifest::{Manifest, Status};
use crate::run::plan::{EvalPlan, Plan};
use crate::run::sink::{JsonlSink, stream_records};
use std::path::Path;
use std::time::Instant;

/// Grades the replies of the evaluation in a directory, into a new run below `log_dir`.
///
/// # Errors
/// If there is no evaluation, or it is damaged. Nothing half-graded stays.
pub fn replay(path: &Path, log_dir: &Path, strictness: Strictness, setting: &Setting<'_>) -> Result<Outcome, JobError> {
    let earlier = setting.homes.open(path).map_err(JobError::usage)?;
    let manifest = Manifest::read(&earlier).map_err(JobError::unread)?;
    let Some(plan) = manifest.plan.evaluation() else {
        return Err(JobError::wrong(format!("{} is no run of `harness eval`", path.display())));
    };
    let mut plan: EvalPlan = plan.clone();
    for model in &mut plan.models {
        model.request.float_tolerance = strictness.float_tolerance;
    }
    let name = RunName { verb: "replay", strategy: None, preset: &plan.suite.name, model: None, seed: plan.seed };
    let dir = setting.homes.create(log_dir, &name, &Stamp::now()).map_err(JobError::usage)?;
    let graded = grade(&earlier, &manifest, Plan::Replay(plan.clone()), strictness, &dir, setting);
    if graded.is_err() {
        // Nothing half-graded stays.
        std::fs::remove_dir_all(dir.path())?;
    }
    graded?;
    Ok(Outcome { status: Status::Complete, figures: keep::figures(&dir)?, dir })
}

/// Writes the run of the new grades.
fn grade(
    earlier: &RunDir,
    manifest: &Manifest,
    plan: Plan,
    strictness: Strictness,
    dir: &RunDir,
    setting: &Setting<'_>,
) -> Result<(), JobError> {
    let (items, fingerprint) = (manifest.items, manifest.fingerprint.clone());
    let (conditions, command) = (manifest.conditions.clone(), setting.command.iter().cloned());
    let begun = Manifest::begin(plan, conditions, command, Stamp::now());
    let mut replayed = Manifest { items, fingerprint, ..begun };
    replayed.write(dir)?;
    // The run stands by itself: a leaderboard takes it without the other.
    if earlier.items().exists() {
        intact::check(&earlier.items(), manifest).map_err(JobError::unread)?;
        std::fs::copy(earlier.items(), dir.items())?;
    }
    let (clock, mut sink) = (Instant::now(), JsonlSink::open(dir)?);
    for record in stream_records(earlier).map_err(JobError::unread)? {
        let mut record = record.map_err(JobError::unread)?;
        record.answer = regrade(record.answer, &record.item.truth, strictness);
        let (id, model) = (record.item.id.clone(), record.model.clone());
        let (purpose, round, index) = (record.purpose, record.round, record.index);
        sink.record(&record, &Timing { id, model, purpose, round, index, latency_ms: 0, attempts: 0 })?;
    }
    // As far as the run came that was graded.
    let status = if manifest.status == Status::Complete { Status::Complete } else { Status::Interrupted };
    replayed.end(status, Stamp::now(), clock.elapsed());
    replayed.note([dir.items().as_path(), &dir.records()])?;
    replayed.write(dir)?;
    Ok(())
}
