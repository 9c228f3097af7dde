//! Holds the order of the rooms: a folder of `src` imports only from folders before it, and the big libraries stay in
//! theirs. ARCHITECTURE.md says why.

use super::code::code_only;
use super::{Violation, nothing_found, planted};

/// Each may import from those before it.
const ROOMS: [&str; 14] = [
    "wasm", "weave", "item", "cause", "solver", "ask", "learn", "attack", "diagnose", "run", "report", "export", "job",
    "cli",
];

/// A library, and the paths that may use it.
const LIBRARIES: [(&str, &[&str]); 6] = [
    ("candle_core", &["src/learn", "src/attack/predictor"]),
    ("wasmtime", &["src/wasm/oracle"]),
    ("tokio", &["src/ask", "src/run", "src/job", "src/cli", "src/main.rs"]),
    ("reqwest", &["src/ask"]),
    ("async_openai", &["src/ask"]),
    ("plotters", &["src/report"]),
];

#[test]
fn rooms_know_only_those_before_them() {
    nothing_found(&[".rs"], room_order);
}

#[test]
fn libraries_stay_in_their_rooms() {
    nothing_found(&[".rs"], libraries);
}

fn room_order(path: &str, text: &str) -> Vec<Violation> {
    let Some(room) = room_of(path) else { return Vec::new() };
    let code = code_only(text);
    let too_high = |name: &&str| ROOMS.iter().position(|room| room == name).is_some_and(|other| other > room);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].lines().count().max(1);
        for name in first_names(&code[at + "crate::".len()..]).iter().filter(|name| too_high(name)) {
            let what = format!("`{}` must not know `{name}`, which comes after it", ROOMS[room]);
            found.push(Violation { path: path.into(), line, what });
        }
    }
    found
}

/// The number of the room that the file is in. `seed.rs`, `lib.rs` and `main.rs` are in none.
fn room_of(path: &str) -> Option<usize> {
    let name = path.strip_prefix("src/")?.split(['/', '.']).next()?;
    ROOMS.iter().position(|&room| room == name)
}

/// The first name of each path after `crate::`: one, or those of a group `{a, b::c, d::{e, f}}`.
fn first_names(after: &str) -> Vec<&str> {
    let Some(group) = after.strip_prefix('{') else { return vec![word(after)] };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(word(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(word(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> &str {
    let text = text.trim_start();
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

fn libraries(path: &str, text: &str) -> Vec<Violation> {
    // Tests and benches may use what they measure against.
    if !path.starts_with("src/") {
        return Vec::new();
    }
    let code = code_only(text);
    let mut found = Vec::new();
    for (name, homes) in LIBRARIES {
        let at_home = homes
            .iter()
            .any(|home| path.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.'])));
        for (line, text) in code.lines().enumerate().filter(|(_, text)| !at_home && uses(text, name)) {
            let what = format!("`{name}` is only for {}: `{}`", homes.join(", "), text.trim());
            found.push(Violation { path: path.into(), line: line + 1, what });
        }
    }
    found
}

/// Whether a line of code names the library, as `name::...` or in `use name`.
fn uses(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        // `wasm::wasmtime_version` and `x.tokio` are names of ours.
        let starts = !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.'));
        let used = before.trim_end().ends_with("use") || after.starts_with("::");
        starts && used && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn a_planted_import_is_caught() {
    let check = |path, text| planted(room_order, path, text);
    let expected = vec![(2, "`wasm` must not know `weave`, which comes after it".to_owned())];
    assert_eq!(check("src/wasm/isa.rs", "//! A\nuse crate::weave::env;"), expected);
    assert_eq!(check("src/wasm/mod.rs", "//! A\nfn f() { crate::weave::g() }"), expected);
    assert_eq!(check("src/wasm/a/b.rs", "//! A\nuse crate::{seed::{a, b}, wasm::c, weave};"), expected);
    assert_eq!(check("src/item.rs", "use crate::{\n    cli,\n    weave::{a, cli},\n};").len(), 1);
}

#[test]
fn what_is_allowed_is_not_caught() {
    for (path, text) in [
        ("src/weave/env.rs", "use crate::wasm::isa; use crate::seed::Rng; use crate::weave::mask;"),
        ("src/wasm/isa.rs", "// use crate::weave;\nlet a = \"crate::weave\";"),
        ("src/main.rs", "use crate::cli;"),
        ("tests/it/main.rs", "use crate::cli;"),
    ] {
        assert_eq!(planted(room_order, path, text), [], "{path}");
    }
    for (path, text) in [
        ("src/wasm/oracle.rs", "use wasmtime::Engine;"),
        ("src/wasm/oracle/spill.rs", "use wasmtime::Engine;"),
        ("src/attack/predictor.rs", "use candle_core::Tensor;"),
        ("src/cli/attack.rs", "tokio::spawn(f)"),
        ("src/wasm/isa.rs", "// wasmtime::Engine\nlet wasmtime = self.wasmtime; \"tokio::\""),
        ("benches/b.rs", "use wasmtime::Engine;"),
    ] {
        assert_eq!(planted(libraries, path, text), [], "{path}");
    }
}

#[test]
fn a_planted_library_is_caught() {
    for (path, text) in [
        ("src/wasm/oracle_too.rs", "use wasmtime::Engine;"),
        ("src/weave/env.rs", "fn f() -> candle_core::Tensor {}"),
        ("src/learn/ppo.rs", "use tokio;"),
        ("src/attack/mod.rs", "let x = ::candle_core::Tensor::zeros(y);"),
    ] {
        assert_eq!(planted(libraries, path, text).len(), 1, "{path}");
    }
}
