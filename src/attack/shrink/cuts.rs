//! Owns the edits that take instructions away: stretches of them, pairs of them, and blocks around others.
//!
//! Must not know which of them helps. An edit may break a program; such a one has no label, and is not asked.

use super::subject::{Subject, inside};
use super::trace::Recording;
use super::typing::{has_branch, labels};
use super::window::constant;
use crate::item::record::Task;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{Instr, Place, SeqId};

/// Instructions up to which every stretch and every pair is tried.
const FEW: usize = 28;

/// The program without what stands behind the probe in its function: in some of the sequences around it, all of them first.
pub(super) fn tails(subject: &Subject) -> Vec<Subject> {
    let Some(mark) = subject.marks.first().filter(|_| subject.task == Task::Stack) else { return Vec::new() };
    let mut ends = vec![mark.place];
    while let Some(around) = ends.last().and_then(|end| subject.parent(mark.func, end.seq)) {
        ends.push(Place { index: around.index + 1, ..around });
    }
    let without = |ends: &[Place]| {
        let mut new = subject.clone();
        ends.iter().for_each(|end| new.program.seqs[end.seq as usize].code.truncate(end.index as usize));
        new
    };
    let inner = (1..=ends.len()).rev().map(|count| &ends[..count]);
    let outer = (1..ends.len()).map(|first| &ends[first..]);
    inner.chain(outer).map(without).collect()
}

/// The program without a stretch of a sequence, for stretches of every length, the longest first. Each comes twice: as it
/// is, and with the values in place of the instructions that made them.
pub(super) fn stretches(subject: &Subject, trace: &Recording) -> Vec<Subject> {
    let sequences = subject.sequences();
    let few = sequences.iter().map(|(_, seq)| subject.code(*seq).len()).sum::<usize>() <= FEW;
    let mut ranges: Vec<(SeqId, usize, usize)> = Vec::new();
    for &(_, seq) in &sequences {
        let length = subject.code(seq).len();
        if few {
            ranges.extend((0..length).flat_map(|start| (start + 1..=length).map(move |end| (seq, start, end))));
        } else {
            let mut size = length;
            while size > 0 {
                let starts = (0..length).step_by(size.div_ceil(2));
                ranges.extend(starts.map(|start| (seq, start, (start + size).min(length))));
                size /= 2;
            }
        }
    }
    // Stable: equals stay in the order of the text.
    ranges.sort_by_key(|(_, start, end)| start.abs_diff(*end));
    ranges.reverse();
    ranges.dedup();
    let both = |&(seq, start, end): &(SeqId, usize, usize)| {
        let mut without = subject.clone();
        without.splice(seq, start..end, Vec::new());
        [Some(without), valued(subject, trace, seq, start, end)].into_iter().flatten().collect::<Vec<_>>()
    };
    ranges.iter().flat_map(both).collect()
}

/// The program with the values that a stretch left in its place.
fn valued(subject: &Subject, trace: &Recording, seq: SeqId, start: usize, end: usize) -> Option<Subject> {
    let (before, after) = trace.between(seq, start as u32, end as u32)?;
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let mut with = vec![Instr::plain(Op::Drop); before.len() - same];
    if with.len() + after.len() - same > end - start || after == before {
        return None;
    }
    let mut new = subject.clone();
    for &value in &after[same..] {
        with.push(constant(&mut new.program, value)?);
    }
    new.splice(seq, start..end, with);
    Some(new)
}

/// The program without two instructions that stand apart, where it is short.
pub(super) fn pairs(subject: &Subject) -> Vec<Subject> {
    let places = subject.places();
    if places.len() > FEW {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, &(_, first)) in places.iter().enumerate() {
        for &(_, second) in &places[at + 1..] {
            let adjacent = first.seq == second.seq && first.index + 1 == second.index;
            if !adjacent {
                let mut without = subject.clone();
                // The later one first: it may stand behind the other.
                remove(&mut without, second);
                remove(&mut without, first);
                found.push(without);
            }
        }
    }
    found
}

fn remove(subject: &mut Subject, Place { seq, index }: Place) {
    let at = index as usize;
    if at < subject.code(seq).len() {
        subject.splice(seq, at..at + 1, Vec::new());
    }
}

