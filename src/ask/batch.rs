//! Owns the files of OpenAI's Batch API: a request as one line of an input file, and the replies in the output and error
//! files that a batch gives back.
//!
//! Must not know what is asked or why. A reply finds its question by `custom_id`, which holds a hash of the whole
//! request: another request (another prompt, model or parameter) finds no reply here.

use super::chat::{ChatError, ChatErrorKind, ChatReply, ChatRequest};
use super::judge::Strictness;
use super::limits::{excerpt, from_status};
use super::models::ParamStyle;
use super::openai::wire;
use super::pipeline::settled;
use crate::item::record::{Answer, Truth};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Requests in one input file at most, as OpenAI documents it.
pub(crate) const MOST_REQUESTS: usize = 50_000;
/// Bytes of one input file at most, as OpenAI documents it.
pub(crate) const MOST_BYTES: u64 = 200_000_000;
/// What the requests of a batch are sent to.
pub(crate) const ENDPOINT: &str = "/v1/chat/completions";

/// Names a request within its batch: the item's id, as far as there is room, and a hash of id and request. At most 64
/// characters.
pub(crate) fn custom_id(item: &str, request: &ChatRequest) -> String {
    let request = serde_json::to_string(request).expect("plain data");
    let hash = blake3::hash(format!("{item}\n{request}").as_bytes()).to_hex();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = item.chars().map(plain).take(39).collect();
    format!("{name}-{}", &hash[..24])
}

/// The request as a line of an input file, without the end of the line.
pub(crate) fn line(custom_id: &str, request: &ChatRequest, style: ParamStyle) -> String {
    let body = wire::body(request, style);
    json!({"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body}).to_string()
}

/// The files of a batch cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BatchError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}; name the output and error files of a batch")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is not of a batch.
    #[error("{path}:{line}: {problem}; name the output and error files of a batch")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// There are two replies to one request.
    #[error("{path}:{line}: {custom_id} has a reply at {earlier} already; leave one of them out")]
    Double {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The request.
        custom_id: String,
        /// Where the other one stands.
        earlier: String,
    },
}

/// What came of one request.
type Outcome = Result<ChatReply, ChatError>;

/// The replies of a batch.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    /// By the name of the request: where it stands, and what it is.
    rows: HashMap<String, (String, Outcome)>,
}

impl Replies {
    /// Reads output and error files, in any order.
    ///
    /// # Errors
    /// See [`BatchError`].
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, BatchError> {
        let mut replies = Self::default();
        for path in paths {
            let unreadable = |source| BatchError::Unreadable { path: path.clone(), source };
            let file = File::open(path).map_err(unreadable)?;
            for (at, text) in BufReader::new(file).lines().enumerate() {
                let text = text.map_err(unreadable)?;
                if !text.trim().is_empty() {
                    replies.add(path, at + 1, &text)?;
                }
            }
        }
        Ok(replies)
    }

    fn add(&mut self, path: &Path, line: usize, text: &str) -> Result<(), BatchError> {
        let malformed = |problem: String| BatchError::Line { path: path.into(), line, problem };
        let row: Value = serde_json::from_str(text).map_err(|error| malformed(format!("this is no JSON: {error}")))?;
        let custom_id = row["custom_id"].as_str().ok_or_else(|| malformed("it has no `custom_id`".into()))?;
        let outcome = outcome(&row).ok_or_else(|| malformed("it has neither `response` nor `error`".into()))?;
        let place = format!("{}:{line}", path.display());
        match self.rows.insert(custom_id.to_owned(), (place, outcome)) {
            None => Ok(()),
            Some((earlier, _)) => {
                Err(BatchError::Double { path: path.into(), line, custom_id: custom_id.into(), earlier })
            }
        }
    }

    /// The answer that a request got; none if it has no reply (any more).
    pub(crate) fn take(&mut self, custom_id: &str, truth: &Truth, strictness: Strictness) -> Option<Answer> {
        let (_, outcome) = self.rows.remove(custom_id)?;
        Some(settled(outcome, truth, strictness))
    }

    /// The names of what was not taken, in order.
    pub(crate) fn left(self) -> Vec<String> {
        let mut names: Vec<String> = self.rows.into_keys().collect();
        names.sort_unstable();
        names
    }
}

