use super::*;
use crate::wasm::isa::Op;
use crate::wasm::program::{Extern, Instr, SegmentMode};
use crate::wasm::types::ValType;

/// Where the marks of a text are: the comment, and the mnemonic of the instruction that follows.
fn marks(text: &str) -> Vec<(String, &'static str)> {
    let (program, marks) = parse_text(text, &["INSPECT", "FLAG_"]).expect("valid");
    let (plain, none) = parse_text(text, &[]).expect("valid");
    assert_eq!((&program, &none), (&plain, &vec![]), "taking the marks out restores the program");
    let next = |mark: Marked| (mark.comment, program.flatten(mark.func)[mark.pc as usize].instr.op.mnemonic());
    marks.into_iter().map(next).collect()
}

#[test]
fn comments_mark_the_next_instruction() {
    let text = r#"
        (module ;;INSPECT outside
          (import "a" "b" (func $f (param i32) ;;INSPECT in an import
          ))
          (func $g (import "a" "c") (param i32) ;;INSPECT in an inline import
          )
          (memory 1)
          (data (i32.const 0) ";;INSPECT in a string \" ;;INSPECT (")
          (; ;;INSPECT (; nested ;) in a block ;)
          (func (export "run") (param i32) ;;INSPECT in the head
            (result i32) (local i64)
            local.get 0 ;; INSPECT spaced
            ;;FLAG_1
            i32.const ;;FLAG_2 (inside an instruction)
              5
            drop
            if ;;FLAG_3
              nop
            else ;;FLAG_4
              (; block ;) ;;FLAG_5
            end
            ;;NOTHING
            (i32.add (i32.const 1) ;;FLAG_6
              (i32.eqz (i32.const 2)) ;;FLAG_7
            )
            drop
            (if (local.get 0) ;;FLAG_8
              (then nop ;;FLAG_9
              ) ;;FLAG_10
              (else unreachable ;;FLAG_11
              ) ;;FLAG_12
            ) ;;FLAG_13
            (block (result i32) ;;FLAG_14
              i32.const 9) ;;FLAG_15
            drop i32.const 1) ;;INSPECT behind it
        )"#;
    let found = marks(text);
    let comments: Vec<&str> = found.iter().map(|(comment, _)| comment.as_str()).collect();
    let next: Vec<&str> = found.iter().map(|(_, next)| *next).collect();
    assert_eq!(comments[0], "INSPECT in the head");
    assert_eq!(comments[1], "INSPECT spaced");
    let flags: Vec<u32> =
        comments[2..].iter().map(|c| c[5..].split(' ').next().and_then(|n| n.parse().ok()).expect("a flag")).collect();
    assert_eq!(flags, (1..=15).collect::<Vec<u32>>());
    let wanted = "local.get i32.const i32.const drop nop end end i32.const i32.add if else unreachable end block block \
                  i32.const drop";
    assert_eq!(next.join(" "), wanted);
}

#[test]
fn unfinished_comments_and_strings_end_with_the_text() {
    for text in ["(module (func (;", "(module \"", "(module (func) ;;INSPECT", "(func \"\\"] {
        let tokens_cover = parse_text(text, &["INSPECT"]);
        assert!(tokens_cover.is_err(), "{text}");
    }
}

#[test]
fn errors_are_told_of_the_text_as_given() {
    let text = "(module (func nop ;;INSPECT\n  i32.const) (func ;;INSPECT\n bogus))";
    let with = parse_text(text, &["INSPECT"]).expect_err("not valid").to_string();
    assert_eq!(with, parse_text(text, &[]).expect_err("not valid").to_string());
    assert!(!with.contains("drop"), "{with}");
}

