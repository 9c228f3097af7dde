//! Owns integer arithmetic of vectors: a signed lane type means that the instruction reads two's complement.
//!
//! Shift counts are one `i32` for all lanes, taken modulo the width of a lane.

use super::{count, high, lane, map, vector, width};
use crate::wasm::numeric::Lane;

whole! {
    v128_not(v) = !v;
    v128_and(a, b) = a & b;
    v128_andnot(a, b) = a & !b;
    v128_or(a, b) = a | b;
    v128_xor(a, b) = a ^ b;
    /// Bits of `a` where `mask` has ones, of `b` elsewhere.
    v128_bitselect(a, b, mask) = (a & mask) | (b & !mask);
}

lanes! {
    (a: i8) -> i8 {
        i8x16_abs = a.wrapping_abs();
        i8x16_neg = a.wrapping_neg();
    }
    (a: u8) -> u8 {
        i8x16_popcnt = a.count_ones() as u8;
    }
    (a: u8, b: u8) -> u8 {
        i8x16_add = a.wrapping_add(b);
        i8x16_sub = a.wrapping_sub(b);
        i8x16_add_sat_u = a.saturating_add(b);
        i8x16_sub_sat_u = a.saturating_sub(b);
        i8x16_min_u = a.min(b);
        i8x16_max_u = a.max(b);
        i8x16_avgr_u = (u16::from(a) + u16::from(b)).div_ceil(2) as u8;
    }
    (a: i8, b: i8) -> i8 {
        i8x16_add_sat_s = a.saturating_add(b);
        i8x16_sub_sat_s = a.saturating_sub(b);
        i8x16_min_s = a.min(b);
        i8x16_max_s = a.max(b);
    }

    (a: i16) -> i16 {
        i16x8_abs = a.wrapping_abs();
        i16x8_neg = a.wrapping_neg();
    }
    (a: u16, b: u16) -> u16 {
        i16x8_add = a.wrapping_add(b);
        i16x8_sub = a.wrapping_sub(b);
        i16x8_mul = a.wrapping_mul(b);
        i16x8_add_sat_u = a.saturating_add(b);
        i16x8_sub_sat_u = a.saturating_sub(b);
        i16x8_min_u = a.min(b);
        i16x8_max_u = a.max(b);
        i16x8_avgr_u = (u32::from(a) + u32::from(b)).div_ceil(2) as u16;
    }
    (a: i16, b: i16) -> i16 {
        i16x8_add_sat_s = a.saturating_add(b);
        i16x8_sub_sat_s = a.saturating_sub(b);
        i16x8_min_s = a.min(b);
        i16x8_max_s = a.max(b);
        i16x8_q15mulr_sat_s = q15(a, b);
    }
    (a: i8, b: i8) -> i16 {
        i16x8_extmul_low_i8x16_s = i16::from(a) * i16::from(b);
    }
    (a: u8, b: u8) -> u16 {
        i16x8_extmul_low_i8x16_u = u16::from(a) * u16::from(b);
    }

    (a: i32) -> i32 {
        i32x4_abs = a.wrapping_abs();
        i32x4_neg = a.wrapping_neg();
    }
    (a: u32, b: u32) -> u32 {
        i32x4_add = a.wrapping_add(b);
        i32x4_sub = a.wrapping_sub(b);
        i32x4_mul = a.wrapping_mul(b);
        i32x4_min_u = a.min(b);
        i32x4_max_u = a.max(b);
    }
    (a: i32, b: i32) -> i32 {
        i32x4_min_s = a.min(b);
        i32x4_max_s = a.max(b);
    }
    (a: i16, b: i16) -> i32 {
        i32x4_extmul_low_i16x8_s = i32::from(a) * i32::from(b);
    }
    (a: u16, b: u16) -> u32 {
        i32x4_extmul_low_i16x8_u = u32::from(a) * u32::from(b);
    }

    (a: i64) -> i64 {
        i64x2_abs = a.wrapping_abs();
        i64x2_neg = a.wrapping_neg();
    }
    (a: u64, b: u64) -> u64 {
        i64x2_add = a.wrapping_add(b);
        i64x2_sub = a.wrapping_sub(b);
        i64x2_mul = a.wrapping_mul(b);
    }
    (a: i32, b: i32) -> i64 {
        i64x2_extmul_low_i32x4_s = i64::from(a) * i64::from(b);
    }
    (a: u32, b: u32) -> u64 {
        i64x2_extmul_low_i32x4_u = u64::from(a) * u64::from(b);
    }
}

