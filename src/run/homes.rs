//! Owns where run directories are at home: here, or in an object store that a folder here is the mirror of.
//!
//! Must not know what is in them. What is worked on is locked until the end, when everything is sent. Programs append and
//! seek, object stores do neither: so a run is written to a scratch folder, and what has changed there is sent at short
//! intervals and at the end. A kill loses what came since then, and `--resume` (or the same command with
//! `--into`) asks that again.

use super::clock::Stamp;
use super::dir::{DirError, LOCK, RunDir, RunName};
use super::lock::{Lock, LockError, Tell};
use super::store::{Folder, StoreError, is_address};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// How long changes wait to be sent.
const INTERVAL: Duration = Duration::from_secs(5);
/// Sending takes at most one part in so many of the time.
const REST: u32 = 10;
/// Files that say that the rest is whole, and so are sent last.
const LAST: [&str; 2] = ["manifest.yaml", "dataset.yaml"];

/// Names of one directory that are tried, where others take them in the same second.
const NAMES: usize = 100;

/// The mirrors of this process, and what it has locked.
#[derive(Debug)]
pub struct Homes {
    mirrors: Mutex<Vec<Sending>>,
    /// By their addresses, or whole paths.
    locks: Mutex<Vec<(PathBuf, Lock)>>,
    tell: Tell,
}

/// A mirror, and the thread that sends what changes.
#[derive(Debug)]
struct Sending {
    mirror: Arc<Mutex<Mirror>>,
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

/// A folder here that stands for one in an object store.
#[derive(Debug)]
struct Mirror {
    folder: Folder,
    scratch: PathBuf,
    /// What the store has: lengths and times of change here, by path.
    there: BTreeMap<String, (u64, SystemTime)>,
    /// Whether it began with all that was there.
    is_whole: bool,
    /// Whether anything was changed there.
    has_sent: bool,
}

impl Homes {
    /// None yet; `tell` hears what there is to say of locks.
    pub fn telling(tell: Tell) -> Self {
        Self { mirrors: Mutex::default(), locks: Mutex::default(), tell }
    }

    /// The directory that an earlier run made at `path`, to work on: no other process may until [`Homes::close`].
    ///
    /// # Errors
    /// If there is none, or another process works on it.
    pub fn take(&self, path: &Path) -> Result<RunDir, HomeError> {
        self.open(path)?;
        self.lock(path)?;
        // What an earlier holder wrote in between is seen too.
        self.open(path)
    }

    /// A folder to write something else than a run to, made where it is missing: no other process may until [`Homes::close`].
    ///
    /// # Errors
    /// If it cannot be made, or another process works on it.
    pub fn take_folder(&self, path: &Path) -> Result<PathBuf, HomeError> {
        self.make_and_lock(path)?;
        Ok(self.bring(path)?)
    }

    /// The directory that an earlier run made at `path`, to look at.
    ///
    /// # Errors
    /// If there is none.
    pub fn open(&self, path: &Path) -> Result<RunDir, HomeError> {
        self.at(path, RunDir::open)
    }

    /// Exactly `path` for a new run, locked.
    ///
    /// # Errors
    /// If something is there, or another process works on it.
    pub fn create_at(&self, path: &Path) -> Result<RunDir, HomeError> {
        self.make_and_lock(path)?;
        self.at(path, RunDir::create_at)
    }

    fn make_and_lock(&self, path: &Path) -> Result<(), HomeError> {
        if !is_address(path) {
            RunDir::make(path)?;
        }
        self.lock(path)
    }

    /// Locks a directory that is there, or an address; once.
    fn lock(&self, path: &Path) -> Result<(), HomeError> {
        let folder = remote(path)?;
        let key = match &folder {
            Some(folder) => folder.url().into(),
            None => path.canonicalize().unwrap_or_else(|_| path.into()),
        };
        if lock(&self.locks).iter().any(|(known, _)| *known == key) {
            return Ok(());
        }
        let locked = match folder {
            Some(folder) => {
                let locked = Lock::there(folder, self.tell)?;
                self.refresh(&key)?;
                locked
            }
            None => Lock::here(path, self.tell)?,
        };
        lock(&self.locks).push((key, locked));
        Ok(())
    }

