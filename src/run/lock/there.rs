//! Owns the lock of a directory in an object store: an object that names its holder, put only where none stands, or in place
//! of the very one that was looked at, where the store can promise that.
//!
//! Must not know how long anything takes.

use super::witness::{Life, Witness, life};
use super::{ATTEMPTS, Holder, LockError, Place, Tell, Terms, is_left, took_over};
use crate::run::dir::LOCK;
use crate::run::store::{Folder, Put, Stood, StoreError};
use std::path::PathBuf;

/// The object, and the witness of this process.
pub(super) struct There {
    folder: Folder,
    stood: Option<Stood>,
    _witness: Option<Witness>,
}

/// Takes the lock of a folder.
pub(super) fn take(folder: Folder, terms: Terms, tell: Tell) -> Result<(There, Holder), LockError> {
    let shown = PathBuf::from(folder.url());
    let mut me = Holder::me();
    // Without one, whether this process lives is told by its renewals alone.
    let witness = Witness::new(&me.id);
    me.witness = witness.as_ref().map(|witness| witness.path.clone());
    let mut there = There { folder, stood: None, _witness: witness };
    for _ in 0..ATTEMPTS {
        if let Some(holder) = there.look()? {
            let is_dead = match life(&holder) {
                Life::Alive => false,
                Life::Dead => true,
                Life::Unknown => is_left(&shown, &holder, terms, tell, || there.peek())?,
            };
            if !is_dead {
                return Err(LockError::Held { shown, holder: Some(holder) });
            }
            tell(took_over(&shown, &holder));
        }
        match there.put(&me)? {
            Put::Done => return Ok((there, me)),
            // Another one was faster.
            Put::Refused => {}
            Put::Unchecked => {
                std::thread::sleep(terms.settle);
                if there.peek()?.as_ref() == Some(&me) {
                    return Ok((there, me));
                }
            }
        }
    }
    let holder = there.look()?;
    Err(LockError::Held { shown, holder })
}

impl There {
    /// Who stands there, without taking notice of which version that is.
    fn peek(&self) -> Result<Option<Holder>, LockError> {
        Ok(self.folder.look(LOCK)?.and_then(|stood| Holder::read(&stood.bytes)))
    }

    fn put(&self, holder: &Holder) -> Result<Put, StoreError> {
        self.folder.put(LOCK, holder.line(), self.stood.as_ref())
    }
}

impl Place for There {
    fn look(&mut self) -> Result<Option<Holder>, LockError> {
        self.stood = self.folder.look(LOCK)?;
        Ok(self.stood.as_ref().and_then(|stood| Holder::read(&stood.bytes)))
    }

    fn renew(&mut self, holder: &Holder) -> Result<bool, LockError> {
        Ok(self.put(holder)? != Put::Refused)
    }

    fn clear(&mut self) {
        // What stays is taken over by the next one.
        let _ = self.folder.remove(LOCK);
    }
}
