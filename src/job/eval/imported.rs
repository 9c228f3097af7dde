//! Owns `harness eval --import-batch`: the replies of a batch, judged as if they had just come, as a run like any other.
//!
//! Must not know HTTP: no model is asked. A run is kept only if every request has its reply, and every reply its request.

use super::asked::Weaving;
use super::{Evaluation, Outcome, asked, keep};
use crate::ask::batch::{Replies, custom_id};
use crate::ask::evaluate::{Place, record};
use crate::ask::examiner::request;
use crate::ask::pipeline::Clock;
use crate::item::record::RecordSink;
use crate::job::connect;
use crate::job::error::JobError;
use crate::job::runs::{self, Opened};
use crate::job::setting::Setting;
use crate::run::clock::Stamp;
use crate::run::dir::RunDir;
use crate::run::manifest::Status;
use crate::run::plan::{Conditions, Plan};
use crate::run::sink::JsonlSink;
use std::path::PathBuf;
use std::time::Instant;

/// Names that are told of many.
const TOLD: usize = 5;

/// Judges the replies that these files have to the questions of an evaluation, as a run of its own.
///
/// # Errors
/// If a request has no reply, or a reply no request; then no run is kept.
pub fn import(
    evaluation: &Evaluation,
    conditions: &Conditions,
    place: runs::Place,
    files: &[PathBuf],
    setting: &Setting<'_>,
) -> Result<Outcome, JobError> {
    if evaluation.plan.models.len() != 1 {
        return Err(JobError::wrong("a batch is of one model; give --model once with --import-batch"));
    }
    let replies = Replies::read(files).map_err(JobError::usage)?;
    let clock = Instant::now();
    let plan = Plan::Eval(evaluation.plan.clone());
    let Opened { dir, mut manifest, is_new, .. } =
        place.open(plan, conditions, &evaluation.name(&evaluation.model_name()), setting)?;
    debug_assert!(is_new, "an earlier run is no place for a batch");
    let kept = manifest.write(&dir).map_err(JobError::from).and_then(|()| {
        let (items, fingerprint) = evaluation.asked.write_items(&dir, Weaving::Told(setting), |_| ())?;
        (manifest.items, manifest.fingerprint) = (Some(items), Some(fingerprint));
        judge(evaluation, conditions, replies, &dir)
    });
    if let Err(failure) = kept {
        std::fs::remove_dir_all(dir.path())?;
        return Err(failure);
    }
    manifest.end(Status::Complete, Stamp::now(), clock.elapsed());
    manifest.note([dir.items().as_path(), &dir.records()])?;
    manifest.write(&dir)?;
    Ok(Outcome { status: Status::Complete, figures: keep::figures(&dir)?, dir })
}

/// Writes a record of each reply.
fn judge(evaluation: &Evaluation, conditions: &Conditions, mut replies: Replies, dir: &RunDir) -> Result<(), JobError> {
    let (plan, examinee) = (&evaluation.plan, &evaluation.plan.models[0]);
    let id = connect::id_of(examinee, conditions)?;
    let (params, strictness) = (&examinee.request.params, examinee.request.strictness());
    let (mut sink, mut requests, mut missing) = (JsonlSink::open(dir)?, 0, Vec::new());
    for (index, subject) in evaluation.positions().zip(asked::read_items(dir)?) {
        let subject = subject?;
        for epoch in 0..plan.epochs {
            let request = request(&id, params, &evaluation.prompts, &subject.item, epoch)?;
            let custom_id = custom_id(&subject.item.id, &request);
            requests += 1;
            match replies.take(&custom_id, &subject.item.truth, strictness) {
                Some(answer) => {
                    let record = record(&examinee.name, Place { index, epoch }, subject.clone(), answer);
                    sink.record(&record, &Clock { latency_ms: 0, attempts: 1 }.timing(&record))?;
                }
                None => missing.push(custom_id),
            }
        }
    }
    let foreign = replies.left();
    if missing.is_empty() && foreign.is_empty() {
        return Ok(());
    }
    let mut problems = Vec::new();
    if !missing.is_empty() {
        problems.push(format!("of {requests} requests {} have no reply ({})", missing.len(), named(&missing)));
    }
    if !foreign.is_empty() {
        problems.push(format!("{} replies are to no request of these items ({})", foreign.len(), named(&foreign)));
    }
    Err(JobError::wrong(format!(
        "{}; name every output and error file of the batches, with the items, model, prompt and parameters that were \
         exported",
        problems.join(", and ")
    )))
}

fn named(names: &[String]) -> String {
    let mut told = names[..names.len().min(TOLD)].join(", ");
    if names.len() > TOLD {
        told += ", ...";
    }
    told
}
