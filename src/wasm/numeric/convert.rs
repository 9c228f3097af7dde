//! Owns conversions between the number types (spec 4.3.4).
//!
//! Rust's `as` is what the specification asks: from an integer it rounds once, to nearest, ties to even; from a float
//! it truncates and saturates, with zero for NaN.

use super::Trap;
use super::float::{f32_canonical, f64_canonical};

/// 2^31: the first integer past `i32`.
const TWO_31: f64 = 2_147_483_648.0;
/// 2^32: the first integer past `u32`.
const TWO_32: f64 = 4_294_967_296.0;
/// 2^63: the first integer past `i64`.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
/// 2^64: the first integer past `u64`.
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

/// `x`, if its integer part is in `low..end`. Every `f32` is an `f64`, so one width serves both. Where `low - 1` is no
/// `f64`, there is none between it and `low` either.
fn truncate(x: f64, low: f64, end: f64) -> Result<f64, Trap> {
    if x.is_nan() {
        Err(Trap::InvalidConversionToInteger)
    } else if (x >= low || x > low - 1.0) && x < end {
        Ok(x)
    } else {
        Err(Trap::IntegerOverflow)
    }
}

pure! {
    i32_wrap_i64(a: u64) -> u32 { a as u32 }
    i64_extend_i32_s(a: i32) -> i64 { i64::from(a) }
    i64_extend_i32_u(a: u32) -> u64 { u64::from(a) }

    f32_convert_i32_s(a: i32) -> f32 { a as f32 }
    f32_convert_i32_u(a: u32) -> f32 { a as f32 }
    f32_convert_i64_s(a: i64) -> f32 { a as f32 }
    f32_convert_i64_u(a: u64) -> f32 { a as f32 }
    f64_convert_i32_s(a: i32) -> f64 { f64::from(a) }
    f64_convert_i32_u(a: u32) -> f64 { f64::from(a) }
    f64_convert_i64_s(a: i64) -> f64 { a as f64 }
    f64_convert_i64_u(a: u64) -> f64 { a as f64 }

    f32_demote_f64(a: f64) -> f32 { f32_canonical(a as f32) }
    f64_promote_f32(a: f32) -> f64 { f64_canonical(f64::from(a)) }

    i32_reinterpret_f32(a: u32) -> u32 { a }
    i64_reinterpret_f64(a: u64) -> u64 { a }
    f32_reinterpret_i32(a: u32) -> u32 { a }
    f64_reinterpret_i64(a: u64) -> u64 { a }

    i32_trunc_sat_f32_s(a: f32) -> i32 { a as i32 }
    i32_trunc_sat_f32_u(a: f32) -> u32 { a as u32 }
    i32_trunc_sat_f64_s(a: f64) -> i32 { a as i32 }
    i32_trunc_sat_f64_u(a: f64) -> u32 { a as u32 }
    i64_trunc_sat_f32_s(a: f32) -> i64 { a as i64 }
    i64_trunc_sat_f32_u(a: f32) -> u64 { a as u64 }
    i64_trunc_sat_f64_s(a: f64) -> i64 { a as i64 }
    i64_trunc_sat_f64_u(a: f64) -> u64 { a as u64 }
}

partial! {
    i32_trunc_f32_s(a: f32) -> i32 { Ok(truncate(f64::from(a), -TWO_31, TWO_31)? as i32) }
    i32_trunc_f32_u(a: f32) -> u32 { Ok(truncate(f64::from(a), 0.0, TWO_32)? as u32) }
    i32_trunc_f64_s(a: f64) -> i32 { Ok(truncate(a, -TWO_31, TWO_31)? as i32) }
    i32_trunc_f64_u(a: f64) -> u32 { Ok(truncate(a, 0.0, TWO_32)? as u32) }
    i64_trunc_f32_s(a: f32) -> i64 { Ok(truncate(f64::from(a), -TWO_63, TWO_63)? as i64) }
    i64_trunc_f32_u(a: f32) -> u64 { Ok(truncate(f64::from(a), 0.0, TWO_64)? as u64) }
    i64_trunc_f64_s(a: f64) -> i64 { Ok(truncate(a, -TWO_63, TWO_63)? as i64) }
    i64_trunc_f64_u(a: f64) -> u64 { Ok(truncate(a, 0.0, TWO_64)? as u64) }
}
