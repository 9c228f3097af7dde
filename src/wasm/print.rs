//! Owns the text format as this program writes it: one instruction a line, annotations as `;;` comments.
//!
//! Must not know what an annotation means, nor read text (that is `parse`). Indices are plain numbers, as a
//! disassembler prints them, with the number of what is defined in a comment; functions go by their names where the
//! module gives them. What is printed reads back to the same program.

mod instr;
mod names;
pub(super) mod string;
mod types;

pub use names::Names;
pub use string::{printable, printable_lines};

use super::isa::Op;
use super::program::{Data, Elem, Export, Extern, Global, Import, Instr, Memory, Program, SegmentMode, Table};
use std::collections::HashMap;
use std::fmt::Write;
use types::Types;

/// Blocks that the text is indented by at most: strangers nest as deep as they like.
const INDENTED: usize = 250;

/// A comment to print on a line of its own before entry `pc` of a function's flat code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The function.
    pub func: u32,
    /// Before which entry.
    pub pc: u32,
    /// What stands behind `;;`.
    pub text: String,
}

/// A field of a module, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A function type.
    Type(u32),
    /// An imported thing of a kind.
    Import(Extern, u32),
    /// A table that is not imported; so with the others.
    Table(u32),
    /// The memory.
    Memory,
    /// A global.
    Global(u32),
    /// An export.
    Export(u32),
    /// The start function.
    Start,
    /// An element segment.
    Elem(u32),
    /// A function.
    Func(u32),
    /// A data segment.
    Data(u32),
}

/// Every field, in the order in which they are printed.
fn fields(program: &Program) -> Vec<Field> {
    let all = |count: usize| 0..count as u32;
    let mut fields: Vec<Field> = all(program.types.len()).map(Field::Type).collect();
    let mut defined = Vec::new();
    let mut add = |imported: bool, kind: Extern, index: u32, field: Field| {
        if imported { fields.push(Field::Import(kind, index)) } else { defined.push(field) }
    };
    for func in all(program.imported_funcs() as usize) {
        add(true, Extern::Func, func, Field::Func(func));
    }
    for (table, index) in program.tables.iter().zip(0..) {
        add(table.import.is_some(), Extern::Table, index, Field::Table(index));
    }
    if let Some(memory) = &program.memory {
        add(memory.import.is_some(), Extern::Memory, 0, Field::Memory);
    }
    for (global, index) in program.globals.iter().zip(0..) {
        add(global.import.is_some(), Extern::Global, index, Field::Global(index));
    }
    fields.extend(defined);
    fields.extend(all(program.exports.len()).map(Field::Export));
    fields.extend(program.start.map(|_| Field::Start));
    fields.extend(all(program.elems.len()).map(Field::Elem));
    fields.extend((program.imported_funcs()..program.funcs.len() as u32).map(Field::Func));
    fields.extend(all(program.datas.len()).map(Field::Data));
    fields
}

/// The module as text.
pub fn print(program: &Program, annotations: &[Annotation]) -> String {
    Printer::new(program).module(annotations)
}

/// Whether every export can be written where the thing itself is: read back, they must stand in the same order, and
/// what is imported has no room for them.
fn exports_in_order(program: &Program) -> bool {
    let defined = |export: &Export| {
        let index = export.index as usize;
        match export.kind {
            Extern::Func => program.funcs[index].import.is_none(),
            Extern::Table => program.tables[index].import.is_none(),
            Extern::Memory => program.memory.as_ref().is_some_and(|memory| memory.import.is_none()),
            Extern::Global => program.globals[index].import.is_none(),
        }
    };
    // The order of the lines that `Printer::module` writes.
    let line = |export: &Export| {
        let kind = match export.kind {
            Extern::Table => 0,
            Extern::Memory => 1,
            Extern::Global => 2,
            Extern::Func => 3,
        };
        (kind, export.index)
    };
    program.exports.iter().all(defined) && program.exports.is_sorted_by_key(line)
}

