//! Owns `harness eval --replay`: the replies of a run, graded anew, as a run of its own.
//!
//! Must not know models: nobody is asked.

use super::keep;
use crate::ask::judge::Strictness;
use crate::ask::pipeline::regrade;
use crate::cli::Failure;
use crate::item::record::{RecordSink, Timing};
use crate::report::evaluation::EvaluationFigures;
use crate::run::clock::Stamp;
use crate::run::dir::{RunDir, RunName};
use crate::run::homes::Homes;
use crate::run::intact;
use crate::run::manifest::{Evaluation, FLOAT_TOLERANCE, Manifest, Plan, Status};
use crate::run::sink::{JsonlSink, stream_records};
use std::path::Path;
use std::time::Instant;

/// Grades the replies of the evaluation in a directory.
pub(super) fn replay(
    path: &Path,
    log_dir: &Path,
    strictness: Strictness,
    homes: &Homes,
) -> Result<EvaluationFigures, Failure> {
    let earlier = homes.open(path).map_err(Failure::usage)?;
    let manifest = Manifest::read(&earlier).map_err(Failure::unread)?;
    let Some(mut evaluation) = manifest.plan.evaluation.clone() else {
        let problem = format!("{} is no run of `harness eval`", path.display());
        return Err(Failure::usage(anyhow::anyhow!(problem)));
    };
    for model in &mut evaluation.models {
        set_tolerance(&mut model.request, strictness.float_tolerance);
    }
    let started = Stamp::now();
    let name = RunName {
        verb: "replay",
        strategy: None,
        preset: &manifest.plan.preset.name,
        model: None,
        seed: manifest.plan.seed,
    };
    let dir = homes.create(log_dir, &name, &started).map_err(Failure::usage)?;
    let graded = grade((&earlier, &manifest), evaluation, strictness, (&dir, started));
    if graded.is_err() {
        // Nothing half-graded stays.
        std::fs::remove_dir_all(dir.path())?;
    }
    graded
}

/// Writes the run of the new grades.
fn grade(
    (earlier, manifest): (&RunDir, &Manifest),
    evaluation: Evaluation,
    strictness: Strictness,
    (dir, started): (&RunDir, Stamp),
) -> Result<EvaluationFigures, Failure> {
    let plan = Plan { verb: "replay".into(), evaluation: Some(evaluation), ..manifest.plan.clone() };
    let (items, fingerprint) = (manifest.items, manifest.fingerprint.clone());
    let begun = Manifest::begin(plan, std::env::args(), manifest.max_connections, started);
    let mut replayed = Manifest { items, fingerprint, ..begun };
    replayed.write(dir)?;
    // The run stands by itself: a leaderboard takes it without the other.
    if earlier.items().exists() {
        intact::check(&earlier.items(), manifest).map_err(Failure::unread)?;
        std::fs::copy(earlier.items(), dir.items())?;
    }
    let (clock, mut sink) = (Instant::now(), JsonlSink::open(dir)?);
    for record in stream_records(earlier).map_err(Failure::unread)? {
        let mut record = record.map_err(Failure::unread)?;
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
    keep::figures(dir)
}

/// The tolerance as the manifest has it beside the parameters of a request.
fn set_tolerance(request: &mut serde_yaml::Value, tolerance: Option<f64>) {
    if let serde_yaml::Value::Mapping(request) = request {
        match tolerance {
            Some(tolerance) => drop(request.insert(FLOAT_TOLERANCE.into(), tolerance.into())),
            None => drop(request.remove(FLOAT_TOLERANCE)),
        }
    }
}
