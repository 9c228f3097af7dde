//! Owns what a user can ask of the woven programs, with every default, and checks that it makes sense.
//!
//! Must not know files: `run::preset` reads them and says where a mistake stands.

use super::action::{self, ActionSet, MAX_FUNCS, MAX_GLOBALS, MAX_LABELS, MAX_LOCALS, MAX_RESULTS, MAX_TABLES};
use super::budget::smallest_program;
use super::imports::Imports;
use crate::wasm::isa::{Category, Op, Proposal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Operands of one block that a preset may allow.
pub const MAX_STACK: u32 = 64;

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

/// A part of WebAssembly that a preset can switch on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// `i32.extend8_s` and the like.
    SignExtension,
    /// `i32.trunc_sat_f32_s` and the like.
    SaturatingFloatToInt,
    /// Blocks with parameters, and more than one result.
    MultiValue,
    /// Stretches of memory and tables at once.
    BulkMemory,
    /// References as values, and tables that change.
    ReferenceTypes,
    /// Vectors.
    Simd,
    /// Calls that replace their caller. Not part of WebAssembly 2.0.
    TailCall,
}

impl Feature {
    /// What an instruction needs to be switched on.
    fn needed(op: Op) -> Option<Self> {
        Some(match op.row().proposal {
            Proposal::Mvp => return None,
            Proposal::SignExtension => Self::SignExtension,
            Proposal::SaturatingFloatToInt => Self::SaturatingFloatToInt,
            Proposal::BulkMemory => Self::BulkMemory,
            Proposal::ReferenceTypes => Self::ReferenceTypes,
            Proposal::Simd => Self::Simd,
            Proposal::TailCall => Self::TailCall,
        })
    }
}

/// What programs may contain and how big they may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeaveConfig {
    /// Bytes of the encoded module, custom sections excluded (the original's ByteCodeSizeConstraint).
    pub bytes: Bounds,
    /// Fuel of the whole run, as wasmtime counts it (the original's FuelConstraint).
    pub fuel: Bounds,
    /// Cost of the whole run by `costs`, which must be given then (the original's ResponseTimeConstraint).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Bounds>,
    /// What one execution of an instruction costs, by the names that `allow` knows; the most exact name wins. An
    /// instruction that no name means costs nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub costs: BTreeMap<String, u32>,
    /// Parts of WebAssembly beyond its first version.
    pub features: Vec<Feature>,
    /// Only these instructions, categories or name tokens; empty: all. `end` and the constants are always allowed,
    /// since without them no block could be closed.
    pub allow: Vec<String>,
    /// Not these instructions, categories or name tokens (`load` forbids `i32.load8_s` and all others with that word).
    pub forbid: Vec<String>,
    /// Whether memory accesses may promise less alignment than is natural.
    pub unaligned: bool,
    /// What the module imports.
    pub imports: Imports,
    /// Sizes of parts.
    pub limits: Limits,
}

/// Sizes of the parts of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Functions, the exported one and imported ones included.
    pub functions: u32,
    /// Locals of one function, parameters included.
    pub locals: u32,
    /// Globals, imported ones included.
    pub globals: u32,
    /// Tables.
    pub tables: u32,
    /// Blocks around each other within one function.
    pub nesting: u32,
    /// Operands of one block.
    pub stack: u32,
    /// Instructions in one stretch of code that is never executed; then it is closed.
    pub dead: u32,
    /// Results of the exported function at least.
    pub min_results: u32,
    /// Results of the exported function at most.
    pub results: u32,
    /// How deep a recursive function may call itself; 0 for no recursion.
    pub recursion: u32,
}

