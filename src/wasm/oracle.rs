//! Owns the second opinion: wasmtime runs an instrumented copy of the program, and its word is the authority.
//!
//! Must not know the machine's result while it runs; [`Oracle::check`] compares afterwards. The copy differs from the
//! program in three ways that change nothing it computes: globals and memory are exported; at a probe the operands are
//! moved to fresh locals, shown to the host and put back; operands below an enclosing label, which no instruction
//! inside the block can reach or change, are shown where that block is entered. The fuel that this costs is known
//! exactly and taken off.

use super::encode;
use super::isa::Op;
use super::machine::Machine;
use super::program::{Flat, Instr, Place, Probe, Program};
use super::rerun::{Outcome, Snapshot};
use super::types::{Bits, ValType, Value};
use wasm_encoder as enc;
use wasmtime::{Caller, Config, Engine, Linker, Module, OptLevel, RegallocAlgorithm, Store, Val};

/// Fuel given to a run beyond what the machine used: wasmtime looks at the gauge only at function entries and loop
/// headers, so the exact amount is measured with plenty and subtracted.
const AMPLE_FUEL: u64 = 1 << 27;

/// wasmtime, set up for many small programs.
pub struct Oracle {
    engine: Engine,
}

/// A disagreement between the machine and wasmtime, or wasmtime's refusal of a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// wasmtime rejects the module.
    #[error("wasmtime rejects the program: {0}")]
    Invalid(String),
    /// wasmtime traps where the machine does not.
    #[error("wasmtime traps where our machine does not: {0}")]
    Trapped(String),
    /// Different fuel.
    #[error("fuel: our machine used {ours}, wasmtime {theirs}")]
    Fuel {
        /// The machine's.
        ours: u64,
        /// wasmtime's.
        theirs: u64,
    },
    /// Different results, globals, memory or probe values.
    #[error("{what}: our machine has {ours}, wasmtime {theirs}")]
    State {
        /// What differs.
        what: &'static str,
        /// The machine's.
        ours: String,
        /// wasmtime's.
        theirs: String,
    },
}

