//! Holds effects against wasmparser: how high its operand stack is, and of which types, after each instruction.

use super::*;
use crate::wasm::parse::{FEATURES, assemble, parse_binary};
use crate::wasm::program::Flat;
use std::collections::BTreeSet;
use wasmparser::{FuncValidator, Parser, ValidPayload, Validator, ValidatorResources};

/// Every instruction whose signature the table leaves open, on operands of several types.
const OPEN: &str = r#"(module
  (type $binary (func (param i64 f32) (result f64 i32)))
  (table $functions 4 funcref) (table $hosts 4 8 externref) (elem declare func $binary)
  (global $float (mut f64) (f64.const 1))
  (func $binary (type $binary) unreachable)
  (func (param i64 f32) (result f64 i32) (local v128 externref)
    nop
    i64.const 1 f32.const 2 call $binary drop drop
    local.get 0 local.get 1 i32.const 3 call_indirect $functions (type $binary) drop global.set $float
    global.get $float drop
    i64.const 1 block (param i64) (result i64) end local.set 0
    i64.const 1 loop (param i64) (result f32) drop f32.const 1 end local.tee 1 drop
    local.get 0 i32.const 1 if (param i64) (result i64) nop else end drop
    f64.const 1 f64.const 2 i32.const 0 select drop
    local.get 2 local.get 2 i32.const 0 select (result v128) drop
    ref.null extern local.tee 3 ref.is_null drop
    ref.func $binary drop ref.null func drop
    i32.const 0 table.get $hosts drop
    i32.const 0 ref.null extern table.set $hosts
    ref.null extern i32.const 1 table.grow $hosts drop
    i32.const 0 local.get 3 i32.const 1 table.fill $hosts
    block (result i64) i64.const 1 i32.const 0 br_if 0 end drop
    block unreachable end
    block br 0 end
    block i32.const 0 br_table 0 0 end
    block f64.const 1 i32.const 2 return end
    block i64.const 1 f32.const 2 return_call $binary end
    block i64.const 1 f32.const 2 i32.const 0 return_call_indirect $functions (type $binary) end
    f64.const 1 i32.const 2))"#;

type Theirs = FuncValidator<ValidatorResources>;

/// The operands that they have on their stack, top first; none where a label carries them.
fn operands(theirs: &Theirs) -> Vec<Option<String>> {
    let height = theirs.operand_stack_height() as usize;
    (0..height).map(|depth| theirs.get_operand_type(depth).flatten().map(name)).collect()
}

/// The name that we have for a type; they know to which type of function a reference is.
fn name(ty: wasmparser::ValType) -> String {
    match ty {
        wasmparser::ValType::Ref(to) if !to.is_extern_ref() => "funcref".into(),
        other => other.to_string(),
    }
}

fn named(types: impl DoubleEndedIterator<Item = Option<ValType>>) -> Vec<Option<String>> {
    types.rev().map(|ty| ty.map(|ty| ty.name().to_owned())).collect()
}

#[test]
fn effects_are_wasmparsers() {
    let bytes = assemble(OPEN).expect("valid");
    let program = parse_binary(&bytes).expect("supported");
    let mut checked = BTreeSet::new();
    let mut validator = Validator::new_with_features(FEATURES);
    let mut func = 0;
    for payload in Parser::new(0).parse_all(&bytes) {
        let ValidPayload::Func(to_validate, body) = validator.payload(&payload.expect("valid")).expect("valid") else {
            continue;
        };
        let mut theirs = to_validate.into_validator(Default::default());
        let mut reader = body.get_binary_reader();
        theirs.read_locals(&mut reader).expect("valid");
        for Flat { instr, .. } in program.flatten(func) {
            let (before, at) = (operands(&theirs), reader.original_position());
            reader.visit_operator(&mut theirs.visitor(at)).expect("an operator").expect("valid");
            let effect = effect(&program, func, &instr).expect("valid");
            let popped = named(effect.popped());
            if !matches!(instr.op, Op::Else | Op::End) {
                let fits = popped.iter().zip(&before).all(|(ours, theirs)| ours.is_none() || ours == theirs);
                assert!(fits && popped.len() <= before.len(), "{}: {popped:?} of {before:?}", instr.op);
                checked.insert(instr.op);
            }
            // Inside of a block its parameters are there again; behind code that leaves, anything is.
            let goes_on = instr.op.row().imm != Imm::BlockType && !matches!(instr.op, Op::Else | Op::End);
            if goes_on && !effect.leaves() {
                let open = before[..popped.len()].iter().zip(&popped).find(|(_, ours)| ours.is_none());
                let open = open.map(|(theirs, _)| theirs.clone().expect("it has a type"));
                let pushed = named(effect.pushed()).into_iter().map(|ty| ty.or(open.clone()));
                let after: Vec<Option<String>> = pushed.chain(before[popped.len()..].iter().cloned()).collect();
                assert_eq!(after, operands(&theirs), "{}", instr.op);
            }
        }
        func += 1;
    }
    let open: BTreeSet<Op> = Op::ALL.iter().copied().filter(|&op| open(op).is_some()).collect();
    let missing: Vec<&Op> = open.difference(&checked).filter(|op| !matches!(op, Op::Else | Op::End)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What is written out here has the operands that the instruction table says are the same in any module.
#[test]
fn what_is_open_agrees_with_the_table() {
    for &op in Op::ALL {
        let fixed = |side: &Side| -> Vec<ValType> {
            side.iter().filter_map(|word| if let Word::Is(ty) = word { Some(*ty) } else { None }).collect()
        };
        let StackType { popped, pushed, .. } = StackType::of(op);
        assert_eq!((&fixed(popped)[..], &fixed(pushed)[..]), (op.row().params, op.row().results), "{op}");
    }
}
