//! Holds every numeric instruction, load and store against wasmtime: the same operands must give the same bits or the
//! same trap.

use std::collections::BTreeSet;
use wasm_encoder as enc;
use wasmtime::{Config, Engine, Func, Instance, Memory, Module, Store, Val};
use wasmweaver::seed::{Rng, Seed};
use wasmweaver::wasm::isa::{Imm, Op, Row, Semantics, Trap};
use wasmweaver::wasm::types::ValType;

/// What one instruction did: the bits it pushed, or the text of its trap.
type Outcome = Result<u64, String>;

/// One instance of a module that exports each instruction as a function of its operands.
struct Oracle {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

/// Bytes in the one page of the memory.
const PAGE: u64 = 65_536;

/// The rows that are functions of their operands (and memory).
fn computing() -> Vec<&'static Row> {
    Op::ALL.iter().map(|op| op.row()).filter(|row| !matches!(row.semantics, Semantics::Special)).collect()
}

fn encoded(ty: ValType) -> enc::ValType {
    match ty {
        ValType::I32 => enc::ValType::I32,
        ValType::I64 => enc::ValType::I64,
        ValType::F32 => enc::ValType::F32,
        ValType::F64 => enc::ValType::F64,
    }
}

/// The module: a memory and, for each row, a function named after it that does nothing else.
fn module(rows: &[&Row]) -> Vec<u8> {
    let (mut types, mut functions, mut memories) =
        (enc::TypeSection::new(), enc::FunctionSection::new(), enc::MemorySection::new());
    let (mut exports, mut code) = (enc::ExportSection::new(), enc::CodeSection::new());
    memories.memory(enc::MemoryType {
        minimum: 1,
        maximum: Some(1),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    exports.export("memory", enc::ExportKind::Memory, 0);
    for (index, row) in (0..).zip(rows) {
        let list = |types: &[ValType]| types.iter().copied().map(encoded).collect::<Vec<_>>();
        types.ty().function(list(row.params), list(row.results));
        functions.function(index);
        exports.export(row.mnemonic, enc::ExportKind::Func, index);
        let mut body = enc::Function::new([]);
        for (local, _) in (0..).zip(row.params) {
            body.instruction(&enc::Instruction::LocalGet(local));
        }
        let memarg: &[u8] = if matches!(row.imm, Imm::MemArg { .. }) { &[0, 0] } else { &[] };
        body.raw(row.opcode.iter().chain(memarg).copied()).instruction(&enc::Instruction::End);
        code.function(&body);
    }
    let mut module = enc::Module::new();
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);
    module.finish()
}

impl Oracle {
    fn new(rows: &[&Row]) -> Self {
        let mut config = Config::new();
        config.cranelift_nan_canonicalization(true);
        let engine = Engine::new(&config).expect("a sound configuration");
        let module = Module::new(&engine, module(rows)).expect("the signatures in the table type-check");
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
        let memory = instance.get_memory(&mut store, "memory").expect("exported");
        Self { store, instance, memory }
    }

    fn function(&mut self, row: &Row) -> Func {
        self.instance.get_func(&mut self.store, row.mnemonic).expect("exported")
    }

    /// Calls with operands as bits; a function without result yields zero.
    fn call(&mut self, function: Func, row: &Row, operands: &[u64]) -> Outcome {
        let params: Vec<Val> = row.params.iter().zip(operands).map(|(&ty, &bits)| val(ty, bits)).collect();
        let mut results = vec![Val::I32(0); row.results.len()];
        match function.call(&mut self.store, &params, &mut results) {
            Ok(()) => Ok(results.first().map_or(0, bits)),
            Err(error) => {
                let trap = error.downcast::<wasmtime::Trap>().expect("nothing but traps").to_string();
                Err(trap.strip_prefix("wasm trap: ").expect("wasmtime's prefix").to_owned())
            }
        }
    }
}

fn val(ty: ValType, bits: u64) -> Val {
    match ty {
        ValType::I32 => Val::I32(bits as i32),
        ValType::I64 => Val::I64(bits as i64),
        ValType::F32 => Val::F32(bits as u32),
        ValType::F64 => Val::F64(bits),
    }
}

fn bits(val: &Val) -> u64 {
    match *val {
        Val::I32(x) => u64::from(x as u32),
        Val::I64(x) => x as u64,
        Val::F32(x) => u64::from(x),
        Val::F64(x) => x,
        _ => panic!("only numbers"),
    }
}

/// Integers whose sign, width or neighbourhood of a power of two matters, as 64 bits.
fn int_edges() -> Vec<u64> {
    let powers = [5, 6, 7, 8, 15, 16, 24, 31, 32, 53, 63].map(|power| 1u64 << power);
    let around = powers.into_iter().flat_map(|x| [x - 1, x, x + 1, x.wrapping_neg()]);
    // The last two round differently to f32 when they go through f64.
    let patterns = [0xaaaa_aaaa_aaaa_aaaa, 0x0123_4567_89ab_cdef, 0x8000_0080_0000_0001, 0x4000_0040_0000_0001];
    [0, 1, 2, 3, u64::MAX, u64::MAX - 1].into_iter().chain(around).chain(patterns).collect()
}

/// Floats that the two widths share: zeros, halves, the limits of integers, infinities.
fn float_edges() -> Vec<f64> {
    let halves = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.5, 4.5, 0.499_999_97, 8_388_607.5, 8_388_609.0];
    let limits = [31, 32, 53, 63, 64].map(|power| 2f64.powi(power));
    let around = limits.into_iter().flat_map(|x| [x, x + 1.0, x - 1.0, x - 0.1, x.next_up(), x.next_down()]);
    let near = limits.map(|x| f64::from((x as f32).next_down()));
    let extremes = [f64::INFINITY, f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE), f64::from(f32::from_bits(1))];
    let positive = halves.into_iter().chain(around).chain(near).chain(extremes);
    positive.flat_map(|x| [x, -x]).collect()
}

