//! Owns the task `result`: which values does the exported function return?
//!
//! Must not know how the program came to be. Results that a reader can copy from the text, or that many programs have,
//! are not asked about.

use super::familiar::Familiar;
use super::{Asked, Run};
use crate::item::record::Truth;

/// The question, if there is a result and it has to be computed.
pub(super) fn ask(familiar: &Familiar, run: &Run) -> Option<Asked> {
    let results = &run.outcome.results;
    let computed = familiar.with(run.program).leaves_out(results);
    computed.then(|| Asked { probes: Vec::new(), truth: Truth::ReturnValues(results.clone()) })
}
