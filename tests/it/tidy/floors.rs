//! Holds that modules stand on floors: wherever a folder lists modules, no two of them know each other, not even in a
//! circle, tests aside. A module and those inside it may.

use super::code::{code_only, without_tests};
use super::files;
use super::names::{Path, paths};
use std::collections::{BTreeMap, BTreeSet};

/// For each module, by its full name, those beside it that it uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_modules_know_each_other() {
    let files = files(&[".rs"]);
    let uses = uses(&files);
    assert!(!uses.is_empty(), "no modules: has the project moved?");
    let circles: Vec<String> = circles(uses).into_iter().map(|circle| circle.join(" -> ")).collect();
    assert!(
        circles.is_empty(),
        "these modules know each other; move what they share below both:\n{}",
        circles.join("\n")
    );
}

/// The modules of the project, and what their code says without its tests.
struct Modules {
    known: BTreeSet<Vec<String>>,
    code: BTreeMap<Vec<String>, String>,
    /// For each module, the names that its `use` declarations bring, and whose they are.
    imports: BTreeMap<Vec<String>, BTreeMap<String, Path>>,
}

impl Modules {
    fn new(files: &[(String, String)]) -> Self {
        let modules = files.iter().filter_map(|(path, text)| Some((module(path)?, without_tests(&code_only(text)))));
        let code: BTreeMap<Vec<String>, String> = modules.collect();
        let imports = code.iter().map(|(module, code)| {
            let brought = paths(code).into_iter().filter(|path| path.is_use);
            (module.clone(), brought.filter_map(|path| Some((path.name()?.to_owned(), path))).collect())
        });
        let known = code.keys().flat_map(|names| (1..=names.len()).map(|count| names[..count].to_vec()));
        Self { known: known.collect(), imports: imports.collect(), code }
    }

    /// The module in which a path ends that stands in `from`: it goes through modules, and through what they import.
    fn target(&self, from: &[String], path: &Path, jumps: u32) -> Option<Vec<String>> {
        let mut names = path.names.iter();
        let mut at = match names.clone().next()?.as_str() {
            "crate" => Vec::new(),
            "super" | "self" => from.to_vec(),
            first if self.is_module(from, first) => from.to_vec(),
            _ => return None,
        };
        for name in names.by_ref() {
            match name.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()?),
                name if self.is_module(&at, name) => at.push(name.to_owned()),
                name => {
                    let imported = self.imports.get(&at).and_then(|imports| imports.get(name));
                    let further = imported.filter(|_| jumps > 0).and_then(|path| self.target(&at, path, jumps - 1));
                    return Some(further.unwrap_or(at));
                }
            }
        }
        Some(at)
    }

    fn is_module(&self, parent: &[String], name: &str) -> bool {
        self.known.contains(&[parent, &[name.to_owned()]].concat())
    }
}

/// The module that a file holds: `wasm`, `isa` of `src/wasm/isa.rs`. None of tests, which may use what they like, nor of
/// what stands beside the rooms.
fn module(path: &str) -> Option<Vec<String>> {
    let within = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let names: Vec<String> = within.strip_suffix("/mod").unwrap_or(within).split('/').map(String::from).collect();
    let counts = !names.iter().any(|name| name == "tests") && within.contains('/');
    counts.then_some(names)
}

fn uses(files: &[(String, String)]) -> Uses {
    const MOST_JUMPS: u32 = 4;
    let modules = Modules::new(files);
    let mut uses = Uses::new();
    for (module, code) in &modules.code {
        for path in paths(code) {
            let Some(target) = modules.target(module, &path, MOST_JUMPS) else { continue };
            let shared = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            // Of rooms the order is held elsewhere.
            if shared > 0 && shared < module.len().min(target.len()) {
                let named = |names: &[String]| names[..=shared].join("::");
                uses.entry(named(module)).or_default().insert(named(&target));
            }
        }
    }
    uses
}

/// Circles of modules, first and last the same, such that without them there is none.
fn circles(mut uses: Uses) -> Vec<Vec<String>> {
    let found = std::iter::from_fn(|| {
        let circle = circle(&uses)?;
        let [.., last, first] = &circle[..] else { unreachable!("a circle has two ends") };
        uses.get_mut(last).expect("it uses the first").remove(first);
        Some(circle)
    });
    found.collect()
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

#[cfg(test)]
mod tests {
    use super::{circles, uses};

    fn check(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let files: Vec<(String, String)> =
            files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
        circles(uses(&files))
    }

    #[test]
    fn a_planted_circle_is_caught() {
        let found = check(&[
            ("src/wasm/a.rs", "use super::b::X;"),
            ("src/wasm/b/mod.rs", "use super::c::{self, Y};"),
            ("src/wasm/c.rs", "mod deep;"),
            ("src/wasm/c/deep.rs", "use super::super::a::Z;"),
            ("src/wasm/d.rs", "use crate::wasm::a::Z;"),
        ]);
        assert_eq!(found, [["wasm::a", "wasm::b", "wasm::c", "wasm::a"]]);
        let twins = check(&[("src/run/a.rs", "crate::run::b::f()"), ("src/run/b.rs", "crate::run::a::f()")]);
        assert_eq!(twins, [["run::a", "run::b", "run::a"]]);
    }

    #[test]
    fn a_planted_circle_inside_a_module_is_caught() {
        let module = ("src/wasm/m.rs", "mod a;\nmod b;\npub use a::X;");
        let ways = ["use super::a::f;", "use super::{Y, a};", "use crate::wasm::{isa, m::a::f};", "use super::X as Z;"];
        for way in ways {
            let files =
                [module, ("src/wasm/m/a.rs", "#[cfg(test)]\nmod tests;\nuse super::b;"), ("src/wasm/m/b.rs", way)];
            assert_eq!(check(&files), [["wasm::m::a", "wasm::m::b", "wasm::m::a"]], "{way}");
        }
        let deeper = [
            ("src/wasm/m/n.rs", "mod a;\nmod b;"),
            ("src/wasm/m/n/a.rs", "fn f() { super::b::g() }"),
            ("src/wasm/m/n/b.rs", "mod c;"),
            ("src/wasm/m/n/b/c.rs", "use super::super::a::f;"),
        ];
        assert_eq!(check(&deeper), [["wasm::m::n::a", "wasm::m::n::b", "wasm::m::n::a"]]);
    }

    #[test]
    fn what_a_room_shows_belongs_to_a_module() {
        let files = [
            ("src/wasm/mod.rs", "pub mod a;\npub mod c;\npub use c::X;"),
            ("src/wasm/a.rs", "use super::X;"),
            ("src/wasm/c.rs", "use crate::wasm::a::Y;"),
        ];
        assert_eq!(check(&files), [["wasm::a", "wasm::c", "wasm::a"]]);
    }

    #[test]
    fn floors_are_no_circle() {
        let files = [
            ("src/wasm/mod.rs", "pub mod a;"),
            ("src/wasm/a.rs", "mod inner; use super::b::X; use super::X;\n#[cfg(test)]\nuse super::c::Y;"),
            ("src/wasm/a/tests.rs", "use super::super::c::Y;"),
            ("src/wasm/a/inner.rs", "use super::super::b::X; use super::Own;"),
            ("src/wasm/b.rs", "// use super::a::X;"),
            ("src/wasm/c.rs", "use crate::wasm::a::X; use crate::seed::a::X;"),
        ];
        assert_eq!(check(&files), [[""; 0]; 0]);
    }
}
