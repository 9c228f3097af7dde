//! Random programs under many settings, held against wasmparser, the machine's second run, and wasmtime.

use super::action::{Action, COUNT};
use super::canon::{Coverage, Covering, canonical};
use super::chance::Chance;
use super::config::WeaveConfig;
use super::recipe;
use super::weaver::goal::{GOAL, Goal};
use super::weaver::{Loom, Phase, Weaver};
use crate::seed::Seed;
use crate::wasm::isa::Op;
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::oracle::{Oracle, Watch};
use crate::wasm::program::{Place, Program};
use crate::wasm::rerun::Execution;
use crate::wasm::types::ValType;
use crate::wasm::{encode, parse, print};
use std::sync::Arc;

fn loom(yaml: &str) -> Arc<Loom> {
    let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
    Arc::new(Loom::new(config).expect("valid settings"))
}

pub(super) const SETTINGS: [&str; 11] = [
    // The smallest budgets of all.
    "bytes: {max: 36}\nfuel: {max: 2}\nlimits: {results: 1}",
    "{}",
    "fuel: {min: 30, max: 200}\nlimits: {functions: 6, nesting: 6, dead: 3, results: 1}",
    "bytes: {max: 80}\nfuel: {max: 12}\nlimits: {results: 1}",
    "fuel: {min: 40, max: 60}\nallow: [i32.add, loop, if, local, local.set, br_if, call, i32.lt_u, i32.eqz]",
    "fuel: {max: 2000}\nbytes: {max: 2000}\nallow: [loop, block, if, local, br_if, br, call, int arithmetic, store, load]",
    "forbid: [load, store, block, loop, if, br, br_if, call, return]",
    // All there is.
    "fuel: {min: 20, max: 200}\nbytes: {max: 2000}\nunaligned: true
features: [sign_extension, saturating_float_to_int, multi_value, bulk_memory, reference_types, simd, tail_call]
limits: {functions: 6, locals: 12, globals: 6, nesting: 6, results: 3, min_results: 1, tables: 2}",
    // What runs again in ways of its own: loops, recursion, calls through tables and in the place of the caller.
    "fuel: {min: 20, max: 400}\nbytes: {max: 2000}\nfeatures: [multi_value, tail_call]
allow: [loop, if, block, br_if, br, br_table, call, call_indirect, return_call, return_call_indirect, local, drop,
  i32.add, i32.sub, i32.eqz, i32.shr_u, i32.lt_u, global, unreachable]
limits: {functions: 8, nesting: 5, recursion: 8}",
    "imports: {memory: true, globals: [i32, f64], functions: [{params: [i32], results: [i64, i32]}, {params: [], results: []}]}
limits: {functions: 5}\nfuel: {max: 100}",
    "time: {min: 30, max: 60}\ncosts: {i32: 1, i64: 2, float arithmetic: 5, call: 10, drop: 1, const: 1, end: 1, local: 1}
bytes: {max: 600}\nfuel: {max: 300}",
];

#[test]
fn settings_that_make_no_sense_weave_nothing() {
    let config: WeaveConfig = serde_yaml::from_str("fuel: {min: 9, max: 5}").expect("well-formed");
    assert_eq!(Loom::new(config).err().map(|error| error.path), Some(vec!["fuel", "min"]));
}

/// Everything that must hold for one finished program.
fn check(weaver: &Weaver, machine: &mut Machine, oracle: Option<&Oracle>) {
    let context =
        || format!("seed {}, actions {:?}\n{}", weaver.seed(), weaver.actions(), print::print(weaver.program(), &[]));
    let (program, config) = (weaver.program(), weaver.config());
    let bytes = encode::encode(program);
    assert_eq!(bytes.len() as u32, weaver.bytes(), "predicted bytes; {}", context());
    assert!(weaver.bytes() <= config.bytes.max, "bytes; {}", context());
    wasmparser::Validator::new_with_features(parse::FEATURES)
        .validate_all(&bytes)
        .unwrap_or_else(|e| panic!("{e}; {}", context()));
    let outcome =
        Execution { machine, program, entry: weaver.entry(), fuel_limit: u64::from(config.fuel.max) }.run_to_end();
    let outcome = outcome.unwrap_or_else(|trap| panic!("{trap}; {}", context()));
    assert_eq!(outcome.fuel, weaver.machine().fuel(), "fuel of the rerun; {}", context());
    assert_eq!(outcome.globals, weaver.machine().globals(), "globals of the rerun; {}", context());
    assert!(machine.memory() == weaver.machine().memory(), "memory of the rerun; {}", context());
    if let Some(bounds) = config.time {
        assert_eq!(weaver.time(), time_of_rerun(weaver, machine), "time of the rerun; {}", context());
        assert!(weaver.time() <= u64::from(bounds.max), "time; {}", context());
    }
    if let Some(oracle) = oracle {
        oracle
            .check(program, weaver.entry(), &outcome, machine, Watch::default())
            .unwrap_or_else(|e| panic!("{e}; {}", context()));
    }
}

