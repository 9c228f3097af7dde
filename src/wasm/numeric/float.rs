//! Owns floating-point arithmetic (spec 4.3.3), IEEE 754 round to nearest, ties to even.
//!
//! Rust's own `+ - * / sqrt` round as IEEE 754 asks; its `min` and `max` leave the order of zeros open, so those are
//! written here.

/// The sign bit of an `f32`.
const F32_SIGN: u32 = 1 << 31;
/// The sign bit of an `f64`.
const F64_SIGN: u64 = 1 << 63;
/// The positive canonical NaN of `f32` (spec 2.2.3).
const F32_NAN: u32 = 0x7fc0_0000;
/// The positive canonical NaN of `f64`.
const F64_NAN: u64 = 0x7ff8_0000_0000_0000;

/// The canonical NaN for any NaN (spec 4.3.3, "NaN Propagation").
///
/// Not inlined: LLVM 22 takes `sqrt` of a NaN to be as good as any NaN that replaces it, and drops the replacement.
#[inline(never)]
pub(super) fn f32_canonical(x: f32) -> f32 {
    if x.is_nan() { f32::from_bits(F32_NAN) } else { x }
}

/// `a` if it is `chosen`, else `b`; canonical NaN if either is NaN, and the float with the bits `if_equal` if both are
/// equal, which matters for zeros of different sign alone.
fn f32_pick(a: f32, b: f32, chosen: bool, if_equal: u32) -> f32 {
    if a.is_nan() || b.is_nan() {
        f32::from_bits(F32_NAN)
    } else if a == b {
        f32::from_bits(if_equal)
    } else if chosen {
        a
    } else {
        b
    }
}

pure! {
    f32_eq(a: f32, b: f32) -> bool { a == b }
    f32_ne(a: f32, b: f32) -> bool { a != b }
    f32_lt(a: f32, b: f32) -> bool { a < b }
    f32_gt(a: f32, b: f32) -> bool { a > b }
    f32_le(a: f32, b: f32) -> bool { a <= b }
    f32_ge(a: f32, b: f32) -> bool { a >= b }

    /// On bits, so that a NaN keeps its payload, as the specification asks.
    f32_abs(a: u32) -> u32 { a & !F32_SIGN }
    /// On bits, as `abs`.
    f32_neg(a: u32) -> u32 { a ^ F32_SIGN }
    /// On bits, as `abs`.
    f32_copysign(a: u32, b: u32) -> u32 { (a & !F32_SIGN) | (b & F32_SIGN) }

    f32_ceil(a: f32) -> f32 { f32_canonical(a.ceil()) }
    f32_floor(a: f32) -> f32 { f32_canonical(a.floor()) }
    f32_trunc(a: f32) -> f32 { f32_canonical(a.trunc()) }
    /// Half way goes to even.
    f32_nearest(a: f32) -> f32 { f32_canonical(a.round_ties_even()) }
    f32_sqrt(a: f32) -> f32 { f32_canonical(a.sqrt()) }

    f32_add(a: f32, b: f32) -> f32 { f32_canonical(a + b) }
    f32_sub(a: f32, b: f32) -> f32 { f32_canonical(a - b) }
    f32_mul(a: f32, b: f32) -> f32 { f32_canonical(a * b) }
    f32_div(a: f32, b: f32) -> f32 { f32_canonical(a / b) }

    /// NaN if either is; `-0` is below `+0`.
    f32_min(a: f32, b: f32) -> f32 { f32_pick(a, b, a < b, a.to_bits() | b.to_bits()) }
    /// NaN if either is; `-0` is below `+0`.
    f32_max(a: f32, b: f32) -> f32 { f32_pick(a, b, a > b, a.to_bits() & b.to_bits()) }
}

/// The canonical NaN for any NaN; not inlined, as [`f32_canonical`].
#[inline(never)]
pub(super) fn f64_canonical(x: f64) -> f64 {
    if x.is_nan() { f64::from_bits(F64_NAN) } else { x }
}

/// `a` if it is `chosen`, else `b`; canonical NaN if either is NaN, and the float with the bits `if_equal` if both are
/// equal, which matters for zeros of different sign alone.
fn f64_pick(a: f64, b: f64, chosen: bool, if_equal: u64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::from_bits(F64_NAN)
    } else if a == b {
        f64::from_bits(if_equal)
    } else if chosen {
        a
    } else {
        b
    }
}

pure! {
    f64_eq(a: f64, b: f64) -> bool { a == b }
    f64_ne(a: f64, b: f64) -> bool { a != b }
    f64_lt(a: f64, b: f64) -> bool { a < b }
    f64_gt(a: f64, b: f64) -> bool { a > b }
    f64_le(a: f64, b: f64) -> bool { a <= b }
    f64_ge(a: f64, b: f64) -> bool { a >= b }

    /// On bits, so that a NaN keeps its payload, as the specification asks.
    f64_abs(a: u64) -> u64 { a & !F64_SIGN }
    /// On bits, as `abs`.
    f64_neg(a: u64) -> u64 { a ^ F64_SIGN }
    /// On bits, as `abs`.
    f64_copysign(a: u64, b: u64) -> u64 { (a & !F64_SIGN) | (b & F64_SIGN) }

    f64_ceil(a: f64) -> f64 { f64_canonical(a.ceil()) }
    f64_floor(a: f64) -> f64 { f64_canonical(a.floor()) }
    f64_trunc(a: f64) -> f64 { f64_canonical(a.trunc()) }
    /// Half way goes to even.
    f64_nearest(a: f64) -> f64 { f64_canonical(a.round_ties_even()) }
    f64_sqrt(a: f64) -> f64 { f64_canonical(a.sqrt()) }

    f64_add(a: f64, b: f64) -> f64 { f64_canonical(a + b) }
    f64_sub(a: f64, b: f64) -> f64 { f64_canonical(a - b) }
    f64_mul(a: f64, b: f64) -> f64 { f64_canonical(a * b) }
    f64_div(a: f64, b: f64) -> f64 { f64_canonical(a / b) }

    /// NaN if either is; `-0` is below `+0`.
    f64_min(a: f64, b: f64) -> f64 { f64_pick(a, b, a < b, a.to_bits() | b.to_bits()) }
    /// NaN if either is; `-0` is below `+0`.
    f64_max(a: f64, b: f64) -> f64 { f64_pick(a, b, a > b, a.to_bits() & b.to_bits()) }
}
