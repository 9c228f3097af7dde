//! Owns the same script on wasmtime, so that fuel can be compared: of that the suite says nothing.

use std::collections::HashMap;
<<<<<<< HEAD
use wasmtime::{Config, Engine, ExternRef, Instance, Linker, Module, OptLevel, Store, Val};
=======
use wasmtime::{Config, Engine, Extern, ExternRef, Instance, Linker, Module, OptLevel, Store, Val};
>>>>>>> 18a76273776524d0bfdcad0437c2d4a5fb778bad
use wasmweaver::wasm::types::{ValType, Value};

/// Fuel before each call.
const AMPLE: u64 = 1 << 40;

<<<<<<< HEAD
/// wasmtime with the instances of one script.
=======
/// wasmtime with the instances of one script. Modules that it refuses are missing, and with them what their calls would
/// cost.
>>>>>>> 18a76273776524d0bfdcad0437c2d4a5fb778bad
pub(super) struct Twin {
    store: Store<()>,
    linker: Linker<()>,
    /// By the number that the instance has on our machine.
    instances: HashMap<u32, Result<Instance, String>>,
}

impl Twin {
    /// wasmtime, set up for many small modules.
    pub(super) fn engine() -> Engine {
        let mut config = Config::new();
        config
            .consume_fuel(true)
            .cranelift_opt_level(OptLevel::None)
            .memory_init_cow(false)
            .memory_reservation(1 << 20)
            .memory_guard_size(0);
        Engine::new(&config).expect("the settings fit each other")
    }

    pub(super) fn new(engine: &Engine) -> Self {
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true);
        Self { store: Store::new(engine, ()), linker, instances: HashMap::new() }
    }

    /// Makes an instance of a module. If that traps, what is missing is missed when it is called.
    pub(super) fn instantiate(&mut self, number: u32, bytes: &[u8]) {
        self.store.set_fuel(AMPLE).expect("fuel is on");
        let module = Module::new(self.store.engine(), bytes);
        let instance = module.and_then(|module| self.linker.instantiate(&mut self.store, &module));
        self.instances.insert(number, instance.map_err(|error| format!("{error:?}")));
    }

    pub(super) fn register(&mut self, number: u32, name: &str) {
        if let Some(Ok(instance)) = self.instances.get(&number) {
            self.linker.instance(&mut self.store, name, *instance).expect("shadowing is allowed");
        }
    }

<<<<<<< HEAD
    /// What a call costs, or how it traps.
    pub(super) fn call(&mut self, number: u32, name: &str, args: &[Value]) -> Result<u64, String> {
        let instance = self.instances[&number].clone()?;
        let func = instance.get_func(&mut self.store, name).ok_or("wasmtime has no such export")?;
        let args: Vec<Val> = args.iter().map(|arg| self.value(arg)).collect();
=======
    /// What a call costs, or how it traps; nothing if it cannot be made.
    pub(super) fn call(&mut self, number: u32, name: &str, args: &[Value]) -> Option<Result<u64, String>> {
        let instance = self.instances.get(&number)?;
        let Some(Extern::Func(func)) = instance.get_export(&mut self.store, name) else { return None };
        let args: Vec<Val> = args.iter().map(|arg| value(&mut self.store, arg)).collect::<Option<_>>()?;
>>>>>>> 18a76273776524d0bfdcad0437c2d4a5fb778bad
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        self.store.set_fuel(AMPLE).expect("fuel is on");
        let called = func.call(&mut self.store, &args, &mut results);
        let left = self.store.get_fuel().expect("fuel is on");
        called.map(|()| AMPLE - left).map_err(|error| format!("{error:?}"))
    }

<<<<<<< HEAD
    fn value(&mut self, value: &Value) -> Val {
        match value.ty {
            ValType::I32 => Val::I32(value.bits as i32),
            ValType::I64 => Val::I64(value.bits as i64),
            ValType::F32 => Val::F32(value.bits as u32),
            ValType::F64 => Val::F64(value.bits as u64),
            ValType::V128 => Val::V128(value.bits.into()),
            ValType::FuncRef => {
                assert_eq!(value.bits, 0, "no script passes a function");
                Val::FuncRef(None)
            }
            ValType::ExternRef if value.bits == 0 => Val::ExternRef(None),
            ValType::ExternRef => {
                Val::ExternRef(Some(ExternRef::new(&mut self.store, value.bits).expect("there is room")))
            }
        }
=======
/// A value as wasmtime has it; of the references to functions only null, since the script names no other.
fn value(store: &mut Store<()>, value: &Value) -> Option<Val> {
    match value.ty {
        ValType::I32 => Some(Val::I32(value.bits as i32)),
        ValType::I64 => Some(Val::I64(value.bits as i64)),
        ValType::F32 => Some(Val::F32(value.bits as u32)),
        ValType::F64 => Some(Val::F64(value.bits as u64)),
        ValType::V128 => Some(Val::V128(value.bits.into())),
        ValType::FuncRef => (value.bits == 0).then_some(Val::FuncRef(None)),
        ValType::ExternRef if value.bits == 0 => Some(Val::ExternRef(None)),
        ValType::ExternRef => Some(Val::ExternRef(Some(ExternRef::new(store, value.bits).ok()?))),
>>>>>>> 18a76273776524d0bfdcad0437c2d4a5fb778bad
    }
}
