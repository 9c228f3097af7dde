use super::*;
use crate::wasm::parse::{assemble, parse_binary};

fn dump(bytes: &[u8], hit: u32) -> Dump {
    let program = parse_binary(bytes).expect("valid");
    let run = program.export("run").map(|entry| Run { entry, args: vec![], hit, fuel_limit: 1000 });
    explain(bytes, &program, run.as_ref()).expect("valid")
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Written by hand: numbers are longer than they need to be, the opcode behind the prefix too.
#[test]
fn foreign_encodings_are_shown_as_they_are() {
    let bytes = [
        b"\0asm\x01\0\0\0".as_slice(),
        &[0x01, 0x84, 0x00, 0x01, 0x60, 0x00, 0x00],
        &[0x03, 0x02, 0x01, 0x00],
        &[0x07, 0x07, 0x01, 0x03, b'r', b'u', b'n', 0x00, 0x00],
        &[0x0a, 0x19, 0x01, 0x95, 0x80, 0x00, 0x01, 0x01, 0x7f],
        &[0x41, 0xac, 0x82, 0x80, 0x00, 0x21, 0x80, 0x00, 0x43, 0x00, 0x00, 0xc0, 0x3f],
        &[0xfc, 0x81, 0x00, 0x1a, 0x0b],
    ]
    .concat();
    let text = text(&dump(&bytes, 1));
    let expected = "\
000000 00 61 73 6d magic: \\0asm
000004 01 00 00 00 version: 1
000008 01 84 00 section 1 type: 4 bytes
00000b 01 count: 1
00000c 60 00 00 (type (;0;) (func))
00000f 03 02 section 3 function: 2 bytes
000011 01 count: 1
000012 00 $f0 has type 0
000013 07 07 section 7 export: 7 bytes
000015 01 count: 1
000016 03 72 75 6e 00 00 (export \"run\" (func 0))
00001c 0a 19 section 10 code: 25 bytes
00001e 01 count: 1

func (;0;)
00001f 95 80 00 21 bytes
000022 01 01 7f locals: 1 i32
hits fuel
000025 41 ac 82 80 00 1 1 i32.const 300 (ac 82 80 00 = 300, padded by 2) [] -> [i32(300)]
00002a 21 80 00 1 1 local.set 0 (80 00 = 0, padded by 1) [i32(300)] -> []
00002d 43 00 00 c0 3f 1 1 f32.const 1.5 [] -> [f32(1.5)]
000032 fc 81 00 1 1 i32.trunc_sat_f32_u [f32(1.5)] -> [i32(1)]
000035 1a 1 0 drop [i32(1)] -> []
000036 0b 1 0 end [] -> leaves the function

$f0 returns []
fuel 5; 0 of 6 instructions never executed";
    assert_eq!(lines(&text).join("\n"), expected);
}

const LOOP: &str = r#"(module
    (memory 1)
    (func $half (param i32) (result i32)
        local.get 0
        i32.const 1
        i32.shr_u)
    (func (export "run") (result i32) (local $i i32)
        i32.const 7
        loop (param i32) (result i32)
            call $half
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 100))
            (local.tee $i (i32.add (local.get $i) (i32.const 1)))
            i32.const 2
            i32.lt_u
            br_if 0
        end
        return
        unreachable))"#;

/// The instruction of the function `run` with this text, the `nth` of them.
fn executed(dump: &Dump, text: &str) -> Executed {
    let code = dump.sections.iter().flat_map(|section| &section.functions).flat_map(|function| &function.code);
    let mut found = code.filter(|instruction| instruction.text == text);
    found.next().and_then(|instruction| instruction.ran.clone()).unwrap_or_else(|| panic!("{text} is there"))
}

fn values(shown: &Option<Vec<Shown>>) -> Option<String> {
    let shown = shown.as_ref()?;
    Some(shown.iter().map(|shown| shown.value.as_str()).collect::<Vec<_>>().join(" "))
}

