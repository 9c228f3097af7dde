//! Owns suites: presets at levels with counts, under a name and a version. With a seed a suite names the same items on
//! every machine.
//!
//! Must not know who is asked. A suite that is given by name comes from the program itself, with its presets, whatever
//! lies in the folder: `standard@1` is to be the same anywhere. Golden fingerprints freeze what shipped suites weave;
//! a change that would alter it makes a new version.

mod kept;
mod recipes;
mod weave;

#[cfg(test)]
mod tests;

pub use kept::Shelf;
pub use weave::{Fingerprint, Items, Select, SuiteItem, WeaveError, Workers, fingerprint};

use super::level::AS_WRITTEN;
use super::preset::Preset;
use super::yaml::{ConfigError, YamlFile, is_path, nearest};
use crate::item::record::Task;
use crate::weave::weaver::Loom;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name and text of each suite that the binary carries.
const SHIPPED: [(&str, &str); 3] = [
    ("smoke", include_str!("../../policies/suites/smoke.yaml")),
    ("standard", include_str!("../../policies/suites/standard.yaml")),
    ("hard", include_str!("../../policies/suites/hard.yaml")),
];
/// Where suites lie.
const FOLDER: &str = "policies/suites";

/// Which items there are, but for the seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suite {
    /// What it is called.
    pub name: String,
    /// Raised whenever the same seed names other items; 0 for one that is made up on the command line.
    pub version: u32,
    /// What it is for, in a few words.
    pub description: String,
    /// Its items, in this order.
    pub parts: Vec<Part>,
}

/// Items of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// What is asked.
    pub task: Task,
    /// The preset, as it is named in the suite.
    pub preset: String,
    /// The difficulty, 1 to 5.
    pub level: u8,
    /// How many.
    pub items: u64,
    /// The recipes of the programs, where they are not woven anew: JSON lines that are recipes or have one each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipes: Option<PathBuf>,
    /// The preset with its task and level.
    #[serde(skip)]
    pub settings: Preset,
}

impl Part {
    /// What weaves its programs.
    ///
    /// # Errors
    /// If the preset does not work at this level.
    pub fn loom(&self) -> Result<Arc<Loom>, ConfigError> {
        self.settings.loom().map_err(|error| ConfigError {
            path: self.preset.clone().into(),
            position: None,
            what: format!("does not work at level {}: {error}", self.level),
            todo: "change it, or name another level".into(),
        })
    }
}

/// A suite as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    version: u32,
    #[serde(default)]
    description: String,
    parts: Vec<WrittenPart>,
}

/// One of its parts. Without a task it is that of the preset, and the other way round.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPart {
    task: Option<Task>,
    preset: Option<String>,
    #[serde(default = "as_written")]
    level: u8,
    items: u64,
    recipes: Option<PathBuf>,
}

fn as_written() -> u8 {
    AS_WRITTEN
}

impl Suite {
    /// The suite that is carried under this name, `standard` or `standard@1`, or that stands in this file.
    ///
    /// # Errors
    /// A [`ConfigError`]: no such suite or another version of it, or a mistake with its file and line.
    pub fn load(name: &str) -> Result<Self, ConfigError> {
        let (base, version) = match name.rsplit_once('@') {
            // The folders of a path may have such a sign in their names.
            Some((base, version)) if !version.contains(['/', '\\', '.']) => (base, Some(version)),
            _ => (name, None),
        };
        let is_path = is_path(base);
        let suite = match SHIPPED.iter().find(|(shipped, _)| *shipped == base) {
            _ if is_path => Self::of_file(&YamlFile::read(Path::new(base))?, Some(Path::new(base)))?,
            Some((_, text)) => Self::of_file(&YamlFile::from_text(&carried(base), text), None)?,
            None => return Err(unknown(base)),
        };
        match version {
            Some(version) if version.parse() != Ok(suite.version) => Err(other_version(&suite, base, version)),
            _ => Ok(suite),
        }
    }

    /// Every suite that the program carries.
    ///
    /// # Panics
    /// If one of them is unsound, which a test excludes.
    pub fn shipped() -> Vec<Self> {
        SHIPPED.iter().map(|(name, _)| Self::load(name).expect("a test loads each")).collect()
    }

