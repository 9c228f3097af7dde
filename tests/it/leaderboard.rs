//! `harness leaderboard` and the gates as their user meets them.

use crate::command_line::{folder, harness, json};
use serde_json::Value as Json;
use std::path::Path;

/// Evaluates on a few items; returns the run directory.
fn eval(folder: &Path, args: &[&str]) -> String {
    let smoke = ["eval", "--suite", "smoke@1", "--task", "stack", "--task", "fuel", "--log-dir", "runs", "--json"];
    let figures = json(&harness(folder, &[&smoke[..], args].concat()));
    figures["run_dir"].as_str().expect("text").to_owned()
}

fn text(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).expect(file)
}

fn exit(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = harness(folder, args);
    (output.status.code().expect("no signal"), String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

#[test]
fn evaluations_stand_side_by_side() {
    let folder = folder("leaderboard");
    let models = ["sim/oracle", "sim/novice", "sim/noise=0.5", "guess/zero"];
    let models: Vec<&str> = models.iter().flat_map(|model| ["--model", model]).collect();
    eval(&folder, &[&["--seed", "7"], &models[..]].concat());
    let again = eval(&folder, &["--seed", "7", "--model", "sim/novice"]);
    // Other items: a table of their own, with noise.
    eval(&folder, &["--seed", "8", "--limit", "5", "--epochs", "3", "--model", "sim/noise=0.5"]);
    let board = json(&harness(&folder, &["leaderboard", "runs", "--out", "out", "--json"]));
    let boards = board["boards"].as_array().expect("tables");
    let told: Vec<(&Json, &Json, &Json, usize)> = boards
        .iter()
        .map(|board| (&board["seed"], &board["task"], &board["items"], board["rows"].as_array().expect("rows").len()))
        .collect();
    let (stack, fuel) = (Json::from("stack"), Json::from("fuel"));
    let seeds = [7, 8].map(Json::from);
    let items = [10, 5].map(Json::from);
    let expected = [
        (&seeds[0], &stack, &items[0], 5),
        (&seeds[0], &fuel, &items[0], 5),
        (&seeds[1], &stack, &items[1], 1),
        (&seeds[1], &fuel, &items[1], 1),
    ];
    assert_eq!(told, expected);
    // Before them stands every model at every task of the same items.
    let overall = board["overall"].as_array().expect("a matrix each");
    let places =
        |of: &Json| of["rows"].as_array().expect("rows").iter().map(|row| row["place"].clone()).collect::<Vec<_>>();
    assert_eq!(overall.len(), 2);
    assert_eq!(places(&overall[0]).iter().filter(|place| !place.is_null()).count(), 3, "{}", overall[0]);
    assert_eq!(overall[0]["tasks"], serde_json::json!(["stack", "fuel"]));
    assert_eq!(boards[2]["rows"][0]["noise"]["k"], 3);
    assert_eq!(serde_json::from_str::<Json>(&text(&folder, "out/leaderboard.json")).expect("is JSON"), board);
    let csv = text(&folder, "out/leaderboard.csv");
    assert_eq!(csv.lines().count(), 1 + 5 + 5 + 1 + 1);
    // What depends on the clock and the version is not part of the golden file.
    let markdown = text(&folder, "out/leaderboard.md");
    let (tables, commands) = markdown.split_once("\n## Commands\n").expect("commands stand at the end");
    let run = Path::new(&again).file_name().expect("has one").to_str().expect("is text").to_owned();
    let first =
        tables.lines().find_map(|line| line.split_once("sim/novice (").and_then(|(_, rest)| rest.split_once(')')));
    let tables = tables.replace(&run, "RUN-2").replace(first.expect("both rows stand").0, "RUN-1");
    insta::assert_snapshot!(tables);
    assert!(
        commands.contains("harness eval --suite smoke@1 --task stack --task fuel --json --seed 7 --model sim/novice\n")
    );
    let page = text(&folder, "out/index.html");
    assert!(page.contains("default-src 'none'") && page.contains("id=\"item-data\""));
    // An item of the run is explained by the command that the page shows.
    let explained = harness(&folder, &["explain", &again, "--item", "stack-l1-00000"]);
    let said = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(explained.status.success() && said.contains(";;INSPECT") && said.contains("the truth is 0: "), "{said}");
    let (code, said) = exit(&folder, &["explain", &again, "--item", "nothing"]);
    assert!(code == 2 && said.contains("has no item `nothing`"), "{said}");
}

#[test]
fn what_ranks_no_models_is_refused() {
    let folder = folder("leaderboard-refused");
    let attack =
        ["attack", "--strategy", "random", "--query-budget", "60", "--no-baseline", "--log-dir", "runs", "--json"];
    let attack = json(&harness(&folder, &attack))["run_dir"].as_str().expect("text").to_owned();
    let (code, said) = exit(&folder, &["leaderboard", &attack, "--out", "out"]);
    assert!(code == 2 && said.contains("items chosen against one model rank no models"), "{said}");
    let chosen = ["eval", "--items", &attack, "--model", "sim/oracle", "--log-dir", "runs", "--json"];
    let chosen = json(&harness(&folder, &chosen))["run_dir"].as_str().expect("text").to_owned();
    let (code, said) = exit(&folder, &["leaderboard", &chosen, "--out", "out"]);
    assert!(code == 2 && said.contains("were chosen against sim/novice: they rank no models"), "{said}");
    // In a folder they are passed over, with a word; where nothing is left, that is said.
    let (code, said) = exit(&folder, &["leaderboard", "runs", "--out", "out"]);
    assert!(code == 2 && said.matches("left out: ").count() == 2, "{said}");
    assert!(said.ends_with("there is no run of `harness eval` to rank; make one with `harness eval --suite standard`"));
    assert!(!folder.join("out").exists(), "nothing is written where nothing is ranked");
    let (code, said) = exit(&folder, &["leaderboard", "nowhere", "--out", "out"]);
    assert!(code == 2 && said.contains("nowhere"), "{said}");
}

#[test]
fn gates_end_with_their_own_exit_code() {
    let folder = folder("gates");
    let eval = ["eval", "--suite", "smoke@1", "--task", "stack", "--limit", "4", "--model"];
    let gate = |model: &str, least: &str| exit(&folder, &[&eval[..], &[model, "--fail-below", least]].concat());
    assert_eq!(gate("sim/oracle", "1").0, 0);
    let (code, said) = gate("guess/zero", "0.5");
    assert_eq!(code, 100, "{said}");
    assert!(said.ends_with("error: guess/zero (stack) is right on 0.0 %, below 50.0 % (--fail-below 0.5)"), "{said}");
    assert_eq!(gate("sim/oracle", "1.5").0, 2);
    let board = |args: &[&str]| exit(&folder, &[&["leaderboard", "results", "--out", "out"], args].concat());
    // The guesser and the oracle are not ranked, so that there is no figure to hold against the threshold.
    let (code, said) = board(&["--fail-below", "0.5"]);
    assert!(code == 100 && said.ends_with("there is no figure of any ranked model (--fail-below 0.5)"), "{said}");
    assert_eq!(board(&["--fail-below", "0.5", "--model", "sim/oracle"]).0, 0);
    assert_eq!(board(&["--fail-below", "0.5", "--model", "guess/zero"]).0, 100);
    assert_eq!(board(&["--model", "guess/zero"]).0, 2, "a model without a threshold");
    let attack = [
        "attack",
        "--strategy",
        "random",
        "--query-budget",
        "40",
        "--no-baseline",
        "--model",
        "sim/noise=1",
        "--fail-miss-above",
    ];
    let (code, said) = exit(&folder, &[&attack[..], &["0.2"]].concat());
    assert!(code == 100 && said.contains("sim/noise=1 is wrong on ") && said.contains("above 20.0 %"), "{said}");
}
