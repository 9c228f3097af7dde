//! Owns what `--help` says beyond the flags themselves: the group that each flag stands in, and examples.
//!
//! Must not know what flags do. One table for all verbs, so that a flag stands in the same group wherever it is.

use clap::{Arg, Command};

/// Flags by what they are about.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Items", &ITEMS),
    ("Asking", &ASKING),
    (
        "Budget",
        &["query_budget", "baseline", "no_baseline", "shrink", "shrink_budget", "pairs", "cost_limit", "time_limit"],
    ),
    ("Execution", &["invoke", "args", "hit", "fuel", "strict"]),
    ("Run and output", &OUTPUT),
];

/// What is asked, and what it is woven from.
const ITEMS: [&str; 22] = [
    "suite",
    "preset",
    "level",
    "items",
    "item",
    "best",
    "task",
    "limit",
    "count",
    "seed",
    "strategy",
    "like",
    "policy",
    "no_predictor",
    "guessers",
    "column",
    "sections",
    "commitment",
    "secret",
    "steps",
    "minutes",
    "programs",
];

/// Who is asked, and how.
const ASKING: [&str; 18] = [
    "model",
    "models",
    "probe",
    "prompt",
    "epochs",
    "confirm",
    "base_url",
    "max_tokens",
    "temperature",
    "reasoning_effort",
    "float_tolerance",
    "max_connections",
    "max_retries",
    "timeout",
    "cache",
    "no_cache",
    "cache_dir",
    "addr",
];

/// Where things go, what goes on, and how it ends.
const OUTPUT: [&str; 18] = [
    "to",
    "log_dir",
    "into",
    "resume",
    "replay",
    "import_batch",
    "shard",
    "out",
    "format",
    "split",
    "against",
    "device",
    "threads",
    "dry_run",
    "fail_miss_above",
    "fail_below",
    "fail_on_error",
    "json",
];

/// Two examples for each verb, with what they do.
const EXAMPLES: [(&str, [(&str, &str); 2]); 19] = [
    (
        "attack",
        [
            ("attack --model sim/novice --query-budget 500", "a simulated solver; nothing is paid"),
            ("attack --model o3-mini --cost-limit 5 --dry-run", "what five dollars buy; spends nothing"),
        ],
    ),
    ("completions", [("completions bash", "for bash"), ("completions zsh", "for zsh")]),
    (
        "corpus",
        [
            ("corpus build modules --out profile.json", "count what a folder of modules consists of"),
            ("corpus compare reference profile.json", "hold it against real code"),
        ],
    ),
    (
        "eval",
        [
            ("eval --suite smoke --model sim/novice --model sim/oracle", "two models on the same items"),
            ("eval --suite standard --task stack --limit 100 --model gpt-4o --cost-limit 2", "at most two dollars"),
        ],
    ),
    (
        "explain",
        [("explain program.wat", "a program byte by byte"), ("explain RUN_DIR --item a0003-0014", "an item of a run")],
    ),
    (
        "export",
        [
            ("export smoke --to hf --out exported", "a suite as a data set for Hugging Face"),
            ("export smoke --to openai-batch --model gpt-4o --out batch", "requests for a batch"),
        ],
    ),
    (
        "generate",
        [
            ("generate --task stack -n 1000 --seed 1 --out items", "a thousand labelled items"),
            ("generate --suite smoke --format wat --out items", "the items of a suite as pairs of files"),
        ],
    ),
    (
        "inspect",
        [
            ("inspect program.wat", "the answers to the questions in its text"),
            ("inspect program.wasm --invoke run --json", "what an exported function returns"),
        ],
    ),
    (
        "leaderboard",
        [
            ("leaderboard results --out board", "all evaluations in a folder"),
            ("leaderboard RUN_DIR --out board --fail-below 0.9", "as a check: exit code 100 below 90 %"),
        ],
    ),
    ("man", [("man --out man1", "into a folder"), ("man --out ~/.local/share/man/man1", "where man looks")]),
    ("merge", [("merge parts --out whole", "all parts in a folder"), ("merge PART_1 PART_2 --out whole", "these two")]),
    (
        "models",
        [
            ("models openai/", "the models of one provider, with their prices"),
            ("models --probe sim/novice", "ask one of them something small"),
        ],
    ),
    (
        "report",
        [
            ("report RUN_DIR", "what the model fails on, as a page"),
            ("report RUN_DIR --pairs 20", "and ask minimal pairs, which proves it"),
        ],
    ),
    ("schema", [("schema call_indirect", "one instruction"), ("schema --sections", "the binary format")]),
    (
        "serve",
        [
            ("serve --addr 127.0.0.1:8000", "the simulated solvers as an OpenAI-compatible endpoint"),
            ("serve --addr 127.0.0.1:8000 --preset stack", "guess/learned too, which learns from this preset"),
        ],
    ),
    ("shrink", [("shrink RUN_DIR --best 3", "three misses"), ("shrink RUN_DIR --item a0003-0014", "this one")]),
    (
        "suite",
        [("suite list", "which there are"), ("suite show smoke --seed 1", "what one holds, and its fingerprint")],
    ),
    (
        "train",
        [
            ("train --preset tiny --steps 20000", "half a minute at most"),
            ("train --minutes 30 --out policy", "half an hour, and keep the policy here too"),
        ],
    ),
    (
        "verify",
        [
            ("verify --preset stack -n 5000", "five thousand programs against wasmtime"),
            ("verify --preset stack -n 1000 --guessers", "how much can be guessed"),
        ],
    ),
];

