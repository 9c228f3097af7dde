//! Does another interpreter see what our machine saw? Weaves programs by both kinds of chance, runs each in wasmi 2, and
//! compares with the machine that ran while it was woven: results, globals, tables and memory, bit for bit:
//! `cargo bench --bench wasmi -- 1000000` (20,000 without a number; `--first N` starts later; `--preset NAME` and `--seed N` as in `harness`).
//!
//! Prints how many were compared, the seed and one JSON line. A program with a difference is saved as text and shown to
//! wasmtime. If wasmtime sides with our machine, wasmi is alone: 2.0.0 does translate a few programs in a million wrongly
//! (more of them when it does not meter fuel, as it does here), one of them so that it loops for ever; that is why it is
//! built with its portable dispatch, since the other one overflows the stack there. Otherwise the exit status is 1. Fuel is not compared:
//! wasmi charges a block when it is entered, even for what a branch then skips; `harness verify` holds fuel against
//! wasmtime.

#![allow(clippy::print_stdout)] // A bench prints what it measures.

use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use wasmi::{
    Config, Engine, Extern, ExternType, Func, Global, Instance, Memory, Module, Nullable, Ref, Store, Table, Val,
};
use wasmweaver::run::preset::Preset;
use wasmweaver::seed::Seed;
use wasmweaver::wasm::machine::Machine;
use wasmweaver::wasm::oracle::{Oracle, Watch};
use wasmweaver::wasm::program::{Export, Extern as Kind, Program};
use wasmweaver::wasm::rerun::Outcome;
use wasmweaver::wasm::types::{Bits, ValType, Value};
use wasmweaver::wasm::{encode, print};
use wasmweaver::weave::chance::Chance;
use wasmweaver::weave::weaver::{ENTRY, Loom, Weaver};

/// As in the `harness` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PROGRAMS: u64 = 20_000;
/// An engine keeps all code it has compiled, so that it is replaced after so many programs.
const PROGRAMS_OF_ENGINE: u64 = 1000;
/// Far more than any program burns.
const AMPLE_FUEL: u64 = 1 << 24;

/// What the command line asks for.
struct Options {
    programs: u64,
    /// The number of the first.
    first: u64,
    preset: String,
    seed: u64,
}

impl Options {
    fn read() -> Self {
        let mut options = Self { programs: PROGRAMS, first: 0, preset: "everything".into(), seed: 1 };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg} takes a value"));
            match arg.as_str() {
                "--preset" => options.preset = value(),
                "--first" => options.first = value().parse().expect("--first takes a number"),
                "--seed" => options.seed = value().parse().expect("--seed takes a number"),
                // What cargo itself adds.
                "--bench" => {}
                number => {
                    options.programs = number.parse().unwrap_or_else(|_| {
                        panic!("no such option: {number}; there are a number of programs, --first N, --preset NAME and --seed N")
                    });
                }
            }
        }
        options
    }
}

/// How many programs of a part were compared, and what they had.
#[derive(Default)]
struct Compared {
    programs: u64,
    bytes: u64,
    fuel: u64,
    with_memory: u64,
    with_tables: u64,
    /// Differences on which wasmtime sides with our machine.
    wasmi_alone: u64,
    /// Other differences.
    differences: u64,
}

impl Compared {
    fn add(&mut self, other: Self) {
        self.programs += other.programs;
        self.bytes += other.bytes;
        self.fuel += other.fuel;
        self.with_memory += other.with_memory;
        self.with_tables += other.with_tables;
        self.wasmi_alone += other.wasmi_alone;
        self.differences += other.differences;
    }
}

/// What one side has where the two differ.
struct Difference {
    what: String,
    ours: String,
    theirs: String,
}

/// A run in wasmi that came to its end.
struct Ran {
    store: Store<()>,
    instance: Instance,
    results: Vec<Val>,
    /// Each function by how wasmi shows it, since its handles cannot be compared.
    functions: Vec<String>,
}

impl Ran {
    fn new(engine: &Engine, program: &Program) -> Result<Self, wasmi::Error> {
        let module = Module::new(engine, encode::encode(&shown(program)))?;
        let mut store = Store::new(engine, ());
        store.set_fuel(AMPLE_FUEL)?;
        let imports = module.imports().map(|import| stand_in(&mut store, import.ty()));
        let imports: Vec<Extern> = imports.collect::<Result<_, _>>()?;
        let instance = Instance::new(&mut store, &module, &imports)?;
        let func = instance.get_func(&store, ENTRY).expect("it is exported");
        let mut results: Vec<Val> = func.ty(&store).results().iter().map(|&ty| Val::default_for_ty(ty)).collect();
        func.call(&mut store, &[], &mut results)?;
        Ok(Self { store, instance, results, functions: Vec::new() })
    }

