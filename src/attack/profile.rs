//! Owns the profile of a question: of what its answer was computed, and with which values on the way.
//!
//! Must not know models or verdicts. The program runs once more, watched; every value is followed from the instruction
//! that made it through operands, locals, globals, memory and calls, so that code which the answer does not depend on
//! counts for little. The archive sorts questions by their profile, the cover looks in it for what was never asked about,
//! and the predictor learns from it. The following is approximate where a branch carries several values at once: a
//! feature may be missing or too many, and nothing that is told to anybody depends on it.

use super::construct::Construct;
use crate::item::record::{Probe, Task};
use crate::item::task::features::{Features, size};
use crate::wasm::isa::{Category, Op};
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Instr, Place, Program};
use crate::wasm::rerun;
use crate::wasm::types::Value;
use crate::weave::literal::bucket_of;
use std::collections::{BTreeMap, HashMap};

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Hashed facts, each below [`FEATURES`], ascending, each once.
    pub features: Vec<u16>,
    /// The construct that most of what the answer depends on belongs to.
    pub construct: Construct,
    /// Fuel of the run.
    pub fuel: u64,
}

/// How many features there are.
pub const FEATURES: usize = crate::item::task::features::BUCKETS;

impl Profile {
    /// Of a finished program and a question about it; `fuel` is what its run takes.
    ///
    /// # Panics
    /// If the program traps, which no woven one does.
    pub fn new(
        machine: &mut Machine,
        (program, entry): (&Program, u32),
        (task, probes): (Task, &[Probe]),
        fuel: u64,
    ) -> Self {
        let mut trace = Trace::new(program, if task == Task::Stack { probes.first() } else { None });
        let run = rerun::run(machine, program, entry, fuel, &mut trace);
        run.expect("it ran while woven");
        let roots = match task {
            Task::Stack => trace.asked.clone(),
            Task::Result => trace.frames.last().map_or(Vec::new(), |frame| frame.operands.clone()),
            Task::Reachability | Task::Fuel => Vec::new(),
        };
        let (behind, deciding) = (trace.behind(&roots), trace.behind(&trace.decisions));
        let mut features = Features::default();
        behind.iter().for_each(|&node| trace.nodes[node].facts("asked", &mut features));
        deciding.iter().for_each(|&node| trace.nodes[node].facts("decides", &mut features));
        features.add("fuel", &[size(fuel as usize)]);
        features.add("operands", &[size(roots.len())]);
        let mut on = features.on().to_vec();
        on.sort_unstable();
        on.dedup();
        let relevant: Vec<usize> = if behind.is_empty() { deciding } else { behind };
        let all: Vec<usize> = (1..trace.nodes.len()).collect();
        let construct = trace.dominant(&relevant).or_else(|| trace.dominant(&all)).unwrap_or(Construct::Other);
        Self { features: on, construct, fuel }
    }
}

/// No bucket: the operand is not there.
const NO_BUCKET: u8 = u8::MAX;

/// One executed instruction that made a value or decided where to go.
#[derive(Clone, Debug)]
struct Node {
    op: Op,
    /// Buckets of the second operand from the top, of the top, and of the result. Of an argument that is passed: its
    /// place, how many others have its type, and its own bucket.
    buckets: [u8; 3],
    /// What it computed with.
    inputs: Vec<usize>,
    /// Whether this activation had executed it before.
    again: bool,
    /// Activations around it, and whether one of them is of the same function.
    depth: usize,
    recursive: bool,
}

impl Node {
    fn facts(&self, role: &str, features: &mut Features) {
        let role = u64::from(role == "asked");
        let [second, top, result] = self.buckets.map(u64::from);
        let (op, category) = (self.op.index() as u64, self.op.row().category.index() as u64);
        features.add("op", &[role, op]);
        features.add("op of", &[role, op, top]);
        features.add("op of both", &[role, op, second, top]);
        features.add("op to", &[role, op, result]);
        features.add("kind of to", &[role, category, second, top, result]);
        features.add("structure", &[role, u64::from(self.again), self.depth.min(3) as u64, u64::from(self.recursive)]);
        if self.again || self.depth > 0 {
            features.add("op in", &[role, op, u64::from(self.again), u64::from(self.depth > 0)]);
        }
    }

    fn construct(&self) -> Option<Construct> {
        if self.recursive {
            return Some(Construct::Recursion);
        }
        if self.again {
            return Some(Construct::Loop);
        }
        let own = Construct::of(self.op);
        if self.depth > 0 && own.is_some() { Some(Construct::Call) } else { own }
    }
}

