use super::*;
use crate::wasm::types::ValType;
use Verdict::{Correct, InvalidFormat, NoResponse, Refusal, Truncated, Wrong};

mod any;

fn verdict(content: &str, truth: &[Value]) -> Verdict {
    judge(&ChatReply::text(content), &Truth::StackValues(truth.to_vec())).verdict
}

/// Every case is asked against `i32(-1), f32(1.5)`.
const CASES: &[(&str, Verdict)] = &[
    // The shape that the prompt asks for, and its numbers.
    (r#"<OUTPUT>{"stack_values":[{"type":"i32","value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, Correct),
    (r#"<OUTPUT>{"stack_values":[{"type":"i32","value":4294967295},{"type":"f32","value":15e-1}]}</OUTPUT>"#, Correct),
    (
        r#"<output>{"stack_values":[{"type":"I32","value":"0xffffffff"},{"type":"f32","value":1.50},]}</output>"#,
        Correct,
    ),
    // Other shapes.
    (r#"<OUTPUT>{"stack_values":["i32(-1)","f32(1.5)"]}</OUTPUT>"#, Correct),
    (r#"<OUTPUT>{"stack_values":[-1, 1.5]}</OUTPUT>"#, Correct),
    (r#"<OUTPUT>{"stack_values":[{"i32":-1},{"f32":"1.5"}]}</OUTPUT>"#, Correct),
    (r#"<OUTPUT>{"stack_values":[{"value":-1},{"value":"f32(1.5)"}]}</OUTPUT>"#, Correct),
    (r#"<OUTPUT>[{"type":"i32","value":"-1"},{"type":"f32","value":"1.5"}]</OUTPUT>"#, Correct),
    ("<OUTPUT>[i32(-1), f32(1.5)]</OUTPUT>", Correct),
    ("<OUTPUT>i32(-1), f32(1.5)</OUTPUT>", Correct),
    ("<OUTPUT>\ni32.const -1\nf32.const 1.5\n</OUTPUT>", Correct),
    // Around it.
    ("<OUTPUT>```json\n{\"stack_values\":[-1,1.5]}\n```</OUTPUT>", Correct),
    ("<OUTPUT>Here it is: {\"stack_values\":[-1,1.5]} done</OUTPUT>", Correct),
    ("<OUTPUT>{\"stack_values\":[9]}</OUTPUT> no, wait <OUTPUT>{\"stack_values\":[-1,1.5]}</OUTPUT>", Correct),
    ("<OUTPUT>{\"stack_values\":[-1,1.5]}</OUTPUT> or rather <OUTPUT>{\"stack_values\":[9]}</OUTPUT>", Wrong),
    ("<OUTPUT>{\"stack_values\":[-1,1.5]}", Correct),
    ("The stack is {\"stack_values\":[0]}, then\n```json\n{\"stack_values\": [-1, 1.5]}\n```\nas asked.", Correct),
    ("```\n[-1, 1.5]\n```", Correct),
    // Wrong.
    ("<OUTPUT>{\"stack_values\":[-1]}</OUTPUT>", Wrong),
    ("<OUTPUT>{\"stack_values\":[]}</OUTPUT>", Wrong),
    ("<OUTPUT>{\"stack_values\":[-1,1.5,0]}</OUTPUT>", Wrong),
    ("<OUTPUT>{\"stack_values\":[1.5,-1]}</OUTPUT>", Wrong),
    ("<OUTPUT>i64(-1), f32(1.5)</OUTPUT>", Wrong),
    ("<OUTPUT>{\"stack_values\":[4294967296,1.5]}</OUTPUT>", Wrong),
    ("<OUTPUT>{\"stack_values\":[-1,1.4999]}</OUTPUT>", Wrong),
    // A word that names no type leaves the value unread; one left empty leaves the type to the truth.
    (r#"<OUTPUT>{"stack_values":[{"type":"int","value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, InvalidFormat),
    (r#"<OUTPUT>{"stack_values":[{"type":"u32","value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, InvalidFormat),
    (
        r#"<OUTPUT>{"stack_values":[{"type":"float","value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#,
        InvalidFormat,
    ),
    (r#"<OUTPUT>{"stack_values":[{"type":"v128","value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, InvalidFormat),
    (r#"<OUTPUT>{"stack_values":[{"type":[],"value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, InvalidFormat),
    (r#"<OUTPUT>{"stack_values":[{"type":null,"value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, Correct),
    (r#"<OUTPUT>{"stack_values":[{"type":"","value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, Correct),
    (r#"<OUTPUT>{"stack_values":[{"type":"int32","value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, Correct),
    (r#"<OUTPUT>{"stack_values":[{"type":"INT64","value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, Wrong),
    (r#"<OUTPUT>{"stack_values":[{"type":"double","value":"-1"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, Wrong),
    (r#"<OUTPUT>{"stack_values":[{"type":null,"value":"9"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, Wrong),
    (r#"<OUTPUT>{"stack_values":[{"type":"u32","value":"9"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#, InvalidFormat),
    (
        r#"<OUTPUT>{"stack_values":[{"type":"i32","value":"i64(-1)"},{"type":"f32","value":"1.5"}]}</OUTPUT>"#,
        InvalidFormat,
    ),
    ("<OUTPUT>int32(-1), float32: 1.5</OUTPUT>", Correct),
    ("<OUTPUT>u32(-1), f32(1.5)</OUTPUT>", InvalidFormat),
    // The last answer was begun and cannot be read: no draft stands in for it.
    ("<OUTPUT>[9]</OUTPUT> no, wait <OUTPUT>{\"stack_values\":[-1,", InvalidFormat),
    ("<OUTPUT>[9]</OUTPUT> no, wait <OUTPUT>[-1, 1.5]", InvalidFormat),
    ("{\"stack_values\":[9]} no, wait <OUTPUT>", InvalidFormat),
    ("{\"stack_values\":[9]} no, wait {\"stack_values\":[-1, 1.", InvalidFormat),
    ("<OUTPUT>{\"stack_values\":[9]} no, wait {\"stack_values\":[-1,</OUTPUT>", InvalidFormat),
    ("<OUTPUT>{\"stack_values\":[9]} no, wait {\"stack_values\":[-1,1.5]}</OUTPUT>", Correct),
    ("So: {\"why\": {\"a\": 1}, \"stack_values\": [-1, 1.5]} it is.", Correct),
    // A list alone is an answer only if it is all there is.
    ("[9, 1.5] is what it starts with.", InvalidFormat),
    ("```\n[9]\n```\nthen\n```\n[-1, 1.5]\n```", InvalidFormat),
    ("[-1, 1.5]\n```\n", Correct),
    ("<OUTPUT>[9] no, [-1, 1.5]</OUTPUT>", InvalidFormat),
    // Nothing that can be read.
    ("I think it is -1 and 1.5.", InvalidFormat),
    ("I'm sorry, I can't help with that.", InvalidFormat),
    ("<OUTPUT></OUTPUT>", InvalidFormat),
    ("<OUTPUT>unknown</OUTPUT>", InvalidFormat),
    ("<OUTPUT>{\"stack_values\":\"-1, 1.5\"}</OUTPUT>", InvalidFormat),
    ("<OUTPUT>{\"stack_values\":[null, 1.5]}</OUTPUT>", InvalidFormat),
    ("<OUTPUT>{\"stack_values\":[\"...\"]}</OUTPUT>", InvalidFormat),
    ("<OUTPUT>{\"stack_values\":[[-1], 1.5]}</OUTPUT>", InvalidFormat),
    ("<OUTPUT>{\"stack_values\":[-1, 1.5</OUTPUT>", InvalidFormat),
    ("<OUTPUT>{\"stack\":[-1, 1.5]}</OUTPUT>", InvalidFormat),
    ("{\"values\":[-1, 1.5]}", InvalidFormat),
    ("   ", NoResponse),
];

#[test]
fn semantics() {
    for &(content, expected) in CASES {
        assert_eq!(verdict(content, &[Value::i32(-1), Value::f32(1.5)]), expected, "{content}");
    }
}

/// Thoughts in the markers of all families, and answers that are slightly damaged; `grade.py` is held against the same lines.
#[test]
fn thoughts_are_no_answers_and_small_damage_is_read() {
    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        truth: Truth,
        finish_reason: String,
        reply: String,
        verdict: Verdict,
    }
    let cases = include_str!("../../../tests/reference/replies.jsonl").lines();
    let cases: Vec<Case> = cases.map(|line| serde_json::from_str(line).expect("a case")).collect();
    assert!(cases.len() > 200);
    for Case { name, truth, finish_reason, reply, verdict } in cases {
        let said = ChatReply { finish_reason: Some(finish_reason), ..ChatReply::text(&reply) };
        assert_eq!(judge(&said, &truth).verdict, verdict, "{name}: {reply}");
    }
}

#[test]
fn vectors_and_references_are_answers() {
    let truth = [Value::new(ValType::V128, 0x4_0000_0003_0000_0002_ffff_ffff), Value::zero(ValType::FuncRef)];
    let cases = [
        (r#"[{"type":"v128","value":"-1 2 3 4"},{"type":"funcref","value":"Null"}]"#, Correct),
        (r#"[{"type":"v128","value":[-1, 2, 3, 4]},{"type":"funcref","value":null}]"#, Correct),
        (r#"["v128.const i32x4 -1 2 3 4","ref.null func"]"#, Correct),
        (r#"["-1 2 3 4","Null"]"#, Correct),
        (r#"[{"type":"v128","value":"-1 2 3 5"},{"type":"funcref","value":"Null"}]"#, Wrong),
        (r#"[{"type":"v128","value":"-1 2 3 4"},{"type":"funcref","value":"$f0"}]"#, Wrong),
        (r#"[{"type":"v128","value":"-1 2 3 4"},{"type":"externref","value":"Null"}]"#, Wrong),
        (r#"[{"type":"v128","value":"-1"},{"type":"funcref","value":"Null"}]"#, InvalidFormat),
        (r#"["-1 2 3 4",null]"#, InvalidFormat),
        (r#"[{"type":"v128","value":"-1 2 3 4"},{"value":null}]"#, InvalidFormat),
    ];
    for (list, expected) in cases {
        assert_eq!(verdict(&format!("<OUTPUT>{{\"stack_values\":{list}}}</OUTPUT>"), &truth), expected, "{list}");
    }
}

#[test]
fn an_empty_stack_is_an_answer() {
    assert_eq!(verdict("<OUTPUT>{\"stack_values\":[]}</OUTPUT>", &[]), Correct);
    assert_eq!(verdict("<OUTPUT>[]</OUTPUT>", &[]), Correct);
    assert_eq!(verdict("<OUTPUT>{\"stack_values\":[1]}</OUTPUT>", &[]), Wrong);
    assert_eq!(verdict("<OUTPUT></OUTPUT>", &[]), InvalidFormat);
}

#[test]
fn floats_compare_by_bits_and_nan_equals_nan() {
    let cases = [
        ("nan", Value::f32(f32::NAN), Correct),
        ("-nan:0x1", Value::f64(f64::NAN), Correct),
        ("0", Value::f32(f32::NAN), Wrong),
        ("nan", Value::f32(0.0), Wrong),
        ("nan", Value::i32(0), Wrong),
        ("0", Value::f32(-0.0), Wrong),
        ("-0", Value::f32(-0.0), Correct),
        ("-0.0", Value::i32(0), Correct),
        ("inf", Value::f64(f64::INFINITY), Correct),
        ("1e-9", Value::f64(2e-9), Wrong),
        ("0.1", Value::f32(0.1), Correct),
        ("0.10000000149011612", Value::f32(0.1), Correct),
        ("0.1", Value::f64(f64::from(0.1_f32)), Wrong),
    ];
    for (number, truth, expected) in cases {
        let content = format!("<OUTPUT>{{\"stack_values\":[\"{number}\"]}}</OUTPUT>");
        assert_eq!(verdict(&content, &[truth]), expected, "{number} against {truth}");
    }
}

#[test]
fn tolerance_is_that_of_the_original_and_of_floats_alone() {
    let strictness = Strictness { float_tolerance: Some(1e-5) };
    let cases = [
        ("1e-9", Value::f64(2e-9), Correct),
        ("0", Value::f32(-0.0), Correct),
        ("1.000009", Value::f64(1.0), Correct),
        ("1.00002", Value::f64(1.0), Wrong),
        // Relative where numbers are large.
        ("1000009", Value::f64(1e6), Correct),
        ("1000011", Value::f64(1e6), Wrong),
        ("-1e6", Value::f64(1e6), Wrong),
        ("nan", Value::f32(f32::NAN), Correct),
        ("0", Value::f32(f32::NAN), Wrong),
        ("1e308", Value::f64(f64::INFINITY), Wrong),
        ("inf", Value::f64(f64::INFINITY), Correct),
        ("-inf", Value::f64(f64::INFINITY), Wrong),
        ("f64(1.5)", Value::f32(1.5), Wrong),
        ("1000001", Value::i32(1_000_000), Wrong),
    ];
    for (number, truth, expected) in cases {
        let reply = ChatReply::text(format!("<OUTPUT>[\"{number}\"]</OUTPUT>"));
        let judged = judge_with(&reply, &Truth::StackValues(vec![truth]), strictness);
        assert_eq!(judged.verdict, expected, "{number} against {truth}");
    }
}

/// What the ways to write one number mean, each against the truth beside it.
#[test]
fn numbers_mean_what_they_say() {
    let cases = [
        // Numbers as strings, and not.
        (r#""7""#, Value::i32(7), Correct),
        ("7", Value::i32(7), Correct),
        (r#"" 7 ""#, Value::i32(7), Correct),
        (r#""seven""#, Value::i32(7), InvalidFormat),
        // Hex and exponents.
        (r#""0x7f""#, Value::i32(127), Correct),
        ("0X7F", Value::i64(127), Correct),
        (r#""-0x1""#, Value::i32(-1), Correct),
        ("1.27e2", Value::i32(127), Correct),
        ("127e-1", Value::i32(12), Wrong),
        (r#""0x1.8p1""#, Value::f64(3.0), Correct),
        ("3E0", Value::f32(3.0), Correct),
        // Signs of zero, NaN and infinity, in the words of several languages.
        ("-0.0", Value::f64(-0.0), Correct),
        ("0.0", Value::f64(-0.0), Wrong),
        ("-0.0", Value::f64(0.0), Wrong),
        ("NaN", Value::f64(f64::NAN), Correct),
        (r#""-nan""#, Value::f32(f32::NAN), Correct),
        ("Infinity", Value::f64(f64::INFINITY), Correct),
        (r#""+Inf""#, Value::f32(f32::INFINITY), Correct),
        (r#""-Infinity""#, Value::f64(f64::INFINITY), Wrong),
        // Unsigned for signed, as far as the bits of the type reach.
        ("4294967295", Value::i32(-1), Correct),
        ("4294967295", Value::i64(-1), Wrong),
        ("18446744073709551615", Value::i64(-1), Correct),
        ("2147483648", Value::i32(i32::MIN), Correct),
        ("-2147483649", Value::i32(i32::MAX), Wrong),
        // Past 2^53, where a float would have lost bits.
        ("9007199254740993", Value::i64((1 << 53) + 1), Correct),
        ("9007199254740992", Value::i64((1 << 53) + 1), Wrong),
        (r#""-9223372036854775807""#, Value::i64(i64::MIN + 1), Correct),
        ("-9223372036854775808", Value::i64(i64::MIN + 1), Wrong),
        ("9.007199254740993e15", Value::i64((1 << 53) + 1), Correct),
        // What is no number at all.
        ("true", Value::i32(1), InvalidFormat),
        ("null", Value::i32(0), InvalidFormat),
        ("[7]", Value::i32(7), InvalidFormat),
        (r#""""#, Value::i32(0), InvalidFormat),
    ];
    for (number, truth, expected) in cases {
        for content in [
            format!("<OUTPUT>{{\"stack_values\":[{number}]}}</OUTPUT>"),
            format!("<OUTPUT>{{\"stack_values\":[{{\"type\":\"{}\",\"value\":{number}}},],}}</OUTPUT>", truth.ty),
        ] {
            assert_eq!(verdict(&content, &[truth]), expected, "{content} against {truth}");
        }
    }
}

#[test]
fn slots_say_which_value_is_wrong() {
    let truth = Truth::StackValues(vec![Value::i32(1), Value::i32(2), Value::i32(3)]);
    let judged = |content: &str| judge(&ChatReply::text(content), &truth);
    let wrong = |slots: [bool; 3], share| Judged { verdict: Wrong, slots: slots.into(), wrong_share: Some(share) };
    assert_eq!(judged("<OUTPUT>[1,9,3]</OUTPUT>"), wrong([true, false, true], 1.0 / 3.0));
    assert_eq!(judged("<OUTPUT>[1]</OUTPUT>"), wrong([true, false, false], 2.0 / 3.0));
    assert_eq!(judged("<OUTPUT>[1,2,3,4]</OUTPUT>"), wrong([true, true, true], 0.25));
    assert_eq!(judged("<OUTPUT>[1,2,3]</OUTPUT>").wrong_share, Some(0.0));
    assert_eq!(judged("no"), Judged { verdict: InvalidFormat, slots: vec![], wrong_share: None });
}

fn flags() -> Truth {
    Truth::FlagStates([true, false, true].iter().enumerate().map(|(n, &state)| (format!("FLAG_{n}"), state)).collect())
}

#[test]
fn flags_are_read_by_name_or_in_order() {
    let slots = |content: &str| judge(&ChatReply::text(content), &flags()).slots;
    let all = [true; 3];
    for content in [
        r#"<OUTPUT>{"flag_states":{"FLAG_0":true,"FLAG_1":false,"FLAG_2":true}}</OUTPUT>"#,
        r#"<OUTPUT>{"flag_states":{"FLAG_2":"True","FLAG_0":1,"flag_1":"0",}}</OUTPUT>"#,
        r#"<OUTPUT>{"FLAG_0":true,"FLAG_1":false,"FLAG_2":true}</OUTPUT>"#,
        r#"<OUTPUT>{"flag_states":[true,false,true]}</OUTPUT>"#,
        "<OUTPUT>[1, 0, 1]</OUTPUT>",
        "<OUTPUT>\nFLAG_0: true\n;;FLAG_1 = no\nFLAG_2: yes\n</OUTPUT>",
        r#"So {"flag_states":{"FLAG_0":true,"FLAG_1":false,"FLAG_2":true}} are the flag_states."#,
        // There is no such flag; the last state of a flag counts.
        r#"<OUTPUT>{"flag_states":{"FLAG_0":0,"FLAG_0":1,"FLAG_1":0,"FLAG_2":1,"FLAG_7":1}}</OUTPUT>"#,
    ] {
        assert_eq!(slots(content), all, "{content}");
    }
    let wrong = judge(&ChatReply::text(r#"<OUTPUT>{"flag_states":{"FLAG_1":true,"FLAG_2":true}}</OUTPUT>"#), &flags());
    assert_eq!(wrong, Judged { verdict: Wrong, slots: vec![false, false, true], wrong_share: Some(2.0 / 3.0) });
    assert_eq!(slots("<OUTPUT>{\"flag_states\":{}}</OUTPUT>"), [false; 3]);
    assert_eq!(slots("<OUTPUT>[true]</OUTPUT>"), [true, false, false]);
    for content in [
        r#"<OUTPUT>{"flag_states":{"FLAG_0":null,"FLAG_1":false,"FLAG_2":true}}</OUTPUT>"#,
        r#"<OUTPUT>{"flag_states":{"FLAG_0":"maybe","FLAG_1":false,"FLAG_2":true}}</OUTPUT>"#,
        r#"<OUTPUT>{"flag_states":true}</OUTPUT>"#,
        r#"<OUTPUT>{"stack_values":[true,false,true]}</OUTPUT>"#,
        r#"<OUTPUT>{"answer":true}</OUTPUT>"#,
        "<OUTPUT>true</OUTPUT>",
        "FLAG_0: true, FLAG_1: false, FLAG_2: true",
    ] {
        assert_eq!(judge(&ChatReply::text(content), &flags()).verdict, InvalidFormat, "{content}");
    }
}

#[test]
fn results_are_read_like_stacks() {
    let verdict = |content: &str| judge(&ChatReply::text(content), &Truth::ReturnValues(vec![Value::i64(7)])).verdict;
    assert_eq!(verdict(r#"<OUTPUT>{"return_values":[{"type":"i64","value":"7"}]}</OUTPUT>"#), Correct);
    assert_eq!(verdict("<OUTPUT>i64(7)</OUTPUT>"), Correct);
    assert_eq!(verdict(r#"<OUTPUT>{"return_values":[{"type":"i32","value":"7"}]}</OUTPUT>"#), Wrong);
    assert_eq!(verdict(r#"<OUTPUT>{"return_values":[7, 8]}</OUTPUT>"#), Wrong);
    assert_eq!(verdict(r#"<OUTPUT>{"stack_values":[7]}</OUTPUT>"#), InvalidFormat);
}

#[test]
fn fuel_is_one_whole_number() {
    let cases = [
        (r#"<OUTPUT>{"fuel": 17}</OUTPUT>"#, Correct),
        (r#"<OUTPUT>{"fuel": "17"}</OUTPUT>"#, Correct),
        ("<OUTPUT>17</OUTPUT>", Correct),
        ("<OUTPUT>```json\n{\"fuel\": 17.0}\n```</OUTPUT>", Correct),
        (r#"It takes {"fuel": 17} of fuel in all; fuel is cheap."#, Correct),
        (r#"<OUTPUT>{"fuel": 18}</OUTPUT>"#, Wrong),
        (r#"<OUTPUT>{"fuel": -17}</OUTPUT>"#, Wrong),
        (r#"<OUTPUT>{"fuel": 17.5}</OUTPUT>"#, Wrong),
        (r#"<OUTPUT>{"fuel": 99999999999999999999999999}</OUTPUT>"#, Wrong),
        (r#"<OUTPUT>{"fuel": 18}</OUTPUT> no, <OUTPUT>{"fuel": 17}</OUTPUT>"#, Correct),
        (r#"<OUTPUT>{"fuel": "about 17"}</OUTPUT>"#, InvalidFormat),
        (r#"<OUTPUT>{"fuel": [17]}</OUTPUT>"#, InvalidFormat),
        (r#"<OUTPUT>{"fuel": null}</OUTPUT>"#, InvalidFormat),
        ("17", InvalidFormat),
        ("The fuel: 17", InvalidFormat),
    ];
    for (content, expected) in cases {
        let judged = judge(&ChatReply::text(content), &Truth::Fuel(17));
        assert_eq!(judged.verdict, expected, "{content}");
        assert_eq!(judged.slots, if expected.answered() { vec![expected == Correct] } else { vec![] }, "{content}");
    }
}

#[test]
fn trouble_comes_before_reading() {
    let answer = "<OUTPUT>[1]</OUTPUT>";
    let cases = [
        (Some(answer), None, Some("stop"), Correct),
        (Some(answer), None, Some("length"), Truncated),
        (None, None, Some("length"), Truncated),
        (Some(answer), None, Some("content_filter"), Refusal),
        (Some(answer), Some("I won't"), Some("stop"), Refusal),
        (Some(answer), Some(""), Some("eos_token"), Correct),
        (Some(answer), None, None, Correct),
        (None, None, Some("stop"), NoResponse),
        (None, None, Some("error"), Truncated),
        (Some(answer), None, Some("error"), Correct),
    ];
    for (content, refusal, finish_reason, expected) in cases {
        let reply = ChatReply {
            content: content.map(Into::into),
            refusal: refusal.map(Into::into),
            finish_reason: finish_reason.map(Into::into),
            ..ChatReply::default()
        };
        assert_eq!(judge(&reply, &Truth::StackValues(vec![Value::i32(1)])).verdict, expected, "{reply:?}");
    }
}

#[test]
fn only_a_reply_known_to_be_whole_can_be_wrong() {
    let cases: &[(&[&str], Verdict)] = &[
        (&["", "null", "stop", "STOP", "end_turn", "eos", "stop_sequence", "completed"], Wrong),
        (&["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "content_filter"], Refusal),
        (&["max_tokens", "MAX_TOKENS", "length", "incomplete"], Truncated),
        (&["insufficient_system_resource", "abort", "error", "tool_calls", "no such reason"], Truncated),
    ];
    for &(reasons, expected) in cases {
        for &reason in reasons {
            let reply = ChatReply { finish_reason: Some(reason.into()), ..ChatReply::text("<OUTPUT>[9]</OUTPUT>") };
            let judged = judge(&reply, &Truth::StackValues(vec![Value::i32(1)]));
            assert_eq!((judged.verdict, judged.slots.len()), (expected, usize::from(expected == Wrong)), "{reason}");
        }
    }
}
