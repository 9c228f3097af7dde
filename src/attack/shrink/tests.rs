//! Whole shrinks, against solvers whose weakness is known.

use super::*;
use crate::ask::budget::Budget;
use crate::ask::chat::ChatModel;
use crate::ask::chat::{ChatError, ChatErrorKind, ChatReply, ChatRequest, Scripted};
use crate::ask::examiner::Examiner;
use crate::ask::judge::judge;
use crate::ask::pipeline::tests::block_on;
use crate::ask::prompt::Prompt;
use crate::item::make::confirm_all;
use crate::item::record::{Probe, Purpose, Verdict};
use crate::item::source::ItemSource;
use crate::item::task::ProbeConfig;
use crate::seed::Seed;
use crate::solver::Solver;
use crate::solver::misconception::{Misconceptions, TABLE};
use crate::wasm::oracle::Oracle;
use crate::wasm::parse::parse_text;
use crate::weave::config::WeaveConfig;
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Short programs without memory and tables, as the default preset has them.
const PLAIN: &str = "{bytes: {max: 1000}, fuel: {min: 15, max: 60}, \
    forbid: [load, store, memory, table, reference, call_indirect, nop], limits: {functions: 3, nesting: 3, dead: 4}}";
/// Everything there is.
const WHOLE: &str = "{bytes: {max: 700}, fuel: {min: 15, max: 80}, unaligned: true, \
    features: [sign_extension, saturating_float_to_int, multi_value, bulk_memory, reference_types, simd, tail_call], \
    imports: {globals: [i32], functions: [{params: [i32], results: [i32]}]}, \
    limits: {functions: 4, tables: 2, nesting: 4, dead: 4, results: 2}}";
const BRANCHING: &str = "instructions: {br_if: 2, if: 2, loop: 3, select: 3, call: 3, return: 2}";

struct Quiet;

impl Watch for Quiet {
    fn answered(&mut self, record: &Record, _: u32) {
        assert_eq!(record.purpose, Purpose::Shrink);
    }

    fn smaller(&mut self, _: Size) {}
}

fn source(config: &str, prior: &str, task: Task) -> ItemSource {
    let config: WeaveConfig = serde_yaml::from_str(config).expect("valid settings");
    let loom = Arc::new(Loom::new(config).expect("valid settings"));
    let prior: Prior = serde_yaml::from_str(prior).expect("valid weights");
    let taste = Arc::new(prior.taste(&loom.config.instructions()));
    ItemSource::new(&loom, task, ProbeConfig::default(), taste)
}

fn single(name: &str) -> Solver {
    let row = TABLE.iter().find(|row| row.name == name).expect("there is one");
    Solver { misconceptions: Misconceptions::of(&[row.misconception]), ..Solver::ORACLE }
}

fn witness(name: &str) -> u32 {
    TABLE.iter().find(|row| row.name == name).expect("there is one").instructions
}

fn reply(solver: Solver, request: &ChatRequest) -> ChatReply {
    ChatReply::text(solver.reply(&request.messages, None).expect("there is a question"))
}

fn shrinker(model: Arc<dyn ChatModel>, query_budget: u64) -> Shrinker {
    Shrinker {
        exchange: Exchange::new(Examiner::new("m", model), Arc::new(Budget::unlimited())),
        confirm: 1,
        query_budget,
        known: BTreeMap::new(),
    }
}

fn is_missed(solver: Solver, item: &Item) -> bool {
    let messages = Prompt::shipped(item.task).render(item).expect("it renders");
    let said = ChatReply::text(solver.reply(&messages, None).expect("there is a question"));
    let said = ChatReply { finish_reason: Some("stop".into()), ..said };
    judge(&said, &item.truth).verdict.is_miss()
}

fn misses(items: &[Item], solver: Solver, count: usize) -> Vec<&Item> {
    let missed: Vec<&Item> = items.iter().filter(|item| is_missed(solver, item)).take(count).collect();
    assert_eq!(missed.len(), count, "too few of {} are missed by {solver:?}", items.len());
    missed
}

