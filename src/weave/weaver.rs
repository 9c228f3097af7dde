//! Owns one program in the making: the environment that offers choices and carries them out.
//!
//! Must not know who chooses, or why. [`Weaver::legal`] says what may be chosen now, [`Weaver::step`] does it; between
//! two choices the machine runs on real values to the next place where something is missing. What a choice does stands
//! in `apply`, how execution goes on in `lockstep`, what is legal in `mask`.

pub mod observe;

mod apply;
mod lockstep;
mod mask;

use super::action::{Action, ActionSet};
use super::budget::ByteLedger;
use super::config::WeaveConfig;
use super::scope::{Closing, Effect, Scope};
use crate::seed::Rng;
use crate::wasm::encode::instr_size;
use crate::wasm::isa::Op;
use crate::wasm::machine::Machine;
use crate::wasm::program::{BlockType, Export, Extern, Func, Instr, Program, Seq, SeqId};
use crate::wasm::types::{FuncType, ValType};
use lockstep::Trial;
use mask::Tables;
use std::sync::Arc;

/// The name under which the woven function is exported.
pub const ENTRY: &str = "run";

/// What is to be chosen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The signature of the exported function.
    Entry,
    /// An instruction.
    Instr,
    /// The local of an access.
    Local(Op),
    /// The global of an access.
    Global(Op),
    /// The initial value of a global that is read before anything else.
    GlobalInit(ValType),
    /// The label of a branch.
    Label(Op),
    /// The type of a block.
    BlockType(Op),
    /// Whether an `if` of this type has an `else`.
    Else(BlockType),
    /// Whom to call.
    Callee,
    /// The signature of a new function.
    Signature,
    /// How often the loop that ends here runs.
    Trips,
    /// The bucket of a constant.
    Bucket(ValType),
    /// The offset of a memory access.
    Offset(Op),
    /// Nothing: the program is finished.
    Done,
}

/// Settings, checked and made quick to use. One for all weavers of a preset.
#[derive(Clone, Debug)]
pub struct Loom {
    /// What the user asked for.
    pub config: WeaveConfig,
    /// Legal instructions by operand types.
    tables: Tables,
}

impl Loom {
    /// Prepares checked settings.
    pub fn new(config: WeaveConfig) -> Self {
        let tables = Tables::new(&config);
        Self { config, tables }
    }
}

/// A program in the making.
#[derive(Clone, Debug)]
pub struct Weaver {
    loom: Arc<Loom>,
    program: Program,
    machine: Machine,
    /// What is known about each sequence of the program, by its number.
    scopes: Vec<Scope>,
    ledger: ByteLedger,
    phase: Phase,
    /// The sequence that grows.
    cursor: SeqId,
    /// Whether execution stands at the cursor; once the program has returned, what is left is dead code.
    live: bool,
    trials: Vec<Trial>,
    /// Labels below this one have had their closing fuel taken off the limit.
    fuel_base: u32,
    /// Functions whose call was tried here and failed.
    banned: Vec<u32>,
    /// How often each instruction was placed.
    histogram: [u16; Op::COUNT],
    rng: Rng,
    seed: u64,
    actions: Vec<u16>,
    legal: ActionSet,
    spare_code: Vec<Vec<Instr>>,
}

impl Weaver {
    /// A weaver at the start of the program of this seed.
    pub fn new(loom: Arc<Loom>, seed: u64) -> Self {
        let mut weaver = Self {
            loom,
            program: Program::default(),
            machine: Machine::default(),
            scopes: Vec::new(),
            ledger: ByteLedger::default(),
            phase: Phase::Entry,
            cursor: 0,
            live: true,
            trials: Vec::new(),
            fuel_base: 0,
            banned: Vec::new(),
            histogram: [0; Op::COUNT],
            rng: Rng::from_u64(seed),
            seed,
            actions: Vec::new(),
            legal: ActionSet::default(),
            spare_code: Vec::new(),
        };
        weaver.reset(seed);
        weaver
    }

    /// Starts the program of another seed.
    pub fn reset(&mut self, seed: u64) {
        self.spare_code.extend(self.program.seqs.drain(..).map(|seq| seq.code));
        self.program.types.clear();
        self.program.funcs.clear();
        self.program.globals.clear();
        self.program.memory = None;
        self.program.label_tables.clear();
        self.program.exports.clear();
        self.scopes.clear();
        self.ledger.clear();
        self.trials.clear();
        self.banned.clear();
        self.actions.clear();
        self.histogram.fill(0);
        (self.phase, self.cursor, self.live, self.fuel_base) = (Phase::Entry, 0, true, 0);
        (self.seed, self.rng) = (seed, Rng::from_u64(seed));
        self.legal = self.compute_legal();
    }

    /// What may be chosen now. Empty only when the program is finished.
    pub fn legal(&self) -> &ActionSet {
        &self.legal
    }

