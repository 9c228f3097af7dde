//! Owns the recipe: what rebuilds a program bit for bit, and how it is written small.
//!
//! Must not know what the actions mean. They are written as the lower-case hex of their unsigned LEB128 bytes: two
//! characters for most of them, safe in JSON, file names and a shell.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Rebuilds a program, together with the weaving configuration that the run's manifest holds once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Recipe {
    /// Version of the generator; another version may build another program.
    pub generator: String,
    /// Seed of the values drawn inside constants' buckets.
    pub seed: u64,
    /// Every choice that was made, in order.
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub actions: Vec<u16>,
}

fn write<S: Serializer>(actions: &[u16], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_hex(actions))
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
    let text = String::deserialize(deserializer)?;
    from_hex(&text).ok_or_else(|| D::Error::custom("`actions` is not the hex of LEB128 numbers below 65536"))
}

fn to_hex(actions: &[u16]) -> String {
    let mut text = String::with_capacity(actions.len() * 2);
    for &action in actions {
        let mut rest = action;
        while rest >= 0x80 {
            push_byte(&mut text, rest as u8 | 0x80);
            rest >>= 7;
        }
        push_byte(&mut text, rest as u8);
    }
    text
}

fn push_byte(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

fn from_hex(text: &str) -> Option<Vec<u16>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let (mut actions, mut value, mut shift) = (Vec::new(), 0u32, 0);
    for &[high, low] in pairs {
        let byte = char::from(high).to_digit(16)? << 4 | char::from(low).to_digit(16)?;
        if shift > 14 {
            return None;
        }
        value |= (byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            actions.push(u16::try_from(value).ok()?);
            (value, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(actions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_read_back() {
        assert_eq!(to_hex(&[0, 1, 127, 128, 300, u16::MAX]), "00017f8001ac02ffff03");
        for actions in [vec![], (0..=u16::MAX).collect::<Vec<_>>()] {
            assert_eq!(from_hex(&to_hex(&actions)), Some(actions));
        }
    }

    #[test]
    fn damaged_actions_are_refused() {
        for text in ["0", "80", "zz", "ffff04", "80808000", "ää", "+1"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }
}
