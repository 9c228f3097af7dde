//! Owns witnesses: a file of its own that a process keeps locked as long as it lives, for places that know no locks.
//!
//! Must not know what the process works on. It lies in the folder for temporary files, which is a file system of the machine
//! itself; processes of another machine, or of another container with other files, learn nothing from it.

use super::Holder;
use std::fs::{File, TryLockError};
use std::path::PathBuf;

/// Whether a holder lives.
pub(super) enum Life {
    Alive,
    Dead,
    Unknown,
}

/// What the holder's witness says, where it can be looked at.
pub(super) fn life(holder: &Holder) -> Life {
    let Some(witness) = holder.witness.as_ref().filter(|_| holder.is_here()) else { return Life::Unknown };
    // Another container of the same machine has other files.
    let Ok(file) = File::open(witness) else { return Life::Unknown };
    match file.try_lock() {
        Ok(()) => {
            // Its owner cannot clean up any more.
            let _ = std::fs::remove_file(witness);
            Life::Dead
        }
        Err(TryLockError::WouldBlock) => Life::Alive,
        Err(TryLockError::Error(_)) => Life::Unknown,
    }
}

/// A file that is locked as long as this process lives.
pub(super) struct Witness {
    pub(super) path: PathBuf,
    _file: File,
}

impl Witness {
    pub(super) fn new(id: &str) -> Option<Self> {
        let path = std::env::temp_dir().join(format!("harness-lock-{id}"));
        let file = File::create_new(&path).ok()?;
        file.try_lock().ok()?;
        Some(Self { path, _file: file })
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
