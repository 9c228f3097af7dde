//! What tests of strategies share.

use super::*;
use crate::cause::profile::Profile;
use crate::item::record::{Task, Verdict};
use crate::wasm::isa::Op;
use crate::wasm::machine::Machine;
use crate::wasm::rerun::Execution;
use crate::weave::weaver::Loom;
use std::sync::Arc;

/// Small programs without memory.
pub(super) fn loom() -> Arc<Loom> {
    let yaml = "fuel: {min: 10, max: 40}\nforbid: [load, store, memory, table, reference, call_indirect, nop]";
    Arc::new(Loom::new(serde_yaml::from_str(yaml).expect("valid settings")).expect("valid settings"))
}

/// How often a strategy hits what pays (programs with two rotations or more) in its first round, of which it knows nothing, and in its last four.
pub(super) fn hit_rate(strategy: &mut dyn Strategy) -> (f64, f64) {
    const ROUNDS: u64 = 20;
    let (mut machine, mut rates) = (Machine::default(), Vec::new());
    for round in 0..ROUNDS {
        let seeds: Vec<Seed> = (0..32).map(|at| Seed::new(9).indexed("round", round).indexed("program", at)).collect();
        let woven = strategy.weave(&seeds).expect("weaves");
        let pays = |weaver: &Weaver| {
            let rotations = [Op::I32Rotl, Op::I32Rotr, Op::I64Rotl, Op::I64Rotr].map(Op::index);
            weaver.actions().iter().filter(|&&action| rotations.contains(&usize::from(action))).count() >= 2
        };
        let mut tried = |woven| {
            let Woven { weaver, .. }: &Woven = woven;
            let hit = pays(weaver);
            let (program, entry, fuel_limit) = (weaver.program(), weaver.entry(), weaver.machine().fuel());
            let execution = Execution { machine: &mut machine, program, entry, fuel_limit };
            let profile = Profile::new(execution, Task::Fuel, &[]);
            let verdict = if hit { Verdict::Wrong } else { Verdict::Correct };
            let reward = Some(if hit { 1.0 } else { 0.0 });
            Tried { woven, reward, cell: Some(Cell::new(&profile, verdict)), real: true }
        };
        let tried: Vec<Tried<'_>> = woven.iter().map(&mut tried).collect();
        strategy.learn(&tried).expect("learns");
        rates.push(tried.iter().filter(|tried| tried.reward > Some(0.0)).count() as f64 / 32.0);
    }
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
    (rates[0], mean(&rates[rates.len() - 4..]))
}
