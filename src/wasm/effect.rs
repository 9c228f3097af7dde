//! Owns what instructions pop off the operand stack and push onto it.
//!
//! Must not know values, nor how a program comes to be. The instruction table has the operands that are the same in any
//! module. What it leaves open stands here once, for all who type code: the weaver's mask, the shrinker, what follows
//! values, and the schema.

use super::isa::{Imm, Op};
use super::program::{Instr, Program};
use super::types::{FuncType, ValType};
use std::ops::Deref;

#[cfg(test)]
mod tests;

/// One word of a signature such as `[t1* i32] -> [t2*]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// An operand of this type.
    Is(ValType),
    /// An operand of a type that something else decides: the immediate, what it names, or the operands. All that are
    /// left open in one signature have the same.
    Open,
    /// The parameters of a block or function.
    Params,
    /// The results of a block or function.
    Results,
    /// What a label carries, or what a block or function leaves at its end.
    Carried,
}

/// One side of a signature, top of the stack last.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    len: u8,
    words: [Word; Side::MAX],
}

impl Side {
    /// As many words as any side has.
    const MAX: usize = 3;

    const fn of(words: &[Word]) -> Self {
        let mut side = Self { len: words.len() as u8, words: [Word::Open; Self::MAX] };
        let mut at = 0;
        while at < words.len() {
            side.words[at] = words[at];
            at += 1;
        }
        side
    }

    const fn of_types(types: &[ValType]) -> Self {
        let mut side = Self { len: types.len() as u8, words: [Word::Open; Self::MAX] };
        let mut at = 0;
        while at < types.len() {
            side.words[at] = Word::Is(types[at]);
            at += 1;
        }
        side
    }

    /// The word at a place, in constants.
    pub const fn word(&self, at: usize) -> Option<Word> {
        if at < self.len as usize { Some(self.words[at]) } else { None }
    }

    /// How many operands these are, those of a block, a function or a label apart.
    pub const fn operands(&self) -> usize {
        let (mut count, mut at) = (0, 0);
        while let Some(word) = self.word(at) {
            if matches!(word, Word::Is(_) | Word::Open) {
                count += 1;
            }
            at += 1;
        }
        count
    }
}

impl Deref for Side {
    type Target = [Word];

    #[inline]
    fn deref(&self) -> &[Word] {
        &self.words[..usize::from(self.len)]
    }
}

/// What an instruction does to the operand stack in any module (the stack types of spec 3.3).
#[derive(Clone, Copy, Debug)]
pub struct StackType {
    /// What it pops.
    pub popped: Side,
    /// What it pushes.
    pub pushed: Side,
    /// Whether control never comes to the next instruction: all other operands of the frame go, too.
    pub leaves: bool,
}

impl StackType {
    /// Of an instruction.
    #[inline]
    pub const fn of(op: Op) -> &'static Self {
        &STACK_TYPES[op.index()]
    }
}

/// The signature of every instruction, by its number.
static STACK_TYPES: [StackType; Op::COUNT] = {
    let mut all = [StackType { popped: Side::of(&[]), pushed: Side::of(&[]), leaves: false }; Op::COUNT];
    let mut index = 0;
    while index < Op::COUNT {
        let op = Op::ALL[index];
        let (popped, pushed) = match open(op) {
            Some((popped, pushed)) => (Side::of(popped), Side::of(pushed)),
            None => (Side::of_types(op.row().params), Side::of_types(op.row().results)),
        };
        all[index] = StackType { popped, pushed, leaves: leaves(op) };
        index += 1;
    }
    all
};

