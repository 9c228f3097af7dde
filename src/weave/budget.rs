//! Owns the size of the module being woven: exact bytes so far, and bytes still needed to close what is open.
//!
//! Must not know actions. This is the original's ByteCodeSizeConstraint, made exact and hard: the size is that of the
//! encoded module to the byte, all LEB128 lengths included, and what it takes to close every open sequence is always
//! kept in reserve, so that no woven program can end up too big.

use crate::wasm::encode::u32_size;
use crate::wasm::program::{Import, Program};
use crate::wasm::types::{FuncType, ValType};

/// Magic number and version.
const HEADER: u32 = 8;
/// `(export "run" (func N))` in its section.
const EXPORTS: u32 = section(1 + 1 + 3 + 2);
/// How many functions have code: the vocabulary has fewer than 128.
const COUNT: u32 = 1;
/// The data count section.
const DATA_COUNT: u32 = section(1);

/// Bytes of a section with a content of this size; lengths under 128 only.
const fn section(content: u32) -> u32 {
    2 + content
}

/// Sections that hold a vector of declarations, without those of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Types,
    Imports,
    Functions,
    Tables,
    Memory,
    Globals,
    Elems,
    Datas,
}

const PARTS: usize = Part::Datas as usize + 1;

/// A vector of declarations.
#[derive(Clone, Copy, Debug, Default)]
struct Declared {
    count: u32,
    /// Bytes of its entries.
    bytes: u32,
}

impl Declared {
    /// The whole section; nothing if it has no entry.
    fn section(self) -> u32 {
        if self.count == 0 { 0 } else { sized(u32_size(self.count) + self.bytes) }
    }
}

/// The sizes of everything that the module holds.
#[derive(Clone, Debug, Default)]
pub struct ByteLedger {
    parts: [Declared; PARTS],
    /// Whether an instruction names a data segment, which must be counted in advance then.
    data_count: bool,
    /// Bytes of all sections but that of code, header included.
    declared: u32,
    bodies: Vec<Body>,
    /// Bytes of all bodies with their lengths.
    code: u32,
}

/// Sizes of one function.
#[derive(Clone, Copy, Debug, Default)]
struct Body {
    /// Instructions and terminators written.
    code: u32,
    /// Bytes that closing its open sequences takes.
    reserve: u32,
    /// Runs of equal types among its locals.
    runs: u32,
    last_run: Option<ValType>,
    /// Bytes of all that with its length before it, as entered in [`ByteLedger::code`].
    entered: u32,
}

impl Body {
    /// Locals, code, and what closing takes. A run of locals is a count and a type: two bytes, since the vocabulary has
    /// fewer than 128 locals; so is how many runs there are one byte.
    #[inline]
    fn size(&self) -> u32 {
        1 + 2 * self.runs + self.code + self.reserve
    }

    /// The same with its length before it.
    #[inline]
    fn entry(&self) -> u32 {
        let size = self.size();
        u32_size(size) + size
    }
}