fn shrink(item: &Item, model: Arc<dyn ChatModel>, query_budget: u64) -> Shrunk {
    let mut shrinker = shrinker(model, query_budget);
    let shrunk = block_on(shrinker.shrink(item, &mut Quiet)).expect("all answer");
    assert!(shrunk.queries <= query_budget && shrunk.after <= shrunk.before);
    if let Some(record) = &shrunk.record {
        let item = &record.item;
        let question = Question::of(item).expect("it reads back");
        assert_eq!(Size::of(&question.program), shrunk.after);
        let draft = question.label(&mut Machine::default(), item.id.clone(), item.fuel).expect("it has a label");
        assert_eq!((&draft.item, draft.confirm(&Oracle::new())), (item, Ok(())));
    }
    shrunk
}

#[test]
fn what_is_left_is_about_as_short_as_the_witness() {
    let items = source(PLAIN, BRANCHING, Task::Stack).items(Seed::new(1), 400).expect("there are enough");
    for name in ["no-wrap", "f32-as-f64", "select-swapped", "unsigned-as-signed"] {
        let solver = single(name);
        let mut lengths = Vec::new();
        for item in misses(&items, solver, 5) {
            let model = Arc::new(Scripted::new(move |request| Ok(reply(solver, request))));
            let shrunk = shrink(item, model, 1000);
            assert!(matches!(shrunk.finish, Finish::Smallest) && shrunk.missed == (2, 2), "{name}");
            assert!(is_missed(solver, &shrunk.record.expect("it is missed").item), "{name}");
            lengths.push(shrunk.after.instructions);
        }
        lengths.sort_unstable();
        assert!(lengths[2] <= witness(name) + 2, "{name}: {lengths:?}, and the witness has {}", witness(name));
    }
}

