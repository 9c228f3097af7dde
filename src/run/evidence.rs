//! Owns keeping a program that broke a promise where it can be studied: its text, its bytes, and what rebuilds it.
//!
//! Must not know which promise it is, or who looked. Verbs and tests save what they find here, so that a report of a bug
//! has the same files wherever it comes from.

use crate::item::record::Recipe;
use crate::wasm::encode::encode;
use crate::wasm::print::print;
use crate::weave::recipe::GENERATOR;
use crate::weave::weaver::Weaver;
use serde_json::json;
use std::path::Path;
use std::{fs, io};

/// What there is of a program; what is missing is not written.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The text format.
    pub text: Option<String>,
    /// The binary format.
    pub binary: Option<Vec<u8>>,
    /// What it broke, and what rebuilds it.
    pub told: Option<serde_json::Value>,
}

impl Evidence {
    /// Of a woven program, finished or not: with its recipe, and the settings that it was woven under.
    pub fn of_woven(weaver: &Weaver, what: &str) -> Self {
        let (seed, actions) = (weaver.seed(), weaver.actions().to_vec());
        let recipe = Recipe { generator: GENERATOR.into(), seed, actions };
        Self {
            text: Some(print(weaver.program(), &[])),
            binary: Some(encode(weaver.program())),
            told: Some(json!({ "broken": what, "weave": weaver.config(), "recipe": recipe })),
        }
    }

    /// Writes `base.wat`, `base.wasm` and `base.json`, as far as there is something; makes the folder where it is missing.
    pub fn save(&self, base: &Path) -> io::Result<()> {
        if let Some(folder) = base.parent() {
            fs::create_dir_all(folder)?;
        }
        let told = self.told.as_ref().map(|told| format!("{told:#}\n").into_bytes());
        let text = self.text.as_ref().map(|text| text.clone().into_bytes());
        for (ending, bytes) in [("wat", text), ("wasm", self.binary.clone()), ("json", told)] {
            bytes.map_or(Ok(()), |bytes| fs::write(base.with_extension(ending), bytes))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weave::chance::Chance;
    use crate::weave::config::WeaveConfig;
    use crate::weave::recipe::rebuild;
    use crate::weave::weaver::Loom;
    use std::sync::Arc;

    #[test]
    fn what_is_saved_rebuilds_the_program() {
        let loom = Arc::new(Loom::new(WeaveConfig::default()).expect("can be met"));
        let mut weaver = Weaver::new(loom, 7);
        Chance::Actions.weave(&mut weaver, &mut crate::seed::Rng::from_u64(7));
        let dir = tempfile::tempdir().expect("can be made");
        let base = dir.path().join("deep/broken-000");
        Evidence::of_woven(&weaver, "nothing").save(&base).expect("can be written");
        let read = |ending: &str| fs::read(base.with_extension(ending)).expect("it was written");
        let told: serde_json::Value = serde_json::from_slice(&read("json")).expect("JSON");
        let recipe: Recipe = serde_json::from_value(told["recipe"].clone()).expect("a recipe");
        let config: WeaveConfig = serde_json::from_value(told["weave"].clone()).expect("settings");
        let again =
            rebuild(Arc::new(Loom::new(config).expect("can be met")), &recipe.generator, recipe.seed, &recipe.actions);
        assert_eq!(encode(again.expect("it rebuilds").program()), read("wasm"));
        assert_eq!(String::from_utf8(read("wat")).expect("text"), print(weaver.program(), &[]));
        Evidence::default().save(&base.with_file_name("none")).expect("nothing to write");
        assert_eq!(fs::read_dir(base.parent().expect("has one")).expect("a folder").count(), 3);
    }
}
