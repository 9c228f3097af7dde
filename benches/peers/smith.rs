//! Owns the comparison with wasm-smith: programs a second that run to their end, with as many instructions executed.
//!
//! Must not know how ours are chosen. What is timed on both sides ends with the bytes of a module. wasm-smith is set to
//! be free of traps and to terminate, to stay within the limits of the preset, and to export one function to run; its
//! random bytes are drawn beforehand. Whether its modules run to their end is looked at outside of the timed part, and
//! the rate multiplied by the share that do. Its guards against traps count as instructions, its fuel checks do not.

use crate::Options;
use crate::figure::{Figure, Rate, rate};
use crate::foreign;
use crate::programs::{Loop, everything_loom, executed, means, straight_loom};
use arbitrary::Unstructured;
use std::sync::Arc;
use wasm_smith::{Config, InstructionKind, InstructionKinds, Module};
use wasmi::Engine;
use wasmweaver::seed::{Rng, Seed};
use wasmweaver::wasm::machine::Machine;
use wasmweaver::wasm::{encode, parse};
use wasmweaver::weave::chance::Chance;
use wasmweaver::weave::config::Limits;
use wasmweaver::weave::weaver::{ENTRY, Loom};

/// Random bytes of one module, more than it takes.
const INPUT: usize = 4096;
/// Random bytes from which inputs are cut.
const POOL: usize = 1 << 22;
/// Calls and loop iterations that one of its modules may make.
const FUEL: u32 = 1000;
/// Instructions that are counted of one run at most.
const MOST_EXECUTED: u64 = 1 << 20;
/// Modules that are run to see what they are like.
const SAMPLE: u32 = 500;

/// wasm-smith with some settings.
struct Smith {
    config: Config,
    pool: Vec<u8>,
    starts: Rng,
}

/// What a sample of its modules is like.
#[derive(Default)]
struct Sample {
    /// The share that run to their end; what follows is the mean over these.
    share: f64,
    executed: f64,
    instructions: f64,
    bytes: f64,
}

impl Smith {
    fn new(config: Config) -> Self {
        let seed = Seed::new(1);
        let mut random = seed.child("smith bytes").rng();
        let pool = (0..POOL / 8).flat_map(|_| random.bits().to_le_bytes()).collect();
        Self { config, pool, starts: seed.child("smith starts").rng() }
    }

    fn module(&mut self) -> Option<Module> {
        let start = self.starts.below((POOL - INPUT) as u32) as usize;
        let mut input = Unstructured::new(&self.pool[start..start + INPUT]);
        Module::new(self.config.clone(), &mut input).ok()
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let mut module = self.module()?;
        module.ensure_termination(FUEL).ok()?;
        Some(module.to_bytes())
    }

    fn sample(&mut self) -> Sample {
        let engine = foreign::engine();
        let mut machine = Machine::default();
        let mut sum = Sample::default();
        for module in (0..SAMPLE).filter_map(|_| self.module()) {
            sum.add(module, &engine, &mut machine);
        }
        let Sample { share: ended, executed, instructions, bytes } = sum;
        Sample {
            share: ended / f64::from(SAMPLE),
            executed: executed / ended,
            instructions: instructions / ended,
            bytes: bytes / ended,
        }
    }
}

impl Sample {
    fn add(&mut self, mut module: Module, engine: &Engine, machine: &mut Machine) {
        let plain = module.to_bytes();
        let guarded = module.ensure_termination(FUEL).map(|_| module.to_bytes());
        if !guarded.is_ok_and(|bytes| foreign::run(engine, &bytes, ENTRY).is_ok()) {
            return;
        }
        let program = parse::parse_binary(&plain).expect("the settings keep to what is known");
        let entry = program.export(ENTRY).expect("it is exported");
        self.share += 1.0;
        self.executed += executed(machine, &program, entry, MOST_EXECUTED) as f64;
        self.instructions += program.seqs.iter().map(|seq| seq.code.len() as f64).sum::<f64>();
        self.bytes += plain.len() as f64;
    }
}

