//! Owns reading a number, a vector or a reference as a value of one type, without losing a bit on the way.
//!
//! Must not know JSON. Integers go through exact decimal arithmetic, never through a float; floats are rounded once,
//! straight to their own type (`0.1` as `f32` is not `0.1` as `f64` rounded again).

use crate::wasm::types::{Bits, FUNC_PREFIX, ValType, Value};

/// Whether the text is a number of any kind.
pub(super) fn is_number(text: &str) -> bool {
    parse(ValType::F64, text).is_some() || integer(&clean(text)).is_some()
}

/// Whether the text says this whole number.
pub(super) fn is(text: &str, number: u64) -> bool {
    integer(&clean(text)) == Some(number.into())
}

/// Reads `text` as a value of this type: integers signed or unsigned, hex, or a decimal that happens to be whole;
/// floats in decimal or hex, `nan` with any sign and payload, `inf`. `None` if it is no number of the type.
pub(super) fn parse(ty: ValType, text: &str) -> Option<Value> {
    let text = clean(text);
    match ty {
        ValType::I32 => {
            let n = integer(&text)?;
            (-(1 << 31)..1 << 32).contains(&n).then(|| Value::i32(n as i32))
        }
        ValType::I64 => {
            let n = integer(&text)?;
            (-(1 << 63)..1 << 64).contains(&n).then(|| Value::i64(n as i64))
        }
        ValType::F32 => match special(&text).or_else(|| hex_float(&text)) {
            Some(x) => Some(Value::f32(x as f32)),
            None => decimal(&text).and_then(|text| text.parse().ok()).map(Value::f32),
        },
        ValType::F64 => match special(&text).or_else(|| hex_float(&text)) {
            Some(x) => Some(Value::f64(x)),
            None => decimal(&text).and_then(|text| text.parse().ok()).map(Value::f64),
        },
        ValType::V128 => vector(&text),
        ValType::FuncRef | ValType::ExternRef => reference(ty, &text),
    }
}

/// The lanes of a vector, lane 0 first, with spaces or commas between them: four of 32 bits, unless a shape of integers
/// stands before them as in `v128.const i64x2 1 2`.
fn vector(text: &str) -> Option<Value> {
    let mut words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let lanes = match words.first().copied() {
        Some("i8x16") => 16,
        Some("i16x8") => 8,
        Some("i32x4") => 4,
        Some("i64x2") => 2,
        _ => 0,
    };
    if lanes > 0 {
        words.remove(0);
    }
    let lanes = if lanes == 0 { 4 } else { lanes };
    if words.len() != lanes {
        return None;
    }
    let width = Bits::BITS / lanes as u32;
    let lane = |word: &&str| {
        let n = integer(word)?;
        (-(1_i128 << (width - 1))..1 << width).contains(&n).then_some(n as Bits & (Bits::MAX >> (Bits::BITS - width)))
    };
    let bits = words.iter().rev().map(lane).try_fold(0, |bits: Bits, lane| Some(bits << width | lane?))?;
    Some(Value::new(ValType::V128, bits))
}

/// `Null`, or the number of a function: `$f3`, `ref.func 3`.
fn reference(ty: ValType, text: &str) -> Option<Value> {
    if text == "null" || text.starts_with("ref.null") {
        return Some(Value::zero(ty));
    }
    let number = text.strip_prefix("ref.func").map_or(text, str::trim);
    let number = number.strip_prefix(FUNC_PREFIX).or_else(|| number.strip_prefix('$')).unwrap_or(number);
    let named = number.len() < text.len() && ty == ValType::FuncRef;
    let index: u32 = number.parse().ok().filter(|_| named)?;
    Some(Value::new(ty, 1 + Bits::from(index)))
}

