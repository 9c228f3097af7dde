//! Holds the table against two tables that others wrote: wasmparser's list of operators and wasm-encoder's encodings.

use super::*;
use std::collections::BTreeSet;
use wasm_encoder::Encode;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasmparser::{BinaryReader, Operator, OperatorsReader};

/// One operator as wasmparser lists it.
struct Theirs {
    variant: &'static str,
    visit: &'static str,
    proposal: &'static str,
    /// Operands and results, `None` where they call it custom.
    arity: Option<(usize, usize)>,
}

fn theirs() -> Vec<Theirs> {
    macro_rules! list {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            vec![$(Theirs {
                variant: stringify!($op),
                visit: stringify!($visit),
                proposal: stringify!($proposal),
                arity: arity(stringify!($($ann)*)),
            }),*]
        };
    }
    wasmparser::for_each_operator!(list)
}

/// Reads `arity 2 -> 1` and `arity custom`.
fn arity(annotation: &str) -> Option<(usize, usize)> {
    let arity = annotation.strip_prefix("arity ").expect("an arity");
    if arity == "custom" {
        return None;
    }
    let (operands, results) = arity.split_once("->").expect("two sides");
    Some((operands.trim().parse().expect("a number"), results.trim().parse().expect("a number")))
}

/// The name of the variant of an operator.
fn variant(operator: &Operator<'_>) -> &'static str {
    macro_rules! name {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident $ann:tt)*) => {
            match operator {
                $(Operator::$op { .. } => stringify!($op),)*
                _ => panic!("wasmparser lists every operator"),
            }
        };
    }
    wasmparser::for_each_operator!(name)
}

#[test]
fn names_proposals_and_arities_are_wasmparsers() {
    let theirs = theirs();
    let (mut custom, mut partly) = (vec![], vec![]);
    for row in &TABLE {
        let name = format!("{:?}", row.op);
        let found = theirs.iter().find(|theirs| theirs.variant == name).expect("wasmparser knows the variant");
        // Both kinds of `select` have one name in the text format.
        let visit = if row.op == Op::TypedSelect { "typed_select" } else { &row.mnemonic.replace('.', "_") };
        assert_eq!(found.visit, format!("visit_{visit}"));
        assert_eq!(found.proposal, row.proposal.name(), "{}", row.op);
        match found.arity {
            None => custom.push(row.mnemonic),
            Some(arity) if arity != (row.params.len(), row.results.len()) => partly.push(row.mnemonic),
            Some(_) => {}
        }
    }
    assert_eq!(
        custom,
        [
            "block",
            "loop",
            "if",
            "else",
            "end",
            "br",
            "br_if",
            "br_table",
            "return",
            "call",
            "call_indirect",
            "return_call",
            "return_call_indirect"
        ]
    );
    assert_eq!(
        partly.join(" "),
        "ref.null ref.is_null drop select select local.get local.set local.tee global.get global.set table.get \
         table.set table.grow table.fill",
        "some of their operands have the type of something in the module"
    );
    assert!(
        custom
            .iter()
            .chain(&partly)
            .all(|mnemonic| { Op::parse(mnemonic).is_some_and(|op| matches!(op.row().semantics, Semantics::Special)) })
    );
}

#[test]
fn the_table_covers_its_proposals() {
    let ours: BTreeSet<String> = Op::ALL.iter().map(|op| format!("{op:?}")).collect();
    let proposals: Vec<&str> = Proposal::ALL.iter().map(|proposal| proposal.name()).collect();
    let missing: Vec<&str> = theirs()
        .iter()
        .filter(|theirs| proposals.contains(&theirs.proposal) && !ours.contains(theirs.variant))
        .map(|theirs| theirs.variant)
        .collect();
    assert_eq!(missing, ["TypedSelectMulti"], "which no valid module has yet");
}

/// The bytes of immediates that differ from each other, so that no two can be taken for one another.
fn immediate(imm: Imm) -> Vec<u8> {
    match imm {
        Imm::None => vec![],
        Imm::BlockType => vec![0x40],
        Imm::Label | Imm::Func | Imm::Local | Imm::Global | Imm::Table | Imm::Elem | Imm::Data => vec![0xac, 0x02],
        Imm::LabelTable => vec![2, 1, 0xac, 0x02, 2],
        Imm::TypeTable | Imm::TableTable | Imm::ElemTable => vec![0xac, 0x02, 5],
        Imm::DataMem => vec![0xac, 0x02, 0],
        Imm::MemArg { .. } => vec![0, 0xac, 0x02],
        Imm::MemArgLane { .. } => vec![0, 0xac, 0x02, 1],
        Imm::MemIndex => vec![0],
        Imm::MemMem => vec![0, 0],
        Imm::HeapType => vec![0x70],
        Imm::ValTypes => vec![1, 0x7c],
        Imm::V128 | Imm::Shuffle => (0..16).collect(),
        Imm::Lane { .. } => vec![1],
        Imm::I32 => vec![0xd4, 0x7d],
        Imm::I64 => [[0x80; 9].as_slice(), &[0x7f]].concat(),
        Imm::F32 => 1.5f32.to_le_bytes().to_vec(),
        Imm::F64 => 1.5f64.to_le_bytes().to_vec(),
    }
}

