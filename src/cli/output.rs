//! Owns what is written to stdout and stderr as it is.
//!
//! Must not know what it says.

use super::failure::Failure;

/// Tells people something on stderr; where stderr is closed, the run goes on.
pub(crate) fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints the one JSON object of `--json`.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print_line(&serde_json::to_string(value)?)
}

/// Prints to stdout; a reader that went away is no error.
pub(crate) fn print_line(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
