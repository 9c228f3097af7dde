//! Owns the value types of WebAssembly, typed values, and how a value is written for people.
//!
//! Must not know instructions. A value is its bits plus a static type: comparing bits is the only equality that is
//! exact for floats, so nothing here compares `f32` or `f64` as numbers.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The bits of one operand, zero-extended. Wide enough for `v128`.
pub type Bits = u128;

/// A value type (spec 2.3.1-2.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValType {
    /// 32-bit integer, no sign of its own.
    I32,
    /// 64-bit integer, no sign of its own.
    I64,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
    /// 128 bits, lane 0 lowest.
    V128,
    /// A reference to a function, or null.
    FuncRef,
    /// A reference to something of the host's, or null.
    ExternRef,
}

use ValType::{ExternRef, F32, F64, FuncRef, I32, I64, V128};

impl ValType {
    /// Every value type, in the order of their numbers.
    pub const ALL: [ValType; 7] = [I32, I64, F32, F64, V128, FuncRef, ExternRef];
    /// The number types (spec 2.3.1).
    pub const NUMBERS: [ValType; 4] = [I32, I64, F32, F64];

    /// The name in the text format.
    pub fn name(self) -> &'static str {
        match self {
            I32 => "i32",
            I64 => "i64",
            F32 => "f32",
            F64 => "f64",
            V128 => "v128",
            FuncRef => "funcref",
            ExternRef => "externref",
        }
    }

    /// The word for the type in `ref.null` (spec 6.3.2), which names what is referred to.
    pub fn heap_name(self) -> &'static str {
        match self {
            FuncRef => "func",
            ExternRef => "extern",
            other => other.name(),
        }
    }

    /// The byte in the binary format (spec 5.3.1).
    pub fn code(self) -> u8 {
        match self {
            I32 => 0x7f,
            I64 => 0x7e,
            F32 => 0x7d,
            F64 => 0x7c,
            V128 => 0x7b,
            FuncRef => 0x70,
            ExternRef => 0x6f,
        }
    }

    /// The type with this byte in the binary format.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.code() == code)
    }

    /// The type with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }

    /// Whether this is `f32` or `f64`.
    pub fn is_float(self) -> bool {
        matches!(self, F32 | F64)
    }

    /// Whether this is a reference type (spec 2.3.3).
    pub fn is_ref(self) -> bool {
        matches!(self, FuncRef | ExternRef)
    }

    /// Dense number in `0..7`, for table look-ups and features.
    pub fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A function type (spec 2.3.6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FuncType {
    /// Parameters, first first.
    pub params: Vec<ValType>,
    /// Results, bottom of the stack first.
    pub results: Vec<ValType>,
}

/// A typed value. Equality is equality of bits, but any NaN equals any NaN ([`Value::same`]) only where asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value {
    /// Its type.
    pub ty: ValType,
    /// Its bits, zero-extended. A reference is 0 where it is null, and else 1 + the number of what it refers to (of a
    /// function: its index, in a program that stands by itself).
    pub bits: Bits,
}

impl Value {
    /// The value of this type with these bits.
    pub fn new(ty: ValType, bits: Bits) -> Self {
        Self { ty, bits }
    }

    /// The default value of a type (spec 4.2.1): zero, or null.
    pub fn zero(ty: ValType) -> Self {
        Self { ty, bits: 0 }
    }

    /// An `i32`.
    pub fn i32(value: i32) -> Self {
        Self::new(I32, Bits::from(value as u32))
    }

    /// An `i64`.
    pub fn i64(value: i64) -> Self {
        Self::new(I64, Bits::from(value as u64))
    }

    /// An `f32`.
    pub fn f32(value: f32) -> Self {
        Self::new(F32, Bits::from(value.to_bits()))
    }

    /// An `f64`.
    pub fn f64(value: f64) -> Self {
        Self::new(F64, Bits::from(value.to_bits()))
    }

    /// Whether this is a NaN of any payload.
    pub fn is_nan(self) -> bool {
        match self.ty {
            F32 => f32::from_bits(self.bits as u32).is_nan(),
            F64 => f64::from_bits(self.bits as u64).is_nan(),
            _ => false,
        }
    }

    /// Equal as an answer: same type and same bits, or both a NaN of the same type.
    pub fn same(self, other: Self) -> bool {
        self == other || (self.ty == other.ty && self.is_nan() && other.is_nan())
    }

    /// The value in decimal: integers signed, floats in the shortest form that reads back, `nan`, `inf`, `-inf`. A
    /// vector is its four 32-bit lanes, lane 0 first: `1 -2 3 4`. A reference is `Null`, or the number of what it refers
    /// to: `$f3`, `$x0`.
    pub fn text(self) -> String {
        match self.ty {
            I32 => (self.bits as i32).to_string(),
            I64 => (self.bits as i64).to_string(),
            F32 => float_text(f32::from_bits(self.bits as u32), f32::is_nan, f32::is_infinite),
            F64 => float_text(f64::from_bits(self.bits as u64), f64::is_nan, f64::is_infinite),
            V128 => {
                let lane = |index: u32| ((self.bits >> (32 * index)) as i32).to_string();
                (0..4).map(lane).collect::<Vec<_>>().join(" ")
            }
            FuncRef | ExternRef if self.bits == 0 => NULL.into(),
            FuncRef => format!("{FUNC_PREFIX}{}", self.bits - 1),
            ExternRef => format!("{HOST_PREFIX}{}", self.bits - 1),
        }
    }

