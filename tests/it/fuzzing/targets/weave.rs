//! Owns the target of weaving: the bytes choose settings, and then among the weaver's legal actions. Whatever they choose,
//! the finished program keeps every promise.

use super::AtHand;
use arbitrary::Unstructured;
use std::sync::{Arc, LazyLock};
use wasmweaver::item::verify::hold;
use wasmweaver::seed::Rng;
use wasmweaver::wasm::encode::encode;
use wasmweaver::wasm::isa::Op;
use wasmweaver::wasm::oracle::Oracle;
use wasmweaver::wasm::parse::parse_text;
use wasmweaver::wasm::print::print;
use wasmweaver::wasm::types::{FuncType, ValType};
use wasmweaver::weave::chance::Chance;
use wasmweaver::weave::config::{Bounds, Feature, Limits, WeaveConfig};
use wasmweaver::weave::imports::Imports;
use wasmweaver::weave::recipe::{GENERATOR, rebuild};
use wasmweaver::weave::weaver::{Loom, Phase, Weaver};

static ORACLE: LazyLock<Oracle> = LazyLock::new(Oracle::new);

pub(super) fn weave(bytes: &mut Unstructured<'_>, at_hand: &mut AtHand) -> arbitrary::Result<bool> {
    let config = config(bytes)?;
    let Ok(loom) = Loom::new(config).map(Arc::new) else { return Ok(false) };
    let weaver = at_hand.weaver.insert(Weaver::new(loom.clone(), bytes.arbitrary()?));
    finish(weaver, bytes)?;
    hold(weaver, &ORACLE).unwrap_or_else(|broken| panic!("{broken}"));
    if let Some(time) = weaver.config().time {
        assert!(weaver.time() <= u64::from(time.max), "{} of time, at most {}", weaver.time(), time.max);
    }
    let again = rebuild(loom, GENERATOR, weaver.seed(), weaver.actions());
    let again = again.unwrap_or_else(|error| panic!("{error}"));
    assert!(again.program() == weaver.program(), "the recipe makes another program");
    assert_eq!(encode(again.program()), encode(weaver.program()), "the recipe makes other bytes");
    let text = print(weaver.program(), &[]);
    let read = parse_text(&text, &[]).unwrap_or_else(|error| panic!("{error}")).0;
    assert_eq!(encode(&read), encode(weaver.program()), "its text is that of another program");
    Ok(true)
}

/// Weaves to the end: by the bytes, and where they have ended by chance.
fn finish(weaver: &mut Weaver, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    while weaver.phase() != Phase::Done {
        if bytes.is_empty() {
            let mut rng = Rng::from_u64(weaver.seed());
            Chance::Categories.weave(weaver, &mut rng);
            return Ok(());
        }
        let legal = weaver.legal();
        assert!(!legal.is_empty(), "nothing is legal in {:?}", weaver.phase());
        let number = legal.numbers().nth(bytes.int_in_range(0..=legal.len() - 1)? as usize);
        weaver.step_number(number.expect("it is below their number"));
    }
    Ok(())
}

const FEATURES: [Feature; 7] = [
    Feature::SignExtension,
    Feature::SaturatingFloatToInt,
    Feature::MultiValue,
    Feature::BulkMemory,
    Feature::ReferenceTypes,
    Feature::Simd,
    Feature::TailCall,
];

/// Settings of any kind; some are none, which [`WeaveConfig::check`] says.
fn config(bytes: &mut Unstructured<'_>) -> arbitrary::Result<WeaveConfig> {
    let limits = Limits {
        functions: bytes.int_in_range(1..=8)?,
        locals: bytes.int_in_range(1..=12)?,
        globals: bytes.int_in_range(0..=6)?,
        tables: bytes.int_in_range(0..=2)?,
        nesting: bytes.int_in_range(0..=6)?,
        stack: bytes.int_in_range(3..=12)?,
        dead: bytes.int_in_range(0..=6)?,
        min_results: bytes.int_in_range(0..=2)?,
        results: bytes.int_in_range(0..=4)?,
        recursion: bytes.int_in_range(0..=8)?,
    };
    let features: u8 = bytes.arbitrary()?;
    let mut config = WeaveConfig {
        bytes: bounds(bytes, 30..=1200)?,
        fuel: bounds(bytes, 1..=400)?,
        features: FEATURES.iter().enumerate().filter(|(at, _)| features >> at & 1 == 1).map(|(_, &it)| it).collect(),
        unaligned: bytes.arbitrary()?,
        limits,
        ..WeaveConfig::default()
    };
    if bytes.ratio(1, 4)? {
        config.imports = imports(bytes)?;
    }
    if bytes.ratio(1, 4)? {
        config.time = Some(bounds(bytes, 0..=300)?);
        let cost = |name: &&str| Ok((String::from(*name), bytes.int_in_range(0..=9)?));
        config.costs = ["i32", "call", "drop", "end", "local", "load", "loop"]
            .iter()
            .map(cost)
            .collect::<arbitrary::Result<_>>()?;
    }
    let list = if bytes.ratio(1, 2)? { &mut config.allow } else { &mut config.forbid };
    for _ in 0..bytes.int_in_range(0..=3)? * 4_u32 {
        list.push(bytes.choose(Op::ALL)?.mnemonic().into());
    }
    Ok(config)
}

fn bounds(bytes: &mut Unstructured<'_>, within: std::ops::RangeInclusive<u32>) -> arbitrary::Result<Bounds> {
    let max = bytes.int_in_range(within)?;
    let min = if bytes.arbitrary()? { bytes.int_in_range(0..=max)? } else { 0 };
    Ok(Bounds { min, max })
}

fn imports(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Imports> {
    let types = |bytes: &mut Unstructured<'_>| -> arbitrary::Result<Vec<ValType>> {
        (0..bytes.int_in_range(0..=2)?).map(|_: u32| Ok(*bytes.choose(&ValType::NUMBERS)?)).collect()
    };
    let memory = bytes.arbitrary()?;
    let globals = types(bytes)?;
    let function = |_: u32| Ok(FuncType { params: types(bytes)?, results: types(bytes)? });
    Ok(Imports { memory, globals, functions: (0..2).map(function).collect::<arbitrary::Result<_>>()? })
}
