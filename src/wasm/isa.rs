//! Owns the instruction table: one row per instruction with everything that is fixed about it.
//!
//! Must not know programs, stacks or memory. The table is the single source of truth: arity, masks, encodings, sizes,
//! text, observations, coverage and schemas are derived from it, so adding an instruction is adding a row (and, where
//! it computes, a function in [`numeric`]). The macro that reads it yields [`Op`] and the table, nothing more.

use super::numeric;
pub use super::trap::Trap;
use super::types::ValType;
use std::fmt;

#[cfg(test)]
mod tests;

/// Everything that is fixed about one instruction.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The instruction.
    pub op: Op,
    /// Its name in the text format.
    pub mnemonic: &'static str,
    /// Its opcode (spec 5.4): one byte, or the prefix `0xfc` or `0xfd` and the LEB128 of the number behind it.
    pub opcode: &'static [u8],
    /// What follows the opcode.
    pub imm: Imm,
    /// The operands that are popped in any module, top of the stack last. Where the effect depends on the module
    /// ([`Semantics::Special`]) these are the fixed ones alone: the condition of `if`, `br_if` and `select`, the index
    /// of `br_table`, the index of `table.get`; not the arguments of `call`, nor the two alternatives of `select`, which
    /// have any one type, nor an element of a table.
    pub params: &'static [ValType],
    /// The results that are pushed in any module, top of the stack last.
    pub results: &'static [ValType],
    /// The ways it can trap by itself. Any instruction can meet [`Trap::OutOfFuel`], which is not listed.
    pub traps: &'static [Trap],
    /// What sort of instruction it is, for people.
    pub category: Category,
    /// The kind of expression it is in Binaryen, as the statistics of real modules count it. Empty for `else` and
    /// `end`, which those do not count.
    pub class: &'static str,
    /// The proposal that brought it.
    pub proposal: Proposal,
    /// What it computes.
    pub semantics: Semantics,
}

/// What follows an opcode in the binary format (spec 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Imm {
    /// Nothing.
    None,
    /// The type of a block.
    BlockType,
    /// A label: how many blocks to leave.
    Label,
    /// A vector of labels and the default one.
    LabelTable,
    /// A function index.
    Func,
    /// A local index.
    Local,
    /// A global index.
    Global,
    /// Alignment and offset of a memory access.
    MemArg {
        /// How many bytes are accessed: 1, 2, 4, 8 or 16.
        width: u8,
    },
    /// A memory index; one byte, zero, while there is one memory.
    MemIndex,
    /// Two memory indices, one byte each.
    MemMem,
    /// A data segment and a memory index.
    DataMem,
    /// A data segment.
    Data,
    /// A function type and a table.
    TypeTable,
    /// A table.
    Table,
    /// A table that is written and a table that is read.
    TableTable,
    /// An element segment and a table.
    ElemTable,
    /// An element segment.
    Elem,
    /// What a null reference could refer to.
    HeapType,
    /// A vector of value types, of which there is one.
    ValTypes,
    /// 16 bytes, little-endian.
    V128,
    /// 16 lane numbers.
    Shuffle,
    /// A lane number.
    Lane {
        /// Bytes of one lane: 1, 2, 4 or 8.
        width: u8,
    },
    /// Alignment and offset of a memory access, and a lane number.
    MemArgLane {
        /// Bytes of one lane, which are those accessed.
        width: u8,
    },
    /// A signed LEB128 of 32 bits.
    I32,
    /// A signed LEB128 of 64 bits.
    I64,
    /// 4 bytes, little-endian.
    F32,
    /// 8 bytes, little-endian.
    F64,
}

/// Yields a field-less enum with its list, its names and its dense numbering.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $variant),+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, for people and files.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }

            /// Dense number in `0..Self::ALL.len()`.
            pub fn index(self) -> usize {
                self as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

named! {
    /// What sort of instruction it is: the groups of the specification (2.4), split where the skill that is needed
    /// to predict the result differs.
    Category {
        /// Blocks, branches, `return`, `unreachable`, `nop`.
        Control = "control"
        /// Calls.
        Call = "call"
        /// `drop` and `select`, which take any type.
        Parametric = "parametric"
        /// Access to locals.
        Local = "local"
        /// Access to globals.
        Global = "global"
        /// Reads of memory.
        Load = "load"
        /// Writes to memory.
        Store = "store"
        /// Memory as a whole: its size, and stretches of it.
        Memory = "memory"
        /// Tables.
        Table = "table"
        /// References.
        Reference = "reference"
        /// Constants.
        Const = "const"
        /// `add`, `sub`, `mul`, `div`, `rem` of integers.
        IntArithmetic = "int arithmetic"
        /// Bitwise logic, shifts, rotations and bit counts.
        IntBitwise = "int bitwise"
        /// Tests and comparisons of integers.
        IntComparison = "int comparison"
        /// Arithmetic of floats, including rounding and signs.
        FloatArithmetic = "float arithmetic"
        /// Comparisons of floats.
        FloatComparison = "float comparison"
        /// From one number type to another, and sign extension within one.
        Conversion = "conversion"
        /// Integer and bitwise arithmetic on vectors.
        VectorInt = "vector int"
        /// Float arithmetic on vectors.
        VectorFloat = "vector float"
        /// Comparisons and tests of vectors.
        VectorComparison = "vector comparison"
        /// What moves or converts lanes.
        VectorLane = "vector lane"
    }
}

named! {
    /// The proposal that brought an instruction, under the name that wasmparser has for it.
    Proposal {
        /// The first version of WebAssembly.
        Mvp = "mvp"
        /// Sign extension within a type.
        SignExtension = "sign_extension"
        /// Truncation that saturates where the older one traps.
        SaturatingFloatToInt = "saturating_float_to_int"
        /// Stretches of memory and tables at once.
        BulkMemory = "bulk_memory"
        /// References as values, and more than one table.
        ReferenceTypes = "reference_types"
        /// Vectors of 128 bits.
        Simd = "simd"
        /// Calls that replace their caller. Not part of WebAssembly 2.0.
        TailCall = "tail_call"
    }
}

/// What an instruction computes. Values are bits zero-extended: to 64 where no vector is about, else to 128.
#[derive(Clone, Copy, Debug)]
pub enum Semantics {
    /// Depends on the module, the frame or the immediate: the machine knows.
    Special,
    /// One operand, one result.
    Unary(fn(u64) -> u64),
    /// Two operands, the top of the stack second; one result.
    Binary(fn(u64, u64) -> u64),
    /// [`Semantics::Unary`] that may trap.
    TryUnary(fn(u64) -> Result<u64, Trap>),
    /// [`Semantics::Binary`] that may trap.
    TryBinary(fn(u64, u64) -> Result<u64, Trap>),
    /// Pops an address; the function makes a value of the bytes there, little-endian and zero-extended.
    Load(fn(u64) -> u64),
    /// Pops a value and an address; writes the low bytes of the value, little-endian.
    Store,
    /// [`Semantics::Unary`] with a vector.
    Wide1(fn(u128) -> u128),
    /// [`Semantics::Binary`] with a vector.
    Wide2(fn(u128, u128) -> u128),
    /// Three operands, the top of the stack last; one result.
    Wide3(fn(u128, u128, u128) -> u128),
    /// One operand and the lane of the immediate.
    Lane1(fn(u128, u8) -> u128),
    /// Two operands and the lane of the immediate.
    Lane2(fn(u128, u128, u8) -> u128),
    /// Two operands and the 16 lane numbers of the immediate.
    Shuffle(fn(u128, u128, u128) -> u128),
    /// [`Semantics::Load`] of a vector.
    WideLoad(fn(u128) -> u128),
    /// Pops a vector and an address; puts the bytes there into the lane of the immediate.
    LoadLane,
    /// Pops a vector and an address; writes the lane of the immediate.
    StoreLane,
}

/// Reads rows of `Variant "mnemonic" [opcode] immediate{bytes} [params -> results] category "class" proposal
/// semantics(function) [traps]`.
macro_rules! table {
    ($(
        $op:ident $mnemonic:literal [$($byte:literal)+]
        $imm:ident $({$width:literal})? [$($param:ident)* -> $($result:ident)*]
        $category:ident $class:literal $proposal:ident $semantics:ident $(($function:ident))? [$($trap:ident)*]
    )+) => {
        /// An instruction without its immediates.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Op {
            $(#[doc = concat!("`", $mnemonic, "`")] $op),+
        }

        impl Op {
            /// Every instruction, in the order of the table.
            pub const ALL: &'static [Op] = &[$(Op::$op),+];
        }

        static TABLE: [Row; Op::COUNT] = [$(Row {
            op: Op::$op,
            mnemonic: $mnemonic,
            opcode: &[$($byte),+],
            imm: Imm::$imm $({ width: $width })?,
            params: &[$(ValType::$param),*],
            results: &[$(ValType::$result),*],
            traps: &[$(Trap::$trap),*],
            category: Category::$category,
            class: $class,
            proposal: Proposal::$proposal,
            semantics: Semantics::$semantics $((numeric::$function))?,
        }),+];
    };
}

impl Op {
    /// How many instructions there are.
    pub const COUNT: usize = Self::ALL.len();
    /// How many do not need [`Proposal::Simd`]: they stand first in the table.
    pub const SCALARS: usize = Op::V128Load as usize;

    /// Everything about it.
    pub const fn row(self) -> &'static Row {
        &TABLE[self.index()]
    }

    /// Its name in the text format.
    pub fn mnemonic(self) -> &'static str {
        self.row().mnemonic
    }

    /// The instruction with this name in the text format.
    pub fn parse(mnemonic: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|op| op.mnemonic() == mnemonic)
    }

    /// Dense number in `0..Op::COUNT`: its place in the table.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The instruction at this place in the table.
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.mnemonic())
    }
}

