//! Whole replies, as the judge reads them.

use super::*;
use crate::ask::chat::{ChatReply, Role};
use crate::ask::judge::judge;
use crate::ask::prompt::Prompt;
use crate::item::record::{Item, Task, Truth, Verdict};
use crate::item::source::ItemSource;
use crate::item::task::ProbeConfig;
use crate::seed::{Rng, Seed};
use crate::solver::misconception::{Misconception, Misconceptions, Row, TABLE};
use crate::solver::question::FoundQuestion;
use crate::wasm::machine::Machine;
use crate::wasm::parse::parse_text;
use crate::wasm::program::Probe;
use crate::wasm::rerun::Execution;
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use std::sync::Arc;
use touch::touched;

mod touch;

fn single(one: Misconception) -> Solver {
    Solver { misconceptions: Misconceptions::of(&[one]), ..Solver::ORACLE }
}

fn ask(text: &str) -> Vec<Message> {
    vec![Message { role: Role::User, content: text.into() }]
}

fn verdict(solver: &Solver, messages: &[Message], truth: &Truth) -> Verdict {
    let content = Some(solver.reply(messages, None).expect("there is a question"));
    judge(&ChatReply { content, finish_reason: Some("stop".into()), ..ChatReply::default() }, truth).verdict
}

/// The truth about a module with a probe, from the machine.
fn truth(module: &str) -> Truth {
    let (program, marks) = parse_text(module, &["INSPECT"]).expect("valid");
    let hit = marks[0].comment.strip_prefix("INSPECT hit ").map_or(1, |hit| hit.parse().expect("a number"));
    let probe = Probe { func: marks[0].func, pc: marks[0].pc, hit };
    let entry = program.export("run").expect("has a `run`");
    let snapshot =
        Execution { machine: &mut Machine::default(), program: &program, entry, fuel_limit: 100_000 }.snapshot(probe);
    Truth::StackValues(snapshot.expect("does not trap").expect("comes by").operands)
}

/// The first misconception includes the second.
const PARTS: [(Misconception, Misconception); 2] = [
    (Misconception::UnsignedAsSigned, Misconception::ArithmeticShift),
    (Misconception::LoopsOnce, Misconception::LoopsCapped),
];

#[test]
fn each_witness_is_missed_by_its_solver_alone() {
    for witness in &TABLE {
        let (messages, truth) = (ask(witness.witness), truth(witness.witness));
        assert_eq!(verdict(&Solver::ORACLE, &messages, &truth), Verdict::Correct, "{}", witness.name);
        for row in &TABLE {
            let has = row.name == witness.name || PARTS.contains(&(row.misconception, witness.misconception));
            let expected = if has { Verdict::Wrong } else { Verdict::Correct };
            let given = verdict(&single(row.misconception), &messages, &truth);
            assert_eq!(given, expected, "{} on the witness of {}", row.name, witness.name);
        }
    }
}

/// Modules with every kind of control, memory, globals and floats, all with one probe.
const MODULES: [&str; 7] = [
    // A counted loop with a parameter and a result, at a later arrival.
    "(module (func (export \"run\") (result i64) (local i32)
       i64.const 3
       loop (param i64) (result i64)
         i64.const 7 i64.mul ;;INSPECT hit 4
         local.get 0 i32.const 1 i32.add local.tee 0 i32.const 6 i32.lt_u br_if 0
       end))",
    // Calls with several results, and recursion.
    "(module
       (func $pair (param i32 f64) (result f64 i32) local.get 1 f64.sqrt local.get 0 i32.const 1 i32.sub)
       (func $down (param i32) (result i32) (local i32)
         local.get 0 i32.eqz if (result i32) i32.const 40 ;;INSPECT
         else local.get 0 i32.const 1 i32.sub call $down local.get 1 i32.add end)
       (func (export \"run\") i32.const 9 f64.const 2 call $pair call $down drop drop))",
    // Branches out of blocks with values below and above.
    "(module (func (export \"run\") (result i32 i32)
       i32.const 5
       block (result i32) i32.const 1 i32.const 2 i32.const 3 br 0 end
       block (result i32) i32.const 8 i32.const 9 i32.const 1 br_if 0 drop end
       ;;INSPECT
       i32.add return))",
    // A branch table, taken with an index past its end and within.
    "(module (func $pick (param i32) (result i32)
         block block block local.get 0 br_table 0 1 2 end i32.const 10 return end i32.const 20 return end i32.const 30)
       (func (export \"run\") i32.const 0 call $pick i32.const 1 call $pick i32.const -1 call $pick
         ;;INSPECT
         drop drop drop))",
    // Memory of all widths, across words, and its size.
    "(module (memory 2) (func (export \"run\")
         i32.const 5 i64.const 0x8899aabbccddeeff i64.store offset=6
         i32.const 8 i32.const -2 i32.store16
         i32.const 9 i64.load i32.const 12 i32.load8_s i32.const 12 i64.load16_u offset=1 memory.size
         i32.const 4 f64.load offset=8 i32.const 0 f32.load offset=9
         ;;INSPECT
         drop drop drop drop drop drop))",
    // Globals, locals and select.
    "(module (global $g (mut f32) (f32.const -1.5)) (global i64 (i64.const 7))
       (func (export \"run\") (local f64 i64)
         global.get $g f32.const 3 f32.max global.set $g
         global.get $g f64.promote_f32 local.tee 0 f64.const 0.1
         local.get 0 f64.const 2 f64.lt select
         global.get 1 local.set 1 local.get 1 nop
         ;;INSPECT
         drop drop))",
    // An `if` without `else`, with parameters, not taken.
    "(module (func (export \"run\") (result i32)
         i32.const 4 i32.const 0 if (param i32) (result i32) i32.const 1 i32.add end
         ;;INSPECT
         i32.const 1 if (param i32) (result i32) i32.clz end))",
];

