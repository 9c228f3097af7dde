//! Owns where reaching is in doubt: which places a reader cannot decide on without executing something.
//!
//! Must not know what an execution does. A walk over the text finds what every run passes, what stands behind an
//! unconditional branch, and what lies between: behind a fork. Places that no run can tell apart form one *stretch*, of
//! which one flag asks enough.

use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{Instr, Place, Program, SeqId};
use std::collections::BTreeSet;

/// What the text alone says about whether a place is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Prospect {
    /// Behind an unconditional branch, or never called.
    Never,
    /// Behind a fork.
    Maybe,
    /// On every way through the program. Loops end, since the program does.
    Surely,
}

/// A doubtful place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) func: u32,
    pub(super) place: Place,
    /// Number of its stretch: sites of one stretch are reached together or not at all.
    pub(super) stretch: u32,
    prospect: Prospect,
}

/// Every doubtful place, in the order of the text.
pub(super) fn sites(program: &Program, entry: u32) -> Vec<Site> {
    let mut sites = places(program, entry);
    sites.retain(|site| site.prospect == Prospect::Maybe);
    sites
}

/// Every place that the text does not rule out, and the first of each stretch that it does.
fn places(program: &Program, entry: u32) -> Vec<Site> {
    let mut prospects = vec![Prospect::Never; program.funcs.len()];
    prospects[entry as usize] = Prospect::Surely;
    // What is known of a function rises with each caller that is found; at most twice for each.
    loop {
        let mut walk = Walk::new(program);
        for (func, &prospect) in prospects.iter().enumerate() {
            if prospect != Prospect::Never && program.funcs[func].import.is_none() {
                walk.function(func as u32, prospect);
            }
        }
        let mut risen = false;
        for &(callee, prospect) in &walk.calls {
            let known = &mut prospects[callee as usize];
            risen |= prospect > *known;
            *known = prospect.max(*known);
        }
        if !risen {
            return walk.sites;
        }
    }
}

/// How a sequence can be left.
#[derive(Debug, Default)]
struct Exits {
    /// At its end.
    falls: bool,
    /// Forward to these labels, 0 being its own.
    labels: BTreeSet<usize>,
    /// Back to the start of these loops, which are left some other way in the end.
    loops: BTreeSet<usize>,
}

impl Exits {
    fn add(&mut self, other: Self) {
        self.falls |= other.falls;
        self.labels.extend(other.labels);
        self.loops.extend(other.loops);
    }

    /// Those of a sequence inside, beyond its own label, seen from outside.
    fn add_outer(&mut self, inner: Self) {
        let outer = |labels: BTreeSet<usize>| labels.into_iter().filter_map(|label| label.checked_sub(1));
        self.labels.extend(outer(inner.labels));
        self.loops.extend(outer(inner.loops));
    }
}

/// Where the walk stands.
#[derive(Clone, Copy)]
struct State {
    prospect: Prospect,
    stretch: u32,
}

struct Walk<'p> {
    program: &'p Program,
    func: u32,
    /// For each open label of the function, whether it is a loop's.
    labels: Vec<bool>,
    calls: Vec<(u32, Prospect)>,
    /// The functions that a table may hold.
    in_tables: BTreeSet<u32>,
    sites: Vec<Site>,
    stretches: u32,
}

impl<'p> Walk<'p> {
    fn new(program: &'p Program) -> Self {
        let items = program.elems.iter().flat_map(|elem| &elem.items);
        let code = program.seqs.iter().flat_map(|seq| &seq.code);
        let named = items.chain(code).filter(|instr| instr.op == Op::RefFunc).map(|instr| instr.a).collect();
        let calls = Vec::new();
        Self { program, func: 0, labels: Vec::new(), calls, in_tables: named, sites: Vec::new(), stretches: 0 }
    }

    fn function(&mut self, func: u32, prospect: Prospect) {
        self.func = func;
        let mut state = State { prospect, stretch: 0 };
        self.fork(&mut state, prospect);
        self.enter(self.program.funcs[func as usize].body, false, state);
    }

    /// Begins a stretch.
    fn fork(&mut self, state: &mut State, prospect: Prospect) {
        self.stretches += 1;
        *state = State { prospect, stretch: self.stretches };
    }

    fn enter(&mut self, seq: SeqId, is_loop: bool, state: State) -> Exits {
        self.labels.push(is_loop);
        let exits = self.sequence(seq, state);
        self.labels.pop();
        exits
    }

    fn sequence(&mut self, seq: SeqId, mut state: State) -> Exits {
        let mut exits = Exits::default();
        let code = &self.program.seqs[seq as usize].code;
        for (index, instr) in code.iter().enumerate() {
            self.site(Place { seq, index: index as u32 }, state);
            if state.prospect == Prospect::Never {
                return exits;
            }
            let before = index.checked_sub(1).map(|at| &code[at]);
            self.step(instr, before, &mut state, &mut exits);
        }
        self.site(Place { seq, index: code.len() as u32 }, state);
        exits.falls = state.prospect != Prospect::Never;
        exits
    }

