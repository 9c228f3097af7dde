//! Owns how the tree of code grows: instructions, sequences, functions and locals, with their price.
//!
//! Must not know which choice made it grow.

use super::{ENTRY, Phase, Weaver};
use crate::wasm::encode::instr_size;
use crate::wasm::isa::Op;
use crate::wasm::program::{BlockType, Export, Extern, Func, Instr, Seq, SeqId};
use crate::wasm::types::{FuncType, ValType};
use crate::weave::scope::{Effect, Scope, Signature, Types};

impl Weaver {
    /// Appends an instruction at the cursor.
    pub(super) fn place(&mut self, instr: Instr, effect: &Effect) {
        let size = instr_size(&self.program, &instr);
        self.place_sized(instr.op, instr.a, instr.b, effect, size);
    }

    /// As [`Weaver::place`], of an instruction of so many bytes. Its fields come one by one, since an instruction in
    /// memory that was only just written there is slow to copy.
    #[inline]
    pub(super) fn place_sized(&mut self, op: Op, a: u32, b: u64, effect: &Effect, size: u32) {
        let scope = &mut self.scopes[self.cursor as usize];
        scope.apply(effect);
        scope.dead += u32::from(!self.live);
        self.histogram[op.index()] += 1;
        self.program.seqs[self.cursor as usize].code.push(Instr { op, a, b });
        self.enter_code(self.cursor, size);
        self.banned.clear();
        self.phase = Phase::Instr;
    }

    /// Appends instructions behind the end of a sequence's own accounting: its `end` is due.
    pub(super) fn place_tail(&mut self, seq: SeqId, tail: &[Instr]) {
        let func = self.scopes[seq as usize].func;
        for instr in tail {
            self.ledger.add_code(func, i64::from(instr_size(&self.program, instr)));
            self.histogram[instr.op.index()] += 1;
            self.program.seqs[seq as usize].code.push(*instr);
        }
    }

    /// Takes back the last instructions of a sequence.
    pub(super) fn cut_to(&mut self, seq: SeqId, len: usize) {
        let func = self.scopes[seq as usize].func;
        while self.program.seqs[seq as usize].code.len() > len {
            let instr = self.program.seqs[seq as usize].code.pop().expect("longer than that");
            self.ledger.add_code(func, -i64::from(instr_size(&self.program, &instr)));
            self.histogram[instr.op.index()] -= 1;
        }
    }

    pub(super) fn place_and_run(&mut self, instr: Instr, effect: Effect) {
        self.place(instr, &effect);
        self.advance();
    }

    /// Makes an open sequence.
    pub(super) fn open(&mut self, scope: Scope) -> SeqId {
        let code = self.spare_code.pop().map_or_else(Vec::new, |mut code| {
            code.clear();
            code
        });
        self.program.seqs.push(Seq { code, open: true });
        self.scopes.push(scope);
        let seq = self.program.seqs.len() as SeqId - 1;
        self.reprice(seq);
        seq
    }

    /// The number of a function type, which is added unless the module has it.
    pub(super) fn type_index(&mut self, signature: &Signature) -> u32 {
        let Signature { params, results } = signature;
        let same = |ty: &FuncType| *ty.params == **params && *ty.results == **results;
        let known = self.program.types.iter().position(same);
        known.unwrap_or_else(|| {
            let ty = FuncType { params: params.to_vec(), results: results.to_vec() };
            self.ledger.add_type(&ty);
            self.program.types.push(ty);
            self.program.types.len() - 1
        }) as u32
    }

    /// The type of a block with this signature.
    pub(super) fn block_type(&mut self, signature: &Signature) -> BlockType {
        match (&*signature.params, &*signature.results) {
            ([], []) => BlockType::Empty,
            ([], [ty]) => BlockType::Value(*ty),
            _ => BlockType::Func(self.type_index(signature)),
        }
    }

    /// Adds a function with an open body.
    pub(super) fn add_function(&mut self, signature: &Signature) -> u32 {
        let ty = self.type_index(signature);
        let func = self.program.funcs.len() as u32;
        self.ledger.add_function();
        let body = self.open(Scope::new(func, None, Op::Call, *signature, 0));
        self.program.funcs.push(Func { ty, locals: Vec::new(), body, import: None });
        if func == self.entry() {
            self.program.exports.push(Export { name: ENTRY.into(), kind: Extern::Func, index: func });
        }
        func
    }

    /// Starts the exported function, whose results have been chosen.
    pub(super) fn begin(&mut self) {
        let signature = self.pending.signature;
        let func = self.add_function(&signature);
        self.machine.reset(&self.program, self.config().limits.locals);
        self.machine.fuel_limit = u64::from(self.config().fuel.max);
        self.machine.invoke(&self.program, func, &[]).expect("the fuel of one activation was checked");
        self.phase = Phase::Instr;
        self.advance();
    }

    /// Parameters and results of a function.
    pub(super) fn signature(&self, func: u32) -> Signature {
        let ty = self.program.func_type(func);
        Signature::of(Types::of(&ty.params), Types::of(&ty.results))
    }

    /// Locals of the function at the cursor, parameters included.
    #[inline]
    pub(super) fn local_count(&self) -> u32 {
        let func = self.scope().func;
        (self.program.func_type(func).params.len() + self.program.funcs[func as usize].locals.len()) as u32
    }

    /// The type of a local of the function at the cursor.
    #[inline]
    pub(super) fn local_type(&self, index: u32) -> ValType {
        let func = self.scope().func;
        let params = &self.program.func_type(func).params;
        let declared = || self.program.funcs[func as usize].locals[index as usize - params.len()];
        params.get(index as usize).copied().unwrap_or_else(declared)
    }

    /// Declares a local in the function at the cursor.
    pub(super) fn add_local(&mut self, ty: ValType) -> u32 {
        let (func, index) = (self.scope().func, self.local_count());
        self.program.funcs[func as usize].locals.push(ty);
        self.ledger.add_local(func, ty);
        if self.live {
            self.machine.declare_local(index, ty);
        }
        index
    }
}
