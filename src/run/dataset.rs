//! Owns data sets: labelled items in a folder, as JSON lines or as the pairs of files that the original's data sets have,
//! split so that no program stands on two sides.
//!
//! Must not know how items are made. Which side an item goes to, and whether it is there already, its canonical form alone
//! decides: programs that differ only in what is never executed, or in names, are one. Nothing here depends on the clock.

mod card;

pub(crate) use card::{Card, SuiteCard, WovenCard, WovenPart};

use super::dir::is_empty;
use crate::item::record::Item;
use crate::seed::Seed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The file beside the items that says what they are.
pub(crate) const CARD: &str = "dataset.yaml";
/// The file that stands there until it is finished.
const UNFINISHED: &str = "unfinished";

/// How items are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// `NAME.wat` with the program and `NAME.meta` with the answer.
    Wat,
    /// One recipe a line: what a suite weaves the programs from again.
    Recipes,
}

/// The sides of a data set: names, and the share of each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Splits(Vec<(String, f64)>);

impl Default for Splits {
    fn default() -> Self {
        Self(vec![("items".into(), 1.0)])
    }
}

/// A split that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write it as in train=0.9,test=0.1")]
pub(crate) struct SplitError(String);

impl FromStr for Splits {
    type Err = SplitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut sides: Vec<(String, f64)> = Vec::new();
        for part in text.split(',') {
            let (name, share) = part.split_once('=').ok_or_else(|| SplitError(format!("`{part}` has no share")))?;
            let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            if !plain || sides.iter().any(|(known, _)| known == name) {
                return Err(SplitError(format!("`{name}` is no name, or stands there twice")));
            }
            let share: f64 = share.parse().map_err(|_| SplitError(format!("`{share}` is no number")))?;
            if !(share > 0.0 && share <= 1.0) {
                return Err(SplitError(format!("the share of `{name}` is {share}, which is not between 0 and 1")));
            }
            sides.push((name.into(), share));
        }
        let sum: f64 = sides.iter().map(|(_, share)| share).sum();
        if (sum - 1.0).abs() > 1e-9 {
            Err(SplitError(format!("the shares add up to {sum}, not to 1")))
        } else {
            Ok(Self(sides))
        }
    }
}

impl Splits {
    /// The side of a canonical form.
    fn side(&self, canonical: &str) -> usize {
        let mut left = Seed::new(0).child("split").child(canonical).rng().unit();
        let falls = |(_, share): &(String, f64)| {
            left -= share;
            left < 0.0
        };
        self.0.iter().position(falls).unwrap_or(self.0.len() - 1)
    }
}

/// A data set cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DataSetError {
    /// There is something already.
    #[error("{} is not empty; choose a folder that is, or one that does not exist yet", .0.display())]
    NotEmpty(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {}: {source}; what was written before stays", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A data set that is being written.
#[derive(Debug)]
pub(crate) struct DataSet {
    dir: PathBuf,
    format: Format,
    splits: Splits,
    lines: Vec<(PathBuf, BufWriter<File>)>,
    counts: Vec<u64>,
    /// Canonical forms that are there; none are kept of a part, which has all of its items.
    seen: Option<HashSet<String>>,
}

/// How many items there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// On each side.
    pub splits: Vec<(String, u64)>,
    /// On all sides.
    pub items: u64,
}

