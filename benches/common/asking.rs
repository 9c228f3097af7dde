//! Owns how a bench carries a job out: to its good end, or not at all.

use wasmweaver::job::error::JobError;

/// What came of a job.
pub(crate) fn asking<T>(job: impl Future<Output = Result<T, JobError>>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(job).unwrap_or_else(|error| panic!("{error}"))
}
