//! throwaway: dump items as JSON lines: task preset n seed out
use std::io::Write;
use std::sync::Arc;
use wasmweaver::item::{make::Maker, record::Task, task};
use wasmweaver::run::preset::Preset;
use wasmweaver::seed::Seed;
use wasmweaver::weave::{chance::Chance, weaver::*};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let task: Task = args[1].parse().unwrap();
    let mut preset = Preset::load(&args[2]).unwrap();
    let n: usize = args[3].parse().unwrap();
    if let Ok(x) = std::env::var("FLAGS") {
        let (a, b) = x.split_once("-").unwrap();
        preset.probe.flags = task::FlagCount { min: a.parse().unwrap(), max: b.parse().unwrap() };
    }
    let loom = Arc::new(Loom::new(preset.weave));
    let mut out = std::io::BufWriter::new(std::fs::File::create(&args[5]).unwrap());
    let mut maker = Maker::new(task, preset.probe, &loom);
    let (mut made, mut tried) = (0, 0u64);
    let mut solved = std::collections::BTreeMap::<&str, usize>::new();
    let mut bools = [0; 2];
    let time = std::time::Instant::now();
    let mut making = std::time::Duration::ZERO;
    let mut fuels = std::collections::BTreeMap::<u64, usize>::new();
    let mut w = Weaver::new(loom.clone(), 0);
    while made < n {
        let seed = Seed::new(args[4].parse().unwrap()).indexed("program", tried);
        w.reset(seed.to_u64());
        Chance::ALL[tried as usize % 2].weave(&mut w, &mut seed.child("choices").rng());
        tried += 1;
        let t = std::time::Instant::now();
        let d = maker.make(&w, tried.to_string(), &mut seed.child("probe").rng());
        making += t.elapsed();
        let Some(d) = d else { continue };
        made += 1;
        use wasmweaver::item::record::Truth::*;
        let types: Vec<_> = match &d.item.truth {
            StackValues(v) | ReturnValues(v) => v.iter().map(|v| v.ty).collect(),
            _ => vec![],
        };
        if let FlagStates(f) = &d.item.truth {
            for x in f {
                bools[x.1 as usize] += 1;
            }
        }
        *fuels.entry(d.item.fuel).or_default() += 1;
        let mut hit = std::collections::BTreeSet::new();
        for g in task::guesses(task, &d.program, 0, &d.item.probes, &types) {
            if g.answer == d.item.truth {
                hit.insert(g.name);
            }
        }
        for h in hit {
            *solved.entry(h).or_default() += 1;
        }
        serde_json::to_writer(&mut out, &serde_json::json!({"program": d.item.program, "truth": d.item.truth}))
            .unwrap();
        writeln!(out).unwrap();
    }
    let mut top: Vec<_> = fuels.into_iter().map(|(f, c)| (c, f)).collect();
    top.sort();
    top.reverse();
    println!(
        "{task}: {made} items of {tried} programs; solved by {:?}; flags false/true {bools:?} ({:.3}); top fuels {:?}; making {:?}/program of {:?}",
        solved.iter().map(|(k, v)| (k, *v as f64 / made as f64)).collect::<Vec<_>>(),
        bools[1] as f64 / (bools[0] + bools[1]).max(1) as f64,
        &top[..6.min(top.len())],
        making / tried as u32,
        time.elapsed()
    );
}
