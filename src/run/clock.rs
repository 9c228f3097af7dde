//! Owns the wall clock as files and directory names show it: UTC, to the second.
//!
//! Must not know what happened at that time. Only manifests, directory names and timings may depend on the clock.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// A moment in UTC, as text: `2026-03-01T09:05:07Z`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(String);

impl Stamp {
    /// The present moment.
    pub fn now() -> Self {
        Self::of(SystemTime::now())
    }

    /// This moment. One before 1970 is taken for 1970: only a broken clock shows it, and no result depends on it.
    pub fn of(time: SystemTime) -> Self {
        Self(DateTime::<Utc>::from(time.max(UNIX_EPOCH)).to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    /// As it is written: `2026-03-01T09:05:07Z`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for file names, which sorts by time and needs no quoting: `20260301-090507`.
    pub fn for_file_name(&self) -> String {
        self.0.chars().filter_map(|c| if c == 'T' { Some('-') } else { c.is_ascii_digit().then_some(c) }).collect()
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Stamp {
        Stamp::of(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn moments_are_those_of_date_u() {
        // Each from `date -u -d @N`.
        assert_eq!(at(0).as_str(), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_399).as_str(), "2000-02-28T23:59:59Z");
        assert_eq!(at(951_782_400).as_str(), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_735_689_599).as_str(), "2024-12-31T23:59:59Z");
        assert_eq!(at(4_107_542_400).as_str(), "2100-03-01T00:00:00Z");
        assert_eq!(Stamp::of(UNIX_EPOCH - Duration::from_secs(1)), at(0));
    }

    #[test]
    fn file_names_sort_by_time() {
        assert_eq!(at(1_735_689_599).for_file_name(), "20241231-235959");
        assert!(at(1_735_689_599).for_file_name() < at(1_735_689_600).for_file_name());
    }
}
