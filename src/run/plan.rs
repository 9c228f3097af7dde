//! Owns the plans of runs: what decides their records, as data, apart from the command line and from how it is carried out.
//!
//! Must not know how a run is carried out, nor what flags are called: what a manifest stores is read again for years, and
//! flags change.

use super::shard::Shard;
use crate::ask::budget::Allowance;
use crate::ask::chat::Params;
use crate::ask::judge::Strictness;
use crate::ask::limits::Limits;
use crate::ask::models::Prices;
use crate::item::record::Task;
use crate::learn::device::Device;
use serde::{Deserialize, Serialize};
use serde_yaml::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What decides the records of a run: two runs with equal plans ask the same questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "lowercase")]
pub enum Plan {
    /// Programs are woven that a model gets wrong.
    Attack(AttackPlan),
    /// Models answer the same items.
    Eval(EvalPlan),
    /// The replies of an evaluation are graded anew.
    Replay(EvalPlan),
    /// A policy learns to weave.
    Train(TrainPlan),
}

/// An attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttackPlan {
    /// The seed that everything random comes from.
    pub seed: u64,
    /// The preset.
    pub preset: NamedConfig,
    /// Who chooses the programs.
    pub strategy: StrategyPlan,
    /// How it is asked.
    pub prompt: Prompt,
    /// Who is asked.
    pub model: Examinee,
    /// Requests that may be spent, confirmations included, the baseline's not.
    pub query_budget: u64,
    /// Whether a random baseline is asked beside it.
    pub baseline: bool,
    /// What is cut down at the end, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrink: Option<ShrinkBest>,
}

/// Who chooses the programs of an attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum StrategyPlan {
    /// A policy that learns.
    Ppo {
        /// Whether a predictor chooses among its programs.
        predictor: bool,
        /// The trained policy that it begins with, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<PolicyFile>,
    },
    /// Chance.
    Random,
    /// Chance, with the length and the instructions of the programs of another attack.
    Matched {
        /// Its run directory.
        like: PathBuf,
    },
    /// Mutation and selection.
    Evolve,
    /// The best program of each cell, mutated.
    MapElites,
}

/// A trained policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFile {
    /// Where it lies.
    pub file: PathBuf,
    /// Its hash.
    pub hash: String,
}

/// What is cut down at the end of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShrinkBest {
    /// So many of the misses that were missed again.
    pub best: usize,
    /// Requests at most for each.
    pub query_budget: u64,
}

/// An evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalPlan {
    /// The seed of the items.
    pub seed: u64,
    /// What they are called, and all that decides them.
    pub suite: NamedConfig,
    /// Where they come from.
    pub items: ItemsPlan,
    /// The tasks that are asked (all, if there are none).
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

/// Where the items of an evaluation come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum ItemsPlan {
    /// A suite.
    Suite {
        /// Its name, with its version, or its file.
        name: String,
    },
    /// A preset in place of a suite.
    Preset {
        /// Its name or file.
        name: String,
        /// The difficulty, 1 to 5.
        level: u8,
    },
    /// A run, or a file of records.
    Records {
        /// Where it lies.
        path: PathBuf,
    },
}

/// A training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainPlan {
    /// The seed that everything random comes from.
    pub seed: u64,
    /// The preset.
    pub preset: NamedConfig,
    /// Environment steps in all; `None` for those of the preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Minutes instead, if they are limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// Fresh programs that the policy is judged by.
    pub programs: u64,
}

/// A model that is asked, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Examinee {
    /// Its full name.
    pub name: String,
    /// Everything that goes into a request beside the prompt, and how its reply is judged.
    #[serde(default)]
    pub request: Request,
    /// What it costs, if that is known; nothing for those that answer within this program. Prices change: a run is reckoned
    /// by those of its day.
    #[serde(default)]
    pub prices: Option<Prices>,
}

impl Examinee {
    /// A model of the caller's own: nothing is known of it but a name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), request: Request::default(), prices: None }
    }
}

/// What decides a reply and its verdict beside the prompt and the model's name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Sampling parameters.
    pub params: Params,
    /// Where the model answers, secrets left out; `None` for those that answer within this program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// How near a float must come to the truth, where that is not exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub float_tolerance: Option<f64>,
}

impl Request {
    /// The same with what another one sets.
    pub fn changed(&self, by: &Self) -> Self {
        let (old, new) = (&self.params, &by.params);
        let params = Params {
            temperature: new.temperature.or(old.temperature),
            top_p: new.top_p.or(old.top_p),
            max_tokens: new.max_tokens.or(old.max_tokens),
            reasoning_effort: new.reasoning_effort.clone().or_else(|| old.reasoning_effort.clone()),
            seed: new.seed.or(old.seed),
        };
        Self {
            params,
            base_url: by.base_url.clone().or_else(|| self.base_url.clone()),
            float_tolerance: by.float_tolerance.or(self.float_tolerance),
        }
    }

    /// How exactly replies are held against the truth.
    pub fn strictness(&self) -> Strictness {
        Strictness { float_tolerance: self.float_tolerance }
    }
}