/// One activation of a function: which node made each operand and each local.
#[derive(Debug)]
struct Frame {
    activation: u32,
    func: u32,
    operands: Vec<usize>,
    locals: Vec<usize>,
}

impl Frame {
    fn pop(&mut self) -> usize {
        self.operands.pop().unwrap_or(0)
    }

    fn take(&mut self, count: usize) -> Vec<usize> {
        self.operands.split_off(self.operands.len().saturating_sub(count))
    }

    fn local(&mut self, index: u32) -> &mut usize {
        let index = index as usize;
        if self.locals.len() <= index {
            self.locals.resize(index + 1, 0);
        }
        &mut self.locals[index]
    }

    /// As many operands as the machine has: a branch carries the top one down, what is missing is of `maker`.
    fn fit(&mut self, height: usize, maker: usize) {
        if self.operands.len() > height {
            let top = self.pop();
            self.operands.truncate(height);
            if let Some(last) = self.operands.last_mut() {
                *last = top;
            }
        }
        self.operands.resize(height, maker);
    }
}

/// An instruction that executes now; what it does is seen at the next step.
#[derive(Clone, Copy)]
struct Step {
    instr: Instr,
    buckets: [u8; 2],
    again: bool,
}

/// The observer.
struct Trace<'a> {
    program: &'a Program,
    /// Node 0 stands for what nothing computed.
    nodes: Vec<Node>,
    frames: Vec<Frame>,
    globals: HashMap<u32, usize>,
    /// The last node that wrote to memory or a table.
    memory: usize,
    /// What decided about a branch.
    decisions: Vec<usize>,
    step: Option<Step>,
    visits: HashMap<(u32, Place), u32>,
    probe: Option<(u32, Place)>,
    hits_left: u32,
    /// What made the operands at the probe.
    asked: Vec<usize>,
}

impl<'a> Trace<'a> {
    fn new(program: &'a Program, probe: Option<&Probe>) -> Self {
        let nothing =
            Node { op: Op::Nop, buckets: [NO_BUCKET; 3], inputs: vec![], again: false, depth: 0, recursive: false };
        Self {
            program,
            nodes: vec![nothing],
            frames: Vec::new(),
            globals: HashMap::new(),
            memory: 0,
            decisions: Vec::new(),
            step: None,
            visits: HashMap::new(),
            probe: probe.and_then(|probe| Some((probe.func, program.place(probe.func, probe.pc)?))),
            hits_left: probe.map_or(0, |probe| probe.hit),
            asked: Vec::new(),
        }
    }

