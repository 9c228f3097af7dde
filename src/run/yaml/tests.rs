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
    insta::assert_snapshot!(error_of("# a\nfule:\n  min: 1\n"), @"p.yaml:2:1: there is no key `fule`; did you mean `fuel`? (known here: fuel, finish, kind, mask, share)");
    insta::assert_snapshot!(error_of("fuel:\n  min: 1\n  max: 2\n  colour: 2\n"), @"p.yaml:4:3: `fuel`: there is no key `colour`; take it out or use another (known here: min, max)");
    insta::assert_snapshot!(error_of("fuel: {min: 1, mux: 2}\n"), @"p.yaml:1:16: `fuel`: there is no key `mux`; did you mean `max`? (known here: min, max)");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nkind: resutl\n"), @"p.yaml:2:7: `kind`: there is no value `resutl`; did you mean `result`? (known here: stack, result)");
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(error_of("fuel:\n  min: much\n  max: 2\n"), @r#"p.yaml:2:8: `fuel.min`: the value is string "much"; write a whole number that is not negative and not too large"#);
    insta::assert_snapshot!(error_of("fuel: {min: -1, max: 2}"), @"p.yaml:1:13: `fuel.min`: the value is integer `-1`; write a whole number that is not negative and not too large");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 5000000000}"), @"p.yaml:1:21: `fuel.max`: the value is integer `5000000000`; write a whole number that is not negative and not too large");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nfinish: 3\n"), @"p.yaml:2:9: `finish`: the value is integer `3`; write true or false");
    insta::assert_snapshot!(error_of("fuel: 3\n"), @"p.yaml:1:7: `fuel`: the value is integer `3`; write keys and values: a line `key: value` for each");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nmask: [i32.add, [x]]\n"), @"p.yaml:2:17: `mask[1]`: the value is a list; write a text; put it in quotes if it looks like a number");
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nmask: i32.add\n"), @r#"p.yaml:2:7: `mask`: the value is string "i32.add"; write a list: `[a, b]`, or a line `- a` for each"#);
    insta::assert_snapshot!(error_of("fuel: {min: 1, max: 2}\nshare: [\"a, expected b\"]\n"), @"p.yaml:2:8: `share`: the value is a list; write a number");
    insta::assert_snapshot!(error_of("fuel:\n  min:\n  max: 2\n"), @"p.yaml:2:7: `fuel.min`: the value is missing; write a whole number that is not negative and not too large");
    insta::assert_snapshot!(error_of("just words\n"), @r#"p.yaml:1:1: the value is string "just words"; write keys and values: a line `key: value` for each"#);
}

#[test]
fn missing_and_doubled_keys() {
    insta::assert_snapshot!(error_of("finish: true\n"), @"p.yaml:1:1: the key `fuel` is missing; add a line `fuel: ...` here");
    insta::assert_snapshot!(error_of("fuel:\n  min: 1\n"), @"p.yaml:2:3: `fuel`: the key `max` is missing; add a line `max: ...` here");
    insta::assert_snapshot!(error_of("fuel: {min: 1, min: 1, max: 2}\n"), @"p.yaml:1:7: `fuel`: the key `min` is there twice; take one of them out");
}

#[test]
fn no_yaml_at_all() {
    insta::assert_snapshot!(error_of(""), @"p.yaml: the file is empty; write settings into it, or copy another file; in DIR there are other.yaml");
    insta::assert_snapshot!(error_of("# only a comment\n"), @"p.yaml: the file is empty; write settings into it, or copy another file; in DIR there are other.yaml");
    insta::assert_snapshot!(error_of("fuel: {min: 1\nkind: stack\n"), @r#"p.yaml:1:13: `fuel.min`: the value is string "1 kind"; write a whole number that is not negative and not too large"#);
    insta::assert_snapshot!(error_of("fuel:\n\tmin: 1\n"), @"p.yaml:2:1: this is not YAML: found character that cannot start any token; mend the line: indent with spaces, put a space behind each `:`, close what is opened");
    insta::assert_snapshot!(error_of("fuel: *who\n"), @"p.yaml:1:7: unknown anchor; change the value here");
    insta::assert_snapshot!(error_of("---\nfuel: {min: 1, max: 2}\n---\nfuel: 1\n"), @"p.yaml: deserializing from YAML containing more than one document is not supported; keep one part, without `---` lines");
}

#[test]
fn missing_files() {
    let scratch = Scratch::new();
    let error = |name: &str| {
        let error = YamlFile::read(&scratch.path().join(name)).expect_err("is missing").to_string();
        error.replace(&scratch.path().display().to_string(), "DIR")
    };
    insta::assert_snapshot!(error("stack.yaml"), @"DIR/stack.yaml: there is no such file; there are no YAML files in DIR");
    scratch.file("stack.yaml", "");
    scratch.file("full.yml", "");
    scratch.file("notes.md", "");
    insta::assert_snapshot!(error("stak.yaml"), @"DIR/stak.yaml: there is no such file; did you mean `DIR/stack.yaml`? in DIR there are full.yml, stack.yaml");
    insta::assert_snapshot!(error("everything.yaml"), @"DIR/everything.yaml: there is no such file; in DIR there are full.yml, stack.yaml");
    insta::assert_snapshot!(error("no/such.yaml"), @"DIR/no/such.yaml: there is no such file; there is no folder DIR/no either");
    insta::assert_snapshot!(error(""), @"DIR/: is a directory; name a file; in DIR there are full.yml, stack.yaml");
    std::fs::write(scratch.path().join("latin.yaml"), [0xe4]).expect("can be written");
    insta::assert_snapshot!(error("latin.yaml"), @"DIR/latin.yaml: is not UTF-8 text; save it as UTF-8, or name another file");
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
    assert_eq!(file.at(&["mask", "1", "op"], "x", "y").what, "`mask[1].op`: x");
    let error = ConfigError::at(&path, &["fuel", "min"], "60 is above the maximum 50", "lower it to at most 50");
    let expected = "p.yaml:3:3: `fuel.min`: 60 is above the maximum 50; lower it to at most 50";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_eq!(error, file.at(&["fuel", "min"], "60 is above the maximum 50", "lower it to at most 50"));
}
