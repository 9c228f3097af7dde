//! Modules that strangers wrote: huge, deep, or with names that are none. Whatever they hold, the verbs that look answer or say
//! in one sentence why not. Damaged ones are `fuzzing`'s.

use super::command_line::{folder, harness};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Exit code, stdout and stderr.
type Said = (Option<i32>, String, String);

fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The verb with these words, and a module in its standard input. It has 4 GB of addresses, where a system can be told.
fn given(words: &[&str], module: &[u8]) -> Output {
    let limited = r#"ulimit -v 4000000 2>/dev/null; exec "$0" "$@""#;
    let mut command = if cfg!(target_os = "linux") { Command::new("sh") } else { Command::new(HARNESS) };
    if cfg!(target_os = "linux") {
        command.args(["-c", limited, HARNESS]);
    }
    command.args(words).arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary was built");
    let mut stdin = child.stdin.take().expect("it was asked for");
    let module = module.to_vec();
    // What it does not read breaks the pipe, which is its own affair.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&module)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("writing does not panic");
    output
}

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

fn inspect(module: &str) -> serde_json::Value {
    let output = given(&["inspect", "--json"], module.as_bytes());
    let (_, out, err) = said(&output);
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}\n{}", &module[..module.len().min(1000)]))
}

fn run(body: &str) -> String {
    format!("(module {body})")
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal");
    digits.chunks(2).map(byte).collect()
}

/// A name section that names function 5 of 1; and one that names function 7, where function 0 traps.
const NAMES_OF_NOTHING: [&str; 2] = [
    "0061736d01000000018580808000016000017f0382808080000100078780808000010372756e00000a0a01080041ffffffff
     7f0b000c046e616d6501050105027a7a",
    "0061736d01000000010401600000030201000707010372756e00000a05010300000b000e046e616d650107010104676f6e65",
];

#[test]
fn names_of_nothing_are_ignored() {
    let [first, second] = NAMES_OF_NOTHING.map(bytes);
    let (code, out, err) = said(&given(&["explain"], &first));
    assert!(code == Some(0) && out.contains("i32.const -1") && err.is_empty(), "{err}");
    let (code, _, err) = said(&given(&["inspect"], &second));
    assert!(code == Some(1) && err.contains("unreachable at `unreachable`, instruction 0 of $f0"), "{err}");
}

/// Many of everything. What looks at each of them for each of them would not end here.
#[test]
fn many_things_take_no_longer_than_they_must() {
    const MANY: usize = 20_000;
    let mut text = String::from("(module\n");
    for number in 0..MANY {
        let ty = ["i32", "i64", "f32", "f64"].map(|ty| format!(" {ty}").repeat(number / 7 % 5)).concat();
        writeln!(text, "(func $function_number_{number} (export \"e{number}\") (param{ty}) (result i32)")
            .expect("a string");
        text.push_str("i32.const 1 ;;FLAG_");
        writeln!(text, "{number}\n i32.const 2 ;;INSPECT\n i32.add)").expect("a string");
    }
    writeln!(
        text,
        "(func (export \"run\") (result i32) {})",
        "i32.const 1 drop\n ;;INSPECT\n".repeat(MANY) + "i32.const 3"
    )
    .expect("a string");
    text.push(')');
    let told = inspect(&text);
    assert_eq!((&told["confirmed"], &told["return_values"][0]["value"]), (&true.into(), &"3".into()));
    assert_eq!(told["inspections"].as_array().map(Vec::len), Some(2 * MANY));
    assert_eq!(told["flag_states"].as_object().map(|flags| flags.len()), Some(MANY));
    let (code, out, err) = said(&given(&["explain"], text.as_bytes()));
    assert!(code == Some(0) && out.contains("$function_number_19999 (;19999;)"), "{err}");
    // Many are told of in one line.
    let (code, _, err) = said(&given(&["inspect", "--invoke", "none"], text.as_bytes()));
    assert!(code == Some(2) && err.contains("e19 and 19981 more") && err.len() < 400, "{err}");
}

