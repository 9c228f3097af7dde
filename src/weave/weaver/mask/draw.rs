//! Owns the legality of one choice: testing it, and drawing it, without the set of all.
//!
//! Must not know another rule than the mask's. A draw among candidates that repeats for illegal ones is a
//! draw among the legal ones; so chance needs no mask. Where that takes too long, or what can be chosen is not a matter
//! of operand types, the whole set decides. A test holds both against each other.

use super::tables::{Kinds, Trapping, Values};
use crate::seed::Rng;
use crate::wasm::isa::Op;
use crate::weave::action::Action;
use crate::weave::budget::NEW_LOCAL_BYTES;
use crate::weave::literal::{buckets, largest_const_bytes};
use crate::weave::scope::Effect;
use crate::weave::weaver::{Phase, Weaver};

/// More than any access to a local takes, its declaration included.
const ACCESS_BYTES: u32 = 2 + NEW_LOCAL_BYTES;
/// Draws before the whole set is looked at.
const TRIES: u32 = 16;

impl Weaver {
    /// Whether one choice is legal; quicker than [`Weaver::legal`] where one is all that matters.
    #[inline]
    pub fn is_legal(&self, number: usize) -> bool {
        if matches!(self.phase, Phase::Instr) && number < Op::COUNT && !self.is_spent() {
            let action = Action::Instr(Op::ALL[number]);
            if self.loom.tables.candidate_set(self.kinds()).contains(action) && self.can_place(Op::ALL[number]) {
                return true;
            }
        }
        self.legal().contains_number(number)
    }

    /// Draws one of the legal choices, all equally likely; its number.
    #[inline]
    pub fn draw_legal(&self, rng: &mut Rng) -> usize {
        match self.phase {
            Phase::Instr if self.is_spent() => return self.closing_move().index(),
            Phase::Instr => {
                let candidates = self.loom.tables.candidates(self.kinds());
                if let Some(op) = self.draw_from(rng, |rng| *rng.pick(candidates)) {
                    return op.index();
                }
            }
            Phase::Bucket(ty) if self.is_roomy(largest_const_bytes(ty), 1) => {
                return Action::Bucket(rng.below(buckets(ty))).number();
            }
            Phase::Local(op) => {
                if let Some(action) = self.draw_local(op, rng) {
                    return action.number();
                }
            }
            _ => {}
        }
        self.legal().pick(rng)
    }

    /// A local for an access that can be paid, existing or new; `None` if it takes long to find one.
    fn draw_local(&self, op: Op, rng: &mut Rng) -> Option<Action> {
        if !self.is_roomy(ACCESS_BYTES, 1) {
            return None;
        }
        let (count, top) = (self.local_count(), self.scope().peek(0));
        let declares = count < self.config().limits.locals;
        if op == Op::LocalGet {
            let types = if declares { &self.loom.types[..] } else { &[] };
            let drawn = rng.below(count + types.len() as u32);
            return Some(
                types.get(drawn.wrapping_sub(count) as usize).map_or(Action::Local(drawn), |&ty| Action::NewLocal(ty)),
            );
        }
        let top = top.filter(|ty| self.loom.types.contains(ty))?;
        let mut draws = (0..TRIES).map(|_| rng.below(count + u32::from(declares)));
        let drawn =
            draws.find(|&drawn| drawn == count || (self.local_type(drawn) == top && !self.is_counter(drawn)))?;
        Some(if drawn == count { Action::NewLocal(top) } else { Action::Local(drawn) })
    }

    /// An instruction drawn from the [`Weaver::open_kinds`]' candidates until it is legal; `None` if that takes long.
    #[inline]
    pub(in crate::weave) fn draw_from(&self, rng: &mut Rng, mut draw: impl FnMut(&mut Rng) -> Op) -> Option<Op> {
        (0..TRIES).map(|_| draw(rng)).find(|&op| self.can_place(op))
    }

    /// What the operands are, where an instruction is to be chosen and there is more than one way to go on.
    #[inline]
    pub(in crate::weave) fn open_kinds(&self) -> Option<Kinds> {
        (matches!(self.phase, Phase::Instr) && !self.is_spent()).then(|| self.kinds())
    }

    /// All instructions that can be legal here by their category, where there is more than one way to go on.
    #[inline]
    pub(in crate::weave) fn open_groups(&self) -> Option<&[Vec<Op>]> {
        Some(self.loom.tables.groups(self.open_kinds()?))
    }

    /// Whether a candidate is legal for its own sake, not only as the one way to go on.
    #[inline(always)]
    pub(in crate::weave) fn can_place(&self, op: Op) -> bool {
        let test = self.loom.tables.test(op);
        if test.growing && self.scope().types.len() >= self.config().limits.stack as usize {
            return false;
        }
        // Most candidates ask nothing of the values.
        match test.values {
            Values::Any => !self.is_tight() || self.affords_plain(op, test.class),
            values => self.can_place_on(op, values, test.class),
        }
    }

    /// Whether the values at hand allow an instruction.
    fn can_place_on(&self, op: Op, values: Values, class: u8) -> bool {
        match values {
            Values::Any => {}
            Values::Special if op == Op::End => return self.can_end_now(),
            Values::Special => return self.can_special(op),
            Values::Traps(trapping) => {
                if self.live && self.traps(trapping) {
                    return false;
                }
            }
            Values::Access { down, width } => {
                let end = || u64::from(self.machine.operand(down.into()).bits as u32) + u64::from(width);
                if self.live && end() > self.memory_bytes() {
                    return false;
                }
            }
        }
        !self.is_tight() || self.affords_plain(op, class)
    }

