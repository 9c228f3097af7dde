//! Owns the text format as this program writes it: one instruction a line, annotations as `;;` comments.
//!
//! Must not know what an annotation means, nor read text (that is `parse`). Indices are plain numbers, as a
//! disassembler prints them, with the number of what is defined in a comment; functions go by their names where the
//! module gives them. What is printed reads back to the same program.

mod instr;
mod string;
mod types;

use super::isa::Op;
use super::program::{Data, Elem, Export, Extern, Global, Import, Instr, Memory, Program, SegmentMode, Table};
use std::fmt::Write;

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

/// The module as text.
pub fn print(program: &Program, annotations: &[Annotation]) -> String {
    Printer { program, names: Names::new(program), inline_exports: exports_in_order(program) }.module(annotations)
}

/// One instruction as text.
pub fn instr_text(program: &Program, instr: &Instr) -> String {
    instr::text(program, &Names::new(program), instr)
}

/// How functions are called in the text.
struct Names<'a>(Vec<Name<'a>>);

#[derive(Clone)]
enum Name<'a> {
    /// It has none, and is referred to by its index.
    None,
    /// It is the only one of this name.
    Unique(&'a str),
    /// Another has the name too, or it is empty: kept, but no way to refer to it.
    Ambiguous(&'a str),
}

impl<'a> Names<'a> {
    fn new(program: &'a Program) -> Self {
        let mut names = vec![Name::None; program.funcs.len()];
        let times = |name: &str| program.names.iter().filter(|(_, other)| other == name).count();
        for (index, name) in &program.names {
            let unique = !name.is_empty() && times(name) == 1;
            names[*index as usize] = if unique { Name::Unique(name) } else { Name::Ambiguous(name) };
        }
        Self(names)
    }

    /// How a function is referred to.
    fn reference(&self, func: u32) -> String {
        match self.0[func as usize] {
            Name::Unique(name) => string::identifier(name),
            Name::None | Name::Ambiguous(_) => func.to_string(),
        }
    }

    /// What stands where a function is defined, with its own space in front.
    fn definition(&self, func: u32) -> String {
        match self.0[func as usize] {
            Name::None => format!(" (;{func};)"),
            Name::Unique(name) => format!(" {} (;{func};)", string::identifier(name)),
            Name::Ambiguous(name) => format!(" (@name {}) (;{func};)", string::literal(name.as_bytes())),
        }
    }
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

struct Printer<'a> {
    program: &'a Program,
    names: Names<'a>,
    inline_exports: bool,
}

impl Printer<'_> {
    fn module(&self, annotations: &[Annotation]) -> String {
        let program = self.program;
        let mut text = String::from("(module\n");
        if types::must_be_listed(program) {
            for (index, ty) in program.types.iter().enumerate() {
                line(&mut text, 1, &format!("(type (;{index};) (func{}))", instr::signature(ty)));
            }
        }
        self.imports(&mut text);
        for (index, table) in program.tables.iter().enumerate().filter(|(_, table)| table.import.is_none()) {
            let exports = self.exports(Extern::Table, index as u32);
            line(&mut text, 1, &format!("(table (;{index};){exports} {})", table_type(table)));
        }
        if let Some(memory @ Memory { import: None, .. }) = &program.memory {
            line(&mut text, 1, &format!("(memory{} {})", self.exports(Extern::Memory, 0), memory_type(memory)));
        }
        for (index, global) in program.globals.iter().enumerate().filter(|(_, global)| global.import.is_none()) {
            let exports = self.exports(Extern::Global, index as u32);
            let init = self.instr(&global.init);
            line(&mut text, 1, &format!("(global (;{index};){exports} {} ({init}))", global_type(global)));
        }
        if !self.inline_exports {
            program.exports.iter().for_each(|export| line(&mut text, 1, &self.export(export)));
        }
        if let Some(start) = program.start {
            line(&mut text, 1, &format!("(start {})", self.names.reference(start)));
        }
        for (index, elem) in program.elems.iter().enumerate() {
            line(&mut text, 1, &self.elem(index, elem));
        }
        for func in program.imported_funcs()..program.funcs.len() as u32 {
            let notes: Vec<&Annotation> = annotations.iter().filter(|note| note.func == func).collect();
            self.func(func, &notes, &mut text);
        }
        for (index, data) in program.datas.iter().enumerate() {
            line(&mut text, 1, &self.data(index, data));
        }
        text.push_str(")\n");
        text
    }

    fn instr(&self, instr: &Instr) -> String {
        instr::text(self.program, &self.names, instr)
    }

    fn imports(&self, text: &mut String) {
        let program = self.program;
        let mut import = |from: &Option<Box<Import>>, what: String| {
            if let Some(from) = from {
                let (module, name) = (string::literal(from.module.as_bytes()), string::literal(from.name.as_bytes()));
                line(text, 1, &format!("(import {module} {name} ({what}))"));
            }
        };
        for (index, func) in program.funcs.iter().enumerate() {
            let index = index as u32;
            import(&func.import, format!("func{}{}", self.names.definition(index), self.func_type(index)));
        }
        for (index, table) in program.tables.iter().enumerate() {
            import(&table.import, format!("table (;{index};) {}", table_type(table)));
        }
        if let Some(memory) = &program.memory {
            import(&memory.import, format!("memory {}", memory_type(memory)));
        }
        for (index, global) in program.globals.iter().enumerate() {
            import(&global.import, format!("global (;{index};) {}", global_type(global)));
        }
    }

    /// The type of a function as it stands in its definition, with its own space in front.
    fn func_type(&self, func: u32) -> String {
        let index = self.program.funcs[func as usize].ty;
        let by_number = if types::is_first(self.program, index) { String::new() } else { format!(" (type {index})") };
        by_number + &instr::signature(self.program.func_type(func))
    }

    /// The exports of one thing, written where it is defined, each with its own space in front.
    fn exports(&self, kind: Extern, index: u32) -> String {
        let of_this = |export: &&Export| self.inline_exports && (export.kind, export.index) == (kind, index);
        let exports = self.program.exports.iter().filter(of_this);
        exports.map(|export| format!(" (export {})", string::literal(export.name.as_bytes()))).collect()
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

    fn elem(&self, index: usize, elem: &Elem) -> String {
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

    fn data(&self, index: usize, data: &Data) -> String {
        let place = match &data.mode {
            SegmentMode::Active { offset, .. } => format!(" ({})", self.instr(offset)),
            SegmentMode::Passive | SegmentMode::Declared => String::new(),
        };
        format!("(data (;{index};){place} {})", string::literal(&data.bytes))
    }

    fn func(&self, func: u32, notes: &[&Annotation], text: &mut String) {
        let exports = self.exports(Extern::Func, func);
        line(text, 1, &format!("(func{}{exports}{}", self.names.definition(func), self.func_type(func)));
        let locals = &self.program.funcs[func as usize].locals;
        if !locals.is_empty() {
            let types: String = locals.iter().map(|ty| format!(" {ty}")).collect();
            line(text, 2, &format!("(local{types})"));
        }
        let flat = self.program.flatten(func);
        for (pc, entry) in flat.iter().enumerate() {
            for note in notes.iter().filter(|note| note.pc as usize == pc) {
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
    writeln!(text, "{:1$}{content}", "", depth * 2).expect("a string takes all");
}

#[cfg(test)]
mod tests;
