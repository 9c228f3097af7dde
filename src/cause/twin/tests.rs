use super::*;
use crate::item::record::{Probe, Task};
use crate::wasm::oracle::Oracle;
use crate::wasm::parse::parse_text;

/// The item that a module's comment asks about.
fn item(text: &str) -> Item {
    let (program, marks) = parse_text(text, &["INSPECT"]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let probes = marks.iter().map(|mark| Probe { func: mark.func, pc: mark.pc, hit: 1 }).collect();
    let entry = program.export("run").expect("a function to run");
    let question = Question { entry, task: Task::Stack, probes, program };
    question.label(&mut Machine::default(), "x".into(), 10_000).expect("it has an answer").item
}

/// The fact with these words about an item.
fn fact(item: &Item, words: &str) -> Fact {
    let facts = Facts::of(item, &mut Machine::default()).expect("readable");
    facts.iter().find(|fact| fact.to_string() == words).unwrap_or_else(|| panic!("no `{words}`"))
}

fn body(code: &str) -> String {
    format!("(module (func (export \"run\") (local i32) {code}))")
}

#[track_caller]
fn check(code: &str, words: &str, change: &str) {
    let item = item(&body(code));
    let mut machine = Machine::default();
    let twins = twins(&item, fact(&item, words), Seed::new(1), &mut machine).expect("readable");
    let suspect = twins.first().unwrap_or_else(|| panic!("no twin of {code}"));
    assert_eq!((suspect.role, suspect.change.as_str()), (Role::Suspect, change), "{code}");
    for twin in &twins {
        assert_eq!(twin.draft.confirm(&Oracle::new()), Ok(()), "{}", twin.change);
        let facts = Facts::of(&twin.draft.item, &mut machine).expect("readable");
        assert_eq!(facts.contains(fact(&item, words)), twin.role == Role::Control, "{}", twin.change);
    }
}

#[test]
fn the_suspect_is_swapped_for_its_neighbour_and_nothing_else() {
    let ask = "\n;;INSPECT\ndrop";
    check(
        &format!("i32.const -1 i32.const 40 i32.shl{ask}"),
        "shifts and rotations by the width or more",
        "i32.shl -> i32.const 31 i32.and i32.shl",
    );
    check(&format!("i32.const -1 i32.const 4 i32.lt_u{ask}"), "unsigned comparisons", "i32.lt_u -> i32.lt_s");
    check(
        &format!("f32.const 0.1 f64.promote_f32{ask}"),
        "f32.const with a result that is rounded to f32",
        "f32.const 0.1 -> f32.const 1.5",
    );
    check(
        &format!("i32.const 1 i32.const 2 i32.const 0 select{ask}"),
        "selects",
        "select -> drop drop drop i32.const 2",
    );
    check(
        &format!("block block i32.const 1 i32.const 0 br_table 1 0 end end i32.const 7{ask}")
            .replace("i32.const 1 i32", "i32"),
        "br_table with an index below its default",
        "br_table 1 0 -> drop br 1",
    );
    check(
        &format!("loop local.get 0 i32.eqz local.tee 0 br_if 0 end local.get 0{ask}"),
        "loops whose body runs more than once",
        "loop -> block",
    );
}

/// What stands in place of an instruction whose own name is suspected, and what was done.
#[track_caller]
fn manner(code: &str, words: &str, expected: (Manner, &str)) {
    let item = item(&body(&format!("{code}\n;;INSPECT\ndrop")));
    let twins = twins(&item, fact(&item, words), Seed::new(1), &mut Machine::default()).expect("readable");
    let suspect = twins.first().unwrap_or_else(|| panic!("no twin of {code}"));
    assert_eq!((suspect.manner, suspect.change.as_str()), expected, "{code}");
}

#[test]
fn a_neighbour_means_alike_and_what_is_taken_out_is_called_so() {
    manner("i32.const -1 i32.const 4 i32.shl", "i32.shl", (Manner::Neighbour, "i32.shl -> i32.shr_s"));
    manner("i32.const 9 i32.const 4 i32.xor", "i32.xor", (Manner::Neighbour, "i32.xor -> i32.or"));
    manner("i32.const 9 i32.const 4 i32.mul", "i32.mul", (Manner::Neighbour, "i32.mul -> i32.sub"));
    manner("i32.const 9 i32.const 4 i32.div_u", "i32.div_u", (Manner::Neighbour, "i32.div_u -> i32.div_s"));
    manner("f32.const 2.5 f32.ceil", "f32.ceil", (Manner::Neighbour, "f32.ceil -> f32.floor"));
    manner("f32.const 2.5 f32.sqrt", "f32.sqrt", (Manner::Removed, "f32.sqrt -> drop f32.const 1.5811388"));
    manner(
        "i32.const 5 i64.extend_i32_s",
        "i64.extend_i32_s",
        (Manner::Neighbour, "i64.extend_i32_s -> i64.extend_i32_u"),
    );
    manner("i32.const 200 i32.extend8_s", "sign extensions", (Manner::Removed, "i32.extend8_s -> drop i32.const -56"));
    manner("f32.const 2 f32.const 3 f32.min", "f32.min", (Manner::Neighbour, "f32.min -> f32.max"));
    let all = "float minima and maxima";
    manner("f32.const 2 f32.const 3 f32.min", all, (Manner::Removed, "f32.min -> drop drop f32.const 2.0"));
}

#[test]
fn of_several_suspects_none_is_swapped() {
    let item = item(&body("i32.const 1 i32.ctz i32.const 2 i32.ctz i32.add\n;;INSPECT\ndrop"));
    let suspected = fact(&item, "i32.ctz");
    assert!(twins(&item, suspected, Seed::new(1), &mut Machine::default()).expect("readable").is_empty());
}
