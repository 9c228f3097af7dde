//! Owns the bytes of a module above instructions: sections, their heads, and their entries.
//!
//! Must not know what was executed. What an entry means is told as the text format has it.

use super::code::{self, leb_len};
use super::{Dump, Entry, Function, Hex, Section};
use crate::wasm::parse::ParseError;
use crate::wasm::print::string::literal;
use crate::wasm::print::{Field, Printer};
use crate::wasm::program::{Extern, Program};
use crate::wasm::schema::FORMAT;
use std::collections::HashSet;
use std::ops::Range;
use wasmparser::{BinaryReaderError, FromReader, FunctionBody, Parser, Payload, SectionLimited, TypeRef};

/// Bytes of magic number and version.
const HEADER: usize = 8;
/// Bytes of code that are shown whatever ran. A dump of all that real modules have would take gigabytes.
pub(super) const WHOLE: usize = 1 << 20;

type Read<T> = Result<T, BinaryReaderError>;

/// The dump of a valid module, without anything that ran, and of a module with very much code without that of functions
/// which did not begin.
pub(super) fn dump(
    printer: &Printer<'_>,
    program: &Program,
    bytes: &[u8],
    began: &HashSet<u32>,
) -> Result<Dump, ParseError> {
    let layout = Layout { printer, program, bytes };
    let (mut is_whole, mut functions_without_code) = (true, 0);
    let header = vec![layout.entry(0..4, "magic: \\0asm"), layout.entry(4..HEADER, "version: 1")];
    let mut sections: Vec<Section> = Vec::new();
    let (mut end, mut code_end) = (HEADER, HEADER);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Some((id, content)) = payload.as_section() {
            let name =
                FORMAT.sections.iter().find(|section| section.id == id).map_or("unknown", |section| section.name);
            sections.push(Section {
                offset: end as u32,
                id,
                name: name.into(),
                bytes: layout.hex(end..content.start),
                length: content.len() as u32,
                entries: layout.entries(&payload, content.clone())?,
                functions: Vec::new(),
            });
            is_whole = !matches!(payload, Payload::CodeSectionStart { .. }) || content.len() <= WHOLE;
            // The length of a function stands behind the function before it, or behind the number of functions.
            code_end = content.start + leb_len(&bytes[content.clone()]);
            end = content.end;
        } else if let Payload::CodeSectionEntry(body) = &payload {
            let section = sections.last_mut().expect("the code section has begun");
            let index = program.imported_funcs() + section.functions.len() as u32;
            let shows = is_whole || began.contains(&index);
            functions_without_code += u32::from(!shows);
            section.functions.push(layout.function(index, code_end, body, shows)?);
            code_end = body.range().end;
        }
    }
    Ok(Dump { size: bytes.len() as u32, header, sections, functions_without_code, run: None })
}

struct Layout<'a> {
    printer: &'a Printer<'a>,
    program: &'a Program,
    bytes: &'a [u8],
}

