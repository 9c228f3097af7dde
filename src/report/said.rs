//! Owns showing what a model answered, value by value, as it wrote it.
//!
//! Must not know what is right: verdicts and slots are in the record, given by the judge. This only quotes, and where a
//! reply is not in the usual form it quotes nothing rather than guess.

use crate::item::record::{Said, Truth};
use serde_json::Value;

/// The answer of the last `<OUTPUT>...</OUTPUT>` of a reply, or of its last object with the task's key, in the order of
/// the truth's slots: values bottom first, or the state of each flag. Values too many are kept; what was not said about a
/// flag is `nothing`.
pub(super) fn said(reply: &str, truth: &Truth) -> Option<Vec<String>> {
    let key = truth.task().key();
    let block = last_output(reply).unwrap_or(reply);
    let start = block.rfind(&format!("\"{key}\"")).and_then(|at| block[..at].rfind('{'))?;
    // The first JSON value from there on; what follows it does not matter.
    let json = serde_json::Deserializer::from_str(&block[start..]).into_iter::<Value>().next()?.ok()?;
    let answer = json.get(key)?;
    match truth.said() {
        Said::Values(_) => Some(answer.as_array()?.iter().map(value).collect()),
        Said::Flags(flags) => {
            let states = answer.as_object()?;
            Some(flags.iter().map(|(name, _)| states.get(name).map_or("nothing".into(), value)).collect())
        }
        Said::Amount(_) => Some(vec![value(answer)]),
    }
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
        let stack = Truth::StackValues(Vec::new());
        assert_eq!(said(reply, &stack).expect("is there"), ["i32(30)", "f64(1.5)", "i64(2)", "7"]);
        assert_eq!(said(r#"So: {"stack_values": []} as asked"#, &stack), Some(vec![]));
        let flags = Truth::FlagStates(vec![("FLAG_0".into(), true), ("FLAG_1".into(), false)]);
        let reply = r#"<OUTPUT>{"flag_states": {"FLAG_2": true, "FLAG_0": "yes"}}</OUTPUT>"#;
        assert_eq!(said(reply, &flags).expect("is there"), ["yes", "nothing"]);
        assert_eq!(said(r#"<OUTPUT>{"fuel": 17}</OUTPUT>"#, &Truth::Fuel(3)).expect("is there"), ["17"]);
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
            assert_eq!(said(reply, &Truth::StackValues(Vec::new())), None, "{reply}");
        }
    }
}
