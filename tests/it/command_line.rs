//! The binary as its user meets it: what it prints, where it writes, how it refuses.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own for each test, emptied first.
pub(super) fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("the target folder is ours");
    path
}

pub(super) fn harness(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().expect("the binary was built")
}

pub(super) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(folder).args(args).env_remove("OPENAI_API_KEY").env_remove("OPENAI_BASE_URL");
    // The user's folder is not ours, and a test weaves what it looks at.
    command.env("WASMWEAVER_SUITE_CACHE", "off");
    for variable in ["AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "OPENROUTER_API_KEY"] {
        command.env_remove(variable);
    }
    command
}

pub(super) fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.lines().count(), 1, "one object and nothing else: {text}");
    serde_json::from_str(&text).expect("a JSON object")
}

/// The first run under `results`, as its folder names it.
pub(super) fn first_run(folder: &Path) -> String {
    let runs = std::fs::read_dir(folder.join("results")).expect("a run was written");
    let mut names: Vec<String> =
        runs.map(|run| run.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    format!("results/{}", names.first().expect("there is one"))
}

/// The records of the only run under `results`, sorted by item.
fn records(folder: &Path) -> Vec<Value> {
    let runs: Vec<PathBuf> = std::fs::read_dir(folder.join("results"))
        .expect("a run was written")
        .map(|entry| entry.expect("readable").path())
        .collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let text = std::fs::read_to_string(runs[0].join("records.jsonl")).expect("records");
    let mut records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    records.sort_by_key(|record| (record["id"].to_string(), record["purpose"].to_string()));
    records
}

#[test]
fn an_attack_prints_its_figures_and_writes_its_run() {
    let folder = folder("attack");
    let figures = json(&harness(&folder, &["attack", "--query-budget", "150", "--json"]));
    let keys: Vec<&str> = figures.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = [
        "run_dir",
        "model",
        "preset",
        "strategy",
        "seed",
        "queries",
        "replies",
        "misses",
        "miss_rate",
        "miss_rate_last_quarter",
        "baseline_miss_rate",
        "unique_misses",
        "distinct_share_last_quarter",
        "cells_filled",
        "predictor_auc",
        "predictor_trusted",
        "verdicts",
        "tokens",
        "cost_usd",
        "cost_estimated",
        "seconds",
    ];
    assert_eq!(keys, expected);
    assert_eq!(figures["queries"], 150, "{figures}");
    let records = records(&folder);
    let spent = records.iter().filter(|record| record["purpose"] != "baseline").count();
    assert_eq!(spent, 150, "every query has its record");
    let run = folder.join(figures["run_dir"].as_str().expect("a path"));
    for file in
        ["manifest.yaml", "timings.jsonl", "metrics.jsonl", "summary.md", "checkpoint.safetensors", "miss-rate.svg"]
    {
        assert!(run.join(file).exists(), "{file} is missing in {}", run.display());
    }
}

#[test]
fn who_names_no_strategy_hears_which_there_are() {
    let folder = folder("strategy");
    for (args, says) in [
        (&["--strategy", "luck"][..], &["luck", "ppo", "random", "matched", "evolve", "map-elites"][..]),
        (&["--strategy", "matched"], &["--like"]),
        (&["--strategy", "matched", "--like", "nowhere"], &["nowhere"]),
    ] {
        let output = harness(&folder, &[&["attack"], args].concat());
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(says.iter().all(|word| message.contains(word)), "{args:?} says: {message}");
    }
    assert!(!folder.join("results").exists());
}

#[test]
fn one_seed_gives_one_result_whatever_the_connections() {
    let run = |connections: &str| {
        let folder = folder(&format!("seed-{connections}"));
        let args = ["attack", "--seed", "7", "--query-budget", "150", "--max-connections", connections, "--json"];
        json(&harness(&folder, &args));
        records(&folder)
    };
    let alone = run("1");
    assert!(alone.len() > 200, "attack, confirmations and baseline");
    assert_eq!(alone, run("17"));
}

#[test]
fn the_oracle_is_never_wrong() {
    let folder = folder("oracle");
    let figures = json(&harness(&folder, &["attack", "--model", "sim/oracle", "--query-budget", "130", "--json"]));
    assert_eq!(figures["misses"], 0);
    assert_eq!(figures["verdicts"]["correct"], figures["replies"]);
    assert_eq!(figures["baseline_miss_rate"], 0.0);
}

/// A third of the default budget and an easy misconception; the full table is `cargo bench --bench learns`.
#[test]
fn the_attack_learns() {
    let folder = folder("learns");
    let args = ["attack", "--model", "sim/loops-once", "--query-budget", "700", "--json"];
    let figures = json(&harness(&folder, &args));
    let rate = |key: &str| figures[key].as_f64().expect("replies came");
    let (last_quarter, baseline) = (rate("miss_rate_last_quarter"), rate("baseline_miss_rate"));
    assert!(last_quarter >= 0.1 && last_quarter >= 2.0 * baseline, "{last_quarter} against {baseline}");
    assert!(rate("distinct_share_last_quarter") >= 0.5);
}

#[test]
fn verify_finds_nothing() {
    let folder = folder("verify");
    let output = harness(&folder, &["verify", "--preset", "stack", "-n", "1500", "--seed", "random", "--json"]);
    let verified = json(&output);
    let told = format!("seed {}\n", verified["seed"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains(&told), "{told} is said before, should it end badly");
    for (key, value) in verified.as_object().expect("an object") {
        match key.as_str() {
            "programs" | "checked_wasmtime" => assert_eq!(value, 1500, "{key}"),
            "seed" | "seconds" => {}
            _ => assert_eq!(value, 0, "{verified}"),
        }
    }
    assert!(!folder.join("results").exists(), "nothing broke, so nothing is written");
}

#[test]
fn a_dry_run_spends_nothing() {
    let folder = folder("dry");
    let bill = json(&harness(&folder, &["attack", "--model", "o3-mini", "--dry-run", "--json"]));
    assert_eq!(bill["queries"], 2000);
    assert!(
        bill["cost_usd"].as_f64().expect("prices are known") > 1.0 && bill["prompt_tokens"].as_u64() > Some(100_000)
    );
    assert!(!folder.join("results").exists());
}

/// A port without a listener.
fn silent_url() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}/v1", listener.local_addr().expect("bound"))
}

