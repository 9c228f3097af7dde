//! Owns minimal pairs: a missed program and its twin that differs in the suspected instruction alone, asked again.
//!
//! Must not know how suspicion came about, nor how the answers are kept. A suspected instruction may go with misses by
//! coincidence; a model that is right as soon as it is swapped shows more. Beside each twin stands a control: the same
//! program with another instruction of the answer's computation changed, in the same manner where that can be. What the
//! twins cure and the controls do not is the suspect's part.

use crate::ask::exchange::{Exchange, ExchangeError, Finish, ToAsk};
use crate::cause::twin::Twin;
use crate::item::make::{Draft, confirm_all};
use crate::item::record::{Answer, SinkError};
use crate::wasm::oracle::{Disagreement, Oracle};
use futures::stream;

/// Why twins could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PairsError {
    /// The machine and wasmtime differ: a bug of ours.
    #[error("our machine and wasmtime disagree about the twin {}: {disagreement}", draft.item.id)]
    Disagreement {
        /// The twin.
        draft: Box<Draft>,
        /// What they disagree about.
        disagreement: Disagreement,
    },
    /// The model could not be asked on.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// An answer could not be kept.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Holds the twins against wasmtime, asks each once, and hands on its answer.
///
/// # Errors
/// See [`PairsError`]; what was handed on before stays.
pub(crate) async fn ask(
    twins: &[Twin],
    exchange: &mut Exchange,
    mut on_answer: impl FnMut(usize, Answer) -> Result<(), SinkError>,
) -> Result<Finish, PairsError> {
    let drafts: Vec<&Draft> = twins.iter().map(|twin| &twin.draft).collect();
    confirm_all(&drafts, &Oracle::new()).map_err(|(at, disagreement)| {
        let draft = Box::new(drafts[at].clone());
        PairsError::Disagreement { draft, disagreement }
    })?;
    let asked = drafts.iter().enumerate().map(|(about, draft)| Ok(ToAsk { item: draft.item.clone(), epoch: 0, about }));
    exchange.ask(stream::iter(asked), |at, answer, _| Ok(on_answer(at, answer)?)).await
}
