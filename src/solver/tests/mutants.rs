//! Readers with one misconception answer as the mutant does that stands for it: two implementations, one meaning.

use crate::cause::mutant::{Mutant, Mutants};
use crate::item::edit::Question;
use crate::item::message::{Message, Role};
use crate::item::record::{Item, Probe, Task, Truth};
use crate::item::source::ItemSource;
use crate::item::task::ProbeConfig;
use crate::seed::Seed;
use crate::solver::Solver;
use crate::wasm::isa::Op;
use crate::wasm::machine::Machine;
use crate::wasm::parse::parse_text;
use crate::wasm::types::Value;
use crate::weave::config::WeaveConfig;
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use std::sync::Arc;

/// Misconceptions, the mutants that stand for them, and instructions that show them.
const SAME: [(&str, &str, &str); 18] = [
    ("unsigned-as-signed", "unsigned=signed", "i32.div_u: 4, i64.shr_u: 4, i32.lt_u: 4, i64.extend_i32_u: 4"),
    ("shift-unmasked", "shifts-and-rotations:unmasked", "i32.shl: 4, i64.rotr: 4, i32.shr_s: 4, i64.shr_u: 4"),
    ("zero-extended", "sign-extensions:zero-extended", "i32.extend8_s: 4, i64.extend_i32_s: 4, i64.extend32_s: 4"),
    ("min-max-nan", "float-minima-and-maxima:number-over-nan", BY_HAND),
    ("select-swapped", "select-swapped", "select: 9"),
    ("table-default", "br_table-default", BY_HAND),
    ("shr-arithmetic", "shr_u=shr_s", "i32.shr_u: 9, i64.shr_u: 9"),
    ("half-away", "roundings-to-the-nearest:half-away", BY_HAND),
    ("zero-unsigned", "float-minima--maxima-and-copysign:unsigned-zero", BY_HAND),
    ("loads-unextended", "load_s=load_u", "i32.load8_s: 9, i64.load16_s: 9, i32.store: 9"),
    ("big-endian", "big-endian", "i32.load: 9, i64.load16_u: 9, i32.store: 9, i64.store: 9"),
    ("label-off-by-one", "label-inner", BY_HAND),
    ("args-reversed", "args-reversed", BY_HAND),
    ("return-ignored", "return-ignored", BY_HAND),
    ("locals-kept", "locals-kept", BY_HAND),
    ("loops-once", "loop-once", BY_HAND),
    ("loops-capped", "loop-capped-3", BY_HAND),
    ("loops-capped=5", "loop-capped-5", BY_HAND),
];

/// Structures are rare among what is woven by chance: these programs are written with them, and constants are drawn.
const BY_HAND: &str = "by hand";

