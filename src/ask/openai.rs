//! Owns asking any OpenAI-compatible endpoint, through async-openai with types of our own.
//!
//! Must not know which questions are asked. Real servers send unknown finish reasons, null contents, integer error codes
//! and extra fields, which typed replies do not survive; so a reply is read field by field from JSON, and what is
//! missing is `None`. Keys are never shown: `Debug` and error messages leave them out.

mod wire;

use super::chat::{ChatError, ChatErrorKind, ChatModel, ChatReply, ChatRequest};
use super::limits::{Limits, Meter, Patient, excerpt};
use super::models::{OPENAI_BASE_URL, ParamStyle};
use async_openai::{Client, config::OpenAIConfig, error::OpenAIError};
use futures::future::BoxFuture;
use serde_json::Value;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

/// The variable that names the key.
pub const KEY_VARIABLE: &str = "OPENAI_API_KEY";

/// A secret that cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key; refused if it could not stand in an HTTP header.
    pub fn new(key: &str) -> Result<Self, SetupError> {
        let key = key.trim();
        let fine = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
        fine.then(|| Self(key.to_owned())).ok_or(SetupError::BadKey)
    }

    /// The key in the environment; `None` if the variable is missing or empty.
    pub fn from_env() -> Result<Option<Self>, SetupError> {
        match std::env::var_os(KEY_VARIABLE) {
            Some(key) if !key.is_empty() => Self::new(&key.to_string_lossy()).map(Some),
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
    #[error("{KEY_VARIABLE} is not set, in the environment or in .env; `--model sim/novice` needs no key")]
    NoKey,
    /// The key has white space or other characters in it that no key has.
    #[error("{KEY_VARIABLE} holds something that cannot be a key; `--model sim/novice` needs none")]
    BadKey,
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

/// A model behind an endpoint. Cheap to share: connections are pooled.
pub struct OpenAi {
    client: Client<OpenAIConfig>,
    patient: Patient,
    endpoint: Endpoint,
}

impl OpenAi {
    /// Prepares to ask; sends nothing yet. A missing key is an error only where it is certain to be needed.
    pub fn new(endpoint: Endpoint, limits: Limits) -> Result<Self, SetupError> {
        let base_url = endpoint.base_url.trim().trim_end_matches('/').to_owned();
        if endpoint.key.is_none() && base_url == OPENAI_BASE_URL {
            return Err(SetupError::NoKey);
        }
        let http = http_client(&base_url, &limits)?;
        let key = endpoint.key.as_ref().map_or("none", |key| key.0.as_str());
        let config = OpenAIConfig::new()
            .with_api_base(&base_url)
            .with_api_key(key)
            .with_org_id(header_variable("OPENAI_ORG_ID"))
            .with_project_id(header_variable("OPENAI_PROJECT_ID"));
        let meter = Arc::new(Meter::new(limits.max_connections));
        let patient = Patient { http: http.clone(), limits, meter, attempts: Arc::default() };
        Ok(Self { client: Client::build(http, config), patient, endpoint: Endpoint { base_url, ..endpoint } })
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
            error.message = error.message.replace(&key.0, "[key]");
        }
        error
    }
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
fn install_tls() {
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
        insta::assert_snapshot!(error, @"OPENAI_API_KEY is not set, in the environment or in .env; `--model sim/novice` needs no key");
        OpenAi::new(endpoint("http://127.0.0.1:1/v1", None), Limits::default()).expect("needs no key");
    }

    #[test]
    fn keys_are_never_shown() {
        let model =
            OpenAi::new(endpoint("http://localhost:1/v1", Some("sk-secret")), Limits::default()).expect("sets up");
        assert!(!format!("{model:?} {:?}", model.endpoint).contains("secret"));
        let error = ChatError::new(ChatErrorKind::Auth, "Incorrect API key: sk-secret.");
        assert_eq!(model.redact(error).message, "Incorrect API key: [key].");
        for bad in ["", " ", "a\nb", "ä"] {
            assert!(ApiKey::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_checked_before_anything_is_sent() {
        for bad in ["api.openai.com/v1", "", "ftp://x/v1", "http://"] {
            let error = OpenAi::new(endpoint(bad, None), Limits::default()).expect_err(bad).to_string();
            assert!(error.contains("is no address of an endpoint"), "{error}");
        }
    }
}
