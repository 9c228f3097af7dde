//! Owns the run directory: its name, the names of the files in it, and writing whole files so that a reader or a crash
//! never meets half of one.
//!
//! Must not know what is in the files.

use super::clock::Stamp;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file that makes a directory a run's.
pub const MANIFEST: &str = "manifest.yaml";
/// The file that says which process works in a directory; see `lock`.
pub const LOCK: &str = ".lock";

/// What a run directory is named after.
#[derive(Clone, Copy, Debug)]
pub struct RunName<'a> {
    /// The verb: `attack`.
    pub verb: &'a str,
    /// Who chooses the programs, `ppo`; `None` where none are chosen.
    pub strategy: Option<&'a str>,
    /// The preset's name or file; the name alone is used.
    pub preset: &'a str,
    /// The model asked for, `sim/novice`; `None` where none is asked.
    pub model: Option<&'a str>,
    /// The seed.
    pub seed: u64,
}

impl RunName<'_> {
    /// `20260301-090507-attack-ppo-stack-sim-novice-seed7`.
    fn text(&self, started: &Stamp) -> String {
        let preset = Path::new(self.preset).file_stem().map_or(self.preset.into(), |stem| stem.to_string_lossy());
        let parts = [Some(self.verb), self.strategy, Some(&*preset), self.model].into_iter().flatten().map(plain);
        let parts: Vec<String> = parts.collect();
        format!("{}-{}-seed{}", started.for_file_name(), parts.join("-"), self.seed)
    }
}

/// The text in characters that every file system and shell takes as they are; a model id may hold `/`, `:` and more.
fn plain(text: &str) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    // Long enough for any real model id, short enough that the whole name stays under 255 bytes.
    text.chars().map(clean).take(64).collect()
}

/// One run's directory; the only place that a run writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
    /// The address that people know it by, where it is at home in an object store.
    home: Option<String>,
}

