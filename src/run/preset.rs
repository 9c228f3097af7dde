//! Owns presets: the YAML files of `policies/`, composed of each folder's own settings.
//!
//! Must not hold defaults (those stand with the settings) nor check ranges itself: each folder checks its own, and here
//! a mistake only gets its file and line.

use super::plan::NamedConfig;
use super::yaml::{ConfigError, YamlFile, is_path, nearest};
use crate::attack::search::AttackConfig;
use crate::item::halt::Halt;
use crate::item::record::Task;
use crate::item::source::ItemSource;
use crate::item::task::ProbeConfig;
use crate::learn::policy::PolicyConfig;
use crate::learn::ppo::PpoConfig;
use crate::learn::reward::{RewardConfig, WeavingReward};
use crate::learn::train::TrainConfig;
use crate::weave::chooser::Chooser;
use crate::weave::config::{WeaveConfig, WeaveConfigError};
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name and text of each preset.
macro_rules! shipped {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../../policies/", $name, ".yaml")))),*] };
}

/// The presets that the binary carries, so that it needs no files beside it.
const SHIPPED: [(&str, &str); 10] = shipped! {
    "aligned" "broad" "everything" "fuel" "paper-reachability" "paper-stack" "reachability" "result" "stack" "tiny"
};
/// Where presets lie.
const FOLDER: &str = "policies";

/// Everything that a preset sets. What a file leaves out has the default of its folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What it is for, in a few words.
    #[serde(default)]
    pub description: String,
    /// What is asked.
    pub task: Task,
    /// The programs.
    #[serde(default)]
    pub weave: WeaveConfig,
    /// The places asked about.
    #[serde(default)]
    pub probe: ProbeConfig,
    /// What misses are worth.
    #[serde(default)]
    pub reward: RewardConfig,
    /// What programs are worth that are to be like the real world.
    #[serde(default)]
    pub weaving_reward: WeavingReward,
    /// How a policy is trained without a model.
    #[serde(default)]
    pub train: TrainConfig,
    /// How a budget is spent.
    #[serde(default)]
    pub attack: AttackConfig,
    /// What an untrained policy prefers.
    #[serde(default)]
    pub prior: Prior,
    /// The network.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// How it learns.
    #[serde(default)]
    pub ppo: PpoConfig,
}

impl Preset {
    /// The preset of this name or in this file. A name means `policies/NAME.yaml`, or else the preset that is shipped
    /// under it.
    ///
    /// # Errors
    /// A [`ConfigError`] with file and line.
    pub fn load(name: &str) -> Result<Self, ConfigError> {
        Self::read(&Self::find(name)?)
    }

