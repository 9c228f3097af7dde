//! Owns what an untrained weaver prefers: a weight for each category of instructions, or for single ones.
//!
//! Must not know networks. Uniform chance over a table of hundreds of instructions writes mostly constants, unary
//! conversions and `drop`s; results worth asking about come from operations on two operands. So the weights are where a
//! policy starts to learn ([`Prior::logits`]), and what data sets are woven by ([`Taste`]). Uniform chance stays the
//! baseline of an attack.

use super::action::{self, Action, ActionSet};
use super::align::reference::REAL_WORLD;
use super::weaver::{Kinds, Phase, Weaver};
use crate::seed::Rng;
use crate::wasm::isa::{Category, Op};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The least weight of an instruction that real-world code hardly has; without any it could not be learned.
const LEAST: f32 = 1e-3;

/// Weights by category; a category's weight is shared equally by its allowed instructions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prior {
    /// Weight by the name of a category; those that are not named weigh 1.
    pub categories: BTreeMap<String, f32>,
    /// Weight by the name of an instruction, beside its category.
    pub instructions: BTreeMap<String, f32>,
    /// Weight of `end`, beside its category.
    pub end: f32,
    /// Whether instructions that are not named weigh what they have of a hundred in real-world code, and their categories
    /// nothing.
    pub real_world: bool,
}

impl Default for Prior {
    fn default() -> Self {
        let weights = [
            (Category::IntArithmetic, 4.0),
            (Category::IntBitwise, 4.0),
            (Category::IntComparison, 2.0),
            (Category::FloatArithmetic, 4.0),
            (Category::FloatComparison, 1.0),
            (Category::Conversion, 1.0),
            (Category::Const, 2.0),
            (Category::Local, 1.0),
            (Category::Global, 0.5),
            (Category::Call, 0.25),
            (Category::Control, 0.5),
            (Category::Parametric, 0.25),
            (Category::Table, 0.25),
            (Category::Reference, 0.25),
            (Category::Memory, 0.25),
        ];
        let categories = weights.into_iter().map(|(category, weight)| (category.name().to_owned(), weight)).collect();
        Self { categories, instructions: BTreeMap::new(), end: 0.5, real_world: false }
    }
}

impl Prior {
    /// The first name or weight that is not valid.
    pub fn mistake(&self) -> Option<String> {
        let known = |name: &str| Category::ALL.iter().any(|category| category.name() == name);
        if let Some(name) = self.categories.keys().find(|name| !known(name)) {
            let names: Vec<&str> = Category::ALL.iter().map(|category| category.name()).collect();
            return Some(format!("`{name}` is no category; there are {}", names.join(", ")));
        }
        if let Some(name) = self.instructions.keys().find(|name| Op::parse(name).is_none()) {
            return Some(format!("`{name}` is no instruction"));
        }
        let weights = self.categories.values().chain(self.instructions.values()).chain([&self.end]);
        let bad = weights.into_iter().find(|weight| !(weight.is_finite() && **weight > 0.0))?;
        Some(format!("a weight is {bad}; weights are above 0"))
    }

    /// Weights of all actions, of which these instructions are allowed. Immediates weigh the same.
    fn weights(&self, allowed: &ActionSet) -> Vec<f32> {
        let in_reality = |op: Op| (100.0 * REAL_WORLD.opcodes.shares[op.index()] as f32).max(LEAST);
        let alone = |op: Op| match self.instructions.get(op.mnemonic()) {
            _ if op == Op::End => Some(self.end),
            None if self.real_world => Some(in_reality(op)),
            named => named.copied(),
        };
        let shares = |action: &Action, category: Category| matches!(action, Action::Instr(op) if op.row().category == category && alone(*op).is_none());
        let size = |category: Category| allowed.iter().filter(|action| shares(action, category)).count().max(1) as f32;
        let sizes: BTreeMap<&str, f32> = Category::ALL.iter().map(|&c| (c.name(), size(c))).collect();
        let weight = |number| match Action::from_number(number) {
            Action::Instr(op) => alone(op).unwrap_or_else(|| {
                let name = op.row().category.name();
                self.categories.get(name).copied().unwrap_or(1.0) / sizes[name]
            }),
            _ => 1.0,
        };
        (0..action::COUNT).map(weight).collect()
    }

    /// Initial logits of all actions.
    pub fn logits(&self, allowed: &ActionSet) -> Vec<f32> {
        self.weights(allowed).into_iter().map(f32::ln).collect()
    }

    /// The prior made ready to choose by.
    pub fn taste(&self, allowed: &ActionSet) -> Taste {
        let weights = self.weights(allowed);
        let urns = Kinds::all().map(|kinds| Urn::new(kinds.candidates(allowed).collect(), &weights)).collect();
        Taste { weights, urns }
    }
}

/// Chooses among legal actions by the weights of a [`Prior`].
#[derive(Clone, Debug)]
pub struct Taste {
    weights: Vec<f32>,
    /// The instructions that can be legal, by the operands on top.
    urns: Vec<Urn>,
}