/// Letters stand for constants: A to E are small, Z is any, X is a float, each time another.
const TEMPLATES: [&str; 10] = [
    // Loops that count, one in another, with a condition at their beginning, with two ways back.
    "loop local.get 1 local.get 0 i32.const Z i32.xor i32.add local.set 1 local.get 0 i32.const A i32.add local.tee 0
     i32.const 9 i32.lt_s br_if 0 end local.get 1 ;;INSPECT\n drop",
    "loop i32.const 0 local.set 2 loop local.get 1 i32.const 3 i32.mul local.get 2 i32.add local.set 1 local.get 2 i32.const 1
     i32.add local.tee 2 i32.const B i32.lt_s br_if 0 end local.get 0 i32.const 1 i32.add local.tee 0 i32.const C i32.lt_s
     br_if 0 end local.get 1 local.get 2 ;;INSPECT\n drop drop",
    "block loop local.get 0 i32.const D i32.ge_s br_if 1 local.get 1 i32.const Z i32.add local.set 1 local.get 0 i32.const 1
     i32.add local.set 0 br 0 end end local.get 1 local.get 0 ;;INSPECT\n drop drop",
    "loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 1 i32.and if local.get 1 i32.const Z i32.sub local.set 1
     local.get 0 i32.const E i32.lt_s br_if 1 end local.get 0 i32.const D i32.lt_s br_if 0 end local.get 1 local.get 0
     ;;INSPECT\n drop drop",
    // Blocks in blocks.
    "block block block local.get 0 i32.const A i32.add local.tee 0 br_table 0 1 2 2 1 0 end local.get 0 i32.const Z i32.add
     local.set 0 br 1 end local.get 0 i32.const 5 i32.mul local.set 0 end local.get 0 ;;INSPECT\n drop",
    "block i32.const B i32.const 2 i32.rem_s if block local.get 0 i32.const Z i32.add local.set 0 i32.const C i32.const 3 i32.lt_s
     br_if 2 end i32.const 7 local.set 1 br 1 end i32.const 8 local.set 1 end local.get 0 local.get 1 ;;INSPECT\n drop drop",
    // Calls.
    "i32.const A i32.const Z call 1 i32.const B i32.const C call 1 i32.const Z i32.const D call 1 ;;INSPECT\n drop drop drop",
    "f64.const X f64.const X f64.min f32.const X f32.const X f32.max f64.const X f64.const X f64.max f32.const X f32.const X
     f32.min ;;INSPECT\n drop drop drop drop",
    "f64.const X f64.const X f64.copysign f32.const X f32.const X f32.copysign f64.const X f64.nearest f32.const X f32.nearest
     ;;INSPECT\n drop drop drop drop",
    "i32.const A i32.const B i32.const Z call 2 i64.const Z i32.const C i32.wrap_i64 call 3 ;;INSPECT\n drop drop",
];

/// Floats at which readers stumble.
const FLOATS: [&str; 8] = ["nan", "-nan", "0", "-0", "2.5", "-0.5", "-3", "inf"];

/// Functions that the templates call.
const FUNCS: &str = "(func (param i32 i32) (result i32) (local i32) local.get 0 local.get 1 i32.lt_s if local.get 0 return end
    local.get 2 local.get 0 i32.add local.tee 2 local.get 1 i32.sub)
    (func (param i32 i32 i32) (result i32) (local i32) local.get 0 local.get 1 i32.sub local.get 2 i32.xor local.tee 3)
    (func (param i32) (result i32) (local i32 i32) local.get 1 local.get 0 i32.add local.tee 2 local.set 1 local.get 0 i32.const 2
    i32.gt_s if local.get 2 i32.const 1 i32.add return end local.get 1 local.get 2 i32.add)";

/// Questions about the templates.
fn by_hand(seed: Seed, count: usize, machine: &mut Machine) -> Vec<Item> {
    let mut rng = seed.child("templates").rng();
    let mut item = |at: usize| {
        let mut code = TEMPLATES[at % TEMPLATES.len()].replace("i64.const Z i32.const C i32.wrap_i64", "i32.const C");
        for name in ["A", "B", "C", "D", "E"] {
            code = code.replace(&format!("const {name}"), &format!("const {}", 1 + rng.below(7)));
        }
        code = code.replace("const Z", &format!("const {}", rng.bits() as i32));
        while code.contains("const X") {
            code = code.replacen("const X", &format!("const {}", rng.pick(&FLOATS)), 1);
        }
        let text = format!("(module (func (export \"run\") (local i32 i32 i32) {code}) {FUNCS})");
        let (program, marks) = parse_text(&text, &["INSPECT"]).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
        let probes = marks.iter().map(|mark| Probe { func: mark.func, pc: mark.pc, hit: 1 }).collect();
        let entry = program.export("run").expect("is there");
        let draft = Question { program, entry, task: Task::Stack, probes }.label(machine, at.to_string(), 2000);
        draft.unwrap_or_else(|| panic!("no label: {text}")).item
    };
    (0..count).map(&mut item).collect()
}

