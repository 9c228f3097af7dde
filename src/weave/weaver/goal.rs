//! Owns what one program is meant to become, and what a policy sees of that.
//!
//! Must not know what coming near it is worth. A goal is no limit: limits stand in the settings.

use super::Weaver;
use crate::seed::Rng;
use crate::wasm::isa::Op;
use crate::weave::align::reference::REAL_WORLD;
use crate::weave::align::{CLASSES, class_of};
use crate::weave::config::Bounds;

/// What one program is meant to become, besides like the real world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    /// Fuel that its run uses.
    pub fuel: u32,
    /// Blocks, and calls, around each other where its run is deepest.
    pub depth: Option<u32>,
}

/// Classes that a policy sees: no program of ours has more.
const CLASSES_SEEN: usize = 48;
/// Fuel that is left to the goal, from which on it is seen one by one: the ends of the buckets.
const LEFT: [i32; 16] = [-8, -4, -2, -1, 0, 1, 2, 3, 4, 5, 6, 8, 11, 16, 24, 36];
const NUMBERS: usize = 8;

/// The blocks of an observation of a goal in their order, with their widths.
pub const LAYOUT: &[(&str, usize)] =
    &[("goal_fuel_left", LEFT.len() + 1), ("goal_classes_short", CLASSES_SEEN), ("goal_numbers", NUMBERS)];

/// Length of an observation of a goal.
pub const GOAL: usize = LEFT.len() + 1 + CLASSES_SEEN + NUMBERS;

impl Goal {
    /// One within these bounds, ends included.
    pub fn draw(fuel: Bounds, depth: Option<Bounds>, rng: &mut Rng) -> Self {
        let within = |bounds: Bounds, rng: &mut Rng| rng.between(bounds.min.into(), bounds.max.into()) as u32;
        Self { fuel: within(fuel, rng).max(1), depth: depth.map(|depth| within(depth, rng).max(1)) }
    }
}

impl Weaver {
    /// Writes how far the program is from a goal, and from the real world; `out` is [`GOAL`] long.
    pub fn observe_goal(&self, goal: &Goal, out: &mut [f32]) {
        out.fill(0.0);
        let (left_seen, rest) = out.split_at_mut(LEFT.len() + 1);
        let (classes, numbers) = rest.split_at_mut(CLASSES_SEEN);
        let used = self.machine.fuel() as i32;
        // What it takes to close all that is open will be used as well.
        let closing = if self.live { self.config().fuel.max as i32 - used - self.spare_fuel() as i32 } else { 0 };
        let left = goal.fuel as i32 - used - closing;
        left_seen[LEFT.iter().filter(|&&end| left >= end).count()] = 1.0;

        let total = self.observe_classes(classes);
        let (goal_fuel, left) = (goal.fuel as f32, left as f32);
        let depth = goal.depth.map_or(0.0, |depth| depth as f32);
        let deepest = self.scopes.iter().map(|scope| scope.depth).max().unwrap_or(0) as f32;
        numbers.copy_from_slice(&[
            1.0,
            goal_fuel / 50.0,
            (left / 50.0).clamp(-1.0, 2.0),
            (left / goal_fuel).clamp(-1.0, 1.0),
            (left / 8.0).clamp(-1.0, 1.0),
            (total / 64.0).min(2.0),
            depth / 8.0,
            if depth > 0.0 { (depth - deepest) / 8.0 } else { 0.0 },
        ]);
    }

    /// Writes how much each class is short of its share in real code, negative where there is too much; returns the number
    /// of instructions.
    fn observe_classes(&self, out: &mut [f32]) -> f32 {
        let mut counts = [0.0; CLASSES_SEEN];
        for (op, &count) in Op::ALL.iter().zip(&self.histogram).filter(|(_, count)| **count > 0) {
            if let Some(class) = class_of(*op) {
                counts[class] += f32::from(count);
            }
        }
        let total: f32 = counts.iter().sum();
        for (class, out) in out.iter_mut().take(CLASSES.len()).enumerate() {
            let share = REAL_WORLD.classes.shares[class] as f32;
            // In instructions rather than shares: what can still be mended by one.
            *out = (share * total - counts[class]).clamp(-4.0, 4.0) / 4.0;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::weave::config::WeaveConfig;
    use crate::weave::prior::Prior;
    use crate::weave::weaver::Loom;
    use std::sync::Arc;

    #[test]
    fn goals_lie_within_their_bounds_and_reach_both_ends() {
        let (fuel, depth) = (Bounds { min: 10, max: 13 }, Some(Bounds { min: 0, max: 2 }));
        let mut rng = Seed::new(1).rng();
        let drawn: Vec<Goal> = (0..200).map(|_| Goal::draw(fuel, depth, &mut rng)).collect();
        for end in [10, 13] {
            assert!(drawn.iter().any(|goal| goal.fuel == end));
        }
        assert!(drawn.iter().all(|goal| (10..=13).contains(&goal.fuel)));
        assert!(drawn.iter().all(|goal| goal.depth.is_some_and(|depth| (1..=2).contains(&depth))));
    }

    /// What is left to the goal, with what closing costs taken off, is exact at the end of a run.
    #[test]
    fn what_is_left_is_seen() {
        assert!(CLASSES.len() <= CLASSES_SEEN);
        let loom = Arc::new(Loom::new(WeaveConfig::default()).expect("valid settings"));
        let taste = Prior::default().taste(&loom.config.instructions());
        for seed in 0..50 {
            let mut weaver = Weaver::new(loom.clone(), seed);
            taste.weave(&mut weaver, &mut Seed::new(seed).rng());
            weaver.live = false;
            for (off, bucket) in [(-20, 0), (-1, 4), (0, 5), (1, 6), (7, 11), (100, 16)] {
                let fuel = weaver.machine.fuel() as i32 + off;
                if fuel < 1 {
                    continue;
                }
                let mut seen = [0.0; GOAL];
                weaver.observe_goal(&Goal { fuel: fuel as u32, depth: None }, &mut seen);
                assert_eq!(seen[..17].iter().position(|&x| x == 1.0), Some(bucket), "{off}");
                assert_eq!(seen[..17].iter().sum::<f32>(), 1.0);
            }
        }
    }
}
