//! The pages of the verbs in docs/verbs, the completions and the manual pages: all made from the flags.
//! `BLESS=1 cargo test --test it verbs` writes the pages anew.

use super::command_line::{folder, harness};
use clap::Command;
use clap_markdown::{MarkdownOptions, help_markdown_command_custom};
use std::collections::BTreeMap;
use std::path::Path;
use wasmweaver::cli;

/// The page of each verb, by its file.
fn pages() -> BTreeMap<String, String> {
    let mut command = cli::command();
    command.build();
    let page = |verb: &Command| {
        let name = verb.get_name();
        let below = own(verb);
        let text = if below.is_empty() { page_of(verb, &format!("harness {name}")) } else { page_of_all(verb, &below) };
        (format!("{name}.md"), text)
    };
    own(&command).into_iter().map(page).collect()
}

/// The verbs below one, without `help`.
fn own(command: &Command) -> Vec<&Command> {
    command.get_subcommands().filter(|verb| verb.get_name() != "help").collect()
}

fn page_of(verb: &Command, name: &str) -> String {
    let options = MarkdownOptions::new().title(name.into()).show_footer(false).show_table_of_contents(false);
    plain(&help_markdown_command_custom(&verb.clone().bin_name(name.to_owned()), &options))
}

/// The page of a verb with others below it: each has its section.
fn page_of_all(verb: &Command, below: &[&Command]) -> String {
    let name = format!("harness {}", verb.get_name());
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    let mut page = format!("# {name}\n\n{about}\n\n**Usage:** `{name} <COMMAND>`\n");
    if let Some(examples) = verb.get_after_help() {
        page += &format!("\n{}\n", plain(&examples.to_string()).trim_end());
    }
    for one in below {
        let section = page_of(one, &format!("{name} {}", one.get_name()));
        let deeper = |line: &str| if line.starts_with('#') { format!("#{line}\n") } else { format!("{line}\n") };
        page += "\n";
        page.extend(section.lines().map(deeper));
    }
    page
}

/// Without what says the same on every page, with headings of one kind, and with examples as they are typed.
fn plain(text: &str) -> String {
    let text = text.replace("\n\n  Default value: `false`\n", "\n");
    let said_twice = |line: &&str| line.starts_with("This document contains") || line.starts_with("## `harness");
    let mut page = String::new();
    let mut is_example = false;
    for line in text.lines().filter(|line| !said_twice(line)) {
        let heading = line.strip_prefix("###### **").and_then(|line| line.strip_suffix(":**"));
        let mut line = heading.map_or(line.to_owned(), |heading| format!("## {heading}"));
        is_example = line == "Examples:" || (is_example && line.starts_with("  "));
        if is_example {
            // Four blanks make code of it.
            line = if line == "Examples:" { "## Examples\n".into() } else { format!("  {line}") };
        }
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
