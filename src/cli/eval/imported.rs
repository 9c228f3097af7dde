//! Owns `harness eval --import-batch`: the replies of a batch, judged as if they had just come, as a run like any other.
//!
//! Must not know HTTP: nobody is asked. A run is kept only if every request has its reply, and every reply its request.

use super::{Args, keep};
use crate::ask::batch::{Replies, custom_id};
use crate::ask::evaluate::{Place, Prompts, record, request};
use crate::ask::models::ModelEntry;
use crate::ask::pipeline::Clock;
use crate::cli::Failure;
use crate::cli::eval::asked;
use crate::cli::flags::prompts;
use crate::item::record::RecordSink;
use crate::report::evaluation::EvaluationFigures;
use crate::run::clock::Stamp;
use crate::run::dir::RunDir;
use crate::run::homes::Homes;
use crate::run::manifest::{Manifest, Status};
use crate::run::sink::JsonlSink;
use std::path::PathBuf;
use std::time::Instant;

/// Names that are told of many.
const TOLD: usize = 5;

/// Judges what these files have.
pub(super) fn import(args: &Args, files: &[PathBuf], homes: &Homes) -> Result<EvaluationFigures, Failure> {
    let [model] = &args.model[..] else {
        return Err(Failure::usage(anyhow::anyhow!("a batch is of one model; give --model once with --import-batch")));
    };
    let (entry, prompts, asked) =
        (args.way.entry(model)?, prompts(&args.prompt)?, args.asked.resolve(args.shard, homes)?);
    let replies = Replies::read(files).map_err(Failure::usage)?;
    let plan = args.plan(std::slice::from_ref(&entry), &prompts, &asked)?;
    let (started, clock) = (Stamp::now(), Instant::now());
    let dir = args.new_dir(std::slice::from_ref(&entry), &asked.label, &started, homes)?;
    let mut manifest = Manifest::begin(plan, std::env::args(), args.way.max_connections, started);
    let kept = manifest.write(&dir).map_err(Failure::from).and_then(|()| {
        let (items, fingerprint) = asked.write_items(&dir, None, |_| ())?;
        (manifest.items, manifest.fingerprint) = (Some(items), Some(fingerprint));
        judge(args, &entry, &prompts, replies, &dir)
    });
    if let Err(failure) = kept {
        std::fs::remove_dir_all(dir.path())?;
        return Err(failure);
    }
    manifest.end(Status::Complete, Stamp::now(), clock.elapsed());
    manifest.note([dir.items().as_path(), &dir.records()])?;
    manifest.write(&dir)?;
    keep::figures(&dir)
}

/// Writes a record of each reply.
fn judge(
    args: &Args,
    entry: &ModelEntry,
    prompts: &Prompts,
    mut replies: Replies,
    dir: &RunDir,
) -> Result<(), Failure> {
    let (params, strictness) = (args.way.params(entry), args.way.strictness());
    let (mut sink, mut requests, mut missing) = (JsonlSink::open(dir)?, 0, Vec::new());
    for (index, subject) in args.positions().zip(asked::read_items(dir)?) {
        let subject = subject?;
        for epoch in 0..args.epochs {
            let request = request(&entry.id, &params, prompts, (&subject.item, epoch))?;
            let custom_id = custom_id(&subject.item.id, &request);
            requests += 1;
            match replies.take(&custom_id, &subject.item.truth, strictness) {
                Some(answer) => {
                    let record = record(&entry.name(), Place { index, epoch }, subject.clone(), answer);
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
    Err(Failure::usage(anyhow::anyhow!(
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