    /// Fetches anew what was brought before it was locked.
    fn refresh(&self, address: &Path) -> Result<(), StoreError> {
        for Sending { mirror, .. } in lock(&self.mirrors).iter() {
            let mut mirror = lock(mirror);
            if mirror.is_whole && Path::new(mirror.folder.url()) == address {
                mirror.fetch()?;
            }
        }
        Ok(())
    }

    fn at(&self, path: &Path, dir: impl Fn(&Path) -> Result<RunDir, DirError>) -> Result<RunDir, HomeError> {
        // It is not known by its name here.
        let told = |error| DirError { path: path.into(), ..error };
        Ok(self.named(dir(&self.bring(path)?).map_err(told)?))
    }

    /// A new directory in `log_dir`, locked; see [`RunDir::create`].
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(&self, log_dir: &Path, name: &RunName<'_>, started: &Stamp) -> Result<RunDir, HomeError> {
        let here = self.settle(log_dir)?;
        let mut tries = 1..=NAMES;
        loop {
            let dir = self.named(RunDir::create(&here, name, started)?);
            match self.lock(Path::new(&dir.name())) {
                // In a store no other process sees the name before it is locked.
                Err(HomeError::Lock(LockError::Held { .. })) if tries.next().is_some() => {}
                locked => return locked.map(|()| dir),
            }
        }
    }

    /// A folder here with all that is at `path`, fetched once; what changes in it is sent back. A path that is no address stands
    /// for itself.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn bring(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let Some(folder) = remote(path)? else { return Ok(path.into()) };
        let brought =
            |mirror: &Mirror| (mirror.is_whole && mirror.folder.url() == folder.url()).then(|| mirror.scratch.clone());
        if let Some(scratch) = lock(&self.mirrors).iter().find_map(|sending| brought(&lock(&sending.mirror))) {
            return Ok(scratch);
        }
        let scratch = scratch(path)?;
        let mut mirror = Mirror { folder, scratch, there: BTreeMap::new(), is_whole: true, has_sent: false };
        mirror.fetch()?;
        Ok(self.keep(mirror))
    }

    /// A folder here whose files are sent to `path`. It has, empty, the folders that are there, so that no name is taken
    /// twice; other files stay where they are. A path that is no address stands for itself.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn settle(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let Some(folder) = remote(path)? else { return Ok(path.into()) };
        let (taken, scratch) = (folder.folders()?, scratch(path)?);
        for name in taken {
            let place = scratch.join(name);
            std::fs::create_dir_all(&place).map_err(|source| here("make", &place, source))?;
        }
        Ok(self.keep(Mirror { folder, scratch, there: BTreeMap::new(), is_whole: false, has_sent: false }))
    }

    /// The same directory with its address, where it lies in the mirror of one.
    pub fn named(&self, dir: RunDir) -> RunDir {
        let address = lock(&self.mirrors).iter().find_map(|Sending { mirror, .. }| {
            let mirror = lock(mirror);
            let below = dir.path().strip_prefix(&mirror.scratch).ok()?.to_string_lossy().replace('\\', "/");
            let parts = [mirror.folder.url(), &below].into_iter().filter(|part| !part.is_empty());
            Some(parts.collect::<Vec<_>>().join("/"))
        });
        match address {
            Some(address) => dir.at_home(address),
            None => dir,
        }
    }

    /// Sends at once what has changed: a run that begins is known where it is at home before it has an answer, so that one
    /// that is killed early can be gone on with.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn send(&self) -> Result<(), StoreError> {
        lock(&self.mirrors).iter().try_for_each(|Sending { mirror, .. }| lock(mirror).send())
    }

    /// Sends what is left to send, and lets go of the folders here. The addresses that something was sent to.
    ///
    /// # Errors
    /// The first failure, once everything was tried; what could not be sent stays here, and the error says where.
    pub fn close(self) -> Result<Vec<String>, CloseError> {
        let (mut written, mut failed) = (Vec::new(), None);
        for Sending { mirror, stop, thread } in self.mirrors.into_inner().unwrap_or_else(|error| error.into_inner()) {
            drop(stop);
            // A thread that panicked has sent less; what is left is sent now.
            let _ = thread.join();
            let mut mirror = lock(&mirror);
            match mirror.send() {
                Ok(()) => {
                    // Left behind, it does no harm.
                    let _ = std::fs::remove_dir_all(mirror.scratch.parent().unwrap_or(&mirror.scratch));
                    written.extend(mirror.has_sent.then(|| mirror.folder.url().to_owned()));
                }
                Err(source) => failed = failed.or(Some(CloseError { scratch: mirror.scratch.clone(), source })),
            }
        }
        // No other process may work on what is not sent yet.
        drop(self.locks);
        failed.map_or(Ok(written), Err)
    }

    /// Begins to send what changes.
    fn keep(&self, mirror: Mirror) -> PathBuf {
        let (scratch, mirror) = (mirror.scratch.clone(), Arc::new(Mutex::new(mirror)));
        let ((stop, stopped), sent) = (channel::<()>(), mirror.clone());
        let thread = std::thread::spawn(move || {
            let mut wait = INTERVAL;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let started = Instant::now();
                // Trouble is met again at the end, and told then; until then it may pass.
                let _ = lock(&sent).send();
                wait = INTERVAL.max(started.elapsed() * REST);
            }
        });
        lock(&self.mirrors).push(Sending { mirror, stop, thread });
        scratch
    }
}