/// Instructions to draw by their weight (Walker's method as of Vose 1991): any of them, equally likely, or with some
/// probability its stand-in.
#[derive(Clone, Debug)]
struct Urn {
    ops: Vec<Op>,
    /// How likely each stands for itself, and who stands in.
    shares: Vec<(f64, u16)>,
}

impl Urn {
    fn new(ops: Vec<Op>, weights: &[f32]) -> Self {
        let total: f64 = ops.iter().map(|op| f64::from(weights[op.index()])).sum();
        let scale = ops.len() as f64 / total;
        let mut shares: Vec<(f64, u16)> =
            ops.iter().enumerate().map(|(at, op)| (f64::from(weights[op.index()]) * scale, at as u16)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..ops.len()).partition(|&at| shares[at].0 < 1.0);
        while let (Some(under), Some(&over)) = (small.pop(), large.last()) {
            shares[under].1 = over as u16;
            shares[over].0 -= 1.0 - shares[under].0;
            if shares[over].0 < 1.0 {
                large.pop();
                small.push(over);
            }
        }
        Self { ops, shares }
    }

    #[inline]
    fn draw(&self, rng: &mut Rng) -> Op {
        let at = rng.below(self.ops.len() as u32) as usize;
        let (own, stand_in) = self.shares[at];
        self.ops[if rng.unit() < own { at } else { stand_in.into() }]
    }
}

impl Taste {
    /// Draws the number of one of the legal actions.
    pub fn choose_number(&self, legal: &ActionSet, rng: &mut Rng) -> usize {
        let total: f32 = legal.numbers().map(|number| self.weights[number]).sum();
        let mut left = rng.unit() as f32 * total;
        let mut last = 0;
        for number in legal.numbers() {
            last = number;
            left -= self.weights[number];
            if left < 0.0 {
                break;
            }
        }
        last
    }

    /// Draws one of the choices that a weaver offers: as [`Taste::choose_number`], without the set of all where that can
    /// be.
    pub fn draw(&self, weaver: &Weaver, rng: &mut Rng) -> usize {
        if let Some(kinds) = weaver.open_kinds() {
            let urn = &self.urns[kinds.index()];
            if let Some(op) = weaver.draw_from(rng, |rng| urn.draw(rng)) {
                return op.index();
            }
        } else if !matches!(weaver.phase(), Phase::Instr | Phase::Combine) {
            // Immediates weigh the same.
            return weaver.draw_legal(rng);
        }
        self.choose_number(weaver.legal(), rng)
    }

    /// Weaves to the end.
    pub fn weave(&self, weaver: &mut Weaver, rng: &mut Rng) {
        let mut done = weaver.phase() == Phase::Done;
        while !done {
            let number = self.draw(weaver, rng);
            done = weaver.carry_out(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::weave::config::WeaveConfig;

    #[test]
    fn a_category_weighs_what_it_should() {
        let allowed = WeaveConfig::default().instructions();
        let prior: Prior = serde_yaml::from_str("instructions: {i32.add: 0.25}").expect("well-formed");
        let logits = prior.logits(&allowed);
        let weight = |category| -> f32 {
            let members = allowed.iter().filter(
                |a| matches!(a, Action::Instr(op) if op.row().category == category && ![Op::End, Op::I32Add].contains(op)),
            );
            members.map(|action| logits[action.number()].exp()).sum()
        };
        assert!((weight(Category::IntArithmetic) - 4.0).abs() < 1e-4);
        assert!((weight(Category::Const) - 2.0).abs() < 1e-4);
        assert!((logits[Action::Instr(Op::End).number()].exp() - 0.5).abs() < 1e-6);
        assert!((logits[Action::Instr(Op::I32Add).number()].exp() - 0.25).abs() < 1e-6);
        assert_eq!(logits[Action::Trips(None).number()], 0.0);
    }

    #[test]
    fn taste_chooses_as_often_as_it_should() {
        let legal = ActionSet::of_instructions([Op::End, Op::I32Add, Op::I32Sub]);
        let prior: Prior = serde_yaml::from_str("{categories: {int arithmetic: 6}, end: 1}").expect("well-formed");
        let taste = prior.taste(&legal);
        let mut rng = Seed::new(4).rng();
        let ends = (0..7000).filter(|_| taste.choose_number(&legal, &mut rng) == Op::End.index()).count();
        // One of seven, within five standard deviations.
        assert!((853..1147).contains(&ends), "{ends}");
    }

    #[test]
    fn mistakes_are_named() {
        let prior = |yaml: &str| serde_yaml::from_str::<Prior>(yaml).expect("well-formed");
        assert_eq!(Prior::default().mistake(), None);
        assert!(prior("categories: {conts: 1}").mistake().expect("no category").contains("conts"));
        assert!(prior("instructions: {i32.ad: 1}").mistake().expect("no instruction").contains("i32.ad"));
        assert!(prior("end: 0").mistake().is_some());
    }
}
