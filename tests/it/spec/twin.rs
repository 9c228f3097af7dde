//! Owns the same script on wasmtime, so that fuel can be compared: of that the suite says nothing.

use std::collections::HashMap;
use wasmtime::{Config, Engine, ExternRef, Instance, Linker, Module, OptLevel, Store, Val};
use wasmweaver::wasm::types::{ValType, Value};

/// Fuel before each call.
const AMPLE: u64 = 1 << 40;

/// wasmtime with the instances of one script.
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

    /// What a call costs, or how it traps.
    pub(super) fn call(&mut self, number: u32, name: &str, args: &[Value]) -> Result<u64, String> {
        let instance = self.instances[&number].clone()?;
        let func = instance.get_func(&mut self.store, name).ok_or("wasmtime has no such export")?;
        let args: Vec<Val> = args.iter().map(|arg| self.value(arg)).collect();
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        self.store.set_fuel(AMPLE).expect("fuel is on");
        let called = func.call(&mut self.store, &args, &mut results);
        let left = self.store.get_fuel().expect("fuel is on");
        called.map(|()| AMPLE - left).map_err(|error| format!("{error:?}"))
    }

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
    }
}
