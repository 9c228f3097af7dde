//! Owns how functions are called: in the text of a module, and where people are told about one.
//!
//! Must not know lines. Names come from strangers: they can be empty, stand at several functions, look like names that
//! are made up here, or hold what a terminal takes for a command. What is told is never the same for two functions, and
//! never more than a name.

use super::string;
use crate::wasm::program::Program;
use crate::wasm::types::{FUNC_PREFIX, ValType, Value};
use std::collections::HashMap;

/// The names of a program's functions, looked up once.
pub struct Names<'a> {
    given: Vec<Name<'a>>,
    /// The functions that are the only ones of their names.
    unique: HashMap<&'a str, u32>,
}

#[derive(Clone)]
enum Name<'a> {
    /// It has none, and is referred to by its index.
    None,
    /// It is the only one of this name.
    Unique(&'a str),
    /// Another has the name too, or it is empty: kept, but no way to refer to it.
    Ambiguous(&'a str),
}

impl<'a> Names<'a> {
    /// The names that a program gives.
    pub fn new(program: &'a Program) -> Self {
        let mut times: HashMap<&str, u32> = HashMap::new();
        program.names.iter().for_each(|(_, name)| *times.entry(name).or_default() += 1);
        let mut given = vec![Name::None; program.funcs.len()];
        let mut unique = HashMap::new();
        for (index, name) in &program.names {
            given[*index as usize] = if !name.is_empty() && times[name.as_str()] == 1 {
                unique.insert(name.as_str(), *index);
                Name::Unique(name)
            } else {
                Name::Ambiguous(name)
            };
        }
        Self { given, unique }
    }

    /// How the text refers to a function.
    pub(super) fn reference(&self, func: u32) -> String {
        match self.given[func as usize] {
            Name::Unique(name) => string::identifier(name),
            Name::None | Name::Ambiguous(_) => func.to_string(),
        }
    }

    /// What stands where a function is defined, with its own space in front.
    pub(super) fn definition(&self, func: u32) -> String {
        match self.given[func as usize] {
            Name::None => format!(" (;{func};)"),
            Name::Unique(name) => format!(" {} (;{func};)", string::identifier(name)),
            Name::Ambiguous(name) => format!(" (@name {}) (;{func};)", string::literal(name.as_bytes())),
        }
    }

    /// A function as people are told of it: by its name, or else by its index: `$fib`, `$f3`. Where a name that is given
    /// looks like that of an index, the other has a `_` behind it.
    pub fn func(&self, func: u32) -> String {
        if let Some(Name::Unique(name)) = self.given.get(func as usize) {
            return string::identifier(name);
        }
        let mut made_up = format!("{FUNC_PREFIX}{func}");
        while self.unique.contains_key(&made_up[1..]) {
            made_up.push('_');
        }
        made_up
    }

    /// A value as people are told of it: as [`Value::text`], but a function as [`Names::func`].
    pub fn value(&self, value: Value) -> String {
        match value.ty {
            ValType::FuncRef if value.bits != 0 => self.func(value.bits as u32 - 1),
            _ => value.text(),
        }
    }
}
