//! Owns what stands around probes: their places, and the blocks they are in.
//!
//! Must not know what is asked there. Each function is walked once, however many probes it has.

use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{Flat, Place, Probe, Program};
use std::collections::BTreeMap;

/// Of each probe its place, and the structured instructions around it, outermost first.
pub(super) fn surroundings<'a>(
    program: &Program,
    probes: impl IntoIterator<Item = &'a Probe>,
) -> Vec<(Place, Vec<Flat>)> {
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
            found.extend(numbers.into_iter().map(|number| (number, (flat[walked].place, around.clone()))));
        }
    }
    found.sort_unstable_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, found)| found).collect()
}
