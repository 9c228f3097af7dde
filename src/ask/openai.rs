//! Owns asking any OpenAI-compatible endpoint, through async-openai with types of our own.
//!
//! Must not know which questions are asked. Real servers send unknown finish reasons, null contents, integer error codes
//! and extra fields, which typed replies do not survive; so a reply is read field by field from JSON, and what is
//! missing is `None`. Keys are never shown: `Debug` and error messages leave them out.

pub(super) mod wire;

use super::chat::{ChatError, ChatErrorKind, ChatModel, ChatReply, ChatRequest};
use super::limits::{Limits, Meter, Patient, excerpt};
use super::models::{OPENAI_BASE_URL, ParamStyle};
use async_openai::config::{AzureConfig, Config, OpenAIConfig};
use async_openai::{Client, error::OpenAIError};
use futures::future::BoxFuture;
use serde_json::Value;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

/// The version of Azure's API that is asked for by default: the newest that is no preview.
pub const AZURE_API_VERSION: &str = "2024-10-21";

/// A secret that cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key; `None` if it could not stand in an HTTP header.
    pub fn new(key: &str) -> Option<Self> {
        let key = key.trim();
        let fine = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
        fine.then(|| Self(key.to_owned()))
    }

    /// The key in the environment; `None` if the variable is missing or empty.
    ///
    /// # Errors
    /// If it could not stand in an HTTP header.
    pub fn from_env(variable: &'static str) -> Result<Option<Self>, SetupError> {
        match std::env::var_os(variable) {
            Some(key) if !key.is_empty() => {
                Self::new(&key.to_string_lossy()).map(Some).ok_or(SetupError::BadKey { variable })
            }
            _ => Ok(None),
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// A model could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No key for an endpoint that needs one.
    #[error("{variable} is not set, in the environment or in .env; sim/novice needs no key")]
    NoKey {
        /// The variable that would hold it.
        variable: &'static str,
    },
    /// The key has white space or other characters in it that no key has.
    #[error("{variable} holds something that cannot be a key; `--model sim/novice` needs none")]
    BadKey {
        /// The variable that holds it.
        variable: &'static str,
    },
    /// The address cannot be used.
    #[error("`{url}` is no address of an endpoint ({reason}); one looks like {OPENAI_BASE_URL}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client could not start.
    #[error("cannot start the HTTP client: {0}")]
    Http(String),
}

/// How to reach an endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Up to and without `/chat/completions`.
    pub base_url: String,
    /// The key. Endpoints other than OpenAI's own may need none.
    pub key: Option<ApiKey>,
    /// Which parameters the model takes.
    pub style: ParamStyle,
}

impl Endpoint {
    fn trimmed(self) -> Self {
        let base_url = self.base_url.trim().trim_end_matches('/').to_owned();
        Self { base_url, ..self }
    }

    /// The key, or a word where none is wanted: some servers refuse an empty header.
    fn key(&self) -> &str {
        self.key.as_ref().map_or("none", |key| key.0.as_str())
    }
}

/// A model behind an endpoint. Cheap to share: connections are pooled.
pub struct OpenAi {
    client: Client<Arc<dyn Config>>,
    patient: Patient,
    endpoint: Endpoint,
}

impl OpenAi {
    /// Prepares to ask; sends nothing yet. A missing key is an error only where it is certain to be needed.
    ///
    /// # Errors
    /// If a key is needed and missing, the address is not valid, or the HTTP client does not start.
    pub fn new(endpoint: Endpoint, limits: Limits) -> Result<Self, SetupError> {
        let endpoint = endpoint.trimmed();
        if endpoint.key.is_none() && endpoint.base_url == OPENAI_BASE_URL {
            return Err(SetupError::NoKey { variable: "OPENAI_API_KEY" });
        }
        let config = OpenAIConfig::new()
            .with_api_base(&endpoint.base_url)
            .with_api_key(endpoint.key())
            .with_org_id(header_variable("OPENAI_ORG_ID"))
            .with_project_id(header_variable("OPENAI_PROJECT_ID"));
        Self::with_config(Arc::new(config), endpoint, limits)
    }