#[test]
fn sizes_that_nobody_has_are_refused_in_a_sentence() {
    let table = r#"(table 4000000000 funcref) (func (export "run") (result i32) table.size 0)"#;
    let tables = &r#"(table 1000001 funcref)"#.repeat(10);
    for verb in ["inspect", "explain"] {
        for module in [table, tables] {
            let (code, out, err) = said(&given(&[verb], run(module).as_bytes()));
            assert!(code == Some(2) && out.is_empty() && err.lines().count() == 1, "{verb}: {err}");
            assert!(err.contains("at most 10000000 are supported"), "{err}");
        }
    }
    // Memory that the system does not give, at the start and later.
    let memory = r#"(memory 65536) (func (export "run") (result i32) memory.size)"#;
    let growing = r#"(memory 0) (func (export "run") (result i32) (memory.grow (i32.const 65536)))"#;
    // There is room for one of this, not for wasmtime's too.
    let half = r#"(memory 40000) (func (export "run") (result i32) memory.size)"#;
    for (module, code) in [(memory, 2), (growing, 2), (half, 1)].into_iter().filter(|_| cfg!(target_os = "linux")) {
        let (ended, _, err) = said(&given(&["inspect"], run(module).as_bytes()));
        assert!(
            ended == Some(code) && err.lines().count() == 1 && !err.contains("report"),
            "{module}: {ended:?} {err}"
        );
    }
    // What grows without end, in parts, ends as the machine's tables do.
    let grown = r#"(table 0 externref) (table 5 externref)
        (func (export "run") (result i32) (local i32)
            (loop (drop (table.grow 1 (ref.null extern) (i32.const 100)))
                (br_if 0 (i32.ne (table.grow 0 (ref.null extern) (i32.const 1000000)) (i32.const -1))))
            (i32.add (table.size 0) (table.size 1)))"#;
    let told = inspect(&run(grown));
    assert_eq!((&told["confirmed"], &told["return_values"][0]["value"]), (&true.into(), &"9001005".into()), "{told}");
    // Page by page, with a copy of all for each, this would not end.
    let pages = r#"(memory 0) (func (export "run") (result i32)
        (loop (br_if 0 (i32.lt_u (memory.grow (i32.const 1)) (i32.const 9000)))) memory.size)"#;
    assert_eq!(inspect(&run(pages))["confirmed"], true);
}

