//! Owns the untrained ways to choose: what every trained policy is measured against.
//!
//! Must not know more than the set of legal actions.

use super::action::{Action, ActionSet};
use super::weaver::{Phase, Weaver};
use crate::seed::Rng;
use crate::wasm::isa::{Category, Op};
use std::sync::LazyLock;

/// An untrained way to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// Every legal action is equally likely.
    Actions,
    /// Every category of instructions with a legal member is equally likely, then every member; immediates uniformly.
    Categories,
}

impl Chance {
    /// Both ways.
    pub const ALL: [Chance; 2] = [Chance::Actions, Chance::Categories];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Actions => "actions",
            Self::Categories => "categories",
        }
    }

    /// Draws one of the legal actions.
    pub fn choose(self, legal: &ActionSet, rng: &mut Rng) -> Action {
        Action::from_number(self.choose_number(legal, rng))
    }

    /// As [`Chance::choose`]; the number of the action.
    #[inline]
    pub fn choose_number(self, legal: &ActionSet, rng: &mut Rng) -> usize {
        match self {
            Self::Actions => legal.pick(rng),
            Self::Categories => within_category(legal, rng).pick(rng),
        }
    }

    /// Draws one of the choices that a weaver offers: as [`Chance::choose_number`], without the set of all where that can
    /// be.
    #[inline]
    pub fn draw(self, weaver: &Weaver, rng: &mut Rng) -> usize {
        match self {
            Self::Actions => weaver.draw_legal(rng),
            Self::Categories => draw_by_category(weaver, rng),
        }
    }

    /// Weaves to the end.
    pub fn weave(self, weaver: &mut Weaver, rng: &mut Rng) {
        let mut done = weaver.phase() == Phase::Done;
        while !done {
            let number = self.draw(weaver, rng);
            done = weaver.carry_out(number);
        }
    }
}

/// A category is drawn among all that have a candidate. If it has a legal one, the draw stands, and the rest is within
/// it; if not, the next draw is among those that have.
fn draw_by_category(weaver: &Weaver, rng: &mut Rng) -> usize {
    if let Some(groups) = weaver.open_groups() {
        let group = rng.pick(groups);
        if let Some(op) = weaver.draw_from(rng, |rng| *rng.pick(group)) {
            return op.index();
        }
        let mut legal = ActionSet::of_instructions(group.iter().copied());
        legal.intersect(weaver.legal());
        if !legal.is_empty() {
            return legal.pick(rng);
        }
    } else if !matches!(weaver.phase(), Phase::Instr | Phase::Combine) {
        return weaver.draw_legal(rng);
    }
    within_category(weaver.legal(), rng).pick(rng)
}

/// The instructions of each category.
static CATEGORIES: LazyLock<[ActionSet; Category::ALL.len()]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        ActionSet::of_instructions(Op::ALL.iter().copied().filter(|op| op.row().category.index() == index))
    })
});

/// The legal instructions of one category; the whole set where immediates are to be chosen.
fn within_category(legal: &ActionSet, rng: &mut Rng) -> ActionSet {
    let mut filled = [0; Category::ALL.len()];
    let mut count = 0;
    for (index, category) in CATEGORIES.iter().enumerate() {
        if legal.meets(category) {
            filled[count] = index;
            count += 1;
        }
    }
    let mut set = *legal;
    if count > 0 {
        set.intersect(&CATEGORIES[filled[rng.below(count as u32) as usize]]);
    }
    set
}
