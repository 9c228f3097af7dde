//! The verb `suite`, and suites written out: fingerprints that are frozen, and seeds that are fixed beforehand.

use super::command_line::{command, folder, harness, json};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

/// What shipped suites hold under seed 42: arguments, items, fingerprint.
///
/// A fingerprint that changes means that the same name no longer stands for the same items: raise `version` in
/// the suite's file, and only then write the new fingerprint here.
const FROZEN: [(&[&str], u64, &str); 3] = [
    (&["smoke@1"], 40, "7647f708333e10e2"),
    (&["standard@1", "--task", "result", "--limit", "10"], 10, "faa44d43f7906f02"),
    (&["hard@1", "--task", "fuel", "--limit", "4"], 4, "877b2a45086565d0"),
];

/// All of them.
const WHOLE: [(&[&str], u64, &str); 2] =
    [(&["standard@1"], 2000, "243c901960e142eb"), (&["hard@1"], 1000, "5bc9164f6d41f1d8")];

fn show(folder: &Path, args: &[&str]) -> Value {
    json(&harness(folder, &[&["suite", "show", "--seed", "42", "--json"], args].concat()))
}

fn holds(folder: &Path, frozen: &[(&[&str], u64, &str)]) {
    for (args, items, fingerprint) in frozen {
        let shown = show(folder, args);
        assert_eq!(shown["items"], *items, "{args:?}");
        assert_eq!(
            shown["fingerprint"], *fingerprint,
            "{args:?} holds other items than before: raise the suite's version, then freeze the new fingerprint"
        );
    }
}

#[test]
fn smoke_holds_what_it_held() {
    holds(&folder("suite_smoke"), &FROZEN[..1]);
}

#[test]
fn standard_and_hard_hold_what_they_held() {
    holds(&folder("suites_part"), &FROZEN[1..]);
}

#[test]
#[ignore = "takes minutes: cargo test --test it -- --ignored whole_suites"]
fn whole_suites_hold_what_they_held() {
    holds(&folder("suites_whole"), &WHOLE);
}

/// A small suite of short programs.
const SMALL: &str =
    "name: small\nversion: 2\nparts:\n  - {task: stack, level: 1, items: 6}\n  - {task: fuel, level: 1, items: 4}\n";

#[test]
fn a_suite_that_is_written_out_is_the_same_for_any_number_of_threads() {
    let folder = folder("suite_out");
    std::fs::write(folder.join("small.yaml"), SMALL).expect("the folder is ours");
    let make = |out: &str, threads: &str| {
        let args = ["generate", "--suite", "small.yaml@2", "--seed", "3", "--json", "--out", out, "--threads", threads];
        let mut report = json(&harness(&folder, &args));
        let seconds = report.as_object_mut().and_then(|report| report.remove("seconds"));
        assert!(seconds.is_some() && report["items"] == 10 && report["suite"] == "small@2", "{report}");
        let file = |name: &str| std::fs::read_to_string(folder.join(out).join(name)).expect("it was written");
        (report, file("items.jsonl"), file("dataset.yaml"))
    };
    let one = make("one", "1");
    assert_eq!(one, make("two", "2"));
    let ids = one.1.lines().map(|line| serde_json::from_str::<Value>(line).expect("an item")["id"].clone());
    let ids: Vec<Value> = ids.collect();
    assert_eq!((ids.len(), &ids[0], &ids[9]), (10, &"stack-l1-00000".into(), &"fuel-l1-00003".into()));
    let fingerprint =
        |args: &[&str]| json(&harness(&folder, &[&["suite", "show", "--json"], args].concat()))["fingerprint"].clone();
    assert_eq!(fingerprint(&["small.yaml", "--seed", "3", "--threads", "2"]), one.0["fingerprint"]);
    assert_ne!(fingerprint(&["small.yaml", "--seed", "4"]), one.0["fingerprint"]);
}

