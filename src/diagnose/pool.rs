//! Owns the pool that a diagnosis chooses its questions from: short ones, in which each mutant shows often enough.
//!
//! Must not know what is believed of a reader: the pool is the same for every reader of a preset and seed. Chance alone
//! hardly weaves what tells much: loops, or operands at which two instructions differ. So programs are woven with a focus
//! on each category and structure in turn, and half of them are edited: another instruction of the same signature, or a
//! constant that is the other operand or an edge case. Of what is woven short questions are kept first, as long as they
//! expose what is not exposed enough.

mod edit;

use super::candidate::Candidate;
use crate::cause::mutant::Mutants;
use crate::item::make::{Draft, Maker};
use crate::item::source::ItemSource;
use crate::item::task::place::Placement;
use crate::seed::Seed;
use crate::wasm::isa::{Category, Op};
use crate::wasm::machine::Machine;
use crate::weave::action::Action;
use crate::weave::prior::{Prior, Taste};
use crate::weave::weaver::{Loom, Weaver};
use rayon::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

/// How large a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Programs that are woven.
    pub woven: usize,
    /// Questions that are kept at most.
    pub kept: usize,
    /// How often each mutant is exposed, if it can be.
    pub exposed: u32,
}

impl Default for Size {
    fn default() -> Self {
        Self { woven: 20_000, kept: 6000, exposed: 100 }
    }
}

/// What chance hardly weaves together.
const MIXES: [&[&str]; 10] = [
    &["loop", "br_if", "local.tee", "local.get", "i32.sub", "i32.const"],
    &["loop", "br_if", "local.tee", "local.get", "i32.add", "i32.lt_u"],
    &["loop", "if", "br", "local.set", "local.get"],
    &["call", "local.get", "local.set"],
    &["call", "return", "local.set", "local.get"],
    &["block", "br", "br_if"],
    &["block", "br_table", "i32.and"],
    &["return", "call", "if", "block"],
    &["i32.load8_s", "i32.load16_s", "i64.load8_s", "i64.load16_s", "i64.load32_s", "i32.store", "i64.store"],
    &["global.get", "global.set", "i32.const", "i64.const"],
];

/// What a focus weighs beside all else together.
const WEIGHT: f32 = 0.5;
/// What a mix weighs, its instructions together.
const MIX: f32 = 16.0;

/// Weaves the pool of a preset. The same arguments give the same pool, on any number of threads.
pub fn weave(
    loom: &Arc<Loom>,
    source: &ItemSource,
    prior: &Prior,
    mutants: &Mutants,
    seed: Seed,
    size: Size,
) -> Vec<Candidate> {
    let tastes = tastes(loom, prior);
    let make = |(maker, machine): &mut (Maker, Machine), number: usize| -> Vec<Candidate> {
        let seed = seed.indexed("candidate", number as u64);
        let mut weaver = Weaver::new(loom.clone(), seed.to_u64());
        tastes[number % tastes.len()].weave(&mut weaver, &mut seed.child("choices").rng());
        let placement = Placement::Random(&mut seed.child("probe").rng());
        let Some(draft) = maker.make(&weaver, format!("q{number}"), placement) else { return Vec::new() };
        let edited = edit::edited(&draft, loom, &mut seed.child("edit").rng(), machine);
        let prepared =
            |draft: Draft, machine: &mut Machine| Candidate::of(draft, mutants, machine).expect("it was written here");
        edited.into_iter().chain([draft]).filter_map(|draft| prepared(draft, machine)).collect()
    };
    let numbers = (0..size.woven).into_par_iter();
    let all: Vec<Vec<Candidate>> = numbers.map_init(|| (source.maker(), Machine::default()), make).collect();
    kept(all.into_iter().flatten().collect(), mutants.all().len(), size)
}

/// Short questions first, as long as they expose what is not exposed enough.
fn kept(mut all: Vec<Candidate>, mutants: usize, size: Size) -> Vec<Candidate> {
    all.sort_by(|a, b| a.steps.total_cmp(&b.steps));
    let (mut exposed, mut seen) = (vec![0u32; mutants], HashSet::new());
    all.retain(|candidate| {
        let valued = || candidate.exposures.iter().filter(|exposure| exposure.said.is_some());
        let tells = valued().any(|exposure| exposed[exposure.mutant as usize] < size.exposed);
        let is_kept = tells && seen.len() < size.kept && seen.insert(candidate.item().program.clone());
        if is_kept {
            valued().for_each(|exposure| exposed[exposure.mutant as usize] += 1);
        }
        is_kept
    });
    all
}

/// The prior alone, with each category and structure that the preset allows in focus, and with each mix.
fn tastes(loom: &Loom, prior: &Prior) -> Vec<Taste> {
    const STRUCTURES: [Op; 6] = [Op::Loop, Op::If, Op::BrIf, Op::BrTable, Op::Call, Op::CallIndirect];
    let allowed = loom.config.instructions();
    let is_allowed = |op: Op| allowed.contains(Action::Instr(op));
    let total = Category::ALL
        .iter()
        .filter(|category| Op::ALL.iter().any(|&op| op.row().category == **category && is_allowed(op)))
        .map(|category| prior.categories.get(category.name()).copied().unwrap_or(1.0))
        .sum::<f32>();
    let focused = |change: &dyn Fn(&mut Prior)| {
        let mut prior = prior.clone();
        change(&mut prior);
        prior
    };
    let mut priors = vec![prior.clone()];
    for category in Category::ALL
        .iter()
        .filter(|category| Op::ALL.iter().any(|&op| op.row().category == **category && is_allowed(op)))
    {
        priors.push(focused(&|prior| {
            prior.categories.insert(category.name().into(), WEIGHT * total);
        }));
    }
    for op in STRUCTURES.into_iter().filter(|&op| is_allowed(op)) {
        priors.push(focused(&|prior| {
            prior.instructions.insert(op.mnemonic().into(), WEIGHT * total);
        }));
    }
    for mix in MIXES.iter().filter(|mix| mix.iter().all(|name| Op::parse(name).is_some_and(is_allowed))) {
        priors.push(focused(&|prior| {
            for name in *mix {
                *prior.instructions.entry((*name).to_owned()).or_default() += MIX / mix.len() as f32;
            }
        }));
    }
    priors.iter().map(|prior| prior.taste(&allowed)).collect()
}

#[cfg(test)]
mod tests;
