//! Owns the instrumented copy that wasmtime runs: a program again, which differs from the one that is checked in ways
//! that change nothing it computes, and whose fuel is known to the unit.
//!
//! Must not know wasmtime, nor what else is run in the same module ([`super::merge`]). Everything that is to be seen is
//! left in globals of the copy's own, behind those of the program: they can be read when the run has ended, trapped or
//! not, hold values of every type, and need no host function, so that no index shifts. Imported memories, tables and
//! globals are the copy's own, made as their stand-ins are; imported functions stay imports.
//!
//! Each function and each type costs as much to compile as some hundred instructions, so a copy adds neither.

use super::Watch;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{BlockType, Flat, Global, Instr, Place, Probe, Program, SegmentMode, Seq, SeqId};
use crate::wasm::rerun::Snapshot;
use crate::wasm::types::{ValType, Value};
use std::collections::BTreeSet;
use std::ops::Range;

/// The copy, and where what it shows is found.
pub(super) struct Copy {
    pub(super) program: Program,
    /// What starts the run: it passes the arguments, calls, and leaves the results in globals. Neither takes operands nor
    /// leaves any.
    pub(super) call: Vec<Instr>,
    /// Globals with the results of the run.
    pub(super) results: Range<u32>,
    /// What was asked for at each probe, in the order of the watch.
    pub(super) probes: Vec<Shown>,
    /// Counters of the flags.
    pub(super) flags: Vec<u32>,
    /// Every piece of code that was put in: its counter and the fuel of one pass.
    passes: Vec<(u32, u64)>,
}

/// Where the operands at one probe are found.
pub(super) struct Shown {
    /// Counter of its hits.
    pub(super) counter: u32,
    hit: u32,
    /// Globals with all operands of the frame.
    pub(super) operands: Range<u32>,
}

impl Copy {
    /// A copy of a program that calls function `entry` with these arguments and watches what is to be watched.
    pub(super) fn new(program: &Program, entry: u32, args: &[Value], watch: Watch<'_>) -> Self {
        let mut copy = Copy {
            program: program.clone(),
            call: Vec::new(),
            results: 0..0,
            probes: Vec::new(),
            flags: Vec::new(),
            passes: Vec::new(),
        };
        let mut inserted = Vec::new();
        for &(probe, snapshot) in watch.operands {
            let shown = copy.show(program, probe, snapshot, &mut inserted);
            copy.probes.push(shown);
        }
        for (flag, _) in watch.flags {
            let counter = copy.counter(0);
            let place = program.place(flag.func, flag.pc).expect("a flag stands in the program");
            inserted.push((place, count(counter).to_vec()));
            copy.flags.push(counter);
        }
        copy.insert(inserted);
        copy.own_imports();
        copy.start_with(entry, args);
        copy
    }

    /// Fuel that the copy used so far beyond the program and [`Copy::call`], where the counters stand like this.
    pub(super) fn extra_fuel(&self, mut counter: impl FnMut(u32) -> u64) -> u64 {
        let passes: u64 = self.passes.iter().map(|&(global, fuel)| counter(global) * fuel).sum();
        let mut was_shown = |probe: &&Shown| counter(probe.counter) >= u64::from(probe.hit);
        let shown: u64 = self.probes.iter().filter(&mut was_shown).map(|probe| 2 * probe.operands.len() as u64).sum();
        passes + shown
    }

    fn global(&mut self, ty: ValType) -> u32 {
        let init = self.constant(Value::zero(ty));
        self.program.globals.push(Global { ty, mutable: true, init, import: None });
        self.program.globals.len() as u32 - 1
    }

    fn globals(&mut self, types: &[ValType]) -> Range<u32> {
        let first = self.program.globals.len() as u32;
        for &ty in types {
            self.global(ty);
        }
        first..first + types.len() as u32
    }

    fn constant(&mut self, value: Value) -> Instr {
        if value.ty != ValType::V128 {
            return Instr::constant(value.ty, value.bits);
        }
        self.program.vectors.push(value.bits);
        Instr::index(Op::V128Const, self.program.vectors.len() as u32 - 1)
    }

    /// A counter for code that costs `fuel` beside what counting costs.
    fn counter(&mut self, fuel: u64) -> u32 {
        let counter = self.global(ValType::I32);
        self.passes.push((counter, fuel + COUNT_FUEL));
        counter
    }

    /// A local of a function.
    fn local(&mut self, func: u32, ty: ValType) -> u32 {
        let params = self.program.func_type(func).params.len();
        let locals = &mut self.program.funcs[func as usize].locals;
        locals.push(ty);
        (params + locals.len() - 1) as u32
    }

