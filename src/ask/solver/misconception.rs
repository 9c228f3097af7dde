//! Owns the table of misconceptions: one row each, from which parsing, documentation, listing and tests derive.
//!
//! Must not know how a misconception is acted out (`compute` and `reader` do): here stands what it is, and the smallest
//! program that shows it.

/// One way to misread WebAssembly. Its number is its place in [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Misconception {
    /// Integer arithmetic does not wrap.
    NoWrap,
    /// Unsigned instructions read as their signed twins.
    UnsignedAsSigned,
    /// Shift counts are not taken modulo the width.
    ShiftUnmasked,
    /// `f32` is never rounded to `f32`.
    F32AsF64,
    /// Loop bodies are read once.
    LoopsOnce,
    /// Sign extension is read as zero extension.
    ZeroExtended,
    /// `min` and `max` pass over a NaN.
    MinMaxNan,
    /// `select` takes the other operand.
    SelectSwapped,
    /// `br_table` always takes its default.
    TableDefault,
    /// Arguments are given in the opposite order.
    ArgsReversed,
}

/// What is to be known about one misconception.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The misconception.
    pub misconception: Misconception,
    /// Its name in `sim/NAME`.
    pub name: &'static str,
    /// What a reader with it does, in one sentence.
    pub description: &'static str,
    /// The smallest module that it answers wrong, as WAT with its probe.
    pub witness: &'static str,
    /// Instructions of the witness, `end` not counted.
    pub instructions: u32,
}

use Misconception::{
    ArgsReversed, F32AsF64, LoopsOnce, MinMaxNan, NoWrap, SelectSwapped, ShiftUnmasked, TableDefault, UnsignedAsSigned,
    ZeroExtended,
};

/// Every misconception.
pub static TABLE: [Row; 10] = [
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
        instructions: 4,
    },
];

impl Misconception {
    /// Its row.
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

/// A set of misconceptions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Misconceptions(u32);

impl Misconceptions {
    /// None.
    pub const NONE: Self = Self(0);

    /// All of a list.
    pub const fn of(list: &[Misconception]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < list.len() {
            bits |= 1 << list[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    /// Those of either.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether this one is among them.
    pub fn has(self, one: Misconception) -> bool {
        self.0 >> one as u32 & 1 == 1
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Misconception> {
        TABLE.iter().map(|row| row.misconception).filter(move |&one| self.has(one))
    }
}

/// A solver with a name of its own.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Its name in `sim/NAME`.
    pub name: &'static str,
    /// What it stands for, in one sentence.
    pub description: &'static str,
    /// Its misconceptions.
    pub misconceptions: Misconceptions,
    /// The share of replies with a slip.
    pub noise: f64,
}

/// The solvers with names of their own.
pub static NAMED: [Named; 2] = [
    Named {
        name: "oracle",
        description: "Makes no mistake: a miss against it is a bug of this program.",
        misconceptions: Misconceptions::NONE,
        noise: 0.0,
    },
    Named {
        name: "novice",
        description: "Has several misconceptions and slips now and then: the default of `harness attack`.",
        misconceptions: Misconceptions::of(&[NoWrap, UnsignedAsSigned, ShiftUnmasked, F32AsF64, LoopsOnce]),
        noise: 0.01,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::isa::Op;
    use crate::wasm::parse::parse_text;

    #[test]
    fn rows_stand_at_their_numbers_under_names_of_their_own() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.misconception as usize, index);
            assert!(TABLE[..index].iter().all(|other| other.name != row.name), "{}", row.name);
            assert!(NAMED.iter().all(|named| named.name != row.name), "{}", row.name);
            assert!(row.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{}", row.name);
        }
    }

    #[test]
    fn witnesses_have_as_many_instructions_as_they_say() {
        for row in &TABLE {
            let (program, marks) = parse_text(row.witness, &["INSPECT"]).expect(row.name);
            let code = (0..program.funcs.len() as u32).flat_map(|func| program.flatten(func));
            let placed = code.filter(|entry| !matches!(entry.instr.op, Op::End | Op::Else)).count();
            assert_eq!((placed as u32, marks.len()), (row.instructions, 1), "{}", row.name);
        }
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let set = Misconceptions::of(&[NoWrap, LoopsOnce]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [NoWrap, LoopsOnce]);
        assert!(set.has(LoopsOnce) && !set.has(F32AsF64) && !set.is_empty() && Misconceptions::NONE.is_empty());
        assert_eq!(set.union(Misconceptions::of(&[F32AsF64])).iter().count(), 3);
    }
}