    fn value(&mut self, value: &Val) -> Value {
        match *value {
            Val::I32(x) => Value::i32(x),
            Val::I64(x) => Value::i64(x),
            Val::F32(x) => Value::new(ValType::F32, Bits::from(x.to_bits())),
            Val::F64(x) => Value::new(ValType::F64, Bits::from(x.to_bits())),
            Val::V128(x) => Value::new(ValType::V128, x.as_u128()),
            Val::FuncRef(Nullable::Val(func)) => Value::new(ValType::FuncRef, 1 + self.function(func)),
            Val::FuncRef(Nullable::Null) => Value::zero(ValType::FuncRef),
            Val::ExternRef(Nullable::Null) => Value::zero(ValType::ExternRef),
            // No program here is given one: wherever it stands, wasmi has made it up.
            Val::ExternRef(Nullable::Val(_)) => Value::new(ValType::ExternRef, Bits::MAX),
        }
    }

    fn function(&mut self, func: Func) -> Bits {
        if self.functions.is_empty() {
            let exported = (0..).map_while(|index| self.instance.get_func(&self.store, &name(Kind::Func, index)));
            self.functions = exported.map(|func| format!("{func:?}")).collect();
        }
        let shown = format!("{func:?}");
        self.functions.iter().position(|known| *known == shown).expect("every function is exported") as Bits
    }

    fn results(&mut self) -> Vec<Value> {
        let results = std::mem::take(&mut self.results);
        results.iter().map(|value| self.value(value)).collect()
    }

    fn global(&mut self, index: u32) -> Value {
        let global = self.instance.get_global(&self.store, &name(Kind::Global, index)).expect("it is exported");
        let value = global.get(&self.store);
        self.value(&value)
    }

    fn table(&mut self, index: u32) -> Vec<Bits> {
        let table = self.instance.get_table(&self.store, &name(Kind::Table, index)).expect("it is exported");
        let elements: Vec<Ref> = (0..).map_while(|at| table.get(&self.store, at)).collect();
        let value = |element| match element {
            Ref::Func(func) => self.value(&Val::FuncRef(func)).bits,
            Ref::Extern(other) => self.value(&Val::ExternRef(other)).bits,
        };
        elements.into_iter().map(value).collect()
    }

    fn memory(&self) -> &[u8] {
        let memory = self.instance.get_memory(&self.store, &name(Kind::Memory, 0)).expect("it is exported");
        memory.data(&self.store)
    }
}

/// The export of a part of the copy that wasmi runs.
fn name(kind: Kind, index: u32) -> String {
    format!("{kind:?}{index}")
}

/// The program with everything exported that is to be seen afterwards.
fn shown(program: &Program) -> Program {
    let mut copy = program.clone();
    let counts = [
        (Kind::Func, program.funcs.len()),
        (Kind::Table, program.tables.len()),
        (Kind::Memory, program.memory.iter().len()),
        (Kind::Global, program.globals.len()),
    ];
    for (kind, count) in counts {
        let exports = (0..count as u32).map(|index| Export { name: name(kind, index), kind, index });
        copy.exports.extend(exports);
    }
    copy
}

/// What stands in for an import: zeros, and functions that do nothing.
fn stand_in(store: &mut Store<()>, ty: &ExternType) -> Result<Extern, wasmi::Error> {
    Ok(match ty {
        ExternType::Func(ty) => {
            let zeros: Vec<Val> = ty.results().iter().map(|&ty| Val::default_for_ty(ty)).collect();
            let answer = move |_: wasmi::Caller<'_, ()>, _: &[Val], results: &mut [Val]| {
                results.clone_from_slice(&zeros);
                Ok(())
            };
            Func::new(store, ty.clone(), answer).into()
        }
        ExternType::Global(ty) => Global::new(store, Val::default_for_ty(ty.content()), ty.mutability()).into(),
        ExternType::Memory(ty) => Memory::new(store, *ty)?.into(),
        ExternType::Table(ty) => Table::new(store, *ty, Ref::null(ty.element()))?.into(),
    })
}

fn same<T: PartialEq + std::fmt::Debug>(what: impl ToString, ours: &T, theirs: &T) -> Result<(), Difference> {
    if ours == theirs {
        return Ok(());
    }
    Err(Difference { what: what.to_string(), ours: format!("{ours:?}"), theirs: format!("{theirs:?}") })
}

fn same_memory(ours: &[u8], theirs: &[u8]) -> Result<(), Difference> {
    same("bytes of memory", &ours.len(), &theirs.len())?;
    match ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs) {
        Some(at) => same(format!("memory at {at}"), &ours[at], &theirs[at]),
        None => Ok(()),
    }
}

