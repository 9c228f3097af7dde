//! Owns running copies in wasmtime, and looking at what each left behind.
//!
//! Must not know why they are run.

use super::compare::{equal_flags, equal_memory, equal_values, hit, not_hit};
use super::copy::Copy;
use super::limits::Limits;
use super::merge::{Home, Merged, RUN, export_name};
use super::{Disagreement, Watch};
use crate::wasm::machine::Machine;
use crate::wasm::program::{Extern, Program};
use crate::wasm::types::{Bits, ValType, Value};
use std::collections::HashMap;
use std::ops::Range;
use wasmtime::{Engine, Func, FuncType, Instance, Module, Store, Val};

/// A module of copies that runs, or has run.
pub(super) struct Host {
    store: Store<Limits>,
    instance: Instance,
    /// Functions by their identity, where any can be a value.
    functions: HashMap<usize, u32>,
}

impl Host {
    /// Instantiates the module; a start function has this much fuel.
    ///
    /// # Errors
    /// Why it could not be, or trapped, and what was noted before.
    pub(super) fn new(
        engine: &Engine,
        module: &Module,
        merged: &Merged,
        fuel: u64,
    ) -> Result<Self, (wasmtime::Error, Limits)> {
        let mut store = Store::new(engine, Limits::default());
        store.limiter(|limits| limits);
        store.set_fuel(fuel).expect("fuel is on");
        let imports = module.imports().zip(&merged.astray).map(|(import, &astray)| {
            let ty = import.ty().unwrap_func().clone();
            if astray { none(&mut store, ty) } else { stand_in(&mut store, ty) }.into()
        });
        let imports: Vec<_> = imports.collect();
        let instance = match Instance::new(&mut store, module, &imports) {
            Ok(instance) => instance,
            Err(error) => return Err((error, store.into_data())),
        };
        let mut functions = HashMap::new();
        for &index in &merged.values {
            let func = instance.get_func(&mut store, &export_name(Extern::Func, index));
            functions.insert(func.expect("the module exports it").to_raw(&mut store) as usize, index);
        }
        Ok(Self { store, instance, functions })
    }

    /// What was noted so far.
    pub(super) fn limits(&self) -> &Limits {
        self.store.data()
    }
}

/// What one copy left behind.
pub(super) struct Left<'a> {
    host: &'a mut Host,
    copy: &'a Copy,
    home: &'a Home,
    /// Fuel that the run took, that of the copy for itself left out.
    pub(super) fuel: u64,
}

impl<'a> Left<'a> {
    /// Runs the copy of a number with this much fuel; how that ended.
    pub(super) fn by(
        host: &'a mut Host,
        number: usize,
        copy: &'a Copy,
        home: &'a Home,
        fuel: u64,
    ) -> (Self, wasmtime::Result<()>) {
        let mut left = Self { host, copy, home, fuel: 0 };
        // A start function passes counters too, but its fuel is not counted.
        let before = copy.extra_fuel(|counter| left.counter(counter));
        let (store, instance) = (&mut left.host.store, left.host.instance);
        store.set_fuel(fuel).expect("fuel is on");
        let run = instance.get_typed_func::<i32, ()>(&mut *store, RUN).expect("the module exports it");
        let ended = run.call(&mut *store, number as i32);
        let used = fuel - store.get_fuel().expect("fuel is on");
        let extra = copy.extra_fuel(|counter| left.counter(counter)) - before + Merged::run_fuel(copy);
        left.fuel = used.saturating_sub(extra);
        (left, ended)
    }

    fn counter(&mut self, global: u32) -> u64 {
        self.global(global).bits as u64
    }

    pub(super) fn results(&mut self) -> Vec<Value> {
        self.globals(self.copy.results.clone())
    }

    fn globals(&mut self, indices: Range<u32>) -> Vec<Value> {
        indices.map(|index| self.global(index)).collect()
    }