/// The command with groups and examples.
pub(super) fn dressed(command: Command) -> Command {
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    verbs.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |verb| {
            let verb = grouped(verb);
            match examples(name) {
                Some(text) => verb.after_help(text),
                None => verb,
            }
        })
    })
}

/// A verb, and those below it, with every flag in its group.
fn grouped(verb: Command) -> Command {
    let below: Vec<String> = verb.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let verb = below.iter().fold(verb, |verb, name| verb.mut_subcommand(name, grouped));
    verb.mut_args(|arg| match group(&arg) {
        Some(heading) => arg.help_heading(heading),
        None => arg,
    })
}

fn group(arg: &Arg) -> Option<&'static str> {
    let found = GROUPS.iter().find(|(_, flags)| flags.contains(&arg.get_id().as_str()))?;
    (!arg.is_positional()).then_some(found.0)
}

fn examples(verb: &str) -> Option<String> {
    let (_, examples) = EXAMPLES.iter().find(|(name, _)| *name == verb)?;
    let lines = examples.iter().map(|(line, about)| format!("  harness {line}\n      {about}"));
    Some(format!("Examples:\n{}", lines.collect::<Vec<_>>().join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    /// A command, and all below it.
    fn all(command: &Command) -> Vec<&Command> {
        std::iter::once(command).chain(command.get_subcommands().flat_map(all)).collect()
    }

    #[test]
    fn every_flag_stands_in_a_group() {
        let command = command();
        let flags = all(&command).into_iter().flat_map(|verb| verb.get_arguments().map(move |arg| (verb, arg)));
        let flags =
            flags.filter(|(_, arg)| !arg.is_positional() && !["help", "version"].contains(&arg.get_id().as_str()));
        let lost: Vec<String> = flags
            .filter(|(_, arg)| arg.get_help_heading().is_none())
            .map(|(verb, arg)| format!("{} --{}", verb.get_name(), arg.get_id()))
            .collect();
        assert_eq!(lost, [""; 0], "name them in GROUPS");
    }

    #[test]
    fn every_group_has_flags_that_there_are() {
        let command = command();
        let there: Vec<&str> =
            all(&command).into_iter().flat_map(|verb| verb.get_arguments().map(|arg| arg.get_id().as_str())).collect();
        let gone: Vec<&&str> =
            GROUPS.iter().flat_map(|(_, flags)| *flags).filter(|flag| !there.contains(flag)).collect();
        assert_eq!(gone, [&""; 0], "no verb has them any more");
    }

    #[test]
    fn every_verb_has_examples_that_are_read() {
        let command = command();
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let found = EXAMPLES.iter().find(|(name, _)| *name == verb.get_name());
            let (name, examples) = found.unwrap_or_else(|| panic!("{} has no examples", verb.get_name()));
            for (line, _) in examples {
                assert!(line.starts_with(name), "{line}");
                let words = std::iter::once("harness").chain(line.split_whitespace());
                let read = command.clone().try_get_matches_from(words);
                assert!(read.is_ok(), "harness {line}: {:?}", read.err().map(|error| error.to_string()));
            }
        }
    }
}
