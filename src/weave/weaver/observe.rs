//! Owns what a policy sees: a fixed number of features of the program so far, its state, and what is left to spend.
//!
//! Must not know networks. Features are dense and lie roughly in `[-1, 1]`; the layout is the order of the blocks in
//! [`Weaver::observe`], each a constant width.

use super::{Phase, Weaver};
use crate::wasm::isa::{Category, Op};
use crate::wasm::types::ValType;
use crate::weave::action::Action;
use crate::weave::literal::{FloatBucket, IntBucket, bucket_of};

const PHASES: usize = 14;
const CATEGORIES: usize = Category::ALL.len();
const TYPES: usize = 1 + ValType::NUMBERS.len();
const BUCKETS: usize = IntBucket::ALL.len() + FloatBucket::ALL.len();
/// Operands whose type is seen, from the top.
const SEEN_TYPES: usize = 3;
/// Operands whose value is seen, from the top.
const SEEN_VALUES: usize = 2;
/// Past choices that are seen.
const HISTORY: usize = 8;
const SCOPES: [Op; 4] = [Op::Call, Op::Block, Op::Loop, Op::If];
const NUMBERS: usize = 17;

/// Length of an observation.
pub const OBSERVATION: usize = PHASES
    + CATEGORIES
    + TYPES
    + Op::COUNT
    + SEEN_TYPES * TYPES
    + SEEN_VALUES * BUCKETS
    + SCOPES.len()
    + TYPES
    + HISTORY * (CATEGORIES + 1)
    + 2 * ValType::NUMBERS.len()
    + NUMBERS;

/// Writes blocks of features one after another.
struct Writer<'a> {
    out: &'a mut [f32],
    at: usize,
}

impl Writer<'_> {
    /// A block of `width` features of which at most one is 1.
    fn one_hot(&mut self, width: usize, hot: Option<usize>) {
        if let Some(hot) = hot {
            assert!(hot < width, "feature {hot} of {width}");
            self.out[self.at + hot] = 1.0;
        }
        self.at += width;
    }

    fn number(&mut self, value: f32) {
        self.out[self.at] = value;
        self.at += 1;
    }
}

impl Weaver {
    /// Writes the features of this moment; `out` is [`OBSERVATION`] long.
    pub fn observe(&self, out: &mut [f32]) {
        out.fill(0.0);
        let mut writer = Writer { out, at: 0 };
        let (phase, op, ty) = describe(self.phase);
        writer.one_hot(PHASES, Some(phase));
        writer.one_hot(CATEGORIES, op.map(|op| op.row().category.index()));
        writer.one_hot(TYPES, ty.map(type_feature));
        for &count in &self.histogram {
            writer.number(f32::from(count.min(4)) / 4.0);
        }
        if self.phase == Phase::Entry || self.phase == Phase::Done {
            return;
        }
        self.observe_operands(&mut writer);
        self.observe_place(&mut writer);
        self.observe_history(&mut writer);
        self.observe_budgets(&mut writer);
        assert_eq!(writer.at, OBSERVATION, "every feature is written");
    }

    fn observe_operands(&self, writer: &mut Writer<'_>) {
        let scope = self.scope();
        for down in 0..SEEN_TYPES {
            writer.one_hot(TYPES, Some(scope.peek(down).map_or(0, type_feature)));
        }
        for down in 0..SEEN_VALUES {
            let seen = self.live && scope.types.len() > down;
            writer.one_hot(
                BUCKETS,
                seen.then(|| {
                    let value = self.machine.operand(down as u32);
                    let floats = if value.ty.is_float() { IntBucket::ALL.len() } else { 0 };
                    floats + bucket_of(value) as usize
                }),
            );
        }
    }

    fn observe_place(&self, writer: &mut Writer<'_>) {
        let scope = self.scope();
        writer.one_hot(SCOPES.len(), SCOPES.iter().position(|&op| op == scope.op));
        writer.one_hot(TYPES, Some(scope.result.map_or(0, type_feature)));
    }

    fn observe_history(&self, writer: &mut Writer<'_>) {
        let mut past = self.actions().iter().rev();
        for _ in 0..HISTORY {
            let feature = past.next().map(|&number| match Action::from_number(number.into()) {
                Action::Instr(op) => op.row().category.index(),
                _ => CATEGORIES,
            });
            writer.one_hot(CATEGORIES + 1, feature);
        }
    }

    fn observe_budgets(&self, writer: &mut Writer<'_>) {
        let (scope, config) = (self.scope(), self.config());
        let func = &self.program.funcs[scope.func as usize];
        for ty in ValType::NUMBERS {
            let locals = func.locals.iter().filter(|&&local| local == ty).count();
            let globals = self.program.globals.iter().filter(|global| global.ty == ty).count();
            writer.number(locals as f32 / 4.0);
            writer.number(globals as f32 / 4.0);
        }
        let bytes_left = (config.bytes.max - self.bytes()) as f32;
        let fuel_left = if self.live { self.spare_fuel() as f32 } else { 0.0 };
        let numbers: [f32; NUMBERS] = [
            bytes_left / config.bytes.max as f32,
            bytes_left.min(32.0) / 32.0,
            fuel_left / config.fuel.max as f32,
            fuel_left.min(16.0) / 16.0,
            flag(self.machine.fuel() >= u64::from(config.fuel.min)),
            flag(self.bytes() >= config.bytes.min),
            scope.types.len() as f32 / 8.0,
            scope.depth as f32 / 8.0,
            scope.dead as f32 / 8.0,
            flag(self.live),
            flag(scope.polymorphic),
            flag(!self.trials.is_empty()),
            flag(scope.func == 0),
            self.machine.depth() as f32 / 8.0,
            self.program.funcs.len() as f32 / 8.0,
            flag(self.program.memory.is_some()),
            func.locals.len() as f32 / 16.0,
        ];
        numbers.into_iter().for_each(|value| writer.number(value));
    }
}

fn flag(value: bool) -> f32 {
    if value { 1.0 } else { 0.0 }
}

fn type_feature(ty: ValType) -> usize {
    1 + ty.index()
}

/// Number, instruction and type of a phase.
fn describe(phase: Phase) -> (usize, Option<Op>, Option<ValType>) {
    match phase {
        Phase::Entry => (0, None, None),
        Phase::Instr => (1, None, None),
        Phase::Local(op) => (2, Some(op), None),
        Phase::Global(op) => (3, Some(op), None),
        Phase::GlobalInit(ty) => (4, None, Some(ty)),
        Phase::Label(op) => (5, Some(op), None),
        Phase::BlockType(op) => (6, Some(op), None),
        Phase::Else(_) => (7, None, None),
        Phase::Callee => (8, None, None),
        Phase::Signature => (9, None, None),
        Phase::Trips => (10, None, None),
        Phase::Bucket(ty) => (11, None, Some(ty)),
        Phase::Offset(op) => (12, Some(op), None),
        Phase::Done => (13, None, None),
    }
}
