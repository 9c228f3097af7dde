//! Owns why a job failed, and whether its user can mend it.
//!
//! Must not know exit codes.

use crate::ask::chat::ChatErrorKind;
use crate::ask::exchange::ExchangeError;
use crate::ask::guess::lessons::LessonError;
use crate::ask::prompt::PromptError;
use crate::ask::serve::ServeError;
use crate::attack::search::AttackError;
use crate::attack::shrink::ShrinkError;
use crate::item::edit::UnreadableItem;
use crate::item::record::SinkError;
use crate::item::stream::Disagrees;
use crate::learn;
use crate::learn::checkpoint::CheckpointError;
use crate::report::leaderboard::LeaderboardError;
use crate::report::plot::PlotError;
use crate::report::summary::ReportError;
use crate::run::dataset::DataSetError;
use crate::run::dir::DirError;
use crate::run::extent::Damage;
use crate::run::intact::ReadError;
use crate::run::jsonl::LineError;
use crate::run::order::OrderError;
use crate::run::shrunk::ShrunkError;
use crate::run::store::StoreError;
use std::fmt;

/// Why a job failed. What was written before stays, and is whole.
#[derive(Debug)]
pub enum JobError {
    /// The user can mend it: a plan, a file, a key.
    Usage(anyhow::Error),
    /// Something went wrong.
    Failed(anyhow::Error),
    /// A run cannot go on with this plan.
    Differs {
        /// Its directory.
        run: String,
        /// The keys of the plan that differ from what it began with, as `model.request.temperature`.
        keys: Vec<String>,
    },
    /// The model could not be asked on.
    Exchange {
        /// Why.
        error: ExchangeError,
        /// How to go on when it answers again.
        todo: &'static str,
    },
}

impl JobError {
    /// Something that the user can mend.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    /// The same in a sentence.
    pub fn wrong(problem: impl Into<String>) -> Self {
        Self::Usage(anyhow::Error::msg(problem.into()))
    }

    /// Something that went wrong, in a sentence.
    pub fn failed(problem: impl Into<String>) -> Self {
        Self::Failed(anyhow::Error::msg(problem.into()))
    }

    /// Something that cannot be read: the user's to mend, unless what is there was damaged.
    pub fn unread(error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        if is_damage(&error) { Self::Failed(error) } else { Self::Usage(error) }
    }

    /// An exchange that broke off, and how to go on.
    pub fn exchange(error: ExchangeError, todo: &'static str) -> Self {
        Self::Exchange { error, todo }
    }

    /// Whether the user can mend it. What a provider answers to every question is the user's to mend, but for a parameter
    /// that the model does not take, which only the first request can show.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Usage(_) | Self::Differs { .. } => true,
            Self::Failed(_) => false,
            Self::Exchange { error: ExchangeError::Refused { error, .. }, .. } => {
                error.kind != ChatErrorKind::Parameter
            }
            Self::Exchange { .. } => false,
        }
    }

    /// Whether the provider answers the same to every question.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Exchange { error: ExchangeError::Refused { .. }, .. })
    }

    /// The error that it is of, if it is one of this type.
    pub fn cause<E: std::error::Error + Send + Sync + 'static>(&self) -> Option<&E> {
        match self {
            Self::Usage(error) | Self::Failed(error) => error.downcast_ref(),
            Self::Differs { .. } | Self::Exchange { .. } => None,
        }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) | Self::Failed(error) => write!(f, "{error}"),
            Self::Differs { run, keys } => write!(f, "{}", differs(run, keys)),
            Self::Exchange { error: error @ ExchangeError::Outage { .. }, todo } => write!(f, "{error}; {todo}"),
            Self::Exchange { error, .. } => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for JobError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Usage(error) | Self::Failed(error) => error.source(),
            Self::Differs { .. } => None,
            Self::Exchange { error, .. } => Some(error),
        }
    }
}

/// What is said of a run that cannot go on, with what the caller calls each thing that differs.
pub(crate) fn differs(run: &str, what: &[String]) -> String {
    let what = what.join(", ");
    format!(
        "{run} cannot be resumed like this: {what} would differ from what the run began with; undo that, or begin a new run"
    )
}

/// Whether an error is one about a file that does not hold what its run wrote.
pub(crate) fn is_damage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Damage>())
}

/// Errors that the user of a job cannot mend.
macro_rules! failures {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for JobError {
            fn from(error: $error) -> Self {
                Self::Failed(error.into())
            }
        })+
    };
}

failures!(
    anyhow::Error,
    std::io::Error,
    serde_json::Error,
    serde_yaml::Error,
    UnreadableItem,
    SinkError,
    Disagrees,
    LessonError,
    PromptError,
    ServeError,
    learn::Error,
    CheckpointError,
    AttackError,
    ShrinkError,
    DataSetError,
    DirError,
    ReadError,
    LineError,
    OrderError,
    ShrunkError,
    StoreError,
    PlotError,
    ReportError,
    LeaderboardError,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::chat::ChatError;

    #[test]
    fn a_wrong_key_is_the_user_s_and_a_parameter_that_nobody_knew_is_not() {
        let refused = |kind| {
            let error = ExchangeError::Refused { name: "a/b".into(), error: ChatError::new(kind, "x") };
            JobError::exchange(error, "ask again")
        };
        assert!(refused(ChatErrorKind::Auth).is_usage() && refused(ChatErrorKind::Auth).is_refusal());
        assert!(!refused(ChatErrorKind::Parameter).is_usage());
        let outage = ExchangeError::Outage { name: "a/b".into(), questions: 8, trouble: "busy".into() };
        let outage = JobError::exchange(outage, "ask again");
        assert!(!outage.is_usage() && !outage.is_refusal());
        assert_eq!(
            outage.to_string(),
            "a/b does not answer: 8 questions one after the other met trouble; the last: busy; ask again"
        );
    }
}
