//! Owns how the states of flags are written: as an object, `{"FLAG_0":true,"FLAG_1":false}`, in the order of the text.
//!
//! Must not know where flags stand. A map type would lose the order or the doubles of a file; a list of pairs keeps both.

use serde::de::{MapAccess, Visitor};
use serde::{Deserializer, Serializer};
use std::fmt;

pub(super) fn serialize<S: Serializer>(flags: &[(String, bool)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(flags.iter().map(|(name, state)| (name, state)))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, bool)>, D::Error> {
    deserializer.deserialize_map(Pairs)
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, bool)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("flags with their states, such as {\"FLAG_0\": true}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut flags = Vec::new();
        while let Some(flag) = entries.next_entry()? {
            flags.push(flag);
        }
        Ok(flags)
    }
}
