//! Owns the manifest: everything needed to repeat a run, written when it starts and again when it ends.
//!
//! Must not know what the config means; it is kept resolved, as YAML. A manifest that still says `running` belongs to a
//! run that is going on or was killed.

use super::clock::Stamp;
use super::command;
use super::dir::{DirError, RunDir, write_whole};
use super::shard::Shard;
use super::yaml::{ConfigError, YamlFile};
use crate::ask::models::Prices;
use crate::item::record::{SCHEMA_VERSION, Task};
use serde::{Deserialize, Serialize};
use serde_yaml::Value;
use std::time::Duration;

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
        }
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

    /// What of the plan, or of the program, is not the same in another one, by its keys.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let keys = |manifest: &Self| {
            serde_yaml::to_value(&manifest.plan).expect("plain data").as_mapping().cloned().expect("named fields")
        };
        let (mine, others) = (keys(self), keys(other));
        let missing = others.keys().filter(|key| !mine.contains_key(*key));
        let names = mine.keys().chain(missing).filter(|key| mine.get(*key) != others.get(*key));
        let mut differ: Vec<String> = names.filter_map(|key| key.as_str()).map(str::to_owned).collect();
        if self.wasmweaver != other.wasmweaver {
            differ.push(format!("wasmweaver {}, which wrote it,", self.wasmweaver));
        }
        differ
    }

    /// Writes it into its directory, in place of the one there.
    pub fn write(&self, dir: &RunDir) -> Result<(), DirError> {
        write_whole(&dir.manifest(), &yaml(self))
    }

    /// Reads that of a run.
    pub fn read(dir: &RunDir) -> Result<Self, ConfigError> {
        let file = YamlFile::read(&dir.manifest())?;
        let manifest: Self = file.parse()?;
        if manifest.schema > SCHEMA_VERSION {
            let what = format!("{} is newer than this program's {SCHEMA_VERSION}", manifest.schema);
            let todo = format!("use wasmweaver {} or later", manifest.wasmweaver);
            return Err(file.at(&["schema"], &what, &todo));
        }
        Ok(manifest)
    }
}

fn yaml<T: Serialize>(value: &T) -> String {
    serde_yaml::to_string(value).expect("plain data with text keys is always YAML")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::dir::{RunName, tests::Scratch};
    use super::*;
    use std::time::UNIX_EPOCH;

    pub(crate) fn sample() -> Manifest {
        let plan = Plan {
            verb: "attack".into(),
            seed: u64::MAX,
            strategy: Some("ppo".into()),
            preset: Preset { name: "stack".into(), config: parse("fuel: {min: 10, max: 50}\nbytes: 1000") },
            prompt: Some(Prompt { name: "stack.v1".into(), hash: "ab12".into() }),
            model: Some("sim/novice".into()),
            policy: None,
            request: parse("{max_tokens: 500, temperature: 0.5}"),
            query_budget: Some(2000),
            evaluation: None,
        };
        let args = "harness attack --api-key abc --seed 7".split(' ').map(String::from);
        Manifest::begin(plan, args, 32, Stamp::of(UNIX_EPOCH))
    }

    fn parse(text: &str) -> Value {
        serde_yaml::from_str(text).expect("is YAML")
    }

    fn dir(scratch: &Scratch) -> RunDir {
        let name = RunName { verb: "attack", strategy: None, preset: "stack", model: Some("sim/novice"), seed: 7 };
        RunDir::create(scratch.path(), &name, &Stamp::of(UNIX_EPOCH)).expect("can be made")
    }

    #[test]
    fn written_is_what_is_read() {
        let scratch = Scratch::new();
        let dir = dir(&scratch);
        let mut manifest = sample();
        manifest.write(&dir).expect("can be written");
        assert_eq!(Manifest::read(&dir).expect("reads back"), manifest);
        manifest.end(
            Status::Complete,
            Stamp::of(UNIX_EPOCH + Duration::from_secs(9)),
            Duration::from_micros(8_123_456),
        );
        manifest.model_returned = Some("novice-1".into());
        manifest.write(&dir).expect("can be written");
        let text = std::fs::read_to_string(dir.manifest()).expect("is there");
        insta::assert_snapshot!(text, @r"
        schema: 1
        wasmweaver: 0.1.0
        commit: null
        status: complete
        started: 1970-01-01T00:00:00Z
        finished: 1970-01-01T00:00:09Z
        seconds: 8.123
        command:
        - harness
        - attack
        - --api-key
        - REDACTED
        - --seed
        - '7'
        verb: attack
        seed: 18446744073709551615
        strategy: ppo
        preset:
          name: stack
          config:
            fuel:
              min: 10
              max: 50
            bytes: 1000
        prompt:
          name: stack.v1
          hash: ab12
        model: sim/novice
        request:
          max_tokens: 500
          temperature: 0.5
        query_budget: 2000
        max_connections: 32
        price_table_date: null
        model_returned: novice-1
        ");
        assert_eq!(Manifest::read(&dir).expect("reads back"), manifest);
        assert_eq!(manifest.identity(), Manifest::read(&dir).expect("reads back").identity());
    }

    #[test]
    fn identity_is_of_what_decides_the_records() {
        let base = sample();
        let id = |change: fn(&mut Manifest)| {
            let mut changed = base.clone();
            change(&mut changed);
            changed.identity()
        };
        let same: [fn(&mut Manifest); 5] = [
            |m| m.max_connections = 1,
            |m| m.command.clear(),
            |m| m.end(Status::Interrupted, Stamp::now(), Duration::from_secs(1)),
            |m| m.plan.preset.name = "copy".into(),
            |m| m.price_table_date = Some("2026-01-01".into()),
        ];
        assert!(same.into_iter().all(|change| id(change) == base.identity()));
        let other: [fn(&mut Manifest); 7] = [
            |m| m.plan.seed = 1,
            |m| m.plan.strategy = None,
            |m| m.plan.preset.config = parse("bytes: 1001"),
            |m| m.plan.prompt.as_mut().expect("has one").hash.push('0'),
            |m| m.plan.model = Some("sim/oracle".into()),
            |m| m.plan.request = Value::Null,
            |m| m.wasmweaver.push('1'),
        ];
        assert!(other.into_iter().all(|change| id(change) != base.identity()));
    }

    #[test]
    fn a_newer_schema_is_refused_by_line() {
        let scratch = Scratch::new();
        let dir = dir(&scratch);
        Manifest { schema: SCHEMA_VERSION + 1, ..sample() }.write(&dir).expect("can be written");
        let error = Manifest::read(&dir).expect_err("is newer").to_string();
        assert!(error.contains("manifest.yaml:1:1: `schema`: 2 is newer"), "{error}");
    }
}
