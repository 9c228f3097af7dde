use super::*;
use crate::wasm::machine::Machine;
use crate::wasm::parse::parse_text;

/// The instructions behind the operands at `;;INSPECT` (or behind the results), in the order in which they ran.
fn behind(text: &str) -> Vec<&'static str> {
    let (program, marks) = parse_text(text, &["INSPECT"]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let probe = marks.first().map(|mark| Probe { func: mark.func, pc: mark.pc, hit: 1 });
    let entry = program.export("run").expect("a function to run");
    let mut trace = FlowTrace::new(&program, probe.as_ref());
    Execution { machine: &mut Machine::default(), program: &program, entry, fuel_limit: 10_000 }
        .run(&mut trace)
        .expect("does not trap");
    let roots = trace.roots(if probe.is_some() { Task::Stack } else { Task::Result });
    trace.behind(&roots).into_iter().map(|node| trace.nodes[node].op().mnemonic()).collect()
}

fn body(code: &str) -> String {
    format!("(module (memory 1) (global $g (mut i32) (i32.const 5)) (func (export \"run\") (local i32 i32) {code}))")
}

#[test]
fn values_are_followed_through_operands_variables_and_memory() {
    for (code, expected) in [
        ("i32.const 1 i32.const 2 i32.mul drop i32.const 3 i32.eqz\n;;INSPECT\ndrop", vec!["i32.const", "i32.eqz"]),
        (
            "i32.const 1 i32.ctz local.set 0 i32.const 2 local.get 0\n;;INSPECT\ndrop drop",
            vec!["i32.const", "i32.ctz", "i32.const"],
        ),
        ("i32.const 7 i32.clz global.set $g global.get $g\n;;INSPECT\ndrop", vec!["i32.const", "i32.clz"]),
        (
            "i32.const 0 i32.const 9 i32.store i32.const 0 i32.load\n;;INSPECT\ndrop",
            vec!["i32.const", "i32.const", "i32.store", "i32.const", "i32.load"],
        ),
        (
            "i32.const 1 i32.const 2 i32.const 3 select\n;;INSPECT\ndrop",
            vec!["i32.const", "i32.const", "i32.const", "select"],
        ),
        (
            "block (result i32) i32.const 4 i32.const 8 i32.popcnt br 0 end\n;;INSPECT\ndrop",
            vec!["i32.const", "i32.popcnt"],
        ),
    ] {
        assert_eq!(behind(&body(code)), expected, "{code}");
    }
}

#[test]
fn values_are_followed_through_calls() {
    let text = "(module (func $f (param i32 i32) (result i32) local.get 1 i32.ctz)
        (func (export \"run\") i32.const 1 i32.const 2 i32.clz call $f\n;;INSPECT\ndrop))";
    assert_eq!(behind(text), ["i32.const", "i32.clz", "call", "i32.ctz"]);
}

#[test]
fn code_that_runs_again_makes_a_loop() {
    let loops = "local.get 0 i32.eqz br_if 0 loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 9 i32.lt_u \
                 br_if 0 end local.get 0\n;;INSPECT\ndrop";
    let construct = |code: &str| {
        let (program, marks) = parse_text(&body(code), &["INSPECT"]).expect("valid");
        let probes: Vec<Probe> = marks.iter().map(|mark| Probe { func: mark.func, pc: mark.pc, hit: 1 }).collect();
        let machine = &mut Machine::default();
        let execution = Execution { machine, program: &program, entry: 0, fuel_limit: 10_000 };
        Profile::new(execution, Task::Stack, &probes).construct
    };
    assert_eq!(construct(&loops.replace("i32.eqz br_if 0", "drop")), Construct::Loop);
    assert_eq!(construct("i32.const 1 i32.const 33 i32.shl\n;;INSPECT\ndrop"), Construct::Shift);
    assert_eq!(construct("i32.const 1\n;;INSPECT\ndrop"), Construct::Other);
}