/// What the executed instructions cost, each `end` included.
fn time_of_rerun(weaver: &Weaver, machine: &mut Machine) -> u64 {
    struct Costs<'a>(&'a Program, Vec<u32>, u64);
    impl Observer for Costs<'_> {
        fn before(&mut self, _: &Machine, _: u32, place: Place) {
            let instr = self.0.seqs[place.seq as usize].code.get(place.index as usize);
            self.2 += u64::from(self.1[instr.map_or(Op::End, |instr| instr.op).index()]);
        }
    }
    let mut costs = Costs(weaver.program(), weaver.config().cost_table().expect("there are costs"), 0);
    Execution { machine, program: weaver.program(), entry: weaver.entry(), fuel_limit: u64::MAX }
        .run(&mut costs)
        .expect("it has run before");
    costs.2
}

#[test]
fn whatever_chance_chooses_the_program_holds() {
    let (mut machine, oracle) = (Machine::default(), Oracle::new());
    for (index, yaml) in SETTINGS.iter().enumerate() {
        let loom = loom(yaml);
        let mut weaver = Weaver::new(loom, 0);
        // What fails on trial in ways that were not thought of is rare.
        let programs = if [8, 10].contains(&index) { 5000 } else { 1500 };
        for n in 0..programs {
            let seed = Seed::new(index as u64).indexed("program", n);
            weaver.reset(seed.to_u64());
            Chance::ALL[n as usize % 2].weave(&mut weaver, &mut seed.child("choices").rng());
            check(&weaver, &mut machine, (n % 10 == 0 && n < 1500).then_some(&oracle));
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
    let loom = loom(SETTINGS[7]);
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
    let loom = loom(SETTINGS[7]);
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
            Execution { machine: &mut Machine::default(), program, entry: 0, fuel_limit: 1000 }
                .run(&mut covering)
                .expect("does not trap");
            canonical(program, 0, &covering.coverage)
        };
        assert_eq!(form(&from_text), form(weaver.program()));
    }
}

/// Over many programs every action is offered and taken, so none is dead vocabulary.
#[test]
fn every_action_is_reachable() {
    let mut taken = vec![false; COUNT];
    let large =
        "limits: {functions: 12, locals: 16, globals: 8, nesting: 7, tables: 3}\nfuel: {max: 400}\nbytes: {max: 3000}
allow: [local, global, call, block, br, i32, table, reference, memory, load]";
    let segments = "limits: {tables: 3}\nallow: [memory, table, reference, i32.eqz]\nfuel: {max: 300}";
    for yaml in [SETTINGS[1], SETTINGS[4], SETTINGS[7], SETTINGS[8], large, segments] {
        let mut weaver = Weaver::new(loom(yaml), 0);
        for n in 0..2500 {
            let seed = Seed::new(5).indexed("program", n);
            weaver.reset(seed.to_u64());
            Chance::ALL[n as usize % 2].weave(&mut weaver, &mut seed.child("choices").rng());
            weaver.actions().iter().for_each(|&action| taken[usize::from(action)] = true);
        }
    }
    let never: Vec<Action> = (0..COUNT).filter(|&number| !taken[number]).map(Action::from_number).collect();
    assert_eq!(never, [Action::Instr(Op::Else)], "never taken");
}