/// The signatures that the instruction table leaves open.
const fn open(op: Op) -> Option<(&'static [Word], &'static [Word])> {
    use Word::{Carried, Open, Params, Results};
    const I32: Word = Word::Is(ValType::I32);
    Some(match op {
        Op::Block | Op::Loop | Op::Call => (&[Params], &[Results]),
        Op::If | Op::CallIndirect => (&[Params, I32], &[Results]),
        Op::Else => (&[Results], &[Params]),
        Op::End => (&[Carried], &[Carried]),
        Op::Br | Op::Return => (&[Carried], &[]),
        Op::BrIf => (&[Carried, I32], &[Carried]),
        Op::BrTable => (&[Carried, I32], &[]),
        Op::ReturnCall => (&[Params], &[]),
        Op::ReturnCallIndirect => (&[Params, I32], &[]),
        Op::RefNull | Op::LocalGet | Op::GlobalGet => (&[], &[Open]),
        Op::RefIsNull => (&[Open], &[I32]),
        Op::Drop | Op::LocalSet | Op::GlobalSet => (&[Open], &[]),
        Op::LocalTee => (&[Open], &[Open]),
        Op::Select | Op::TypedSelect => (&[Open, Open, I32], &[Open]),
        Op::TableGet => (&[I32], &[Open]),
        Op::TableSet => (&[I32, Open], &[]),
        Op::TableGrow => (&[Open, I32], &[I32]),
        Op::TableFill => (&[I32, Open, I32], &[]),
        _ => return None,
    })
}

const fn leaves(op: Op) -> bool {
    matches!(op, Op::Unreachable | Op::Br | Op::BrTable | Op::Return | Op::ReturnCall | Op::ReturnCallIndirect)
}

/// What an instruction of a program does to the operand stack: its signature, with what the program decides.
#[derive(Clone, Copy, Debug)]
pub struct Effect<'a> {
    ty: &'static StackType,
    /// The type left open; `None` where the operands decide.
    open: Option<ValType>,
    params: &'a [ValType],
    results: &'a [ValType],
}

/// What an instruction of function `func` pops and pushes; a `block`, `loop` or `if` together with what is inside.
/// `None` if it names what the program does not have.
pub fn effect<'a>(program: &'a Program, func: u32, instr: &Instr) -> Option<Effect<'a>> {
    let index = instr.a as usize;
    let row = instr.op.row();
    let mut effect = Effect { ty: StackType::of(instr.op), open: None, params: &[], results: &[] };
    let mut has = |ty: &'a FuncType| (effect.params, effect.results) = (&ty.params, &ty.results);
    match row.imm {
        Imm::BlockType => (effect.params, effect.results) = program.block_arity(instr.block_type()),
        Imm::Func if instr.op != Op::RefFunc => has(program.types.get(program.funcs.get(index)?.ty as usize)?),
        Imm::TypeTable => has(program.types.get(index)?),
        Imm::Local => effect.open = Some(program.local_type(func, instr.a)?),
        Imm::Global => effect.open = Some(program.globals.get(index)?.ty),
        Imm::Table => effect.open = Some(program.tables.get(index)?.ty),
        Imm::HeapType | Imm::ValTypes => effect.open = Some(instr.val_type()),
        _ => {}
    }
    Some(effect)
}

impl<'a> Effect<'a> {
    /// The types of the operands popped, top last; `None` for any type. What a label carries is not among them: `br_if`
    /// leaves it where it is.
    pub fn popped(&self) -> impl DoubleEndedIterator<Item = Option<ValType>> + use<'a> {
        self.types(&self.ty.popped)
    }

    /// The types of the operands pushed, top last; `None` for the type of the operands popped.
    pub fn pushed(&self) -> impl DoubleEndedIterator<Item = Option<ValType>> + use<'a> {
        self.types(&self.ty.pushed)
    }

    /// Whether control never comes to the next instruction.
    pub fn leaves(&self) -> bool {
        self.ty.leaves
    }

    fn types(&self, side: &'static Side) -> impl DoubleEndedIterator<Item = Option<ValType>> + use<'a> {
        let Self { open, params, results, .. } = *self;
        side.iter().flat_map(move |word| {
            let (one, several) = match word {
                Word::Is(ty) => (Some(Some(*ty)), &[][..]),
                Word::Open => (Some(open), &[][..]),
                Word::Params => (None, params),
                Word::Results => (None, results),
                Word::Carried => (None, &[][..]),
            };
            one.into_iter().chain(several.iter().copied().map(Some))
        })
    }
}
