//! Owns the values of scripts: arguments, and the patterns that results have to match.

use wasmweaver::wasm::types::{Bits, ValType, Value};
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastRet};

/// The value that a script passes.
pub(super) fn argument(arg: &WastArg<'_>) -> Value {
    let WastArg::Core(arg) = arg else { panic!("no argument of a function: {arg:?}") };
    match arg {
        WastArgCore::I32(x) => Value::i32(*x),
        WastArgCore::I64(x) => Value::i64(*x),
        WastArgCore::F32(x) => Value::new(ValType::F32, Bits::from(x.bits)),
        WastArgCore::F64(x) => Value::new(ValType::F64, Bits::from(x.bits)),
        WastArgCore::V128(x) => Value::new(ValType::V128, Bits::from_le_bytes(x.to_le_bytes())),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Func, .. }) => Value::zero(ValType::FuncRef),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Extern, .. }) => {
            Value::zero(ValType::ExternRef)
        }
        WastArgCore::RefExtern(x) => Value::new(ValType::ExternRef, Bits::from(*x) + 1),
        other => panic!("no value of WebAssembly 2.0: {other:?}"),
    }
}

/// Whether a result is what a script expects.
pub(super) fn matches(value: Value, expected: &WastRet<'_>) -> bool {
    let WastRet::Core(expected) = expected else { panic!("no result of a function: {expected:?}") };
    matches_core(value, expected)
}

fn matches_core(value: Value, expected: &WastRetCore<'_>) -> bool {
    use ValType::{ExternRef, F32, F64, FuncRef, V128};
    match expected {
        WastRetCore::I32(x) => value == Value::i32(*x),
        WastRetCore::I64(x) => value == Value::i64(*x),
        WastRetCore::F32(x) => value.ty == F32 && f32_matches(value.bits as u32, x),
        WastRetCore::F64(x) => value.ty == F64 && f64_matches(value.bits as u64, x),
        WastRetCore::V128(x) => value.ty == V128 && v128_matches(value.bits, x),
        WastRetCore::RefNull(_) => value.ty.is_ref() && value.bits == 0,
        WastRetCore::RefExtern(None) => value.ty == ExternRef && value.bits != 0,
        WastRetCore::RefExtern(Some(x)) => value == Value::new(ExternRef, Bits::from(*x) + 1),
        WastRetCore::RefFunc(None) => value.ty == FuncRef && value.bits != 0,
        WastRetCore::Either(cases) => cases.iter().any(|case| matches_core(value, case)),
        other => panic!("no value of WebAssembly 2.0: {other:?}"),
    }
}

/// A canonical NaN has the quiet bit alone, of either sign; an arithmetic one at least that (spec 2.2.3).
fn f32_matches(bits: u32, expected: &NanPattern<F32>) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(x) => bits == x.bits,
    }
}

fn f64_matches(bits: u64, expected: &NanPattern<F64>) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(x) => bits == x.bits,
    }
}

fn v128_matches(bits: Bits, expected: &V128Pattern) -> bool {
    let lane = |width: usize, index: usize| bits >> (width * index);
    match expected {
        V128Pattern::I8x16(x) => x.iter().enumerate().all(|(i, &x)| lane(8, i) as i8 == x),
        V128Pattern::I16x8(x) => x.iter().enumerate().all(|(i, &x)| lane(16, i) as i16 == x),
        V128Pattern::I32x4(x) => x.iter().enumerate().all(|(i, &x)| lane(32, i) as i32 == x),
        V128Pattern::I64x2(x) => x.iter().enumerate().all(|(i, &x)| lane(64, i) as i64 == x),
        V128Pattern::F32x4(x) => x.iter().enumerate().all(|(i, x)| f32_matches(lane(32, i) as u32, x)),
        V128Pattern::F64x2(x) => x.iter().enumerate().all(|(i, x)| f64_matches(lane(64, i) as u64, x)),
    }
}

#[test]
fn patterns_tell_values_apart() {
    let nan = |pattern| WastRet::Core(WastRetCore::F32(pattern));
    let value = |bits: u32| Value::new(ValType::F32, bits.into());
    for (bits, canonical, arithmetic) in
        [(0x7fc0_0000, true, true), (0xffc0_0000, true, true), (0x7fc0_0001, false, true), (0x7fa0_0000, false, false)]
    {
        assert_eq!(matches(value(bits), &nan(NanPattern::CanonicalNan)), canonical, "{bits:#x}");
        assert_eq!(matches(value(bits), &nan(NanPattern::ArithmeticNan)), arithmetic, "{bits:#x}");
    }
    let lanes = V128Pattern::F64x2([NanPattern::Value(F64 { bits: 1 }), NanPattern::CanonicalNan]);
    let lanes = WastRet::Core(WastRetCore::V128(lanes));
    assert!(matches(Value::new(ValType::V128, 1 | 0x7ff8 << 112), &lanes));
    assert!(!matches(Value::new(ValType::V128, 1 | 0x7ff9 << 112), &lanes));
    assert!(!matches(Value::i64(5), &WastRet::Core(WastRetCore::I32(5))));
    assert!(!matches(Value::zero(ValType::FuncRef), &WastRet::Core(WastRetCore::RefFunc(None))));
}
