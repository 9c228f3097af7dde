//! Owns the guessers: answers given without executing anything, by models like any other. What they get right is the
//! floor under every leaderboard.
//!
//! Must not know truth, recipe or verdict while answering: a guesser reads the text of the question alone (`posed`,
//! `shape`). Simple guesses stand in `simple`; [`learned`] is trained on other items, which [`lessons`] makes;
//! [`measure`] says how much they get right, and how much they may.

pub mod learned;
pub mod lessons;
pub mod measure;
mod posed;
mod shape;
mod simple;

pub use posed::Posed;

use crate::item::record::Truth;
use learned::Learned;
use std::str::FromStr;

/// What stands before the name of a guesser; at the endpoint itself it may be left out.
pub const PREFIX: &str = "guess/";

/// Every guesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Guesser {
    /// All values are zero.
    Zero,
    /// Every value is the constant that stands last before.
    LastConst,
    /// Every flag is reached.
    AllTrue,
    /// No flag is reached.
    AllFalse,
    /// Flags are reached up to the first branch.
    UntilBranch,
    /// The first flag alone is reached.
    FirstFlag,
    /// What a logistic regression holds for likeliest.
    Learned,
}

/// What is to be known about one guesser.
struct Row {
    guesser: Guesser,
    name: &'static str,
    description: &'static str,
}

use Guesser::{AllFalse, AllTrue, FirstFlag, LastConst, UntilBranch, Zero};

static TABLE: [Row; 7] = [
    Row {
        guesser: Zero,
        name: "zero",
        description: "All values are zero, no flag is reached, and the fuel is the number of instructions in the text.",
    },
    Row {
        guesser: LastConst,
        name: "last-const",
        description: "Walking up the text, each value is the nearest constant of its type that is not yet used.",
    },
    Row { guesser: AllTrue, name: "all-true", description: "Every flag is reached." },
    Row { guesser: AllFalse, name: "all-false", description: "No flag is reached." },
    Row {
        guesser: UntilBranch,
        name: "until-branch",
        description: "Flags are reached up to the first br, br_if, br_table or return in the text.",
    },
    Row { guesser: FirstFlag, name: "first-flag", description: "The first flag in the text is reached, no other." },
    Row {
        guesser: Guesser::Learned,
        name: "learned",
        description: "A logistic regression on features of the text, trained on other items of the same preset.",
    },
];

impl Guesser {
    /// All of them, the one that learns last.
    pub const ALL: [Guesser; TABLE.len()] = {
        let mut all = [Zero; TABLE.len()];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].guesser;
            at += 1;
        }
        all
    };

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.guesser == self).expect("a test finds a row for each")
    }

    /// The name, without its prefix.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The name of the model: `guess/zero`.
    pub fn model(self) -> String {
        format!("{PREFIX}{}", self.name())
    }

    /// What it answers, in a sentence.
    pub fn description(self) -> &'static str {
        self.row().description
    }

    /// Its answer; `None` for the one that learns, if nothing was learned.
    pub fn answer(self, posed: &Posed, learned: Option<&Learned>) -> Option<Truth> {
        Some(match self {
            Zero => simple::zero(posed),
            LastConst => simple::last_const(posed),
            AllTrue => simple::all_true(posed),
            AllFalse => simple::all_false(posed),
            UntilBranch => simple::until_branch(posed),
            FirstFlag => simple::first_flag(posed),
            Guesser::Learned => learned?.answer(posed),
        })
    }
}

/// A name that names no guesser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no guesser `{PREFIX}{given}`; known: {known}")]
pub struct GuesserNameError {
    given: String,
    known: String,
}

impl FromStr for Guesser {
    type Err = GuesserNameError;

    /// Reads `guess/zero`, with or without `guess/`.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let given = name.strip_prefix(PREFIX).unwrap_or(name);
        Self::ALL
            .into_iter()
            .find(|guesser| guesser.name() == given)
            .ok_or_else(|| GuesserNameError { given: given.into(), known: Self::ALL.map(Self::model).join(", ") })
    }
}

/// A reply that gives an answer in the shape that the shipped prompts ask for.
pub fn reply(answer: &Truth) -> String {
    let answer = serde_json::to_string(answer).expect("an answer is plain data");
    format!("Guessed, without executing anything.\n\n<OUTPUT>{answer}</OUTPUT>")
}

#[cfg(test)]
mod tests;
