//! Counts, likeness and profiles on hand-made programs.

use super::reference::{REAL_WORLD, p90};
use super::tally::Tally;
use super::*;
use crate::wasm::isa::Op;
use crate::wasm::parse;

#[test]
fn a_program_is_counted_as_it_is_written() {
    let text = "(module (func (export \"run\") (result i32) (local i32)
        local.get 0 if (result i32) i32.const 1 else i32.const 2 end i32.const 3 i32.add)
        (func nop))";
    let (program, _) = parse::parse_text(text, &[]).expect("a module");
    let tally = Tally::of(&program);
    let count = |op: Op| tally.opcodes[op.index()];
    assert_eq!(
        [Op::LocalGet, Op::If, Op::I32Const, Op::I32Add, Op::Nop, Op::End, Op::Else].map(count),
        [1.0, 1.0, 3.0, 1.0, 1.0, 0.0, 0.0]
    );
    assert_eq!(tally.instructions(), 7.0);
    // Eight instructions with `else` and the block's `end`: six trigrams, none across functions.
    assert_eq!(tally.trigrams.iter().sum::<f64>(), 6.0);
    let [v, n, c] = [Bucket::Variable, Bucket::Numeric, Bucket::Control];
    for gram in [[v, c, n], [c, n, c], [n, c, n], [c, n, n]] {
        assert!(tally.trigrams[grams::trigram(gram)] > 0.0, "{gram:?}");
    }
    let class = |name: &str| tally.classes()[CLASSES.iter().position(|class| *class == name).expect(name)];
    assert_eq!(["Const", "Binary", "LocalGet", "If", "Nop"].map(class), [3.0, 1.0, 1.0, 1.0, 1.0]);
    let only_first = Tally::where_reached(&program, |place| place.seq == program.funcs[0].body);
    assert_eq!(only_first.instructions(), 4.0);
}

/// The profile's own tables agree with each other through our mapping of instructions to classes and buckets.
#[test]
fn the_reference_is_counted_the_way_we_count() {
    let profile: profile::Profile = serde_json::from_str(reference::TEXT).expect("well-formed");
    let mut classes = vec![0.0; CLASSES.len()];
    let mut buckets = vec![0.0; Bucket::ALL.len()];
    for (op, &share) in Op::ALL.iter().zip(&REAL_WORLD.opcodes.shares) {
        if let Some(class) = class_of(*op) {
            classes[class] += share;
            buckets[Bucket::of(*op) as usize] += share;
        }
    }
    for (class, (found, wanted)) in CLASSES.iter().zip(classes.iter().zip(&REAL_WORLD.classes.shares)) {
        assert!((found - wanted).abs() < 2e-4, "{class}: {found}, not {wanted}");
    }
    for (name, wanted) in profile.buckets.column("mean") {
        let Some(bucket) = Bucket::parse(name) else { continue };
        let found = buckets[bucket as usize];
        assert!((found - wanted).abs() < 5e-4, "{name}: {found}, not {wanted}");
    }
    assert!(REAL_WORLD.classes.rest < 1e-3 && REAL_WORLD.trigrams.rest < 1e-2);
}

#[test]
fn more_instructions_can_be_more_alike() {
    assert_eq!(p90(20.0), 0.891);
    assert!((p90(50.0) - 0.938).abs() < 1e-12 && (p90(100.0) - 0.961).abs() < 1e-12);
    assert!(p90(5.0) < p90(20.0) && p90(30.0) > 0.9 && p90(30.0) < 0.92 && p90(100_000.0) <= 1.0);
}
