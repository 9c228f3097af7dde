//! Owns what an untrained policy prefers: a weight for each category of instructions.
//!
//! Must not know networks: it yields initial logits. Uniform chance over a table of 180 instructions writes mostly
//! constants, unary conversions and `drop`s; a policy that starts there spends its budget on finding out that results
//! come from operations on two operands. Chance stays the baseline; the prior is only where learning starts.

use crate::wasm::isa::{Category, Op};
use crate::weave::action::{self, Action, ActionSet};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Weights by category; a category's weight is shared equally by its allowed instructions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prior {
    /// Weight by the name of a category; those that are not named weigh 1.
    pub categories: BTreeMap<String, f32>,
    /// Weight of `end`, beside its category.
    pub end: f32,
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
        ];
        let categories = weights.into_iter().map(|(category, weight)| (category.name().to_owned(), weight)).collect();
        Self { categories, end: 0.5 }
    }
}

impl Prior {
    /// The first name that is no category, or weight that is none.
    pub fn mistake(&self) -> Option<String> {
        let known = |name: &str| Category::ALL.iter().any(|category| category.name() == name);
        if let Some(name) = self.categories.keys().find(|name| !known(name)) {
            let names: Vec<&str> = Category::ALL.iter().map(|category| category.name()).collect();
            return Some(format!("`{name}` is no category; there are {}", names.join(", ")));
        }
        let weights = self.categories.values().chain([&self.end]);
        let bad = weights.into_iter().find(|weight| !(weight.is_finite() && **weight > 0.0))?;
        Some(format!("a weight is {bad}; weights are above 0"))
    }

    /// Initial logits of all actions, of which these instructions are allowed. Immediates weigh the same.
    pub fn logits(&self, allowed: &ActionSet) -> Vec<f32> {
        let size = |category: Category| {
            let of_category = |action: &Action| matches!(action, Action::Instr(op) if op.row().category == category);
            allowed.iter().filter(of_category).count().max(1) as f32
        };
        let sizes: BTreeMap<&str, f32> = Category::ALL.iter().map(|&c| (c.name(), size(c))).collect();
        let logit = |number| match Action::from_number(number) {
            Action::Instr(Op::End) => self.end.ln(),
            Action::Instr(op) => {
                let name = op.row().category.name();
                (self.categories.get(name).copied().unwrap_or(1.0) / sizes[name]).ln()
            }
            _ => 0.0,
        };
        (0..action::COUNT).map(logit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weave::config::WeaveConfig;

    #[test]
    fn a_category_weighs_what_it_should() {
        let allowed = WeaveConfig::default().instructions();
        let logits = Prior::default().logits(&allowed);
        let weight = |category| -> f32 {
            let members = allowed
                .iter()
                .filter(|a| matches!(a, Action::Instr(op) if op.row().category == category && *op != Op::End));
            members.map(|action| logits[action.number()].exp()).sum()
        };
        assert!((weight(Category::IntArithmetic) - 4.0).abs() < 1e-4);
        assert!((weight(Category::Const) - 2.0).abs() < 1e-4);
        assert!((logits[Action::Instr(Op::End).number()].exp() - 0.5).abs() < 1e-6);
        assert_eq!(logits[Action::Trips(None).number()], 0.0);
    }

    #[test]
    fn mistakes_are_named() {
        let prior = |yaml: &str| serde_yaml::from_str::<Prior>(yaml).expect("well-formed");
        assert_eq!(Prior::default().mistake(), None);
        assert!(prior("categories: {conts: 1}").mistake().expect("no category").contains("conts"));
        assert!(prior("end: 0").mistake().is_some());
    }
}
