//! Owns the sections of the binary format (spec 5.5): each into the part of the program that it describes.
//!
//! Must not know how instructions are encoded. Everything here has been validated.

use super::ParseError;
use super::code;
use crate::wasm::isa::Op;
use crate::wasm::program::{
    Data, Elem, Export, Extern, Func, Global, Import, Instr, Memory, Program, SegmentMode, Table,
};
use crate::wasm::types::{FuncType, ValType};
use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, KnownCustom, MemoryType, Name, Payload, TableInit,
    TableType, TypeRef,
};

/// Reads one part of a module. `body` counts the function bodies read so far.
pub(super) fn read(program: &mut Program, payload: &Payload<'_>, body: &mut usize) -> Result<(), ParseError> {
    match payload {
        Payload::TypeSection(section) => {
            for ty in section.clone().into_iter_err_on_gc_types() {
                let ty = ty?;
                program.types.push(FuncType { params: val_types(ty.params())?, results: val_types(ty.results())? });
            }
        }
        Payload::ImportSection(section) => {
            for import in section.clone().into_imports() {
                add_import(program, &import?)?;
            }
        }
        Payload::FunctionSection(section) => {
            for ty in section.clone() {
                program.funcs.push(Func { ty: ty?, locals: Vec::new(), body: 0, import: None });
            }
        }
        Payload::TableSection(section) => {
            for declared in section.clone() {
                let declared = declared?;
                if let TableInit::Expr(_) = declared.init {
                    return Err(ParseError::Unsupported("a table with an initial value".into()));
                }
                program.tables.push(table(&declared.ty, None)?);
            }
        }
        Payload::MemorySection(section) => {
            for declared in section.clone() {
                program.memory = Some(memory(&declared?, None));
            }
        }
        Payload::GlobalSection(section) => {
            for declared in section.clone() {
                let declared = declared?;
                let (ty, mutable) = (val_type(declared.ty.content_type)?, declared.ty.mutable);
                let init = constant(program, &declared.init_expr)?;
                program.globals.push(Global { ty, mutable, init, import: None });
            }
        }
        Payload::ExportSection(section) => {
            for export in section.clone() {
                let export = export?;
                let kind = extern_kind(export.kind)?;
                program.exports.push(Export { name: export.name.into(), kind, index: export.index });
            }
        }
        Payload::StartSection { func, .. } => program.start = Some(*func),
        Payload::ElementSection(section) => {
            for elem in section.clone() {
                let elem = read_elem(program, elem?)?;
                program.elems.push(elem);
            }
        }
        Payload::DataSection(section) => {
            for data in section.clone() {
                let data = data?;
                let mode = match data.kind {
                    DataKind::Passive => SegmentMode::Passive,
                    DataKind::Active { memory_index, offset_expr } => {
                        SegmentMode::Active { target: memory_index, offset: constant(program, &offset_expr)? }
                    }
                };
                program.datas.push(Data { bytes: data.data.to_vec(), mode });
            }
        }
        Payload::CodeSectionEntry(entry) => {
            let func = program.imported_funcs() as usize + *body;
            *body += 1;
            read_func(program, func, entry)?;
        }
        Payload::CustomSection(section) => {
            if let KnownCustom::Name(names) = section.as_known() {
                program.names = func_names(names);
            }
        }
        _ => {}
    }
    Ok(())
}

fn val_type(ty: wasmparser::ValType) -> Result<ValType, ParseError> {
    match ty {
        wasmparser::ValType::I32 => Ok(ValType::I32),
        wasmparser::ValType::I64 => Ok(ValType::I64),
        wasmparser::ValType::F32 => Ok(ValType::F32),
        wasmparser::ValType::F64 => Ok(ValType::F64),
        wasmparser::ValType::V128 => Ok(ValType::V128),
        wasmparser::ValType::FUNCREF => Ok(ValType::FuncRef),
        wasmparser::ValType::EXTERNREF => Ok(ValType::ExternRef),
        other => Err(ParseError::Unsupported(format!("the type {other}"))),
    }
}

fn val_types(types: &[wasmparser::ValType]) -> Result<Vec<ValType>, ParseError> {
    types.iter().map(|&ty| val_type(ty)).collect()
}