    fn global(&mut self, index: u32) -> Value {
        let name = export_name(Extern::Global, self.home.globals + index);
        let global = self.host.instance.get_global(&mut self.host.store, &name);
        let value = global.expect("the module exports it").get(&mut self.host.store);
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
                let index = self.host.functions.get(&(func.to_raw(&mut self.host.store) as usize));
                let own = index.and_then(|&index| self.home.own_func(index));
                // One that no `ref.func` of the copy names has no number, and is not equal to any that has.
                Value::new(ValType::FuncRef, own.map_or(Bits::MAX, |own| 1 + Bits::from(own)))
            }
            Val::ExternRef(None) => Value::zero(ValType::ExternRef),
            ref other => unreachable!("no program here has a value like {other:?}"),
        }
    }

    /// Compares a table, some elements at a time: it may have millions.
    fn equal_table(&mut self, index: u32, ty: ValType, ours: &[Bits]) -> Result<(), Disagreement> {
        const AT_A_TIME: usize = 1 << 12;
        let store = &mut self.host.store;
        let table = self.host.instance.get_table(&mut *store, &export_name(Extern::Table, self.home.tables + index));
        let table = table.expect("the module exports it");
        let size = |size: u64| Value::i64(size as i64);
        equal_values("the size of a table", &[size(ours.len() as u64)], &[size(table.size(&*store))])?;
        for (part, start) in ours.chunks(AT_A_TIME).zip((0..).step_by(AT_A_TIME)) {
            let store = &mut self.host.store;
            let all = start..start + part.len() as u64;
            let theirs: Vec<_> = all.map(|at| table.get(&mut *store, at).expect("in bounds")).collect();
            let theirs: Vec<Value> = theirs.into_iter().map(|element| self.value(&element.into())).collect();
            let ours: Vec<Value> = part.iter().map(|&bits| Value::new(ty, bits)).collect();
            equal_values("a table", &ours, &theirs)?;
        }
        Ok(())
    }

    /// Compares what was watched: the machine's run and this one ended at the same moment.
    pub(super) fn equal_watched(&mut self, watch: Watch<'_>) -> Result<(), Disagreement> {
        let copy = self.copy;
        for ((probe, snapshot), shown) in watch.operands.iter().zip(&copy.probes) {
            match snapshot {
                Some(snapshot) => {
                    hit(probe.hit, self.counter(shown.counter))?;
                    equal_values("operands", &snapshot.operands, &self.globals(shown.operands.clone()))?;
                }
                None => not_hit(probe.hit, self.counter(shown.counter))?,
            }
        }
        let passed: Vec<bool> = copy.flags.iter().map(|&flag| self.counter(flag) > 0).collect();
        equal_flags(watch.flags, &passed)
    }

    /// Compares the operands that both have seen: one of the runs went further than the other.
    pub(super) fn equal_seen(&mut self, watch: Watch<'_>) -> Result<(), Disagreement> {
        let copy = self.copy;
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
        equal_values("globals", &globals, &self.globals(0..globals.len() as u32))?;
        for (index, (table, elements)) in program.tables.iter().zip(machine.tables()).enumerate() {
            self.equal_table(index as u32, table.ty, elements)?;
        }
        if program.memory.is_some() {
            let store = &mut self.host.store;
            let memory = self.host.instance.get_memory(&mut *store, &export_name(Extern::Memory, self.home.memory));
            equal_memory(machine.memory(), memory.expect("the module exports it").data(&*store))?;
        }
        Ok(())
    }
}

/// What stands in for an imported function: it does nothing, and returns zeros and nulls.
fn stand_in(store: &mut Store<Limits>, ty: FuncType) -> Func {
    let zeros: Vec<Val> = ty.results().map(|ty| ty.default_value().expect("no type here lacks a default")).collect();
    Func::new(store, ty, move |_, _, results| {
        results.copy_from_slice(&zeros);
        Ok(())
    })
}

/// What stands for a function that is never called, until it is.
fn none(store: &mut Store<Limits>, ty: FuncType) -> Func {
    Func::new(store, ty, |mut caller, _, _| {
        caller.data_mut().astray = true;
        Err(wasmtime::Error::msg("a function was called that our machine did not call"))
    })
}