#[test]
fn the_oracle_sees_what_the_machine_sees() {
    for module in MODULES {
        assert_eq!(verdict(&Solver::ORACLE, &ask(module), &truth(module)), Verdict::Correct, "{module}");
    }
}

/// Settings of random programs, some of them with deep control.
const MIXED: [&str; 3] = [
    "fuel: {min: 10, max: 60}",
    "fuel: {min: 30, max: 200}\nlimits: {functions: 6, nesting: 6, results: 1}",
    "fuel: {min: 40, max: 300}\nforbid: [float arithmetic, conversion]",
];

/// Settings of random programs that return something.
const BUSY: &str = "fuel: {min: 20, max: 120}\nforbid: [nop, memory.size]\nlimits: {functions: 4, results: 1}";

/// Settings of random programs without much that is misread often, and with little on the stack.
const SPARSE: &str = "fuel: {min: 8, max: 40}
forbid: [return, call, load, store, float arithmetic, float comparison, conversion, shl, shr, rotl, rotr, u]";

/// Items of so many random programs; not every program has a place worth asking about.
fn items(settings: &[&str], programs: u64) -> Vec<Item> {
    items_of(Task::Stack, 11, settings, programs)
}

fn items_of(task: Task, seed: u64, settings: &[&str], programs: u64) -> Vec<Item> {
    let prior: Prior = serde_yaml::from_str("instructions: {br_if: 1, if: 1, return: 3}").expect("valid weights");
    let of = |(at, yaml): (usize, &&str)| {
        let loom = Arc::new(Loom::new(serde_yaml::from_str(yaml).expect("valid settings")).expect("valid settings"));
        let source =
            ItemSource::new(&loom, task, ProbeConfig::default(), Arc::new(prior.taste(&loom.config.instructions())));
        let mut bench = source.bench();
        let seed = Seed::new(seed).indexed("settings", at as u64);
        let numbers = 0..programs / settings.len() as u64;
        numbers.filter_map(|number| Some(bench.draft(seed, number)?.item)).collect::<Vec<Item>>()
    };
    settings.iter().enumerate().flat_map(of).collect()
}

