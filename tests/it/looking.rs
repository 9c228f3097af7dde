//! The verbs that only look: `inspect`, `explain`, `schema`.

use super::command_line::{folder, harness, json};
use std::path::Path;
use std::process::Output;

const PROGRAM: &str = r#"(module
  (import "env" "memory" (memory 1))
  (func $double (param i32) (result i32)
    local.get 0
    ;;INSPECT
    i32.const 2
    i32.mul)
  (func (export "run") (result i32)
    i32.const 21
    call $double
    drop
    ;; FLAG_0
    i32.const 300)
  (func (export "fail") (result i32)
    i32.const 1
    i32.const 0
    ;;FLAG_1
    i32.div_s))
"#;

fn files(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    let write = |file: &str, content: &[u8]| std::fs::write(folder.join(file), content).expect("the folder is ours");
    write("a.wat", PROGRAM.as_bytes());
    write("a.wasm", &wat::parse_str(PROGRAM).expect("it is a module"));
    write("syntax.wat", b"(module\n  (func\n    i32.cnst 5))");
    write("types.wat", b"(module\n  (func (export \"run\")\n    i32.const 5))");
    write("gc.wat", b"(module (type (struct)) (func (export \"run\")))");
    write("junk", &[0xff, 0xfe, 0x00]);
    write("cut.wasm", b"\0asm\x01\0\0\0\x01\x05");
    folder
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn run(folder: &Path, args: &str) -> (Option<i32>, String, String) {
    said(&harness(folder, &args.split(' ').collect::<Vec<_>>()))
}

#[test]
fn inspect_answers_and_says_where_it_ends() {
    let folder = files("inspect");
    let figures = json(&harness(&folder, &["inspect", "a.wat", "--json"]));
    let keys: Vec<&str> = figures.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["stack_values", "flag_states", "return_values", "fuel", "confirmed"]);
    assert_eq!(figures["stack_values"], serde_json::json!([{"type": "i32", "value": "21"}]));
    assert_eq!(figures["flag_states"], serde_json::json!({"FLAG_0": true, "FLAG_1": false}));
    let (code, out, err) = run(&folder, "inspect a.wat");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("INSPECT at line 5, hit 1: i32(21)") && out.ends_with("confirmed by wasmtime\n"), "{out}");

    let (code, out, err) = run(&folder, "inspect a.wat --invoke fail");
    assert_eq!(
        (code, err.as_str()),
        (Some(1), "error: a.wat:18: integer divide by zero at `i32.div_s`, instruction 2 of $f2\n")
    );
    assert!(out.contains("INSPECT at line 5, hit 1: not reached") && out.contains("FLAG_1: true"), "{out}");
    let (code, _, err) = run(&folder, "inspect a.wasm --invoke fail");
    assert!(code == Some(1) && err.contains("instruction 2 of $f2, offset 0x"), "{err}");
    let (code, _, err) = run(&folder, "inspect a.wat --fuel 2");
    assert!(code == Some(1) && err.contains("a.wat:10: all fuel consumed"), "{err}");
}

#[test]
fn explain_shows_every_byte_and_what_it_did() {
    let folder = files("explain");
    let (code, out, _) = run(&folder, "explain a.wasm");
    assert_eq!(code, Some(0));
    for line in ["section 10 code", "(ac 02 = 300)", "[i32(21) i32(2)] -> [i32(42)]", "dead", "fuel 8; "] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let dump = json(&harness(&folder, &["explain", "a.wat", "--invoke", "fail", "--json"]));
    assert_eq!(dump["run"]["trap"], "integer divide by zero");
    assert_eq!(dump["size"], std::fs::metadata(folder.join("a.wasm")).expect("written").len());
}

#[test]
fn schema_says_all_the_table_says() {
    let folder = files("schema");
    let table = json(&harness(&folder, &["schema", "--json"]));
    let rows = table["instructions"].as_array().expect("a list");
    assert!(rows.len() > 430, "{}", rows.len());
    let row = rows.iter().find(|row| row["name"] == "call_indirect").expect("a row");
    assert_eq!(row["opcode"], serde_json::json!(["0x11"]));
    assert_eq!(row["signature"]["text"], "[t1* i32] -> [t2*]");
    assert_eq!(table["not_covered"][0]["proposal"], "exceptions");
    let sections = json(&harness(&folder, &["schema", "--sections", "--json"]));
    assert_eq!(sections["sections"].as_array().map(Vec::len), Some(13));
    let (code, out, _) = run(&folder, "schema table.fill");
    assert!(code == Some(0) && out.contains("and 1 for each element") && out.contains("[i32 t i32] -> []"), "{out}");
    assert!(run(&folder, "schema").1.lines().filter(|line| line.contains("v128")).count() > 200);
}

#[test]
fn mistakes_are_told_in_one_line() {
    let folder = files("looking-mistakes");
    let cases = [
        ("inspect nowhere.wat", "nowhere.wat"),
        ("inspect syntax.wat", "syntax.wat:3:5: "),
        ("inspect types.wat", "types.wat:3:5: type mismatch"),
        ("inspect gc.wat", "gc.wat"),
        ("inspect junk", "junk is neither"),
        ("inspect cut.wasm", "cut.wasm: unexpected end"),
        ("inspect a.wat --strict", "`env.memory`"),
        ("inspect a.wat --invoke main", "run, fail"),
        ("inspect a.wat --args 1", "one too many"),
        ("explain syntax.wat", "syntax.wat:3:5: "),
        ("explain a.wat --invoke main", "run, fail"),
        ("schema i32.ad", "`i32.add`"),
    ];
    for (args, says) in cases {
        let (code, out, err) = run(&folder, args);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args}: {err}");
        assert!(err.contains(says) && err.lines().count() == 1, "{args}: {err}");
    }
}
