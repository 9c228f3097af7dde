//! Owns what an execution showed: every step with its operands, and the whole state at one of them.
//!
//! Must not know what is made of it.

use super::subject::Subject;
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Place, SeqId};
use crate::wasm::rerun::Execution;
use crate::wasm::types::{Bits, Value};

/// Steps that are remembered; programs that are asked about have fewer.
const MOST_STEPS: usize = 20_000;

/// One step: what is about to be executed.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) func: u32,
    pub(super) place: Place,
    /// Tells activations of one function apart.
    pub(super) activation: u32,
    /// Operands of the frame, bottom first.
    pub(super) operands: Vec<Value>,
}

/// An execution.
#[derive(Debug, Default)]
pub(super) struct Recording {
    pub(super) steps: Vec<Step>,
}

impl Observer for Recording {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        if self.steps.len() < MOST_STEPS {
            let operands = machine.frame_operands().collect();
            self.steps.push(Step { func, place, activation: machine.activation(), operands });
        }
    }
}

/// What a program has at one step.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Of the function that runs, parameters first.
    pub(super) locals: Vec<Value>,
    pub(super) globals: Vec<Bits>,
    pub(super) tables: Vec<Vec<Bits>>,
    pub(super) pages: u32,
    /// Bytes of memory that are not zero, in runs with little between them: where each begins, and what it holds.
    pub(super) memory: Vec<(u32, Vec<u8>)>,
}

/// Waits for one step.
struct Waiting<'a> {
    subject: &'a Subject,
    left: usize,
    state: Option<State>,
}

impl Observer for Waiting<'_> {
    fn before(&mut self, machine: &Machine, func: u32, _: Place) {
        if self.left == 0 && self.state.is_none() {
            let program = &self.subject.program;
            let locals = program.func_type(func).params.len() + program.funcs[func as usize].locals.len();
            self.state = Some(State {
                locals: (0..locals as u32).map(|index| machine.local(index)).collect(),
                globals: machine.globals().to_vec(),
                tables: machine.tables().map(<[Bits]>::to_vec).collect(),
                pages: machine.memory_pages(),
                memory: runs(machine.memory()),
            });
        }
        self.left = self.left.saturating_sub(1);
    }
}

/// Stretches of bytes that are not zero; zeros between two that are near belong to them.
fn runs(memory: &[u8]) -> Vec<(u32, Vec<u8>)> {
    const NEAR: usize = 8;
    let mut runs: Vec<(u32, Vec<u8>)> = Vec::new();
    for (at, &byte) in memory.iter().enumerate().filter(|(_, byte)| **byte != 0) {
        match runs.last_mut() {
            Some((start, bytes)) if at < *start as usize + bytes.len() + NEAR => {
                bytes.resize(at - *start as usize, 0);
                bytes.push(byte);
            }
            _ => runs.push((at as u32, vec![byte])),
        }
    }
    runs
}

impl Recording {
    /// The execution of a program that has a label.
    pub(super) fn of(subject: &Subject, machine: &mut Machine, fuel_limit: u64) -> Self {
        let mut trace = Self::default();
        // Whether it comes to its end was seen when it was labelled.
        let _ = Execution { machine, program: &subject.program, entry: subject.entry, fuel_limit }.run(&mut trace);
        trace
    }

    /// The state at a step.
    pub(super) fn state(subject: &Subject, machine: &mut Machine, fuel_limit: u64, step: usize) -> Option<State> {
        let mut waiting = Waiting { subject, left: step, state: None };
        let _ = Execution { machine, program: &subject.program, entry: subject.entry, fuel_limit }.run(&mut waiting);
        waiting.state
    }

    /// The step at which a place is reached for the `hit`-th time.
    pub(super) fn arrival(&self, func: u32, place: Place, hit: u32) -> Option<usize> {
        let here = self.steps.iter().enumerate().filter(|(_, step)| step.func == func && step.place == place);
        here.map(|(at, _)| at).nth(hit as usize - 1)
    }

    /// How often the place of a step was reached by then.
    pub(super) fn hit(&self, at: usize) -> u32 {
        let Step { func, place, .. } = self.steps[at];
        self.steps[..=at].iter().filter(|step| step.func == func && step.place == place).count() as u32
    }

    /// The last step up to `until` at which an activation was at a place.
    pub(super) fn last(&self, activation: u32, seq: SeqId, index: u32, until: usize) -> Option<usize> {
        let place = Place { seq, index };
        (0..=until).rev().find(|&at| self.steps[at].activation == activation && self.steps[at].place == place)
    }

    /// The operands when a place was first reached, and when another one was next, in the same activation.
    pub(super) fn between(&self, seq: SeqId, from: u32, to: u32) -> Option<(&[Value], &[Value])> {
        let start = self.steps.iter().position(|step| step.place == Place { seq, index: from })?;
        let activation = self.steps[start].activation;
        let end = self.steps[start..]
            .iter()
            .find(|step| step.activation == activation && step.place == Place { seq, index: to })?;
        Some((&self.steps[start].operands, &end.operands))
    }
}
