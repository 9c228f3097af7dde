//! Owns reading the probes of a record; older lines have only one.
//!
//! Must not know what a probe asks. Lines are kept for years; what an older program wrote has to stay readable.

use super::Probe;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Probe),
    Many(Vec<Probe>),
}

pub(super) fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Probe>, D::Error> {
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(probe) => vec![probe],
        OneOrMany::Many(probes) => probes,
    })
}