/// The program with simpler control: what is inside of a block without it, one arm of an `if`, no branch where none is
/// taken, a call of what the table had.
pub(super) fn structure(subject: &Subject, trace: &Recording) -> Vec<Subject> {
    let mut found = Vec::new();
    for (_, place) in subject.places() {
        let instr = subject.at(place);
        match instr.op {
            Op::Block | Op::Loop => found.extend(unwrapped(subject, place, instr.body(), None)),
            Op::If => {
                let arms = inside(&instr).map(|arm| unwrapped(subject, place, arm, Some(Op::Drop)));
                found.extend(arms.flatten());
                let mut skipped = subject.clone();
                skipped.splice(place.seq, at(place), vec![Instr::plain(Op::Drop)]);
                found.push(skipped);
            }
            Op::BrIf | Op::BrTable => {
                let plain = |with: Vec<Instr>| {
                    let mut new = subject.clone();
                    new.splice(place.seq, at(place), with);
                    new
                };
                found.push(plain(vec![Instr::plain(Op::Drop)]));
                for label in labels(&subject.program, &instr) {
                    found.push(plain(vec![Instr::plain(Op::Drop), Instr::index(Op::Br, label)]));
                }
            }
            Op::CallIndirect => found.extend(direct(subject, trace, place)),
            Op::ReturnCall => {
                let mut new = subject.clone();
                *new.at_mut(place) = Instr::index(Op::Call, instr.a);
                found.push(new);
            }
            _ => {}
        }
        found.extend(shorter_table(subject, place, instr));
    }
    found
}

fn at(place: Place) -> std::ops::Range<usize> {
    place.index as usize..place.index as usize + 1
}

/// A block's inside in its place, behind an instruction.
fn unwrapped(subject: &Subject, place: Place, body: SeqId, before: Option<Op>) -> Option<Subject> {
    if has_branch(&subject.program, body, 0) {
        return None;
    }
    let mut new = subject.clone();
    leave(&mut new, body, 0);
    let mut code = new.code(body).to_vec();
    let shift = place.index + u32::from(before.is_some());
    code.splice(0..0, before.map(Instr::plain));
    let marked: Vec<usize> = (0..new.marks.len()).filter(|&mark| new.marks[mark].place.seq == body).collect();
    new.splice(place.seq, at(place), code);
    for mark in marked {
        let index = subject.marks[mark].place.index + shift;
        new.marks[mark].place = Place { seq: place.seq, index };
    }
    Some(new)
}

/// Lowers the labels of branches that leave a block which is going away; `depth` blocks within it.
fn leave(subject: &mut Subject, seq: SeqId, depth: u32) {
    for index in 0..subject.code(seq).len() as u32 {
        let place = Place { seq, index };
        let instr = subject.at(place);
        let lower = |label: u32| if label > depth { label - 1 } else { label };
        match instr.op.row().imm {
            Imm::Label => subject.at_mut(place).a = lower(instr.a),
            Imm::LabelTable => {
                let targets = labels(&subject.program, &instr).into_iter().map(lower).collect();
                let instr = table(subject, targets);
                *subject.at_mut(place) = instr;
            }
            _ => inside(&instr).for_each(|inner| leave(subject, inner, depth + 1)),
        }
    }
}

fn table(subject: &mut Subject, targets: Vec<u32>) -> Instr {
    subject.program.label_tables.push(targets);
    Instr::index(Op::BrTable, subject.program.label_tables.len() as u32 - 1)
}

/// A `br_table` with fewer targets.
fn shorter_table(subject: &Subject, place: Place, instr: Instr) -> Vec<Subject> {
    if instr.op != Op::BrTable {
        return Vec::new();
    }
    let targets = labels(&subject.program, &instr);
    let without = |left_out: usize| {
        let mut fewer = targets.clone();
        fewer.remove(left_out);
        let mut new = subject.clone();
        let instr = table(&mut new, fewer);
        *new.at_mut(place) = instr;
        new
    };
    (0..targets.len()).filter(|_| targets.len() > 1).map(without).collect()
}

/// A call of the function that was called, in place of one through a table.
fn direct(subject: &Subject, trace: &Recording, place: Place) -> Option<Subject> {
    let step = trace.steps.iter().position(|step| step.place == place)?;
    let called = trace.steps.get(step + 1).filter(|next| next.activation != trace.steps[step].activation)?;
    let mut new = subject.clone();
    new.splice(place.seq, at(place), vec![Instr::plain(Op::Drop), Instr::index(Op::Call, called.func)]);
    Some(new)
}
