//! Owns the table of tasks: one row for each, with its names, the form of its answer and where it looks.
//!
//! Must not know how a question is made or answered. [`Task`] and [`Truth`] are derived from the table, and everything that
//! depends on the form of an answer alone asks for [`Said`], so that another task is another row here, and a file in
//! `item/task` that knows what is worth asking.

use super::names::{UnknownName, names};
use crate::wasm::types::Value;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Values with their types, bottom first.
    Values,
    /// Flags with their states, in the order of the text.
    Flags,
    /// One number.
    Amount,
}

/// Where a question looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// At places that comments mark in the text.
    Probes,
    /// At what the whole run comes to; nothing is marked.
    End,
}

/// An answer, by its form alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Said<'a> {
    /// [`Shape::Values`].
    Values(&'a [Value]),
    /// [`Shape::Flags`].
    Flags(&'a [(String, bool)]),
    /// [`Shape::Amount`].
    Amount(&'a u64),
}

/// Reads rows of `Task "name" "what is asked, in the help" looks, then Truth(payload) shape "key"`.
macro_rules! tasks {
    ($(
        $(#[$doc:meta])* $task:ident $name:literal $about:literal $looks:ident,
        $(#[$truth_doc:meta])* $truth:ident($(#[$field:meta])* $payload:ty) $shape:ident $key:literal;
    )+) => {
        /// What is asked about a program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Task {
            $($(#[$doc])* $task),+
        }

        /// The exact answer to a question.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Truth {
            $($(#[$truth_doc])* $truth($(#[$field])* $payload)),+
        }

        names!(Task, "task", $($task = $name),+);

        impl Task {
            /// The key under which replies and [`Truth`] have the answer.
            pub fn key(self) -> &'static str {
                match self { $(Self::$task => $key),+ }
            }

            /// What is asked, in a few words for the help.
            pub fn about(self) -> &'static str {
                match self { $(Self::$task => $about),+ }
            }

            /// The form of its answers.
            pub fn shape(self) -> Shape {
                match self { $(Self::$task => Shape::$shape),+ }
            }

            /// Where it looks.
            pub fn looks(self) -> Looks {
                match self { $(Self::$task => Looks::$looks),+ }
            }

            /// Its truth, where the answer is this.
            ///
            /// # Panics
            /// If its answers have another form.
            pub fn truth(self, said: Said<'_>) -> Truth {
                match (self, said) {
                    $((Self::$task, Said::$shape(said)) => Truth::$truth(said.to_owned()),)+
                    _ => panic!("an answer to {self} has the form {:?}", self.shape()),
                }
            }
        }

        impl Truth {
            /// The task that it answers.
            pub fn task(&self) -> Task {
                match self { $(Self::$truth(_) => Task::$task),+ }
            }

            /// What it says, by its form alone.
            pub fn said(&self) -> Said<'_> {
                match self { $(Self::$truth(said) => Said::$shape(said)),+ }
            }
        }
    };
}

tasks! {
    /// The whole operand stack of the current frame at the probe.
    Stack "stack" "The operand stack at ;;INSPECT" Probes,
    /// The frame's operands, bottom of the stack first: `{"stack_values":[{"type":"i32","value":"30"}]}`.
    StackValues(Vec<Value>) Values "stack_values";

    /// Which of several flags in the code execution passes at least once.
    Reachability "reachability" "Which of the places ;;FLAG_n execution passes" Probes,
    /// For each flag, in the order of the text, whether execution passes it: `{"flag_states":{"FLAG_0":true}}`.
    FlagStates(#[serde(with = "super::flags")] Vec<(String, bool)>) Flags "flag_states";

    /// The values that the exported function returns.
    Result "result" "What the exported function returns" End,
    /// The results, bottom first: `{"return_values":[{"type":"i32","value":"30"}]}`.
    ReturnValues(Vec<Value>) Values "return_values";

    /// How much fuel the whole run uses.
    Fuel "fuel" "How much fuel the run uses" End,
    /// Fuel, as wasmtime counts it: `{"fuel":17}`.
    Fuel(u64) Amount "fuel";
}

impl Truth {
    /// What there is to get right, in order: the name of each slot (its position, bottom first, or the flag), and its
    /// value as text.
    pub fn texts(&self) -> Vec<(String, String)> {
        match self.said() {
            Said::Values(values) => {
                values.iter().enumerate().map(|(at, value)| (at.to_string(), value.to_string())).collect()
            }
            Said::Flags(flags) => flags.iter().map(|(name, state)| (name.clone(), state.to_string())).collect(),
            Said::Amount(amount) => vec![(self.task().key().into(), amount.to_string())],
        }
    }

    /// How many values there are to get right.
    pub fn slots(&self) -> usize {
        match self.said() {
            Said::Values(values) => values.len(),
            Said::Flags(flags) => flags.len(),
            Said::Amount(_) => 1,
        }
    }
}
