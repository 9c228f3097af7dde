//! Owns the action vocabulary: one dense numbering of every choice that the weaver can offer.
//!
//! Must not know which choices are legal now. A program is a sequence of these numbers (plus the seed that draws the
//! values inside constant buckets): first an instruction, then, where it has one, its immediate. The numbers of the
//! instructions are those of the table, so a new row gets its action by itself.

use super::literal::{FloatBucket, IntBucket};
use crate::wasm::isa::Op;
use crate::wasm::program::BlockType;
use crate::wasm::types::ValType;

/// One choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Place this instruction (its immediate follows, if it has one).
    Instr(Op),
    /// An existing local.
    Local(u32),
    /// A local declared now.
    NewLocal(ValType),
    /// An existing global.
    Global(u32),
    /// A global declared now.
    NewGlobal(ValType),
    /// A label, by depth.
    Label(u32),
    /// The type of a block.
    Block(BlockType),
    /// Whether an `if` has an `else` arm.
    Else(bool),
    /// Call an existing function.
    Func(u32),
    /// Call a function that is woven now.
    NewFunc,
    /// Its signature: the top `params` operands are its parameters.
    Signature {
        /// How many parameters.
        params: u32,
        /// Its result, if any.
        result: Option<ValType>,
    },
    /// How often a loop runs; `None` leaves it without a back-edge.
    Trips(Option<u32>),
    /// The bucket of a constant.
    Bucket(u32),
    /// The offset of a memory access.
    Offset(u32),
}

/// Locals of one function that actions can name.
pub const MAX_LOCALS: u32 = 16;
/// Globals that actions can name.
pub const MAX_GLOBALS: u32 = 8;
/// Labels that actions can name.
pub const MAX_LABELS: u32 = 8;
/// Functions that actions can name.
pub const MAX_FUNCS: u32 = 8;
/// Parameters of one function.
pub const MAX_PARAMS: u32 = 3;
/// Trip counts of counted loops.
pub const TRIPS: [u32; 10] = [2, 3, 4, 5, 6, 7, 8, 10, 12, 16];
/// Memory offsets: those that make up most of real code.
pub const OFFSETS: [u32; 13] = [0, 1, 2, 4, 8, 12, 16, 20, 24, 32, 64, 256, 1024];

const TYPES: u32 = ValType::NUMBERS.len() as u32;
const MAX_BUCKETS: u32 =
    if IntBucket::ALL.len() > FloatBucket::ALL.len() { IntBucket::ALL.len() } else { FloatBucket::ALL.len() } as u32;

// Where each kind of action starts.
const LOCAL: u32 = Op::COUNT as u32;
const NEW_LOCAL: u32 = LOCAL + MAX_LOCALS;
const GLOBAL: u32 = NEW_LOCAL + TYPES;
const NEW_GLOBAL: u32 = GLOBAL + MAX_GLOBALS;
const LABEL: u32 = NEW_GLOBAL + TYPES;
const BLOCK: u32 = LABEL + MAX_LABELS;
const ELSE: u32 = BLOCK + 1 + TYPES;
const FUNC: u32 = ELSE + 2;
const NEW_FUNC: u32 = FUNC + MAX_FUNCS;
const SIGNATURE: u32 = NEW_FUNC + 1;
const TRIP: u32 = SIGNATURE + (MAX_PARAMS + 1) * (1 + TYPES);
const BUCKET: u32 = TRIP + 1 + TRIPS.len() as u32;
const OFFSET: u32 = BUCKET + MAX_BUCKETS;
/// How many actions there are.
pub const COUNT: usize = OFFSET as usize + OFFSETS.len();
/// Words of a bitset over all actions.
pub const WORDS: usize = COUNT.div_ceil(64);

fn optional_type(ty: Option<ValType>) -> u32 {
    ty.map_or(0, |ty| 1 + ty.index() as u32)
}

fn type_or_none(number: u32) -> Option<ValType> {
    number.checked_sub(1).map(|index| ValType::NUMBERS[index as usize])
}

impl Action {
    /// Its number, in `0..COUNT`.
    pub fn number(self) -> usize {
        (match self {
            Self::Instr(op) => op.index() as u32,
            Self::Local(index) => LOCAL + index,
            Self::NewLocal(ty) => NEW_LOCAL + ty.index() as u32,
            Self::Global(index) => GLOBAL + index,
            Self::NewGlobal(ty) => NEW_GLOBAL + ty.index() as u32,
            Self::Label(depth) => LABEL + depth,
            Self::Block(BlockType::Value(ty)) => BLOCK + optional_type(Some(ty)),
            Self::Block(_) => BLOCK,
            Self::Else(with) => ELSE + u32::from(with),
            Self::Func(index) => FUNC + index,
            Self::NewFunc => NEW_FUNC,
            Self::Signature { params, result } => SIGNATURE + params * (1 + TYPES) + optional_type(result),
            Self::Trips(None) => TRIP,
            Self::Trips(Some(trips)) => TRIP + 1 + position(&TRIPS, trips),
            Self::Bucket(bucket) => BUCKET + bucket,
            Self::Offset(offset) => OFFSET + position(&OFFSETS, offset),
        }) as usize
    }

