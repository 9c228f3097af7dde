//! Owns the second opinion: wasmtime runs an instrumented copy of the program, and its word is the authority.
//!
//! Must not know the machine's result while it runs; [`Oracle::check`] compares afterwards: how the run ended, its
//! results and fuel, all globals, tables and the memory, and what was seen at probes and flags. What the copy costs
//! beyond the program is known exactly and taken off its fuel ([`copy`]).

mod compare;
mod copy;

use super::encode;
use super::machine::Machine;
use super::program::{Extern, Probe, Program};
use super::rerun::{Outcome, Snapshot};
use super::types::{Bits, ValType, Value};
use compare::{equal_flags, equal_fuel, equal_memory, equal_values};
use copy::{Copy, RUN, export_name};
use std::collections::HashMap;
use std::ops::Range;
use wasmtime::{Config, Engine, Func, FuncType, Instance, Module, OptLevel, Ref, RegallocAlgorithm, Store, Val};

/// Fuel given to a run beyond what the machine used: wasmtime looks at the gauge only at function entries and loop
/// headers, so the exact amount is measured with plenty and subtracted.
const AMPLE_FUEL: u64 = 1 << 27;

/// wasmtime, set up for many small programs.
pub struct Oracle {
    engine: Engine,
}

/// What is watched while the copy runs, with what the machine saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch<'a> {
    /// The operands at probes; of one that was not hit so often, that it was not.
    pub operands: &'a [(Probe, Option<&'a Snapshot>)],
    /// Which places are passed at least once, and whether the machine passed them.
    pub flags: &'a [(Probe, bool)],
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

    /// Holds a finished run of function `entry` on `machine` against wasmtime, with what was watched.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(
        &self,
        program: &Program,
        entry: u32,
        outcome: &Outcome,
        machine: &Machine,
        watch: Watch<'_>,
    ) -> Result<(), Disagreement> {
        let copy = Copy::new(program, entry, &[], watch);
        let bytes = encode::encode(&copy.program);
        let module = Module::new(&self.engine, &bytes).map_err(|e| Disagreement::Invalid(format!("{e:#}")))?;
        let mut store = Store::new(&self.engine, ());
        store.set_fuel(AMPLE_FUEL).expect("fuel is on");
        let trapped = |e: wasmtime::Error| Disagreement::Trapped(format!("{e:#}"));
        let imports: Vec<_> =
            module.imports().map(|import| stand_in(&mut store, import.ty().unwrap_func()).into()).collect();
        let instance = Instance::new(&mut store, &module, &imports).map_err(trapped)?;
        let run = instance.get_typed_func::<(), ()>(&mut store, RUN).expect("the copy exports it");
        run.call(&mut store, ()).map_err(trapped)?;

        let used = AMPLE_FUEL - store.get_fuel().expect("fuel is on");
        let mut left = Left::new(&copy, &instance, &mut store);
        let extra = copy.extra_fuel(|counter| left.counter(counter));
        equal_fuel(outcome.fuel, used - extra)?;
        equal_values("results", &outcome.results, &left.globals(copy.results.clone()))?;
        for ((probe, snapshot), shown) in watch.operands.iter().zip(&copy.probes) {
            match snapshot {
                Some(snapshot) => equal_values("operands", &snapshot.operands, &left.globals(shown.operands.clone()))?,
                None => compare::not_hit(probe.hit, left.counter(shown.counter))?,
            }
        }
        let passed: Vec<bool> = copy.flags.iter().map(|&flag| left.counter(flag) > 0).collect();
        equal_flags(watch.flags, &passed)?;
        let own = program.globals.len();
        equal_values("globals", &typed_globals(program, &outcome.globals), &left.globals(0..own as u32))?;
        if program.memory.is_some() {
            let memory = instance.get_memory(&mut store, &export_name(Extern::Memory, 0)).expect("the copy exports it");
            equal_memory(machine.memory(), memory.data(&store))?;
        }
        Ok(())
    }
}

/// What stands in for an imported function: it does nothing, and returns zeros and nulls.
fn stand_in(store: &mut Store<()>, ty: &FuncType) -> Func {
    let zeros: Vec<Val> = ty.results().map(|ty| ty.default_value().expect("no type here lacks a default")).collect();
    Func::new(store, ty.clone(), move |_, _, results| {
        results.copy_from_slice(&zeros);
        Ok(())
    })
}

/// What a run of the copy left behind.
struct Left<'a> {
    instance: &'a Instance,
    store: &'a mut Store<()>,
    /// Functions by their identity, where any can be a value.
    functions: HashMap<usize, u32>,
}

impl<'a> Left<'a> {
    fn new(copy: &Copy, instance: &'a Instance, store: &'a mut Store<()>) -> Self {
        let mut functions = HashMap::new();
        for index in 0..copy.program.funcs.len() as u32 {
            let Some(func) = instance.get_func(&mut *store, &export_name(Extern::Func, index)) else { break };
            functions.insert(func.to_raw(&mut *store) as usize, index);
        }
        Self { instance, store, functions }
    }

    fn counter(&mut self, global: u32) -> u64 {
        self.global(global).bits as u64
    }

    fn globals(&mut self, indices: Range<u32>) -> Vec<Value> {
        indices.map(|index| self.global(index)).collect()
    }

    fn global(&mut self, index: u32) -> Value {
        let global = self.instance.get_global(&mut *self.store, &export_name(Extern::Global, index));
        let value = global.expect("the copy exports it").get(&mut *self.store);
        self.value(&value)
    }

    fn value(&mut self, value: &Val) -> Value {
        match *value {
            Val::I32(x) => Value::i32(x),
            Val::I64(x) => Value::i64(x),
            Val::F32(bits) => Value::new(ValType::F32, Bits::from(bits)),
            Val::F64(bits) => Value::new(ValType::F64, Bits::from(bits)),
            Val::V128(bits) => Value::new(ValType::V128, bits.as_u128()),
            Val::FuncRef(None) => Value::zero(ValType::FuncRef),
            Val::FuncRef(Some(func)) => {
                let index = self.functions[&(func.to_raw(&mut *self.store) as usize)];
                Value::new(ValType::FuncRef, 1 + Bits::from(index))
            }
            Val::ExternRef(None) => Value::zero(ValType::ExternRef),
            ref other => unreachable!("no program here has a value like {other:?}"),
        }
    }

    fn table(&mut self, index: u32) -> Vec<Value> {
        let table = self.instance.get_table(&mut *self.store, &export_name(Extern::Table, index));
        let table = table.expect("the copy exports it");
        let size = table.size(&*self.store);
        let elements: Vec<Ref> = (0..size).map(|at| table.get(&mut *self.store, at).expect("in bounds")).collect();
        elements.into_iter().map(|element| self.value(&element.into())).collect()
    }
}

fn typed_globals(program: &Program, bits: &[Bits]) -> Vec<Value> {
    program.globals.iter().zip(bits).map(|(global, &bits)| Value::new(global.ty, bits)).collect()
}