fn items(task: Task, weights: &str, seed: Seed, count: usize) -> Vec<Item> {
    let yaml = "fuel: {min: 20, max: 100}\nforbid: [reference, nop]\nlimits: {functions: 3, locals: 6, globals: 2, tables: \
                0, nesting: 3, stack: 8, results: 2}";
    let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
    let loom = Arc::new(Loom::new(config).expect("valid settings"));
    let prior: Prior = serde_yaml::from_str(&format!("instructions: {{{weights}}}")).expect("valid weights");
    let taste = Arc::new(prior.taste(&loom.config.instructions()));
    let source = ItemSource::new(&loom, task, ProbeConfig::default(), taste);
    source.items(seed, count).expect("there are enough")
}

/// The answer as a solver writes it.
fn written(truth: &Truth) -> String {
    let list = |values: &[Value]| {
        let value = |value: &Value| format!("{{\"type\":\"{}\",\"value\":\"{}\"}}", value.ty, value.text());
        format!("[{}]", values.iter().map(value).collect::<Vec<_>>().join(","))
    };
    match truth {
        Truth::StackValues(values) | Truth::ReturnValues(values) => list(values),
        other => panic!("{other:?} is not asked here"),
    }
}

#[test]
fn a_solver_answers_as_the_mutant_of_its_misconception() {
    let mut machine = Machine::default();
    let mutants = Mutants::of(Op::ALL);
    for (at, (misconception, name, weights)) in SAME.into_iter().enumerate() {
        let (solver, seed): (Solver, _) =
            (format!("sim/{misconception}").parse().expect("a solver"), Seed::new(at as u64));
        let found = mutants.all().iter().find(|mutant| mutant.name() == name);
        let mutant = found.unwrap_or_else(|| panic!("no mutant {name}"));
        let questions = match weights {
            BY_HAND => by_hand(seed, 160, &mut machine),
            weights => [items(Task::Stack, weights, seed, 60), items(Task::Result, weights, seed, 20)].concat(),
        };
        let (mut differ, mut lost) = (0, 0);
        for item in &questions {
            let question = Question::of(item).expect("it was written here");
            let said = mutant.answer(&question, item.fuel, &mut machine);
            differ += u32::from(said.as_ref().map(written) != Some(written(&item.truth)));
            lost += u32::from(said.is_none());
            let Some(said) = said else { continue };
            let key = item.task.key();
            let content = format!("{}\n{{\"{key}\": ...}}", item.program);
            let reply = solver.reply(&[Message { role: Role::User, content }], None).expect("it is a question");
            let wanted = format!("{{\"{key}\":{}}}", written(&said));
            assert!(reply.contains(&wanted), "{name}: {wanted} of\n{}\n{reply}", item.program);
        }
        assert!(differ >= 5 && 2 * lost <= differ, "{name}: {differ} differ, {lost} of them have no answer");
    }
}

#[test]
fn a_mutant_alone_answers_as_among_all() {
    let mut machine = Machine::default();
    let mut questions = items(Task::Stack, "select: 3, br_if: 3, call: 3", Seed::new(9), 3);
    questions.extend(by_hand(Seed::new(9), 8, &mut machine));
    let mutants = Mutants::of(Op::ALL);
    let alone = |mutant: &Mutant, item: &Item, machine: &mut Machine| {
        mutant.answer(&Question::of(item).expect("it was written here"), item.fuel, machine)
    };
    for item in questions {
        let question = Question::of(&item).expect("it was written here");
        let answers = mutants.answers(&question, &item.truth, item.fuel, &mut machine);
        assert!(!answers.is_empty(), "{}", item.program);
        let mut differing = answers.into_iter().peekable();
        for (number, mutant) in mutants.all().iter().enumerate() {
            let said = alone(mutant, &item, &mut machine);
            match differing.next_if(|answer| answer.mutant == number) {
                Some(answer) => assert_eq!(answer.said, said, "{mutant} of\n{}", item.program),
                None => {
                    assert_eq!(said.as_ref().map(written), Some(written(&item.truth)), "{mutant} of\n{}", item.program)
                }
            }
        }
    }
}