    fn site(&mut self, place: Place, state: State) {
        let State { prospect, stretch } = state;
        self.sites.push(Site { func: self.func, place, stretch, prospect });
    }

    fn step(&mut self, instr: &Instr, before: Option<&Instr>, state: &mut State, exits: &mut Exits) {
        // A condition that is a constant is no doubt.
        let known = before.filter(|before| before.op == Op::I32Const).map(|before| before.b as u32);
        match instr.op {
            Op::Call => self.calls.push((instr.a, state.prospect)),
            Op::CallIndirect => self.call_any(instr, state.prospect),
            Op::Br => self.branch(&[instr.a], state, exits),
            Op::Return => self.return_(state, exits),
            Op::ReturnCall => {
                self.calls.push((instr.a, state.prospect));
                self.return_(state, exits);
            }
            Op::ReturnCallIndirect => {
                self.call_any(instr, state.prospect);
                self.return_(state, exits);
            }
            Op::Unreachable => state.prospect = Prospect::Never,
            Op::BrTable => {
                let labels = &self.program.label_tables[instr.a as usize];
                let last = labels.len() - 1;
                let chosen = known.map(|index| last.min(index as usize));
                self.branch(chosen.map_or(&labels[..], |index| &labels[index..=index]), state, exits);
            }
            Op::BrIf => match known {
                Some(0) => {}
                Some(_) => self.branch(&[instr.a], state, exits),
                None => {
                    self.note(instr.a, exits);
                    self.pass(self.is_loop(instr.a), state);
                }
            },
            _ if instr.op.row().imm == Imm::BlockType => self.structure(instr, known, state, exits),
            _ => {}
        }
    }

    /// Calls one of the functions of this type that a table may hold; which one is in doubt.
    fn call_any(&mut self, instr: &Instr, prospect: Prospect) {
        let (program, ty) = (self.program, &self.program.types[instr.a as usize]);
        let fits = self.in_tables.iter().filter(|&&func| program.func_type(func) == ty);
        self.calls.extend(fits.map(|&func| (func, prospect.min(Prospect::Maybe))));
    }

    fn return_(&mut self, state: &mut State, exits: &mut Exits) {
        self.branch(&[self.labels.len() as u32 - 1], state, exits);
    }

    fn is_loop(&self, label: u32) -> bool {
        self.labels[self.labels.len() - 1 - label as usize]
    }

    fn note(&self, label: u32, exits: &mut Exits) {
        let labels = if self.is_loop(label) { &mut exits.loops } else { &mut exits.labels };
        labels.insert(label as usize);
    }

    /// Leaves for good, to one of these labels.
    fn branch(&mut self, targets: &[u32], state: &mut State, exits: &mut Exits) {
        targets.iter().for_each(|&label| self.note(label, exits));
        state.prospect = Prospect::Never;
    }

    /// Goes on behind something that may have left instead: back alone, or also forward. Who goes back from a place that
    /// every run comes to comes to it again; behind a way out, the next time may take that.
    fn pass(&mut self, only_back: bool, state: &mut State) {
        if !(only_back && state.prospect == Prospect::Surely) {
            self.fork(state, Prospect::Maybe);
        }
    }

    fn structure(&mut self, instr: &Instr, known: Option<u32>, state: &mut State, exits: &mut Exits) {
        let mut inner = match instr.op {
            Op::If => self.arms(instr, known, *state),
            op => self.enter(instr.body(), op == Op::Loop, *state),
        };
        let goes_on = inner.falls || inner.labels.remove(&0);
        inner.loops.remove(&0);
        let (forward, back) = (!inner.labels.is_empty(), !inner.loops.is_empty());
        exits.add_outer(inner);
        match (goes_on, forward || back) {
            (false, _) => state.prospect = Prospect::Never,
            (true, false) => {}
            (true, true) => self.pass(!forward, state),
        }
    }

    fn arms(&mut self, instr: &Instr, known: Option<u32>, state: State) -> Exits {
        let arms = [(Some(instr.body()), known != Some(0)), (instr.otherwise(), known.is_none_or(|known| known == 0))];
        let mut exits = Exits::default();
        for (arm, _) in arms.into_iter().filter(|(_, possible)| *possible) {
            let Some(seq) = arm else {
                exits.falls = true;
                continue;
            };
            let mut state = state;
            if known.is_none() {
                self.fork(&mut state, Prospect::Maybe);
            }
            exits.add(self.enter(seq, false, state));
        }
        exits
    }
}
