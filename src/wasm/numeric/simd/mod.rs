//! Owns exact vector arithmetic: one pure function per instruction on `v128` (spec 4.3.2, 4.3.3 and 4.4.3), named after
//! it (`i8x16.add_sat_s` is [`i8x16_add_sat_s`]).
//!
//! Must not know the instruction table, stacks or memory. A vector is a `u128` whose lane 0 is in the low bits, the
//! order of its bytes in memory; any other operand or result is zero-extended to 128 bits. What a lane shares with a
//! number is computed by the function for the number, so NaN canonicalisation is on here as it is there: the results
//! that the specification leaves open are positive canonical NaNs, and whatever only moves bits (`abs`, `neg`, `pmin`,
//! `pmax`, `bitselect`, lanes moved about) keeps every payload.

use super::Lane;

/// The functions of a list of `(operands) -> result { name = body; }`: each lane of the result is the typed body of the
/// lanes of the operands at the same place. Where the lanes differ in width, the narrower ones are those in the low
/// half, and the rest of the result is zero.
macro_rules! lanes {
    (@ $name:ident ($a:ident: $ty:ty) -> $result:ty = $body:expr) => {
        #[doc = concat!("`", stringify!($name), "`: each lane is `", stringify!($body), "` of a lane `",
                        stringify!($a: $ty), "`.")]
        pub fn $name($a: u128) -> u128 {
            $crate::wasm::numeric::simd::map($a, |$a: $ty| -> $result { $body })
        }
    };
    (@ $name:ident ($a:ident: $ty:ty, $b:ident: $tz:ty) -> $result:ty = $body:expr) => {
        #[doc = concat!("`", stringify!($name), "`: each lane is `", stringify!($body), "` of lanes `",
                        stringify!($a: $ty, $b: $tz), "`.")]
        pub fn $name($a: u128, $b: u128) -> u128 {
            $crate::wasm::numeric::simd::zip($a, $b, |$a: $ty, $b: $tz| -> $result { $body })
        }
    };
    ($($operands:tt -> $result:ty { $($name:ident = $body:expr;)+ })+) => {
        $($(lanes!(@ $name $operands -> $result = $body);)+)+
    };
}

/// The functions of a list of `name(operands) = body;`: the body is of whole vectors.
macro_rules! whole {
    ($($(#[$meta:meta])* $name:ident($($arg:ident),+) = $body:expr;)+) => {$(
        #[doc = concat!("`", stringify!($name), "`: `", stringify!($body), "` of `", stringify!($($arg),+), "`.")]
        $(#[$meta])*
        pub fn $name($($arg: u128),+) -> u128 {
            $body
        }
    )+};
}

mod compare;
mod convert;
mod float;
mod int;
mod lane;

#[cfg(test)]
mod tests;

pub use compare::*;
pub use convert::*;
pub use float::*;
pub use int::*;
pub use lane::*;

/// The bits of a lane.
const fn width<T>() -> u32 {
    8 * size_of::<T>() as u32
}

/// The lanes of a vector.
const fn count<T>() -> u32 {
    128 / width::<T>()
}

/// The lane at this index, below [`count`].
fn lane<T: Lane>(v: u128, index: u32) -> T {
    T::from_u64((v >> (width::<T>() * index)) as u64)
}

/// All lanes, the first first.
fn lanes<T: Lane>(v: u128) -> impl Iterator<Item = T> {
    (0..count::<T>()).map(move |index| lane(v, index))
}

/// The vector of these lanes, as many as there are and fit; the rest is zero.
fn vector<T: Lane>(lanes: impl Iterator<Item = T>) -> u128 {
    (0..count::<T>()).zip(lanes).fold(0, |v, (index, lane)| v | u128::from(lane.into_u64()) << (width::<T>() * index))
}

/// Lane by lane, as many as both kinds of vector have.
fn map<A: Lane, R: Lane>(a: u128, f: impl Fn(A) -> R) -> u128 {
    vector(lanes(a).map(f))
}

/// Lane by lane, as many as all kinds of vector have.
fn zip<A: Lane, B: Lane, R: Lane>(a: u128, b: u128, f: impl Fn(A, B) -> R) -> u128 {
    vector(lanes(a).zip(lanes(b)).map(|(a, b)| f(a, b)))
}

/// The upper half, moved down: what `high` instructions work on.
fn high(v: u128) -> u128 {
    v >> 64
}

/// What the instruction on numbers yields for this lane.
fn unary<A: Lane, R: Lane>(scalar: fn(u64) -> u64, a: A) -> R {
    R::from_u64(scalar(a.into_u64()))
}

/// What the instruction on numbers yields for these lanes.
fn binary<T: Lane>(scalar: fn(u64, u64) -> u64, a: T, b: T) -> T {
    T::from_u64(scalar(a.into_u64(), b.into_u64()))
}
