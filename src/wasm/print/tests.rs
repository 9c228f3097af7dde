use super::*;
use crate::wasm::encode::encode;
use crate::wasm::parse::parse_text;
use crate::wasm::program::{BlockType, Func, Seq};
use crate::wasm::types::{FuncType, ValType};
use ValType::{ExternRef, F64, FuncRef, I32, I64, V128};

fn import(module: &str, name: &str) -> Option<Box<Import>> {
    Some(Box::new(Import { module: module.into(), name: name.into() }))
}

fn ty(params: &[ValType], results: &[ValType]) -> FuncType {
    FuncType { params: params.into(), results: results.into() }
}

fn index(op: Op, index: u32) -> Instr {
    Instr::index(op, index)
}

fn number(value: u32) -> Instr {
    Instr::constant(I32, value.into())
}

/// A program that has one of everything, in every form that a section knows.
fn everything() -> Program {
    let imported = |ty, from| Func { ty, locals: vec![], body: 0, import: from };
    let defined = |ty, locals, body| Func { ty, locals, body, import: None };
    let null = |ty: ValType| Instr::constant(ty, 0);
    let code = |code| Seq { code, open: false };
    let active = |target, offset| SegmentMode::Active { target, offset };
    Program {
        // The first and the third are equal, so that numbers count.
        types: vec![ty(&[], &[]), ty(&[I32, I64], &[F64, I32]), ty(&[], &[]), ty(&[V128], &[ExternRef])],
        funcs: vec![
            imported(1, import("env", "f")),
            imported(2, import("a \"b\"\n", "π\u{202e}")),
            defined(0, vec![I32, I32, FuncRef], 0),
            defined(2, vec![], 3),
            defined(1, vec![V128], 1),
        ],
        tables: vec![
            Table { ty: FuncRef, min: 1, max: None, import: import("env", "t") },
            Table { ty: ExternRef, min: 0, max: Some(7), import: None },
            Table { ty: FuncRef, min: 5, max: None, import: None },
        ],
        memory: Some(Memory { min: 1, max: Some(3), import: import("env", "m") }),
        globals: vec![
            Global { ty: I32, mutable: false, init: number(0), import: import("env", "g") },
            Global { ty: I64, mutable: true, init: Instr::constant(I64, 1 << 63), import: None },
            Global { ty: I32, mutable: false, init: index(Op::GlobalGet, 0), import: None },
            Global { ty: FuncRef, mutable: true, init: index(Op::RefFunc, 2), import: None },
            Global { ty: V128, mutable: false, init: index(Op::V128Const, 0), import: None },
            Global { ty: ExternRef, mutable: false, init: null(ExternRef), import: None },
        ],
        exports: vec![
            Export { name: "z \"\\\u{0}".into(), kind: Extern::Func, index: 3 },
            Export { name: "run".into(), kind: Extern::Func, index: 2 },
            Export { name: "m".into(), kind: Extern::Memory, index: 0 },
            Export { name: "t".into(), kind: Extern::Table, index: 2 },
            Export { name: "".into(), kind: Extern::Global, index: 1 },
        ],
        start: Some(3),
        elems: vec![
            Elem { ty: FuncRef, items: vec![index(Op::RefFunc, 2), index(Op::RefFunc, 0)], mode: active(0, number(0)) },
            Elem { ty: FuncRef, items: vec![index(Op::RefFunc, 2)], mode: active(2, index(Op::GlobalGet, 0)) },
            Elem { ty: FuncRef, items: vec![index(Op::RefFunc, 2), null(FuncRef)], mode: active(0, number(0)) },
            Elem { ty: ExternRef, items: vec![null(ExternRef)], mode: active(1, number(0)) },
            Elem { ty: FuncRef, items: vec![index(Op::RefFunc, 4)], mode: SegmentMode::Declared },
            Elem { ty: FuncRef, items: vec![null(FuncRef)], mode: SegmentMode::Passive },
            Elem { ty: ExternRef, items: vec![], mode: SegmentMode::Passive },
            Elem { ty: FuncRef, items: vec![], mode: SegmentMode::Passive },
        ],
        datas: vec![
            Data { bytes: b"a\"\\\x00\xff\n".to_vec(), mode: active(0, number(8)) },
            Data { bytes: vec![], mode: SegmentMode::Passive },
        ],
        names: vec![
            (0, "imported".into()),
            (1, "twice".into()),
            (2, "a b\u{e9}".into()),
            (3, "go".into()),
            (4, "twice".into()),
        ],
        label_tables: vec![vec![0, 1, 0], vec![0]],
        vectors: vec![0xffff_ffff_0000_0002_8000_0000_0000_0001, 0x1f1e_1d1c_1b1a_1918_0706_0504_0302_0100],
        seqs: vec![
            code(vec![
                index(Op::Call, 3),
                number(0),
                Instr::indices(Op::CallIndirect, 2, 2),
                Instr::structured(Op::Block, BlockType::Func(2), 2, None),
                number(1),
                Instr::constant(I64, 5),
                Instr::structured(Op::Loop, BlockType::Func(1), 4, None),
                number(0),
                Instr::structured(Op::If, BlockType::Empty, 2, Some(5)),
                Instr::plain(Op::Drop),
                Instr::plain(Op::Drop),
                index(Op::RefFunc, 4),
                null(FuncRef),
                number(0),
                index(Op::TypedSelect, FuncRef.index() as u32),
                index(Op::LocalSet, 2),
                number(0),
                number(0),
                number(0),
                Instr::indices(Op::TableCopy, 2, 0),
                number(0),
                number(0),
                number(0),
                Instr::indices(Op::TableInit, 5, 2),
                index(Op::ElemDrop, 6),
                number(0),
                number(0),
                number(0),
                index(Op::MemoryInit, 1),
                index(Op::DataDrop, 1),
                number(0),
                number(0),
                number(0),
                Instr::plain(Op::MemoryCopy),
                number(0),
                number(0),
                number(0),
                Instr::plain(Op::MemoryFill),
                number(0),
                Instr::memory(Op::I64Load16U, 0, 70_000),
                Instr::plain(Op::Drop),
                index(Op::ReturnCall, 3),
            ]),
            code(vec![Instr::structured(Op::Block, BlockType::Empty, 6, None), Instr::plain(Op::Unreachable)]),
            code(vec![]),
            code(vec![]),
            code(vec![
                Instr::plain(Op::Drop),
                Instr::plain(Op::Drop),
                Instr::constant(F64, f64::NAN.to_bits().into()),
                number(7),
            ]),
            code(vec![number(1), index(Op::BrTable, 0)]),
            code(vec![number(2), index(Op::BrTable, 1)]),
        ],
    }
}

