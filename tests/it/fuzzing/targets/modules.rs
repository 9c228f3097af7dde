//! Owns the target of reading and writing: what is read of text or bytes is printed, encoded and told of, and reads back as it
//! was.

use super::{AtHand, rest, smith};
use arbitrary::Unstructured;
use std::collections::HashSet;
use wasmweaver::wasm::encode::encode;
use wasmweaver::wasm::explain::{explain, text};
use wasmweaver::wasm::isa::Op;
use wasmweaver::wasm::parse::{lines, offsets, parse_binary, parse_text};
use wasmweaver::wasm::print::{Names, print};
use wasmweaver::wasm::program::Program;

pub(super) fn modules(bytes: &mut Unstructured<'_>, at_hand: &mut AtHand) -> arbitrary::Result<bool> {
    let form: u8 = bytes.int_in_range(0..=3)?;
    if form < 2 {
        let text = if form == 0 { String::from_utf8_lossy(rest(bytes)?).into_owned() } else { pieces(bytes)? };
        at_hand.rest.text = Some(text.clone());
        let Ok((program, marks)) = parse_text(&text, &["INSPECT"]) else { return Ok(false) };
        for mark in &marks {
            assert!(program.place(mark.func, mark.pc).is_some(), "{mark:?} stands nowhere");
        }
        hold(&program);
        return Ok(true);
    }
    let module = if form == 2 { rest(bytes)?.to_vec() } else { damaged(bytes)? };
    at_hand.rest.binary = Some(module.clone());
    let Ok(program) = parse_binary(&module) else { return Ok(false) };
    at_hand.rest.text = Some(print(&program, &[]));
    hold(&program);
    let told = text(&explain(&module, &program, None).expect("it was read"));
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told}");
    assert_eq!(lines(&print(&program, &[])).len(), offsets(&module).len());
    Ok(true)
}

/// All ways lead back to the program.
fn hold(program: &Program) {
    let printed = print(program, &[]);
    let read = parse_text(&printed, &["INSPECT"]).unwrap_or_else(|error| panic!("{error}\n{printed}")).0;
    assert!(read == *program, "printed and read, it is another\n{printed}\n{}", print(&read, &[]));
    let bytes = encode(program);
    let read = parse_binary(&bytes).unwrap_or_else(|error| panic!("{error}\n{printed}"));
    assert!(read == *program, "encoded and read, it is another\n{printed}\n{}", print(&read, &[]));
    let names = Names::new(program);
    let told: HashSet<String> = (0..program.funcs.len() as u32).map(|func| names.func(func)).collect();
    assert_eq!(told.len(), program.funcs.len(), "{told:?}");
}

/// A module of wasm-smith with names, of which some bytes are not as they were.
fn damaged(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let damage: u8 = bytes.int_in_range(0..=2)?;
    let places: [u16; 2] = bytes.arbitrary()?;
    let changes: [u8; 2] = bytes.arbitrary()?;
    let has_names = bytes.arbitrary()?;
    let mut names = Unstructured::new(bytes.bytes(40)?);
    let mut module = smith::module(bytes)?;
    if has_names {
        smith::add_names(&mut module, &mut names)?;
    }
    for (place, change) in places.into_iter().zip(changes).take(damage.into()) {
        let at = usize::from(place) % module.len();
        module[at] ^= change.max(1);
    }
    Ok(module)
}

/// Words of the text format, in any order.
fn pieces(bytes: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    const WORDS: [&str; 48] = [
        "(func",
        "(func $a",
        "(func (result i32)",
        "(export \"run\")",
        "(param i32)",
        "(param $p i64 f32)",
        "(result i32)",
        "(local i32)",
        "(type",
        "(type 0)",
        "(memory 1)",
        "(memory 1 2)",
        "(data (i32.const 0) \"\\00ab\")",
        "(data \"\")",
        "(table 3 funcref)",
        "(elem (i32.const 0) func 0)",
        "(elem funcref (ref.null func))",
        "(elem declare func 0)",
        "(global i32 (i32.const 7))",
        "(global $g (mut f64) (f64.const nan:0x1))",
        "(import \"env\" \"f\" (func))",
        "(start 0)",
        "(module",
        "(then",
        "(else",
        "(block",
        "(loop",
        "(if",
        "end",
        "else",
        "func",
        "i32",
        "f64",
        "v128",
        "funcref",
        "extern",
        "$a",
        "\"run\"",
        "0",
        "1",
        "-1",
        "0x1p-3",
        "nan",
        "offset=4",
        "align=1",
        ";;INSPECT\n",
        "(; (;;) ;)",
        "\u{e9}",
    ];
    let mut text = String::from("(module ");
    let mut open = 1;
    for _ in 0..bytes.int_in_range(0..=60)? {
        let word = match bytes.int_in_range(0..=5)? {
            0 => ")",
            1 | 2 => bytes.choose(Op::ALL)?.mnemonic(),
            _ => bytes.choose(&WORDS)?,
        };
        open += word.matches('(').count() as i64 - word.matches(')').count() as i64;
        text.push_str(word);
        text.push(' ');
    }
    text.push_str(&")".repeat(open.clamp(0, 100) as usize));
    Ok(text)
}
