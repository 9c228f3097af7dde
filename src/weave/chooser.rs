//! Owns the trait of what chooses whole programs: preferences, or a policy that learned.
//!
//! Must not know which of them it is. What makes items, data sets and suites weaves by this alone.

use super::prior::Taste;
use super::weaver::Weaver;
use crate::seed::Rng;
use std::fmt::Debug;

/// Weaves programs; the same weaver and stream give the same program, on any thread.
pub trait Chooser: Debug + Send + Sync {
    /// Weaves one to its end.
    fn weave(&self, weaver: &mut Weaver, rng: &mut Rng);
}

impl Chooser for Taste {
    fn weave(&self, weaver: &mut Weaver, rng: &mut Rng) {
        Taste::weave(self, weaver, rng);
    }
}
