//! Owns the names of tasks, verdicts and purposes as files, flags and tables spell them.
//!
//! Must not know more than the names; a test holds them against what serde writes, so that there is one spelling.

use super::{Purpose, Verdict};
use std::{fmt, str::FromStr};

/// A word that names nothing we know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("there is no {kind} `{given}`; choose one of {known}")]
pub struct UnknownName {
    pub(super) kind: &'static str,
    pub(super) given: String,
    pub(super) known: String,
}

macro_rules! names {
    ($type:ident, $kind:literal, $($variant:ident = $name:literal),+) => {
        impl $type {
            #[doc = concat!("Every ", $kind, ", in the order in which tables show them.")]
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The name in files, flags and tables.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name),+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|x| x.name() == text).ok_or_else(|| UnknownName {
                    kind: $kind,
                    given: text.into(),
                    known: Self::ALL.iter().map(|x| x.name()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

pub(super) use names;

names!(
    Purpose,
    "purpose",
    Attack = "attack",
    Confirm = "confirm",
    Baseline = "baseline",
    Eval = "eval",
    Shrink = "shrink",
    Pair = "pair"
);
names!(
    Verdict,
    "verdict",
    Correct = "correct",
    Wrong = "wrong",
    InvalidFormat = "invalid_format",
    Refusal = "refusal",
    NoResponse = "no_response",
    Truncated = "truncated",
    ProviderError = "provider_error",
    Timeout = "timeout"
);
