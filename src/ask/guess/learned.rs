//! Owns `guess/learned`: a logistic regression on what the text shows, trained on other items of the same preset.
//! For a flag it sees all that the choice of flags looks at, the flag's number, and where the others are.
//!
//! Must not know how its items came to be, nor execute anything. A flag is judged by what stands around it (`flags`).
//! For a value there are candidates, each judged by itself (`values`, `fuel`), and the likeliest is the answer.

mod flags;
mod fuel;
mod values;

use super::posed::Posed;
use super::simple;
use crate::item::record::{Item, Said, Shape, Task, Truth};
use crate::item::task::logistic::{Logistic, Samples};
use crate::wasm::parse::ParseError;
use crate::wasm::types::{Bits, ValType, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use values::CandidateValue;

/// Values of one kind that are remembered as common.
const COMMON: usize = 24;

/// A trained guesser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Items that it was trained on.
    pub items: u64,
    common: Common,
    model: Logistic,
}

/// The values that were right most often, of each task and type: most often first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Common(Vec<(Task, Vec<Value>)>);

/// Trains on items. The weights depend on their order, so keep it.
///
/// # Errors
/// If the text of one cannot be read.
pub fn train<'i>(items: impl Iterator<Item = &'i Item>) -> Result<Learned, ParseError> {
    let items: Vec<&Item> = items.collect();
    let common = Common::of(&items);
    let mut samples = Samples::default();
    for item in &items {
        collect(&item.truth, &Posed::of_item(item)?, &common, &mut samples);
    }
    Ok(Learned { items: items.len() as u64, common, model: Logistic::train(&samples) })
}

/// The samples of one item.
fn collect(truth: &Truth, posed: &Posed, common: &Common, samples: &mut Samples) {
    match truth.said() {
        Said::Flags(states) => {
            for (index, (_, state)) in states.iter().enumerate() {
                samples.push(flags::features(posed, index).on(), *state);
            }
        }
        Said::Values(_) | Said::Amount(_) => {
            for (index, right) in held(truth).into_iter().enumerate() {
                for candidate in common.candidates(posed, index) {
                    let is = Value::new(right.ty, candidate.bits).same(right);
                    samples.push(candidate.features.on(), is);
                }
            }
        }
    }
}

/// What an answer says, as values; a number counts as one.
fn held(truth: &Truth) -> Vec<Value> {
    match truth.said() {
        Said::Values(values) => values.to_vec(),
        Said::Amount(amount) => vec![Value::new(ValType::I64, Bits::from(*amount))],
        Said::Flags(_) => Vec::new(),
    }
}

impl Common {
    fn of(items: &[&Item]) -> Self {
        let mut counts: BTreeMap<(Task, ValType), BTreeMap<Bits, usize>> = BTreeMap::new();
        for item in items {
            for value in held(&item.truth) {
                *counts.entry((item.task, value.ty)).or_default().entry(value.bits).or_default() += 1;
            }
        }
        let most = |((task, ty), counts): (_, BTreeMap<Bits, usize>)| {
            // Once is too few.
            let mut counts: Vec<(Bits, usize)> = counts.into_iter().filter(|(_, count)| *count > 1).collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            counts.truncate(COMMON);
            (task, counts.into_iter().map(|(bits, _)| Value::new(ty, bits)).collect())
        };
        Self(counts.into_iter().map(most).collect())
    }

    fn bits(&self, task: Task, ty: ValType) -> Vec<Bits> {
        let all = self.0.iter().filter(|(of, _)| *of == task).flat_map(|(_, values)| values);
        all.filter(|value| value.ty == ty).map(|value| value.bits).collect()
    }

    /// The candidates for one value of the answer.
    fn candidates(&self, posed: &Posed, index: usize) -> Vec<CandidateValue> {
        match (posed.task.shape(), posed.slots.get(index)) {
            (Shape::Amount, _) => fuel::candidates(posed, &self.bits(posed.task, ValType::I64)),
            (_, Some(slot)) => values::candidates(posed, index, &self.bits(posed.task, slot.ty)),
            (_, None) => Vec::new(),
        }
    }
}

impl Learned {
    /// Its answer.
    pub fn answer(&self, posed: &Posed) -> Truth {
        match posed.task.shape() {
            Shape::Flags => simple::flags(posed, |index| self.model.logit(flags::features(posed, index).on()) > 0.0),
            Shape::Amount => {
                let amount = |bits| simple::amount(posed.task, bits as u64);
                self.best(posed, 0).map_or_else(|| simple::zero(posed), amount)
            }
            Shape::Values => {
                let value = |(index, slot): (usize, &super::shape::Slot)| {
                    Value::new(slot.ty, self.best(posed, index).unwrap_or_default())
                };
                simple::values(posed.task, &posed.slots.iter().enumerate().map(value).collect::<Vec<_>>())
            }
        }
    }

    /// The bits of the likeliest candidate; of several that are as likely, the first.
    fn best(&self, posed: &Posed, index: usize) -> Option<Bits> {
        let candidates = self.common.candidates(posed, index).into_iter();
        let scored = candidates.map(|candidate| (self.model.logit(candidate.features.on()), candidate.bits));
        let best = scored.reduce(|best, other| if other.0 > best.0 { other } else { best });
        best.map(|(_, bits)| bits)
    }

    /// Everything that it learned, as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts are JSON")
    }

    /// Reads what [`Learned::to_json`] wrote.
    ///
    /// # Errors
    /// Where the text is another one.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
