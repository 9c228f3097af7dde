//! Owns the OpenAI-compatible endpoint on which simulated solvers answer, so that they are asked exactly as a real model.
//!
//! Must not know who answers: that is a [`Responder`]. Errors have OpenAI's shape, so that any client understands them.
//! `tests/e2e/exports/endpoint.py` asks with OpenAI's own client.
//! Responders run on the runtime's own threads: they compute for some 20 to 100 microseconds and wait for nothing.

mod asked;
mod batches;
mod completion;

use super::chat::Message;
use asked::{CompletionRequest, Refused};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use futures::stream;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Something that answers conversations at once.
pub trait Responder: Send + Sync {
    /// The names of the models that it plays.
    fn models(&self) -> Vec<String>;

    /// The reply of `model`. A function of its arguments alone.
    fn respond(&self, model: &str, messages: &[Message], seed: Option<u64>) -> Result<String, RespondError>;
}

/// There is no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RespondError {
    /// No model of this name.
    #[error("the model `{0}` does not exist here")]
    UnknownModel(String),
    /// Nothing in the conversation that it can answer.
    #[error("{0}")]
    BadRequest(String),
}

/// The endpoint cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {source}; choose another address with --addr, port 0 for any that is free")]
pub struct ServeError {
    addr: SocketAddr,
    source: std::io::Error,
}

/// A running endpoint. It stops when dropped.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Listens on `addr` (port 0 for any that is free) and answers from then on, on the current tokio runtime.
    pub async fn start(addr: SocketAddr, responder: Arc<dyn Responder>) -> Result<Self, ServeError> {
        let refused = |source| ServeError { addr, source };
        let listener = tokio::net::TcpListener::bind(addr).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let listener = listener.tap_io(|stream| {
            // Without it a reply waits for the acknowledgement of the one before; if it fails, it is slow, not wrong.
            let _ = stream.set_nodelay(true);
        });
        let (stop, mut stopped) = watch::channel(false);
        let serve = axum::serve(listener, router(responder)).with_graceful_shutdown(async move {
            // An error means that the server was dropped.
            let _ = stopped.wait_for(|&stop| stop).await;
        });
        Ok(Self { addr, stop, task: tokio::spawn(serve.into_future()) })
    }

    /// Where it answers, as `--base-url` wants it.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// Takes no new connection, and returns when the open ones have ended.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // It can only fail by a panic, which the runtime has reported.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(responder: Arc<dyn Responder>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(complete))
        .route("/v1/models", get(models))
        // A name may have slashes in it: `sim/novice`.
        .route("/v1/models/{*name}", get(model))
        .with_state(responder.clone())
        .merge(batches::router(responder))
        .method_not_allowed_fallback(|| async {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address does not take this method")
        })
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address") })
}

/// What the endpoint says of a model.
fn entry(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": 0, "owned_by": "wasmweaver"})
}

async fn models(State(responder): State<Arc<dyn Responder>>) -> Json<Value> {
    let entries: Vec<Value> = responder.models().iter().map(|name| entry(name)).collect();
    Json(json!({"object": "list", "data": entries}))
}

async fn model(State(responder): State<Arc<dyn Responder>>, Path(name): Path<String>) -> Response {
    match responder.models().contains(&name) {
        true => Json(entry(&name)).into_response(),
        false => refuse(StatusCode::NOT_FOUND, "model_not_found", &RespondError::UnknownModel(name).to_string()),
    }
}

async fn complete(State(responder): State<Arc<dyn Responder>>, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return unread(&rejection),
    };
    let asked = CompletionRequest::read(&body);
    let stream = asked.as_ref().ok().and_then(|asked| asked.stream);
    match (asked.map_err(no_request).and_then(|asked| Ok((replies(&*responder, &asked)?, asked))), stream) {
        (Ok((replies, asked)), None) => Json(completion::whole(&asked, &replies)).into_response(),
        (Ok((replies, asked)), Some(stream)) => {
            let pieces = completion::pieces(&asked, &replies, stream).into_iter().map(|piece| piece.to_string());
            let events = pieces.chain(["[DONE]".into()]).map(|data| Ok::<_, Infallible>(Event::default().data(data)));
            Sse::new(stream::iter(events.collect::<Vec<_>>())).into_response()
        }
        (Err((status, body)), _) => (status, Json(body)).into_response(),
    }
}

/// Status and body of what comes of a request of a batch.
fn answer(responder: &dyn Responder, body: &Value) -> (StatusCode, Value) {
    let asked = CompletionRequest::of(body).and_then(|asked| match asked.stream {
        None => Ok(asked),
        Some(_) => Err(Refused { param: Some("stream".into()), problem: "`stream` is not for batches".into() }),
    });
    let replied = asked.map_err(no_request).and_then(|asked| Ok((replies(responder, &asked)?, asked)));
    replied.map_or_else(|refusal| refusal, |(replies, asked)| (StatusCode::OK, completion::whole(&asked, &replies)))
}

/// So many replies as were asked for, or the refusal.
fn replies(responder: &dyn Responder, asked: &CompletionRequest) -> Result<Vec<String>, (StatusCode, Value)> {
    // The first reply is the one that is given when one is asked for; each other has a seed of its own.
    let seed = |at: u32| if at == 0 { asked.seed } else { Some(asked.seed.unwrap_or(0).wrapping_add(at.into())) };
    let reply = |at| responder.respond(&asked.model, &asked.messages, seed(at));
    (0..asked.replies).map(reply).collect::<Result<_, _>>().map_err(|error| {
        let (status, code) = match error {
            RespondError::UnknownModel(_) => (StatusCode::NOT_FOUND, "model_not_found"),
            RespondError::BadRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
        };
        refusal(status, code, &error.to_string(), None)
    })
}

fn no_request(refused: Refused) -> (StatusCode, Value) {
    refusal(StatusCode::BAD_REQUEST, "invalid_request", &refused.problem, refused.param)
}

fn refusal(status: StatusCode, code: &str, message: &str, param: Option<String>) -> (StatusCode, Value) {
    let error = json!({"message": message, "type": "invalid_request_error", "param": param, "code": code});
    (status, json!({ "error": error }))
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let (status, body) = refusal(status, code, message, None);
    (status, Json(body)).into_response()
}

/// A body that could not be read: too large, or broken off.
fn unread(rejection: &BytesRejection) -> Response {
    refuse(rejection.status(), "invalid_request", &rejection.body_text())
}
