//! Runs that earlier versions wrote: they go on, and all that reads runs reads them.

use crate::command_line::{folder, harness, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The command lines that made the stored runs, as far as they decide records.
const ATTACK: &str =
    "attack --preset tiny --model sim/no-wrap+noise=0.2 --strategy evolve --query-budget 40 --seed 5 --baseline";
const EVAL: &str = "eval --suite smoke@1 --task stack --limit 6 --model sim/novice --model sim/oracle --epochs 2 --seed 3 \
                    --float-tolerance 1e-5";

/// A copy of a stored run, as if this version had begun it: no other one may go on with a run.
fn copied(to: &Path, name: &str) -> PathBuf {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/runs").join(name);
    let run = to.join(name);
    std::fs::create_dir(&run).expect("can be made");
    for file in std::fs::read_dir(&stored).expect("is checked in").map(|file| file.expect("can be listed").path()) {
        std::fs::copy(&file, run.join(file.file_name().expect("has one"))).expect("can be copied");
    }
    let manifest = run.join("manifest.yaml");
    let text = std::fs::read_to_string(&manifest).expect("is there");
    assert!(text.starts_with("schema: 1\n"), "it is of the first schema");
    let mut lines: Vec<String> = text.lines().filter(|line| !line.starts_with("seal: ")).map(str::to_owned).collect();
    for line in lines.iter_mut().filter(|line| line.starts_with("wasmweaver: ")) {
        *line = format!("wasmweaver: {}", env!("CARGO_PKG_VERSION"));
    }
    std::fs::write(&manifest, lines.join("\n") + "\n").expect("can be written");
    run
}

/// The lines of a file, in no order.
fn lines(run: &Path, file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(run.join(file)).expect("is there");
    text.lines().map(str::to_owned).collect()
}

/// The run that these words make here.
fn fresh(folder: &Path, words: &str) -> PathBuf {
    let mut args: Vec<&str> = words.split_whitespace().collect();
    args.extend(["--json", "--log-dir", "fresh"]);
    json(&harness(folder, &args));
    let mut runs = std::fs::read_dir(folder.join("fresh")).expect("was made");
    runs.next().expect("there is one").expect("can be listed").path()
}

/// Runs a verb to its good end.
fn done(folder: &Path, args: &[&str]) {
    let output = harness(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_attack_of_schema_1_goes_on_and_is_reported_on() {
    let folder = folder("earlier-attack");
    let run = copied(&folder, "attack-schema-1");
    let name = run.to_string_lossy().into_owned();
    let stored = lines(&run, "records.jsonl");
    // Read as it is, a run that was killed: what it has is shown, and cut down.
    let report = json(&harness(&folder, &["report", &name, "--pairs", "0", "--json"]));
    assert_eq!(report["model"], "sim/no-wrap+noise=0.2");
    done(&folder, &["export", &name, "--to", "parquet", "--out", "parquet"]);
    let figures = json(&harness(&folder, &["attack", "--resume", &name, "--json"]));
    assert_eq!((figures["queries"].as_u64(), figures["strategy"].as_str()), (Some(40), Some("evolve")));
    let again = fresh(&folder, ATTACK);
    assert_eq!(lines(&run, "records.jsonl"), lines(&again, "records.jsonl"));
    assert!(lines(&run, "records.jsonl").is_superset(&stored), "nothing was asked twice");
    let manifest = std::fs::read_to_string(run.join("manifest.yaml")).expect("is there");
    assert!(manifest.starts_with("schema: 2\n") && manifest.contains("\nconditions:\n  max_connections: 1\n"));
    // All these stood in its command line alone.
    assert!(manifest.contains("  shrink:\n    best: 1\n") && manifest.contains("  baseline: true\n"), "{manifest}");
    done(&folder, &["shrink", &name, "--best", "1"]);
    let report = json(&harness(&folder, &["report", &name, "--json"]));
    assert_eq!(report["queries"], 40);
}

#[test]
fn an_evaluation_of_schema_1_goes_on_and_is_ranked() {
    let folder = folder("earlier-eval");
    let run = copied(&folder, "eval-schema-1");
    let name = run.to_string_lossy().into_owned();
    let stored = lines(&run, "records.jsonl");
    let figures = json(&harness(&folder, &["eval", "--resume", &name, "--json"]));
    assert_eq!(figures["rows"].as_array().map(Vec::len), Some(2));
    let again = fresh(&folder, EVAL);
    let text = |run: &Path| std::fs::read_to_string(run.join("records.jsonl")).expect("is there");
    assert_eq!(text(&run), text(&again));
    assert!(lines(&run, "records.jsonl").is_superset(&stored), "nothing was asked twice");
    done(&folder, &["leaderboard", &name, "--out", "board"]);
    let records = lines(&run, "records.jsonl").into_iter();
    let mut records = records.map(|line| serde_json::from_str::<serde_json::Value>(&line).expect("is a record"));
    let missed =
        records.find(|one| one["model"] == "sim/novice" && one["answer"]["verdict"] == "wrong").expect("novices err");
    done(&folder, &["shrink", &name, "--item", missed["id"].as_str().expect("has one"), "--model", "sim/novice"]);
    done(&folder, &["eval", "--replay", &name]);
    done(&folder, &["eval", "--items", &name, "--model", "sim/oracle"]);
}
