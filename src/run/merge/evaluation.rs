//! Owns merging the parts of an evaluation into one run.
//!
//! Must not know what a record means, only its place. Lines are copied as they stand, one after the other, so that a run
//! may be larger than memory.

use super::{MergeError, in_order};
use crate::item::record::Item;
use crate::run::dir::{RunDir, WholeFile};
use crate::run::intact::{self, Lines, ReadError};
use crate::run::manifest::{Manifest, Status};
use crate::run::order::{Placed, Slot};
use crate::run::plan::{EvalPlan, Plan};
use crate::run::shard::Shard;
use crate::run::suite::Fingerprint;
use std::path::{Path, PathBuf};

/// A part, and what it says of itself.
struct Part {
    dir: RunDir,
    /// As people know it.
    name: PathBuf,
    manifest: Manifest,
    shard: Shard,
}

impl Part {
    fn read(dir: &RunDir) -> Result<Self, MergeError> {
        let manifest = Manifest::read(dir)?;
        let run = || PathBuf::from(dir.name());
        let Plan::Eval(evaluation) = &manifest.plan else {
            return Err(MergeError::NoParts { run: run(), verb: manifest.plan.verb().into() });
        };
        let shard = evaluation.shard.ok_or_else(|| MergeError::Whole(run()))?;
        if manifest.status != Status::Complete {
            return Err(MergeError::Unfinished(run()));
        }
        Ok(Self { dir: dir.clone(), name: run(), manifest, shard })
    }

    /// The manifest of the whole, as far as this part knows it.
    fn whole(&self) -> Manifest {
        let mut whole = self.manifest.clone();
        if let Plan::Eval(evaluation) = &mut whole.plan {
            evaluation.shard = None;
        }
        whole
    }
}

/// Merges the parts of an evaluation into an empty run directory: items, records, timings and manifest.
///
/// # Errors
/// If they are not all the parts of one evaluation, or cannot be read or written.
pub(crate) fn merge_evaluation(runs: &[RunDir], out: &RunDir) -> Result<Manifest, MergeError> {
    let parts = runs.iter().map(Part::read).collect::<Result<Vec<_>, _>>()?;
    check_alike(&parts)?;
    let parts = in_order(parts, |part| (part.name.as_path(), part.shard))?;
    let mut merged = parts[0].whole();
    let items = write_items(&parts, out)?;
    let evaluation = merged.plan.evaluation().expect("looked at when it was read").clone();
    write_records(&parts, &evaluation, items, out)?;
    write_timings(&parts, &evaluation, out)?;
    let manifests = || parts.iter().map(|part| &part.manifest);
    merged.items = Some(items);
    merged.started = manifests().map(|manifest| manifest.started.clone()).min().expect("there is one part");
    merged.finished = manifests().filter_map(|manifest| manifest.finished.clone()).max();
    merged.seconds = Some(manifests().filter_map(|manifest| manifest.seconds).sum());
    merged.note([out.items().as_path(), &out.records()])?;
    Ok(merged)
}

/// Holds the parts against the first: the same plan but for the part, and the same items.
fn check_alike(parts: &[Part]) -> Result<(), MergeError> {
    let first = &parts[0];
    let whole = first.whole();
    for other in &parts[1..] {
        let mut differ =
            if whole.identity() == other.whole().identity() { Vec::new() } else { whole.differences(&other.whole()) };
        if first.manifest.fingerprint != other.manifest.fingerprint {
            differ.push("the fingerprints of the items".into());
        }
        if first.shard.of() != other.shard.of() {
            differ.push("the numbers of parts".into());
        }
        if !differ.is_empty() {
            let (first, other) = (first.name.clone(), other.name.clone());
            return Err(MergeError::Different { first, other, what: differ.join(", ") });
        }
    }
    Ok(())
}

/// Writes the items in their order, and counts them.
fn write_items(parts: &[Part], out: &RunDir) -> Result<u64, MergeError> {
    let mut lines = open::<Item>(parts, RunDir::items)?;
    let (mut file, mut prints, mut count) = (WholeFile::create(&out.items())?, Fingerprint::default(), 0);
    loop {
        let from = &mut lines[count as usize % parts.len()];
        let Some(item) = from.next().transpose()? else { break };
        prints.add(&item);
        file.write(from.line())?;
        count += 1;
    }
    // The part whose turn it was has no more; neither may any other.
    ended(&mut lines, "one item too many")?;
    let (found, expected) = (prints.finish(), parts[0].manifest.fingerprint.clone().unwrap_or_default());
    if found != expected {
        return Err(MergeError::Fingerprint { found, expected });
    }
    file.finish()?;
    Ok(count)
}

/// Writes the records in their order: one for each item, epoch and model.
fn write_records(parts: &[Part], evaluation: &EvalPlan, items: u64, out: &RunDir) -> Result<(), MergeError> {
    let mut lines = open::<Placed>(parts, RunDir::records)?;
    let mut file = WholeFile::create(&out.records())?;
    for index in 0..u32::try_from(items).expect("items are counted in 32 bits") {
        let from = &mut lines[index as usize % parts.len()];
        for round in 0..evaluation.epochs {
            for model in 0..evaluation.models.len() {
                let wanted = Slot { index, round, model };
                match from.next().transpose()? {
                    Some(placed) if placed.slot(evaluation) == wanted => file.write(from.line())?,
                    _ => return Err(wrong_line(from, &missing(wanted, evaluation))),
                }
            }
        }
    }
    ended(&mut lines, "one record too many")?;
    Ok(file.finish()?)
}

fn missing(Slot { index, round, model }: Slot, evaluation: &EvalPlan) -> String {
    let name = &evaluation.models[model].name;
    format!("here the record of item {index}, epoch {round}, {name} should stand, once")
}

/// Writes the timings in their order. A killed run may lack some: a record without one is a fact all the same.
fn write_timings(parts: &[Part], evaluation: &EvalPlan, out: &RunDir) -> Result<(), MergeError> {
    let mut lines = open::<Placed>(parts, RunDir::timings)?;
    let mut file = WholeFile::create(&out.timings())?;
    let next = |from: &mut Lines<Placed>| -> Result<Option<Slot>, ReadError> {
        Ok(from.next().transpose()?.map(|placed| placed.slot(evaluation)))
    };
    let mut waiting = lines.iter_mut().map(next).collect::<Result<Vec<_>, _>>()?;
    let first = |waiting: &[Option<Slot>]| {
        waiting.iter().enumerate().filter_map(|(at, slot)| Some(((*slot)?, at))).min().map(|(_, at)| at)
    };
    while let Some(at) = first(&waiting) {
        file.write(lines[at].line())?;
        waiting[at] = next(&mut lines[at])?;
    }
    Ok(file.finish()?)
}

fn open<T: serde::de::DeserializeOwned>(
    parts: &[Part],
    file: impl Fn(&RunDir) -> PathBuf,
) -> Result<Vec<Lines<T>>, ReadError> {
    parts.iter().map(|part| intact::lines(&file(&part.dir), Some(&part.manifest))).collect()
}

/// Makes sure that there is nothing left.
fn ended<T: serde::de::DeserializeOwned>(lines: &mut [Lines<T>], problem: &str) -> Result<(), MergeError> {
    for from in lines {
        if from.next().transpose()?.is_some() {
            return Err(wrong_line(from, problem));
        }
    }
    Ok(())
}

fn wrong_line<T>(stream: &Lines<T>, problem: &str) -> MergeError {
    let path: &Path = stream.path();
    MergeError::Line { path: path.into(), line: stream.number().max(1), problem: problem.into() }
}
