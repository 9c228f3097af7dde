//! Owns following values: which executed instruction made each, of which others, and which decided where to go.
//!
//! Must not know what it is used for. The program runs once more, watched; every value is followed from the
//! instruction that made it through operands, locals, globals, memory and calls. The following is approximate where a branch
//! carries several values at once.

use crate::item::record::Task;
use crate::wasm::effect::StackType;
use crate::wasm::isa::{Category, Op};
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Instr, Place, Probe, Program};
use crate::wasm::types::Value;
use std::collections::HashMap;

/// One executed instruction that made a value or decided where to go.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The instruction.
    pub(crate) instr: Instr,
    /// Where it stands: the function, and the place in it.
    pub(crate) at: (u32, Place),
    /// The second operand from the top, the top, and the result, as far as they are there.
    pub(crate) values: [Option<Value>; 3],
    /// Of an argument that is passed: its place, and how many others have its type.
    pub(crate) argument: Option<(u8, u8)>,
    /// What it computed with.
    pub(crate) inputs: Vec<usize>,
    /// How often this activation had executed it before.
    pub(crate) before: u32,
    /// Activations around it, and whether one of them is of the same function.
    pub(crate) depth: usize,
    pub(crate) recursive: bool,
}

impl Node {
    pub(crate) fn op(&self) -> Op {
        self.instr.op
    }
}

/// One activation of a function: which node made each operand and each local.
#[derive(Debug)]
pub(crate) struct Frame {
    activation: u32,
    func: u32,
    pub(crate) operands: Vec<usize>,
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
    at: (u32, Place),
    operands: [Option<Value>; 2],
    argument: Option<(u8, u8)>,
    before: u32,
}

/// The observer that follows.
pub(crate) struct FlowTrace<'a> {
    program: &'a Program,
    /// Node 0 stands for what nothing computed.
    pub(crate) nodes: Vec<Node>,
    pub(crate) frames: Vec<Frame>,
    globals: HashMap<u32, usize>,
    /// The last node that wrote to memory or a table.
    memory: usize,
    /// What decided about a branch.
    pub(crate) decisions: Vec<usize>,
    step: Option<Step>,
    visits: HashMap<(u32, Place), u32>,
    probe: Option<(u32, Place)>,
    hits_left: u32,
    /// What made the operands at the probe.
    pub(crate) asked: Vec<usize>,
    /// How many nodes there were at the probe.
    made_before: usize,
}

impl<'a> FlowTrace<'a> {
    pub(crate) fn new(program: &'a Program, probe: Option<&Probe>) -> Self {
        let nothing = Node {
            instr: Instr::plain(Op::Nop),
            at: (0, Place { seq: 0, index: 0 }),
            values: [None; 3],
            argument: None,
            inputs: vec![],
            before: 0,
            depth: 0,
            recursive: false,
        };
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
            made_before: usize::MAX,
        }
    }

    /// What made the values that are asked about: the operands at the probe, or, without one, those left at the end.
    pub(crate) fn roots(&self, task: Task) -> Vec<usize> {
        match task {
            Task::Stack => self.asked.clone(),
            Task::Result => self.frames.last().map_or(Vec::new(), |frame| frame.operands.clone()),
            _ => Vec::new(),
        }
    }

    /// The decisions that came before the probe; without one, all of them.
    pub(crate) fn decisions_before(&self) -> Vec<usize> {
        self.decisions.iter().copied().filter(|&node| node < self.made_before).collect()
    }

    /// All nodes that these were computed of, these among them, ascending.
    pub(crate) fn behind(&self, roots: &[usize]) -> Vec<usize> {
        let mut seen = vec![false; self.nodes.len()];
        let mut open = roots.to_vec();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut seen[node], true) {
                open.extend(&self.nodes[node].inputs);
            }
        }
        (1..seen.len()).filter(|&node| seen[node]).collect()
    }

    fn node(&mut self, step: &Step, inputs: Vec<usize>, result: Option<Value>) -> usize {
        let func = self.frames.last().map_or(0, |frame| frame.func);
        let [second, top] = step.operands;
        self.nodes.push(Node {
            instr: step.instr,
            at: step.at,
            values: [second, top, result],
            argument: step.argument,
            inputs,
            before: step.before,
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
        let result = (height > 0).then(|| machine.operand(0));
        let maker = self.execute(&step, result);
        self.frames.last_mut().expect("just looked at").fit(height, maker);
    }

    /// What an instruction that stayed in its function did to the operands; the node that made what it left.
    fn execute(&mut self, step: &Step, result: Option<Value>) -> usize {
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
                let node = self.node(step, decided_by, None);
                self.decisions.push(node);
                0
            }
            _ if row.category == Category::Control => 0,
            op => {
                let mut inputs = frame.take(StackType::of(op).popped.operands());
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
                let passed = Step { operands: [None; 2], argument: Some((at as u8, alike as u8)), ..*step };
                *made = self.node(&passed, vec![*made], Some(machine.local(at as u32)));
            }
        }
        self.frames.push(Frame { activation, func, operands: vec![0; height], locals });
    }
}

impl Observer for FlowTrace<'_> {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        self.settle(machine, func);
        if self.hits_left > 0 && self.probe == Some((func, place)) {
            self.hits_left -= 1;
            if self.hits_left == 0 {
                self.asked = self.frames.last().map_or(Vec::new(), |frame| frame.operands.clone());
                self.made_before = self.nodes.len();
            }
        }
        let Some(&instr) = self.program.seqs[place.seq as usize].code.get(place.index as usize) else { return };
        let visits = self.visits.entry((machine.activation(), place)).or_default();
        let before = *visits;
        *visits += 1;
        let height = machine.frame_operands().len();
        let operand = |down: usize| (down < height).then(|| machine.operand(down as u32));
        let frame = self.frames.last_mut().expect("it was entered");
        if instr.op == Op::CallIndirect || instr.op == Op::ReturnCallIndirect {
            frame.pop();
        }
        let operands = [operand(1), operand(0)];
        self.step = Some(Step { instr, at: (func, place), operands, argument: None, before });
    }
}
