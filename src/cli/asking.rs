//! Owns the flags about models and how they are asked.
//!
//! Must not know what is asked.

use super::Failure;
use super::given::{Given, pick};
use crate::ask::chat::Params;
use crate::ask::limits::Limits;
use crate::ask::models::{ModelEntry, Models, Provider};
use crate::job::connect;
use crate::run::command::value_without_secrets;
use crate::run::plan::{Conditions, Examinee, Request};
use std::path::PathBuf;

/// Flags about one model and how it is asked.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Asking")]
pub(super) struct Flags {
    /// Model to ask: `provider/model`, a bare OpenAI model, a simulated solver (`sim/...`) or a guesser (`guess/...`)
    #[arg(long, default_value = "sim/novice")]
    pub(super) model: String,
    /// How it is asked.
    #[command(flatten)]
    pub(super) way: Way,
}

/// Flags about how models are asked, shared by the asking verbs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Asking")]
pub(super) struct Way {
    #[command(flatten)]
    sampling: Sampling,
    /// Requests in flight at once
    #[arg(long, default_value_t = Limits::default().max_connections as u32, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=4096))]
    max_connections: u32,
    /// Attempts after the first, where the provider is in trouble
    #[arg(long, default_value_t = Limits::default().max_retries, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(..=100))]
    max_retries: u32,
    /// Seconds that one attempt may take
    #[arg(long, default_value_t = Limits::default().attempt_timeout.as_secs(), value_name = "S")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Keep replies on disk, and take from there what was asked before: same model, parameters, messages and epoch
    #[arg(long, conflicts_with = "no_cache")]
    cache: bool,
    /// Ask everything anew (the default)
    #[arg(long)]
    no_cache: bool,
    /// Where --cache keeps them; by default in the user's folder for caches
    #[arg(long, value_name = "DIR", requires = "cache")]
    cache_dir: Option<PathBuf>,
    /// Take floats for right within T, absolute or relative, as the original does with 1e-5; by default they must be exact
    #[arg(long, value_name = "T", value_parser = tolerance)]
    float_tolerance: Option<f64>,
}

/// Flags about a model and what goes into a request to it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Asking")]
pub(super) struct Sampling {
    /// File with models of your own, as models.yaml; by default models.yaml where you are, if there is one
    #[arg(long, value_name = "FILE")]
    models: Option<PathBuf>,
    /// OpenAI-compatible endpoint, up to and without `/chat/completions`; by default the model's own, that in
    /// OPENAI_BASE_URL (azure: AZURE_OPENAI_ENDPOINT), or that of its provider
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Most tokens of a reply, hidden reasoning included
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: Option<u32>,
    /// Sampling temperature, from 0 to 2 (ignored by reasoning models, which take none)
    #[arg(long, value_name = "T", value_parser = temperature)]
    temperature: Option<f64>,
    /// How long a reasoning model thinks
    #[arg(long, value_name = "low|medium|high")]
    reasoning_effort: Option<String>,
}

fn temperature(text: &str) -> Result<f64, String> {
    let temperature = text.parse().ok().filter(|temperature| (0.0..=2.0).contains(temperature));
    temperature.ok_or_else(|| "write a number from 0 to 2, as in 0.7".into())
}

fn tolerance(text: &str) -> Result<f64, String> {
    let tolerance = text.parse().ok().filter(|tolerance| (0.0..1.0).contains(tolerance));
    tolerance.ok_or_else(|| "write a number from 0 up to 1, as in 1e-5".into())
}

/// The flags that decide how a model is asked, as [`Given`] names them.
const OF_REQUEST: [&str; 6] =
    ["base_url", "models", "temperature", "max_tokens", "reasoning_effort", "float_tolerance"];

impl Sampling {
    /// The models that are known: those that come with the program, and the user's own.
    ///
    /// # Errors
    /// If the user's file cannot be read.
    pub(super) fn models(&self) -> Result<Models, Failure> {
        Ok(connect::models(self.models.as_deref())?)
    }