/// wasmparser reads our opcode as the instruction of the same name, and wasm-encoder writes that instruction as we do.
#[test]
fn encodings_are_those_of_others() {
    for row in &TABLE {
        // wasmparser takes `else` only inside an `if`.
        let before: &[u8] = if row.op == Op::Else { &[0x04, 0x40] } else { &[] };
        let ours = [row.opcode, &immediate(row.imm)].concat();
        let bytes = [before, &ours].concat();
        let mut reader = OperatorsReader::new(BinaryReader::new(&bytes, 0));
        if row.op == Op::Else {
            reader.read().expect("the `if`");
        }
        let operator = reader.read().expect("one instruction");
        assert_eq!(variant(&operator), format!("{:?}", row.op));
        assert_eq!(reader.original_position(), bytes.len(), "{} reads every byte", row.op);
        if let Imm::MemArg { width } | Imm::MemArgLane { width } = row.imm {
            // The largest alignment allowed is the width of the access.
            let largest = format!("max_align: {},", width.trailing_zeros());
            assert!(format!("{operator:?}").contains(&largest), "{operator:?} accesses {width} bytes");
        }
        let mut theirs = vec![];
        RoundtripReencoder.instruction(operator).expect("an instruction of both").encode(&mut theirs);
        assert_eq!(theirs, ours, "{}", row.op);
    }
}

#[test]
fn numbering_is_dense_and_names_are_unique() {
    for (index, row) in TABLE.iter().enumerate() {
        assert_eq!(row.op.index(), index);
        assert_eq!(Op::from_index(index), Some(row.op));
        // Both kinds of `select` have one name in the text format; it finds the older one.
        let found = if row.op == Op::TypedSelect { Op::Select } else { row.op };
        assert_eq!(Op::parse(row.mnemonic), Some(found));
    }
    assert_eq!(Op::from_index(Op::COUNT), None);
    assert_eq!(Op::parse("i32.power"), None);
    assert!(Category::ALL.iter().enumerate().all(|(index, category)| category.index() == index));
}

#[test]
fn columns_agree_with_each_other() {
    for row in &TABLE {
        let arity = (row.params.len(), row.results.len());
        let (expected, classes, may_trap) = match row.semantics {
            Semantics::Special => continue,
            Semantics::Unary(_) | Semantics::Wide1(_) => ((1, 1), "Unary", false),
            Semantics::TryUnary(_) => ((1, 1), "Unary", true),
            Semantics::Binary(_) => ((2, 1), "Binary", false),
            Semantics::TryBinary(_) => ((2, 1), "Binary", true),
            Semantics::Load(_) => ((1, 1), "Load", true),
            Semantics::Store => ((2, 0), "Store", true),
            Semantics::Wide2(_) => ((2, 1), "Binary SIMDShift", false),
            Semantics::Wide3(_) => ((3, 1), "SIMDTernary", false),
            Semantics::Lane1(_) => ((1, 1), "SIMDExtract", false),
            Semantics::Lane2(_) => ((2, 1), "SIMDReplace", false),
            Semantics::Shuffle(_) => ((2, 1), "SIMDShuffle", false),
            Semantics::WideLoad(_) => ((1, 1), "Load SIMDLoad", true),
            Semantics::LoadLane => ((2, 1), "SIMDLoadStoreLane", true),
            Semantics::StoreLane => ((2, 0), "SIMDLoadStoreLane", true),
        };
        assert_eq!((arity, !row.traps.is_empty()), (expected, may_trap), "{}", row.op);
        assert!(classes.split(' ').any(|class| class == row.class), "{} is a {}", row.op, row.class);
    }
    for row in &TABLE {
        let is_float = match row.category {
            Category::IntArithmetic | Category::IntBitwise | Category::IntComparison => false,
            Category::FloatArithmetic | Category::FloatComparison => true,
            _ => continue,
        };
        let compares = matches!(row.category, Category::IntComparison | Category::FloatComparison);
        let result = if compares { ValType::I32 } else { row.params[0] };
        assert!(row.params.iter().all(|ty| *ty == row.params[0] && ty.is_float() == is_float), "{}", row.op);
        assert_eq!(row.results, [result], "{}", row.op);
    }
    let used: BTreeSet<Category> = TABLE.iter().map(|row| row.category).collect();
    assert_eq!(used.into_iter().collect::<Vec<_>>(), Category::ALL, "no category is empty");
}

#[test]
fn classes_are_binaryens() {
    let used: BTreeSet<&str> = TABLE.iter().map(|row| row.class).collect();
    let known = "Binary Block Break Call CallIndirect Const DataDrop Drop ElemDrop GlobalGet GlobalSet If Load LocalGet \
                 LocalSet Loop MemoryCopy MemoryFill MemoryGrow MemoryInit MemorySize Nop RefFunc RefIsNull RefNull \
                 Return SIMDExtract SIMDLoad SIMDLoadStoreLane SIMDReplace SIMDShift SIMDShuffle SIMDTernary Select \
                 Store Switch TableCopy TableFill TableGet TableGrow TableInit TableSet TableSize Unary Unreachable";
    assert_eq!(used.into_iter().filter(|class| !class.is_empty()).collect::<Vec<_>>().join(" "), known);
    let uncounted: Vec<Op> = TABLE.iter().filter(|row| row.class.is_empty()).map(|row| row.op).collect();
    assert_eq!(uncounted, [Op::Else, Op::End]);
}
