//! The pages of the verbs in docs/verbs, the completions and the manual pages: all made from the flags.
//! `BLESS=1 cargo test --test it verbs` writes the pages anew.

use super::command_line::{folder, harness};
use clap_markdown::{MarkdownOptions, help_markdown_command_custom};
use std::collections::BTreeMap;
use std::path::Path;
use wasmweaver::cli;

/// The page of each verb, by its file.
fn pages() -> BTreeMap<String, String> {
    let mut command = cli::command();
    command.build();
    let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help");
    let page = |verb: &clap::Command| {
        let name = verb.get_name().to_owned();
        let options =
            MarkdownOptions::new().title(format!("harness {name}")).show_footer(false).show_table_of_contents(false);
        let text = help_markdown_command_custom(&verb.clone().bin_name(format!("harness {name}")), &options);
        (format!("{name}.md"), plain(&text))
    };
    verbs.map(page).collect()
}

/// Without what says the same on every page, and with headings of one kind.
fn plain(text: &str) -> String {
    let text = text.replace("\n\n  Default value: `false`\n", "\n");
    let said_twice = |line: &&str| line.starts_with("This document contains") || line.starts_with("## `harness");
    let mut page = String::new();
    for line in text.lines().filter(|line| !said_twice(line)) {
        let heading = line.strip_prefix("###### **").and_then(|line| line.strip_suffix(":**"));
        let line = heading.map_or(line.to_owned(), |heading| format!("## {heading}"));
        // What was left out leaves no gap.
        if !(line.is_empty() && page.ends_with("\n\n")) {
            page += &line;
            page += "\n";
        }
    }
    page.trim_end().to_owned() + "\n"
}

#[test]
fn each_verb_has_a_page_that_its_flags_make() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verbs");
    let pages = pages();
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(&folder).expect("writable");
        pages.iter().for_each(|(file, text)| std::fs::write(folder.join(file), text).expect("writable"));
    }
    let there = std::fs::read_dir(&folder).expect("docs/verbs is there");
    let there = there.map(|entry| entry.expect("readable").path()).map(|path| {
        let file = path.file_name().expect("it has one").to_string_lossy().into_owned();
        (file, std::fs::read_to_string(&path).expect("text"))
    });
    let there: BTreeMap<String, String> = there.collect();
    assert_eq!(there.keys().collect::<Vec<_>>(), pages.keys().collect::<Vec<_>>(), "one page for each verb");
    for (file, text) in &pages {
        assert!(there[file] == *text, "docs/verbs/{file} is not what the flags say; BLESS=1 writes it anew");
    }
}

#[test]
fn shells_and_man_know_every_verb_and_flag() {
    let folder = folder("verbs");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = harness(&folder, &["completions", shell]);
        let script = String::from_utf8(script.stdout).expect("text");
        assert!(script.contains("leaderboard") && script.contains("query-budget"), "{shell}");
    }
    assert!(harness(&folder, &["man", "--out", "man1"]).status.success());
    for file in pages().keys() {
        let page = format!("man1/harness-{}", file.replace(".md", ".1"));
        let text = std::fs::read_to_string(folder.join(&page)).expect(&page);
        assert!(text.starts_with(".ie") && text.contains("SYNOPSIS"), "{page}");
    }
}
