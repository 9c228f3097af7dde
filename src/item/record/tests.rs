use super::*;
use crate::wasm::types::Value;

fn record() -> Record {
    let item = Item {
        id: "r0-0".into(),
        task: Task::Stack,
        program: "(module)".into(),
        probes: vec![Probe { func: 0, pc: 3, hit: 1 }],
        truth: Truth::StackValues(vec![Value::i32(30), Value::f64(-0.0)]),
        fuel: u64::MAX,
        bytes: 40,
        instructions: 3,
        canonical: "ab".into(),
        recipe: Recipe { generator: "0.1.0".into(), seed: u64::MAX, actions: vec![1, 200] },
    };
    let answer = Answer { slots: vec![true, false], wrong_share: Some(0.5), ..Answer::of(Verdict::Wrong) };
    Record {
        schema: SCHEMA_VERSION,
        purpose: Purpose::Attack,
        model: None,
        round: 0,
        index: 0,
        chosen_by: "ppo".into(),
        level: None,
        item,
        answer,
        reward: Some(0.5),
        cell: None,
    }
}

#[test]
fn a_line_is_frozen_and_reads_back() {
    let line = serde_json::to_string(&record()).expect("plain data");
    insta::assert_snapshot!(line, @r#"{"schema":1,"purpose":"attack","round":0,"index":0,"chosen_by":"ppo","id":"r0-0","task":"stack","program":"(module)","probes":[{"func":0,"pc":3,"hit":1}],"truth":{"stack_values":[{"type":"i32","value":"30"},{"type":"f64","value":"-0.0"}]},"fuel":18446744073709551615,"bytes":40,"instructions":3,"canonical":"ab","recipe":{"generator":"0.1.0","seed":18446744073709551615,"actions":"01c801"},"answer":{"verdict":"wrong","slots":[true,false],"wrong_share":0.5,"usage":{}},"reward":0.5}"#);
    assert_eq!(serde_json::from_str::<Record>(&line).expect("reads back"), record());
}

#[test]
fn a_line_of_before_there_were_several_probes_reads() {
    let line = serde_json::to_string(&record()).expect("plain data");
    let old = line.replace(r#""probes":[{"func":0,"pc":3,"hit":1}]"#, r#""probe":{"func":0,"pc":3,"hit":1}"#);
    assert_ne!(old, line);
    assert_eq!(serde_json::from_str::<Record>(&old).expect("reads"), record());
}

#[test]
fn truths_have_the_keys_that_replies_have() {
    let flags = [("FLAG_0", true), ("FLAG_10", false), ("FLAG_9", true)].map(|(name, on)| (name.to_owned(), on));
    let truths = [
        (Truth::FlagStates(flags.into()), r#"{"flag_states":{"FLAG_0":true,"FLAG_10":false,"FLAG_9":true}}"#, 3),
        (
            Truth::ReturnValues(vec![Value::i64(-1), Value::f32(0.1)]),
            r#"{"return_values":[{"type":"i64","value":"-1"},{"type":"f32","value":"0.1"}]}"#,
            2,
        ),
        (Truth::Fuel(u64::MAX), r#"{"fuel":18446744073709551615}"#, 1),
    ];
    for (truth, text, slots) in truths {
        assert_eq!(serde_json::to_string(&truth).expect("plain data"), text);
        assert!(text.starts_with(&format!("{{\"{}\":", truth.task().key())), "{text}");
        assert_eq!((truth.slots(), truth.texts().len()), (slots, slots));
        let mut record = record();
        record.item.truth = truth;
        let line = serde_json::to_string(&record).expect("plain data");
        assert_eq!(serde_json::from_str::<Record>(&line).expect("reads back"), record);
    }
}

#[test]
fn names_are_what_files_say() {
    for &task in Task::ALL {
        assert_eq!(serde_json::to_value(task).expect("a word"), task.name());
        assert_eq!(task.name().parse(), Ok(task));
    }
    for &purpose in Purpose::ALL {
        assert_eq!(serde_json::to_value(purpose).expect("a word"), purpose.name());
    }
    for &verdict in Verdict::ALL {
        assert_eq!(serde_json::to_value(verdict).expect("a word"), verdict.name());
    }
    let unknown = "heap".parse::<Task>().expect_err("no such task").to_string();
    assert_eq!(unknown, "there is no task `heap`; choose one of stack, reachability, result, fuel");
}

#[test]
fn denominators_nest() {
    let count = |of: fn(Verdict) -> bool| Verdict::ALL.iter().filter(|&&v| of(v)).count();
    assert_eq!((count(Verdict::is_miss), count(Verdict::answered), count(Verdict::is_finished_reply)), (1, 2, 4));
    assert!(Verdict::ALL.iter().all(|v| v.is_finished_reply() || !v.answered()));
}
