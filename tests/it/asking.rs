//! Asking end to end: pipeline, client, limits and endpoint over loopback, with everything that servers do wrong.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Json, Router, routing::post};
use serde_json::{Value as Json_, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use wasmweaver::ask::chat::{ChatErrorKind, ChatRequest, Message, Params, Role};
use wasmweaver::ask::judge::Strictness;
use wasmweaver::ask::limits::Limits;
use wasmweaver::ask::models::ParamStyle;
use wasmweaver::ask::openai::{Endpoint, OpenAi};
use wasmweaver::ask::pipeline::{Clock, Ended, Query, ask_all};
use wasmweaver::ask::serve::{RespondError, Responder, Server};
use wasmweaver::ask::stop::Stop;
use wasmweaver::item::record::{Answer, Truth, Verdict};
use wasmweaver::wasm::types::Value;

/// A model that gives back the number that it is asked for.
struct Echo;

impl Responder for Echo {
    fn models(&self) -> Vec<String> {
        vec!["echo".into()]
    }

    fn respond(&self, model: &str, messages: &[Message], seed: Option<u64>) -> Result<String, RespondError> {
        match (model, messages) {
            ("echo", [Message { content, .. }]) => Ok(output(content, seed)),
            ("echo", _) => Err(RespondError::BadRequest("one message, please".into())),
            _ => Err(RespondError::UnknownModel(model.into())),
        }
    }
}

fn output(number: &str, seed: Option<u64>) -> String {
    format!("<OUTPUT>{{\"stack_values\":[{number},{}]}}</OUTPUT>", seed.unwrap_or(0))
}

/// Query `i` says `content(i)`; the truth is the number `i` and the seed.
fn questions(count: usize, model: &str, content: impl Fn(usize) -> String) -> Vec<Query<usize>> {
    let question = |i: usize| Query {
        request: ChatRequest {
            model: model.into(),
            messages: vec![Message { role: Role::User, content: content(i) }],
            params: Params { seed: Some(7), ..Params::default() },
            epoch: 0,
        },
        truth: Truth::StackValues(vec![Value::i64(i as i64), Value::i64(7)]),
        about: i,
        strictness: Strictness::default(),
    };
    (0..count).map(question).collect()
}

fn quick() -> Limits {
    Limits {
        max_retries: 2,
        attempt_timeout: Duration::from_secs(1),
        total_timeout: Duration::from_secs(30),
        first_backoff: Duration::from_millis(5),
        ..Limits::default()
    }
}

async fn ask(base_url: String, questions: Vec<Query<usize>>) -> (Ended, HashMap<usize, (Answer, Clock)>) {
    let endpoint = Endpoint { base_url, key: None, style: ParamStyle::Standard };
    let model = OpenAi::new(endpoint, quick()).expect("sets up");
    let (limits, mut answers) = (quick(), HashMap::new());
    let stop = watch::channel(Stop::Go).1;
    let ended = ask_all(Arc::new(model), questions.into_iter().map(Ok), &limits, stop, |index, answer, clock| {
        assert!(answers.insert(index, (answer, clock)).is_none(), "question {index} has two answers");
        Ok::<(), Infallible>(())
    });
    (ended.await.expect("cannot fail"), answers)
}

async fn served() -> Server {
    Server::start(([127, 0, 0, 1], 0).into(), Arc::new(Echo)).await.expect("starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_comes_back_to_its_question() {
    let server = served().await;
    let (ended, answers) = ask(server.base_url(), questions(200, "echo", |i| i.to_string())).await;
    assert_eq!((ended, answers.len()), (Ended::Complete, 200));
    for (index, (answer, clock)) in &answers {
        assert_eq!((answer.verdict, clock.attempts), (Verdict::Correct, 1), "{index}: {answer:?}");
        assert_eq!(answer.reply, Some(output(&index.to_string(), Some(7))));
        assert_eq!((answer.model_returned.as_deref(), answer.finish_reason.as_deref()), (Some("echo"), Some("stop")));
        assert!(answer.usage.prompt_tokens.is_some() && answer.usage.completion_tokens.is_some());
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_model_ends_the_asking() {
    let server = served().await;
    let (ended, answers) = ask(server.base_url(), questions(100, "ghost", |i| i.to_string())).await;
    let Ended::Fatal(error) = ended else { panic!("{ended:?}") };
    assert_eq!((error.kind, error.attempts, answers.len()), (ChatErrorKind::NotFound, 1, 0));
    assert!(error.message.contains("the model `ghost` does not exist here"), "{}", error.message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_endpoint_speaks_openai_s_errors() {
    let server = served().await;
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    // Setting up a model names the implementation of TLS, without which no client is built.
    let _model = OpenAi::new(Endpoint { base_url: server.base_url(), key: None, style: ParamStyle::Standard }, quick());
    let http = http.build().expect("builds");
    let url = |path: &str| format!("{}{path}", server.base_url());
    let models: Json_ = http.get(url("/models")).send().await.expect("sent").json().await.expect("JSON");
    assert_eq!(models["data"][0]["id"], "echo");
    for path in ["/models/echo", "/models/e%63ho"] {
        let model: Json_ = http.get(url(path)).send().await.expect("sent").json().await.expect("JSON");
        assert_eq!((&model["id"], &model["object"]), (&json!("echo"), &json!("model")));
    }
    let two =
        json!({"model": "echo", "messages": [{"role": "user", "content": "1"}, {"role": "user", "content": "2"}]});
    let cases = [
        (http.post(url("/chat/completions")).body("{\"model\":"), 400, "invalid_request"),
        (http.post(url("/chat/completions")).body(two.to_string()), 400, "invalid_request"),
        (http.get(url("/chat/completions")), 405, "method_not_allowed"),
        (http.get(url("/nothing")), 404, "not_found"),
        (http.get(url("/models/an/echo")), 404, "model_not_found"),
        (http.post(url("/chat/completions")).body("x".repeat(3 << 20)), 413, "invalid_request"),
    ];
    for (request, status, code) in cases {
        let response = request.send().await.expect("sent");
        assert_eq!(response.status(), status);
        let body: Json_ = response.json().await.expect("JSON");
        assert_eq!(body["error"]["code"], code, "{body}");
        assert!(body["error"]["message"].is_string() && body["error"]["type"].is_string());
    }
}

/// What a faulty server does with a question, what that must come to, and in how many attempts at least.
const FAULTS: &[(&str, Verdict, u32)] = &[
    ("fine", Verdict::Correct, 1),
    ("busy once", Verdict::Correct, 2),
    ("down once", Verdict::Correct, 2),
    ("hang once", Verdict::Correct, 2),
    ("error in a success once", Verdict::Correct, 2),
    ("down", Verdict::ProviderError, 3),
    ("hang", Verdict::Timeout, 3),
    ("bad request", Verdict::ProviderError, 1),
    ("web page", Verdict::ProviderError, 3),
    ("no choices", Verdict::ProviderError, 3),
    ("web page once", Verdict::Correct, 2),
    ("no choices once", Verdict::Correct, 2),
    ("nothing once", Verdict::Correct, 2),
    ("half a body once", Verdict::Correct, 2),
    ("error beside once", Verdict::Correct, 2),
    ("error within once", Verdict::Correct, 2),
    ("flagged", Verdict::Refusal, 1),
    ("filtered before", Verdict::Refusal, 1),
    ("forbidden for once", Verdict::ProviderError, 1),
    ("open thought", Verdict::Truncated, 1),
    ("thought and answer", Verdict::Correct, 1),
    ("moved", Verdict::ProviderError, 1),
    ("null content", Verdict::NoResponse, 1),
    ("odd finish", Verdict::Correct, 1),
    ("cut off", Verdict::Truncated, 1),
    ("filtered", Verdict::Refusal, 1),
    ("refused", Verdict::Refusal, 1),
    ("chatty", Verdict::InvalidFormat, 1),
    ("lying", Verdict::Wrong, 1),
];

type Seen = Arc<Mutex<HashMap<String, u32>>>;

async fn faulty(State(seen): State<Seen>, body: Bytes) -> Response {
    let request: Json_ = serde_json::from_slice(&body).expect("our client writes JSON");
    let content = request["messages"][0]["content"].as_str().expect("text").to_owned();
    let (number, fault) = content.split_once(' ').expect("a number and a fault");
    let attempt = {
        let mut seen = seen.lock().expect("not poisoned");
        let count = seen.entry(content.clone()).or_default();
        *count += 1;
        *count
    };
    let answer = output(number, Some(7));
    match fault {
        "busy once" if attempt == 1 => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0.05")], "").into_response()
        }
        "down once" if attempt == 1 => (StatusCode::INTERNAL_SERVER_ERROR, Html("<h1>oops</h1>")).into_response(),
        "down" => (StatusCode::BAD_GATEWAY, Json(json!({"error": {"message": "x", "code": 502}}))).into_response(),
        "error in a success once" if attempt == 1 => {
            Json(json!({"error": {"code": 503, "message": "x"}})).into_response()
        }
        "hang once" if attempt == 1 => std::future::pending().await,
        "hang" => std::future::pending().await,
        "bad request" => (StatusCode::BAD_REQUEST, "no").into_response(),
        "web page" => Html("<html>Log in</html>").into_response(),
        "no choices" => Json(json!({"id": 3})).into_response(),
        "web page once" if attempt == 1 => Html("<html>Log in</html>").into_response(),
        "no choices once" if attempt == 1 => {
            Json(json!({"id": "g", "error": {"code": 429, "message": "x"}, "choices": []})).into_response()
        }
        "nothing once" if attempt == 1 => StatusCode::OK.into_response(),
        "half a body once" if attempt == 1 => "{\"id\": 1, \"choices\": [{\"mess".into_response(),
        "error beside once" if attempt == 1 => {
            Json(json!({"user_id": "u", "error": {"code": 502, "message": "x"}})).into_response()
        }
        "error within once" if attempt == 1 => choice(json!({"finish_reason": "error", "error": {"code": 502}})),
        "flagged" => {
            let error = json!({"message": "your input was flagged", "metadata": {"reasons": ["violence"]}});
            (StatusCode::FORBIDDEN, Json(json!({ "error": error }))).into_response()
        }
        "filtered before" => {
            (StatusCode::BAD_REQUEST, Json(json!({"error": {"code": "content_filter"}}))).into_response()
        }
        // It comes after others were answered, so that it is no matter of the key.
        "forbidden for once" => {
            tokio::time::sleep(Duration::from_millis(200)).await;
            (StatusCode::FORBIDDEN, Html("<h1>Blocked</h1>")).into_response()
        }
        "open thought" => choice(json!({"message": {"content": format!("<think>{answer}")}, "finish_reason": "stop"})),
        "thought and answer" => {
            let content = format!("<think>{}</think>{answer}", output("-1", Some(7)));
            choice(json!({"message": {"content": content}, "finish_reason": "stop"}))
        }
        "moved" => (StatusCode::FOUND, [(header::LOCATION, "http://elsewhere/")]).into_response(),
        "null content" => choice(json!({"message": {"content": null}, "finish_reason": "stop"})),
        "odd finish" => choice(json!({"message": {"content": answer, "extra": [1]}, "finish_reason": "eos_reached"})),
        "cut off" => choice(json!({"message": {"content": answer}, "finish_reason": "length"})),
        "filtered" => choice(json!({"message": {"content": answer}, "finish_reason": "content_filter"})),
        "refused" => choice(json!({"message": {"content": null, "refusal": "No."}, "finish_reason": "stop"})),
        "chatty" => choice(json!({"message": {"content": "Let me think."}, "finish_reason": "stop"})),
        "lying" => choice(json!({"message": {"content": output("-1", Some(7))}, "finish_reason": "stop"})),
        _ => choice(json!({"message": {"content": answer}, "finish_reason": "stop"})),
    }
}

fn choice(choice: Json_) -> Response {
    Json(json!({"object": "chat.completion", "choices": [choice], "usage": {"prompt_tokens": 1.5}})).into_response()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_become_their_own_verdicts() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    let app = Router::new().route("/v1/chat/completions", post(faulty)).with_state(Seen::default());
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    let asked = questions(200, "m", |i| format!("{i} {}", FAULTS[i % FAULTS.len()].0));
    let (ended, answers) = ask(base_url, asked).await;
    assert_eq!((ended, answers.len()), (Ended::Complete, 200));
    for (index, (answer, clock)) in &answers {
        let (fault, verdict, attempts) = FAULTS[index % FAULTS.len()];
        assert_eq!(answer.verdict, verdict, "{fault}: {answer:?}");
        assert!(clock.attempts >= attempts, "{fault}: {} attempts", clock.attempts);
        assert_eq!(answer.error.is_some(), matches!(verdict, Verdict::ProviderError | Verdict::Timeout), "{fault}");
        if verdict == Verdict::ProviderError && attempts == 1 {
            assert_eq!(clock.attempts, 1, "{fault}: nothing deterministic is tried again");
        }
    }
    server.abort();
}

/// One sentence says at once which parameter every question would fail by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_that_is_not_taken_ends_the_asking() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    let refuse = || async {
        let error = json!({"message": "Unsupported parameter: 'max_tokens'", "param": "max_tokens", "code": "unsupported_parameter"});
        (StatusCode::BAD_REQUEST, Json(json!({ "error": error })))
    };
    let server = tokio::spawn(axum::serve(listener, Router::new().fallback(refuse)).into_future());
    let (ended, answers) = ask(base_url, questions(100, "m", |i| i.to_string())).await;
    let Ended::Fatal(error) = ended else { panic!("{ended:?}") };
    assert_eq!((error.kind, error.attempts, answers.len()), (ChatErrorKind::Parameter, 1, 0));
    assert!(error.message.starts_with("the model does not take `max_tokens`"), "{}", error.message);
    server.abort();
}
