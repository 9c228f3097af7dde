use super::*;
use crate::wasm::parse::parse_text;
use crate::wasm::program::Probe;

/// The facts of the question that a module's comment asks, as they are told.
fn facts(text: &str) -> Vec<String> {
    let (program, marks) = parse_text(text, &["INSPECT"]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let probe = |mark: &crate::wasm::parse::Marked| Probe { func: mark.func, pc: mark.pc, hit: 1 };
    let entry = program.export("run").expect("a function to run");
    let question = Question { entry, task: Task::Stack, probes: marks.iter().map(probe).collect(), program };
    let facts = Facts::of_question(&question, 10_000, &mut Machine::default());
    facts.iter().map(|fact| fact.to_string()).collect()
}

fn body(code: &str) -> String {
    format!("(module (func (export \"run\") (local i32 i32) {code}))")
}

#[track_caller]
fn check(code: &str, there: &[&str], missing: &[&str]) {
    let found = facts(code);
    for fact in there {
        assert!(found.iter().any(|found| found == fact), "`{fact}` is not among {found:#?}");
    }
    for fact in missing {
        assert!(!found.iter().any(|found| found == fact), "`{fact}` is among {found:#?}");
    }
}

#[test]
fn instructions_behind_the_answer_are_told_with_their_circumstances() {
    check(
        &body("i32.const 7 i32.clz drop i32.const -1 i32.const 40 i32.shl i32.const -5 i32.lt_u\n;;INSPECT\ndrop"),
        &[
            "shifts and rotations by the width or more",
            "i32.shl with a negative operand",
            "shifts to the left with a negative result",
            "unsigned comparisons with a negative operand",
            "unsigned instructions",
        ],
        &["bit counts", "i32.clz", "i32.lt_u by the width or more", "integer arithmetic"],
    );
    check(
        &body("f64.const 2.5 f64.nearest f64.const -0 f64.const nan f64.min\n;;INSPECT\ndrop drop"),
        &["f64.nearest of halfway cases", "float minima and maxima with a NaN", "f64.min with a negative zero"],
        &["f64.nearest with a NaN", "f32 instructions"],
    );
}

#[test]
fn what_comes_after_the_question_is_no_fact_of_it() {
    check(
        &body("i32.const 1\n;;INSPECT\nlocal.set 0 loop local.get 0 i32.eqz local.tee 0 br_if 0 end return"),
        &[],
        &["loops whose body runs more than once", "return", "conditions (if, br_if)", "i32.eqz"],
    );
}

#[test]
fn runs_are_told_by_their_structure() {
    let rounds = "loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 4 i32.lt_s br_if 0 end i32.const 1";
    check(
        &body(&format!("{rounds}\n;;INSPECT\ndrop")),
        &[
            "loops whose body runs more than once",
            "loops whose body runs 4 times or more",
            "declared locals that are read before they are set",
            "conditions (if, br_if)",
            "signed comparisons in a repeated iteration",
        ],
        &["loops whose body runs 6 times or more", "calls", "branches out of more than one block"],
    );
    check(
        &body("block block block i32.const 1 br_table 0 1 2 end end end i32.const 1 i32.const 2\n;;INSPECT\ndrop drop"),
        &["br_table with an index below its default", "branches out of more than one block", "br_table"],
        &["branches out of more than 2 blocks"],
    );
}

#[test]
fn calls_are_told_by_how_they_are_made() {
    let module = "(module
        (func $twice (param i32 i32) (result i32) (local i32) local.get 2 local.get 0 i32.add i32.const 9 local.set 2)
        (func (export \"run\") i32.const 1 i32.const 2 call $twice i32.const 3 call $twice
          ;;INSPECT
          drop))";
    let again = "declared locals that are read before they are set, in functions that are called again";
    check(
        module,
        &["calls", "calls with several arguments of one type", "functions that are called again", again],
        &["recursion", "calls nested 2 deep or deeper"],
    );
}
