//! Owns the lanes as such: making vectors of numbers, taking them apart, moving lanes about.
//!
//! Floats are moved as bits, so a float shape is the integer shape of the same width. An index that comes from an
//! immediate is in range in any valid module.

use super::{count, lane, map, vector, width};
use crate::wasm::numeric::Lane;

/// The vector as it is: what a load does whose bytes, zero-extended, are the vector already.
pub fn v128_unchanged(v: u128) -> u128 {
    v
}

/// Every lane the same.
fn splat<T: Lane>(x: u128) -> u128 {
    vector((0..count::<T>()).map(|_| lane::<T>(x, 0)))
}

/// A lane, made a number.
fn extract<T: Lane, R: Lane + From<T>>(v: u128, index: u8) -> u128 {
    R::from(lane::<T>(v, index.into())).into_u64().into()
}

/// The vector with the low bits of the number in a lane.
fn replace<T: Lane>(v: u128, x: u128, index: u8) -> u128 {
    let shift = width::<T>() * u32::from(index);
    let ones = u128::MAX >> (128 - width::<T>());
    (v & !(ones << shift)) | ((x & ones) << shift)
}

whole! {
    i8x16_splat(x) = splat::<u8>(x);
    i16x8_splat(x) = splat::<u16>(x);
    i32x4_splat(x) = splat::<u32>(x);
    i64x2_splat(x) = splat::<u64>(x);
    f32x4_splat(x) = i32x4_splat(x);
    f64x2_splat(x) = i64x2_splat(x);

    /// An index out of range makes zero.
    i8x16_swizzle(v, indices) = map(indices, |index: u8| if index < 16 { lane::<u8>(v, index.into()) } else { 0 });
    /// From 16 on, an index is into `b`.
    i8x16_shuffle(a, b, indices) = map(indices, |index: u8| lane::<u8>(if index < 16 { a } else { b }, (index % 16).into()));
}

/// The functions of a list of `name: lane -> number;`.
macro_rules! extracts {
    ($($name:ident: $lane:ty as $number:ty;)+) => {$(
        #[doc = concat!("`", stringify!($name), "`: the lane `", stringify!($lane), "` as `", stringify!($number), "`.")]
        pub fn $name(v: u128, index: u8) -> u128 {
            extract::<$lane, $number>(v, index)
        }
    )+};
}

extracts! {
    i8x16_extract_lane_s: i8 as i32;
    i8x16_extract_lane_u: u8 as u32;
    i16x8_extract_lane_s: i16 as i32;
    i16x8_extract_lane_u: u16 as u32;
    i32x4_extract_lane: u32 as u32;
    i64x2_extract_lane: u64 as u64;
    f32x4_extract_lane: u32 as u32;
    f64x2_extract_lane: u64 as u64;
}

/// The functions of a list of `name: lane;`.
macro_rules! replaces {
    ($($name:ident: $lane:ty;)+) => {$(
        #[doc = concat!("`", stringify!($name), "`: the low bits of the number as the lane `", stringify!($lane), "`.")]
        pub fn $name(v: u128, x: u128, index: u8) -> u128 {
            replace::<$lane>(v, x, index)
        }
    )+};
}

replaces! {
    i8x16_replace_lane: u8;
    i16x8_replace_lane: u16;
    i32x4_replace_lane: u32;
    i64x2_replace_lane: u64;
    f32x4_replace_lane: u32;
    f64x2_replace_lane: u64;
}