/// A call that is tried again reaches an arm that was not taken before, which leaves by a tail call that is tried too:
/// both trials are over at one place, so that neither is taken back with what is placed there next.
#[test]
fn trials_that_come_back_together_end_together() {
    use Action::{Bucket, Else, Empty, Func, Instr, NewFunc, Params, Result};
    let (zero, one) = ([Instr(Op::I32Const), Bucket(0)], [Instr(Op::I32Const), Bucket(1)]);
    let new = |op, params| [Instr(op), NewFunc, Params(params), Result(None)];
    let end = [Instr(Op::End)];
    let choices = [
        // Function 1 runs its arm only if its parameter is not zero; function 2 does nothing.
        &zero[..],
        &new(Op::Call, 1),
        &[Instr(Op::LocalGet), Action::Local(0), Instr(Op::If), Empty, Else(false)],
        &end,
        &new(Op::Call, 0),
        &end,
        &one,
        &[Instr(Op::Call), Func(1)],
        &[Instr(Op::ReturnCall), Func(2)],
        // Back in the exported function.
        &[Instr(Op::ReturnCall), NewFunc, Params(0)],
    ];
    let settings = "features: [tail_call]\nlimits: {recursion: 0, functions: 4}\nfuel: {max: 200}\nbytes: {max: 300}";
    let mut weaver = Weaver::new(loom(settings), 0);
    choices.into_iter().flatten().for_each(|&choice| {
        weaver.step(choice);
    });
    while weaver.phase() != Phase::Done {
        weaver.step(Instr(if weaver.legal().contains(Instr(Op::End)) { Op::End } else { Op::Drop }));
    }
    check(&weaver, &mut Machine::default(), Some(&Oracle::new()));
    let entry: Vec<Op> = weaver.program().seqs[0].code.iter().map(|instr| instr.op).collect();
    assert_eq!(entry, [Op::I32Const, Op::Call, Op::Call, Op::I32Const, Op::Call, Op::ReturnCall]);
}

/// A program that was left half way leaves nothing behind, whatever was open in it.
#[test]
fn a_weaver_starts_anew_at_any_moment() {
    let loom = loom(SETTINGS[2]);
    let seen = |weaver: &Weaver| {
        let mut out = vec![0.0; GOAL];
        weaver.observe_goal(&Goal { fuel: 30, depth: None }, &mut out);
        out
    };
    let mut again = Weaver::new(loom.clone(), 0);
    for seed in 0..300 {
        let mut rng = Seed::new(seed).rng();
        again.reset(seed);
        for _ in 0..rng.below(60) {
            if again.phase() == Phase::Done || again.step_number(Chance::Actions.draw(&again, &mut rng)) {
                break;
            }
        }
        again.reset(seed);
        let mut fresh = Weaver::new(loom.clone(), seed);
        assert_eq!((again.legal(), seen(&again)), (fresh.legal(), seen(&fresh)));
        Chance::Actions.weave(&mut again, &mut Seed::new(seed).rng());
        Chance::Actions.weave(&mut fresh, &mut Seed::new(seed).rng());
        assert_eq!((again.actions(), again.program()), (fresh.actions(), fresh.program()));
    }
}

/// A new global was offered that only just fitted, and then no value for it: constants were counted as code.
#[test]
fn a_global_that_only_just_fits_has_a_first_value() {
    let loom = loom(
        "bytes: {max: 300}\nfuel: {min: 10, max: 50}\nunaligned: true\nforbid: [nop]
limits: {functions: 6, locals: 10, globals: 4, nesting: 5, stack: 8, dead: 4, results: 1, min_results: 1}",
    );
    const CHOICES: [usize; 61] = [
        512, 60, 606, 57, 25, 470, 17, 522, 24, 473, 554, 63, 559, 177, 143, 185, 23, 458, 95, 23, 455, 43, 562, 22,
        456, 25, 475, 32, 597, 3, 499, 518, 66, 552, 187, 3, 498, 519, 29, 602, 2, 499, 63, 548, 177, 64, 554, 64, 553,
        22, 441, 60, 605, 165, 29, 602, 34, 572, 574, 24, 472,
    ];
    let mut weaver = Weaver::new(loom, 13497894928924483035);
    for number in CHOICES {
        weaver.step_number(number);
    }
    assert!(matches!(weaver.phase(), Phase::GlobalInit(..)) && !weaver.legal().is_empty());
    Chance::Actions.weave(&mut weaver, &mut Seed::new(1).rng());
    check(&weaver, &mut Machine::default(), None);
}

/// Fuzzing found this: the types of the results were chosen without a look at what their constants cost.
#[test]
fn settings_of_which_the_cheapest_program_only_just_fits() {
    let costs = "costs: {end: 5, f32: 2, f64: 1, i32.const: 3, i64.const: 3, v128.const: 3, ref: 3}";
    let loom = loom(&format!("time: {{max: 6}}\n{costs}\nlimits: {{min_results: 1, results: 1}}"));
    let (mut machine, mut weaver) = (Machine::default(), Weaver::new(loom, 0));
    for n in 0..200 {
        let seed = Seed::new(22).indexed("program", n);
        weaver.reset(seed.to_u64());
        Chance::ALL[n as usize % 2].weave(&mut weaver, &mut seed.child("choices").rng());
        check(&weaver, &mut machine, None);
        assert_eq!(weaver.program().func_type(weaver.entry()).results, [ValType::F64]);
    }
}
