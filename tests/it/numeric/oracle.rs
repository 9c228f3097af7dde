//! Owns wasmtime with one function per instruction and immediate.

use wasm_encoder as enc;
use wasmtime::{Config, Engine, Func, Instance, Memory, Module, Store, Val};
use wasmweaver::seed::Rng;
use wasmweaver::wasm::encode::val_type;
use wasmweaver::wasm::isa::{Imm, Op, Row, Semantics};
use wasmweaver::wasm::types::{Bits, ValType};

/// What one instruction did: the bits it pushed, or the text of its trap.
pub(super) type Outcome = Result<Bits, String>;

/// An instruction that is a function of its operands (and memory), with its immediates.
pub(super) struct Form {
    pub(super) row: &'static Row,
    /// The lane, or the lane numbers of a shuffle; else zero.
    pub(super) lanes: Bits,
}

/// Every instruction that computes; once for each lane, and with many shuffles.
pub(super) fn forms(rng: &mut Rng) -> Vec<Form> {
    let mut forms = vec![];
    for row in Op::ALL.iter().map(|op| op.row()).filter(|row| !matches!(row.semantics, Semantics::Special)) {
        let lanes: Vec<Bits> = match row.imm {
            Imm::Lane { width } | Imm::MemArgLane { width } => (0..16 / Bits::from(width)).collect(),
            Imm::Shuffle => shuffles(rng),
            _ => vec![0],
        };
        forms.extend(lanes.into_iter().map(|lanes| Form { row, lanes }));
    }
    forms
}

/// Both operands as they are, one lane everywhere, and any others.
fn shuffles(rng: &mut Rng) -> Vec<Bits> {
    let first = std::array::from_fn(|lane| lane as u8);
    let mut all = vec![first, first.map(|lane| lane + 16), first.map(|lane| 31 - lane), [17; 16]];
    all.extend((0..30).map(|_| first.map(|_| rng.below(32) as u8)));
    all.into_iter().map(Bits::from_le_bytes).collect()
}

impl Form {
    /// The name of its function.
    fn name(&self) -> String {
        format!("{} {:x}", self.row.op, self.lanes)
    }

    /// What stands behind its opcode: no offset, the least alignment.
    fn immediate(&self) -> Vec<u8> {
        match self.row.imm {
            Imm::None => vec![],
            Imm::MemArg { .. } => vec![0, 0],
            Imm::MemArgLane { .. } => vec![0, 0, self.lanes as u8],
            Imm::Lane { .. } => vec![self.lanes as u8],
            Imm::Shuffle => self.lanes.to_le_bytes().to_vec(),
            other => panic!("{} has {other:?} and computes by itself", self.row.op),
        }
    }
}

/// One instance of a module that exports each instruction as a function of its operands.
pub(super) struct Oracle {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

/// Bytes in the one page of the memory.
pub(super) const PAGE: usize = 65_536;

/// The module: a memory and, for each form, a function named after it that does nothing else.
fn module(forms: &[Form]) -> Vec<u8> {
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
    for (index, form) in (0..).zip(forms) {
        let list = |types: &[ValType]| types.iter().copied().map(val_type).collect::<Vec<_>>();
        types.ty().function(list(form.row.params), list(form.row.results));
        functions.function(index);
        exports.export(&form.name(), enc::ExportKind::Func, index);
        let mut body = enc::Function::new([]);
        for (local, _) in (0..).zip(form.row.params) {
            body.instruction(&enc::Instruction::LocalGet(local));
        }
        body.raw(form.row.opcode.iter().copied().chain(form.immediate())).instruction(&enc::Instruction::End);
        code.function(&body);
    }
    let mut module = enc::Module::new();
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);
    module.finish()
}

impl Oracle {
    pub(super) fn new(forms: &[Form]) -> Self {
        let mut config = Config::new();
        config.cranelift_nan_canonicalization(true);
        let engine = Engine::new(&config).expect("a sound configuration");
        let module = Module::new(&engine, module(forms)).expect("the signatures in the table type-check");
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
        let memory = instance.get_memory(&mut store, "memory").expect("exported");
        Self { store, instance, memory }
    }

    pub(super) fn function(&mut self, form: &Form) -> Func {
        self.instance.get_func(&mut self.store, &form.name()).expect("exported")
    }

    /// The whole memory.
    pub(super) fn memory(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }

    /// Calls with operands as bits; a function without result yields zero.
    pub(super) fn call(&mut self, function: Func, row: &Row, operands: &[Bits]) -> Outcome {
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

fn val(ty: ValType, bits: Bits) -> Val {
    match ty {
        ValType::I32 => Val::I32(bits as i32),
        ValType::I64 => Val::I64(bits as i64),
        ValType::F32 => Val::F32(bits as u32),
        ValType::F64 => Val::F64(bits as u64),
        ValType::V128 => Val::V128(bits.into()),
        ValType::FuncRef | ValType::ExternRef => panic!("nothing computes with references"),
    }
}

fn bits(val: &Val) -> Bits {
    match *val {
        Val::I32(x) => Bits::from(x as u32),
        Val::I64(x) => Bits::from(x as u64),
        Val::F32(x) => Bits::from(x),
        Val::F64(x) => Bits::from(x),
        Val::V128(x) => x.as_u128(),
        _ => panic!("only numbers and vectors"),
    }
}
