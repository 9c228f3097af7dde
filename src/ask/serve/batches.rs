//! Owns the Files and Batches endpoints, so that a client of OpenAI's Batch API can be tried without an account: a file is
//! uploaded, a batch of it runs at once, and its output and error files are fetched.
//!
//! Must not know who answers. Files and batches are numbered, live in memory, and end with the server; times are 0, as in
//! completions.

use super::{Responder, answer, refuse, unread};
use crate::ask::batch::{ENDPOINT, MOST_BYTES, MOST_REQUESTS};
use axum::body::Bytes;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// Room for what stands around a file in its form.
const AROUND: usize = 64 * 1024;

pub(super) fn router(responder: Arc<dyn Responder>) -> Router {
    Router::new()
        .route("/v1/files", post(upload).get(files))
        .route("/v1/files/{id}", get(file).delete(remove))
        .route("/v1/files/{id}/content", get(content))
        .route("/v1/batches", post(begin).get(batches))
        .route("/v1/batches/{id}", get(batch))
        .layer(DefaultBodyLimit::max(MOST_BYTES as usize + AROUND))
        .with_state(Arc::new(Desk { responder, kept: Mutex::default() }))
}

/// Where files and batches lie.
struct Desk {
    responder: Arc<dyn Responder>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    files: BTreeMap<String, Stored>,
    batches: BTreeMap<String, Value>,
}

struct Stored {
    name: String,
    purpose: String,
    bytes: Bytes,
}

impl Desk {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics while holding it")
    }

    fn store(&self, name: &str, purpose: &str, bytes: Bytes) -> Value {
        let mut kept = self.kept();
        let next = kept.files.keys().next_back().map_or(0, |last| number(last) + 1);
        let id = format!("file-{next:08}");
        let stored = Stored { name: name.into(), purpose: purpose.into(), bytes };
        let shown = stored.shown(&id);
        kept.files.insert(id, stored);
        shown
    }

    /// Changes what a batch says of itself.
    fn note(&self, id: &str, change: impl FnOnce(&mut Value)) {
        if let Some(batch) = self.kept().batches.get_mut(id) {
            change(batch);
        }
    }
}