fn extern_kind(kind: ExternalKind) -> Result<Extern, ParseError> {
    match kind {
        ExternalKind::Func => Ok(Extern::Func),
        ExternalKind::Table => Ok(Extern::Table),
        ExternalKind::Memory => Ok(Extern::Memory),
        ExternalKind::Global => Ok(Extern::Global),
        other => Err(ParseError::Unsupported(format!("{other:?} exports"))),
    }
}

fn add_import(program: &mut Program, import: &wasmparser::Import<'_>) -> Result<(), ParseError> {
    let from = Some(Box::new(Import { module: import.module.into(), name: import.name.into() }));
    match import.ty {
        TypeRef::Func(ty) => program.funcs.push(Func { ty, locals: Vec::new(), body: 0, import: from }),
        TypeRef::Table(ty) => program.tables.push(table(&ty, from)?),
        TypeRef::Memory(ty) => program.memory = Some(memory(&ty, from)),
        TypeRef::Global(global) => {
            let ty = val_type(global.content_type)?;
            let init = zero(program, ty);
            program.globals.push(Global { ty, mutable: global.mutable, init, import: from });
        }
        TypeRef::Tag(_) | TypeRef::FuncExact(_) => return Err(ParseError::Unsupported("imported tags".into())),
    }
    Ok(())
}

/// The instruction for the default value of a type.
fn zero(program: &mut Program, ty: ValType) -> Instr {
    if ty != ValType::V128 {
        return Instr::constant(ty, 0);
    }
    program.vectors.push(0);
    Instr::index(Op::V128Const, program.vectors.len() as u32 - 1)
}

/// Limits fit 32 bits, which the validator has checked.
fn table(ty: &TableType, import: Option<Box<Import>>) -> Result<Table, ParseError> {
    let (min, max) = (ty.initial as u32, ty.maximum.map(|max| max as u32));
    Ok(Table { ty: val_type(ty.element_type.into())?, min, max, import })
}

fn memory(ty: &MemoryType, import: Option<Box<Import>>) -> Memory {
    Memory { min: ty.initial as u32, max: ty.maximum.map(|max| max as u32), import }
}

/// A constant expression: in WebAssembly 2.0 one instruction and `end`.
fn constant(program: &mut Program, expr: &ConstExpr<'_>) -> Result<Instr, ParseError> {
    code::read_instr(program, &mut expr.get_binary_reader())
}

fn read_elem(program: &mut Program, elem: wasmparser::Element<'_>) -> Result<Elem, ParseError> {
    let mode = match elem.kind {
        ElementKind::Passive => SegmentMode::Passive,
        ElementKind::Declared => SegmentMode::Declared,
        ElementKind::Active { table_index, offset_expr } => {
            SegmentMode::Active { target: table_index.unwrap_or(0), offset: constant(program, &offset_expr)? }
        }
    };
    let (ty, items) = match elem.items {
        ElementItems::Functions(funcs) => {
            let items = funcs.into_iter().map(|func| Ok(Instr::index(Op::RefFunc, func?)));
            (ValType::FuncRef, items.collect::<Result<_, ParseError>>()?)
        }
        ElementItems::Expressions(ty, exprs) => {
            let items = exprs.into_iter().map(|expr| constant(program, &expr?));
            (val_type(ty.into())?, items.collect::<Result<_, _>>()?)
        }
    };
    Ok(Elem { ty, items, mode })
}

fn read_func(program: &mut Program, func: usize, body: &wasmparser::FunctionBody<'_>) -> Result<(), ParseError> {
    let mut locals = Vec::new();
    for run in body.get_locals_reader()? {
        let (count, ty) = run?;
        locals.resize(locals.len() + count as usize, val_type(ty)?);
    }
    let mut reader = body.get_operators_reader()?.get_binary_reader();
    let body = code::read_code(program, &mut reader)?;
    (program.funcs[func].locals, program.funcs[func].body) = (locals, body);
    Ok(())
}

/// Names are no part of what is validated: what cannot be read is left out here, and what names nothing where all
/// functions are known.
fn func_names(names: wasmparser::NameSectionReader<'_>) -> Vec<(u32, String)> {
    let maps = names.into_iter().map_while(Result::ok).filter_map(|name| match name {
        Name::Function(map) => Some(map),
        _ => None,
    });
    let mut names: Vec<(u32, String)> = maps
        .flat_map(|map| map.into_iter().map_while(Result::ok))
        .map(|naming| (naming.index, naming.name.to_string()))
        .collect();
    names.sort();
    names.dedup_by_key(|(index, _)| *index);
    names
}
