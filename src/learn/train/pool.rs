//! Owns the pool: what the programs woven lately consist of together, and what one more program does to that.
//!
//! Must not know policies. No single program shows how much all of them together are like the real world, and the mean
//! of their own likenesses rewards the same average program over and over. So each is paid for its effect on
//! the whole: the derivative of the pool's alignment along the program's own histogram.

use super::judge::Look;
use crate::learn::reward::Pooled;
use crate::wasm::isa::Op;
use crate::weave::align::class_of;
use crate::weave::align::divergence::{Distribution, pull};
use crate::weave::align::reference::{REAL_WORLD, Reference};
use crate::weave::align::tally::{Likeness, Tally};

/// The share of its weight that an earlier program keeps with every round.
const KEPT: f64 = 0.75;

/// Sums over programs; those of earlier rounds count less and less.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    all: Tally,
    executed: Tally,
    programs: f64,
}

impl Pool {
    /// Makes room for another round.
    pub fn fade(&mut self) {
        self.all.scale(KEPT);
        self.executed.scale(KEPT);
        self.programs *= KEPT;
    }

    /// One more program.
    pub fn add(&mut self, look: &Look) {
        self.all.add(&look.tally, 1.0);
        self.executed.add(&look.executed, 1.0);
        self.programs += 1.0;
    }

    /// How like the real world all of it is.
    pub fn likeness(&self) -> Likeness {
        self.all.likeness(&REAL_WORLD)
    }

    /// How like the real world the executed code is, in its classes.
    pub fn executed_class(&self) -> f64 {
        self.executed.class_alignment(&REAL_WORLD)
    }

    /// What one program of this pool does to it, by these weights.
    pub fn slope<'a>(&self, weights: &'a Pooled) -> Slope<'a> {
        let of = |tally: &Tally| Slopes::new(tally, &REAL_WORLD, self.programs);
        Slope { all: of(&self.all), executed: of(&self.executed), weights }
    }
}

/// What a program is worth to the pool.
pub struct Slope<'a> {
    all: Slopes,
    executed: Slopes,
    weights: &'a Pooled,
}

impl Slope<'_> {
    /// Of one program.
    pub fn of(&self, look: &Look) -> f64 {
        let Pooled { class, opcode, trigram, executed } = self.weights;
        let mut worth = f64::from(*class) * dot(&self.all.classes, &look.tally.opcodes);
        worth += f64::from(*opcode) * dot(&self.all.opcodes, &look.tally.opcodes);
        worth += f64::from(*trigram) * dot(&self.all.trigrams, &look.tally.trigrams);
        worth + f64::from(*executed) * dot(&self.executed.classes, &look.executed.opcodes)
    }
}

/// What one more instruction, or one more trigram, is worth; zero on average over the pool.
struct Slopes {
    /// By the instruction whose class it is.
    classes: Vec<f64>,
    opcodes: Vec<f64>,
    trigrams: Vec<f64>,
}

impl Slopes {
    fn new(tally: &Tally, reference: &Reference, programs: f64) -> Self {
        let of_class = slopes(&tally.classes(), &reference.classes, programs);
        let class = |op: &Op| class_of(*op).map_or(0.0, |class| of_class[class]);
        Self {
            classes: Op::ALL.iter().map(class).collect(),
            opcodes: slopes(&tally.opcodes, &reference.opcodes, programs),
            trigrams: slopes(&tally.trigrams, &reference.trigrams, programs),
        }
    }
}

/// The derivative of the alignment by the counts of one program among so many, at these counts.
fn slopes(counts: &[f64], reference: &Distribution, programs: f64) -> Vec<f64> {
    let total: f64 = counts.iter().sum();
    if total == 0.0 {
        return vec![0.0; counts.len()];
    }
    let shares = Distribution::of_counts(counts);
    let pulls = pull(&shares, reference);
    let mean = dot(&pulls, &shares.shares);
    pulls.iter().map(|pull| (pull - mean) * programs / total).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(ops: &[(Op, f64)]) -> Tally {
        let mut tally = Tally::default();
        ops.iter().for_each(|&(op, count)| tally.opcodes[op.index()] += count);
        tally
    }

    fn look(ops: &[(Op, f64)]) -> Look {
        let canonical = String::new();
        let tally = tally(ops);
        Look { executed: tally.clone(), tally, align: 0.0, length: 0.0, depth: None, fuel: 0, canonical }
    }

    /// The worth of a program is what the pool's alignment gains by a little more of it, relative to the pool.
    #[test]
    fn worth_is_the_derivative_of_the_pools_alignment() {
        let programs = [
            look(&[(Op::LocalGet, 5.0), (Op::I32Const, 4.0), (Op::Drop, 3.0)]),
            look(&[(Op::LocalGet, 1.0), (Op::I32Add, 2.0), (Op::Call, 1.0), (Op::Drop, 1.0)]),
            look(&[(Op::I32Const, 6.0), (Op::F64Sqrt, 2.0)]),
        ];
        let mut pool = Pool::default();
        programs.iter().for_each(|look| pool.add(look));
        let weights = Pooled { class: 0.0, opcode: 1.0, trigram: 0.0, executed: 0.0 };
        let slope = pool.slope(&weights);
        let step = 1e-5;
        for program in &programs {
            let mut more = pool.all.clone();
            more.add(&program.tally, step);
            let gained = more.likeness(&REAL_WORLD).opcode - pool.likeness().opcode;
            // The pool holds three programs.
            let expected = slope.of(program) / 3.0;
            assert!((gained / step - expected).abs() < 1e-4, "{} and {expected}", gained / step);
        }
        let sum: f64 = programs.iter().map(|program| slope.of(program)).sum();
        assert!(sum.abs() < 1e-9, "worth is relative to the pool: {sum}");
    }

    #[test]
    fn earlier_rounds_count_less() {
        let mut pool = Pool::default();
        pool.add(&look(&[(Op::Drop, 8.0)]));
        (0..40).for_each(|_| pool.fade());
        pool.add(&look(&[(Op::LocalGet, 1.0)]));
        assert!(pool.all.opcodes[Op::Drop.index()] < 1e-3);
        assert_eq!(pool.all.opcodes[Op::LocalGet.index()], 1.0);
    }
}
