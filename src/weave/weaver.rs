//! Owns one program in the making: the environment that offers choices and carries them out.
//!
//! Must not know who chooses, or why. [`Weaver::legal`] says what may be chosen now, [`Weaver::step`] does it; between
//! two choices the machine runs on real values to the next place where something is missing. What a choice does stands
//! in `apply`, how execution goes on in `lockstep`, what is legal in `mask`.

pub mod goal;
pub mod observe;

mod apply;
mod declare;
mod grow;
mod lockstep;
mod mask;
mod time;
mod trial;

use super::action::{Action, ActionSet};
use super::budget::{ByteLedger, enter_imports, smallest_program};
use super::config::{WeaveConfig, WeaveConfigError};
use super::scope::{Closing, Scope, Signature};
use crate::seed::Rng;
use crate::wasm::isa::Op;
use crate::wasm::machine::Machine;
use crate::wasm::program::{Instr, Program, SeqId};
use crate::wasm::types::{Bits, ValType};
pub(super) use mask::Kinds;
use mask::Tables;
use std::cell::OnceCell;
use std::sync::Arc;
use time::Timer;
use trial::Trial;

/// The name under which the woven function is exported.
pub const ENTRY: &str = "run";

/// What is to be chosen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// An instruction.
    Instr,
    /// The local of an access.
    Local(Op),
    /// The global of an access.
    Global(Op),
    /// The initial value of a global that is read before anything else.
    GlobalInit(ValType, bool),
    /// The label of a branch; of a `br_table` the next one.
    Label(Op),
    /// How many labels a `br_table` has.
    Targets,
    /// The type of a block, or how many operands it takes.
    BlockType(Op),
    /// The next result of the signature of a block, a new function, or the exported function.
    Results(Op),
    /// Whether an `if` has an `else`.
    Else,
    /// Whether a loop counts.
    Counted,
    /// The function to call or to refer to.
    Callee(Op),
    /// How many operands a new function takes.
    Params(Op),
    /// Whether a new function can call itself.
    Recursive(Op),
    /// How often the loop that ends here runs.
    Trips,
    /// Whether the function calls itself, and what it does with the result.
    Combine,
    /// The bucket of a constant.
    Bucket(ValType),
    /// The offset of a memory access.
    Offset(Op),
    /// The alignment of a memory access.
    Align(Op),
    /// The lane of a vector.
    Lane(Op),
    /// The table of an access.
    Table(Op),
    /// The table that `table.copy` reads.
    TableFrom(Op),
    /// The element or data segment of an access.
    Segment(Op),
    /// What a null reference could refer to.
    HeapType,
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
    /// The types that values have.
    types: Vec<ValType>,
    /// Costs of instructions, where there are any.
    costs: Option<Arc<[u32]>>,
    /// The imports alone.
    base: Program,
    /// Bytes of the smallest program with them.
    smallest: u32,
}

impl Loom {
    /// Checks settings and prepares them.
    ///
    /// # Errors
    /// The first that does not fit the others or the weaver.
    pub fn new(config: WeaveConfig) -> Result<Self, WeaveConfigError> {
        config.check()?;
        let mut base = Program::default();
        config.imports.declare(&mut base);
        let tables = Tables::new(&config);
        let costs = config.cost_table().map(Arc::from);
        let smallest = smallest_program(config.imports.bytes());
        Ok(Self { types: mask::value_types(&config), tables, costs, base, smallest, config })
    }
}

/// The parts of an instruction that have been chosen before it can be placed.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// Parameters and results of a signature.
    signature: Signature,
    table: u32,
    segment: u32,
    offset: u32,
    align: u32,
    /// Labels of a `br_table` still to choose.
    targets: u32,
}

impl Default for Pending {
    fn default() -> Self {
        Self { signature: Signature::NONE, table: 0, segment: 0, offset: 0, align: 0, targets: 0 }
    }
}