/// All tasks, all misconceptions: a reader is wrong on some programs that touch what it misreads, and on no others. What
/// a program touches is told from its execution (`touch`).
#[test]
fn each_is_wrong_where_it_is_touched_and_nowhere_else() {
    let woven = [
        (Task::Stack, &MIXED[..], 1500),
        (Task::Stack, &[BUSY], 2000),
        (Task::Reachability, &MIXED[..1], 4000),
        (Task::Result, &[BUSY], 5000),
        (Task::Fuel, &[BUSY], 1000),
        (Task::Fuel, &[SPARSE], 6000),
    ];
    let (mut right, mut wrong) = ([0; TABLE.len()], [0; TABLE.len()]);
    for (at, (task, settings, programs)) in woven.into_iter().enumerate() {
        let prompt = Prompt::shipped(task);
        let items = items_of(task, at as u64, settings, programs);
        assert!(items.len() > 100, "{} items of {task}", items.len());
        for item in items {
            let messages = prompt.render(&item).expect("renders");
            let question = FoundQuestion::find(&messages).expect("there is a question");
            assert_eq!(read(&question, Misconceptions::NONE, &item), Verdict::Correct, "{}", item.program);
            let touched = touched(&question.program, question.entry);
            for (row, touched) in TABLE.iter().zip(touched) {
                let given = read(&question, Misconceptions::of(&[row.misconception]), &item);
                assert!(given.answered(), "{} leaves something unreadable on\n{}", row.name, item.program);
                assert!(touched || given == Verdict::Correct, "{} is untouched by\n{}", row.name, item.program);
                right[row.misconception as usize] += usize::from(!touched);
                wrong[row.misconception as usize] += usize::from(given == Verdict::Wrong);
            }
        }
    }
    let lacks = |row: &&Row| right[row.misconception as usize] < 1000 || wrong[row.misconception as usize] == 0;
    let told = |row: &Row| (row.name, right[row.misconception as usize], wrong[row.misconception as usize]);
    let lacking: Vec<(&str, usize, usize)> = TABLE.iter().filter(lacks).map(told).collect();
    assert!(lacking.is_empty(), "(name, programs without it, programs missed): {lacking:?}");
}

/// The verdict on what a reader with these misconceptions writes.
fn read(question: &FoundQuestion, misread: Misconceptions, item: &Item) -> Verdict {
    // No program takes as many instructions, so that a solver in an endless loop need not read on.
    let solver = Solver { misconceptions: misread, ..Solver::ORACLE };
    let content = Some(solver.reply_within(question, &[], None, 20_000));
    judge(&ChatReply { content, ..ChatReply::default() }, &item.truth).verdict
}

#[test]
fn noise_alone_is_wrong_at_its_rate() {
    let (items, prompt) = (items(&MIXED, 3900), Prompt::shipped(Task::Stack));
    let noisy: Solver = "sim/oracle+noise=0.1".parse().expect("a solver");
    let wrong = |item: &&Item| verdict(&noisy, &prompt.render(item).expect("renders"), &item.truth) == Verdict::Wrong;
    let share = items.iter().filter(wrong).count() as f64 / items.len() as f64;
    // Five standard deviations of a binomial with p = 0.1 and at least 1,200 items.
    assert!(items.len() > 1200 && (share - 0.1).abs() < 0.045, "{share}");
}

#[test]
fn readers_led_astray_still_answer() {
    let answer = |name: &str, module: &str| {
        let solver: Solver = name.parse().expect("a solver");
        let reply = solver.reply(&ask(module), None).expect("there is a question");
        reply.split_once("[").expect("an answer").1.replace("]}</OUTPUT>", "")
    };
    let module = |code: &str| format!("(module (memory 1) (func (export \"run\") (local i32) {code}))");
    let i32 = |text: &str| format!("{{\"type\":\"i32\",\"value\":\"{text}\"}}");
    // An address that has grown past the memory: zero is read.
    let load = module(
        "i32.const 0 i32.const 7 i32.store i32.const -1 i32.const 1 i32.add i32.const 65536 i32.const 65536 i32.mul i32.add i32.load \n;;INSPECT\n drop",
    );
    assert_eq!(answer("sim/oracle", &load), i32("7"));
    assert_eq!(answer("sim/no-wrap", &load), i32("0"));
    // A divisor that a count shifts out: zero.
    let divide = module("i32.const 6 i32.const 1 i32.const 33 i32.shl i32.div_s \n;;INSPECT\n drop");
    assert_eq!((answer("sim/oracle", &divide), answer("sim/shift-unmasked", &divide)), (i32("3"), i32("0")));
    // An arrival that never comes, because another way is taken: the operands at the end.
    let missed = module("i32.const 1 i32.const 32 i32.shl if i32.const 5 \n;;INSPECT\n drop end");
    assert_eq!((answer("sim/oracle", &missed), answer("sim/shift-unmasked", &missed)), (i32("5"), String::new()));
    // `unreachable`, reached: the operands there.
    let astray = module(
        "i32.const 8 i32.const 1 i32.const 32 i32.shl i32.eqz if i32.const 9 unreachable end \n;;INSPECT\n drop",
    );
    assert_eq!(
        (answer("sim/oracle", &astray), answer("sim/shift-unmasked", &astray)),
        (i32("8"), [i32("8"), i32("9")].join(","))
    );
    // A loop that is left early with other values than its results.
    let results = module(
        "i64.const 5 loop (param i64) (result i32 i32) drop local.get 0 i32.eqz local.set 0 i64.const 1 local.get 0 br_if 0
         drop i32.const 2 i32.const 3 end \n;;INSPECT\n drop drop",
    );
    assert_eq!(answer("sim/oracle", &results), [i32("2"), i32("3")].join(","));
    assert_eq!(answer("sim/loops-once", &results), [i32("0"), i32("0")].join(","));
    // Loops and recursion without an end: whatever stands there when patience does.
    let forever = module("loop i32.const 3 \n;;INSPECT hit 4000000000\n drop br 0 end");
    assert_eq!(answer("sim/oracle", &forever), i32("3"));
    let deep = "(module (func $f (export \"run\") i32.const 1 call $f \n;;INSPECT\n drop))";
    assert_eq!(answer("sim/oracle", deep), i32("1"));
}

