//! Holds the table against two tables that others wrote: wasmparser's list of operators and wasm-encoder's encodings.

use super::*;
use std::collections::BTreeSet;
use wasm_encoder::{BlockType, Encode, Instruction, MemArg};
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
        assert_eq!(found.visit, format!("visit_{}", row.mnemonic.replace('.', "_")));
        assert_eq!(found.proposal, row.proposal.name(), "{}", row.op);
        match found.arity {
            None => custom.push(row.mnemonic),
            Some(arity) if arity != (row.params.len(), row.results.len()) => partly.push(row.mnemonic),
            Some(_) => {}
        }
    }
    assert_eq!(custom, ["block", "loop", "if", "else", "end", "br", "br_if", "br_table", "return", "call"]);
    assert_eq!(
        partly,
        ["drop", "select", "local.get", "local.set", "local.tee", "global.get", "global.set"],
        "their operands have the type of something in the module"
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
    assert_eq!(missing, ["CallIndirect", "MemoryGrow"]);
}

/// The instruction as wasm-encoder knows it, with immediates that differ from the bytes around them.
fn instruction(op: Op) -> Instruction<'static> {
    macro_rules! instruction {
        (mem: $($mem:ident)+; plain: $($plain:ident)+;) => {
            match op {
                Op::Block => Instruction::Block(BlockType::Empty),
                Op::Loop => Instruction::Loop(BlockType::Empty),
                Op::If => Instruction::If(BlockType::Empty),
                Op::Br => Instruction::Br(300),
                Op::BrIf => Instruction::BrIf(300),
                Op::BrTable => Instruction::BrTable([1, 300].as_slice().into(), 2),
                Op::Call => Instruction::Call(300),
                Op::LocalGet => Instruction::LocalGet(300),
                Op::LocalSet => Instruction::LocalSet(300),
                Op::LocalTee => Instruction::LocalTee(300),
                Op::GlobalGet => Instruction::GlobalGet(300),
                Op::GlobalSet => Instruction::GlobalSet(300),
                Op::MemorySize => Instruction::MemorySize(0),
                Op::I32Const => Instruction::I32Const(-300),
                Op::I64Const => Instruction::I64Const(i64::MIN),
                Op::F32Const => Instruction::F32Const(1.5f32.into()),
                Op::F64Const => Instruction::F64Const(1.5f64.into()),
                $(Op::$mem => Instruction::$mem(MemArg { offset: 300, align: 0, memory_index: 0 }),)+
                $(Op::$plain => Instruction::$plain,)+
            }
        };
    }
    instruction! {
        mem:
            I32Load I64Load F32Load F64Load I32Load8S I32Load8U I32Load16S I32Load16U I64Load8S I64Load8U I64Load16S
            I64Load16U I64Load32S I64Load32U I32Store I64Store F32Store F64Store I32Store8 I32Store16 I64Store8
            I64Store16 I64Store32;
        plain:
            Unreachable Nop Else End Return Drop Select
            I32Eqz I32Eq I32Ne I32LtS I32LtU I32GtS I32GtU I32LeS I32LeU I32GeS I32GeU
            I64Eqz I64Eq I64Ne I64LtS I64LtU I64GtS I64GtU I64LeS I64LeU I64GeS I64GeU
            F32Eq F32Ne F32Lt F32Gt F32Le F32Ge F64Eq F64Ne F64Lt F64Gt F64Le F64Ge
            I32Clz I32Ctz I32Popcnt I32Add I32Sub I32Mul I32DivS I32DivU I32RemS I32RemU
            I32And I32Or I32Xor I32Shl I32ShrS I32ShrU I32Rotl I32Rotr
            I64Clz I64Ctz I64Popcnt I64Add I64Sub I64Mul I64DivS I64DivU I64RemS I64RemU
            I64And I64Or I64Xor I64Shl I64ShrS I64ShrU I64Rotl I64Rotr
            F32Abs F32Neg F32Ceil F32Floor F32Trunc F32Nearest F32Sqrt
            F32Add F32Sub F32Mul F32Div F32Min F32Max F32Copysign
            F64Abs F64Neg F64Ceil F64Floor F64Trunc F64Nearest F64Sqrt
            F64Add F64Sub F64Mul F64Div F64Min F64Max F64Copysign
            I32WrapI64 I32TruncF32S I32TruncF32U I32TruncF64S I32TruncF64U I64ExtendI32S I64ExtendI32U
            I64TruncF32S I64TruncF32U I64TruncF64S I64TruncF64U
            F32ConvertI32S F32ConvertI32U F32ConvertI64S F32ConvertI64U F32DemoteF64
            F64ConvertI32S F64ConvertI32U F64ConvertI64S F64ConvertI64U F64PromoteF32
            I32ReinterpretF32 I64ReinterpretF64 F32ReinterpretI32 F64ReinterpretI64
            I32Extend8S I32Extend16S I64Extend8S I64Extend16S I64Extend32S
            I32TruncSatF32S I32TruncSatF32U I32TruncSatF64S I32TruncSatF64U
            I64TruncSatF32S I64TruncSatF32U I64TruncSatF64S I64TruncSatF64U;
    }
}

