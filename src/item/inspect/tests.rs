use super::*;

fn wish() -> Wish {
    Wish { invoke: "run".into(), args: vec![], hit: None, fuel: 100_000, strict: false }
}

fn answer(text: &str, wish: &Wish) -> serde_json::Value {
    let report = inspect(Source::Text(text), wish).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
    serde_json::to_value(report).expect("plain data")
}

/// The example of the original's authors, and the object that scripts read.
#[test]
fn the_object_is_what_is_promised() {
    let text = r#"(module (func (export "run") (result i64)
        i32.const 2
        i32.const 3
        i32.add
        i32.const 2
        i32.mul
        f32.const 1.5
        ;;INSPECT
        f32.const 2.5
        f32.add
        drop
        ;; FLAG_0
        drop
        i64.const -1
        return
        ;;FLAG_1
        ))"#;
    let report = inspect(Source::Text(text), &wish()).expect("an answer");
    assert_eq!(
        serde_json::to_string(&report).expect("plain data"),
        concat!(
            r#"{"stack_values":[{"type":"i32","value":"10"},{"type":"f32","value":"1.5"}],"#,
            r#""flag_states":{"FLAG_0":true,"FLAG_1":false},"#,
            r#""return_values":[{"type":"i64","value":"-1"}],"fuel":10,"confirmed":true}"#
        )
    );
}

const SEVERAL: &str = r#"(module
    (func $down (param i32) (result i32)
        ;;INSPECTOR is another word
        local.get 0 ;;INSPECT hit 2
        i32.eqz
        if
            i32.const 9
            return
        end
        local.get 0
        i32.const 1 ;;INSPECT
        i32.sub
        call $down
        ;;FLAG_0
        )
    (func (export "run") (param i32 funcref) (result i32 funcref)
        local.get 0
        if
            ;;FLAG_1
            nop
        else
            ;;FLAG_2
            nop
        end
        local.get 0
        call $down
        ref.func $down
        ;;INSPECT behind everything
        )
    (elem declare func $down))"#;

#[test]
fn each_inspection_is_told() {
    let told = answer(SEVERAL, &Wish { args: vec!["2".into()], ..wish() });
    let inspections = &told["inspections"];
    assert_eq!(
        inspections[0],
        serde_json::json!({"line": 4, "hit": 2, "hits": 3, "stack_values": [{"type": "i32", "value": "1"}]})
    );
    assert_eq!(
        inspections[1]["stack_values"],
        serde_json::json!([{"type": "i32", "value": "2"}, {"type": "i32", "value": "1"}])
    );
    assert_eq!(inspections[2]["stack_values"][1], serde_json::json!({"type": "funcref", "value": "$down"}));
    assert_eq!(inspections.as_array().map(Vec::len), Some(3));
    assert_eq!(told["stack_values"], inspections[0]["stack_values"], "that of the first in the text");
    assert_eq!(told["flag_states"], serde_json::json!({"FLAG_0": true, "FLAG_1": true, "FLAG_2": false}));
    assert_eq!(told["confirmed"], true);
    // Another arrival for all, and one that does not come.
    let told = answer(SEVERAL, &Wish { args: vec!["2".into()], hit: Some(3), ..wish() });
    assert_eq!(told["inspections"][0]["stack_values"][0]["value"], "0");
    assert_eq!(told["inspections"][1]["stack_values"], serde_json::Value::Null);
    assert_eq!(told["inspections"][2]["hits"], 1);
}

#[test]
fn traps_keep_what_was_seen_before() {
    let text =
        "(module (memory 1) (func (export \"run\") (result i32)\n i32.const 70000 ;;FLAG_0\n;;INSPECT\n i32.load))";
    let told = answer(text, &wish());
    assert_eq!(told["stack_values"][0]["value"], "70000");
    assert_eq!((&told["flag_states"]["FLAG_0"], &told["return_values"]), (&true.into(), &serde_json::Value::Null));
    let at = serde_json::json!({"function": "$f0", "pc": 1, "instruction": "i32.load", "line": 4});
    assert_eq!(told["trap"], serde_json::json!({"message": "out of bounds memory access", "at": at}));
    assert_eq!((&told["confirmed"], &told["fuel"]), (&true.into(), &3.into()));
    // Fuel is a trap too; the binary has offsets in the place of lines.
    let bytes = parse::assemble("(module (func (export \"run\") (loop (br 0))))").expect("valid");
    let report = inspect(Source::Binary(&bytes), &wish()).expect("an answer");
    let trap = report.trap.expect("it never ends");
    let spot = trap.at.expect("somewhere");
    assert_eq!((trap.message.as_str(), spot.instruction.as_str()), ("all fuel consumed by WebAssembly", "br 0"));
    assert_eq!((spot.line, spot.offset.map(|at| bytes[at as usize])), (None, Some(0x0c)));
    assert!(report.confirmed && report.fuel > 100_000);
    // A segment stands nowhere in the code.
    let text = r#"(module (memory 1) (data (i32.const 65535) "ab") (func (export "run")))"#;
    assert_eq!(answer(text, &wish())["trap"]["at"], serde_json::Value::Null);
}

#[test]
fn arguments_are_read_by_their_types() {
    let text = r#"(module (func (export "run") (param i32 i64 f32 v128 externref) (result i32 i64 f32 v128 externref)
        local.get 0 local.get 1 local.get 2 local.get 3 local.get 4))"#;
    let run = |args: &[&str]| {
        let wish = Wish { args: args.iter().map(ToString::to_string).collect(), ..wish() };
        inspect(Source::Text(text), &wish).map(|report| {
            assert!(report.confirmed, "{report:?}");
            let values = report.return_values.expect("it ends");
            values.into_iter().map(|told| told.value).collect::<Vec<_>>().join(",")
        })
    };
    assert_eq!(run(&[]).expect("zeros"), "0,0,0.0,0 0 0 0,Null");
    let given = ["4294967295", "-5", "-inf", "1 2 3 -4", "Null"];
    assert_eq!(run(&given).expect("they fit"), "-1,-5,-inf,1 2 3 -4,Null");
    for (args, message) in [
        (["1.5"].as_slice(), "argument 1 of `run` is no i32: `1.5`"),
        (&["1", "2", "3", "1 2 3 4", "$x7"], "argument 5 of `run` is no externref: `$x7`"),
        (&["1", "2", "3", "1 2 3 4", "Null", "6"], "argument 6 of `run` is one too many: `6`"),
    ] {
        assert_eq!(run(args).expect_err(message).to_string(), message);
    }
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let imports = r#"(module (import "env" "memory" (memory 1)) (import "env" "f" (func (result i32)))
        (func (export "main") (result i32) (i32.store (i32.const 0) (i32.const 1)) call 0))"#;
    let refusal = |text: &str, wish: &Wish| inspect(Source::Text(text), wish).expect_err("no answer").to_string();
    assert_eq!(refusal(imports, &wish()), "the module exports no function `run`; name one with --invoke: main");
    let main = Wish { invoke: "main".into(), ..wish() };
    assert_eq!(answer(imports, &main)["return_values"][0]["value"], "0", "zeros stand in");
    let strict = refusal(imports, &Wish { strict: true, ..main });
    assert_eq!(strict, "the module imports `env.f`, `env.memory`; without --strict zeros stand in for them");
    assert_eq!(
        refusal("(module\n (func (export \"run\")\n  i32.const 1))", &wish()),
        "line 3, column 3: type mismatch: values remaining on stack at end of block"
    );
    assert_eq!(refusal("(module\n (fun))", &wish()), "line 2, column 3: expected valid module field");
}
