//! Owns the task `stack` (the original's StackInspector): what stands on the operand stack of a frame at one place?
//!
//! Must not know how the program came to be. Which places are worth asking about is decided here: an empty stack, or one
//! that a reader can copy from the text without executing anything, is not.

use super::familiar::{Familiar, Known};
use super::place::{Placement, first_of};
use super::{Asked, ProbeConfig, Watched};
use crate::item::record::{Probe, Truth};
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Place, Program};
use crate::wasm::rerun::Execution;
use crate::wasm::trap::Trap;
use crate::wasm::types::Value;
use crate::weave::canon::Coverage;

/// Runs the program and asks about one of its sites.
pub(super) fn ask(
    config: &ProbeConfig,
    familiar: &Familiar,
    mut execution: Execution<'_>,
    placement: Placement<'_>,
) -> Result<Watched, Trap> {
    let mut sites = Sites::new(execution.program, *config, familiar.with(execution.program));
    let outcome = execution.run(&mut sites)?;
    let candidates = sites.candidates();
    let mut asked = None;
    if !candidates.is_empty() {
        let probe = match placement {
            Placement::Random(rng) => *rng.pick(&candidates),
            Placement::Part(part) => candidates[first_of(part, candidates.len())],
        };
        let snapshot = execution.snapshot(probe)?.expect("it came by before");
        asked = Some(Asked { probes: vec![probe], truth: Truth::StackValues(snapshot.operands) });
    }
    Ok(Watched { outcome, coverage: sites.coverage, asked })
}

/// A place that execution came by.
#[derive(Clone, Copy, Debug)]
struct Visit {
    func: u32,
    place: Place,
    hit: u32,
    step: u32,
}

/// An observer that finds the sites worth asking about and covers the program on the way.
struct Sites<'a> {
    program: &'a Program,
    config: ProbeConfig,
    /// What was executed.
    coverage: Coverage,
    visits: Vec<Visit>,
    hits: std::collections::HashMap<Place, u32>,
    known: Known<'a>,
}

impl<'a> Sites<'a> {
    /// Looks at a program.
    fn new(program: &'a Program, config: ProbeConfig, known: Known<'a>) -> Self {
        Self {
            program,
            config,
            coverage: Coverage::default(),
            visits: Vec::new(),
            hits: std::collections::HashMap::new(),
            known,
        }
    }

    /// The sites, in the order of execution.
    fn candidates(&self) -> Vec<Probe> {
        let first = (f64::from(self.coverage.steps) * self.config.after) as u32;
        let mut flat = vec![None; self.program.funcs.len()];
        let late = self.visits.iter().filter(|visit| visit.step >= first);
        late.map(|visit| {
            let flat = flat[visit.func as usize].get_or_insert_with(|| self.program.flatten(visit.func));
            let pc = flat.iter().position(|entry| entry.place == visit.place).expect("it was executed") as u32;
            Probe { func: visit.func, pc, hit: visit.hit }
        })
        .collect()
    }
}

impl Observer for Sites<'_> {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        self.coverage.note(self.program, place);
        let hit = self.hits.entry(place).or_insert(0);
        *hit += 1;
        let hit = *hit;
        let operands = machine.frame_operands();
        let depth = operands.len() as u32;
        if (self.config.min_depth..=self.config.max_depth).contains(&depth) && hit <= self.config.max_hit {
            let operands: Vec<Value> = operands.collect();
            if self.known.leaves_out(&operands) {
                self.visits.push(Visit { func, place, hit, step: self.coverage.steps });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::parse;

    fn sites(body: &str, config: ProbeConfig) -> Vec<(u32, u32)> {
        let text = format!("(module (func (export \"run\") {body}))");
        let (program, _) = parse::parse_text(&text, &[]).expect("valid");
        let familiar = Familiar::default();
        let mut sites = Sites::new(&program, config, familiar.with(&program));
        Execution { machine: &mut Machine::default(), program: &program, entry: 0, fuel_limit: 1000 }
            .run(&mut sites)
            .expect("does not trap");
        sites.candidates().iter().map(|probe| (probe.pc, probe.hit)).collect()
    }

    #[test]
    fn what_can_be_copied_is_not_asked() {
        let all = ProbeConfig { after: 0.0, ..ProbeConfig::default() };
        assert_eq!(sites("i32.const 2 i32.const 3 drop drop", all), vec![], "both stand in the text");
        assert_eq!(sites("i32.const 0 drop", all), vec![], "zeros");
        assert_eq!(sites("i32.const 2 i32.const 3 i32.add drop", all), vec![(3, 1)], "5 stands nowhere");
    }

    #[test]
    fn settings_bound_depth_hits_and_time() {
        let body = "(local i32) loop i32.const 30 i32.popcnt local.get 0 i32.const 1 i32.add local.tee 0 i32.const 3 i32.lt_u br_if 0 drop end";
        let all = ProbeConfig { after: 0.0, max_hit: 2, ..ProbeConfig::default() };
        assert!(sites(body, all).iter().all(|&(_, hit)| hit <= 2));
        assert!(sites(body, all).contains(&(3, 2)));
        let deep = ProbeConfig { min_depth: 3, ..all };
        assert!(sites(body, deep).iter().all(|&(pc, _)| [5, 8].contains(&pc)), "{:?}", sites(body, deep));
        let late = ProbeConfig { after: 0.5, max_hit: 9, ..all };
        assert!(!sites(body, late).contains(&(3, 1)) && sites(body, late).contains(&(3, 3)));
    }
}
