//! What mutants there are, and what they make of single programs.

use super::*;
use crate::item::record::{Probe, Task};
use crate::wasm::parse::parse_text;
use crate::wasm::types::ValType;
use std::collections::HashSet;

#[test]
fn names_are_unique_and_there_are_many() {
    let mutants = Mutants::of(Op::ALL);
    let names: HashSet<&str> = mutants.all().iter().map(Mutant::name).collect();
    assert_eq!(names.len(), mutants.all().len());
    let of = |is: fn(&Mutant) -> bool| mutants.all().iter().filter(|mutant| is(mutant)).count();
    let (pairs, partly) =
        (of(|m| m.read_as().is_some() && m.when() == Circumstance::Any), of(|m| m.when() != Circumstance::Any));
    let rest = mutants.all().len() - pairs - partly;
    assert!(pairs > 1272 && partly > 500 && rest > 400, "{pairs} pairs, {partly} partly, {rest} others");
    // No instruction of the table is read as something that takes other operands.
    for mutant in mutants.all() {
        assert!(mutant.subjects().len() > 0 && !mutant.to_string().is_empty(), "{mutant:?}");
        if let Some((from, to)) = mutant.read_as() {
            assert!(from.row().params == to.row().params && from.row().results == to.row().results, "{mutant}");
        }
    }
}

/// A question about the stack where the text has `;;INSPECT`.
fn question(code: &str) -> Question {
    let text = format!("(module (memory 1) (func (export \"run\") (local i32 i32) {code}))");
    let (program, marks) = parse_text(&text, &["INSPECT"]).expect("a module");
    let probes: Vec<Probe> = marks.iter().map(|mark| Probe { func: mark.func, pc: mark.pc, hit: 1 }).collect();
    Question { entry: program.export("run").expect("is there"), program, task: Task::Stack, probes }
}

fn said(name: &str, code: &str) -> Option<String> {
    let mutants = Mutants::of(Op::ALL);
    let mutant =
        mutants.all().iter().find(|mutant| mutant.name() == name).unwrap_or_else(|| panic!("no mutant {name}"));
    let truth = mutant.answer(&question(code), 1000, &mut Machine::default())?;
    let Truth::StackValues(values) = truth else { panic!("{truth:?}") };
    Some(values.iter().map(|value| value.text()).collect::<Vec<_>>().join(" "))
}

#[test]
fn mutants_do_what_their_words_say() {
    let count = "loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 4 i32.lt_s br_if 0 end local.get 0\n;;INSPECT\ndrop";
    let cases = [
        ("i32.sub=i32.add", "i32.const 7 i32.const 3 i32.sub\n;;INSPECT\ndrop", Some("10")),
        ("i32.sub:swapped", "i32.const 7 i32.const 3 i32.sub\n;;INSPECT\ndrop", Some("-4")),
        ("i32.add=i32.div_s", "i32.const 7 i32.const 0 i32.add\n;;INSPECT\ndrop", None),
        ("loop-once", count, Some("1")),
        ("loop-less", count, Some("3")),
        ("loop-more", count, Some("5")),
        ("loop-capped-3", count, Some("3")),
        ("loop-capped-8", count, Some("4")),
        ("i32.lt_s=i32.le_s@again", count, Some("5")),
        (
            "i32.sub:swapped@negative-operand",
            "i32.const 7 i32.const -3 i32.sub i32.const 7 i32.const 3 i32.sub\n;;INSPECT\ndrop drop",
            Some("-10 4"),
        ),
        ("if-swapped", "i32.const 1 if (result i32) i32.const 5 else i32.const 6 end\n;;INSPECT\ndrop", Some("6")),
        ("label-outer", "block block br 0 end i32.const 3 local.set 0 end local.get 0\n;;INSPECT\ndrop", Some("0")),
        ("label-outer", "block br 0 end local.get 0\n;;INSPECT\ndrop", None),
        ("tee-ignored", "i32.const 3 local.tee 0 local.get 0\n;;INSPECT\ndrop drop", Some("3 0")),
        (
            "offset-ignored",
            "i32.const 0 i32.const 7 i32.store offset=4 i32.const 0 i32.load offset=4 i32.const 4 i32.load\n;;INSPECT\ndrop drop",
            Some("7 0"),
        ),
        ("store-ignored", "i32.const 0 i32.const 7 i32.store i32.const 0 i32.load\n;;INSPECT\ndrop", Some("0")),
        (
            "big-endian",
            "i32.const 0 i32.const 258 i32.store16 i32.const 0 i32.load8_u i32.const 0 i32.load16_s\n;;INSPECT\ndrop drop",
            Some("1 258"),
        ),
        ("size-in-bytes", "memory.size\n;;INSPECT\ndrop", Some("65536")),
        ("grow-new", "i32.const 2 memory.grow\n;;INSPECT\ndrop", Some("3")),
        ("condition-one", "i32.const 2 if (result i32) i32.const 5 else i32.const 6 end\n;;INSPECT\ndrop", Some("6")),
    ];
    for (name, code, expected) in cases {
        assert_eq!(said(name, code).as_deref(), expected, "{name} of\n{code}");
    }
}

#[test]
fn only_what_touches_the_run_is_answered() {
    let question = question("i32.const 7 i32.const 3 i32.sub\n;;INSPECT\ndrop");
    let truth = Truth::StackValues(vec![crate::wasm::types::Value::new(ValType::I32, 4)]);
    let mutants = Mutants::of(Op::ALL);
    let answers = mutants.answers(&question, &truth, 4, &mut Machine::default());
    let names: Vec<&str> = answers.iter().map(|answer| mutants.all()[answer.mutant].name()).collect();
    assert!(names.contains(&"i32.sub=i32.add") && names.contains(&"i32.sub:swapped"), "{names:?}");
    // 7 ^ 3 is 4, too.
    assert!(
        !names.contains(&"i32.sub=i32.xor") && names.iter().all(|name| name.contains("sub") || name.contains("two")),
        "{names:?}"
    );
}
