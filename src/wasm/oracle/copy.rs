//! Owns the instrumented copy that wasmtime runs: a program again, which differs from the one that is checked in ways
//! that change nothing it computes, and whose fuel is known to the unit.
//!
//! Must not know wasmtime, nor what else is run in the same module ([`super::merge`]). Everything that is to be seen is
//! left in globals of the copy's own, behind those of the program: they can be read when the run has ended, trapped or
//! not, hold values of every type, and need no host function, so that no index shifts. Imported memories, tables and
//! globals are the copy's own, made as their stand-ins are; imported functions stay imports.
//!
//! Each function and each type costs as much to compile as some hundred instructions, so a copy adds neither; and where
//! it is known which functions began, the others have no code in it ([`Role::Absent`]): a run of some instructions in a
//! module of some megabytes costs what those instructions do.

use super::around::{Surroundings, surroundings};
use super::{Case, Run};
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{BlockType, Flat, Func, Global, Instr, Place, Probe, Program, SegmentMode, Seq, SeqId};
use crate::wasm::rerun::Snapshot;
use crate::wasm::types::{ValType, Value};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// The copy, and where what it shows is found.
pub(super) struct Copy {
    pub(super) program: Program,
    /// What becomes of each function.
    pub(super) roles: Vec<Role>,
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
    /// Globals in which operands lie while something is put before them, by their types.
    scratch: HashMap<ValType, Vec<u32>>,
    /// The locals in which the operands under a block are kept, by the place of the block.
    kept: HashMap<Place, Vec<u32>>,
}