/// What random programs seldom have: a solver, and a program with more in it than the solver needs to miss it.
const LONG: [(&str, &str); 8] = [
    (
        "loops-once",
        "(module (func (export \"run\") (result i32) (local i32 i32)
           i32.const 7 local.set 1
           loop
             local.get 1 i32.const 3 i32.mul local.set 1
             local.get 0 i32.const 1 i32.add local.tee 0 i32.const 4 i32.lt_u br_if 0
           end
           local.get 1 ;;INSPECT\n))",
    ),
    (
        "loops-capped",
        "(module (global (mut i64) (i64.const 1)) (func (export \"run\") (result i64 f32) (local i32)
           i32.const 9 local.set 0
           loop
             global.get 0 i64.const 2 i64.shl global.set 0
             local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
           end
           global.get 0 f32.const 2.5 f32.sqrt ;;INSPECT\n))",
    ),
    (
        "table-default",
        "(module
           (func $pick (param i32) (result i32)
             block block block local.get 0 br_table 0 1 2 end i32.const 10 return end i32.const 20 return end i32.const 30)
           (func (export \"run\") (result i32 i32) i32.const 5 i32.const 1 call $pick ;;INSPECT\n))",
    ),
    (
        "args-reversed",
        "(module
           (func $sub (param i32 f32 i32) (result i32) local.get 0 local.get 2 i32.sub)
           (func (export \"run\") (result i64 i32)
             i64.const 4 i32.const 9 f32.const 1 i32.const 2 call $sub i32.const 3 i32.mul ;;INSPECT\n))",
    ),
    (
        "label-off-by-one",
        "(module (func (export \"run\") (result i64 i32) (local i32)
           i64.const 8
           block (result i32)
             block i32.const 5 local.set 0 i32.const 30 br 1 end
             i32.const 7
           end
           local.get 0 i32.mul ;;INSPECT\n))",
    ),
    (
        "locals-kept",
        "(module
           (func $count (param i32) (result i32) (local i32) local.get 1 local.get 0 i32.add local.tee 1)
           (func (export \"run\") (result i32 i32) i32.const 3 call $count i32.const 4 call $count ;;INSPECT\n))",
    ),
    (
        "loads-unextended",
        "(module (memory 1) (data (i32.const 8) \"\\01\\02\") (func (export \"run\") (result i64 i32)
           i64.const 3 i32.const 9 i32.const 1200 i32.store16 offset=1
           i32.const 10 i32.load8_u i32.const 10 i32.load8_s i32.add ;;INSPECT\n))",
    ),
    (
        "return-ignored",
        "(module
           (func $half (param i32) (result i32)
             local.get 0 i32.const 1 i32.and if i32.const -1 return end local.get 0 i32.const 1 i32.shr_u)
           (func (export \"run\") (result i32 i32) i32.const 8 call $half i32.const 7 call $half ;;INSPECT\n))",
    ),
];

fn asked(text: &str) -> Item {
    let (program, marks) = parse_text(text, &["INSPECT"]).expect("valid");
    let entry = program.export("run").expect("it has one");
    let probes = marks.iter().map(|mark| Probe { func: mark.func, pc: mark.pc, hit: 1 }).collect();
    let question = Question { program, entry, task: Task::Stack, probes };
    question.label(&mut Machine::default(), "long".into(), 1000).expect("it has a label").item
}

#[test]
fn loops_calls_tables_and_memory_are_cut_down() {
    for (name, text) in LONG {
        let solver = single(name);
        let model = Arc::new(Scripted::new(move |request| Ok(reply(solver, request))));
        let shrunk = shrink(&asked(text), model, 1000);
        let left = shrunk.record.expect("it is missed").item.program;
        assert!(shrunk.after.instructions <= witness(name) + 2, "{name}: {left}");
    }
}

#[test]
fn every_task_is_shrunk() {
    let several: Vec<_> = TABLE.iter().map(|row| row.misconception).collect();
    let solver = Solver { misconceptions: Misconceptions::of(&several), ..Solver::ORACLE };
    for task in [Task::Reachability, Task::Result, Task::Fuel] {
        let config = "{fuel: {min: 20, max: 120}, forbid: [nop], limits: {functions: 4, nesting: 4, results: 1}}";
        let prior = "instructions: {br_if: 2, if: 2, return: 3}";
        let items = source(config, prior, task).items(Seed::new(3), 25).expect("there are enough");
        for item in misses(&items, solver, 1) {
            let model = Arc::new(Scripted::new(move |request| Ok(reply(solver, request))));
            let shrunk = shrink(item, model, 1000);
            let left = shrunk.record.expect("it is missed").item;
            assert!(
                is_missed(solver, &left) && 2 * shrunk.after.instructions <= shrunk.before.instructions,
                "{task}: {}",
                left.program
            );
        }
    }
}

#[test]
fn the_budget_is_kept_and_the_best_so_far_with_it() {
    let solver = single("no-wrap");
    let items = source(PLAIN, BRANCHING, Task::Stack).items(Seed::new(1), 100).expect("there are enough");
    let item = misses(&items, solver, 1)[0];
    for budget in [1, 2, 3, 11, 30] {
        let model = Arc::new(Scripted::new(move |request| Ok(reply(solver, request))));
        let shrunk = shrink(item, model.clone(), budget);
        assert!(matches!(shrunk.finish, Finish::Budget) && shrunk.record.is_some() == (budget > 1), "{budget}");
        assert_eq!(model.asked() as u64, shrunk.queries);
    }
}

#[test]
fn what_is_not_missed_again_does_not_count() {
    let solver = single("no-wrap");
    let items = source(PLAIN, BRANCHING, Task::Stack).items(Seed::new(1), 100).expect("there are enough");
    let item = misses(&items, solver, 1)[0];
    let oracle = Arc::new(Scripted::new(|request| Ok(reply(Solver::ORACLE, request))));
    let shrunk = shrink(item, oracle, 100);
    assert!(matches!(shrunk.finish, Finish::NotMissed) && shrunk.queries == 1 && shrunk.record.is_none());
    // Any other program is missed once, and never again.
    let program = item.program.clone();
    let first = AtomicU32::new(u32::MAX);
    let fickle = Scripted::new(move |request| {
        first.fetch_min(request.epoch, Ordering::Relaxed);
        let as_it_was = request.messages.iter().any(|message| message.content.contains(&program));
        let misses = as_it_was || request.epoch == first.load(Ordering::Relaxed);
        Ok(reply(if misses { solver } else { Solver::ORACLE }, request))
    });
    let shrunk = shrink(item, Arc::new(fickle), 1000);
    assert!(matches!(shrunk.finish, Finish::Smallest) && shrunk.before == shrunk.after);
    assert_eq!(shrunk.record.expect("it is missed").item.program, item.program);
}

#[test]
fn trouble_decides_nothing() {
    let solver = single("no-wrap");
    let items = source(PLAIN, BRANCHING, Task::Stack).items(Seed::new(1), 100).expect("there are enough");
    let item = misses(&items, solver, 1)[0];
    let answers = move |from: u32, to: u32| {
        let asked = AtomicU32::new(0);
        Arc::new(Scripted::new(move |request| match asked.fetch_add(1, Ordering::Relaxed) {
            number if (from..to).contains(&number) => Err(ChatError::new(ChatErrorKind::Provider, "down")),
            _ => Ok(reply(solver, request)),
        }))
    };
    // Some of the first eight candidates meet it.
    let shrunk = shrink(item, answers(3, 8), 1000);
    assert!(matches!(shrunk.finish, Finish::Smallest) && shrunk.after.instructions <= 5, "{:?}", shrunk.after);
    // All do, from some time on.
    let shrunk = shrink(item, answers(12, u32::MAX), 1000);
    assert!(matches!(shrunk.finish, Finish::Broken(ExchangeError::Outage { .. })), "{:?}", shrunk.finish);
    assert!(is_missed(solver, &shrunk.record.expect("it is missed").item));
}

/// Edits may break programs of every kind, and nothing breaks on them; those that have a label have the right one.
#[test]
fn no_edit_of_any_program_breaks_us() {
    let items = source(WHOLE, BRANCHING, Task::Stack).items(Seed::new(4), 6).expect("there are enough");
    let model = Arc::new(Scripted::saying(""));
    let mut exchange = shrinker(model, 10).exchange;
    let known = BTreeMap::new();
    for (item, number) in items.iter().zip(0..) {
        let mut quiet = Quiet;
        let mut work = Work {
            asking: Asking::new(&mut exchange, 1, 10, &mut quiet),
            machine: Machine::default(),
            fuel_limit: item.fuel + MORE_FUEL,
            id: String::new(),
            drops_unused: number % 3 > 0,
            known: &known,
            same: None,
        };
        let subject = Subject::of(Question::of(item).expect("it reads back")).expect("its probe stands somewhere");
        let start = work.label(subject).expect("it has a label");
        let current = work.adopt(start, Answer::of(Verdict::Wrong), (1, 1));
        let mut tried = moved(&current.subject, &current.trace);
        for level in levels(&current.subject, &current.trace, current.rank.step) {
            tried.extend(work.windows(&current, level, 0..level.end + 1));
        }
        PASSES.iter().for_each(|pass| tried.extend(pass(&current.subject, &current.trace)));
        let tried = tried.into_iter().step_by(5).filter_map(|subject| work.candidate(subject, current.rank));
        let drafts: Vec<Draft> = tried.step_by(4).map(|candidate| candidate.draft).collect();
        let drafts: Vec<&Draft> = drafts.iter().collect();
        assert!(!drafts.is_empty());
        let checked = confirm_all(&drafts, &Oracle::new());
        assert!(checked.is_ok(), "{:?}", checked.map_err(|(at, found)| (found, drafts[at].item.program.clone())));
    }
}

#[test]
fn what_comes_to_a_known_program_is_not_asked_about() {
    let solver = single("unsigned-as-signed");
    let items = source(PLAIN, BRANCHING, Task::Stack).items(Seed::new(1), 400).expect("there are enough");
    let model = Arc::new(Scripted::new(move |request| Ok(reply(solver, request))));
    let mut shrinker = shrinker(model, 1000);
    let (mut alone, mut shared, mut results) = (0, 0, Vec::new());
    for item in misses(&items, solver, 6) {
        let before = shrink(item, shrinker.exchange.examiner().model.clone(), 1000);
        let form = before.record.expect("it is missed").item.canonical;
        let again = block_on(shrinker.shrink(item, &mut Quiet)).expect("all answer");
        (alone, shared) = (alone + before.queries, shared + again.queries);
        match (&again.finish, again.record) {
            (Finish::Known(from), None) => assert!(results.contains(from)),
            (Finish::Smallest, Some(record)) => {
                assert_eq!(record.item.canonical, form);
                assert!(shrinker.known.insert(form, item.id.clone()).is_none(), "it was known");
                results.push(item.id.clone());
            }
            other => panic!("{other:?}"),
        }
        let known = block_on(shrinker.shrink(item, &mut Quiet)).expect("all answer");
        assert!(matches!(known.finish, Finish::Known(_)), "{:?}", known.finish);
    }
    assert!(results.len() < 6 && shared < alone, "{results:?}: {shared} of {alone} queries");
}
