//! Owns parts of suites that hold programs instead of weaving them: their recipes are read, and each is rebuilt once.
//!
//! Must not know who wove them. A trained policy samples by floating-point sums, which may differ between machines; what
//! it chose is kept, and replaying needs no network.

use super::Part;
use crate::item::record::Recipe;
use crate::run::jsonl::{self, LineError};
use crate::run::yaml::{ConfigError, Position};
use crate::wasm::machine::Machine;
use crate::wasm::rerun::Execution;
use crate::weave::canon::{Coverage, Covering, canonical};
use crate::weave::recipe::{Replayer, rebuild};
use crate::weave::weaver::Weaver;
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// The programs of one part.
#[derive(Debug)]
pub(super) struct Pool {
    /// Weaves them again.
    pub(super) replayer: Arc<Replayer>,
    /// Their canonical forms.
    pub(super) forms: HashSet<String>,
}

impl Pool {
    /// The programs of a part, if it has some of its own.
    ///
    /// # Errors
    /// A recipe that cannot be read or does not rebuild, with its line.
    pub(super) fn of(part: &Part) -> Result<Option<Self>, ConfigError> {
        let Some(path) = &part.recipes else { return Ok(None) };
        let loom = part.loom()?;
        let (mut recipes, mut forms, mut machine) = (Vec::new(), HashSet::new(), Machine::default());
        for (at, row) in read(path)?.into_iter().enumerate() {
            let wrong = |what: String, todo: &str| {
                let position = Some(Position { line: at + 1, column: 1 });
                ConfigError { path: path.clone(), position, what, todo: todo.into() }
            };
            let recipe = recipe(row).map_err(|error| {
                wrong(format!("is no recipe: {error}"), "write lines as `harness generate --format recipes` does")
            })?;
            let Recipe { generator, seed, actions } = recipe;
            let weaver = rebuild(loom.clone(), &generator, seed, &actions).map_err(|error| {
                wrong(error.to_string(), "give the part the preset and level that they were made with")
            })?;
            forms.insert(form(&weaver, &mut machine));
            recipes.push((seed, actions));
        }
        if recipes.is_empty() {
            return Err(ConfigError::whole(path, "there are no recipes in it", "write one a line"));
        }
        Ok(Some(Self { replayer: Arc::new(Replayer::new(recipes)), forms }))
    }
}

/// The lines of a file.
fn read(path: &Path) -> Result<Vec<Value>, ConfigError> {
    let lines = jsonl::read::<Value>(path).map_err(|error| match error {
        LineError::Line { path, line, source } => {
            let position = Some(Position { line, column: source.column().max(1) });
            ConfigError { path, position, what: format!("is no JSON: {source}"), todo: "mend the line".into() }
        }
        LineError::Read { source, .. } => {
            ConfigError::whole(path, format!("cannot be read: {source}"), "name a file with one recipe a line")
        }
        other => ConfigError::whole(path, other.to_string(), "name another file"),
    })?;
    match lines.cut {
        Some(cut) => Err(ConfigError::whole(path, cut.to_string(), "take the line out, or write the file again")),
        None => Ok(lines.rows),
    }
}

/// The recipe that a line is, or has: lines of data sets and of runs have one.
fn recipe(row: Value) -> serde_json::Result<Recipe> {
    match row {
        Value::Object(mut fields) if fields.contains_key("recipe") => {
            serde_json::from_value(fields.remove("recipe").unwrap_or_default())
        }
        other => serde_json::from_value(other),
    }
}

fn form(weaver: &Weaver, machine: &mut Machine) -> String {
    let (program, entry) = (weaver.program(), weaver.entry());
    let mut covering = Covering { program, coverage: Coverage::default() };
    let limit = u64::from(weaver.config().fuel.max);
    Execution { machine, program, entry, fuel_limit: limit }.run(&mut covering).expect("it ran while it was rebuilt");
    canonical(program, entry, &covering.coverage)
}