#[test]
fn no_text_makes_a_solver_panic() {
    let prompt = Prompt::shipped(Task::Stack);
    let texts: Vec<String> = items(&MIXED, 60)
        .iter()
        .map(|item| prompt.render(item).expect("renders").pop().expect("the user's part").content)
        .chain(MODULES.map(str::to_owned))
        .collect();
    let all: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
    let everyone: Solver = format!("sim/{}+noise=0.5", all.join("+")).parse().expect("a solver");
    let ignoring: Solver =
        "sim/return-ignored+label-off-by-one+locals-kept+stack-forgotten=1".parse().expect("a solver");
    let mut rng = Seed::new(23).child("mutations").rng();
    let mut answered = 0;
    for _ in 0..10_000 {
        let mut text = rng.pick(&texts).clone();
        for _ in 0..rng.below(4) {
            text = mutated(&text, &texts, &mut rng);
        }
        let solver = if rng.below(2) == 0 { everyone } else { ignoring };
        let Ok(question) = FoundQuestion::find(&ask(&text)) else { continue };
        // A solver in an endless loop need not read on for long.
        answered += usize::from(!solver.reply_within(&question, &ask(&text), Some(1), 20_000).is_empty());
    }
    assert!((3000..9500).contains(&answered), "{answered} of 10,000 texts still hold a question");
}

/// The text with something cut, doubled, brought in from another one, or one number or word changed.
fn mutated(text: &str, others: &[String], rng: &mut Rng) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.len() < 2 || text.len() < 60 {
        return text.to_owned();
    }
    let at = rng.below(lines.len() as u32) as usize;
    match rng.below(5) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[rng.below(lines.len() as u32) as usize]),
        2 => {
            let other: Vec<&str> = rng.pick(others).lines().collect();
            lines.insert(at, other[rng.below(other.len() as u32) as usize]);
        }
        3 => {
            let swaps = [("_u", "_s"), ("32", "64"), ("const 1", "const -1"), ("br_if", "br"), ("end", ""), ("(", ")")];
            let (from, to) = rng.pick(&swaps);
            return text.replacen(from, to, 1 + rng.below(3) as usize);
        }
        _ => {
            let cut = rng.below(text.len() as u32) as usize;
            return String::from_utf8_lossy(&text.as_bytes()[cut.min(40)..text.len() - cut.min(9)]).into_owned();
        }
    }
    lines.join("\n")
}

#[test]
fn the_endpoint_plays_every_solver() {
    let witness = ask(TABLE[0].witness);
    for model in Solvers.models() {
        assert!(model.starts_with("sim/") && Solvers.respond(&model, &witness, None).is_ok(), "{model}");
    }
    assert!(Solvers.respond("sim/no-wrap+loops-once+noise=0.2", &witness, Some(3)).is_ok());
    assert_eq!(Solvers.respond("sim/nobody", &witness, None), Err(RespondError::UnknownModel("sim/nobody".into())));
    let refused = Solvers.respond("sim/oracle", &ask("hello"), None).expect_err("no module");
    assert!(matches!(&refused, RespondError::BadRequest(why) if why.contains("(module ...)")), "{refused}");
}

#[test]
fn nobody_answers_under_two_names() {
    for guesser in Guesser::ALL {
        assert!(guesser.name().parse::<Solver>().is_err(), "{}", guesser.name());
    }
    let names = Residents::default().models();
    assert!(names.contains(&"sim/novice".into()) && names.contains(&"guess/zero".into()));
    assert!(!names.contains(&"guess/learned".into()), "it has learned nothing");
}
