//! Owns integer arithmetic (spec 4.3.2): a signed operand type means the instruction reads two's complement.
//!
//! Shift and rotate counts are taken modulo the width.

use super::Trap;

pure! {
    i32_eqz(a: u32) -> bool { a == 0 }
    i32_eq(a: u32, b: u32) -> bool { a == b }
    i32_ne(a: u32, b: u32) -> bool { a != b }
    i32_lt_s(a: i32, b: i32) -> bool { a < b }
    i32_lt_u(a: u32, b: u32) -> bool { a < b }
    i32_gt_s(a: i32, b: i32) -> bool { a > b }
    i32_gt_u(a: u32, b: u32) -> bool { a > b }
    i32_le_s(a: i32, b: i32) -> bool { a <= b }
    i32_le_u(a: u32, b: u32) -> bool { a <= b }
    i32_ge_s(a: i32, b: i32) -> bool { a >= b }
    i32_ge_u(a: u32, b: u32) -> bool { a >= b }

    i32_clz(a: u32) -> u32 { a.leading_zeros() }
    i32_ctz(a: u32) -> u32 { a.trailing_zeros() }
    i32_popcnt(a: u32) -> u32 { a.count_ones() }

    i32_add(a: u32, b: u32) -> u32 { a.wrapping_add(b) }
    i32_sub(a: u32, b: u32) -> u32 { a.wrapping_sub(b) }
    i32_mul(a: u32, b: u32) -> u32 { a.wrapping_mul(b) }

    i32_and(a: u32, b: u32) -> u32 { a & b }
    i32_or(a: u32, b: u32) -> u32 { a | b }
    i32_xor(a: u32, b: u32) -> u32 { a ^ b }

    i32_shl(a: u32, b: u32) -> u32 { a << (b % 32) }
    i32_shr_s(a: i32, b: u32) -> i32 { a >> (b % 32) }
    i32_shr_u(a: u32, b: u32) -> u32 { a >> (b % 32) }
    i32_rotl(a: u32, b: u32) -> u32 { a.rotate_left(b % 32) }
    i32_rotr(a: u32, b: u32) -> u32 { a.rotate_right(b % 32) }

    i32_extend8_s(a: u32) -> i32 { i32::from(a as i8) }
    i32_extend16_s(a: u32) -> i32 { i32::from(a as i16) }
}

partial! {
    i32_div_s(a: i32, b: i32) -> i32 {
        if b == 0 { Err(Trap::IntegerDivideByZero) } else { a.checked_div(b).ok_or(Trap::IntegerOverflow) }
    }
    i32_div_u(a: u32, b: u32) -> u32 { a.checked_div(b).ok_or(Trap::IntegerDivideByZero) }
    /// `MIN % -1` is zero, not a trap.
    i32_rem_s(a: i32, b: i32) -> i32 {
        if b == 0 { Err(Trap::IntegerDivideByZero) } else { Ok(a.wrapping_rem(b)) }
    }
    i32_rem_u(a: u32, b: u32) -> u32 { a.checked_rem(b).ok_or(Trap::IntegerDivideByZero) }
}

pure! {
    i64_eqz(a: u64) -> bool { a == 0 }
    i64_eq(a: u64, b: u64) -> bool { a == b }
    i64_ne(a: u64, b: u64) -> bool { a != b }
    i64_lt_s(a: i64, b: i64) -> bool { a < b }
    i64_lt_u(a: u64, b: u64) -> bool { a < b }
    i64_gt_s(a: i64, b: i64) -> bool { a > b }
    i64_gt_u(a: u64, b: u64) -> bool { a > b }
    i64_le_s(a: i64, b: i64) -> bool { a <= b }
    i64_le_u(a: u64, b: u64) -> bool { a <= b }
    i64_ge_s(a: i64, b: i64) -> bool { a >= b }
    i64_ge_u(a: u64, b: u64) -> bool { a >= b }

    i64_clz(a: u64) -> u64 { u64::from(a.leading_zeros()) }
    i64_ctz(a: u64) -> u64 { u64::from(a.trailing_zeros()) }
    i64_popcnt(a: u64) -> u64 { u64::from(a.count_ones()) }

    i64_add(a: u64, b: u64) -> u64 { a.wrapping_add(b) }
    i64_sub(a: u64, b: u64) -> u64 { a.wrapping_sub(b) }
    i64_mul(a: u64, b: u64) -> u64 { a.wrapping_mul(b) }

    i64_and(a: u64, b: u64) -> u64 { a & b }
    i64_or(a: u64, b: u64) -> u64 { a | b }
    i64_xor(a: u64, b: u64) -> u64 { a ^ b }

    i64_shl(a: u64, b: u64) -> u64 { a << (b % 64) }
    i64_shr_s(a: i64, b: u64) -> i64 { a >> (b % 64) }
    i64_shr_u(a: u64, b: u64) -> u64 { a >> (b % 64) }
    i64_rotl(a: u64, b: u64) -> u64 { a.rotate_left((b % 64) as u32) }
    i64_rotr(a: u64, b: u64) -> u64 { a.rotate_right((b % 64) as u32) }

    i64_extend8_s(a: u64) -> i64 { i64::from(a as i8) }
    i64_extend16_s(a: u64) -> i64 { i64::from(a as i16) }
    i64_extend32_s(a: u64) -> i64 { i64::from(a as i32) }
}

partial! {
    i64_div_s(a: i64, b: i64) -> i64 {
        if b == 0 { Err(Trap::IntegerDivideByZero) } else { a.checked_div(b).ok_or(Trap::IntegerOverflow) }
    }
    i64_div_u(a: u64, b: u64) -> u64 { a.checked_div(b).ok_or(Trap::IntegerDivideByZero) }
    /// `MIN % -1` is zero, not a trap.
    i64_rem_s(a: i64, b: i64) -> i64 {
        if b == 0 { Err(Trap::IntegerDivideByZero) } else { Ok(a.wrapping_rem(b)) }
    }
    i64_rem_u(a: u64, b: u64) -> u64 { a.checked_rem(b).ok_or(Trap::IntegerDivideByZero) }
}