/// Runs a woven program in wasmi and holds what it leaves against the machine.
fn compare(engine: &Engine, program: &Program, machine: &Machine) -> Result<(), Difference> {
    let mut theirs = Ran::new(engine, program).map_err(|error| Difference {
        what: "the end of the run".into(),
        ours: "none".into(),
        theirs: error.to_string(),
    })?;
    same("results", &machine.frame_operands().collect(), &theirs.results())?;
    for (index, (global, &bits)) in program.globals.iter().zip(machine.globals()).enumerate() {
        same(format!("global {index}"), &Value::new(global.ty, bits), &theirs.global(index as u32))?;
    }
    for (index, table) in machine.tables().enumerate() {
        same(format!("table {index}"), &table.to_vec(), &theirs.table(index as u32))?;
    }
    if program.memory.is_some() { same_memory(machine.memory(), theirs.memory()) } else { Ok(()) }
}

/// What wasmtime has against our machine on a program on which the two differ, if anything.
fn against_us(weaver: &Weaver) -> Option<String> {
    let machine = weaver.machine();
    let outcome = Outcome::of(machine);
    let check = Oracle::new().check(weaver.program(), weaver.entry(), &outcome, machine, Watch::default());
    check.err().map(|disagreement| disagreement.to_string())
}

/// Saves a program on which the two differ, as text that starts with how, and says so; whether wasmi is alone.
fn save(options: &Options, number: u64, weaver: &Weaver, difference: &Difference) -> bool {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-wasmi");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let preset = options.preset.replace(['/', '\\', '.'], "-");
    let path = folder.join(format!("{preset}-{}-{number}.wat", options.seed));
    let Difference { what, ours, theirs } = difference;
    let against = against_us(weaver);
    let verdict = against.clone().unwrap_or_else(|| "wasmtime sides with our machine".into());
    let how = format!("{what}: our machine has {ours}, wasmi {theirs}; {verdict}");
    let text = print::print(weaver.program(), &[]);
    std::fs::write(&path, format!(";; {how}\n{text}")).expect("the file can be written");
    println!("program {number}: {how}: {}", path.display());
    against.is_none()
}

fn compare_part(options: &Options, loom: &Arc<Loom>, numbers: impl Iterator<Item = u64>) -> Compared {
    let seed = Seed::new(options.seed);
    let mut config = Config::default();
    config.consume_fuel(true);
    let mut engine = Engine::new(&config);
    let mut weaver = Weaver::new(loom.clone(), 0);
    let mut compared = Compared::default();
    for number in numbers {
        let seed = seed.indexed("program", number);
        weaver.reset(seed.to_u64());
        Chance::ALL[number as usize % Chance::ALL.len()].weave(&mut weaver, &mut seed.child("choices").rng());
        if let Err(difference) = compare(&engine, weaver.program(), weaver.machine()) {
            let alone = save(options, number, &weaver, &difference);
            compared.wasmi_alone += u64::from(alone);
            compared.differences += u64::from(!alone);
        }
        compared.programs += 1;
        compared.bytes += u64::from(weaver.bytes());
        compared.fuel += weaver.machine().fuel();
        compared.with_memory += u64::from(weaver.program().memory.is_some());
        compared.with_tables += u64::from(!weaver.program().tables.is_empty());
        if compared.programs % PROGRAMS_OF_ENGINE == 0 {
            engine = Engine::new(&config);
        }
    }
    compared
}

fn main() -> ExitCode {
    let options = Options::read();
    let preset = Preset::load(&options.preset).unwrap_or_else(|error| panic!("{error}"));
    let loom = preset.loom().expect("valid settings");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let start = Instant::now();
    let mut compared = Compared::default();
    std::thread::scope(|scope| {
        let part = |thread: usize| {
            let (options, loom) = (&options, &loom);
            let numbers = options.first + thread as u64..options.first + options.programs;
            scope.spawn(move || compare_part(options, loom, numbers.step_by(threads)))
        };
        let handles: Vec<_> = (0..threads).map(part).collect();
        handles.into_iter().for_each(|part| compared.add(part.join().expect("comparing does not panic")));
    });
    let Compared { programs, differences, wasmi_alone, .. } = compared;
    println!(
        "{programs} programs of preset {}, seed {}: {differences} differ from wasmi 2; in {wasmi_alone} wasmi is alone",
        options.preset, options.seed
    );
    let line = json!({
        "programs": programs,
        "preset": options.preset,
        "seed": options.seed,
        "differences": differences,
        "wasmi_alone": wasmi_alone,
        "with_memory": compared.with_memory,
        "with_tables": compared.with_tables,
        "mean_bytes": (compared.bytes as f64 / programs.max(1) as f64).round(),
        "mean_fuel": (compared.fuel as f64 / programs.max(1) as f64).round(),
        "seconds": start.elapsed().as_secs_f64().round(),
    });
    println!("{line}");
    if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
