//! Owns floating-point arithmetic of vectors: what the instructions on numbers do, in every lane.

use super::{binary, unary};
use crate::wasm::numeric::{
    f32_abs, f32_add, f32_ceil, f32_div, f32_floor, f32_max, f32_min, f32_mul, f32_nearest, f32_neg, f32_sqrt, f32_sub,
    f32_trunc, f64_abs, f64_add, f64_ceil, f64_div, f64_floor, f64_max, f64_min, f64_mul, f64_nearest, f64_neg,
    f64_sqrt, f64_sub, f64_trunc,
};

// `pmin` and `pmax` (spec 4.3.3) are a comparison and a choice: a NaN or a zero of either sign is passed on as it is.
lanes! {
    (a: f32) -> f32 {
        f32x4_abs = unary(f32_abs, a);
        f32x4_neg = unary(f32_neg, a);
        f32x4_sqrt = unary(f32_sqrt, a);
        f32x4_ceil = unary(f32_ceil, a);
        f32x4_floor = unary(f32_floor, a);
        f32x4_trunc = unary(f32_trunc, a);
        f32x4_nearest = unary(f32_nearest, a);
    }
    (a: f32, b: f32) -> f32 {
        f32x4_add = binary(f32_add, a, b);
        f32x4_sub = binary(f32_sub, a, b);
        f32x4_mul = binary(f32_mul, a, b);
        f32x4_div = binary(f32_div, a, b);
        f32x4_min = binary(f32_min, a, b);
        f32x4_max = binary(f32_max, a, b);
        f32x4_pmin = if b < a { b } else { a };
        f32x4_pmax = if a < b { b } else { a };
    }
    (a: f64) -> f64 {
        f64x2_abs = unary(f64_abs, a);
        f64x2_neg = unary(f64_neg, a);
        f64x2_sqrt = unary(f64_sqrt, a);
        f64x2_ceil = unary(f64_ceil, a);
        f64x2_floor = unary(f64_floor, a);
        f64x2_trunc = unary(f64_trunc, a);
        f64x2_nearest = unary(f64_nearest, a);
    }
    (a: f64, b: f64) -> f64 {
        f64x2_add = binary(f64_add, a, b);
        f64x2_sub = binary(f64_sub, a, b);
        f64x2_mul = binary(f64_mul, a, b);
        f64x2_div = binary(f64_div, a, b);
        f64x2_min = binary(f64_min, a, b);
        f64x2_max = binary(f64_max, a, b);
        f64x2_pmin = if b < a { b } else { a };
        f64x2_pmax = if a < b { b } else { a };
    }
}