/// A run directory could not be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// In its object store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Here.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// Another process works on it.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// Something could not be sent; it is here still.
#[derive(Debug, thiserror::Error)]
#[error("{source}; everything lies in {} until you have copied it", scratch.display())]
pub struct CloseError {
    /// Where.
    pub scratch: PathBuf,
    /// Why.
    pub source: StoreError,
}

impl Mirror {
    /// Brings everything that is there, in place of what is here.
    fn fetch(&mut self) -> Result<(), StoreError> {
        let is_lock = |name: &String| name.rsplit('/').next() == Some(LOCK);
        let files: Vec<String> = self.folder.files()?.into_iter().filter(|name| !is_lock(name)).collect();
        for gone in self.there.keys().filter(|name| !files.contains(name)) {
            let path = self.scratch.join(gone);
            std::fs::remove_file(&path).map_err(|source| here("remove", &path, source))?;
        }
        self.folder.fetch(&files, &self.scratch)?;
        self.there = changes(&self.scratch)?;
        Ok(())
    }

    /// Sends what has changed, and takes away what is gone here.
    fn send(&mut self) -> Result<(), StoreError> {
        let here = changes(&self.scratch)?;
        let mut changed: Vec<_> = here.iter().filter(|(name, state)| self.there.get(*name) != Some(*state)).collect();
        let is_last = |name: &str| LAST.iter().any(|last| name.rsplit('/').next() == Some(*last));
        changed.sort_by_key(|(name, _)| is_last(name));
        for (name, state) in changed {
            match self.folder.send(name, &self.scratch.join(name), state.0) {
                Ok(()) => {
                    self.there.insert(name.clone(), *state);
                    self.has_sent = true;
                }
                // Taken away since it was listed.
                Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let gone: Vec<String> = self.there.keys().filter(|name| !here.contains_key(*name)).cloned().collect();
        for name in gone {
            self.folder.remove(&name)?;
            self.there.remove(&name);
            self.has_sent = true;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking thread left is a list of what was sent, and true.
    mutex.lock().unwrap_or_else(|error| error.into_inner())
}

fn remote(path: &Path) -> Result<Option<Folder>, StoreError> {
    is_address(path).then(|| Folder::at(&path.to_string_lossy())).transpose()
}

/// A new folder here, with the last name of the address.
fn scratch(address: &Path) -> Result<PathBuf, StoreError> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let unique = format!("harness-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let name = address.file_name().unwrap_or("run".as_ref());
    let path = std::env::temp_dir().join(unique).join(name);
    std::fs::create_dir_all(&path).map_err(|source| here("make", &path, source))?;
    Ok(path)
}

/// The files in a folder and below, with lengths and times of change. Those with a dot in front are half-written.
fn changes(root: &Path) -> Result<BTreeMap<String, (u64, SystemTime)>, StoreError> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            // Taken away in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|source| here("read", &folder, source))?,
        };
        for entry in entries {
            let path = entry.map_err(|source| here("read", &folder, source))?.path();
            let Ok(about) = path.metadata() else { continue };
            let is_half_written = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".tmp"));
            if about.is_dir() {
                folders.push(path);
            } else if !is_half_written {
                let name = path.strip_prefix(root).expect("it was found below").to_string_lossy().replace('\\', "/");
                let changed = about.modified().map_err(|source| here("read", &path, source))?;
                found.insert(name, (about.len(), changed));
            }
        }
    }
    Ok(found)
}

