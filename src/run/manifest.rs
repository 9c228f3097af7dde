//! Owns the manifest: everything needed to repeat a run, written when it starts and again when it ends.
//!
//! Must not know what the config means; it is kept resolved, as YAML. A manifest that still says `running` belongs to a
//! run that is going on or was killed. How far its files go, and a hash of what cannot change after the beginning, stand at
//! its end, so that damage is found out before anybody trusts a figure. Who means to deceive can make them anew.

use super::clock::Stamp;
use super::command;
use super::dir::{DirError, RunDir, write_whole};
use super::extent::{Damage, Extent};
use super::jsonl::LineError;
use super::shard::Shard;
use super::yaml::{ConfigError, YamlFile};
use crate::ask::judge::Strictness;
use crate::ask::models::Prices;
use crate::item::record::{SCHEMA_VERSION, Task};
use serde::{Deserialize, Serialize};
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The key under which a request says how near a float must come to the truth, where that is not exactly.
pub const FLOAT_TOLERANCE: &str = "float_tolerance";
/// The key of the hash of everything else but [`LIVELY`].
const SEAL: &str = "seal";
/// What depends on when a run goes on, on what machine and how far; a part and the whole differ in nothing else.
const LIVELY: [&str; 6] = ["status", "started", "finished", "seconds", "command", SEAL];

/// What decides the records of a run: two runs with equal plans ask the same questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What was run: `attack`, `eval`, ...
    pub verb: String,
    /// The seed that everything random comes from.
    pub seed: u64,
    /// Who chose the programs; `None` where nobody chooses.
    pub strategy: Option<String>,
    /// The preset.
    pub preset: Preset,
    /// The prompt; `None` where nothing is asked.
    pub prompt: Option<Prompt>,
    /// The model asked for; `None` where nothing is asked.
    pub model: Option<String>,
    /// Hash of the trained policy that it began with, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Everything that goes into a request beside the prompt: temperature, token limit, reasoning effort, base URL, ...
    pub request: Value,
    /// Requests that may be spent.
    pub query_budget: Option<u64>,
    /// What is evaluated, of an evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Evaluation>,
}

/// What an evaluation asks, and whom. Its preset is the suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// What of the suite is asked: tasks (all, if there are none) and items of each at most.
    pub tasks: Vec<Task>,
    /// Items of each task at most.
    pub limit: Option<u64>,
    /// How often each item is asked.
    pub epochs: u32,
    /// Who is asked.
    pub models: Vec<Examinee>,
    /// How each task is asked.
    pub prompts: Vec<Prompt>,
    /// The model against which the items were chosen: they are no measure of it. `None` for neutral ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_against: Option<String>,
    /// The part of the items that is asked, where the work is split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// A model under evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Examinee {
    /// Its full name.
    pub name: String,
    /// As [`Plan::request`].
    pub request: Value,
    /// What it costs, if that is known; nothing for those that answer within this program.
    pub prices: Option<Prices>,
}

impl Examinee {
    /// How exactly its replies are held against the truth.
    pub fn strictness(&self) -> Strictness {
        Strictness { float_tolerance: self.request.get(FLOAT_TOLERANCE).and_then(Value::as_f64) }
    }
}

/// A preset as it was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Its name or file.
    pub name: String,
    /// Every setting, defaults included.
    pub config: Value,
}

/// A prompt as it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// `stack.v1`.
    pub name: String,
    /// Hash of its text.
    pub hash: String,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Going on, or killed.
    Running,
    /// Ended by itself.
    Complete,
    /// Stopped by the user or an error, with everything written so far.
    Interrupted,
}

