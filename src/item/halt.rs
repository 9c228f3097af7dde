//! Owns the order to stop making items: weaving checks for it between two programs.
//!
//! Must not know where it comes from: a signal, a limit of time, or a reader that needs no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A wish that is shared; made without one, it can be wished at any time.
#[derive(Clone, Debug, Default)]
pub struct Halt(Arc<AtomicBool>);

impl Halt {
    /// Wishes it.
    pub fn wish(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is wished.
    pub fn is_wished(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl From<Arc<AtomicBool>> for Halt {
    /// The wish is there once this flag is set.
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}
