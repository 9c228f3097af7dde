//! Owns which flags stand on the command line, and so are no defaults: a run that goes on keeps the rest as it began.
//!
//! Must not know what flags mean.

use clap::ArgMatches;
use clap::parser::ValueSource;
use std::collections::HashSet;

/// The names of the flags that are given, as their verb's fields have them: `query_budget`.
#[derive(Debug, Default)]
pub(super) struct Given(HashSet<String>);

impl Given {
    /// Those of a parsed command line: of the verb at its end.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let mut verb = matches;
        while let Some((_, below)) = verb.subcommand() {
            verb = below;
        }
        let is_given = |id: &&clap::Id| {
            // Groups are no flags.
            verb.try_contains_id(id.as_str()).unwrap_or(false)
                && verb.value_source(id.as_str()) == Some(ValueSource::CommandLine)
        };
        Self(verb.ids().filter(is_given).map(|id| id.as_str().to_owned()).collect())
    }

    /// Whether a flag is.
    pub(super) fn has(&self, flag: &str) -> bool {
        self.0.contains(flag)
    }

    /// Whether one of these is.
    pub(super) fn any(&self, flags: &[&str]) -> bool {
        flags.iter().any(|flag| self.has(flag))
    }
}

/// What a plan has: what is given now, or else what the run that goes on began with, or else the default.
pub(super) fn pick<T>(given: bool, now: T, earlier: Option<T>) -> T {
    match earlier {
        Some(earlier) if !given => earlier,
        _ => now,
    }
}