impl DataSet {
    /// Marks a folder as one in which a data set is being made, so that whoever finds it after a kill makes it anew: one that
    /// is empty, does not exist yet, or is marked.
    ///
    /// # Errors
    /// If it is not, or cannot be made.
    pub(crate) fn mark(dir: &Path, splits: &Splits) -> Result<(), DataSetError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| DataSetError::Write { path, source }
        };
        std::fs::create_dir_all(dir).map_err(fail(dir))?;
        let mark = dir.join(UNFINISHED);
        if mark.exists() {
            clear(dir, splits).map_err(fail(dir))?;
        }
        if !is_empty(dir).map_err(fail(dir))? {
            return Err(DataSetError::NotEmpty(dir.into()));
        }
        File::create_new(&mark).map(drop).map_err(fail(&mark))
    }

    /// Begins a part of one in a folder that is marked: its items as they come, repeated ones too, on one side.
    ///
    /// # Errors
    /// If a file cannot be made.
    pub(crate) fn part(dir: &Path) -> Result<Self, DataSetError> {
        Ok(Self { seen: None, ..Self::marked(dir, Format::Jsonl, Splits::default())? })
    }

    /// Begins one in a folder that is empty or does not exist yet, or that has one whose making was killed.
    ///
    /// # Errors
    /// If it is not, or cannot be made.
    pub(crate) fn create(dir: &Path, format: Format, splits: Splits) -> Result<Self, DataSetError> {
        Self::mark(dir, &splits)?;
        Self::marked(dir, format, splits)
    }

    /// The same in a folder that is marked.
    ///
    /// # Errors
    /// If a file cannot be made.
    pub(crate) fn marked(dir: &Path, format: Format, splits: Splits) -> Result<Self, DataSetError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| DataSetError::Write { path, source }
        };
        let mut lines = Vec::new();
        for (name, _) in &splits.0 {
            match format {
                Format::Jsonl | Format::Recipes => {
                    let path = dir.join(format!("{name}.jsonl"));
                    let file = File::create_new(&path).map_err(fail(&path))?;
                    lines.push((path, BufWriter::new(file)));
                }
                Format::Wat => std::fs::create_dir(dir.join(name)).map_err(fail(&dir.join(name)))?,
            }
        }
        let counts = vec![0; splits.0.len()];
        Ok(Self { dir: dir.into(), format, splits, lines, counts, seen: Some(HashSet::new()) })
    }

    /// Adds an item; false if one of its canonical form is there already.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn add(&mut self, item: &Item) -> Result<bool, DataSetError> {
        if self.seen.as_mut().is_some_and(|seen| !seen.insert(item.canonical.clone())) {
            return Ok(false);
        }
        let side = self.splits.side(&item.canonical);
        match self.format {
            Format::Jsonl => self.line(side, item)?,
            Format::Recipes => self.line(side, &item.recipe)?,
            Format::Wat => {
                let base = self.dir.join(&self.splits.0[side].0).join(format!("{:0>7}", item.id));
                write(&base.with_extension("wat"), &item.program)?;
                let meta = serde_json::to_string_pretty(&meta(item)).expect("plain data");
                write(&base.with_extension("meta"), &(meta + "\n"))?;
            }
        }
        self.counts[side] += 1;
        Ok(true)
    }

    fn line(&mut self, side: usize, row: &impl Serialize) -> Result<(), DataSetError> {
        let (path, file) = &mut self.lines[side];
        let line = serde_json::to_string(row).expect("items and recipes are plain data");
        writeln!(file, "{line}").map_err(|source| DataSetError::Write { path: path.clone(), source })
    }

    /// Items so far.
    pub(crate) fn len(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Ends it: everything is on disk, with a card that says what it is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn finish(mut self, about: &Card) -> Result<Counts, DataSetError> {
        for (path, file) in &mut self.lines {
            file.flush().map_err(|source| DataSetError::Write { path: path.clone(), source })?;
        }
        let names = self.splits.0.iter().map(|(name, _)| name.clone());
        let counts = Counts { splits: names.zip(self.counts.iter().copied()).collect(), items: self.len() };
        write(&self.dir.join(CARD), &serde_yaml::to_string(about).expect("plain data"))?;
        let mark = self.dir.join(UNFINISHED);
        std::fs::remove_file(&mark).map_err(|source| DataSetError::Write { path: mark, source })?;
        Ok(counts)
    }
}

/// Takes away what a killed process left: the sides, by their names, and its mark last.
fn clear(dir: &Path, splits: &Splits) -> io::Result<()> {
    let gone = |done: io::Result<()>| match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    };
    for (name, _) in &splits.0 {
        gone(std::fs::remove_file(dir.join(format!("{name}.jsonl"))))?;
        gone(std::fs::remove_dir_all(dir.join(name)))?;
    }
    gone(std::fs::remove_file(dir.join(CARD)))?;
    std::fs::remove_file(dir.join(UNFINISHED))
}

fn write(path: &Path, text: &str) -> Result<(), DataSetError> {
    std::fs::write(path, text).map_err(|source| DataSetError::Write { path: path.into(), source })
}

/// What the original's `.meta` files hold, and what rebuilds the program.
fn meta(item: &Item) -> serde_json::Value {
    let mut meta = json!({
        "flag_states": {},
        "return_values": [],
        "stack_values": [],
        "fuel": item.fuel,
        "task": item.task,
        "bytes": item.bytes,
        "instructions": item.instructions,
        "canonical": item.canonical,
        "recipe": item.recipe,
    });
    let key = item.task.key();
    meta[key] = json!(item.truth)[key].take();
    meta
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_read_and_wrong_ones_refused() {
        let splits: Splits = "train=0.9,test=0.1".parse().expect("reads");
        let canonical = |n: u32| format!("form {n}");
        let first = (0..10_000).filter(|&n| splits.side(&canonical(n)) == 0).count();
        // Five standard deviations.
        assert!((8850..9150).contains(&first), "{first}");
        for (text, why) in [
            ("train", "no share"),
            ("train=0.9", "add up to 0.9"),
            ("a=0.5,a=0.5", "twice"),
            ("../a=1", "no name"),
            ("a=-1,b=2", "not between"),
            ("a=x", "no number"),
            ("a=nan", "not between"),
        ] {
            let error = text.parse::<Splits>().expect_err(text).to_string();
            assert!(error.contains(why) && error.contains("train=0.9,test=0.1"), "{text}: {error}");
        }
    }
}
