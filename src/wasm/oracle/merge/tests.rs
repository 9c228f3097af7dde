//! Programs in one module, held against what is said about each alone.

use super::super::{BATCH, Case, Disagreement, Oracle, Run, Watch, shareable};
use crate::wasm::inspect::{Request, Sight};
use crate::wasm::isa::Op;
use crate::wasm::machine::Machine;
use crate::wasm::parse::parse_text;
use crate::wasm::program::{Instr, Probe, Program};
use crate::wasm::rerun::Snapshot;
use crate::wasm::types::Value;

/// A program with indices of every kind; another for every number under 8.
fn rich(number: u32) -> String {
    r#"(module
        (type $pair (func (param i32 i64) (result i64 i32)))
        (import "env" "tick" (func $tick (param i32) (result i32)))
        (memory 1 3)
        (table $t 5 funcref)
        (table $x 2 externref)
        (global $g (mut i32) (i32.const NUMBER))
        (global $v v128 (v128.const i32x4 1 2 3 NUMBER))
        (global $r (mut funcref) (ref.func $leaf))
        (data $d "abcdefg")
        (data (i32.const NUMBER) "xyz")
        (elem $e func $leaf $tick)
        (elem (table $t) (i32.const 1) func $run $leaf)
        (func $leaf (param i32) (result i32)
            (i32.add (local.get 0) (i32.add (call $tick (i32.const 5)) (i32.const NUMBER))))
        (func $swap (type $pair) local.get 1 local.get 0)
        (func $last (type $pair) (return_call $swap (local.get 0) (local.get 1)))
        (func $run (export "run") (result i64 i32)
            (memory.init $d (i32.const 100) (i32.const 1) (i32.const 3))
            (data.drop $d)
            (memory.copy (i32.const 200) (i32.const 100) (i32.const 3))
            (memory.fill (i32.const 300) (i32.const NUMBER) (i32.const 9))
            (i32.store8 offset=7 (memory.grow (i32.const 1)) (memory.size))
            (v128.store offset=400 (i32.const 3) (global.get $v))
            (v128.store (i32.const 500) (v128.load32_lane offset=404 2 (i32.const 3) (v128.const i64x2 5 NUMBER)))
            (v128.store (i32.const 520) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
                (v128.load8_splat (i32.const NUMBER)) (v128.const i64x2 NUMBER 6)))
            (table.init $t $e (i32.const 3) (i32.const 0) (i32.const 1))
            (elem.drop $e)
            (table.copy $t $t (i32.const 0) (i32.const 2) (i32.const 1))
            (table.fill $t (i32.const 4) (ref.func $tick) (i32.const 1))
            (table.set $x (table.grow $x (ref.null extern) (i32.const NUMBER)) (ref.null extern))
            (global.set $r (table.get $t (i32.const 1)))
            (global.set $g (call_indirect $t (param i32) (result i32) (global.get $g) (i32.const 3)))
            (block (block (block (br_table 0 1 2 (i32.const NUMBER))) (global.set $g (i32.const 9))) (drop (table.size $t)))
            (call_indirect $t (param i32) (result i32) (i32.const 1) (i32.const 4))
            (i64.load8_u (i32.const 201))
            (loop (param i32 i64) (result i64 i32) (call $last) )))"#
        .replace("NUMBER", &number.to_string())
}

/// A program, with what its run on our machine is said to have done.
struct Told {
    text: String,
    program: Program,
    probes: Vec<Probe>,
    flags: Vec<Probe>,
    sight: Sight,
    machine: Machine,
}