/// What a row says; `None` if it is not of a batch.
fn outcome(row: &Value) -> Option<Outcome> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (response, error) = (&row["response"], &row["error"]);
    if !error.is_null() {
        let code = text(&error["code"]);
        let kind = if code == "batch_expired" { ChatErrorKind::Timeout } else { ChatErrorKind::Provider };
        let message = format!("the batch says {code}: {}", excerpt(&text(&error["message"])));
        return Some(Err(ChatError::new(kind, message)));
    }
    let status = u16::try_from(response["status_code"].as_u64()?).ok()?;
    let body = &response["body"];
    if (200..300).contains(&status) {
        return Some(wire::reply(body));
    }
    let error = &body["error"];
    Some(Err(from_status(status, &text(&error["code"]), &excerpt(&text(&error["message"])))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::chat::{Message, Params, Role};
    use crate::item::record::Verdict;

    fn request(seed: u64) -> ChatRequest {
        let messages = vec![Message { role: Role::User, content: "hi".into() }];
        let params = Params { seed: Some(seed), ..Params::default() };
        ChatRequest { model: "m".into(), messages, params, epoch: 0 }
    }

    #[test]
    fn a_request_is_a_line_with_a_name_of_its_own() {
        let id = custom_id("stack-l1-00000", &request(0));
        assert!(id.starts_with("stack-l1-00000-") && id.len() == 39, "{id}");
        let epoch = ChatRequest { epoch: 1, ..request(0) };
        let others = [custom_id("stack-l1-00001", &request(0)), custom_id("stack-l1-00000", &request(1))];
        assert!(!others.contains(&id) && custom_id("stack-l1-00000", &epoch) != id);
        let long = custom_id(&"ä/".repeat(100), &request(0));
        assert!(long.len() == 64 && long.starts_with("----"), "{long}");
        insta::assert_snapshot!(
            line("a", &request(7), ParamStyle::Standard),
            @r#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":7}}"#
        );
    }

    fn read(lines: &[String]) -> Result<Replies, String> {
        let mut replies = Replies::default();
        let mut added = lines.iter().enumerate().map(|(at, text)| replies.add(Path::new("out.jsonl"), at + 1, text));
        added.try_for_each(|added| added).map_err(|error| error.to_string())?;
        Ok(replies)
    }

    #[test]
    fn rows_are_replies_or_trouble() {
        let body = |content: &str| {
            let choice = json!({"message": {"content": content}, "finish_reason": "stop"});
            json!({"status_code": 200, "request_id": "r", "body": {"choices": [choice]}})
        };
        let refused = json!({"status_code": 401, "body": {"error": {"code": "bad", "message": "no key"}}});
        let row = |id: &str, response: Value, error: Value| {
            json!({"id": "x", "custom_id": id, "response": response, "error": error}).to_string()
        };
        let expired = json!({"code": "batch_expired", "message": "too late"});
        let mut replies = read(&[
            row("right", body("<OUTPUT>17</OUTPUT>"), Value::Null),
            row("wrong", body("<OUTPUT>18</OUTPUT>"), Value::Null),
            row("refused", refused, Value::Null),
            row("expired", Value::Null, expired),
            row("foreign", body("?"), Value::Null),
        ])
        .expect("reads");
        let mut verdict =
            |id: &str| replies.take(id, &Truth::Fuel(17), Strictness::default()).map(|answer| answer.verdict);
        let told = ["right", "wrong", "refused", "expired", "absent", "right"].map(&mut verdict);
        use Verdict::{Correct, ProviderError, Timeout, Wrong};
        assert_eq!(told, [Some(Correct), Some(Wrong), Some(ProviderError), Some(Timeout), None, None]);
        assert_eq!(replies.left(), ["foreign"]);
    }

    #[test]
    fn what_is_no_file_of_a_batch_says_where() {
        let twice = r#"{"custom_id":"a","error":{"code":"x","message":"y"}}"#.to_owned();
        for (lines, told) in [
            (vec!["hello".to_owned()], "out.jsonl:1: this is no JSON"),
            (vec!["{}".to_owned()], "out.jsonl:1: it has no `custom_id`"),
            (vec![r#"{"custom_id":"a","body":{}}"#.to_owned()], "out.jsonl:1: it has neither"),
            (vec![twice.clone(), twice], "out.jsonl:2: a has a reply at out.jsonl:1 already"),
        ] {
            let error = read(&lines).map(drop).expect_err("refused");
            assert!(error.starts_with(told), "{error}");
        }
        let error = Replies::read(&["no/such.jsonl".into()]).expect_err("missing").to_string();
        assert!(error.contains("no/such.jsonl"), "{error}");
    }
}
