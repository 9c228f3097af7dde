//! Owns the size of the module being woven: exact bytes so far, and bytes still needed to close what is open.
//!
//! Must not know actions. This is the original's ByteCodeSizeConstraint, made exact and hard: the size is that of the
//! encoded module to the byte, all LEB128 lengths included, and what it takes to close every open sequence is always
//! kept in reserve, so that no woven program can end up too big.

use crate::wasm::encode::u32_size;
use crate::wasm::types::{FuncType, ValType};

/// Magic number and version.
const HEADER: u32 = 8;
/// `(export "run" (func 0))` in its section.
const EXPORTS: u32 = section(1 + 1 + 3 + 2);

/// Bytes of a section with a content of this size; lengths under 128 only.
const fn section(content: u32) -> u32 {
    2 + content
}

/// The sizes of everything that the module holds.
#[derive(Clone, Debug, Default)]
pub struct ByteLedger {
    /// Content of the type section without its count.
    types: u32,
    type_count: u32,
    /// One byte for each type index of a function.
    functions: u32,
    memory: bool,
    /// Content of the global section without its count.
    globals: u32,
    global_count: u32,
    bodies: Vec<Body>,
}

/// Sizes of one function.
#[derive(Clone, Debug, Default)]
struct Body {
    /// Instructions and terminators written.
    code: u32,
    /// Bytes that closing its open sequences takes.
    reserve: u32,
    /// Runs of equal types among its locals.
    runs: u32,
    last_run: Option<ValType>,
}

impl Body {
    /// Locals, code, and what closing takes. A run of locals is a count and a type: two bytes, since the vocabulary has
    /// fewer than 128 locals.
    fn size(&self) -> u32 {
        u32_size(self.runs) + 2 * self.runs + self.code + self.reserve
    }
}

impl ByteLedger {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bodies.clear();
        *self = Self { bodies: std::mem::take(&mut self.bodies), ..Self::default() };
    }

    /// A new function type.
    pub fn add_type(&mut self, ty: &FuncType) {
        self.types += type_size(ty.params.len() as u32, ty.results.len() as u32);
        self.type_count += 1;
    }

    /// A new function, without code.
    pub fn add_function(&mut self) {
        self.functions += 1;
        self.bodies.push(Body::default());
    }

    /// The memory.
    pub fn add_memory(&mut self) {
        self.memory = true;
    }

    /// A new global whose initial constant instruction has this size.
    pub fn add_global(&mut self, init: u32) {
        self.globals += 2 + init + 1;
        self.global_count += 1;
    }

    /// A new local of a function.
    pub fn add_local(&mut self, func: u32, ty: ValType) {
        let body = &mut self.bodies[func as usize];
        body.runs += u32::from(body.last_run != Some(ty));
        body.last_run = Some(ty);
    }

    /// Code of a function grew (or, when a call is taken back, shrank).
    pub fn add_code(&mut self, func: u32, bytes: i64) {
        let code = &mut self.bodies[func as usize].code;
        *code = u32::try_from(i64::from(*code) + bytes).expect("code has a size");
    }

    /// What closing costs changed.
    pub fn change_reserve(&mut self, func: u32, from: u32, to: u32) {
        let reserve = &mut self.bodies[func as usize].reserve;
        *reserve = *reserve - from + to;
    }

    /// Bytes of the module once everything open has been closed the cheapest way.
    pub fn closed(&self) -> u32 {
        self.closed_with(0, 0, 0)
    }

    /// As [`ByteLedger::closed`], with this many more bytes in a function's body and elsewhere.
    pub fn closed_with(&self, func: u32, more_body: u32, more_elsewhere: u32) -> u32 {
        let types = u32_size(self.type_count) + self.types;
        let functions = u32_size(self.bodies.len() as u32) + self.functions;
        let mut total = HEADER + EXPORTS + sized(types) + sized(functions) + more_elsewhere;
        if self.memory {
            total += section(3);
        }
        if self.global_count > 0 {
            total += sized(u32_size(self.global_count) + self.globals);
        }
        let mut code = u32_size(self.bodies.len() as u32);
        for (index, body) in self.bodies.iter().enumerate() {
            let more = if index == func as usize { more_body } else { 0 };
            let size = body.size() + more;
            code += u32_size(size) + size;
        }
        total + sized(code)
    }
}

/// A section with its content: its number, the length, the content.
fn sized(content: u32) -> u32 {
    1 + u32_size(content) + content
}

fn type_size(params: u32, results: u32) -> u32 {
    1 + u32_size(params) + params + u32_size(results) + results
}

/// Bytes of the smallest program: one function that does nothing.
pub fn smallest_program() -> u32 {
    let mut ledger = ByteLedger::default();
    ledger.add_type(&FuncType::default());
    ledger.add_function();
    ledger.closed_with(0, super::scope::TERMINATOR, 0)
}

/// More than any new function adds outside of its code: type, type index, section lengths, and an empty body.
pub fn new_function_bytes(params: u32) -> u32 {
    const LENGTHS: u32 = 8;
    type_size(params, 1) + 1 + 2 + LENGTHS
}

/// More than any new local adds.
pub const NEW_LOCAL_BYTES: u32 = 3;
/// More than any new global adds, its initial constant apart.
pub const NEW_GLOBAL_BYTES: u32 = 8;
/// What the memory adds.
pub const MEMORY_BYTES: u32 = section(3);