fn f32_edges() -> Vec<u64> {
    let mut edges: Vec<u64> = float_edges().into_iter().map(|x| u64::from((x as f32).to_bits())).collect();
    // Largest subnormal, NaNs: canonical, negative, with payload, signalling.
    edges.extend([0x007f_ffff, 0x7fc0_0000, 0xffc0_0000, 0x7fc1_2345, 0x7f80_0001, 0xff81_2345]);
    edges
}

fn f64_edges() -> Vec<u64> {
    let mut edges: Vec<u64> = float_edges().into_iter().map(f64::to_bits).collect();
    // Where demotion ties, overflows or meets subnormals.
    let demoted = [1.0 + 2f64.powi(-24), 1.0 + 2f64.powi(-24) + f64::EPSILON, 2f64.powi(128) - 2f64.powi(103)];
    edges.extend(demoted.map(f64::to_bits));
    edges.extend([2f64.powi(-150), 2f64.powi(-150).next_up(), f64::MAX, f64::MIN_POSITIVE].map(f64::to_bits));
    edges.extend([1, 0x000f_ffff_ffff_ffff, 0x7ff8_0000_0000_0000, 0xfff8_0000_0000_0000]);
    edges.extend([0x7ff8_0000_1234_5678, 0x7ff0_0000_0000_0001, 0xfff0_1234_5678_9abc]);
    edges
}

