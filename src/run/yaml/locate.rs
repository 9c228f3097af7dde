//! Owns finding the line of a setting that is read already.
//!
//! Must not know what the settings mean. `serde_yaml` keeps no places beside its values, but puts one on every error:
//! so the text is read once more by a visitor that fails on purpose at the key in question. That finds it in every
//! style of YAML, since the parser itself looks.

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl From<serde_yaml::Location> for Position {
    fn from(location: serde_yaml::Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

/// Where the setting at this key path is written: its key, or for an element of a list (its index as the key) itself.
/// `None` if it is not written, or if the text is not YAML.
pub fn locate(text: &str, keys: &[&str]) -> Option<Position> {
    let error = Walk { keys }.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    // Errors of the text itself, too, end the walk.
    error.to_string().contains(FOUND).then(|| error.location().map(Position::from))?
}

/// No parser's message has it, and no key can bring it in, since messages of the walk quote none.
const FOUND: &str = "\u{1}found";

/// Walks down the keys and fails at the last.
#[derive(Clone, Copy)]
struct Walk<'a> {
    keys: &'a [&'a str],
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((key, below)) = self.keys.split_first() else { return Err(de::Error::custom(FOUND)) };
        while let Some(is_it) = map.next_key_seed(Key { wanted: key, is_last: below.is_empty() })? {
            if is_it {
                map.next_value_seed(Walk { keys: below })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((index, below)) = self.keys.split_first() else { return Err(de::Error::custom(FOUND)) };
        let Ok(index) = index.parse::<usize>() else { return drain(seq) };
        for _ in 0..index {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        seq.next_element_seed(Walk { keys: below })?;
        drain(seq)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.scalar()
    }
}

impl Walk<'_> {
    fn scalar<E: de::Error>(self) -> Result<(), E> {
        if self.keys.is_empty() { Err(E::custom(FOUND)) } else { Ok(()) }
    }
}

fn drain<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Reads one key: is it the wanted one? Fails on it if it is the last to be found.
struct Key<'a> {
    wanted: &'a str,
    is_last: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<bool, E> {
        let is_it = key == self.wanted;
        if is_it && self.is_last { Err(E::custom(FOUND)) } else { Ok(is_it) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a preset
name: stack   # the name
fuel:
  # at least
  min: 10
  \"max\": 50
bytes: {min: 1, max: 1000}
mask:
  - i32.add
  - op: i32.sub
    weight: 2
nothing: ~
";

    #[track_caller]
    fn check(keys: &[&str], expected: Option<(usize, usize)>) {
        let found = locate(TEXT, keys).map(|at| (at.line, at.column));
        assert_eq!(found, expected, "{keys:?}");
    }

    #[test]
    fn keys_are_found_in_every_style() {
        check(&["name"], Some((2, 1)));
        check(&["fuel"], Some((3, 1)));
        check(&["fuel", "min"], Some((5, 3)));
        check(&["fuel", "max"], Some((6, 3)));
        check(&["bytes", "max"], Some((7, 17)));
        check(&["nothing"], Some((12, 1)));
    }

    #[test]
    fn elements_are_found_by_index() {
        check(&["mask", "0"], Some((9, 5)));
        check(&["mask", "1"], Some((10, 5)));
        check(&["mask", "1", "weight"], Some((11, 5)));
    }

    #[test]
    fn what_is_not_written_is_not_found() {
        for keys in [&["fuel", "mean"][..], &["mask", "2"], &["mask", "op"], &["name", "x"], &["x"]] {
            check(keys, None);
        }
        assert_eq!(locate("a: [", &["a", "0"]), None);
        assert_eq!(locate("", &["a"]), None);
        assert_eq!(locate("b: \u{1}found", &["a"]), None);
    }

    #[test]
    fn the_empty_path_is_the_start() {
        check(&[], Some((2, 1)));
    }
}
