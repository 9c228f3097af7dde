//! Values computed by hand, for what a lane-wise reading of the scalar instruction would get wrong. Everything else is
//! held against wasmtime by `tests/it/numeric`.

use super::*;

/// A vector of some lanes from the low end; zeros above.
fn v<T: Lane>(lanes: impl IntoIterator<Item = T>) -> u128 {
    vector(lanes.into_iter())
}

#[track_caller]
fn same(cases: &[(u128, u128)]) {
    for (index, (ours, expected)) in cases.iter().enumerate() {
        assert_eq!(ours, expected, "case {index}: {ours:032x}, not {expected:032x}");
    }
}

/// Bytes 0, 1, 2, ... 15: as in memory, the first is lowest.
const COUNT: u128 = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100;

#[test]
fn lanes_count_from_the_low_end() {
    same(&[
        (i8x16_extract_lane_u(COUNT, 3), 3),
        (i16x8_extract_lane_u(COUNT, 7), 0x0f0e),
        (i64x2_extract_lane(COUNT, 1), 0x0f0e_0d0c_0b0a_0908),
        // An i32 is zero-extended whatever its sign.
        (i8x16_extract_lane_s(0x80 << 8, 1), 0xffff_ff80),
        (i16x8_extract_lane_s(0xfffe, 0), 0xffff_fffe),
        (i8x16_replace_lane(COUNT, 0xffff_ff77, 15), COUNT & (u128::MAX >> 8) | 0x77 << 120),
        (f64x2_replace_lane(COUNT, 0, 0), COUNT >> 64 << 64),
        (i16x8_splat(0x1234_5678), v([0x5678u16; 8])),
    ]);
}

#[test]
fn bytes_are_chosen_by_index() {
    let b = COUNT | 0x1010_1010_1010_1010_1010_1010_1010_1010;
    same(&[
        (i8x16_swizzle(b, v([15u8, 0, 16, 255, 128])), v([0x1fu8, 0x10, 0, 0, 0].into_iter().chain([0x10; 11]))),
        (i8x16_shuffle(COUNT, b, COUNT), COUNT),
        (i8x16_shuffle(COUNT, b, b), b),
        (i8x16_shuffle(COUNT, b, v([31u8, 0, 16, 15])), v([0x1fu8, 0, 0x10, 0x0f])),
        (v128_bitselect(0b1100, 0b1010, 0b0110), 0b1100),
        (v128_andnot(0b1100, 0b1010), 0b0100),
    ]);
}

#[test]
fn tests_are_of_the_shape() {
    let one_lane = v([0u8, 0, 0, 1]);
    same(&[
        (v128_any_true(one_lane), 1),
        (v128_any_true(0), 0),
        (i32x4_all_true(v([1u32 << 31, 1, 2, 3])), 1),
        (i32x4_all_true(one_lane), 0),
        (i8x16_all_true(u128::MAX >> 1), 1),
        (i16x8_all_true(u128::MAX << 16), 0),
        (i8x16_bitmask(v([0x80u8, 0x7f, 0xff])), 0b101),
        (i64x2_bitmask(1 << 127), 0b10),
    ]);
}

