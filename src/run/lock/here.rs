//! Owns the lock of a directory on a file system: a file in it, locked by the operating system where that can be done, with
//! its holder as text.
//!
//! Must not know how long anything takes. The text is written through the handle that was locked, in one write, so that
//! the lock and the text cannot come apart; readers open the file anew each time, since network file systems promise fresh
//! bytes to those alone.

use super::witness::{Life, Witness, life};
use super::{ATTEMPTS, Holder, LockError, PAUSE, Place, Tell, Terms, is_left, took_over};
use crate::run::dir::LOCK;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The file, locked as long as it is open; where that cannot be, with a witness.
pub(super) struct Here {
    path: PathBuf,
    file: File,
    _witness: Option<Witness>,
}

/// Takes the lock of a directory.
pub(super) fn take(dir: &Path, terms: Terms, tell: Tell) -> Result<(Here, Holder), LockError> {
    let failed = |source| LockError::File { path: dir.into(), source };
    let (path, mut me, mut witness) = (dir.join(LOCK), Holder::me(), None);
    for _ in 0..ATTEMPTS {
        let file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
        let is_locked = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                // A process that has just locked it has not yet written its name in place of the last one's.
                std::thread::sleep(PAUSE);
                match read(&path).map_err(failed)? {
                    Some(holder) => return Err(LockError::Held { shown: dir.into(), holder: Some(holder.into()) }),
                    // It begins or ends just now.
                    None => continue,
                }
            }
            // The file system has no such locks.
            Err(TryLockError::Error(_)) => {
                witness = witness.or_else(|| Witness::new(&me.id));
                me.witness = witness.as_ref().map(|witness| witness.path.clone());
                false
            }
        };
        let earlier = read(&path).map_err(failed)?;
        // Of a holder on this machine the lock itself tells that it is dead.
        let is_sure = is_locked && earlier.as_ref().is_none_or(Holder::is_here);
        if let Some(holder) = &earlier {
            let is_dead = is_sure
                || match life(holder) {
                    Life::Alive => false,
                    Life::Dead => true,
                    Life::Unknown => is_left(dir, holder, terms, tell, || read(&path).map_err(failed))?,
                };
            if !is_dead {
                return Err(LockError::Held { shown: dir.into(), holder: earlier.map(Box::new) });
            }
            tell(took_over(dir, holder));
        }
        let mut here = Here { path: path.clone(), file, _witness: None };
        here.write(&me).map_err(failed)?;
        if !is_sure {
            std::thread::sleep(terms.settle);
        }
        // If it is not mine, the file was taken away between opening and locking it, or another one was faster.
        if read(&path).map_err(failed)?.as_ref() == Some(&me) {
            return Ok((Here { _witness: witness, ..here }, me));
        }
    }
    Err(LockError::Held { shown: dir.into(), holder: read(&path).map_err(failed)?.map(Box::new) })
}

/// The holder that the file names, if there is one.
fn read(path: &Path) -> io::Result<Option<Holder>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Holder::read(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Here {
    /// In one write; what is left of a longer line before stands behind a newline, where it is not read.
    fn write(&mut self, holder: &Holder) -> io::Result<()> {
        let line = holder.line();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&line)?;
        self.file.set_len(line.len() as u64)?;
        self.file.sync_data()
    }

    fn failed(&self, source: io::Error) -> LockError {
        LockError::File { path: self.path.clone(), source }
    }
}

impl Place for Here {
    fn look(&mut self) -> Result<Option<Holder>, LockError> {
        read(&self.path).map_err(|source| self.failed(source))
    }

    fn renew(&mut self, holder: &Holder) -> Result<bool, LockError> {
        self.write(holder).map(|()| true).map_err(|source| self.failed(source))
    }

    fn clear(&mut self) {
        // It may have gone with its directory.
        let _ = std::fs::remove_file(&self.path);
    }
}