    /// The same of a deployment of Azure OpenAI, whose address is that of the resource, `https://NAME.openai.azure.com`:
    /// the deployment stands in the path, the version of the API in the query, the key in a header `api-key`. Azure's
    /// newer API, at `.../openai/v1`, is as OpenAI's.
    ///
    /// # Errors
    /// As [`OpenAi::new`].
    pub fn azure(endpoint: Endpoint, deployment: &str, api_version: &str, limits: Limits) -> Result<Self, SetupError> {
        let endpoint = endpoint.trimmed();
        if endpoint.base_url.ends_with("/v1") {
            return Self::new(endpoint, limits);
        }
        let config = AzureConfig::new()
            .with_api_base(&endpoint.base_url)
            .with_api_key(endpoint.key())
            .with_deployment_id(deployment)
            .with_api_version(api_version);
        Self::with_config(Arc::new(config), endpoint, limits)
    }

    fn with_config(config: Arc<dyn Config>, endpoint: Endpoint, limits: Limits) -> Result<Self, SetupError> {
        let http = http_client(&endpoint.base_url, &limits)?;
        let meter = Arc::new(Meter::new(limits.max_connections));
        let patient = Patient { http: http.clone(), limits, meter, attempts: Arc::default() };
        Ok(Self { client: Client::build(http, config), patient, endpoint })
    }

    /// Retries and their cause, shared by all requests of this model.
    pub fn meter(&self) -> Arc<Meter> {
        self.patient.meter.clone()
    }

    async fn once(&self, request: &ChatRequest, attempts: Arc<AtomicU32>) -> Result<ChatReply, ChatError> {
        let body = wire::body(request, self.endpoint.style);
        // A client per question costs a few allocations, and gives its attempts a place to be counted.
        let client = self.client.clone().with_http_service(Patient { attempts, ..self.patient.clone() });
        let reply: Result<Value, OpenAIError> = client.chat().create_byot(body).await;
        match reply {
            Ok(reply) => wire::reply(&reply),
            Err(error) => Err(plain(error)),
        }
    }

    fn redact(&self, mut error: ChatError) -> ChatError {
        if let Some(key) = &self.endpoint.key {
            error.message = without(&error.message, &key.0);
        }
        error
    }
}

/// Keys of at least so many characters are told from words anywhere in a message.
const LONG_KEY: usize = 8;

/// The text with `[key]` in place of the key; of a short one, which may be a part of any word, only where it stands alone.
fn without(text: &str, key: &str) -> String {
    if key.len() >= LONG_KEY {
        return text.replace(key, "[key]");
    }
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut shown, mut from) = (String::new(), 0);
    for (at, _) in text.match_indices(key) {
        let end = at + key.len();
        if !is_part(text[..at].chars().next_back()) && !is_part(text[end..].chars().next()) {
            shown += &text[from..at];
            shown += "[key]";
            from = end;
        }
    }
    shown + &text[from..]
}

impl ChatModel for OpenAi {
    fn ask<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatReply, ChatError>> {
        Box::pin(async move {
            let attempts = Arc::new(AtomicU32::new(0));
            let outcome = self.once(request, attempts.clone()).await;
            let attempts = attempts.load(Ordering::Relaxed);
            match outcome {
                Ok(reply) => Ok(ChatReply { attempts, ..reply }),
                Err(error) => Err(ChatError { attempts, ..self.redact(error) }),
            }
        })
    }