    pub(super) fn traps(&self, trapping: Trapping) -> bool {
        let operand = |down: u32| self.machine.operand(down).bits as u64;
        match trapping {
            Trapping::Unary(f) => f(operand(0)).is_err(),
            Trapping::Binary(f) => f(operand(1), operand(0)).is_err(),
        }
    }

    #[cold]
    fn affords_plain(&self, op: Op, class: u8) -> bool {
        self.affords(&self.class_cost(&self.loom.tables.classes[usize::from(class)].0))
            && (!self.timer.is_on() || self.affords_time(op, &[], &Effect::of(op), false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::weave::action::{ActionSet, COUNT};
    use crate::weave::chance::Chance;
    use crate::weave::config::WeaveConfig;
    use crate::weave::prior::{Prior, Taste};
    use crate::weave::tests::SETTINGS;
    use crate::weave::weaver::Loom;
    use std::sync::Arc;

    fn weaver(yaml: &str) -> Weaver {
        let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
        Weaver::new(Arc::new(Loom::new(config).expect("valid settings")), 0)
    }

    /// Weaves programs and shows every state on the way, before anything was asked of it.
    fn each_state(yaml: &str, programs: u64, mut look: impl FnMut(&Weaver)) {
        let mut weaver = weaver(yaml);
        for n in 0..programs {
            let seed = Seed::new(12).indexed("program", n);
            weaver.reset(seed.to_u64());
            let mut rng = seed.child("choices").rng();
            while weaver.phase() != Phase::Done {
                look(&weaver);
                let number = weaver.draw_legal(&mut rng);
                weaver.step_number(number);
            }
        }
    }

    #[test]
    fn one_choice_is_legal_if_the_set_says_so() {
        for yaml in SETTINGS {
            each_state(yaml, 150, |weaver| {
                let (untouched, legal) = (weaver.clone(), weaver.legal());
                for number in 0..COUNT {
                    let fresh = if number % 97 == 0 { &untouched.clone() } else { weaver };
                    assert_eq!(
                        fresh.is_legal(number),
                        legal.contains_number(number),
                        "{:?}",
                        Action::from_number(number)
                    );
                }
                let Some(kinds) = weaver.open_kinds() else { return };
                let able = |op: &Op| weaver.can_place(*op);
                let placeable: Vec<usize> =
                    kinds.candidates(&weaver.loom.tables.allowed).filter(able).map(Op::index).collect();
                if !placeable.is_empty() {
                    assert_eq!(placeable, legal.numbers().collect::<Vec<_>>(), "what is drawn from is the whole set");
                }
            });
        }
    }

    /// Holds how often choices are drawn, in many states together, against how often they should be.
    fn check_draws(draw: impl Fn(&Loom, &Weaver, &mut Rng) -> usize, weigh: impl Fn(&Loom, &ActionSet, usize) -> f64) {
        const DRAWS: u32 = 200;
        let mut rng = Seed::new(13).rng();
        for yaml in SETTINGS {
            let (mut chi, mut freedom) = (0.0, 0.0);
            each_state(yaml, 3, |weaver| {
                let loom = &weaver.loom;
                let mut counts = [0u32; COUNT];
                (0..DRAWS).for_each(|_| counts[draw(loom, &weaver.clone(), &mut rng)] += 1);
                let legal = weaver.legal();
                let drawn: u32 = legal.numbers().map(|number| counts[number]).sum();
                assert_eq!(drawn, DRAWS, "only what is legal is drawn");
                let total: f64 = legal.numbers().map(|number| weigh(loom, legal, number)).sum();
                for number in legal.numbers() {
                    let expected = f64::from(DRAWS) * weigh(loom, legal, number) / total;
                    chi += (f64::from(counts[number]) - expected).powi(2) / expected;
                }
                freedom += f64::from(legal.len() - 1);
            });
            // The statistic has mean `freedom` and a variance of about twice that: more where a choice is rare.
            let deviations = (chi - freedom) / (2.0 * freedom).sqrt();
            assert!(deviations.abs() < 5.0, "{deviations} standard deviations in `{yaml}`");
        }
    }

    #[test]
    fn every_legal_choice_is_drawn_equally_often() {
        check_draws(|_, weaver, rng| Chance::Actions.draw(weaver, rng), |_, _, _| 1.0);
    }

    #[test]
    fn every_legal_category_is_drawn_equally_often() {
        let category = |number: usize| Op::from_index(number).map(|op| op.row().category);
        let siblings = |legal: &ActionSet, number| {
            legal.numbers().filter(|&other| category(other) == category(number)).count() as f64
        };
        let weigh = |_: &Loom, legal: &ActionSet, number| 1.0 / siblings(legal, number);
        check_draws(|_, weaver, rng| Chance::Categories.draw(weaver, rng), weigh);
    }

    #[test]
    fn taste_draws_by_weight() {
        let prior = Prior::default();
        let logits = |loom: &Loom| prior.logits(&loom.tables.allowed);
        let tastes: Vec<(ActionSet, Taste, Vec<f32>)> = SETTINGS
            .iter()
            .map(|yaml| {
                let loom = &weaver(yaml).loom;
                (loom.tables.allowed, prior.taste(&loom.tables.allowed), logits(loom))
            })
            .collect();
        let of = |loom: &Loom| tastes.iter().find(|(allowed, ..)| *allowed == loom.tables.allowed).expect("listed");
        check_draws(
            |loom, weaver, rng| of(loom).1.draw(weaver, rng),
            |loom, _, number| f64::from(of(loom).2[number].exp()),
        );
    }
}
