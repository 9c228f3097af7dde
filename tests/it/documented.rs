//! Holds the pages of `docs/` against the program: `method.md` has every key that a verb prints or a run keeps, and what
//! `tutorial.md` shows is what comes out. `BLESS=1` writes the tutorial's outputs anew.
//!
//! Not held are `schema`, `explain` and the lists of `models`: they tell of instructions and names, not of results.
//! Whether the commands of the other pages run is held in `commands`.

mod commands;

use super::command_line::{folder, harness, json};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasmweaver::ask::guess::measure::measure;
use wasmweaver::item::source::ItemSource;
use wasmweaver::run::preset::Preset;
use wasmweaver::seed::Seed;

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All keys of a value, at any depth.
fn collect(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            keys.insert(key.clone());
            collect(value, keys);
        }),
        Value::Array(values) => values.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}

/// The run directories that a verb made, and the JSON lines in them.
fn stored(folder: &Path, verb: &str, keys: &mut BTreeSet<String>) -> PathBuf {
    let runs = std::fs::read_dir(folder.join("results")).expect("runs were kept");
    let is_of = |path: &PathBuf| path.to_string_lossy().contains(&format!("-{verb}-"));
    let run = runs.map(|entry| entry.expect("readable").path()).find(is_of).expect("the verb kept a run");
    for entry in std::fs::read_dir(&run).expect("readable") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let lines = read(&path);
            lines.lines().for_each(|line| collect(&serde_json::from_str(line).expect("a JSON line"), keys));
        }
    }
    run
}

/// Runs a verb and adds the keys of what it prints.
fn printed(folder: &Path, args: &str, keys: &mut BTreeSet<String>) {
    let args: Vec<&str> = args.split_whitespace().chain(["--json"]).collect();
    collect(&json(&harness(folder, &args)), keys);
}

/// The keys in `keys` that the page does not have as `key`.
fn missing(keys: &BTreeSet<String>) -> Vec<&str> {
    let text = read(&page("method.md"));
    let codes: BTreeSet<&str> = text.split('`').skip(1).step_by(2).collect();
    // Flags are numbered, not defined one by one.
    keys.iter().map(String::as_str).filter(|key| !codes.contains(key) && !key.starts_with("FLAG_")).collect()
}

#[test]
fn every_figure_of_an_attack_is_defined() {
    let (folder, mut keys) = (folder("method-attack"), BTreeSet::new());
    let asked = "--model sim/shift-unmasked --strategy evolve --seed 1";
    printed(&folder, &format!("attack {asked} --query-budget 400 --shrink 1"), &mut keys);
    printed(&folder, &format!("attack {asked} --shrink 1 --dry-run"), &mut keys);
    let run = stored(&folder, "attack", &mut keys);
    printed(&folder, &format!("report {}", run.display()), &mut keys);
    stored(&folder, "attack", &mut keys);
    assert!(keys.contains("explains") && keys.contains("change"), "the attack found a weakness: {keys:?}");
    printed(&folder, &format!("shrink {} --best 1 --query-budget 5", run.display()), &mut keys);
    assert_eq!(missing(&keys), [""; 0], "docs/method.md says nothing of these keys");
}

#[test]
fn every_figure_of_an_evaluation_is_defined() {
    let (folder, mut keys) = (folder("method-eval"), BTreeSet::new());
    let items = "--suite smoke --limit 8 --model sim/novice --model sim/no-wrap";
    printed(&folder, &format!("eval {items} --dry-run"), &mut keys);
    printed(&folder, &format!("eval {items} --epochs 2"), &mut keys);
    let run = stored(&folder, "eval", &mut keys);
    printed(&folder, &format!("leaderboard {} --out board", run.display()), &mut keys);
    assert!(keys.contains("p_holm") && keys.contains("between_items"), "{keys:?}");
    let table = read(&folder.join("board/leaderboard.csv"));
    keys.extend(table.lines().next().expect("the columns").split(',').map(str::to_owned));
    assert_eq!(missing(&keys), [""; 0], "docs/method.md says nothing of these keys");
}

