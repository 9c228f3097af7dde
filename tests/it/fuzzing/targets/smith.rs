//! Owns modules that wasm-smith makes of the bytes: strangers of every shape that the machine runs.

use arbitrary::Unstructured;
use wasm_encoder::{CustomSection, Section};
use wasm_smith::{Config, Module};

/// A valid module.
pub(super) fn module(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
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
        export_everything: bytes.arbitrary()?,
        allow_start_export: bytes.ratio(1, 4)?,
        min_funcs: 1,
        max_memories: 1,
        max_memory32_bytes: 1 << 20,
        max_table_elements: 1000,
        generate_custom_sections: true,
        ..Config::default()
    };
    Ok(Module::new(config, bytes)?.to_bytes())
}

/// Adds a name section in which some entries are sorted, some not, some of no function, some twice, and some cut off.
pub(super) fn add_names(module: &mut Vec<u8>, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    const NAMES: [&str; 8] = ["", "f0", "f1", "f1_", "same", "\u{1b}[31m\n", "\u{202e}\"\\", "$\u{e9}"];
    let entries: u8 = bytes.int_in_range(0..=12)?;
    let mut map = vec![if bytes.ratio(1, 5)? { entries + 100 } else { entries }];
    for _ in 0..entries {
        let name = bytes.choose(&NAMES)?;
        map.extend([bytes.int_in_range(0..=15)?, name.len() as u8]);
        map.extend(name.as_bytes());
    }
    let data = [&[1, map.len() as u8], map.as_slice()].concat();
    CustomSection { name: "name".into(), data: data.into() }.append_to(module);
    Ok(())
}
