//! Owns the way from the model of a plan to something that can be asked: an endpoint, our own on loopback, or a model of the
//! caller's own.
//!
//! Must not know what is asked.

use super::error::JobError;
use super::setting::Setting;
use crate::ask::budget::Budget;
use crate::ask::cache::{Cached, Tally, usual_folder};
use crate::ask::chat::{ChatModel, Params};
use crate::ask::examiner::Examiner;
use crate::ask::exchange::Exchange;
use crate::ask::guess::Guesser;
use crate::ask::guess::learned::Learned;
use crate::ask::guess::lessons::{self, LESSONS, LessonError};
use crate::ask::limits::{Limits, Meter};
use crate::ask::models::{ModelEntry, Models, Provider};
use crate::ask::openai::{AZURE_API_VERSION, ApiKey, Endpoint, OpenAi, SetupError};
use crate::ask::prompt::Prompts;
use crate::ask::residents::Residents;
use crate::ask::serve::Server;
use crate::item::record::Task;
use crate::item::source::ItemSource;
use crate::run::command::{REDACTED, value_without_secrets};
use crate::run::plan::{Conditions, Examinee, Request};
use crate::seed::Seed;
use crate::solver::Solver;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// Where a user's own models are looked for.
const MODELS_FILE: &str = "models.yaml";

/// The models that are known: those that come with the program, and those of a file; by default of `models.yaml` where this
/// process is, if there is one.
///
/// # Errors
/// If the file cannot be read.
pub fn models(file: Option<&Path>) -> Result<Models, JobError> {
    let mut models = Models::shipped();
    let usual = Path::new(MODELS_FILE);
    let file = file.or_else(|| usual.exists().then_some(usual));
    file.map_or(Ok(()), |path| models.extend_with(path)).map_err(JobError::usage)?;
    Ok(models)
}

/// The entry of a model; checks the names of those that are our own.
///
/// # Errors
/// If there is no such model.
pub fn entry(name: &str, base_url: Option<&str>, file: Option<&Path>) -> Result<ModelEntry, JobError> {
    let provider = Provider::of(name).map_or(Provider::OpenAi, |(provider, _)| provider);
    let usual = provider.row().base_url_variable.and_then(variable);
    let entry = models(file)?.resolve(name, base_url, usual.as_deref()).map_err(JobError::usage)?;
    match entry.provider {
        Provider::Sim => drop(entry.name().parse::<Solver>().map_err(JobError::usage)?),
        Provider::Guess => drop(entry.name().parse::<Guesser>().map_err(JobError::usage)?),
        _ => {}
    }
    Ok(entry)
}

/// A model as a plan has it, with the default way of asking.
///
/// # Errors
/// If there is no such model.
pub fn examinee(name: &str) -> Result<Examinee, JobError> {
    Ok(examinee_of(&entry(name, None, None)?, Request::default()))
}

/// The same at an address that is known, asked like this. Simulated solvers get a seed, which their noise is drawn from.
pub fn examinee_of(entry: &ModelEntry, request: Request) -> Examinee {
    // Who may ask is none of a plan's business.
    let base_url = (!entry.provider.is_resident()).then(|| value_without_secrets(entry.base_url()));
    let seed = (entry.provider == Provider::Sim).then_some(0);
    let params = Params { seed, ..request.params };
    Examinee { name: entry.name(), request: Request { params, base_url, ..request }, prices: entry.prices_here() }
}

/// The entry of the model of a plan, at the address that it was asked at.
pub(super) fn entry_of(examinee: &Examinee, conditions: &Conditions) -> Result<ModelEntry, JobError> {
    let Conditions { base_url: now, models, .. } = conditions;
    let of_plan = examinee.request.base_url.as_deref();
    // An address with a secret in it stands in no plan: it is given anew, or is the usual one.
    let whole = of_plan.filter(|url| !url.contains(REDACTED));
    let entry = entry(&examinee.name, now.as_deref().or(whole), models.as_deref())?;
    match of_plan {
        Some(url) if value_without_secrets(entry.base_url()) != url => {
            let (name, here) = (&examinee.name, value_without_secrets(entry.base_url()));
            Err(JobError::wrong(if here.is_empty() {
                format!("{name} answers within this program, and not at {url}; leave --base-url out")
            } else {
                format!("{name} was asked at {url}, and {here} is another address; name the same one with --base-url")
            }))
        }
        _ => Ok(entry),
    }
}

/// Whether asking it costs nothing: it answers within this program.
pub fn is_free(examinee: &Examinee) -> bool {
    Provider::of(&examinee.name).is_some_and(|(provider, _)| provider.is_resident())
}

/// What the model of a plan is called at its endpoint.
pub(super) fn id_of(examinee: &Examinee, conditions: &Conditions) -> Result<String, JobError> {
    Ok(entry_of(examinee, conditions)?.id)
}

/// Whether a model could be asked, before anything is made for it; nothing is sent.
///
/// # Errors
/// If a key is missing, or an address is none.
pub(super) fn check(examinee: &Examinee, conditions: &Conditions, setting: &Setting<'_>) -> Result<(), JobError> {
    if setting.models.contains_key(&examinee.name) {
        return Ok(());
    }
    let entry = entry_of(examinee, conditions)?;
    if entry.provider.is_resident() {
        return Ok(());
    }
    elsewhere(&entry, conditions.limits()).map(drop).map_err(JobError::usage)
}

