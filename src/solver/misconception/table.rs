//! Owns the rows of the misconceptions: what each is, and the smallest program that shows it.
//!
//! Must not know how a misconception is acted out (`compute` and `reader` do).

use super::Misconception::{
    ArgsReversed, ArithmeticShift, BigEndian, F32AsF64, HalfAway, LabelOffByOne, LoadsUnextended, LocalsKept,
    LoopsCapped, LoopsOnce, MinMaxNan, NoWrap, ReturnIgnored, SelectSwapped, ShiftUnmasked, StackForgotten,
    TableDefault, UnsignedAsSigned, ZeroExtended, ZeroUnsigned,
};
use super::Row;

/// Every misconception.
pub static TABLE: [Row; 20] = [
    Row {
        misconception: NoWrap,
        name: "no-wrap",
        description: "Integer add, sub, mul and shl do not wrap: the number grows past the width, and what reads it as a \
                      signed number (comparison, signed division and shift, widening, conversion, condition, address) \
                      sees it whole; bitwise instructions and memory see its low bits.",
        witness: "(module (func (export \"run\") (result i32)
  i32.const -2147483648
  i32.const -1
  i32.add
  ;;INSPECT
))",
        parameter: None,
        instructions: 3,
    },
    Row {
        misconception: UnsignedAsSigned,
        name: "unsigned-as-signed",
        description: "div_u, rem_u, lt_u, gt_u, le_u, ge_u, shr_u, i64.extend_i32_u and convert_*_u are read as their _s \
                      twins; loads and truncations keep their meaning.",
        witness: "(module (func (export \"run\") (result i64)
  i32.const -1
  i64.extend_i32_u
  ;;INSPECT
))",
        parameter: None,
        instructions: 2,
    },
    Row {
        misconception: ShiftUnmasked,
        name: "shift-unmasked",
        description: "Counts are unsigned and not taken modulo the width: shl, shr_u, rotl and rotr by the width or more \
                      move every bit out and give 0, shr_s gives copies of the sign.",
        witness: "(module (func (export \"run\") (result i32)
  i32.const 1
  i32.const 32
  i32.shl
  ;;INSPECT
))",
        parameter: None,
        instructions: 3,
    },
    Row {
        misconception: F32AsF64,
        name: "f32-as-f64",
        description: "f32 constants are read, and f32 results kept, at f64 precision; only memory and reinterpretation \
                      round, since they hold 32 bits.",
        witness: "(module (func (export \"run\") (result f64)
  f32.const 0.1
  f64.promote_f32
  ;;INSPECT
))",
        parameter: None,
        instructions: 2,
    },
    Row {
        misconception: LoopsOnce,
        name: "loops-once",
        description: "The body of a loop is read once: a taken branch to a loop leaves it instead.",
        witness: "(module (func (export \"run\") (local i32)
  loop
    local.get 0
    ;;INSPECT hit 2
    i32.eqz
    local.tee 0
    br_if 0
  end))",
        parameter: None,
        instructions: 5,
    },
    Row {
        misconception: ZeroExtended,
        name: "zero-extended",
        description: "extend8_s, extend16_s, extend32_s and i64.extend_i32_s fill with zeros, as their unsigned twins \
                      would; loads keep their meaning.",
        witness: "(module (func (export \"run\") (result i64)
  i32.const -1
  i64.extend_i32_s
  ;;INSPECT
))",
        parameter: None,
        instructions: 2,
    },
    Row {
        misconception: MinMaxNan,
        name: "min-max-nan",
        description: "min and max of a number and a NaN are the number, as fmin and fmax of C have it.",
        witness: "(module (func (export \"run\") (result f64)
  f64.const nan
  f64.const 1
  f64.min
  ;;INSPECT
))",
        parameter: None,
        instructions: 3,
    },
    Row {
        misconception: SelectSwapped,
        name: "select-swapped",
        description: "select takes its second operand where the condition holds, and its first where it does not.",
        witness: "(module (func (export \"run\") (result i32)
  i32.const 1
  i32.const 2
  i32.const 1
  select
  ;;INSPECT
))",
        parameter: None,
        instructions: 4,
    },
    Row {
        misconception: TableDefault,
        name: "table-default",
        description: "br_table takes its default label, whatever the index.",
        witness: "(module (func (export \"run\") (result i32)
  block (result i32)
    i32.const 5
    i32.const 0
    br_table 0 1
  end
  i32.eqz
  ;;INSPECT
))",
        parameter: None,
        instructions: 5,
    },
    Row {
        misconception: ArgsReversed,
        name: "args-reversed",
        description: "Arguments of a call are taken in the opposite order: the first and the last change places if they \
                      have one type, then the second and the last but one, and so on.",
        witness: "(module (func (export \"run\") (result i32)
  i32.const 1
  i32.const 2
  call 1
  ;;INSPECT
)
(func (param i32 i32) (result i32)
  local.get 0
))",
        parameter: None,
        instructions: 4,
    },
    Row {
        misconception: ArithmeticShift,
        name: "shr-arithmetic",
        description: "shr_u shifts in copies of the sign, as shr_s does; every other unsigned instruction keeps its meaning.",
        witness: "(module (func (export \"run\") (result i32)
  i32.const -1
  i32.const 1
  i32.shr_u
  ;;INSPECT
))",
        parameter: None,
        instructions: 3,
    },
    Row {
        misconception: HalfAway,
        name: "half-away",
        description: "nearest rounds what lies halfway away from zero, as round of C does, not to the even neighbour.",
        witness: "(module (func (export \"run\") (result f64)
  f64.const 0.5
  f64.nearest
  ;;INSPECT
))",
        parameter: None,
        instructions: 2,
    },
    Row {
        misconception: ZeroUnsigned,
        name: "zero-unsigned",
        description: "min, max and copysign see no sign of zero or NaN: of 0 and -0, min and max give their first operand, \
                      and copysign takes -0 and every NaN for positive.",
        witness: "(module (func (export \"run\") (result f64)
  f64.const 0
  f64.const -0
  f64.min
  ;;INSPECT
))",
        parameter: None,
        instructions: 3,
    },
    Row {
        misconception: LoadsUnextended,
        name: "loads-unextended",
        description: "load8_s, load16_s and load32_s are not sign-extended: they fill with zeros, as their _u twins do.",
        witness: "(module (memory 1) (data (i32.const 0) \"\\ff\") (func (export \"run\") (result i32)
  i32.const 0
  i32.load8_s
  ;;INSPECT
))",
        parameter: None,
        instructions: 2,
    },
    Row {
        misconception: LabelOffByOne,
        name: "label-off-by-one",
        description: "br, br_if and br_table count labels from 1: label 1 is the innermost block, as label 0 is, label 2 the \
                      one around it, and so on.",
        witness: "(module (func (export \"run\") (result i32)
  block (result i32)
    block
      i32.const 1
      br 1
    end
    i32.const 2
  end
  ;;INSPECT
))",
        parameter: None,
        instructions: 5,
    },
    Row {
        misconception: LoopsCapped,
        name: "loops-capped",
        description: "Of each loop that is entered, at most K iterations are read: the branch that would begin one more \
                      leaves it instead.",
        witness: "(module (func (export \"run\") (local i64)
  loop
    local.get 0
    ;;INSPECT hit 4
    i64.ctz
    local.tee 0
    i32.wrap_i64
    br_if 0
  end))",
        parameter: Some(3),
        instructions: 6,
    },
    Row {
        misconception: ReturnIgnored,
        name: "return-ignored",
        description: "return is passed over: what stands behind it is executed. What is missing there, or of another type, \
                      is 0.",
        witness: "(module (func (export \"run\") (result i32)
  call 1
  ;;INSPECT
)
(func (result i32)
  i32.const 1
  return
  i32.const 2
))",
        parameter: None,
        instructions: 4,
    },
    Row {
        misconception: LocalsKept,
        name: "locals-kept",
        description: "Declared locals are zero at the first call of their function alone; at later ones they are what the \
                      last one left.",
        witness: "(module (func (export \"run\")
  call 1
  call 1
)
(func (local i32)
  local.get 0
  ;;INSPECT hit 2
  i32.eqz
  local.set 0
))",
        parameter: None,
        instructions: 5,
    },
    Row {
        misconception: StackForgotten,
        name: "stack-forgotten",
        description: "Of the operands of a function the K on top are remembered: one that was deeper is 0 from then on.",
        witness: "(module (func (export \"run\") (result i32 i32 i32 i32 i32 i32 i32)
  i32.const 1
  i32.const 2
  i32.const 3
  i32.const 4
  i32.const 5
  i32.const 6
  i32.const 7
  ;;INSPECT
))",
        parameter: Some(6),
        instructions: 7,
    },
    Row {
        misconception: BigEndian,
        name: "big-endian",
        description: "Loads and stores of numbers take their most significant byte first; vectors, and instructions on \
                      stretches of memory, keep their order.",
        witness: "(module (memory 1) (data (i32.const 0) \"\\01\") (func (export \"run\") (result i32)
  i32.const 0
  i32.load
  ;;INSPECT
))",
        parameter: None,
        instructions: 2,
    },
];
