//! Owns storing and loading the records of a run: `records.jsonl` and, beside it, `timings.jsonl`.
//!
//! Must not know what a record means, only that two runs of one seed have the same record lines and other timings.

use super::dir::RunDir;
use super::extent::Damage;
pub use super::intact::ReadError;
use super::intact::{self, Places};
use super::jsonl::{self, JsonLines, LineError, Lines};
use super::manifest::Manifest;
use crate::item::record::{Record, RecordSink, SCHEMA_VERSION, SinkError, Timing};
use std::io::ErrorKind;

/// Appends records and timings to the files of a run.
#[derive(Debug)]
pub struct JsonlSink {
    records: JsonLines,
    timings: JsonLines,
    empty: bool,
}

impl JsonlSink {
    /// Opens the two files of the run, after what is in them already.
    pub fn open(dir: &RunDir) -> Result<Self, LineError> {
        Ok(Self { records: JsonLines::open(&dir.records())?, timings: JsonLines::open(&dir.timings())?, empty: true })
    }
}

impl JsonlSink {
    /// Whether nothing was recorded since it was opened.
    pub fn is_empty(&self) -> bool {
        self.empty
    }
}

impl RecordSink for JsonlSink {
    fn record(&mut self, record: &Record, timing: &Timing) -> Result<(), SinkError> {
        self.empty = false;
        // The record first: a record without its timing is a fact, a timing without its record is not.
        self.records.append(record).map_err(|error| sink_error(error, &record.item.id))?;
        self.timings.append(timing).map_err(|error| sink_error(error, &record.item.id))
    }
}

fn sink_error(error: LineError, id: &str) -> SinkError {
    match error {
        LineError::Encode { source, .. } | LineError::Line { source, .. } => {
            SinkError::Encode { id: id.into(), source }
        }
        LineError::Open { path, source } | LineError::Write { path, source } | LineError::Read { path, source } => {
            SinkError::Write { path, source }
        }
    }
}

impl From<LineError> for SinkError {
    /// For lines that are no records.
    fn from(error: LineError) -> Self {
        sink_error(error, "metrics")
    }
}

/// The records of a run, in the order in which they were stored.
///
/// # Errors
/// As those of [`stream_records`].
pub fn read_records(dir: &RunDir) -> Result<Lines<Record>, ReadError> {
    let mut records = stream_records(dir)?;
    let rows = records.by_ref().collect::<Result<_, _>>()?;
    Ok(Lines { rows, cut: records.lines.and_then(|lines| lines.cut()) })
}

/// The records of a run one after the other, for runs that are larger than memory; a cut last line is left out. All
/// records are read here, so that none are trusted that the run did not write: `intact`.
///
/// # Errors
/// If the file cannot be opened, or is not there and should be.
pub fn stream_records(dir: &RunDir) -> Result<Records, ReadError> {
    let manifest = if dir.manifest().exists() { Some(Manifest::read(dir)?) } else { None };
    let asks = manifest.as_ref().is_some_and(|Manifest { plan, .. }| !plan.examinees().is_empty());
    let lines = match intact::lines(&dir.records(), manifest.as_ref()) {
        // Killed before its first record; whether there should be any, their number tells.
        Err(ReadError::Lines(LineError::Read { source, .. })) if asks && source.kind() == ErrorKind::NotFound => None,
        lines => Some(lines?),
    };
    let asked = manifest
        .as_ref()
        .map(|Manifest { plan, .. }| plan.examinees().iter().map(|examinee| examinee.name.clone()).collect());
    Ok(Records { dir: dir.clone(), manifest, asked, lines, places: Places::default(), count: 0 })
}

/// The records of a run, one after the other.
#[derive(Debug)]
pub struct Records {
    dir: RunDir,
    manifest: Option<Manifest>,
    /// The models that were asked, where that is known.
    asked: Option<Vec<String>>,
    lines: Option<intact::Lines<Record>>,
    places: Places,
    count: u64,
}