/// What is left to spend when everything open is closed.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    bytes: i64,
    fuel: i64,
    /// What of it is safe to spend without a look at how closing changes.
    easy_bytes: i64,
    easy_fuel: i64,
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
    pending: Pending,
    /// The sequence that grows.
    cursor: SeqId,
    /// Whether execution stands at the cursor; once the program has returned, what is left is dead code.
    live: bool,
    trials: Vec<Trial>,
    /// Labels below this one have had their closing fuel taken off the limit.
    fuel_base: u32,
    /// What was tried here and failed: the instruction, and its function or label.
    banned: Vec<(Op, u32)>,
    /// Tables whose initial elements can still be chosen.
    pliable: Vec<bool>,
    /// Operand types of the labels of the `br_table` being chosen.
    targets: Vec<u32>,
    /// How often each instruction was placed.
    histogram: [u16; Op::COUNT],
    timer: Timer,
    rng: Rng,
    seed: u64,
    actions: Vec<u16>,
    /// The legal choices, once all of them have been asked for.
    legal: OnceCell<ActionSet>,
    room: Room,
    spare_code: Vec<Vec<Instr>>,
}

impl Weaver {
    /// A weaver at the start of the program of this seed.
    pub fn new(loom: Arc<Loom>, seed: u64) -> Self {
        let timer = Timer::new(loom.costs.clone());
        let mut weaver = Self {
            loom,
            program: Program::default(),
            machine: Machine::default(),
            scopes: Vec::new(),
            ledger: ByteLedger::default(),
            phase: Phase::Done,
            pending: Pending::default(),
            cursor: 0,
            live: true,
            trials: Vec::new(),
            fuel_base: 0,
            banned: Vec::new(),
            pliable: Vec::new(),
            targets: Vec::new(),
            histogram: [0; Op::COUNT],
            timer,
            rng: Rng::from_u64(seed),
            seed,
            actions: Vec::new(),
            legal: OnceCell::new(),
            room: Room::default(),
            spare_code: Vec::new(),
        };
        weaver.reset(seed);
        weaver
    }

    /// Starts the program of another seed.
    pub fn reset(&mut self, seed: u64) {
        self.spare_code.extend(self.program.seqs.drain(..).map(|seq| seq.code));
        clear(&mut self.program);
        self.scopes.clear();
        self.ledger.clear();
        self.trials.clear();
        self.banned.clear();
        self.pliable.clear();
        self.actions.clear();
        self.histogram.fill(0);
        self.timer.reset();
        // Of what was woven before nothing is left: no block, should it not have been finished, and no fuel to be seen
        // before the function begins.
        self.machine.reset(&self.program, 0);
        self.machine.fuel_limit = 0;
        (self.cursor, self.live, self.fuel_base) = (0, true, 0);
        (self.seed, self.rng) = (seed, Rng::from_u64(seed));
        let loom = self.loom.clone();
        if loom.base != Program::default() {
            self.program.clone_from(&loom.base);
            enter_imports(&mut self.ledger, &self.program);
        }
        self.pending = Pending::default();
        self.phase = Phase::Results(Op::End);
        if loom.config.limits.results == 0 {
            self.begin();
        }
        self.measure();
        self.legal = OnceCell::new();
    }

    /// What may be chosen now. Empty only when the program is finished.
    #[inline]
    pub fn legal(&self) -> &ActionSet {
        self.legal.get_or_init(|| self.compute_legal())
    }

    /// Carries out a legal choice; true when the program is finished.
    ///
    /// # Panics
    /// If the choice is not legal.
    pub fn step(&mut self, action: Action) -> bool {
        self.step_number(action.number())
    }

    /// As [`Weaver::step`], with the action's number.
    ///
    /// # Panics
    /// If the choice is not legal.
    pub fn step_number(&mut self, number: usize) -> bool {
        assert!(self.is_legal(number), "action {number} is not legal in {:?}", self.phase);
        self.carry_out(number)
    }