    /// The action with this number.
    ///
    /// # Panics
    /// If the number is not in `0..COUNT`.
    pub fn from_number(number: usize) -> Self {
        assert!(number < COUNT, "there are {COUNT} actions, none has number {number}");
        let n = number as u32;
        match n {
            _ if n >= OFFSET => Self::Offset(OFFSETS[(n - OFFSET) as usize]),
            _ if n >= BUCKET => Self::Bucket(n - BUCKET),
            _ if n >= TRIP => Self::Trips((n - TRIP).checked_sub(1).map(|index| TRIPS[index as usize])),
            _ if n >= SIGNATURE => {
                let (params, result) = ((n - SIGNATURE) / (1 + TYPES), (n - SIGNATURE) % (1 + TYPES));
                Self::Signature { params, result: type_or_none(result) }
            }
            NEW_FUNC => Self::NewFunc,
            _ if n >= FUNC => Self::Func(n - FUNC),
            _ if n >= ELSE => Self::Else(n > ELSE),
            _ if n >= BLOCK => Self::Block(type_or_none(n - BLOCK).map_or(BlockType::Empty, BlockType::Value)),
            _ if n >= LABEL => Self::Label(n - LABEL),
            _ if n >= NEW_GLOBAL => Self::NewGlobal(ValType::NUMBERS[(n - NEW_GLOBAL) as usize]),
            _ if n >= GLOBAL => Self::Global(n - GLOBAL),
            _ if n >= NEW_LOCAL => Self::NewLocal(ValType::NUMBERS[(n - NEW_LOCAL) as usize]),
            _ if n >= LOCAL => Self::Local(n - LOCAL),
            _ => Self::Instr(Op::from_index(number).expect("numbers below the first immediate are instructions")),
        }
    }
}

fn position(table: &[u32], value: u32) -> u32 {
    table.iter().position(|&entry| entry == value).expect("the action is one of the vocabulary's") as u32
}

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionSet(pub [u64; WORDS]);

impl ActionSet {
    /// Adds an action.
    #[inline]
    pub fn insert(&mut self, action: Action) {
        let number = action.number();
        self.0[number / 64] |= 1 << (number % 64);
    }

    /// Takes an action out.
    #[inline]
    pub fn remove(&mut self, action: Action) {
        let number = action.number();
        self.0[number / 64] &= !(1 << (number % 64));
    }

    /// Whether the action is in it.
    #[inline]
    pub fn contains(&self, action: Action) -> bool {
        let number = action.number();
        self.0[number / 64] >> (number % 64) & 1 == 1
    }

    /// How many actions are in it.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Keeps what is in both.
    #[inline]
    pub fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, mask)| *word &= mask);
    }

    /// The actions in it, by number.
    pub fn iter(&self) -> impl Iterator<Item = Action> + '_ {
        self.numbers().map(Action::from_number)
    }

    /// The numbers of the actions in it, ascending.
    pub fn numbers(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, &word)| {
            std::iter::successors((word != 0).then_some(word), |rest| {
                let rest = rest & (rest - 1);
                (rest != 0).then_some(rest)
            })
            .map(move |rest| at * 64 + rest.trailing_zeros() as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_and_unique() {
        for number in 0..COUNT {
            assert_eq!(Action::from_number(number).number(), number, "{:?}", Action::from_number(number));
        }
        assert!(COUNT < usize::from(u16::MAX), "recipes store actions in 16 bits");
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut set = ActionSet::default();
        let actions = [Action::Instr(Op::I32Add), Action::Trips(None), Action::Offset(1024), Action::Label(7)];
        actions.iter().for_each(|&action| set.insert(action));
        assert_eq!(set.len(), 4);
        assert!(actions.iter().all(|&action| set.contains(action)));
        let mut listed: Vec<Action> = set.iter().collect();
        listed.sort_by_key(|action| action.number());
        assert_eq!(listed.len(), 4);
        set.remove(Action::Trips(None));
        assert!(!set.contains(Action::Trips(None)) && !set.is_empty());
    }
}
