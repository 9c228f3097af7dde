//! Programs that use everything, held against wasmtime at every place.

use super::*;
use crate::wasm::inspect::{Request, Sight};
use crate::wasm::parse::parse_text;

/// Runs `run` of the text and holds every place against wasmtime: operands at the first three hits, and whether it was
/// passed. Returns what was seen, and how often the places were hit in all.
fn agree(text: &str) -> (Sight, u32) {
    let (program, _) = parse_text(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let entry = program.export("run").expect("a function to run");
    let places = |hits: std::ops::RangeInclusive<u32>| {
        let own = program.imported_funcs()..program.funcs.len() as u32;
        let places = own.flat_map(|func| (0..program.flatten(func).len() as u32).map(move |pc| (func, pc)));
        places.flat_map(|(func, pc)| hits.clone().map(move |hit| Probe { func, pc, hit })).collect::<Vec<_>>()
    };
    let (probes, flags) = (places(1..=3), places(1..=1));
    let request = Request { program: &program, entry, args: vec![], probes, flags, fuel_limit: 100_000 };
    let mut machine = Machine::default();
    let sight = request.look(&mut machine).expect("there is room");
    let seen = sight.operands.iter().flatten().count() as u32;
    request.confirm(&sight, &machine, &Oracle::new()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (sight, seen)
}

/// What `run` returns, written out.
fn results(text: &str) -> String {
    let (sight, seen) = agree(text);
    assert!(seen > 0);
    let outcome = sight.ended.unwrap_or_else(|stopped| panic!("{stopped:?}\n{text}"));
    outcome.results.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[test]
fn operands_under_blocks_with_parameters_are_seen() {
    let text = r#"(module
        (func $swap (param i32 f64) (result f64 i32) local.get 1 local.get 0)
        (func (export "run") (result i64 i32)
            (local $n i32)
            i64.const 7
            i32.const 3
            f64.const 0.5
            call $swap
            block (param f64 i32) (result i32)
                local.set $n
                drop
                local.get $n
                f32.const 1.5
                local.get $n
                loop (param f32 i32) (result i32)
                    i32.const 1
                    i32.sub
                    local.tee $n
                    local.get $n
                    if (param f32 i32) (result f32 i32)
                        nop
                    else
                        drop
                        drop
                        f32.const -0
                        i32.const 100
                    end
                    local.get $n
                    br_if 0
                    local.set $n
                    i32.trunc_f32_s
                    local.get $n
                    i32.add
                end
                i32.add
            end))"#;
    assert_eq!(results(text), "i64(7) i32(103)");
}

#[test]
fn each_activation_has_operands_of_its_own() {
    // The inner call passes the entry of the block again before the outer one comes to its end.
    let text = r#"(module
        (func $down (param $n i32) (result i32)
            local.get $n
            block (result i32)
                local.get $n
                if (result i32)
                    local.get $n
                    i32.const 1
                    i32.sub
                    call $down
                else
                    i32.const 40
                end
                i32.const 2
                i32.add
            end
            i32.add)
        (func (export "run") (result i32) i32.const 5 call $down))"#;
    assert_eq!(results(text), "i32(67)");
}

#[test]
fn values_of_every_type_are_seen() {
    let text = r#"(module
        (type $back (func (result funcref externref v128)))
        (table $t 3 funcref)
        (table $x 2 10 externref)
        (global $f (mut funcref) (ref.func $three))
        (elem (table $t) (i32.const 1) func $run $three)
        (func $three (export "three") (result i32) i32.const 3)
        (func $give (type $back)
            global.get $f ref.null extern v128.const i32x4 1 -2 3 -4)
        (func $run (export "run") (result i32 funcref externref v128 i32)
            i32.const 2
            call_indirect $t (result i32)
            (table.set $t (i32.const 0) (global.get $f))
            (global.set $f (ref.null func))
            (drop (table.grow $x (ref.null extern) (i32.const 4)))
            (drop (table.grow $x (ref.null extern) (i32.const 5)))
            (table.fill $t (i32.const 1) (table.get $t (i32.const 0)) (i32.const 1))
            (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 2))
            call $give
            table.size $x
            (drop (ref.is_null (select (result funcref) (ref.func $three) (ref.null func) (i32.const 1))))))"#;
    assert_eq!(results(text), "i32(3) funcref(Null) externref(Null) v128(1 -2 3 -4) i32(6)");
}

#[test]
fn imports_are_stood_in_for() {
    let text = r#"(module
        (import "env" "log" (func $log (param i32 f64) (result i64 funcref f32)))
        (import "env" "tick" (func $tick))
        (import "env" "table" (table $t 4 funcref))
        (import "env" "memory" (memory 1 2))
        (import "env" "base" (global $base i32))
        (import "env" "count" (global $count (mut i64)))
        (global $own i32 (global.get $base))
        (elem (global.get $base) $tick $run)
        (elem (table $t) (offset (i32.const 2)) funcref (ref.func $log) (ref.null func))
        (data (global.get $base) "\01\02\03")
        (func $run (export "run") (result i64 funcref f32 i32)
            (call_indirect $t (i32.const 0))
            call $tick
            (call $log (i32.const 1) (f64.const 2))
            (i32.store offset=2 (i32.const 1) (memory.grow (i32.const 1)))
            (global.set $count (i64.add (global.get $count) (i64.const 9)))
            (i32.add (i32.load (i32.const 0)) (i32.add (global.get $own) (memory.grow (i32.const 1))))))"#;
    assert_eq!(results(text), "i64(0) funcref(Null) f32(0.0) i32(16974336)");
}

