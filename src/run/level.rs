//! Owns the difficulty levels: how a preset becomes easier or harder, from 1 to 5, with 3 as it stands in its file.
//!
//! Must not know what is woven then, nor how hard it is for a model. A level scales fuel and size, how deep blocks nest
//! and operands pile up, and which constructs there are at all.

use super::preset::Preset;
use crate::item::record::Shape;
use crate::weave::action::{MAX_FUNCS, MAX_LABELS, MAX_LOCALS};
use crate::weave::config::{Bounds, MAX_STACK};

/// The level of a preset as its file has it.
pub(crate) const AS_WRITTEN: u8 = 3;

/// One level.
struct Level {
    /// Factors of fuel and bytes.
    fuel: f64,
    bytes: f64,
    /// Added to how deep blocks nest, and to how many functions, operands and locals there may be.
    more: i32,
    /// Constructs that are left out.
    without: &'static [&'static str],
}

/// What the two tasks about the way through a program do not need.
const BRANCHING: &[&str] = &["loop", "call", "call_indirect", "br_table", "return", "br"];
/// All that is not straight ahead.
const CONTROL: &[&str] = &["loop", "call", "call_indirect", "br_table", "return", "br", "br_if", "block", "if"];

/// The levels, easiest first; those of the tasks that ask for values, and of the tasks that ask for the way.
const LEVELS: [(Level, &[&str]); 5] = [
    (Level { fuel: 0.3, bytes: 0.5, more: -2, without: CONTROL }, BRANCHING),
    (Level { fuel: 0.5, bytes: 0.8, more: -1, without: BRANCHING }, &["call_indirect", "br_table"]),
    (Level { fuel: 1.0, bytes: 1.0, more: 0, without: &[] }, &[]),
    (Level { fuel: 2.0, bytes: 1.5, more: 1, without: &[] }, &[]),
    (Level { fuel: 4.0, bytes: 2.5, more: 2, without: &[] }, &[]),
];

impl Preset {
    /// This preset at a level from 1 to 5.
    ///
    /// # Panics
    /// If there is no such level.
    pub fn at_level(mut self, number: u8) -> Self {
        let (level, way) = &LEVELS[usize::from(number) - 1];
        let scale = |bounds: Bounds, factor: f64, least: u32| {
            // What is below the least as written stays as it is, but does not become less.
            let max = ((f64::from(bounds.max) * factor).round() as u32).max(least.min(bounds.max));
            Bounds { min: ((f64::from(bounds.min) * factor).round() as u32).min(max), max }
        };
        self.weave.fuel = scale(self.weave.fuel, level.fuel, 10);
        self.weave.bytes = scale(self.weave.bytes, level.bytes, 200);
        let more = |limit: &mut u32, least: u32, most: u32| {
            *limit = limit.saturating_add_signed(level.more).clamp(least.min(*limit), most.max(*limit));
        };
        let limits = &mut self.weave.limits;
        more(&mut limits.nesting, 1, MAX_LABELS - 1);
        more(&mut limits.functions, 1, MAX_FUNCS);
        more(&mut limits.stack, 3, MAX_STACK);
        more(&mut limits.locals, 2, MAX_LOCALS);
        more(&mut self.probe.max_depth, self.probe.min_depth.max(2), MAX_STACK);
        let without = if self.task.shape() == Shape::Values { level.without } else { way };
        self.weave.forbid.extend(without.iter().map(|&name| name.to_owned()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_of_each_preset_can_be_asked_about_and_is_longer_than_the_one_before() {
        for name in ["stack", "result", "reachability", "fuel"] {
            let mut before = 0.0;
            for level in 1..=5 {
                let preset = Preset::load(name).expect("shipped").at_level(level);
                let loom = preset.loom().expect("valid settings");
                let items = preset.source_unread(&loom).items(crate::seed::Seed::new(1), 100).expect("there are items");
                let fuel = items.iter().map(|item| item.fuel as f64).sum::<f64>() / items.len() as f64;
                assert!(fuel > 1.02 * before, "{name} {level}: {fuel} after {before}");
                before = fuel;
            }
        }
        let everything = Preset::load("everything").expect("shipped");
        assert!(
            (1..=5).all(|level| everything.clone().at_level(level).weave.check().is_ok()),
            "limits keep their bounds"
        );
        for name in ["stack", "result", "reachability", "fuel", "tiny"] {
            let written = Preset::load(name).expect("shipped");
            assert_eq!(written.clone().at_level(AS_WRITTEN), written);
        }
    }
}
