//! Owns a run of the copy in wasmtime, and looking at what it left behind.
//!
//! Must not know why it is run.

use super::compare::{equal_flags, equal_memory, equal_values, not_hit};
use super::copy::{Copy, RUN, export_name};
use super::{Disagreement, Watch};
use crate::wasm::machine::{MAX_ELEMENTS, Machine};
use crate::wasm::program::{Extern, Program};
use crate::wasm::types::{Bits, ValType, Value};
use std::collections::HashMap;
use std::ops::Range;
use wasmtime::{Engine, Func, FuncType, Instance, Module, Ref, Store, StoreLimits, StoreLimitsBuilder, Val};

/// A run, and what it left behind.
pub(super) struct Left {
    store: Store<StoreLimits>,
    /// None if the module could not be instantiated.
    instance: Option<Instance>,
    /// Fuel that the copy took for itself while it was instantiated: that of the program is not counted.
    before: u64,
    /// Functions by their identity, where any can be a value.
    functions: HashMap<usize, u32>,
}

impl Left {
    pub(super) fn new(engine: &Engine) -> Self {
        // A table grows as far as the machine's: beyond that the outcome would depend on the host.
        let limits = StoreLimitsBuilder::new().table_elements(MAX_ELEMENTS as usize).build();
        let mut store = Store::new(engine, limits);
        store.limiter(|limits| limits);
        Self { store, instance: None, before: 0, functions: HashMap::new() }
    }

    /// Instantiates the copy and calls its function, each with this much fuel.
    pub(super) fn run(&mut self, module: &Module, copy: &Copy, fuel: u64) -> wasmtime::Result<()> {
        self.store.set_fuel(fuel)?;
        let imports = module.imports().map(|import| {
            let ty = import.ty().unwrap_func().clone();
            stand_in(&mut self.store, ty).into()
        });
        let imports: Vec<_> = imports.collect();
        let instance = Instance::new(&mut self.store, module, &imports)?;
        self.instance = Some(instance);
        for index in 0..copy.program.funcs.len() as u32 {
            let Some(func) = instance.get_func(&mut self.store, &export_name(Extern::Func, index)) else { break };
            self.functions.insert(func.to_raw(&mut self.store) as usize, index);
        }
        self.before = copy.extra_fuel(|counter| self.counter(counter));
        self.store.set_fuel(fuel)?;
        let run = instance.get_typed_func::<(), ()>(&mut self.store, RUN).expect("the copy exports it");
        run.call(&mut self.store, ())
    }

    /// Fuel that the program used after it was instantiated, of that much given.
    pub(super) fn fuel(&mut self, copy: &Copy, given: u64) -> u64 {
        if self.instance.is_none() {
            return given;
        }
        let extra = copy.extra_fuel(|counter| self.counter(counter)) - self.before + copy.wrapper_fuel();
        (given - self.store.get_fuel().expect("fuel is on")).saturating_sub(extra)
    }

    fn counter(&mut self, global: u32) -> u64 {
        self.global(global).bits as u64
    }

    pub(super) fn globals(&mut self, indices: Range<u32>) -> Vec<Value> {
        indices.map(|index| self.global(index)).collect()
    }

    fn global(&mut self, index: u32) -> Value {
        let instance = self.instance.expect("it was instantiated");
        let global = instance.get_global(&mut self.store, &export_name(Extern::Global, index));
        let value = global.expect("the copy exports it").get(&mut self.store);
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
                let index = self.functions[&(func.to_raw(&mut self.store) as usize)];
                Value::new(ValType::FuncRef, 1 + Bits::from(index))
            }
            Val::ExternRef(None) => Value::zero(ValType::ExternRef),
            ref other => unreachable!("no program here has a value like {other:?}"),
        }
    }

    fn table(&mut self, instance: Instance, index: u32) -> Vec<Value> {
        let table = instance.get_table(&mut self.store, &export_name(Extern::Table, index));
        let table = table.expect("the copy exports it");
        let size = table.size(&self.store);
        let elements: Vec<Ref> = (0..size).map(|at| table.get(&mut self.store, at).expect("in bounds")).collect();
        elements.into_iter().map(|element| self.value(&element.into())).collect()
    }

    /// Compares what was watched: the machine's run and this one ended at the same moment.
    pub(super) fn equal_watched(&mut self, copy: &Copy, watch: Watch<'_>) -> Result<(), Disagreement> {
        if self.instance.is_none() {
            return Ok(());
        }
        for ((probe, snapshot), shown) in watch.operands.iter().zip(&copy.probes) {
            match snapshot {
                Some(snapshot) => {
                    equal_values("operands", &snapshot.operands, &self.globals(shown.operands.clone()))?;
                }
                None => not_hit(probe.hit, self.counter(shown.counter))?,
            }
        }
        let passed: Vec<bool> = copy.flags.iter().map(|&flag| self.counter(flag) > 0).collect();
        equal_flags(watch.flags, &passed)
    }

    /// Compares the operands that both have seen: one of the runs went further than the other.
    pub(super) fn equal_seen(&mut self, copy: &Copy, watch: Watch<'_>) -> Result<(), Disagreement> {
        if self.instance.is_none() {
            return Ok(());
        }
        for ((probe, snapshot), shown) in watch.operands.iter().zip(&copy.probes) {
            if let Some(snapshot) = snapshot
                && self.counter(shown.counter) >= u64::from(probe.hit)
            {
                equal_values("operands", &snapshot.operands, &self.globals(shown.operands.clone()))?;
            }
        }
        Ok(())
    }

    /// Compares globals, tables and memory.
    pub(super) fn equal_state(
        &mut self,
        program: &Program,
        globals: Vec<Value>,
        machine: &Machine,
    ) -> Result<(), Disagreement> {
        let Some(instance) = self.instance else { return Ok(()) };
        equal_values("globals", &globals, &self.globals(0..globals.len() as u32))?;
        for (index, (table, elements)) in program.tables.iter().zip(machine.tables()).enumerate() {
            let ours: Vec<Value> = elements.iter().map(|&bits| Value::new(table.ty, bits)).collect();
            equal_values("a table", &ours, &self.table(instance, index as u32))?;
        }
        if program.memory.is_some() {
            let memory = instance.get_memory(&mut self.store, &export_name(Extern::Memory, 0));
            equal_memory(machine.memory(), memory.expect("the copy exports it").data(&self.store))?;
        }
        Ok(())
    }
}

/// What stands in for an imported function: it does nothing, and returns zeros and nulls.
fn stand_in(store: &mut Store<StoreLimits>, ty: FuncType) -> Func {
    let zeros: Vec<Val> = ty.results().map(|ty| ty.default_value().expect("no type here lacks a default")).collect();
    Func::new(store, ty, move |_, _, results| {
        results.copy_from_slice(&zeros);
        Ok(())
    })
}
