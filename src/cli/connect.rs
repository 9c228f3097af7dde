//! Owns the way from a model's name to something that can be asked: an endpoint, or our own on loopback.
//!
//! Must not know what is asked.

use super::{Failure, say};
use crate::ask::chat::{ChatModel, Params};
use crate::ask::guess::Guesser;
use crate::ask::guess::learned::Learned;
use crate::ask::guess::lessons::{self, LESSONS};
use crate::ask::limits::Limits;
use crate::ask::models::{ModelEntry, Models, Provider};
use crate::ask::openai::{ApiKey, Endpoint, OpenAi};
use crate::ask::residents::Residents;
use crate::ask::serve::Server;
use crate::ask::solver::Solver;
use crate::item::source::ItemSource;
use crate::seed::Seed;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Flags about the model and how it is asked, shared by the asking verbs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Asking")]
pub struct Flags {
    /// Model to ask: `provider/model`, a bare OpenAI model, a simulated solver (`sim/...`) or a guesser (`guess/...`)
    #[arg(long, default_value = "sim/novice")]
    pub model: String,
    /// OpenAI-compatible endpoint, up to and without `/chat/completions`
    #[arg(long, env = "OPENAI_BASE_URL", value_name = "URL")]
    base_url: Option<String>,
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
    /// Most tokens of a reply, hidden reasoning included
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    /// Sampling temperature (ignored by reasoning models, which take none)
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,
    /// How long a reasoning model thinks
    #[arg(long, value_name = "low|medium|high")]
    reasoning_effort: Option<String>,
}

/// Trains `guess/learned`, which takes some seconds.
pub fn learn(source: &ItemSource, seed: Seed) -> Result<Learned, Failure> {
    say(&format!("guess/learned learns from {LESSONS} other items"));
    lessons::learn(source, seed).map_err(Failure::usage)
}

/// A model that can be asked.
pub struct Connection {
    /// What is known about it.
    pub entry: ModelEntry,
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// Our own endpoint, for those who answer there; it serves as long as this lives.
    _server: Option<Server>,
}

impl Flags {
    /// The model's entry; checks the names of those that are our own.
    pub fn entry(&self) -> Result<ModelEntry, Failure> {
        // An address in the environment is meant for real models.
        let resident = Provider::of(&self.model).is_some_and(|(provider, _)| provider.is_resident());
        let base_url = self.base_url.as_deref().filter(|_| !resident);
        let entry = Models::shipped().resolve(&self.model, base_url).map_err(Failure::usage)?;
        match entry.provider {
            Provider::Sim => drop(entry.name().parse::<Solver>().map_err(Failure::usage)?),
            Provider::Guess => drop(entry.name().parse::<Guesser>().map_err(Failure::usage)?),
            Provider::OpenAi => {}
        }
        Ok(entry)
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

    /// Makes the model ready to be asked; one of our own is served on loopback, and asked over HTTP like any other.
    /// `guess/learned` learns first, from items like those that it will be asked about, of this seed.
    pub async fn connect(&self, entry: ModelEntry, source: &ItemSource, seed: Seed) -> Result<Connection, Failure> {
        let (server, base_url, key) = match entry.provider {
            Provider::Sim | Provider::Guess => {
                let learns = entry.name().parse() == Ok(Guesser::Learned);
                let learned = if learns { Some(learn(source, seed)?) } else { None };
                let residents = Arc::new(Residents { learned });
                let server = Server::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), residents).await?;
                let base_url = server.base_url();
                (Some(server), base_url, None)
            }
            Provider::OpenAi => (None, entry.base_url().to_owned(), ApiKey::from_env().map_err(Failure::usage)?),
        };
        let endpoint = Endpoint { base_url, key, style: entry.style() };
        let model = OpenAi::new(endpoint, self.limits()).map_err(Failure::usage)?;
        Ok(Connection { entry, model: Arc::new(model), _server: server })
    }
}