fn here(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::File { action, path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::super::dir::tests::Scratch;
    use super::*;

    #[test]
    fn a_mirror_brings_sends_and_takes_away() {
        let scratch = Scratch::new();
        let store = scratch.path().join("store/run");
        std::fs::create_dir_all(store.join("deep")).expect("can be made");
        for name in ["manifest.yaml", "gone.md", "deep/kept.txt"] {
            std::fs::write(store.join(name), name).expect("can be written");
        }
        let address = format!("file://{}", store.display());
        let homes = Homes::telling(|_| {});
        let here = homes.bring(Path::new(&address)).expect("can be read");
        assert_eq!(std::fs::read_to_string(here.join("deep/kept.txt")).expect("is there"), "deep/kept.txt");
        std::fs::write(here.join("new.jsonl"), vec![b'x'; 9 << 20]).expect("can be written");
        std::fs::write(here.join(".new.md.1.tmp"), "half").expect("can be written");
        std::fs::remove_file(here.join("gone.md")).expect("is there");
        let dir = homes.named(RunDir::open(&here).expect("has a manifest"));
        assert_eq!(dir.shown(&dir.records()), format!("{address}/records.jsonl"));
        assert_eq!(homes.bring(Path::new(&address)).expect("is here"), here, "it is fetched once");
        assert_eq!(homes.close().expect("can be sent"), std::slice::from_ref(&address));
        let there = changes(&store).expect("can be read");
        assert_eq!(there.keys().collect::<Vec<_>>(), ["deep/kept.txt", "manifest.yaml", "new.jsonl"]);
        assert_eq!(there["new.jsonl"].0, 9 << 20, "more than one piece");
        assert!(!here.exists(), "nothing is left behind");
        let homes = Homes::telling(|_| {});
        homes.open(Path::new(&address)).expect("is there");
        assert!(homes.close().expect("nothing to send").is_empty(), "what was only read was not kept");
    }

    /// A runtime cannot wait within another one, and no store may need to.
    #[tokio::test]
    async fn a_store_is_reached_from_within_a_runtime() {
        let scratch = Scratch::new();
        let address = format!("file://{}/store", scratch.path().display());
        let homes = Homes::telling(|_| {});
        let name = RunName { verb: "attack", strategy: None, preset: "stack", model: None, seed: 0 };
        let dir = homes.create(Path::new(&address), &name, &Stamp::now()).expect("can be made");
        std::fs::write(dir.manifest(), "").expect("can be written");
        let told =
            Homes::telling(|_| {}).take(Path::new(&dir.name())).expect_err("is locked, and not there yet").to_string();
        assert!(told.contains(&dir.name()), "{told}");
        // A kill from here on leaves a run that can be gone on with.
        homes.send().expect("can be sent");
        assert!(Path::new(dir.name().trim_start_matches("file://")).join("manifest.yaml").exists());
        homes.close().expect("can be sent");
        Homes::telling(|_| {}).take(Path::new(&dir.name())).expect("is there, and free");
    }

    #[test]
    fn what_cannot_be_sent_stays_and_is_told() {
        let scratch = Scratch::new();
        let homes = Homes::telling(|_| {});
        let address = format!("file://{}/run", scratch.path().display());
        let here = homes.settle(Path::new(&address)).expect("nothing is there");
        scratch.file("run", "no folder");
        std::fs::write(here.join("records.jsonl"), "paid for").expect("can be written");
        let error = homes.close().expect_err("a file is in the way");
        assert!(error.to_string().contains(&*here.to_string_lossy()), "{error}");
        assert_eq!(std::fs::read_to_string(error.scratch.join("records.jsonl")).expect("is there"), "paid for");
        std::fs::remove_dir_all(here.parent().expect("it has one")).expect("is there");
    }
}
