//! Owns what a policy sees: a fixed number of features of the program so far, its state, and what is left to spend.
//!
//! Must not know networks. Features are dense and lie roughly in `[-1, 1]`; the layout is the order of the blocks in
//! [`Weaver::observe`], each a constant width.

use super::{Phase, Weaver};
use crate::wasm::isa::{Category, Op};
use crate::wasm::types::ValType;
use crate::weave::action::Action;
use crate::weave::literal::{FloatBucket, IntBucket, VectorBucket, bucket_of};

const PHASES: usize = 25;
const CATEGORIES: usize = Category::ALL.len();
const TYPES: usize = 1 + ValType::ALL.len();
const BUCKETS: usize = IntBucket::ALL.len() + FloatBucket::ALL.len() + VectorBucket::ALL.len() + 2;
/// Operands whose type is seen, from the top.
const SEEN_TYPES: usize = 3;
/// Operands whose value is seen, from the top.
const SEEN_VALUES: usize = 2;
/// Past choices that are seen.
const HISTORY: usize = 8;
const SCOPES: [Op; 4] = [Op::Call, Op::Block, Op::Loop, Op::If];
const NUMBERS: usize = 19;
/// Vector instructions are seen by their category.
const VECTOR_CATEGORIES: usize = CATEGORIES;

/// The blocks of an observation in their order, with their widths, for those who want to read one.
pub const LAYOUT: &[(&str, usize)] = &[
    ("phase", PHASES),
    ("phase_category", CATEGORIES),
    ("phase_type", TYPES),
    ("instructions", Op::SCALARS),
    ("vector_categories", VECTOR_CATEGORIES),
    ("operand_types", SEEN_TYPES * TYPES),
    ("operand_values", SEEN_VALUES * BUCKETS),
    ("block", SCOPES.len()),
    ("block_result", TYPES),
    ("latest_actions", HISTORY * (CATEGORIES + 1)),
    ("locals_and_globals", 2 * ValType::ALL.len()),
    ("budgets_and_sizes", NUMBERS),
];

/// Length of an observation.
pub const OBSERVATION: usize = {
    let (mut sum, mut at) = (0, 0);
    while at < LAYOUT.len() {
        sum += LAYOUT[at].1;
        at += 1;
    }
    sum
};

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
        self.observe_histogram(&mut writer);
        if self.program.seqs.is_empty() || self.phase == Phase::Done {
            return;
        }
        self.observe_operands(&mut writer);
        self.observe_place(&mut writer);
        self.observe_history(&mut writer);
        self.observe_budgets(&mut writer);
        assert_eq!(writer.at, OBSERVATION, "every feature is written");
    }

    fn observe_histogram(&self, writer: &mut Writer<'_>) {
        let (scalars, vectors) = self.histogram.split_at(Op::SCALARS);
        for (out, &count) in writer.out[writer.at..].iter_mut().zip(scalars) {
            *out = f32::from(count.min(4)) / 4.0;
        }
        writer.at += scalars.len();
        // Most of them were never placed: whole stretches are passed over.
        const STRETCH: usize = 16;
        for (ops, counts) in Op::ALL[Op::SCALARS..].chunks(STRETCH).zip(vectors.chunks(STRETCH)) {
            if counts.iter().fold(0, |any, count| any | count) == 0 {
                continue;
            }
            for (op, &count) in ops.iter().zip(counts).filter(|(_, count)| **count > 0) {
                writer.out[writer.at + op.row().category.index()] += f32::from(count.min(4)) / 4.0;
            }
        }
        writer.at += VECTOR_CATEGORIES;
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
                    bucket_start(value.ty) + bucket_of(value) as usize
                }),
            );
        }
    }

    fn observe_place(&self, writer: &mut Writer<'_>) {
        let scope = self.scope();
        writer.one_hot(SCOPES.len(), SCOPES.iter().position(|&op| op == scope.op));
        writer.one_hot(TYPES, Some(scope.results.first().map_or(0, |&ty| type_feature(ty))));
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
        for ty in ValType::ALL {
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
            self.program.tables.len() as f32 / 2.0,
            scope.results.len() as f32 / 2.0,
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

/// Where the buckets of a type start among all buckets.
fn bucket_start(ty: ValType) -> usize {
    const FLOATS: usize = IntBucket::ALL.len();
    const VECTORS: usize = FLOATS + FloatBucket::ALL.len();
    match ty {
        ValType::I32 | ValType::I64 => 0,
        ValType::F32 | ValType::F64 => FLOATS,
        ValType::V128 => VECTORS,
        ValType::FuncRef | ValType::ExternRef => VECTORS + VectorBucket::ALL.len(),
    }
}

/// Number, instruction and type of a phase.
fn describe(phase: Phase) -> (usize, Option<Op>, Option<ValType>) {
    match phase {
        Phase::Instr => (0, None, None),
        Phase::Local(op) => (1, Some(op), None),
        Phase::Global(op) => (2, Some(op), None),
        Phase::GlobalInit(ty, mutable) => (if mutable { 3 } else { 4 }, None, Some(ty)),
        Phase::Label(op) => (5, Some(op), None),
        Phase::Targets => (6, Some(Op::BrTable), None),
        Phase::BlockType(op) => (7, Some(op), None),
        Phase::Results(op) => (8, Some(op), None),
        Phase::Else => (9, None, None),
        Phase::Counted => (10, None, None),
        Phase::Callee(op) => (11, Some(op), None),
        Phase::Params(op) => (12, Some(op), None),
        Phase::Recursive(op) => (13, Some(op), None),
        Phase::Trips => (14, None, None),
        Phase::Combine => (15, None, None),
        Phase::Bucket(ty) => (16, None, Some(ty)),
        Phase::Offset(op) => (17, Some(op), None),
        Phase::Align(op) => (18, Some(op), None),
        Phase::Lane(op) => (19, Some(op), None),
        Phase::Table(op) => (20, Some(op), None),
        Phase::TableFrom(op) => (21, Some(op), None),
        Phase::Segment(op) => (22, Some(op), None),
        Phase::HeapType => (23, None, None),
        Phase::Done => (24, None, None),
    }
}
