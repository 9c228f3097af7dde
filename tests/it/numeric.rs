//! Holds every numeric and vector instruction, load and store against wasmtime: the same operands must give the same
//! bits or the same trap.

mod operands;
mod oracle;

use operands::operands;
use oracle::{Form, Oracle, PAGE, forms};
use std::collections::BTreeSet;
use wasmtime::Func;
use wasmweaver::seed::Seed;
use wasmweaver::wasm::isa::{Imm, Semantics, Trap};
use wasmweaver::wasm::types::{Bits, ValType};

/// What the table says the instruction does; nothing for those with memory.
fn ours(form: &Form, operands: &[Bits]) -> Option<Result<Bits, Trap>> {
    let bits = |index: usize| operands[index] as u64;
    let lane = form.lanes as u8;
    let number = match form.row.semantics {
        Semantics::Unary(f) => Ok(f(bits(0))),
        Semantics::Binary(f) => Ok(f(bits(0), bits(1))),
        Semantics::TryUnary(f) => f(bits(0)),
        Semantics::TryBinary(f) => f(bits(0), bits(1)),
        Semantics::Wide1(f) => return Some(Ok(f(operands[0]))),
        Semantics::Wide2(f) => return Some(Ok(f(operands[0], operands[1]))),
        Semantics::Wide3(f) => return Some(Ok(f(operands[0], operands[1], operands[2]))),
        Semantics::Lane1(f) => return Some(Ok(f(operands[0], lane))),
        Semantics::Lane2(f) => return Some(Ok(f(operands[0], operands[1], lane))),
        Semantics::Shuffle(f) => return Some(Ok(f(operands[0], operands[1], form.lanes))),
        Semantics::Special
        | Semantics::Load(_)
        | Semantics::WideLoad(_)
        | Semantics::LoadLane
        | Semantics::Store
        | Semantics::StoreLane => return None,
    };
    Some(number.map(Bits::from))
}

#[test]
fn arithmetic_is_wasmtimes() {
    let seed = Seed::new(0);
    let forms = forms(&mut seed.child("shuffles").rng());
    let mut oracle = Oracle::new(&forms);
    for form in &forms {
        let row = form.row;
        let function = oracle.function(form);
        let mut traps = BTreeSet::new();
        for operands in operands(row.mnemonic, row.params, &mut seed.child(row.mnemonic).rng()) {
            let Some(ours) = ours(form, &operands) else { break };
            traps.extend(ours.err());
            let theirs = oracle.call(function, row, &operands);
            assert_eq!(ours.map_err(|trap| trap.to_string()), theirs, "{} {:x} of {operands:x?}", row.op, form.lanes);
        }
        let memory = matches!(row.imm, Imm::MemArg { .. } | Imm::MemArgLane { .. });
        assert!(memory || traps == row.traps.iter().copied().collect(), "{} traps as the table says", row.op);
    }
}

/// The low bytes, as many as the access is wide.
fn low(bits: Bits, width: u8) -> Bits {
    bits & (Bits::MAX >> (128 - 8 * u32::from(width)))
}

/// How many bits up the lane begins.
fn shift(form: &Form, width: u8) -> u32 {
    8 * u32::from(width) * form.lanes as u32
}

#[test]
fn loads_are_wasmtimes() {
    let seed = Seed::new(0);
    let forms = forms(&mut seed.rng());
    let mut oracle = Oracle::new(&forms);
    let mut rng = seed.child("loads").rng();
    for form in &forms {
        let (Imm::MemArg { width } | Imm::MemArgLane { width }) = form.row.imm else { continue };
        // What is pushed when these bytes, zero-extended, are in memory and this vector is on the stack.
        let load = |bytes: Bits, vector: Bits| match form.row.semantics {
            Semantics::Load(f) => Some(f(bytes as u64).into()),
            Semantics::WideLoad(f) => Some(f(bytes)),
            Semantics::LoadLane => {
                let shift = shift(form, width);
                Some((vector & !(low(Bits::MAX, width) << shift)) | (bytes << shift))
            }
            _ => None,
        };
        let function = oracle.function(form);
        let last = PAGE - usize::from(width);
        let read = if width > 8 { ValType::V128 } else { ValType::I64 };
        for bytes in operands(form.row.mnemonic, &[read], &mut rng).concat() {
            let vector = (Bits::from(rng.bits()) << 64) | Bits::from(rng.bits());
            let Some(ours) = load(low(bytes, width), vector) else { break };
            for address in [0, 3, last] {
                oracle.memory().fill(0xee);
                oracle.memory()[address..][..usize::from(width)]
                    .copy_from_slice(&bytes.to_le_bytes()[..usize::from(width)]);
                let theirs = oracle.call(function, form.row, &[address as Bits, vector][..form.row.params.len()]);
                assert_eq!(Ok(ours), theirs, "{} {} of {bytes:x} at {address}", form.row.op, form.lanes);
            }
        }
        assert_out_of_bounds(&mut oracle, function, form, last + 1);
    }
}

#[test]
fn stores_are_wasmtimes() {
    let seed = Seed::new(0);
    let forms = forms(&mut seed.rng());
    let mut oracle = Oracle::new(&forms);
    let mut rng = seed.child("stores").rng();
    for form in &forms {
        let row = form.row;
        let (Semantics::Store | Semantics::StoreLane, Imm::MemArg { width } | Imm::MemArgLane { width }) =
            (row.semantics, row.imm)
        else {
            continue;
        };
        let function = oracle.function(form);
        let last = PAGE - usize::from(width);
        for value in operands(row.mnemonic, &row.params[1..], &mut rng).concat() {
            for address in [0, 3, last] {
                let mut expected = vec![0xee; PAGE];
                oracle.memory().copy_from_slice(&expected);
                let stored = value >> shift(form, width);
                expected[address..][..usize::from(width)].copy_from_slice(&stored.to_le_bytes()[..usize::from(width)]);
                assert_eq!(oracle.call(function, row, &[address as Bits, value]), Ok(0));
                let same = oracle.memory() == expected;
                assert!(same, "{} {} of {value:x} at {address} writes {width} bytes", row.op, form.lanes);
            }
        }
        assert_out_of_bounds(&mut oracle, function, form, last + 1);
    }
}

/// An access that ends past the page traps the way the row says.
fn assert_out_of_bounds(oracle: &mut Oracle, function: Func, form: &Form, address: usize) {
    let theirs = oracle.call(function, form.row, &[address as Bits, 0][..form.row.params.len()]);
    assert_eq!(theirs, Err(Trap::MemoryOutOfBounds.to_string()), "{} at {address}", form.row.op);
    assert_eq!(form.row.traps, [Trap::MemoryOutOfBounds]);
}
