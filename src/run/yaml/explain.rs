//! Owns turning what the YAML reader says into what a person can act on.
//!
//! Must not know the settings: the names of known keys are taken from the reader's own message, which has them from the
//! type that is read.

use super::nearest::nearest;

/// What is wrong, and what to do about it.
pub(super) fn explain(error: &serde_yaml::Error) -> (String, String) {
    let message = without_place(&error.to_string());
    // The message comes behind the path of keys: `fuel.min: invalid type: ...`.
    if let Some((path, rest)) = message.split_once("unknown field `") {
        return unknown(path, rest, "key");
    }
    if let Some((path, rest)) = message.split_once("unknown variant `") {
        return unknown(path, rest, "value");
    }
    if let Some((path, rest)) = message.split_once("missing field `") {
        let key = rest.trim_end_matches('`');
        return (format!("{}the key `{key}` is missing", at(path)), format!("add a line `{key}: ...` here"));
    }
    if let Some((path, rest)) = message.split_once("duplicate field `") {
        let key = rest.trim_end_matches('`');
        return (format!("{}the key `{key}` is there twice", at(path)), "take one of them out".into());
    }
    if let Some((path, rest)) = message.split_once("invalid type: ").or_else(|| message.split_once("invalid value: ")) {
        return wrong_type(path, rest);
    }
    if error.to_string().contains(" at line ") && error.location().is_some() && is_syntax(&message) {
        let todo = "mend the line: indent with spaces, put a space behind each `:`, close what is opened";
        return (format!("this is not YAML: {message}"), todo.into());
    }
    if message.contains("more than one document") {
        return (message, "keep one part, without `---` lines".into());
    }
    (message, "change the value here".into())
}

/// The reader's complaints about YAML itself, which come from libyaml, against those about values.
fn is_syntax(message: &str) -> bool {
    const OPENINGS: [&str; 7] =
        ["did not find", "could not find", "found ", "mapping values", "block ", "control characters", "invalid "];
    OPENINGS.iter().any(|opening| message.starts_with(opening))
}

/// The message without ` at line 3 column 5`, which is shown in front of it.
fn without_place(message: &str) -> String {
    match message.find(" at line ") {
        Some(start) => message[..start].to_owned(),
        None => message.to_owned(),
    }
}

/// `` `fuel.min`: `` from the path as the reader writes it, `fuel.min: `; nothing at the top.
fn at(path: &str) -> String {
    let path = path.trim().trim_end_matches(':');
    if path.is_empty() || path == "." { String::new() } else { format!("`{path}`: ") }
}

/// The rest is ``nam`, expected one of `a`, `b` `` or ``nam`, expected `a` or `b` `` or ``nam`, there are no fields``.
fn unknown(path: &str, rest: &str, kind: &str) -> (String, String) {
    let (given, expected) = rest.split_once('`').unwrap_or((rest, ""));
    // Every second piece between backticks is a name.
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let what = format!("{}there is no {kind} `{given}`", at(path));
    if known.is_empty() {
        return (what, format!("take the {kind} out: none is known here"));
    }
    let known_list = format!("known here: {}", known.join(", "));
    match nearest(given, known.iter().copied()) {
        Some(name) => (what, format!("did you mean `{name}`? ({known_list})")),
        None => (what, format!("take it out or use another ({known_list})")),
    }
}

/// The rest is `string "abc", expected u64`.
fn wrong_type(path: &str, rest: &str) -> (String, String) {
    // What is expected holds no comma for the types that settings have; what was found may.
    let Some((found, expected)) = rest.rsplit_once(", expected ") else {
        return (format!("{}{rest}", at(path)), "change the value here".into());
    };
    let found = match found {
        "sequence" => "a list",
        "map" => "a group of keys",
        "unit value" => "missing",
        other => other,
    };
    (format!("{}the value is {found}", at(path)), format!("write {}", in_words(expected)))
}

/// A Rust type, as a person calls it.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative and not too large".into(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number that is not too large".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" => "a text; put it in quotes if it looks like a number".into(),
        "a sequence" => "a list: `[a, b]`, or a line `- a` for each".into(),
        "a map" => "keys and values: a line `key: value` for each".into(),
        other if other.starts_with("struct ") => "keys and values: a line `key: value` for each".into(),
        other => other.into(),
    }
}
