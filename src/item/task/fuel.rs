//! Owns the task `fuel`: how much fuel does the whole run use? It is performance estimation with an exact answer.
//!
//! Must not know how fuel is counted (the machine does). A program that decides nothing and calls nothing is not asked
//! about, nor one whose fuel comes out by counting lines, nor one that used all that it was allowed, as so many do.

use super::{Asked, Run, text};
use crate::item::record::Truth;
use crate::wasm::isa::Op;
use crate::wasm::machine::is_free;
use crate::wasm::program::{Flat, Program};

/// The question, unless counting lines answers it.
pub(super) fn ask(run: &Run) -> Option<Asked> {
    let fuel = run.outcome.fuel;
    let spent = fuel == run.fuel_limit;
    let asked = decides(run) && !counts(run.program, run.entry).contains(&fuel) && !spent;
    asked.then(|| Asked { probes: Vec::new(), truth: Truth::Fuel(fuel) })
}

/// Whether the run came to an instruction that may go one way or another, or into a function.
fn decides(run: &Run) -> bool {
    use Op::{BrIf, BrTable, Call, CallIndirect, If, ReturnCall, ReturnCallIndirect};
    let decides = |op| matches!(op, If | BrIf | BrTable | Call | CallIndirect | ReturnCall | ReturnCallIndirect);
    text::functions(run.program).flatten().any(|entry| decides(entry.instr.op) && run.coverage.contains(entry.place))
}

/// Counts of lines: all of them, or those that cost; of the whole text, or of the function that is run.
fn counts(program: &Program, entry: u32) -> [u64; 4] {
    let functions: Vec<Vec<Flat>> = text::functions(program).collect();
    let lines = |code: &[Flat]| code.iter().filter(|e| !matches!(e.instr.op, Op::End | Op::Else)).count();
    let costing = |code: &[Flat]| code.iter().filter(|entry| !is_free(entry.instr.op)).count();
    let sum = |count: &dyn Fn(&[Flat]) -> usize| functions.iter().map(|code| count(code)).sum::<usize>();
    let own = &functions[entry as usize];
    [sum(&lines), sum(&costing) + functions.len(), lines(own), costing(own) + 1].map(|count| count as u64)
}
