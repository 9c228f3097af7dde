//! Owns exact arithmetic: one pure function per numeric instruction (spec 4.3), named after it (`i32.div_s` is
//! [`i32_div_s`]).
//!
//! Must not know the instruction table, stacks or memory. Operands and results are bits zero-extended to 64 (to 128
//! with vectors, see `simd`): an `i32`
//! or `f32` is in the low half and the high half is zero. NaN canonicalisation is on: where the specification leaves a
//! NaN result open, it is the positive canonical one. Instructions that only move bits (`abs`, `neg`, `copysign`,
//! `reinterpret`) keep every payload.

use super::trap::Trap;

/// The functions of a list of `name(operands) -> result { body }`, lifted from typed values to bits.
macro_rules! pure {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $ty:ty),+) -> $result:ty $body:block)+) => {$(
        #[doc = concat!("`", stringify!($name($($arg: $ty),+) -> $result), "`, on bits.")]
        $(#[$meta])*
        pub fn $name($($arg: u64),+) -> u64 {
            $(let $arg = <$ty as $crate::wasm::numeric::Lane>::from_u64($arg);)+
            let result: $result = $body;
            $crate::wasm::numeric::Lane::into_u64(result)
        }
    )+};
}

/// Like `pure!`, for instructions that are partial: the body yields a `Result` of the result type or the trap.
macro_rules! partial {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $ty:ty),+) -> $result:ty $body:block)+) => {$(
        #[doc = concat!("`", stringify!($name($($arg: $ty),+) -> $result), "`, on bits.")]
        $(#[$meta])*
        ///
        /// # Errors
        /// The trap, where the specification leaves the result undefined.
        pub fn $name($($arg: u64),+) -> Result<u64, $crate::wasm::trap::Trap> {
            $(let $arg = <$ty as $crate::wasm::numeric::Lane>::from_u64($arg);)+
            let result: Result<$result, $crate::wasm::trap::Trap> = $body;
            result.map($crate::wasm::numeric::Lane::into_u64)
        }
    )+};
}

mod convert;
mod float;
mod int;
mod simd;

pub use convert::*;
pub use float::*;
pub use int::*;
pub use simd::*;

/// A typed reading of zero-extended bits.
trait Lane: Copy {
    /// The value in the low bits.
    fn from_u64(bits: u64) -> Self;
    /// The bits, zero-extended.
    fn into_u64(self) -> u64;
}

/// Integer lanes: truncation one way, zero extension of the same width the other.
macro_rules! int_lane {
    ($($ty:ty as $unsigned:ty),+) => {$(
        impl Lane for $ty {
            fn from_u64(bits: u64) -> Self {
                bits as Self
            }
            fn into_u64(self) -> u64 {
                u64::from(self as $unsigned)
            }
        }
    )+};
}

int_lane!(i8 as u8, u8 as u8, i16 as u16, u16 as u16, i32 as u32, u32 as u32, i64 as u64, u64 as u64);

impl Lane for bool {
    fn from_u64(bits: u64) -> Self {
        bits != 0
    }
    fn into_u64(self) -> u64 {
        u64::from(self)
    }
}

impl Lane for f32 {
    fn from_u64(bits: u64) -> Self {
        Self::from_bits(bits as u32)
    }
    fn into_u64(self) -> u64 {
        u64::from(self.to_bits())
    }
}

impl Lane for f64 {
    fn from_u64(bits: u64) -> Self {
        Self::from_bits(bits)
    }
    fn into_u64(self) -> u64 {
        self.to_bits()
    }
}

/// The bits as they are: what a load does whose memory bytes, zero-extended, are the value already.
pub fn unchanged(bits: u64) -> u64 {
    bits
}