/// The bytes of the immediates that [`instruction`] gives.
fn immediate(imm: Imm) -> Vec<u8> {
    match imm {
        Imm::None => vec![],
        Imm::BlockType => vec![0x40],
        Imm::Label | Imm::Func | Imm::Local | Imm::Global => vec![0xac, 0x02],
        Imm::LabelTable => vec![2, 1, 0xac, 0x02, 2],
        Imm::MemArg { .. } => vec![0, 0xac, 0x02],
        Imm::MemIndex => vec![0],
        Imm::I32 => vec![0xd4, 0x7d],
        Imm::I64 => [[0x80; 9].as_slice(), &[0x7f]].concat(),
        Imm::F32 => 1.5f32.to_le_bytes().to_vec(),
        Imm::F64 => 1.5f64.to_le_bytes().to_vec(),
    }
}

#[test]
fn encodings_are_wasm_encoders() {
    for row in &TABLE {
        let mut bytes = vec![];
        instruction(row.op).encode(&mut bytes);
        assert_eq!(bytes, [row.opcode, &immediate(row.imm)].concat(), "{}", row.op);
    }
}

#[test]
fn opcodes_read_back_as_the_instruction() {
    for row in &TABLE {
        // wasmparser takes `else` only inside an `if`.
        let before: &[u8] = if row.op == Op::Else { &[0x04, 0x40] } else { &[] };
        let bytes = [before, row.opcode, &immediate(row.imm)].concat();
        let mut reader = OperatorsReader::new(BinaryReader::new(&bytes, 0));
        if row.op == Op::Else {
            reader.read().expect("the `if`");
        }
        let operator = reader.read().expect("one instruction");
        assert_eq!(variant(&operator), format!("{:?}", row.op));
        assert_eq!(reader.original_position(), bytes.len(), "{} reads every byte", row.op);
        if let Imm::MemArg { width } = row.imm {
            // The largest alignment allowed is the width of the access.
            let largest = format!("max_align: {},", width.trailing_zeros());
            assert!(format!("{operator:?}").contains(&largest), "{operator:?} accesses {width} bytes");
        }
    }
}

#[test]
fn numbering_is_dense_and_names_are_unique() {
    for (index, row) in TABLE.iter().enumerate() {
        assert_eq!(row.op.index(), index);
        assert_eq!(Op::from_index(index), Some(row.op));
        assert_eq!(Op::parse(row.mnemonic), Some(row.op));
    }
    assert_eq!(Op::from_index(Op::COUNT), None);
    assert_eq!(Op::parse("i32.power"), None);
    assert!(Category::ALL.iter().enumerate().all(|(index, category)| category.index() == index));
}

#[test]
fn columns_agree_with_each_other() {
    for row in &TABLE {
        let arity = (row.params.len(), row.results.len());
        let (expected, class, may_trap) = match row.semantics {
            Semantics::Special => continue,
            Semantics::Unary(_) => ((1, 1), "Unary", false),
            Semantics::TryUnary(_) => ((1, 1), "Unary", true),
            Semantics::Binary(_) => ((2, 1), "Binary", false),
            Semantics::TryBinary(_) => ((2, 1), "Binary", true),
            Semantics::Load(_) => ((1, 1), "Load", true),
            Semantics::Store => ((2, 0), "Store", true),
        };
        assert_eq!((arity, row.class, !row.traps.is_empty()), (expected, class, may_trap), "{}", row.op);
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
    let known = "Binary Block Break Call Const Drop GlobalGet GlobalSet If Load LocalGet LocalSet Loop MemorySize Nop \
                 Return Select Store Switch Unary Unreachable";
    assert_eq!(used.into_iter().filter(|class| !class.is_empty()).collect::<Vec<_>>().join(" "), known);
    let uncounted: Vec<Op> = TABLE.iter().filter(|row| row.class.is_empty()).map(|row| row.op).collect();
    assert_eq!(uncounted, [Op::Else, Op::End]);
}
