//! Owns what a failed HTTP exchange means: whether to try again, when, and what to tell the user.
//!
//! Must not know who asks or how often. Bodies may be anything (OpenAI's JSON, other JSON, a web page, nothing).

use crate::ask::chat::{ChatError, ChatErrorKind};
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// The error in an exchange; `None` if it succeeded.
pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<ChatError> {
    if status.is_success() {
        return hidden(body);
    }
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = match headers.get(LOCATION).and_then(|at| at.to_str().ok()) {
        Some(location) if status.is_redirection() => format!("moved to {location}; give that as --base-url"),
        _ => detail(&json, body),
    };
    let mut error =
        refusal(status.as_u16(), &json, &detail).unwrap_or_else(|| from_status(status.as_u16(), &code(&json), &detail));
    error.retry_after = retry_after(headers);
    Some(error)
}

/// The part of a chat completion that is read; the rest is skipped, since nearly every reply is a success.
#[derive(Deserialize)]
struct Outline {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    error: Value,
    finish_reason: Value,
}

/// Trouble that comes with status 200: gateways put the error of the provider behind them into the body, beside other keys or
/// within the choice, or cut the body off. It means what its own code says, as if that had been the status.
fn hidden(body: &[u8]) -> Option<ChatError> {
    let outline: Outline = match serde_json::from_slice(body) {
        Ok(outline) => outline,
        Err(_) => return Some(no_completion(body)),
    };
    let failed = outline.choices.first().filter(|choice| choice.finish_reason == "error");
    let error = match failed {
        Some(choice) => &choice.error,
        None if !outline.choices.is_empty() => return None,
        None if outline.error.is_null() => return Some(no_completion(body)),
        None => &outline.error,
    };
    let json = serde_json::json!({ "error": error });
    let status = error["code"].as_u64().or_else(|| error["code"].as_str()?.parse().ok());
    let status = status.and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code));
    let detail = if error.is_null() { String::new() } else { detail(&json, json.to_string().as_bytes()) };
    let status = status.unwrap_or(500);
    Some(refusal(status, &json, &detail).unwrap_or_else(|| from_status(status, &code(&json), &detail)))
}

/// A success without a chat completion in it.
fn no_completion(body: &[u8]) -> ChatError {
    let what = excerpt(&String::from_utf8_lossy(body));
    let what = if what.is_empty() { "nothing".into() } else { format!("`{what}`") };
    ChatError::new(
        ChatErrorKind::Malformed,
        format!("the endpoint sent no chat completion but {what}; check --base-url"),
    )
}

/// What is wrong with this question, or with the parameters of all: told apart from other refusals by what the provider says.
fn refusal(status: u16, json: &Value, detail: &str) -> Option<ChatError> {
    if !matches!(status, 400 | 403 | 422 | 451) {
        return None;
    }
    let (error, code) = (&json["error"], code(json));
    let says = |signs: &[&str], text: &str| signs.iter().any(|sign| text.to_ascii_lowercase().contains(sign));
    let kind_and_hint = if error["metadata"]["reasons"].is_array() || says(&FILTERED, &code) || says(&FLAGGED, detail) {
        (ChatErrorKind::Declined, "the provider's filter declines the question".to_owned())
    } else if status != 403 && (says(&NOT_TAKEN, &code) || (error["param"].is_string() && says(&NOT_TAKEN, detail))) {
        let name = error["param"].as_str().unwrap_or("a parameter");
        (
            ChatErrorKind::Parameter,
            format!("the model does not take `{name}`; leave it out, or give `style` in models.yaml"),
        )
    } else {
        return None;
    };
    let (kind, hint) = kind_and_hint;
    let message = format!("{hint} ({status}: {detail})");
    Some(ChatError { status: Some(status), ..ChatError::new(kind, message) })
}

/// Codes of filters: Azure's and OpenAI's, and those of gateways.
const FILTERED: [&str; 5] = ["content_filter", "content_policy", "moderation", "responsibleaipolicy", "prompt_blocked"];
/// What filters say in words: OpenRouter, Azure, OpenAI.
const FLAGGED: [&str; 4] =
    ["was flagged", "content management policy", "content policy", "rejected as a result of our safety"];
/// What endpoints say of a parameter that they do not take.
const NOT_TAKEN: [&str; 6] =
    ["unsupported", "not supported", "unrecognized", "unknown_parameter", "unknown parameter", "does not support"];