    /// A suite for the occasion: so many items of each of these (different) tasks by one preset. Without a preset each task has its own, and
    /// without tasks there is that of the preset, which is `stack` if there is none either.
    ///
    /// # Errors
    /// As [`Preset::load`].
    pub fn of_preset(preset: Option<&str>, tasks: &[Task], level: u8, items: u64) -> Result<Self, ConfigError> {
        let wanted: Vec<Option<Task>> =
            if tasks.is_empty() { vec![None] } else { tasks.iter().copied().map(Some).collect() };
        let part = |task: Option<Task>| {
            let name = preset.or(task.map(Task::name)).unwrap_or(Task::Stack.name());
            Ok(Part::new(name, Preset::load(name)?, task, level, items))
        };
        let parts = wanted.into_iter().map(part).collect::<Result<Vec<_>, ConfigError>>()?;
        let stem = |name: &str| Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = preset.and_then(stem).unwrap_or_else(|| "tasks".into());
        Ok(Self { name, version: 0, description: "made up on the command line".into(), parts })
    }

    /// Name and version, `standard@1`; the name alone of one that has no version.
    pub fn label(&self) -> String {
        if self.version == 0 { self.name.clone() } else { format!("{}@{}", self.name, self.version) }
    }

    /// The items of each task, in the order in which tables show tasks.
    pub fn counts(&self) -> Vec<(Task, u64)> {
        let of = |task: Task| self.parts.iter().filter(move |part| part.task == task).map(|part| part.items).sum();
        let counts = Task::ALL.iter().map(|&task| (task, of(task)));
        counts.filter(|(_, items)| *items > 0).collect()
    }

    /// Reads one; `beside` is the file that presets and recipes are looked for beside.
    fn of_file(file: &YamlFile, beside: Option<&Path>) -> Result<Self, ConfigError> {
        let Written { name, version, description, parts } = file.parse()?;
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if !plain {
            return Err(file.at(&["name"], &format!("`{name}` is no name"), "use letters, digits, - and _"));
        }
        if version == 0 {
            return Err(file.at(&["version"], "versions begin at 1", "write 1"));
        }
        if parts.is_empty() {
            return Err(file.at(
                &["parts"],
                "there are none",
                "write at least one, as in `- {task: stack, items: 10}`",
            ));
        }
        let parts =
            parts.into_iter().enumerate().map(|(at, part)| part.read(file, at, beside)).collect::<Result<_, _>>()?;
        Ok(Self { name, version, description, parts })
    }
}

impl Part {
    fn new(name: &str, mut preset: Preset, task: Option<Task>, level: u8, items: u64) -> Self {
        preset.task = task.unwrap_or(preset.task);
        let settings = preset.at_level(level);
        Self { task: settings.task, preset: name.into(), level, items, recipes: None, settings }
    }
}

impl WrittenPart {
    fn read(self, file: &YamlFile, at: usize, beside: Option<&Path>) -> Result<Part, ConfigError> {
        let Self { task, preset, level, items, recipes } = self;
        let number = at.to_string();
        let wrong = |key: &str, what: &str, todo: &str| file.at(&["parts", &number, key], what, todo);
        if !(1..=5).contains(&level) {
            return Err(wrong("level", &format!("there is no level {level}"), "write one from 1 to 5"));
        }
        if items == 0 {
            return Err(wrong("items", "a part without items", "write how many, or take it out"));
        }
        let Some(name) = preset.or(task.map(|task| task.name().to_owned())) else {
            let todo = "write `task: stack` or `preset: NAME`";
            return Err(file.at(&["parts", &number], "a part with neither task nor preset", todo));
        };
        let place = |path: &Path| beside.and_then(Path::parent).unwrap_or(Path::new("")).join(path);
        let loaded = match beside {
            None => Preset::shipped(&name),
            Some(_) if is_path(&name) => Preset::load(&place(Path::new(&name)).to_string_lossy()),
            Some(_) => Preset::load(&name),
        };
        // A mistake within the preset has its own line; that there is none is a mistake here.
        let preset = loaded.map_err(|error| match error.position {
            Some(_) => error,
            None => wrong("preset", &format!("{}: {}", error.path.display(), error.what), &error.todo),
        })?;
        let mut part = Part::new(&name, preset, task, level, items);
        part.recipes = recipes.map(|path| place(&path));
        Ok(part)
    }
}

/// Where a suite that the program carries stands in its sources.
fn carried(name: &str) -> PathBuf {
    Path::new(FOLDER).join(format!("{name}.yaml"))
}

fn unknown(name: &str) -> ConfigError {
    let names = SHIPPED.map(|(name, _)| name);
    let near = nearest(name, names).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    let todo = format!("{near}there are {}, or name a file", names.join(", "));
    ConfigError::whole(Path::new(name), "there is no such suite", todo)
}

fn other_version(suite: &Suite, base: &str, version: &str) -> ConfigError {
    let what = format!("there is no version {version} of it here, only {}", suite.version);
    let todo = format!(
        "ask for {base}@{}, or use the release of this program that has {}@{version}; scores on different versions do not compare",
        suite.version, suite.name
    );
    ConfigError::whole(Path::new(base), what, todo)
}