    /// Reads what [`Value::text`] writes.
    pub fn parse(ty: ValType, text: &str) -> Option<Self> {
        Some(match ty {
            I32 => Self::i32(text.parse().ok()?),
            I64 => Self::i64(text.parse().ok()?),
            F32 => Self::f32(text.parse().ok()?),
            F64 => Self::f64(text.parse().ok()?),
            V128 => {
                let lanes = text.split(' ').map(|lane| lane.parse::<i32>().ok()).collect::<Option<Vec<_>>>()?;
                let lanes: [i32; 4] = lanes.try_into().ok()?;
                let bits = lanes.iter().rev().fold(0, |bits, &lane| bits << 32 | Bits::from(lane as u32));
                Self::new(V128, bits)
            }
            FuncRef | ExternRef if text == NULL => Self::zero(ty),
            FuncRef => Self::new(ty, 1 + Bits::from(text.strip_prefix(FUNC_PREFIX)?.parse::<u32>().ok()?)),
            ExternRef => Self::new(ty, 1 + Bits::from(text.strip_prefix(HOST_PREFIX)?.parse::<u32>().ok()?)),
        })
    }
}

/// How a null reference is written.
const NULL: &str = "Null";
/// What stands before the index of a function without a name of its own.
pub const FUNC_PREFIX: &str = "$f";
const HOST_PREFIX: &str = "$x";

/// `{:?}` of a Rust float is the shortest text that reads back; it keeps `-0.0` and switches to exponents far out.
fn float_text<F: Copy + fmt::Debug + PartialOrd + Default>(
    x: F,
    nan: fn(F) -> bool,
    infinite: fn(F) -> bool,
) -> String {
    if nan(x) {
        "nan".into()
    } else if infinite(x) {
        if x < F::default() { "-inf" } else { "inf" }.into()
    } else {
        format!("{x:?}")
    }
}

impl fmt::Display for Value {
    /// The form of the annotations: `i32(10)`, `f32(1.5)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.ty, self.text())
    }
}

/// In files a value is `{"type": "i32", "value": "30"}`: text, so that no reader loses bits of a 64-bit integer.
#[derive(Serialize, Deserialize)]
struct ValueText {
    r#type: ValType,
    value: String,
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ValueText { r#type: self.ty, value: self.text() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = ValueText::deserialize(deserializer)?;
        Value::parse(text.r#type, &text.value)
            .ok_or_else(|| serde::de::Error::custom(format!("`{}` is no {}", text.value, text.r#type)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        let values = [
            Value::i32(-1),
            Value::i64(i64::MIN),
            Value::f32(-0.0),
            Value::f32(f32::from_bits(1)),
            Value::f64(0.1),
            Value::f64(f64::NEG_INFINITY),
            Value::f64(f64::MAX),
            Value::new(V128, 0xffff_ffff_0000_0002_8000_0000_0000_0001),
            Value::zero(FuncRef),
            Value::new(FuncRef, 4),
            Value::new(ExternRef, 1),
        ];
        for value in values {
            assert_eq!(Value::parse(value.ty, &value.text()), Some(value), "{value}");
        }
        assert!(Value::parse(F32, "nan").expect("parses").same(Value::f32(f32::NAN)));
        assert_eq!(Value::parse(I32, "4294967295"), None);
    }

    #[test]
    fn text_is_the_annotation_form() {
        assert_eq!(Value::i32(10).to_string(), "i32(10)");
        assert_eq!(Value::f32(1.5).to_string(), "f32(1.5)");
        assert_eq!(Value::f64(-0.0).to_string(), "f64(-0.0)");
        assert_eq!(Value::new(V128, 0xffff_ffff_0000_0002_8000_0000_0000_0001).to_string(), "v128(1 -2147483648 2 -1)");
        assert_eq!(Value::zero(ExternRef).to_string(), "externref(Null)");
        assert_eq!(Value::new(FuncRef, 4).to_string(), "funcref($f3)");
        assert_eq!(Value::f32(f32::NAN).to_string(), "f32(nan)");
        assert_eq!(serde_json::to_string(&Value::i32(-3)).expect("plain data"), r#"{"type":"i32","value":"-3"}"#);
    }

    #[test]
    fn equality_is_of_bits() {
        assert!(!Value::f32(0.0).same(Value::f32(-0.0)));
        assert!(!Value::i32(0).same(Value::i64(0)));
        assert!(Value::f32(f32::NAN).same(Value::new(F32, 0xffc0_0001)));
    }
}
