//! Owns how a place looks to a reader who executes nothing: where it stands, what stands near it, what encloses it, what
//! could jump over it, and who calls its function.
//!
//! Must not know whether it is reached, nor which of this tells so.

use crate::item::task::features::{Features, before, behind, size, word};
use crate::item::task::text::{self, Text};
use crate::wasm::isa::Op;
use crate::wasm::program::Flat;
use crate::weave::literal::bucket_of;

/// Blocks around a flag that are looked at, from the inside.
const LEVELS: usize = 4;
/// Branches before a flag that are looked at, nearest first.
const BRANCHES: usize = 3;

/// Everything to be seen around a place.
pub(crate) fn features(text: &Text, func: u32, pc: u32) -> Features {
    let (func, pc) = (func as usize, pc as usize);
    let mut seen = Seen { text, code: &text.code[func], func, pc, features: Features::default() };
    seen.place();
    seen.neighbours();
    seen.blocks();
    seen.branches();
    seen.counts();
    seen.callers();
    seen.features
}

struct Seen<'p> {
    text: &'p Text<'p>,
    code: &'p [Flat],
    func: usize,
    pc: usize,
    features: Features,
}

/// A block around a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Around {
    /// Where it begins.
    at: usize,
    /// Whether the place lies in the second arm of this `if`.
    otherwise: bool,
}

/// The blocks around a place, innermost first.
fn around(code: &[Flat], pc: usize) -> Vec<Around> {
    let (mut closed, mut otherwise, mut blocks) = (0_usize, false, Vec::new());
    for at in (0..pc).rev() {
        match code[at].instr.op {
            Op::End => closed += 1,
            Op::Else if closed == 0 => otherwise = true,
            Op::Block | Op::Loop | Op::If if closed > 0 => closed -= 1,
            Op::Block | Op::Loop | Op::If => {
                blocks.push(Around { at, otherwise });
                otherwise = false;
            }
            _ => {}
        }
    }
    blocks
}

/// A branch that leads over a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Over {
    /// Where it stands.
    at: usize,
    /// How many blocks around it do not enclose the place.
    inside: usize,
}

/// The branches before a place that leave a block around it, or the function, nearest first. Those of the arm that the
/// place does not lie in are none, nor those back to the start of a loop.
fn branches_over(text: &Text, code: &[Flat], pc: usize) -> Vec<Over> {
    let blocks = around(code, pc);
    // Blocks that are open at `at` and not at the place, and those around the place that begin behind `at`.
    let (mut inside, mut left, mut at, mut found) = (0_usize, 0_usize, pc, Vec::new());
    while at > 0 {
        at -= 1;
        let instr = code[at].instr;
        let labels = match instr.op {
            Op::Br | Op::BrIf => vec![instr.a],
            Op::BrTable => text.program.label_tables[instr.a as usize].clone(),
            Op::Return | Op::ReturnCall | Op::ReturnCallIndirect => vec![(inside + blocks.len()) as u32],
            _ => {
                match instr.op {
                    Op::End => inside += 1,
                    Op::Else if inside == 0 => at = blocks[left].at + 1,
                    Op::Block | Op::Loop | Op::If if inside > 0 => inside -= 1,
                    Op::Block | Op::Loop | Op::If => left += 1,
                    _ => {}
                }
                continue;
            }
        };
        let over = |label: &u32| {
            let target = (*label as usize).checked_sub(inside).map(|level| blocks.get(left + level));
            target.is_some_and(|block| block.is_none_or(|block| code[block.at].instr.op != Op::Loop))
        };
        if labels.iter().any(over) {
            found.push(Over { at, inside });
        }
    }
    found
}

