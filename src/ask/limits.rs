//! Owns patience: how many requests at once, how long each may take, what is tried again, and when.
//!
//! Must not know what is asked. It is the HTTP service under async-openai's client, whose own retries have no cap on
//! time, hide `Retry-After` and know no limit per attempt. A deterministic error is never tried again.

mod fault;
mod window;

pub(super) use fault::{excerpt, from_status};

use super::chat::{ChatError, ChatErrorKind};
use async_openai::{error::OpenAIError, middleware::HttpRequestFactory};
use futures::future::BoxFuture;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use window::Window;

/// Bounds on asking.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Requests in flight at once, at most; fewer while the provider has too much to do.
    pub max_connections: usize,
    /// Attempts after the first.
    pub max_retries: u32,
    /// Longest that one attempt may take, to the last byte of its reply.
    pub attempt_timeout: Duration,
    /// Longest that one question may take, waits between attempts included.
    pub total_timeout: Duration,
    /// Wait before the first retry; it doubles with each, up to [`Limits::MAX_BACKOFF`].
    pub first_backoff: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 32,
            max_retries: 5,
            // Reasoning models think for minutes.
            attempt_timeout: Duration::from_secs(300),
            total_timeout: Duration::from_secs(900),
            first_backoff: Duration::from_millis(500),
        }
    }
}

impl Limits {
    /// Longest wait that is chosen here; a provider may ask for more.
    pub const MAX_BACKOFF: Duration = Duration::from_secs(30);

    /// The wait before retry number `retry` (from 0), spread by `key` over its upper half so that requests that failed
    /// together do not come back together.
    fn backoff(&self, retry: u32, key: u64) -> Duration {
        let full = self.first_backoff.saturating_mul(1 << retry.min(16)).min(Self::MAX_BACKOFF);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&key.to_le_bytes()).update(&retry.to_le_bytes());
        let spread = f64::from(hasher.finalize().as_bytes()[0]) / 256.0;
        full.mul_f64(0.5 + 0.5 * spread)
    }
}

/// What all requests of one client share: how many may be under way, when the provider wants to hear from us again, and
/// how often it failed.
#[derive(Debug)]
pub struct Meter {
    window: Window,
    not_before: Mutex<Option<Instant>>,
    retries: AtomicU64,
    last_trouble: Mutex<Option<String>>,
    closed: watch::Sender<bool>,
}

impl Meter {
    /// That of a client that may have so many requests in flight.
    pub(super) fn new(max_connections: usize) -> Self {
        let (not_before, last_trouble) = (Mutex::default(), Mutex::default());
        let (window, closed) = (Window::new(max_connections), watch::Sender::new(false));
        Self { window, not_before, retries: AtomicU64::new(0), last_trouble, closed }
    }

    /// Requests that may be under way at once, now.
    pub fn window(&self) -> usize {
        self.window.size()
    }

    /// How long nothing is asked, since the provider wants to be left alone.
    pub fn pause(&self) -> Option<Duration> {
        self.gate()?.checked_duration_since(Instant::now())
    }

    /// Retries so far.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// The trouble that caused the latest retry, so that a run that waits can say what for.
    pub fn last_trouble(&self) -> Option<String> {
        self.last_trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets no further attempt begin.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// What is waited for, unless no further attempt may begin.
    async fn unless_closed<T>(&self, awaited: impl Future<Output = T>) -> Result<T, ChatError> {
        let mut closed = self.closed.subscribe();
        tokio::select! {
            biased;
            // The sender lives as long as this.
            _ = closed.wait_for(|&closed| closed) => {
                Err(ChatError::new(ChatErrorKind::Stopped, "given up between two attempts, since the run stops"))
            }
            awaited = awaited => Ok(awaited),
        }
    }

    fn note(&self, error: &ChatError, until: Instant) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        *self.last_trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.message.clone());
        if error.retry_after.is_some() {
            let mut gate = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
            *gate = Some(gate.map_or(until, |at| at.max(until)));
        }
    }

    fn gate(&self) -> Option<Instant> {
        *self.not_before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The HTTP service: one call is one question, with all its attempts. Answers with a success, body read, or an error.
#[derive(Clone)]
pub(super) struct Patient {
    pub(super) http: reqwest::Client,
    pub(super) limits: Limits,
    pub(super) meter: Arc<Meter>,
    /// Attempts of the question at hand, for the caller to read.
    pub(super) attempts: Arc<AtomicU32>,
}

impl tower::Service<HttpRequestFactory> for Patient {
    type Response = reqwest::Response;
    type Error = ChatError;
    type Future = BoxFuture<'static, Result<reqwest::Response, ChatError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ChatError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let patient = self.clone();
        Box::pin(async move { patient.persist(request).await })
    }
}