/// What is watched while the copy runs.
#[derive(Clone, Copy, Debug)]
pub enum Watch<'a> {
    /// Nothing but what it leaves.
    Nothing,
    /// The operands at a probe.
    Operands(Probe, &'a Snapshot),
    /// Which places are passed at least once, and whether the machine passed them.
    Flags(&'a [(Probe, bool)]),
}

/// What the host has been shown at the probe, or how often each flag was passed.
#[derive(Default)]
struct Seen {
    /// Latest operands of each level, outermost first.
    levels: Vec<Vec<Value>>,
    /// How often each level was shown.
    shown: Vec<u64>,
    current: usize,
    /// Operands that the innermost level has.
    innermost: usize,
    wanted_hit: u64,
    snapshot: Option<Vec<Value>>,
}

impl Seen {
    fn begin(&mut self, level: usize) {
        self.levels[level].clear();
        self.shown[level] += 1;
        self.current = level;
        self.complete();
    }

    fn value(&mut self, value: Value) {
        self.levels[self.current].push(value);
        self.complete();
    }

    fn complete(&mut self) {
        let last = self.levels.len() - 1;
        let whole = self.current == last && self.levels[last].len() == self.innermost;
        if whole && self.shown[last] == self.wanted_hit {
            self.snapshot = Some(self.levels.concat());
        }
    }
}

impl Default for Oracle {
    fn default() -> Self {
        Self::new()
    }
}

impl Oracle {
    /// An engine with fuel and canonical NaNs, tuned for compiling quickly.
    pub fn new() -> Self {
        let mut config = Config::new();
        config
            .consume_fuel(true)
            .cranelift_nan_canonicalization(true)
            // Programs run once and are small: what counts is how fast they compile and how little is mapped.
            .cranelift_opt_level(OptLevel::None)
            .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass)
            .memory_init_cow(false)
            .memory_reservation(1 << 20)
            .memory_guard_size(0)
            .memory_reservation_for_growth(0);
        Self { engine: Engine::new(&config).expect("the settings fit each other") }
    }

    /// Holds a finished run of function `entry` on `machine` against wasmtime, operands at a probe included.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(
        &self,
        program: &Program,
        entry: u32,
        outcome: &Outcome,
        machine: &Machine,
        probe: Option<(Probe, &Snapshot)>,
    ) -> Result<(), Disagreement> {
        let watch = probe.map_or(Watch::Nothing, |(probe, snapshot)| Watch::Operands(probe, snapshot));
        self.watch(program, entry, outcome, machine, watch)
    }

    /// Holds a finished run of function `entry` on `machine` against wasmtime, what was watched included.
    ///
    /// # Errors
    /// The first difference.
    pub fn watch(
        &self,
        program: &Program,
        entry: u32,
        outcome: &Outcome,
        machine: &Machine,
        watch: Watch<'_>,
    ) -> Result<(), Disagreement> {
        let spills = match watch {
            Watch::Nothing => Vec::new(),
            Watch::Operands(probe, snapshot) => spills(program, probe, snapshot),
            Watch::Flags(flags) => flags.iter().map(|(probe, _)| Spill::flag(program, *probe)).collect(),
        };
        let bytes = instrument(program, entry, &spills);
        let seen = Seen {
            levels: vec![Vec::new(); spills.len()],
            shown: vec![0; spills.len()],
            innermost: spills.last().map_or(0, |spill| spill.types.len()),
            wanted_hit: if let Watch::Operands(probe, _) = watch { probe.hit.into() } else { 0 },
            ..Seen::default()
        };
        let module = Module::new(&self.engine, &bytes).map_err(|e| Disagreement::Invalid(format!("{e:#}")))?;
        let mut store = Store::new(&self.engine, seen);
        store.set_fuel(AMPLE_FUEL).expect("fuel is on");
        let instance = linker(&self.engine)
            .instantiate(&mut store, &module)
            .map_err(|e| Disagreement::Invalid(format!("{e:#}")))?;
        let run = instance.get_func(&mut store, ENTRY).expect("the copy exports it");
        let mut results = vec![Val::I32(0); outcome.results.len()];
        run.call(&mut store, &[], &mut results).map_err(|e| Disagreement::Trapped(format!("{e:#}")))?;

        let used = AMPLE_FUEL - store.get_fuel().expect("fuel is on");
        let spilling: u64 = spills.iter().zip(&store.data().shown).map(|(spill, &n)| n * spill.fuel()).sum();
        equal_fuel(outcome.fuel, used - spilling)?;
        let results: Vec<Value> = results.iter().map(value_of).collect();
        equal_values("results", &outcome.results, &results)?;
        match watch {
            Watch::Nothing => {}
            Watch::Operands(_, snapshot) => {
                equal_values("operands", &snapshot.operands, store.data().snapshot.as_deref().unwrap_or(&[]))?;
            }
            Watch::Flags(flags) => equal_flags(flags, &store.data().shown)?,
        }
        let globals: Vec<Value> = (0..program.globals.len())
            .map(|index| instance.get_global(&mut store, &global_name(index)).expect("exported").get(&mut store))
            .map(|value| value_of(&value))
            .collect();
        equal_values("globals", &typed_globals(program, &outcome.globals), &globals)?;
        if program.memory.is_some() {
            let memory = instance.get_memory(&mut store, MEMORY).expect("exported");
            equal_memory(machine.memory(), memory.data(&store))?;
        }
        Ok(())
    }
}

fn equal_fuel(ours: u64, theirs: u64) -> Result<(), Disagreement> {
    if ours == theirs { Ok(()) } else { Err(Disagreement::Fuel { ours, theirs }) }
}

/// Bit for bit: with canonical NaNs on both sides, even NaNs have one form.
fn equal_values(what: &'static str, ours: &[Value], theirs: &[Value]) -> Result<(), Disagreement> {
    if ours == theirs {
        return Ok(());
    }
    let list = |values: &[Value]| values.iter().map(|v| format!("{v}={:#x}", v.bits)).collect::<Vec<_>>().join(", ");
    Err(Disagreement::State { what, ours: list(ours), theirs: list(theirs) })
}