/// The product of fractions of 2^15, rounded half up. Only the square of -1 saturates.
fn q15(a: i16, b: i16) -> i16 {
    let rounded = (i32::from(a) * i32::from(b) + 0x4000) >> 15;
    rounded.min(i16::MAX.into()) as i16
}

/// Every lane by the same count.
fn shift<T: Lane>(v: u128, count: u128, by: fn(T, u32) -> T) -> u128 {
    let count = count as u32 % width::<T>();
    map(v, |lane| by(lane, count))
}

/// Each lane of the result is a sum of two neighbours.
fn pairwise<A: Lane, R: Lane>(v: u128, sum: fn(A, A) -> R) -> u128 {
    vector((0..count::<R>()).map(|index| sum(lane(v, 2 * index), lane(v, 2 * index + 1))))
}

whole! {
    i8x16_shl(v, count) = shift(v, count, |lane: u8, n| lane << n);
    i8x16_shr_s(v, count) = shift(v, count, |lane: i8, n| lane >> n);
    i8x16_shr_u(v, count) = shift(v, count, |lane: u8, n| lane >> n);
    i16x8_shl(v, count) = shift(v, count, |lane: u16, n| lane << n);
    i16x8_shr_s(v, count) = shift(v, count, |lane: i16, n| lane >> n);
    i16x8_shr_u(v, count) = shift(v, count, |lane: u16, n| lane >> n);
    i32x4_shl(v, count) = shift(v, count, |lane: u32, n| lane << n);
    i32x4_shr_s(v, count) = shift(v, count, |lane: i32, n| lane >> n);
    i32x4_shr_u(v, count) = shift(v, count, |lane: u32, n| lane >> n);
    i64x2_shl(v, count) = shift(v, count, |lane: u64, n| lane << n);
    i64x2_shr_s(v, count) = shift(v, count, |lane: i64, n| lane >> n);
    i64x2_shr_u(v, count) = shift(v, count, |lane: u64, n| lane >> n);

    i16x8_extmul_high_i8x16_s(a, b) = i16x8_extmul_low_i8x16_s(high(a), high(b));
    i16x8_extmul_high_i8x16_u(a, b) = i16x8_extmul_low_i8x16_u(high(a), high(b));
    i32x4_extmul_high_i16x8_s(a, b) = i32x4_extmul_low_i16x8_s(high(a), high(b));
    i32x4_extmul_high_i16x8_u(a, b) = i32x4_extmul_low_i16x8_u(high(a), high(b));
    i64x2_extmul_high_i32x4_s(a, b) = i64x2_extmul_low_i32x4_s(high(a), high(b));
    i64x2_extmul_high_i32x4_u(a, b) = i64x2_extmul_low_i32x4_u(high(a), high(b));

    i16x8_extadd_pairwise_i8x16_s(v) = pairwise(v, |x: i8, y: i8| i16::from(x) + i16::from(y));
    i16x8_extadd_pairwise_i8x16_u(v) = pairwise(v, |x: u8, y: u8| u16::from(x) + u16::from(y));
    i32x4_extadd_pairwise_i16x8_s(v) = pairwise(v, |x: i16, y: i16| i32::from(x) + i32::from(y));
    i32x4_extadd_pairwise_i16x8_u(v) = pairwise(v, |x: u16, y: u16| u32::from(x) + u32::from(y));
}

/// `i32x4.dot_i16x8_s`: each lane is the sum of the products of two neighbours. It wraps for four times `i16::MIN`.
pub fn i32x4_dot_i16x8_s(a: u128, b: u128) -> u128 {
    let product = |index| i32::from(lane::<i16>(a, index)) * i32::from(lane::<i16>(b, index));
    vector((0..4).map(|index| product(2 * index).wrapping_add(product(2 * index + 1))))
}
