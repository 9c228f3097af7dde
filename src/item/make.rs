//! Owns turning woven programs into items, and holding whole batches of programs against everything that must be true.
//!
//! Must not know models. A woven program is run once more, watched, and its task asks what is worth asking; what that run
//! showed is the truth, and wasmtime confirms it.

use super::record::{Item, Recipe, Truth};
use super::task::place::Placement;
use super::task::{self, Asked, Asker, Watched};
use crate::wasm::machine::Machine;
use crate::wasm::oracle::{BATCH, Case, Disagreement, Oracle, Run, Watch};
use crate::wasm::print::print;
use crate::wasm::program::{Probe, Program};
use crate::wasm::rerun::{Execution, Outcome, Snapshot};
use crate::weave::canon::canonical;
use crate::weave::recipe::GENERATOR;
use crate::weave::weaver::Weaver;
use rayon::prelude::*;
use std::sync::Arc;

/// A question that still has its program.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The question.
    pub item: Item,
    /// The program.
    pub program: Program,
    /// The function that is run.
    entry: u32,
    outcome: Outcome,
}

/// Makes items of woven programs; keeps a machine to run them on.
#[derive(Clone, Debug)]
pub struct Maker {
    machine: Machine,
    asker: Arc<Asker>,
}

impl Maker {
    /// One that asks what the asker finds worth asking.
    pub fn new(asker: Arc<Asker>) -> Self {
        Self { machine: Machine::default(), asker }
    }

    /// How many parts of a program's places a policy chooses among; 0 where chance decides.
    pub fn places(&self) -> usize {
        self.asker.places()
    }

    /// Asks about a finished program; `None` if there is nothing worth asking.
    pub fn make(&mut self, weaver: &Weaver, id: String, placement: Placement<'_>) -> Option<Draft> {
        let (program, entry) = (weaver.program(), weaver.entry());
        let fuel_limit = u64::from(weaver.config().fuel.max);
        let execution = Execution { machine: &mut self.machine, program, entry, fuel_limit };
        let watched = self.asker.ask(execution, placement);
        let Watched { outcome, coverage, asked } = watched.unwrap_or_else(|trap| {
            let (seed, actions) = (weaver.seed(), weaver.actions());
            panic!("{trap}, though it ran while woven (seed {seed}, actions {actions:?})\n{}", print(program, &[]))
        });
        let Asked { probes, truth } = asked?;
        let item = Item {
            id,
            task: self.asker.task,
            program: task::show(self.asker.task, program, &probes),
            probes,
            truth,
            fuel: outcome.fuel,
            bytes: weaver.bytes(),
            instructions: coverage.steps,
            canonical: canonical(program, entry, &coverage),
            recipe: Recipe { generator: GENERATOR.into(), seed: weaver.seed(), actions: weaver.actions().to_vec() },
        };
        Some(Draft { item, program: program.clone(), entry, outcome })
    }
}

/// What a draft tells, in the form that the oracle checks: what is held against wasmtime is what is told to the user,
/// not another copy of it.
struct Claim {
    outcome: Outcome,
    operands: Option<(Probe, Snapshot)>,
    flags: Vec<(Probe, bool)>,
    fuel_limit: u64,
}

impl Draft {
    /// Of a program whose run came to this.
    pub(super) fn new(item: Item, program: Program, entry: u32, outcome: Outcome) -> Self {
        Self { item, program, entry, outcome }
    }

    /// What it tells; the machine is left as the program leaves it.
    fn claim(&self, machine: &mut Machine) -> Claim {
        let (probes, fuel_limit) = (&self.item.probes, self.outcome.fuel);
        let mut execution = Execution { machine, program: &self.program, entry: self.entry, fuel_limit };
        let mut claim = Claim { outcome: self.outcome.clone(), operands: None, flags: Vec::new(), fuel_limit };
        match &self.item.truth {
            Truth::StackValues(values) => {
                let again = execution.snapshot(probes[0]);
                let levels = again.ok().flatten().map(|snapshot| snapshot.levels);
                let levels = levels.expect("the machine is deterministic");
                claim.operands = Some((probes[0], Snapshot { operands: values.clone(), levels }));
            }
            Truth::FlagStates(states) => {
                claim.flags = probes.iter().zip(states).map(|(&probe, (_, state))| (probe, *state)).collect();
            }
            Truth::ReturnValues(values) => claim.outcome.results.clone_from(values),
            Truth::Fuel(fuel) => claim.outcome.fuel = *fuel,
        }
        let ours = execution.run_to_end();
        assert_eq!(ours.as_ref(), Ok(&self.outcome), "the machine is deterministic");
        claim
    }

