//! Owns rebuilding: a seed and a list of actions make the same program again, bit for bit.
//!
//! Must not know who chose the actions. No network is needed, and none could be trusted to repeat its floating-point
//! sums on another machine.

use super::action::{Action, COUNT};
use super::chooser::Chooser;
use super::weaver::{Loom, Weaver};
use crate::seed::Rng;
use std::sync::Arc;

/// The version of the generator: a recipe of another one may not rebuild. Raised with every change of the vocabulary,
/// the masks, or what a constant bucket draws.
pub const GENERATOR: &str = "2";

/// Why a recipe does not rebuild.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// Made by another generator.
    #[error(
        "the recipe was made by generator {found}; this is generator {GENERATOR}, which would weave something else"
    )]
    Generator {
        /// The recipe's.
        found: String,
    },
    /// An action is not legal where it stands.
    #[error("choice {at} of the recipe (action {action}) is not legal there: it belongs to other settings")]
    Illegal {
        /// Which choice, from 0.
        at: usize,
        /// The action's number.
        action: u16,
    },
    /// The recipe ends too early.
    #[error("the recipe ends after {at} choices, before the program is finished")]
    Unfinished {
        /// How many choices there are.
        at: usize,
    },
}

/// Weaves the program of a recipe.
///
/// # Errors
/// See [`RecipeError`].
pub fn rebuild(loom: Arc<Loom>, generator: &str, seed: u64, actions: &[u16]) -> Result<Weaver, RecipeError> {
    if generator != GENERATOR {
        return Err(RecipeError::Generator { found: generator.into() });
    }
    let mut weaver = Weaver::new(loom, seed);
    replay(&mut weaver, actions)?;
    Ok(weaver)
}

/// Takes these choices on a fresh weaver.
fn replay(weaver: &mut Weaver, actions: &[u16]) -> Result<(), RecipeError> {
    for (at, &action) in actions.iter().enumerate() {
        let legal = usize::from(action) < COUNT && weaver.legal().contains(Action::from_number(action.into()));
        if !legal {
            return Err(RecipeError::Illegal { at, action });
        }
        weaver.step(Action::from_number(action.into()));
    }
    if weaver.legal().is_empty() { Ok(()) } else { Err(RecipeError::Unfinished { at: actions.len() }) }
}

/// Weaves the programs of recipes again, each time any of them.
#[derive(Clone, Debug)]
pub struct Replayer {
    /// Seed and actions of each.
    recipes: Vec<(u64, Vec<u16>)>,
}

impl Replayer {
    /// Of recipes, as seed and actions, that [`rebuild`] on the loom they will be woven on.
    ///
    /// # Panics
    /// If there are none.
    pub fn new(recipes: Vec<(u64, Vec<u16>)>) -> Self {
        assert!(!recipes.is_empty(), "nothing to weave");
        Self { recipes }
    }
}

impl Chooser for Replayer {
    fn weave(&self, weaver: &mut Weaver, rng: &mut Rng) {
        let (seed, actions) = rng.pick(&self.recipes);
        weaver.reset(*seed);
        replay(weaver, actions).expect("it was rebuilt before");
    }
}
