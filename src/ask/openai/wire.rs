//! Owns the JSON of chat completions: how a request is written for each style of parameters, how a reply is read.
//!
//! Must not know connections. Reading is total: it leaves out what is not as expected, and only a reply without any
//! choice is an error.

use crate::ask::chat::{ChatError, ChatErrorKind, ChatReply, ChatRequest};
use crate::ask::limits::{excerpt, from_status};
use crate::ask::models::ParamStyle;
use crate::item::record::Usage;
use serde_json::{Map, Value, json};

/// The body of a request. Parameters that the style does not take are left out ([`ParamStyle::ignores`] names them).
pub(in crate::ask) fn body(request: &ChatRequest, style: ParamStyle) -> Value {
    let params = &request.params;
    let mut body = Map::new();
    body.insert("model".into(), json!(request.model));
    body.insert("messages".into(), json!(request.messages));
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.into(), value);
        }
    };
    match style {
        ParamStyle::Standard => {
            set("temperature", params.temperature.map(Value::from));
            set("top_p", params.top_p.map(Value::from));
            set("max_tokens", params.max_tokens.map(Value::from));
        }
        ParamStyle::Reasoning => set("max_completion_tokens", params.max_tokens.map(Value::from)),
    }
    set("reasoning_effort", params.reasoning_effort.as_deref().map(Value::from));
    set("seed", params.seed.map(Value::from));
    Value::Object(body)
}

/// The reply in a body.
pub(in crate::ask) fn reply(body: &Value) -> Result<ChatReply, ChatError> {
    let choice = &body["choices"][0];
    if !choice.is_object() {
        let message = format!("the endpoint sent no choices but `{}`; check --base-url", excerpt(&body.to_string()));
        return Err(ChatError::new(ChatErrorKind::Malformed, message));
    }
    if choice["finish_reason"] == "error" {
        // OpenRouter's way to say that the provider behind it failed midway.
        let detail = choice["error"]["message"].as_str().unwrap_or_default();
        return Err(from_status(502, "", &excerpt(detail)));
    }
    let message = &choice["message"];
    let words = |value: &Value| value.as_str().map(str::to_owned);
    Ok(ChatReply {
        content: content(&message["content"]),
        refusal: words(&message["refusal"]),
        reasoning: REASONING
            .iter()
            .find_map(|key| content(&message[*key]).filter(|text| !text.is_empty()))
            .or_else(|| thoughts(&message["content"])),
        finish_reason: words(&choice["finish_reason"]),
        model: words(&body["model"]),
        usage: usage(&body["usage"]),
        attempts: 1,
    })
}

/// Where servers put reasoning that may be seen.
const REASONING: [&str; 2] = ["reasoning_content", "reasoning"];

/// A string, or a list of parts that are strings or have `text` in them.
fn content(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let said = parts.iter().filter(|part| !is_thought(part));
            Some(said.filter_map(|part| part.as_str().or(part["text"].as_str())).collect())
        }
        _ => None,
    }
}

/// Whether a part of a content is what the model thought: `thinking`, `reasoning`, `reasoning_text`, `redacted_thinking`.
fn is_thought(part: &Value) -> bool {
    part["type"].as_str().is_some_and(|kind| kind.contains("think") || kind.contains("reason"))
}

