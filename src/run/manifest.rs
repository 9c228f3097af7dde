//! Owns the manifest: everything needed to repeat a run, written when it starts and again when it ends.
//!
//! Must not know what the config means; it is kept resolved, as YAML. A manifest that still says `running` belongs to a
//! run that is going on or was killed. How far its files go, and a hash of what cannot change after the beginning,
//! stand at its end, so that damage is found before a figure is shown. A deceiver can make them anew.

mod v1;

use super::clock::Stamp;
use super::command;
use super::dir::{DirError, RunDir, write_whole};
use super::extent::{Damage, Extent};
use super::jsonl::LineError;
use super::plan::{Conditions, Plan};
use super::yaml::{ConfigError, YamlFile};
use crate::ask::models::Prices;
use serde::{Deserialize, Serialize};
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Version of a manifest. The first had the command line in place of a plan: `v1` reads it.
pub const MANIFEST_SCHEMA: u32 = 2;
/// The key of the hash of everything else but [`LIVELY`].
const SEAL: &str = "seal";
/// What depends on when a run goes on, on what machine and how far; a part and the whole differ in nothing else.
const LIVELY: [&str; 8] = ["status", "started", "finished", "seconds", "command", "conditions", "shrinking", SEAL];

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
    /// Version of this file: [`MANIFEST_SCHEMA`].
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
    /// The command line that began it, without secrets: for people, and read by no program.
    pub command: Vec<String>,
    /// What decides the records.
    pub plan: Plan,
    /// How it is carried out.
    #[serde(default)]
    pub conditions: Conditions,
    /// How far cutting down came that the plan of an attack asks for, once all is asked that it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrinking: Option<Status>,
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
    pub fn begin<I: IntoIterator<Item = String>>(plan: Plan, conditions: Conditions, args: I, started: Stamp) -> Self {
        Self {
            schema: MANIFEST_SCHEMA,
            wasmweaver: env!("CARGO_PKG_VERSION").into(),
            commit: option_env!("WASMWEAVER_COMMIT").map(Into::into),
            status: Status::Running,
            started,
            finished: None,
            seconds: None,
            command: command::without_secrets(args),
            plan,
            conditions,
            shrinking: None,
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
        let asked = self.plan.examinees().iter().find(|examinee| Some(examinee.name.as_str()) == model);
        asked.and_then(|examinee| examinee.prices.as_ref())
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
        let text = yaml(&(self.schema, &self.wasmweaver, self.plan.without_labels()));
        blake3::hash(text.as_bytes()).to_hex().as_str()[..32].to_owned()
    }

    /// What of the plan, or of the program, is not the same in another one, by its keys: `models.0.prices`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let plan = |manifest: &Self| serde_yaml::to_value(manifest.plan.without_labels()).expect("plain data");
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
        let head: Head = file.parse()?;
        if head.seal.is_some() && head.seal != seal(file.text()) {
            let what = "it was changed since the run wrote it: its seal does not fit".into();
            return Err(Damage { path, line: None, what }.into());
        }
        match head.schema {
            0 => {
                let todo = "the first was 1: take the file from a copy of the run";
                Err(file.at(&["schema"], "no version has the number 0", todo).into())
            }
            1 => Ok(file.parse::<v1::Manifest>()?.translated().map_err(|missing| {
                file.at(&[], &format!("the manifest lacks {missing}"), "take the file from a copy of the run")
            })?),
            MANIFEST_SCHEMA => Ok(file.parse()?),
            newer => {
                let what = format!("{newer} is newer than this program's {MANIFEST_SCHEMA}");
                let todo = format!("use wasmweaver {} or later", head.wasmweaver);
                Err(file.at(&["schema"], &what, &todo).into())
            }
        }
    }
}

/// What of a manifest says how the rest is read, and whether it was changed.
#[derive(Deserialize)]
struct Head {
    schema: u32,
    wasmweaver: String,
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
