//! Owns the structures of a run: how often its loops go round, how far its branches go, how its functions are called, how
//! high its operands are stacked.
//!
//! Must not know values. What comes after the place that is asked about counts for nothing.

use super::Fact;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Instr, Place, Probe, Program};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// How a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Structure {
    /// The body of a loop runs so often or more.
    LoopRuns(u32),
    /// A branch that is taken leaves at least so many blocks beyond its own.
    BranchLeaves(u32),
    /// `br_table` chooses a label other than its default.
    TableChooses,
    /// A `return` is executed.
    Returns,
    /// A function is called.
    Calls,
    /// A function is called with several arguments of one type.
    CallsAlike,
    /// A function is called again.
    CallsAgain,
    /// Calls are nested so deep or deeper.
    CallDepth(u32),
    /// A function calls itself.
    Recurses,
    /// A declared local is read before it is set.
    LocalUnset,
    /// The same, in a function that was called before.
    LocalUnsetAgain,
    /// More than so many operands of one function are on the stack.
    StackAbove(u32),
    /// Blocks around an executed instruction: so many or more.
    Nesting(u32),
}

/// From where on a depth or a number is looked at.
const LOOPS: [u32; 5] = [2, 3, 4, 6, 8];
const LEAVES: [u32; 2] = [1, 2];
const CALLS: [u32; 2] = [2, 3];
const STACK: [u32; 8] = [2, 3, 4, 5, 6, 7, 8, 9];
const NESTING: [u32; 3] = [2, 3, 4];

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoopRuns(2) => f.write_str("loops whose body runs more than once"),
            Self::LoopRuns(times) => write!(f, "loops whose body runs {times} times or more"),
            Self::BranchLeaves(1) => f.write_str("branches out of more than one block"),
            Self::BranchLeaves(blocks) => write!(f, "branches out of more than {blocks} blocks"),
            Self::TableChooses => f.write_str("br_table with an index below its default"),
            Self::Returns => f.write_str("return"),
            Self::Calls => f.write_str("calls"),
            Self::CallsAlike => f.write_str("calls with several arguments of one type"),
            Self::CallsAgain => f.write_str("functions that are called again"),
            Self::CallDepth(depth) => write!(f, "calls nested {depth} deep or deeper"),
            Self::Recurses => f.write_str("recursion"),
            Self::LocalUnset => f.write_str("declared locals that are read before they are set"),
            Self::LocalUnsetAgain => {
                f.write_str("declared locals that are read before they are set, in functions that are called again")
            }
            Self::StackAbove(operands) => write!(f, "more than {operands} operands on the stack"),
            Self::Nesting(blocks) => write!(f, "code within {blocks} blocks or more"),
        }
    }
}

/// One activation, as far as it is looked at.
struct Frame {
    activation: u32,
    func: u32,
    set: HashSet<u32>,
    /// Whether its function was called before.
    again: bool,
}

/// Where the loop around each sequence stands, if there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Loops(HashMap<u32, (u32, Place)>);

impl Loops {
    pub(super) fn of(program: &Program) -> Self {
        let mut around = HashMap::new();
        for func in program.imported_funcs()..program.funcs.len() as u32 {
            // Outer sequences come before inner ones.
            for entry in program.flatten(func).iter().filter(|entry| entry.instr.op.row().imm == Imm::BlockType) {
                let own = (entry.instr.op == Op::Loop).then_some((func, entry.place));
                let Some(at) = own.or_else(|| around.get(&entry.place.seq).copied()) else { continue };
                around.insert(entry.instr.body(), at);
                around.extend(entry.instr.otherwise().map(|seq| (seq, at)));
            }
        }
        Self(around)
    }

    /// The innermost loop around a place.
    pub(super) fn around(&self, place: Place) -> Option<(u32, Place)> {
        self.0.get(&place.seq).copied()
    }
}

/// The observer.
pub(super) struct Structures<'a> {
    program: &'a Program,
    probe: Option<(u32, Place)>,
    hits_left: u32,
    over: bool,
    frames: Vec<Frame>,
    called: HashSet<u32>,
    visits: HashMap<(u32, Place), u32>,
    /// Blocks around each sequence.
    depths: HashMap<u32, u32>,
    loops: Loops,
    /// What executed last.
    last: Option<(u32, Place)>,
    found: BTreeMap<Structure, Vec<(u32, Place)>>,
}

