//! Owns what a reader has in mind for one operand: an exact value, or a number that has left its type.
//!
//! Must not know instructions. Integers are thought of as signed, as the text format prints them; one past the range of
//! its type is kept whole, and an `f32` that was never rounded is kept as the `f64` that it is.

use crate::wasm::types::{Bits, ValType, Value};

/// An operand as a reader holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Held {
    /// A value of its type.
    Exact(Value),
    /// An integer past the signed range of this type.
    Beyond(ValType, i128),
    /// An `f32` at `f64` precision. A NaN in it is canonical but for its sign.
    Unrounded(f64),
}

impl Held {
    /// The value of this type with these bits.
    pub(super) fn exact(ty: ValType, bits: Bits) -> Self {
        Self::Exact(Value::new(ty, bits))
    }

    /// Zero.
    pub(super) fn zero(ty: ValType) -> Self {
        Self::Exact(Value::zero(ty))
    }

    /// A truth value.
    pub(super) fn truth(holds: bool) -> Self {
        Self::Exact(Value::i32(holds.into()))
    }

    /// An integer of this type, or past it.
    pub(super) fn integer(ty: ValType, number: i128) -> Self {
        match ty {
            ValType::I32 => i32::try_from(number).ok().map(Value::i32),
            _ => i64::try_from(number).ok().map(Value::i64),
        }
        .map_or(Self::Beyond(ty, number), Self::Exact)
    }

    /// An `f32` constant as it stands in the text: the shortest decimal, read with `f64` precision. A NaN stays as it
    /// is, for its payload's sake.
    pub(super) fn decimal(value: Value) -> Self {
        match value.text().parse() {
            Ok(number) if !value.is_nan() => Self::Unrounded(number),
            _ => Self::Exact(value),
        }
    }

    pub(super) fn ty(self) -> ValType {
        match self {
            Self::Exact(value) => value.ty,
            Self::Beyond(ty, _) => ty,
            Self::Unrounded(_) => ValType::F32,
        }
    }

    pub(super) fn is_beyond(self) -> bool {
        matches!(self, Self::Beyond(..))
    }

    /// The bits that a machine would have room for: low bits of integers, rounded floats.
    pub(super) fn bits(self) -> u64 {
        /// The positive canonical NaN of `f32` (spec 2.2.3).
        const NAN: u32 = 0x7fc0_0000;
        match self {
            Self::Exact(value) => value.bits as u64,
            Self::Beyond(ValType::I32, number) => u64::from(number as u32),
            Self::Beyond(_, number) => number as u64,
            Self::Unrounded(x) if x.is_nan() => u64::from(NAN | u32::from(x.is_sign_negative()) << 31),
            Self::Unrounded(x) => u64::from((x as f32).to_bits()),
        }
    }

    /// The bits, those of a vector too.
    pub(super) fn wide(self) -> Bits {
        match self {
            Self::Exact(value) => value.bits,
            held => held.bits().into(),
        }
    }

    /// The integer, signed.
    pub(super) fn number(self) -> i128 {
        match self {
            Self::Beyond(_, number) => number,
            Self::Exact(value) if value.ty == ValType::I32 => i128::from(value.bits as i32),
            held => i128::from(held.bits() as i64),
        }
    }

    /// The integer, unsigned, as counts, addresses and table indices are. A negative one past the range has no such
    /// reading but its low bits.
    pub(super) fn unsigned(self) -> u64 {
        match self {
            Self::Beyond(_, number @ 0..) => u64::try_from(number).unwrap_or(u64::MAX),
            held => held.bits(),
        }
    }

    /// The `f32` at `f64` precision.
    pub(super) fn widened(self) -> f64 {
        match self {
            Self::Unrounded(x) => x,
            held => f64::from(f32::from_bits(held.bits() as u32)),
        }
    }

    /// The float, at `f64` precision.
    pub(super) fn float(self) -> f64 {
        if self.ty() == ValType::F64 { f64::from_bits(self.bits()) } else { self.widened() }
    }

    /// Another float, held as this one is.
    pub(super) fn with(self, number: f64) -> Self {
        match self {
            Self::Unrounded(_) => Self::Unrounded(number),
            held if held.ty() == ValType::F64 => Self::Exact(Value::f64(number)),
            _ => Self::Exact(Value::f32(number as f32)),
        }
    }

    /// Whether it is a float and no number.
    pub(super) fn is_nan(self) -> bool {
        match self {
            Self::Exact(value) => value.is_nan(),
            Self::Beyond(..) => false,
            Self::Unrounded(x) => x.is_nan(),
        }
    }

    /// As a condition.
    pub(super) fn is_true(self) -> bool {
        self.number() != 0
    }

    /// The number as the reader writes it down, not knowing that it has left its type.
    pub(super) fn text(self) -> String {
        match self {
            Self::Exact(value) => value.text(),
            Self::Beyond(_, number) => number.to_string(),
            Self::Unrounded(x) => Value::f64(x).text(),
        }
    }
}

/// The first and the last of some operands change places if they have one type, and so on inwards.
pub(super) fn reverse(arguments: &mut [Held]) {
    for at in 0..arguments.len() / 2 {
        let other = arguments.len() - 1 - at;
        if arguments[at].ty() == arguments[other].ty() {
            arguments.swap(at, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValType::{I32, I64};

    #[test]
    fn integers_leave_their_type_and_come_back() {
        assert_eq!(Held::integer(I32, -1), Held::Exact(Value::i32(-1)));
        let past = Held::integer(I32, 1 << 32 | 5);
        assert_eq!(
            (past.ty(), past.bits(), past.unsigned(), past.text()),
            (I32, 5, (1 << 32) + 5, "4294967301".into())
        );
        let below = Held::integer(I32, -(1 << 32) - 1);
        assert_eq!((below.bits(), below.unsigned()), (u64::from(u32::MAX), u64::from(u32::MAX)));
        assert!(Held::integer(I32, 1 << 32).is_true(), "its low bits are all zero, but nobody looks at them");
        assert_eq!(Held::integer(I64, i128::MAX).unsigned(), u64::MAX);
        assert_eq!(Held::exact(I32, 0xffff_fffe).number(), -2);
    }

    #[test]
    fn constants_are_read_as_they_are_written() {
        assert_eq!(Held::decimal(Value::f32(0.1)), Held::Unrounded(0.1));
        assert_eq!(Held::decimal(Value::f32(-0.0)).bits(), 0x8000_0000);
        assert_eq!(Held::decimal(Value::f32(f32::NEG_INFINITY)), Held::Unrounded(f64::NEG_INFINITY));
        let nan = Value::f32(f32::from_bits(0xffc0_0001));
        assert_eq!(Held::decimal(nan), Held::Exact(nan));
        assert_eq!(Held::Unrounded(-f64::NAN).bits(), 0xffc0_0000);
        assert_eq!(Held::Unrounded(16_777_217.0).text(), "16777217.0");
    }
}
