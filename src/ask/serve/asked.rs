//! Owns reading a request for a completion: who is asked what, and which parameters count here.
//!
//! Must not know who answers. A parameter is one of three things: it counts, it changes nothing for models that do not
//! sample, or it is refused by its name. None is silently dropped.

use crate::ask::chat::{Message, Role};
use serde_json::{Map, Value};

/// Most replies to one request, as OpenAI has it.
const MOST_REPLIES: u64 = 128;
/// Most texts that end a reply, as OpenAI has it.
const MOST_STOPS: usize = 4;

/// Numbers that change nothing here, since nothing is sampled, and their ranges.
const NUMBERS: &[(&str, f64, f64)] = &[
    ("frequency_penalty", -2.0, 2.0),
    ("presence_penalty", -2.0, 2.0),
    ("temperature", 0.0, 2.0),
    ("top_p", 0.0, 1.0),
];

/// Other parameters that change nothing here: there is no reasoning, and who asks does not matter.
const WITHOUT_EFFECT: &[&str] = &[
    "logit_bias",
    "metadata",
    "min_p",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning_effort",
    "repetition_penalty",
    "safety_identifier",
    "service_tier",
    "store",
    "top_k",
    "verbosity",
];

/// What a request asks for.
#[derive(Debug, Default)]
pub(super) struct CompletionRequest {
    pub(super) model: String,
    pub(super) messages: Vec<Message>,
    pub(super) seed: Option<u64>,
    /// Replies wanted.
    pub(super) replies: u32,
    /// Tokens of a reply at most.
    pub(super) max_tokens: Option<u64>,
    /// Texts before which a reply ends.
    pub(super) stops: Vec<String>,
    /// Whether the reply comes in pieces, and whether a last piece counts the tokens.
    pub(super) stream: Option<Stream>,
}

/// How a reply is streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    /// Whether a last piece counts the tokens.
    pub(super) usage: bool,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The parameter, where it is one.
    pub(super) param: Option<String>,
    /// What is wrong with it.
    pub(super) problem: String,
}

impl Refused {
    fn because(param: &str, problem: &str) -> Self {
        Self { param: Some(param.into()), problem: format!("`{param}` {problem}") }
    }
}

impl CompletionRequest {
    pub(super) fn read(body: &[u8]) -> Result<Self, Refused> {
        let not_json = |error| Refused { param: None, problem: format!("the body is not JSON: {error}") };
        Self::of(&serde_json::from_slice(body).map_err(not_json)?)
    }

    pub(super) fn of(json: &Value) -> Result<Self, Refused> {
        let no_object = || Refused { param: None, problem: "the body must be a JSON object".into() };
        let fields = json.as_object().ok_or_else(no_object)?;
        let mut asked = Self { replies: 1, ..Self::default() };
        // A parameter that is null is one that was left out.
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            asked.take(name, value, fields)?;
        }
        if asked.model.is_empty() {
            return Err(Refused::because("model", "must be a string"));
        }
        if asked.messages.is_empty() {
            return Err(Refused::because("messages", "must be a list with something in it"));
        }
        Ok(asked)
    }

    fn take(&mut self, name: &str, value: &Value, fields: &Map<String, Value>) -> Result<(), Refused> {
        let refused = |problem: &str| Refused::because(name, problem);
        match name {
            "model" => self.model = value.as_str().ok_or_else(|| refused("must be a string"))?.into(),
            "messages" => {
                let messages = value.as_array().ok_or_else(|| refused("must be a list with something in it"))?;
                self.messages = messages.iter().map(message).collect::<Result<_, _>>()?;
            }
            "seed" => {
                // Some clients send signed seeds; any 64 bits name a stream.
                let seed = value.as_u64().or_else(|| value.as_i64().map(|seed| seed as u64));
                self.seed = Some(seed.ok_or_else(|| refused("must be an integer"))?);
            }
            "n" => {
                let count = value.as_u64().filter(|n| (1..=MOST_REPLIES).contains(n));
                self.replies = count.ok_or_else(|| refused("must be an integer from 1 to 128"))? as u32;
            }
            "max_tokens" | "max_completion_tokens" => {
                let most = value.as_u64().filter(|&most| most > 0);
                let most = most.ok_or_else(|| refused("must be an integer of at least 1"))?;
                self.max_tokens = Some(self.max_tokens.map_or(most, |other| other.min(most)));
            }
            "stop" => self.stops = stops(value).ok_or_else(|| refused("must be a text, or a list of at most 4"))?,
            "stream" => {
                let wanted = value.as_bool().ok_or_else(|| refused("must be true or false"))?;
                let usage = fields.get("stream_options").is_some_and(|options| options["include_usage"] == true);
                self.stream = wanted.then_some(Stream { usage });
            }
            "stream_options" if fields.get("stream") == Some(&Value::Bool(true)) => {}
            "stream_options" => return Err(refused("is for `stream: true`")),
            "user" if !value.is_string() => return Err(refused("must be a string")),
            "user" => {}
            _ if let Some((_, low, high)) = NUMBERS.iter().find(|(number, ..)| *number == name) => {
                if !value.as_f64().is_some_and(|number| (*low..=*high).contains(&number)) {
                    return Err(refused(&format!("must be a number from {low} to {high}")));
                }
            }
            _ if WITHOUT_EFFECT.contains(&name) || is_default(name, value) => {}
            _ => return Err(refused("is not supported here; leave it out")),
        }
        Ok(())
    }
}

