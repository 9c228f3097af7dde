use super::*;
use crate::wasm::encode::encode;
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

/// Function types without and with room for a list: text, read by somebody else, must have the bytes that we write.
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