impl Layout<'_> {
    fn hex(&self, range: Range<usize>) -> Hex {
        Hex(self.bytes[range].to_vec())
    }

    fn entry(&self, range: Range<usize>, what: impl Into<String>) -> Entry {
        Entry { offset: range.start as u32, bytes: self.hex(range), what: what.into() }
    }

    fn entries(&self, payload: &Payload<'_>, content: Range<usize>) -> Read<Vec<Entry>> {
        let program = self.program;
        let field = |field| self.printer.field(field);
        let defined = |imported: usize| move |index: u32| imported as u32 + index;
        let imported = (
            defined(program.tables.iter().filter(|table| table.import.is_some()).count()),
            defined(program.globals.iter().filter(|global| global.import.is_some()).count()),
        );
        match payload {
            Payload::TypeSection(section) => self.list(section, |index, _| field(Field::Type(index))),
            Payload::ImportSection(section) => self.imports(section.clone().into_imports_with_offsets(), content),
            Payload::FunctionSection(section) => self.list(section, |index, ty: &u32| {
                let func = program.imported_funcs() + index;
                format!("{} has type {ty}", self.printer.names().func(func))
            }),
            Payload::TableSection(section) => self.list(section, |index, _| field(Field::Table(imported.0(index)))),
            Payload::MemorySection(section) => self.list(section, |_, _| field(Field::Memory)),
            Payload::GlobalSection(section) => self.list(section, |index, _| field(Field::Global(imported.1(index)))),
            Payload::ExportSection(section) => self.list(section, |index, _| field(Field::Export(index))),
            Payload::StartSection { .. } => Ok(vec![self.entry(content, field(Field::Start))]),
            Payload::ElementSection(section) => self.list(section, |index, _| field(Field::Elem(index))),
            Payload::DataCountSection { count, .. } => Ok(vec![self.entry(content, format!("data segments: {count}"))]),
            Payload::CodeSectionStart { count, .. } => {
                let end = content.start + leb_len(&self.bytes[content.clone()]);
                Ok(vec![self.entry(content.start..end, format!("count: {count}"))])
            }
            Payload::DataSection(section) => self.list(section, |index, _| field(Field::Data(index))),
            Payload::CustomSection(custom) => {
                let data = content.end - custom.data().len();
                let name = self.entry(content.start..data, format!("name: {}", literal(custom.name().as_bytes())));
                let rest = (data < content.end).then(|| self.entry(data..content.end, "content"));
                Ok([name].into_iter().chain(rest).collect())
            }
            _ => Ok(vec![self.entry(content, "unknown")]),
        }
    }

    /// The number of entries, and each of them.
    fn list<'b, T: FromReader<'b>>(
        &self,
        section: &SectionLimited<'b, T>,
        what: impl Fn(u32, &T) -> String,
    ) -> Read<Vec<Entry>> {
        let content = section.range();
        let read = section.clone().into_iter_with_offsets().collect::<Read<Vec<_>>>()?;
        let told = read.iter().zip(0..).map(|((start, item), index)| (*start, what(index, item)));
        Ok(self.stretch(content, told.collect()))
    }

    fn imports<'b>(
        &self,
        imports: impl Iterator<Item = Read<(usize, wasmparser::Import<'b>)>>,
        content: Range<usize>,
    ) -> Read<Vec<Entry>> {
        let mut counts = [0; 4];
        let mut told = Vec::new();
        for import in imports {
            let (start, import) = import?;
            let kind = match import.ty {
                TypeRef::Table(_) => Extern::Table,
                TypeRef::Memory(_) => Extern::Memory,
                TypeRef::Global(_) => Extern::Global,
                _ => Extern::Func,
            };
            let index = &mut counts[kind as usize];
            told.push((start, self.printer.field(Field::Import(kind, *index))));
            *index += 1;
        }
        Ok(self.stretch(content, told))
    }

    /// What begins at these offsets, one behind the other, and the count before it.
    fn stretch(&self, content: Range<usize>, told: Vec<(usize, String)>) -> Vec<Entry> {
        let starts: Vec<usize> = told.iter().map(|(start, _)| *start).chain([content.end]).collect();
        let count = self.entry(content.start..starts[0], format!("count: {}", told.len()));
        let entries =
            told.into_iter().zip(starts.windows(2)).map(|((_, what), ends)| self.entry(ends[0]..ends[1], what));
        [count].into_iter().chain(entries).collect()
    }

    fn function(&self, index: u32, start: usize, body: &FunctionBody<'_>, shows: bool) -> Read<Function> {
        let whole = body.range();
        let length = self.entry(start..whole.start, format!("{} bytes", whole.len()));
        let mut locals = body.get_locals_reader()?;
        let runs: Vec<String> = (0..locals.get_count())
            .map(|_| locals.read().map(|(count, ty)| format!("{count} {ty}")))
            .collect::<Read<_>>()?;
        let what = if runs.is_empty() { "no locals".into() } else { format!("locals: {}", runs.join(", ")) };
        let first = body.get_operators_reader()?.original_position();
        let locals = self.entry(whole.start..first, what);
        let mut head = vec![length, locals];
        let code = if shows {
            code::instructions(self.printer, self.program, index, self.bytes, first..whole.end, body)?
        } else {
            head.push(self.entry(first..whole.end, format!("code: {} bytes", whole.end - first)));
            Vec::new()
        };
        let declaration = self.printer.field(Field::Func(index))[1..].to_string();
        Ok(Function { index, name: self.printer.names().func(index), declaration, head, code })
    }
}