#[test]
fn every_figure_about_programs_is_defined() {
    let (folder, mut keys) = (folder("method-programs"), BTreeSet::new());
    printed(&folder, "train --preset tiny --steps 200 --programs 5", &mut keys);
    stored(&folder, "train", &mut keys);
    printed(&folder, "verify --count 40", &mut keys);
    printed(&folder, "generate --count 2 --out items", &mut keys);
    printed(&folder, "generate --count 2 --shard 1/2 --out parts/1", &mut keys);
    printed(&folder, "generate --count 2 --shard 2/2 --out parts/2", &mut keys);
    printed(&folder, "merge parts --out whole", &mut keys);
    printed(&folder, "export smoke --limit 1 --to hf --out exported", &mut keys);
    printed(&folder, "suite list", &mut keys);
    printed(&folder, "suite show smoke --task fuel --limit 2", &mut keys);
    let trap = "(module (func (export \"run\") ;;INSPECT\n i32.const 1 ;;INSPECT\n i32.const 0 i32.div_s drop))";
    std::fs::create_dir(folder.join("modules")).expect("our folder");
    std::fs::write(folder.join("modules/trap.wat"), trap).expect("our folder");
    printed(&folder, "corpus compare reference modules", &mut keys);
    let inspected = harness(&folder, &["inspect", "modules/trap.wat", "--json"]);
    collect(&serde_json::from_slice(&inspected.stdout).expect("a JSON object"), &mut keys);
    printed(&folder, "models --probe sim/oracle", &mut keys);
    // What the guessers get right: as `verify --guessers` prints it, without the one that takes long to learn.
    let preset = Preset::shipped("stack").expect("is carried");
    let source: ItemSource = preset.source(&preset.loom().expect("valid settings"));
    let floor = measure(&source.items(Seed::new(1), 10).expect("there are enough"), None).expect("readable");
    collect(&serde_json::to_value(&floor).expect("plain data"), &mut keys);
    assert_eq!(missing(&keys), [""; 0], "docs/method.md says nothing of these keys");
}

/// A line without what the clock decides: stamps of run directories, and seconds.
fn masked(line: &str) -> String {
    let mut text: String = stamps(line, "DATE-TIME");
    if let Some((before, after)) = text.clone().split_once(" in ").filter(|_| text.contains(" s, ")) {
        text = format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'));
    }
    if text.trim_start().starts_with("seconds") { "seconds".into() } else { text }
}

/// With something else in place of each `20260101-120000`.
fn stamps(line: &str, other: &str) -> String {
    let is_stamp = |text: &str| {
        text.len() == 15
            && text.bytes().enumerate().all(|(at, byte)| if at == 8 { byte == b'-' } else { byte.is_ascii_digit() })
    };
    let mut text = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let found = rest.get(..15).is_some_and(is_stamp);
        text += if found { other } else { &rest[..first.len_utf8()] };
        rest = &rest[if found { 15 } else { first.len_utf8() }..];
    }
    text
}

/// What a shell makes of a command line on which `harness` is our binary.
fn shell(folder: &Path, command: &str) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_harness")).parent().expect("it lies in a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path).env("WASMWEAVER_SUITE_CACHE", "off");
    let output = shell.output();
    let output = output.expect("there is a shell");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_tutorial_shows_what_comes_out() {
    let (folder, path) = (folder("tutorial"), page("tutorial.md"));
    let text = read(&path);
    let (mut told, mut block, mut body) = (String::new(), None, String::new());
    for line in text.lines() {
        match (&block, line.strip_prefix("```")) {
            (None, Some(info)) => {
                told += &format!("{line}\n");
                block = Some(info.to_owned());
            }
            (Some(info), Some(_)) => {
                told += &match info.split_once(' ') {
                    Some((_, file)) => {
                        std::fs::write(folder.join(file), &body).expect("our folder");
                        body.clone()
                    }
                    None if info == "console" => {
                        let commands = body.lines().filter_map(|line| Some((line, line.strip_prefix("$ ")?)));
                        let run = |(line, command)| format!("{line}\n{}", shell(&folder, command));
                        commands.map(run).collect()
                    }
                    None => body.clone(),
                };
                told += &format!("{line}\n");
                (block, body) = (None, String::new());
            }
            (None, None) => told += &format!("{line}\n"),
            (Some(_), None) => body += &format!("{line}\n"),
        }
    }
    // Tables end their lines with spaces, which no page should hold.
    let told: String = told.lines().map(|line| format!("{}\n", stamps(line, "20260101-120000").trim_end())).collect();
    let same = |a: &str, b: &str| a.lines().map(masked).eq(b.lines().map(masked));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &told).expect("the page can be written");
    } else if !same(&text, &told) {
        let differs = text.lines().zip(told.lines()).find(|(page, now)| masked(page) != masked(now));
        panic!("docs/tutorial.md is not what comes out (BLESS=1 writes it anew): {differs:#?}");
    }
}
