//! Owns what holds for any reply: it has a verdict, its slots are as many as that says, and time is linear.
//!
//! Must not know what a reply means: the table beside says that one by one.

use super::*;
use crate::seed::{Rng, Seed};
use rayon::prelude::*;

/// Cuts, doubles and swaps pieces of known replies, and strews in what breaks parsers.
fn mutated(rng: &mut Rng) -> String {
    const SPICE: &[&str] = &[
        "<OUTPUT>",
        "</OUTPUT>",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        "\\u",
        "e",
        ".",
        "0x",
        "-",
        "ä",
        "∞",
        "\u{0}",
        "```",
        "stack_values",
        "i32",
        "nan",
        ",",
        ":",
        "(",
        ")",
        "99999999999999999999999999999999",
        "\u{130}",
        "<think>",
        "</think>",
        "[THINK]",
        "<|end|>",
        "<|channel|>final<|message|>",
        "\u{25c1}",
        "//",
        "/*",
        "#",
        ";;",
        ";;FLAG_0",
        "&quot;",
        "...",
        "<thinking>",
        "<|channel>thought",
        "Here is my thought process:",
        "Here is my response:",
        "\u{201c}",
        "\\\"",
        " and ",
    ];
    let mut chars: Vec<char> = rng.pick(CASES).0.chars().collect();
    for _ in 0..rng.below(6) {
        let at = rng.below(chars.len() as u32 + 1) as usize;
        match rng.below(4) {
            0 => chars.truncate(at),
            1 => drop(chars.drain(..at)),
            2 => chars.extend_from_within(at..),
            _ => drop(chars.splice(at..at, rng.pick(SPICE).chars())),
        }
    }
    chars.into_iter().collect()
}

/// Bytes of all kinds, most of them with something in it that a reader looks for.
fn noise(rng: &mut Rng) -> String {
    let any: Vec<u8> = (0..rng.below(60)).map(|_| rng.bits() as u8).collect();
    let text = String::from_utf8_lossy(&any).into_owned();
    let pieces = ["<OUTPUT>", "{\"stack_values\":[", "{\"flag_states\":{\"FLAG_0\":", "{\"fuel\":", "v128 ", "0x", ""];
    format!("{}{text}{}", rng.pick(&pieces), rng.pick(&pieces))
}

/// As many as are asked for: `JUDGE_REPLIES=50000000 cargo test any_reply` takes longer.
#[test]
fn any_reply_has_a_verdict() {
    let replies: u32 = std::env::var("JUDGE_REPLIES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let vector = Value::new(ValType::V128, 7);
    let truths = [
        Truth::StackValues(vec![Value::i32(-1), Value::f32(1.5)]),
        Truth::StackValues(vec![vector, Value::zero(ValType::FuncRef), Value::f64(f64::NAN)]),
        Truth::ReturnValues(vec![]),
        flags(),
        Truth::Fuel(9),
    ];
    let reasons = [Some("stop"), None, Some("length"), Some("content_filter"), Some("\u{0}")];
    // Each part has draws of its own, so that they don't depend on the machine's threads.
    let parts = 64;
    let share = |part: u32| {
        let mut rng = Seed::new(12).indexed("part", part.into()).rng();
        let mut verdicts = [0_u32; 8];
        for _ in 0..replies / parts {
            let content = if rng.below(3) == 0 { noise(&mut rng) } else { mutated(&mut rng) };
            let refusal = (rng.below(50) == 0).then(|| noise(&mut rng));
            let finish_reason = if rng.below(4) > 0 { None } else { *rng.pick(&reasons) }.map(str::to_owned);
            let reply = ChatReply { content: Some(content), refusal, finish_reason, ..ChatReply::default() };
            let float_tolerance = (rng.below(2) == 0).then_some(1e-5);
            let truth = rng.pick(&truths);
            let judged = judge_with(&reply, truth, Strictness { float_tolerance });
            assert_eq!(judged.slots.len(), if judged.verdict.answered() { truth.slots() } else { 0 }, "{reply:?}");
            verdicts[judged.verdict as usize] += 1;
        }
        verdicts
    };
    let all: Vec<[u32; 8]> = (0..parts).into_par_iter().map(share).collect();
    for verdict in [Correct, Wrong, InvalidFormat, Refusal, Truncated] {
        let seen: u32 = all.iter().map(|verdicts| verdicts[verdict as usize]).sum();
        assert!(seen > replies / 1000, "{verdict:?} {seen} times");
    }
}

#[test]
fn mutated_replies_have_slots_as_their_verdicts_say() {
    let mut rng = Seed::new(11).rng();
    let truths = [
        Truth::StackValues(vec![Value::i32(-1), Value::f32(1.5)]),
        Truth::ReturnValues(vec![Value::f64(0.0)]),
        flags(),
        Truth::Fuel(9),
    ];
    for (truth, key) in truths.iter().zip(["stack_values", "return_values", "flag_states", "fuel"]) {
        let mut seen = [0u32; 8];
        for _ in 0..40_000 {
            let mut content = mutated(&mut rng).replace("stack_values", key);
            if rng.below(3) == 0 && !matches!(truth, Truth::StackValues(_)) {
                content =
                    content.replace("[-1,1.5]", [r#"{"FLAG_0":1,"FLAG_1":0}"#, "7", "[0]"][rng.below(3) as usize]);
            }
            let judged = judge(&ChatReply::text(content.as_str()), truth);
            assert_eq!(judged.slots.len(), if judged.verdict.answered() { truth.slots() } else { 0 }, "{content}");
            assert_eq!(judged.wrong_share == Some(0.0), judged.verdict == Correct, "{content}");
            seen[judged.verdict as usize] += 1;
        }
        assert!([Wrong, InvalidFormat, NoResponse].iter().all(|&v| seen[v as usize] > 30), "{key}: {seen:?}");
        assert!(!matches!(truth, Truth::StackValues(_)) || seen[Correct as usize] > 100, "{seen:?}");
    }
}

/// What is looked at does not grow faster than the reply: twice the text, twice the work. Comments within a list without commas
/// once were looked for to the end of the text, behind each of its words again.
#[test]
fn huge_replies_take_linear_work() {
    const PIECES: [&str; 16] = [
        "{",
        "[",
        "<OUTPUT>",
        "stack_values",
        "{\"stack_values\":[",
        "\"",
        "```",
        "1,",
        "fuel",
        "a/**/",
        "1;;x\n",
        "<think>",
        " ",
        "<OUTPUT> </OUTPUT>",
        "{\"stack_values\":[1]}",
        "\\\"",
    ];
    let seen = |text: &str, truth: &Truth| work::seen_by(|| drop(judge(&ChatReply::text(text), truth)));
    for piece in PIECES {
        for (before, after) in
            [("", ""), ("<OUTPUT>", "</OUTPUT>"), ("{\"stack_values\":[", "]}"), ("{\"flag_states\":{", "}}")]
        {
            let reply = |times: usize| format!("{before}{}{after}", piece.repeat(times));
            for truth in [Truth::StackValues(vec![]), flags(), Truth::Fuel(0)] {
                let [half, whole] = [2000, 4000].map(|times| (reply(times).len(), seen(&reply(times), &truth)));
                assert!(whole.1 <= 2 * half.1 + 100, "{piece:?} in {before:?}: {half:?}, {whole:?} bytes and seen");
                assert!(whole.1 >= whole.0 && whole.1 <= 16 * whole.0, "{piece:?} in {before:?}: {whole:?}");
            }
        }
    }
}
