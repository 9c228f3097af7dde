//! Does the report name what a model fails on? Attacks each simulated solver with a single misconception, one that makes no
//! mistake and some that only slip, at the default budget, reports, and holds the first weakness against what is known of
//! the solver: `cargo bench --bench weaknesses`. Writes results/weaknesses/README.md. `-- --seed N` sets the seed (default
//! 0), `-- --runs DIR` where the runs are kept (default: a folder of the target directory).

#![allow(clippy::print_stdout)] // A bench prints what it measures.

use serde_json::Value as Json;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasmweaver::ask::solver::misconception::TABLE;

/// The preset: the default one has neither memory nor `br_table` nor long loops, on which several solvers fail.
const PRESET: &str = "broad";
/// Words of which the first weakness must have one, for each misconception: its instructions, or its construct.
const WORDS: [(&str, &[&str]); 20] = [
    ("no-wrap", &["wraps around"]),
    ("unsigned-as-signed", &["unsigned"]),
    ("shift-unmasked", &["shift", "rotation", "rot"]),
    ("f32-as-f64", &["f32"]),
    ("loops-once", &["loop", "repeated iteration"]),
    ("zero-extended", &["sign extension", "extend"]),
    ("min-max-nan", &["minima and maxima"]),
    ("select-swapped", &["select"]),
    ("table-default", &["br_table"]),
    ("args-reversed", &["several arguments of one type"]),
    ("shr-arithmetic", &["shr_u", "unsigned shifts to the right"]),
    ("half-away", &["nearest"]),
    ("zero-unsigned", &["minima", "maxima", "copysign"]),
    ("loads-unextended", &["narrow signed loads", "load8_s", "load16_s", "load32_s"]),
    ("label-off-by-one", &["branches out of more than one block"]),
    ("loops-capped", &["loop", "repeated iteration"]),
    ("return-ignored", &["return"]),
    ("locals-kept", &["declared locals"]),
    ("stack-forgotten", &["operands on the stack"]),
    ("big-endian", &["load", "store"]),
];
/// Solvers that nothing may be said of.
const NONE: [&str; 4] = ["oracle", "oracle+noise=0.05", "oracle+noise=0.2", "oracle+noise=0.5"];

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |flag: &str| args.iter().position(|arg| arg == flag).and_then(|at| args.get(at + 1)).cloned();
    let seed = value("--seed").unwrap_or("0".into());
    let runs = value("--runs").map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("weaknesses"), PathBuf::from);
    let mut rows = String::new();
    let (mut named, mut silent) = (0, 0);
    for row in &TABLE {
        let (_, words) = WORDS.iter().find(|(name, _)| *name == row.name).expect("every misconception has its words");
        let (figures, report) = attacked(row.name, &seed, &runs);
        let claims = report["weaknesses"]["claims"].as_array().expect("claims");
        let first = claims.first().and_then(|claim| claim["what"].as_str()).unwrap_or("none");
        let is_named = words.iter().any(|word| first.contains(word));
        named += u32::from(is_named);
        rows += &told(row.name, &figures, &report, first, if is_named { "yes" } else { "**no**" });
    }
    for name in NONE {
        let (figures, report) = attacked(name, &seed, &runs);
        let claims = report["weaknesses"]["claims"].as_array().expect("claims");
        let first = claims.first().and_then(|claim| claim["what"].as_str()).unwrap_or("none");
        silent += u32::from(claims.is_empty());
        rows += &told(name, &figures, &report, first, if claims.is_empty() { "yes" } else { "**no**" });
    }
    let text = page(named, silent, &rows, &seed);
    println!("{text}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/weaknesses");
    std::fs::create_dir_all(&folder).expect("the project can be written");
    std::fs::write(folder.join("README.md"), text).expect("the project can be written");
}

/// The figures of an attack at the default budget, and its report.
fn attacked(solver: &str, seed: &str, runs: &Path) -> (Json, Json) {
    let (model, runs) = (format!("sim/{solver}"), runs.to_string_lossy());
    let figures =
        harness(&["attack", "--preset", PRESET, "--model", &model, "--seed", seed, "--log-dir", &runs, "--json"]);
    let run = figures["run_dir"].as_str().expect("text").to_owned();
    let report = harness(&["report", &run, "--json"]);
    println!("{solver}: {} ({})", report["weaknesses"]["claims"][0]["what"], figures["seconds"]);
    (figures, report)
}

fn harness(args: &[&str]) -> Json {
    let output = Command::new(env!("CARGO_BIN_EXE_harness")).args(args).output().expect("it was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// A row of the table.
fn told(solver: &str, figures: &Json, report: &Json, first: &str, right: &str) -> String {
    let claims = &report["weaknesses"]["claims"];
    let share = |share: &Json| match (share["hits"].as_f64(), share["of"].as_f64()) {
        (Some(hits), Some(of)) if of > 0.0 => format!("{:.0} %", 100.0 * hits / of),
        _ => String::new(),
    };
    let claim = &claims[0];
    let others = claims.as_array().map_or(0, |claims| claims.len().saturating_sub(1));
    let cure = &report["cures"][0];
    format!(
        "| `sim/{solver}` | {} of {} | {first} | {} | {} | {} | {} | {} | {others} | {right} |\n",
        figures["misses"],
        figures["replies"],
        share(&claim["with"]),
        share(&claim["without"]),
        share(&claim["explains"]),
        share(&cure["suspect"]),
        share(&cure["control"]),
    )
}

fn page(named: u32, silent: u32, rows: &str, seed: &str) -> String {
    let mut text = String::new();
    let total = TABLE.len();
    let _ = writeln!(
        text,
        "# Does the report name what a model fails on?\n\n\
         Of {total} solvers with a single misconception the first weakness is the misconception's instructions or construct \
         in **{named}**; of {} that make no mistake or only slip, **{silent}** have no weakness. Each was attacked with 2,000 \
         queries (the default budget), preset `{PRESET}`, seed {seed}, and reported on, by `cargo bench --bench weaknesses`.\n\n\
         Missed and elsewhere: misses among the questions with that fact and among the others, all of them questions that \
         had no part in finding it. Explains: of all misses there, the share that has it. Cured and control: misses gone when \
         the suspected instruction is swapped for a neighbour, and when another one is swapped instead. Others: further \
         claims that held.\n\n\
         | solver | misses | first weakness | missed | elsewhere | explains | cured | control | others | right |\n\
         |---|---|---|---|---|---|---|---|---|---|",
        NONE.len()
    );
    text + rows
}
