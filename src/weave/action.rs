//! Owns the action vocabulary: one dense numbering of every choice that the weaver can offer.
//!
//! Must not know which choices are legal now. A program is a sequence of these numbers (plus the seed that draws the
//! values inside constant buckets): first an instruction, then, where it has one, its immediate. The numbers of the
//! instructions are those of the table, so a new row gets its action by itself.

use super::literal::MAX_BUCKETS;
use crate::seed::Rng;
use crate::wasm::isa::Op;
use crate::wasm::types::ValType;
use std::sync::LazyLock;

/// Locals of one function that actions can name.
pub const MAX_LOCALS: u32 = 16;
/// Globals that actions can name.
pub const MAX_GLOBALS: u32 = 8;
/// Labels that actions can name.
pub const MAX_LABELS: u32 = 8;
/// Functions that actions can name.
pub const MAX_FUNCS: u32 = 12;
/// Parameters of one function or block.
pub const MAX_PARAMS: u32 = 3;
/// Results of one function or block.
pub const MAX_RESULTS: u32 = 3;
/// Tables that actions can name.
pub const MAX_TABLES: u32 = 3;
/// Segments of one kind that actions can name.
pub const MAX_SEGMENTS: u32 = 3;
/// Labels of a `br_table` besides the default.
pub const MAX_TARGETS: u32 = 4;
/// Trip counts of counted loops.
pub const TRIPS: [u32; 10] = [2, 3, 4, 5, 6, 7, 8, 10, 12, 16];
/// Memory offsets: those that make up most of real code.
pub const OFFSETS: [u32; 13] = [0, 1, 2, 4, 8, 12, 16, 20, 24, 32, 64, 256, 1024];
/// Sizes of a new data segment, bytes.
pub const DATA_SIZES: [u32; 4] = [0, 4, 16, 48];
/// Lanes of a vector at most.
const LANES: u32 = 16;
/// Alignment exponents: a byte to a vector.
const ALIGNS: u32 = 5;
const TYPES: u32 = ValType::ALL.len() as u32;