fn equal_flags(ours: &[(Probe, bool)], passes: &[u64]) -> Result<(), Disagreement> {
    let list = |states: &mut dyn Iterator<Item = bool>| states.map(|s| s.to_string()).collect::<Vec<_>>().join(", ");
    let (ours, theirs) = (list(&mut ours.iter().map(|flag| flag.1)), list(&mut passes.iter().map(|&count| count > 0)));
    if ours == theirs { Ok(()) } else { Err(Disagreement::State { what: "flags", ours, theirs }) }
}

fn equal_memory(ours: &[u8], theirs: &[u8]) -> Result<(), Disagreement> {
    if ours == theirs {
        return Ok(());
    }
    let at = ours.iter().zip(theirs).position(|(a, b)| a != b);
    let show = |bytes: &[u8]| at.map_or(format!("{} bytes", bytes.len()), |at| format!("{:#04x} at {at}", bytes[at]));
    Err(Disagreement::State { what: "memory", ours: show(ours), theirs: show(theirs) })
}

fn typed_globals(program: &Program, bits: &[Bits]) -> Vec<Value> {
    program.globals.iter().zip(bits).map(|(global, &bits)| Value::new(global.ty, bits)).collect()
}

fn value_of(value: &Val) -> Value {
    match *value {
        Val::I32(x) => Value::i32(x),
        Val::I64(x) => Value::i64(x),
        Val::F32(bits) => Value::new(ValType::F32, Bits::from(bits)),
        Val::F64(bits) => Value::new(ValType::F64, Bits::from(bits)),
        ref other => unreachable!("no program here has a value like {other:?}"),
    }
}

const HOST: &str = "probe";
const ENTRY: &str = "__entry";
const MEMORY: &str = "__memory";

fn global_name(index: usize) -> String {
    format!("__global{index}")
}

