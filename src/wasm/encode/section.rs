//! Owns the sections of the binary format, in their order (spec 5.5.16). Empty ones are left out.
//!
//! Must not know instructions but constant ones.

use super::{Code, write_instr};
use crate::wasm::isa::Imm;
use crate::wasm::program::{Data, Extern, Global, Import, Instr, Memory, Program, SegmentMode, Table};
use crate::wasm::types::ValType;
use wasm_encoder as enc;

/// Writes every section of a module with these memories of its own, and this code.
pub(super) fn sections(program: &Program, memories: &[Memory], code: &Code, module: &mut enc::Module) {
    let Code { bodies, names_data } = code;
    if !program.types.is_empty() {
        module.section(&types(program));
    }
    let imports = imports(program);
    if !imports.is_empty() {
        module.section(&imports);
    }
    if !bodies.is_empty() {
        module.section(&functions(program));
    }
    if program.tables.iter().any(|table| table.import.is_none()) {
        module.section(&tables(program));
    }
    if !memories.is_empty() {
        let mut section = enc::MemorySection::new();
        memories.iter().for_each(|memory| {
            section.memory(memory_type(memory));
        });
        module.section(&section);
    }
    if program.globals.iter().any(|global| global.import.is_none()) {
        module.section(&globals(program));
    }
    if !program.exports.is_empty() {
        module.section(&exports(program));
    }
    if let Some(function_index) = program.start {
        module.section(&enc::StartSection { function_index });
    }
    if !program.elems.is_empty() {
        module.section(&elements(program));
    }
    if *names_data && !program.datas.is_empty() {
        module.section(&enc::DataCountSection { count: program.datas.len() as u32 });
    }
    if !bodies.is_empty() {
        let mut section = enc::CodeSection::new();
        bodies.iter().for_each(|body| {
            section.raw(body);
        });
        module.section(&section);
    }
    if !program.datas.is_empty() {
        module.section(&data(program));
    }
    if !program.names.is_empty() {
        module.section(&names(program));
    }
}

fn types(program: &Program) -> enc::TypeSection {
    let mut types = enc::TypeSection::new();
    for ty in &program.types {
        types.ty().function(ty.params.iter().map(|&ty| val_type(ty)), ty.results.iter().map(|&ty| val_type(ty)));
    }
    types
}

fn imports(program: &Program) -> enc::ImportSection {
    let mut section = enc::ImportSection::new();
    let mut import = |from: &Option<Box<Import>>, ty: enc::EntityType| {
        if let Some(from) = from {
            section.import(&from.module, &from.name, ty);
        }
    };
    program.funcs.iter().for_each(|func| import(&func.import, enc::EntityType::Function(func.ty)));
    program.tables.iter().for_each(|table| import(&table.import, enc::EntityType::Table(table_type(table))));
    program.memory.iter().for_each(|memory| import(&memory.import, enc::EntityType::Memory(memory_type(memory))));
    program.globals.iter().for_each(|global| import(&global.import, enc::EntityType::Global(global_type(global))));
    section
}

fn functions(program: &Program) -> enc::FunctionSection {
    let mut functions = enc::FunctionSection::new();
    for func in program.funcs.iter().filter(|func| func.import.is_none()) {
        functions.function(func.ty);
    }
    functions
}

fn tables(program: &Program) -> enc::TableSection {
    let mut tables = enc::TableSection::new();
    for table in program.tables.iter().filter(|table| table.import.is_none()) {
        tables.table(table_type(table));
    }
    tables
}

fn globals(program: &Program) -> enc::GlobalSection {
    let mut globals = enc::GlobalSection::new();
    for global in program.globals.iter().filter(|global| global.import.is_none()) {
        globals.global(global_type(global), &constant(program, &global.init));
    }
    globals
}