impl<'a> Structures<'a> {
    pub(super) fn new(program: &'a Program, probe: Option<&Probe>) -> Self {
        let mut depths = HashMap::new();
        for func in program.imported_funcs()..program.funcs.len() as u32 {
            depths.extend(program.flatten(func).iter().map(|entry| (entry.place.seq, entry.depth)));
        }
        Self {
            program,
            probe: probe.and_then(|probe| Some((probe.func, program.place(probe.func, probe.pc)?))),
            hits_left: probe.map_or(0, |probe| probe.hit),
            over: false,
            frames: Vec::new(),
            called: HashSet::new(),
            visits: HashMap::new(),
            depths,
            loops: Loops::of(program),
            last: None,
            found: BTreeMap::new(),
        }
    }

    pub(super) fn found(self) -> BTreeMap<Fact, Vec<(u32, Place)>> {
        self.found.into_iter().map(|(structure, places)| (Fact::Structure(structure), places)).collect()
    }

    fn note(&mut self, structure: Structure, at: Option<(u32, Place)>) {
        let places = self.found.entry(structure).or_default();
        places.extend(at.filter(|at| !places.contains(at)));
    }

    fn note_from(&mut self, borders: &[u32], number: u32, structure: fn(u32) -> Structure, at: Option<(u32, Place)>) {
        borders.iter().filter(|&&border| number >= border).for_each(|&border| self.note(structure(border), at));
    }

    /// Keeps the frames as the machine has them.
    fn follow(&mut self, machine: &Machine, func: u32) {
        let activation = machine.activation();
        if let Some(at) = self.frames.iter().rposition(|frame| frame.activation == activation) {
            self.frames.truncate(at + 1);
            return;
        }
        let recurses = self.frames.iter().any(|frame| frame.func == func);
        let again = !self.called.insert(func);
        let depth = self.frames.len() as u32;
        self.frames.push(Frame { activation, func, set: HashSet::new(), again });
        if depth > 0 {
            let by = self.last;
            self.note(Structure::Calls, by);
            self.note_from(&CALLS, depth, Structure::CallDepth, by);
            let params = &self.program.func_type(func).params;
            if params.iter().enumerate().any(|(at, ty)| params[..at].contains(ty)) {
                self.note(Structure::CallsAlike, by);
            }
            for (structure, holds) in [(Structure::CallsAgain, again), (Structure::Recurses, recurses)] {
                if holds {
                    self.note(structure, by);
                }
            }
        }
    }

    fn local(&mut self, instr: Instr, at: (u32, Place)) {
        let params = self.program.func_type(at.0).params.len() as u32;
        let frame = self.frames.last_mut().expect("it was entered");
        if instr.op != Op::LocalGet {
            frame.set.insert(instr.a);
        } else if instr.a >= params && !frame.set.contains(&instr.a) {
            let again = frame.again;
            self.note(Structure::LocalUnset, Some(at));
            if again {
                self.note(Structure::LocalUnsetAgain, Some(at));
            }
        }
    }

    fn branch(&mut self, machine: &Machine, instr: Instr, at: (u32, Place)) {
        let top = || machine.operand(0).bits as u32;
        let label = match instr.op {
            Op::Br => Some(instr.a),
            Op::BrIf => (top() != 0).then_some(instr.a),
            _ => {
                let labels = &self.program.label_tables[instr.a as usize];
                let index = (top() as usize).min(labels.len() - 1);
                if index + 1 < labels.len() && labels[index] != labels[labels.len() - 1] {
                    self.note(Structure::TableChooses, Some(at));
                }
                Some(labels[index])
            }
        };
        if let Some(label) = label {
            self.note_from(&LEAVES, label, Structure::BranchLeaves, Some(at));
        }
    }
}

impl Observer for Structures<'_> {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        if self.over {
            return;
        }
        self.follow(machine, func);
        let height = machine.frame_operands().len() as u32;
        self.note_from(&STACK, height.saturating_sub(1), Structure::StackAbove, None);
        if self.hits_left > 0 && self.probe == Some((func, place)) {
            self.hits_left -= 1;
            self.over = self.hits_left == 0;
        }
        let program = self.program;
        let Some(&instr) = program.seqs[place.seq as usize].code.get(place.index as usize) else { return };
        let at = (func, place);
        let depth = self.depths.get(&place.seq).copied().unwrap_or(0);
        self.note_from(&NESTING, depth, Structure::Nesting, None);
        let visits = self.visits.entry((machine.activation(), place)).or_default();
        *visits += 1;
        let visits = *visits;
        self.note_from(&LOOPS, visits, Structure::LoopRuns, self.loops.around(place));
        self.last = Some(at);
        match instr.op {
            Op::LocalGet | Op::LocalSet | Op::LocalTee => self.local(instr, at),
            Op::Br | Op::BrIf | Op::BrTable => self.branch(machine, instr, at),
            Op::Return => self.note(Structure::Returns, Some(at)),
            _ => {}
        }
    }
}