/// The number at the end of an id of ours.
fn number(id: &str) -> u64 {
    id.rsplit(['-', '_']).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

impl Stored {
    fn shown(&self, id: &str) -> Value {
        json!({
            "id": id,
            "object": "file",
            "bytes": self.bytes.len(),
            "created_at": 0,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
        })
    }
}

fn absent(what: &str, id: &str) -> Response {
    refuse(StatusCode::NOT_FOUND, "not_found", &format!("there is no {what} `{id}` here"))
}

fn list(data: Vec<Value>) -> Json<Value> {
    let end = |entry: Option<&Value>| entry.map_or(Value::Null, |entry| entry["id"].clone());
    let (first, last) = (end(data.first()), end(data.last()));
    Json(json!({"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": false}))
}

async fn upload(State(desk): State<Arc<Desk>>, form: Result<Multipart, MultipartRejection>) -> Response {
    let refused = |status, problem: &str| refuse(status, "invalid_request", problem);
    let sent = match form {
        Ok(form) => Sent::read(form).await,
        Err(rejection) => return refused(rejection.status(), &rejection.body_text()),
    };
    match sent {
        Ok(Sent { name, bytes: Some(bytes), purpose: Some(purpose) }) => {
            let name = name.as_deref().unwrap_or("upload");
            Json(desk.store(name, &purpose, bytes)).into_response()
        }
        Ok(_) => refused(StatusCode::BAD_REQUEST, "the form must have `file` and `purpose`"),
        Err(error) => refused(error.status(), &error.body_text()),
    }
}

/// The fields of an upload form.
#[derive(Default)]
struct Sent {
    name: Option<String>,
    bytes: Option<Bytes>,
    purpose: Option<String>,
}

impl Sent {
    async fn read(mut form: Multipart) -> Result<Self, MultipartError> {
        let mut sent = Self::default();
        while let Some(field) = form.next_field().await? {
            match field.name() {
                Some("file") => {
                    sent.name = field.file_name().map(str::to_owned);
                    sent.bytes = Some(field.bytes().await?);
                }
                Some("purpose") => sent.purpose = Some(field.text().await?),
                _ => {}
            }
        }
        Ok(sent)
    }
}

async fn files(State(desk): State<Arc<Desk>>) -> Json<Value> {
    list(desk.kept().files.iter().map(|(id, file)| file.shown(id)).collect())
}

async fn file(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Response {
    match desk.kept().files.get(&id) {
        Some(file) => Json(file.shown(&id)).into_response(),
        None => absent("file", &id),
    }
}

async fn content(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Response {
    match desk.kept().files.get(&id) {
        Some(file) => ([(header::CONTENT_TYPE, "application/octet-stream")], file.bytes.clone()).into_response(),
        None => absent("file", &id),
    }
}

async fn remove(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Response {
    match desk.kept().files.remove(&id) {
        Some(_) => Json(json!({"id": id, "object": "file", "deleted": true})).into_response(),
        None => absent("file", &id),
    }
}

async fn batches(State(desk): State<Arc<Desk>>) -> Json<Value> {
    list(desk.kept().batches.values().cloned().collect())
}

async fn batch(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Response {
    match desk.kept().batches.get(&id) {
        Some(batch) => Json(batch).into_response(),
        None => absent("batch", &id),
    }
}

async fn begin(State(desk): State<Arc<Desk>>, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return unread(&rejection),
    };
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    if asked["endpoint"] != ENDPOINT {
        let problem = format!("`endpoint` must be {ENDPOINT}");
        return refuse(StatusCode::BAD_REQUEST, "invalid_request", &problem);
    }
    let input_id = asked["input_file_id"].as_str().unwrap_or_default().to_owned();
    let mut kept = desk.kept();
    let Some(input) = kept.files.get(&input_id).map(|file| file.bytes.clone()) else {
        return absent("file", &input_id);
    };
    let id = format!("batch_{:08}", kept.batches.keys().next_back().map_or(0, |last| number(last) + 1));
    let begun = json!({
        "id": id,
        "object": "batch",
        "endpoint": ENDPOINT,
        "errors": null,
        "input_file_id": input_id,
        "completion_window": asked["completion_window"].as_str().unwrap_or("24h"),
        "status": "validating",
        "output_file_id": null,
        "error_file_id": null,
        "created_at": 0,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": asked["metadata"],
    });
    kept.batches.insert(id.clone(), begun.clone());
    drop(kept);
    tokio::task::spawn_blocking(move || run(&desk, &id, &input));
    Json(begun).into_response()
}

/// One request of a batch.
struct Row {
    custom_id: String,
    body: Value,
}

/// Answers everything in an input file.
fn run(desk: &Desk, id: &str, input: &[u8]) {
    let rows = match read(input) {
        Ok(rows) => rows,
        Err((line, problem)) => {
            let error = json!({"code": "invalid_file", "line": line, "message": problem, "param": null});
            return desk.note(id, |batch| {
                batch["status"] = "failed".into();
                batch["errors"] = json!({"object": "list", "data": [error]});
            });
        }
    };
    desk.note(id, |batch| batch["status"] = "in_progress".into());
    let (mut output, mut errors, mut failed) = (Vec::new(), Vec::new(), 0);
    for (at, row) in rows.iter().enumerate() {
        let (status, body) = answer(&*desk.responder, &row.body);
        let response = json!({"status_code": status.as_u16(), "request_id": format!("req_{at:08}"), "body": body});
        let line =
            json!({"id": format!("{id}_{at:08}"), "custom_id": row.custom_id, "response": response, "error": null});
        failed += usize::from(!status.is_success());
        let file = if status.is_success() { &mut output } else { &mut errors };
        file.extend_from_slice(line.to_string().as_bytes());
        file.push(b'\n');
    }
    let store = |name: &str, lines: Vec<u8>| match lines.is_empty() {
        true => Value::Null,
        false => desk.store(&format!("{id}_{name}.jsonl"), "batch_output", lines.into())["id"].clone(),
    };
    let (output, errors) = (store("output", output), store("error", errors));
    desk.note(id, |batch| {
        batch["status"] = "completed".into();
        (batch["output_file_id"], batch["error_file_id"]) = (output, errors);
        let completed = rows.len() - failed;
        batch["request_counts"] = json!({"total": rows.len(), "completed": completed, "failed": failed});
    });
}

/// The requests of an input file, or its first mistake with its line.
fn read(input: &[u8]) -> Result<Vec<Row>, (usize, String)> {
    let text = std::str::from_utf8(input).map_err(|error| (0, error.to_string()))?;
    let (mut rows, mut names) = (Vec::new(), HashSet::new());
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let refused = |problem: &str| (at + 1, problem.to_owned());
        let mut row: Value = serde_json::from_str(line).map_err(|error| refused(&error.to_string()))?;
        let custom_id = row["custom_id"].as_str().ok_or_else(|| refused("`custom_id` must be a string"))?.to_owned();
        if row["method"] != "POST" || row["url"] != ENDPOINT {
            return Err(refused("`method` and `url` must be POST and that of the batch"));
        }
        if !names.insert(custom_id.clone()) {
            return Err(refused("another line has this `custom_id`"));
        }
        rows.push(Row { custom_id, body: row["body"].take() });
    }
    match rows.len() {
        0 => Err((0, "the file is empty".into())),
        1..=MOST_REQUESTS => Ok(rows),
        more => Err((0, format!("{more} requests are more than {MOST_REQUESTS}"))),
    }
}

#[cfg(test)]
mod tests;
