//! Owns the form of a reply: whole, or in pieces.
//!
//! Must not know its author. There is no time and no random id in it: the same request has the same reply, byte for
//! byte.

use super::asked::{CompletionRequest, Stream};
use serde_json::{Value, json};

/// Bytes of what stands for a token: about four bytes of English make one.
const TOKEN: usize = 4;
/// Tokens of a piece of a streamed reply.
const PIECE: usize = 8;

/// The part of a reply that is sent, and why it ends there.
struct Choice<'a> {
    text: &'a str,
    finish_reason: &'static str,
}

impl<'a> Choice<'a> {
    fn of(reply: &'a str, asked: &CompletionRequest) -> Self {
        let stop = asked.stops.iter().filter_map(|stop| reply.find(stop)).min();
        let text = stop.map_or(reply, |at| &reply[..at]);
        let most = asked.max_tokens.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        match text.len() > most.saturating_mul(TOKEN) {
            true => Self { text: &text[..text.floor_char_boundary(most * TOKEN)], finish_reason: "length" },
            false => Self { text, finish_reason: "stop" },
        }
    }
}

/// What the replies have in common.
struct Head<'a> {
    asked: &'a CompletionRequest,
    choices: Vec<Choice<'a>>,
}

impl<'a> Head<'a> {
    fn of(asked: &'a CompletionRequest, replies: &'a [String]) -> Self {
        Self { asked, choices: replies.iter().map(|reply| Choice::of(reply, asked)).collect() }
    }

    fn body(&self, object: &str, choices: Value) -> Value {
        let texts: String = self.choices.iter().map(|choice| choice.text).collect();
        json!({
            "id": format!("chatcmpl-{}", &blake3::hash(texts.as_bytes()).to_hex()[..24]),
            "object": object,
            "created": 0,
            "model": self.asked.model,
            "choices": choices,
        })
    }

    fn usage(&self) -> Value {
        let read: usize = self.asked.messages.iter().map(|message| tokens(&message.content)).sum();
        let written: usize = self.choices.iter().map(|choice| tokens(choice.text)).sum();
        json!({"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written})
    }
}

/// A completion with all replies.
pub(super) fn whole(asked: &CompletionRequest, replies: &[String]) -> Value {
    let head = Head::of(asked, replies);
    let choice = |(index, choice): (usize, &Choice<'_>)| {
        json!({
            "index": index,
            "message": {"role": "assistant", "content": choice.text, "refusal": null},
            "logprobs": null,
            "finish_reason": choice.finish_reason,
        })
    };
    let mut body = head.body("chat.completion", head.choices.iter().enumerate().map(choice).collect());
    body["usage"] = head.usage();
    body
}

/// The same in pieces: for each reply the role, then the text bit by bit, then why it ends; last the tokens, if
/// they are wanted.
pub(super) fn pieces(asked: &CompletionRequest, replies: &[String], stream: Stream) -> Vec<Value> {
    let head = Head::of(asked, replies);
    let piece = |index: usize, delta: Value, finish_reason: Option<&str>| {
        let choice = json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": finish_reason});
        head.body("chat.completion.chunk", json!([choice]))
    };
    let mut all = Vec::new();
    for (index, choice) in head.choices.iter().enumerate() {
        all.push(piece(index, json!({"role": "assistant", "content": "", "refusal": null}), None));
        let mut rest = choice.text;
        while !rest.is_empty() {
            let (text, after) = rest.split_at(rest.ceil_char_boundary(PIECE * TOKEN));
            all.push(piece(index, json!({"content": text}), None));
            rest = after;
        }
        all.push(piece(index, json!({}), Some(choice.finish_reason)));
    }
    if stream.usage {
        all.iter_mut().for_each(|piece| piece["usage"] = Value::Null);
        let mut last = head.body("chat.completion.chunk", json!([]));
        last["usage"] = head.usage();
        all.push(last);
    }
    all
}

/// About what a tokeniser would count.
fn tokens(text: &str) -> usize {
    text.len().div_ceil(TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(max_tokens: Option<u64>, stops: &[&str]) -> CompletionRequest {
        let stops = stops.iter().map(|&stop| stop.to_owned()).collect();
        CompletionRequest { model: "m".into(), replies: 1, max_tokens, stops, ..CompletionRequest::default() }
    }

    #[test]
    fn a_reply_ends_where_it_is_to() {
        let ends = |max_tokens, stops: &[&str]| {
            let whole = whole(&asked(max_tokens, stops), &["abcdefgh é".to_owned()]);
            let choice = &whole["choices"][0];
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            (
                text(&choice["message"]["content"]),
                text(&choice["finish_reason"]),
                whole["usage"]["completion_tokens"].clone(),
            )
        };
        let is = |text: &str, reason: &str, tokens: u64| (text.to_owned(), reason.to_owned(), json!(tokens));
        assert_eq!(ends(None, &[]), is("abcdefgh é", "stop", 3));
        assert_eq!(ends(Some(3), &["z"]), is("abcdefgh é", "stop", 3));
        assert_eq!(ends(Some(1), &[]), is("abcd", "length", 1));
        assert_eq!(ends(None, &["g", "c"]), is("ab", "stop", 1));
        assert_eq!(ends(Some(1), &["h"]), is("abcd", "length", 1), "what comes first ends it");
        assert_eq!(ends(Some(u64::MAX), &["a"]), is("", "stop", 0));
    }

    #[test]
    fn pieces_make_the_whole() {
        let replies = ["é".repeat(40), String::new()];
        let asked = CompletionRequest { replies: 2, ..asked(None, &[]) };
        let all = pieces(&asked, &replies, Stream { usage: true });
        for (index, reply) in replies.iter().enumerate() {
            let of = |piece: &&Value| piece["choices"][0]["index"] == index;
            let own: Vec<&Value> = all.iter().filter(of).map(|piece| &piece["choices"][0]).collect();
            let text: String = own.iter().filter_map(|choice| choice["delta"]["content"].as_str()).collect();
            assert_eq!((&text, own[0]["delta"]["role"].as_str()), (reply, Some("assistant")));
            let ended: Vec<_> = own.iter().filter_map(|choice| choice["finish_reason"].as_str()).collect();
            assert_eq!(
                (ended, own.last().expect("there are some")["finish_reason"].as_str()),
                (vec!["stop"], Some("stop"))
            );
        }
        let last = all.last().expect("there are some");
        assert_eq!((&last["usage"], &last["choices"]), (&whole(&asked, &replies)["usage"], &json!([])));
        assert_eq!(pieces(&asked, &replies, Stream { usage: false }).len(), all.len() - 1);
    }
}
