//! Owns finding the names of modules in code: the paths of `use` declarations, and those that start at the crate or above.
//!
//! Must not know which modules there are.

/// A path through modules, and what it ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// `super`, `a`, `X` of `super::a::X`.
    pub(super) names: Vec<String>,
    /// What stands behind `as`.
    alias: Option<String>,
    /// Whether a `use` declaration brings it.
    pub(super) is_use: bool,
}

impl Path {
    /// The name by which what it brings is called.
    pub(super) fn name(&self) -> Option<&str> {
        self.alias.as_deref().or(self.names.last().map(String::as_str))
    }
}

/// All paths of `use` declarations, and all others that start with `crate`, `super` or `self`.
pub(super) fn paths(code: &str) -> Vec<Path> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let rest = &code[at..];
        let word = word(rest);
        if word.is_empty() {
            at += rest.chars().next().map_or(1, char::len_utf8);
        } else if word == "use" {
            let tree = &rest[word.len()..];
            let end = tree.find(';').unwrap_or(tree.len());
            branches(&tree[..end], &[], &mut found);
            at += word.len() + end;
        } else if matches!(word, "crate" | "super" | "self") && rest[word.len()..].starts_with("::") {
            let names = straight(rest);
            at += names.iter().map(String::len).sum::<usize>() + 2 * (names.len() - 1);
            found.push(Path { names, alias: None, is_use: false });
        } else {
            at += word.len();
        }
    }
    found
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

/// The names of a path without branches.
fn straight(text: &str) -> Vec<String> {
    let mut names = vec![word(text).to_owned()];
    let mut rest = &text[names[0].len()..];
    while let Some(next) = rest.strip_prefix("::").map(word).filter(|next| !next.is_empty()) {
        names.push(next.to_owned());
        rest = &rest[2 + next.len()..];
    }
    names
}

/// The paths of a tree `a::{b, c::{d, e as f}}` behind `before`.
fn branches(tree: &str, before: &[String], found: &mut Vec<Path>) {
    let tree = tree.trim();
    let (path, group) = tree.split_once('{').map_or((tree, None), |(path, group)| (path, Some(group)));
    let (path, alias) = path.split_once(" as ").map_or((path, None), |(path, alias)| (path, Some(alias.trim())));
    let names = path.split("::").map(str::trim).filter(|name| !name.is_empty());
    let mut names: Vec<String> = before.iter().cloned().chain(names.map(String::from)).collect();
    let Some(group) = group else {
        // `a::{self}` is `a`.
        if names.len() > 1 && names.last().is_some_and(|name| name == "self") {
            names.pop();
        }
        return found.push(Path { names, alias: alias.map(String::from), is_use: true });
    };
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let branch = &group[start..at];
                if !branch.trim().is_empty() {
                    branches(branch, &names, found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

#[test]
fn every_path_is_found() {
    let code = "pub use a::{self, b::{C, d as e,},\n f};\nuse super::super::g; fn h(x: crate::i::J<self::K>) { super::l::m() }";
    let found: Vec<String> = paths(code)
        .iter()
        .map(|path| {
            format!(
                "{} {}{}",
                path.names.join("::"),
                path.name().expect("has one"),
                ["", "!"][usize::from(path.is_use)]
            )
        })
        .collect();
    let expected = [
        "a a!",
        "a::b::C C!",
        "a::b::d e!",
        "a::f f!",
        "super::super::g g!",
        "crate::i::J J",
        "self::K K",
        "super::l::m m",
    ];
    assert_eq!(found, expected);
}