/// Whether a parameter that is not supported asks for nothing but what is done without it.
fn is_default(name: &str, value: &Value) -> bool {
    match name {
        "logprobs" => value == false,
        "top_logprobs" => value == 0,
        "response_format" => value["type"] == "text",
        "modalities" => value.as_array().is_some_and(|all| all.iter().all(|one| one == "text")),
        "tool_choice" | "function_call" => value == "none" || value == "auto",
        "tools" | "functions" => value.as_array().is_some_and(Vec::is_empty),
        _ => false,
    }
}

fn stops(value: &Value) -> Option<Vec<String>> {
    let texts = match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(texts) => texts.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        _ => return None,
    };
    (texts.len() <= MOST_STOPS && texts.iter().all(|text| !text.is_empty())).then_some(texts)
}

fn message(json: &Value) -> Result<Message, Refused> {
    let refused = |problem: &str| Refused { param: Some("messages".into()), problem: problem.into() };
    let role = json["role"].as_str().and_then(Role::parse);
    let role = role.ok_or_else(|| refused("each message's `role` is one of system, developer, user, assistant"))?;
    let content = match &json["content"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts.iter().map(|part| part["text"].as_str()).collect(),
        _ => None,
    };
    let content =
        content.ok_or_else(|| refused("each message's `content` must be a string or a list of text parts"))?;
    Ok(Message { role, content })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(more: Value) -> Result<CompletionRequest, Refused> {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        CompletionRequest::read(body.to_string().as_bytes())
    }

    #[test]
    fn what_counts_is_read() {
        let parts = json!([{"role": "developer", "content": [{"type": "text", "text": "a"}, {"text": "b"}]}]);
        let asked = read(json!({"messages": parts, "seed": -1, "user": null, "temperature": 0.5})).expect("reads");
        assert_eq!(asked.messages, [Message { role: Role::System, content: "ab".into() }]);
        assert_eq!((asked.seed, asked.replies, asked.stream), (Some(u64::MAX), 1, None));
        let asked = read(json!({"n": 3, "max_tokens": 9, "max_completion_tokens": 5, "stop": "x", "tools": []}));
        let asked = asked.expect("reads");
        assert_eq!((asked.replies, asked.max_tokens, asked.stops), (3, Some(5), vec!["x".to_owned()]));
        let asked = read(json!({"stream": true, "stream_options": {"include_usage": true}})).expect("reads");
        assert_eq!(asked.stream, Some(Stream { usage: true }));
    }

    #[test]
    fn what_is_wrong_or_not_supported_is_refused_by_name() {
        let refused = [
            (json!({"model": null}), "model"),
            (json!({"model": 1}), "model"),
            (json!({"messages": []}), "messages"),
            (json!({"messages": [{"role": "cat", "content": "x"}]}), "messages"),
            (json!({"messages": [{"role": "user"}]}), "messages"),
            (json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}), "messages"),
            (json!({"seed": 0.5}), "seed"),
            (json!({"n": 0}), "n"),
            (json!({"n": 129}), "n"),
            (json!({"max_tokens": 0}), "max_tokens"),
            (json!({"max_completion_tokens": -1}), "max_completion_tokens"),
            (json!({"stop": ["a", "b", "c", "d", "e"]}), "stop"),
            (json!({"stop": ""}), "stop"),
            (json!({"stream": "yes"}), "stream"),
            (json!({"stream_options": {}}), "stream_options"),
            (json!({"tools": [{"type": "function"}]}), "tools"),
            (json!({"logprobs": true}), "logprobs"),
            (json!({"response_format": {"type": "json_object"}}), "response_format"),
            (json!({"extra": 1}), "extra"),
        ];
        for (more, name) in refused {
            let refused = read(more.clone()).expect_err("is refused");
            assert_eq!(refused.param.as_deref(), Some(name), "{more}: {}", refused.problem);
        }
        assert!(CompletionRequest::read(b"{\"model\":").expect_err("is refused").problem.contains("not JSON"));
        assert!(CompletionRequest::read(b"[]").expect_err("is refused").problem.contains("object"));
    }
}
