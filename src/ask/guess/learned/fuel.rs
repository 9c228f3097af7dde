//! Owns the candidates for the fuel of a run: counts of lines with something added, and what such programs often use.
//!
//! Must not know which of them is right.

use super::super::posed::Posed;
use super::values::CandidateValue;
use crate::item::task::features::{Features, size};
use crate::wasm::isa::Op;
use crate::wasm::machine::is_free;
use crate::wasm::program::Flat;

/// How far from a count of lines candidates lie.
const AROUND: i64 = 8;

/// The candidates; `common` are the numbers that were right most often, most often first.
pub(super) fn candidates(posed: &Posed, common: &[u128]) -> Vec<CandidateValue> {
    let costing = |code: &[Flat]| code.iter().filter(|entry| !is_free(entry.instr.op)).count();
    let own = posed.code.get(posed.entry as usize).map_or(&[][..], Vec::as_slice);
    let all: usize = posed.code.iter().map(|code| Posed::instructions(code)).sum();
    let all_costing = posed.code.iter().map(|code| costing(code)).sum::<usize>() + posed.code.len();
    let lines = [all, all_costing, Posed::instructions(own), costing(own) + 1];
    let times = |op| size(posed.code.iter().flatten().filter(|entry| entry.instr.op == op).count());
    let marks = [Op::If, Op::BrIf, Op::Br, Op::Loop, Op::Call, Op::Return].map(times);
    let mut candidates: Vec<CandidateValue> = Vec::new();
    let around = lines.iter().flat_map(|&count| (-AROUND..=AROUND).map(move |off| count as i64 + off));
    let counted = around.filter_map(|fuel| u128::try_from(fuel).ok()).filter(|&fuel| fuel > 0);
    for fuel in counted.chain(common.iter().copied()) {
        if candidates.iter().any(|candidate| candidate.bits == fuel) {
            continue;
        }
        let mut features = Features::default();
        features.add("fuel", &[]);
        features.add("fuel is", &[fuel as u64]);
        let rank = common.iter().position(|&other| other == fuel);
        features.add("common fuel", &[rank.map_or(0, |rank| size(rank + 1))]);
        for (kind, &count) in lines.iter().enumerate() {
            let off = (fuel as i64 - count as i64).clamp(-AROUND - 1, AROUND + 1) as u64;
            features.add("off", &[kind as u64, off]);
            features.add("off of", &[kind as u64, off, size(count)]);
            for (mark, &times) in marks.iter().enumerate() {
                features.add("off with", &[kind as u64, off, mark as u64, times]);
            }
        }
        candidates.push(CandidateValue { bits: fuel, features });
    }
    candidates
}
