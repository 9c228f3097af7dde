//! Owns manifests of schema 1, in which the command line stood for half of the plan: they are translated.
//!
//! Must not know today's flags: it knows the old ones, which never change.

use super::super::extent::Extent;
use super::super::level::AS_WRITTEN;
use super::super::plan::{
    AttackPlan, Conditions, EvalPlan, Examinee, ItemsPlan, NamedConfig, Plan, PolicyFile, Prompt, Request, ShrinkBest,
    StrategyPlan, TrainPlan,
};
use super::super::shard::Shard;
use super::super::yaml::is_path;
use super::{MANIFEST_SCHEMA, Stamp, Status};
use crate::ask::models::{Prices, Provider};
use crate::item::record::Task;
use serde::Deserialize;
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Requests for each program of `--shrink`, by default.
const SHRINK_BUDGET: u64 = 1000;
/// Programs that a training was judged by, by default.
const PROGRAMS: u64 = 2000;

/// `manifest.yaml` of schema 1.
#[derive(Deserialize)]
pub(super) struct Manifest {
    wasmweaver: String,
    commit: Option<String>,
    status: Status,
    started: Stamp,
    finished: Option<Stamp>,
    seconds: Option<f64>,
    command: Vec<String>,
    verb: String,
    seed: u64,
    strategy: Option<String>,
    preset: NamedConfig,
    prompt: Option<Prompt>,
    model: Option<String>,
    #[serde(default)]
    policy: Option<String>,
    #[serde(default)]
    request: Value,
    query_budget: Option<u64>,
    #[serde(default)]
    evaluation: Option<Evaluation>,
    max_connections: u32,
    #[serde(default)]
    prices: Option<Prices>,
    model_returned: Option<String>,
    #[serde(default)]
    items: Option<u64>,
    #[serde(default)]
    fingerprint: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, Extent>,
}

#[derive(Deserialize)]
struct Evaluation {
    tasks: Vec<Task>,
    limit: Option<u64>,
    epochs: u32,
    models: Vec<ExamineeV1>,
    prompts: Vec<Prompt>,
    #[serde(default)]
    chosen_against: Option<String>,
    #[serde(default)]
    shard: Option<Shard>,
}

#[derive(Deserialize)]
struct ExamineeV1 {
    name: String,
    #[serde(default)]
    request: Value,
    prices: Option<Prices>,
}