table! {
    // Control (spec 5.4.1)
    Unreachable       "unreachable"         [0x00]      None       [->]             Control         "Unreachable" Mvp                  Special                    [Unreachable]
    Nop               "nop"                 [0x01]      None       [->]             Control         "Nop"         Mvp                  Special                    []
    Block             "block"               [0x02]      BlockType  [->]             Control         "Block"       Mvp                  Special                    []
    Loop              "loop"                [0x03]      BlockType  [->]             Control         "Loop"        Mvp                  Special                    []
    If                "if"                  [0x04]      BlockType  [I32 ->]         Control         "If"          Mvp                  Special                    []
    Else              "else"                [0x05]      None       [->]             Control         ""            Mvp                  Special                    []
    End               "end"                 [0x0b]      None       [->]             Control         ""            Mvp                  Special                    []
    Br                "br"                  [0x0c]      Label      [->]             Control         "Break"       Mvp                  Special                    []
    BrIf              "br_if"               [0x0d]      Label      [I32 ->]         Control         "Break"       Mvp                  Special                    []
    BrTable           "br_table"            [0x0e]      LabelTable [I32 ->]         Control         "Switch"      Mvp                  Special                    []
    Return            "return"              [0x0f]      None       [->]             Control         "Return"      Mvp                  Special                    []
    Call              "call"                [0x10]      Func       [->]             Call            "Call"        Mvp                  Special                    [CallStackExhausted]
    CallIndirect      "call_indirect"       [0x11]      TypeTable  [I32 ->]         Call            "CallIndirect" Mvp                 Special                    [CallStackExhausted UndefinedElement UninitializedElement IndirectCallTypeMismatch]
    ReturnCall        "return_call"         [0x12]      Func       [->]             Call            "Call"        TailCall             Special                    []
    ReturnCallIndirect "return_call_indirect" [0x13]    TypeTable  [I32 ->]         Call            "CallIndirect" TailCall            Special                    [UndefinedElement UninitializedElement IndirectCallTypeMismatch]
    // References (spec 5.4.2)
    RefNull           "ref.null"            [0xd0]      HeapType   [->]             Reference       "RefNull"     ReferenceTypes       Special                    []
    RefIsNull         "ref.is_null"         [0xd1]      None       [-> I32]         Reference       "RefIsNull"   ReferenceTypes       Special                    []
    RefFunc           "ref.func"            [0xd2]      Func       [-> FuncRef]     Reference       "RefFunc"     ReferenceTypes       Special                    []
    // Parametric (spec 5.4.3)
    Drop              "drop"                [0x1a]      None       [->]             Parametric      "Drop"        Mvp                  Special                    []
    Select            "select"              [0x1b]      None       [I32 ->]         Parametric      "Select"      Mvp                  Special                    []
    TypedSelect       "select"              [0x1c]      ValTypes   [I32 ->]         Parametric      "Select"      ReferenceTypes       Special                    []
    // Variables (spec 5.4.4)
    LocalGet          "local.get"           [0x20]      Local      [->]             Local           "LocalGet"    Mvp                  Special                    []
    LocalSet          "local.set"           [0x21]      Local      [->]             Local           "LocalSet"    Mvp                  Special                    []
    LocalTee          "local.tee"           [0x22]      Local      [->]             Local           "LocalSet"    Mvp                  Special                    []
    GlobalGet         "global.get"          [0x23]      Global     [->]             Global          "GlobalGet"   Mvp                  Special                    []
    GlobalSet         "global.set"          [0x24]      Global     [->]             Global          "GlobalSet"   Mvp                  Special                    []
    // Tables (spec 5.4.5)
    TableGet          "table.get"           [0x25]      Table      [I32 ->]         Table           "TableGet"    ReferenceTypes       Special                    [TableOutOfBounds]
    TableSet          "table.set"           [0x26]      Table      [I32 ->]         Table           "TableSet"    ReferenceTypes       Special                    [TableOutOfBounds]
    TableInit         "table.init"          [0xfc 0x0c] ElemTable  [I32 I32 I32 ->] Table           "TableInit"   BulkMemory           Special                    [TableOutOfBounds]
    ElemDrop          "elem.drop"           [0xfc 0x0d] Elem       [->]             Table           "ElemDrop"    BulkMemory           Special                    []
    TableCopy         "table.copy"          [0xfc 0x0e] TableTable [I32 I32 I32 ->] Table           "TableCopy"   BulkMemory           Special                    [TableOutOfBounds]
    TableGrow         "table.grow"          [0xfc 0x0f] Table      [I32 -> I32]     Table           "TableGrow"   ReferenceTypes       Special                    []
    TableSize         "table.size"          [0xfc 0x10] Table      [-> I32]         Table           "TableSize"   ReferenceTypes       Special                    []
    TableFill         "table.fill"          [0xfc 0x11] Table      [I32 I32 ->]     Table           "TableFill"   ReferenceTypes       Special                    [TableOutOfBounds]
    // Memory (spec 5.4.6)
    I32Load           "i32.load"            [0x28]      MemArg{4}  [I32 -> I32]     Load            "Load"        Mvp                  Load(unchanged)            [MemoryOutOfBounds]
    I64Load           "i64.load"            [0x29]      MemArg{8}  [I32 -> I64]     Load            "Load"        Mvp                  Load(unchanged)            [MemoryOutOfBounds]
    F32Load           "f32.load"            [0x2a]      MemArg{4}  [I32 -> F32]     Load            "Load"        Mvp                  Load(unchanged)            [MemoryOutOfBounds]
    F64Load           "f64.load"            [0x2b]      MemArg{8}  [I32 -> F64]     Load            "Load"        Mvp                  Load(unchanged)            [MemoryOutOfBounds]
    I32Load8S         "i32.load8_s"         [0x2c]      MemArg{1}  [I32 -> I32]     Load            "Load"        Mvp                  Load(i32_extend8_s)        [MemoryOutOfBounds]
    I32Load8U         "i32.load8_u"         [0x2d]      MemArg{1}  [I32 -> I32]     Load            "Load"        Mvp                  Load(unchanged)            [MemoryOutOfBounds]
    I32Load16S        "i32.load16_s"        [0x2e]      MemArg{2}  [I32 -> I32]     Load            "Load"        Mvp                  Load(i32_extend16_s)       [MemoryOutOfBounds]
    I32Load16U        "i32.load16_u"        [0x2f]      MemArg{2}  [I32 -> I32]     Load            "Load"        Mvp                  Load(unchanged)            [MemoryOutOfBounds]
    I64Load8S         "i64.load8_s"         [0x30]      MemArg{1}  [I32 -> I64]     Load            "Load"        Mvp                  Load(i64_extend8_s)        [MemoryOutOfBounds]
    I64Load8U         "i64.load8_u"         [0x31]      MemArg{1}  [I32 -> I64]     Load            "Load"        Mvp                  Load(unchanged)            [MemoryOutOfBounds]
    I64Load16S        "i64.load16_s"        [0x32]      MemArg{2}  [I32 -> I64]     Load            "Load"        Mvp                  Load(i64_extend16_s)       [MemoryOutOfBounds]
    I64Load16U        "i64.load16_u"        [0x33]      MemArg{2}  [I32 -> I64]     Load            "Load"        Mvp                  Load(unchanged)            [MemoryOutOfBounds]
    I64Load32S        "i64.load32_s"        [0x34]      MemArg{4}  [I32 -> I64]     Load            "Load"        Mvp                  Load(i64_extend32_s)       [MemoryOutOfBounds]
    I64Load32U        "i64.load32_u"        [0x35]      MemArg{4}  [I32 -> I64]     Load            "Load"        Mvp                  Load(unchanged)            [MemoryOutOfBounds]
    I32Store          "i32.store"           [0x36]      MemArg{4}  [I32 I32 ->]     Store           "Store"       Mvp                  Store                      [MemoryOutOfBounds]
    I64Store          "i64.store"           [0x37]      MemArg{8}  [I32 I64 ->]     Store           "Store"       Mvp                  Store                      [MemoryOutOfBounds]
    F32Store          "f32.store"           [0x38]      MemArg{4}  [I32 F32 ->]     Store           "Store"       Mvp                  Store                      [MemoryOutOfBounds]
    F64Store          "f64.store"           [0x39]      MemArg{8}  [I32 F64 ->]     Store           "Store"       Mvp                  Store                      [MemoryOutOfBounds]
    I32Store8         "i32.store8"          [0x3a]      MemArg{1}  [I32 I32 ->]     Store           "Store"       Mvp                  Store                      [MemoryOutOfBounds]
    I32Store16        "i32.store16"         [0x3b]      MemArg{2}  [I32 I32 ->]     Store           "Store"       Mvp                  Store                      [MemoryOutOfBounds]
    I64Store8         "i64.store8"          [0x3c]      MemArg{1}  [I32 I64 ->]     Store           "Store"       Mvp                  Store                      [MemoryOutOfBounds]
    I64Store16        "i64.store16"         [0x3d]      MemArg{2}  [I32 I64 ->]     Store           "Store"       Mvp                  Store                      [MemoryOutOfBounds]
    I64Store32        "i64.store32"         [0x3e]      MemArg{4}  [I32 I64 ->]     Store           "Store"       Mvp                  Store                      [MemoryOutOfBounds]
    MemorySize        "memory.size"         [0x3f]      MemIndex   [-> I32]         Memory          "MemorySize"  Mvp                  Special                    []
    MemoryGrow        "memory.grow"         [0x40]      MemIndex   [I32 -> I32]     Memory          "MemoryGrow"  Mvp                  Special                    []
    MemoryInit        "memory.init"         [0xfc 0x08] DataMem    [I32 I32 I32 ->] Memory          "MemoryInit"  BulkMemory           Special                    [MemoryOutOfBounds]
    DataDrop          "data.drop"           [0xfc 0x09] Data       [->]             Memory          "DataDrop"    BulkMemory           Special                    []
    MemoryCopy        "memory.copy"         [0xfc 0x0a] MemMem     [I32 I32 I32 ->] Memory          "MemoryCopy"  BulkMemory           Special                    [MemoryOutOfBounds]
    MemoryFill        "memory.fill"         [0xfc 0x0b] MemIndex   [I32 I32 I32 ->] Memory          "MemoryFill"  BulkMemory           Special                    [MemoryOutOfBounds]
    // Constants (spec 5.4.7)
    I32Const          "i32.const"           [0x41]      I32        [-> I32]         Const           "Const"       Mvp                  Special                    []
    I64Const          "i64.const"           [0x42]      I64        [-> I64]         Const           "Const"       Mvp                  Special                    []
    F32Const          "f32.const"           [0x43]      F32        [-> F32]         Const           "Const"       Mvp                  Special                    []
    F64Const          "f64.const"           [0x44]      F64        [-> F64]         Const           "Const"       Mvp                  Special                    []
    // i32 comparison
    I32Eqz            "i32.eqz"             [0x45]      None       [I32 -> I32]     IntComparison   "Unary"       Mvp                  Unary(i32_eqz)             []
    I32Eq             "i32.eq"              [0x46]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_eq)             []
    I32Ne             "i32.ne"              [0x47]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_ne)             []
    I32LtS            "i32.lt_s"            [0x48]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_lt_s)           []
    I32LtU            "i32.lt_u"            [0x49]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_lt_u)           []
    I32GtS            "i32.gt_s"            [0x4a]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_gt_s)           []
    I32GtU            "i32.gt_u"            [0x4b]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_gt_u)           []
    I32LeS            "i32.le_s"            [0x4c]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_le_s)           []
    I32LeU            "i32.le_u"            [0x4d]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_le_u)           []
    I32GeS            "i32.ge_s"            [0x4e]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_ge_s)           []
    I32GeU            "i32.ge_u"            [0x4f]      None       [I32 I32 -> I32] IntComparison   "Binary"      Mvp                  Binary(i32_ge_u)           []
    // i64 comparison
    I64Eqz            "i64.eqz"             [0x50]      None       [I64 -> I32]     IntComparison   "Unary"       Mvp                  Unary(i64_eqz)             []
    I64Eq             "i64.eq"              [0x51]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_eq)             []
    I64Ne             "i64.ne"              [0x52]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_ne)             []
    I64LtS            "i64.lt_s"            [0x53]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_lt_s)           []
    I64LtU            "i64.lt_u"            [0x54]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_lt_u)           []
    I64GtS            "i64.gt_s"            [0x55]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_gt_s)           []
    I64GtU            "i64.gt_u"            [0x56]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_gt_u)           []
    I64LeS            "i64.le_s"            [0x57]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_le_s)           []
    I64LeU            "i64.le_u"            [0x58]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_le_u)           []
    I64GeS            "i64.ge_s"            [0x59]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_ge_s)           []
    I64GeU            "i64.ge_u"            [0x5a]      None       [I64 I64 -> I32] IntComparison   "Binary"      Mvp                  Binary(i64_ge_u)           []
    // f32 comparison
    F32Eq             "f32.eq"              [0x5b]      None       [F32 F32 -> I32] FloatComparison "Binary"      Mvp                  Binary(f32_eq)             []
    F32Ne             "f32.ne"              [0x5c]      None       [F32 F32 -> I32] FloatComparison "Binary"      Mvp                  Binary(f32_ne)             []
    F32Lt             "f32.lt"              [0x5d]      None       [F32 F32 -> I32] FloatComparison "Binary"      Mvp                  Binary(f32_lt)             []
    F32Gt             "f32.gt"              [0x5e]      None       [F32 F32 -> I32] FloatComparison "Binary"      Mvp                  Binary(f32_gt)             []
    F32Le             "f32.le"              [0x5f]      None       [F32 F32 -> I32] FloatComparison "Binary"      Mvp                  Binary(f32_le)             []
    F32Ge             "f32.ge"              [0x60]      None       [F32 F32 -> I32] FloatComparison "Binary"      Mvp                  Binary(f32_ge)             []
    // f64 comparison
    F64Eq             "f64.eq"              [0x61]      None       [F64 F64 -> I32] FloatComparison "Binary"      Mvp                  Binary(f64_eq)             []
    F64Ne             "f64.ne"              [0x62]      None       [F64 F64 -> I32] FloatComparison "Binary"      Mvp                  Binary(f64_ne)             []
    F64Lt             "f64.lt"              [0x63]      None       [F64 F64 -> I32] FloatComparison "Binary"      Mvp                  Binary(f64_lt)             []
    F64Gt             "f64.gt"              [0x64]      None       [F64 F64 -> I32] FloatComparison "Binary"      Mvp                  Binary(f64_gt)             []
    F64Le             "f64.le"              [0x65]      None       [F64 F64 -> I32] FloatComparison "Binary"      Mvp                  Binary(f64_le)             []
    F64Ge             "f64.ge"              [0x66]      None       [F64 F64 -> I32] FloatComparison "Binary"      Mvp                  Binary(f64_ge)             []
    // i32 arithmetic
    I32Clz            "i32.clz"             [0x67]      None       [I32 -> I32]     IntBitwise      "Unary"       Mvp                  Unary(i32_clz)             []
    I32Ctz            "i32.ctz"             [0x68]      None       [I32 -> I32]     IntBitwise      "Unary"       Mvp                  Unary(i32_ctz)             []
    I32Popcnt         "i32.popcnt"          [0x69]      None       [I32 -> I32]     IntBitwise      "Unary"       Mvp                  Unary(i32_popcnt)          []
    I32Add            "i32.add"             [0x6a]      None       [I32 I32 -> I32] IntArithmetic   "Binary"      Mvp                  Binary(i32_add)            []
    I32Sub            "i32.sub"             [0x6b]      None       [I32 I32 -> I32] IntArithmetic   "Binary"      Mvp                  Binary(i32_sub)            []
    I32Mul            "i32.mul"             [0x6c]      None       [I32 I32 -> I32] IntArithmetic   "Binary"      Mvp                  Binary(i32_mul)            []
    I32DivS           "i32.div_s"           [0x6d]      None       [I32 I32 -> I32] IntArithmetic   "Binary"      Mvp                  TryBinary(i32_div_s)       [IntegerDivideByZero IntegerOverflow]
    I32DivU           "i32.div_u"           [0x6e]      None       [I32 I32 -> I32] IntArithmetic   "Binary"      Mvp                  TryBinary(i32_div_u)       [IntegerDivideByZero]
    I32RemS           "i32.rem_s"           [0x6f]      None       [I32 I32 -> I32] IntArithmetic   "Binary"      Mvp                  TryBinary(i32_rem_s)       [IntegerDivideByZero]
    I32RemU           "i32.rem_u"           [0x70]      None       [I32 I32 -> I32] IntArithmetic   "Binary"      Mvp                  TryBinary(i32_rem_u)       [IntegerDivideByZero]
    I32And            "i32.and"             [0x71]      None       [I32 I32 -> I32] IntBitwise      "Binary"      Mvp                  Binary(i32_and)            []
    I32Or             "i32.or"              [0x72]      None       [I32 I32 -> I32] IntBitwise      "Binary"      Mvp                  Binary(i32_or)             []
    I32Xor            "i32.xor"             [0x73]      None       [I32 I32 -> I32] IntBitwise      "Binary"      Mvp                  Binary(i32_xor)            []
    I32Shl            "i32.shl"             [0x74]      None       [I32 I32 -> I32] IntBitwise      "Binary"      Mvp                  Binary(i32_shl)            []
    I32ShrS           "i32.shr_s"           [0x75]      None       [I32 I32 -> I32] IntBitwise      "Binary"      Mvp                  Binary(i32_shr_s)          []
    I32ShrU           "i32.shr_u"           [0x76]      None       [I32 I32 -> I32] IntBitwise      "Binary"      Mvp                  Binary(i32_shr_u)          []
    I32Rotl           "i32.rotl"            [0x77]      None       [I32 I32 -> I32] IntBitwise      "Binary"      Mvp                  Binary(i32_rotl)           []
    I32Rotr           "i32.rotr"            [0x78]      None       [I32 I32 -> I32] IntBitwise      "Binary"      Mvp                  Binary(i32_rotr)           []
    // i64 arithmetic
    I64Clz            "i64.clz"             [0x79]      None       [I64 -> I64]     IntBitwise      "Unary"       Mvp                  Unary(i64_clz)             []
    I64Ctz            "i64.ctz"             [0x7a]      None       [I64 -> I64]     IntBitwise      "Unary"       Mvp                  Unary(i64_ctz)             []
    I64Popcnt         "i64.popcnt"          [0x7b]      None       [I64 -> I64]     IntBitwise      "Unary"       Mvp                  Unary(i64_popcnt)          []
    I64Add            "i64.add"             [0x7c]      None       [I64 I64 -> I64] IntArithmetic   "Binary"      Mvp                  Binary(i64_add)            []
    I64Sub            "i64.sub"             [0x7d]      None       [I64 I64 -> I64] IntArithmetic   "Binary"      Mvp                  Binary(i64_sub)            []
    I64Mul            "i64.mul"             [0x7e]      None       [I64 I64 -> I64] IntArithmetic   "Binary"      Mvp                  Binary(i64_mul)            []
    I64DivS           "i64.div_s"           [0x7f]      None       [I64 I64 -> I64] IntArithmetic   "Binary"      Mvp                  TryBinary(i64_div_s)       [IntegerDivideByZero IntegerOverflow]
    I64DivU           "i64.div_u"           [0x80]      None       [I64 I64 -> I64] IntArithmetic   "Binary"      Mvp                  TryBinary(i64_div_u)       [IntegerDivideByZero]
    I64RemS           "i64.rem_s"           [0x81]      None       [I64 I64 -> I64] IntArithmetic   "Binary"      Mvp                  TryBinary(i64_rem_s)       [IntegerDivideByZero]
    I64RemU           "i64.rem_u"           [0x82]      None       [I64 I64 -> I64] IntArithmetic   "Binary"      Mvp                  TryBinary(i64_rem_u)       [IntegerDivideByZero]
    I64And            "i64.and"             [0x83]      None       [I64 I64 -> I64] IntBitwise      "Binary"      Mvp                  Binary(i64_and)            []
    I64Or             "i64.or"              [0x84]      None       [I64 I64 -> I64] IntBitwise      "Binary"      Mvp                  Binary(i64_or)             []
    I64Xor            "i64.xor"             [0x85]      None       [I64 I64 -> I64] IntBitwise      "Binary"      Mvp                  Binary(i64_xor)            []
    I64Shl            "i64.shl"             [0x86]      None       [I64 I64 -> I64] IntBitwise      "Binary"      Mvp                  Binary(i64_shl)            []
    I64ShrS           "i64.shr_s"           [0x87]      None       [I64 I64 -> I64] IntBitwise      "Binary"      Mvp                  Binary(i64_shr_s)          []
    I64ShrU           "i64.shr_u"           [0x88]      None       [I64 I64 -> I64] IntBitwise      "Binary"      Mvp                  Binary(i64_shr_u)          []
    I64Rotl           "i64.rotl"            [0x89]      None       [I64 I64 -> I64] IntBitwise      "Binary"      Mvp                  Binary(i64_rotl)           []
    I64Rotr           "i64.rotr"            [0x8a]      None       [I64 I64 -> I64] IntBitwise      "Binary"      Mvp                  Binary(i64_rotr)           []
    // f32 arithmetic
    F32Abs            "f32.abs"             [0x8b]      None       [F32 -> F32]     FloatArithmetic "Unary"       Mvp                  Unary(f32_abs)             []
    F32Neg            "f32.neg"             [0x8c]      None       [F32 -> F32]     FloatArithmetic "Unary"       Mvp                  Unary(f32_neg)             []
    F32Ceil           "f32.ceil"            [0x8d]      None       [F32 -> F32]     FloatArithmetic "Unary"       Mvp                  Unary(f32_ceil)            []
    F32Floor          "f32.floor"           [0x8e]      None       [F32 -> F32]     FloatArithmetic "Unary"       Mvp                  Unary(f32_floor)           []
    F32Trunc          "f32.trunc"           [0x8f]      None       [F32 -> F32]     FloatArithmetic "Unary"       Mvp                  Unary(f32_trunc)           []
    F32Nearest        "f32.nearest"         [0x90]      None       [F32 -> F32]     FloatArithmetic "Unary"       Mvp                  Unary(f32_nearest)         []
    F32Sqrt           "f32.sqrt"            [0x91]      None       [F32 -> F32]     FloatArithmetic "Unary"       Mvp                  Unary(f32_sqrt)            []
    F32Add            "f32.add"             [0x92]      None       [F32 F32 -> F32] FloatArithmetic "Binary"      Mvp                  Binary(f32_add)            []
    F32Sub            "f32.sub"             [0x93]      None       [F32 F32 -> F32] FloatArithmetic "Binary"      Mvp                  Binary(f32_sub)            []
    F32Mul            "f32.mul"             [0x94]      None       [F32 F32 -> F32] FloatArithmetic "Binary"      Mvp                  Binary(f32_mul)            []
    F32Div            "f32.div"             [0x95]      None       [F32 F32 -> F32] FloatArithmetic "Binary"      Mvp                  Binary(f32_div)            []
    F32Min            "f32.min"             [0x96]      None       [F32 F32 -> F32] FloatArithmetic "Binary"      Mvp                  Binary(f32_min)            []
    F32Max            "f32.max"             [0x97]      None       [F32 F32 -> F32] FloatArithmetic "Binary"      Mvp                  Binary(f32_max)            []
    F32Copysign       "f32.copysign"        [0x98]      None       [F32 F32 -> F32] FloatArithmetic "Binary"      Mvp                  Binary(f32_copysign)       []
    // f64 arithmetic
    F64Abs            "f64.abs"             [0x99]      None       [F64 -> F64]     FloatArithmetic "Unary"       Mvp                  Unary(f64_abs)             []
    F64Neg            "f64.neg"             [0x9a]      None       [F64 -> F64]     FloatArithmetic "Unary"       Mvp                  Unary(f64_neg)             []
    F64Ceil           "f64.ceil"            [0x9b]      None       [F64 -> F64]     FloatArithmetic "Unary"       Mvp                  Unary(f64_ceil)            []
    F64Floor          "f64.floor"           [0x9c]      None       [F64 -> F64]     FloatArithmetic "Unary"       Mvp                  Unary(f64_floor)           []
    F64Trunc          "f64.trunc"           [0x9d]      None       [F64 -> F64]     FloatArithmetic "Unary"       Mvp                  Unary(f64_trunc)           []
    F64Nearest        "f64.nearest"         [0x9e]      None       [F64 -> F64]     FloatArithmetic "Unary"       Mvp                  Unary(f64_nearest)         []
    F64Sqrt           "f64.sqrt"            [0x9f]      None       [F64 -> F64]     FloatArithmetic "Unary"       Mvp                  Unary(f64_sqrt)            []
    F64Add            "f64.add"             [0xa0]      None       [F64 F64 -> F64] FloatArithmetic "Binary"      Mvp                  Binary(f64_add)            []
    F64Sub            "f64.sub"             [0xa1]      None       [F64 F64 -> F64] FloatArithmetic "Binary"      Mvp                  Binary(f64_sub)            []
    F64Mul            "f64.mul"             [0xa2]      None       [F64 F64 -> F64] FloatArithmetic "Binary"      Mvp                  Binary(f64_mul)            []
    F64Div            "f64.div"             [0xa3]      None       [F64 F64 -> F64] FloatArithmetic "Binary"      Mvp                  Binary(f64_div)            []
    F64Min            "f64.min"             [0xa4]      None       [F64 F64 -> F64] FloatArithmetic "Binary"      Mvp                  Binary(f64_min)            []
    F64Max            "f64.max"             [0xa5]      None       [F64 F64 -> F64] FloatArithmetic "Binary"      Mvp                  Binary(f64_max)            []
    F64Copysign       "f64.copysign"        [0xa6]      None       [F64 F64 -> F64] FloatArithmetic "Binary"      Mvp                  Binary(f64_copysign)       []
    // Conversion
    I32WrapI64        "i32.wrap_i64"        [0xa7]      None       [I64 -> I32]     Conversion      "Unary"       Mvp                  Unary(i32_wrap_i64)        []
    I32TruncF32S      "i32.trunc_f32_s"     [0xa8]      None       [F32 -> I32]     Conversion      "Unary"       Mvp                  TryUnary(i32_trunc_f32_s)  [InvalidConversionToInteger IntegerOverflow]
    I32TruncF32U      "i32.trunc_f32_u"     [0xa9]      None       [F32 -> I32]     Conversion      "Unary"       Mvp                  TryUnary(i32_trunc_f32_u)  [InvalidConversionToInteger IntegerOverflow]
    I32TruncF64S      "i32.trunc_f64_s"     [0xaa]      None       [F64 -> I32]     Conversion      "Unary"       Mvp                  TryUnary(i32_trunc_f64_s)  [InvalidConversionToInteger IntegerOverflow]
    I32TruncF64U      "i32.trunc_f64_u"     [0xab]      None       [F64 -> I32]     Conversion      "Unary"       Mvp                  TryUnary(i32_trunc_f64_u)  [InvalidConversionToInteger IntegerOverflow]
    I64ExtendI32S     "i64.extend_i32_s"    [0xac]      None       [I32 -> I64]     Conversion      "Unary"       Mvp                  Unary(i64_extend_i32_s)    []
    I64ExtendI32U     "i64.extend_i32_u"    [0xad]      None       [I32 -> I64]     Conversion      "Unary"       Mvp                  Unary(i64_extend_i32_u)    []
    I64TruncF32S      "i64.trunc_f32_s"     [0xae]      None       [F32 -> I64]     Conversion      "Unary"       Mvp                  TryUnary(i64_trunc_f32_s)  [InvalidConversionToInteger IntegerOverflow]
    I64TruncF32U      "i64.trunc_f32_u"     [0xaf]      None       [F32 -> I64]     Conversion      "Unary"       Mvp                  TryUnary(i64_trunc_f32_u)  [InvalidConversionToInteger IntegerOverflow]
    I64TruncF64S      "i64.trunc_f64_s"     [0xb0]      None       [F64 -> I64]     Conversion      "Unary"       Mvp                  TryUnary(i64_trunc_f64_s)  [InvalidConversionToInteger IntegerOverflow]
    I64TruncF64U      "i64.trunc_f64_u"     [0xb1]      None       [F64 -> I64]     Conversion      "Unary"       Mvp                  TryUnary(i64_trunc_f64_u)  [InvalidConversionToInteger IntegerOverflow]
    F32ConvertI32S    "f32.convert_i32_s"   [0xb2]      None       [I32 -> F32]     Conversion      "Unary"       Mvp                  Unary(f32_convert_i32_s)   []
    F32ConvertI32U    "f32.convert_i32_u"   [0xb3]      None       [I32 -> F32]     Conversion      "Unary"       Mvp                  Unary(f32_convert_i32_u)   []
    F32ConvertI64S    "f32.convert_i64_s"   [0xb4]      None       [I64 -> F32]     Conversion      "Unary"       Mvp                  Unary(f32_convert_i64_s)   []
    F32ConvertI64U    "f32.convert_i64_u"   [0xb5]      None       [I64 -> F32]     Conversion      "Unary"       Mvp                  Unary(f32_convert_i64_u)   []
    F32DemoteF64      "f32.demote_f64"      [0xb6]      None       [F64 -> F32]     Conversion      "Unary"       Mvp                  Unary(f32_demote_f64)      []
    F64ConvertI32S    "f64.convert_i32_s"   [0xb7]      None       [I32 -> F64]     Conversion      "Unary"       Mvp                  Unary(f64_convert_i32_s)   []
    F64ConvertI32U    "f64.convert_i32_u"   [0xb8]      None       [I32 -> F64]     Conversion      "Unary"       Mvp                  Unary(f64_convert_i32_u)   []
    F64ConvertI64S    "f64.convert_i64_s"   [0xb9]      None       [I64 -> F64]     Conversion      "Unary"       Mvp                  Unary(f64_convert_i64_s)   []
    F64ConvertI64U    "f64.convert_i64_u"   [0xba]      None       [I64 -> F64]     Conversion      "Unary"       Mvp                  Unary(f64_convert_i64_u)   []
    F64PromoteF32     "f64.promote_f32"     [0xbb]      None       [F32 -> F64]     Conversion      "Unary"       Mvp                  Unary(f64_promote_f32)     []
    I32ReinterpretF32 "i32.reinterpret_f32" [0xbc]      None       [F32 -> I32]     Conversion      "Unary"       Mvp                  Unary(i32_reinterpret_f32) []
    I64ReinterpretF64 "i64.reinterpret_f64" [0xbd]      None       [F64 -> I64]     Conversion      "Unary"       Mvp                  Unary(i64_reinterpret_f64) []
    F32ReinterpretI32 "f32.reinterpret_i32" [0xbe]      None       [I32 -> F32]     Conversion      "Unary"       Mvp                  Unary(f32_reinterpret_i32) []
    F64ReinterpretI64 "f64.reinterpret_i64" [0xbf]      None       [I64 -> F64]     Conversion      "Unary"       Mvp                  Unary(f64_reinterpret_i64) []
    I32Extend8S       "i32.extend8_s"       [0xc0]      None       [I32 -> I32]     Conversion      "Unary"       SignExtension        Unary(i32_extend8_s)       []
    I32Extend16S      "i32.extend16_s"      [0xc1]      None       [I32 -> I32]     Conversion      "Unary"       SignExtension        Unary(i32_extend16_s)      []
    I64Extend8S       "i64.extend8_s"       [0xc2]      None       [I64 -> I64]     Conversion      "Unary"       SignExtension        Unary(i64_extend8_s)       []
    I64Extend16S      "i64.extend16_s"      [0xc3]      None       [I64 -> I64]     Conversion      "Unary"       SignExtension        Unary(i64_extend16_s)      []
    I64Extend32S      "i64.extend32_s"      [0xc4]      None       [I64 -> I64]     Conversion      "Unary"       SignExtension        Unary(i64_extend32_s)      []
    I32TruncSatF32S   "i32.trunc_sat_f32_s" [0xfc 0x00] None       [F32 -> I32]     Conversion      "Unary"       SaturatingFloatToInt Unary(i32_trunc_sat_f32_s) []
    I32TruncSatF32U   "i32.trunc_sat_f32_u" [0xfc 0x01] None       [F32 -> I32]     Conversion      "Unary"       SaturatingFloatToInt Unary(i32_trunc_sat_f32_u) []
    I32TruncSatF64S   "i32.trunc_sat_f64_s" [0xfc 0x02] None       [F64 -> I32]     Conversion      "Unary"       SaturatingFloatToInt Unary(i32_trunc_sat_f64_s) []
    I32TruncSatF64U   "i32.trunc_sat_f64_u" [0xfc 0x03] None       [F64 -> I32]     Conversion      "Unary"       SaturatingFloatToInt Unary(i32_trunc_sat_f64_u) []
    I64TruncSatF32S   "i64.trunc_sat_f32_s" [0xfc 0x04] None       [F32 -> I64]     Conversion      "Unary"       SaturatingFloatToInt Unary(i64_trunc_sat_f32_s) []
    I64TruncSatF32U   "i64.trunc_sat_f32_u" [0xfc 0x05] None       [F32 -> I64]     Conversion      "Unary"       SaturatingFloatToInt Unary(i64_trunc_sat_f32_u) []
    I64TruncSatF64S   "i64.trunc_sat_f64_s" [0xfc 0x06] None       [F64 -> I64]     Conversion      "Unary"       SaturatingFloatToInt Unary(i64_trunc_sat_f64_s) []
    I64TruncSatF64U   "i64.trunc_sat_f64_u" [0xfc 0x07] None       [F64 -> I64]     Conversion      "Unary"       SaturatingFloatToInt Unary(i64_trunc_sat_f64_u) []
    // Vector memory (spec 5.4.8)
    V128Load                  "v128.load"                     [0xfd 0x00]      MemArg{16}    [I32 -> V128]            Load             "Load"              Simd WideLoad(v128_unchanged)             [MemoryOutOfBounds]
    V128Load8x8S              "v128.load8x8_s"                [0xfd 0x01]      MemArg{8}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i16x8_extend_low_i8x16_s)   [MemoryOutOfBounds]
    V128Load8x8U              "v128.load8x8_u"                [0xfd 0x02]      MemArg{8}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i16x8_extend_low_i8x16_u)   [MemoryOutOfBounds]
    V128Load16x4S             "v128.load16x4_s"               [0xfd 0x03]      MemArg{8}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i32x4_extend_low_i16x8_s)   [MemoryOutOfBounds]
    V128Load16x4U             "v128.load16x4_u"               [0xfd 0x04]      MemArg{8}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i32x4_extend_low_i16x8_u)   [MemoryOutOfBounds]
    V128Load32x2S             "v128.load32x2_s"               [0xfd 0x05]      MemArg{8}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i64x2_extend_low_i32x4_s)   [MemoryOutOfBounds]
    V128Load32x2U             "v128.load32x2_u"               [0xfd 0x06]      MemArg{8}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i64x2_extend_low_i32x4_u)   [MemoryOutOfBounds]
    V128Load8Splat            "v128.load8_splat"              [0xfd 0x07]      MemArg{1}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i8x16_splat)                [MemoryOutOfBounds]
    V128Load16Splat           "v128.load16_splat"             [0xfd 0x08]      MemArg{2}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i16x8_splat)                [MemoryOutOfBounds]
    V128Load32Splat           "v128.load32_splat"             [0xfd 0x09]      MemArg{4}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i32x4_splat)                [MemoryOutOfBounds]
    V128Load64Splat           "v128.load64_splat"             [0xfd 0x0a]      MemArg{8}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(i64x2_splat)                [MemoryOutOfBounds]
    V128Store                 "v128.store"                    [0xfd 0x0b]      MemArg{16}    [I32 V128 ->]            Store            "Store"             Simd Store                                [MemoryOutOfBounds]
    V128Load8Lane             "v128.load8_lane"               [0xfd 0x54]      MemArgLane{1} [I32 V128 -> V128]       Load             "SIMDLoadStoreLane" Simd LoadLane                             [MemoryOutOfBounds]
    V128Load16Lane            "v128.load16_lane"              [0xfd 0x55]      MemArgLane{2} [I32 V128 -> V128]       Load             "SIMDLoadStoreLane" Simd LoadLane                             [MemoryOutOfBounds]
    V128Load32Lane            "v128.load32_lane"              [0xfd 0x56]      MemArgLane{4} [I32 V128 -> V128]       Load             "SIMDLoadStoreLane" Simd LoadLane                             [MemoryOutOfBounds]
    V128Load64Lane            "v128.load64_lane"              [0xfd 0x57]      MemArgLane{8} [I32 V128 -> V128]       Load             "SIMDLoadStoreLane" Simd LoadLane                             [MemoryOutOfBounds]
    V128Store8Lane            "v128.store8_lane"              [0xfd 0x58]      MemArgLane{1} [I32 V128 ->]            Store            "SIMDLoadStoreLane" Simd StoreLane                            [MemoryOutOfBounds]
    V128Store16Lane           "v128.store16_lane"             [0xfd 0x59]      MemArgLane{2} [I32 V128 ->]            Store            "SIMDLoadStoreLane" Simd StoreLane                            [MemoryOutOfBounds]
    V128Store32Lane           "v128.store32_lane"             [0xfd 0x5a]      MemArgLane{4} [I32 V128 ->]            Store            "SIMDLoadStoreLane" Simd StoreLane                            [MemoryOutOfBounds]
    V128Store64Lane           "v128.store64_lane"             [0xfd 0x5b]      MemArgLane{8} [I32 V128 ->]            Store            "SIMDLoadStoreLane" Simd StoreLane                            [MemoryOutOfBounds]
    V128Load32Zero            "v128.load32_zero"              [0xfd 0x5c]      MemArg{4}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(v128_unchanged)             [MemoryOutOfBounds]
    V128Load64Zero            "v128.load64_zero"              [0xfd 0x5d]      MemArg{8}     [I32 -> V128]            Load             "SIMDLoad"          Simd WideLoad(v128_unchanged)             [MemoryOutOfBounds]
    // Vector lanes
    V128Const                 "v128.const"                    [0xfd 0x0c]      V128          [-> V128]                Const            "Const"             Simd Special                              []
    I8x16Shuffle              "i8x16.shuffle"                 [0xfd 0x0d]      Shuffle       [V128 V128 -> V128]      VectorLane       "SIMDShuffle"       Simd Shuffle(i8x16_shuffle)               []
    I8x16Swizzle              "i8x16.swizzle"                 [0xfd 0x0e]      None          [V128 V128 -> V128]      VectorLane       "Binary"            Simd Wide2(i8x16_swizzle)                 []
    I8x16Splat                "i8x16.splat"                   [0xfd 0x0f]      None          [I32 -> V128]            VectorLane       "Unary"             Simd Wide1(i8x16_splat)                   []
    I16x8Splat                "i16x8.splat"                   [0xfd 0x10]      None          [I32 -> V128]            VectorLane       "Unary"             Simd Wide1(i16x8_splat)                   []
    I32x4Splat                "i32x4.splat"                   [0xfd 0x11]      None          [I32 -> V128]            VectorLane       "Unary"             Simd Wide1(i32x4_splat)                   []
    I64x2Splat                "i64x2.splat"                   [0xfd 0x12]      None          [I64 -> V128]            VectorLane       "Unary"             Simd Wide1(i64x2_splat)                   []
    F32x4Splat                "f32x4.splat"                   [0xfd 0x13]      None          [F32 -> V128]            VectorLane       "Unary"             Simd Wide1(f32x4_splat)                   []
    F64x2Splat                "f64x2.splat"                   [0xfd 0x14]      None          [F64 -> V128]            VectorLane       "Unary"             Simd Wide1(f64x2_splat)                   []
    I8x16ExtractLaneS         "i8x16.extract_lane_s"          [0xfd 0x15]      Lane{1}       [V128 -> I32]            VectorLane       "SIMDExtract"       Simd Lane1(i8x16_extract_lane_s)          []
    I8x16ExtractLaneU         "i8x16.extract_lane_u"          [0xfd 0x16]      Lane{1}       [V128 -> I32]            VectorLane       "SIMDExtract"       Simd Lane1(i8x16_extract_lane_u)          []
    I8x16ReplaceLane          "i8x16.replace_lane"            [0xfd 0x17]      Lane{1}       [V128 I32 -> V128]       VectorLane       "SIMDReplace"       Simd Lane2(i8x16_replace_lane)            []
    I16x8ExtractLaneS         "i16x8.extract_lane_s"          [0xfd 0x18]      Lane{2}       [V128 -> I32]            VectorLane       "SIMDExtract"       Simd Lane1(i16x8_extract_lane_s)          []
    I16x8ExtractLaneU         "i16x8.extract_lane_u"          [0xfd 0x19]      Lane{2}       [V128 -> I32]            VectorLane       "SIMDExtract"       Simd Lane1(i16x8_extract_lane_u)          []
    I16x8ReplaceLane          "i16x8.replace_lane"            [0xfd 0x1a]      Lane{2}       [V128 I32 -> V128]       VectorLane       "SIMDReplace"       Simd Lane2(i16x8_replace_lane)            []
    I32x4ExtractLane          "i32x4.extract_lane"            [0xfd 0x1b]      Lane{4}       [V128 -> I32]            VectorLane       "SIMDExtract"       Simd Lane1(i32x4_extract_lane)            []
    I32x4ReplaceLane          "i32x4.replace_lane"            [0xfd 0x1c]      Lane{4}       [V128 I32 -> V128]       VectorLane       "SIMDReplace"       Simd Lane2(i32x4_replace_lane)            []
    I64x2ExtractLane          "i64x2.extract_lane"            [0xfd 0x1d]      Lane{8}       [V128 -> I64]            VectorLane       "SIMDExtract"       Simd Lane1(i64x2_extract_lane)            []
    I64x2ReplaceLane          "i64x2.replace_lane"            [0xfd 0x1e]      Lane{8}       [V128 I64 -> V128]       VectorLane       "SIMDReplace"       Simd Lane2(i64x2_replace_lane)            []
    F32x4ExtractLane          "f32x4.extract_lane"            [0xfd 0x1f]      Lane{4}       [V128 -> F32]            VectorLane       "SIMDExtract"       Simd Lane1(f32x4_extract_lane)            []
    F32x4ReplaceLane          "f32x4.replace_lane"            [0xfd 0x20]      Lane{4}       [V128 F32 -> V128]       VectorLane       "SIMDReplace"       Simd Lane2(f32x4_replace_lane)            []
    F64x2ExtractLane          "f64x2.extract_lane"            [0xfd 0x21]      Lane{8}       [V128 -> F64]            VectorLane       "SIMDExtract"       Simd Lane1(f64x2_extract_lane)            []
    F64x2ReplaceLane          "f64x2.replace_lane"            [0xfd 0x22]      Lane{8}       [V128 F64 -> V128]       VectorLane       "SIMDReplace"       Simd Lane2(f64x2_replace_lane)            []
    // i8x16 comparison
    I8x16Eq                   "i8x16.eq"                      [0xfd 0x23]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_eq)                      []
    I8x16Ne                   "i8x16.ne"                      [0xfd 0x24]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_ne)                      []
    I8x16LtS                  "i8x16.lt_s"                    [0xfd 0x25]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_lt_s)                    []
    I8x16LtU                  "i8x16.lt_u"                    [0xfd 0x26]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_lt_u)                    []
    I8x16GtS                  "i8x16.gt_s"                    [0xfd 0x27]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_gt_s)                    []
    I8x16GtU                  "i8x16.gt_u"                    [0xfd 0x28]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_gt_u)                    []
    I8x16LeS                  "i8x16.le_s"                    [0xfd 0x29]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_le_s)                    []
    I8x16LeU                  "i8x16.le_u"                    [0xfd 0x2a]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_le_u)                    []
    I8x16GeS                  "i8x16.ge_s"                    [0xfd 0x2b]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_ge_s)                    []
    I8x16GeU                  "i8x16.ge_u"                    [0xfd 0x2c]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i8x16_ge_u)                    []
    // i16x8 comparison
    I16x8Eq                   "i16x8.eq"                      [0xfd 0x2d]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_eq)                      []
    I16x8Ne                   "i16x8.ne"                      [0xfd 0x2e]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_ne)                      []
    I16x8LtS                  "i16x8.lt_s"                    [0xfd 0x2f]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_lt_s)                    []
    I16x8LtU                  "i16x8.lt_u"                    [0xfd 0x30]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_lt_u)                    []
    I16x8GtS                  "i16x8.gt_s"                    [0xfd 0x31]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_gt_s)                    []
    I16x8GtU                  "i16x8.gt_u"                    [0xfd 0x32]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_gt_u)                    []
    I16x8LeS                  "i16x8.le_s"                    [0xfd 0x33]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_le_s)                    []
    I16x8LeU                  "i16x8.le_u"                    [0xfd 0x34]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_le_u)                    []
    I16x8GeS                  "i16x8.ge_s"                    [0xfd 0x35]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_ge_s)                    []
    I16x8GeU                  "i16x8.ge_u"                    [0xfd 0x36]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i16x8_ge_u)                    []
    // i32x4 comparison
    I32x4Eq                   "i32x4.eq"                      [0xfd 0x37]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_eq)                      []
    I32x4Ne                   "i32x4.ne"                      [0xfd 0x38]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_ne)                      []
    I32x4LtS                  "i32x4.lt_s"                    [0xfd 0x39]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_lt_s)                    []
    I32x4LtU                  "i32x4.lt_u"                    [0xfd 0x3a]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_lt_u)                    []
    I32x4GtS                  "i32x4.gt_s"                    [0xfd 0x3b]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_gt_s)                    []
    I32x4GtU                  "i32x4.gt_u"                    [0xfd 0x3c]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_gt_u)                    []
    I32x4LeS                  "i32x4.le_s"                    [0xfd 0x3d]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_le_s)                    []
    I32x4LeU                  "i32x4.le_u"                    [0xfd 0x3e]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_le_u)                    []
    I32x4GeS                  "i32x4.ge_s"                    [0xfd 0x3f]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_ge_s)                    []
    I32x4GeU                  "i32x4.ge_u"                    [0xfd 0x40]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i32x4_ge_u)                    []
    // i64x2 comparison
    I64x2Eq                   "i64x2.eq"                      [0xfd 0xd6 0x01] None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i64x2_eq)                      []
    I64x2Ne                   "i64x2.ne"                      [0xfd 0xd7 0x01] None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i64x2_ne)                      []
    I64x2LtS                  "i64x2.lt_s"                    [0xfd 0xd8 0x01] None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i64x2_lt_s)                    []
    I64x2GtS                  "i64x2.gt_s"                    [0xfd 0xd9 0x01] None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i64x2_gt_s)                    []
    I64x2LeS                  "i64x2.le_s"                    [0xfd 0xda 0x01] None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i64x2_le_s)                    []
    I64x2GeS                  "i64x2.ge_s"                    [0xfd 0xdb 0x01] None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(i64x2_ge_s)                    []
    // f32x4 comparison
    F32x4Eq                   "f32x4.eq"                      [0xfd 0x41]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f32x4_eq)                      []
    F32x4Ne                   "f32x4.ne"                      [0xfd 0x42]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f32x4_ne)                      []
    F32x4Lt                   "f32x4.lt"                      [0xfd 0x43]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f32x4_lt)                      []
    F32x4Gt                   "f32x4.gt"                      [0xfd 0x44]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f32x4_gt)                      []
    F32x4Le                   "f32x4.le"                      [0xfd 0x45]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f32x4_le)                      []
    F32x4Ge                   "f32x4.ge"                      [0xfd 0x46]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f32x4_ge)                      []
    // f64x2 comparison
    F64x2Eq                   "f64x2.eq"                      [0xfd 0x47]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f64x2_eq)                      []
    F64x2Ne                   "f64x2.ne"                      [0xfd 0x48]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f64x2_ne)                      []
    F64x2Lt                   "f64x2.lt"                      [0xfd 0x49]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f64x2_lt)                      []
    F64x2Gt                   "f64x2.gt"                      [0xfd 0x4a]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f64x2_gt)                      []
    F64x2Le                   "f64x2.le"                      [0xfd 0x4b]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f64x2_le)                      []
    F64x2Ge                   "f64x2.ge"                      [0xfd 0x4c]      None          [V128 V128 -> V128]      VectorComparison "Binary"            Simd Wide2(f64x2_ge)                      []
    // Vector tests
    V128AnyTrue               "v128.any_true"                 [0xfd 0x53]      None          [V128 -> I32]            VectorComparison "Unary"             Simd Wide1(v128_any_true)                 []
    I8x16AllTrue              "i8x16.all_true"                [0xfd 0x63]      None          [V128 -> I32]            VectorComparison "Unary"             Simd Wide1(i8x16_all_true)                []
    I8x16Bitmask              "i8x16.bitmask"                 [0xfd 0x64]      None          [V128 -> I32]            VectorComparison "Unary"             Simd Wide1(i8x16_bitmask)                 []
    I16x8AllTrue              "i16x8.all_true"                [0xfd 0x83 0x01] None          [V128 -> I32]            VectorComparison "Unary"             Simd Wide1(i16x8_all_true)                []
    I16x8Bitmask              "i16x8.bitmask"                 [0xfd 0x84 0x01] None          [V128 -> I32]            VectorComparison "Unary"             Simd Wide1(i16x8_bitmask)                 []
    I32x4AllTrue              "i32x4.all_true"                [0xfd 0xa3 0x01] None          [V128 -> I32]            VectorComparison "Unary"             Simd Wide1(i32x4_all_true)                []
    I32x4Bitmask              "i32x4.bitmask"                 [0xfd 0xa4 0x01] None          [V128 -> I32]            VectorComparison "Unary"             Simd Wide1(i32x4_bitmask)                 []
    I64x2AllTrue              "i64x2.all_true"                [0xfd 0xc3 0x01] None          [V128 -> I32]            VectorComparison "Unary"             Simd Wide1(i64x2_all_true)                []
    I64x2Bitmask              "i64x2.bitmask"                 [0xfd 0xc4 0x01] None          [V128 -> I32]            VectorComparison "Unary"             Simd Wide1(i64x2_bitmask)                 []
    // Vector bitwise
    V128Not                   "v128.not"                      [0xfd 0x4d]      None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(v128_not)                      []
    V128And                   "v128.and"                      [0xfd 0x4e]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(v128_and)                      []
    V128AndNot                "v128.andnot"                   [0xfd 0x4f]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(v128_andnot)                   []
    V128Or                    "v128.or"                       [0xfd 0x50]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(v128_or)                       []
    V128Xor                   "v128.xor"                      [0xfd 0x51]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(v128_xor)                      []
    V128Bitselect             "v128.bitselect"                [0xfd 0x52]      None          [V128 V128 V128 -> V128] VectorInt        "SIMDTernary"       Simd Wide3(v128_bitselect)                []
    // i8x16 arithmetic
    I8x16Abs                  "i8x16.abs"                     [0xfd 0x60]      None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i8x16_abs)                     []
    I8x16Neg                  "i8x16.neg"                     [0xfd 0x61]      None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i8x16_neg)                     []
    I8x16Popcnt               "i8x16.popcnt"                  [0xfd 0x62]      None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i8x16_popcnt)                  []
    I8x16Shl                  "i8x16.shl"                     [0xfd 0x6b]      None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i8x16_shl)                     []
    I8x16ShrS                 "i8x16.shr_s"                   [0xfd 0x6c]      None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i8x16_shr_s)                   []
    I8x16ShrU                 "i8x16.shr_u"                   [0xfd 0x6d]      None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i8x16_shr_u)                   []
    I8x16Add                  "i8x16.add"                     [0xfd 0x6e]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_add)                     []
    I8x16AddSatS              "i8x16.add_sat_s"               [0xfd 0x6f]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_add_sat_s)               []
    I8x16AddSatU              "i8x16.add_sat_u"               [0xfd 0x70]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_add_sat_u)               []
    I8x16Sub                  "i8x16.sub"                     [0xfd 0x71]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_sub)                     []
    I8x16SubSatS              "i8x16.sub_sat_s"               [0xfd 0x72]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_sub_sat_s)               []
    I8x16SubSatU              "i8x16.sub_sat_u"               [0xfd 0x73]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_sub_sat_u)               []
    I8x16MinS                 "i8x16.min_s"                   [0xfd 0x76]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_min_s)                   []
    I8x16MinU                 "i8x16.min_u"                   [0xfd 0x77]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_min_u)                   []
    I8x16MaxS                 "i8x16.max_s"                   [0xfd 0x78]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_max_s)                   []
    I8x16MaxU                 "i8x16.max_u"                   [0xfd 0x79]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_max_u)                   []
    I8x16AvgrU                "i8x16.avgr_u"                  [0xfd 0x7b]      None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i8x16_avgr_u)                  []
    // i16x8 arithmetic
    I16x8ExtAddPairwiseI8x16S "i16x8.extadd_pairwise_i8x16_s" [0xfd 0x7c]      None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i16x8_extadd_pairwise_i8x16_s) []
    I16x8ExtAddPairwiseI8x16U "i16x8.extadd_pairwise_i8x16_u" [0xfd 0x7d]      None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i16x8_extadd_pairwise_i8x16_u) []
    I16x8Abs                  "i16x8.abs"                     [0xfd 0x80 0x01] None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i16x8_abs)                     []
    I16x8Neg                  "i16x8.neg"                     [0xfd 0x81 0x01] None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i16x8_neg)                     []
    I16x8Q15MulrSatS          "i16x8.q15mulr_sat_s"           [0xfd 0x82 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_q15mulr_sat_s)           []
    I16x8Shl                  "i16x8.shl"                     [0xfd 0x8b 0x01] None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i16x8_shl)                     []
    I16x8ShrS                 "i16x8.shr_s"                   [0xfd 0x8c 0x01] None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i16x8_shr_s)                   []
    I16x8ShrU                 "i16x8.shr_u"                   [0xfd 0x8d 0x01] None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i16x8_shr_u)                   []
    I16x8Add                  "i16x8.add"                     [0xfd 0x8e 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_add)                     []
    I16x8AddSatS              "i16x8.add_sat_s"               [0xfd 0x8f 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_add_sat_s)               []
    I16x8AddSatU              "i16x8.add_sat_u"               [0xfd 0x90 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_add_sat_u)               []
    I16x8Sub                  "i16x8.sub"                     [0xfd 0x91 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_sub)                     []
    I16x8SubSatS              "i16x8.sub_sat_s"               [0xfd 0x92 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_sub_sat_s)               []
    I16x8SubSatU              "i16x8.sub_sat_u"               [0xfd 0x93 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_sub_sat_u)               []
    I16x8Mul                  "i16x8.mul"                     [0xfd 0x95 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_mul)                     []
    I16x8MinS                 "i16x8.min_s"                   [0xfd 0x96 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_min_s)                   []
    I16x8MinU                 "i16x8.min_u"                   [0xfd 0x97 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_min_u)                   []
    I16x8MaxS                 "i16x8.max_s"                   [0xfd 0x98 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_max_s)                   []
    I16x8MaxU                 "i16x8.max_u"                   [0xfd 0x99 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_max_u)                   []
    I16x8AvgrU                "i16x8.avgr_u"                  [0xfd 0x9b 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_avgr_u)                  []
    I16x8ExtMulLowI8x16S      "i16x8.extmul_low_i8x16_s"      [0xfd 0x9c 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_extmul_low_i8x16_s)      []
    I16x8ExtMulHighI8x16S     "i16x8.extmul_high_i8x16_s"     [0xfd 0x9d 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_extmul_high_i8x16_s)     []
    I16x8ExtMulLowI8x16U      "i16x8.extmul_low_i8x16_u"      [0xfd 0x9e 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_extmul_low_i8x16_u)      []
    I16x8ExtMulHighI8x16U     "i16x8.extmul_high_i8x16_u"     [0xfd 0x9f 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i16x8_extmul_high_i8x16_u)     []
    // i32x4 arithmetic
    I32x4ExtAddPairwiseI16x8S "i32x4.extadd_pairwise_i16x8_s" [0xfd 0x7e]      None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i32x4_extadd_pairwise_i16x8_s) []
    I32x4ExtAddPairwiseI16x8U "i32x4.extadd_pairwise_i16x8_u" [0xfd 0x7f]      None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i32x4_extadd_pairwise_i16x8_u) []
    I32x4Abs                  "i32x4.abs"                     [0xfd 0xa0 0x01] None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i32x4_abs)                     []
    I32x4Neg                  "i32x4.neg"                     [0xfd 0xa1 0x01] None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i32x4_neg)                     []
    I32x4Shl                  "i32x4.shl"                     [0xfd 0xab 0x01] None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i32x4_shl)                     []
    I32x4ShrS                 "i32x4.shr_s"                   [0xfd 0xac 0x01] None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i32x4_shr_s)                   []
    I32x4ShrU                 "i32x4.shr_u"                   [0xfd 0xad 0x01] None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i32x4_shr_u)                   []
    I32x4Add                  "i32x4.add"                     [0xfd 0xae 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_add)                     []
    I32x4Sub                  "i32x4.sub"                     [0xfd 0xb1 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_sub)                     []
    I32x4Mul                  "i32x4.mul"                     [0xfd 0xb5 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_mul)                     []
    I32x4MinS                 "i32x4.min_s"                   [0xfd 0xb6 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_min_s)                   []
    I32x4MinU                 "i32x4.min_u"                   [0xfd 0xb7 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_min_u)                   []
    I32x4MaxS                 "i32x4.max_s"                   [0xfd 0xb8 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_max_s)                   []
    I32x4MaxU                 "i32x4.max_u"                   [0xfd 0xb9 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_max_u)                   []
    I32x4DotI16x8S            "i32x4.dot_i16x8_s"             [0xfd 0xba 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_dot_i16x8_s)             []
    I32x4ExtMulLowI16x8S      "i32x4.extmul_low_i16x8_s"      [0xfd 0xbc 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_extmul_low_i16x8_s)      []
    I32x4ExtMulHighI16x8S     "i32x4.extmul_high_i16x8_s"     [0xfd 0xbd 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_extmul_high_i16x8_s)     []
    I32x4ExtMulLowI16x8U      "i32x4.extmul_low_i16x8_u"      [0xfd 0xbe 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_extmul_low_i16x8_u)      []
    I32x4ExtMulHighI16x8U     "i32x4.extmul_high_i16x8_u"     [0xfd 0xbf 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i32x4_extmul_high_i16x8_u)     []
    // i64x2 arithmetic
    I64x2Abs                  "i64x2.abs"                     [0xfd 0xc0 0x01] None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i64x2_abs)                     []
    I64x2Neg                  "i64x2.neg"                     [0xfd 0xc1 0x01] None          [V128 -> V128]           VectorInt        "Unary"             Simd Wide1(i64x2_neg)                     []
    I64x2Shl                  "i64x2.shl"                     [0xfd 0xcb 0x01] None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i64x2_shl)                     []
    I64x2ShrS                 "i64x2.shr_s"                   [0xfd 0xcc 0x01] None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i64x2_shr_s)                   []
    I64x2ShrU                 "i64x2.shr_u"                   [0xfd 0xcd 0x01] None          [V128 I32 -> V128]       VectorInt        "SIMDShift"         Simd Wide2(i64x2_shr_u)                   []
    I64x2Add                  "i64x2.add"                     [0xfd 0xce 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i64x2_add)                     []
    I64x2Sub                  "i64x2.sub"                     [0xfd 0xd1 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i64x2_sub)                     []
    I64x2Mul                  "i64x2.mul"                     [0xfd 0xd5 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i64x2_mul)                     []
    I64x2ExtMulLowI32x4S      "i64x2.extmul_low_i32x4_s"      [0xfd 0xdc 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i64x2_extmul_low_i32x4_s)      []
    I64x2ExtMulHighI32x4S     "i64x2.extmul_high_i32x4_s"     [0xfd 0xdd 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i64x2_extmul_high_i32x4_s)     []
    I64x2ExtMulLowI32x4U      "i64x2.extmul_low_i32x4_u"      [0xfd 0xde 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i64x2_extmul_low_i32x4_u)      []
    I64x2ExtMulHighI32x4U     "i64x2.extmul_high_i32x4_u"     [0xfd 0xdf 0x01] None          [V128 V128 -> V128]      VectorInt        "Binary"            Simd Wide2(i64x2_extmul_high_i32x4_u)     []
    // f32x4 arithmetic
    F32x4Ceil                 "f32x4.ceil"                    [0xfd 0x67]      None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f32x4_ceil)                    []
    F32x4Floor                "f32x4.floor"                   [0xfd 0x68]      None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f32x4_floor)                   []
    F32x4Trunc                "f32x4.trunc"                   [0xfd 0x69]      None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f32x4_trunc)                   []
    F32x4Nearest              "f32x4.nearest"                 [0xfd 0x6a]      None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f32x4_nearest)                 []
    F32x4Abs                  "f32x4.abs"                     [0xfd 0xe0 0x01] None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f32x4_abs)                     []
    F32x4Neg                  "f32x4.neg"                     [0xfd 0xe1 0x01] None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f32x4_neg)                     []
    F32x4Sqrt                 "f32x4.sqrt"                    [0xfd 0xe3 0x01] None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f32x4_sqrt)                    []
    F32x4Add                  "f32x4.add"                     [0xfd 0xe4 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f32x4_add)                     []
    F32x4Sub                  "f32x4.sub"                     [0xfd 0xe5 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f32x4_sub)                     []
    F32x4Mul                  "f32x4.mul"                     [0xfd 0xe6 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f32x4_mul)                     []
    F32x4Div                  "f32x4.div"                     [0xfd 0xe7 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f32x4_div)                     []
    F32x4Min                  "f32x4.min"                     [0xfd 0xe8 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f32x4_min)                     []
    F32x4Max                  "f32x4.max"                     [0xfd 0xe9 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f32x4_max)                     []
    F32x4PMin                 "f32x4.pmin"                    [0xfd 0xea 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f32x4_pmin)                    []
    F32x4PMax                 "f32x4.pmax"                    [0xfd 0xeb 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f32x4_pmax)                    []
    // f64x2 arithmetic
    F64x2Ceil                 "f64x2.ceil"                    [0xfd 0x74]      None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f64x2_ceil)                    []
    F64x2Floor                "f64x2.floor"                   [0xfd 0x75]      None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f64x2_floor)                   []
    F64x2Trunc                "f64x2.trunc"                   [0xfd 0x7a]      None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f64x2_trunc)                   []
    F64x2Nearest              "f64x2.nearest"                 [0xfd 0x94 0x01] None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f64x2_nearest)                 []
    F64x2Abs                  "f64x2.abs"                     [0xfd 0xec 0x01] None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f64x2_abs)                     []
    F64x2Neg                  "f64x2.neg"                     [0xfd 0xed 0x01] None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f64x2_neg)                     []
    F64x2Sqrt                 "f64x2.sqrt"                    [0xfd 0xef 0x01] None          [V128 -> V128]           VectorFloat      "Unary"             Simd Wide1(f64x2_sqrt)                    []
    F64x2Add                  "f64x2.add"                     [0xfd 0xf0 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f64x2_add)                     []
    F64x2Sub                  "f64x2.sub"                     [0xfd 0xf1 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f64x2_sub)                     []
    F64x2Mul                  "f64x2.mul"                     [0xfd 0xf2 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f64x2_mul)                     []
    F64x2Div                  "f64x2.div"                     [0xfd 0xf3 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f64x2_div)                     []
    F64x2Min                  "f64x2.min"                     [0xfd 0xf4 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f64x2_min)                     []
    F64x2Max                  "f64x2.max"                     [0xfd 0xf5 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f64x2_max)                     []
    F64x2PMin                 "f64x2.pmin"                    [0xfd 0xf6 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f64x2_pmin)                    []
    F64x2PMax                 "f64x2.pmax"                    [0xfd 0xf7 0x01] None          [V128 V128 -> V128]      VectorFloat      "Binary"            Simd Wide2(f64x2_pmax)                    []
    // Vector conversion
    F32x4DemoteF64x2Zero      "f32x4.demote_f64x2_zero"       [0xfd 0x5e]      None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(f32x4_demote_f64x2_zero)       []
    F64x2PromoteLowF32x4      "f64x2.promote_low_f32x4"       [0xfd 0x5f]      None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(f64x2_promote_low_f32x4)       []
    I8x16NarrowI16x8S         "i8x16.narrow_i16x8_s"          [0xfd 0x65]      None          [V128 V128 -> V128]      VectorLane       "Binary"            Simd Wide2(i8x16_narrow_i16x8_s)          []
    I8x16NarrowI16x8U         "i8x16.narrow_i16x8_u"          [0xfd 0x66]      None          [V128 V128 -> V128]      VectorLane       "Binary"            Simd Wide2(i8x16_narrow_i16x8_u)          []
    I16x8NarrowI32x4S         "i16x8.narrow_i32x4_s"          [0xfd 0x85 0x01] None          [V128 V128 -> V128]      VectorLane       "Binary"            Simd Wide2(i16x8_narrow_i32x4_s)          []
    I16x8NarrowI32x4U         "i16x8.narrow_i32x4_u"          [0xfd 0x86 0x01] None          [V128 V128 -> V128]      VectorLane       "Binary"            Simd Wide2(i16x8_narrow_i32x4_u)          []
    I16x8ExtendLowI8x16S      "i16x8.extend_low_i8x16_s"      [0xfd 0x87 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i16x8_extend_low_i8x16_s)      []
    I16x8ExtendHighI8x16S     "i16x8.extend_high_i8x16_s"     [0xfd 0x88 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i16x8_extend_high_i8x16_s)     []
    I16x8ExtendLowI8x16U      "i16x8.extend_low_i8x16_u"      [0xfd 0x89 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i16x8_extend_low_i8x16_u)      []
    I16x8ExtendHighI8x16U     "i16x8.extend_high_i8x16_u"     [0xfd 0x8a 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i16x8_extend_high_i8x16_u)     []
    I32x4ExtendLowI16x8S      "i32x4.extend_low_i16x8_s"      [0xfd 0xa7 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i32x4_extend_low_i16x8_s)      []
    I32x4ExtendHighI16x8S     "i32x4.extend_high_i16x8_s"     [0xfd 0xa8 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i32x4_extend_high_i16x8_s)     []
    I32x4ExtendLowI16x8U      "i32x4.extend_low_i16x8_u"      [0xfd 0xa9 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i32x4_extend_low_i16x8_u)      []
    I32x4ExtendHighI16x8U     "i32x4.extend_high_i16x8_u"     [0xfd 0xaa 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i32x4_extend_high_i16x8_u)     []
    I64x2ExtendLowI32x4S      "i64x2.extend_low_i32x4_s"      [0xfd 0xc7 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i64x2_extend_low_i32x4_s)      []
    I64x2ExtendHighI32x4S     "i64x2.extend_high_i32x4_s"     [0xfd 0xc8 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i64x2_extend_high_i32x4_s)     []
    I64x2ExtendLowI32x4U      "i64x2.extend_low_i32x4_u"      [0xfd 0xc9 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i64x2_extend_low_i32x4_u)      []
    I64x2ExtendHighI32x4U     "i64x2.extend_high_i32x4_u"     [0xfd 0xca 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i64x2_extend_high_i32x4_u)     []
    I32x4TruncSatF32x4S       "i32x4.trunc_sat_f32x4_s"       [0xfd 0xf8 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i32x4_trunc_sat_f32x4_s)       []
    I32x4TruncSatF32x4U       "i32x4.trunc_sat_f32x4_u"       [0xfd 0xf9 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i32x4_trunc_sat_f32x4_u)       []
    F32x4ConvertI32x4S        "f32x4.convert_i32x4_s"         [0xfd 0xfa 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(f32x4_convert_i32x4_s)         []
    F32x4ConvertI32x4U        "f32x4.convert_i32x4_u"         [0xfd 0xfb 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(f32x4_convert_i32x4_u)         []
    I32x4TruncSatF64x2SZero   "i32x4.trunc_sat_f64x2_s_zero"  [0xfd 0xfc 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i32x4_trunc_sat_f64x2_s_zero)  []
    I32x4TruncSatF64x2UZero   "i32x4.trunc_sat_f64x2_u_zero"  [0xfd 0xfd 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(i32x4_trunc_sat_f64x2_u_zero)  []
    F64x2ConvertLowI32x4S     "f64x2.convert_low_i32x4_s"     [0xfd 0xfe 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(f64x2_convert_low_i32x4_s)     []
    F64x2ConvertLowI32x4U     "f64x2.convert_low_i32x4_u"     [0xfd 0xff 0x01] None          [V128 -> V128]           VectorLane       "Unary"             Simd Wide1(f64x2_convert_low_i32x4_u)     []
}