/// Lower case, without digit separators and with the ASCII minus.
fn clean(text: &str) -> String {
    let kept = text.trim().chars().filter(|&c| c != '_');
    // Hyphens and dashes stand where a minus is meant: no number has any of them for something else.
    let is_minus = |c| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}');
    kept.map(|c| if is_minus(c) { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

fn special(text: &str) -> Option<f64> {
    let (negative, rest) = sign(text);
    let magnitude = match rest {
        "inf" | "infinity" | "\u{221e}" => f64::INFINITY,
        "nan" => f64::NAN,
        _ if rest.starts_with("nan:") || rest.starts_with("nan(") => f64::NAN,
        _ => return None,
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// The text, if it is a decimal that Rust's parser (correctly rounding) may be given.
fn decimal(text: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | '-' | '+');
    text.chars().all(plain).then_some(text)
}

/// Most digits of an integer that is read; 2^64 has 20.
const MAX_DIGITS: usize = 30;

/// An integer in hex or decimal; `1e3` and `10.0` are integers too.
fn integer(text: &str) -> Option<i128> {
    let (negative, rest) = sign(text);
    let magnitude = match rest.strip_prefix("0x") {
        Some(hex) if !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            let hex = hex.trim_start_matches('0');
            if hex.len() > 24 {
                return None;
            }
            if hex.is_empty() { 0 } else { i128::from_str_radix(hex, 16).ok()? }
        }
        Some(_) => return None,
        None => whole(rest)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// An unsigned decimal with a fraction and an exponent, if its value is whole and of at most [`MAX_DIGITS`] digits.
fn whole(text: &str) -> Option<i128> {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{after}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (negative, exponent) = sign(exponent);
    if exponent.is_empty() || !exponent.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    let leading = significant.trim_start_matches('0');
    if leading.is_empty() {
        return Some(0);
    }
    let exponent: i64 = exponent.parse().ok().filter(|&e| e < 1 << 40)?;
    let shift = if negative { -exponent } else { exponent } + before.len() as i64 - significant.len() as i64;
    let shift = usize::try_from(shift).ok().filter(|shift| leading.len() + shift <= MAX_DIGITS)?;
    Some(leading.parse::<i128>().ok()? * 10_i128.pow(shift as u32))
}

/// A hex float of the text format (`0x1.8p+1`), if a `f64` holds it exactly.
fn hex_float(text: &str) -> Option<f64> {
    let (negative, rest) = sign(text);
    let (mantissa, exponent) = rest.strip_prefix("0x")?.split_once('p').unwrap_or((&rest[2..], "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{after}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let mantissa = if digits.is_empty() { 0 } else { u64::from_str_radix(digits, 16).ok()? };
    let exponent = exponent.parse::<i32>().ok().filter(|e| e.abs() < 4096)? - 4 * i32::try_from(after.len()).ok()?;
    if mantissa >= 1 << 53 {
        return None;
    }
    // Two steps, since 2^-1074 is not a normal number; the first is exact for every exponent of a finite result.
    let half = exponent / 2;
    let magnitude = mantissa as f64 * 2_f64.powi(half) * 2_f64.powi(exponent - half);
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValType::{F32, F64, I32, I64};

    #[test]
    fn integers_keep_every_bit() {
        let cases = [
            (I32, "-1", Some(Value::i32(-1))),
            (I32, "4294967295", Some(Value::i32(-1))),
            (I32, "0xFFFF_FFFF", Some(Value::i32(-1))),
            (I32, "-0x80000000", Some(Value::i32(i32::MIN))),
            (I32, " +7 ", Some(Value::i32(7))),
            (I32, "10.0", Some(Value::i32(10))),
            (I32, "1.5e1", Some(Value::i32(15))),
            (I32, "2e3", Some(Value::i32(2000))),
            (I32, "1200e-2", Some(Value::i32(12))),
            (I32, "0.0e99", Some(Value::i32(0))),
            (I32, "\u{2212}5", Some(Value::i32(-5))),
            (I32, "\u{2011}5", Some(Value::i32(-5))),
            (I32, "\u{2013}\u{2013}5", None),
            (I32, "4294967296", None),
            (I32, "-2147483649", None),
            (I32, "1.5", None),
            (I32, "1e-1", None),
            (I32, "1e999999999999", None),
            (I32, "", None),
            (I32, "-", None),
            (I32, "0x", None),
            (I32, "e5", None),
            (I32, ".", None),
            (I64, "9007199254740993", Some(Value::i64(9_007_199_254_740_993))),
            (I64, "18446744073709551615", Some(Value::i64(-1))),
            (I64, "-9223372036854775808", Some(Value::i64(i64::MIN))),
            (I64, "9.223372036854775807e18", Some(Value::i64(i64::MAX))),
            (I64, "0x8000000000000000", Some(Value::i64(i64::MIN))),
            (I64, "18446744073709551616", None),
            (I64, "-9223372036854775809", None),
        ];
        for (ty, text, expected) in cases {
            assert_eq!(parse(ty, text), expected, "{ty} {text}");
        }
    }

    #[test]
    fn floats_round_once() {
        let cases = [
            (F32, "0.1", Value::f32(0.1)),
            // Halfway between two f32 only after a rounding to f64.
            (F32, "1.00000005960464477540", Value::f32(1.000_000_1)),
            (F32, "16777217", Value::f32(16_777_216.0)),
            (F32, "1e40", Value::f32(f32::INFINITY)),
            (F32, "-0", Value::f32(-0.0)),
            (F32, "-.5", Value::f32(-0.5)),
            (F32, "0x1.8p+1", Value::f32(3.0)),
            (F64, "-Infinity", Value::f64(f64::NEG_INFINITY)),
            (F64, "+inf", Value::f64(f64::INFINITY)),
            (F64, "0x1p-1074", Value::f64(f64::from_bits(1))),
            (F64, "-0x0p0", Value::f64(-0.0)),
            (F64, "0x1.fffffffffffffp1023", Value::f64(f64::MAX)),
            (F64, "0x10", Value::f64(16.0)),
            (F64, "5e-324", Value::f64(f64::from_bits(1))),
        ];
        for (ty, text, expected) in cases {
            assert_eq!(parse(ty, text), Some(expected), "{ty} {text}");
        }
        for text in ["nan", "-NaN", "nan:0x400000", "nan:canonical"] {
            assert!(parse(F32, text).is_some_and(Value::is_nan), "{text}");
        }
        for text in ["", "one", "1.2.3", "0x", "1e", "infinit", "nano", "1 2", "0x1p99999"] {
            assert_eq!(parse(F64, text), None, "{text}");
        }
    }

    #[test]
    fn what_values_print_reads_back() {
        let mut rng = crate::seed::Seed::new(5).rng();
        for _ in 0..20_000 {
            for ty in ValType::NUMBERS {
                let mask = if matches!(ty, I32 | F32) { u64::from(u32::MAX) } else { u64::MAX };
                let value = Value::new(ty, u128::from(rng.bits() & mask));
                assert!(parse(ty, &value.text()).is_some_and(|read| read.same(value)), "{value}");
                assert!(is_number(&value.text()), "{value}");
            }
            let vector = Value::new(ValType::V128, u128::from(rng.bits()) << 64 | u128::from(rng.bits()));
            assert_eq!(parse(ValType::V128, &vector.text()), Some(vector));
        }
        for value in [Value::zero(ValType::FuncRef), Value::new(ValType::FuncRef, 12), Value::zero(ValType::ExternRef)]
        {
            assert_eq!(parse(value.ty, &value.text()), Some(value));
        }
    }

    #[test]
    fn vectors_and_references_are_read_in_the_forms_of_the_text_format() {
        let lanes = |text| parse(ValType::V128, text).map(|value| value.bits);
        assert_eq!(lanes("1 -1 0x10 4294967295"), Some(0xffff_ffff_0000_0010_ffff_ffff_0000_0001));
        assert_eq!(lanes("i64x2 1 -1"), Some(0xffff_ffff_ffff_ffff_0000_0000_0000_0001));
        assert_eq!(lanes("I16x8 1, 2, 3, 4, 5, 6, 7, -8"), Some(0xfff8_0007_0006_0005_0004_0003_0002_0001));
        for wrong in ["1 2 3", "1 2 3 4 5", "1 2 3 4294967296", "i8x16 1 2 3 4", "f32x4 1 2 3 4", "", "7"] {
            assert_eq!(lanes(wrong), None, "{wrong}");
        }
        let func = |text| parse(ValType::FuncRef, text).map(|value| value.bits);
        assert_eq!(
            [func("null"), func("ref.null func"), func("$f3"), func("ref.func 3")],
            [Some(0), Some(0), Some(4), Some(4)]
        );
        assert_eq!([func("3"), func("$g"), func("f"), func("")], [None; 4]);
        assert_eq!(parse(ValType::ExternRef, "$f3"), None);
    }
}