impl ByteLedger {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bodies.clear();
        *self = Self { bodies: std::mem::take(&mut self.bodies), declared: HEADER + EXPORTS, ..Self::default() };
    }

    fn declare(&mut self, part: Part, bytes: u32) {
        let declared = &mut self.parts[part as usize];
        let before = declared.section();
        declared.count += 1;
        declared.bytes += bytes;
        self.declared = self.declared - before + declared.section();
    }

    /// Something of an existing section grew.
    fn grow(&mut self, part: Part, bytes: u32) {
        let declared = &mut self.parts[part as usize];
        let before = declared.section();
        declared.bytes += bytes;
        self.declared = self.declared - before + declared.section();
    }

    /// A new function type.
    pub fn add_type(&mut self, ty: &FuncType) {
        self.declare(Part::Types, type_size(ty.params.len() as u32, ty.results.len() as u32));
    }

    /// Something imported, whose description takes so many bytes behind its kind.
    pub fn add_import(&mut self, import: &Import, description: u32) {
        let name = |text: &str| u32_size(text.len() as u32) + text.len() as u32;
        self.declare(Part::Imports, name(&import.module) + name(&import.name) + 1 + description);
    }

    /// An imported function, which has an index but no body.
    pub fn add_imported_function(&mut self) {
        self.bodies.push(Body::default());
    }

    /// A new function, without code.
    pub fn add_function(&mut self) {
        self.declare(Part::Functions, 1);
        self.bodies.push(Body::default());
        self.change(self.bodies.len() as u32 - 1, |_| {});
    }

    /// The memory; its limits take so many bytes.
    pub fn add_memory(&mut self, limits: u32) {
        self.declare(Part::Memory, limits);
    }

    /// A table; its limits take so many bytes.
    pub fn add_table(&mut self, limits: u32) {
        self.declare(Part::Tables, 1 + limits);
    }

    /// A new global whose initial constant instruction has this size.
    pub fn add_global(&mut self, init: u32) {
        self.declare(Part::Globals, 2 + init + 1);
    }

    /// An element segment of so many functions, whose mode takes so many bytes.
    pub fn add_elem(&mut self, mode: u32, items: u32) {
        self.declare(Part::Elems, mode + 1 + items);
    }

    /// One more function in an element segment of fewer than 127.
    pub fn grow_elem(&mut self) {
        self.grow(Part::Elems, 1);
    }

    /// A data segment of so many bytes, whose mode takes so many.
    pub fn add_data(&mut self, mode: u32, bytes: u32) {
        self.declare(Part::Datas, mode + u32_size(bytes) + bytes);
    }

    /// An instruction names a data segment.
    pub fn need_data_count(&mut self) {
        if !std::mem::replace(&mut self.data_count, true) {
            self.declared += DATA_COUNT;
        }
    }

    #[inline]
    fn change(&mut self, func: u32, change: impl FnOnce(&mut Body)) {
        let body = &mut self.bodies[func as usize];
        change(body);
        let entry = body.entry();
        self.code = self.code - body.entered + entry;
        body.entered = entry;
    }

    /// A new local of a function.
    pub fn add_local(&mut self, func: u32, ty: ValType) {
        self.change(func, |body| {
            body.runs += u32::from(body.last_run != Some(ty));
            body.last_run = Some(ty);
        });
    }

    /// Code of a function grew (or, when it is taken back, shrank).
    #[inline]
    pub fn add_code(&mut self, func: u32, bytes: i64) {
        self.change(func, |body| {
            body.code = u32::try_from(i64::from(body.code) + bytes).expect("code has a size");
        });
    }

    /// Code of a function grew, and what closing costs changed.
    #[inline]
    pub fn add_code_and_reserve(&mut self, func: u32, bytes: u32, from: u32, to: u32) {
        self.change(func, |body| {
            body.code += bytes;
            body.reserve = body.reserve - from + to;
        });
    }

    /// What closing costs changed.
    #[inline]
    pub fn change_reserve(&mut self, func: u32, from: u32, to: u32) {
        if from != to {
            self.change(func, |body| body.reserve = body.reserve - from + to);
        }
    }

    /// Bytes of the module once everything open has been closed the cheapest way.
    #[inline]
    pub fn closed(&self) -> u32 {
        self.declared + sized(COUNT + self.code)
    }

    /// Bytes of a function's body once it is closed, without its length.
    pub fn body_size(&self, func: u32) -> u32 {
        self.bodies[func as usize].size()
    }

    /// As [`ByteLedger::closed`], with this many more bytes in a function's body and elsewhere.
    pub fn closed_with(&self, func: u32, more_body: u32, more_elsewhere: u32) -> u32 {
        let body = self.bodies[func as usize];
        let grown = Body { code: body.code + more_body, ..body };
        let code = self.code - body.entered + grown.entry();
        self.declared + more_elsewhere + sized(COUNT + code)
    }
}

/// A section with its content: its number, the length, the content.
#[inline]
fn sized(content: u32) -> u32 {
    1 + u32_size(content) + content
}

fn type_size(params: u32, results: u32) -> u32 {
    1 + u32_size(params) + params + u32_size(results) + results
}

/// Bytes of the smallest program that imports what `program` imports: one more function that does nothing.
pub fn smallest_program(imports: u32) -> u32 {
    let mut ledger = ByteLedger::default();
    ledger.clear();
    ledger.add_type(&FuncType::default());
    ledger.add_function();
    ledger.closed_with(0, super::scope::TERMINATOR, 0) + imports
}

/// Bytes of the limits of a memory or table, fewer than 128 at least and at most.
pub fn limits_size(max: Option<u32>) -> u32 {
    2 + u32::from(max.is_some())
}

/// Bytes that a program's imports take.
pub fn imports_size(program: &Program) -> u32 {
    let mut ledger = ByteLedger::default();
    ledger.clear();
    let before = ledger.closed();
    enter_imports(&mut ledger, program);
    ledger.closed() - before
}

/// Enters the types and imports of a program that has nothing else yet.
pub fn enter_imports(ledger: &mut ByteLedger, program: &Program) {
    program.types.iter().for_each(|ty| ledger.add_type(ty));
    for import in program.funcs.iter().filter_map(|func| func.import.as_deref()) {
        ledger.add_import(import, 1);
        ledger.add_imported_function();
    }
    if let Some(memory) = &program.memory
        && let Some(import) = &memory.import
    {
        ledger.add_import(import, limits_size(memory.max));
    }
    for import in program.globals.iter().filter_map(|global| global.import.as_deref()) {
        ledger.add_import(import, 2);
    }
}

/// A section's number, its length, and a longer count: more than one new entry can add to them.
const ENTRY: u32 = 5;

/// More than any new type adds.
pub fn new_type_bytes(params: u32, results: u32) -> u32 {
    type_size(params, results) + ENTRY
}

/// More than any new function adds outside of its code: type, type index, section lengths, and an empty body.
pub fn new_function_bytes(params: u32, results: u32) -> u32 {
    const LENGTHS: u32 = 8;
    new_type_bytes(params, results) + 1 + 2 + LENGTHS
}

/// More than any new local adds.
pub const NEW_LOCAL_BYTES: u32 = 3;
/// More than any new global adds, its initial constant apart.
pub const NEW_GLOBAL_BYTES: u32 = 3 + ENTRY;
/// More than the memory adds.
pub const MEMORY_BYTES: u32 = section(4);
/// More than a new table adds.
pub const NEW_TABLE_BYTES: u32 = 4 + ENTRY;
/// More than a new segment adds, its items apart.
pub const NEW_SEGMENT_BYTES: u32 = 7 + ENTRY + DATA_COUNT;