#[test]
fn sections_become_the_program() {
    let text = r#"(module $m
        (type $t (func (param i32) (result i32 v128)))
        (import "env" "f" (func $imported (type $t)))
        (import "env" "g" (global $given funcref))
        (import "env" "v" (global v128))
        (import "env" "t" (table 1 7 externref))
        (import "env" "m" (memory 2 3))
        (table $own 5 funcref)
        (global $here (mut funcref) (ref.func $named))
        (global (export "copy") funcref (global.get $given))
        (global v128 (v128.const i64x2 1 2))
        (elem (table $own) (i32.const 1) func $imported $named)
        (elem externref (ref.null extern))
        (elem declare func $named)
        (elem funcref (item global.get $given) (item ref.func $named))
        (data (i32.const 4) "ab")
        (data "c\00")
        (start $named)
        (func $named (local i32 i32 f64)
            (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 1))
            (table.init $own 3 (i32.const 0) (i32.const 0) (i32.const 1))
            (drop (select (result funcref) (ref.null func) (ref.func $named) (i32.const 1)))
            (return_call_indirect $own (param) (i32.const 2))))"#;
    let (program, _) = parse_text(text, &[]).expect("valid");
    assert_eq!(program.types[0].results, [ValType::I32, ValType::V128]);
    assert_eq!(program.imported_funcs(), 1);
    assert_eq!(program.names, [(0, "imported".to_string()), (1, "named".to_string())]);
    assert_eq!(program.start, Some(1));
    let globals: Vec<(Op, u32)> = program.globals.iter().map(|global| (global.init.op, global.init.a)).collect();
    let wanted = [
        (Op::RefNull, ValType::FuncRef.index() as u32),
        (Op::V128Const, 0),
        (Op::RefFunc, 1),
        (Op::GlobalGet, 0),
        (Op::V128Const, 1),
    ];
    assert_eq!(globals, wanted);
    assert_eq!(program.vectors[..2], [0, 1 | 2 << 64]);
    assert_eq!((program.tables[0].ty, program.tables[0].min, program.tables[0].max), (ValType::ExternRef, 1, Some(7)));
    assert_eq!((program.tables[1].ty, program.tables[1].min, program.tables[1].max), (ValType::FuncRef, 5, None));
    assert!(program.tables[0].import.is_some() && program.tables[1].import.is_none());
    let memory = program.memory.as_ref().expect("imported");
    assert_eq!((memory.min, memory.max), (2, Some(3)));
    assert_eq!(memory.import.as_ref().map(|import| (&*import.module, &*import.name)), Some(("env", "m")));
    assert_eq!((program.exports[0].kind, program.exports[0].index), (Extern::Global, 3));
    let offset = |bits| Instr::constant(ValType::I32, bits);
    assert_eq!(program.elems[0].mode, SegmentMode::Active { target: 1, offset: offset(1) });
    assert_eq!(program.elems[0].items, [Instr::index(Op::RefFunc, 0), Instr::index(Op::RefFunc, 1)]);
    assert_eq!((program.elems[1].ty, &program.elems[1].mode), (ValType::ExternRef, &SegmentMode::Passive));
    assert_eq!(program.elems[2].mode, SegmentMode::Declared);
    assert_eq!(program.elems[3].items, [Instr::index(Op::GlobalGet, 0), Instr::index(Op::RefFunc, 1)]);
    assert_eq!(program.datas[0].mode, SegmentMode::Active { target: 0, offset: offset(4) });
    assert_eq!((&program.datas[1].bytes[..], &program.datas[1].mode), (&b"c\0"[..], &SegmentMode::Passive));
    let code: Vec<Instr> = program.flatten(1).iter().map(|flat| flat.instr).collect();
    assert!(code.contains(&Instr::index(Op::MemoryInit, 1)));
    assert!(code.contains(&Instr::indices(Op::TableInit, 3, 1)));
    assert!(code.contains(&Instr::index(Op::TypedSelect, ValType::FuncRef.index() as u32)));
    assert!(code.contains(&Instr::indices(Op::ReturnCallIndirect, 1, 1)));
    assert!(program.flatten(0).is_empty(), "an imported function has no code");
}

#[test]
fn what_is_outside_of_the_language_is_refused() {
    let refused = |text: &str| parse_text(text, &[]).expect_err(text).to_string();
    assert!(refused("(module (memory 1) (memory 1))").contains("multi"));
    refused("(module (memory i64 1))");
    refused("(module (tag))");
    refused("(module (func (param (ref func))))");
    refused("(module (func (drop (i32.add (i32.const 1)))))");
}

#[test]
fn deep_nesting_is_read_and_flattened() {
    const DEPTH: usize = 100_000;
    let mut code = [0x02, 0x40].repeat(DEPTH);
    code.extend([0x0b].repeat(DEPTH + 1));
    let mut module = wasm_encoder::Module::new();
    let mut types = wasm_encoder::TypeSection::new();
    types.ty().function([], []);
    let mut functions = wasm_encoder::FunctionSection::new();
    functions.function(0);
    let mut bodies = wasm_encoder::CodeSection::new();
    let mut body = wasm_encoder::Function::new([]);
    body.raw(code);
    bodies.function(&body);
    module.section(&types).section(&functions).section(&bodies);
    let program = parse_binary(&module.finish()).expect("valid");
    let flat = program.flatten(0);
    assert_eq!(flat.len(), 2 * DEPTH + 1);
    assert_eq!((flat[DEPTH].depth, flat[DEPTH].instr.op), (DEPTH as u32 - 1, Op::End));
    assert_eq!((flat[2 * DEPTH].depth, flat[2 * DEPTH].instr.op), (0, Op::End));
}
