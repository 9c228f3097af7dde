//! Modules that wasm-smith makes, with name sections that nobody should write and bytes that were not so: what is read is
//! printed, dumped and called by names, and nothing panics.

use arbitrary::Unstructured;
use wasm_encoder::{CustomSection, Section};
use wasm_smith::{Config, Module};
use wasmweaver::seed::Seed;
use wasmweaver::wasm::encode::encode;
use wasmweaver::wasm::explain::{explain, text};
use wasmweaver::wasm::parse::{lines, offsets, parse_binary, parse_text};
use wasmweaver::wasm::print::{Names, print};

const MODULES: u64 = 150;

/// Bytes that hang on the seed alone.
fn noise(seed: &Seed, name: &str, count: usize) -> Vec<u8> {
    (0..).flat_map(|at| seed.indexed(name, at).to_u64().to_le_bytes()).take(count).collect()
}

fn module(noise: &[u8]) -> Option<Vec<u8>> {
    let config = Config {
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        threads_enabled: false,
        custom_page_sizes_enabled: false,
        wide_arithmetic_enabled: false,
        extended_const_enabled: false,
        shared_everything_threads_enabled: false,
        max_memories: 1,
        max_memory32_bytes: 1 << 20,
        max_table_elements: 1000,
        generate_custom_sections: true,
        ..Config::default()
    };
    Some(Module::new(config, &mut Unstructured::new(noise)).ok()?.to_bytes())
}

/// A name section in which some entries are sorted, some not, some of no function, some twice, and some cut off.
fn names(noise: &[u8]) -> Vec<u8> {
    const NAMES: [&str; 8] = ["", "f0", "f1", "f1_", "same", "\u{1b}[31m\n", "\u{202e}\"\\", "$\u{e9}"];
    let mut map = vec![(noise[0] % 12) + u8::from(noise[1].is_multiple_of(5)) * 100];
    for entry in noise[2..].chunks(2).take(usize::from(noise[0] % 12)) {
        let name = NAMES[usize::from(entry[1] % 8)];
        map.extend([entry[0] % 16, name.len() as u8]);
        map.extend(name.as_bytes());
    }
    let mut data = vec![1, map.len() as u8];
    data.extend(map);
    data
}

fn look_at(bytes: &[u8]) -> bool {
    let Ok(program) = parse_binary(bytes) else { return false };
    let printed = print(&program, &[]);
    let read = parse_text(&printed, &["INSPECT"]).unwrap_or_else(|error| panic!("{error}\n{printed}")).0;
    assert!(read == program, "{printed}");
    assert!(parse_binary(&encode(&program)).expect("it was a module") == program, "{printed}");
    let told = text(&explain(bytes, &program, None).expect("it was read"));
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told}");
    let names = Names::new(&program);
    let told: std::collections::HashSet<String> =
        (0..program.funcs.len() as u32).map(|func| names.func(func)).collect();
    assert_eq!(told.len(), program.funcs.len(), "{told:?}");
    assert_eq!((lines(&printed).len(), offsets(bytes).len()), (offsets(bytes).len(), lines(&printed).len()));
    true
}

#[test]
fn nothing_that_can_be_read_breaks_a_looker() {
    let (mut whole, mut damaged) = (0, 0);
    for number in 0..MODULES {
        let seed = Seed::new(16).indexed("module", number);
        let Some(mut bytes) = module(&noise(&seed, "module", 1500)) else { continue };
        let data = names(&noise(&seed, "names", 40));
        CustomSection { name: "name".into(), data: data.as_slice().into() }.append_to(&mut bytes);
        whole += u32::from(look_at(&bytes));
        for (at, change) in noise(&seed, "places", 60).chunks_exact(3).map(|c| (u16::from_le_bytes([c[0], c[1]]), c[2]))
        {
            let mut bytes = bytes.clone();
            let at = usize::from(at) % bytes.len();
            bytes[at] ^= change.max(1);
            damaged += u32::from(look_at(&bytes));
        }
    }
    assert!(whole > 50 && damaged > 500, "{whole} whole, {damaged} damaged");
}
