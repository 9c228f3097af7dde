//! Owns turning woven programs into items, and holding whole batches of programs against everything that must be true.
//!
//! Must not know models. A woven program is run once more, watched, to find the sites worth asking about; the seed picks
//! one; the operands there are the truth, and wasmtime confirms it.

use super::record::{Item, Probe, Recipe, Task, Truth};
use super::task::{self, ProbeConfig, stack::Sites};
use crate::seed::Rng;
use crate::wasm::machine::Machine;
use crate::wasm::oracle::{Disagreement, Oracle, Watch};
use crate::wasm::program::Program;
use crate::wasm::rerun::{self, Outcome, Snapshot};
use crate::weave::canon::canonical;
use crate::weave::recipe::GENERATOR;
use crate::weave::weaver::Weaver;

/// The function that is run.
const ENTRY: u32 = 0;

/// A question that still has its program.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The question.
    pub item: Item,
    /// The program.
    pub program: Program,
    snapshot: Snapshot,
    outcome: Outcome,
}

/// Makes items of woven programs; keeps a machine to run them on.
#[derive(Debug, Default)]
pub struct Maker {
    machine: Machine,
    probe: ProbeConfig,
}

impl Maker {
    /// A maker with these settings.
    pub fn new(probe: ProbeConfig) -> Self {
        Self { machine: Machine::default(), probe }
    }

    /// Asks about a finished program; `None` if no place in it is worth asking about. `rng` picks the place.
    pub fn make(&mut self, weaver: &Weaver, id: String, rng: &mut Rng) -> Option<Draft> {
        let program = weaver.program();
        let limit = u64::from(weaver.config().fuel.max);
        let mut sites = Sites::new(program, self.probe);
        let outcome = rerun::run(&mut self.machine, program, ENTRY, limit, &mut sites).expect("it ran while woven");
        let candidates = sites.candidates();
        if candidates.is_empty() {
            return None;
        }
        let probe = *rng.pick(&candidates);
        let snapshot = rerun::snapshot(&mut self.machine, program, ENTRY, probe, limit)
            .expect("it ran before")
            .expect("it came by before");
        let item = Item {
            id,
            task: Task::Stack,
            program: task::show(Task::Stack, program, &[probe]),
            probes: vec![probe],
            truth: Truth::StackValues(snapshot.operands.clone()),
            fuel: outcome.fuel,
            bytes: weaver.bytes(),
            instructions: sites.coverage.steps,
            canonical: canonical(program, ENTRY, &sites.coverage),
            recipe: Recipe { generator: GENERATOR.into(), seed: weaver.seed(), actions: weaver.actions().to_vec() },
        };
        Some(Draft { item, program: program.clone(), snapshot, outcome })
    }
}

impl Draft {
    /// Holds fuel, operands at the probe, final globals and memory against wasmtime.
    ///
    /// # Errors
    /// The first difference: a bug of ours, which stops a run.
    pub fn confirm(&self, oracle: &Oracle, machine: &mut Machine) -> Result<(), Disagreement> {
        let ours = rerun::run_to_end(machine, &self.program, ENTRY, self.outcome.fuel);
        assert_eq!(ours.as_ref(), Ok(&self.outcome), "the machine is deterministic");
        let probe: Probe = self.item.probes[0];
        let watch = Watch { operands: &[(probe, Some(&self.snapshot))], flags: &[] };
        oracle.check(&self.program, ENTRY, &self.outcome, machine, watch)
    }
}

/// Confirms a batch on all processors; the first disagreement with the number of its draft.
pub fn confirm_all(drafts: &[&Draft], oracle: &Oracle) -> Result<(), (usize, Disagreement)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = drafts.len().div_ceil(threads).max(1);
    let mut found = std::thread::scope(|scope| {
        let parts = drafts.chunks(share).enumerate().map(|(part, drafts)| {
            scope.spawn(move || {
                let mut machine = Machine::default();
                let check = |(at, draft): (usize, &&Draft)| {
                    draft.confirm(oracle, &mut machine).err().map(|error| (part * share + at, error))
                };
                drafts.iter().enumerate().find_map(check)
            })
        });
        let handles: Vec<_> = parts.collect();
        handles.into_iter().filter_map(|handle| handle.join().expect("confirming does not panic")).collect::<Vec<_>>()
    });
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().next().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::weave::chance::Chance;
    use crate::weave::config::WeaveConfig;
    use crate::weave::weaver::Loom;
    use std::sync::Arc;

    fn drafts(yaml: &str, count: u64) -> Vec<Draft> {
        let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
        let loom = Arc::new(Loom::new(config));
        let mut maker = Maker::new(ProbeConfig::default());
        let make = |n| {
            let seed = Seed::new(2).indexed("program", n);
            let mut weaver = Weaver::new(loom.clone(), seed.to_u64());
            Chance::ALL[n as usize % 2].weave(&mut weaver, &mut seed.child("choices").rng());
            maker.make(&weaver, format!("{n}"), &mut seed.child("probe").rng())
        };
        (0..count).filter_map(make).collect()
    }

    #[test]
    fn wasmtime_sees_the_same_operands_at_every_probe() {
        let drafts = drafts("fuel: {min: 20, max: 120}\nlimits: {functions: 4, nesting: 4}", 1200);
        assert!(drafts.len() > 600, "only {} items", drafts.len());
        assert!(
            drafts.iter().any(|draft| draft.item.probes[0].hit > 1) && drafts.iter().any(|d| d.item.probes[0].func > 0)
        );
        assert_eq!(confirm_all(&drafts.iter().collect::<Vec<_>>(), &Oracle::new()), Ok(()));
    }

    #[test]
    fn a_wrong_truth_is_found_out() {
        let mut drafts = drafts("fuel: {min: 20, max: 60}", 40);
        let at = drafts.len() / 2;
        drafts[at].snapshot.operands[0].bits ^= 1;
        let (found, error) =
            confirm_all(&drafts.iter().collect::<Vec<_>>(), &Oracle::new()).expect_err("one bit is wrong");
        assert_eq!(found, at);
        assert!(matches!(error, Disagreement::State { what: "operands", .. }), "{error}");
    }
}
