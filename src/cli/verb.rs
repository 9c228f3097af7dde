//! Owns the verbs: the command line is parsed, and the verb that it names is run to its end.
//!
//! Must not know what a verb does.

use super::carry::homes;
use super::failure::Failure;
use super::given::Given;
use super::help;
use super::output::say;
use super::{
    attack, completions, corpus, eval, explain, export, generate, inspect, leaderboard, merge, models, report, schema,
    serve, shrink, suite, train, verify,
};
use crate::run::homes::Homes;
use crate::wasm::print::printable_lines;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// What stands below the verbs in `--help`.
const EXIT_CODES: &str = "Exit codes: 0 fine, 1 an error, 2 wrong use (flags, files, keys), 100 a threshold missed, \
                          130 interrupted by Ctrl-C, 143 by SIGTERM";

/// Finds out where language models fail at reasoning about WebAssembly, and proves it.
#[derive(Debug, Parser)]
#[command(name = "harness", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Attack(attack::Args),
    Completions(completions::Completions),
    Corpus(corpus::Args),
    Eval(eval::Args),
    Explain(explain::Args),
    Export(export::Args),
    Generate(generate::Args),
    Inspect(inspect::Args),
    Leaderboard(leaderboard::Args),
    Man(completions::Man),
    Merge(merge::Args),
    Models(models::Args),
    Report(report::Args),
    Schema(schema::Args),
    Serve(serve::Args),
    Shrink(shrink::Args),
    Suite(suite::Args),
    Train(train::Args),
    Verify(verify::Args),
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    tell_of_env();
    let (verb, given) = parse();
    let homes = homes();
    let done = verb.run(&homes, &given);
    // What was done goes home, whatever became of it.
    let sent = homes.close().map(|addresses| addresses.iter().for_each(|address| say(&format!("kept at {address}"))));
    match done.and_then(|()| Ok(sent?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Much of it quotes files.
            say(&printable_lines(&failure.sentence()));
            failure.code()
        }
    }
}

/// The command line with its flags in groups and with examples, as `--help`, the manual and the completions have it.
pub fn command() -> clap::Command {
    help::dressed(signed(Cli::command()))
}

/// A number below zero is the value of the flag before it, whose sentence says what is wrong with it, and no flag itself.
fn signed(command: clap::Command) -> clap::Command {
    let is_flag = |arg: &clap::Arg| arg.get_action().takes_values() && !arg.is_positional();
    command.mut_args(|arg| if is_flag(&arg) { arg.allow_negative_numbers(true) } else { arg }).mut_subcommands(signed)
}

fn parse() -> (Verb, Given) {
    let matches = command().get_matches();
    // What clap has parsed by its own definition fits it.
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    (cli.verb, Given::of(&matches))
}

impl Verb {
    fn run(&self, homes: &Homes, given: &Given) -> Result<(), Failure> {
        match self {
            Self::Attack(args) => args.run(homes, given),
            Self::Completions(args) => args.run(command()),
            Self::Corpus(args) => args.run(),
            Self::Eval(args) => args.run(homes, given),
            Self::Explain(args) => args.run(homes),
            Self::Export(args) => args.run(homes),
            Self::Generate(args) => args.run(homes),
            Self::Inspect(args) => args.run(),
            Self::Leaderboard(args) => args.run(homes),
            Self::Man(args) => args.run(command()),
            Self::Merge(args) => args.run(homes),
            Self::Models(args) => args.run(),
            Self::Report(args) => args.run(homes, given),
            Self::Schema(args) => args.run(),
            Self::Serve(args) => args.run(),
            Self::Shrink(args) => args.run(homes, given),
            Self::Suite(args) => args.run(),
            Self::Train(args) => args.run(homes),
            Self::Verify(args) => args.run(homes),
        }
    }
}

