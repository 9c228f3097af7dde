//! Owns the house rules that the compiler does not check: who may know whom, file sizes, and what no file may hold.
//!
//! Must not know what the code does. Each rule is a pure function of (path, text), so that a test can plant a violation.

mod code;
mod floors;
mod names;
mod rooms;
mod rules;

use std::path::{Path, PathBuf};

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    /// Relative to the project.
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A rule: what it finds in the file at this path, relative to the project, with this text.
type Rule = fn(&str, &str) -> Vec<Violation>;

#[track_caller]
fn nothing_found(extensions: &[&str], rule: Rule) {
    let files = files(extensions);
    assert!(files.len() > 1, "no {extensions:?} files: has the project moved?");
    let found: Vec<String> =
        files.iter().flat_map(|(path, text)| rule(path, text)).map(|violation| violation.to_string()).collect();
    assert!(found.is_empty(), "{} broken rules:\n{}", found.len(), found.join("\n"));
}

/// What the rule finds in one planted file, as (line, text).
fn planted(rule: Rule, path: &str, text: &str) -> Vec<(usize, String)> {
    rule(path, text).into_iter().map(|violation| (violation.line, violation.what)).collect()
}

/// Path and text of the project's own files with these extensions, in order.
fn files(extensions: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(root, &mut paths);
    paths.sort();
    let wanted = |path: &PathBuf| extensions.iter().any(|&end| path.to_string_lossy().ends_with(end));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root).expect("is within").to_string_lossy().replace('\\', "/");
        Some((name, std::fs::read_to_string(path).ok()?))
    };
    paths.into_iter().filter(wanted).filter_map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.map(|entry| entry.expect("the project can be listed").path()) {
        let name = path.file_name().expect("has one").to_string_lossy().into_owned();
        // Build output, git's own files and a developer's runs.
        let foreign = matches!(name.as_str(), "target" | ".git" | "results");
        if path.is_dir() && !foreign {
            collect(&path, paths);
        } else if path.is_file() {
            paths.push(path);
        }
    }
}
