//! Holds that the modules of a room stand on floors: no two know each other, not even in a circle, tests aside.

use super::code::{code_only, without_tests};
use super::files;
use std::collections::{BTreeMap, BTreeSet};

/// For each `room::module`, the modules of the same room that it uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_modules_of_a_room_know_each_other() {
    let files = files(&[".rs"]);
    let uses = uses(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    assert!(!uses.is_empty(), "no rooms: has the project moved?");
    if let Some(circle) = circle(&uses) {
        panic!("these modules know each other: {}; move what they share below both", circle.join(" -> "));
    }
}

fn uses<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Uses {
    let mut uses = Uses::new();
    for (path, text) in files {
        let Some((room, module, depth)) = place(path) else { continue };
        let code = code_only(text);
        // `super` leads to the room from a module of it, `super::super` from a module of that.
        let to_room = ["super::".repeat(depth), format!("crate::{room}::")];
        let names = to_room.iter().flat_map(|way| names_after(without_tests(&code), way));
        let others = names.filter(|name| *name != module).map(|name| format!("{room}::{name}"));
        uses.entry(format!("{room}::{module}")).or_default().extend(others);
    }
    uses
}

/// Room, module and depth below the room of a file: `src/wasm/isa.rs` is at 1, `src/wasm/isa/row.rs` at 2.
fn place(path: &str) -> Option<(&str, &str, usize)> {
    let (room, within) = path.strip_prefix("src/")?.strip_suffix(".rs")?.split_once('/')?;
    let within = within.strip_suffix("/mod").unwrap_or(within);
    let module = within.split('/').next()?;
    // Tests may use what they like; the room itself only lists its modules.
    let counts = module != "mod" && !within.ends_with("/tests");
    counts.then(|| (room, module, within.split('/').count()))
}

/// The names that come directly after a way; after no way that is longer than it.
fn names_after<'a>(code: &'a str, way: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(way).filter_map(move |(at, _)| {
        let after = &code[at + way.len()..];
        let name = &after[..after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len())];
        let whole = !code[..at].ends_with("super::") && name != "super";
        (whole && !name.is_empty() && after[name.len()..].starts_with("::")).then_some(name)
    })
}

/// A circle of modules, first and last the same.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    // What uses nothing that is left can be no part of a circle; what remains in the end leads into one.
    let mut left = uses.clone();
    while let Some(free) = left.iter().find(|(_, used)| !used.iter().any(|name| left.contains_key(name))) {
        let free = free.0.clone();
        left.remove(&free);
    }
    let mut way = vec![left.keys().next()?.clone()];
    loop {
        let here = way.last().expect("starts with one");
        let next = left[here].iter().find(|name| left.contains_key(*name)).expect("uses one that is left").clone();
        if let Some(start) = way.iter().position(|name| *name == next) {
            way.push(next);
            return Some(way.split_off(start));
        }
        way.push(next);
    }
}

#[test]
fn a_planted_circle_is_caught() {
    let check = |files: &[(&'static str, &'static str)]| circle(&uses(files.iter().copied()));
    let found = check(&[
        ("src/wasm/a.rs", "use super::b::X;"),
        ("src/wasm/b/mod.rs", "use super::c::{self, Y};"),
        ("src/wasm/c/deep.rs", "use super::super::a::Z;"),
        ("src/wasm/d.rs", "use crate::wasm::a::Z;"),
    ]);
    assert_eq!(found.expect("a circle"), ["wasm::a", "wasm::b", "wasm::c", "wasm::a"]);
    let twins = check(&[("src/run/a.rs", "crate::run::b::f()"), ("src/run/b.rs", "crate::run::a::f()")]);
    assert_eq!(twins.expect("a circle"), ["run::a", "run::b", "run::a"]);
}

#[test]
fn floors_are_no_circle() {
    let files = [
        ("src/wasm/a.rs", "use super::b::X; use super::X;\n#[cfg(test)]\nuse super::c::Y;"),
        ("src/wasm/a/tests.rs", "use super::super::c::Y;"),
        ("src/wasm/a/inner.rs", "use super::super::b::X; use super::a::Own;"),
        ("src/wasm/b.rs", "// use super::a::X;"),
        ("src/wasm/c.rs", "use crate::wasm::a::X; use crate::seed::a::X;"),
        ("src/wasm/mod.rs", "pub use a::X;"),
    ];
    assert_eq!(circle(&uses(files.into_iter())), None);
}