impl RunDir {
    /// Makes a new directory under `log_dir` (made too, where it is missing). A name that is taken gets `-2`, `-3`, ...
    /// behind it, so that two runs never share one.
    pub fn create(log_dir: &Path, name: &RunName<'_>, started: &Stamp) -> Result<Self, DirError> {
        let fail =
            |path: &Path, source| DirError { action: "make the directory", path: path.into(), source, todo: ANOTHER };
        fs::create_dir_all(log_dir).map_err(|source| fail(log_dir, source))?;
        let name = name.text(started);
        let names = std::iter::once(name.clone()).chain((2..).map(|n: u32| format!("{name}-{n}")));
        for path in names.map(|name| log_dir.join(name)) {
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path, home: None }),
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(fail(&path, source)),
            }
        }
        unreachable!("u32::MAX directories of one name")
    }

    /// Makes a directory where it is missing.
    pub(super) fn make(path: &Path) -> Result<(), DirError> {
        let fail = |source| DirError { action: "make the directory", path: path.into(), source, todo: ROOM };
        fs::create_dir_all(path).map_err(fail)
    }

    /// Exactly this directory for a new run; it may be there already if nothing is in it.
    pub fn create_at(path: &Path) -> Result<Self, DirError> {
        let fail = |source| DirError { action: "make the directory", path: path.into(), source, todo: ANOTHER };
        Self::make(path)?;
        if !is_empty(path).map_err(fail)? {
            return Err(DirError { todo: EMPTY, ..fail(io::ErrorKind::DirectoryNotEmpty.into()) });
        }
        Ok(Self { path: path.into(), home: None })
    }

    /// A directory that an earlier run made.
    pub fn open(path: &Path) -> Result<Self, DirError> {
        let dir = Self { path: path.into(), home: None };
        fs::metadata(dir.manifest()).map_err(|source| DirError {
            todo: "name a directory that attack, eval or train made",
            action: "find a run (a directory with manifest.yaml) at",
            path: path.into(),
            source,
        })?;
        Ok(dir)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same as the mirror of an address in an object store.
    pub(super) fn at_home(self, home: String) -> Self {
        Self { home: Some(home), ..self }
    }

    /// The name by which people know it, or something in it: its address, where it has one.
    pub fn shown(&self, path: &Path) -> String {
        match (&self.home, path.strip_prefix(&self.path)) {
            (Some(home), Ok(rest)) if rest.as_os_str().is_empty() => home.clone(),
            (Some(home), Ok(rest)) => format!("{home}/{}", rest.display()),
            _ => path.display().to_string(),
        }
    }

    /// The name by which people know it.
    pub fn name(&self) -> String {
        self.shown(&self.path)
    }

    /// `manifest.yaml`: what the run was.
    pub fn manifest(&self) -> PathBuf {
        self.path.join(MANIFEST)
    }

    /// `items.jsonl`: what an evaluation asks, one line for each item.
    pub fn items(&self) -> PathBuf {
        self.path.join("items.jsonl")
    }

    /// `records.jsonl`: one line for each question and its answer.
    pub fn records(&self) -> PathBuf {
        self.path.join("records.jsonl")
    }

    /// `timings.jsonl`: all about the records that depends on the clock.
    pub fn timings(&self) -> PathBuf {
        self.path.join("timings.jsonl")
    }

    /// `metrics.jsonl`: one line for each update of the learner.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// `samples.jsonl`: one woven program for each update.
    pub fn samples(&self) -> PathBuf {
        self.path.join("samples.jsonl")
    }

    /// `checkpoint.safetensors`: the policy and its optimiser.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint.safetensors")
    }

    /// `pairs.jsonl`: missed programs asked again with one instruction swapped.
    pub fn pairs(&self) -> PathBuf {
        self.path.join("pairs.jsonl")
    }

    /// `report.html`: the page of the run.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// `summary.md`: the run for a reader.
    pub fn summary(&self) -> PathBuf {
        self.path.join("summary.md")
    }

    /// `miss-rate.svg`: the picture in the summary.
    pub fn miss_rate_plot(&self) -> PathBuf {
        self.path.join("miss-rate.svg")
    }

    /// `shrunk.jsonl`: missed programs that were cut down.
    pub fn shrunk(&self) -> PathBuf {
        self.path.join("shrunk.jsonl")
    }

    /// `disagreement/`: programs on which the machine and wasmtime differ.
    pub fn disagreement(&self) -> PathBuf {
        self.path.join("disagreement")
    }
}

/// Whether nothing is in a folder but what locks it.
pub fn is_empty(folder: &Path) -> io::Result<bool> {
    let mut names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    names.try_fold(true, |empty, name: io::Result<_>| Ok(empty && name? == LOCK))
}

/// Folders with one of these files, sorted by name: the folder itself, or those at most so many levels below it. Nothing is
/// looked for within one that has it.
pub fn folders_with(folder: &Path, files: &[&str], depth: usize) -> io::Result<Vec<PathBuf>> {
    if files.iter().any(|file| folder.join(file).exists()) {
        return Ok(vec![folder.into()]);
    }
    let mut below = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    below.retain(|path| depth > 0 && path.is_dir());
    below.sort();
    let mut found = Vec::new();
    for path in below {
        found.extend(folders_with(&path, files, depth - 1)?);
    }
    Ok(found)
}

/// Writes a whole file in one step: into a neighbour first, which then takes the name. A reader sees the old text or
/// the new one, and so does a reader after a crash.
pub fn write_whole(path: &Path, text: &str) -> Result<(), DirError> {
    let mut file = WholeFile::create(path)?;
    file.write(text.as_bytes())?;
    file.finish()
}

/// A whole file that is written bit by bit; it takes its name when it is finished, and leaves nothing otherwise.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    neighbour: PathBuf,
    file: io::BufWriter<fs::File>,
}

