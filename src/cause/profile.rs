//! Owns the profile of a question: what its answer was computed of, and with which values on the way.
//!
//! Must not know models or verdicts. The values are followed (`flow`), so that code which the answer does
//! not depend on counts for little. The archive sorts questions by their profile, the cover looks in it for what was never
//! asked about, and the predictor learns from it. The following is approximate: a feature may be missing or too many, and
//! nothing that a person is told depends on it.

use super::construct::Construct;
use super::flow::{FlowTrace, Node};
use crate::item::record::{Probe, Task};
use crate::item::task::features::{Features, size};
use crate::wasm::rerun::Execution;
use crate::wasm::types::Value;
use crate::weave::literal::bucket_of;
use std::collections::BTreeMap;

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Hashed facts, each below [`FEATURES`], ascending, each once.
    pub features: Vec<u16>,
    /// The construct that most of what the answer depends on belongs to.
    pub construct: Construct,
    /// Fuel of the run.
    pub fuel: u64,
}

/// How many features there are.
pub const FEATURES: usize = crate::item::task::features::BUCKETS;

impl Profile {
    /// Of a question about a run, whose limit is the fuel that it takes.
    ///
    /// # Panics
    /// If the program traps, which no woven one does.
    pub fn new(mut execution: Execution<'_>, task: Task, probes: &[Probe]) -> Self {
        let fuel = execution.fuel_limit;
        let mut trace = FlowTrace::new(execution.program, if task == Task::Stack { probes.first() } else { None });
        execution.run(&mut trace).expect("it ran while woven");
        let roots = trace.roots(task);
        let (behind, deciding) = (trace.behind(&roots), trace.behind(&trace.decisions));
        let mut features = Features::default();
        behind.iter().for_each(|&node| facts(&trace.nodes[node], "asked", &mut features));
        deciding.iter().for_each(|&node| facts(&trace.nodes[node], "decides", &mut features));
        features.add("fuel", &[size(fuel as usize)]);
        features.add("operands", &[size(roots.len())]);
        let mut on = features.on().to_vec();
        on.sort_unstable();
        on.dedup();
        let relevant: Vec<usize> = if behind.is_empty() { deciding } else { behind };
        let all: Vec<usize> = (1..trace.nodes.len()).collect();
        let construct = dominant(&trace, &relevant).or_else(|| dominant(&trace, &all)).unwrap_or(Construct::Other);
        Self { features: on, construct, fuel }
    }
}

/// No bucket: the operand is not there.
const NO_BUCKET: u8 = u8::MAX;

/// Hashes what is to be said of a node.
fn facts(node: &Node, role: &str, features: &mut Features) {
    let role = u64::from(role == "asked");
    let [second, top, result] = buckets(node).map(u64::from);
    let (op, category) = (node.op().index() as u64, node.op().row().category.index() as u64);
    let again = node.before > 0;
    features.add("op", &[role, op]);
    features.add("op of", &[role, op, top]);
    features.add("op of both", &[role, op, second, top]);
    features.add("op to", &[role, op, result]);
    features.add("kind of to", &[role, category, second, top, result]);
    features.add("structure", &[role, u64::from(again), node.depth.min(3) as u64, u64::from(node.recursive)]);
    if again || node.depth > 0 {
        features.add("op in", &[role, op, u64::from(again), u64::from(node.depth > 0)]);
    }
}

/// Buckets of the second operand from the top, of the top, and of the result. Of an argument that is passed: its place,
/// how many others have its type, and its own bucket.
fn buckets(node: &Node) -> [u8; 3] {
    let [second, top, result] = node.values.map(|value| value.map_or(NO_BUCKET, bucket));
    node.argument.map_or([second, top, result], |(at, alike)| [at, alike, result])
}

fn construct(node: &Node) -> Option<Construct> {
    if node.recursive {
        return Some(Construct::Recursion);
    }
    if node.before > 0 {
        return Some(Construct::Loop);
    }
    let own = Construct::of(node.op());
    if node.depth > 0 && own.is_some() { Some(Construct::Call) } else { own }
}

/// The construct of most of these nodes; the first of them in its list where several have as many.
fn dominant(trace: &FlowTrace<'_>, nodes: &[usize]) -> Option<Construct> {
    let mut votes: BTreeMap<Construct, u32> = BTreeMap::new();
    for construct in nodes.iter().filter_map(|&node| construct(&trace.nodes[node])) {
        *votes.entry(construct).or_default() += 1;
    }
    votes.into_iter().rev().max_by_key(|(_, votes)| *votes).map(|(construct, _)| construct)
}

fn bucket(value: Value) -> u8 {
    bucket_of(value) as u8
}

#[cfg(test)]
mod tests;