impl Told {
    fn new(text: &str) -> Self {
        let (program, _) = parse_text(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let run = program.export("run").expect("a function to run");
        let place = |pc, hit| Probe { func: run, pc, hit };
        let last = program.flatten(run).len() as u32 - 1;
        let (probes, mut machine) = (vec![place(last.min(1), 1), place(0, 2)], Machine::default());
        let flags = vec![place(0, 1)];
        let sight = request(&program, &probes, &flags).look(&mut machine).expect("there is room");
        Self { text: text.into(), program, probes, flags, sight, machine }
    }

    /// One without anything watched.
    fn bare(text: &str) -> Self {
        let mut told = Self::new(text);
        (told.probes, told.flags) = (vec![], vec![]);
        (told.sight.operands, told.sight.flags) = (vec![], vec![]);
        told
    }

    fn request(&self) -> Request<'_> {
        request(&self.program, &self.probes, &self.flags)
    }

    /// What is said about it alone.
    fn alone(&self, oracle: &Oracle) -> Result<(), Disagreement> {
        self.request().confirm(&self.sight, &self.machine, oracle)
    }
}

fn request<'a>(program: &'a Program, probes: &[Probe], flags: &[Probe]) -> Request<'a> {
    let entry = program.export("run").expect("a function to run");
    Request { program, entry, args: vec![], probes: probes.to_vec(), flags: flags.to_vec(), fuel_limit: 100_000 }
}

/// Operands and flags, as a watch has them.
type Watched<'a> = (Vec<(Probe, Option<&'a Snapshot>)>, Vec<(Probe, bool)>);

impl Told {
    fn watched(&self) -> Watched<'_> {
        let operands = self.sight.operands.iter().map(Option::as_ref);
        let flags = self.sight.flags.iter().copied();
        (self.probes.iter().copied().zip(operands).collect(), self.flags.iter().copied().zip(flags).collect())
    }

    fn case<'a>(&'a self, watched: &'a Watched<'a>) -> Case<'a> {
        let ended = self.sight.ended.as_ref().map_err(|stopped| stopped.trap);
        Case {
            program: &self.program,
            run: Run { entry: self.request().entry, args: &[], ended, fuel_limit: 100_000, ran: None },
            machine: &self.machine,
            watch: Watch { operands: &watched.0, flags: &watched.1 },
        }
    }
}

