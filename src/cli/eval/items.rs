//! Owns the flags about which items are asked about: those of a suite, of a preset, or that another run found.
//!
//! Must not know who is asked.

use crate::cli::given::{Given, pick};
use crate::item::record::Task;
use crate::job::eval::asked::Selection;
use crate::run::level::AS_WRITTEN;
use crate::run::plan::{EvalPlan, ItemsPlan};
use crate::run::shard::Shard;
use crate::run::store::is_address;
use std::path::{Path, PathBuf};

/// The suite that is asked by default.
const SUITE: &str = "standard";
/// Flags about the items.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Items")]
pub(in crate::cli) struct Flags {
    /// Suite: a name, a name with its version, or a file [default: standard]
    #[arg(long, value_name = "NAME[@VERSION]|FILE")]
    suite: Option<String>,
    /// Preset in place of a suite: a name in policies/, or a file
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "suite")]
    preset: Option<String>,
    /// Difficulty of a preset's items, 1 to 5
    #[arg(long, default_value_t = AS_WRITTEN, value_name = "1-5", requires = "preset", conflicts_with_all = ["suite", "items"])]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=5))]
    level: u8,
    /// Items that are there: the misses of an attack or the items of an evaluation (its run directory), or a file of JSON
    /// lines as `generate` writes it
    #[arg(long, value_name = "RUN_DIR|FILE", conflicts_with_all = ["suite", "preset"])]
    items: Option<PathBuf>,
    /// These tasks alone; may be given several times
    #[arg(long, value_enum)]
    pub(in crate::cli) task: Vec<Task>,
    /// Items of each task at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) limit: Option<u64>,
    /// Seed of the items
    #[arg(long, default_value_t = 0)]
    pub(in crate::cli) seed: u64,
}

impl Flags {
    /// The same with a suite, run or file that is named without a flag: a folder is a run, a file is one of items, unless it
    /// is YAML, and anything else a suite.
    pub(in crate::cli) fn naming(mut self, what: Option<&str>) -> Self {
        let Some(what) = what else { return self };
        let path = Path::new(what);
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        match path.is_dir() || is_address(path) || (path.is_file() && !is_yaml) {
            true => self.items = Some(path.into()),
            false => self.suite = Some(what.to_owned()),
        }
        self
    }

    /// The run or file, if one is named.
    pub(in crate::cli) fn items(&self) -> Option<&Path> {
        self.items.as_deref()
    }

    /// The items that are meant; of an evaluation that goes on those that it began with, but for what is given now.
    pub(in crate::cli) fn selection(
        &self,
        shard: Option<Shard>,
        earlier: Option<&EvalPlan>,
        given: &Given,
    ) -> Selection {
        let was = |flag: &str| earlier.filter(|_| !given.has(flag));
        let is_named = given.any(&["suite", "preset", "level", "items"]);
        Selection {
            items: pick(is_named, self.named(), earlier.map(|earlier| earlier.items.clone())),
            tasks: was("task").map_or_else(|| self.task.clone(), |earlier| earlier.tasks.clone()),
            limit: pick(given.has("limit"), self.limit, earlier.map(|earlier| earlier.limit)),
            seed: pick(given.has("seed"), self.seed, earlier.map(|earlier| earlier.seed)),
            shard: pick(given.has("shard"), shard, earlier.map(|earlier| earlier.shard)),
        }
    }

    fn named(&self) -> ItemsPlan {
        match (&self.items, &self.preset, &self.suite) {
            (Some(path), _, _) => ItemsPlan::Records { path: path.clone() },
            (None, Some(name), _) => ItemsPlan::Preset { name: name.clone(), level: self.level },
            (None, None, suite) => ItemsPlan::Suite { name: suite.clone().unwrap_or_else(|| SUITE.into()) },
        }
    }
}