fn edges(ty: ValType) -> Vec<u64> {
    let mut edges = match ty {
        ValType::I32 => int_edges().into_iter().flat_map(|x| [x, x >> 32]).map(|x| x & 0xffff_ffff).collect(),
        ValType::I64 => int_edges(),
        ValType::F32 => f32_edges(),
        ValType::F64 => f64_edges(),
    };
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Half the draws are any bits; the rest are of moderate size, where bits seldom land.
fn random(ty: ValType, rng: &mut Rng) -> u64 {
    let any = rng.bits();
    let moderate = rng.below(2) == 0;
    let x = (rng.unit() - 0.5) * 2f64.powi(rng.below(68) as i32);
    match ty {
        ValType::I32 if moderate => any >> (32 + rng.below(32)),
        ValType::I32 => any & 0xffff_ffff,
        ValType::I64 if moderate => any >> rng.below(64),
        ValType::F32 if moderate => u64::from((x as f32).to_bits()),
        ValType::F32 => any & 0xffff_ffff,
        ValType::F64 if moderate => x.to_bits(),
        ValType::I64 | ValType::F64 => any,
    }
}

/// All combinations of edge values, then random operands.
fn operands(params: &[ValType], rng: &mut Rng) -> Vec<Vec<u64>> {
    let mut all = vec![vec![]];
    for &ty in params {
        let values = edges(ty);
        all = all.iter().flat_map(|head| values.iter().map(move |&x| [head.as_slice(), &[x]].concat())).collect();
    }
    all.extend((0..500).map(|_| params.iter().map(|&ty| random(ty, rng)).collect()));
    all
}

/// What the table says the instruction does, for those without memory.
fn ours(row: &Row, operands: &[u64]) -> Option<Result<u64, Trap>> {
    Some(match (row.semantics, operands) {
        (Semantics::Unary(f), &[a]) => Ok(f(a)),
        (Semantics::Binary(f), &[a, b]) => Ok(f(a, b)),
        (Semantics::TryUnary(f), &[a]) => f(a),
        (Semantics::TryBinary(f), &[a, b]) => f(a, b),
        _ => return None,
    })
}

#[test]
fn arithmetic_is_wasmtimes() {
    let rows = computing();
    let mut oracle = Oracle::new(&rows);
    let seed = Seed::new(0);
    for row in rows.iter().filter(|row| !matches!(row.semantics, Semantics::Load(_) | Semantics::Store)) {
        let function = oracle.function(row);
        let mut traps = BTreeSet::new();
        for operands in operands(row.params, &mut seed.child(row.mnemonic).rng()) {
            let ours = ours(row, &operands).expect("as many operands as the semantics take");
            traps.extend(ours.err());
            let theirs = oracle.call(function, row, &operands);
            assert_eq!(ours.map_err(|trap| trap.to_string()), theirs, "{} of {operands:x?}", row.op);
        }
        assert_eq!(traps, row.traps.iter().copied().collect(), "{} traps as the table says", row.op);
    }
}

#[test]
fn loads_are_wasmtimes() {
    let rows = computing();
    let mut oracle = Oracle::new(&rows);
    let mut rng = Seed::new(0).child("loads").rng();
    for row in &rows {
        let (Semantics::Load(load), Imm::MemArg { width }) = (row.semantics, row.imm) else { continue };
        let function = oracle.function(row);
        let last = PAGE - u64::from(width);
        for raw in operands(&[ValType::I64], &mut rng).concat() {
            for address in [0, 3, last] {
                let bytes = raw.to_le_bytes();
                let read = &bytes[..usize::from(width)];
                oracle.memory.data_mut(&mut oracle.store).fill(0xee);
                oracle.memory.write(&mut oracle.store, address as usize, read).expect("in bounds");
                let zero_extended = raw & (u64::MAX >> (64 - 8 * u32::from(width)));
                let theirs = oracle.call(function, row, &[address]);
                assert_eq!(Ok(load(zero_extended)), theirs, "{} of {raw:x} at {address}", row.op);
            }
        }
        assert_out_of_bounds(&mut oracle, row, last + 1, 0);
    }
}

#[test]
fn stores_are_wasmtimes() {
    let rows = computing();
    let mut oracle = Oracle::new(&rows);
    let mut rng = Seed::new(0).child("stores").rng();
    for row in &rows {
        let (Semantics::Store, Imm::MemArg { width }) = (row.semantics, row.imm) else { continue };
        let function = oracle.function(row);
        let last = PAGE - u64::from(width);
        for value in operands(&row.params[1..], &mut rng).concat() {
            for address in [0, 3, last] {
                let mut expected = vec![0xee; PAGE as usize];
                oracle.memory.data_mut(&mut oracle.store).copy_from_slice(&expected);
                expected[address as usize..][..usize::from(width)]
                    .copy_from_slice(&value.to_le_bytes()[..usize::from(width)]);
                assert_eq!(oracle.call(function, row, &[address, value]), Ok(0));
                let same = oracle.memory.data(&oracle.store) == expected;
                assert!(same, "{} of {value:x} at {address} writes its low {width} bytes", row.op);
            }
        }
        assert_out_of_bounds(&mut oracle, row, last + 1, 0);
    }
}

/// An access that ends past the page traps the way the row says.
fn assert_out_of_bounds(oracle: &mut Oracle, row: &Row, address: u64, value: u64) {
    let function = oracle.function(row);
    let theirs = oracle.call(function, row, &[address, value][..row.params.len()]);
    assert_eq!(theirs, Err(Trap::MemoryOutOfBounds.to_string()), "{} at {address}", row.op);
    assert_eq!(row.traps, [Trap::MemoryOutOfBounds]);
}
