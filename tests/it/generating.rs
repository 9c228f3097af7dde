//! The verb `generate`: data sets that repeat byte for byte, and whose labels `inspect` finds again.

use super::command_line::{folder, harness, json};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// All files below a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("it has one").to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else {
            found.insert(name, std::fs::read_to_string(&path).expect("text"));
        }
    }
    found
}

#[test]
fn a_data_set_is_the_same_for_any_number_of_threads_and_its_sides_share_nothing() {
    let folder = folder("generate");
    let make = |out: &str, threads: &str| {
        let args = ["generate", "-n", "400", "--seed", "5", "--split", "train=0.8,test=0.2", "--json"];
        let args = [&args[..], &["--out", out, "--threads", threads]].concat();
        let report = json(&harness(&folder, &args));
        assert_eq!((&report["items"], &report["complete"]), (&400.into(), &true.into()), "{report}");
        files(&folder.join(out))
    };
    let set = make("one", "1");
    assert_eq!(set.keys().collect::<Vec<_>>(), ["dataset.yaml", "test.jsonl", "train.jsonl"]);
    assert!(set == make("three", "3"), "the files differ");
    let forms = |side: &str| -> BTreeSet<String> {
        let item = |line: &str| serde_json::from_str::<Value>(line).expect("an item")["canonical"].to_string();
        set[side].lines().map(item).collect()
    };
    let (train, test) = (forms("train.jsonl"), forms("test.jsonl"));
    assert!(train.is_disjoint(&test) && train.len() + test.len() == 400, "{} and {}", train.len(), test.len());
    assert!((50..110).contains(&test.len()), "{}", test.len());
}

#[test]
fn inspect_finds_the_labels_of_each_task_again() {
    let folder = folder("generate_tasks");
    for task in ["stack", "reachability", "result", "fuel"] {
        let args = ["generate", "--task", task, "-n", "2", "--level", "2", "--format", "wat", "--out", task];
        let output = harness(&folder, &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let set = files(&folder.join(task));
        let metas: Vec<&String> = set.keys().filter(|name| name.ends_with(".meta")).collect();
        assert_eq!((metas.len(), set.len()), (2, 5), "{set:?}");
        for name in metas {
            let meta: Value = serde_json::from_str(&set[name]).expect("JSON");
            let text = &set[&name.replace(".meta", ".wat")];
            let hit = text.split_once(";;INSPECT hit ").map_or("1", |(_, rest)| rest.lines().next().unwrap_or("1"));
            let path = format!("{task}/{}", name.replace(".meta", ".wat"));
            let told = json(&harness(&folder, &["inspect", &path, "--hit", hit, "--json"]));
            assert_eq!(told["fuel"], meta["fuel"], "{text}");
            let key = match task {
                "stack" => "stack_values",
                "reachability" => "flag_states",
                _ => "return_values",
            };
            if task != "fuel" {
                assert_eq!(told[key], meta[key], "{text}");
            }
        }
    }
}

#[test]
fn wrong_use_is_refused_in_one_sentence() {
    let folder = folder("generate_wrong");
    std::fs::write(folder.join("taken"), "").expect("the folder is ours");
    std::fs::create_dir(folder.join("full")).expect("the folder is ours");
    std::fs::write(folder.join("full/file"), "").expect("the folder is ours");
    for (args, code, why) in [
        (&["--out", "full"][..], 2, "is not empty"),
        (&["--out", "a", "--split", "train=0.9"], 2, "add up to 0.9"),
        (&["--out", "a", "--preset", "nope"], 2, "nope.yaml"),
        (&["--out", "a", "--level", "6"], 2, "not in 1..=5"),
        (&["--out", "taken/a"], 2, "cannot make the directory taken/a"),
    ] {
        let output = harness(&folder, &[&["generate", "-n", "1"], args].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
    }
}