/// Calls with the cases.
fn with_cases<T>(told: &[Told], with: impl FnOnce(&[Case<'_>]) -> T) -> T {
    let watched: Vec<Watched<'_>> = told.iter().map(Told::watched).collect();
    let cases: Vec<Case<'_>> = told.iter().zip(&watched).map(|(told, watched)| told.case(watched)).collect();
    with(&cases)
}

fn batch(count: u32) -> Vec<Told> {
    (1..=count).map(|number| Told::new(&rich(number))).collect()
}

fn verdicts(told: &[Told], oracle: &Oracle) -> Vec<Result<(), Disagreement>> {
    with_cases(told, |cases| oracle.check_all(cases))
}

/// A way to tell something wrong about a program, and what the disagreement is called.
type Lie = (&'static str, fn(&mut Told));

fn outcome(told: &mut Told) -> &mut crate::wasm::rerun::Outcome {
    told.sight.ended.as_mut().expect("it ends well")
}

/// The machine as a slightly other program leaves it.
fn elsewhere(told: &mut Told, from: &str, to: &str) {
    let text = told.text.replace(from, to);
    assert_ne!(text, told.text);
    told.machine = Told::new(&text).machine;
}

const LIES: [Lie; 10] = [
    ("fuel", |told| outcome(told).fuel -= 1),
    ("results", |told| outcome(told).results[1] = Value::i32(77)),
    ("globals", |told| outcome(told).globals[0] ^= 1),
    // Another function.
    ("globals", |told| outcome(told).globals[2] += 1),
    ("operands", |told| told.sight.operands[0].as_mut().expect("seen").operands[0].bits ^= 1),
    ("hits of a probe", |told| told.sight.operands[1] = Some(Snapshot { operands: vec![], levels: vec![0] })),
    ("hits of a probe", |told| told.sight.operands[0] = None),
    ("flags", |told| told.sight.flags[0] = false),
    ("memory", |told| elsewhere(told, "abcdefg", "abcDefg")),
    ("a table", |told| elsewhere(told, "(i32.const 4) (ref.func $tick)", "(i32.const 4) (ref.func $leaf)")),
];

#[test]
fn one_wrong_claim_is_found_wherever_it_stands() {
    let oracle = Oracle::new();
    let right = batch(7);
    assert_eq!(with_cases(&right, |cases| (shareable(cases), oracle.together(cases))), (7, Ok(())));
    for (what, lie) in LIES {
        for at in 0..right.len() {
            let mut told = batch(7);
            lie(&mut told[at]);
            let found = verdicts(&told, &oracle);
            let expected: Vec<_> = told.iter().map(|told| told.alone(&oracle)).collect();
            assert_eq!(found, expected);
            let wrong: Vec<usize> = (0..7).filter(|&at| found[at].is_err()).collect();
            assert_eq!(wrong, [at], "{what}");
            let text = found[at].as_ref().expect_err("a wrong claim").to_string();
            assert!(text.starts_with(what), "{what}: {text}");
        }
    }
}

/// Neither what fails nor what cannot share a module harms what stands beside it.
#[test]
fn neighbours_do_not_count() {
    let run = |rest: &str| format!("(module (func $run (export \"run\") {rest})");
    let deep = r#"(module (func $down (param i32)
            (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "run") (call $down (i32.const 9900)) ))"#;
    let started = r#"(module (memory 1) (global $g (mut i32) (i32.const 0))
        (func $first (global.set $g (i32.const 4)) (i32.store (i32.const 0) (i32.const 5))) (start $first)
        (func (export "run") (result i32) (i32.load (i32.const 0))))"#;
    let kinds = [
        started.to_owned(),
        run("unreachable)"),
        run("(drop (i32.load (i32.const 65533)))) (memory 1)"),
        run(&format!("nop) {}", "(table 1 funcref)".repeat(60))),
        run(&format!("nop) {}", "(table 1 funcref)".repeat(60))),
        run("nop) (memory 200 300)"),
        run("nop) (memory 200 300)"),
        run(") (memory 1) (data (i32.const 65536) \"a\")"),
        deep.replace("9900", "9901"),
        deep.to_owned(),
    ];
    let oracle = Oracle::new();
    let mut told: Vec<Told> = (1..8)
        .flat_map(|number| [Some(rich(number)), kinds.get(number as usize).cloned()])
        .flatten()
        .map(|text| Told::bare(&text))
        .collect();
    told.extend(kinds.iter().map(|text| Told::bare(text)));
    assert_eq!(verdicts(&told, &oracle), vec![Ok(()); told.len()]);
    // One that wasmtime refuses, and one that is said to run though its segment does not fit.
    told[3].program.seqs[0].code.insert(0, Instr::plain(Op::Drop));
    let unfit = told.len() - 3;
    told[unfit].sight.ended = told[0].sight.ended.clone();
    let found = verdicts(&told, &oracle);
    let wrong: Vec<usize> = (0..told.len()).filter(|&at| found[at].is_err()).collect();
    assert_eq!(wrong, [3, unfit]);
    assert!(matches!(found[3], Err(Disagreement::Invalid(_))), "{:?}", found[3]);
    assert!(matches!(found[unfit], Err(Disagreement::Trapped { .. })), "{:?}", found[unfit]);
    assert_eq!(found[3], told[3].alone(&oracle));
}

/// More programs than fit one module.
#[test]
fn batches_are_cut() {
    let (oracle, mut told) = (Oracle::new(), Vec::new());
    told.resize_with(2 * BATCH + 3, || {
        Told::bare("(module (memory 1) (func (export \"run\") (i32.store (i32.const 9) (i32.const 1))))")
    });
    for at in [0, BATCH - 1, BATCH, 2 * BATCH + 2] {
        outcome(&mut told[at]).fuel += 1;
        let wrong: Vec<usize> =
            verdicts(&told, &oracle).iter().zip(0..).filter(|(v, _)| v.is_err()).map(|(_, at)| at).collect();
        assert_eq!(wrong, [at]);
        outcome(&mut told[at]).fuel -= 1;
    }
}