/// `manifest.yaml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the files in the directory: [`SCHEMA_VERSION`].
    pub schema: u32,
    /// Version of this program.
    pub wasmweaver: String,
    /// Git commit that the program was built from, where the build was told (`WASMWEAVER_COMMIT`).
    pub commit: Option<String>,
    /// How far it came.
    pub status: Status,
    /// When it started.
    pub started: Stamp,
    /// When it ended.
    pub finished: Option<Stamp>,
    /// How long it took; of a run that was resumed, all parts that ended by themselves.
    pub seconds: Option<f64>,
    /// The command line, without secrets.
    pub command: Vec<String>,
    /// What decides the records.
    #[serde(flatten)]
    pub plan: Plan,
    /// Requests at once; noted, though no record depends on it.
    pub max_connections: u32,
    /// Date of the price table that costs were reckoned with.
    pub price_table_date: Option<String>,
    /// What the model of an attack costs, if that is known; those of an evaluation stand in its plan. Prices change: a run is
    /// reckoned by those of its day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
    /// The model that the provider says has answered; known at the end.
    pub model_returned: Option<String>,
    /// How many items are asked, of an evaluation; known once they are woven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u64>,
    /// Their fingerprint: equal for two evaluations exactly when their items are. A part has that of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// How far the files of the run go that hold what it found, by their names. None in runs of before this was noted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Extent>,
}

/// A manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is none.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It is not what the run wrote.
    #[error("{0}")]
    Damaged(#[from] Damage),
}

impl Manifest {
    /// The manifest of a run that starts now. `args` are those of the process; secrets in them are not kept.
    pub fn begin<I: IntoIterator<Item = String>>(plan: Plan, args: I, max_connections: u32, started: Stamp) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            wasmweaver: env!("CARGO_PKG_VERSION").into(),
            commit: option_env!("WASMWEAVER_COMMIT").map(Into::into),
            status: Status::Running,
            started,
            finished: None,
            seconds: None,
            command: command::without_secrets(args),
            plan,
            max_connections,
            price_table_date: None,
            prices: None,
            model_returned: None,
            items: None,
            fingerprint: None,
            files: BTreeMap::new(),
        }
    }

    /// Notes how far these files go, those of them that are there.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn note<'p>(&mut self, files: impl IntoIterator<Item = &'p Path>) -> Result<(), LineError> {
        for path in files.into_iter().filter(|path| path.exists()) {
            self.files.insert(name(path), Extent::of(path)?);
        }
        Ok(())
    }

    /// Forgets how far a file goes that will be written anew.
    pub fn forget(&mut self, path: &Path) {
        self.files.remove(&name(path));
    }

    /// How far a file goes, where that was noted.
    pub fn extent(&self, path: &Path) -> Option<&Extent> {
        self.files.get(&name(path))
    }

    /// What one of its models costs, if that is known.
    pub fn prices_of(&self, model: Option<&str>) -> Option<&Prices> {
        let mut examinees = self.plan.evaluation.iter().flat_map(|evaluation| &evaluation.models);
        match examinees.find(|examinee| Some(examinee.name.as_str()) == model) {
            Some(examinee) => examinee.prices.as_ref(),
            None => self.prices.as_ref().filter(|_| model == self.plan.model.as_deref()),
        }
    }

    /// Notes the end of the run.
    pub fn end(&mut self, status: Status, finished: Stamp, took: Duration) {
        self.status = status;
        self.finished = Some(finished);
        // To the millisecond: more digits would only pretend.
        let took = (took.as_secs_f64() * 1000.0).round() / 1000.0;
        self.seconds = Some(self.seconds.unwrap_or(0.0) + took);
    }

    /// Equal for two runs exactly when they ask the same questions of the same model in the same way, up to what the
    /// clock, the network and other people's machines do. Takes in neither connections, command line nor times.
    pub fn identity(&self) -> String {
        let Plan { preset, prompt, .. } = &self.plan;
        // The names of preset and prompt are labels: what is in them decides.
        let labelless = Plan {
            preset: Preset { name: String::new(), ..preset.clone() },
            prompt: prompt.clone().map(|prompt| Prompt { name: String::new(), ..prompt }),
            ..self.plan.clone()
        };
        let text = yaml(&(self.schema, &self.wasmweaver, labelless));
        blake3::hash(text.as_bytes()).to_hex().as_str()[..32].to_owned()
    }

    /// What of the plan, or of the program, is not the same in another one, by its keys: `evaluation.models.0.prices`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let plan = |manifest: &Self| serde_yaml::to_value(&manifest.plan).expect("plain data");
        let mut differ = Vec::new();
        differing("", &plan(self), &plan(other), &mut differ);
        if self.wasmweaver != other.wasmweaver {
            differ.push(format!("wasmweaver {}, which wrote it,", self.wasmweaver));
        }
        differ
    }

    /// Writes it into its directory, in place of the one there.
    pub fn write(&self, dir: &RunDir) -> Result<(), DirError> {
        let text = yaml(self);
        let sealed = seal(&text).map_or(String::new(), |seal| format!("{SEAL}: {seal}\n"));
        write_whole(&dir.manifest(), &(text + &sealed))
    }

    /// Reads that of a run.
    ///
    /// # Errors
    /// If it is none, a later version wrote it, or it is not what the run wrote.
    pub fn read(dir: &RunDir) -> Result<Self, ManifestError> {
        let path = dir.manifest();
        let file = YamlFile::read(&path)?;
        let manifest: Self = file.parse()?;
        let sealed: Sealed = file.parse()?;
        if sealed.seal.is_some() && sealed.seal != seal(file.text()) {
            let what = "it was changed since the run wrote it: its seal does not fit".into();
            return Err(Damage { path, line: None, what }.into());
        }
        if manifest.schema == 0 {
            let todo = "the first was 1: take the file from a copy of the run";
            return Err(file.at(&["schema"], "no version has the number 0", todo).into());
        }
        if manifest.schema > SCHEMA_VERSION {
            let what = format!("{} is newer than this program's {SCHEMA_VERSION}", manifest.schema);
            let todo = format!("use wasmweaver {} or later", manifest.wasmweaver);
            return Err(file.at(&["schema"], &what, &todo).into());
        }
        Ok(manifest)
    }
}