impl WholeFile {
    /// Begins one.
    pub fn create(path: &Path) -> Result<Self, DirError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let neighbour = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        let file = fs::File::create(&neighbour);
        let file = file.map_err(|source| DirError { action: "write", path: path.into(), source, todo: ROOM })?;
        Ok(Self { path: path.into(), neighbour, file: io::BufWriter::new(file) })
    }

    /// Goes on.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), DirError> {
        self.file.write_all(bytes).map_err(|source| DirError {
            action: "write",
            path: self.path.clone(),
            source,
            todo: ROOM,
        })
    }

    /// Gives it its name.
    pub fn finish(mut self) -> Result<(), DirError> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        let named = synced.and_then(|()| fs::rename(&self.neighbour, &self.path));
        named.map_err(|source| DirError { action: "write", path: self.path.clone(), source, todo: ROOM })
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // Once it has its name there is none left; a leftover neighbour does no harm.
        let _ = fs::remove_file(&self.neighbour);
    }
}

/// Something about a run directory could not be done.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}: {source}; {todo}")]
pub struct DirError {
    /// What was tried, as a verb.
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
    /// What to do about it.
    pub todo: &'static str,
}

const ANOTHER: &str = "check the path and its rights, or name another directory with --log-dir";
const EMPTY: &str = "name one that is empty or not there yet";
const ROOM: &str = "check the path, its rights and the room on the disk, or name another place";

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, UNIX_EPOCH};

    /// A fresh directory that goes away with the value.
    pub(crate) struct Scratch(PathBuf);

    impl Scratch {
        pub(crate) fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let unique = format!("wasmweaver-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(unique);
            fs::create_dir_all(&path).expect("the temporary directory can be written");
            Self(path)
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }

        /// Writes a file in it and returns its path.
        pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, text).expect("the temporary directory can be written");
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn started() -> Stamp {
        Stamp::of(UNIX_EPOCH + Duration::from_secs(1_735_689_599))
    }

    const NAME: RunName<'static> = RunName {
        verb: "attack",
        strategy: Some("map-elites"),
        preset: "policies/stack.yaml",
        model: Some("sim/novice"),
        seed: 7,
    };

    #[test]
    fn names_are_plain_and_unique() {
        let scratch = Scratch::new();
        let log_dir = scratch.path().join("made/on the way");
        let names: Vec<String> = (0..3)
            .map(|_| RunDir::create(&log_dir, &NAME, &started()).expect("can be made"))
            .map(|dir| dir.path().file_name().expect("has one").to_string_lossy().into_owned())
            .collect();
        let first = "20241231-235959-attack-map-elites-stack-sim-novice-seed7";
        assert_eq!(names, [first.to_owned(), format!("{first}-2"), format!("{first}-3")]);
    }

    #[test]
    fn no_model_id_leaves_the_log_directory() {
        let text = RunName { model: Some("../../etc/é:x y"), ..NAME }.text(&started());
        assert_eq!(text, "20241231-235959-attack-map-elites-stack-..-..-etc---x-y-seed7");
        assert!(
            RunName { model: Some(&"m".repeat(4000)), preset: &"p".repeat(4000), ..NAME }.text(&started()).len() < 200
        );
    }

    #[test]
    fn a_log_directory_that_is_a_file_is_named() {
        let scratch = Scratch::new();
        let file = scratch.file("taken", "");
        let error = RunDir::create(&file, &NAME, &started()).expect_err("is a file").to_string();
        assert!(error.contains("taken") && error.contains("--log-dir"), "{error}");
        let error = RunDir::open(scratch.path()).expect_err("is no run").to_string();
        assert!(error.contains("manifest.yaml"), "{error}");
    }

    #[test]
    fn whole_files_are_replaced_and_leave_nothing_behind() {
        let scratch = Scratch::new();
        let path = scratch.file("a.md", "old and longer");
        write_whole(&path, "new").expect("can be written");
        assert_eq!(fs::read_to_string(&path).expect("is there"), "new");
        let missing = scratch.path().join("no/such/a.md");
        let error = write_whole(&missing, "new").expect_err("no such directory").to_string();
        assert!(error.contains("no/such/a.md"), "{error}");
        assert_eq!(fs::read_dir(scratch.path()).expect("is there").count(), 1);
    }
}
