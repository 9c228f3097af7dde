//! Owns how a place looks to somebody who reads the text around it without executing anything: a set of features.
//!
//! Must not know whether the place is reached, nor which features tell so ([`super::reader`] learns that). Features are
//! what a text classifier would count: the words next to the place, the blocks around it and their conditions, what
//! stands before and behind it in its block and its function, and where in the text it is.

use super::doubt::Site;
use crate::item::record::Probe;
use crate::item::task::text;
use crate::wasm::isa::Op;
use crate::wasm::program::{Flat, Place, Program};

/// Features are numbered below this.
pub(super) const FEATURES: usize = KINDS * VALUES;
/// Kinds of features, and different values of each; more values share numbers.
const KINDS: usize = 80;
const VALUES: usize = 499;

/// Words on each side that are read one by one.
const NEAR: usize = 3;
/// Blocks around it that are looked at.
const LEVELS: usize = 2;
/// What makes the way through a function: counted before and behind.
const TURNS: [Op; 10] =
    [Op::BrIf, Op::Br, Op::BrTable, Op::Return, Op::If, Op::Else, Op::Loop, Op::Block, Op::Unreachable, Op::Call];

/// A doubtful place, and what is seen around it.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) probe: Probe,
    pub(super) place: Place,
    pub(super) stretch: u32,
    pub(super) features: Vec<u16>,
}

/// The text of a program, to look at several places of it.
pub(super) struct Text<'p> {
    program: &'p Program,
    functions: Vec<Vec<Flat>>,
    lines: usize,
}

impl<'p> Text<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let functions: Vec<Vec<Flat>> = text::functions(program).collect();
        let lines = functions.iter().map(Vec::len).sum();
        Self { program, functions, lines }
    }

    /// How a place looks.
    pub(super) fn look(&self, site: &Site) -> Look {
        let flat = &self.functions[site.func as usize];
        let pc = flat.iter().position(|entry| entry.place == site.place).expect("every place has its entry");
        let mut seen = Seen { flat, pc, depth: site.depth, features: Vec::with_capacity(128) };
        seen.words();
        seen.blocks();
        seen.block();
        seen.turns();
        let before: usize = self.functions[..site.func as usize].iter().map(Vec::len).sum();
        let places = [
            site.fork as usize,
            usize::from(site.func == 0),
            site.depth as usize,
            size(before + pc),
            8 * (before + pc) / self.lines,
            size(self.lines),
            size(pc),
            8 * pc / flat.len(),
            size(flat.len()),
            self.program.globals.len(),
        ];
        places.into_iter().enumerate().for_each(|(kind, value)| seen.add(kind, value));
        let mut features = seen.features;
        features.sort_unstable();
        features.dedup();
        let probe = Probe { func: site.func, pc: pc as u32, hit: 1 };
        Look { probe, place: site.place, stretch: site.stretch, features }
    }
}

/// A number as its order of magnitude, in half octaves.
fn size(number: usize) -> usize {
    match number.checked_ilog2() {
        None | Some(0) => number,
        Some(octave) => 2 * octave as usize + (number >> (octave - 1) & 1),
    }
}

struct Seen<'a> {
    flat: &'a [Flat],
    pc: usize,
    depth: u32,
    features: Vec<u16>,
}

impl Seen<'_> {
    /// The feature that `kind` has this `value`.
    fn add(&mut self, kind: usize, value: usize) {
        self.features.push((kind * VALUES + value % VALUES) as u16);
    }

    /// The word at an entry; 0 outside the function.
    fn word(&self, at: Option<usize>) -> usize {
        at.and_then(|at| self.flat.get(at)).map_or(0, |entry| 1 + entry.instr.op.index())
    }

    /// The words next to it.
    fn words(&mut self) {
        let before: [Option<usize>; NEAR] = std::array::from_fn(|k| self.pc.checked_sub(1 + k));
        let behind: [Option<usize>; NEAR] = std::array::from_fn(|k| Some(self.pc + k));
        for (side, near) in [before, behind].into_iter().enumerate() {
            near.iter().enumerate().for_each(|(k, &at)| self.add(10 + side * NEAR + k, self.word(at)));
        }
    }

    /// The blocks around it, and what stands before each: the condition, if it is an `if`.
    fn blocks(&mut self) {
        let mut at = self.pc;
        let mut chain = 0;
        for level in 0..LEVELS.min(self.depth as usize) {
            let outside = self.depth - 1 - level as u32;
            let is_open = |entry: &Flat| entry.depth == outside && entry.instr.op != Op::End;
            let Some(open) = self.flat[..at].iter().rposition(is_open) else { return };
            let arm = self.flat[open].instr.op;
            at = self.flat[..=open].iter().rposition(|e| is_open(e) && e.instr.op != Op::Else).unwrap_or(open);
            let way = [Op::If, Op::Else].iter().position(|&op| op == arm).unwrap_or(2);
            chain = chain * 5 + arm.index();
            self.add(27 + level, arm.index());
            self.add(30 + level, chain);
            self.add(33 + 3 * level + way, self.word(at.checked_sub(1)));
            self.add(42 + 3 * level + way, self.word(at.checked_sub(2)));
        }
    }

    /// What stands before and behind it in its block, and in the blocks within that.
    fn block(&mut self) {
        let depth = self.depth;
        // `else` and `end` stand as deep as their block.
        let inside = |entry: &&Flat| entry.depth >= depth;
        let behind: Vec<&Flat> = self.flat[self.pc..].iter().take_while(inside).collect();
        let before: Vec<&Flat> = self.flat[..self.pc].iter().rev().take_while(inside).collect();
        for (side, part) in [before, behind].iter().enumerate() {
            let own = part.iter().filter(|entry| entry.depth == depth).count();
            self.add(51 + side, size(part.len()));
            self.add(53 + side, size(own));
            let mut counts = [[0_u8; Op::COUNT]; 2];
            for entry in part {
                let count = &mut counts[usize::from(entry.depth == depth)][entry.instr.op.index()];
                *count = count.saturating_add(1);
            }
            for (level, counts) in counts.iter().enumerate() {
                for (op, &count) in counts.iter().enumerate() {
                    if count > 0 {
                        self.add(55 + 6 * side + 3 * level, op);
                    }
                }
            }
            self.add(67 + side, size(counts[1][Op::Drop.index()].into()));
        }
    }

    /// The turns of its function before and behind it.
    fn turns(&mut self) {
        for (side, part) in [&self.flat[..self.pc], &self.flat[self.pc..]].into_iter().enumerate() {
            for (turn, &op) in TURNS.iter().enumerate() {
                let count = part.iter().filter(|entry| entry.instr.op == op).count();
                self.add(69 + side, turn * 12 + size(count).min(11));
            }
        }
    }
}
