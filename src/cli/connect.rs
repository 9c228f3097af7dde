//! Owns the way from a model's name to something that can be asked: an endpoint, or our own on loopback.
//!
//! Must not know what is asked.

use super::{Failure, say};
use crate::ask::cache::{Cached, Tally, usual_folder};
use crate::ask::chat::{ChatModel, Params};
use crate::ask::guess::Guesser;
use crate::ask::guess::learned::Learned;
use crate::ask::guess::lessons::{self, LESSONS};
use crate::ask::judge::Strictness;
use crate::ask::limits::{Limits, Meter};
use crate::ask::models::{ModelEntry, Models, Provider};
use crate::ask::openai::{AZURE_API_VERSION, ApiKey, Endpoint, OpenAi, SetupError};
use crate::ask::residents::Residents;
use crate::ask::serve::Server;
use crate::item::record::Task;
use crate::item::source::ItemSource;
use crate::run::command::value_without_secrets;
use crate::run::manifest::FLOAT_TOLERANCE;
use crate::seed::Seed;
use crate::solver::Solver;
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Flags about one model and how it is asked.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Asking")]
pub struct Flags {
    /// Model to ask: `provider/model`, a bare OpenAI model, a simulated solver (`sim/...`) or a guesser (`guess/...`)
    #[arg(long, default_value = "sim/novice")]
    pub model: String,
    /// How it is asked.
    #[command(flatten)]
    pub way: Way,
}

/// Flags about how models are asked, shared by the asking verbs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Asking")]
pub struct Way {
    #[command(flatten)]
    sampling: Sampling,
    /// Requests in flight at once
    #[arg(long, default_value_t = Limits::default().max_connections as u32, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_connections: u32,
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
pub struct Sampling {
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

/// Trains `guess/learned`, which takes some seconds.
pub fn learn(sources: &[ItemSource], seed: Seed) -> Result<BTreeMap<Task, Learned>, Failure> {
    say(&format!("guess/learned learns from {LESSONS} other items of each task"));
    lessons::learn(sources, seed).map_err(Failure::usage)
}

/// A model that can be asked.
pub struct Connection {
    /// What is known about it.
    pub entry: ModelEntry,
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// How its requests are doing.
    pub meter: Arc<Meter>,
    /// What its cache does, where it has one.
    pub cache: Option<Arc<Tally>>,
    /// Our own endpoint, for those who answer there; it serves as long as this lives.
    _server: Option<Server>,
}

impl Connection {
    /// Says on stderr what the cache did, if there is one.
    pub fn tell_cache(&self) {
        let Some(tally) = &self.cache else { return };
        say(&format!("{}: {} replies came from the cache", self.entry.name(), tally.hits()));
        if let Some(trouble) = tally.trouble() {
            say(&format!("the cache could not be used throughout: {trouble}; --cache-dir names another place"));
        }
    }
}

impl Flags {
    /// The model's entry; checks the names of those that are our own.
    ///
    /// # Errors
    /// If there is no such model.
    pub fn entry(&self) -> Result<ModelEntry, Failure> {
        self.way.entry(&self.model)
    }
}

/// Where a user's own models are looked for.
const MODELS_FILE: &str = "models.yaml";

impl Sampling {
    /// The models that are known: those that come with the program, and the user's own.
    ///
    /// # Errors
    /// If the user's file cannot be read.
    pub fn models(&self) -> Result<Models, Failure> {
        let mut models = Models::shipped();
        let usual = Path::new(MODELS_FILE);
        let file = self.models.as_deref().or_else(|| usual.exists().then_some(usual));
        file.map_or(Ok(()), |path| models.extend_with(path)).map_err(Failure::usage)?;
        Ok(models)
    }

    /// The entry of a model; checks the names of those that are our own.
    ///
    /// # Errors
    /// If there is no such model.
    pub fn entry(&self, model: &str) -> Result<ModelEntry, Failure> {
        let provider = Provider::of(model).map_or(Provider::OpenAi, |(provider, _)| provider);
        if let Some(url) = self.base_url.as_deref().filter(|_| provider.is_resident()) {
            let problem =
                format!("{model} answers within this program, and not at --base-url {url}; name a model with --model");
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        }
        let usual = provider.row().base_url_variable.and_then(variable);
        let entry = self.models()?.resolve(model, self.base_url.as_deref(), usual.as_deref());
        let entry = entry.map_err(Failure::usage)?;
        match entry.provider {
            Provider::Sim => drop(entry.name().parse::<Solver>().map_err(Failure::usage)?),
            Provider::Guess => drop(entry.name().parse::<Guesser>().map_err(Failure::usage)?),
            _ => {}
        }
        Ok(entry)
    }

    /// Sampling parameters. Simulated solvers get a seed, which their noise is drawn from.
    pub fn params(&self, entry: &ModelEntry) -> Params {
        Params {
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            reasoning_effort: self.reasoning_effort.clone(),
            seed: (entry.provider == Provider::Sim).then_some(0),
            ..Params::default()
        }
    }

    /// Most tokens of a reply, if the user set it.
    pub fn max_reply_tokens(&self) -> Option<u64> {
        self.max_tokens.map(u64::from)
    }