/// Function types without and with room for a list: text, read by another reader, must have the bytes that we write.
#[test]
fn text_and_binary_are_the_same_module() {
    let everything = everything();
    let mut in_order = everything.clone();
    in_order.exports = vec![
        Export { name: "t".into(), kind: Extern::Table, index: 1 },
        Export { name: "u".into(), kind: Extern::Table, index: 1 },
        Export { name: "g".into(), kind: Extern::Global, index: 1 },
        Export { name: "run".into(), kind: Extern::Func, index: 3 },
    ];
    in_order.names.clear();
    for program in [everything, in_order, Program::default()] {
        let text = print(&program, &[]);
        let bytes = encode(&program);
        wasmparser::Validator::new().validate_all(&bytes).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let read = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, bytes, "{text}");
    }
}

/// Written by hand, with everything that the text format has names and shorthands for.
#[test]
fn texts_of_others_read_back() {
    let texts = [
        r#"(module $m
            (type $binary (func (param i32 i32) (result i32)))
            (import "env" "f" (func $f (param i64)))
            (import "env" "memory" (memory 1 4))
            (table $t (export "table") funcref (elem $add $f))
            (global $g (export "g") (mut v128) (v128.const f32x4 1 nan -inf 0x1p-3))
            (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
            (func $id (export "id") (param $x f64) (param externref) (result f64) (local $y f32) local.get $x)
            (func $run (export "run") (export "again") (result i32)
                (block $out (result i32)
                    (loop $in
                        (br_if $in (i32.eqz (i32.const 1)))
                        (drop (br_table $out 2 (i32.const 4) (i32.const 7))))
                    unreachable)
                (if (param i32) (result i32 i32) (i32.const 0)
                    (then (i32.const 5)) (else drop (i32.const 1) (i32.const -1)))
                (call_indirect $t (type $binary) (i32.const 0))
                (select (result funcref) (ref.null func) (ref.func $add) (i32.const 0))
                drop)
            (data $d (i32.const 16) "caf\c3\a9 \22quoted\22" "\00\ff")
            (elem $passive externref (ref.null extern))
            (start $go)
            (func $go (memory.copy (i32.const 0) (i32.const 16) (i32.const 4))
                (v128.store offset=3 align=4 (i32.const 8)
                    (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31 (global.get $g) (global.get $g)))
                (drop (v128.load8_lane offset=1 3 (i32.const 9) (global.get $g)))))"#,
        r#"(module (func $"quoted name" (export "a\n\"b\"") nop) (func $tail return_call $"quoted name"))"#,
        "(module (func (block (type 1)) (drop (i64.const 1))) (type (func)) (type (func)) (type (func (param i32))))",
        "(module)",
    ];
    for text in texts {
        let (program, _) = parse_text(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let printed = print(&program, &[]);
        let (again, _) = parse_text(&printed, &[]).unwrap_or_else(|error| panic!("{error}\n{printed}"));
        assert_eq!(again, program, "{printed}");
        assert_eq!(print(&again, &[]), printed);
    }
}

/// What a reader sees of a small program: no list of types, no numbers where names say it better.
#[test]
fn small_programs_are_short() {
    let text = r#"(module
  (memory 1)
  (global (;0;) (mut i32) (i32.const -5))
  (func $pair (;0;) (param i32) (result i32 i64)
    local.get 0
    i64.const 1
  )
  (func (;1;) (export "run") (result i64)
    (local i32 f32)
    i32.const 3
    call $pair
    block (param i64) (result i64 i32)
      i32.const 0
      ;;INSPECT
    end
    local.set 0
    drop
    drop
    i64.const 2
  )
)
"#;
    let (program, marks) = parse_text(text, &["INSPECT"]).expect("valid");
    let note = Annotation { func: marks[0].func, pc: marks[0].pc, text: "INSPECT".into() };
    assert_eq!(print(&program, &[note]), text);
}
