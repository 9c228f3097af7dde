//! Owns why an attack ended early.
//!
//! Must not know what is done about it.

use crate::ask::exchange::ExchangeError;
use crate::item::make::Draft;
use crate::item::record::{Purpose, SinkError};
use crate::learn;
use crate::wasm::oracle::Disagreement;

/// Why an attack ended early.
#[derive(Debug, thiserror::Error)]
pub enum AttackError {
    /// The machine and wasmtime disagree: a bug of ours, and no score.
    #[error("our machine and wasmtime disagree about program {}: {disagreement}", draft.item.id)]
    Disagreement {
        /// The item.
        draft: Box<Draft>,
        /// What about.
        disagreement: Disagreement,
    },
    /// A question that was asked before is another one now.
    #[error(
        "question {index} of round {round} ({purpose}) is not the one that was asked there: this is not the program, or not \
         the kind of machine, that the run began with; begin a new run"
    )]
    Differs {
        /// Why it was asked.
        purpose: Purpose,
        /// Its round.
        round: u32,
        /// Its place there.
        index: u32,
    },
    /// A record could not be kept.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The model could not be asked on.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The tensor library failed.
    #[error("the learner failed: {0}")]
    Learner(#[from] learn::Error),
}
