//! Owns what wasmtime may take, and what it could not do: such a run says nothing about the program.
//!
//! Must not know programs.

use super::Disagreement;
use crate::wasm::machine::MAX_ELEMENTS;
use crate::wasm::parse::FEATURES;
use crate::wasm::print::printable;
use wasmparser::{Validator, WasmFeatures};
use wasmtime::ResourceLimiter;

/// What is kept while copies run.
#[derive(Default)]
pub(super) struct Limits {
    /// Elements of all tables.
    elements: usize,
    /// Whether what was asked for last is allowed by the module's own bounds.
    allowed: bool,
    /// Why wasmtime could not give what is allowed.
    failed: Option<String>,
    /// Whether a copy called a forbidden function.
    pub(super) astray: bool,
}

impl Limits {
    /// What is to be said instead of anything that was compared.
    pub(super) fn failure(&self) -> Option<Disagreement> {
        self.failed.clone().map(Disagreement::Limit)
    }

    fn fail(&mut self, error: &wasmtime::Error) {
        if self.allowed {
            self.failed = Some(printable(&format!("{error:#}")));
        }
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        const REACHED: usize = 1 << 32;
        self.allowed = desired <= maximum.unwrap_or(REACHED).min(REACHED);
        Ok(self.allowed)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.fail(&error);
        Ok(())
    }

    /// Tables grow as far as the machine's: beyond that the outcome would depend on the host.
    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let all = self.elements - current + desired;
        self.allowed = all <= MAX_ELEMENTS as usize && maximum.is_none_or(|maximum| desired <= maximum);
        if self.allowed {
            self.elements = all;
        }
        Ok(self.allowed)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.fail(&error);
        Ok(())
    }
}

/// What the validator says where there is too much of something, in some of these words.
const LIMITS: [&str; 4] = ["limit", "maximum", "exceed", "too large"];

/// Why wasmtime does not take a module: it is none, or there is too much of something in it.
pub(super) fn rejected(bytes: &[u8], error: &wasmtime::Error) -> Disagreement {
    let features = FEATURES | WasmFeatures::MULTI_MEMORY;
    match Validator::new_with_features(features).validate_all(bytes) {
        Ok(_) => Disagreement::Limit(printable(&format!("{error:#}"))),
        Err(ours) if LIMITS.iter().any(|word| ours.message().contains(word)) => {
            Disagreement::Limit(printable(ours.message()))
        }
        Err(_) => Disagreement::Invalid(printable(&format!("{error:#}"))),
    }
}
