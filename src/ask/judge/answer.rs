//! Owns reading the answer to each task in any of the shapes that models use: typed or untyped numbers, states of flags,
//! fuel.
//!
//! Must not know the truth: whether something is there is decided before, and apart from, whether it is right; nor where
//! in a reply the answer stands (`find`).

use super::find::Form;
use super::number;
use super::scan::Json;
use crate::item::record::Task;
use crate::wasm::types::{ValType, Value};

/// One value as the model wrote it: a number, a vector or a reference for certain, of a type that may be left to the
/// truth.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    /// `None` if no type was written: that of the truth is meant.
    ty: Option<ValType>,
    number: String,
}

impl Given {
    /// The value of this type that it says; `None` if it says none, or one of another type.
    pub(super) fn read(&self, ty: ValType) -> Option<Value> {
        number::parse(ty, &self.number).filter(|_| self.ty.is_none_or(|own| own == ty))
    }

    fn new(ty: Option<ValType>, number: &str) -> Option<Self> {
        let reads = |ty| number::parse(ty, number).is_some();
        let is_value = match ty {
            None => number::is_number(number) || reads(ValType::V128) || reads(ValType::FuncRef),
            Some(ty @ (ValType::V128 | ValType::FuncRef | ValType::ExternRef)) => reads(ty),
            // One that its type has no room for is a number all the same.
            Some(_) => number::is_number(number),
        };
        is_value.then(|| Self { ty, number: number.trim().to_owned() })
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
            // A value that is left out does not mean a null reference.
            Json::Word(word) if is_null(word) => None,
            Json::Text(text) | Json::Word(text) => Self::from_text(text),
            Json::List(_) => None,
            Json::Map(entries) => match (json.get("value"), entries.as_slice()) {
                (Some(value), _) => Self::beside(value, json.get("type")),
                (None, [(ty, Json::Text(number) | Json::Word(number))]) => Self::new(Some(type_of(ty)?), number),
                _ => None,
            },
        }
    }

    /// A value with a type beside it; the lanes of a vector may be a list.
    fn beside(value: &Json, ty: Option<&Json>) -> Option<Self> {
        match value {
            Json::Word(word) if is_null(word) => {
                let (Json::Text(ty) | Json::Word(ty)) = ty? else { return None };
                Self::new(Some(type_of(ty)?), word)
            }
            Json::Text(text) | Json::Word(text) => Self::from_text(text)?.typed(ty),
            Json::List(lanes) => {
                let lane = |lane: &Json| match lane {
                    Json::Text(word) | Json::Word(word) => Some(word.clone()),
                    Json::List(_) | Json::Map(_) => None,
                };
                let lanes: Vec<String> = lanes.iter().map(lane).collect::<Option<_>>()?;
                Self::new(Some(ValType::V128), &lanes.join(" "))?.typed(ty)
            }
            Json::Map(_) => None,
        }
    }

    /// The same with the type that stands beside it. `None` if that names no type, or another than the value itself
    /// does: what is meant cannot be known, so it must not count as wrong.
    fn typed(self, beside: Option<&Json>) -> Option<Self> {
        let word = match beside {
            None => return Some(self),
            Some(Json::Text(word) | Json::Word(word)) => word.trim(),
            Some(Json::List(_) | Json::Map(_)) => return None,
        };
        if word.is_empty() || is_null(word) {
            return Some(self);
        }
        let ty = type_of(word)?;
        if self.ty.is_some_and(|own| own != ty) {
            return None;
        }
        Self::new(Some(ty), &self.number)
    }
}

fn is_null(word: &str) -> bool {
    word.eq_ignore_ascii_case("null")
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

/// Values, bottom first: `{"stack_values":[...]}`, the list alone, or
/// `i32(10), f32(1.5)`, which is the form of the annotations.
pub(super) fn values(task: Task) -> Form<Vec<Given>> {
    Form { key: task.key(), keyed: list_of_values, bare: list_of_values, plain: annotations }
}

fn list_of_values(json: &Json) -> Option<Vec<Given>> {
    let Json::List(items) = json else { return None };
    items.iter().map(Given::from_json).collect()
}

fn annotations(text: &str) -> Option<Vec<Given>> {
    let given: Vec<Given> = parts(text).map(Given::from_text).collect::<Option<_>>()?;
    (!given.is_empty()).then_some(given)
}

/// The states of flags as a model gives them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum GivenFlags {
    /// By name. The last state of a flag counts.
    Named(Vec<(String, bool)>),
    /// In the order of the text.
    Listed(Vec<bool>),
}

impl GivenFlags {
    /// The state given to the `index`-th flag in the text, which has this name.
    pub(super) fn state(&self, index: usize, name: &str) -> Option<bool> {
        match self {
            Self::Named(flags) => {
                flags.iter().rev().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, state)| *state)
            }
            Self::Listed(states) => states.get(index).copied(),
        }
    }
}

/// Flags: `{"flag_states":{"FLAG_0":true}}`, the inner object alone, a list of states in the order of
/// the text, or `FLAG_0: true, FLAG_1: false`.
pub(super) fn flags(task: Task) -> Form<GivenFlags> {
    Form { key: task.key(), keyed: given_flags, bare: given_flags, plain: lines_of_flags }
}

fn given_flags(json: &Json) -> Option<GivenFlags> {
    match json {
        Json::List(items) => items.iter().map(state).collect::<Option<_>>().map(GivenFlags::Listed),
        Json::Map(entries) => {
            let flag = |(name, json): &(String, Json)| Some((flag_name(name)?, state(json)?));
            entries.iter().map(flag).collect::<Option<_>>().map(GivenFlags::Named)
        }
        Json::Text(_) | Json::Word(_) => None,
    }
}

fn lines_of_flags(text: &str) -> Option<GivenFlags> {
    let flag = |part: &str| {
        let (name, word) = part.split_once([':', '='])?;
        Some((flag_name(name)?, state_of(word)?))
    };
    let flags: Vec<(String, bool)> = parts(text).map(flag).collect::<Option<_>>()?;
    (!flags.is_empty()).then_some(GivenFlags::Named(flags))
}

/// `FLAG_0`, with or without the `;;` of its comment. An object with any other key is none of flags.
fn flag_name(text: &str) -> Option<String> {
    let name = text.trim().trim_start_matches(';').trim();
    let is_flag = name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("flag_"));
    is_flag.then(|| name.to_owned())
}

fn state(json: &Json) -> Option<bool> {
    match json {
        Json::Text(word) | Json::Word(word) => state_of(word),
        Json::List(_) | Json::Map(_) => None,
    }
}

fn state_of(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// One number: `{"fuel": 17}`, or the number alone; as a number or a text.
pub(super) fn amount(task: Task) -> Form<String> {
    Form { key: task.key(), keyed: amount_in, bare: |_| None, plain: amount_of }
}

fn amount_in(json: &Json) -> Option<String> {
    match json {
        Json::Text(text) | Json::Word(text) => amount_of(text),
        Json::List(_) | Json::Map(_) => None,
    }
}

fn amount_of(text: &str) -> Option<String> {
    number::is_number(text).then(|| text.trim().to_owned())
}

/// The parts of a list without brackets.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty())
}
