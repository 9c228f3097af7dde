use super::*;
use crate::wasm::isa::Semantics;

/// The signatures that are written out must say what the table says, and leave open only what it leaves open.
#[test]
fn effects_agree_with_the_table() {
    for &op in Op::ALL {
        let row = op.row();
        let signature = instruction(op).signature;
        let (params, results) = signature.text.split_once(" -> ").expect("two sides");
        let fixed = |side: &str| -> Vec<String> {
            let words = side.trim_matches(['[', ']']).split(' ');
            words.filter(|word| !word.is_empty() && !word.starts_with('t')).map(String::from).collect()
        };
        let names = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!((fixed(params), fixed(results)), (names(row.params), names(row.results)), "{op}");
        let open = signature.text.contains('t');
        assert_eq!(open, signature.depends_on.is_some(), "{op}");
        assert!(!open || matches!(row.semantics, Semantics::Special), "{op}");
    }
}

/// Sections stand in the order that wasmparser demands: each two neighbours, the wrong way round, are refused.
#[test]
fn sections_are_in_order() {
    let contents: [(u8, &[u8]); 12] = [
        (1, &[1, 0x60, 0, 0]),
        (2, &[0]),
        (3, &[1, 0]),
        (4, &[1, 0x70, 0, 1]),
        (5, &[1, 0, 1]),
        (6, &[1, 0x7f, 0, 0x41, 0, 0x0b]),
        (7, &[0]),
        (8, &[0]),
        (9, &[1, 1, 0, 0]),
        (12, &[1]),
        (10, &[1, 2, 0, 0x0b]),
        (11, &[1, 1, 0]),
    ];
    let module = |order: &[usize]| {
        let mut bytes = vec![0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
        for &at in order {
            let (id, content) = contents[at];
            bytes.extend([id, content.len() as u8]);
            bytes.extend(content);
        }
        wasmparser::Validator::new().validate_all(&bytes)
    };
    let listed: Vec<u8> = FORMAT.sections.iter().map(|section| section.id).collect();
    let used: Vec<u8> = contents.iter().map(|(id, _)| *id).chain([0]).collect();
    assert_eq!(listed, used, "custom sections last, since they may stand anywhere");
    let right: Vec<usize> = (0..contents.len()).collect();
    module(&right).expect("this is the order");
    for at in 1..contents.len() {
        let mut wrong = right.clone();
        wrong.swap(at - 1, at);
        let error = module(&wrong).err().expect("the wrong way round").to_string();
        assert!(error.contains("out of order") || error.contains("unknown"), "{at}: {error}");
    }
}
