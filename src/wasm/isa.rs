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
    V128Const         "v128.const"          [0xfd 0x0c] V128       [-> V128]        Const           "Const"       Simd                 Special                    []
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
}