    fn close(&self) {
        self.patient.meter.close();
    }
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAi").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Our own error out of async-openai's.
fn plain(error: OpenAIError) -> ChatError {
    let malformed = |what: &str| {
        let message = format!("the endpoint sent no chat completion but `{}`; check --base-url", excerpt(what));
        ChatError::new(ChatErrorKind::Malformed, message)
    };
    match error {
        OpenAIError::Boxed(inner) => match inner.downcast::<ChatError>() {
            Ok(error) => *error,
            Err(other) => malformed(&other.to_string()),
        },
        OpenAIError::JSONDeserialize(_, content) => malformed(&content),
        other => malformed(&other.to_string()),
    }
}

/// Optional headers that async-openai would panic on if they could not stand in one.
fn header_variable(name: &str) -> String {
    std::env::var(name).ok().filter(|text| text.bytes().all(|b| b.is_ascii_graphic())).unwrap_or_default()
}

fn http_client(base_url: &str, limits: &Limits) -> Result<reqwest::Client, SetupError> {
    install_tls();
    let url = reqwest::Url::parse(base_url)
        .map_err(|e| SetupError::BadUrl { url: base_url.into(), reason: e.to_string() })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(SetupError::BadUrl { url: base_url.into(), reason: "neither http nor https".into() });
    }
    let mut builder = reqwest::Client::builder()
        .pool_max_idle_per_host(limits.max_connections)
        .connect_timeout(CONNECT_TIMEOUT.min(limits.attempt_timeout))
        // A redirected POST arrives as a GET, and the key would go along.
        .redirect(reqwest::redirect::Policy::none());
    if url.scheme() == "http" {
        // Spares reading the system's certificates, which a bare machine may not have.
        builder = builder.tls_certs_only([]);
    }
    if is_loopback(&url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|e| SetupError::Http(e.to_string()))
}

/// Longest wait for a connection; a model may think for minutes, but a machine answers at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Names ring as the implementation of TLS; reqwest is built without one, since the other needs cmake.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    // An error means that one is installed already, which is as good.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(base_url: &str, key: Option<&str>) -> Endpoint {
        let key = key.map(|key| ApiKey::new(key).expect("a key"));
        Endpoint { base_url: base_url.into(), key, style: ParamStyle::Standard }
    }

    #[test]
    fn a_missing_key_says_what_to_do() {
        let error = OpenAi::new(endpoint("https://api.openai.com/v1/", None), Limits::default()).expect_err("no key");
        insta::assert_snapshot!(error, @"OPENAI_API_KEY is not set, in the environment or in .env; sim/novice needs no key");
        OpenAi::new(endpoint("http://127.0.0.1:1/v1", None), Limits::default()).expect("needs no key");
    }

    #[test]
    fn keys_are_never_shown() {
        let model =
            OpenAi::new(endpoint("http://localhost:1/v1", Some("sk-secret")), Limits::default()).expect("sets up");
        assert!(!format!("{model:?} {:?}", model.endpoint).contains("secret"));
        let error = ChatError::new(ChatErrorKind::Auth, "Incorrect API key: sk-secret.");
        assert_eq!(model.redact(error).message, "Incorrect API key: [key].");
        assert_eq!(without("key k: (k) is no key, k", "k"), "key [key]: ([key]) is no key, [key]");
        assert_eq!(without("Bearersk-secret1", "sk-secret1"), "Bearer[key]");
        for bad in ["", " ", "a\nb", "ä"] {
            assert!(ApiKey::new(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn azure_has_its_own_way_to_be_asked() {
        let set_up = |base_url| {
            let model = OpenAi::azure(endpoint(base_url, Some("sk-secret")), "mine", "2024-10-21", Limits::default());
            let config = model.expect("sets up").client.config().clone();
            let query = config.query().into_iter().map(|(name, value)| format!("{name}={value}")).collect::<String>();
            let key = config.headers().keys().map(|name| name.to_string()).collect::<Vec<_>>().join(" ");
            (config.url("/chat/completions"), query, key)
        };
        let expected = "https://x.openai.azure.com/openai/deployments/mine/chat/completions";
        let (version, header) = ("api-version=2024-10-21".to_owned(), "api-key".to_owned());
        assert_eq!(set_up("https://x.openai.azure.com/"), (expected.to_owned(), version, header));
        let (url, query, header) = set_up("https://x.openai.azure.com/openai/v1/");
        assert_eq!(url, "https://x.openai.azure.com/openai/v1/chat/completions");
        assert_eq!((query.as_str(), header.contains("authorization")), ("", true));
    }

    #[test]
    fn addresses_are_checked_before_anything_is_sent() {
        for bad in ["api.openai.com/v1", "", "ftp://x/v1", "http://"] {
            let error = OpenAi::new(endpoint(bad, None), Limits::default()).expect_err(bad).to_string();
            assert!(error.contains("is no address of an endpoint"), "{error}");
        }
    }
}
