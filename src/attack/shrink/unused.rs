//! Owns taking away what nothing uses: functions, locals, globals, tables, memory, segments and types.
//!
//! Must not know which edits there are. What is left runs as it did.

use super::subject::Subject;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{BlockType, Elem, Global, Instr, Program, SegmentMode};
use crate::wasm::types::{FuncType, ValType};
use std::collections::BTreeSet;

/// What is numbered.
#[derive(Clone, Copy)]
enum IndexSpace {
    Func,
    Global,
    Table,
    Elem,
    Data,
}

const KINDS: [IndexSpace; 5] =
    [IndexSpace::Func, IndexSpace::Global, IndexSpace::Table, IndexSpace::Elem, IndexSpace::Data];

/// What is used, by its numbers.
#[derive(Default)]
struct Used {
    of: [BTreeSet<u32>; KINDS.len()],
    memory: bool,
    /// Functions that code makes references to.
    referred: BTreeSet<u32>,
}

/// Takes away what nothing uses.
pub(super) fn drop_unused(subject: &mut Subject) {
    let used = Used::of(subject);
    for func in subject.functions().filter(|func| used.of[IndexSpace::Func as usize].contains(func)) {
        drop_locals(subject, func);
    }
    let [funcs, globals, tables, elems, datas] = used.of.each_ref().map(numbers);
    let renumber = |map: &[Option<u32>], index: u32| map.get(index as usize).copied().flatten().unwrap_or(index);
    let of = |kind: IndexSpace, index: u32| renumber([&funcs, &globals, &tables, &elems, &datas][kind as usize], index);
    let entry = of(IndexSpace::Func, subject.entry);
    for (_, place) in kept_code(subject, &used) {
        let instr = subject.at_mut(place);
        *instr = renumbered(*instr, &of);
    }
    let program = &mut subject.program;
    let constant = |instr: &mut Instr| *instr = renumbered(*instr, &of);
    program.globals.iter_mut().for_each(|global| constant(&mut global.init));
    for elem in &mut program.elems {
        elem.items.iter_mut().for_each(constant);
        if let SegmentMode::Active { target, offset } = &mut elem.mode {
            *target = of(IndexSpace::Table, *target);
            constant(offset);
        }
    }
    program.datas.iter_mut().for_each(|data| {
        if let SegmentMode::Active { offset, .. } = &mut data.mode {
            constant(offset);
        }
    });
    let named = std::mem::take(&mut program.names).into_iter();
    let kept = |kind: IndexSpace, index: u32| used.of[kind as usize].contains(&index);
    program.names = named
        .filter(|(func, _)| kept(IndexSpace::Func, *func))
        .map(|(func, name)| (of(IndexSpace::Func, func), name))
        .collect();
    program.start = program.start.map(|func| of(IndexSpace::Func, func));
    program.exports.retain(|export| export.index == subject.entry && export.kind == crate::wasm::program::Extern::Func);
    program.exports.iter_mut().for_each(|export| export.index = entry);
    retain(&mut program.funcs, &used.of[IndexSpace::Func as usize]);
    retain(&mut program.globals, &used.of[IndexSpace::Global as usize]);
    retain(&mut program.tables, &used.of[IndexSpace::Table as usize]);
    retain(&mut program.elems, &used.of[IndexSpace::Elem as usize]);
    retain(&mut program.datas, &used.of[IndexSpace::Data as usize]);
    if !used.memory {
        program.memory = None;
    }
    subject.entry = entry;
    subject.marks.iter_mut().for_each(|mark| mark.func = of(IndexSpace::Func, mark.func));
    declare(&mut subject.program, used.referred.iter().map(|&func| of(IndexSpace::Func, func)).collect());
    drop_types(subject);
}

/// The new number of each that is kept.
fn numbers(kept: &BTreeSet<u32>) -> Vec<Option<u32>> {
    let length = kept.last().map_or(0, |last| last + 1);
    (0..length).map(|index| kept.contains(&index).then(|| kept.range(..index).count() as u32)).collect()
}

