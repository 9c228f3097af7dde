//! Owns questions about edited programs: a program is taken from an item, changed, and labelled anew.
//!
//! Must not know why it is changed. An edit may break a program in any way; a program that is not valid, traps, runs
//! too long or reaches no place that is asked about has no label, and is no item. With a label it is an item like any
//! other, but for its recipe: no choices of a weaver lead to it, so its text alone says what it is.

use super::make::Draft;
use super::record::{Item, Probe, Recipe, Task, Truth};
use super::task::{FLAG, INSPECT, flag_name, show};
use crate::wasm::encode::encode;
use crate::wasm::machine::Machine;
use crate::wasm::parse::{self, ParseError};
use crate::wasm::program::{Instr, Place, Program};
use crate::wasm::rerun::Execution;
use crate::weave::canon::{Coverage, Covering, canonical};

/// What stands for the generator in the recipe of a program that was edited.
pub const EDITED: &str = "edited";

/// The function that an item's program is run by.
const ENTRY: &str = "run";

/// A question without its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The program.
    pub program: Program,
    /// The function that is run.
    pub entry: u32,
    /// What is asked.
    pub task: Task,
    /// Where the question looks.
    pub probes: Vec<Probe>,
}

/// Why an item cannot be edited.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableItem {
    /// Its program is not valid.
    #[error("the program of item {id} cannot be read: {source}; was the file edited?")]
    Program {
        /// The item.
        id: String,
        /// Why.
        source: ParseError,
    },
    /// Nothing is run.
    #[error("the program of item {id} exports no function `{ENTRY}`; was the file edited?")]
    Entry {
        /// The item.
        id: String,
    },
}

impl Question {
    /// Of a stored item.
    ///
    /// # Errors
    /// If its program cannot be read; what this program writes always can.
    pub fn of(item: &Item) -> Result<Self, UnreadableItem> {
        let unreadable = |source| UnreadableItem::Program { id: item.id.clone(), source };
        let (program, _) = parse::parse_text(&item.program, &[INSPECT, FLAG]).map_err(unreadable)?;
        let entry = program.export(ENTRY).ok_or_else(|| UnreadableItem::Entry { id: item.id.clone() })?;
        Ok(Self { program, entry, task: item.task, probes: item.probes.clone() })
    }

    /// The same with other instructions in place of one; its places stay where they were.
    pub fn replace(&self, func: u32, at: Place, with: &[Instr]) -> Self {
        let mut other = self.clone();
        let index = at.index as usize;
        other.program.seqs[at.seq as usize].code.splice(index..=index, with.iter().copied());
        let places = self.probes.iter().map(|probe| self.program.place(probe.func, probe.pc));
        let flat = other.program.flatten(func);
        for (probe, place) in other.probes.iter_mut().zip(places).filter(|(probe, _)| probe.func == func) {
            let mut place = place.expect("a probe stands in its program");
            if place.seq == at.seq && place.index > at.index {
                place.index = place.index + with.len() as u32 - 1;
            }
            // What stood within a block that is gone has no place any more; nothing is asked there.
            probe.pc = flat.iter().position(|entry| entry.place == place).map_or(u32::MAX, |pc| pc as u32);
        }
        other
    }

    /// The run that it is about.
    pub fn execution<'a>(&'a self, machine: &'a mut Machine, fuel_limit: u64) -> Execution<'a> {
        Execution { machine, program: &self.program, entry: self.entry, fuel_limit }
    }

    /// The question with its answer; `None` where there is none: the module is not valid, it traps or needs more than
    /// `fuel_limit`, or the place of a stack question is not reached.
    pub fn label(self, machine: &mut Machine, id: String, fuel_limit: u64) -> Option<Draft> {
        let bytes = encode(&self.program);
        parse::validate(&bytes).ok()?;
        let mut covering = Covering { program: &self.program, coverage: Coverage::default() };
        let mut execution = self.execution(machine, fuel_limit);
        let outcome = execution.run(&mut covering).ok()?;
        let coverage = covering.coverage;
        let truth = match self.task {
            Task::Stack => {
                let probe = *self.probes.first()?;
                let seen = execution.snapshot(probe).ok().flatten()?;
                Truth::StackValues(seen.operands)
            }
            Task::Reachability => Truth::FlagStates(self.flags(&coverage)?),
            Task::Result => Truth::ReturnValues(outcome.results.clone()),
            Task::Fuel => Truth::Fuel(outcome.fuel),
        };
        let item = Item {
            id,
            task: self.task,
            program: show(self.task, &self.program, &self.probes),
            probes: self.probes,
            truth,
            fuel: outcome.fuel,
            bytes: bytes.len() as u32,
            instructions: coverage.steps,
            canonical: canonical(&self.program, self.entry, &coverage),
            recipe: Recipe { generator: EDITED.into(), seed: 0, actions: Vec::new() },
        };
        Some(Draft::new(item, self.program, self.entry, outcome))
    }