    /// Holds the truth, fuel, results, final globals, tables and memory against wasmtime. Many drafts are confirmed
    /// sooner by a [`Confirmer`].
    ///
    /// # Errors
    /// The first difference: a bug of ours, which stops a run.
    pub fn confirm(&self, oracle: &Oracle) -> Result<(), Disagreement> {
        Confirmer::default().confirm(&[self], oracle).map_err(|(_, disagreement)| disagreement)
    }
}

/// Confirms drafts one batch after the other; keeps the machines that they are run on.
#[derive(Debug, Default)]
pub struct Confirmer {
    machines: Vec<Machine>,
}

impl Confirmer {
    /// Confirms drafts on this thread, best [`BATCH`] at a time.
    ///
    /// # Errors
    /// The first disagreement, with the number of its draft.
    pub fn confirm(&mut self, drafts: &[&Draft], oracle: &Oracle) -> Result<(), (usize, Disagreement)> {
        let disagrees = |(part, drafts)| Some((part * BATCH, self.batch(drafts, oracle)?));
        let found = drafts.chunks(BATCH).enumerate().find_map(disagrees);
        found.map_or(Ok(()), |(start, (at, disagreement))| Err((start + at, disagreement)))
    }

    /// The first disagreement of a batch.
    fn batch(&mut self, drafts: &[&Draft], oracle: &Oracle) -> Option<(usize, Disagreement)> {
        self.machines.resize_with(self.machines.len().max(drafts.len()), Machine::default);
        let claims: Vec<Claim> =
            drafts.iter().zip(&mut self.machines).map(|(draft, machine)| draft.claim(machine)).collect();
        let operands: Vec<Option<(Probe, Option<&Snapshot>)>> =
            claims.iter().map(|claim| claim.operands.as_ref().map(|(probe, seen)| (*probe, Some(seen)))).collect();
        let told = drafts.iter().zip(&claims).zip(&operands).zip(&self.machines);
        let cases = told.map(|(((draft, claim), operands), machine)| Case {
            program: &draft.program,
            run: Run {
                entry: draft.entry,
                args: &[],
                ended: Ok(&claim.outcome),
                fuel_limit: claim.fuel_limit,
                ran: None,
            },
            machine,
            watch: Watch { operands: operands.as_slice(), flags: &claim.flags },
        });
        let cases: Vec<Case<'_>> = cases.collect();
        let verdicts = oracle.check_all(&cases);
        verdicts.into_iter().enumerate().find_map(|(at, verdict)| Some((at, verdict.err()?)))
    }
}