/// What becomes of a function in the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is imported, and nothing but a stand-in.
    Imported,
    /// It has its code.
    Defined,
    /// It never began on our machine, but something refers to it: it is imported, and if it is called after all the copy
    /// has gone astray.
    Absent,
    /// Nothing refers to it.
    Gone,
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
    /// A copy of a case's program that makes the same call and watches what is to be watched, in which only the functions
    /// begin that ran, if that is known.
    pub(super) fn new(case: &Case<'_>) -> Self {
        let Case { program, watch, run: Run { entry, args, ran, .. }, .. } = *case;
        let mut copy = Copy {
            program: with_code_of(program, ran),
            roles: Vec::new(),
            call: Vec::new(),
            results: 0..0,
            probes: Vec::new(),
            flags: Vec::new(),
            passes: Vec::new(),
            scratch: HashMap::new(),
            kept: HashMap::new(),
        };
        let begins = |func: u32| ran.is_none_or(|ran| ran.contains(&func));
        let mut inserted = Vec::new();
        let around = surroundings(program, watch.operands.iter().map(|(probe, _)| probe));
        for (&(probe, snapshot), around) in watch.operands.iter().zip(&around) {
            let shown = match snapshot {
                Some(snapshot) if begins(probe.func) => copy.show(probe, snapshot, around, &mut inserted),
                _ => {
                    let counter = copy.counter(0);
                    inserted.extend(begins(probe.func).then(|| (around.place, count(counter).to_vec())));
                    Shown { counter, hit: probe.hit, operands: 0..0 }
                }
            };
            copy.probes.push(shown);
        }
        let places = program.places(watch.flags.iter().map(|(flag, _)| flag));
        for ((flag, _), place) in watch.flags.iter().zip(places) {
            let counter = copy.counter(0);
            let place = place.expect("a flag stands in the program");
            inserted.extend(begins(flag.func).then(|| (place, count(counter).to_vec())));
            copy.flags.push(counter);
        }
        copy.insert(inserted);
        copy.own_imports();
        copy.start_with(entry, args);
        copy.roles = copy.roles(ran);
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
    /// inside it: they are kept in locals when it is entered, since each activation has its own. Those in reach are moved
    /// off and put back at once, which globals can do too; they may be more than a function may have locals.
    fn show(
        &mut self,
        probe: Probe,
        snapshot: &Snapshot,
        around: &Surroundings,
        inserted: &mut Vec<(Place, Vec<Instr>)>,
    ) -> Shown {
        let types: Vec<ValType> = snapshot.operands.iter().map(|value| value.ty).collect();
        assert_eq!(around.blocks.len() + 1, snapshot.levels.len(), "a level for each block around the probe");
        let mut kept = Vec::new();
        let mut rest = types.as_slice();
        for (entry, &count_here) in around.blocks.iter().zip(&snapshot.levels) {
            let (level, inner) = rest.split_at(count_here as usize);
            rest = inner;
            if !level.is_empty() {
                kept.extend(self.keep(probe.func, entry, level, inserted).into_iter().map(Store::Local));
            }
        }
        let moved: Vec<Store> = self.scratch(rest.iter().copied());
        kept.extend_from_slice(&moved);
        let counter = self.counter(2 * moved.len() as u64 + TEST_FUEL);
        let operands = self.globals(&types);
        let show = kept.iter().zip(operands.clone());
        let show = show.flat_map(|(store, global)| [store.get(), Store::Global(global).set()]).collect();
        let show = self.sequence(show);
        let test = [
            Instr::index(Op::GlobalGet, counter),
            Instr::constant(ValType::I32, probe.hit.into()),
            Instr::plain(Op::I32Eq),
            Instr::structured(Op::If, BlockType::Empty, show, None),
        ];
        inserted.push((around.place, [&moved_off(&moved)[..], &count(counter), &test, &put_back(&moved)].concat()));
        Shown { counter, hit: probe.hit, operands }
    }

    /// The locals with the operands of these types under a block.
    fn keep(
        &mut self,
        func: u32,
        entry: &Flat,
        level: &[ValType],
        inserted: &mut Vec<(Place, Vec<Instr>)>,
    ) -> Vec<u32> {
        if let Some(locals) = self.kept.get(&entry.place) {
            return locals.clone();
        }
        let locals: Vec<u32> = level.iter().map(|&ty| self.local(func, ty)).collect();
        // The block's own operands, and the condition of an `if`, lie on top of the level.
        let (params, _) = self.program.block_arity(entry.instr.block_type());
        let condition = (entry.instr.op == Op::If).then_some(ValType::I32);
        let on_top: Vec<ValType> = params.iter().copied().chain(condition).collect();
        let moved = locals.iter().copied().map(Store::Local).chain(self.scratch(on_top)).collect::<Vec<_>>();
        let counter = self.counter(2 * moved.len() as u64);
        inserted.push((entry.place, [moved_off(&moved), count(counter).to_vec(), put_back(&moved)].concat()));
        self.kept.insert(entry.place, locals.clone());
        locals
    }

    /// Globals for operands of these types, for as long as no other piece of code runs.
    fn scratch(&mut self, types: impl IntoIterator<Item = ValType>) -> Vec<Store> {
        let mut used: HashMap<ValType, usize> = HashMap::new();
        let mut store = |ty: ValType| {
            let at = used.entry(ty).or_default();
            *at += 1;
            let known = self.scratch.get(&ty).and_then(|globals| globals.get(*at - 1)).copied();
            Store::Global(known.unwrap_or_else(|| {
                let global = self.global(ty);
                self.scratch.entry(ty).or_default().push(global);
                global
            }))
        };
        types.into_iter().map(&mut store).collect()
    }

    fn sequence(&mut self, code: Vec<Instr>) -> SeqId {
        self.program.seqs.push(Seq { code, open: false });
        self.program.seqs.len() as SeqId - 1
    }

    /// Puts code in, each piece before the place it is for. It leaves the operands as they were, so that the order of
    /// pieces at one place does not count.
    fn insert(&mut self, mut inserted: Vec<(Place, Vec<Instr>)>) {
        inserted.sort_by_key(|(place, _)| *place);
        for pieces in inserted.chunk_by(|(one, _), (other, _)| one.seq == other.seq) {
            let seq = &mut self.program.seqs[pieces[0].0.seq as usize];
            let old = std::mem::take(&mut seq.code);
            let mut copied = 0;
            for (place, code) in pieces {
                seq.code.extend_from_slice(&old[copied..place.index as usize]);
                seq.code.extend_from_slice(code);
                copied = place.index as usize;
            }
            seq.code.extend_from_slice(&old[copied..]);
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

    /// Every constant instruction, and all code that is there.
    fn all_code(&self) -> impl Iterator<Item = &Instr> {
        let program = &self.program;
        let items = program.elems.iter().flat_map(|elem| &elem.items);
        let inits = program.globals.iter().map(|global| &global.init);
        items.chain(inits).chain(program.seqs.iter().flat_map(|seq| &seq.code))
    }

    /// The functions that can become values: those that a `ref.func` names.
    pub(super) fn values(&self) -> BTreeSet<u32> {
        self.all_code().filter(|instr| instr.op == Op::RefFunc).map(|instr| instr.a).collect()
    }

    fn roles(&self, ran: Option<&BTreeSet<u32>>) -> Vec<Role> {
        let defined = |func: u32| ran.is_none_or(|ran| ran.contains(&func));
        let named = self.all_code().chain(&self.call).filter(|instr| instr.op.row().imm == Imm::Func);
        let mut referred = vec![false; self.program.funcs.len()];
        named.map(|instr| instr.a).chain(self.program.start).for_each(|func| referred[func as usize] = true);
        let role = |(func, index): (&Func, u32)| {
            if func.import.is_some() {
                Role::Imported
            } else if defined(index) {
                Role::Defined
            } else if referred[index as usize] {
                Role::Absent
            } else {
                Role::Gone
            }
        };
        self.program.funcs.iter().zip(0..).map(role).collect()
    }
}

/// A program again, with the code of these functions alone, if it is known which count.
fn with_code_of(program: &Program, ran: Option<&BTreeSet<u32>>) -> Program {
    let Some(ran) = ran else { return program.clone() };
    let mut seqs = vec![Seq::default(); program.seqs.len()];
    for func in ran.iter().copied().filter(|&func| program.funcs[func as usize].import.is_none()) {
        let mut open = vec![program.funcs[func as usize].body];
        while let Some(seq) = open.pop() {
            let code = &program.seqs[seq as usize].code;
            let blocks = code.iter().filter(|instr| instr.op.row().imm == Imm::BlockType);
            open.extend(blocks.flat_map(|block| [Some(block.body()), block.otherwise()]).flatten());
            seqs[seq as usize].code.clone_from(code);
        }
    }
    Program {
        types: program.types.clone(),
        funcs: program.funcs.clone(),
        tables: program.tables.clone(),
        memory: program.memory.clone(),
        globals: program.globals.clone(),
        // Neither exports nor names are looked at.
        exports: Vec::new(),
        names: Vec::new(),
        start: program.start,
        elems: program.elems.clone(),
        datas: program.datas.clone(),
        label_tables: program.label_tables.clone(),
        vectors: program.vectors.clone(),
        seqs,
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

/// Where an operand lies for a while.
#[derive(Clone, Copy)]
enum Store {
    Local(u32),
    Global(u32),
}

impl Store {
    fn get(self) -> Instr {
        match self {
            Self::Local(local) => Instr::index(Op::LocalGet, local),
            Self::Global(global) => Instr::index(Op::GlobalGet, global),
        }
    }

    fn set(self) -> Instr {
        match self {
            Self::Local(local) => Instr::index(Op::LocalSet, local),
            Self::Global(global) => Instr::index(Op::GlobalSet, global),
        }
    }
}

fn moved_off(stores: &[Store]) -> Vec<Instr> {
    stores.iter().rev().map(|store| store.set()).collect()
}

fn put_back(stores: &[Store]) -> Vec<Instr> {
    stores.iter().map(|store| store.get()).collect()
}
