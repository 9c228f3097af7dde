//! Owns how much guessing gets right, and how much it may: the targets of items that are worth asking.
//!
//! Must not know how items are made.

use super::learned::Learned;
use super::posed::Posed;
use super::{Guesser, PREFIX};
use crate::item::record::{Item, Task, Truth};
use crate::wasm::parse::ParseError;
use serde::Serialize;

/// What a guesser's share is measured over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Whole items: every value right.
    Items,
    /// Single flags.
    Flags,
}

/// Bounds for the share that one guesser gets right in one task.
#[derive(Clone, Copy, Debug)]
struct Target {
    task: Task,
    guesser: Guesser,
    unit: Unit,
    at_least: f64,
    at_most: f64,
}

const fn at_most(task: Task, guesser: Guesser, unit: Unit, at_most: f64) -> Target {
    Target { task, guesser, unit, at_least: 0.0, at_most }
}

/// Every target. Of fuel nothing is asked yet.
const TARGETS: [Target; 12] = [
    at_most(Task::Stack, Guesser::Zero, Unit::Items, 0.03),
    at_most(Task::Stack, Guesser::LastConst, Unit::Items, 0.03),
    at_most(Task::Stack, Guesser::Learned, Unit::Items, 0.06),
    at_most(Task::Result, Guesser::Zero, Unit::Items, 0.02),
    at_most(Task::Result, Guesser::LastConst, Unit::Items, 0.02),
    at_most(Task::Result, Guesser::Learned, Unit::Items, 0.06),
    at_most(Task::Reachability, Guesser::AllTrue, Unit::Items, 0.3),
    at_most(Task::Reachability, Guesser::AllFalse, Unit::Items, 0.3),
    at_most(Task::Reachability, Guesser::UntilBranch, Unit::Items, 0.3),
    at_most(Task::Reachability, Guesser::FirstFlag, Unit::Items, 0.3),
    at_most(Task::Reachability, Guesser::Learned, Unit::Flags, 0.62),
    // That of the flags about half are true.
    Target { task: Task::Reachability, guesser: Guesser::AllTrue, unit: Unit::Flags, at_least: 0.45, at_most: 0.55 },
];

/// What one guesser got right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guessed {
    /// The model: `guess/zero`.
    pub model: String,
    /// Share of items with every value right.
    pub items: f64,
    /// Share of flags right; `None` where the task has none.
    pub flags: Option<f64>,
    /// Share of values right, flags included: of as many as the truth has.
    pub values: f64,
    /// The targets it has, each with what became of it.
    pub targets: Vec<Held>,
}

/// A target and whether it is met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// What is counted.
    pub unit: Unit,
    /// The least share.
    pub at_least: f64,
    /// The greatest share.
    pub at_most: f64,
    /// Whether the share lies between them.
    pub met: bool,
}

/// What all guessers got right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Floor {
    /// What was asked.
    pub task: Task,
    /// Items.
    pub items: u64,
    /// Values or flags in them.
    pub values: u64,
    /// Items that `guess/learned` was trained on.
    pub lessons: u64,
    /// Each guesser, in the order of [`Guesser::ALL`].
    pub guessers: Vec<Guessed>,
}

impl Floor {
    /// The targets that are missed, in words.
    pub fn missed(&self) -> Vec<String> {
        let missed = |guessed: &Guessed| {
            let broken = guessed.targets.iter().filter(|held| !held.met);
            broken.map(|held| guessed.told(held)).collect::<Vec<_>>()
        };
        self.guessers.iter().flat_map(missed).collect()
    }
}

impl Guessed {
    fn share(&self, unit: Unit) -> f64 {
        match unit {
            Unit::Items => self.items,
            Unit::Flags => self.flags.unwrap_or_default(),
        }
    }

    fn told(&self, held: &Held) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let of = if held.unit == Unit::Items { "items" } else { "flags" };
        let between =
            if held.at_least > 0.0 { format!("at least {} and ", percent(held.at_least)) } else { String::new() };
        let (model, share) = (&self.model, percent(self.share(held.unit)));
        format!("{model} gets {share} of the {of} right, {between}at most {} is wanted", percent(held.at_most))
    }
}

/// Counts of one guesser.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    items: u64,
    values: u64,
}

/// Measures every guesser on items of one task; the one that learns only if it has learned.
///
/// # Errors
/// If the text of one cannot be read.
pub fn measure(items: &[Item], learned: Option<&Learned>) -> Result<Floor, ParseError> {
    let guessers: Vec<Guesser> =
        Guesser::ALL.into_iter().filter(|guesser| *guesser != Guesser::Learned || learned.is_some()).collect();
    let task = items.first().map_or(Task::Stack, |item| item.task);
    let mut counts = vec![Count::default(); guessers.len()];
    for item in items {
        let posed = Posed::of_item(item)?;
        for (guesser, count) in guessers.iter().zip(&mut counts) {
            let right = guesser.answer(&posed, learned).map_or(Vec::new(), |answer| right(&item.truth, &answer));
            count.values += right.iter().filter(|right| **right).count() as u64;
            count.items += u64::from(right.len() == item.truth.slots() && right.iter().all(|right| *right));
        }
    }
    let values: u64 = items.iter().map(|item| item.truth.slots() as u64).sum();
    let whole = Whole { task, items: items.len() as u64, values };
    let guessers = guessers.into_iter().zip(counts).map(|(guesser, count)| whole.guessed(guesser, count)).collect();
    Ok(Floor { task, items: whole.items, values, lessons: learned.map_or(0, |learned| learned.items), guessers })
}

/// What shares are taken of.
struct Whole {
    task: Task,
    items: u64,
    values: u64,
}

impl Whole {
    fn guessed(&self, guesser: Guesser, count: Count) -> Guessed {
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let values = share(count.values, self.values);
        let mut guessed = Guessed {
            model: format!("{PREFIX}{}", guesser.name()),
            items: share(count.items, self.items),
            flags: (self.task == Task::Reachability).then_some(values),
            values,
            targets: Vec::new(),
        };
        let own = TARGETS.iter().filter(|target| target.task == self.task && target.guesser == guesser);
        guessed.targets = own
            .map(|&Target { unit, at_least, at_most, .. }| {
                let met = (at_least..=at_most).contains(&guessed.share(unit));
                Held { unit, at_least, at_most, met }
            })
            .collect();
        guessed
    }
}

/// For each value of the truth, whether the answer has it; empty if the answer has another shape.
fn right(truth: &Truth, answer: &Truth) -> Vec<bool> {
    match (truth, answer) {
        (Truth::StackValues(truth), Truth::StackValues(given))
        | (Truth::ReturnValues(truth), Truth::ReturnValues(given))
            if truth.len() == given.len() =>
        {
            truth.iter().zip(given).map(|(truth, given)| given.same(*truth)).collect()
        }
        (Truth::FlagStates(truth), Truth::FlagStates(given)) if truth.len() == given.len() => {
            truth.iter().zip(given).map(|(truth, given)| truth == given).collect()
        }
        (Truth::Fuel(truth), Truth::Fuel(given)) => vec![truth == given],
        _ => Vec::new(),
    }
}