    /// Shows the operands at a probe. Operands under an enclosing block are out of reach there, but they do not change
    /// inside it: they are kept in locals when it is entered.
    fn show(
        &mut self,
        program: &Program,
        probe: Probe,
        snapshot: Option<&Snapshot>,
        inserted: &mut Vec<(Place, Vec<Instr>)>,
    ) -> Shown {
        let flat = program.flatten(probe.func);
        let place = flat[probe.pc as usize].place;
        let Some(snapshot) = snapshot else {
            let counter = self.counter(0);
            inserted.push((place, count(counter).to_vec()));
            return Shown { counter, hit: probe.hit, operands: 0..0 };
        };
        let types: Vec<ValType> = snapshot.operands.iter().map(|value| value.ty).collect();
        let entries = enclosing(&flat, place.seq);
        assert_eq!(entries.len() + 1, snapshot.levels.len(), "a level for each block around the probe");
        let mut kept = Vec::new();
        let mut rest = types.as_slice();
        for (entry, &count_here) in entries.iter().zip(&snapshot.levels) {
            let (level, inner) = rest.split_at(count_here as usize);
            rest = inner;
            // The block's own operands, and the condition of an `if`, lie on top of the level.
            let (params, _) = program.block_arity(entry.instr.block_type());
            let condition = (entry.instr.op == Op::If).then_some(ValType::I32);
            let on_top = params.iter().copied().chain(condition);
            let moved: Vec<u32> = level.iter().copied().chain(on_top).map(|ty| self.local(probe.func, ty)).collect();
            kept.extend_from_slice(&moved[..level.len()]);
            let counter = self.counter(2 * moved.len() as u64);
            let code = [moved_off(&moved), count(counter).to_vec(), put_back(&moved)].concat();
            inserted.push((entry.place, code));
        }
        let moved: Vec<u32> = rest.iter().map(|&ty| self.local(probe.func, ty)).collect();
        kept.extend_from_slice(&moved);
        let counter = self.counter(2 * moved.len() as u64 + TEST_FUEL);
        let operands = self.globals(&types);
        let show = kept.iter().zip(operands.clone());
        let show = show.flat_map(|(&local, global)| [get(local), Instr::index(Op::GlobalSet, global)]).collect();
        let show = self.sequence(show);
        let test = [
            Instr::index(Op::GlobalGet, counter),
            Instr::constant(ValType::I32, probe.hit.into()),
            Instr::plain(Op::I32Eq),
            Instr::structured(Op::If, BlockType::Empty, show, None),
        ];
        inserted.push((place, [&moved_off(&moved)[..], &count(counter), &test, &put_back(&moved)].concat()));
        Shown { counter, hit: probe.hit, operands }
    }

    fn sequence(&mut self, code: Vec<Instr>) -> SeqId {
        self.program.seqs.push(Seq { code, open: false });
        self.program.seqs.len() as SeqId - 1
    }

    /// Puts code in, each piece before the place it is for. It leaves the operands as they were, so that the order of
    /// pieces at one place does not count.
    fn insert(&mut self, mut inserted: Vec<(Place, Vec<Instr>)>) {
        inserted.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        for (place, code) in inserted {
            let at = place.index as usize;
            self.program.seqs[place.seq as usize].code.splice(at..at, code);
        }
    }

    /// Makes memory, tables and globals the copy's own. Constant expressions may name imported globals alone, so what
    /// they name is put in their place.
    fn own_imports(&mut self) {
        let globals = self.program.globals.clone();
        let resolve = |instr: &mut Instr| {
            while instr.op == Op::GlobalGet {
                *instr = globals[instr.a as usize].init;
            }
        };
        let program = &mut self.program;
        for global in &mut program.globals {
            global.import = None;
            resolve(&mut global.init);
        }
        program.tables.iter_mut().for_each(|table| table.import = None);
        program.memory.iter_mut().for_each(|memory| memory.import = None);
        for elem in &mut program.elems {
            elem.items.iter_mut().for_each(resolve);
        }
        let modes = program.elems.iter_mut().map(|elem| &mut elem.mode);
        for mode in modes.chain(program.datas.iter_mut().map(|data| &mut data.mode)) {
            if let SegmentMode::Active { offset, .. } = mode {
                resolve(offset);
            }
        }
    }

    fn start_with(&mut self, entry: u32, args: &[Value]) {
        let results = self.program.func_type(entry).results.clone();
        self.results = self.globals(&results);
        let mut code: Vec<Instr> = args.iter().map(|&arg| self.constant(arg)).collect();
        code.push(Instr::index(Op::Call, entry));
        code.extend(self.results.clone().rev().map(|global| Instr::index(Op::GlobalSet, global)));
        self.call = code;
    }

    /// The functions that can become values: those that a `ref.func` names.
    pub(super) fn values(&self) -> BTreeSet<u32> {
        let program = &self.program;
        let items = program.elems.iter().flat_map(|elem| &elem.items);
        let inits = program.globals.iter().map(|global| &global.init);
        let code = program.seqs.iter().flat_map(|seq| &seq.code);
        items.chain(inits).chain(code).filter(|instr| instr.op == Op::RefFunc).map(|instr| instr.a).collect()
    }
}

/// Fuel of [`count`].
const COUNT_FUEL: u64 = 4;
/// Fuel of the test whether this is the hit that is asked for.
const TEST_FUEL: u64 = 4;

fn count(counter: u32) -> [Instr; 4] {
    [
        Instr::index(Op::GlobalGet, counter),
        Instr::constant(ValType::I32, 1),
        Instr::plain(Op::I32Add),
        Instr::index(Op::GlobalSet, counter),
    ]
}

fn get(local: u32) -> Instr {
    Instr::index(Op::LocalGet, local)
}

fn moved_off(locals: &[u32]) -> Vec<Instr> {
    locals.iter().rev().map(|&local| Instr::index(Op::LocalSet, local)).collect()
}

fn put_back(locals: &[u32]) -> Vec<Instr> {
    locals.iter().map(|&local| get(local)).collect()
}

/// The structured instructions around a sequence, outermost first.
fn enclosing(flat: &[Flat], seq: SeqId) -> Vec<Flat> {
    let holds = |entry: &&Flat, seq: SeqId| {
        entry.instr.op.row().imm == Imm::BlockType
            && (entry.instr.body() == seq || entry.instr.otherwise() == Some(seq))
    };
    let mut around = Vec::new();
    let mut inner = seq;
    while let Some(&outer) = flat.iter().find(|entry| holds(entry, inner)) {
        around.push(outer);
        inner = outer.place.seq;
    }
    around.reverse();
    around
}
