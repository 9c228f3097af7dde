//! Runs that do not hold what was written: every reader says so, and gives no figure.

use super::command_line::{folder, harness, json};
use super::keeping::{only, told};
use std::path::Path;

/// A way to damage a run, and what is said of it.
type Damage<'a> = (&'a str, &'a dyn Fn(&Path), &'a str);

fn read(run: &Path, file: &str) -> String {
    std::fs::read_to_string(run.join(file)).expect("it is there")
}

fn write(run: &Path, file: &str, text: &str) {
    std::fs::write(run.join(file), text).expect("can be written");
}

fn edit(run: &Path, file: &str, change: impl Fn(Vec<&str>) -> Vec<&str>) {
    let text = read(run, file);
    write(run, file, &change(text.lines().collect()).into_iter().map(|line| format!("{line}\n")).collect::<String>());
}

fn replace(run: &Path, file: &str, from: &str, to: &str) {
    let text = read(run, file);
    assert!(text.contains(from), "{from} stands in {file}");
    write(run, file, &text.replacen(from, to, 1));
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).expect("can be made");
    for entry in std::fs::read_dir(from).expect("it is there") {
        let path = entry.expect("readable").path();
        std::fs::copy(&path, to.join(path.file_name().expect("has one"))).expect("can be copied");
    }
}

/// The run as versions wrote it that kept neither hashes nor a seal.
pub(super) fn as_before(run: &Path) {
    let manifest = read(run, "manifest.yaml");
    let kept = manifest.find("\nfiles:").map_or(&manifest[..], |end| &manifest[..=end]);
    assert!(!kept.contains("seal:") && kept.len() < manifest.len());
    write(run, "manifest.yaml", kept);
}

/// The same as a kill leaves it.
pub(super) fn as_killed(run: &Path) {
    as_before(run);
    replace(run, "manifest.yaml", "status: complete", "status: running");
}

/// An evaluation of two models, with ten records.
fn evaluation(folder: &Path) {
    let models = ["--model", "sim/oracle", "--model", "sim/novice", "--into", "whole"];
    json(&harness(
        folder,
        &[&["eval", "--suite", "smoke", "--task", "stack", "--limit", "5", "--json"], &models[..]].concat(),
    ));
}

fn first_id(run: &Path) -> String {
    let text = read(run, "records.jsonl");
    let first: serde_json::Value = serde_json::from_str(text.lines().next().expect("one")).expect("a record");
    first["id"].as_str().expect("has one").to_owned()
}

