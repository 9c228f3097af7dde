use super::*;
use crate::ask::chat::Message;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;

/// Repeats the question; knows no model but `parrot`.
struct Parrot;

impl Responder for Parrot {
    fn models(&self) -> Vec<String> {
        vec!["parrot".into()]
    }

    fn respond(&self, model: &str, messages: &[Message], _: Option<u64>) -> Result<String, RespondError> {
        let said = messages.last().map(|message| message.content.clone()).unwrap_or_default();
        if model == "parrot" { Ok(said) } else { Err(RespondError::UnknownModel(model.into())) }
    }
}

use crate::ask::serve::RespondError;

fn line(id: &str, model: &str) -> String {
    let body = json!({"model": model, "messages": [{"role": "user", "content": format!("I am {id}")}]});
    json!({"custom_id": id, "method": "POST", "url": ENDPOINT, "body": body}).to_string() + "\n"
}

fn ran(input: &str) -> (Arc<Desk>, Value) {
    let desk = Arc::new(Desk { responder: Arc::new(Parrot), kept: Mutex::default() });
    desk.kept().batches.insert("batch_0".into(), json!({"id": "batch_0", "status": "validating"}));
    run(&desk, "batch_0", input.as_bytes());
    let batch = desk.kept().batches["batch_0"].clone();
    (desk, batch)
}

#[test]
fn every_request_has_a_line_in_one_of_two_files() {
    let (desk, batch) = ran(&(line("a", "parrot") + &line("b", "nobody") + "\n" + &line("c", "parrot")));
    assert_eq!((&batch["status"], &batch["request_counts"]["failed"]), (&json!("completed"), &json!(1)));
    let rows = |field: &str| -> Vec<Value> {
        let kept = desk.kept();
        let file = &kept.files[batch[field].as_str().expect("there is one")];
        file.bytes
            .split(|&b| b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).expect("JSON"))
            .collect()
    };
    let output = rows("output_file_id");
    assert_eq!(output.iter().map(|row| row["custom_id"].clone()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(output[1]["response"]["body"]["choices"][0]["message"]["content"], "I am c");
    let errors = rows("error_file_id");
    assert_eq!((errors.len(), errors[0]["response"]["status_code"].as_u64()), (1, Some(404)));
}

#[test]
fn a_file_with_a_mistake_is_refused_by_line() {
    for (input, at, told) in [
        (String::new(), 0, "empty"),
        ("{".into(), 1, "EOF"),
        (line("a", "parrot") + &line("a", "parrot"), 2, "custom_id"),
        (line("a", "parrot").replace("POST", "GET"), 1, "method"),
        ("{\"method\":\"POST\"}".into(), 1, "custom_id"),
    ] {
        let (_, batch) = ran(&input);
        let error = &batch["errors"]["data"][0];
        assert_eq!((&batch["status"], error["line"].as_u64()), (&json!("failed"), Some(at)), "{input}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(told)), "{error}");
    }
}

const BOUNDARY: &str = "multipart/form-data; boundary=xyz";

/// The reply to an uploaded form, and to a request for the content of the first file.
async fn uploaded(kind: &str, form: String) -> (StatusCode, Value, Bytes) {
    let router = router(Arc::new(Parrot));
    let ask = async |request: Request<Body>| {
        let reply = router.clone().oneshot(request).await.expect("a router never fails");
        (reply.status(), to_bytes(reply.into_body(), usize::MAX).await.expect("it is in memory"))
    };
    let upload = Request::post("/v1/files").header(header::CONTENT_TYPE, kind).body(Body::from(form));
    let (status, told) = ask(upload.expect("a request")).await;
    let (_, content) =
        ask(Request::get("/v1/files/file-00000000/content").body(Body::empty()).expect("a request")).await;
    (status, serde_json::from_slice(&told).expect("JSON"), content)
}

#[tokio::test]
async fn a_file_is_kept_byte_for_byte() {
    let form = "--xyz\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--xyz\r\n\
        Content-Disposition: form-data; name=\"other\"\r\n\r\n?\r\n--xyz\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"a b.jsonl\"\r\nContent-Type: text/plain\r\n\r\n\
        {}\r\n--xy\n\r\n--xyz--\r\n";
    let (status, told, content) = uploaded(BOUNDARY, form.into()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&told["filename"], &told["purpose"], &told["bytes"]),
        (&json!("a b.jsonl"), &json!("batch"), &json!(9))
    );
    assert_eq!(content, "{}\r\n--xy\n");
}

#[tokio::test]
async fn what_is_no_upload_is_refused() {
    let file = "--xyz\r\nContent-Disposition: form-data; name=\"file\"";
    for (kind, form, told) in [
        ("application/json", "{}".to_owned(), "boundary"),
        ("multipart/form-data", format!("{file}\r\n\r\nb\r\n--xyz--"), "boundary"),
        (BOUNDARY, String::new(), "multipart"),
        (BOUNDARY, file.to_owned(), "multipart"),
        (BOUNDARY, format!("{file}\r\n\r\nb\r\n--xy"), "incomplete"),
        (BOUNDARY, format!("{file}\r\n\r\nb\r\n--xyz--"), "`purpose`"),
        (BOUNDARY, "--xyz--".to_owned(), "`file`"),
    ] {
        let (status, reply, _) = uploaded(kind, form.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{kind}: {form}");
        let message = reply["error"]["message"].as_str().expect("a message");
        assert!(message.contains(told), "{kind}: {form}: {message}");
    }
}
