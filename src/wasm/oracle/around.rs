//! Owns what stands around probes: their places, and the blocks they are in.
//!
//! Must not know what is asked there. Each function is walked once, however many probes it has.

use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{Flat, Place, Probe, Program};
use std::collections::BTreeMap;

/// Where a probe stands.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) place: Place,
    /// The structured instructions around it, outermost first.
    pub(super) blocks: Vec<Flat>,
}

/// The surroundings of each probe.
pub(super) fn surroundings<'a>(program: &Program, probes: impl IntoIterator<Item = &'a Probe>) -> Vec<Surroundings> {
    // The numbers of the probes of each function, by their places in it.
    let mut wanted: BTreeMap<u32, BTreeMap<u32, Vec<usize>>> = BTreeMap::new();
    for (number, probe) in probes.into_iter().enumerate() {
        wanted.entry(probe.func).or_default().entry(probe.pc).or_default().push(number);
    }
    let mut found = Vec::new();
    for (func, pcs) in wanted {
        let flat = program.flatten(func);
        let (mut around, mut walked): (Vec<Flat>, usize) = (Vec::new(), 0);
        for (pc, numbers) in pcs {
            for entry in &flat[walked..pc as usize] {
                match entry.instr.op {
                    Op::End => drop(around.pop()),
                    op if op.row().imm == Imm::BlockType => around.push(*entry),
                    _ => {}
                }
            }
            walked = pc as usize;
            let here = || Surroundings { place: flat[walked].place, blocks: around.clone() };
            found.extend(numbers.into_iter().map(|number| (number, here())));
        }
    }
    found.sort_unstable_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, found)| found).collect()
}
