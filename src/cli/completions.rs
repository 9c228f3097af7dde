//! Owns `harness completions` and `harness man`: what shells and `man` know of the command line, made from its flags.
//!
//! Must not know any flag.

use super::Failure;
use clap::Command;
use clap_complete::Shell;
use std::io::Write;
use std::path::PathBuf;

/// Print what completes the verbs and flags in a shell
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell; for bash: harness completions bash > ~/.local/share/bash-completion/completions/harness
    #[arg(value_enum)]
    shell: Shell,
}

/// Write the manual pages into a folder, one for each verb
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The folder, made if it is not there; ~/.local/share/man/man1 is where man looks
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Completions {
    /// Prints them.
    pub(super) fn run(&self, mut command: Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        let name = command.get_name().to_owned();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        Ok(std::io::stdout().write_all(&script)?)
    }
}

impl Man {
    /// Writes them.
    pub(super) fn run(&self, command: Command) -> Result<(), Failure> {
        let written = std::fs::create_dir_all(&self.out)
            .and_then(|()| clap_mangen::generate_to(command.disable_help_subcommand(true), &self.out));
        written.map_err(|error| {
            let out = self.out.display();
            Failure::usage(anyhow::anyhow!("cannot write into {out}: {error}; name another folder with --out"))
        })
    }
}
