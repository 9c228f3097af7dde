//! Owns what modules of any kind consist of: which instructions, in which order, in how large functions.
//!
//! Must not know what the counts are for. Unlike `parse` it reads every proposal that the reader knows, for real
//! modules have exceptions and atomics in them, and keeps no program: a module of 25 MB is counted in one pass.

use super::isa::Op;
use super::parse::{assemble, decode};
use super::print::printable;
use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;
use wasmparser::{BlockType, Operator, Parser, Payload};

/// The number of an instruction of any proposal: its place in [`names`].
pub type OpId = u16;

macro_rules! visits {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident $ann:tt)*) => {
        /// The operators in the reader's order.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy)]
        enum Id { $($op),* }

        const VISITS: &[&str] = &[$(stringify!($visit)),*];

        fn id(operator: &Operator<'_>) -> Option<OpId> {
            match operator {
                $(Operator::$op { .. } => Some(Id::$op as OpId),)*
                // The reader's list is open.
                _ => None,
            }
        }
    };
}
wasmparser::for_each_operator!(visits);

/// The names of all instructions in the text format, by [`OpId`].
pub fn names() -> &'static [String] {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let known: HashMap<String, &str> =
            Op::ALL.iter().map(|op| (op.mnemonic().replace('.', "_"), op.mnemonic())).collect();
        let name = |visit: &&str| {
            let stem = visit.strip_prefix("visit_").unwrap_or(visit);
            let stem = stem.strip_prefix("typed_").filter(|rest| *rest == "select").unwrap_or(stem);
            known.get(stem).map_or_else(|| foreign_name(stem), |name| (*name).to_owned())
        };
        VISITS.iter().map(name).collect()
    });
    &NAMES
}

/// The name of an instruction that the table does not have, of its name with underscores alone.
fn foreign_name(stem: &str) -> String {
    const PREFIXES: [&str; 16] = [
        "i32", "i64", "f32", "f64", "v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2", "memory", "table",
        "ref", "struct", "array",
    ];
    let dotted = |stem: &str, prefix: &str| {
        let rest = stem.strip_prefix(prefix)?.strip_prefix('_')?;
        Some(format!("{prefix}.{rest}"))
    };
    let name = PREFIXES.iter().find_map(|prefix| dotted(stem, prefix)).unwrap_or_else(|| stem.to_owned());
    let mut name = name.replace("atomic_", "atomic.");
    for part in ["rmw", "rmw8", "rmw16", "rmw32"] {
        name = name.replace(&format!(".{part}_"), &format!(".{part}."));
    }
    name
}

/// What one function is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionShape {
    /// Instructions, each `end` and `else` included.
    pub length: u32,
    /// Locals declared.
    pub locals: u32,
    /// How deep blocks nest.
    pub nesting: u32,
}

/// What a module consists of.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Bytes of the module.
    pub bytes: u64,
    /// Functions with code.
    pub functions: Vec<FunctionShape>,
    /// How often each instruction stands there, `end` and `else` included.
    pub opcodes: HashMap<OpId, u64>,
    /// Pairs within a function; its own `end` belongs to none.
    pub bigrams: HashMap<[OpId; 2], u64>,
    /// Triples, likewise.
    pub trigrams: HashMap<[OpId; 3], u64>,
    /// Branches (`br`, `br_if`) by how many blocks they leave.
    pub branch_depths: HashMap<u32, u64>,
    /// Blocks by what made them, and whether they yield something.
    pub block_kinds: HashMap<(&'static str, bool), u64>,
    /// `i32.const` by value.
    pub i32_constants: HashMap<i64, u64>,
    /// `i64.const` by value.
    pub i64_constants: HashMap<i64, u64>,
    /// Memory accesses by offset.
    pub offsets: HashMap<u64, u64>,
    /// Memory accesses whose alignment is that of what they access.
    pub natural_alignments: u64,
}

/// Why a module could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The file itself.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in it.
    #[error("{path} is no module that can be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Where and why.
        reason: String,
    },
}

impl Survey {
    /// Of a `.wasm` or `.wat` file.
    ///
    /// # Errors
    /// If it cannot be read, or is no core module.
    pub fn of_file(path: &Path) -> Result<Self, SurveyError> {
        let name = || path.display().to_string();
        let unreadable = |reason: String| SurveyError::Unreadable { path: name(), reason: printable(&reason) };
        let bytes = std::fs::read(path).map_err(|source| SurveyError::Io { path: name(), source })?;
        if path.extension().is_some_and(|extension| extension == "wat") {
            let text = decode(&bytes).map_err(|error| unreadable(error.to_string()))?;
            let bytes = assemble(text).map_err(|error| unreadable(error.to_string()))?;
            return Self::of(&bytes).map_err(|error| unreadable(error.to_string()));
        }
        Self::of(&bytes).map_err(|error| unreadable(error.to_string()))
    }

