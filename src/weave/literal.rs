//! Owns constants: the buckets that a policy chooses from, and the value that the seed draws inside one.
//!
//! Must not know stacks or budgets. A bucket is a choice, since it decides what a constant does to a program (a shift
//! count past the width, a divisor of minus one); the value inside it is not, and is drawn from the program's seed.

use crate::seed::Rng;
use crate::wasm::encode::signed_size;
use crate::wasm::types::{Bits, ValType, Value};

/// An enum and the list of its variants.
macro_rules! buckets {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $variant:ident,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$what])* $variant),+
        }

        impl $name {
            /// Every bucket.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

buckets! {
    /// Kinds of integer constants, for `i32` and `i64`.
    IntBucket {
        /// 0
        Zero,
        /// 1
        One,
        /// -1: all bits set.
        MinusOne,
        /// 2 to 15
        Small,
        /// -16 to -2
        SmallNegative,
        /// 16 to 63: past the width of an `i32` shift from 32 on.
        Medium,
        /// 64 to 1000
        Hundreds,
        /// -1000 to -17
        HundredsNegative,
        /// A power of two from 2^10 on, without the sign bit.
        PowerOfTwo,
        /// One less than a power of two from 2^10 on: a mask.
        Mask,
        /// Any positive number.
        Large,
        /// Any negative number.
        LargeNegative,
        /// The smallest number: the sign bit alone.
        Min,
        /// The largest number.
        Max,
    }
}

impl IntBucket {
    /// The bucket of a number of `width` bits.
    pub fn of(value: i64, width: u32) -> Self {
        let max = (1i64 << (width - 2)) - 1 + (1i64 << (width - 2));
        match value {
            0 => Self::Zero,
            1 => Self::One,
            -1 => Self::MinusOne,
            2..=15 => Self::Small,
            -16..=-2 => Self::SmallNegative,
            v if v == max => Self::Max,
            v if v == -max - 1 => Self::Min,
            16..=63 => Self::Medium,
            64..=1000 => Self::Hundreds,
            -1000..=-17 => Self::HundredsNegative,
            v if v > 0 && v & (v - 1) == 0 => Self::PowerOfTwo,
            v if v > 0 && v & (v + 1) == 0 => Self::Mask,
            v if v > 0 => Self::Large,
            _ => Self::LargeNegative,
        }
    }

    /// A number of `width` bits in this bucket.
    fn draw(self, width: u32, rng: &mut Rng) -> i64 {
        let max = if width == 32 { i64::from(i32::MAX) } else { i64::MAX };
        match self {
            Self::Zero => 0,
            Self::One => 1,
            Self::MinusOne => -1,
            Self::Small => rng.between(2, 15),
            Self::SmallNegative => rng.between(-16, -2),
            Self::Medium => rng.between(16, 63),
            Self::Hundreds => rng.between(64, 1000),
            Self::HundredsNegative => rng.between(-1000, -17),
            Self::PowerOfTwo => 1 << rng.between(10, i64::from(width) - 2),
            Self::Mask => (1 << rng.between(10, i64::from(width) - 2)) - 1,
            Self::Large => rng.between(1001, max - 1),
            Self::LargeNegative => rng.between(-max, -1001),
            Self::Min => -max - 1,
            Self::Max => max,
        }
    }
}

buckets! {
    /// Kinds of float constants, for `f32` and `f64`.
    FloatBucket {
        /// 0.0
        Zero,
        /// -0.0
        MinusZero,
        /// 1.0
        One,
        /// -1.0
        MinusOne,
        /// A whole number of magnitude 2 to 100.
        Whole,
        /// A whole number and a half: what rounding modes differ on.
        Half,
        /// A decimal with two places, which binary cannot hold exactly.
        Decimal,
        /// Whole numbers past 2^24, where an `f32` has gaps.
        Large,
        /// Magnitudes past the range of the integer types.
        Huge,
        /// Normal numbers near the smallest.
        Tiny,
        /// Subnormal numbers.
        Subnormal,
        /// Infinity.
        Infinity,
        /// Minus infinity.
        MinusInfinity,
        /// The canonical NaN.
        Nan,
    }
}

impl FloatBucket {
    /// The bucket of a number of type `ty`; of what no bucket draws, the nearest by magnitude.
    pub fn of(value: f64, ty: ValType) -> Self {
        let magnitude = value.abs();
        let (min_positive, tiny) =
            if ty == ValType::F32 { (f64::from(f32::MIN_POSITIVE), 1e-30) } else { (f64::MIN_POSITIVE, 1e-300) };
        match value {
            _ if value.is_nan() => Self::Nan,
            _ if value == f64::INFINITY => Self::Infinity,
            _ if value == f64::NEG_INFINITY => Self::MinusInfinity,
            _ if value == 0.0 => {
                if value.is_sign_negative() {
                    Self::MinusZero
                } else {
                    Self::Zero
                }
            }
            _ if value == 1.0 => Self::One,
            _ if value == -1.0 => Self::MinusOne,
            _ if magnitude < min_positive => Self::Subnormal,
            _ if magnitude < tiny => Self::Tiny,
            _ if magnitude >= 1e20 => Self::Huge,
            _ if magnitude >= 16_777_216.0 => Self::Large,
            _ if value.fract() == 0.0 => Self::Whole,
            _ if magnitude.fract() == 0.5 => Self::Half,
            _ => Self::Decimal,
        }
    }

    fn draw(self, ty: ValType, rng: &mut Rng) -> f64 {
        let single = ty == ValType::F32;
        let sign = if rng.below(2) == 0 { 1.0 } else { -1.0 };
        match self {
            Self::Zero => 0.0,
            Self::MinusZero => -0.0,
            Self::One => 1.0,
            Self::MinusOne => -1.0,
            Self::Whole => sign * rng.between(2, 100) as f64,
            Self::Half => sign * (rng.between(0, 100) as f64 + 0.5),
            Self::Decimal => sign * (100 * rng.between(0, 99) + decimal_places(rng)) as f64 / 100.0,
            Self::Large => sign * rng.between(16_777_217, 4_000_000_000) as f64,
            Self::Huge => sign * rng.between(1, 99) as f64 * 10f64.powi(rng.between(20, 36) as i32),
            Self::Tiny => sign * rng.between(12, 99) as f64 * if single { 1e-38 } else { 1e-307 },
            Self::Subnormal => sign * rng.between(1, 99) as f64 * if single { 1e-42 } else { 1e-320 },
            Self::Infinity => f64::INFINITY,
            Self::MinusInfinity => f64::NEG_INFINITY,
            Self::Nan => f64::NAN,
        }
    }
}

/// Hundredths that are neither none nor a half.
fn decimal_places(rng: &mut Rng) -> i64 {
    let below = rng.between(1, 98);
    below + i64::from(below >= 50)
}

buckets! {
    /// Kinds of vector constants.
    VectorBucket {
        /// All bits clear.
        Zero,
        /// All bits set.
        Ones,
        /// Four lanes of 0 to 15.
        Small,
        /// The bytes 0 to 15 in some order: what `i8x16.swizzle` picks by.
        Indices,
        /// Four `f32` of magnitude up to 100.
        Floats,
        /// Any bits.
        Any,
    }
}

impl VectorBucket {
    /// The bucket of a vector; of what no bucket draws, `Any`.
    fn of(bits: u128) -> Self {
        let lanes = |width: u32| (0..128 / width).map(move |lane| bits >> (lane * width));
        let float = |bits: u128| f32::from_bits(bits as u32);
        let mut bytes = bits.to_le_bytes();
        bytes.sort_unstable();
        match bits {
            0 => Self::Zero,
            u128::MAX => Self::Ones,
            _ if bytes == std::array::from_fn(|index| index as u8) => Self::Indices,
            _ if lanes(32).all(|lane| lane as u32 <= 15) => Self::Small,
            _ if lanes(32).all(|lane| (0.25..=100.0).contains(&float(lane).abs())) => Self::Floats,
            _ => Self::Any,
        }
    }

    fn draw(self, rng: &mut Rng) -> u128 {
        match self {
            Self::Zero => 0,
            Self::Ones => u128::MAX,
            // The lowest lane is set, or all four could be zero.
            Self::Small => lanes(rng, |rng| rng.between(0, 15) as u32) & !0xf | rng.between(1, 15) as u128,
            Self::Indices => {
                let mut bytes: [u8; 16] = std::array::from_fn(|index| index as u8);
                rng.shuffle(&mut bytes);
                u128::from_le_bytes(bytes)
            }
            Self::Floats => lanes(rng, |rng| {
                let sign = if rng.below(2) == 0 { 1.0 } else { -1.0 };
                (sign * rng.between(1, 400) as f32 / 4.0).to_bits()
            }),
            // The lowest lane is a NaN or far out: no other bucket draws that.
            Self::Any => lanes(rng, |rng| rng.bits() as u32) | 0xff00_0041,
        }
    }
}

/// Four lanes of 32 bits, drawn one by one.
fn lanes(rng: &mut Rng, lane: impl Fn(&mut Rng) -> u32) -> u128 {
    (0..4).fold(0, |bits, _| bits << 32 | u128::from(lane(rng)))
}

/// Buckets of the type with the most.
pub const MAX_BUCKETS: u32 =
    if IntBucket::ALL.len() > FloatBucket::ALL.len() { IntBucket::ALL.len() } else { FloatBucket::ALL.len() } as u32;

/// How many buckets a type has. A reference has no constants but null.
pub fn buckets(ty: ValType) -> u32 {
    (match ty {
        ValType::I32 | ValType::I64 => IntBucket::ALL.len(),
        ValType::F32 | ValType::F64 => FloatBucket::ALL.len(),
        ValType::V128 => VectorBucket::ALL.len(),
        ValType::FuncRef | ValType::ExternRef => 0,
    }) as u32
}

/// The number of the bucket that a value lies in; of references null has 0, all others 1.
pub fn bucket_of(value: Value) -> u32 {
    match value.ty {
        ValType::I32 => IntBucket::of(i64::from(value.bits as i32), 32) as u32,
        ValType::I64 => IntBucket::of(value.bits as i64, 64) as u32,
        ValType::F32 => FloatBucket::of(f64::from(f32::from_bits(value.bits as u32)), value.ty) as u32,
        ValType::F64 => FloatBucket::of(f64::from_bits(value.bits as u64), value.ty) as u32,
        ValType::V128 => VectorBucket::of(value.bits) as u32,
        ValType::FuncRef | ValType::ExternRef => u32::from(value.bits != 0),
    }
}

/// A value of this type in bucket number `bucket`.
///
/// # Panics
/// For a type without buckets.
pub fn draw(ty: ValType, bucket: u32, rng: &mut Rng) -> Bits {
    let bucket = bucket as usize;
    match ty {
        ValType::I32 => Value::i32(IntBucket::ALL[bucket].draw(32, rng) as i32).bits,
        ValType::I64 => Value::i64(IntBucket::ALL[bucket].draw(64, rng)).bits,
        ValType::F32 => canonical_f32(FloatBucket::ALL[bucket].draw(ty, rng) as f32),
        ValType::F64 => canonical_f64(FloatBucket::ALL[bucket].draw(ty, rng)),
        ValType::V128 => VectorBucket::ALL[bucket].draw(rng),
        ValType::FuncRef | ValType::ExternRef => panic!("{ty} has no buckets"),
    }
}

fn canonical_f32(value: f32) -> Bits {
    Bits::from(if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() })
}

