//! `harness eval` as its user meets it.

use crate::command_line::{folder, harness, json};
use crate::faults::{Behaviour, FaultServer};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use wasmweaver::run::dir::RunDir;
use wasmweaver::run::manifest::{Manifest, Status};

const SMOKE: [&str; 7] = ["eval", "--suite", "smoke@1", "--seed", "7", "--limit", "4"];

fn eval(folder: &Path, args: &[&str]) -> Json {
    json(&harness(folder, &[&SMOKE[..], args, &["--json"]].concat()))
}

fn keys(object: &Json) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn models_are_asked_about_the_same_items_and_replies_can_be_graded_anew() {
    let folder = folder("eval");
    let figures =
        eval(&folder, &["--model", "sim/oracle", "--model", "guess/zero", "--task", "stack", "--task", "fuel"]);
    let expected = ["run_dir", "suite", "seed", "fingerprint", "epochs", "rows", "seconds"];
    assert_eq!(keys(&figures), expected);
    let row = [
        "model",
        "task",
        "items",
        "replies",
        "accuracy_strict",
        "accuracy_answered",
        "ci95",
        "verdicts",
        "tokens",
        "cost_usd",
        "cost_estimated",
        "by_level",
        "by_fuel",
        "by_depth",
    ];
    let rows = figures["rows"].as_array().expect("rows");
    assert_eq!(keys(&rows[0]), row);
    let told: Vec<(&str, &str, f64)> = rows
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().expect("text");
            assert_eq!((row["items"].as_u64(), row["cost_usd"].as_f64()), (Some(4), Some(0.0)));
            (text("model"), text("task"), row["accuracy_strict"].as_f64().expect("known"))
        })
        .collect();
    let oracle = [("sim/oracle", "stack", 1.0), ("sim/oracle", "fuel", 1.0)];
    assert_eq!(told, [oracle, [("guess/zero", "stack", 0.0), ("guess/zero", "fuel", 0.0)]].concat());
    let shown = json(&harness(
        &folder,
        &["suite", "show", "smoke@1", "--seed", "7", "--limit", "4", "--task", "stack", "--task", "fuel", "--json"],
    ));
    assert_eq!(shown["fingerprint"], figures["fingerprint"], "eval asks what the suite shows");

    let run = figures["run_dir"].as_str().expect("text");
    let replayed = json(&harness(&folder, &["eval", "--replay", run, "--json"]));
    assert_eq!(replayed["rows"], figures["rows"]);
    // The items of one evaluation in another.
    let items = json(&harness(&folder, &["eval", "--items", run, "--model", "sim/no-wrap", "--json"]));
    assert_eq!(items["fingerprint"], figures["fingerprint"]);
    assert_eq!(items["rows"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_an_attack_found_is_asked_of_others() {
    let folder = folder("transfer");
    let attack = json(&harness(&folder, &["attack", "--query-budget", "150", "--no-baseline", "--json"]));
    let run = attack["run_dir"].as_str().expect("text");
    let models = ["--model", "sim/oracle", "--model", "sim/novice+noise=0"];
    let figures = json(&harness(&folder, &[&["eval", "--items", run, "--json"][..], &models].concat()));
    assert_eq!(figures["chosen_against"], "sim/novice");
    let [oracle, novice] = &figures["rows"].as_array().expect("rows")[..] else { panic!("{figures}") };
    assert_eq!(oracle["items"], attack["unique_misses"]);
    assert_eq!(oracle["accuracy_strict"], 1.0);
    // Some of the novice's misses were slips.
    assert!(novice["accuracy_strict"].as_f64() < Some(0.5), "{novice}");
}

#[test]
fn epochs_are_asked_apart_and_mistakes_are_told() {
    let folder = folder("epochs");
    let noisy = ["--model", "sim/oracle+noise=0.5", "--task", "stack", "--epochs", "6", "--prompt", "answer-only"];
    let figures = eval(&folder, &noisy);
    let row = &figures["rows"][0];
    assert_eq!((row["items"].as_u64(), row["replies"].as_u64()), (Some(4), Some(24)));
    let accuracy = row["accuracy_strict"].as_f64().expect("known");
    assert!(accuracy > 0.0 && accuracy < 1.0, "epochs have their own noise: {accuracy}");
    for (args, told) in [
        (&["eval", "--suite", "smokee"][..], "did you mean `smoke`"),
        (&["eval", "--suite", "smoke@9"], "smoke@1"),
        (&["eval", "--model", "sim/novice", "--model", "novice"], "known"),
        (&["eval", "--model", "sim/oracle", "--model", "sim/oracle"], "twice"),
        (&["eval", "--suite", "smoke", "--prompt", "slowly"], "step-by-step, answer-only"),
        (&["eval", "--items", "nowhere.jsonl"], "nowhere.jsonl"),
        (&["eval", "--resume", "nowhere"], "nowhere"),
        (&["eval", "--model", "vllm/x", "--cost-limit", "1"], "--models"),
        (&["eval", "--model", "o3-mini"], "OPENAI_API_KEY"),
    ] {
        let output = harness(&folder, args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{args:?}: {said}");
        assert!(said.contains(told), "{args:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_paid_twice_with_a_cache_and_no_more_than_the_limit() {
    let answer = |_: &Json| "<OUTPUT>{\"stack_values\": []}</OUTPUT>".to_owned();
    let behaviour = Behaviour { faults: 0.0, delay: Duration::ZERO, answer: Box::new(answer) };
    let server = FaultServer::start(behaviour).await;
    let folder = folder("cached");
    let url = server.base_url();
    std::fs::write(
        folder.join("models.yaml"),
        format!("- {{id: dear, base_url: \"{url}\", prices: {{input: 0, output: 250000, as_of: 2026-01}}}}\n"),
    )
    .expect("can be written");
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command
            .current_dir(&folder)
            .env("OPENAI_API_KEY", "none")
            .env("WASMWEAVER_SUITE_CACHE", "off")
            .env_remove("OPENAI_BASE_URL");
        json(
            &command
                .args(SMOKE)
                .args(["--model", "dear", "--task", "stack", "--json"])
                .args(args)
                .output()
                .expect("runs"),
        )
    };
    let cached = ["--epochs", "2", "--cache", "--cache-dir", "kept"];
    let first = run(&cached);
    assert_eq!((first["rows"][0]["replies"].as_u64(), server.requests()), (Some(8), 8), "two epochs are two replies");
    let second = run(&cached);
    assert_eq!(second["rows"], first["rows"]);
    assert_eq!(server.requests(), 8, "all came from the cache");
    assert_eq!(first["rows"][0]["cost_usd"].as_f64(), Some(8.0), "four tokens a reply, a dollar each reply");
    // Three dollars buy three replies, one at a time.
    let bounded = run(&["--max-connections", "1", "--cost-limit", "3"]);
    assert_eq!((bounded["rows"][0]["replies"].as_u64(), server.requests()), (Some(3), 11));
}

/// The manifest of a run that was killed while its items were woven.
fn as_killed(run: &Path, items: &str, records: &str) {
    let dir = RunDir::open(run).expect("a run");
    let manifest = Manifest::read(&dir).expect("a manifest");
    let (status, files) = (Status::Running, BTreeMap::new());
    let unknown = Manifest { status, files, items: None, fingerprint: None, finished: None, seconds: None, ..manifest };
    unknown.write(&dir).expect("ours");
    for (file, text) in [("items.jsonl", items), ("records.jsonl", records)] {
        std::fs::write(run.join(file), text).expect("ours");
    }
}

#[test]
fn a_run_that_was_killed_while_its_items_were_woven_goes_on() {
    let folder = folder("killed-weaving");
    // What weaves fastest.
    let asks = ["--task", "stack", "--task", "fuel", "--model", "sim/novice", "--model", "sim/oracle", "--into", "run"];
    let whole = eval(&folder, &asks);
    let run = folder.join("run");
    let read = |file: &str| std::fs::read_to_string(run.join(file)).expect("it is there");
    let (items, records) = (read("items.jsonl"), read("records.jsonl"));
    let lines = |text: &str, count: usize| text.split_inclusive('\n').take(count).collect::<String>();
    // In the middle of an item, between two, before the first, and behind the last.
    for (there, asked) in [(&items[..lines(&items, 7).len() + 100], 3), (&lines(&items, 5), 10), ("", 0), (&items, 0)] {
        as_killed(&run, there, &lines(&records, asked));
        let gone_on = json(&harness(&folder, &["eval", "--resume", "run", "--json"]));
        assert!(read("items.jsonl") == items && read("records.jsonl") == records, "{} bytes of items", there.len());
        assert_eq!((&gone_on["rows"], &gone_on["fingerprint"]), (&whole["rows"], &whole["fingerprint"]));
    }
    // What stands there is held against what is woven.
    for (there, line) in
        [(lines(&items, 5).replace("stack-l1-00001", "stack-l1-00007"), 2), (items.clone() + &lines(&items, 1), 9)]
    {
        as_killed(&run, &there, "");
        let output = harness(&folder, &["eval", "--resume", "run"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("items.jsonl:{line}: this is not the item")), "{said}");
    }
}

#[test]
fn a_limit_of_time_ends_the_weaving_too() {
    let folder = folder("limited-weaving");
    // Its weaving takes many times as long.
    let args = ["eval", "--suite", "hard", "--model", "sim/oracle", "--time-limit", "1", "--into", "run"];
    let output = harness(&folder, &args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let manifest = std::fs::read_to_string(folder.join("run/manifest.yaml")).expect("a manifest");
    assert!(manifest.contains("status: interrupted") && !manifest.contains("fingerprint:"), "{manifest}");
    // Nor does an estimate wait for it.
    let bills = json(&harness(&folder, &["eval", "--suite", "hard", "--dry-run", "--json"]))["bills"].clone();
    assert_eq!(bills[0]["queries"], 1000);
    assert!(bills[0]["prompt_tokens"].as_u64() > Some(300_000), "{bills}");
}