/// The error that a status stands for. `code` is the provider's own word for it, `detail` its explanation.
pub(in crate::ask) fn from_status(status: u16, code: &str, detail: &str) -> ChatError {
    use ChatErrorKind::{Auth, BadRequest, NotFound, Provider, Quota, RateLimit, Timeout};
    let (kind, hint) = match status {
        _ if code == "insufficient_quota" => (Quota, "the account has no credit left"),
        401 | 403 => (Auth, "the endpoint refuses the key; check it in the environment or in .env"),
        402 => (Quota, "the account has no credit left"),
        404 => (NotFound, "no such model or address; check --model and --base-url"),
        408 => (Timeout, "the provider gave up waiting"),
        400 | 413 | 422 if TOO_LONG.iter().any(|sign| code == *sign || detail.contains(sign)) => {
            (BadRequest, "the question does not fit into the model's context")
        }
        500 if detail.starts_with(CROWDED) => (
            RateLimit,
            "the replies under way do not fit into the server's context; --max-connections lowers their number",
        ),
        409 | 425 => (Provider, "the provider is not ready"),
        429 => (RateLimit, "too many requests; --max-connections lowers the rate"),
        501 | 505 => (BadRequest, "the endpoint cannot do this"),
        500.. => (Provider, "the provider failed"),
        300..=399 => (BadRequest, "the endpoint redirects"),
        _ => (BadRequest, "the endpoint refuses the request"),
    };
    let message = if detail.is_empty() { format!("{hint} ({status})") } else { format!("{hint} ({status}: {detail})") };
    ChatError { status: Some(status), ..ChatError::new(kind, message) }
}

/// What llama.cpp says when all that it is answering at once has filled the context that they share; then all of them fail.
const CROWDED: &str = "Context size has been exceeded";

/// How servers say that a question is too long: by a code (OpenAI's and llama.cpp's own) or in words alone (vLLM, Ollama).
const TOO_LONG: [&str; 4] =
    ["context_length_exceeded", "exceed_context_size_error", "maximum context length", "exceeds the context length"];

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    /// Longer waits than a day are a mistake of the provider's.
    const MAX_S: f64 = 86_400.0;
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim());
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number(RETRY_AFTER.as_str()));
    let seconds = seconds.or_else(|| {
        let until = httpdate::parse_http_date(text(RETRY_AFTER.as_str())?).ok()?;
        // By the provider's clock, where it tells the time: ours may be another.
        let now = text(DATE.as_str()).and_then(|date| httpdate::parse_http_date(date).ok());
        Some(until.duration_since(now.unwrap_or_else(SystemTime::now)).unwrap_or_default().as_secs_f64())
    })?;
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(MAX_S)))
}

fn code(json: &Value) -> String {
    json["error"]["code"].as_str().or_else(|| json["error"]["type"].as_str()).unwrap_or_default().to_owned()
}

/// The provider's explanation, or the beginning of what it sent.
fn detail(json: &Value, body: &[u8]) -> String {
    let places = [&json["error"]["message"], &json["error"], &json["message"], &json["detail"]];
    match places.into_iter().find_map(Value::as_str) {
        Some(text) => excerpt(text),
        None => excerpt(&String::from_utf8_lossy(body)),
    }
}