/// Reads `.env`, of here or of the folders above; tells of a line that cannot be read, without what stands there: it may be a
/// key. A verb that needs none goes on.
fn tell_of_env() {
    match dotenvy::dotenv() {
        Err(dotenvy::Error::LineParse(line, _)) => {
            let folder = std::env::current_dir().unwrap_or_default();
            let file = folder.ancestors().map(|folder| folder.join(".env")).find(|file| file.is_file());
            let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
            let at = text.lines().position(|other| !other.trim().is_empty() && line.starts_with(other.trim()));
            let place = file.unwrap_or_else(|| ".env".into()).display().to_string();
            let place = at.map_or(place.clone(), |at| format!("{place}:{}", at + 1));
            say(&format!("{place}: this is no line of NAME=value, so this line and those after it are not read"));
        }
        Err(error) if !error.not_found() => say(&format!("cannot read .env: {error}")),
        // There is none, or it is read.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::error::ErrorKind;
    use clap::{Arg, Command, CommandFactory};

    /// A value that the flag takes.
    fn sample(arg: &Arg) -> String {
        if let Some(value) = arg.get_possible_values().first() {
            return value.get_name().to_owned();
        }
        let name = arg.get_value_names().and_then(|names| names.first()).map(|name| name.to_string());
        match name.unwrap_or_default().as_str() {
            "I/N" => "1/2".into(),
            "SHARE" | "T" | "M" => "0.5".into(),
            "IP:PORT" => "127.0.0.1:0".into(),
            "NAME=SHARE,..." => "a=0.5,b=0.5".into(),
            "DEVICE" => "cpu".into(),
            name if name.contains("HASH") => "0".repeat(64),
            name if ["N", "K", "S", "USD", "1-5"].contains(&name) => "2".into(),
            _ => "x".into(),
        }
    }

    /// Whether two flags of a verb cannot stand on one line, beside what must stand there.
    fn conflict(verb: &[String], command: &Command, pair: [&Arg; 2]) -> bool {
        let mut line = verb.to_vec();
        let given = |arg: &Arg| pair.iter().any(|one| one.get_id() == arg.get_id());
        for arg in command.get_arguments().filter(|arg| given(arg) || arg.is_required_set()) {
            line.extend(arg.get_long().map(|long| format!("--{long}")));
            line.extend(arg.get_action().takes_values().then(|| sample(arg)));
        }
        match Cli::command().try_get_matches_from(line) {
            Err(error) if error.kind() == ErrorKind::ArgumentConflict => true,
            // Values are another matter, and so is what a flag takes to make sense.
            _ => false,
        }
    }

    /// The verbs without verbs below them, each by its words.
    fn verbs(path: &[String], command: &Command, found: &mut Vec<(Vec<String>, Command)>) {
        if !command.has_subcommands() {
            return found.push((path.to_vec(), command.clone()));
        }
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            verbs(&[path, &[below.get_name().to_owned()]].concat(), below, found);
        }
    }

    /// Every flag of every verb, and with which others it cannot stand: a new one, or a pair that begins or ceases to be
    /// refused, changes the table (`INSTA_UPDATE=always` writes it anew), so that a person decides.
    #[test]
    fn which_flags_combine_is_decided() {
        let mut command = Cli::command();
        command.build();
        let mut found = Vec::new();
        verbs(&["harness".into()], &command, &mut found);
        let mut table = String::new();
        for (path, command) in &found {
            let own = |arg: &&Arg| arg.get_long().is_some_and(|long| !["help", "version"].contains(&long));
            let flags: Vec<&Arg> = command.get_arguments().filter(own).collect();
            let name = |arg: &Arg| format!("--{}", arg.get_long().expect("it has one"));
            table += &format!("{}\n", path[1..].join(" "));
            for (at, flag) in flags.iter().enumerate() {
                let others = flags[at + 1..].iter().filter(|other| conflict(path, command, [flag, other]));
                let others: Vec<String> = others.map(|other| name(other)).collect();
                let others = if others.is_empty() { String::new() } else { format!(" not with {}", others.join(" ")) };
                table += &format!("  {}{others}\n", name(flag));
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn flags_fit_each_other() {
        super::command().debug_assert();
    }
}