    /// The preset that the program itself carries under this name, whatever lies in the folder.
    ///
    /// # Errors
    /// If it carries none.
    pub fn shipped(name: &str) -> Result<Self, ConfigError> {
        let path = Path::new(FOLDER).join(format!("{name}.yaml"));
        match SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            Some((_, text)) => Self::from_text(&path, text),
            None => Err(with_shipped(ConfigError::whole(&path, "there is no such preset", "name another one"), name)),
        }
    }

    /// The preset that this text is. Mistakes name `path`, and their line in the text.
    ///
    /// # Errors
    /// A [`ConfigError`].
    pub fn from_text(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Self::read(&YamlFile::from_text(path, text))
    }

    /// The preset of a plan, with every setting as it was used.
    ///
    /// # Errors
    /// If it has settings that this program does not know.
    pub fn of_plan(plan: &NamedConfig) -> Result<Self, ConfigError> {
        let path = PathBuf::from(format!("{} (as it stands in the manifest)", plan.name));
        let text = serde_yaml::to_string(&plan.config).expect("what was read as YAML is written as YAML");
        Self::from_text(&path, &text)
    }

    /// The preset as a plan has it, under a name.
    pub fn named(&self, name: &str) -> NamedConfig {
        NamedConfig { name: name.into(), config: serde_yaml::to_value(self).expect("plain data") }
    }

    fn read(file: &YamlFile) -> Result<Self, ConfigError> {
        let preset: Self = file.parse()?;
        preset.check(file)?;
        Ok(preset)
    }

    /// What weaves its programs.
    ///
    /// # Errors
    /// If the settings make no sense: those of a preset that was loaded do, but they may have been changed since.
    pub fn loom(&self) -> Result<Arc<Loom>, WeaveConfigError> {
        Loom::new(self.weave.clone()).map(Arc::new)
    }

    /// Where items of this preset come from. `loom` is made of [`Preset::weave`].
    pub fn source(&self, loom: &Arc<Loom>) -> ItemSource {
        self.source_until(loom, &Halt::default())
    }

    /// The same until it is halted.
    pub fn source_until(&self, loom: &Arc<Loom>, halt: &Halt) -> ItemSource {
        self.source_by(loom, self.taste(loom), halt)
    }

    /// The same for a look at the form of items alone.
    pub fn source_unread(&self, loom: &Arc<Loom>) -> ItemSource {
        ItemSource::unread(loom, self.task, self.probe, self.taste(loom))
    }

    fn taste(&self, loom: &Loom) -> Arc<dyn Chooser> {
        Arc::new(self.prior.taste(&loom.config.instructions()))
    }

    /// The same of programs that another chooser makes, until it is halted.
    pub fn source_by(&self, loom: &Arc<Loom>, chooser: Arc<dyn Chooser>, halt: &Halt) -> ItemSource {
        ItemSource::until(loom, self.task, self.probe, chooser, halt)
    }

    fn find(name: &str) -> Result<YamlFile, ConfigError> {
        let is_path = is_path(name);
        let path = if is_path { PathBuf::from(name) } else { Path::new(FOLDER).join(format!("{name}.yaml")) };
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let in_folder = path.parent() == Some(Path::new(FOLDER));
        let shipped = SHIPPED.iter().find(|(shipped, _)| in_folder && Some(*shipped) == stem.as_deref());
        match shipped {
            Some((_, text)) if !path.exists() => Ok(YamlFile::from_text(&path, text)),
            _ => YamlFile::read(&path).map_err(|error| if is_path { error } else { with_shipped(error, name) }),
        }
    }

    fn check(&self, file: &YamlFile) -> Result<(), ConfigError> {
        self.weave.check().map_err(|error| {
            let path: Vec<&str> = ["weave"].into_iter().chain(error.path.iter().copied()).collect();
            file.at(&path, &error.message, "change it")
        })?;
        let learner = |section: &'static str| {
            move |error: crate::learn::ConfigError| file.at(&[section, error.field], error.problem, "change it")
        };
        self.policy.check().map_err(learner("policy"))?;
        self.ppo.check().map_err(learner("ppo"))?;
        self.train.check().map_err(learner("train"))?;
        self.weaving_reward.check().map_err(learner("weaving_reward"))?;
        if let Some(mistake) = self.prior.mistake() {
            return Err(file.at(&["prior"], &mistake, "change it"));
        }
        let probe = &self.probe;
        if probe.min_depth > probe.max_depth {
            let what = format!("min_depth is {}, above max_depth, which is {}", probe.min_depth, probe.max_depth);
            return Err(file.at(&["probe", "min_depth"], &what, "lower it"));
        }
        let flags = probe.flags;
        if flags.min == 0 || flags.min > flags.max {
            let what = format!("min is {} and max is {}", flags.min, flags.max);
            return Err(file.at(
                &["probe", "flags"],
                &what,
                "give a min of at least 1, and a max that is not below it",
            ));
        }
        let shares = [
            (["probe", "after"], probe.after),
            (["attack", "confirm"], self.attack.confirm),
            (["attack", "cover"], self.attack.cover),
            (["attack", "unbiased"], self.attack.unbiased),
            (["reward", "miss"], f64::from(self.reward.miss)),
            (["reward", "repeated"], f64::from(self.reward.repeated)),
            (["reward", "novelty"], f64::from(self.reward.novelty)),
        ];
        for (path, share) in shares {
            if !(0.0..=1.0).contains(&share) {
                return Err(file.at(&path, &format!("{} is {share}", path[1]), "give a number from 0 to 1"));
            }
        }
        let counts = [
            (["attack", "batch"], self.attack.batch),
            (["attack", "candidates"], self.attack.candidates),
            (["probe", "max_hit"], probe.max_hit),
        ];
        for (path, count) in counts {
            if count == 0 {
                return Err(file.at(&path, &format!("{} is 0", path[1]), "give at least 1"));
            }
        }
        Ok(())
    }
}

