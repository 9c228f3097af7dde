//! Owns counting what one program, or many, consist of.
//!
//! Must not know what the counts are held against. `end` and `else` are no instructions of their own, as in the
//! reference, but stand in trigrams; a function's last `end` does not.

use super::divergence::{Distribution, alignment};
use super::grams::{Bucket, CLASSES, TRIGRAMS, class_of, trigram};
use super::reference::Reference;
use crate::wasm::isa::Op;
use crate::wasm::program::{Place, Program};

/// What code consists of. Counts, or sums of weighted counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// Per instruction, by [`Op::index`].
    pub opcodes: Vec<f64>,
    /// Per abstract trigram.
    pub trigrams: Vec<f64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { opcodes: vec![0.0; Op::COUNT], trigrams: vec![0.0; TRIGRAMS] }
    }
}

/// How like the reference something is, `1 - JSD` each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Likeness {
    /// Over classes of instructions.
    pub class: f64,
    /// Over instructions.
    pub opcode: f64,
    /// Over abstract trigrams.
    pub trigram: f64,
}

impl Tally {
    /// Of all functions of a program.
    pub fn of(program: &Program) -> Self {
        Self::where_reached(program, |_| true)
    }

    /// Of those instructions of a program that stand at these places. What the others leave closes up.
    pub fn where_reached(program: &Program, reached: impl Fn(Place) -> bool) -> Self {
        let mut tally = Self::default();
        for func in 0..program.funcs.len() as u32 {
            let flat = program.flatten(func);
            let Some((_, inner)) = flat.split_last() else { continue };
            let mut last: [Option<Bucket>; 2] = [None; 2];
            for flat in inner {
                let op = flat.instr.op;
                if !matches!(op, Op::End | Op::Else) && !reached(flat.place) {
                    continue;
                }
                last = tally.note(op, last);
            }
        }
        tally
    }

    /// Notes an instruction behind two others of its function; the last two then.
    fn note(&mut self, op: Op, [first, second]: [Option<Bucket>; 2]) -> [Option<Bucket>; 2] {
        if class_of(op).is_some() {
            self.opcodes[op.index()] += 1.0;
        }
        let bucket = Bucket::of(op);
        if let (Some(first), Some(second)) = (first, second) {
            self.trigrams[trigram([first, second, bucket])] += 1.0;
        }
        [second, Some(bucket)]
    }

    /// Adds another tally, weighted.
    pub fn add(&mut self, other: &Self, weight: f64) {
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from);
        add(&mut self.opcodes, &other.opcodes);
        add(&mut self.trigrams, &other.trigrams);
    }

    /// Makes everything weigh so much of what it did.
    pub fn scale(&mut self, factor: f64) {
        self.opcodes.iter_mut().chain(&mut self.trigrams).for_each(|count| *count *= factor);
    }

    /// Instructions, `end` and `else` not counted.
    pub fn instructions(&self) -> f64 {
        self.opcodes.iter().sum()
    }

    /// Per class, by its number in [`CLASSES`].
    pub fn classes(&self) -> Vec<f64> {
        let mut classes = vec![0.0; CLASSES.len()];
        for (op, count) in Op::ALL.iter().zip(&self.opcodes) {
            if let Some(class) = class_of(*op) {
                classes[class] += count;
            }
        }
        classes
    }

    /// How like the reference it is in the classes of its instructions.
    pub fn class_alignment(&self, reference: &Reference) -> f64 {
        alignment(&Distribution::of_counts(&self.classes()), &reference.classes)
    }

    /// How like the reference it is.
    pub fn likeness(&self, reference: &Reference) -> Likeness {
        Likeness {
            class: self.class_alignment(reference),
            opcode: alignment(&Distribution::of_counts(&self.opcodes), &reference.opcodes),
            trigram: alignment(&Distribution::of_counts(&self.trigrams), &reference.trigrams),
        }
    }
}