fn retain<T>(all: &mut Vec<T>, kept: &BTreeSet<u32>) {
    let mut index = 0..;
    all.retain(|_| kept.contains(&index.next().expect("endless")));
}

fn kept_code(subject: &Subject, used: &Used) -> Vec<(u32, crate::wasm::program::Place)> {
    let kept = |func: &u32| used.of[IndexSpace::Func as usize].contains(func);
    subject.places().into_iter().filter(|(func, _)| kept(func)).collect()
}

impl Used {
    fn of(subject: &Subject) -> Self {
        let mut used = Self::default();
        let roots = subject.program.start.into_iter().chain([subject.entry]);
        used.of[IndexSpace::Func as usize].extend(roots.chain(subject.marks.iter().map(|mark| mark.func)));
        // Until nothing new is found; there is little to look at.
        loop {
            let before = used.count();
            for (_, place) in kept_code(subject, &used) {
                used.instruction(&subject.at(place), true);
            }
            used.declarations(&subject.program);
            if used.count() == before {
                return used;
            }
        }
    }

    fn count(&self) -> usize {
        self.of.iter().map(BTreeSet::len).sum::<usize>() + usize::from(self.memory)
    }

    fn add(&mut self, kind: IndexSpace, index: u32) {
        self.of[kind as usize].insert(index);
    }

    fn instruction(&mut self, instr: &Instr, in_code: bool) {
        let row = instr.op.row();
        for (kind, index) in indices(instr) {
            self.add(kind, index);
        }
        self.memory |=
            matches!(row.imm, Imm::MemArg { .. } | Imm::MemArgLane { .. } | Imm::MemIndex | Imm::MemMem | Imm::DataMem);
        if in_code && instr.op == Op::RefFunc {
            self.referred.insert(instr.a);
        }
    }

    /// What the declarations that are used use themselves.
    fn declarations(&mut self, program: &Program) {
        let globals: Vec<&Global> = picked(&program.globals, &self.of[IndexSpace::Global as usize]);
        globals.into_iter().for_each(|global| self.instruction(&global.init, false));
        for (elem, index) in program.elems.iter().zip(0..) {
            if let SegmentMode::Active { target, offset } = &elem.mode
                && self.of[IndexSpace::Table as usize].contains(target)
                && !elem.items.is_empty()
            {
                self.add(IndexSpace::Elem, index);
                self.instruction(offset, false);
            }
        }
        let elems: Vec<&Elem> = picked(&program.elems, &self.of[IndexSpace::Elem as usize]);
        for elem in elems {
            elem.items.iter().for_each(|item| self.instruction(item, false));
            if let SegmentMode::Active { target, .. } = elem.mode {
                self.add(IndexSpace::Table, target);
            }
        }
        for (data, index) in program.datas.iter().zip(0..) {
            if matches!(data.mode, SegmentMode::Active { .. }) && self.memory && !data.bytes.is_empty() {
                self.add(IndexSpace::Data, index);
            }
            if self.of[IndexSpace::Data as usize].contains(&index)
                && let SegmentMode::Active { offset, .. } = &data.mode
            {
                self.memory = true;
                self.instruction(offset, false);
            }
        }
    }
}

fn picked<'a, T>(all: &'a [T], kept: &BTreeSet<u32>) -> Vec<&'a T> {
    all.iter().zip(0..).filter(|(_, index)| kept.contains(index)).map(|(one, _)| one).collect()
}

