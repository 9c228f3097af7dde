//! Owns why the program ends, and with which exit code.
//!
//! Must not know any verb.

use crate::job::error::{JobError, differs, is_damage};
use std::process::ExitCode;

/// Why the program ends with something else than 0.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user can mend it: flags, files, keys. Exit code 2.
    Usage(anyhow::Error),
    /// Something went wrong. Exit code 1.
    Error(anyhow::Error),
    /// Everything went well, but what was measured misses a threshold. Exit code 100.
    Missed(anyhow::Error),
    /// A signal stopped it before its end. Exit code 130 or 143.
    Interrupted {
        /// The exit code.
        code: u8,
        /// What to do to go on.
        after: String,
    },
}

impl Failure {
    /// A mistake of the user's.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    /// Something that cannot be read: a mistake of the user's, unless what is there was damaged.
    pub(crate) fn unread(error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        if is_damage(&error) { Self::Error(error) } else { Self::Usage(error) }
    }

    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Error(_) => ExitCode::FAILURE,
            Self::Missed(_) => ExitCode::from(100),
            Self::Interrupted { code, .. } => ExitCode::from(*code),
        }
    }

    /// What is told of it.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Usage(error) | Self::Error(error) | Self::Missed(error) => format!("error: {error}"),
            Self::Interrupted { after, .. } => format!("interrupted; {after}"),
        }
    }
}

impl Failure {
    fn of_job(error: JobError) -> Self {
        let is_usage = error.is_usage();
        let error = match error {
            JobError::Usage(error) | JobError::Failed(error) => error,
            JobError::Differs { run, keys } => anyhow::Error::msg(differs(&run, &flags(&keys))),
            error @ JobError::Exchange { .. } => anyhow::Error::msg(error.to_string()),
        };
        if is_usage { Self::Usage(error) } else { Self::Error(error) }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: anyhow::Error = error.into();
        error.downcast().map_or_else(Self::Error, Self::of_job)
    }
}

/// The flags that set these keys of a plan, each once. What no flag sets, as the version of the program, is named as it is.
fn flags(keys: &[String]) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    for key in keys {
        let parts: Vec<&str> = key.split('.').collect();
        let flag = match parts[..] {
            ["model", "request", .., last] | ["models", _, "request", .., last] => last,
            ["model" | "models", ..] => "model",
            ["prompts" | "prompt", ..] => "prompt",
            ["tasks", ..] => "task",
            ["strategy", "like", ..] => "like",
            ["strategy", "policy", ..] => "policy",
            ["strategy", "predictor", ..] => "no-predictor",
            [first, ..] if !first.contains(' ') => first,
            _ => key,
        };
        let flag = if flag == key && key.contains(' ') { key.clone() } else { format!("--{}", flag.replace('_', "-")) };
        if !flags.contains(&flag) {
            flags.push(flag);
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_plan_are_told_as_the_flags_that_set_them() {
        let keys = ["seed", "model.request.params.max_tokens", "models.0.prices", "models.1.request.temperature"];
        let keys =
            [&keys[..], &["strategy.like.run", "tasks.1", "wasmweaver 0.0.9, which wrote it,", "tasks.2"]].concat();
        let keys: Vec<String> = keys.into_iter().map(Into::into).collect();
        let wanted = [
            "--seed",
            "--max-tokens",
            "--model",
            "--temperature",
            "--like",
            "--task",
            "wasmweaver 0.0.9, which wrote it,",
        ];
        assert_eq!(flags(&keys), wanted);
        let failure = Failure::from(JobError::Differs { run: "runs/a".into(), keys: keys[..1].to_vec() });
        assert!(matches!(failure, Failure::Usage(_)), "{failure:?}");
        assert!(failure.sentence().contains("runs/a cannot be resumed like this: --seed would differ"));
    }
}