#[test]
fn a_provider_that_never_answers_ends_the_run() {
    let folder = folder("silent");
    let url = silent_url();
    let args = ["attack", "--model", "nobody", "--base-url", &url, "--max-retries", "0", "--query-budget", "500"];
    let output = harness(&folder, &args);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("does not answer") && message.contains("--resume"), "{message}");
    assert!(records(&folder).is_empty(), "an outage is nobody's verdict");
}

/// What a user can get wrong: the command, and what the message must say.
#[test]
fn mistakes_end_in_one_sentence_and_code_2() {
    let folder = folder("mistakes");
    let presets = [
        ("unknown-key.yaml", "task: stack\nweave:\n  fule: {max: 3}\n"),
        ("unknown-name.yaml", "task: stack\nweave:\n  forbid:\n    - i32.ad\n"),
        ("minimum.yaml", "task: stack\nweave:\n  fuel: {min: 60, max: 50}\n"),
        ("too-small.yaml", "task: stack\nweave:\n  bytes: {max: 20}\n"),
        ("empty.yaml", ""),
    ];
    let prompts = [
        ("front.md", "no front matter\n"),
        ("unknown.md", "---\nname: p\nversion: 1\ntask: stack\ndescription: d\n---\n# user\n{{ programm }}\n"),
    ];
    for (name, text) in presets.iter().chain(&prompts) {
        std::fs::write(folder.join(name), text).expect("the folder is ours");
    }
    std::fs::write(folder.join("taken"), "a file").expect("the folder is ours");
    let cases: [(&[&str], &[&str]); 12] = [
        (&["attack", "--log-dir", "taken", "--query-budget", "5"], &["taken", "--log-dir"]),
        (&["attack", "--preset", "unknown-key.yaml"], &["unknown-key.yaml:3:", "fule", "fuel"]),
        (&["attack", "--preset", "unknown-name.yaml"], &["unknown-name.yaml:3:", "i32.ad"]),
        (&["attack", "--preset", "minimum.yaml"], &["minimum.yaml:3:", "60", "50"]),
        (&["verify", "--preset", "too-small.yaml"], &["too-small.yaml:3:", "no program fits"]),
        (&["attack", "--preset", "empty.yaml"], &["empty.yaml"]),
        (&["attack", "--preset", "nowhere"], &["policies/nowhere.yaml"]),
        (&["attack", "--prompt", "front.md"], &["front.md:1", "---"]),
        (&["attack", "--prompt", "unknown.md"], &["unknown.md:8", "programm"]),
        (&["attack", "--model", "sim/nobody"], &["nobody", "novice"]),
        (&["attack", "--model", "o3-mini"], &["OPENAI_API_KEY", "sim/novice"]),
        (&["attack", "--model", "no-such-model"], &["no-such-model", "--base-url"]),
    ];
    for (args, says) in cases {
        let output = harness(&folder, args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(says.iter().all(|word| message.contains(word)), "{args:?} says: {message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{args:?} says: {message}");
        assert!(!message.contains("panicked") && output.stdout.is_empty(), "{args:?}");
    }
    assert!(!folder.join("results").exists(), "nothing is left half-written");
}
