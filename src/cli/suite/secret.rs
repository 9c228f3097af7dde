//! Owns `harness suite commit` and `harness suite reveal`: a seed that is fixed before, and shown afterwards.

use super::super::{Failure, print_json, print_line, say};
use super::{load, weave};
use crate::run::commitment::{Secret, SecretError};
use crate::run::suite::{Items, Select, Suite};
use serde::Serialize;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

/// What stands for stdin.
const STDIN: &str = "-";

/// Print the hash of a secret seed, to publish before the suite is used
#[derive(Debug, clap::Args)]
pub(super) struct Commit {
    /// The suite that the hash is for: a name, a name with its version, or a file
    #[arg(long, value_name = "NAME[@VERSION]|FILE")]
    suite: String,
    /// New file for the secret that is drawn; `-` takes 64 hexadecimal digits from stdin instead
    #[arg(long, value_name = "FILE|-")]
    secret: PathBuf,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// Check a secret against the hash that was published, and print the seed
#[derive(Debug, clap::Args)]
pub(super) struct Reveal {
    /// The suite that the hash was made for
    #[arg(long, value_name = "NAME[@VERSION]|FILE")]
    suite: String,
    /// The hash that was published
    #[arg(long, value_name = "HASH")]
    commitment: String,
    /// The secret: its file, its 64 hexadecimal digits, or `-` for stdin
    #[arg(long, value_name = "FILE|DIGITS|-")]
    secret: String,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Committed<'a> {
    suite: &'a str,
    commitment: String,
}

#[derive(Serialize)]
struct Revealed<'a> {
    suite: &'a str,
    commitment: &'a str,
    seed: u64,
    fingerprint: &'a str,
    items: usize,
}

impl Commit {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let suite = load(&self.suite)?.label();
        let secret = if self.secret == Path::new(STDIN) { from_stdin()? } else { self.draw()? };
        let commitment = secret.commitment(&suite);
        if self.json {
            return print_json(&Committed { suite: &suite, commitment });
        }
        say("publish this hash; afterwards publish the secret, and anybody can check it with");
        say(&format!("harness suite reveal --suite {suite} --commitment HASH --secret SECRET"));
        print_line(&commitment)
    }

    fn draw(&self) -> Result<Secret, Failure> {
        let secret = Secret::draw().map_err(failure)?;
        secret.keep(&self.secret).map_err(failure)?;
        say(&format!("the secret is in {}; whoever reads it knows the items", self.secret.display()));
        Ok(secret)
    }
}

impl Reveal {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let suite = load(&self.suite)?;
        let label = suite.label();
        let seed = self.secret()?.reveal(&label, &self.commitment).map_err(failure)?;
        let Items { items, fingerprint } = items(&suite, seed)?;
        let (commitment, items) = (&*self.commitment, items.len());
        if self.json {
            let (suite, fingerprint) = (&*label, &*fingerprint);
            return print_json(&Revealed { suite, commitment, seed, fingerprint, items });
        }
        print_line(&format!("the secret belongs to the commitment; {label} was fixed to these {items} items"))?;
        print_line(&format!("seed        {seed}"))?;
        print_line(&format!("fingerprint {fingerprint}"))
    }

    fn secret(&self) -> Result<Secret, Failure> {
        if self.secret == STDIN {
            return from_stdin();
        }
        let digits = Secret::parse(&self.secret, "--secret");
        digits.or_else(|_| Secret::read(Path::new(&self.secret))).map_err(failure)
    }
}

fn items(suite: &Suite, seed: u64) -> Result<Items, Failure> {
    weave(suite, seed, &Select::default(), None)
}

fn from_stdin() -> Result<Secret, Failure> {
    let mut stdin = std::io::stdin();
    let mut text = String::new();
    if stdin.is_terminal() {
        say("the secret, 64 hexadecimal digits:");
        stdin.read_line(&mut text)?;
    } else {
        stdin.read_to_string(&mut text)?;
    }
    Secret::parse(&text, "stdin").map_err(failure)
}

fn failure(error: SecretError) -> Failure {
    match error {
        SecretError::Mismatch { .. } | SecretError::NoRandomness(_) => Failure::Error(error.into()),
        other => Failure::usage(other),
    }
}
