//! Owns the misconceptions: one row each (`table`), from which parsing, documentation, listing and tests derive; sets of
//! them; and the solvers that have a name for a set.
//!
//! Must not know how a misconception is acted out (`compute` and `reader` do): here stands what it is, and the smallest
//! program that shows it.

mod table;

use Misconception::{F32AsF64, LoopsOnce, NoWrap, ShiftUnmasked, UnsignedAsSigned};
pub use table::TABLE;

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
    /// A logical shift to the right read as an arithmetic one.
    ArithmeticShift,
    /// Halfway cases are rounded away from zero.
    HalfAway,
    /// Zero and NaN have no sign.
    ZeroUnsigned,
    /// Narrow loads are not sign-extended.
    LoadsUnextended,
    /// Labels are counted from 1.
    LabelOffByOne,
    /// Loops are given up after some iterations.
    LoopsCapped,
    /// `return` is passed over.
    ReturnIgnored,
    /// Locals are zero at the first call alone.
    LocalsKept,
    /// Operands far down are forgotten.
    StackForgotten,
    /// The most significant byte comes first in memory.
    BigEndian,
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
    /// The number K that it is counted with where `sim/NAME` gives none; `sim/NAME=K` gives another, from 1 to
    /// [`MAX_NUMBER`]. `None` if nothing is counted.
    pub parameter: Option<u32>,
    /// Instructions of the witness, `end` not counted.
    pub instructions: u32,
}

impl Misconception {
    /// Its row.
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

/// The largest number that a misconception may be counted with: what a reader reads at most.
pub const MAX_NUMBER: u32 = 1_000_000;
/// Misconceptions that are counted with a number.
const NUMBERED: usize = 2;

/// A set of misconceptions, with their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Misconceptions {
    bits: u32,
    /// Of those with a parameter, in the order of the table; 0 is the row's own, so that one set has one form.
    numbers: [u32; NUMBERED],
}

impl Misconceptions {
    /// None.
    pub const NONE: Self = Self { bits: 0, numbers: [0; NUMBERED] };

    /// All of a list, with the numbers of their rows.
    pub const fn of(list: &[Misconception]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < list.len() {
            bits |= 1 << list[at] as u32;
            at += 1;
        }
        Self { bits, ..Self::NONE }
    }

    /// One with its number; `None` if it takes no number, or not this one.
    pub fn counted(one: Misconception, number: u32) -> Option<Self> {
        let own = one.row().parameter.filter(|_| (1..=MAX_NUMBER).contains(&number))?;
        let mut set = Self::of(&[one]);
        set.numbers[slot(one)] = if number == own { 0 } else { number };
        Some(set)
    }

    /// Those of either; the numbers are those of `other` where it has any.
    pub fn union(self, other: Self) -> Self {
        let given = |at: usize| if other.numbers[at] == 0 { self.numbers[at] } else { other.numbers[at] };
        Self { bits: self.bits | other.bits, numbers: std::array::from_fn(given) }
    }

    /// Whether this one is among them.
    pub fn has(self, one: Misconception) -> bool {
        self.bits >> one as u32 & 1 == 1
    }

    /// The number that one of them is counted with; `None` if it is not among them, or not counted.
    pub fn number(self, one: Misconception) -> Option<u32> {
        let own = one.row().parameter.filter(|_| self.has(one))?;
        let given = self.numbers[slot(one)];
        Some(if given == 0 { own } else { given })
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Those in it, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Misconception> {
        TABLE.iter().map(|row| row.misconception).filter(move |&one| self.has(one))
    }
}

/// Where the number of one with a parameter stands.
fn slot(one: Misconception) -> usize {
    TABLE[..one as usize].iter().filter(|row| row.parameter.is_some()).count()
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
    fn numbers_are_the_rows_own_unless_given() {
        use Misconception::{LoopsCapped, StackForgotten};
        assert_eq!(TABLE.iter().filter(|row| row.parameter.is_some()).count(), NUMBERED);
        let own = Misconceptions::of(&[LoopsCapped, NoWrap]);
        assert_eq!((own.number(LoopsCapped), own.number(StackForgotten), own.number(NoWrap)), (Some(3), None, None));
        let counted = |one, number| Misconceptions::counted(one, number);
        assert_eq!(counted(LoopsCapped, 3), Some(Misconceptions::of(&[LoopsCapped])), "one set has one form");
        assert_eq!([counted(LoopsCapped, 0), counted(LoopsCapped, MAX_NUMBER + 1), counted(NoWrap, 1)], [None; 3]);
        let both = counted(LoopsCapped, 7).expect("fits").union(counted(StackForgotten, 2).expect("fits"));
        assert_eq!((both.number(LoopsCapped), both.number(StackForgotten)), (Some(7), Some(2)));
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let set = Misconceptions::of(&[NoWrap, LoopsOnce]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [NoWrap, LoopsOnce]);
        assert!(set.has(LoopsOnce) && !set.has(F32AsF64) && !set.is_empty() && Misconceptions::NONE.is_empty());
        assert_eq!(set.union(Misconceptions::of(&[F32AsF64])).iter().count(), 3);
    }
}
