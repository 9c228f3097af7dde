//! Holds what every file keeps to, wherever it stands: its head, its size, and what it may not hold.

use super::code::{code_only, without_tests};
use super::{Rule, Violation, nothing_found, planted};

/// Longest file, lines, tests included.
const MOST_LINES: usize = 450;

/// Tables: as long as what they list.
const TABLES: [&str; 1] = ["src/wasm/isa.rs"];

#[test]
fn every_module_says_what_it_is() {
    nothing_found(&[".rs"], opens_with_docs);
}

#[test]
fn files_can_be_read_in_one_sitting() {
    nothing_found(&[".rs"], size);
}

#[test]
fn nothing_unfinished_is_left() {
    nothing_found(&[".rs"], unfinished);
}

#[test]
fn nothing_unwraps() {
    nothing_found(&[".rs"], unwraps);
}

#[test]
fn rooms_only_list() {
    nothing_found(&[".rs"], listing);
}

#[test]
fn no_path_of_one_machine_is_left() {
    nothing_found(&[".rs", ".md", ".yaml", ".yml", ".toml", ".json", ".jsonl", ".ci/run"], machine_paths);
}

fn opens_with_docs(path: &str, text: &str) -> Vec<Violation> {
    // What `a/tests.rs` tests is said at the head of `a.rs`.
    let opens = text.starts_with("//!") || path.ends_with("/tests.rs");
    let what = "opens without `//!`: say what it owns, what it must not know, and why".into();
    if opens { Vec::new() } else { vec![Violation { path: path.into(), line: 1, what }] }
}

fn size(path: &str, text: &str) -> Vec<Violation> {
    let lines = text.lines().count();
    if lines <= MOST_LINES || TABLES.contains(&path) {
        return Vec::new();
    }
    let what = format!("{lines} lines, of at most {MOST_LINES}: cut it where its parts know least of each other");
    vec![Violation { path: path.into(), line: 0, what }]
}

fn unfinished(path: &str, text: &str) -> Vec<Violation> {
    lines_with(path, &code_only(text), &["dbg!", "todo!", "unimplemented!"], "is not for code that is kept")
}

fn unwraps(path: &str, text: &str) -> Vec<Violation> {
    let is_test = path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/");
    if is_test {
        return Vec::new();
    }
    let code = code_only(text);
    let why = "hides why it cannot fail: return an error, or say why with `.expect(...)`";
    lines_with(path, &without_tests(&code), &[".unwrap()"], why)
}

fn machine_paths(path: &str, text: &str) -> Vec<Violation> {
    // Put together, so that this file does not hold what it forbids.
    let homes = ["home", "root", "Users", "work"].map(|name| format!("/{name}/"));
    let starts_path = |c: char| c.is_whitespace() || "\"'`=(:".contains(c);
    let starts = |line: &str, home: &str| {
        let before = |at: usize| line[..at].chars().next_back();
        // A path starts behind a space or quote; `https://site/home/` and `a/root/b` go on with something else.
        line.match_indices(home).any(|(at, _)| before(at).is_none_or(starts_path))
    };
    let found = |line: &str| homes.iter().find(|home| starts(line, home));
    let lines = text.lines().enumerate().filter_map(|(number, line)| Some((number + 1, found(line)?)));
    let what = |home: &String| format!("`{home}...` is on one machine only");
    lines.map(|(line, home)| Violation { path: path.into(), line, what: what(home) }).collect()
}