/// Confirms a batch on all processors; the first disagreement with the number of its draft.
pub fn confirm_all(drafts: &[&Draft], oracle: &Oracle) -> Result<(), (usize, Disagreement)> {
    let size = drafts.len().div_ceil(rayon::current_num_threads()).clamp(1, BATCH);
    let confirm = |confirmer: &mut Confirmer, (part, drafts): (usize, &[&Draft])| {
        confirmer.confirm(drafts, oracle).map_err(|(at, disagreement)| (part * size + at, disagreement)).err()
    };
    let found = drafts.par_chunks(size).enumerate().map_init(Confirmer::default, confirm);
    found.find_map_first(|disagreement| disagreement).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::super::halt::Halt;
    use super::super::record::Task;
    use super::super::source::ItemSource;
    use super::super::task::ProbeConfig;
    use super::super::task::place::PARTS;
    use super::*;
    use crate::seed::Seed;
    use crate::weave::config::WeaveConfig;
    use crate::weave::prior::Prior;
    use crate::weave::weaver::Loom;

    fn drafts(task: Task, yaml: &str, count: u64) -> Vec<Draft> {
        let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
        let loom = Arc::new(Loom::new(config).expect("valid settings"));
        let prior: Prior = serde_yaml::from_str(BRANCHING).expect("valid weights");
        let source =
            ItemSource::new(&loom, task, ProbeConfig::default(), Arc::new(prior.taste(&loom.config.instructions())));
        let mut bench = source.bench();
        (0..count).filter_map(|number| bench.draft(Seed::new(2), number)).collect()
    }

    fn confirmed(drafts: &[Draft]) -> Result<(), (usize, Disagreement)> {
        confirm_all(&drafts.iter().collect::<Vec<_>>(), &Oracle::new())
    }

    #[test]
    fn wasmtime_sees_the_same_operands_at_every_probe() {
        let drafts = drafts(Task::Stack, "fuel: {min: 20, max: 120}\nlimits: {functions: 4, nesting: 4}", 1800);
        assert!(drafts.len() > 600, "only {} items", drafts.len());
        let probes = || drafts.iter().map(|draft| draft.item.probes[0]);
        assert!(probes().any(|probe| probe.hit > 1) && probes().any(|probe| probe.func > 0));
        assert_eq!(confirmed(&drafts), Ok(()));
    }

    /// What programs that branch prefer.
    const BRANCHING: &str = "instructions: {br_if: 2, if: 2, block: 1, return: 3}";

    /// Programs that branch and call, and return something.
    const BUSY: &str =
        "fuel: {min: 20, max: 120}\nforbid: [nop, memory.size]\nlimits: {functions: 4, nesting: 4, results: 1}";

    #[test]
    fn a_wrong_truth_is_found_out() {
        for &task in Task::ALL {
            let mut drafts = drafts(task, BUSY, 600);
            assert!(drafts.len() > 10, "only {} items of {task}", drafts.len());
            assert_eq!(confirmed(&drafts), Ok(()), "{task}");
            let at = drafts.len() / 2;
            let what = match &mut drafts[at].item.truth {
                Truth::StackValues(values) => {
                    values[0].bits ^= 1;
                    "operands"
                }
                Truth::FlagStates(flags) => {
                    flags[0].1 ^= true;
                    "flags"
                }
                Truth::ReturnValues(values) => {
                    values[0].bits ^= 1;
                    "results"
                }
                Truth::Fuel(fuel) => {
                    *fuel += 1;
                    "fuel"
                }
            };
            let (found, error) = confirmed(&drafts).expect_err("one bit is wrong");
            assert_eq!(found, at, "{task}");
            assert!(error.to_string().starts_with(what), "{task}: {error}");
        }
    }

    #[test]
    fn a_part_of_a_program_has_one_question() {
        let config: WeaveConfig = serde_yaml::from_str(BUSY).expect("valid settings");
        let loom = Arc::new(Loom::new(config).expect("valid settings"));
        let prior: Prior = serde_yaml::from_str(BRANCHING).expect("valid weights");
        let taste = prior.taste(&loom.config.instructions());
        for task in [Task::Stack, Task::Reachability] {
            let asker = Asker::new(task, ProbeConfig::default(), &loom, &taste, &Halt::default());
            let mut maker = Maker::new(Arc::new(asker));
            let mut weaver = Weaver::new(loom.clone(), 0);
            let (mut asked, mut moved) = (0, 0);
            for n in 0..600 {
                weaver.reset(n);
                taste.weave(&mut weaver, &mut Seed::new(n).rng());
                let mut at = |part| maker.make(&weaver, String::new(), Placement::Part(part)).map(|draft| draft.item);
                let (first, last) = (at(0), at(PARTS as u8 - 1));
                assert_eq!((&first, &last), (&at(0), &at(PARTS as u8 - 1)));
                let (Some(first), Some(last)) = (first, last) else { continue };
                asked += 1;
                moved += u32::from(first.probes != last.probes);
                if task == Task::Reachability {
                    assert!(first.probes.first() <= last.probes.first(), "{}", first.program);
                }
            }
            assert!(asked > 20 && moved * 3 > asked, "{task}: {moved} of {asked}");
        }
    }
}
