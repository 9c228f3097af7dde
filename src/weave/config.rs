//! Owns what a user can ask of the woven programs, with every default, and checks that it makes sense.
//!
//! Must not know files: `run::preset` reads them and says where a mistake stands.

use super::action::{self, MAX_FUNCS, MAX_GLOBALS, MAX_LABELS, MAX_LOCALS};
use super::budget::smallest_program;
use crate::wasm::isa::{Category, Op};
use serde::{Deserialize, Serialize};

/// Bounds with both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Reached where it is possible: finishing is masked until then.
    #[serde(default)]
    pub min: u32,
    /// Never passed.
    pub max: u32,
}

/// What programs may contain and how big they may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeaveConfig {
    /// Bytes of the encoded module, custom sections excluded (the original's ByteCodeSizeConstraint).
    pub bytes: Bounds,
    /// Fuel of the whole run, as wasmtime counts it (the original's FuelConstraint).
    pub fuel: Bounds,
    /// Only these instructions, categories or name tokens; empty: all. `end` and the constants are always allowed,
    /// since without them no block could be closed.
    pub allow: Vec<String>,
    /// Not these instructions, categories or name tokens (`load` forbids `i32.load8_s` and all others with that word).
    pub forbid: Vec<String>,
    /// Sizes of parts.
    pub limits: Limits,
}

/// Sizes of the parts of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Functions, the exported one included.
    pub functions: u32,
    /// Locals of one function, parameters included.
    pub locals: u32,
    /// Globals.
    pub globals: u32,
    /// Blocks around each other within one function.
    pub nesting: u32,
    /// Operands of one block.
    pub stack: u32,
    /// Instructions in one stretch of code that is never executed; then it is closed.
    pub dead: u32,
    /// Results of the exported function: at most 1.
    pub results: u32,
}

impl Default for WeaveConfig {
    fn default() -> Self {
        Self {
            bytes: Bounds { min: 0, max: 1000 },
            fuel: Bounds { min: 0, max: 50 },
            allow: Vec::new(),
            forbid: Vec::new(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { functions: 3, locals: 8, globals: 4, nesting: 4, stack: 8, dead: 6, results: 0 }
    }
}

/// A setting that makes no sense, with the path of its key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WeaveConfigError {
    /// Keys from the top, `["fuel", "min"]`.
    pub path: Vec<&'static str>,
    /// What is wrong and what to do.
    pub message: String,
}

impl WeaveConfig {
    /// Checks that the settings fit each other and the weaver.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), WeaveConfigError> {
        check_bounds("bytes", self.bytes)?;
        check_bounds("fuel", self.fuel)?;
        for (key, max, least) in [("bytes", self.bytes.max, smallest_program()), ("fuel", self.fuel.max, 1)] {
            if max < least {
                let message = format!("no program fits: {key}.max is {max}, and the smallest program takes {least}");
                return Err(WeaveConfigError { path: vec![key, "max"], message });
            }
        }
        let limits = &self.limits;
        let ranges = [
            ("functions", limits.functions, 1, MAX_FUNCS),
            ("locals", limits.locals, 1, MAX_LOCALS),
            ("globals", limits.globals, 0, MAX_GLOBALS),
            ("nesting", limits.nesting, 0, MAX_LABELS - 1),
            ("stack", limits.stack, 2, 64),
            ("dead", limits.dead, 0, 1000),
            ("results", limits.results, 0, 1),
        ];
        for (key, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                let message = format!("limits.{key} is {value}; it must be between {low} and {high}");
                return Err(WeaveConfigError { path: vec!["limits", key], message });
            }
        }
        for (key, names) in [("allow", &self.allow), ("forbid", &self.forbid)] {
            if let Some(name) = names.iter().find(|name| !Op::ALL.iter().any(|&op| named(op, name))) {
                let message = format!(
                    "{key} names `{name}`, which is no instruction, no category and no part of an instruction's name"
                );
                return Err(WeaveConfigError { path: vec![key], message });
            }
        }
        Ok(())
    }

    /// The instructions that may be placed.
    pub fn instructions(&self) -> action::ActionSet {
        let mut set = action::ActionSet::default();
        Op::ALL.iter().copied().filter(|&op| self.allows(op)).for_each(|op| set.insert(action::Action::Instr(op)));
        set
    }

    fn allows(&self, op: Op) -> bool {
        if op == Op::End || op.row().category == Category::Const || op == Op::Drop {
            return true;
        }
        let allowed = self.allow.is_empty() || self.allow.iter().any(|name| named(op, name));
        op != Op::Else && allowed && !self.forbid.iter().any(|name| named(op, name))
    }
}

fn check_bounds(key: &'static str, bounds: Bounds) -> Result<(), WeaveConfigError> {
    if bounds.min <= bounds.max {
        return Ok(());
    }
    let message =
        format!("{key}.min is {} and {key}.max is {}: the minimum is above the maximum", bounds.min, bounds.max);
    Err(WeaveConfigError { path: vec![key, "min"], message })
}

/// Whether a name means this instruction. The name of an instruction means that one alone (`br` is not `br_if`); any
/// other name is a category, or a word of the mnemonic, which `.` and `_` separate, with its digits or without
/// (`load` means `i32.load8_s` too).
fn named(op: Op, name: &str) -> bool {
    if Op::parse(name).is_some() {
        return op.mnemonic() == name;
    }
    op.row().category.name() == name
        || op.mnemonic().split(['.', '_']).any(|word| word == name || word.trim_end_matches(char::is_numeric) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(yaml: &str) -> WeaveConfig {
        serde_yaml::from_str(yaml).expect("valid settings")
    }

    #[test]
    fn names_are_mnemonics_categories_or_words() {
        assert!(named(Op::I32Load8S, "load") && named(Op::I32Load8S, "i32.load8_s") && named(Op::I32Load8S, "i32"));
        assert!(named(Op::I64Extend32S, "extend") && named(Op::Br, "br") && named(Op::BrIf, "br_if"));
        assert!(!named(Op::BrIf, "br") && named(Op::If, "if") && named(Op::F32Add, "float arithmetic"));
    }

    #[test]
    fn forbidding_a_word_forbids_all_that_have_it() {
        let set = config("forbid: [load, store, block]").instructions();
        assert!(!set.contains(action::Action::Instr(Op::F64Load)) && !set.contains(action::Action::Instr(Op::Block)));
        assert!(set.contains(action::Action::Instr(Op::I32Add)) && set.contains(action::Action::Instr(Op::End)));
        let only = config("allow: [int arithmetic]").instructions();
        assert!(only.contains(action::Action::Instr(Op::I64Mul)) && !only.contains(action::Action::Instr(Op::F32Mul)));
        assert!(only.contains(action::Action::Instr(Op::F32Const)));
    }

    #[test]
    fn nonsense_is_named() {
        let path = |yaml: &str| config(yaml).check().map_err(|error| error.path);
        assert_eq!(path("{}"), Ok(()));
        assert_eq!(path("fuel: {min: 9, max: 5}"), Err(vec!["fuel", "min"]));
        assert_eq!(path("bytes: {max: 20}"), Err(vec!["bytes", "max"]));
        assert_eq!(path("fuel: {max: 0}"), Err(vec!["fuel", "max"]));
        assert_eq!(path("limits: {locals: 99}"), Err(vec!["limits", "locals"]));
        assert_eq!(path("forbid: [i32.ad]"), Err(vec!["forbid"]));
    }
}