/// An error about a preset's name also says which the program itself carries.
fn with_shipped(mut error: ConfigError, name: &str) -> ConfigError {
    let names = SHIPPED.map(|(name, _)| name);
    if let Some(near) = nearest(name, names) {
        error.todo = format!("did you mean `{near}`? {}", error.todo);
    }
    error.todo += &format!("; the program itself carries {}", names.join(", "));
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_presets_are_sound() {
        for (name, text) in SHIPPED {
            let file = YamlFile::from_text(Path::new(name), text);
            let preset: Preset = file.parse().expect(name);
            preset.check(&file).expect(name);
        }
    }

    #[test]
    fn a_misspelt_name_gets_those_that_there_are() {
        let error = Preset::load("stakc").expect_err("there is none").to_string();
        assert!(error.contains("did you mean") && error.contains("paper-reachability, paper-stack"), "{error}");
    }

    #[test]
    fn mistakes_name_their_line() {
        let error = |text: &str| {
            let file = YamlFile::from_text(Path::new("p.yaml"), text);
            let checked = file.parse::<Preset>().and_then(|preset| preset.check(&file));
            checked.expect_err(text).to_string()
        };
        assert!(error("task: stack\nweave:\n  fuel: {min: 9, max: 3}\n").starts_with("p.yaml:3:"));
        assert!(error("task: stack\nweave:\n  forbid:\n    - i32.ad\n").starts_with("p.yaml:3:"));
        assert!(error("task: stack\nweave:\n  bytes: {max: 20}\n").starts_with("p.yaml:3:"));
        assert!(error("task: stack\nprobe: {after: 2}\n").starts_with("p.yaml:2:"));
        assert!(error("task: reachability\nprobe:\n  flags: {min: 5}\n").starts_with("p.yaml:3:"));
        assert!(error("task: reachability\nprobe:\n  flags: {mni: 5}\n").starts_with("p.yaml:3:"));
        assert!(error("task: stack\nwaeve: {}\n").starts_with("p.yaml:2:"));
        assert!(error("task: stack\nreward:\n  miss: 1\n  novelty: 1.5\n").starts_with("p.yaml:4:"));
        assert!(error("task: stack\nattack: {candidates: 0}\n").starts_with("p.yaml:2:"));
        assert!(error("task: stack\nattack:\n  cover: -1\n").starts_with("p.yaml:3:"));
        assert!(error("task: stack\nppo:\n  learning_rate: -1\n").starts_with("p.yaml:3:"));
        for wrong in ["batch: 0", "steps: 0", "depth: {min: 3, max: 2}", "final_rate: 1.5", "final_rate: .nan"] {
            assert!(error(&format!("task: stack\ntrain:\n  {wrong}\n")).starts_with("p.yaml:3:"), "{wrong}");
        }
        for wrong in ["align: .inf", "length: -1", "depth: .nan", "pooled: {opcode: -2}"] {
            assert!(error(&format!("task: stack\nweaving_reward:\n  {wrong}\n")).starts_with("p.yaml:3:"), "{wrong}");
        }
    }
}