fn exports(program: &Program) -> enc::ExportSection {
    let mut exports = enc::ExportSection::new();
    for export in &program.exports {
        let kind = match export.kind {
            Extern::Func => enc::ExportKind::Func,
            Extern::Table => enc::ExportKind::Table,
            Extern::Memory => enc::ExportKind::Memory,
            Extern::Global => enc::ExportKind::Global,
        };
        exports.export(&export.name, kind, export.index);
    }
    exports
}

fn elements(program: &Program) -> enc::ElementSection {
    let mut elements = enc::ElementSection::new();
    for elem in &program.elems {
        let indices;
        let expressions;
        let content = if let Some(functions) = elem.plain_functions() {
            indices = functions;
            enc::Elements::Functions((&indices).into())
        } else {
            expressions = elem.items.iter().map(|item| constant(program, item)).collect::<Vec<_>>();
            enc::Elements::Expressions(ref_type(elem.ty), (&expressions).into())
        };
        match &elem.mode {
            SegmentMode::Passive => elements.passive(content),
            SegmentMode::Declared => elements.declared(content),
            SegmentMode::Active { target, offset } => {
                // Without a table the form of the first version is written, which is for table 0.
                let table = (*target != 0).then_some(*target);
                elements.active(table, &constant(program, offset), content)
            }
        };
    }
    elements
}

/// Whether code names data segments: then their number must stand before the code (spec 5.5.15).
pub(super) fn names_data(program: &Program) -> bool {
    let names = |instr: &Instr| matches!(instr.op.row().imm, Imm::Data | Imm::DataMem);
    !program.datas.is_empty() && program.seqs.iter().any(|seq| seq.code.iter().any(names))
}

fn data(program: &Program) -> enc::DataSection {
    let mut section = enc::DataSection::new();
    for Data { bytes, mode } in &program.datas {
        match mode {
            SegmentMode::Active { target, offset } => {
                section.active(*target, &constant(program, offset), bytes.iter().copied())
            }
            _ => section.passive(bytes.iter().copied()),
        };
    }
    section
}

fn names(program: &Program) -> enc::NameSection {
    let mut map = enc::NameMap::new();
    program.names.iter().for_each(|(index, name)| map.append(*index, name));
    let mut names = enc::NameSection::new();
    names.functions(&map);
    names
}

fn constant(program: &Program, instr: &Instr) -> enc::ConstExpr {
    let mut bytes = Vec::new();
    write_instr(program, instr, &mut bytes);
    enc::ConstExpr::raw(bytes)
}

fn table_type(table: &Table) -> enc::TableType {
    enc::TableType {
        element_type: ref_type(table.ty),
        minimum: u64::from(table.min),
        maximum: table.max.map(u64::from),
        table64: false,
        shared: false,
    }
}

fn memory_type(memory: &Memory) -> enc::MemoryType {
    enc::MemoryType {
        minimum: u64::from(memory.min),
        maximum: memory.max.map(u64::from),
        memory64: false,
        shared: false,
        page_size_log2: None,
    }
}

fn global_type(global: &Global) -> enc::GlobalType {
    enc::GlobalType { val_type: val_type(global.ty), mutable: global.mutable, shared: false }
}

/// wasm-encoder's name for a reference type; of the others `funcref` stands in, which no valid program shows.
fn ref_type(ty: ValType) -> enc::RefType {
    if ty == ValType::ExternRef { enc::RefType::EXTERNREF } else { enc::RefType::FUNCREF }
}

/// wasm-encoder's name for a type.
pub fn val_type(ty: ValType) -> enc::ValType {
    match ty {
        ValType::I32 => enc::ValType::I32,
        ValType::I64 => enc::ValType::I64,
        ValType::F32 => enc::ValType::F32,
        ValType::F64 => enc::ValType::F64,
        ValType::V128 => enc::ValType::V128,
        ValType::FuncRef => enc::ValType::FUNCREF,
        ValType::ExternRef => enc::ValType::EXTERNREF,
    }
}
