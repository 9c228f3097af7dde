//! Owns a question in the form that is cut: its places stand in the tree of sequences, so that an edit elsewhere leaves
//! them alone.
//!
//! Must not know which edits there are, nor who is asked.

use crate::item::edit::Question;
use crate::item::record::{Probe, Task};
use crate::wasm::encode::encode;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{Instr, Place, Program, SeqId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Range;

/// How large a program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Size {
    /// Instructions in the text, of all functions; `else` and `end` are none.
    pub instructions: u32,
    /// Bytes of the module.
    pub bytes: u32,
}

impl Size {
    /// Of a program.
    pub fn of(program: &Program) -> Self {
        Self { instructions: instructions(program), bytes: encode(program).len() as u32 }
    }
}

/// Instructions in the text.
pub(super) fn instructions(program: &Program) -> u32 {
    let counts = |op: Op| !matches!(op, Op::Else | Op::End);
    let of = |func: u32| program.flatten(func).iter().filter(|flat| counts(flat.instr.op)).count() as u32;
    (0..program.funcs.len() as u32).map(of).sum()
}

/// A place that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) func: u32,
    pub(super) place: Place,
    /// Which arrival, from 1.
    pub(super) hit: u32,
}

/// A program and what is asked about it.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) program: Program,
    pub(super) entry: u32,
    pub(super) task: Task,
    pub(super) marks: Vec<Mark>,
}

impl Subject {
    /// Of a question; `None` if a probe stands nowhere.
    pub(super) fn of(question: Question) -> Option<Self> {
        let Question { program, entry, task, probes } = question;
        let mark = |probe: &Probe| {
            let place = program.place(probe.func, probe.pc)?;
            Some(Mark { func: probe.func, place, hit: probe.hit })
        };
        let marks = probes.iter().map(mark).collect::<Option<Vec<_>>>()?;
        Some(Self { program, entry, task, marks })
    }

    /// The question; `None` if the code around a probe is gone.
    pub(super) fn question(&self) -> Option<Question> {
        let probe = |mark: &Mark| {
            let flat = self.program.flatten(mark.func);
            let pc = flat.iter().position(|flat| flat.place == mark.place)? as u32;
            Some(Probe { func: mark.func, pc, hit: mark.hit })
        };
        let probes = self.marks.iter().map(probe).collect::<Option<Vec<_>>>()?;
        // Code that was cut out belongs to no function, but must not break a walk over all code.
        let kept: BTreeSet<SeqId> = self.sequences().into_iter().map(|(_, seq)| seq).collect();
        let mut program = self.program.clone();
        for (seq, _) in program.seqs.iter_mut().zip(0..).filter(|(_, id)| !kept.contains(id)) {
            seq.code.clear();
        }
        Some(Question { program, entry: self.entry, task: self.task, probes })
    }

    /// Puts other instructions in the place of some. A probe among those that go stands behind what comes.
    pub(super) fn splice(&mut self, seq: SeqId, range: Range<usize>, with: Vec<Instr>) {
        let (start, end, length) = (range.start as u32, range.end as u32, with.len() as u32);
        self.program.seqs[seq as usize].code.splice(range, with);
        for mark in self.marks.iter_mut().filter(|mark| mark.place.seq == seq && mark.place.index > start) {
            mark.place.index = start + length + mark.place.index.saturating_sub(end);
        }
    }

    /// The code of a sequence.
    pub(super) fn code(&self, seq: SeqId) -> &[Instr] {
        &self.program.seqs[seq as usize].code
    }

    /// The functions that have code.
    pub(super) fn functions(&self) -> Range<u32> {
        self.program.imported_funcs()..self.program.funcs.len() as u32
    }

    /// All sequences with code, outer before inner, and the function of each.
    pub(super) fn sequences(&self) -> Vec<(u32, SeqId)> {
        let mut found = Vec::new();
        for func in self.functions() {
            let mut waiting = vec![self.program.funcs[func as usize].body];
            while let Some(seq) = waiting.pop() {
                found.push((func, seq));
                waiting.extend(self.code(seq).iter().flat_map(inside).collect::<Vec<_>>().into_iter().rev());
            }
        }
        found
    }

    /// Where every instruction stands.
    pub(super) fn places(&self) -> Vec<(u32, Place)> {
        let all = self.sequences().into_iter();
        all.flat_map(|(func, seq)| {
            (0..self.code(seq).len() as u32).map(move |index| (func, Place { seq, index })).collect::<Vec<_>>()
        })
        .collect()
    }

    /// The instruction at a place.
    pub(super) fn at(&self, place: Place) -> Instr {
        self.program.seqs[place.seq as usize].code[place.index as usize]
    }

    /// The same, to change it.
    pub(super) fn at_mut(&mut self, place: Place) -> &mut Instr {
        &mut self.program.seqs[place.seq as usize].code[place.index as usize]
    }

    /// The sequence around each sequence of a function, and where in it.
    pub(super) fn parent(&self, func: u32, seq: SeqId) -> Option<Place> {
        self.sequences().into_iter().filter(|(of, _)| *of == func).find_map(|(_, outer)| {
            let index = self.code(outer).iter().position(|instr| inside(instr).any(|inner| inner == seq))?;
            Some(Place { seq: outer, index: index as u32 })
        })
    }
}

/// The sequences inside an instruction.
pub(super) fn inside(instr: &Instr) -> impl Iterator<Item = SeqId> + use<> {
    let has = instr.op.row().imm == Imm::BlockType;
    let (body, otherwise) = (instr.body(), instr.otherwise());
    [Some(body), otherwise].into_iter().flatten().filter(move |_| has)
}