/// Settings as they were used, by their name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedConfig {
    /// The name or file of a preset or suite.
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
    /// Its file, where it does not come with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// How a run is carried out. No record depends on it, so that a run that goes on may change it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// Requests in flight at once.
    pub max_connections: u32,
    /// Attempts after the first, where the provider is in trouble.
    pub max_retries: u32,
    /// Seconds that one attempt may take.
    pub timeout: u64,
    /// Dollars that may be spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_limit: Option<f64>,
    /// Seconds that this part of the run may take; they do not count for the next part.
    #[serde(skip)]
    pub time_limit: Option<u64>,
    /// Whether replies are kept on disk, and taken from there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cache: bool,
    /// Where, if not in the user's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_dir: Option<PathBuf>,
    /// Where the model answers, with any secrets in the address: for this call alone.
    #[serde(skip)]
    pub base_url: Option<String>,
    /// The user's own file of models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<PathBuf>,
    /// Where updates of a policy compute.
    pub device: Device,
}

impl Default for Conditions {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            max_connections: limits.max_connections as u32,
            max_retries: limits.max_retries,
            timeout: limits.attempt_timeout.as_secs(),
            cost_limit: None,
            time_limit: None,
            cache: false,
            cache_dir: None,
            base_url: None,
            models: None,
            device: Device::default(),
        }
    }
}

impl Conditions {
    /// What may be spent.
    pub fn allowance(&self) -> Allowance {
        Allowance { dollars: self.cost_limit, time: self.time_limit.map(Duration::from_secs) }
    }

    /// How long and how often is asked.
    pub fn limits(&self) -> Limits {
        let attempt_timeout = Duration::from_secs(self.timeout);
        Limits {
            max_connections: self.max_connections as usize,
            max_retries: self.max_retries,
            attempt_timeout,
            total_timeout: Limits::default().total_timeout.max(attempt_timeout),
            ..Limits::default()
        }
    }
}

impl Default for StrategyPlan {
    fn default() -> Self {
        Self::Ppo { predictor: true, policy: None }
    }
}

impl StrategyPlan {
    /// Its name, as `--strategy` has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ppo { .. } => "ppo",
            Self::Random => "random",
            Self::Matched { .. } => "matched",
            Self::Evolve => "evolve",
            Self::MapElites => "map-elites",
        }
    }
}

impl Plan {
    /// What was run, as the command line calls it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Attack(_) => "attack",
            Self::Eval(_) => "eval",
            Self::Replay(_) => "replay",
            Self::Train(_) => "train",
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        match self {
            Self::Attack(plan) => plan.seed,
            Self::Eval(plan) | Self::Replay(plan) => plan.seed,
            Self::Train(plan) => plan.seed,
        }
    }

    /// The preset or suite.
    pub fn preset(&self) -> &NamedConfig {
        match self {
            Self::Attack(plan) => &plan.preset,
            Self::Eval(plan) | Self::Replay(plan) => &plan.suite,
            Self::Train(plan) => &plan.preset,
        }
    }

    /// That of an attack.
    pub fn attack(&self) -> Option<&AttackPlan> {
        if let Self::Attack(plan) = self { Some(plan) } else { None }
    }

    /// That of an evaluation, or of one that is graded anew.
    pub fn evaluation(&self) -> Option<&EvalPlan> {
        if let Self::Eval(plan) | Self::Replay(plan) = self { Some(plan) } else { None }
    }

    /// The models that are asked.
    pub fn examinees(&self) -> &[Examinee] {
        match self {
            Self::Attack(plan) => std::slice::from_ref(&plan.model),
            Self::Eval(plan) | Self::Replay(plan) => &plan.models,
            Self::Train(_) => &[],
        }
    }

    /// The prompts that they are asked with.
    pub fn prompts(&self) -> &[Prompt] {
        match self {
            Self::Attack(plan) => std::slice::from_ref(&plan.prompt),
            Self::Eval(plan) | Self::Replay(plan) => &plan.prompts,
            Self::Train(_) => &[],
        }
    }

    /// The same without what is a label, or says where something lies: what is in it decides.
    pub(super) fn without_labels(&self) -> Self {
        let mut plan = self.clone();
        let unlabelled = |prompt: &mut Prompt| (prompt.name, prompt.file) = (String::new(), None);
        match &mut plan {
            Self::Attack(plan) => {
                plan.preset.name.clear();
                unlabelled(&mut plan.prompt);
                if let StrategyPlan::Ppo { policy: Some(policy), .. } = &mut plan.strategy {
                    policy.file = PathBuf::new();
                }
                // An attack goes on at the prices of its first day.
                plan.model.prices = None;
            }
            Self::Eval(plan) | Self::Replay(plan) => {
                plan.suite.name.clear();
                plan.prompts.iter_mut().for_each(unlabelled);
                plan.items = ItemsPlan::Suite { name: String::new() };
            }
            Self::Train(plan) => plan.preset.name.clear(),
        }
        plan
    }
}

impl Prompt {
    /// A prompt as a plan has it.
    pub fn of(prompt: &crate::ask::prompt::Prompt) -> Self {
        let file = prompt.file().map(Path::to_owned);
        Self { name: prompt.id(), hash: prompt.hash.clone(), file }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn examinee(name: &str) -> Examinee {
        Examinee::named(name)
    }

    /// An evaluation of these models.
    pub(crate) fn evaluation(models: Vec<Examinee>, epochs: u32) -> EvalPlan {
        EvalPlan {
            seed: 7,
            suite: NamedConfig { name: "stack".into(), config: Value::Null },
            items: ItemsPlan::Suite { name: "stack".into() },
            tasks: Vec::new(),
            limit: None,
            epochs,
            models,
            prompts: Vec::new(),
            chosen_against: None,
            shard: None,
        }
    }
}