    fn flags(&self, coverage: &Coverage) -> Option<Vec<(String, bool)>> {
        let state = |(at, probe): (usize, &Probe)| {
            let place = self.program.place(probe.func, probe.pc)?;
            Some((flag_name(at), coverage.contains(place)))
        };
        self.probes.iter().enumerate().map(state).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::ItemSource;
    use super::super::task::ProbeConfig;
    use super::*;
    use crate::seed::Seed;
    use crate::wasm::isa::Op;
    use crate::wasm::oracle::Oracle;
    use crate::weave::config::WeaveConfig;
    use crate::weave::prior::Prior;
    use crate::weave::weaver::Loom;
    use std::sync::Arc;

    fn items(task: Task, count: usize) -> Vec<Item> {
        let yaml = "fuel: {min: 20, max: 120}\nforbid: [nop]\nlimits: {functions: 4, nesting: 4, results: 1}";
        let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
        let loom = Arc::new(Loom::new(config).expect("valid settings"));
        let prior: Prior = serde_yaml::from_str("instructions: {br_if: 2, if: 2, return: 3}").expect("valid weights");
        let taste = Arc::new(prior.taste(&loom.config.instructions()));
        let source = ItemSource::new(&loom, task, ProbeConfig::default(), taste);
        source.items(Seed::new(3), count).expect("there are enough")
    }

    #[test]
    fn an_item_that_is_not_edited_has_its_own_label() {
        let mut machine = Machine::default();
        for &task in Task::ALL {
            for item in items(task, 25) {
                let question = Question::of(&item).expect("it was written here");
                let draft = question.label(&mut machine, item.id.clone(), item.fuel).expect("it is an item");
                assert_eq!(draft.confirm(&Oracle::new()), Ok(()));
                let recipe = draft.item.recipe.clone();
                assert_eq!(recipe.generator, EDITED);
                // What is not used, such as a type of a function that is gone, may be written otherwise.
                let expected = Item { recipe, bytes: draft.item.bytes, ..item };
                assert_eq!(draft.item, expected);
            }
        }
    }

    #[test]
    fn places_stay_where_they_were() {
        let mut machine = Machine::default();
        for item in items(Task::Stack, 10) {
            let question = Question::of(&item).expect("it was written here");
            let body = question.program.funcs[question.entry as usize].body;
            let at = Place { seq: body, index: 0 };
            let first = question.program.seqs[body as usize].code[0];
            let longer = question.replace(question.entry, at, &[Instr::plain(Op::Nop), Instr::plain(Op::Nop), first]);
            let draft = longer.label(&mut machine, String::new(), item.fuel).expect("it is an item");
            assert_eq!((&draft.item.truth, draft.item.fuel), (&item.truth, item.fuel));
            assert_eq!(draft.item.program.matches("nop").count(), item.program.matches("nop").count() + 2);
        }
    }

    #[test]
    fn what_is_broken_has_no_label() {
        let mut machine = Machine::default();
        let item = &items(Task::Stack, 1)[0];
        let question = Question::of(item).expect("it was written here");
        assert!(question.clone().label(&mut machine, String::new(), item.fuel - 1).is_none(), "not within the fuel");
        let body = question.program.funcs[question.entry as usize].body as usize;
        for (op, what) in [(Op::Drop, "no valid module"), (Op::Unreachable, "a trap")] {
            let mut broken = question.clone();
            broken.program.seqs[body].code.insert(0, Instr::plain(op));
            assert!(broken.label(&mut machine, String::new(), 1000).is_none(), "{what}");
        }
        let late = Probe { hit: 1000, ..question.probes[0] };
        let unreached = Question { probes: vec![late], ..question };
        assert!(unreached.label(&mut machine, String::new(), 1000).is_none(), "the probe is not reached");
    }
}