#[test]
fn a_policy_is_kept_as_recipes() {
    let folder = folder("suite_recipes");
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/aligned");
    let policy = policy.to_string_lossy();
    let args = ["generate", "--policy", &policy, "--level", "1", "-n", "30", "--format", "recipes", "--out", "made"];
    let output = harness(&folder, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let suite = "name: kept\nversion: 1\nparts:\n  - {preset: stack, level: 1, items: 20, recipes: made/items.jsonl}\n";
    std::fs::write(folder.join("kept.yaml"), suite).expect("the folder is ours");
    let args = ["generate", "--suite", "kept.yaml", "--out", "kept"];
    assert!(harness(&folder, &args).status.success());
    let recipes = std::fs::read_to_string(folder.join("made/items.jsonl")).expect("recipes");
    let items = std::fs::read_to_string(folder.join("kept/items.jsonl")).expect("items");
    assert_eq!((recipes.lines().count(), items.lines().count()), (30, 20));
    let kept = |line: &str| {
        let item: Value = serde_json::from_str(line).expect("an item");
        recipes.lines().any(|recipe| serde_json::from_str::<Value>(recipe).expect("a recipe") == item["recipe"])
    };
    assert!(items.lines().all(kept));
}

#[test]
fn a_suite_that_was_woven_is_kept_and_damage_is_woven_anew() {
    let folder = folder("suite_kept");
    std::fs::write(folder.join("small.yaml"), SMALL).expect("the folder is ours");
    let run = |cache: &str, args: &[&str]| {
        let mut command = command(&folder, args);
        let output = command.env("WASMWEAVER_SUITE_CACHE", folder.join(cache)).output().expect("the binary was built");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        (output, said)
    };
    let made = |cache: &str, seed: &str, out: &str| {
        let (_, said) = run(cache, &["generate", "--suite", "small.yaml", "--seed", seed, "--out", out]);
        (std::fs::read_to_string(folder.join(out).join("items.jsonl")).expect("items"), said)
    };
    let kept = || {
        let files = std::fs::read_dir(folder.join("kept")).expect("it was made");
        let mut files: Vec<_> = files.map(|entry| entry.expect("readable").path()).collect();
        files.sort();
        files
    };
    let (woven, _) = made("kept", "3", "woven");
    let [file] = &kept()[..] else { panic!("{:?}", kept()) };
    assert_eq!(made("kept", "3", "again").0, woven);
    let fingerprint = |args: &[&str]| json(&run("kept", args).0)["fingerprint"].clone();
    let shown = fingerprint(&["suite", "show", "small.yaml", "--seed", "3", "--json"]);
    let asked = ["eval", "--suite", "small.yaml", "--seed", "3", "--model", "sim/oracle", "--json"];
    assert_eq!(fingerprint(&asked), shown);
    assert_eq!(kept().len(), 1, "one seed and selection is one file, whichever verb wove it");
    // Another seed is another file.
    assert_ne!(made("kept", "4", "other").0, woven);
    let files = kept();
    assert_eq!(files.len(), 2);
    let foreign =
        files.iter().find(|other| *other != file).map(|other| std::fs::read_to_string(other).expect("it is there"));
    let foreign = foreign.expect("there are two");

    let text = std::fs::read_to_string(file).expect("it is there");
    let other = text.replacen("i32.add", "i32.sub", 1).replacen("stack-l1-00000", "stack-l1-00009", 1);
    for (at, damaged) in [&other[..], &text[..text.len() / 2], "", "{}\n", &foreign].into_iter().enumerate() {
        std::fs::write(file, damaged).expect("the folder is ours");
        let (items, said) = made("kept", "3", &format!("anew{at}"));
        assert!(items == woven && said.contains("the suite is woven anew"), "{said}");
        assert_eq!(std::fs::read_to_string(file).expect("it is there"), text, "it is whole again");
    }
    // A folder that cannot be written is no error.
    let (items, _) = made("small.yaml", "3", "nowhere");
    assert_eq!(items, woven);
}

fn refused(output: &Output, code: i32, says: &str) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(message.contains(says) && !message.contains("panicked") && output.stdout.is_empty(), "{says}: {message}");
}

#[test]
fn a_secret_seed_is_committed_to_and_revealed() {
    let folder = folder("suite_secret");
    std::fs::write(folder.join("small.yaml"), SMALL).expect("the folder is ours");
    let commit = ["suite", "commit", "--suite", "small.yaml", "--secret", "secret", "--json"];
    let committed = json(&harness(&folder, &commit));
    let hash = committed["commitment"].as_str().expect("a hash");
    assert_eq!((hash.len(), &committed["suite"]), (64, &"small@2".into()));
    let secret = std::fs::read_to_string(folder.join("secret")).expect("it was kept");
    assert!(!hash.contains(secret.trim()));
    refused(&harness(&folder, &commit), 2, "never written over");
    assert_eq!(std::fs::read_to_string(folder.join("secret")).expect("it is there"), secret);

    let reveal = |suite: &str, hash: &str, secret: &str| {
        harness(&folder, &["suite", "reveal", "--suite", suite, "--commitment", hash, "--secret", secret, "--json"])
    };
    let revealed = json(&reveal("small.yaml@2", hash, "secret"));
    assert_eq!(revealed, json(&reveal("small.yaml", hash, secret.trim())));
    let seed = revealed["seed"].to_string();
    let shown = json(&harness(&folder, &["suite", "show", "small.yaml", "--seed", &seed, "--json"]));
    assert_eq!(shown["fingerprint"], revealed["fingerprint"]);

    let first = if secret.starts_with('0') { '1' } else { '0' };
    let other = format!("{first}{}", &secret[1..]);
    refused(&reveal("small.yaml", hash, other.trim()), 1, "does not belong");
    refused(&reveal("small.yaml", &"0".repeat(64), "secret"), 1, "does not belong");
    refused(&reveal("smoke", hash, "secret"), 1, "does not belong");
    refused(&reveal("small.yaml", hash, "nowhere"), 2, "nowhere");
}

#[test]
fn wrong_use_is_refused_in_one_sentence() {
    let folder = folder("suite_wrong");
    std::fs::write(folder.join("bad.yaml"), SMALL.replace("items: 4", "itmes: 4")).expect("the folder is ours");
    for (args, says) in [
        (&["suite", "show", "smoke@2"][..], "ask for smoke@1"),
        (&["suite", "show", "smok"], "did you mean `smoke`"),
        (&["suite", "show", "bad.yaml"], "bad.yaml:5:"),
        (&["generate", "--suite", "smoke", "--level", "2", "--out", "a"], "cannot be used with"),
        (&["generate", "--suite", "nowhere", "--out", "a"], "no such suite"),
    ] {
        refused(&harness(&folder, args), 2, says);
    }
    assert!(!folder.join("a").exists(), "nothing is left half-written");
}