#[test]
fn tail_calls_leave_no_activation() {
    let text = r#"(module
        (type $step (func (param i32 i64) (result i64)))
        (table funcref (elem $even $odd))
        (func $even (type $step)
            (if (result i64) (i32.eqz (local.get 0)) (then local.get 1)
                (else
                    (i32.sub (local.get 0) (i32.const 1))
                    (i64.add (local.get 1) (i64.const 2))
                    i32.const 1
                    return_call_indirect (type $step))))
        (func $odd (type $step)
            (i32.sub (local.get 0) (i32.const 1))
            (i64.mul (local.get 1) (i64.const 3))
            return_call $even)
        (func (export "run") (result i64)
            i32.const 10 i64.const 1 return_call $even))"#;
    assert_eq!(results(text), "i64(969)");
}

#[test]
fn a_start_function_runs_first() {
    let text = r#"(module
        (memory 1)
        (global $g (mut i32) (i32.const 1))
        (func $start (local i32)
            (loop (global.set $g (i32.mul (global.get $g) (i32.const 3)))
                  (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 5)))))
        (start $start)
        (data (i32.const 3) "\07")
        (func (export "run") (result i32 i32) global.get $g (i32.load8_u (i32.const 3))))"#;
    assert_eq!(results(text), "i32(243) i32(7)");
}

#[test]
fn whole_stretches_cost_what_they_move() {
    let text = r#"(module
        (memory 1)
        (table $t 20 funcref)
        (data $d "abcdefgh")
        (elem $e func $run $run $run)
        (func $run (export "run") (result i32 i32)
            (memory.init $d (i32.const 10) (i32.const 1) (i32.const 5))
            (data.drop $d)
            (memory.copy (i32.const 11) (i32.const 10) (i32.const 5))
            (memory.fill (i32.const 100) (i32.const 255) (i32.const 1000))
            (table.init $t $e (i32.const 3) (i32.const 1) (i32.const 2))
            (elem.drop $e)
            (table.copy $t $t (i32.const 4) (i32.const 3) (i32.const 2))
            (table.fill $t (i32.const 10) (ref.func $run) (i32.const 7))
            (drop (table.grow $t (ref.null func) (i32.const 30)))
            (i32.load (i32.const 11))
            table.size $t))"#;
    let (sight, _) = agree(text);
    assert_eq!(sight.fuel, 1 + 32 + 5 + 5 + 1000 + 2 + 2 + 7 + 30);
}

#[test]
fn traps_are_the_same_traps() {
    let cases = [
        ("unreachable", Trap::Unreachable),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", Trap::IntegerDivideByZero),
        ("(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))", Trap::IntegerOverflow),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", Trap::InvalidConversionToInteger),
        ("(i32.store (i32.const 1) (i32.const 7)) (drop (i64.load (i32.const 65529)))", Trap::MemoryOutOfBounds),
        ("(memory.fill (i32.const 1) (i32.const 7) (i32.const 65536))", Trap::MemoryOutOfBounds),
        ("(drop (table.get 0 (i32.const 4)))", Trap::TableOutOfBounds),
        ("(table.fill 0 (i32.const 1) (ref.func 0) (i32.const 4))", Trap::TableOutOfBounds),
        ("(call_indirect (i32.const 4))", Trap::UndefinedElement),
        ("(call_indirect (i32.const 0))", Trap::UninitializedElement),
        ("(drop (call_indirect (result i32) (i32.const 1)))", Trap::IndirectCallTypeMismatch),
        ("(call $run)", Trap::CallStackExhausted),
        ("(loop (global.set 0 (i32.add (global.get 0) (i32.const 1))) (br 0))", Trap::OutOfFuel),
        // What is not there costs nothing; what is there costs as much as it is long.
        ("(memory.fill (i32.const 1) (i32.const 7) (i32.const 0x10000000))", Trap::MemoryOutOfBounds),
        ("(loop (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br 0))", Trap::OutOfFuel),
    ];
    for (code, trap) in cases {
        let text = format!(
            r#"(module (memory 1) (table 4 funcref) (elem (i32.const 1) $run) (global (mut i32) (i32.const 0))
                (func $run (export "run") (global.set 0 (i32.const 3)) {code}))"#
        );
        let (sight, seen) = agree(&text);
        let stopped = sight.ended.expect_err(code);
        assert_eq!(stopped.trap, trap, "{code}");
        assert!(seen > 2 && stopped.at.is_some());
    }
    // Segments are copied before anything runs.
    let (sight, seen) = agree(r#"(module (memory 1) (data (i32.const 65536) "a") (func (export "run")))"#);
    assert_eq!(sight.ended, Err(crate::wasm::inspect::Stopped { trap: Trap::MemoryOutOfBounds, at: None }));
    assert_eq!(seen, 0);
}

