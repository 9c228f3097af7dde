//! Owns what is to be seen of a flag: how its place looks, which of the flags it is, and where the others are.
//!
//! Must not know whether it was reached.

use super::super::posed::Posed;
use crate::item::record::Probe;
use crate::item::task::features::{Features, size};
use crate::item::task::reachability::look;

/// Everything to be seen of the `index`-th flag.
pub(super) fn features(posed: &Posed, index: usize) -> Features {
    let probe = posed.probes[index].probe;
    let mut features = look::features(&posed.text(), probe.func, probe.pc);
    features.add("flag", &[index as u64]);
    features.add("flag of", &[index as u64, posed.probes.len() as u64]);
    for (other, asked) in posed.probes.iter().enumerate().filter(|(other, _)| *other != index) {
        let same = u64::from(asked.probe.func == probe.func);
        let distance = line(posed, asked.probe).abs_diff(line(posed, probe));
        features.add("other flag", &[u64::from(other < index), same, size(distance)]);
    }
    features
}

/// The line of the code that a place stands before.
fn line(posed: &Posed, probe: Probe) -> usize {
    posed.code[..probe.func as usize].iter().map(Vec::len).sum::<usize>() + probe.pc as usize
}