impl Patient {
    async fn persist(&self, request: HttpRequestFactory) -> Result<reqwest::Response, ChatError> {
        // The time runs from when it may be asked first: waiting for a turn does not count.
        let mut pass = self.meter.unless_closed(self.meter.window.enter()).await?;
        let deadline = Instant::now() + self.limits.total_timeout;
        for retry in 0.. {
            while let Some(gate) = self.meter.gate().filter(|&gate| gate > Instant::now()) {
                if gate >= deadline {
                    return Err(closed());
                }
                self.meter.unless_closed(sleep_until(gate)).await?;
            }
            self.attempts.fetch_add(1, Ordering::Relaxed);
            let request = request.build().await.map_err(unbuilt)?;
            let key = spread_key(&request);
            let error = match self.attempt(request, deadline).await {
                Ok(response) => {
                    pass.succeeded();
                    return Ok(response);
                }
                Err(error) => error,
            };
            if error.kind == ChatErrorKind::RateLimit || error.status == Some(503) {
                pass.refused();
            }
            let wait = error.retry_after.unwrap_or_else(|| self.limits.backoff(retry, key));
            let until = Instant::now() + wait;
            if !error.retryable || retry >= self.limits.max_retries || until >= deadline {
                return Err(error);
            }
            self.meter.note(&error, until);
            // An attempt that waits leaves room for others.
            drop(pass);
            self.meter.unless_closed(sleep_until(until)).await?;
            let entered = tokio::time::timeout_at(deadline, self.meter.window.enter());
            pass = match self.meter.unless_closed(entered).await? {
                Ok(pass) => pass,
                Err(_) => return Err(error),
            };
        }
        unreachable!("the loop ends by max_retries")
    }

    /// One request, to the last byte of its reply.
    async fn attempt(&self, request: reqwest::Request, deadline: Instant) -> Result<reqwest::Response, ChatError> {
        let allowed = self.limits.attempt_timeout.min(deadline - Instant::now());
        let reply = async {
            let response = self.http.execute(request).await.map_err(broken)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.bytes().await.map_err(broken)?;
            match fault::of(status, &headers, &body) {
                Some(error) => Err(error),
                None => Ok(axum::http::Response::new(reqwest::Body::from(body)).into()),
            }
        };
        timeout(allowed, reply).await.unwrap_or_else(|_| {
            let message = format!("no reply within {:.1} s; --timeout allows more", allowed.as_secs_f64());
            Err(ChatError::new(ChatErrorKind::Timeout, message))
        })
    }
}

/// A number of the request itself, so that jitter needs no generator and a rerun waits as the run did.
fn spread_key(request: &reqwest::Request) -> u64 {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let hash = blake3::hash(body);
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("32 bytes hold 8"))
}

fn closed() -> ChatError {
    let message =
        "the provider wants to be left alone for longer than a question may take; --max-connections lowers the rate";
    ChatError::new(ChatErrorKind::RateLimit, message)
}

fn unbuilt(error: OpenAIError) -> ChatError {
    ChatError::new(ChatErrorKind::BadRequest, format!("cannot form the request: {error}; check --base-url"))
}

fn broken(error: reqwest::Error) -> ChatError {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    ChatError::new(ChatErrorKind::Connect, format!("cannot reach the model: {message}"))
}

impl From<ChatError> for OpenAIError {
    fn from(error: ChatError) -> Self {
        OpenAIError::Boxed(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_spread() {
        let limits = Limits::default();
        for retry in 0..40 {
            let full = limits.first_backoff.mul_f64(2_f64.powi(retry)).min(Limits::MAX_BACKOFF);
            let waits: Vec<_> = (0..50).map(|key| limits.backoff(retry as u32, key)).collect();
            assert!(waits.iter().all(|&wait| wait >= full / 2 && wait <= full), "retry {retry}: {waits:?}");
            assert!(waits.iter().max() > waits.iter().min());
            assert_eq!(limits.backoff(retry as u32, 7), limits.backoff(retry as u32, 7));
        }
    }
}
