//! Owns the run behind a dump: for every place how often it was executed, what it cost, and the operands around it.
//!
//! Must not know bytes. An instruction is done when its activation goes on: a call when the callee has returned. Of a
//! deep stack only the top is noted ([`DEEP`]), so that a run takes room for its instructions, not for its operands too.

use super::{DEEP, Run, TOP};
use crate::wasm::inspect::{Call, NoRoom, Stopped};
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Place, Program};
use crate::wasm::rerun::Outcome;
use crate::wasm::types::Value;
use std::collections::HashMap;

/// The operands of a frame, of very many the top ones.
#[derive(Default)]
pub(super) struct Operands {
    /// How many lie below those that are noted.
    pub(super) below: u32,
    /// Bottom first.
    pub(super) top: Vec<Value>,
}

impl Operands {
    fn of(machine: &Machine) -> Self {
        let all = machine.frame_operands().len() as u32;
        let noted = if all > DEEP { TOP } else { all };
        Self { below: all - noted, top: (0..noted).rev().map(|down| machine.operand(down)).collect() }
    }
}

/// A place that execution came by.
#[derive(Default)]
pub(super) struct Visited {
    pub(super) hits: u64,
    /// Fuel that was used there in all.
    pub(super) fuel: u64,
    /// The operands of the frame before the execution that is shown, and after it, when the frame went on.
    pub(super) before: Option<Operands>,
    pub(super) after: Option<Operands>,
}

/// A run and what it came by.
pub(super) struct Trace {
    pub(super) places: HashMap<(u32, Place), Visited>,
    pub(super) ended: Result<Outcome, Stopped>,
    /// Fuel used, to the end or to the trap.
    pub(super) fuel: u64,
}

/// An activation that is not over, and the place in it that is to be shown and not done.
struct Active {
    serial: u32,
    waiting: Option<(u32, Place)>,
}

struct Tracer {
    places: HashMap<(u32, Place), Visited>,
    hit: u64,
    active: Vec<Active>,
    last: Option<(u32, Place)>,
    /// Fuel before the last instruction.
    fuel: u64,
}

impl Trace {
    pub(super) fn run(program: &Program, run: &Run) -> Result<Self, NoRoom> {
        let places = HashMap::new();
        let mut tracer = Tracer { places, hit: run.hit.into(), active: Vec::new(), last: None, fuel: 0 };
        let mut machine = Machine::default();
        let call = Call { program, entry: run.entry, args: &run.args, fuel_limit: run.fuel_limit };
        let ended = call.run(&mut machine, &mut tracer)?;
        tracer.paid(machine.fuel());
        Ok(Self { places: tracer.places, ended, fuel: machine.fuel() })
    }
}

impl Tracer {
    /// The last instruction took what was used since. A run that begins anew, after a start function, counts from zero.
    fn paid(&mut self, fuel: u64) {
        let used = fuel.saturating_sub(self.fuel);
        self.fuel = fuel;
        if let Some(last) = self.last.take() {
            self.places.entry(last).or_default().fuel += used;
        }
    }
}

impl Observer for Tracer {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        self.paid(machine.fuel());
        let serial = machine.activation();
        // Activations that began later are over, or this one has just begun.
        let at = self.active.partition_point(|active| active.serial < serial);
        self.active.truncate(at + 1);
        if self.active.get(at).is_none_or(|active| active.serial != serial) {
            self.active.truncate(at);
            self.active.push(Active { serial, waiting: None });
        }
        if let Some(done) = self.active[at].waiting.take() {
            self.places.entry(done).or_default().after = Some(Operands::of(machine));
        }
        let visited = self.places.entry((func, place)).or_default();
        visited.hits += 1;
        if visited.hits == self.hit {
            visited.before = Some(Operands::of(machine));
            self.active[at].waiting = Some((func, place));
        }
        self.last = Some((func, place));
    }
}
