//! Owns a Python callable as a model, and how a job that asks it is carried out: without the interpreter lock, with Python's
//! own Ctrl-C, and with the exceptions of callables handed on.
//!
//! Must not know which job.

use crate::border::{bug, panicked, refuse};
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wasmweaver::ask::chat::{BoxFuture, ChatError, ChatErrorKind, ChatModel, ChatReply, ChatRequest};
use wasmweaver::ask::stop::{Stop, Stopper};
use wasmweaver::job::error::JobError;
use wasmweaver::job::events::{Event, Events};

/// How often it is looked whether the user pressed Ctrl-C.
const LOOK: Duration = Duration::from_millis(100);

/// The first exception of a callable, or of Ctrl-C: it ends the job in good order, and is raised then.
#[derive(Clone, Default)]
pub(crate) struct Raised {
    first: Arc<Mutex<Option<PyErr>>>,
    stopper: Stopper,
}

impl Raised {
    /// Where the order to stop comes from.
    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    fn raise(&self, error: PyErr, order: Stop) {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.stopper.order(order);
    }

    fn take(&self) -> Option<PyErr> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A callable from messages, as JSON, to a reply, or to `None` where there is none.
pub(crate) struct Called {
    pub(crate) callable: Py<PyAny>,
    pub(crate) raised: Raised,
}

impl ChatModel for Called {
    fn ask<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatReply, ChatError>> {
        Box::pin(async move {
            let callable = Python::attach(|py| self.callable.clone_ref(py));
            let messages = serde_json::to_string(&request.messages).map_err(unsaid)?;
            // A callable may take its time; others are asked meanwhile.
            let asked =
                tokio::task::spawn_blocking(move || Python::attach(|py| callable.call1(py, (messages,))?.extract(py)));
            let said = asked.await.unwrap_or_else(|panic| Err(panicked(panic.into_panic())));
            said.map(|text: Option<String>| ChatReply { content: text, ..ChatReply::text("") }).map_err(|error| {
                let told = unsaid(&error);
                self.raised.raise(error, Stop::Now);
                told
            })
        })
    }
}

fn unsaid(error: impl std::fmt::Display) -> ChatError {
    ChatError::new(ChatErrorKind::Stopped, error.to_string())
}

/// A callable that is told each event as JSON.
pub(crate) struct Told {
    pub(crate) callable: Py<PyAny>,
    pub(crate) raised: Raised,
}

impl Events for Told {
    fn tell(&self, event: Event<'_>) {
        let told = serde_json::to_string(&event).map_err(bug);
        let told = Python::attach(|py| told.and_then(|text| self.callable.call1(py, (text,)).map(drop)));
        if let Err(error) = told {
            self.raised.raise(error, Stop::Finish);
        }
    }
}

/// Carries a job out to its end, or to that of the first exception.
pub(crate) fn carry_out<T: Send>(
    py: Python<'_>,
    raised: &Raised,
    job: impl AsyncFnOnce() -> Result<T, JobError> + Send,
) -> PyResult<T> {
    let done = py.detach(|| catch_unwind(AssertUnwindSafe(|| drive(raised, job)))).map_err(panicked)?;
    match raised.take() {
        Some(error) => Err(error),
        None => done.map_err(bug)?.map_err(refuse),
    }
}

fn drive<T>(raised: &Raised, job: impl AsyncFnOnce() -> Result<T, JobError>) -> std::io::Result<Result<T, JobError>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let mut job = std::pin::pin!(job());
        loop {
            tokio::select! {
                done = &mut job => return done,
                () = tokio::time::sleep(LOOK) => {
                    if let Err(error) = Python::attach(|py| py.check_signals()) {
                        raised.raise(error, Stop::Finish);
                    }
                }
            }
        }
    });
    // A callable that hangs blocks nothing.
    runtime.shutdown_background();
    Ok(done)
}
