//! Owns the card of a data set, `dataset.yaml`: everything that makes it again.
//!
//! Must not know the items.

use super::{CARD, Format, UNFINISHED};
use crate::item::record::Task;
use crate::run::preset::Preset;
use crate::run::shard::Shard;
use crate::run::yaml::{ConfigError, YamlFile};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a data set is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Card {
    /// The items of a suite.
    Suite(SuiteCard),
    /// Those of a preset.
    Woven(Box<WovenCard>),
}

/// A data set of a preset's items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WovenCard {
    /// Version of the generator.
    pub generator: String,
    /// What is asked.
    pub task: Task,
    /// The preset's name.
    pub preset: String,
    /// The difficulty, 1 to 5.
    pub level: u8,
    /// The seed.
    pub seed: u64,
    /// How many items there are.
    pub items: u64,
    /// False if it was stopped before.
    pub complete: bool,
    /// Programs woven, up to the end of a stretch.
    pub programs: u64,
    /// Items left out because their canonical form was there.
    pub repeated: u64,
    /// How it is split, as it was given.
    pub split: Option<String>,
    /// Hash of the policy that wove them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// How items are written.
    pub format: Format,
    /// Where it is a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<WovenPart>,
    /// Every setting.
    pub config: Preset,
}

/// What part of a preset's items it has: all that its stretches of programs make, repeated ones too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WovenPart {
    /// Which.
    pub shard: Shard,
    /// How many stretches it has: every one of its own up to there.
    pub stretches: u64,
    /// How many items the whole is to have.
    pub of_items: u64,
}

/// A data set of a suite's items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SuiteCard {
    /// Version of the generator.
    pub generator: String,
    /// Name and version.
    pub suite: String,
    /// The seed.
    pub seed: u64,
    /// That of all items, also where this is a part of them.
    pub fingerprint: String,
    /// How many items there are.
    pub items: u64,
    /// Where not every task was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// How it is split, as it was given.
    pub split: Option<String>,
    /// How items are written.
    pub format: Format,
    /// Which part it is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// What the suite is made of.
    pub parts: serde_yaml::Value,
}

impl Card {
    /// Reads that of a folder.
    ///
    /// # Errors
    /// If there is none, or it is no card.
    pub(crate) fn read(dir: &Path) -> Result<Self, ConfigError> {
        let file = YamlFile::read(&dir.join(CARD))?;
        // Told apart by a key, so that a mistake is told of the kind that is meant.
        let keys: serde_yaml::Value = file.parse()?;
        Ok(if keys.get("suite").is_some() { Self::Suite(file.parse()?) } else { Self::Woven(Box::new(file.parse()?)) })
    }

    /// That of a data set whose making ended by itself, if there is one in the folder.
    pub(crate) fn of_finished(dir: &Path) -> Option<Self> {
        let card = Self::read(dir).ok().filter(|_| !dir.join(UNFINISHED).exists())?;
        let is_complete = if let Self::Woven(card) = &card { card.complete } else { true };
        is_complete.then_some(card)
    }

    /// How many items there are.
    pub(crate) fn items(&self) -> u64 {
        match self {
            Self::Suite(card) => card.items,
            Self::Woven(card) => card.items,
        }
    }

    /// Which part it is of, where it is one.
    pub(crate) fn shard(&self) -> Option<Shard> {
        match self {
            Self::Suite(card) => card.shard,
            Self::Woven(card) => card.part.map(|part| part.shard),
        }
    }

    /// The card of what it is a part of, as far as every part knows it.
    pub(crate) fn whole(&self) -> Self {
        match self.clone() {
            Self::Suite(card) => Self::Suite(SuiteCard { items: 0, shard: None, ..card }),
            Self::Woven(card) => {
                let items = card.part.map_or(card.items, |part| part.of_items);
                Self::Woven(Box::new(WovenCard {
                    items,
                    programs: 0,
                    repeated: 0,
                    complete: true,
                    part: None,
                    ..*card
                }))
            }
        }
    }

    /// How items of the whole are written, and on which sides.
    pub(crate) fn form(&self) -> (Format, Option<&str>) {
        match self {
            Self::Suite(card) => (card.format, card.split.as_deref()),
            Self::Woven(card) => (card.format, card.split.as_deref()),
        }
    }
}
