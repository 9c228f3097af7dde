//! Owns finding the answer within a reply, in any of the shapes that models use, as typed or untyped numbers.
//!
//! Must not know the truth: whether a value is there is decided before, and apart from, whether it is right.

use super::number;
use super::scan::{self, Json};
use crate::wasm::types::{ValType, Value};

/// One value as the model wrote it: a number for certain, of a type that may be left to the truth.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    /// `None` if no type was written: that of the truth is meant.
    ty: Option<ValType>,
    number: String,
}

impl Given {
    /// Whether it says this value.
    pub(super) fn is(&self, truth: Value) -> bool {
        self.ty.is_none_or(|ty| ty == truth.ty)
            && number::parse(truth.ty, &self.number).is_some_and(|value| value.same(truth))
    }

    fn new(ty: Option<ValType>, number: &str) -> Option<Self> {
        number::is_number(number).then(|| Self { ty, number: number.trim().to_owned() })
    }

    /// `i32(10)`, `i32.const 10`, `i32: 10`, or a number alone.
    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let (head, rest) = text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len()));
        let Some(ty) = type_of(head) else { return Self::new(None, text) };
        let rest = rest.trim_start();
        let rest = rest.strip_prefix(".const").or_else(|| rest.strip_prefix(':')).unwrap_or(rest).trim();
        let bare = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest);
        Self::new(Some(ty), bare)
    }

    fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::Text(text) | Json::Word(text) => Self::from_text(text),
            Json::List(_) => None,
            Json::Map(entries) => {
                if let Some(value) = json.get("value") {
                    let (Json::Text(text) | Json::Word(text)) = value else { return None };
                    return Self::from_text(text)?.typed(json.get("type"));
                }
                let [(ty, Json::Text(number) | Json::Word(number))] = entries.as_slice() else { return None };
                Self::new(Some(type_of(ty)?), number)
            }
        }
    }

    /// The same with the type that stands beside it. `None` if that names no type, or another than the value itself
    /// does: what is meant cannot be known, so it must not count as wrong.
    fn typed(mut self, beside: Option<&Json>) -> Option<Self> {
        let word = match beside {
            None => return Some(self),
            Some(Json::Text(word) | Json::Word(word)) => word.trim(),
            Some(Json::List(_) | Json::Map(_)) => return None,
        };
        if word.is_empty() || word.eq_ignore_ascii_case("null") {
            return Some(self);
        }
        let ty = type_of(word)?;
        if self.ty.is_some_and(|own| own != ty) {
            return None;
        }
        self.ty = Some(ty);
        Some(self)
    }
}

/// The type that a word names for certain. `int` and `float` say no width and `u32` no type of WebAssembly.
fn type_of(word: &str) -> Option<ValType> {
    match word.trim().to_ascii_lowercase().as_str() {
        "int32" => Some(ValType::I32),
        "int64" => Some(ValType::I64),
        "float32" => Some(ValType::F32),
        "float64" | "double" => Some(ValType::F64),
        name => ValType::parse(name),
    }
}

/// The answer in a reply; `None` if there is none that can be read whole.
pub(super) fn find(reply: &str) -> Option<Vec<Given>> {
    const OPEN: &str = "<OUTPUT>";
    // Upper-casing ASCII alone keeps every byte offset.
    let upper = reply.to_ascii_uppercase();
    let last_open = upper.rfind(OPEN).map(|at| at + OPEN.len());
    let Some(close) = upper.rfind("</OUTPUT>") else {
        // Only the closing tag is forgiven: what stands before the opening one is a draft.
        return outside_block(&reply[last_open.unwrap_or(0)..]);
    };
    match last_open {
        // A new answer was begun after the last one and never ended.
        Some(open) if open > close => None,
        Some(open) => in_block(&reply[open..close]),
        None => outside_block(reply),
    }
}

fn in_block(block: &str) -> Option<Vec<Given>> {
    outside_block(block).or_else(|| annotations(unfenced(block)))
}

fn outside_block(text: &str) -> Option<Vec<Given>> {
    bare_json(text).or_else(|| last_object(text))
}

/// The object with the last `stack_values` in it. One that cannot be read gives no way to those before it, which are
/// drafts.
fn last_object(text: &str) -> Option<Vec<Given>> {
    let open = enclosing_brace(&text[..text.rfind("stack_values")?])?;
    stack_values(&scan::value(&text[open..])?)
}

/// Where the object starts that is still open at the end of the text.
fn enclosing_brace(text: &str) -> Option<usize> {
    let mut closed = 0_usize;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b'}' => closed += 1,
            b'{' if closed == 0 => return Some(at),
            b'{' => closed -= 1,
            _ => {}
        }
    }
    None
}

/// The text as a whole, if it is an object with `stack_values` or a list; with anything after it, a list may be a step
/// on the way rather than the answer.
fn bare_json(text: &str) -> Option<Vec<Given>> {
    let text = unfenced(text);
    let json = text.starts_with(['{', '[']).then(|| scan::whole(text)).flatten()?;
    match &json {
        Json::List(items) => items.iter().map(Given::from_json).collect(),
        _ => stack_values(&json),
    }
}

fn stack_values(json: &Json) -> Option<Vec<Given>> {
    let Json::List(items) = json.get("stack_values")? else { return None };
    items.iter().map(Given::from_json).collect()
}

/// `i32(10), f32(1.5)`: the form of the annotations.
fn annotations(text: &str) -> Option<Vec<Given>> {
    text.split([',', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(Given::from_text)
        .collect::<Option<_>>()
        .filter(|given: &Vec<Given>| !given.is_empty())
}

/// The text without the Markdown fence around it, of which either end may be missing.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_suffix("```").unwrap_or(text).trim_end();
    let Some(inner) = text.strip_prefix("```") else { return text };
    // The rest of the fence's line names the language.
    let start = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    inner[start..].trim()
}
