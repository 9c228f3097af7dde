use std::sync::Arc;
use wasmweaver::seed::Seed;
use wasmweaver::weave::chance::Chance;
use wasmweaver::weave::config::WeaveConfig;
use wasmweaver::weave::weaver::{Loom, Weaver};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let config: WeaveConfig = serde_yaml::from_str(&std::fs::read_to_string(&args[1]).unwrap()).unwrap();
    let loom = Arc::new(Loom::new(config));
    let want: u64 = args[2].parse().unwrap();
    for k in 0..100000 {
        let seed = Seed::new(1).indexed("program", k);
        if seed.to_u64() != want { continue; }
        let mut weaver = Weaver::new(loom.clone(), want);
        let mut rng = seed.child("choices").rng();
        while !weaver.legal().is_empty() {
            let a = Chance::ALL[k as usize % 2].choose(weaver.legal(), &mut rng);
            let p = weaver.phase();
            eprintln!("{:?} {:?} | {}", p, a, weaver.debug());
            weaver.step(a);
        }
    }
}