/// Reads rows of `Variant(type) width number: value => value, value`: the variant, how many numbers it has, how a
/// payload becomes one of them and back.
macro_rules! vocabulary {
    ($($(#[$doc:meta])* $variant:ident $(($payload:ty))? [$width:expr] $arg:ident => $to:expr, $from:expr;)+) => {
        /// One choice.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $variant $(($payload))?),+
        }

        /// Kinds of actions, in the order of their numbers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum ActionKind { $($variant),+ }

        const WIDTHS: &[u32] = &[$($width),+];
        /// Where each kind of action starts; the last entry is how many actions there are.
        const STARTS: [u32; WIDTHS.len() + 1] = starts();

        impl Action {
            /// Its number, in `0..COUNT`.
            #[inline(always)]
            pub fn number(self) -> usize {
                (match self {
                    $(vocabulary!(@pattern $variant $arg $($payload)?) => STARTS[ActionKind::$variant as usize] + $to),+
                }) as usize
            }

            /// The action with this number.
            ///
            /// # Panics
            /// If the number is not in `0..COUNT`.
            #[inline]
            pub fn from_number(number: usize) -> Self {
                if number < Op::COUNT { Self::Instr(Op::ALL[number]) } else { IMMEDIATES[number - Op::COUNT] }
            }

            /// Decodes a number; [`Action::from_number`] looks up what this has said once.
            fn decode(number: usize) -> Self {
                let n = number as u32;
                $(if n < STARTS[ActionKind::$variant as usize + 1] {
                    let $arg = n - STARTS[ActionKind::$variant as usize];
                    return vocabulary!(@make $variant $arg $from, $($payload)?);
                })+
                panic!("there are {COUNT} actions, none has number {number}")
            }
        }
    };
    (@pattern $variant:ident $arg:ident $payload:ty) => { Self::$variant($arg) };
    (@pattern $variant:ident $arg:ident) => { Self::$variant };
    (@make $variant:ident $arg:ident $from:expr, $payload:ty) => { Self::$variant($from) };
    (@make $variant:ident $arg:ident $from:expr,) => {{ let _ = $arg; Self::$variant }};
}

vocabulary! {
    /// Place this instruction (its immediate follows, if it has one).
    Instr(Op) [Op::COUNT as u32] op => op.index() as u32, Op::ALL[op as usize];
    /// An existing local.
    Local(u32) [MAX_LOCALS] n => n, n;
    /// A local declared now.
    NewLocal(ValType) [TYPES] ty => ty.index() as u32, ValType::ALL[ty as usize];
    /// An existing global.
    Global(u32) [MAX_GLOBALS] n => n, n;
    /// A global declared now, which `global.set` may change.
    NewGlobal(ValType) [TYPES] ty => ty.index() as u32, ValType::ALL[ty as usize];
    /// A global declared now that never changes.
    NewImmutable(ValType) [TYPES] ty => ty.index() as u32, ValType::ALL[ty as usize];
    /// A label, by depth.
    Label(u32) [MAX_LABELS] n => n, n;
    /// How many labels a `br_table` has besides the default.
    Targets(u32) [MAX_TARGETS] n => n - 1, n + 1;
    /// A block without operands and results.
    Empty [1] n => 0, n;
    /// What a reference could refer to, or the one result of a block.
    Type(ValType) [TYPES] ty => ty.index() as u32, ValType::ALL[ty as usize];
    /// A signature that takes so many operands from the top of the stack; its results follow.
    Params(u32) [MAX_PARAMS + 1] n => n, n;
    /// One more result of a signature, or none.
    Result(Option<ValType>) [TYPES + 1]
        ty => ty.map_or(0, |ty| 1 + ty.index() as u32), ty.checked_sub(1).map(|index| ValType::ALL[index as usize]);
    /// Whether an `if` has an `else` arm.
    Else(bool) [2] with => u32::from(with), with == 1;
    /// Whether a loop counts its iterations.
    Counted(bool) [2] with => u32::from(with), with == 1;
    /// Whether a new function can call itself.
    Recursive(bool) [2] with => u32::from(with), with == 1;
    /// An existing function.
    Func(u32) [MAX_FUNCS] n => n, n;
    /// A function that is woven now.
    NewFunc [1] n => 0, n;
    /// How often a loop runs; `None` leaves it without a back-edge.
    Trips(Option<u32>) [TRIPS.len() as u32 + 1]
        n => n.map_or(0, |n| 1 + position(&TRIPS, n)), n.checked_sub(1).map(|index| TRIPS[index as usize]);
    /// The bucket of a constant.
    Bucket(u32) [MAX_BUCKETS] n => n, n;
    /// The offset of a memory access.
    Offset(u32) [OFFSETS.len() as u32] n => position(&OFFSETS, n), OFFSETS[n as usize];
    /// The alignment exponent of a memory access.
    Align(u32) [ALIGNS] n => n, n;
    /// A lane.
    Lane(u32) [LANES] n => n, n;
    /// An existing table.
    Table(u32) [MAX_TABLES] n => n, n;
    /// A table declared now, for references of this type.
    NewTable(ValType) [2] ty => u32::from(ty == ValType::ExternRef), [ValType::FuncRef, ValType::ExternRef][ty as usize];
    /// An existing element or data segment.
    Segment(u32) [MAX_SEGMENTS] n => n, n;
    /// An element segment declared now.
    NewElem [1] n => 0, n;
    /// A data segment of so many bytes declared now.
    NewData(u32) [DATA_SIZES.len() as u32] n => position(&DATA_SIZES, n), DATA_SIZES[n as usize];
}

/// The actions behind the instructions, by number.
static IMMEDIATES: LazyLock<[Action; COUNT - Op::COUNT]> =
    LazyLock::new(|| std::array::from_fn(|index| Action::decode(Op::COUNT + index)));

const fn starts() -> [u32; WIDTHS.len() + 1] {
    let mut starts = [0; WIDTHS.len() + 1];
    let mut at = 0;
    while at < WIDTHS.len() {
        starts[at + 1] = starts[at] + WIDTHS[at];
        at += 1;
    }
    starts
}

/// How many actions there are.
pub const COUNT: usize = STARTS[WIDTHS.len()] as usize;
/// Words of a bitset over all actions.
pub const WORDS: usize = COUNT.div_ceil(64);
/// Words that hold all instructions; the last of them may hold other actions too.
pub const OP_WORDS: usize = Op::COUNT.div_ceil(64);

fn position(table: &[u32], value: u32) -> u32 {
    table.iter().position(|&entry| entry == value).expect("the action is one of the vocabulary's") as u32
}

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionSet(pub [u64; WORDS]);

impl ActionSet {
    /// The set of these instructions.
    pub fn of_instructions(ops: impl IntoIterator<Item = Op>) -> Self {
        let mut set = Self::default();
        ops.into_iter().for_each(|op| set.insert(Action::Instr(op)));
        set
    }

    /// Adds an action.
    #[inline(always)]
    pub fn insert(&mut self, action: Action) {
        let number = action.number();
        self.0[number / 64] |= 1 << (number % 64);
    }

    /// Adds an action if it is allowed.
    #[inline(always)]
    pub fn insert_if(&mut self, action: Action, allowed: bool) {
        let number = action.number();
        self.0[number / 64] |= u64::from(allowed) << (number % 64);
    }

    /// Takes an action out.
    #[inline(always)]
    pub fn remove(&mut self, action: Action) {
        let number = action.number();
        self.0[number / 64] &= !(1 << (number % 64));
    }

    /// Whether the action is in it.
    #[inline(always)]
    pub fn contains(&self, action: Action) -> bool {
        self.contains_number(action.number())
    }

    /// Whether the action with this number is in it.
    #[inline(always)]
    pub fn contains_number(&self, number: usize) -> bool {
        number < COUNT && self.0[number / 64] >> (number % 64) & 1 == 1
    }

    /// How many actions are in it.
    #[inline]
    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether none is.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Keeps what is in both.
    #[inline]
    pub fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, mask)| *word &= mask);
    }

    /// Adds what is in the other.
    #[inline]
    pub fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, mask)| *word |= mask);
    }

    /// Takes out what is in the other.
    #[inline]
    pub fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, mask)| *word &= !mask);
    }

    /// Whether anything is in both.
    #[inline]
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(word, mask)| word & mask != 0)
    }

    /// The number of one of the actions in it, all equally likely.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    pub fn pick(&self, rng: &mut Rng) -> usize {
        let mut nth = rng.below(self.len());
        for (at, &word) in self.0.iter().enumerate() {
            // Most words are empty: instructions and immediates are hardly ever legal together.
            if word != 0 {
                let count = word.count_ones();
                if nth < count {
                    return at * 64 + nth_bit(word, nth) as usize;
                }
                nth -= count;
            }
        }
        unreachable!("the draw is below the total")
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