fn canonical_f64(value: f64) -> Bits {
    Bits::from(if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() })
}

/// The most bytes that the immediate of a constant from this bucket takes.
pub fn max_size(ty: ValType, bucket: u32) -> u32 {
    let width = match ty {
        ValType::F32 => return 4,
        ValType::F64 => return 8,
        ValType::V128 => return 16,
        ValType::FuncRef | ValType::ExternRef => return 1,
        ValType::I32 => 32,
        ValType::I64 => 64,
    };
    let extreme = match IntBucket::ALL[bucket as usize] {
        IntBucket::Zero | IntBucket::One | IntBucket::MinusOne | IntBucket::Small | IntBucket::SmallNegative => 0,
        IntBucket::Medium => 63,
        IntBucket::Hundreds | IntBucket::HundredsNegative => 1000,
        _ if width == 32 => i64::from(i32::MAX),
        _ => i64::MAX,
    };
    signed_size(extreme)
}

/// The most bytes that an instruction takes which pushes a constant of this type.
#[inline]
pub fn largest_const_bytes(ty: ValType) -> u32 {
    [6, 11, 5, 9, 18, 2, 2][ty.index()]
}

/// The fewest bytes that an instruction takes which pushes a constant of this type.
#[inline]
pub fn min_const_bytes(ty: ValType) -> u32 {
    [2, 2, 5, 9, 18, 2, 2][ty.index()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::wasm::encode::instr_size;
    use crate::wasm::program::{Instr, Program};

    #[test]
    fn the_shortest_and_longest_constants_are() {
        for ty in ValType::NUMBERS {
            let shortest = (0..buckets(ty)).map(|bucket| 1 + max_size(ty, bucket)).min();
            assert_eq!(shortest, Some(min_const_bytes(ty)), "{ty}");
            let longest = (0..buckets(ty)).map(|bucket| 1 + max_size(ty, bucket)).max();
            assert_eq!(longest, Some(largest_const_bytes(ty)), "{ty}");
        }
    }

    #[test]
    fn a_bucket_draws_what_it_says_and_no_more_bytes() {
        let mut rng = Seed::new(3).rng();
        for ty in ValType::ALL {
            for bucket in 0..buckets(ty) {
                for _ in 0..500 {
                    let bits = draw(ty, bucket, &mut rng);
                    assert_eq!(bucket_of(Value::new(ty, bits)), bucket, "{}", Value::new(ty, bits));
                    if ty != ValType::V128 {
                        let size = instr_size(&Program::default(), &Instr::constant(ty, bits));
                        assert!(size <= 1 + max_size(ty, bucket), "{} takes {size}", Value::new(ty, bits));
                    }
                }
            }
        }
    }
}