/// What stands in the room itself would know all its modules, and they it.
fn listing(path: &str, text: &str) -> Vec<Violation> {
    let is_room = path.strip_prefix("src/").and_then(|within| within.strip_suffix("/mod.rs"));
    if is_room.is_none_or(|room| room.contains('/')) {
        return Vec::new();
    }
    let code = without_tests(&code_only(text));
    let mut rest = code.trim_start();
    while !rest.is_empty() {
        let end = if rest.starts_with("#") { rest.find(']') } else { rest.find(';') };
        let (item, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        let visible = item.strip_prefix("pub").map_or(item, |item| item.strip_prefix("(crate)").unwrap_or(item));
        let module = visible.trim_start().strip_prefix("mod ").is_some_and(|name| !name.contains('{'));
        let lists = item.starts_with('#') || module || (visible != item && visible.starts_with(" use "));
        if !lists {
            let before = code[..code.len() - rest.len()].matches('\n').count();
            let what = text.lines().nth(before).unwrap_or("").trim();
            let (line, what) =
                (before + 1, format!("`{what}` is no `mod` or `pub use`: move it to a module of the room"));
            return vec![Violation { path: path.into(), line, what }];
        }
        rest = after.trim_start();
    }
    Vec::new()
}

fn lines_with(path: &str, code: &str, forbidden: &[&str], why: &str) -> Vec<Violation> {
    let found = |line: &str| forbidden.iter().copied().find(|word| line.contains(word));
    let lines = code.lines().enumerate().filter_map(|(number, line)| Some((number + 1, found(line)?)));
    lines.map(|(line, word)| Violation { path: path.into(), line, what: format!("`{word}` {why}") }).collect()
}

#[test]
fn planted_violations_are_caught() {
    fn caught(rule: Rule, path: &str, text: &str) -> Vec<usize> {
        planted(rule, path, text).into_iter().map(|(line, _)| line).collect()
    }
    assert_eq!(caught(opens_with_docs, "src/a.rs", "use b;\n//! A\n"), [1]);
    assert_eq!(caught(size, "src/a.rs", &"\n".repeat(451)), [0]);
    assert_eq!(caught(unfinished, "tests/it/a.rs", "a\n  todo!()\ndbg!(x)"), [2, 3]);
    assert_eq!(caught(unwraps, "src/a.rs", "f()\n    .unwrap()\n#[cfg(test)]\nfn t() { x.unwrap() }"), [2]);
    let room = "//! A\n#[doc(hidden)]\npub mod a;\npub(crate) use a::{B,\nC};\n\npub const D: u8 = 1;\nmod e;";
    assert_eq!(caught(listing, "src/wasm/mod.rs", room), [7]);
    assert_eq!(caught(listing, "src/wasm/mod.rs", "mod a { fn f() {} }\nuse a::f;"), [1]);
    assert_eq!(caught(listing, "src/wasm/mod.rs", "mod a;\nuse a::f;"), [2]);
    let home = format!("see {}me/x\nand `{}oot/`", "/ho", "/r");
    assert_eq!(caught(machine_paths, "README.md", &home), [1, 2]);
}

#[test]
fn what_is_allowed_is_not_caught() {
    let none: [(usize, String); 0] = [];
    assert_eq!(planted(opens_with_docs, "src/a.rs", "//! A\n"), none);
    assert_eq!(planted(size, "src/a.rs", &"\n".repeat(450)), none);
    assert_eq!(planted(size, TABLES[0], &"\n".repeat(4500)), none);
    assert_eq!(planted(unfinished, "src/a.rs", "// todo!()\n\"dbg!\""), none);
    assert_eq!(planted(unwraps, "src/a.rs", "x.unwrap_or(1); // .unwrap()"), none);
    assert_eq!(planted(unwraps, "src/a/tests.rs", "x.unwrap()"), none);
    let list = "//! A\npub mod a;\nmod b;\npub use a::X;\npub(crate) use b::{Y, Z};\n#[cfg(test)]\nmod tests;\n";
    assert_eq!(planted(listing, "src/wasm/mod.rs", list), none);
    assert_eq!(planted(listing, "src/wasm/numeric/mod.rs", "fn f() {}"), none);
    let elsewhere = format!("https://site{}me/x and src{}oot/y", "/ho", "/r");
    assert_eq!(planted(machine_paths, "README.md", &elsewhere), none);
}