/// The place of the `nth` set bit from the lowest, found by halves.
#[inline]
fn nth_bit(word: u64, mut nth: u32) -> u32 {
    let (mut word, mut at) = (word, 0);
    for half in [32, 16, 8] {
        let below = (word & ((1 << half) - 1)).count_ones();
        if nth >= below {
            nth -= below;
            at += half;
            word >>= half;
        }
    }
    (0..nth).for_each(|_| word &= word - 1);
    at + word.trailing_zeros()
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
    fn the_nth_bit_is_the_nth() {
        for word in [1, u64::MAX, 0x8000_0000_0000_0001, 0xf0f0_1234_0000_8001] {
            let set: Vec<u32> = (0..64).filter(|bit| word >> bit & 1 == 1).collect();
            for (nth, &bit) in set.iter().enumerate() {
                assert_eq!(nth_bit(word, nth as u32), bit);
            }
        }
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut set = ActionSet::default();
        let actions = [Action::Instr(Op::I32Add), Action::Trips(None), Action::Offset(1024), Action::Label(7)];
        actions.iter().for_each(|&action| set.insert(action));
        assert_eq!(set.len(), 4);
        assert!(actions.iter().all(|&action| set.contains(action)));
        let mut listed: Vec<Action> = set.iter().collect();
        let mut rng = crate::seed::Seed::new(1).rng();
        let drawn: std::collections::BTreeSet<usize> = (0..200).map(|_| set.pick(&mut rng)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), set.numbers().collect::<Vec<_>>());
        listed.sort_by_key(|action| action.number());
        assert_eq!(listed.len(), 4);
        set.remove(Action::Trips(None));
        assert!(!set.contains(Action::Trips(None)) && !set.is_empty());
        set.insert_if(Action::NewFunc, false);
        assert_eq!(set.len(), 3);
    }
}