    /// Carries out a legal choice; true when the program is finished.
    ///
    /// # Panics
    /// If the choice is not legal.
    pub fn step(&mut self, action: Action) -> bool {
        assert!(self.legal.contains(action), "{action:?} is not legal in {:?}", self.phase);
        self.actions.push(action.number() as u16);
        self.apply(action);
        self.legal = self.compute_legal();
        assert!(self.phase == Phase::Done || !self.legal.is_empty(), "nothing is legal in {:?}", self.phase);
        self.phase == Phase::Done
    }

    /// The seed of this program.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Choices made so far, by number.
    pub fn actions(&self) -> &[u16] {
        &self.actions
    }

    /// What is to be chosen next.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The program; finished when [`Weaver::step`] said so.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The machine that runs it.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The settings.
    pub fn config(&self) -> &WeaveConfig {
        &self.loom.config
    }

    /// Bytes of the module when everything open is closed the cheapest way: its exact size once finished.
    pub fn bytes(&self) -> u32 {
        self.ledger.closed()
    }

    /// Whether the code now being written is executed.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// What is known about the sequence that grows.
    pub fn scope(&self) -> &Scope {
        &self.scopes[self.cursor as usize]
    }

    fn draw(&mut self, ty: ValType, bucket: u32) -> crate::wasm::types::Bits {
        super::literal::draw(ty, bucket, &mut self.rng)
    }

    // Growing

    /// Appends an instruction at the cursor.
    fn place(&mut self, instr: Instr, effect: Effect) {
        let size = instr_size(&self.program, &instr);
        let scope = &mut self.scopes[self.cursor as usize];
        scope.apply(effect);
        scope.dead += u32::from(!self.live);
        self.histogram[instr.op.index()] += 1;
        self.ledger.add_code(scope.func, i64::from(size));
        self.program.seqs[self.cursor as usize].code.push(instr);
        self.reprice(self.cursor);
        self.banned.clear();
        self.phase = Phase::Instr;
    }

    /// Enters in the ledger what closing a sequence costs now.
    fn reprice(&mut self, seq: SeqId) {
        let scope = &mut self.scopes[seq as usize];
        let cost = scope.closing();
        self.ledger.change_reserve(scope.func, scope.cost.bytes, cost.bytes);
        scope.cost = cost;
    }

    /// Makes an open sequence.
    fn open(&mut self, scope: Scope) -> SeqId {
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

    /// Ends a sequence.
    fn close(&mut self, seq: SeqId) {
        let scope = &mut self.scopes[seq as usize];
        self.ledger.change_reserve(scope.func, scope.cost.bytes, 0);
        self.ledger.add_code(scope.func, i64::from(super::scope::TERMINATOR));
        scope.cost = Closing::default();
        self.program.seqs[seq as usize].open = false;
    }

    /// Adds a function with an open body; its type is added unless the module has it.
    fn add_function(&mut self, ty: FuncType) -> u32 {
        let result = ty.results.first().copied();
        let known = self.program.types.iter().position(|known| *known == ty);
        let ty = known.unwrap_or_else(|| {
            self.ledger.add_type(&ty);
            self.program.types.push(ty);
            self.program.types.len() - 1
        }) as u32;
        let func = self.program.funcs.len() as u32;
        self.ledger.add_function();
        let body = self.open(Scope::new(func, None, Op::Call, result, 0));
        self.program.funcs.push(Func { ty, locals: Vec::new(), body, import: None });
        if func == 0 {
            self.program.exports.push(Export { name: ENTRY.into(), kind: Extern::Func, index: func });
        }
        func
    }

    /// Locals of the function at the cursor, parameters included.
    fn local_count(&self) -> u32 {
        let func = self.scope().func;
        (self.program.func_type(func).params.len() + self.program.funcs[func as usize].locals.len()) as u32
    }

    /// Declares a local in the function at the cursor.
    fn add_local(&mut self, ty: ValType) -> u32 {
        let (func, index) = (self.scope().func, self.local_count());
        self.program.funcs[func as usize].locals.push(ty);
        self.ledger.add_local(func, ty);
        if self.live {
            self.machine.declare_local(index, ty);
        }
        index
    }

    /// Whether a local counts the iterations of a loop around the cursor.
    fn is_counter(&self, local: u32) -> bool {
        self.enclosing(self.cursor).any(|seq| self.scopes[seq as usize].counter == Some(local))
    }

    /// A sequence and those around it in its function, innermost first.
    fn enclosing(&self, seq: SeqId) -> impl Iterator<Item = SeqId> + '_ {
        std::iter::successors(Some(seq), |&seq| self.scopes[seq as usize].parent)
    }

    // Closing fuel

    /// Fuel that closing the open blocks from label `from` on costs.
    fn closing_fuel(&self, from: u32) -> u64 {
        (from..self.machine.depth())
            .map(|label| u64::from(self.scopes[self.machine.body_at(label) as usize].cost.fuel))
            .sum()
    }

    /// Fuel left to spend, all closing paid.
    fn spare_fuel(&self) -> i64 {
        let spent = self.machine.fuel() + self.closing_fuel(self.fuel_base);
        self.machine.fuel_limit as i64 - spent as i64
    }
}
