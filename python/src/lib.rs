//! The border to Python: the weaver as a fleet of environments that steps without the interpreter lock, and items,
//! inspections, verdicts, attacks, evaluations and reports as functions.
//!
//! Must not know what the library does inside, nor gymnasium: spaces, wrappers and names that a user reads are Python's
//! (`wasmweaver/`). What is no number goes over the border as JSON, in the words of the library's own records.

mod border;
mod called;
mod finished;
mod fleet;
mod functions;
mod jobs;
mod kit;
mod slot;

use pyo3::prelude::*;

/// The compiled half of the package `wasmweaver`; everything in it is reached through the package.
#[pymodule]
fn _wasmweaver(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("WeaveError", module.py().get_type::<border::WeaveError>())?;
    module.add("GENERATOR", wasmweaver::weave::recipe::GENERATOR)?;
    module.add_class::<fleet::Fleet>()?;
    module.add_class::<finished::Finished>()?;
    module.add_class::<functions::Items>()?;
    module.add_function(wrap_pyfunction!(jobs::attack, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::report, module)?)?;
    module.add_function(wrap_pyfunction!(functions::generate, module)?)?;
    module.add_function(wrap_pyfunction!(functions::inspect, module)?)?;
    module.add_function(wrap_pyfunction!(functions::judge, module)?)?;
    module.add_function(wrap_pyfunction!(functions::instructions, module)?)?;
    module.add_function(wrap_pyfunction!(functions::observation_layout, module)?)
}