impl Default for WeaveConfig {
    fn default() -> Self {
        use Feature::{BulkMemory, MultiValue, ReferenceTypes, SaturatingFloatToInt, SignExtension};
        Self {
            bytes: Bounds { min: 0, max: 1000 },
            fuel: Bounds { min: 0, max: 50 },
            time: None,
            costs: BTreeMap::new(),
            features: vec![SignExtension, SaturatingFloatToInt, MultiValue, BulkMemory, ReferenceTypes],
            allow: Vec::new(),
            forbid: Vec::new(),
            unaligned: false,
            imports: Imports::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            functions: 3,
            locals: 8,
            globals: 4,
            tables: 1,
            nesting: 4,
            stack: 8,
            dead: 6,
            min_results: 0,
            results: 0,
            recursion: 4,
        }
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

fn wrong(path: &[&'static str], message: String) -> Result<(), WeaveConfigError> {
    Err(WeaveConfigError { path: path.to_vec(), message })
}

impl WeaveConfig {
    /// Checks that the settings fit each other and the weaver.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), WeaveConfigError> {
        check_bounds("bytes", self.bytes)?;
        check_bounds("fuel", self.fuel)?;
        self.imports.check().map_err(|message| WeaveConfigError { path: vec!["imports"], message })?;
        self.check_limits()?;
        let results = self.limits.min_results;
        let least = [
            ("bytes", self.bytes.max, smallest_program(self.imports.bytes()) + 3 * results),
            ("fuel", self.fuel.max, 1 + results),
        ];
        for (key, max, least) in least {
            if max < least {
                let message = format!("no program fits: {key}.max is {max}, and the smallest program takes {least}");
                return wrong(&[key, "max"], message);
            }
        }
        for (key, names) in [("allow", &self.allow), ("forbid", &self.forbid)] {
            check_names(key, names.iter())?;
        }
        check_names("costs", self.costs.keys())?;
        self.check_time()
    }

    fn check_time(&self) -> Result<(), WeaveConfigError> {
        let Some(time) = self.time else { return Ok(()) };
        check_bounds("time", time)?;
        if self.costs.is_empty() {
            return wrong(&["time"], "time bounds what `costs` add up to, and no costs are given".into());
        }
        let least = self.cost_table().map_or(0, |costs| least_time(&costs, self.limits.min_results));
        if u64::from(time.max) < least {
            let message = format!("no program fits: time.max is {}, and the cheapest program takes {least}", time.max);
            return wrong(&["time", "max"], message);
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), WeaveConfigError> {
        let limits = &self.limits;
        let imported = self.imports.functions.len() as u32;
        let ranges = [
            ("functions", limits.functions, 1 + imported, MAX_FUNCS),
            ("locals", limits.locals, 1, MAX_LOCALS),
            ("globals", limits.globals, self.imports.globals.len() as u32, MAX_GLOBALS),
            ("tables", limits.tables, 0, MAX_TABLES),
            ("nesting", limits.nesting, 0, MAX_LABELS - 1),
            ("stack", limits.stack, 3, MAX_STACK),
            ("dead", limits.dead, 0, 1000),
            ("results", limits.results, 0, MAX_RESULTS),
            ("min_results", limits.min_results, 0, limits.results),
            ("recursion", limits.recursion, 0, 64),
        ];
        for (key, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                let message = format!("limits.{key} is {value}; it must be between {low} and {high}");
                return wrong(&["limits", key], message);
            }
        }
        if limits.min_results > 1 && !self.has(Feature::MultiValue) {
            let message =
                format!("limits.min_results is {}; more than one needs the feature multi_value", limits.min_results);
            return wrong(&["limits", "min_results"], message);
        }
        Ok(())
    }

    /// Whether a part of WebAssembly is on.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// The instructions that may be placed.
    pub fn instructions(&self) -> action::ActionSet {
        ActionSet::of_instructions(Op::ALL.iter().copied().filter(|&op| self.allows(op)))
    }

    fn allows(&self, op: Op) -> bool {
        if Feature::needed(op).is_some_and(|feature| !self.has(feature)) || op == Op::Else {
            return false;
        }
        if op == Op::End || op.row().category == Category::Const || op == Op::Drop {
            return true;
        }
        let allowed = self.allow.is_empty() || self.allow.iter().any(|name| named(op, name));
        allowed && !self.forbid.iter().any(|name| named(op, name))
    }

    /// What each instruction costs, by number; `None` where no costs are given.
    pub fn cost_table(&self) -> Option<Vec<u32>> {
        let cost = |op: &Op| {
            let mut best: Option<(u32, u32)> = None;
            for (name, &cost) in self.costs.iter().filter(|(name, _)| named(*op, name)) {
                let exactness = if op.mnemonic() == name { 2 } else { u32::from(op.row().category.name() != name) };
                if best.is_none_or(|(known, _)| exactness > known) {
                    best = Some((exactness, cost));
                }
            }
            best.map_or(0, |(_, cost)| cost)
        };
        (!self.costs.is_empty()).then(|| Op::ALL.iter().map(cost).collect())
    }
}

/// What a function costs, by this table, that does nothing but return so many results of the cheapest type.
pub(super) fn least_time(costs: &[u32], results: u32) -> u64 {
    let cost = |op: Op| u64::from(costs[op.index()]);
    let cheapest = [Op::I32Const, Op::I64Const, Op::F32Const, Op::F64Const].into_iter().map(cost).min().unwrap_or(0);
    cost(Op::End) + u64::from(results) * cheapest
}

fn check_bounds(key: &'static str, bounds: Bounds) -> Result<(), WeaveConfigError> {
    if bounds.min <= bounds.max {
        return Ok(());
    }
    let message =
        format!("{key}.min is {} and {key}.max is {}: the minimum is above the maximum", bounds.min, bounds.max);
    wrong(&[key, "min"], message)
}

fn check_names<'a>(key: &'static str, mut names: impl Iterator<Item = &'a String>) -> Result<(), WeaveConfigError> {
    match names.find(|name| !Op::ALL.iter().any(|&op| named(op, name))) {
        Some(name) => wrong(
            &[key],
            format!("{key} names `{name}`, which is no instruction, no category and no part of an instruction's name"),
        ),
        None => Ok(()),
    }
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
        assert_eq!(path("time: {max: 9}"), Err(vec!["time"]));
        assert_eq!(path("time: {max: 9}\ncosts: {i32: 2}"), Ok(()));
        assert_eq!(path("time: {max: 9}\ncosts: {end: 10}"), Err(vec!["time", "max"]));
        assert_eq!(path("features: []\nlimits: {min_results: 2, results: 3}"), Err(vec!["limits", "min_results"]));
        assert_eq!(path("costs: {i33: 2}"), Err(vec!["costs"]));
        assert_eq!(path("imports: {globals: [funcref]}"), Err(vec!["imports"]));
        assert_eq!(path("forbid: [i32.ad]"), Err(vec!["forbid"]));
    }

    #[test]
    fn the_most_exact_name_sets_the_cost() {
        let costs = config("costs: {i32: 2, int arithmetic: 1, i32.div_s: 20}").cost_table().expect("costs are given");
        let cost = |op: Op| costs[op.index()];
        assert_eq!((cost(Op::I32DivS), cost(Op::I32Add), cost(Op::I64Add), cost(Op::F32Add)), (20, 2, 1, 0));
        assert_eq!(config("{}").cost_table(), None);
    }
}
