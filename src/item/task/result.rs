//! Owns the task `result`: which values does the exported function return?
//!
//! Must not know how the program came to be. Results that a reader can copy from the text, or that every other program
//! has, are not asked about.

use super::{Asked, Guess, Run, text};
use crate::item::record::Truth;
use crate::wasm::program::{Flat, Program};
use crate::wasm::types::{ValType, Value};

/// The question, if there is a result and it has to be computed.
pub(super) fn ask(run: &Run) -> Option<Asked> {
    let results = &run.outcome.results;
    let constants: Vec<Value> =
        text::functions(run.program).flat_map(|code| text::constants(run.program, &code)).collect();
    let copied = |value: &Value| text::is_common(*value) || constants.iter().any(|constant| constant.same(*value));
    let computed = !results.iter().all(copied);
    computed.then(|| Asked { probes: Vec::new(), truth: Truth::ReturnValues(results.clone()) })
}

/// Zeros, and the last constants: of the function that is run, and of the whole text.
pub(super) fn guesses(program: &Program, entry: u32, types: &[ValType]) -> Vec<Guess> {
    let own = text::constants(program, &program.flatten(entry));
    let all: Vec<Value> =
        text::functions(program).flat_map(|code: Vec<Flat>| text::constants(program, &code)).collect();
    let guesses = [
        ("zero", Some(text::zeros(types))),
        ("last-const", Some(text::last_of_type(&own, types))),
        ("last-const", Some(text::last_of_type(&all, types))),
        ("last-const", Some(text::last_upwards(&all, types))),
        ("last-const", text::last_in_order(&own, types.len())),
    ];
    let guess = |(name, values): (_, Option<_>)| Some(Guess { name, answer: Truth::ReturnValues(values?) });
    guesses.into_iter().filter_map(guess).collect()
}
