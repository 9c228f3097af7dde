//! Holds the errors that a person sees, word for word.

use super::super::dir::tests::Scratch;
use super::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read, never looked at")]
struct Preset {
    fuel: Range,
    #[serde(default)]
    finish: bool,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    mask: Vec<String>,
    #[serde(default)]
    share: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read, never looked at")]
struct Range {
    min: u32,
    max: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Stack,
    Result,
}

/// The error for this text, without the folder.
fn error_of(text: &str) -> String {
    let scratch = Scratch::new();
    scratch.file("other.yaml", "fuel: {min: 1, max: 2}");
    let path = scratch.file("p.yaml", text);
    let error = load_yaml::<Preset>(&path).expect_err("has a mistake").to_string();
    error.replace(&format!("{}/", scratch.path().display()), "").replace(&scratch.path().display().to_string(), "DIR")
}

#[test]
fn a_right_file_is_read() {
    let scratch = Scratch::new();
    let path = scratch.file("p.yaml", "fuel:\n  min: 1\n  max: 2\nkind: result\n");
    let preset: Preset = load_yaml(&path).expect("is right");
    assert_eq!((preset.fuel.min, preset.fuel.max), (1, 2));
}

#[test]
fn unknown_keys() {
    insta::assert_snapshot!(error_of("# a\nfule:\n  min: 1\n"), @"");
    insta::assert_snapshot!(error_of("fuel:\n  min: 1\n  max: 2\n  colour: 2\n"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: 1, mux: 2}\n"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nkind: resutl\n"), @"");
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(error_of("fuel:\n  min: much\n  max: 2\n"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: -1, max: 2}"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 5000000000}"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nfinish: 3\n"), @"");
    insta::assert_snapshot!(error_of("fuel: 3\n"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nmask: [i32.add, [x]]\n"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nmask: i32.add\n"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nshare: [\"a, expected b\"]\n"), @"");
    insta::assert_snapshot!(error_of("just words\n"), @"");
}

#[test]
fn missing_and_doubled_keys() {
    insta::assert_snapshot!(error_of("finish: true\n"), @"");
    insta::assert_snapshot!(error_of("fuel:\n  min: 1\n"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: 1, min: 1, max: 2}\n"), @"");
}

#[test]
fn no_yaml_at_all() {
    insta::assert_snapshot!(error_of(""), @"");
    insta::assert_snapshot!(error_of("# only a comment\n"), @"");
    insta::assert_snapshot!(error_of("fuel: {min: 1\nkind: stack\n"), @"");
    insta::assert_snapshot!(error_of("fuel:\n\tmin: 1\n"), @"");
    insta::assert_snapshot!(error_of("fuel: *who\n"), @"");
    insta::assert_snapshot!(error_of("---\nfuel: {min: 1, max: 2}\n---\nfuel: 1\n"), @"");
}

#[test]
fn missing_files() {
    let scratch = Scratch::new();
    let error = |name: &str| {
        let error = YamlFile::read(&scratch.path().join(name)).expect_err("is missing").to_string();
        error.replace(&scratch.path().display().to_string(), "DIR")
    };
    insta::assert_snapshot!(error("stack.yaml"), @"");
    scratch.file("stack.yaml", "");
    scratch.file("full.yml", "");
    scratch.file("notes.md", "");
    insta::assert_snapshot!(error("stak.yaml"), @"");
    insta::assert_snapshot!(error("everything.yaml"), @"");
    insta::assert_snapshot!(error("no/such.yaml"), @"");
    insta::assert_snapshot!(error(""), @"");
    std::fs::write(scratch.path().join("latin.yaml"), [0xe4]).expect("can be written");
    insta::assert_snapshot!(error("latin.yaml"), @"");
}

#[test]
fn mistakes_of_meaning_have_a_line_too() {
    let scratch = Scratch::new();
    let path = scratch.file("p.yaml", "# a\nfuel:\n  min: 60\n  max: 50\nmask: [i32.add, i32.ad]\n");
    let file = YamlFile::read(&path).expect("is there");
    let place = |keys: &[&str]| file.at(keys, "", "").position.map(|at| (at.line, at.column));
    assert_eq!(place(&["fuel", "min"]), Some((3, 3)));
    assert_eq!(place(&["mask", "1"]), Some((5, 17)));
    assert_eq!(place(&["fuel", "target"]), Some((2, 1)), "a default: the nearest key that is written");
    assert_eq!(place(&["bytes", "max"]), Some((2, 1)), "nothing is written: the start");
    let error = ConfigError::at(&path, &["fuel", "min"], "60 is above the maximum 50", "lower it to at most 50");
    let expected = "p.yaml:3:3: `fuel.min`: 60 is above the maximum 50; lower it to at most 50";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_eq!(error, file.at(&["fuel", "min"], "60 is above the maximum 50", "lower it to at most 50"));
}