    /// The entry of a model; checks the names of those that are our own.
    ///
    /// # Errors
    /// If there is no such model.
    pub(super) fn entry(&self, model: &str) -> Result<ModelEntry, Failure> {
        let provider = Provider::of(model).map_or(Provider::OpenAi, |(provider, _)| provider);
        if let Some(url) = self.base_url.as_deref().filter(|_| provider.is_resident()) {
            let problem =
                format!("{model} answers within this program, and not at --base-url {url}; name a model with --model");
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        }
        Ok(connect::entry(model, self.base_url.as_deref(), self.models.as_deref())?)
    }

    /// Sampling parameters, as they are given.
    fn given_params(&self) -> Params {
        Params {
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            reasoning_effort: self.reasoning_effort.clone(),
            ..Params::default()
        }
    }

    /// Sampling parameters of this model.
    pub(super) fn params(&self, entry: &ModelEntry) -> Params {
        let request = Request { params: self.given_params(), ..Request::default() };
        connect::examinee_of(entry, request).request.params
    }

    /// Most tokens of a reply, if the user set it.
    pub(super) fn max_tokens(&self) -> Option<u32> {
        self.max_tokens
    }

    /// The flags, and which of them are given.
    pub(super) fn given(&self) -> [(bool, &'static str); 5] {
        [
            (self.models.is_some(), "--models"),
            (self.base_url.is_some(), "--base-url"),
            (self.temperature.is_some(), "--temperature"),
            (self.reasoning_effort.is_some(), "--reasoning-effort"),
            (self.max_tokens.is_some(), "--max-tokens"),
        ]
    }
}

impl Way {
    /// See [`Sampling::given`].
    pub(super) fn given(&self) -> [(bool, &'static str); 5] {
        self.sampling.given()
    }

    /// See [`Sampling::models`].
    ///
    /// # Errors
    /// As there.
    pub(super) fn models(&self) -> Result<Models, Failure> {
        self.sampling.models()
    }

    /// See [`Sampling::entry`].
    ///
    /// # Errors
    /// As there.
    pub(super) fn entry(&self, model: &str) -> Result<ModelEntry, Failure> {
        self.sampling.entry(model)
    }

    /// A model as a plan has it; its entry says what it costs.
    ///
    /// # Errors
    /// If there is no such model.
    pub(super) fn examinee(&self, model: &str) -> Result<Examinee, Failure> {
        Ok(connect::examinee_of(&self.entry(model)?, self.changes()))
    }

    /// The model of a run that goes on, with what is given now.
    ///
    /// # Errors
    /// If there is no such model.
    pub(super) fn again(&self, earlier: &Examinee, given: &Given) -> Result<Examinee, Failure> {
        if !given.any(&OF_REQUEST) {
            return Ok(earlier.clone());
        }
        Ok(Examinee { request: earlier.request.changed(&self.changes()), ..earlier.clone() })
    }

    /// What is given of how a model is asked.
    pub(super) fn changes(&self) -> Request {
        let base_url = self.sampling.base_url.as_deref().map(value_without_secrets);
        Request { params: self.sampling.given_params(), base_url, float_tolerance: self.float_tolerance }
    }

    /// How a run is carried out: as is given now, or else as it was before.
    pub(super) fn conditions(&self, earlier: Option<&Conditions>, given: &Given) -> Conditions {
        let of = |flag: &str| given.has(flag);
        let before = earlier.cloned();
        let was = before.as_ref();
        Conditions {
            max_connections: pick(of("max_connections"), self.max_connections, was.map(|was| was.max_connections)),
            max_retries: pick(of("max_retries"), self.max_retries, was.map(|was| was.max_retries)),
            timeout: pick(of("timeout"), self.timeout, was.map(|was| was.timeout)),
            cache: pick(of("cache") || of("no_cache"), self.cache, was.map(|was| was.cache)),
            cache_dir: pick(of("cache_dir"), self.cache_dir.clone(), was.map(|was| was.cache_dir.clone())),
            models: pick(of("models"), self.sampling.models.clone(), was.map(|was| was.models.clone())),
            base_url: self.sampling.base_url.clone(),
            cost_limit: was.and_then(|was| was.cost_limit),
            time_limit: None,
            device: was.map(|was| was.device).unwrap_or_default(),
        }
    }

    /// How exactly replies are held against the truth.
    pub(super) fn strictness(&self) -> crate::ask::judge::Strictness {
        self.changes().strictness()
    }
}