/// Trap-free, within the limits of a preset, and nothing beyond WebAssembly 2.0 without vectors.
fn config(kinds: InstructionKinds, limits: Limits, max_instructions: usize) -> Config {
    let memory = usize::from(kinds.contains(InstructionKind::MemoryInt));
    Config {
        exports: Some(wat::parse_str(format!("(module (func (export \"{ENTRY}\")))")).expect("a module")),
        disallow_traps: true,
        allow_start_export: false,
        generate_custom_sections: false,
        allowed_instructions: kinds,
        max_instructions,
        max_imports: 0,
        max_tags: 0,
        max_types: 2 * limits.functions as usize,
        max_funcs: limits.functions as usize - 1,
        max_globals: limits.globals as usize,
        max_tables: limits.tables as usize,
        max_nesting_depth: limits.nesting as usize,
        max_memories: memory,
        max_memory32_bytes: 16 << 16,
        max_table_elements: 16,
        max_data_segments: 2 * memory,
        max_element_segments: 2 * limits.tables as usize,
        max_elements: 4,
        max_values: 3,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        extended_const_enabled: false,
        ..Config::default()
    }
}

/// The limit of instructions with which modules that run to their end execute `target` of them on average, or come
/// closest.
fn calibrated(config: impl Fn(usize) -> Config, target: f64) -> (Smith, Sample) {
    let distance = |limit: usize| (Smith::new(config(limit)).sample().executed - target).abs();
    let limits = (1..=24).map(|step| 8 * step).map(|limit| (distance(limit), limit));
    let (_, best) = limits.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there are limits");
    let mut smith = Smith::new(config(best));
    let sample = smith.sample();
    (smith, sample)
}

/// Ours with its bytes, theirs, and how many times as many ours are.
fn compared(
    name: &str,
    (loom, preset): (Arc<Loom>, String),
    config: impl Fn(usize) -> Config,
    target: Option<f64>,
) -> [Figure; 3] {
    let means = means(&loom, Chance::Actions, 5000);
    let mut woven = Loop::new(loom, Chance::Actions);
    let ours = rate(|| {
        std::hint::black_box(encode::encode(woven.next().program()));
        1
    });
    let (mut smith, sample) = calibrated(config, means.executed);
    let theirs = rate(|| {
        std::hint::black_box(smith.bytes());
        1
    });
    let theirs_ended = Rate { per_second: theirs.per_second * sample.share, ..theirs };
    let figure = |suffix: &str, rate: Rate, preset: &str, detail: String| Figure {
        name: format!("{name}_{suffix}"),
        value: rate.per_second,
        core: rate.core,
        unit: "programs/s",
        preset: preset.into(),
        detail,
        limit: if suffix == "smith" { "wasm-smith itself" } else { "weaving" },
        target: None,
    };
    let ours_detail = format!("{:.1} executed of {:.1} instructions; encoded", means.executed, means.instructions);
    let theirs_detail = format!(
        "{:.1} executed of {:.1} instructions, {:.0} bytes in those that run to the end, {:.0} % of {:.0} modules/s",
        sample.executed,
        sample.instructions,
        sample.bytes,
        100.0 * sample.share,
        theirs.per_second
    );
    // In time of this thread, so that a busy machine does not make a ratio.
    let ratio = Rate { per_second: theirs_ended.nanoseconds() / ours.nanoseconds(), core: None };
    [
        figure("with_bytes", ours, &preset, ours_detail),
        figure("smith", theirs_ended, "wasm-smith 0.254", theirs_detail),
        Figure {
            unit: "times",
            target,
            ..figure("against_smith", ratio, &preset, "programs that run to the end".into())
        },
    ]
}

pub(crate) fn measure(_: &Options) -> Vec<Figure> {
    use InstructionKind::{Control, Memory, Numeric, Parametric, Reference, Table, Variable};
    let line = InstructionKinds::new(&[Numeric, Parametric, Variable]);
    let line_limits = Limits { functions: 1, globals: 0, tables: 0, nesting: 1, ..Limits::default() };
    let all = InstructionKinds::new(&[Numeric, Parametric, Variable, Control, Memory, Reference, Table]);
    let everything = everything_loom();
    let all_limits = everything.0.config.limits;
    let line = |instructions| config(line, line_limits, instructions);
    let all = |instructions| config(all, all_limits, instructions);
    let mut figures = Vec::from(compared("straight", straight_loom(), line, None));
    figures.extend(compared("everything", everything, all, Some(30.0)));
    figures
}