#[test]
fn hits_fuel_and_operands_are_those_of_the_run() {
    let bytes = assemble(LOOP).expect("valid");
    let cases = [
        // Hits, fuel, and the operands around the first and the second execution.
        ("call $half", 2, 4, [("7", Some("3")), ("3", Some("1"))]),
        ("memory.fill", 2, 2 * (1 + 100), [("3 0 1 100", Some("3")), ("1 0 1 100", Some("1"))]),
        ("i32.shr_u", 2, 2, [("7 1", Some("3")), ("3 1", Some("1"))]),
        ("br_if 0", 2, 2, [("3 1", Some("3")), ("1 0", Some("1"))]),
    ];
    for (text, hits, fuel, around) in cases {
        for (hit, (before, after)) in (1..).zip(around) {
            let executed = executed(&dump(&bytes, hit), text);
            assert_eq!((executed.hits, executed.fuel), (hits, fuel), "{text}");
            assert_eq!(values(&executed.before).as_deref(), Some(before), "{text}");
            assert_eq!(values(&executed.after).as_deref(), after, "{text}");
        }
    }
    let dump = dump(&bytes, 1);
    let run = dump.run.as_ref().expect("it ran");
    assert_eq!((values(&run.results).as_deref(), &run.trap), (Some("1"), &None));
    let all = || dump.sections.iter().flat_map(|s| &s.functions).flat_map(|f| &f.code).filter_map(|i| i.ran.as_ref());
    assert_eq!(1 + all().map(|ran| ran.fuel).sum::<u64>(), run.fuel, "entering the first function is nobody's");
    let returned = executed(&dump, "return");
    assert_eq!((values(&returned.before).as_deref(), returned.after), (Some("1"), None));
    assert!(executed(&dump, "unreachable").dead && !returned.dead);
}

#[test]
fn a_trap_is_shown_where_it_is() {
    let text = r#"(module (func $f (result i32) (i32.div_u (i32.const 1) (i32.const 0)))
        (func (export "run") (result i32) nop call $f))"#;
    let dump = dump(&assemble(text).expect("valid"), 1);
    let run = dump.run.as_ref().expect("it ran");
    assert_eq!((&run.results, run.trap.as_deref()), (&None, Some("integer divide by zero")));
    assert_eq!(executed(&dump, "i32.div_u").trap.as_deref(), Some("integer divide by zero"));
    assert!(executed(&dump, "call $f").trap.is_none() && executed(&dump, "call $f").after.is_none());
    let shown = super::text(&dump);
    assert!(shown.contains("[i32(1) i32(0)] -> integer divide by zero") && shown.contains("-> does not return"));
}

/// Of a deep stack the top is shown, so that twice as many instructions make a text twice as long.
#[test]
fn the_text_grows_with_the_instructions_alone() {
    let deep = |count: usize| {
        let (pushes, drops) = ("i32.const 1 ".repeat(count), "drop ".repeat(count));
        let text = format!("(module (func (export \"run\") {pushes} {drops}))");
        dump(&assemble(&text).expect("valid"), 1)
    };
    let (short, long) = (text(&deep(200)), text(&deep(400)));
    assert!(long.len() < 2 * short.len() + 2000, "{} and {}", short.len(), long.len());
    assert_eq!((DEEP, TOP), (64, 8), "so says the help of `explain`");
    let whole = "i32(1) ".repeat(DEEP as usize);
    let top = "i32(1) ".repeat(TOP as usize);
    let (whole, top) = (whole.trim_end(), top.trim_end());
    assert!(short.contains(&format!("-> [{whole}]\n")), "{short}");
    assert!(short.contains(&format!("[{whole}] -> [57 below, {top}]\n")), "{short}");
    assert!(short.contains(&format!("[57 below, {top}] -> [{whole}]\n")), "{short}");
    let last = executed(&deep(200), "drop");
    assert_eq!((last.below_before, last.below_after), (192, 191));
    let json = serde_json::to_value(executed(&deep(64), "drop")).expect("plain data");
    assert!(json.get("below_before").is_none() && json["before"].as_array().is_some_and(|all| all.len() == 64));
}

#[test]
fn without_a_run_only_bytes_are_shown() {
    let dump = dump(&assemble("(module (func i32.const 300 drop))").expect("valid"), 1);
    assert!(dump.run.is_none());
    let shown = text(&dump);
    assert!(shown.contains("i32.const 300  (ac 02 = 300)") && shown.ends_with("nothing was run\n"), "{shown}");
    let json = serde_json::to_value(&dump).expect("plain data");
    let instruction = &json["sections"][2]["functions"][0]["code"][0];
    assert_eq!(instruction["bytes"], "41 ac 02");
    assert_eq!(instruction["immediates"][0]["value"], "300");
    assert!(instruction.get("hits").is_none());
}
