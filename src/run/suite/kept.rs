//! Owns suites that were woven before: their items, kept on disk, so that a second run begins at once.
//!
//! Must not know how items are woven, nor who is asked. A file is named after all that decides its items, this build of the
//! program included, so that a changed weaver looks for another file. Its last line seals the others by their hash and says
//! their fingerprint; what is damaged is woven anew. Several processes may share the folder, since a file takes its name when
//! it is whole. Nothing depends on it: a folder that cannot be written costs time and no items.

use super::weave::{Fingerprint, Select, SuiteItem, WeaveError, Workers};
use super::{Part, Suite};
use crate::item::halt::Halt;
use crate::learn::pretrained::TABLE_HASH;
use crate::run::dir::{DirError, WholeFile};
use crate::run::jsonl;
use crate::seed::Seed;
use crate::weave::recipe::GENERATOR;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Raised when the lines of a file mean something else.
const FORMAT: u32 = 1;
/// Suites that are kept; beyond them the one that was not used for longest goes.
const MOST: usize = 24;
/// What the files end with.
const ENDING: &str = "jsonl";

/// Where woven suites are kept, and who is told of damage.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
    tell: fn(&str),
}

/// The last line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    /// The name of the file.
    name: String,
    /// Lines before it.
    items: u64,
    /// Hash of their bytes.
    hash: String,
    /// Fingerprint of their items.
    fingerprint: String,
}

impl Shelf {
    /// A folder, made where it is missing.
    pub fn new(folder: PathBuf, tell: fn(&str)) -> Self {
        Self { folder, tell }
    }

    /// The file of these items.
    fn file(&self, suite: &Suite, seed: &Seed, select: &Select) -> PathBuf {
        let settings: Vec<_> = suite.parts.iter().map(|part| &part.settings).collect();
        // Field by field in a fixed order, so that what is equal has an equal text.
        let decides =
            (FORMAT, build(), GENERATOR, &*TABLE_HASH, suite, settings, seed.to_u64(), &select.tasks, select.limit);
        let text = serde_json::to_string(&decides).expect("plain data");
        let key = &blake3::hash(text.as_bytes()).to_hex()[..24];
        self.folder.join(format!("{}-{key}.{ENDING}", suite.label()))
    }

    /// Forgets the files that were not used for longest.
    fn tidy(&self) {
        let used = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut files: Vec<(Option<SystemTime>, PathBuf)> = files
            .filter(|path| path.extension().is_some_and(|end| end == ENDING))
            .map(|path| (used(&path), path))
            .collect();
        files.sort_unstable();
        let spare = files.len().saturating_sub(MOST);
        // One that is gone already, or that is not ours, is left alone.
        files[..spare].iter().for_each(|(_, path)| drop(fs::remove_file(path)));
    }
}

/// This build of the program: its version and commit; without a commit, the program file itself.
fn build() -> (&'static str, Option<&'static str>, Option<(u64, SystemTime)>) {
    let commit = option_env!("WASMWEAVER_COMMIT");
    let stamp = || {
        let file = fs::metadata(std::env::current_exe().ok()?).ok()?;
        Some((file.len(), file.modified().ok()?))
    };
    (env!("CARGO_PKG_VERSION"), commit, if commit.is_none() { stamp() } else { None })
}

impl Suite {
    /// As [`Suite::each`], from the shelf where they are kept there; woven items are kept for the next time.
    ///
    /// # Errors
    /// See [`WeaveError`].
    pub fn each_kept(
        &self,
        shelf: Option<&Shelf>,
        seed: Seed,
        select: &Select,
        workers: Workers<'_>,
        mut take: impl FnMut(Option<SuiteItem>, u64) -> ControlFlow<()>,
    ) -> Result<String, WeaveError> {
        let Some(shelf) = shelf.filter(|_| self.is_kept()) else {
            return self.each(seed, select, workers, take);
        };
        let path = shelf.file(self, &seed, select);
        match Kept::open(&path) {
            Ok(kept) => return kept.each(workers.halt, take),
            Err(Unsound::Missing) => {}
            Err(unsound) => (shelf.tell)(&format!("{}: {unsound}; the suite is woven anew", path.display())),
        }
        let mut keeping = Keeping::begin(&path);
        let fingerprint = self.each(seed, select, workers, |item, of| {
            item.iter().for_each(|item| keeping.add(item));
            take(item, of)
        })?;
        if keeping.finish(&fingerprint) {
            shelf.tidy();
        }
        Ok(fingerprint)
    }