impl Manifest {
    /// The same in the schema of today.
    ///
    /// # Errors
    /// What is missing in it.
    pub(super) fn translated(self) -> Result<super::Manifest, &'static str> {
        let plan = self.plan()?;
        let conditions = self.conditions();
        let Self { wasmweaver, commit, status, started, finished, seconds, command, .. } = self;
        let Self { model_returned, items, fingerprint, files, .. } = self;
        Ok(super::Manifest {
            shrinking: None,
            schema: MANIFEST_SCHEMA,
            wasmweaver,
            commit,
            status,
            started,
            finished,
            seconds,
            command,
            plan,
            conditions,
            model_returned,
            items,
            fingerprint,
            files,
        })
    }

    fn plan(&self) -> Result<Plan, &'static str> {
        Ok(match self.verb.as_str() {
            "attack" => Plan::Attack(self.attack()?),
            "eval" => Plan::Eval(self.evaluation()?),
            "replay" => Plan::Replay(self.evaluation()?),
            "train" => Plan::Train(self.training()),
            _ => return Err("a verb that this program knows"),
        })
    }

    fn attack(&self) -> Result<AttackPlan, &'static str> {
        let name = self.model.clone().ok_or("the model")?;
        let is_free = Provider::of(&name).is_some_and(|(provider, _)| provider.is_resident());
        let prompt = self.prompt.clone().ok_or("the prompt")?;
        let best = self.number("--shrink").unwrap_or(0) as usize;
        let query_budget = self.number("--shrink-budget").unwrap_or(SHRINK_BUDGET);
        Ok(AttackPlan {
            seed: self.seed,
            preset: self.preset.clone(),
            strategy: self.strategy()?,
            prompt: Prompt { file: self.value("--prompt").map(PathBuf::from), ..prompt },
            model: Examinee { name, request: request(&self.request), prices: self.prices.clone() },
            query_budget: self.query_budget.ok_or("the budget of queries")?,
            baseline: !self.has("--no-baseline") && (self.has("--baseline") || is_free),
            shrink: (best > 0).then_some(ShrinkBest { best, query_budget }),
        })
    }

    fn strategy(&self) -> Result<StrategyPlan, &'static str> {
        Ok(match self.strategy.as_deref() {
            Some("random") => StrategyPlan::Random,
            Some("evolve") => StrategyPlan::Evolve,
            Some("map-elites") => StrategyPlan::MapElites,
            Some("matched") => StrategyPlan::Matched { like: self.value("--like").ok_or("the run of --like")?.into() },
            Some("ppo") => {
                let file = self.value("--policy").map(PathBuf::from).unwrap_or_default();
                let policy = self.policy.clone().map(|hash| PolicyFile { file, hash });
                StrategyPlan::Ppo { predictor: !self.has("--no-predictor"), policy }
            }
            _ => return Err("a strategy that this program knows"),
        })
    }

    fn evaluation(&self) -> Result<EvalPlan, &'static str> {
        let Evaluation { tasks, limit, epochs, models, prompts, chosen_against, shard } =
            self.evaluation.as_ref().ok_or("the evaluation")?;
        let examinee = |asked: &ExamineeV1| Examinee {
            name: asked.name.clone(),
            request: request(&asked.request),
            prices: asked.prices.clone(),
        };
        Ok(EvalPlan {
            seed: self.seed,
            suite: self.preset.clone(),
            items: self.items(),
            tasks: tasks.clone(),
            limit: *limit,
            epochs: *epochs,
            models: models.iter().map(examinee).collect(),
            prompts: prompts.iter().map(|prompt| self.with_file(prompt)).collect(),
            chosen_against: chosen_against.clone(),
            shard: *shard,
        })
    }

    fn items(&self) -> ItemsPlan {
        if let Some(path) = self.value("--items") {
            return ItemsPlan::Records { path: path.into() };
        }
        match (self.value("--preset"), self.value("--suite")) {
            (Some(name), _) => {
                let level = self.number("--level").map_or(AS_WRITTEN, |level| level as u8);
                ItemsPlan::Preset { name: name.into(), level }
            }
            // A name without its version meant the one of then, which the label says.
            (None, Some(suite)) if is_path(suite) => ItemsPlan::Suite { name: suite.into() },
            _ => ItemsPlan::Suite { name: self.preset.name.clone() },
        }
    }

    /// The prompt with its file, if one that was given is of its name.
    fn with_file(&self, prompt: &Prompt) -> Prompt {
        let files = self.values("--prompt").map(PathBuf::from);
        let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let mut files = files.filter(|path| path.extension().is_some());
        let own = files.clone().find(|path| stem(path).as_ref() == Some(&prompt.name)).or_else(|| files.next());
        Prompt { file: own, ..prompt.clone() }
    }

    fn training(&self) -> TrainPlan {
        TrainPlan {
            seed: self.seed,
            preset: self.preset.clone(),
            steps: self.number("--steps"),
            minutes: self.value("--minutes").and_then(|text| text.parse().ok()),
            programs: self.number("--programs").unwrap_or(PROGRAMS),
        }
    }

    fn conditions(&self) -> Conditions {
        let usual = Conditions::default();
        Conditions {
            max_connections: self.max_connections,
            max_retries: self.number("--max-retries").map_or(usual.max_retries, |retries| retries as u32),
            timeout: self.number("--timeout").unwrap_or(usual.timeout),
            cost_limit: self.value("--cost-limit").and_then(|text| text.trim_start_matches('$').parse().ok()),
            cache: self.has("--cache"),
            cache_dir: self.value("--cache-dir").map(PathBuf::from),
            models: self.value("--models").map(PathBuf::from),
            device: self.value("--device").and_then(|name| name.parse().ok()).unwrap_or_default(),
            ..usual
        }
    }

    fn has(&self, flag: &str) -> bool {
        self.command.iter().any(|word| word == flag)
    }

    fn number(&self, flag: &str) -> Option<u64> {
        self.value(flag)?.parse().ok()
    }

    /// The value of a flag; the last one, if it is given several times.
    fn value<'a>(&'a self, flag: &'a str) -> Option<&'a str> {
        self.values(flag).last()
    }

    fn values<'a>(&'a self, flag: &'a str) -> impl Iterator<Item = &'a str> + Clone {
        self.command.iter().enumerate().filter_map(move |(at, word)| match word.strip_prefix(flag)? {
            "" => self.command.get(at + 1).map(String::as_str),
            rest => rest.strip_prefix('='),
        })
    }
}

/// A request as it stood flat in a map.
fn request(value: &Value) -> Request {
    let Value::Mapping(mut map) = value.clone() else { return Request::default() };
    let base_url = map.remove("base_url").and_then(|url| url.as_str().map(str::to_owned));
    let float_tolerance = map.remove("float_tolerance").and_then(|tolerance| tolerance.as_f64());
    Request { params: serde_yaml::from_value(Value::Mapping(map)).unwrap_or_default(), base_url, float_tolerance }
}
