//! Owns what the environments of one kind share: a preset with what the caller changed in it, made ready to weave.
//!
//! Must not know single environments. Kits are kept while they are in use, since what a question must not give away is
//! learned from thousands of programs first.

use crate::border::refuse;
use pyo3::prelude::*;
use serde::Deserialize;
use serde_yaml::Value;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use wasmweaver::item::record::Task;
use wasmweaver::item::source::ItemSource;
use wasmweaver::item::task::place::PARTS;
use wasmweaver::learn::episode::{Episode, Vocabulary};
use wasmweaver::learn::reward::WeavingReward;
use wasmweaver::learn::train::judge::Look;
use wasmweaver::run::preset::Preset;
use wasmweaver::weave::weaver::Loom;

/// What an environment is made of, as Python says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    preset: String,
    level: u8,
    /// Settings that take the place of the preset's, by section.
    settings: Value,
    /// Names that are forbidden besides the preset's.
    forbid: Vec<String>,
    /// What is asked about each finished program.
    tasks: Vec<Task>,
    reward: Reward,
    /// Latest actions behind the features of an observation.
    history: usize,
    /// Whether wasmtime confirms what is told.
    confirm: bool,
}

/// The rewards by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Reward {
    /// R_align + R_length, as in the original.
    #[serde(rename = "align+length")]
    AlignLength,
    /// R_align alone.
    #[serde(rename = "align")]
    Align,
    /// R_length alone.
    #[serde(rename = "length")]
    Length,
    /// The preset's `weaving_reward` without what needs a pool of programs.
    #[serde(rename = "trained")]
    Trained,
    /// Python's to say.
    #[serde(rename = "callable")]
    Callable,
}

impl Reward {
    /// What a finished program is paid.
    pub(crate) fn of(self, look: &Look, weights: &WeavingReward) -> f64 {
        match self {
            Self::AlignLength => look.align + look.length,
            Self::Align => look.align,
            Self::Length => look.length,
            Self::Trained => {
                let plain = f64::from(weights.align) * look.paid_align() + f64::from(weights.length) * look.length;
                plain + f64::from(weights.depth) * look.depth.unwrap_or(0.0)
            }
            Self::Callable => 0.0,
        }
    }
}

/// What environments of one kind share.
#[derive(Debug)]
pub(crate) struct Kit {
    pub(crate) preset: Preset,
    pub(crate) loom: Arc<Loom>,
    pub(crate) vocabulary: Arc<Vocabulary>,
    /// Where questions about finished programs come from, one for each task wanted.
    pub(crate) sources: Vec<ItemSource>,
    pub(crate) reward: Reward,
    pub(crate) history: usize,
    pub(crate) confirm: bool,
}

/// The kits in use, by the text that they were asked for with.
static KITS: Mutex<Vec<(String, Weak<Kit>)>> = Mutex::new(Vec::new());

impl Kit {
    /// The kit of these settings (JSON); the same one while it is in use.
    pub(crate) fn of(wanted: &str) -> PyResult<Arc<Self>> {
        let known = || KITS.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().iter().find(|(text, _)| text == wanted).and_then(|(_, kit)| kit.upgrade());
        if let Some(kit) = found {
            return Ok(kit);
        }
        // Not under the lock: it may take a second.
        let kit = Arc::new(Self::new(serde_json::from_str(wanted).map_err(refuse)?)?);
        let mut known = known();
        known.retain(|(_, kit)| kit.strong_count() > 0);
        known.push((wanted.to_owned(), Arc::downgrade(&kit)));
        Ok(kit)
    }

    fn new(wanted: Wanted) -> PyResult<Self> {
        let Wanted { tasks, reward, history, confirm, .. } = wanted;
        let preset = preset(&wanted.preset, wanted.level, wanted.settings, wanted.forbid)?;
        let loom = preset.loom().map_err(refuse)?;
        let source = |task| Preset { task, ..preset.clone() }.source(&loom);
        let sources: Vec<ItemSource> = tasks.into_iter().map(source).collect();
        let places = if sources.iter().any(|source| source.maker().places() > 0) { PARTS } else { 0 };
        let vocabulary = Arc::new(Vocabulary::new(&loom.config).with_places(places));
        Ok(Self { preset, loom, vocabulary, sources, reward, history, confirm })
    }

    /// Numbers in one observation.
    pub(crate) fn observation(&self) -> usize {
        Episode::OBSERVATION + self.history
    }
}

/// A preset at a level, with settings of the caller's in it.
pub(crate) fn preset(name: &str, level: u8, settings: Value, forbid: Vec<String>) -> PyResult<Preset> {
    if !(1..=5).contains(&level) {
        return Err(refuse(format!("there is no level {level}; give one from 1 to 5")));
    }
    let preset = Preset::load(name).map_err(refuse)?.at_level(level);
    let unchanged = forbid.is_empty() && settings.as_mapping().is_none_or(|settings| settings.is_empty());
    if unchanged {
        return Ok(preset);
    }
    let mut value = serde_yaml::to_value(&preset).map_err(refuse)?;
    merge(&mut value, settings);
    if let Some(known) = value["weave"]["forbid"].as_sequence_mut() {
        known.extend(forbid.into_iter().map(Value::from));
    }
    let text = serde_yaml::to_string(&value).map_err(refuse)?;
    Preset::from_text(Path::new(&format!("preset `{name}` with the settings given")), &text).map_err(refuse)
}

/// Puts settings in the place of those that stand there; sections are merged key by key.
fn merge(into: &mut Value, settings: Value) {
    match (into, settings) {
        (Value::Mapping(into), Value::Mapping(settings)) => {
            for (key, value) in settings {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, value) => *into = value,
    }
}