    /// Carries out a choice that is known to be legal.
    #[inline]
    pub(super) fn carry_out(&mut self, number: usize) -> bool {
        debug_assert!(self.legal().contains_number(number), "action {number} is not legal in {:?}", self.phase);
        self.actions.push(number as u16);
        if matches!(self.phase, Phase::Instr) {
            self.choose(Op::ALL[number]);
            // An instruction that waits for its immediate has changed nothing else.
            if matches!(self.phase, Phase::Instr | Phase::Done) {
                self.measure();
            }
        } else {
            self.apply(Action::from_number(number));
            self.measure();
        }
        self.legal = OnceCell::new();
        debug_assert!(self.phase == Phase::Done || !self.legal().is_empty(), "nothing is legal in {:?}", self.phase);
        debug_assert!(self.phase == Phase::Done || self.room.bytes >= 0, "{:?}", self.room);
        debug_assert!(self.types_are_real(), "not the operands there: {:?}", self.scope().types);
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

    /// The index of the exported function.
    pub fn entry(&self) -> u32 {
        self.loom.base.funcs.len() as u32
    }

    /// Bytes of the module when everything open is closed the cheapest way: its exact size once finished.
    pub fn bytes(&self) -> u32 {
        self.ledger.closed()
    }

    /// What the instructions executed so far cost; zero where no costs are given.
    pub fn time(&self) -> u64 {
        self.timer.spent()
    }

    /// Whether the code now being written is executed.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// What is known about the sequence that grows.
    #[inline]
    pub fn scope(&self) -> &Scope {
        &self.scopes[self.cursor as usize]
    }

    fn draw(&mut self, ty: ValType, bucket: u32) -> Bits {
        super::literal::draw(ty, bucket, &mut self.rng)
    }

    /// Whether a local counts the iterations of a loop around the cursor.
    fn is_counter(&self, local: u32) -> bool {
        self.enclosing(self.cursor).any(|seq| self.scopes[seq as usize].counter == Some(local))
    }

    /// A sequence and those around it in its function, innermost first.
    fn enclosing(&self, seq: SeqId) -> impl Iterator<Item = SeqId> + '_ {
        std::iter::successors(Some(seq), |&seq| self.scopes[seq as usize].parent)
    }

    /// Whether the operand types at the cursor are those of the operands that the machine holds there.
    fn types_are_real(&self) -> bool {
        if !self.live || self.phase != Phase::Instr {
            return true;
        }
        let held = self.machine.frame_levels().last().copied().unwrap_or(0) as usize;
        let operands = self.machine.frame_operands();
        let operands = operands.skip(self.machine.frame_operands().len() - held);
        operands.map(|operand| operand.ty).eq(self.scope().types.iter().copied())
    }

    // Closing fuel

    /// What closing the open blocks from label `from` on costs.
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

    /// What is left to spend now. In dead code fuel is no matter.
    #[inline]
    fn measure(&mut self) {
        let bytes = i64::from(self.config().bytes.max) - i64::from(self.ledger.closed());
        let fuel = if self.live { self.spare_fuel() } else { i64::from(u32::MAX) };
        let slack = self.scopes.get(self.cursor as usize).map_or(Closing::default(), |scope| scope.slack);
        /// More than LEB128 lengths can grow by any one instruction.
        const LENGTHS: i64 = 8;
        let timed = if self.timer.is_on() { i64::MIN / 2 } else { 0 };
        let room = &mut self.room;
        (room.bytes, room.fuel) = (bytes, fuel);
        room.easy_bytes = bytes - i64::from(slack.bytes) - LENGTHS + timed;
        room.easy_fuel = fuel - i64::from(slack.fuel);
    }

    /// Enters in the ledger what closing a sequence costs now.
    fn reprice(&mut self, seq: SeqId) {
        self.enter_code(seq, 0);
    }

    /// Enters in the ledger so many more bytes of code, and what closing the sequence costs now.
    #[inline]
    fn enter_code(&mut self, seq: SeqId, bytes: u32) {
        let scope = &mut self.scopes[seq as usize];
        let cost = scope.closing();
        self.ledger.add_code_and_reserve(scope.func, bytes, scope.cost.bytes, cost.bytes);
        scope.cost = cost;
    }

    /// Ends a sequence.
    fn close(&mut self, seq: SeqId) {
        let scope = &mut self.scopes[seq as usize];
        self.ledger.change_reserve(scope.func, scope.cost.bytes, 0);
        self.ledger.add_code(scope.func, i64::from(super::scope::TERMINATOR));
        scope.cost = Closing::default();
        self.program.seqs[seq as usize].open = false;
    }
}

/// Empties a program and keeps its allocations.
fn clear(program: &mut Program) {
    program.types.clear();
    program.funcs.clear();
    program.tables.clear();
    program.memory = None;
    program.globals.clear();
    program.exports.clear();
    program.elems.clear();
    program.datas.clear();
    program.label_tables.clear();
    program.vectors.clear();
}