impl Records {
    /// Holds the record that came last against its place and its model.
    fn check(&mut self, record: Record) -> Result<Record, ReadError> {
        let path = self.dir.records();
        self.count += 1;
        let Record { purpose, round, index, .. } = record;
        if record.schema > SCHEMA_VERSION {
            return Err(ReadError::Newer { path, line: self.count as usize, schema: record.schema });
        }
        let damaged = |what| Err(Damage { path, line: Some(self.count), what }.into());
        let number = |name: &String| self.asked.as_ref()?.iter().position(|asked| asked == name);
        let model = record.model.as_ref().map(|name| (name, number(name)));
        if let (Some((name, None)), Some(asked)) = (model, &self.asked) {
            return damaged(format!("it is of {name}, and the run asked {}", asked.join(", ")));
        }
        if !self.places.add(model.and_then(|(_, at)| at), purpose, round, index) {
            let of = model.map_or(String::new(), |(name, _)| format!(" of {name}"));
            return damaged(format!("a second record{of} of the same question: {purpose} {index} in round {round}"));
        }
        Ok(record)
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.lines.as_mut().and_then(Iterator::next) {
            Some(record) => Some(record.and_then(|record| self.check(record))),
            None => intact::count(&self.dir, self.manifest.as_ref()?, self.count).err().map(Err),
        }
    }
}

/// The timings of a run, in the order in which they were stored.
pub fn read_timings(dir: &RunDir) -> Result<Lines<Timing>, LineError> {
    jsonl::read(&dir.timings())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::clock::Stamp;
    use super::super::dir::{RunName, tests::Scratch};
    use super::*;
    use crate::item::record::{Answer, Item, Probe, Purpose, Recipe, Task, Truth, Verdict};
    use crate::wasm::types::Value;
    use std::path::PathBuf;
    use std::time::UNIX_EPOCH;

    /// A record with a program of its own; its answer has no reply.
    pub(crate) fn sample(purpose: Purpose, round: u32, index: u32, verdict: Verdict) -> Record {
        let item = Item {
            id: format!("r{round}-{index}"),
            task: Task::Stack,
            program: "(module)".into(),
            probes: vec![Probe { func: 0, pc: 3, hit: 1 }],
            truth: Truth::StackValues(vec![Value::i32(30)]),
            fuel: 17,
            bytes: 40,
            instructions: 3,
            canonical: format!("c{round}-{index}"),
            recipe: Recipe { generator: "0.1.0".into(), seed: 0, actions: vec![1, 200] },
        };
        let slots = if verdict.answered() { vec![verdict == Verdict::Correct] } else { Vec::new() };
        let answer = Answer { slots, ..Answer::of(verdict) };
        Record {
            schema: SCHEMA_VERSION,
            purpose,
            model: None,
            round,
            index,
            chosen_by: "ppo".into(),
            level: None,
            item,
            answer,
            reward: None,
            cell: None,
        }
    }

    fn timing(record: &Record) -> Timing {
        let Record { purpose, round, index, .. } = *record;
        Timing { id: record.item.id.clone(), model: None, purpose, round, index, latency_ms: 12, attempts: 1 }
    }

    fn dir(scratch: &Scratch) -> RunDir {
        let name = RunName { verb: "attack", strategy: None, preset: "stack", model: Some("sim/novice"), seed: 7 };
        RunDir::create(scratch.path(), &name, &Stamp::of(UNIX_EPOCH)).expect("can be made")
    }

    #[test]
    fn records_and_timings_read_back() {
        let scratch = Scratch::new();
        let dir = dir(&scratch);
        let records: Vec<Record> = (0..4).map(|i| sample(Purpose::Attack, 0, i, Verdict::Wrong)).collect();
        let mut sink = JsonlSink::open(&dir).expect("can be opened");
        for record in &records {
            sink.record(record, &timing(record)).expect("can be written");
        }
        assert_eq!(read_records(&dir).expect("readable"), Lines { rows: records.clone(), cut: None });
        let timings = records.iter().map(timing).collect();
        assert_eq!(read_timings(&dir).expect("readable"), Lines { rows: timings, cut: None });
    }

    #[test]
    fn a_newer_schema_is_refused_by_line() {
        let scratch = Scratch::new();
        let dir = dir(&scratch);
        let mut sink = JsonlSink::open(&dir).expect("can be opened");
        let record = sample(Purpose::Attack, 0, 0, Verdict::Wrong);
        let newer = Record { schema: SCHEMA_VERSION + 1, ..record.clone() };
        for record in [record, newer] {
            sink.record(&record, &timing(&record)).expect("can be written");
        }
        let error = read_records(&dir).expect_err("is newer").to_string();
        assert!(error.contains("records.jsonl:2: schema 2 is newer"), "{error}");
    }

    /// A directory that is gone under the sink's feet, or a full disk: the message names the file and the flag.
    #[test]
    fn what_cannot_be_stored_is_named() {
        let path = PathBuf::from("somewhere/records.jsonl");
        let record = sample(Purpose::Attack, 0, 0, Verdict::Wrong);
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = sink_error(LineError::Write { path, source: full }, &record.item.id).to_string();
        assert!(error.contains("somewhere/records.jsonl") && error.contains("--log-dir"), "{error}");
    }
}
