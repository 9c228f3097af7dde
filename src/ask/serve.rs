//! Owns the OpenAI-compatible endpoint on which simulated solvers answer, so that they are asked exactly as a real model.
//!
//! Must not know who answers: that is a [`Responder`]. Errors have OpenAI's shape, so that any client understands them.
//! Responders run on the runtime's own threads: they compute for some 20 to 100 microseconds and wait for nothing.

mod batches;

use super::chat::{Message, Role};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde_json::{Value, json};
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
        .with_state(responder.clone())
        .merge(batches::router(responder))
        .method_not_allowed_fallback(|| async {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address does not take this method")
        })
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address") })
}

async fn models(State(responder): State<Arc<dyn Responder>>) -> Json<Value> {
    let entry = |id| json!({"id": id, "object": "model", "created": 0, "owned_by": "wasmweaver"});
    Json(json!({"object": "list", "data": responder.models().into_iter().map(entry).collect::<Vec<_>>()}))
}

async fn complete(State(responder): State<Arc<dyn Responder>>, body: Bytes) -> Response {
    let (status, body) = answer(&*responder, Asked::read(&body));
    (status, Json(body)).into_response()
}

/// Status and body of what comes of a request.
fn answer(responder: &dyn Responder, asked: Result<Asked, String>) -> (StatusCode, Value) {
    let request = match asked {
        Ok(request) => request,
        Err(problem) => return refusal(StatusCode::BAD_REQUEST, "invalid_request", &problem),
    };
    match responder.respond(&request.model, &request.messages, request.seed) {
        Ok(reply) => (StatusCode::OK, completion(&request, &reply)),
        Err(e @ RespondError::UnknownModel(_)) => refusal(StatusCode::NOT_FOUND, "model_not_found", &e.to_string()),
        Err(e @ RespondError::BadRequest(_)) => refusal(StatusCode::BAD_REQUEST, "invalid_request", &e.to_string()),
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> (StatusCode, Value) {
    let error = json!({"message": message, "type": "invalid_request_error", "param": null, "code": code});
    (status, json!({ "error": error }))
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let (status, body) = refusal(status, code, message);
    (status, Json(body)).into_response()
}

#[derive(Debug)]
struct Asked {
    model: String,
    messages: Vec<Message>,
    seed: Option<u64>,
}

impl Asked {
    fn read(body: &[u8]) -> Result<Self, String> {
        Self::of(&serde_json::from_slice(body).map_err(|e| format!("the body is not JSON: {e}"))?)
    }

    fn of(json: &Value) -> Result<Self, String> {
        let model = json["model"].as_str().ok_or("`model` must be a string")?.to_owned();
        let messages = json["messages"].as_array().filter(|list| !list.is_empty());
        let messages = messages.ok_or("`messages` must be a list with something in it")?;
        let messages = messages.iter().map(message).collect::<Result<_, _>>()?;
        if json["stream"] == true {
            return Err("streaming is not offered; leave `stream` out".into());
        }
        let seed = match &json["seed"] {
            Value::Null => None,
            // Some clients send signed seeds; any 64 bits name a stream.
            seed => Some(seed.as_u64().or_else(|| seed.as_i64().map(|s| s as u64)).ok_or("`seed` must be an integer")?),
        };
        Ok(Self { model, messages, seed })
    }
}

fn message(json: &Value) -> Result<Message, String> {
    let role = json["role"].as_str().and_then(Role::parse);
    let role = role.ok_or("each message's `role` is one of system, developer, user, assistant")?;
    let content = match &json["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => return Err("each message's `content` must be a string or a list of text parts".into()),
    };
    Ok(Message { role, content })
}

/// A completion. It has no time and no random id in it: the same request has the same reply, byte for byte.
fn completion(request: &Asked, reply: &str) -> Value {
    let read: u64 = request.messages.iter().map(|message| rough_tokens(&message.content)).sum();
    let written = rough_tokens(reply);
    json!({
        "id": format!("chatcmpl-{}", &blake3::hash(reply.as_bytes()).to_hex()[..24]),
        "object": "chat.completion",
        "created": 0,
        "model": request.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": reply, "refusal": null},
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    })
}

/// About what a tokeniser would count: four bytes of English make a token.
fn rough_tokens(text: &str) -> u64 {
    text.len().div_ceil(4) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_or_refused_with_a_reason() {
        let read = |json: Value| Asked::read(json.to_string().as_bytes());
        let user = json!([{"role": "user", "content": "hi"}]);
        let parts = json!([{"role": "developer", "content": [{"type": "text", "text": "a"}, {"text": "b"}]}]);
        let asked = read(json!({"model": "m", "messages": parts, "seed": -1, "extra": 1})).expect("reads");
        assert_eq!(asked.messages, [Message { role: Role::System, content: "ab".into() }]);
        assert_eq!(asked.seed, Some(u64::MAX));
        let refused = [
            (json!({"messages": user}), "`model`"),
            (json!({"model": "m"}), "`messages`"),
            (json!({"model": "m", "messages": []}), "`messages`"),
            (json!({"model": "m", "messages": [{"role": "cat", "content": "x"}]}), "`role`"),
            (json!({"model": "m", "messages": [{"role": "user"}]}), "`content`"),
            (json!({"model": "m", "messages": user, "stream": true}), "streaming"),
            (json!({"model": "m", "messages": user, "seed": 0.5}), "`seed`"),
        ];
        for (body, word) in refused {
            assert!(read(body.clone()).expect_err("refused").contains(word), "{body}");
        }
        assert!(Asked::read(b"{\"model\":").expect_err("refused").contains("not JSON"));
    }
}
