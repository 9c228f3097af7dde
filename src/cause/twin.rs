//! Owns twins: a missed program with one instruction changed, and the new answer.
//!
//! Must not know how suspicion came about, nor who is asked. The suspect's twin lacks the suspected fact. Its control has
//! another instruction of the answer's computation changed, in the same manner where that can be, and keeps the fact.

mod swap;

use super::facts::{Fact, Facts};
use crate::item::edit::{Question, UnreadableItem};
use crate::item::make::Draft;
use crate::item::record::Item;
use crate::seed::Seed;
use crate::wasm::machine::Machine;
use crate::wasm::program::Place;
use swap::Swap;

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The suspected instruction.
    Suspect,
    /// Another one.
    Control,
}

/// What was done to an instruction. They prove differently much: what is taken out hides all that it was computed of, right or
/// wrong, and a neighbour hides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// Another structure in its place: a block for a loop, a branch for a `return`.
    Structure,
    /// Another instruction of the same type and meaning.
    Neighbour,
    /// The same instruction with its operand reduced before.
    Plain,
    /// Another constant.
    Constant,
    /// Taken out: its operands are dropped, and what it computed stands there as a constant.
    Removed,
}

impl Manner {
    /// In words, behind "changing it".
    pub fn words(self) -> &'static str {
        match self {
            Self::Structure => "another structure in its place",
            Self::Neighbour => "a neighbour in its place",
            Self::Plain => "its operand reduced before",
            Self::Constant => "another constant",
            Self::Removed => "taken out, with its result as a constant",
        }
    }
}

/// A program with one instruction changed.
#[derive(Clone, Debug)]
pub struct Twin {
    /// The question, with the answer of the changed program.
    pub draft: Draft,
    /// What was changed.
    pub role: Role,
    /// How.
    pub manner: Manner,
    /// The change in words: `i32.lt_u -> i32.lt_s`.
    pub change: String,
}

/// How much more fuel a twin may take than the program that it is of.
const FUEL: u64 = 4;

/// The twins of a missed item: one with the suspected instruction swapped, and, if there is one, its control. Empty where
/// not exactly one instruction makes the fact true, or where it cannot be swapped: of several suspects it could not be told
/// which one it was.
///
/// # Errors
/// If its program cannot be read.
pub fn twins(item: &Item, suspected: Fact, seed: Seed, machine: &mut Machine) -> Result<Vec<Twin>, UnreadableItem> {
    let question = Question::of(item)?;
    let facts = Facts::of_question(&question, item.fuel, machine);
    let &[suspect] = facts.places(suspected) else { return Ok(Vec::new()) };
    let twin = |role, places: &[(u32, Place)], first: Option<Manner>, machine: &mut Machine| {
        let swaps = places.iter().flat_map(|&at| swap::swaps(&question, at, suspected, item.fuel, machine));
        let mut swaps: Vec<Swap> = swaps.collect();
        // Stable: those of one manner stay in their order.
        swaps.sort_by_key(|swap| first.is_some_and(|manner| swap.manner != manner));
        swaps.into_iter().find_map(|swap| labelled(item, swap, role, suspected, machine))
    };
    let Some(suspect_swapped) = twin(Role::Suspect, &[suspect], None, machine) else { return Ok(Vec::new()) };
    let mut others: Vec<(u32, Place)> = facts.behind().iter().copied().filter(|at| *at != suspect).collect();
    seed.child("control").rng().shuffle(&mut others);
    let control = twin(Role::Control, &others, Some(suspect_swapped.manner), machine);
    Ok([Some(suspect_swapped), control].into_iter().flatten().collect())
}

/// The twin of a change that has an answer and does what its role wants: without the suspect the fact is gone, without another
/// instruction it is still there.
fn labelled(item: &Item, swap: Swap, role: Role, suspected: Fact, machine: &mut Machine) -> Option<Twin> {
    let sign = match role {
        Role::Suspect => "suspect",
        Role::Control => "control",
    };
    let draft = swap.question.clone().label(machine, format!("{}~{sign}", item.id), item.fuel * FUEL)?;
    let facts = Facts::of_question(&swap.question, draft.item.fuel, machine);
    let fits = facts.contains(suspected) == (role == Role::Control) && draft.item.truth.slots() > 0;
    fits.then_some(Twin { draft, role, manner: swap.manner, change: swap.change })
}

#[cfg(test)]
mod tests;
