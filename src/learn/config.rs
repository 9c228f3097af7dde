//! Owns the error about a setting that learning refuses.
//!
//! Must not know the settings: each part of learning checks its own.

/// A setting with which learning can't work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct ConfigError {
    /// The setting's name, as in the preset.
    pub field: &'static str,
    /// What its value must be.
    pub problem: &'static str,
}