/// What the parts of a content say that are thoughts.
fn thoughts(value: &Value) -> Option<String> {
    let parts = value.as_array()?.iter().filter(|part| is_thought(part));
    let text = |part: &Value| ["thinking", "reasoning", "text", "summary"].iter().find_map(|key| content(&part[*key]));
    let texts: Vec<String> = parts.filter_map(text).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// Some providers leave hidden reasoning out of what was written, but not out of the total, nor out of the bill.
fn usage(value: &Value) -> Usage {
    let (read, written) = (count(&value["prompt_tokens"]), count(&value["completion_tokens"]));
    let hidden = || count(&value["total_tokens"])?.checked_sub(read? + written?);
    Usage {
        prompt_tokens: read,
        completion_tokens: written.map(|written| written + hidden().unwrap_or(0)),
        reasoning_tokens: count(&value["completion_tokens_details"]["reasoning_tokens"]),
    }
}

/// A whole number, which some servers write as `17.0`.
fn count(value: &Value) -> Option<u64> {
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..9e15).contains(number);
    value.as_u64().or_else(|| value.as_f64().filter(whole).map(|number| number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::chat::{Message, Params, Role};
    use crate::ask::models::Prices;

    fn request() -> ChatRequest {
        let params = Params {
            temperature: Some(0.5),
            top_p: Some(0.9),
            max_tokens: Some(100),
            reasoning_effort: None,
            seed: Some(7),
        };
        let messages = vec![Message { role: Role::User, content: "hi".into() }];
        ChatRequest { model: "m".into(), messages, params, epoch: 3 }
    }

    #[test]
    fn each_style_writes_the_parameters_that_it_takes() {
        insta::assert_snapshot!(body(&request(), ParamStyle::Standard), @r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.5,"top_p":0.9,"max_tokens":100,"seed":7}"#);
        let mut thinking = request();
        thinking.params.reasoning_effort = Some("low".into());
        insta::assert_snapshot!(body(&thinking, ParamStyle::Reasoning), @r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":100,"reasoning_effort":"low","seed":7}"#);
    }

    #[test]
    fn replies_are_read_field_by_field() {
        let full = json!({
            "model": "m-2025", "surprise": {"x": 1},
            "choices": [{"finish_reason": "eos", "message": {"content": "a", "refusal": null, "reasoning": "b"}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": "many", "completion_tokens_details": {"reasoning_tokens": 2}},
        });
        let read = reply(&full).expect("reads");
        assert_eq!((read.content.as_deref(), read.reasoning.as_deref()), (Some("a"), Some("b")));
        assert_eq!((read.finish_reason.as_deref(), read.model.as_deref()), (Some("eos"), Some("m-2025")));
        let usage = Usage { prompt_tokens: Some(3), completion_tokens: None, reasoning_tokens: Some(2) };
        assert_eq!(read.usage, usage);

        let parts = json!({"choices": [{"message": {"content": [{"type": "text", "text": "a"}, 3, {"text": "b"}]}}]});
        assert_eq!(reply(&parts).expect("reads").content.as_deref(), Some("ab"));
        let parts = json!([
            {"type": "thinking", "thinking": [{"type": "text", "text": "b"}]},
            {"type": "reasoning", "text": "c"},
            {"type": "text", "text": "a"},
        ]);
        let read = reply(&json!({"choices": [{"message": {"content": parts}}]})).expect("reads");
        assert_eq!((read.content.as_deref(), read.reasoning.as_deref()), (Some("a"), Some("b\n\nc")));
        let null = json!({"choices": [{"message": null}]});
        assert_eq!(reply(&null).expect("reads"), ChatReply { attempts: 1, ..ChatReply::default() });
    }

    /// What servers were seen to send, or might: each still is the reply `a` of a finished question.
    #[test]
    fn nothing_beside_the_answer_matters() {
        let choice = r#"{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}"#;
        let message = |message: &str| format!(r#"{{"choices":[{{"message":{message},"finish_reason":"stop"}}]}}"#);
        for body in [
            format!(r#"{{"id":7,"object":null,"created":1731000000.25,"choices":[{choice}],"usage":null}}"#),
            format!(r#"{{"created":"yesterday","choices":[{choice},{choice}],"system_fingerprint":{{}},"usage":[1]}}"#),
            format!(r#"{{"error":null,"choices":[{choice}],"timings":{{"predicted_ms":1.5}},"__verbose":[[]]}}"#),
            format!(r#"{{"model":12,"choices":[{choice}],"usage":{{"prompt_tokens":-1,"completion_tokens":1e30}}}}"#),
            message(r#"{"content":"a","refusal":null,"tool_calls":[{"function":{}}],"annotations":[]}"#),
            message(r#"{"content":[{"type":"text","text":"a"}],"refusal":false}"#),
            message(r#"{"content":["a",null,{"type":"thinking","thinking":[{"type":"text","text":"b"}]}]}"#),
        ] {
            let read = reply(&serde_json::from_str(&body).expect("JSON")).expect(&body);
            assert_eq!((read.content.as_deref(), read.refusal), (Some("a"), None), "{body}");
            assert_eq!((read.finish_reason.as_deref(), read.usage), (Some("stop"), Usage::default()), "{body}");
        }
    }

    #[test]
    fn reasoning_and_tokens_are_read_in_their_ways() {
        let read = |message: Value, usage: Value| {
            let body = json!({"choices": [{"message": message, "finish_reason": 3}], "usage": usage});
            reply(&body).expect("reads")
        };
        for message in [
            json!({"content": "", "reasoning_content": "b"}),
            json!({"reasoning_content": "", "reasoning": "b"}),
            json!({"reasoning_content": [{"type": "text", "text": "b"}], "reasoning": {"effort": "low"}}),
        ] {
            assert_eq!(read(message, json!(null)).reasoning.as_deref(), Some("b"));
        }
        let given = json!({"prompt_tokens": 17.0, "completion_tokens": 1.5});
        let reply = read(json!({}), given);
        assert_eq!((reply.usage.prompt_tokens, reply.usage.completion_tokens), (Some(17), None));
        assert_eq!((reply.reasoning, reply.finish_reason), (None, None));
    }

    #[test]
    fn reasoning_beyond_what_was_written_counts_as_written() {
        let written = |usage: Value| usage_of(&usage);
        let hidden = json!({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135,
            "completion_tokens_details": {"reasoning_tokens": 94}});
        assert_eq!(written(hidden.clone()), Some(103));
        let prices = Prices { input: 1.0, output: 10.0, as_of: "2026-11".into() };
        assert!((prices.cost(&usage(&hidden)).expect("both are known") - 0.001062).abs() < 1e-12);
        assert_eq!(written(json!({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 41})), Some(9));
        assert_eq!(written(json!({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 9})), Some(9));
        assert_eq!(
            written(json!({"completion_tokens": 9, "total_tokens": 135})),
            Some(9),
            "nobody knows of which kind"
        );
    }

    fn usage_of(value: &Value) -> Option<u64> {
        usage(value).completion_tokens
    }

    /// Word for word from llama.cpp's server, which answers as the model it has loaded, whatever was asked for.
    #[test]
    fn a_reply_of_llama_cpp_is_read_whole() {
        let body = r#"{"choices":[{"finish_reason":"length","index":0,"message":{"role":"assistant","content":"Hello there!"}}],"created":1795291507,"model":"smollm2-135m-instruct","system_fingerprint":"b0-unknown","object":"chat.completion","usage":{"completion_tokens":6,"prompt_tokens":32,"total_tokens":38,"prompt_tokens_details":{"cached_tokens":31}},"id":"chatcmpl-H66","timings":{"cache_n":31,"prompt_n":1,"prompt_ms":35.607,"predicted_n":6,"predicted_ms":277.628}}"#;
        let expected = ChatReply {
            content: Some("Hello there!".into()),
            finish_reason: Some("length".into()),
            model: Some("smollm2-135m-instruct".into()),
            usage: Usage { prompt_tokens: Some(32), completion_tokens: Some(6), reasoning_tokens: None },
            attempts: 1,
            ..ChatReply::default()
        };
        assert_eq!(reply(&serde_json::from_str(body).expect("JSON")).expect("reads"), expected);
    }

    #[test]
    fn what_is_no_completion_is_an_error() {
        for odd in [json!({}), json!([]), json!(null), json!("x"), json!({"choices": []}), json!({"choices": {"0": 1}})]
        {
            assert_eq!(reply(&odd).expect_err("no choices").kind, ChatErrorKind::Malformed, "{odd}");
        }
        let midway = json!({"choices": [{"finish_reason": "error", "error": {"message": "gone"}}]});
        assert_eq!(reply(&midway).expect_err("failed").kind, ChatErrorKind::Provider);
    }
}