/// What an instruction names.
fn indices(instr: &Instr) -> Vec<(IndexSpace, u32)> {
    let (first, second) = (instr.a, instr.b as u32);
    match instr.op.row().imm {
        Imm::Func => vec![(IndexSpace::Func, first)],
        Imm::Global => vec![(IndexSpace::Global, first)],
        Imm::Table => vec![(IndexSpace::Table, first)],
        Imm::TableTable => vec![(IndexSpace::Table, first), (IndexSpace::Table, second)],
        Imm::TypeTable => vec![(IndexSpace::Table, second)],
        Imm::ElemTable => vec![(IndexSpace::Elem, first), (IndexSpace::Table, second)],
        Imm::Elem => vec![(IndexSpace::Elem, first)],
        Imm::DataMem | Imm::Data => vec![(IndexSpace::Data, first)],
        _ => Vec::new(),
    }
}

fn renumbered(instr: Instr, of: &impl Fn(IndexSpace, u32) -> u32) -> Instr {
    let indices: Vec<u32> = indices(&instr).into_iter().map(|(kind, index)| of(kind, index)).collect();
    match (instr.op.row().imm, &indices[..]) {
        (Imm::TypeTable, [table]) => Instr { b: u64::from(*table), ..instr },
        (_, [first]) => Instr { a: *first, ..instr },
        (_, [first, second]) => Instr { a: *first, b: u64::from(*second), ..instr },
        _ => instr,
    }
}

/// `ref.func` in code needs its function to be named outside of code (spec 3.4.1).
fn declare(program: &mut Program, referred: Vec<u32>) {
    let elems = program.elems.iter().flat_map(|elem| &elem.items);
    let named: BTreeSet<u32> = elems
        .chain(program.globals.iter().map(|global| &global.init))
        .filter(|instr| instr.op == Op::RefFunc)
        .map(|instr| instr.a)
        .chain(program.exports.iter().map(|export| export.index))
        .collect();
    let open: Vec<Instr> =
        referred.into_iter().filter(|func| !named.contains(func)).map(|func| Instr::index(Op::RefFunc, func)).collect();
    if !open.is_empty() {
        program.elems.push(Elem { ty: ValType::FuncRef, items: open, mode: SegmentMode::Declared });
    }
}

/// Takes the locals away that a function declares and does not use.
fn drop_locals(subject: &mut Subject, func: u32) {
    let places: Vec<_> = subject.places().into_iter().filter(|(of, _)| *of == func).collect();
    let params = subject.program.func_type(func).params.len() as u32;
    let declared = subject.program.funcs[func as usize].locals.len() as u32;
    let local = |instr: &Instr| (instr.op.row().imm == Imm::Local).then_some(instr.a);
    let mut used: BTreeSet<u32> = places.iter().filter_map(|(_, place)| local(&subject.at(*place))).collect();
    used.extend(0..params);
    if used.len() as u32 == params + declared {
        return;
    }
    let map = numbers(&used);
    for (_, place) in places {
        let instr = subject.at_mut(place);
        if instr.op.row().imm == Imm::Local {
            instr.a = map[instr.a as usize].expect("it is used");
        }
    }
    let mut index = params..;
    subject.program.funcs[func as usize].locals.retain(|_| used.contains(&index.next().expect("endless")));
}

/// Takes the types away that nothing has, and those that are there twice.
fn drop_types(subject: &mut Subject) {
    let old = std::mem::take(&mut subject.program.types);
    let mut kept: Vec<FuncType> = Vec::new();
    let mut number = |index: u32| {
        let ty = &old[index as usize];
        let known = kept.iter().position(|other| other == ty);
        known.unwrap_or_else(|| {
            kept.push(ty.clone());
            kept.len() - 1
        }) as u32
    };
    subject.program.funcs.iter_mut().for_each(|func| func.ty = number(func.ty));
    for (_, place) in subject.places() {
        let instr = subject.at_mut(place);
        match instr.op.row().imm {
            Imm::TypeTable => instr.a = number(instr.a),
            Imm::BlockType => {
                if let BlockType::Func(index) = instr.block_type() {
                    let ty = BlockType::Func(number(index));
                    *instr = Instr::structured(instr.op, ty, instr.body(), instr.otherwise());
                }
            }
            _ => {}
        }
    }
    subject.program.types = kept;
}
