//! Owns finding the answer within a reply, in any of the shapes that models use, as typed or untyped numbers.
//!
//! Must not know the truth: whether a value is there is decided before, and apart from, whether it is right.

use super::number;
use super::scan::{self, Json};
use crate::wasm::types::{ValType, Value};

/// One value as the model wrote it: a number for certain, of a type that may be unknown or absent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    ty: Type,
    number: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
    /// None was written: that of the truth is meant.
    Implied,
    Known(ValType),
    /// A word that names no type we know; no value has it.
    Unknown,
}

impl Given {
    /// Whether it says this value.
    pub(super) fn is(&self, truth: Value) -> bool {
        let ty_fits = match self.ty {
            Type::Implied => true,
            Type::Known(ty) => ty == truth.ty,
            Type::Unknown => false,
        };
        ty_fits && number::parse(truth.ty, &self.number).is_some_and(|value| value.same(truth))
    }

    fn new(ty: Type, number: &str) -> Option<Self> {
        number::is_number(number).then(|| Self { ty, number: number.trim().to_owned() })
    }

    /// `i32(10)`, `i32.const 10`, `i32: 10`, or a number alone.
    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        for ty in ValType::ALL {
            // `get`, since byte 3 may lie within a character.
            if text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(ty.name())) {
                let rest = text[3..].trim_start();
                let rest = rest.strip_prefix(".const").or_else(|| rest.strip_prefix(':')).unwrap_or(rest).trim();
                let bare = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest);
                return Self::new(Type::Known(ty), bare);
            }
        }
        Self::new(Type::Implied, text)
    }

    fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::Text(text) | Json::Word(text) => Self::from_text(text),
            Json::List(_) => None,
            Json::Map(entries) => {
                if let Some(value) = json.get("value") {
                    let given = Self::from_json(value).filter(|_| !matches!(value, Json::Map(_)))?;
                    let ty = json.get("type").map_or(Type::Implied, named_type);
                    return Some(Self { ty: if ty == Type::Implied { given.ty } else { ty }, ..given });
                }
                let [(ty, Json::Text(number) | Json::Word(number))] = entries.as_slice() else { return None };
                Self::new(Type::Known(ValType::parse(&ty.trim().to_ascii_lowercase())?), number)
            }
        }
    }
}

fn named_type(json: &Json) -> Type {
    let (Json::Text(name) | Json::Word(name)) = json else { return Type::Unknown };
    ValType::parse(&name.trim().to_ascii_lowercase()).map_or(Type::Unknown, Type::Known)
}

/// The answer in a reply; `None` if there is none that can be read whole.
pub(super) fn find(reply: &str) -> Option<Vec<Given>> {
    match last_output(reply) {
        Some(block) => in_block(block),
        None => last_object(reply).or_else(|| bare_json(reply)),
    }
}

/// What stands in the last closed `<OUTPUT>...</OUTPUT>`.
fn last_output(reply: &str) -> Option<&str> {
    // Upper-casing ASCII alone keeps every byte offset.
    let upper = reply.to_ascii_uppercase();
    let close = upper.rfind("</OUTPUT>")?;
    let open = upper[..close].rfind("<OUTPUT>")?;
    Some(&reply[open + "<OUTPUT>".len()..close])
}

fn in_block(block: &str) -> Option<Vec<Given>> {
    bare_json(block).or_else(|| last_object(block)).or_else(|| annotations(unfenced(block)))
}

/// The last object in the text with `stack_values` in it.
fn last_object(text: &str) -> Option<Vec<Given>> {
    /// Mentions that are tried, from the end; bounds the work on a reply that says nothing else.
    const MAX_MENTIONS: usize = 16;
    for (at, _) in text.rmatch_indices("stack_values").take(MAX_MENTIONS) {
        let Some(open) = text[..at].rfind('{') else { continue };
        if let Some(answer) = scan::value(&text[open..]).and_then(|json| stack_values(&json)) {
            return Some(answer);
        }
    }
    None
}

/// The text as a whole, if it is an object with `stack_values` or a list.
fn bare_json(text: &str) -> Option<Vec<Given>> {
    let text = unfenced(text);
    let json = text.starts_with(['{', '[']).then(|| scan::value(text)).flatten()?;
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

/// The text without the Markdown fence around it.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return text };
    // The rest of the fence's line names the language.
    let start = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    inner[start..].trim()
}
