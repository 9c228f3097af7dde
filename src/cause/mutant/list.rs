//! Owns which mutants there are: pairs of instructions, rules, other courses of a run; each of them alone, in families, and
//! under a circumstance only.
//!
//! Must not know how they are run. What readers confuse, they confuse for all types as a rule; so what exists for several
//! types is a hypothesis of its own.

use super::flow::FLOWS;
use super::rule::{RULES, bare};
use super::{Mutant, Slip, computes};
use crate::cause::facts::Circumstance;
use crate::wasm::isa::{Category, Op};

/// Whether one may stand for the other in any program.
fn alike(from: Op, to: Op) -> bool {
    let (a, b) = (from.row(), to.row());
    let is_access = |op: Op| op.index() < Op::SCALARS && matches!(op.row().category, Category::Load | Category::Store);
    let same_sort = computes(from) && computes(to) || is_access(from) && is_access(to) && a.category == b.category;
    from != to && same_sort && a.params == b.params && a.results == b.results
}

/// The circumstances under which alone something may be misread that is read rightly otherwise.
const PARTLY: [Circumstance; 3] = [Circumstance::NegativeOperand, Circumstance::Again, Circumstance::Called];

/// All mutants that misread some of these instructions.
pub(super) fn listed(instructions: &[Op]) -> Vec<Mutant> {
    let mut all = pairs(instructions);
    all.extend(by_rules(instructions));
    let partly: Vec<Mutant> = all
        .iter()
        .filter(|mutant| is_likely(mutant))
        .flat_map(|mutant| PARTLY.into_iter().filter(|when| suits(mutant, *when)).map(|when| mutant.only(when)))
        .collect();
    all.extend(FLOWS.iter().filter_map(|flow| {
        let slips: Vec<_> = having(instructions, flow.has).map(|op| (op, Slip::Flow(flow))).collect();
        let mutant = Mutant { name: flow.name.into(), words: flow.words.into(), slips, when: Circumstance::Any };
        (!mutant.slips.is_empty()).then_some(mutant)
    }));
    all.extend(partly);
    all
}

fn having(instructions: &[Op], has: impl Fn(Op) -> bool) -> impl Iterator<Item = Op> {
    instructions.iter().copied().filter(move |&op| has(op))
}

/// Every instruction as every other of its signature; and where both are there for several types, for all of them.
fn pairs(instructions: &[Op]) -> Vec<Mutant> {
    let pairs: Vec<(Op, Op)> = instructions
        .iter()
        .flat_map(|&from| Op::ALL.iter().filter(move |&&to| alike(from, to)).map(move |&to| (from, to)))
        .collect();
    let one = |&(from, to): &(Op, Op)| Mutant {
        name: format!("{from}={to}"),
        words: format!("{from} is read as {to}"),
        slips: vec![(from, Slip::As(to))],
        when: Circumstance::Any,
    };
    let mut families: Vec<Mutant> = Vec::new();
    for &(from, to) in &pairs {
        let name = format!("{}={}", bare(from), bare(to));
        let slip = (from, Slip::As(to));
        match families.iter_mut().find(|family| family.name == name) {
            // Of two readings of one instruction, such as `extend8_s`, the first stands.
            Some(family) if family.slip(from).is_none() => family.slips.push(slip),
            Some(_) => {}
            None => families.push(Mutant {
                words: format!("{} is read as {}, of any type", bare(from), bare(to)),
                name,
                slips: vec![slip],
                when: Circumstance::Any,
            }),
        }
    }
    families.retain(|family| family.slips.len() > 1);
    families.extend(SIGNS.iter().filter_map(|sign| sign.mutant(&pairs)));
    pairs.iter().map(one).chain(families).collect()
}

/// Many instructions read as their twins at once.
struct Twins {
    name: &'static str,
    words: &'static str,
    /// Whether one stands for the other, by their names without types.
    has: fn(Op, &str, &str) -> bool,
}