/// Calls that our stack has room for are no disagreement because wasmtime's usual one has none.
#[test]
fn deep_recursion_is_followed() {
    let text = r#"(module
        (func $sum (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (i32.add (local.get 0) (call $sum (i32.sub (local.get 0) (i32.const 1)))))
                (else (i32.const 0))))
        (func (export "run") (result i32) (call $sum (i32.const 9900))))"#;
    assert_eq!(results(text), "i32(49009950)");
}

/// Each wrong claim about a run is noticed.
#[test]
fn a_wrong_claim_is_found_out() {
    let text = r#"(module (memory 1) (table 2 funcref) (global (mut i64) (i64.const 1))
        (func $run (export "run") (result f32)
            (if (i32.const 0) (then nop))
            (table.set 0 (i32.const 1) (ref.func $run))
            (i32.store (i32.const 5) (i32.const 6))
            (f32.const 1.5)))"#;
    let (program, _) = parse_text(text, &[]).expect("valid");
    let probes =
        vec![Probe { func: 0, pc: 2, hit: 1 }, Probe { func: 0, pc: 5, hit: 1 }, Probe { func: 0, pc: 5, hit: 2 }];
    let flags = probes.clone();
    let request = Request { program: &program, entry: 0, args: vec![], probes, flags, fuel_limit: 1000 };
    let mut machine = Machine::default();
    let truth = request.look(&mut machine).expect("there is room");
    let oracle = Oracle::new();
    assert_eq!(request.confirm(&truth, &machine, &oracle), Ok(()));
    let wrong = |change: &dyn Fn(&mut Sight)| {
        let mut sight = truth.clone();
        change(&mut sight);
        request.confirm(&sight, &machine, &oracle).expect_err("a wrong claim").to_string()
    };
    let outcome = |sight: &mut Sight, change: fn(&mut Outcome)| change(sight.ended.as_mut().expect("it ends well"));
    assert!(wrong(&|sight| outcome(sight, |outcome| outcome.fuel += 1)).contains("fuel: our machine used"));
    assert!(wrong(&|sight| outcome(sight, |o| o.results[0] = Value::f32(1.0))).contains("results"));
    assert!(wrong(&|sight| outcome(sight, |outcome| outcome.globals[0] = 2)).contains("globals"));
    assert!(wrong(&|sight| sight.operands[1].as_mut().expect("seen").operands[0].bits ^= 1).contains("operands"));
    assert!(wrong(&|sight| sight.operands[1] = None).contains("hits of a probe"));
    assert!(wrong(&|sight| sight.flags[0] = true).contains("flags"));
    let trap =
        |sight: &mut Sight| sight.ended = Err(crate::wasm::inspect::Stopped { trap: Trap::Unreachable, at: None });
    assert_eq!(wrong(&trap), "our machine says: unreachable; wasmtime says: the run ends well");
    // Another program's state: tables and memory.
    let mut other = Machine::default();
    let elsewhere = |from: &str, to: &str| parse_text(&text.replace(from, to), &[]).expect("valid").0;
    for (from, to, what) in [("i32.const 6", "i32.const 7", "memory"), ("ref.func $run", "ref.null func", "a table")] {
        let program = elsewhere(from, to);
        Request { program: &program, probes: vec![], flags: vec![], ..request.clone() }
            .look(&mut other)
            .expect("there is room");
        let error = request.confirm(&truth, &other, &oracle).expect_err("another state").to_string();
        assert!(error.starts_with(what), "{error}");
    }
}

/// Only what began is compiled. Where wasmtime calls anything else, that is no agreement, but the whole program is asked.
#[test]
fn what_did_not_begin_is_not_there() {
    let text = r#"(module (table funcref (elem $seven $never)) (func $never (result i32) i32.const 8)
        (func (export "run") (result i32 funcref) (call_indirect (result i32) (i32.const 0)) (table.get (i32.const 1)))
        (func $seven (result i32) i32.const 7))"#;
    let (program, _) = parse_text(text, &[]).expect("valid");
    let request = Request { program: &program, entry: 1, args: vec![], probes: vec![], flags: vec![], fuel_limit: 100 };
    let (mut machine, oracle) = (Machine::default(), Oracle::new());
    let sight = request.look(&mut machine).expect("there is room");
    assert_eq!(sight.ran, BTreeSet::from([1, 2]));
    let outcome = sight.ended.as_ref().expect("it ends");
    let said = |ran: &BTreeSet<u32>| {
        let run = Run { entry: 1, args: &[], ended: Ok(outcome), fuel_limit: 100, ran: Some(ran) };
        let case = Case { program: &program, run, machine: &machine, watch: Watch::default() };
        (hold(&oracle.engine, &[case]), oracle.check_one(&case))
    };
    assert_eq!(said(&sight.ran), (Ok(()), Ok(())));
    let (short, whole) = said(&BTreeSet::from([1]));
    assert!(matches!(short, Err(Disagreement::Trapped { .. })) && whole.is_ok(), "{short:?} {whole:?}");
}