/// What of a manifest says whether the rest was changed.
#[derive(Deserialize)]
struct Sealed {
    #[serde(default)]
    seal: Option<String>,
}

/// Adds the keys below `path` at which two values are not the same.
fn differing(path: &str, mine: &serde_yaml::Value, other: &serde_yaml::Value, differ: &mut Vec<String>) {
    use serde_yaml::Value::{Mapping, Null, Sequence};
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (mine, other) {
        (Mapping(mine), Mapping(other)) => {
            let missing = other.keys().filter(|key| !mine.contains_key(*key));
            for key in mine.keys().chain(missing) {
                let of = |map: &serde_yaml::Mapping| map.get(key).cloned().unwrap_or(Null);
                differing(&below(key.as_str().unwrap_or("?")), &of(mine), &of(other), differ);
            }
        }
        (Sequence(mine), Sequence(other)) if mine.len() == other.len() => {
            let both = mine.iter().zip(other).enumerate();
            both.for_each(|(at, (mine, other))| differing(&below(&at.to_string()), mine, other, differ));
        }
        _ if mine != other => differ.push(path.to_owned()),
        _ => {}
    }
}

/// The hash of what a manifest holds, as it stands in the file: keys that a later version adds are in it too.
fn seal(text: &str) -> Option<String> {
    let Ok(Value::Mapping(mut all)) = serde_yaml::from_str(text) else { return None };
    all.retain(|key, _| !key.as_str().is_some_and(|key| LIVELY.contains(&key)));
    Some(blake3::hash(yaml(&all).as_bytes()).to_hex()[..32].to_owned())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn yaml<T: Serialize>(value: &T) -> String {
    serde_yaml::to_string(value).expect("plain data with text keys is always YAML")
}

#[cfg(test)]
pub(crate) mod tests;
