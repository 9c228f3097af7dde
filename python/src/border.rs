//! Owns how work and trouble go over the border: without the interpreter lock, and as Python's exceptions.
//!
//! Must not know which work. No panic of the library unwinds into the interpreter.

use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

create_exception!(
    _wasmweaver,
    WeaveError,
    PyValueError,
    "What was asked for makes no sense; says what to do about it."
);

/// A mistake of the caller, in the library's words.
pub(crate) fn refuse(error: impl Display) -> PyErr {
    WeaveError::new_err(error.to_string())
}

/// A bug of ours.
pub(crate) fn bug(what: impl Display) -> PyErr {
    PyRuntimeError::new_err(format!("{what}; this is a bug of wasmweaver, please report it"))
}

/// Works without the interpreter lock.
///
/// # Errors
/// `RuntimeError` if the work panics.
pub(crate) fn apart<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).map_err(panicked)
}

/// What a thread that panicked said.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> PyErr {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    bug(text.unwrap_or("a panic without a word"))
}

/// Anything of the library as JSON text.
pub(crate) fn json(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(bug)
}