fn linker(engine: &Engine) -> Linker<Seen> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap(HOST, "begin", |mut caller: Caller<'_, Seen>, level: i32| caller.data_mut().begin(level as usize))
        .and_then(|l| l.func_wrap(HOST, "i32", |mut c: Caller<'_, Seen>, x: i32| c.data_mut().value(Value::i32(x))))
        .and_then(|l| l.func_wrap(HOST, "i64", |mut c: Caller<'_, Seen>, x: i64| c.data_mut().value(Value::i64(x))))
        .and_then(|l| l.func_wrap(HOST, "f32", |mut c: Caller<'_, Seen>, x: f32| c.data_mut().value(Value::f32(x))))
        .and_then(|l| l.func_wrap(HOST, "f64", |mut c: Caller<'_, Seen>, x: f64| c.data_mut().value(Value::f64(x))))
        .expect("the names differ");
    linker
}

/// One place where the copy shows operands to the host.
struct Spill {
    func: u32,
    place: Place,
    /// Operands to show, bottom first.
    types: Vec<ValType>,
    /// An `if` follows, so its condition lies on top and is moved aside.
    condition: bool,
}

impl Spill {
    /// One that only says that execution came by.
    fn flag(program: &Program, probe: Probe) -> Self {
        let place = program.place(probe.func, probe.pc).expect("flags stand in the program");
        Self { func: probe.func, place, types: Vec::new(), condition: false }
    }

    fn moved(&self) -> u64 {
        self.types.len() as u64 + u64::from(self.condition)
    }

    /// Fuel of one pass: set and get for all that is moved; get and call for all that is shown; a constant and a call.
    fn fuel(&self) -> u64 {
        2 * self.moved() + 2 * self.types.len() as u64 + 2
    }
}

/// One spill per level: at the entry of each block around the probe, and at the probe itself.
fn spills(program: &Program, probe: Probe, snapshot: &Snapshot) -> Vec<Spill> {
    let flat = program.flatten(probe.func);
    let place = flat[probe.pc as usize].place;
    let mut places = vec![(place, false)];
    while let Some(outer) = enclosing(&flat, places[places.len() - 1].0.seq) {
        places.push((outer.place, outer.instr.op == Op::If));
    }
    places.reverse();
    assert_eq!(places.len(), snapshot.levels.len(), "a level for each block around the probe");
    let mut operands = snapshot.operands.iter().map(|value| value.ty);
    places
        .into_iter()
        .zip(&snapshot.levels)
        .map(|((place, condition), &count)| Spill {
            func: probe.func,
            place,
            types: operands.by_ref().take(count as usize).collect(),
            condition,
        })
        .collect()
}

/// The structured instruction that a sequence belongs to, if it is not a function's body.
fn enclosing(flat: &[Flat], seq: u32) -> Option<&Flat> {
    flat.iter().find(|entry| {
        matches!(entry.instr.op, Op::Block | Op::Loop | Op::If)
            && (entry.instr.body() == seq || entry.instr.otherwise() == Some(seq))
    })
}

/// The binary of the copy.
fn instrument(program: &Program, entry: u32, spills: &[Spill]) -> Vec<u8> {
    let imports = if spills.is_empty() { 0 } else { 1 + ValType::ALL.len() as u32 };
    let mut module = enc::Module::new();
    let mut types = encode::type_section(program);
    let host_types = program.types.len() as u32;
    ValType::ALL.iter().for_each(|&ty| types.ty().function([encode::val_type(ty)], []));
    module.section(&types);
    if imports > 0 {
        let mut section = enc::ImportSection::new();
        section.import(HOST, "begin", enc::EntityType::Function(host_types + ValType::I32.index() as u32));
        for ty in ValType::ALL {
            section.import(HOST, ty.name(), enc::EntityType::Function(host_types + ty.index() as u32));
        }
        module.section(&section);
    }
    let mut functions = enc::FunctionSection::new();
    for func in &program.funcs {
        functions.function(func.ty);
    }
    module.section(&functions);
    if let Some(memory) = program.memory {
        module.section(&encode::memory_section(memory.min, memory.max));
    }
    module.section(&encode::global_section(program));
    let mut exports = enc::ExportSection::new();
    exports.export(ENTRY, enc::ExportKind::Func, entry + imports);
    if program.memory.is_some() {
        exports.export(MEMORY, enc::ExportKind::Memory, 0);
    }
    for index in 0..program.globals.len() {
        exports.export(&global_name(index), enc::ExportKind::Global, index as u32);
    }
    module.section(&exports);
    let mut code = enc::CodeSection::new();
    for func in 0..program.funcs.len() as u32 {
        let spills: Vec<(usize, &Spill)> = spills.iter().enumerate().filter(|(_, spill)| spill.func == func).collect();
        code.raw(&instrumented_body(program, func, imports, &spills));
    }
    module.section(&code);
    module.finish()
}

fn instrumented_body(program: &Program, func: u32, imports: u32, spills: &[(usize, &Spill)]) -> Vec<u8> {
    let mut locals = program.funcs[func as usize].locals.clone();
    let mut next_local = (program.func_type(func).params.len() + locals.len()) as u32;
    let mut code = Vec::new();
    for entry in program.flatten(func) {
        for (level, spill) in spills.iter().filter(|(_, spill)| spill.place == entry.place) {
            let condition = spill.condition.then_some(ValType::I32);
            let moved: Vec<ValType> = spill.types.iter().copied().chain(condition).collect();
            let instrs = spill_code(*level, spill, &moved, next_local);
            instrs.iter().for_each(|instr| encode::write_instr(program, instr, &mut code));
            next_local += moved.len() as u32;
            locals.extend(moved);
        }
        let mut instr = entry.instr;
        if instr.op == Op::Call {
            instr.a += imports;
        }
        encode::write_instr(program, &instr, &mut code);
    }
    let mut bytes = Vec::new();
    encode::write_locals(&locals, &mut bytes);
    bytes.extend(code);
    bytes
}

/// Moves operands to locals from `first`, shows them, and puts them back. Import 0 begins a level, import 1 + type
/// shows a value.
fn spill_code(level: usize, spill: &Spill, moved: &[ValType], first: u32) -> Vec<Instr> {
    let local = |op: Op, index: usize| Instr::index(op, first + index as u32);
    let mut code: Vec<Instr> = (0..moved.len()).rev().map(|index| local(Op::LocalSet, index)).collect();
    code.push(Instr::constant(ValType::I32, level as Bits));
    code.push(Instr::index(Op::Call, 0));
    for (index, ty) in spill.types.iter().enumerate() {
        code.push(local(Op::LocalGet, index));
        code.push(Instr::index(Op::Call, 1 + ty.index() as u32));
    }
    code.extend((0..moved.len()).map(|index| local(Op::LocalGet, index)));
    code
}
