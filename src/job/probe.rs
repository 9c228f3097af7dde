//! Owns asking a model one tiny question, to see that it can be asked.
//!
//! Must not know how the answer is shown.

use super::connect::Connection;
use super::error::JobError;
use super::setting::Setting;
use crate::ask::probe::{Probed, probe};
use crate::run::plan::{Conditions, Examinee};
use crate::run::preset::Preset;
use crate::seed::Seed;

/// The preset whose items a guesser learns from.
const PRESET: &str = "policies/stack.yaml";

/// Asks a model one tiny question.
///
/// # Errors
/// If it cannot be asked, or there is no reply.
pub(crate) async fn run(
    examinee: &Examinee,
    conditions: &Conditions,
    setting: &Setting<'_>,
) -> Result<Probed, JobError> {
    let preset = Preset::load(PRESET).map_err(JobError::usage)?;
    let source = preset.source(&preset.loom().map_err(JobError::usage)?);
    let connection = Connection::open(examinee, conditions, &[source], Seed::new(0), setting).await?;
    let (params, strictness) = (examinee.request.params.clone(), examinee.request.strictness());
    let asked = probe(&*connection.model, &connection.id, params, strictness).await;
    asked.map_err(|error| if error.is_fatal() { JobError::usage(error) } else { JobError::Failed(error.into()) })
}
