//! Owns the order of an evaluation's lines: by item, then epoch, then model.
//!
//! Must not know what the lines hold beside their place. Replies come in any order, and are stored as they come so that
//! none is lost; once the last one is there, the files are put in order, so that one evaluation has one `records.jsonl`,
//! byte for byte, however it was asked: in one piece, in several, or in parts that were merged.

use super::dir::{DirError, RunDir, WholeFile};
use super::jsonl::{self, LineError, Stream};
use super::plan::EvalPlan;
use serde::Deserialize;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Where a line stands among those of its evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    /// The item, in the order of all items.
    pub index: u32,
    /// The epoch.
    pub round: u32,
    /// The model, in the order of the plan; one that the plan does not have stands behind all others.
    pub model: usize,
}

/// What a line of records or timings says of its place.
#[derive(Debug, Deserialize)]
pub(crate) struct Placed {
    index: u32,
    round: u32,
    #[serde(default)]
    model: Option<String>,
}

impl Placed {
    /// Its place in an evaluation.
    pub(crate) fn slot(&self, evaluation: &EvalPlan) -> Slot {
        let is_it = |name: &String| self.model.as_ref() == Some(name);
        let model = evaluation.models.iter().position(|model| is_it(&model.name)).unwrap_or(evaluation.models.len());
        Slot { index: self.index, round: self.round, model }
    }
}

/// Lines could not be put in order; they are all there still.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// They cannot be read.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// They cannot be written.
    #[error(transparent)]
    Write(#[from] DirError),
}

/// Puts the records and timings of an evaluation in order. Only their places are held in memory.
///
/// # Errors
/// If they cannot be read or written; then they stand as they did.
pub(crate) fn put_in_order(dir: &RunDir, evaluation: &EvalPlan) -> Result<(), OrderError> {
    for path in [dir.records(), dir.timings()] {
        if path.exists() {
            sort(&path, evaluation)?;
        }
    }
    Ok(())
}

fn sort(path: &Path, evaluation: &EvalPlan) -> Result<(), OrderError> {
    let (mut places, mut offset) = (Vec::new(), 0);
    let mut lines: Stream<Placed> = jsonl::stream(path)?;
    while let Some(placed) = lines.next() {
        let length = lines.line().len();
        places.push((placed?.slot(evaluation), offset, length));
        offset += length as u64;
    }
    if places.is_sorted() {
        return Ok(());
    }
    places.sort_unstable();
    let read = |source| LineError::Read { path: path.into(), source };
    let (mut file, mut sorted) = (File::open(path).map_err(read)?, WholeFile::create(path)?);
    let mut line = Vec::new();
    for (_, offset, length) in places {
        line.resize(length, 0);
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut line)).map_err(read)?;
        sorted.write(ended(&mut line))?;
    }
    Ok(sorted.finish()?)
}

/// A line with its newline, which a kill may have cut off.
fn ended(line: &mut Vec<u8>) -> &[u8] {
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::clock::Stamp;
    use super::super::dir::RunName;
    use super::super::dir::tests::Scratch;
    use super::*;
    use crate::run::plan::tests as plan;
    use std::time::UNIX_EPOCH;

    fn evaluation() -> EvalPlan {
        plan::evaluation(["b", "a"].map(plan::examinee).to_vec(), 2)
    }

    #[test]
    fn lines_stand_by_item_epoch_and_model_of_the_plan() {
        let scratch = Scratch::new();
        let name = RunName { verb: "eval", strategy: None, preset: "stack", model: None, seed: 0 };
        let dir = RunDir::create(scratch.path(), &name, &Stamp::of(UNIX_EPOCH)).expect("can be made");
        let line = |(index, round, model): (u32, u32, &str)| {
            format!(
                "{{\"index\":{index},\"round\":{round},\"model\":\"{model}\",\"text\":\"{}\"}}",
                "x".repeat(index as usize)
            )
        };
        let sorted = [(0, 0, "b"), (0, 0, "a"), (0, 1, "a"), (1, 0, "b"), (12, 0, "a")].map(line);
        let came = [4, 1, 0, 3, 2].map(|at| sorted[at].clone());
        // The newline of the last line is missing, as after a kill.
        std::fs::write(dir.records(), came.join("\n")).expect("can be written");
        for _ in 0..2 {
            put_in_order(&dir, &evaluation()).expect("can be sorted");
            assert_eq!(std::fs::read_to_string(dir.records()).expect("is there"), sorted.join("\n") + "\n");
        }
        assert!(!dir.timings().exists(), "what was not there is not made");
    }
}
