//! Owns the untrained ways to choose: what every trained policy is measured against.
//!
//! Must not know more than the set of legal actions.

use super::action::{Action, ActionSet};
use super::weaver::Weaver;
use crate::seed::Rng;
use crate::wasm::isa::Category;
use serde::{Deserialize, Serialize};

/// An untrained way to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Chance {
    /// Every legal action is equally likely.
    Actions,
    /// Every category of instructions with a legal member is equally likely, then every member; immediates uniformly.
    Categories,
}

impl Chance {
    /// Both ways.
    pub const ALL: [Chance; 2] = [Chance::Actions, Chance::Categories];

    /// Draws one of the legal actions.
    pub fn choose(self, legal: &ActionSet, rng: &mut Rng) -> Action {
        let candidates: ActionSet = match self {
            Self::Actions => *legal,
            Self::Categories => within_category(legal, rng),
        };
        let nth = rng.below(candidates.len()) as usize;
        let number = candidates.numbers().nth(nth).expect("below the count");
        Action::from_number(number)
    }

    /// Weaves to the end.
    pub fn weave(self, weaver: &mut Weaver, rng: &mut Rng) {
        while !weaver.legal().is_empty() {
            let action = self.choose(weaver.legal(), rng);
            weaver.step(action);
        }
    }
}

/// The legal instructions of one category; the whole set where immediates are to be chosen.
fn within_category(legal: &ActionSet, rng: &mut Rng) -> ActionSet {
    let mut groups = [ActionSet::default(); Category::ALL.len()];
    for action in legal.iter() {
        let Action::Instr(op) = action else { return *legal };
        groups[op.row().category.index()].insert(action);
    }
    let filled: Vec<&ActionSet> = groups.iter().filter(|group| !group.is_empty()).collect();
    **rng.pick(&filled)
}
