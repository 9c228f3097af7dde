//! Owns locks: one process at a time works on a run directory, and a second one learns which.
//!
//! Must not know what is in the directory. There are two means, since each alone fails somewhere. The operating system's
//! lock on a file (`flock` on Unix) ends with its process, whatever ended it, so that a killed run goes on at once; it
//! reaches all processes of one machine, those of other machines only over file systems that carry it there (NFS 4, or NFS 3
//! with its lock daemon), and no object store at all. So the file, or the object, also names its holder, who renews it
//! every few seconds. A process that finds a holder on another machine waits until nothing was renewed for a minute. No clock is
//! compared with another one: all that counts is whether the text changes. A machine is told by its boot, not by its name
//! and process numbers, which two containers may share.

mod here;
mod there;
mod witness;

use super::clock::Stamp;
use super::store::{Folder, StoreError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long things take.
#[derive(Clone, Copy, Debug)]
struct Terms {
    /// Between two renewals.
    beat: Duration,
    /// Without a renewal for so long, the holder is taken for dead.
    lease: Duration,
    /// Between two looks at whether there was one.
    look: Duration,
    /// The wait before an unchecked lock counts: the last writer has it.
    settle: Duration,
}

const TERMS: Terms = Terms {
    beat: Duration::from_secs(10),
    lease: Duration::from_secs(60),
    look: Duration::from_secs(1),
    settle: Duration::from_secs(2),
};

/// How often a lock is tried that slips away between a look and the next.
const ATTEMPTS: usize = 20;
/// Between two of these.
const PAUSE: Duration = Duration::from_millis(200);

/// Who works on a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The name of its machine.
    host: String,
    /// The process.
    pid: u32,
    /// Since when.
    since: Stamp,
    /// Which start of which machine: processes with the same one see each other's locks on files.
    boot: String,
    /// Tells this lock from every other one.
    id: String,
    /// A file on the holder's machine that it keeps locked as long as it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    witness: Option<PathBuf>,
    /// Raised with each renewal.
    beat: u64,
}

impl Holder {
    fn me() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (pid, nth) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let (host, boot) = (host().to_owned(), boot().to_owned());
        Self { host, pid, since: Stamp::now(), boot, id: format!("{pid}-{nanos}-{nth}"), witness: None, beat: 0 }
    }

    /// One line of JSON.
    fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("plain data");
        line.push(b'\n');
        line
    }

    /// Reads the first line; `None` if it is none, as it may be for a moment while one begins.
    fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes.split(|&byte| byte == b'\n').next()?).ok()
    }

    fn is_here(&self) -> bool {
        self.boot == boot()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, host, since, .. } = self;
        write!(f, "process {pid} on {host}, since {since}")
    }
}

/// A directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process works on it.
    #[error(
        "{} is being worked on by {}; wait until that has ended, or end it, and then give the same command again", shown.display(),
        holder.as_ref().map_or("another process".to_owned(), |holder| holder.to_string())
    )]
    Held {
        /// The directory.
        shown: PathBuf,
        /// Who, where that can be read.
        holder: Option<Box<Holder>>,
    },
    /// Its file cannot be written.
    #[error("cannot lock {}: {source}; check its rights and the room on the disk", path.display())]
    File {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its object store does not do what it should.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to be told of a lock.
#[derive(Clone, Debug)]
pub enum Told {
    /// Whether the holder lives is not known yet.
    Waiting(String),
    /// A lock was taken over.
    TookOver(String),
    /// Another process has taken this one for dead, and works on the directory: it must not go on.
    Lost(String),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Waiting(text) | Self::TookOver(text) | Self::Lost(text)) = self;
        f.write_str(text)
    }
}

/// Where that is told.
pub(crate) type Tell = fn(Told);

/// The place of a lock, once it is taken.
trait Place: Send {
    /// Who holds it now.
    fn look(&mut self) -> Result<Option<Holder>, LockError>;
    /// Writes a holder in place of the one that was looked at last; false if there is another one.
    fn renew(&mut self, holder: &Holder) -> Result<bool, LockError>;
    /// Takes it away.
    fn clear(&mut self);
}

/// A lock that is held, and renewed until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lock {
    /// Locks a directory here.
    ///
    /// # Errors
    /// [`LockError::Held`] if another process works on it.
    pub(crate) fn here(dir: &Path, tell: Tell) -> Result<Self, LockError> {
        let (place, me) = here::take(dir, TERMS, tell)?;
        Ok(Self::hold(Box::new(place), me, dir.into(), TERMS, tell))
    }

    /// Locks one in an object store.
    ///
    /// # Errors
    /// [`LockError::Held`] if another process works on it.
    pub(crate) fn there(folder: Folder, tell: Tell) -> Result<Self, LockError> {
        let shown = PathBuf::from(folder.url());
        let (place, me) = there::take(folder, TERMS, tell)?;
        Ok(Self::hold(Box::new(place), me, shown, TERMS, tell))
    }

    fn hold(mut place: Box<dyn Place>, mut me: Holder, shown: PathBuf, terms: Terms, tell: Tell) -> Self {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(terms.beat) == Err(RecvTimeoutError::Timeout) {
                // What cannot be read or written now may be later; until then the lease runs.
                let Ok(Some(found)) = place.look() else { continue };
                let is_mine = found.id == me.id;
                me.beat += u64::from(is_mine);
                if !is_mine || matches!(place.renew(&me), Ok(false)) {
                    let shown = shown.display();
                    tell(Told::Lost(format!("{shown} was taken over by {found}, which took this process for dead")));
                    return;
                }
            }
            if matches!(place.look(), Ok(Some(found)) if found.id == me.id) {
                place.clear();
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.stop.take());
        // One that panicked leaves its lock to be taken over.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Waits until it is known whether a holder on another machine lives: true if nothing was renewed for the lease.
fn is_left(
    shown: &Path,
    holder: &Holder,
    terms: Terms,
    tell: Tell,
    mut look: impl FnMut() -> Result<Option<Holder>, LockError>,
) -> Result<bool, LockError> {
    let seconds = terms.lease.as_secs();
    let shown = shown.display();
    tell(Told::Waiting(format!("{shown} was locked by {holder}; waiting up to {seconds} s for a sign of life")));
    let until = Instant::now() + terms.lease;
    while Instant::now() < until {
        std::thread::sleep(terms.look);
        match look()? {
            Some(found) if found != *holder => return Ok(false),
            Some(_) => {}
            None => return Ok(true),
        }
    }
    Ok(true)
}

fn took_over(shown: &Path, holder: &Holder) -> Told {
    Told::TookOver(format!("{} was left locked by {holder}, which has ended; taking over", shown.display()))
}

/// What this machine is called.
fn host() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let asked = || {
            let said = std::process::Command::new("hostname").output().ok()?;
            String::from_utf8(said.stdout).ok()
        };
        let of_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let names = of_kernel.into_iter().chain(std::iter::from_fn(asked).take(1)).map(|name| name.trim().to_owned());
        names.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "an unnamed machine".into())
    })
}

/// Which start of this machine this is; where the kernel does not say, its name.
fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let of_kernel = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        of_kernel.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).unwrap_or_else(|| host().to_owned())
    })
}

#[cfg(test)]
mod tests;
