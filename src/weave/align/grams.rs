//! Owns what instructions are counted by: their class, and their bucket in abstract n-grams.
//!
//! Must not know programs. Classes are the names of binaryen's metrics, a column of the instruction table. Buckets are
//! the original WasmWeaver's categories, as the reference profile has them.

use crate::wasm::isa::{Category, Op};
use std::sync::LazyLock;

/// The original's categories of instructions, which its abstract n-grams are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    /// Locals and globals.
    Variable,
    /// Constants and arithmetic, that on whole vectors included.
    Numeric,
    /// Loads, stores and all else about memory.
    Memory,
    /// Blocks, branches and calls; in n-grams `end` and `else` too.
    Control,
    /// `drop` and `select`.
    Parametric,
    /// Shuffles, shifts and lanes of vectors.
    Simd,
    /// References.
    Reference,
    /// Tables.
    Table,
}

impl Bucket {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Variable,
        Self::Numeric,
        Self::Memory,
        Self::Control,
        Self::Parametric,
        Self::Simd,
        Self::Reference,
        Self::Table,
    ];

    /// Its name in profiles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Variable => "Variable",
            Self::Numeric => "Numeric",
            Self::Memory => "Memory",
            Self::Control => "Control",
            Self::Parametric => "Parametric",
            Self::Simd => "SIMD",
            Self::Reference => "Reference",
            Self::Table => "Table",
        }
    }

    /// The bucket of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bucket| bucket.name() == name)
    }

    /// The bucket of an instruction.
    pub fn of(op: Op) -> Self {
        BUCKETS[op.index()]
    }

    fn classify(op: Op) -> Self {
        let row = op.row();
        match row.category {
            Category::Local | Category::Global => Self::Variable,
            Category::Load | Category::Store | Category::Memory => Self::Memory,
            Category::Control | Category::Call => Self::Control,
            Category::Parametric => Self::Parametric,
            Category::Reference => Self::Reference,
            Category::Table => Self::Table,
            // What vectors have in common with numbers was counted among these.
            _ if row.class.starts_with("SIMD") => Self::Simd,
            _ => Self::Numeric,
        }
    }
}

static BUCKETS: LazyLock<Vec<Bucket>> = LazyLock::new(|| Op::ALL.iter().map(|&op| Bucket::classify(op)).collect());

/// How many abstract trigrams there are.
pub const TRIGRAMS: usize = Bucket::ALL.len() * Bucket::ALL.len() * Bucket::ALL.len();

/// The number of an abstract trigram.
pub(super) fn trigram([a, b, c]: [Bucket; 3]) -> usize {
    const N: usize = Bucket::ALL.len();
    (a as usize * N + b as usize) * N + c as usize
}

/// The classes that instructions of the table have, sorted; `end` and `else` have none.
pub static CLASSES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut classes: Vec<&str> = Op::ALL.iter().map(|op| op.row().class).filter(|class| !class.is_empty()).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
});

static CLASS_OF: LazyLock<Vec<Option<usize>>> =
    LazyLock::new(|| Op::ALL.iter().map(|op| CLASSES.iter().position(|class| *class == op.row().class)).collect());

/// The number of an instruction's class in [`CLASSES`].
pub fn class_of(op: Op) -> Option<usize> {
    CLASS_OF[op.index()]
}
