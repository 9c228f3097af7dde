//! `harness report` as its user meets it: does it name what a model fails on?

use crate::command_line::{folder, harness, json};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

/// Attacks by chance, which is quick, and reports.
fn report(folder: &Path, model: &str, queries: &str) -> (PathBuf, Json) {
    let attack = ["attack", "--preset", "broad", "--strategy", "random", "--no-baseline", "--json"];
    let figures = json(&harness(folder, &[&attack[..], &["--model", model, "--query-budget", queries]].concat()));
    let run = figures["run_dir"].as_str().expect("text");
    (folder.join(run), json(&harness(folder, &["report", run, "--json"])))
}

fn claims(report: &Json) -> Vec<&str> {
    let claims = report["weaknesses"]["claims"].as_array().expect("claims");
    claims.iter().map(|claim| claim["what"].as_str().expect("text")).collect()
}

#[test]
fn the_weakness_of_a_solver_is_named_and_cured() {
    let folder = folder("report");
    for (model, named) in [("sim/unsigned-as-signed", "unsigned"), ("sim/zero-extended", "sign extensions")] {
        let (run, report) = report(&folder, model, "700");
        let claims = claims(&report);
        assert!(claims.first().is_some_and(|claim| claim.contains(named)), "{model}: {claims:?}");
        let cure = &report["cures"][0];
        let share =
            |role: &str| cure[role]["hits"].as_f64().expect("a number") / cure[role]["of"].as_f64().expect("some");
        assert!(share("suspect") > 0.8 && share("control") < 0.3, "{model}: {cure}");
        let page = std::fs::read_to_string(run.join("report.html")).expect("is there");
        assert!(page.contains(claims[0]) && page.contains("Minimal pairs"), "{model}");
        // What was asked is not asked again.
        let pairs = || std::fs::read_to_string(run.join("pairs.jsonl")).expect("is there");
        let before = pairs();
        json(&harness(&folder, &["report", run.to_str().expect("text"), "--json"]));
        assert_eq!(pairs(), before);
    }
}

#[test]
fn who_makes_no_mistake_or_only_slips_has_no_weakness() {
    let folder = folder("report-none");
    for model in ["sim/oracle", "sim/oracle+noise=0.3"] {
        let (run, report) = report(&folder, model, "500");
        assert_eq!(claims(&report), Vec::<&str>::new(), "{model}");
        assert!(run.join("report.html").exists() && !run.join("pairs.jsonl").exists());
    }
}

#[test]
fn what_is_no_attack_is_refused() {
    let folder = folder("report-refused");
    let refused = |args: &[&str]| {
        let output = harness(&folder, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(refused(&["report", "nowhere"]).contains("manifest.yaml"));
    let eval = ["eval", "--suite", "smoke@1", "--limit", "2", "--model", "sim/oracle", "--json"];
    let figures = json(&harness(&folder, &eval));
    let told = refused(&["report", figures["run_dir"].as_str().expect("text")]);
    assert!(told.contains("a run of `harness eval`") && told.contains("harness leaderboard"), "{told}");
}
