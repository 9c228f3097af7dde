//! What every verb that prints a table shows at 80 and at 120 columns.
//! `INSTA_UPDATE=always cargo nextest run --test it widths` writes the pictures anew.

use super::command_line::{first_run, folder};
use std::path::Path;
use std::process::Command;

/// What a verb prints where a terminal has so many columns.
fn shown(folder: &Path, args: &str, columns: usize, colour: bool) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(folder).args(args.split_whitespace()).env("COLUMNS", columns.to_string());
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("OPENAI_API_KEY");
    if colour {
        command.env("CLICOLOR_FORCE", "1");
    }
    let output = command.output().expect("the binary was built");
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Without what the clock decides: stamps in names, and seconds.
fn timeless(text: &str) -> String {
    let is_stamp = |word: &str| word.len() == 15 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let mut out = String::new();
    for line in text.lines() {
        let at = (0..line.len()).find(|&at| line.get(at..at + 15).is_some_and(is_stamp));
        let line = at.map_or(line.to_owned(), |at| format!("{}DATE-TIME{}", &line[..at], &line[at + 15..]));
        let timed = ["seconds", " seconds", "latency"].iter().any(|start| line.starts_with(start))
            || line.contains(" a second)");
        if timed {
            out += line.split_whitespace().next().unwrap_or_default();
        } else {
            out += line
                .split_once(" s, in ")
                .or_else(|| line.rsplit_once(" in ").filter(|(_, rest)| rest.ends_with(" s")))
                .map_or(&*line, |(before, _)| before);
        }
        out += "\n";
    }
    // Of two runs that begin in one second the later one has a number.
    out.replace("-seed0-2/", "-seed0/")
}

/// Holds a verb at both widths. Paths are not folded: they are there to be copied.
#[track_caller]
fn check(folder: &Path, name: &str, args: &str) {
    for columns in [80, 120] {
        let text = shown(folder, args, columns, false);
        let is_path = |line: &str| line.contains("results/") || line.contains("board/");
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > columns && !is_path(line)).collect();
        assert_eq!(wide, [""; 0], "{args} at {columns}");
        insta::assert_snapshot!(format!("{name}_{columns}"), timeless(&text));
    }
}

#[test]
fn an_attack_and_what_is_made_of_it() {
    let folder = folder("widths-attack");
    let attack = "attack --model sim/shift-unmasked --strategy evolve --query-budget 400 --seed 1";
    check(&folder, "attack", attack);
    let run = first_run(&folder);
    check(&folder, "report", &format!("report {run}"));
    check(&folder, "shrink", &format!("shrink {run} --best 1"));
}

#[test]
fn an_evaluation_and_what_is_made_of_it() {
    let folder = folder("widths-eval");
    let models = "--model sim/oracle --model sim/novice --model sim/unsigned-as-signed+loops-once --model guess/zero";
    check(&folder, "eval", &format!("eval --suite smoke --task stack --task fuel {models}"));
    check(&folder, "leaderboard", &format!("leaderboard {} --out board", first_run(&folder)));
}

#[test]
fn lists() {
    let folder = folder("widths-lists");
    check(&folder, "models", "models");
    check(&folder, "models_sim", "models sim/");
    check(&folder, "suite_list", "suite list");
    check(&folder, "suite_show", "suite show smoke --limit 4");
    check(&folder, "schema", "schema");
    check(&folder, "schema_memory", "schema memory.init");
    check(&folder, "schema_sections", "schema --sections");
    check(&folder, "verify", "verify -n 40");
    check(&folder, "corpus", "corpus compare reference reference");
    check(&folder, "train", "train --preset tiny --steps 200 --programs 5");
    check(&folder, "bill", "attack --model o3-mini --cost-limit 5 --dry-run");
}

#[test]
fn colours_are_for_who_wants_them() {
    let folder = folder("widths-colours");
    let eval = "eval --suite smoke --task stack --limit 4 --model sim/noise=0.5 --log-dir runs";
    assert!(!shown(&folder, eval, 80, false).contains('\x1b'), "a file wants none");
    let attack = "attack --query-budget 40 --no-baseline --strategy random";
    let (plain, coloured) = (shown(&folder, attack, 80, false), shown(&folder, attack, 80, true));
    assert!(!plain.contains('\x1b') && coloured.contains("\x1b[38;5;36mcorrect "), "{coloured}");
}
