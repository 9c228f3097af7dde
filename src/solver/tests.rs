//! What single misconceptions make of single instructions, as the values that a solver holds.

mod mutants;

use super::question::FoundQuestion;
use super::*;
use crate::item::message::Message;
use crate::item::message::Role;

#[test]
fn each_misreading_is_acted_out_as_it_is_described() {
    let module =
        |code: &str| format!("(module (memory 1) (data (i32.const 0) \"\\80\\01\\02\\03\\04\\05\\06\\f7\") {code}");
    let run =
        |code: &str| module(&format!("(func (export \"run\") (local i32 i64 f32) {code} \n;;INSPECT\n unreachable))"));
    let cases = [
        ("shr-arithmetic", run("i64.const -16 i64.const 2 i64.shr_u i32.const 6 i32.const 1 i32.shr_u"), "-4 3"),
        ("half-away", run("f32.const -2.5 f32.nearest f64.const 3.5 f64.nearest f64.const 0.4 f64.nearest"), "-3.0 4.0 0.0"),
        ("zero-unsigned", run("f64.const -0 f64.const 0 f64.max f32.const 1 f32.const -0 f32.copysign"), "-0.0 1.0"),
        ("loads-unextended", run("i32.const 0 i64.load8_s i32.const 6 i32.load16_s i32.const 1 i32.load8_s"), "128 63238 1"),
        ("loads-unextended+big-endian", run("i32.const 6 i32.load16_s i32.const 4 i64.load32_s"), "1783 67438327"),
        // Labels 0 and 1 both are the innermost.
        ("label-off-by-one", run("block block i32.const 1 br_if 1 i32.const 5 local.set 0 end i32.const 7 local.set 0 end local.get 0"), "7"),
        ("label-off-by-one", run("block block block i32.const 1 br_table 0 2 0 end end i32.const 9 local.set 0 end local.get 0"), "9"),
        ("label-off-by-one", run("block block i32.const 3 local.set 0 br 0 end i32.const 4 local.set 0 end local.get 0"), "4"),
        // Each entry counts anew.
        (
            "loops-capped=2",
            run("loop loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 100 i32.lt_s br_if 0 end
                 local.get 0 i32.const 100 i32.lt_s br_if 0 end local.get 0"),
            "4",
        ),
        ("loops-capped=7+loops-once", run("loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 9 i32.ne br_if 0 end local.get 0"), "1"),
        // Behind an ignored return operands are taken that were never pushed.
        (
            "return-ignored",
            run("call 1").replace("unreachable))", "unreachable) (func (result i32) f32.const 2 i32.const 5 return i64.add i32.wrap_i64 i32.const 3 i32.sub))"),
            "-3",
        ),
        (
            "return-ignored",
            run("call 1").replace("unreachable))", "unreachable) (func (result i64) (local i64) block i64.const 8 return local.set 0 end local.get 0))"),
            "8",
        ),
        (
            "locals-kept",
            run("call 1 call 1 call 1").replace("unreachable))", "unreachable) (func (result i32) (local i32) local.get 0 i32.const 2 i32.add local.tee 0))"),
            "2 4 6",
        ),
        ("stack-forgotten=2", run("i32.const 1 i64.const 2 i32.const 3 i32.const 4 drop drop"), "0 0"),
        (
            "stack-forgotten=2",
            run("i32.const 1 call 1").replace("unreachable))", "unreachable) (func (result i32 i32) i32.const 8 i32.const 9))"),
            "0 8 9",
        ),
        ("big-endian", run("i32.const 0 i32.load i32.const 0 i32.load16_u i32.const 0 i64.load8_u"), "-2147417597 32769 128"),
        ("big-endian", run("i32.const 8 i32.const 258 i32.store16 i32.const 8 i32.load8_u i32.const 8 i32.load16_u"), "1 258"),
        ("big-endian", run("i32.const 8 f32.const 1.5 f32.store i32.const 8 f32.load i32.const 8 i32.load8_u"), "1.5 63"),
    ];
    for (name, module, expected) in cases {
        let solver: Solver = name.parse().expect("a solver");
        let question = FoundQuestion::find(&[Message { role: Role::User, content: module.clone() }])
            .unwrap_or_else(|problem| panic!("{problem}\n{module}"));
        let reply::Answer::Values(_, held) = reader::read_within(&question, solver.misconceptions, 1000) else {
            panic!("{module}")
        };
        let given: Vec<String> = held.iter().map(|held| held.text()).collect();
        assert_eq!(given.join(" "), expected, "{name} on {module}");
    }
}

/// Fuzzing found this: the body of another function was read on a frame that it did not fit.
#[test]
fn a_function_that_is_imported_and_exported_again_returns_zeros() {
    let module = "(module (import \"e\" \"f\" (func (param f32) (result i64))) (export \"f\" (func 0))
        (func (param f32) (local i32) local.get 1 drop\n;;INSPECT\n))";
    for (key, answer) in
        [("return_values", r#"[{"type":"i64","value":"0"}]"#), ("stack_values", r#"[{"type":"i64","value":"0"}]"#)]
    {
        let content = format!("{module} {{\"{key}\": ...}}");
        let reply = Solver::ORACLE.reply(&[Message { role: Role::User, content }], None).expect("it is a question");
        assert!(reply.contains(&format!("{{\"{key}\":{answer}}}")), "{reply}");
    }
}