/// Confusions of signs: what is a habit with one is one with all.
static SIGNS: [Twins; 4] = [
    Twins {
        name: "unsigned=signed",
        words: "unsigned instructions are read as signed ones",
        has: |op, from, to| !is_load(op) && !from.contains("trunc") && is_twin(from, "_u", to, "_s"),
    },
    Twins {
        name: "signed=unsigned",
        words: "signed instructions are read as unsigned ones",
        has: |op, from, to| !is_load(op) && !from.contains("trunc") && is_twin(from, "_s", to, "_u"),
    },
    Twins {
        name: "load_s=load_u",
        words: "narrow signed loads are not sign-extended",
        has: |op, from, to| is_load(op) && is_twin(from, "_s", to, "_u"),
    },
    Twins {
        name: "load_u=load_s",
        words: "narrow unsigned loads are sign-extended",
        has: |op, from, to| is_load(op) && is_twin(from, "_u", to, "_s"),
    },
];

impl Twins {
    fn mutant(&self, pairs: &[(Op, Op)]) -> Option<Mutant> {
        let fit = pairs.iter().filter(|(from, to)| (self.has)(*from, bare(*from), bare(*to)));
        let slips: Vec<_> = fit.map(|&(from, to)| (from, Slip::As(to))).collect();
        let mutant = Mutant { name: self.name.into(), words: self.words.into(), slips, when: Circumstance::Any };
        (mutant.slips.len() > 1).then_some(mutant)
    }
}

fn is_load(op: Op) -> bool {
    op.row().category == Category::Load
}

fn is_twin(from: &str, end: &str, to: &str, other: &str) -> bool {
    from.strip_suffix(end).is_some_and(|stem| to.strip_suffix(other) == Some(stem))
}

/// Every rule, for each instruction that it is about, and for all of them.
fn by_rules(instructions: &[Op]) -> Vec<Mutant> {
    let mut all = Vec::new();
    for rule in &RULES {
        let slips: Vec<_> = having(instructions, |op| rule.has(op)).map(|op| (op, Slip::Rule(rule))).collect();
        let mutant = |name: String, subject: &str, slips: Vec<(Op, Slip)>| Mutant {
            name,
            words: format!("{subject} {} read {}", if slips.len() > 1 { "are" } else { "is" }, rule.words),
            slips,
            when: Circumstance::Any,
        };
        all.extend(
            slips.iter().map(|&(op, slip)| mutant(format!("{op}:{}", rule.name), op.mnemonic(), vec![(op, slip)])),
        );
        if slips.len() > 1 {
            let name = format!("{}:{}", rule.subject.replace([',', ' '], "-"), rule.name);
            all.push(mutant(name, rule.subject, slips));
        }
    }
    all
}

/// Whether it is a mistake that readers are known to make, so that it may be made under a circumstance only.
fn is_likely(mutant: &Mutant) -> bool {
    match mutant.slips[..] {
        [(from, Slip::As(to))] => from.row().category == to.row().category && near(bare(from), bare(to)),
        [(_, Slip::Rule(_))] => true,
        _ => false,
    }
}

/// Whether two names differ by their sign, or by one word of a pair that is mixed up.
fn near(from: &str, to: &str) -> bool {
    const MIXED: [(&str, &str); 10] = [
        ("lt_", "le_"),
        ("gt_", "ge_"),
        ("lt_", "gt_"),
        ("le_", "ge_"),
        ("rotl", "rotr"),
        ("shl", "shr_u"),
        ("clz", "ctz"),
        ("min", "max"),
        ("floor", "trunc"),
        ("div_", "rem_"),
    ];
    let signs = is_twin(from, "_u", to, "_s") || is_twin(from, "_s", to, "_u");
    signs || MIXED.iter().any(|(a, b)| from.replacen(a, b, 1) == to || from.replacen(b, a, 1) == to)
}

/// Whether a circumstance says something of a mutant that it does not say anyway.
fn suits(mutant: &Mutant, when: Circumstance) -> bool {
    let is_int = |op: Op| op.row().params.iter().any(|ty| !ty.is_float());
    when != Circumstance::NegativeOperand || mutant.subjects().all(is_int)
}