/// The beginning of a text, on one line.
pub(in crate::ask) fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 300;
    // Bounded before it is split, since a web page may be large.
    let head: String = text.chars().take(4 * MAX_CHARS).collect();
    let line = head.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_CHARS { line } else { line.chars().take(MAX_CHARS).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChatErrorKind::{
        Auth, BadRequest, Declined, Malformed, NotFound, Parameter, Provider, Quota, RateLimit, Timeout,
    };

    fn fault(status: u16, body: &str) -> Option<ChatError> {
        of(StatusCode::from_u16(status).expect("a status"), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn what_each_status_means() {
        let quota = r#"{"error":{"message":"no money","code":"insufficient_quota"}}"#;
        let cases = [
            (200, r#"{"error":null,"choices":[{"message":{"content":"a"},"finish_reason":7}]}"#, None),
            (200, r#"{"choices":[{}],"error":{"code":500}}"#, None),
            // Nothing, or something else, with a success.
            (200, "", Some((Malformed, true))),
            (200, "{}", Some((Malformed, true))),
            (200, "<html>", Some((Malformed, true))),
            (200, r#"{"id":"x","choices":[{"mess"#, Some((Malformed, true))),
            (200, r#"{"error":null,"choices":[]}"#, Some((Malformed, true))),
            (200, r#"{"choices":{"0":{}}}"#, Some((Malformed, true))),
            // Errors beside other keys, and within a choice.
            (200, r#"{"user_id":"u","error":{"code":502,"message":"x"}}"#, Some((Provider, true))),
            (200, r#"{"id":"g","error":{"code":429,"message":"x"},"choices":[]}"#, Some((RateLimit, true))),
            (200, r#"{"choices":[{"finish_reason":"error","error":{"code":502}}]}"#, Some((Provider, true))),
            (200, r#"{"choices":[{"finish_reason":"error"}]}"#, Some((Provider, true))),
            (200, r#"{"error":{"code":"401","message":"who?"}}"#, Some((Auth, false))),
            // Filters, which decline one question.
            (
                403,
                r#"{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["x"]}}}"#,
                Some((Declined, false)),
            ),
            (
                400,
                r#"{"error":{"code":"content_filter","message":"The response was filtered"}}"#,
                Some((Declined, false)),
            ),
            (
                200,
                r#"{"error":{"code":400,"message":"filtered due to our content management policy"}}"#,
                Some((Declined, false)),
            ),
            (403, r#"{"error":{"message":"Key not allowed"}}"#, Some((Auth, false))),
            // Parameters, which all questions have.
            (
                400,
                r#"{"error":{"param":"max_tokens","code":"unsupported_parameter","message":"x"}}"#,
                Some((Parameter, false)),
            ),
            (
                400,
                r#"{"error":{"param":"temperature","code":"unsupported_value","message":"x"}}"#,
                Some((Parameter, false)),
            ),
            (
                400,
                r#"{"error":{"param":"n","message":"Unrecognized request argument supplied: n"}}"#,
                Some((Parameter, false)),
            ),
            (400, r#"{"error":{"param":"messages","message":"too many"}}"#, Some((BadRequest, false))),
            (200, r#"{"error":{"code":429,"message":"slow"}}"#, Some((RateLimit, true))),
            (200, r#"{"error":{"message":"odd"}}"#, Some((Provider, true))),
            (302, "", Some((BadRequest, false))),
            (400, r#"{"error":{"message":"bad","code":7}}"#, Some((BadRequest, false))),
            (401, "", Some((Auth, false))),
            (403, "<html>", Some((Auth, false))),
            (404, "[]", Some((NotFound, false))),
            (408, "", Some((Timeout, true))),
            (422, r#"{"detail":"x"}"#, Some((BadRequest, false))),
            (429, "", Some((RateLimit, true))),
            (429, quota, Some((Quota, false))),
            (500, "null", Some((Provider, true))),
            (501, "", Some((BadRequest, false))),
            (529, "", Some((Provider, true))),
        ];
        for (status, body, expected) in cases {
            assert_eq!(fault(status, body).map(|e| (e.kind, e.retryable)), expected, "{status} {body}");
        }
    }

    #[test]
    fn messages_hold_what_the_provider_said() {
        let message = |status, body: &str| fault(status, body).expect("an error").message;
        insta::assert_snapshot!(message(404, r#"{"error":{"message":"no  gpt-9"}}"#), @"no such model or address; check --model and --base-url (404: no gpt-9)");
        insta::assert_snapshot!(message(502, "<html>\n<h1>Bad gateway</h1>\n"), @"the provider failed (502: <html> <h1>Bad gateway</h1>)");
        assert!(message(500, &"ä".repeat(100_000)).chars().count() < 400);
    }

    /// As llama.cpp, OpenAI (llama-cpp-python, too), vLLM and Ollama say it; the question is wrong, not the endpoint.
    #[test]
    fn a_question_that_is_too_long_is_called_that() {
        for (status, body) in [
            (
                400,
                r#"{"error":{"code":400,"message":"request (14031 tokens) exceeds the available context size (2048 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":14031,"n_ctx":2048}}"#,
            ),
            (
                400,
                r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            ),
            (400, r#"{"object":"error","message":"This model's maximum context length is 2048 tokens.","code":400}"#),
            (400, r#"{"error":"the input length exceeds the context length"}"#),
        ] {
            let error = fault(status, body).expect("an error");
            assert!(error.message.starts_with("the question does not fit into the model's context (400: "), "{error}");
            assert_eq!((error.kind, error.retryable, error.is_fatal()), (BadRequest, false, false), "{body}");
        }
        let crowded = r#"{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}"#;
        assert_eq!(fault(500, crowded).map(|error| (error.kind, error.retryable)), Some((RateLimit, true)));
        let loading = r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#;
        assert_eq!(fault(503, loading).map(|error| (error.kind, error.retryable)), Some((Provider, true)));
    }

    #[test]
    fn retry_after_is_read_in_seconds_milliseconds_and_as_a_date() {
        const NOON: &str = "Wed, 21 Oct 2015 12:00:00 GMT";
        let wait = |name: &'static str, text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, text.parse().expect("a header"));
            headers.insert(DATE, NOON.parse().expect("a header"));
            of(StatusCode::TOO_MANY_REQUESTS, &headers, b"").expect("an error").retry_after
        };
        assert_eq!(wait("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(wait("retry-after-ms", "150"), Some(Duration::from_millis(150)));
        assert_eq!(wait("retry-after", "1e300"), Some(Duration::from_secs(86_400)));
        assert_eq!(wait("retry-after", "Wed, 21 Oct 2015 12:00:07 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(wait("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        for text in ["-1", "nan", "soon", "Wed, 21 Oct"] {
            assert_eq!(wait("retry-after", text), None, "{text}");
        }
    }
}