    /// Of a module's bytes. They are read, not validated.
    ///
    /// # Errors
    /// What the reader cannot make out.
    pub fn of(bytes: &[u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut survey = Self { bytes: bytes.len() as u64, ..Self::default() };
        for payload in Parser::new(0).parse_all(bytes) {
            if let Payload::CodeSectionEntry(body) = payload? {
                survey.function(&body)?;
            }
        }
        Ok(survey)
    }

    fn function(&mut self, body: &wasmparser::FunctionBody<'_>) -> Result<(), wasmparser::BinaryReaderError> {
        let mut shape = FunctionShape::default();
        for locals in body.get_locals_reader()? {
            // They are not validated: their sum may be any.
            shape.locals = shape.locals.saturating_add(locals?.0);
        }
        let mut depth = 0;
        let mut last: [Option<OpId>; 2] = [None; 2];
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let operator = reader.read()?;
            let Some(id) = id(&operator) else { continue };
            shape.length += 1;
            *self.opcodes.entry(id).or_default() += 1;
            if !reader.eof() {
                if let Some(second) = last[1] {
                    *self.bigrams.entry([second, id]).or_default() += 1;
                    if let Some(first) = last[0] {
                        *self.trigrams.entry([first, second, id]).or_default() += 1;
                    }
                }
                last = [last[1], Some(id)];
            }
            self.immediate(&operator);
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::Try { .. } => {
                    depth += 1;
                    shape.nesting = shape.nesting.max(depth);
                }
                Operator::TryTable { .. } => depth += 1,
                Operator::End | Operator::Delegate { .. } => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        self.functions.push(shape);
        Ok(())
    }

    fn immediate(&mut self, operator: &Operator<'_>) {
        let mut block = |what, ty: &BlockType| {
            *self.block_kinds.entry((what, *ty != BlockType::Empty)).or_default() += 1;
        };
        match operator {
            Operator::Block { blockty } => block("block", blockty),
            Operator::Loop { blockty } => block("loop", blockty),
            Operator::If { blockty } => block("if", blockty),
            Operator::Try { blockty } => block("try", blockty),
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                *self.branch_depths.entry(*relative_depth).or_default() += 1;
            }
            Operator::I32Const { value } => *self.i32_constants.entry((*value).into()).or_default() += 1,
            Operator::I64Const { value } => *self.i64_constants.entry(*value).or_default() += 1,
            _ => {
                if let Some(memarg) = memarg(operator) {
                    *self.offsets.entry(memarg.offset).or_default() += 1;
                    self.natural_alignments += u64::from(memarg.align == memarg.max_align);
                }
            }
        }
    }
}

/// Where an instruction accesses memory, if it does.
fn memarg(operator: &Operator<'_>) -> Option<wasmparser::MemArg> {
    macro_rules! memargs {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident $ann:tt)*) => {
            match operator {
                $(Operator::$op $({ $($arg),* })? => memargs!(@of [$($($arg)*)?] [$($($arg)*)?]),)*
                _ => None,
            }
        };
        // The names of the fields twice: once to compare, once to use.
        (@of [memarg $($rest:ident)*] [$memarg:ident $($other:ident)*]) => {{
            $(let _ = $other;)*
            Some(*$memarg)
        }};
        (@of $names:tt [$($other:ident)*]) => {{
            $(let _ = $other;)*
            None
        }};
    }
    wasmparser::for_each_operator!(memargs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_instruction_of_the_table_has_its_name() {
        let names: BTreeSet<&str> = names().iter().map(String::as_str).collect();
        let missing: Vec<&str> = Op::ALL.iter().map(|op| op.mnemonic()).filter(|name| !names.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        for foreign in ["i32.atomic.rmw.add", "i32.atomic.rmw8.cmpxchg_u", "memory.atomic.notify", "try_table"] {
            assert!(names.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_module_is_counted() {
        let text = "(module (memory 1) (func (param i32) (local i64 i64)
            block loop (result i32) local.get 0 i32.load offset=4 align=2 br_if 1 i32.const -1 end drop end) (func))";
        let survey = Survey::of(&assemble(text).expect("a module")).expect("it is read");
        let id = |name: &str| names().iter().position(|known| known == name).expect(name) as OpId;
        assert_eq!(
            survey.functions,
            [
                FunctionShape { length: 10, locals: 2, nesting: 2 },
                FunctionShape { length: 1, ..FunctionShape::default() }
            ]
        );
        assert_eq!(survey.opcodes[&id("end")], 4);
        assert_eq!(survey.bigrams[&[id("local.get"), id("i32.load")]], 1);
        assert_eq!(survey.bigrams.values().sum::<u64>(), 8, "the function's own end belongs to none");
        assert_eq!(survey.trigrams.values().sum::<u64>(), 7);
        assert_eq!(survey.block_kinds[&("loop", true)], 1);
        assert_eq!(survey.branch_depths[&1], 1);
        assert_eq!(survey.i32_constants[&-1], 1);
        assert_eq!((survey.offsets[&4], survey.natural_alignments), (1, 0));
        assert!(Survey::of(b"\0asm nonsense").is_err());
    }
}
