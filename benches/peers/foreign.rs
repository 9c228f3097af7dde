//! Owns running modules in wasmi: whether one comes to its end, and how long that takes.
//!
//! Must not know where modules come from.

use crate::Options;
use crate::figure::{Figure, rate};
use crate::programs::{Loop, straight_loom};
use wasmi::{Config, Engine, Instance, Module, Store, Val};
use wasmweaver::wasm::encode;
use wasmweaver::weave::chance::Chance;
use wasmweaver::weave::weaver::ENTRY;

/// Far more than any program here burns.
const AMPLE_FUEL: u64 = 1 << 24;

/// An engine keeps all code it has compiled: use one for about a thousand modules. It meters fuel, without which
/// wasmi 2.0.0 translates more programs wrongly.
pub(crate) fn engine() -> Engine {
    let mut config = Config::default();
    config.consume_fuel(true);
    Engine::new(&config)
}

/// Compiles, instantiates and calls an exported function without parameters, to its end.
pub(crate) fn run(engine: &Engine, bytes: &[u8], name: &str) -> Result<(), wasmi::Error> {
    let module = Module::new(engine, bytes)?;
    let mut store = Store::new(engine, ());
    store.set_fuel(AMPLE_FUEL)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let func = instance.get_func(&store, name).expect("the module exports it");
    let mut results: Vec<Val> = func.ty(&store).results().iter().map(|&ty| Val::default_for_ty(ty)).collect();
    func.call(&mut store, &[], &mut results)
}

/// How fast wasmi compiles, instantiates and runs what the weaver ran while it wove.
pub(crate) fn measure(_: &Options) -> Vec<Figure> {
    let (loom, preset) = straight_loom();
    let mut woven = Loop::new(loom, Chance::Actions);
    let modules: Vec<Vec<u8>> = (0..1000).map(|_| encode::encode(woven.next().program())).collect();
    let rate = rate(|| {
        let engine = engine();
        // One in hundreds of thousands traps that must not: bench `wasmi` looks at those.
        modules.iter().filter(|bytes| run(&engine, bytes, ENTRY).is_ok()).count() as u64
    });
    vec![Figure {
        name: "straight_wasmi".into(),
        value: rate.per_second,
        core: rate.core,
        unit: "programs/s",
        preset,
        detail: "compiled, instantiated and run in wasmi 2, a thousand to an engine".into(),
        limit: "wasmi itself",
        target: None,
    }]
}
