//! Owns showing what a model answered, value by value, as it wrote it.
//!
//! Must not know what is right: verdicts and slots are in the record, given by the judge. This only quotes, and where a
//! reply is not in the usual form it quotes nothing rather than guess.

use serde_json::Value;

/// The values of the last `<OUTPUT>...</OUTPUT>` of a reply, or of its last `{"stack_values": [...]}`, bottom first.
pub(super) fn said(reply: &str) -> Option<Vec<String>> {
    let block = last_output(reply).unwrap_or(reply);
    let start = block.rfind("\"stack_values\"").and_then(|at| block[..at].rfind('{'))?;
    // The first JSON value from there on; what follows it does not matter.
    let json = serde_json::Deserializer::from_str(&block[start..]).into_iter::<Value>().next()?.ok()?;
    json.get("stack_values")?.as_array().map(|values| values.iter().map(value).collect())
}

fn last_output(reply: &str) -> Option<&str> {
    let end = reply.rfind("</OUTPUT>")?;
    let start = reply[..end].rfind("<OUTPUT>")? + "<OUTPUT>".len();
    Some(&reply[start..end])
}

/// `i32(30)` for a typed value, else what is there.
fn value(value: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (value.get("type"), value.get("value")) {
        (Some(ty), Some(number)) => format!("{}({})", text(ty), text(number)),
        _ => text(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_is_quoted() {
        let reply = r#"First <OUTPUT>{"stack_values":[1]}</OUTPUT>, no:
            <OUTPUT>
            {"stack_values": [{"type": "i32", "value": "30"}, {"type": "f64", "value": 1.5}, "i64(2)", 7]}
            </OUTPUT> That is all."#;
        assert_eq!(said(reply).expect("is there"), ["i32(30)", "f64(1.5)", "i64(2)", "7"]);
        assert_eq!(said(r#"So: {"stack_values": []} as asked"#), Some(vec![]));
    }

    #[test]
    fn other_forms_are_not_guessed() {
        for reply in [
            "",
            "i32(30)",
            "<OUTPUT>30</OUTPUT>",
            r#"{"stack_values": 3}"#,
            r#"{"stack_values": [1"#,
            "\"stack_values\"",
        ] {
            assert_eq!(said(reply), None, "{reply}");
        }
    }
}
