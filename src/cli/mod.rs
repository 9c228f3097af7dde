//! Owns the command line: one file per verb, each turning flags into one configuration and one call.
//!
//! Must not hold logic worth a unit test; and it alone prints, and alone knows exit codes: 0 fine, 1 an error, 2 wrong
//! use, 100 a threshold missed.

mod again;
pub mod attack;
pub mod bill;
pub mod budget;
pub mod completions;
pub mod connect;
pub mod corpus;
mod disagreement;
pub mod eval;
pub mod explain;
pub mod export;
pub mod flags;
mod gate;
pub mod generate;
mod help;
pub mod inspect;
pub mod leaderboard;
pub mod merge;
pub mod models;
mod palette;
pub mod progress;
pub mod report;
pub mod resume;
pub mod schema;
pub mod serve;
pub mod shrink;
pub mod suite;
mod table;
pub mod train;
pub mod verify;

use crate::run::homes::Homes;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Finds out where language models fail at reasoning about WebAssembly, and proves it.
#[derive(Debug, Parser)]
#[command(name = "harness", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
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

/// Why the program ends with something else than 0.
#[derive(Debug)]
pub enum Failure {
    /// The user can mend it: flags, files, keys. Exit code 2.
    Usage(anyhow::Error),
    /// Something went wrong. Exit code 1.
    Error(anyhow::Error),
    /// Everything went well, but what was measured misses a threshold. Exit code 100.
    Missed(anyhow::Error),
}

impl Failure {
    /// A mistake of the user's.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Error(_) => ExitCode::FAILURE,
            Self::Missed(_) => ExitCode::from(100),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    // A missing .env file is the usual case; a broken one would go unnoticed until a key is missing, which is reported.
    let _ = dotenvy::dotenv();
    let verb = parse().verb;
    let homes = Homes::default();
    let done = verb.run(&homes);
    // What was done goes home, whatever became of it.
    let sent = homes.close().map(|addresses| addresses.iter().for_each(|address| say(&format!("kept at {address}"))));
    match done.and_then(|()| Ok(sent?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let (Failure::Usage(error) | Failure::Error(error) | Failure::Missed(error)) = &failure;
            say(&format!("error: {error}"));
            failure.code()
        }
    }
}

/// The command line with its flags in groups and with examples, as `--help`, the manual and the completions have it.
pub fn command() -> clap::Command {
    help::dressed(Cli::command())
}

fn parse() -> Cli {
    // What clap has parsed by its own definition fits it.
    Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit())
}

impl Verb {
    fn run(&self, homes: &Homes) -> Result<(), Failure> {
        match self {
            Self::Attack(args) => args.run(homes),
            Self::Completions(args) => args.run(),
            Self::Corpus(args) => args.run(),
            Self::Eval(args) => args.run(homes),
            Self::Explain(args) => args.run(homes),
            Self::Export(args) => args.run(homes),
            Self::Generate(args) => args.run(homes),
            Self::Inspect(args) => args.run(),
            Self::Leaderboard(args) => args.run(homes),
            Self::Man(args) => args.run(),
            Self::Merge(args) => args.run(homes),
            Self::Models(args) => args.run(),
            Self::Report(args) => args.run(homes),
            Self::Schema(args) => args.run(),
            Self::Serve(args) => args.run(),
            Self::Shrink(args) => args.run(homes),
            Self::Suite(args) => args.run(),
            Self::Train(args) => args.run(homes),
            Self::Verify(args) => args.run(),
        }
    }
}

/// A runtime for the asking verbs.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Sets the flag at the first Ctrl-C; at the second the program ends.
fn listen(stop: Arc<AtomicBool>) -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = runtime()?;
    runtime.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if stop.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            say("stopping (again to drop what is not yet written)");
        }
    });
    Ok(runtime)
}

/// Tells people something on stderr; where nobody listens, the run goes on.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints the one JSON object of `--json`.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print_line(&serde_json::to_string(value)?)
}

/// Prints to stdout; a reader that went away is no error.
fn print_line(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn flags_fit_each_other() {
        super::command().debug_assert();
    }
}
