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
}

use ValType::{F32, F64, I32, I64};

impl ValType {
    /// Every value type, in the order of their numbers.
    pub const ALL: [ValType; 4] = [I32, I64, F32, F64];

    /// The name in the text format.
    pub fn name(self) -> &'static str {
        match self {
            I32 => "i32",
            I64 => "i64",
            F32 => "f32",
            F64 => "f64",
        }
    }

    /// The byte in the binary format (spec 5.3.1).
    pub fn code(self) -> u8 {
        match self {
            I32 => 0x7f,
            I64 => 0x7e,
            F32 => 0x7d,
            F64 => 0x7c,
        }
    }

    /// The type with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }

    /// Whether this is `f32` or `f64`.
    pub fn is_float(self) -> bool {
        matches!(self, F32 | F64)
    }

    /// Dense number in `0..4`, for table look-ups and features.
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
    /// Its bits, zero-extended.
    pub bits: Bits,
}

impl Value {
    /// The value of this type with these bits.
    pub fn new(ty: ValType, bits: Bits) -> Self {
        Self { ty, bits }
    }

    /// The default value of a type (spec 4.2.1): zero.
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
            I32 | I64 => false,
        }
    }

    /// Equal as an answer: same type and same bits, or both a NaN of the same type.
    pub fn same(self, other: Self) -> bool {
        self == other || (self.ty == other.ty && self.is_nan() && other.is_nan())
    }

    /// The value in decimal: integers signed, floats in the shortest form that reads back, `nan`, `inf`, `-inf`.
    pub fn text(self) -> String {
        match self.ty {
            I32 => (self.bits as i32).to_string(),
            I64 => (self.bits as i64).to_string(),
            F32 => float_text(f32::from_bits(self.bits as u32), f32::is_nan, f32::is_infinite),
            F64 => float_text(f64::from_bits(self.bits as u64), f64::is_nan, f64::is_infinite),
        }
    }

    /// Reads what [`Value::text`] writes.
    pub fn parse(ty: ValType, text: &str) -> Option<Self> {
        Some(match ty {
            I32 => Self::i32(text.parse().ok()?),
            I64 => Self::i64(text.parse().ok()?),
            F32 => Self::f32(text.parse().ok()?),
            F64 => Self::f64(text.parse().ok()?),
        })
    }
}

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
