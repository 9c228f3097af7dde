//! Owns comparisons and tests of vectors. A lane that holds is all ones, one that does not is zero.

use super::{lanes, width};
use crate::wasm::numeric::Lane;

/// All ones or zero.
fn mask<T: Lane>(holds: bool) -> T {
    T::from_u64(if holds { u64::MAX } else { 0 })
}

/// Whether no lane is zero.
fn all_true<T: Lane>(v: u128) -> u128 {
    lanes::<T>(v).all(|lane| lane.into_u64() != 0).into()
}

/// The highest bit of each lane, that of lane 0 lowest.
fn bitmask<T: Lane>(v: u128) -> u128 {
    let signs = lanes::<T>(v).map(|lane| u128::from(lane.into_u64() >> (width::<T>() - 1)));
    (0..).zip(signs).fold(0, |mask, (index, sign)| mask | sign << index)
}

lanes! {
    (a: u8, b: u8) -> u8 {
        i8x16_eq = mask(a == b);
        i8x16_ne = mask(a != b);
        i8x16_lt_u = mask(a < b);
        i8x16_gt_u = mask(a > b);
        i8x16_le_u = mask(a <= b);
        i8x16_ge_u = mask(a >= b);
    }
    (a: i8, b: i8) -> i8 {
        i8x16_lt_s = mask(a < b);
        i8x16_gt_s = mask(a > b);
        i8x16_le_s = mask(a <= b);
        i8x16_ge_s = mask(a >= b);
    }
    (a: u16, b: u16) -> u16 {
        i16x8_eq = mask(a == b);
        i16x8_ne = mask(a != b);
        i16x8_lt_u = mask(a < b);
        i16x8_gt_u = mask(a > b);
        i16x8_le_u = mask(a <= b);
        i16x8_ge_u = mask(a >= b);
    }
    (a: i16, b: i16) -> i16 {
        i16x8_lt_s = mask(a < b);
        i16x8_gt_s = mask(a > b);
        i16x8_le_s = mask(a <= b);
        i16x8_ge_s = mask(a >= b);
    }
    (a: u32, b: u32) -> u32 {
        i32x4_eq = mask(a == b);
        i32x4_ne = mask(a != b);
        i32x4_lt_u = mask(a < b);
        i32x4_gt_u = mask(a > b);
        i32x4_le_u = mask(a <= b);
        i32x4_ge_u = mask(a >= b);
    }
    (a: i32, b: i32) -> i32 {
        i32x4_lt_s = mask(a < b);
        i32x4_gt_s = mask(a > b);
        i32x4_le_s = mask(a <= b);
        i32x4_ge_s = mask(a >= b);
    }
    (a: i64, b: i64) -> i64 {
        i64x2_eq = mask(a == b);
        i64x2_ne = mask(a != b);
        i64x2_lt_s = mask(a < b);
        i64x2_gt_s = mask(a > b);
        i64x2_le_s = mask(a <= b);
        i64x2_ge_s = mask(a >= b);
    }
    (a: f32, b: f32) -> f32 {
        f32x4_eq = mask(a == b);
        f32x4_ne = mask(a != b);
        f32x4_lt = mask(a < b);
        f32x4_gt = mask(a > b);
        f32x4_le = mask(a <= b);
        f32x4_ge = mask(a >= b);
    }
    (a: f64, b: f64) -> f64 {
        f64x2_eq = mask(a == b);
        f64x2_ne = mask(a != b);
        f64x2_lt = mask(a < b);
        f64x2_gt = mask(a > b);
        f64x2_le = mask(a <= b);
        f64x2_ge = mask(a >= b);
    }
}

whole! {
    v128_any_true(v) = u128::from(v != 0);
    i8x16_all_true(v) = all_true::<u8>(v);
    i16x8_all_true(v) = all_true::<u16>(v);
    i32x4_all_true(v) = all_true::<u32>(v);
    i64x2_all_true(v) = all_true::<u64>(v);

    i8x16_bitmask(v) = bitmask::<u8>(v);
    i16x8_bitmask(v) = bitmask::<u16>(v);
    i32x4_bitmask(v) = bitmask::<u32>(v);
    i64x2_bitmask(v) = bitmask::<u64>(v);
}