    /// All nodes that these were computed of, these among them, ascending.
    fn behind(&self, roots: &[usize]) -> Vec<usize> {
        let mut seen = vec![false; self.nodes.len()];
        let mut open = roots.to_vec();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut seen[node], true) {
                open.extend(&self.nodes[node].inputs);
            }
        }
        (1..seen.len()).filter(|&node| seen[node]).collect()
    }

    /// The construct of most of these nodes; the first of them in its list where several have as many.
    fn dominant(&self, nodes: &[usize]) -> Option<Construct> {
        let mut votes: BTreeMap<Construct, u32> = BTreeMap::new();
        for construct in nodes.iter().filter_map(|&node| self.nodes[node].construct()) {
            *votes.entry(construct).or_default() += 1;
        }
        votes.into_iter().rev().max_by_key(|(_, votes)| *votes).map(|(construct, _)| construct)
    }

    fn node(&mut self, step: &Step, inputs: Vec<usize>, result: u8) -> usize {
        let func = self.frames.last().map_or(0, |frame| frame.func);
        let [second, top] = step.buckets;
        self.nodes.push(Node {
            op: step.instr.op,
            buckets: [second, top, result],
            inputs,
            again: step.again,
            depth: self.frames.len().saturating_sub(1),
            recursive: self.frames.iter().rev().skip(1).any(|frame| frame.func == func),
        });
        self.nodes.len() - 1
    }

    /// Enters what the last instruction did, now that the machine has done it.
    fn settle(&mut self, machine: &Machine, func: u32) {
        let (activation, height) = (machine.activation(), machine.frame_operands().len());
        let Some(step) = self.step.take() else {
            return self.enter(activation, func, height, None);
        };
        if self.frames.last().is_none_or(|frame| frame.activation != activation) {
            return self.enter(activation, func, height, Some((machine, &step)));
        }
        let result = if height > 0 { bucket(machine.operand(0)) } else { NO_BUCKET };
        let maker = self.execute(&step, result);
        self.frames.last_mut().expect("just looked at").fit(height, maker);
    }

    /// What an instruction that stayed in its function did to the operands; the node that made what it left.
    fn execute(&mut self, step: &Step, result: u8) -> usize {
        let (row, index) = (step.instr.op.row(), step.instr.a);
        let frame = self.frames.last_mut().expect("something runs");
        match step.instr.op {
            Op::LocalGet => *frame.local(index),
            Op::LocalSet | Op::LocalTee => {
                let made = frame.pop();
                *frame.local(index) = made;
                made
            }
            Op::GlobalGet => self.globals.get(&index).copied().unwrap_or(0),
            Op::GlobalSet => {
                let made = frame.pop();
                self.globals.insert(index, made);
                0
            }
            Op::Drop => frame.pop(),
            Op::If | Op::BrIf | Op::BrTable => {
                let decided_by = vec![frame.pop()];
                let node = self.node(step, decided_by, NO_BUCKET);
                self.decisions.push(node);
                0
            }
            _ if row.category == Category::Control => 0,
            op => {
                // Only `select` and what writes a table have operands beside those of the row: of any type.
                let beside = match op {
                    Op::Select | Op::TypedSelect => 2,
                    Op::TableSet | Op::TableFill | Op::TableGrow | Op::RefIsNull => 1,
                    _ => 0,
                };
                let mut inputs = frame.take(row.params.len() + beside);
                let is_state = matches!(
                    row.category,
                    Category::Load | Category::Store | Category::Memory | Category::Table | Category::Call
                );
                if is_state {
                    inputs.push(self.memory);
                }
                let node = self.node(step, inputs, result);
                let writes = !matches!(row.category, Category::Load) && !matches!(op, Op::TableGet | Op::TableSize);
                if is_state && writes {
                    self.memory = node;
                }
                node
            }
        }
    }

    /// Execution is in another activation: a new one, or one that was left for a while.
    fn enter(&mut self, activation: u32, func: u32, height: usize, by: Option<(&Machine, &Step)>) {
        if let Some(at) = self.frames.iter().rposition(|frame| frame.activation == activation) {
            let left = self.frames.split_off(at + 1);
            let maker = if by.is_some() { self.memory } else { 0 };
            let made = left.last().and_then(|frame| frame.operands.last()).copied().unwrap_or(maker);
            return self.frames[at].fit(height, made);
        }
        let program = self.program;
        let params = &program.func_type(func).params;
        let mut locals = self.frames.last_mut().map_or(Vec::new(), |frame| frame.take(params.len()));
        if let Some((machine, step)) = by {
            for (at, made) in locals.iter_mut().enumerate() {
                // Which argument it is, and how many others it could be taken for.
                let alike = params.iter().filter(|&&ty| ty == params[at]).count() - 1;
                let passed = Step { buckets: [at as u8, alike as u8], ..*step };
                *made = self.node(&passed, vec![*made], bucket(machine.local(at as u32)));
            }
        }
        self.frames.push(Frame { activation, func, operands: vec![0; height], locals });
    }
}

impl Observer for Trace<'_> {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        self.settle(machine, func);
        if self.hits_left > 0 && self.probe == Some((func, place)) {
            self.hits_left -= 1;
            if self.hits_left == 0 {
                self.asked = self.frames.last().map_or(Vec::new(), |frame| frame.operands.clone());
            }
        }
        let Some(&instr) = self.program.seqs[place.seq as usize].code.get(place.index as usize) else { return };
        let visits = self.visits.entry((machine.activation(), place)).or_default();
        *visits += 1;
        let again = *visits > 1;
        let height = machine.frame_operands().len();
        let at = |down: usize| if down < height { bucket(machine.operand(down as u32)) } else { NO_BUCKET };
        let frame = self.frames.last_mut().expect("it was entered");
        if instr.op == Op::CallIndirect || instr.op == Op::ReturnCallIndirect {
            frame.pop();
        }
        self.step = Some(Step { instr, buckets: [at(1), at(0)], again });
    }
}

fn bucket(value: Value) -> u8 {
    bucket_of(value) as u8
}

#[cfg(test)]
mod tests;