impl Seen<'_> {
    fn add(&mut self, kind: &str, values: &[u64]) {
        self.features.add(kind, values);
    }

    fn place(&mut self) {
        let before: usize = self.text.code[..self.func].iter().map(Vec::len).sum();
        let all: usize = self.text.code.iter().map(Vec::len).sum();
        let tenth = |part: usize, whole: usize| (10 * part / whole.max(1)) as u64;
        let main = u64::from(self.func as u32 == self.text.entry);
        self.add("bias", &[]);
        self.add("function", &[self.func as u64]);
        self.add("in function", &[main, tenth(self.pc, self.code.len())]);
        self.add("in text", &[tenth(before + self.pc, all)]);
        self.add("line", &[main, size(self.pc)]);
        self.add("functions", &[main, self.text.code.len() as u64]);
    }

    /// The instructions next to it: one to three of them, on either side.
    fn neighbours(&mut self) {
        let above: [u64; 4] = before(self.code, self.pc);
        let below: [u64; 4] = behind(self.code, self.pc);
        for at in 0..4 {
            self.add("above", &[at as u64, above[at]]);
            self.add("below", &[at as u64, below[at]]);
        }
        for length in 2..=3 {
            self.add("above all", &above[..length]);
            self.add("below all", &below[..length]);
        }
        self.add("between", &[above[0], below[0]]);
        for (kind, range) in
            [("constant above", self.pc.saturating_sub(6)..self.pc), ("constant below", self.pc..self.pc + 6)]
        {
            let here = self.code.get(range.start..range.end.min(self.code.len())).unwrap_or_default();
            let found: Vec<u64> = here.iter().filter_map(|entry| self.bucket(entry)).collect();
            found.iter().for_each(|&bucket| self.add(kind, &[bucket]));
        }
    }

    /// The bucket of a constant, with its type.
    fn bucket(&self, entry: &Flat) -> Option<u64> {
        let value = text::constant(self.text.program, &entry.instr)?;
        Some((value.ty.index() as u64) << 32 | u64::from(bucket_of(value)))
    }

    /// What decides at a place: the instructions before it, and the constants among them.
    fn condition(&mut self, kind: &str, way: &[u64], at: usize) {
        let words: [u64; 3] = before(self.code, at);
        for length in 1..=3 {
            self.add(kind, &[way, &words[..length]].concat());
        }
        for back in 1..=3 {
            let entry = at.checked_sub(back).and_then(|at| self.code.get(at));
            if let Some(bucket) = entry.and_then(|entry| self.bucket(entry)) {
                self.add(kind, &[way, &[words[0], back as u64, bucket]].concat());
            }
        }
    }

    /// The blocks around it, and what decides on each `if`.
    fn blocks(&mut self) {
        let blocks = around(self.code, self.pc);
        self.add("depth", &[blocks.len() as u64]);
        let way = |block: &Around| word(self.code, Some(block.at)) * 2 + u64::from(block.otherwise);
        let ways: Vec<u64> = blocks.iter().map(way).collect();
        for (level, block) in blocks.iter().enumerate().take(LEVELS) {
            self.add("block", &[level as u64, ways[level]]);
            self.add("blocks", &ways[..=level]);
            self.add("since block", &[level as u64, ways[level], size(self.pc - block.at)]);
            if self.is(block, Op::If) {
                self.condition("if", &[ways[level]], block.at);
                self.condition("if at", &[level as u64, ways[level]], block.at);
            }
        }
        self.add("all blocks", &ways);
    }

    /// The branches before it that lead to somewhere behind it.
    fn branches(&mut self) {
        let found = branches_over(self.text, self.code, self.pc);
        self.add("branches", &[size(found.len())]);
        let beside = found.iter().filter(|branch| branch.inside == 0).count();
        self.add("branches beside", &[size(beside)]);
        for (nth, &Over { at, inside }) in found.iter().take(BRANCHES).enumerate() {
            let way = [word(self.code, Some(at)), size(inside)];
            self.add("branch", &[nth as u64, way[0], way[1]]);
            self.add("since branch", &[nth as u64, way[0], way[1], size(self.pc - at)]);
            self.condition("branch if", &way, at);
            if nth == 0 {
                self.condition("nearest branch if", &way, at);
            }
            if let Some(block) = around(self.code, at).first().filter(|block| inside > 0 && self.is(block, Op::If)) {
                self.condition("branch in if", &[way[0], block.otherwise.into()], block.at);
            }
        }
    }

    fn is(&self, block: &Around, op: Op) -> bool {
        self.code[block.at].instr.op == op
    }

    /// How often instructions stand before and behind it.
    fn counts(&mut self) {
        for (kind, part) in [("before", 0..self.pc), ("behind", self.pc..self.code.len())] {
            let mut words: Vec<u64> = part.map(|at| word(self.code, Some(at))).collect();
            words.sort_unstable();
            for same in words.chunk_by(|a, b| a == b) {
                self.add(kind, &[same[0]]);
                self.add("times", &[u64::from(kind == "before"), same[0], size(same.len())]);
            }
        }
        let own = around(self.code, self.pc).first().map_or(0, |block| block.at);
        for at in own..self.pc {
            let word = word(self.code, Some(at));
            self.add("in block", &[word]);
        }
    }

    /// Who calls its function.
    fn callers(&mut self) {
        if self.func as u32 == self.text.entry {
            return;
        }
        let text = self.text;
        let mut count = 0;
        for (func, code) in text.code.iter().enumerate() {
            for (at, entry) in code.iter().enumerate() {
                let instr = entry.instr;
                if !matches!(instr.op, Op::Call | Op::ReturnCall | Op::RefFunc) || instr.a as usize != self.func {
                    continue;
                }
                count += 1;
                let blocks = around(code, at);
                let main = u64::from(func as u32 == text.entry);
                self.add("call", &[main, word(code, Some(at)), blocks.len() as u64]);
                if let Some(block) = blocks.first() {
                    self.add("call in", &[main, word(code, Some(block.at)), block.otherwise.into()]);
                }
            }
        }
        self.add("calls", &[count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::parse::parse_text;

    #[test]
    fn the_blocks_around_a_place_are_found() {
        let text = "(module (func loop block end i32.const 1 if nop else block nop end nop end end))";
        let (program, _) = parse_text(text, &[]).expect("valid");
        let code = program.flatten(0);
        // 0 loop, 1 block, 2 end, 3 const, 4 if, 5 nop, 6 else, 7 block, 8 nop, 9 end, 10 nop, 11 end, 12 end
        let blocks = |pc| around(&code, pc).iter().map(|block| (block.at, block.otherwise)).collect::<Vec<_>>();
        assert_eq!(blocks(0), []);
        assert_eq!(blocks(2), [(1, false), (0, false)]);
        assert_eq!(blocks(3), [(0, false)]);
        assert_eq!(blocks(6), [(4, false), (0, false)]);
        assert_eq!(blocks(8), [(7, false), (4, true), (0, false)]);
        assert_eq!(blocks(10), [(4, true), (0, false)]);
        assert_eq!(blocks(12), [(0, false)]);
    }

    #[test]
    fn branches_that_lead_over_a_place_are_found() {
        let text = "(module (func (export \"run\") block br 0 end i32.const 0 br_if 0 block i32.const 1 if br 1 else \
             loop i32.const 2 br_if 0 i32.const 3 br_if 1 block i32.const 0 br_table 0 3 end nop end end end))";
        let (program, _) = parse_text(text, &[]).expect("valid");
        // 0 block, 1 br, 2 end, 3 const, 4 br_if, 5 block, 6 const, 7 if, 8 br, 9 else, 10 loop, 11 const, 12 br_if,
        // 13 const, 14 br_if, 15 block, 16 const, 17 br_table, 18 end, 19 nop, 20 end, 21 end, 22 end, 23 end
        let code: Vec<Vec<Flat>> = text::functions(&program).collect();
        let text = Text { program: &program, code: &code, entry: 0 };
        let over = |pc| {
            let found = branches_over(&text, &code[0], pc);
            found.iter().map(|over| (over.at, over.inside)).collect::<Vec<_>>()
        };
        assert_eq!(over(19), [(17, 1), (14, 0), (4, 0)]);
        assert_eq!(over(9), [(8, 0), (4, 0)], "still inside of the first arm");
        assert_eq!(over(22), [(17, 3), (8, 1), (4, 0)]);
        assert_eq!(over(3), []);
    }
}
