//! Owns conversions between the shapes of vectors.
//!
//! The loads that extend what they read are the `extend_low` of the same shapes: they find eight bytes in the low half.

use super::{high, lanes, unary, vector};
use crate::wasm::numeric;
use crate::wasm::numeric::Lane;

lanes! {
    (a: i8) -> i16 { i16x8_extend_low_i8x16_s = a.into(); }
    (a: u8) -> u16 { i16x8_extend_low_i8x16_u = a.into(); }
    (a: i16) -> i32 { i32x4_extend_low_i16x8_s = a.into(); }
    (a: u16) -> u32 { i32x4_extend_low_i16x8_u = a.into(); }
    (a: i32) -> i64 { i64x2_extend_low_i32x4_s = a.into(); }
    (a: u32) -> u64 { i64x2_extend_low_i32x4_u = a.into(); }

    (a: f32) -> i32 { i32x4_trunc_sat_f32x4_s = unary(numeric::i32_trunc_sat_f32_s, a); }
    (a: f32) -> u32 { i32x4_trunc_sat_f32x4_u = unary(numeric::i32_trunc_sat_f32_u, a); }
    (a: f64) -> i32 { i32x4_trunc_sat_f64x2_s_zero = unary(numeric::i32_trunc_sat_f64_s, a); }
    (a: f64) -> u32 { i32x4_trunc_sat_f64x2_u_zero = unary(numeric::i32_trunc_sat_f64_u, a); }

    (a: i32) -> f32 { f32x4_convert_i32x4_s = unary(numeric::f32_convert_i32_s, a); }
    (a: u32) -> f32 { f32x4_convert_i32x4_u = unary(numeric::f32_convert_i32_u, a); }
    (a: i32) -> f64 { f64x2_convert_low_i32x4_s = unary(numeric::f64_convert_i32_s, a); }
    (a: u32) -> f64 { f64x2_convert_low_i32x4_u = unary(numeric::f64_convert_i32_u, a); }

    (a: f64) -> f32 { f32x4_demote_f64x2_zero = unary(numeric::f32_demote_f64, a); }
    (a: f32) -> f64 { f64x2_promote_low_f32x4 = unary(numeric::f64_promote_f32, a); }
}

/// The lanes of `a`, then those of `b`, each made narrower.
fn narrow<A: Lane, R: Lane>(a: u128, b: u128, saturate: fn(A) -> R) -> u128 {
    vector(lanes(a).chain(lanes(b)).map(saturate))
}

whole! {
    i16x8_extend_high_i8x16_s(v) = i16x8_extend_low_i8x16_s(high(v));
    i16x8_extend_high_i8x16_u(v) = i16x8_extend_low_i8x16_u(high(v));
    i32x4_extend_high_i16x8_s(v) = i32x4_extend_low_i16x8_s(high(v));
    i32x4_extend_high_i16x8_u(v) = i32x4_extend_low_i16x8_u(high(v));
    i64x2_extend_high_i32x4_s(v) = i64x2_extend_low_i32x4_s(high(v));
    i64x2_extend_high_i32x4_u(v) = i64x2_extend_low_i32x4_u(high(v));

    i8x16_narrow_i16x8_s(a, b) = narrow(a, b, |x: i16| x.clamp(i8::MIN.into(), i8::MAX.into()) as i8);
    /// The wide lanes are signed here too.
    i8x16_narrow_i16x8_u(a, b) = narrow(a, b, |x: i16| x.clamp(0, u8::MAX.into()) as u8);
    i16x8_narrow_i32x4_s(a, b) = narrow(a, b, |x: i32| x.clamp(i16::MIN.into(), i16::MAX.into()) as i16);
    /// The wide lanes are signed here too.
    i16x8_narrow_i32x4_u(a, b) = narrow(a, b, |x: i32| x.clamp(0, u16::MAX.into()) as u16);
}