/// Holds every reader against every way to damage a copy of a whole run, and returns what each said.
fn found_by(folder: &Path, (whole, run): (&Path, &Path), damages: &[Damage<'_>], readers: &[&[&str]]) -> Vec<String> {
    let mut all = Vec::new();
    for (name, damage, says) in damages {
        for reader in readers {
            copy(whole, run);
            damage(run);
            let (code, said) = told(harness(folder, reader));
            assert!(code == Some(1) && said.contains(says), "{name}, {reader:?}: {code:?}, not 1: {said}");
            all.push(said);
        }
    }
    all
}

#[test]
fn every_reader_of_an_evaluation_finds_the_damage() {
    let folder = folder("damaged-eval");
    evaluation(&folder);
    let (whole, run) = (folder.join("whole"), folder.join("run"));
    let id = first_id(&whole);
    let readers: [&[&str]; 5] = [
        &["leaderboard", "run", "--out", "board"],
        &["eval", "--resume", "run"],
        &["eval", "--replay", "run"],
        &["export", "run", "--to", "parquet", "--out", "table"],
        &["shrink", "run", "--item", &id, "--model", "sim/novice"],
    ];
    let records = "records.jsonl";
    let damages: [Damage<'_>; 8] = [
        ("emptied", &|run| write(run, records, ""), "records.jsonl: there is no line, and the run wrote 10 lines"),
        (
            "removed",
            &|run| std::fs::remove_file(run.join(records)).expect("is there"),
            "records.jsonl: it is not there",
        ),
        (
            "cut",
            &|run| edit(run, records, |lines| lines[..9].to_vec()),
            "records.jsonl:9: the file ends here, and the run wrote 10",
        ),
        (
            "doubled",
            &|run| edit(run, records, |lines| lines.repeat(2)),
            "records.jsonl:11: the run ended with 10 lines",
        ),
        (
            "repeated",
            &|run| {
                edit(run, records, |mut lines| {
                    lines.insert(3, lines[2]);
                    lines
                })
            },
            "records.jsonl:4: a second record",
        ),
        (
            "a verdict",
            &|run| replace(run, records, "\"verdict\":\"wrong\"", "\"verdict\":\"correct\""),
            "their hash is another one",
        ),
        (
            "a model",
            &|run| replace(run, records, "\"model\":\"sim/novice\"", "\"model\":\"m/x\""),
            "it is of m/x, and the run asked sim/oracle, sim/novice",
        ),
        (
            "a line",
            &|run| {
                edit(run, records, |mut lines| {
                    lines[6] = "{\"schema\":";
                    lines
                })
            },
            "records.jsonl:7: ",
        ),
    ];
    for said in found_by(&folder, (&whole, &run), &damages, &readers) {
        assert!(said.lines().count() == 1 && said.contains("put the file back"), "{said}");
    }
    for reader in
        [&["leaderboard", "run", "--out", "board"][..], &["eval", "--items", "run"], &["eval", "--replay", "run"]]
    {
        copy(&whole, &run);
        edit(&run, "items.jsonl", |lines| lines[1..].to_vec());
        let (code, said) = told(harness(&folder, reader));
        assert!(code == Some(1) && said.contains("items.jsonl:4: the file ends here"), "{reader:?}: {said}");
    }
    for reader in readers {
        copy(&whole, &run);
        replace(&run, "manifest.yaml", "name: sim/novice", "name: m/better");
        let (code, said) = told(harness(&folder, reader));
        assert!(code == Some(1) && said.contains("manifest.yaml: it was changed"), "{reader:?}: {said}");
    }
}

#[test]
fn every_reader_of_an_attack_finds_the_damage() {
    let folder = folder("damaged-attack");
    json(&harness(&folder, &["attack", "--strategy", "random", "--query-budget", "40", "--no-baseline", "--json"]));
    let (whole, run) = (only(&folder.join("results")), folder.join("run"));
    let readers: [&[&str]; 7] = [
        &["report", "run"],
        &["report", "whole", "--against", "run"],
        &["attack", "--resume", "run"],
        &["attack", "--strategy", "matched", "--like", "run", "--query-budget", "5"],
        &["shrink", "run", "--best", "1"],
        &["export", "run", "--to", "parquet", "--out", "table"],
        &["eval", "--items", "run"],
    ];
    copy(&whole, &folder.join("whole"));
    let damages: [Damage<'_>; 3] = [
        (
            "cut",
            &|run| edit(run, "records.jsonl", |lines| lines[..30].to_vec()),
            "records.jsonl:30: the file ends here",
        ),
        (
            "a verdict",
            &|run| replace(run, "records.jsonl", "\"verdict\":\"correct\"", "\"verdict\":\"wrong\""),
            "their hash is another one",
        ),
        ("the model", &|run| replace(run, "manifest.yaml", "name: sim/novice", "name: m/better"), "it was changed"),
    ];
    found_by(&folder, (&whole, &run), &damages, &readers);
    // Runs of before tell by their timings.
    copy(&whole, &run);
    as_before(&run);
    edit(&run, "records.jsonl", |lines| lines[..30].to_vec());
    let (code, said) = told(harness(&folder, &["report", "run"]));
    assert!(code == Some(1) && said.contains("timings.jsonl has 40 lines"), "{said}");
}

#[test]
fn runs_of_before_are_read_and_held_against_what_is_known() {
    let folder = folder("runs-of-before");
    evaluation(&folder);
    let (whole, run) = (folder.join("whole"), folder.join("run"));
    let board = || told(harness(&folder, &["leaderboard", "run", "--out", "board", "--json"]));
    copy(&whole, &run);
    let (_, before) = board();
    as_before(&run);
    let (code, same) = board();
    assert_eq!((code, &same), (Some(0), &before));
    // An edited verdict ranks no model.
    replace(&run, "records.jsonl", "\"verdict\":\"wrong\"", "\"verdict\":\"correct\"");
    let (code, judged) = board();
    assert!(code == Some(0) && judged.contains("1 stored verdicts of sim/novice"), "{judged}");
    let accuracy = |text: &str| -> Vec<String> {
        let board: serde_json::Value = serde_json::from_str(text.lines().next().expect("one object")).expect("JSON");
        board["boards"][0]["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["accuracy_strict"].to_string())
            .collect()
    };
    assert_eq!(accuracy(&judged), accuracy(&before));
    // Nor does the answer to another question.
    copy(&whole, &run);
    as_before(&run);
    replace(
        &run,
        "records.jsonl",
        "\"truth\":{\"stack_values\":[",
        "\"truth\":{\"stack_values\":[{\"type\":\"i32\",\"value\":\"1\"},",
    );
    let (code, said) = board();
    assert!(code == Some(1) && said.contains("is not item"), "{said}");
    for (damage, says) in [
        (
            &(|lines: Vec<&'static str>| lines[..9].to_vec()) as &dyn Fn(Vec<&'static str>) -> Vec<&'static str>,
            "complete with 10 records",
        ),
        (&|lines| lines.repeat(2), "records.jsonl:11: a second record of"),
    ] {
        copy(&whole, &run);
        as_before(&run);
        let text: &'static str = read(&run, "records.jsonl").leak();
        write(&run, "records.jsonl", &(damage(text.lines().collect()).join("\n") + "\n"));
        let (code, said) = board();
        assert!(code == Some(1) && said.contains(says), "{said}");
    }
}