    /// Whether its items are kept: those of one that is made up on the command line are not asked for again and again, and
    /// files of recipes may change.
    fn is_kept(&self) -> bool {
        self.version > 0 && self.parts.iter().all(|Part { recipes, .. }| recipes.is_none())
    }
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
enum Unsound {
    #[error("there is none")]
    Missing,
    #[error("cannot be read ({0})")]
    Read(#[from] io::Error),
    #[error("the file is damaged, or of another program")]
    Damaged,
}

/// A file whose seal was held against its lines.
struct Kept {
    path: PathBuf,
    seal: Seal,
}

impl Kept {
    fn open(path: &Path) -> Result<Self, Unsound> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unsound::Missing),
            file => file?,
        };
        // That it was used, for tools that tidy up; where it cannot be told, it may be woven once more.
        let _ = file.set_modified(SystemTime::now());
        let (mut reader, mut hasher) = (BufReader::new(file), blake3::Hasher::new());
        let (mut last, mut line, mut items) = (Vec::new(), Vec::new(), 0);
        while reader.read_until(b'\n', &mut line)? > 0 {
            if !last.is_empty() {
                hasher.update(&last);
                items += 1;
            }
            std::mem::swap(&mut last, &mut line);
            line.clear();
        }
        let seal: Seal = serde_json::from_slice(&last).map_err(|_| Unsound::Damaged)?;
        let is_whole =
            seal.name == name(path) && seal.items == items && seal.hash == hasher.finalize().to_hex().as_str();
        if is_whole { Ok(Self { path: path.into(), seal }) } else { Err(Unsound::Damaged) }
    }

    fn each(
        self,
        halt: &Halt,
        mut take: impl FnMut(Option<SuiteItem>, u64) -> ControlFlow<()>,
    ) -> Result<String, WeaveError> {
        let Self { path, seal } = self;
        let other = || WeaveError::Kept { path: path.clone() };
        let (mut prints, of) = (Fingerprint::default(), seal.items);
        let lines = jsonl::stream::<SuiteItem>(&path).map_err(|_| other())?;
        for (at, item) in (1..=of).zip(lines) {
            let item = item.map_err(|_| other())?;
            prints.add(&item.item);
            let stopped = take(Some(item), of).is_break() || halt.is_wished();
            if stopped && at < of {
                return Err(WeaveError::Stopped);
            }
        }
        let fingerprint = prints.finish();
        if fingerprint == seal.fingerprint { Ok(fingerprint) } else { Err(other()) }
    }
}

/// A file in the making; none, once something could not be written.
struct Keeping {
    name: String,
    file: Option<WholeFile>,
    hasher: blake3::Hasher,
    items: u64,
}

impl Keeping {
    fn begin(path: &Path) -> Self {
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        let file = folder.ok().and_then(|()| WholeFile::create(path).ok());
        Self { name: name(path), file, hasher: blake3::Hasher::new(), items: 0 }
    }

    fn add(&mut self, item: &SuiteItem) {
        let Some(file) = &mut self.file else { return };
        let line = line(item);
        if file.write(&line).is_err() {
            self.file = None;
        }
        self.hasher.update(&line);
        self.items += 1;
    }

    /// Whether it is there now.
    fn finish(self, fingerprint: &str) -> bool {
        let Self { name, file, hasher, items } = self;
        let seal = Seal { name, items, hash: hasher.finalize().to_hex().to_string(), fingerprint: fingerprint.into() };
        let finish = |mut file: WholeFile| -> Result<(), DirError> {
            file.write(&line(&seal))?;
            file.finish()
        };
        file.is_some_and(|file| finish(file).is_ok())
    }
}

/// What a file is called, which is what it is of.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn line(row: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(row).expect("plain data");
    line.push(b'\n');
    line
}