/// Prints parts of a program; what the whole has to say about them is computed once.
pub struct Printer<'a> {
    program: &'a Program,
    names: Names<'a>,
    types: Types<'a>,
    /// What is exported where it is defined.
    exports: HashMap<(Extern, u32), Vec<&'a str>>,
}

impl<'a> Printer<'a> {
    /// One for this program.
    pub fn new(program: &'a Program) -> Self {
        Self { program, names: Names::new(program), types: Types::new(program), exports: HashMap::new() }
    }

    /// How functions are called.
    pub fn names(&self) -> &Names<'a> {
        &self.names
    }

    fn module(mut self, annotations: &[Annotation]) -> String {
        let program = self.program;
        let inline_exports = exports_in_order(program);
        for export in program.exports.iter().filter(|_| inline_exports) {
            self.exports.entry((export.kind, export.index)).or_default().push(&export.name);
        }
        let mut notes: HashMap<u32, Vec<&Annotation>> = HashMap::new();
        annotations.iter().for_each(|note| notes.entry(note.func).or_default().push(note));
        let list_types = self.types.must_be_listed();
        let mut text = String::from("(module\n");
        for field in fields(program) {
            let left_out = match field {
                Field::Type(_) => !list_types,
                Field::Export(_) => inline_exports,
                _ => false,
            };
            match field {
                _ if left_out => {}
                Field::Func(func) => self.func(func, notes.remove(&func).unwrap_or_default(), &mut text),
                field => line(&mut text, 1, &self.field(field)),
            }
        }
        text.push_str(")\n");
        text
    }

    /// One instruction as text.
    pub fn instr(&self, instr: &Instr) -> String {
        instr::text(self.program, &self.names, &self.types, instr)
    }

    /// A field in one line; of a function its head alone, without the closing parenthesis.
    pub fn field(&self, field: Field) -> String {
        let program = self.program;
        match field {
            Field::Type(index) => {
                format!("(type (;{index};) (func{}))", instr::signature(&program.types[index as usize]))
            }
            Field::Import(kind, index) => self.import(kind, index),
            Field::Table(index) => {
                let exports = self.exports(Extern::Table, index);
                format!("(table (;{index};){exports} {})", table_type(&program.tables[index as usize]))
            }
            Field::Memory => {
                let memory = program.memory.as_ref().expect("the field is there");
                format!("(memory{} {})", self.exports(Extern::Memory, 0), memory_type(memory))
            }
            Field::Global(index) => {
                let global = &program.globals[index as usize];
                let exports = self.exports(Extern::Global, index);
                format!("(global (;{index};){exports} {} ({}))", global_type(global), self.instr(&global.init))
            }
            Field::Export(index) => self.export(&program.exports[index as usize]),
            Field::Start => format!("(start {})", self.names.reference(program.start.expect("the field is there"))),
            Field::Elem(index) => self.elem(index, &program.elems[index as usize]),
            Field::Func(func) => {
                let exports = self.exports(Extern::Func, func);
                format!("(func{}{exports}{}", self.names.definition(func), self.func_type(func))
            }
            Field::Data(index) => self.data(index, &program.datas[index as usize]),
        }
    }

    fn import(&self, kind: Extern, index: u32) -> String {
        let program = self.program;
        let at = index as usize;
        let (from, what) = match kind {
            Extern::Func => {
                let what = format!("func{}{}", self.names.definition(index), self.func_type(index));
                (&program.funcs[at].import, what)
            }
            Extern::Table => {
                let table = &program.tables[at];
                (&table.import, format!("table (;{index};) {}", table_type(table)))
            }
            Extern::Memory => {
                let memory = program.memory.as_ref().expect("the field is there");
                (&memory.import, format!("memory {}", memory_type(memory)))
            }
            Extern::Global => {
                let global = &program.globals[at];
                (&global.import, format!("global (;{index};) {}", global_type(global)))
            }
        };
        let Import { module, name } = from.as_deref().expect("it is imported");
        let (module, name) = (string::literal(module.as_bytes()), string::literal(name.as_bytes()));
        format!("(import {module} {name} ({what}))")
    }

    /// The type of a function as it stands in its definition, with its own space in front.
    fn func_type(&self, func: u32) -> String {
        let index = self.program.funcs[func as usize].ty;
        let by_number = if self.types.is_first(index) { String::new() } else { format!(" (type {index})") };
        by_number + &instr::signature(self.program.func_type(func))
    }

    /// The exports of one thing, written where it is defined, each with its own space in front.
    fn exports(&self, kind: Extern, index: u32) -> String {
        let names = self.exports.get(&(kind, index)).into_iter().flatten();
        names.map(|name| format!(" (export {})", string::literal(name.as_bytes()))).collect()
    }

    fn export(&self, export: &Export) -> String {
        let what = match export.kind {
            Extern::Func => format!("func {}", self.names.reference(export.index)),
            Extern::Table => format!("table {}", export.index),
            Extern::Memory => "memory 0".into(),
            Extern::Global => format!("global {}", export.index),
        };
        format!("(export {} ({what}))", string::literal(export.name.as_bytes()))
    }

    fn elem(&self, index: u32, elem: &Elem) -> String {
        let mut text = format!("(elem (;{index};)");
        let plain = elem.plain_functions();
        match &elem.mode {
            SegmentMode::Passive => {}
            SegmentMode::Declared => text.push_str(" declare"),
            SegmentMode::Active { target, offset } => {
                let table = if *target == 0 { String::new() } else { format!(" (table {target})") };
                write!(text, "{table} ({})", self.instr(offset)).expect("a string takes all");
            }
        }
        let items: String = match &plain {
            Some(functions) => functions.iter().map(|&func| format!(" {}", self.names.reference(func))).collect(),
            None => elem.items.iter().map(|item| format!(" ({})", self.instr(item))).collect(),
        };
        let kind = if plain.is_some() { "func" } else { elem.ty.name() };
        text + " " + kind + &items + ")"
    }

    fn data(&self, index: u32, data: &Data) -> String {
        let place = match &data.mode {
            SegmentMode::Active { offset, .. } => format!(" ({})", self.instr(offset)),
            SegmentMode::Passive | SegmentMode::Declared => String::new(),
        };
        format!("(data (;{index};){place} {})", string::literal(&data.bytes))
    }

    fn func(&self, func: u32, mut notes: Vec<&Annotation>, text: &mut String) {
        notes.sort_by_key(|note| note.pc);
        let mut notes = notes.into_iter().peekable();
        line(text, 1, &self.field(Field::Func(func)));
        let locals = &self.program.funcs[func as usize].locals;
        if !locals.is_empty() {
            let types: String = locals.iter().map(|ty| format!(" {ty}")).collect();
            line(text, 2, &format!("(local{types})"));
        }
        let flat = self.program.flatten(func);
        for (pc, entry) in flat.iter().enumerate() {
            while let Some(note) = notes.next_if(|note| note.pc as usize == pc) {
                let inside = usize::from(matches!(entry.instr.op, Op::End | Op::Else) && pc + 1 < flat.len());
                line(text, 2 + entry.depth as usize + inside, &format!(";;{}", note.text));
            }
            if pc + 1 < flat.len() {
                line(text, 2 + entry.depth as usize, &self.instr(&entry.instr));
            }
        }
        line(text, 1, ")");
    }
}

fn limits(min: u32, max: Option<u32>) -> String {
    max.map_or(min.to_string(), |max| format!("{min} {max}"))
}

fn table_type(table: &Table) -> String {
    format!("{} {}", limits(table.min, table.max), table.ty)
}

fn memory_type(memory: &Memory) -> String {
    limits(memory.min, memory.max)
}

fn global_type(global: &Global) -> String {
    if global.mutable { format!("(mut {})", global.ty) } else { global.ty.to_string() }
}

fn line(text: &mut String, depth: usize, content: &str) {
    writeln!(text, "{:1$}{content}", "", depth.min(INDENTED) * 2).expect("a string takes all");
}

#[cfg(test)]
mod tests;
