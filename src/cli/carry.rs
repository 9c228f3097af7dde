//! Owns how a job is carried out for the command line: shown on stderr, stopped by signals.
//!
//! Must not know which job.

use super::failure::Failure;
use super::output::say;
use super::{progress, signals};
use crate::ask::cache::user_folder;
use crate::ask::stop::Stopper;
use crate::job::setting::Setting;
use crate::run::command::quoted;
use crate::run::homes::Homes;
use crate::run::lock::Told;
use crate::run::suite::Shelf;
use std::sync::Arc;

/// Where runs lie; what is to be told of locks is told.
pub(crate) fn homes() -> Homes {
    Homes::telling(told)
}

/// Tells what is to be told of locks. A process that lost one must not write another line.
fn told(told: Told) {
    say(&told.to_string());
    if matches!(told, Told::Lost(_)) {
        std::process::exit(1);
    }
}

/// The variable that names another folder for woven suites, or says `off`.
const SUITE_CACHE: &str = "WASMWEAVER_SUITE_CACHE";

/// What is around the jobs of this process: what goes on is shown on stderr, and signals stop it.
pub(crate) fn setting<'h>(homes: &'h Homes, stopper: Stopper) -> Setting<'h> {
    Setting {
        events: Arc::new(progress::Progress::default()),
        stopper,
        command: words(),
        shelf: shelf(),
        ..Setting::new(homes)
    }
}

/// The words of the command line, for people: what is no UTF-8 in them is replaced.
pub(crate) fn words() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// Where woven suites are kept: in the user's folder for caches by default.
pub(crate) fn shelf() -> Option<Shelf> {
    let folder = match std::env::var_os(SUITE_CACHE) {
        Some(off) if off == "off" => None,
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ => user_folder("suites"),
    };
    folder.map(|folder| Shelf::new(folder, say))
}

/// Carries out a job that asks: signals stop it.
pub(crate) fn asking<T>(
    homes: &Homes,
    job: impl AsyncFnOnce(&Setting<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    runtime()?.block_on(async { job(&setting(homes, signals::stopper())).await })
}

/// How a verb ends whose run did not come to its end, and how the run goes on: where its dollars are spent, with more.
///
/// # Errors
/// If a signal stopped it; the user's own limits may.
pub(crate) fn ended_early(verb: &str, run: &str, is_spent: bool) -> Result<(), Failure> {
    let more = if is_spent { " --cost-limit USD, which must be more than is spent" } else { "" };
    signals::ended_early(&format!("go on with: harness {verb} --resume {}{more}", quoted(run)))
}

/// A runtime for the asking verbs.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