#[test]
fn results_saturate_or_wrap() {
    same(&[
        (i8x16_add_sat_s(v([100i8, -100]), v([100i8, -100])), v([127i8, -128])),
        (i8x16_sub_sat_u(v([1u8, 200]), v([2u8, 100])), v([0u8, 100])),
        (i8x16_abs(v([-128i8, -1])), v([-128i8, 1])),
        (i8x16_avgr_u(v([255u8, 1, 0]), v([255u8, 2, 1])), v([255u8, 2, 1])),
        (i16x8_q15mulr_sat_s(v([i16::MIN, 0x4000, -1]), v([i16::MIN, 0x4000, 0x4000])), v([i16::MAX, 0x2000, 0])),
        (i32x4_dot_i16x8_s(v([i16::MIN; 2]), v([i16::MIN; 2])), v([i32::MIN])),
        (i32x4_dot_i16x8_s(v([1i16, 2, -3, 4]), v([5i16, 6, 7, 8])), v([17i32, 11])),
        (i16x8_extadd_pairwise_i8x16_s(v([-1i8, -2, 127, 127])), v([-3i16, 254])),
        (i16x8_extadd_pairwise_i8x16_u(v([255u8, 255])), v([510u16])),
        (i64x2_extmul_high_i32x4_s(v([0, 0, i32::MIN, 3]), v([9, 9, i32::MIN, -2])), v([1i64 << 62, -6])),
        (i16x8_extmul_low_i8x16_u(v([255u8]), v([255u8])), v([65_025u16])),
        // A count of 9 is 1 in a byte.
        (i8x16_shl(v([0x81u8, 1]), 9), v([2u8, 2])),
        (i16x8_shr_s(v([-4i16, 4]), 17), v([-2i16, 2])),
    ]);
}

#[test]
fn narrowing_reads_signed_lanes() {
    let (a, b) = (v([-1i16, 300, -300]), v([7i16]));
    let behind = |lanes: [i16; 3]| lanes.map(|lane| lane as u8).into_iter().chain([0; 5]).chain([7]);
    same(&[
        (i8x16_narrow_i16x8_s(a, b), v(behind([-1, 127, -128]))),
        (i8x16_narrow_i16x8_u(a, b), v(behind([0, 255, 0]))),
        (i16x8_narrow_i32x4_u(v([-1i32, 70_000, 5]), 0), v([0u16, 65_535, 5])),
        (i32x4_extend_high_i16x8_s(v([1i16, 1, 1, 1, -2, 3])), v([-2i32, 3])),
        (i64x2_extend_low_i32x4_u(v([-1i32, 2, 9, 9])), v([0xffff_ffffu64, 2])),
    ]);
}

#[test]
fn nans_are_canonical_where_the_specification_leaves_them_open() {
    let (nan, signalling, payload) = (0x7fc0_0000u32, 0xff80_0001u32, 0xffc1_2345u32);
    let nans = v([signalling, payload]);
    let one = f32x4_splat(1.0f32.to_bits().into());
    let zero: u32 = 0;
    let minus_zero = 1u32 << 31;
    same(&[
        (f32x4_add(nans, nans), v([nan, nan])),
        (f32x4_nearest(nans), v([nan, nan])),
        (f64x2_promote_low_f32x4(nans), v([0x7ff8_0000_0000_0000u64; 2])),
        (f32x4_demote_f64x2_zero(v([0xfff0_0000_0000_0001u64, 1])), v([nan, 0])),
        // Signs and choices move bits.
        (f32x4_neg(nans), v([0x7f80_0001u32, 0x7fc1_2345, minus_zero, minus_zero])),
        (f32x4_abs(nans), v([0x7f80_0001u32, 0x7fc1_2345])),
        (f32x4_pmin(nans, one) << 64, nans << 64),
        (f32x4_pmax(one, nans) << 64, one << 64),
        (f32x4_pmin(v([zero, minus_zero]), v([minus_zero, zero])), v([zero, minus_zero])),
        (f32x4_min(v([zero, minus_zero]), v([minus_zero, zero])), v([minus_zero, minus_zero])),
        // A NaN is unequal to itself.
        (f32x4_eq(nans, nans) << 64, 0),
        (f32x4_ne(nans, nans) << 64, u128::MAX << 64),
        (i32x4_trunc_sat_f64x2_s_zero(v([f64::NAN, -1e10])), v([0, i32::MIN])),
        (i32x4_trunc_sat_f32x4_u(v([-1.5f32, 1e10, 2.9])), v([0u32, u32::MAX, 2])),
        (f64x2_convert_low_i32x4_u(v([-1i32, 1, 9, 9])), v([4_294_967_295.0, 1.0])),
    ]);
}
