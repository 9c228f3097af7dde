//! Random programs under many settings, held against wasmparser, the machine's second run, and wasmtime.

use super::action::{Action, COUNT};
use super::canon::{Coverage, Covering, canonical};
use super::chance::Chance;
use super::config::WeaveConfig;
use super::recipe;
use super::weaver::{Loom, Weaver};
use crate::seed::Seed;
use crate::wasm::machine::Machine;
use crate::wasm::oracle::{Oracle, Watch};
use crate::wasm::{encode, parse, print, rerun};
use std::sync::Arc;

fn loom(yaml: &str) -> Arc<Loom> {
    let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
    config.check().expect("sensible settings");
    Arc::new(Loom::new(config))
}

const SETTINGS: [&str; 7] = [
    // The smallest budgets of all.
    "bytes: {max: 36}\nfuel: {max: 2}\nlimits: {results: 1}",
    "{}",
    "fuel: {min: 30, max: 200}\nlimits: {functions: 6, nesting: 6, dead: 3, results: 1}",
    "bytes: {max: 80}\nfuel: {max: 12}\nlimits: {results: 1}",
    "fuel: {min: 40, max: 60}\nallow: [i32.add, loop, if, local, local.set, br_if, call, i32.lt_u, i32.eqz]",
    "fuel: {max: 2000}\nbytes: {max: 2000}\nallow: [loop, block, if, local, br_if, br, call, int arithmetic, store, load]",
    "forbid: [load, store, block, loop, if, br, br_if, call, return]",
];

/// Everything that must hold for one finished program.
fn check(weaver: &Weaver, machine: &mut Machine, oracle: Option<&Oracle>) {
    let context =
        || format!("seed {}, actions {:?}\n{}", weaver.seed(), weaver.actions(), print::print(weaver.program(), &[]));
    let (program, config) = (weaver.program(), weaver.config());
    let bytes = encode::encode(program);
    assert_eq!(bytes.len() as u32, weaver.bytes(), "predicted bytes; {}", context());
    assert!(weaver.bytes() <= config.bytes.max, "bytes; {}", context());
    wasmparser::Validator::new().validate_all(&bytes).unwrap_or_else(|e| panic!("{e}; {}", context()));
    let outcome = rerun::run_to_end(machine, program, 0, u64::from(config.fuel.max));
    let outcome = outcome.unwrap_or_else(|trap| panic!("{trap}; {}", context()));
    assert_eq!(outcome.fuel, weaver.machine().fuel(), "fuel of the rerun; {}", context());
    assert_eq!(outcome.globals, weaver.machine().globals(), "globals of the rerun; {}", context());
    assert!(machine.memory() == weaver.machine().memory(), "memory of the rerun; {}", context());
    if let Some(oracle) = oracle {
        oracle.check(program, 0, &outcome, machine, Watch::default()).unwrap_or_else(|e| panic!("{e}; {}", context()));
    }
}

#[test]
fn whatever_chance_chooses_the_program_holds() {
    let (mut machine, oracle) = (Machine::default(), Oracle::new());
    for (index, yaml) in SETTINGS.iter().enumerate() {
        let loom = loom(yaml);
        let mut weaver = Weaver::new(loom, 0);
        for n in 0..1500 {
            let seed = Seed::new(index as u64).indexed("program", n);
            weaver.reset(seed.to_u64());
            Chance::ALL[n as usize % 2].weave(&mut weaver, &mut seed.child("choices").rng());
            check(&weaver, &mut machine, (n % 10 == 0).then_some(&oracle));
        }
    }
}

#[test]
fn nothing_forbidden_is_woven() {
    for forbidden in ["local.get", "local.tee", "i32.add", "i32.lt_u", "local.set", "br_if", "block", "conversion"] {
        let loom = loom(&format!("fuel: {{min: 20, max: 80}}\nforbid: [{forbidden}]"));
        let allowed = loom.config.instructions();
        let mut weaver = Weaver::new(loom, 0);
        for n in 0..150 {
            let seed = Seed::new(6).indexed("program", n);
            weaver.reset(seed.to_u64());
            Chance::ALL[n as usize % 2].weave(&mut weaver, &mut seed.child("choices").rng());
            for instr in weaver.program().seqs.iter().flat_map(|seq| &seq.code) {
                assert!(allowed.contains(Action::Instr(instr.op)), "{} in spite of `{forbidden}`", instr.op);
            }
        }
    }
}

#[test]
fn recipes_rebuild_bit_for_bit() {
    let loom = loom(SETTINGS[2]);
    for n in 0..200 {
        let seed = Seed::new(9).indexed("program", n);
        let mut weaver = Weaver::new(loom.clone(), seed.to_u64());
        Chance::Categories.weave(&mut weaver, &mut seed.child("choices").rng());
        let again =
            recipe::rebuild(loom.clone(), recipe::GENERATOR, weaver.seed(), weaver.actions()).expect("rebuilds");
        assert_eq!(again.program(), weaver.program());
        let cut = &weaver.actions()[..weaver.actions().len() - 1];
        let error = recipe::rebuild(loom.clone(), recipe::GENERATOR, weaver.seed(), cut).expect_err("cut short");
        assert_eq!(error, recipe::RecipeError::Unfinished { at: cut.len() });
    }
}

#[test]
fn text_and_bytes_read_back() {
    let loom = loom(SETTINGS[2]);
    let mut weaver = Weaver::new(loom, 0);
    for n in 0..300 {
        let seed = Seed::new(4).indexed("program", n);
        weaver.reset(seed.to_u64());
        Chance::ALL[n as usize % 2].weave(&mut weaver, &mut seed.child("choices").rng());
        let bytes = encode::encode(weaver.program());
        let from_bytes = parse::parse_binary(&bytes).expect("our own encoding");
        assert_eq!(encode::encode(&from_bytes), bytes);
        let (from_text, _) = parse::parse_text(&print::print(weaver.program(), &[]), &[]).expect("our own text");
        let form = |program| {
            let mut covering = Covering { program, coverage: Coverage::default() };
            rerun::run(&mut Machine::default(), program, 0, 1000, &mut covering).expect("does not trap");
            canonical(program, 0, &covering.coverage)
        };
        assert_eq!(form(&from_text), form(weaver.program()));
    }
}

/// Over many programs every action is offered and taken, so none is dead vocabulary.
#[test]
fn every_action_is_reachable() {
    let mut taken = vec![false; COUNT];
    for yaml in [
        SETTINGS[1],
        SETTINGS[4],
        "limits: {functions: 8, locals: 16, globals: 8, nesting: 7}\nfuel: {max: 400}\nbytes: {max: 3000}",
    ] {
        let mut weaver = Weaver::new(loom(yaml), 0);
        for n in 0..3000 {
            let seed = Seed::new(5).indexed("program", n);
            weaver.reset(seed.to_u64());
            Chance::ALL[n as usize % 2].weave(&mut weaver, &mut seed.child("choices").rng());
            weaver.actions().iter().for_each(|&action| taken[usize::from(action)] = true);
        }
    }
    let never: Vec<Action> = (0..COUNT).filter(|&number| !taken[number]).map(Action::from_number).collect();
    use crate::wasm::isa::Op;
    let expected = [Action::Instr(Op::Else), Action::Instr(Op::BrTable)];
    let unexpected: Vec<&Action> = never.iter().filter(|action| !expected.contains(action)).collect();
    assert!(unexpected.is_empty(), "never taken: {unexpected:?}");
}