/// Whether limits of dollars can be kept.
///
/// # Errors
/// If dollars are limited and the prices of a model are not known.
pub(super) fn check_prices(examinees: &[Examinee], conditions: &Conditions) -> Result<(), JobError> {
    let unpriced = examinees.iter().find(|examinee| examinee.prices.is_none());
    match (conditions.cost_limit, unpriced) {
        (Some(_), Some(examinee)) => Err(JobError::wrong(format!(
            "--cost-limit needs the prices of {}, which models.yaml does not have; give them in a file for --models",
            examinee.name
        ))),
        _ => Ok(()),
    }
}

/// Trains `guess/learned`, which takes some seconds.
///
/// # Errors
/// If there is nothing to learn from.
pub fn learn(sources: &[ItemSource], seed: Seed, tell: impl Fn(&str)) -> Result<BTreeMap<Task, Learned>, JobError> {
    tell(&format!("guess/learned learns from {LESSONS} other items of each task"));
    lessons::learn(sources, seed).map_err(unlearned)
}

/// A preset that makes too few items is the user's to mend; anything else is a mistake in this program.
pub fn unlearned(error: LessonError) -> JobError {
    if error.is_ours() { error.into() } else { JobError::usage(error) }
}

/// A model that can be asked.
pub struct Connection {
    name: String,
    /// Its name at its endpoint.
    pub id: String,
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// How its requests are doing; `None` of a model of the caller's own.
    pub meter: Option<Arc<Meter>>,
    cache: Option<Arc<Tally>>,
    /// Our own endpoint, for those who answer there; it serves as long as this lives.
    _server: Option<Server>,
}

impl Connection {
    /// Makes the model of a plan ready to be asked; one of our own is served on loopback, and asked over HTTP like any other.
    /// `guess/learned` learns first, from items like those that it will be asked about, of this seed.
    ///
    /// # Errors
    /// If a key is missing, an address is none, or there is nothing to learn from.
    pub async fn open(
        examinee: &Examinee,
        conditions: &Conditions,
        sources: &[ItemSource],
        seed: Seed,
        setting: &Setting<'_>,
    ) -> Result<Self, JobError> {
        if let Some(model) = setting.models.get(&examinee.name) {
            let (name, id) = (examinee.name.clone(), examinee.name.clone());
            return Ok(Self { name, id, model: model.clone(), meter: None, cache: None, _server: None });
        }
        let (entry, limits) = (entry_of(examinee, conditions)?, conditions.limits());
        if !entry.provider.is_resident() {
            let model = elsewhere(&entry, limits).map_err(JobError::usage)?;
            return Self::cached(&entry, model, conditions);
        }
        let learns = entry.name().parse() == Ok(Guesser::Learned);
        let learned = if learns { learn(sources, seed, |text| setting.note(text))? } else { BTreeMap::new() };
        if learns && learned.is_empty() {
            let problem = "guess/learned learns from other items of a suite or preset; name one of those";
            return Err(JobError::wrong(problem));
        }
        let server = Server::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(Residents { learned })).await?;
        let endpoint = Endpoint { base_url: server.base_url(), key: None, style: entry.style() };
        let model = OpenAi::new(endpoint, limits).map_err(JobError::usage)?;
        let (name, id, meter) = (entry.name(), entry.id, Some(model.meter()));
        Ok(Self { name, id, model: Arc::new(model), meter, cache: None, _server: Some(server) })
    }

    /// The model behind its cache, where there is one. Our own answer for nothing, and need none.
    fn cached(entry: &ModelEntry, model: OpenAi, conditions: &Conditions) -> Result<Self, JobError> {
        let meter = Some(model.meter());
        let mut model: Arc<dyn ChatModel> = Arc::new(model);
        let mut cache = None;
        if conditions.cache {
            let folder = conditions.cache_dir.clone().or_else(usual_folder);
            let none = || JobError::wrong("this machine has no place for caches; name one with --cache-dir");
            let cached = Cached::new(model, folder.ok_or_else(none)?, entry.base_url().to_owned());
            cache = Some(cached.tally());
            model = Arc::new(cached);
        }
        Ok(Self { name: entry.name(), id: entry.id.clone(), model, meter, cache, _server: None })
    }

    /// The exchange with the model, as the plan wants it.
    pub(super) fn exchange(
        &self,
        examinee: &Examinee,
        prompts: Prompts,
        conditions: &Conditions,
        budget: &Arc<Budget>,
    ) -> Exchange {
        let examiner = Examiner {
            name: examinee.name.clone(),
            id: self.id.clone(),
            model: self.model.clone(),
            params: examinee.request.params.clone(),
            prompts,
            limits: conditions.limits(),
            strictness: examinee.request.strictness(),
            prices: examinee.prices.clone(),
        };
        Exchange::new(examiner, budget.clone())
    }

    /// Says what the cache did, if there is one.
    pub(super) fn tell_cache(&self, setting: &Setting<'_>) {
        let Some(tally) = &self.cache else { return };
        setting.note(&format!("{}: {} replies came from the cache", self.name, tally.hits()));
        if let Some(trouble) = tally.trouble() {
            setting
                .note(&format!("the cache could not be used throughout: {trouble}; --cache-dir names another place"));
        }
    }
}

/// A model that answers elsewhere.
fn elsewhere(entry: &ModelEntry, limits: Limits) -> Result<OpenAi, SetupError> {
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