#[test]
fn nesting_has_no_depth_that_breaks_anything() {
    const DEPTH: usize = 33_000;
    let flat = format!("{} {} i32.const 7", "block\n".repeat(DEPTH), "\nend".repeat(DEPTH));
    let folded = format!("{} {} i32.const 7", "(block ".repeat(DEPTH), ")".repeat(DEPTH));
    let deepest = format!(
        "i64.const 5 {} ;;INSPECT\n i32.const 9 drop {} drop i32.const 7",
        "block ".repeat(DEPTH),
        "end ".repeat(DEPTH)
    );
    for code in [flat, folded, deepest] {
        let module = run(&format!(r#"(func (export "run") (result i32) {code})"#));
        let told = inspect(&module);
        assert_eq!((&told["confirmed"], &told["return_values"][0]["value"]), (&true.into(), &"7".into()), "{told}");
        let (code, out, err) = said(&given(&["explain"], module.as_bytes()));
        assert!(code == Some(0) && out.lines().all(|line| line.len() < 300), "{err}");
        assert!(out.matches(" block").count() >= DEPTH, "each is shown, however deep");
    }
    // Operands that are folded nest too, and so do parentheses that mean nothing.
    let sum = format!("{}(i32.const 1){}", "(i32.add (i32.const 1) ".repeat(DEPTH), ")".repeat(DEPTH));
    let told = inspect(&run(&format!(r#"(func (export "run") (result i32) {sum})"#)));
    assert_eq!((&told["confirmed"], &told["return_values"][0]["value"]), (&true.into(), &"33001".into()));
    for junk in ["(".repeat(100_000), "(module (func".to_owned() + &" (if".repeat(100_000), "(;".repeat(100_000)] {
        let (code, _, err) = said(&given(&["inspect"], junk.as_bytes()));
        assert!(code == Some(2) && err.lines().count() == 1, "{err}");
    }
}

#[test]
fn many_locals_and_operands_are_confirmed_or_told_of() {
    let locals = format!(
        r#"(func (export "run") (result i32) (local{}) i32.const 3 ;;INSPECT
        )"#,
        " i32".repeat(50_000)
    );
    let told = inspect(&run(&locals));
    assert_eq!((&told["confirmed"], &told["stack_values"][0]["value"]), (&true.into(), &"3".into()));
    let operands = format!(
        r#"(func (export "run") {} ;;INSPECT
        {})"#,
        "i32.const 1 ".repeat(50_001),
        "drop ".repeat(50_001)
    );
    let told = inspect(&run(&operands));
    assert_eq!((&told["confirmed"], told["stack_values"].as_array().map(Vec::len)), (&true.into(), Some(50_001)));
    // Under a block operands are kept in locals, and there are no more of those.
    let both = format!(
        r#"(func (export "run") (local{}) i64.const 3 block ;;INSPECT
        end drop)"#,
        " i32".repeat(50_000)
    );
    let (code, out, err) = said(&given(&["inspect"], run(&both).as_bytes()));
    assert!(code == Some(1) && out.contains("INSPECT at line 1, hit 1: i64(3)"), "{out}");
    assert!(err.contains("not confirmed, since wasmtime cannot run it") && err.contains("too many locals"), "{err}");
}

/// What is out of bounds is so whatever it would have cost.
#[test]
fn bounds_come_before_fuel() {
    let memory = "out of bounds memory access";
    let table = "out of bounds table access";
    let cases = [
        ("(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))", memory),
        ("(memory.copy (i32.const 0) (i32.const 1) (i32.const -1))", memory),
        ("(memory.init 0 (i32.const 0) (i32.const 0) (i32.const -1))", memory),
        ("(table.fill 0 (i32.const 0) (ref.null extern) (i32.const -1))", table),
        ("(table.copy 0 0 (i32.const 0) (i32.const 0) (i32.const -1))", table),
        ("(table.init 0 0 (i32.const 0) (i32.const 0) (i32.const -1))", table),
    ];
    for (code, message) in cases {
        let module = format!(
            r#"(memory 1) (data "abc") (table 3 externref) (elem externref (ref.null extern))
            (func (export "run") {code})"#
        );
        let told = inspect(&run(&module));
        assert_eq!((&told["trap"]["message"], &told["confirmed"]), (&message.into(), &true.into()), "{code}: {told}");
    }
    let told = inspect(&run(r#"(table 0 externref) (func (export "run") (result i32)
        (drop (table.grow (ref.null extern) (i32.const -1))) (table.grow (ref.null extern) (i32.const -1)))"#));
    assert_eq!((&told["return_values"][0]["value"], &told["confirmed"]), (&"-1".into(), &true.into()), "{told}");
    assert_eq!(told["fuel"], 1 + 2 * (3 + u64::from(u32::MAX)), "wasmtime's");
    // Where the limit ends a run, wasmtime may come to a trap behind it.
    let behind = r#"(func (export "run") (drop (i32.const 1)) unreachable)"#;
    let (code, out, err) = said(&given(&["inspect", "--fuel", "1"], run(behind).as_bytes()));
    assert!(
        code == Some(1) && out.ends_with("\nconfirmed by wasmtime\n") && err.contains("all fuel consumed"),
        "{out}{err}"
    );
}

#[test]
fn made_up_names_are_nobody_elses() {
    let told = inspect(&run(r#"(elem declare func 0 1 2 3) (func $f1) (func) (func $f1_) (func (@name "f1_"))
        (func (export "run") (result funcref funcref funcref funcref) ref.func 0 ref.func 1 ref.func 2 ref.func 3)"#));
    let names: Vec<&str> =
        told["return_values"].as_array().expect("it returns").iter().filter_map(|v| v["value"].as_str()).collect();
    assert_eq!(names, ["$f1", "$f1_", "$f2", "$f3"]);
}

#[test]
fn what_a_terminal_would_carry_out_is_escaped() {
    let evil = r"\1b[31m\0aevil\c2\9b";
    let module = run(&format!(
        r#"(import "{evil}" "{evil}" (func $"i{evil}")) (@custom "{evil}" "x")
        (func $"{evil}" (export "{evil}") (param i32) (result funcref) (drop (i32.div_s (local.get 0) (local.get 0))) call $"i{evil}" unreachable)
        (func (export "run") (result funcref) ref.func $"{evil}") (elem declare func $"{evil}")"#
    ));
    let name = "\u{1b}[31m\nevil\u{9b}";
    let wrong = run(&format!(r#"(func (export "{evil}")) (func (export "{evil}"))"#));
    let unknown = run(&format!(r#"(func call $"{evil}")"#));
    let flag = run("(func (export \"run\")\n;;FLAG_\u{1b}[31m\n)");
    let cases: [(&[&str], &str); 9] = [
        (&["explain"], &module),
        (&["inspect"], &module),
        (&["inspect", "--invoke", name], &module),
        (&["inspect", "--invoke", name, "--args", "1"], &module),
        (&["inspect", "--invoke", "none"], &module),
        (&["inspect", "--strict"], &module),
        (&["inspect"], &wrong),
        (&["inspect"], &unknown),
        (&["inspect"], &flag),
    ];
    for (words, module) in cases {
        let (_, out, err) = said(&given(words, module.as_bytes()));
        let all = out + &err;
        assert!(all.contains(r"\1b[31m") && !all.contains("\u{1b}") && !all.contains("\u{9b}"), "{words:?}: {all:?}");
        assert!(!all.contains("\nevil"), "{words:?}: {all:?}");
    }
}

/// The bits of a NaN are the only thing here that two machines may have differently.
#[test]
fn what_the_specification_leaves_open_is_told() {
    let open = |code: &str| inspect(&run(&format!(r#"(memory 1) (func (export "run") {code})"#)));
    let told =
        open("(result i64)\n i64.const -9412783 f64.reinterpret_i64\n f64.const 2\n f64.mul\n i64.reinterpret_f64");
    assert_eq!(told["return_values"][0]["value"], "9221120237041090560", "the canonical NaN");
    let place = serde_json::json!({"function": "$f0", "pc": 3, "instruction": "f64.mul", "line": 4});
    assert_eq!((&told["nondeterministic"], &told["confirmed"]), (&place, &true.into()));
    let nan = "(f32.div (f32.const 0) (f32.const 0))";
    for (code, culprit) in [
        (format!("(result i32) (i32.reinterpret_f32 {nan})"), "f32.div"),
        (format!("(result i32) (i32.lt_s (i32.reinterpret_f32 {nan}) (i32.const 0))"), "f32.div"),
        (format!("(result f32) (f32.copysign (f32.const 1) (f32.neg {nan}))"), "f32.div"),
        (
            format!("(result i32) (f64.store (i32.const 3) (f64.promote_f32 {nan})) (i32.load8_u (i32.const 10))"),
            "f64.promote_f32",
        ),
        (
            "(result v128) (f32x4.add (f32x4.splat (f32.const inf)) (f32x4.splat (f32.const -inf)))".to_owned(),
            "f32x4.add",
        ),
        (format!("(if (i32.lt_s (i32.reinterpret_f32 {nan}) (i32.const 0)) (then unreachable))"), "f32.div"),
        // Flipped both, the signs would cancel each other out.
        (format!("(result i32) (i32.xor (i32.reinterpret_f32 {nan}) (i32.reinterpret_f32 {nan}))"), "f32.div"),
    ] {
        assert_eq!(open(&code)["nondeterministic"]["instruction"], culprit, "{code}");
    }
    for fixed in [
        format!("(result f32) {nan}"),
        format!("(result i32) (f32.eq {nan} (f32.const 0))"),
        format!("(result i32) (i32.and (i32.const 0x7fffffff) (i32.reinterpret_f32 {nan}))"),
        "(result i64) (i64.reinterpret_f64 (f64.neg (f64.const nan:0x123)))".into(),
        "(result i64) (i64.reinterpret_f64 (f64.mul (f64.const 3) (f64.const 2)))".into(),
        format!("(result i32) (i32.trunc_sat_f32_s {nan})"),
        format!("(drop (i32.reinterpret_f32 {nan}))"),
    ] {
        assert_eq!(open(&fixed)["nondeterministic"], serde_json::Value::Null, "{fixed}");
    }
    let text = run(&format!(r#"(func (export "run") (result i32) (i32.reinterpret_f32 {nan}))"#));
    let (code, out, _) = said(&given(&["inspect"], text.as_bytes()));
    // The sentence is folded to the width of the terminal.
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        code == Some(0) && out.contains("nondeterministic: ") && out.contains("line 1, instruction 2 of $f0"),
        "{out}"
    );
}

#[test]
fn lines_end_as_any_system_ends_them() {
    let text =
        "(module\n (func (export \"run\") (result i32)\n  i32.const 1\n  ;;INSPECT\n  i32.const 0\n  i32.div_s))\n";
    let wrong = "(module\n (func\n  i32.cnst 5))";
    for end in ["\n", "\r\n", "\r"] {
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{}", text.replace('\n', end));
            let (code, out, err) = said(&given(&["inspect"], text.as_bytes()));
            assert!(code == Some(1) && out.contains("INSPECT at line 4, hit 1: i32(1)"), "{end:?}{mark}: {out}{err}");
            assert!(err.starts_with("error: <stdin>:6: integer divide by zero"), "{end:?}: {err}");
            let wrong = format!("{mark}{}", wrong.replace('\n', end));
            let (code, _, err) = said(&given(&["explain"], wrong.as_bytes()));
            assert!(code == Some(2) && err.starts_with("error: <stdin>:3:3: "), "{end:?}: {err}");
        }
    }
    let folder = folder("line-ends");
    std::fs::create_dir(folder.join("modules")).expect("the folder is ours");
    std::fs::write(folder.join("modules/a.wat"), format!("\u{feff}{text}")).expect("the folder is ours");
    let (code, _, err) = said(&harness(&folder, &["corpus", "build", "modules", "--out", "a.json"]));
    assert!(code == Some(0) && !err.contains("left out"), "{err}");
}

/// Of a module of some megabytes only what runs is compiled; what wasmtime would call beyond that is no agreement.
#[test]
fn what_does_not_run_costs_nothing() {
    const MANY: usize = 30_000;
    let mut text = String::from("(module (table funcref (elem $last $f0 $f1 $f7))\n");
    let filler = "i32.const 5 drop ".repeat(100);
    for number in 0..MANY {
        writeln!(text, "(func $f{number} (result i32) {filler} call $f{})", (number + 1) % MANY).expect("a string");
    }
    text.push_str("(func $last (result i32) i32.const 9)\n");
    text.push_str(
        "(func (export \"run\") (result i32 funcref) (call_indirect (result i32) (i32.const 0)) ref.func $f7))",
    );
    let told = inspect(&text);
    assert_eq!((&told["confirmed"], &told["fuel"]), (&true.into(), &6.into()), "{told}");
    assert_eq!(told["return_values"][1]["value"], "$f7");
}
