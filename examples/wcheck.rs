use std::sync::Arc;
use wasmweaver::seed::Seed;
use wasmweaver::wasm::machine::Machine;
use wasmweaver::wasm::{encode, rerun};
use wasmweaver::weave::chance::Chance;
use wasmweaver::weave::config::WeaveConfig;
use wasmweaver::weave::weaver::{Loom, Weaver};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let config: WeaveConfig = serde_yaml::from_str(&std::fs::read_to_string(&args[1]).unwrap()).unwrap();
    config.check().unwrap();
    let n: u64 = args[2].parse().unwrap();
    let check = args.get(3).map(|s| s.as_str()) == Some("check");
    let loom = Arc::new(Loom::new(config));
    let mut weaver = Weaver::new(loom.clone(), 0);
    let mut machine = Machine::default();
    let start = std::time::Instant::now();
    let (mut steps, mut instrs, mut fuel, mut bytes) = (0u64, 0u64, 0u64, 0u64);
    let mut hist = std::collections::BTreeMap::new();
    for k in 0..n {
        let seed = Seed::new(1).indexed("program", k);
        weaver.reset(seed.to_u64());
        let mut rng = seed.child("choices").rng();
        Chance::ALL[k as usize % 2].weave(&mut weaver, &mut rng);
        steps += weaver.actions().len() as u64;
        instrs += weaver.program().seqs.iter().map(|s| s.code.len() as u64).sum::<u64>();
        fuel += weaver.machine().fuel();
        bytes += weaver.bytes() as u64;
        if check {
            let b = encode::encode(weaver.program());
            let ctx = || format!("seed {} actions {:?}\n{}", k, weaver.actions(), wasmweaver::wasm::print::print(weaver.program(), &[]));
            wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::WASM2 | wasmparser::WasmFeatures::TAIL_CALL).validate_all(&b).unwrap_or_else(|e| panic!("{e} {}", ctx()));
            assert_eq!(b.len() as u32, weaver.bytes(), "{}", ctx());
            assert!(weaver.bytes() <= weaver.config().bytes.max);
            let o = rerun::run_to_end(&mut machine, weaver.program(), weaver.entry(), weaver.config().fuel.max as u64).unwrap_or_else(|e| panic!("{e} {}", ctx()));
            assert_eq!(o.fuel, weaver.machine().fuel(), "{}", ctx());
            assert!(machine.memory() == weaver.machine().memory(), "{}", ctx());
            assert_eq!(o.globals, weaver.machine().globals());
            for s in &weaver.program().seqs { for i in &s.code { *hist.entry(i.op.mnemonic()).or_insert(0u64) += 1; } }
        }
    }
    let t = start.elapsed().as_secs_f64();
    println!("{n} programs {:.2}s: {:.0} programs/s, {:.2}M steps/s; per program {:.1} steps {:.1} instrs {:.1} fuel {:.1} bytes", t, n as f64 / t, steps as f64 / t / 1e6, steps as f64 / n as f64, instrs as f64 / n as f64, fuel as f64 / n as f64, bytes as f64 / n as f64);
    if check { let mut h: Vec<_> = hist.into_iter().collect(); h.sort_by_key(|x| std::cmp::Reverse(x.1)); for (m, c) in h.iter() { print!("{m}:{c} "); } println!(); }
}
