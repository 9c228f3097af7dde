//! Owns the target of judging: any reply has a verdict, no reply is correct for two truths, and the true answer is found
//! whatever stands around it.

use super::AtHand;
use arbitrary::Unstructured;
use wasmweaver::ask::chat::ChatReply;
use wasmweaver::ask::judge::{judge, thought::told};
use wasmweaver::item::record::{Truth, Verdict};
use wasmweaver::wasm::types::{ValType, Value};

/// What a reader of replies looks for, and what breaks parsers.
const PIECES: [&str; 40] = [
    "<OUTPUT>",
    "</OUTPUT>",
    "<output>",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\\"",
    "\\u",
    "&quot;",
    "```",
    "```json\n",
    "\n",
    ",",
    ":",
    "(",
    ")",
    "//",
    "/*",
    "*/",
    "#",
    ";;",
    "stack_values",
    "return_values",
    "flag_states",
    "fuel",
    "FLAG_0",
    "type",
    "value",
    "i32",
    "f64(",
    "nan",
    "0x",
    "-1",
    "1e9",
    "<think>",
    "</think>",
    " and ",
];

pub(super) fn judge_any(bytes: &mut Unstructured<'_>, at_hand: &mut AtHand) -> arbitrary::Result<bool> {
    let truth = truth(bytes)?;
    let other = other(&truth, bytes)?;
    let answer = serde_json::to_string(&truth).expect("plain data");
    let reason = *bytes.choose(&[Some("stop"), None, Some("length"), Some("content_filter"), Some("\u{0}")])?;
    let (before, after) = (noise(&answer, bytes)?, noise(&answer, bytes)?);
    at_hand.rest.told = Some(serde_json::json!({ "truth": truth, "other": other, "before": before, "after": after }));
    let any = ChatReply { finish_reason: reason.map(Into::into), ..ChatReply::text(format!("{before}{after}")) };
    let verdicts = [&truth, &other].map(|truth| {
        let judged = judge(&any, truth);
        let slots = if judged.verdict.answered() { truth.texts().len() } else { 0 };
        assert_eq!(judged.slots.len(), slots, "{any:?}");
        assert_eq!(judged.wrong_share.is_some(), judged.verdict.answered(), "{any:?}");
        assert_eq!(judged.wrong_share == Some(0.0), judged.verdict == Verdict::Correct, "{any:?}");
        judged.verdict
    });
    assert_ne!(verdicts, [Verdict::Correct; 2], "{any:?} is correct for {truth:?} and for {other:?}");
    let reply = format!("{before}\n<OUTPUT>{answer}</OUTPUT>\n{after}");
    let (thought, tagged) = (told(&reply), |text: &str| text.to_ascii_uppercase().contains("OUTPUT>"));
    let is_plain = thought.thought.is_empty() && !thought.is_open && !tagged(&before) && !tagged(&after);
    if is_plain {
        let verdict = |truth| judge(&ChatReply::text(reply.as_str()), truth).verdict;
        assert_eq!((verdict(&truth), verdict(&other)), (Verdict::Correct, Verdict::Wrong), "{reply}");
    }
    Ok(is_plain)
}

fn noise(answer: &str, bytes: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let mut text = String::new();
    for _ in 0..bytes.int_in_range(0..=40)? {
        match bytes.int_in_range(0..=9)? {
            0 => text.push(bytes.arbitrary()?),
            1 => text.push_str(answer),
            2 => text.push(char::from(bytes.int_in_range(b' '..=b'~')?)),
            _ => text.push_str(bytes.choose(&PIECES)?),
        }
    }
    Ok(text)
}

fn truth(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Truth> {
    let count = bytes.int_in_range(0..=4)?;
    Ok(match bytes.int_in_range(0..=3)? {
        0 => Truth::StackValues((0..count).map(|_| value(bytes)).collect::<arbitrary::Result<_>>()?),
        1 => Truth::ReturnValues((0..count).map(|_| value(bytes)).collect::<arbitrary::Result<_>>()?),
        2 => {
            let flag = |number| Ok((format!("FLAG_{number}"), bytes.arbitrary()?));
            Truth::FlagStates((0..=count).map(flag).collect::<arbitrary::Result<_>>()?)
        }
        _ => Truth::Fuel(bytes.arbitrary()?),
    })
}

/// A value that text can say.
fn value(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    let (ty, bits): (_, u128) = (*bytes.choose(&ValType::ALL)?, bytes.arbitrary()?);
    let value = match ty {
        ValType::I32 => Value::i32(bits as i32),
        ValType::I64 => Value::i64(bits as i64),
        ValType::F32 => Value::f32(f32::from_bits(bits as u32)),
        ValType::F64 => Value::f64(f64::from_bits(bits as u64)),
        ValType::V128 => Value::new(ty, bits),
        ValType::FuncRef => Value::new(ty, bits % 9),
        // No program has another one: nothing but the host could make it.
        ValType::ExternRef => Value::zero(ty),
    };
    Ok(Value::parse(ty, &value.text()).expect("it says a value"))
}

/// Another answer of the same shape.
fn other(truth: &Truth, bytes: &mut Unstructured<'_>) -> arbitrary::Result<Truth> {
    let mut other = truth.clone();
    match &mut other {
        Truth::StackValues(values) | Truth::ReturnValues(values) if values.is_empty() => values.push(value(bytes)?),
        Truth::StackValues(values) | Truth::ReturnValues(values) => {
            let at = bytes.choose_index(values.len())?;
            let flipped = Value::new(values[at].ty, values[at].bits ^ 1);
            // The lowest bit of a NaN is no part of an answer.
            values[at] = if flipped.same(values[at]) { Value::zero(flipped.ty) } else { flipped };
        }
        Truth::FlagStates(flags) => {
            let at = bytes.choose_index(flags.len())?;
            flags[at].1 ^= true;
        }
        Truth::Fuel(fuel) => *fuel ^= 1 << bytes.int_in_range(0..=63)?,
    }
    Ok(other)
}
