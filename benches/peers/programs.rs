//! Owns how many whole programs a second are woven, and the presets that this is measured on.
//!
//! Must not know other generators.

use crate::Options;
use crate::figure::{Figure, rate};
use std::sync::Arc;
use wasmweaver::run::preset::Preset;
use wasmweaver::seed::{Rng, Seed};
use wasmweaver::wasm::machine::{Machine, Observer};
use wasmweaver::wasm::program::{Place, Program};
use wasmweaver::wasm::rerun::Execution;
use wasmweaver::weave::chance::Chance;
use wasmweaver::weave::config::{Bounds, WeaveConfig};
use wasmweaver::weave::weaver::{Loom, Weaver};

/// Instructions of a straight-line program, as many as the prototype's had.
const STRAIGHT: f64 = 52.0;
/// Executed instructions of a program of preset `everything`.
const EXECUTED: f64 = 30.0;

/// Numbers, locals, constants, `drop` and `select`: nothing that branches, calls or touches memory.
const STRAIGHT_LINE: &str = "
bytes: {max: 2000}
features: [sign_extension, saturating_float_to_int]
allow: [int arithmetic, int bitwise, int comparison, float arithmetic, float comparison, conversion, local, drop, select]
";

/// Weaves program after program on one weaver.
pub(crate) struct Loop {
    weaver: Weaver,
    chance: Chance,
    seeds: Rng,
    choices: Rng,
}

impl Loop {
    pub(crate) fn new(loom: Arc<Loom>, chance: Chance) -> Self {
        let seed = Seed::new(1);
        Self {
            weaver: Weaver::new(loom, 0),
            chance,
            seeds: seed.child("programs").rng(),
            choices: seed.child("choices").rng(),
        }
    }

    pub(crate) fn next(&mut self) -> &Weaver {
        self.weaver.reset(self.seeds.bits());
        self.chance.weave(&mut self.weaver, &mut self.choices);
        &self.weaver
    }
}

/// Means over some programs.
#[derive(Debug, Default)]
pub(crate) struct Means {
    /// Instructions executed, without the `end` of sequences.
    pub(crate) executed: f64,
    /// Instructions in the module, without `end` and `else`.
    pub(crate) instructions: f64,
    pub(crate) bytes: f64,
    pub(crate) fuel: f64,
    pub(crate) choices: f64,
}

/// Counts executed instructions.
struct Count<'a> {
    program: &'a Program,
    executed: u64,
}

impl Observer for Count<'_> {
    fn before(&mut self, _: &Machine, _: u32, place: Place) {
        let code = &self.program.seqs[place.seq as usize].code;
        self.executed += u64::from((place.index as usize) < code.len());
    }
}

/// Instructions that a run executes, without the `end` of sequences; 0 if it traps.
pub(crate) fn executed(machine: &mut Machine, program: &Program, entry: u32, fuel_limit: u64) -> u64 {
    let mut count = Count { program, executed: 0 };
    Execution { machine, program, entry, fuel_limit }.run(&mut count).map_or(0, |_| count.executed)
}

/// Means over the first programs of a loop.
pub(crate) fn means(loom: &Arc<Loom>, chance: Chance, programs: u32) -> Means {
    let mut woven = Loop::new(loom.clone(), chance);
    let mut machine = Machine::default();
    let mut means = Means::default();
    for _ in 0..programs {
        let weaver = woven.next();
        let program = weaver.program();
        let limit = u64::from(weaver.config().fuel.max);
        means.executed += executed(&mut machine, program, weaver.entry(), limit) as f64;
        means.instructions += program.seqs.iter().map(|seq| seq.code.len() as f64).sum::<f64>();
        means.bytes += f64::from(weaver.bytes());
        means.fuel += weaver.machine().fuel() as f64;
        means.choices += weaver.actions().len() as f64;
    }
    let n = f64::from(programs);
    let Means { executed, instructions, bytes, fuel, choices } = means;
    Means {
        executed: executed / n,
        instructions: instructions / n,
        bytes: bytes / n,
        fuel: fuel / n,
        choices: choices / n,
    }
}

/// The fuel with which programs execute `target` instructions on average.
fn calibrated(config: &WeaveConfig, target: f64, bounds: impl Fn(u32) -> Bounds) -> (Arc<Loom>, Bounds) {
    let loom = |fuel: u32| {
        let config = WeaveConfig { fuel: bounds(fuel), ..config.clone() };
        Arc::new(Loom::new(config).expect("valid settings"))
    };
    let executed = |fuel: u32| means(&loom(fuel), Chance::Actions, 2000).executed;
    let (mut low, mut high) = (4u32, 200);
    while high - low > 1 {
        let middle = low.midpoint(high);
        *if executed(middle) < target { &mut low } else { &mut high } = middle;
    }
    let fuel = if target - executed(low) < executed(high) - target { low } else { high };
    (loom(fuel), bounds(fuel))
}

/// The straight-line preset, all fuel spent.
pub(crate) fn straight_loom() -> (Arc<Loom>, String) {
    let config = serde_yaml::from_str(STRAIGHT_LINE).expect("the settings are valid");
    let (loom, fuel) = calibrated(&config, STRAIGHT, |fuel| Bounds { min: fuel, max: fuel });
    (loom, format!("straight line (numbers, locals, drop, select; fuel {})", fuel.max))
}

/// The preset `everything` without vectors, at least half of the fuel spent.
pub(crate) fn everything_loom() -> (Arc<Loom>, String) {
    let mut config = Preset::load("everything").expect("the preset is shipped").weave;
    config.features.retain(|&feature| feature != wasmweaver::weave::config::Feature::Simd);
    let (loom, fuel) = calibrated(&config, EXECUTED, |fuel| Bounds { min: fuel / 2, max: fuel });
    (loom, format!("everything without simd, fuel {}-{}", fuel.min, fuel.max))
}

/// Programs a second of one preset by one kind of chance.
fn programs(name: &str, loom: &Arc<Loom>, preset: &str, chance: Chance) -> Figure {
    let means = means(loom, chance, 5000);
    let mut woven = Loop::new(loom.clone(), chance);
    let rate = rate(|| {
        (0..100).for_each(|_| {
            std::hint::black_box(woven.next());
        });
        100
    });
    let nanoseconds = rate.nanoseconds();
    Figure {
        name: format!("{name}_{}", chance.name()),
        value: rate.per_second,
        core: rate.core,
        unit: "programs/s",
        preset: format!("{preset}, chance `{}`", chance.name()),
        detail: format!(
            "{:.1} executed of {:.1} instructions, {:.0} bytes, {:.1} choices; {:.1} ns/executed, {:.1} ns/choice",
            means.executed,
            means.instructions,
            means.bytes,
            means.choices,
            nanoseconds / means.executed,
            nanoseconds / means.choices
        ),
        limit: match chance {
            Chance::Actions => "unpredictable branches: which candidate, whether it is legal, how it executes",
            Chance::Categories => "the same, and the whole mask where a category drawn has nothing legal",
        },
        target: None,
    }
}

pub(crate) fn straight(_: &Options) -> Vec<Figure> {
    let (loom, preset) = straight_loom();
    let figure = programs("straight", &loom, &preset, Chance::Actions);
    vec![Figure { target: Some(300_000.0), ..figure }]
}

pub(crate) fn everything(_: &Options) -> Vec<Figure> {
    let (loom, preset) = everything_loom();
    let uniform = programs("everything", &loom, &preset, Chance::Actions);
    let by_category = programs("everything", &loom, &preset, Chance::Categories);
    vec![Figure { target: Some(100_000.0), ..uniform }, by_category]
}