    /// The flags, and which of them are given.
    pub fn given(&self) -> [(bool, &'static str); 5] {
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
    pub fn given(&self) -> [(bool, &'static str); 5] {
        self.sampling.given()
    }

    /// See [`Sampling::models`].
    ///
    /// # Errors
    /// As there.
    pub fn models(&self) -> Result<Models, Failure> {
        self.sampling.models()
    }

    /// See [`Sampling::entry`].
    ///
    /// # Errors
    /// As there.
    pub fn entry(&self, model: &str) -> Result<ModelEntry, Failure> {
        self.sampling.entry(model)
    }

    /// See [`Sampling::params`].
    pub fn params(&self, entry: &ModelEntry) -> Params {
        self.sampling.params(entry)
    }

    /// See [`Sampling::max_reply_tokens`].
    pub fn max_reply_tokens(&self) -> Option<u64> {
        self.sampling.max_reply_tokens()
    }

    /// Whether a model could be asked, before anything is made for it; nothing is sent.
    ///
    /// # Errors
    /// If a key is missing, or an address is none.
    pub fn check(&self, entry: &ModelEntry) -> Result<(), Failure> {
        if entry.provider.is_resident() {
            return Ok(());
        }
        foreign(entry, self.limits()).map(drop).map_err(Failure::usage)
    }

    /// How exactly replies are held against the truth.
    pub fn strictness(&self) -> Strictness {
        Strictness { float_tolerance: self.float_tolerance }
    }

    /// All that decides a reply and its verdict beside the prompt and the model's name, for a manifest.
    ///
    /// # Errors
    /// None for plain data.
    pub fn request(&self, entry: &ModelEntry) -> Result<Value, Failure> {
        let mut request = serde_yaml::to_value(self.params(entry))?;
        if let Value::Mapping(request) = &mut request {
            if !entry.provider.is_resident() {
                // Who may ask is none of a manifest's business.
                request.insert("base_url".into(), value_without_secrets(entry.base_url()).into());
            }
            if let Some(tolerance) = self.float_tolerance {
                request.insert(FLOAT_TOLERANCE.into(), tolerance.into());
            }
        }
        Ok(request)
    }

    /// How long and how often.
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

    /// Makes the model ready to be asked; one of our own is served on loopback, and asked over HTTP like any other.
    /// `guess/learned` learns first, from items like those that it will be asked about, of this seed.
    ///
    /// # Errors
    /// If a key is missing, an address is none, or there is nothing to learn from.
    pub async fn connect(&self, entry: ModelEntry, sources: &[ItemSource], seed: Seed) -> Result<Connection, Failure> {
        let limits = self.limits();
        if !entry.provider.is_resident() {
            let model = foreign(&entry, limits).map_err(Failure::usage)?;
            return self.connected(entry, model, None);
        }
        let learns = entry.name().parse() == Ok(Guesser::Learned);
        let learned = if learns { learn(sources, seed)? } else { BTreeMap::new() };
        if learns && learned.is_empty() {
            let problem = "guess/learned learns from other items of a suite or preset; name one of those";
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        }
        let residents = Arc::new(Residents { learned });
        let server = Server::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), residents).await?;
        let endpoint = Endpoint { base_url: server.base_url(), key: None, style: entry.style() };
        let model = OpenAi::new(endpoint, limits).map_err(Failure::usage)?;
        self.connected(entry, model, Some(server))
    }

    /// The model behind its cache, where there is one. Our own answer for nothing, and need none.
    fn connected(&self, entry: ModelEntry, model: OpenAi, server: Option<Server>) -> Result<Connection, Failure> {
        let meter = model.meter();
        let mut model: Arc<dyn ChatModel> = Arc::new(model);
        let mut cache = None;
        if self.cache && server.is_none() {
            let folder = self.cache_dir.clone().or_else(usual_folder);
            let folder = folder.ok_or_else(|| {
                Failure::usage(anyhow::anyhow!("this machine has no place for caches; name one with --cache-dir"))
            })?;
            let cached = Cached::new(model, folder, entry.base_url().to_owned());
            cache = Some(cached.tally());
            model = Arc::new(cached);
        }
        Ok(Connection { entry, model, meter, cache, _server: server })
    }
}

/// A model that answers elsewhere.
fn foreign(entry: &ModelEntry, limits: Limits) -> Result<OpenAi, SetupError> {
    let provider = entry.provider.row();
    let key = provider.key_variable.map_or(Ok(None), ApiKey::from_env)?;
    // OpenAI's name stands for all that speak as it does: whether one is needed, its address tells.
    let needs_key = provider.needs_key() && entry.provider != Provider::OpenAi;
    if let (None, Some(variable), true) = (&key, provider.key_variable, needs_key) {
        return Err(SetupError::NoKey { variable });
    }
    let endpoint = Endpoint { base_url: entry.base_url().to_owned(), key, style: entry.style() };
    if !provider.key_header {
        return OpenAi::new(endpoint, limits);
    }
    let version = entry.api_version.clone().or_else(|| variable("OPENAI_API_VERSION"));
    OpenAi::azure(endpoint, &entry.id, version.as_deref().unwrap_or(AZURE_API_VERSION), limits)
}

/// A variable of the environment that says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}
