//! Owns the predictor: which of many woven programs would be missed?
//!
//! Must not know strategies, nor what a miss pays. Queries are scarce and programs nearly free, so what the verdicts so
//! far have in common decides which of many candidates are asked. A small ensemble on the features of a [`Profile`]: each
//! member learns from its own part of the verdicts, so that they agree where much is known and differ where little is;
//! asking what one member, drawn at random, finds likely is Thompson sampling. A member has two views (`View`), of which
//! the one that proves better counts. Whether the ensemble is any good is measured on queries that it had no part in
//! choosing, by the members that did not learn from them (out of bag, Breiman 1996), as they are now; it is trusted only
//! while that is so.

mod member;
mod scale;

use crate::cause::profile::Profile;
use crate::seed::{Rng, Seed};
use member::{Member, View};
use scale::Scale;
use std::collections::VecDeque;

/// Members of the ensemble.
const MEMBERS: usize = 8;
/// Members that do not learn from a verdict, and are measured on it.
const OUT: usize = 2;
/// Verdicts that each member looks at in one round, misses and others in equal shares.
const LOOKS: u32 = 384;
/// Queries chosen without the ensemble that it is measured on: the last so many.
const HELD_OUT: usize = 300;
/// The last of them that say how often the strategy's own programs are missed now.
const RECENT: usize = 48;
/// Of each kind of verdict so many must be among them, or nothing is known.
const LEAST: usize = 2;
/// The least area under the ROC curve with which it is trusted.
pub(crate) const TRUSTED: f64 = 0.65;

/// A verdict to learn from.
struct Sample {
    features: Vec<u16>,
    /// The members that do not learn from it.
    out: [usize; OUT],
}

/// The ensemble and what it learned from.
pub struct Predictor {
    members: Vec<Member>,
    missed: Vec<Sample>,
    others: Vec<Sample>,
    /// The last queries that it did not choose: whether each was missed, and its place among those.
    held_out: VecDeque<(bool, usize)>,
    /// The one that counts now.
    view: View,
    scale: Scale,
    rng: Rng,
}

impl Predictor {
    /// One that knows nothing yet.
    pub fn new(seed: Seed) -> Self {
        let mut start = seed.child("members").rng();
        Self {
            members: (0..MEMBERS).map(|_| Member::new(&mut start)).collect(),
            missed: Vec::new(),
            others: Vec::new(),
            held_out: VecDeque::new(),
            view: View::Suspects,
            scale: Scale::default(),
            rng: seed.child("looks").rng(),
        }
    }

    /// The chance that a member ranks a miss above another query, of those held out that it did not learn from; `None`
    /// while too few are known.
    pub fn auc(&self) -> Option<f64> {
        self.auc_of(self.view)
    }

    fn auc_of(&self, view: View) -> Option<f64> {
        let hits = self.held_out.iter().filter(|(missed, _)| *missed).count();
        if hits.min(self.held_out.len() - hits) < LEAST {
            return None;
        }
        let of_member = |at: usize| {
            let of = |wanted: bool, samples: &[Sample]| -> Vec<f32> {
                let held =
                    self.held_out.iter().filter(|(missed, _)| *missed == wanted).map(|(_, place)| &samples[*place]);
                let out = held.filter(|sample| sample.out.contains(&at));
                out.map(|sample| self.members[at].score(view, &sample.features)).collect()
            };
            in_order(&of(true, &self.missed), &of(false, &self.others))
        };
        let (ordered, pairs) = (0..MEMBERS).map(of_member).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (pairs > 0.0).then(|| ordered / pairs)
    }

    /// The share of misses among the last queries that it did not choose: never 0, never 1.
    pub fn share(&self) -> f64 {
        let last = self.held_out.iter().rev().take(RECENT);
        let (hits, all) = last.fold((0, 0), |(hits, all), (missed, _)| (hits + u32::from(*missed), all + 1));
        f64::from(hits + 1) / f64::from(all + 2)
    }

    /// Whether it may choose what is asked.
    pub fn is_trusted(&self) -> bool {
        self.auc().is_some_and(|auc| auc >= TRUSTED)
    }

    /// Hears a verdict. `held_out` says that it had no part in choosing the query: then it is measured on it.
    pub fn hear(&mut self, profile: &Profile, missed: bool, held_out: bool) {
        let mut members: Vec<usize> = (0..MEMBERS).collect();
        self.rng.shuffle(&mut members);
        for &at in &members[OUT..] {
            self.members[at].hear(&profile.features, missed);
        }
        let samples = if missed { &mut self.missed } else { &mut self.others };
        samples.push(Sample { features: profile.features.clone(), out: std::array::from_fn(|at| members[at]) });
        if held_out {
            self.held_out.push_back((missed, samples.len() - 1));
            if self.held_out.len() > HELD_OUT {
                self.held_out.pop_front();
            }
        }
    }

    /// Learns from its samples. It needs misses and others, to tell them apart.
    pub fn fit(&mut self) {
        if self.missed.is_empty() || self.others.is_empty() {
            return;
        }
        for (at, member) in self.members.iter_mut().enumerate() {
            for look in 0..LOOKS {
                let missed = look % 2 == 0;
                let sample = self.rng.pick(if missed { &self.missed } else { &self.others });
                if !sample.out.contains(&at) {
                    member.look(&sample.features, missed);
                }
            }
        }
        let proves = |view: &View| self.auc_of(*view).unwrap_or(0.0);
        // Of equals the first.
        let better = View::ALL.into_iter().rev().max_by(|a, b| proves(a).total_cmp(&proves(b)));
        self.view = better.expect("there are two");
        self.scale = Scale::fit(&self.known());
    }

    /// The queries held out: the scores by members that did not learn from each, and whether it was missed.
    fn known(&self) -> Vec<(f32, bool)> {
        let score = |&(missed, place): &(bool, usize)| {
            let sample = if missed { &self.missed[place] } else { &self.others[place] };
            let scores = sample.out.iter().map(|&at| self.members[at].score(self.view, &sample.features));
            (scores.sum::<f32>() / OUT as f32, missed)
        };
        self.held_out.iter().map(score).collect()
    }

    /// One member, drawn at random.
    pub fn draw(&self, rng: &mut Rng) -> usize {
        rng.below(self.members.len() as u32) as usize
    }

    /// How likely a program is missed, as one member sees it.
    pub fn chance_by(&self, member: usize, profile: &Profile) -> f32 {
        self.scale.chance(self.members[member].score(self.view, &profile.features))
    }

    /// How likely a program is missed: the mean over the members.
    pub fn chance(&self, profile: &Profile) -> f32 {
        (0..MEMBERS).map(|member| self.chance_by(member, profile)).sum::<f32>() / MEMBERS as f32
    }
}

/// Of all pairs of a hit and another those in which the hit is higher, a tie counting half; and how many there are.
fn in_order(hits: &[f32], others: &[f32]) -> (f64, f64) {
    let above = |hit: &f32| {
        let counted = |other: &f32| if hit > other { 1.0 } else { f64::from(u8::from(hit == other)) / 2.0 };
        others.iter().map(counted).sum::<f64>()
    };
    (hits.iter().map(above).sum(), (hits.len() * others.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::construct::Construct;

    /// Twenty features of 200; a program is missed if it has feature 7 and feature 30.
    fn profile(rng: &mut Rng) -> (Profile, bool) {
        let mut features: Vec<u16> = (0..20).map(|_| rng.below(200) as u16).collect();
        if rng.below(20) == 0 {
            features.extend([7, 30]);
        }
        features.sort_unstable();
        features.dedup();
        let missed = features.contains(&7) && features.contains(&30);
        (Profile { features, construct: Construct::Other, fuel: 1 }, missed)
    }

    fn learned(label: impl Fn(bool, &mut Rng) -> bool) -> Predictor {
        let (mut predictor, mut rng) = (Predictor::new(Seed::new(1)), Seed::new(2).rng());
        for _ in 0..20 {
            for _ in 0..32 {
                let (profile, missed) = profile(&mut rng);
                let missed = label(missed, &mut rng);
                predictor.hear(&profile, missed, true);
            }
            predictor.fit();
        }
        predictor
    }

    #[test]
    fn it_learns_what_is_missed_and_is_trusted_for_it() {
        let predictor = learned(|missed, _| missed);
        assert!(predictor.auc().expect("enough were held out") > 0.85, "{:?}", predictor.auc());
        assert!(predictor.is_trusted());
        assert!((0.0..0.2).contains(&predictor.share()), "one of twenty is missed: {}", predictor.share());
        let mut rng = Seed::new(3).rng();
        let (mut missed, mut others) = (Vec::new(), Vec::new());
        for _ in 0..2000 {
            let (profile, is_missed) = profile(&mut rng);
            if is_missed { &mut missed } else { &mut others }.push(predictor.chance(&profile));
        }
        let mean = |chances: &[f32]| chances.iter().sum::<f32>() / chances.len() as f32;
        assert!(mean(&missed) > 4.0 * mean(&others), "{} and {}", mean(&missed), mean(&others));
    }

    #[test]
    fn it_is_not_trusted_where_nothing_can_be_told() {
        let noise = learned(|_, rng| rng.below(10) == 0);
        assert!(noise.auc().expect("enough were held out") < TRUSTED, "{:?}", noise.auc());
        assert!(!noise.is_trusted());
        assert_eq!(learned(|_, _| false).auc(), None, "without a miss nothing is known");
        assert!(!Predictor::new(Seed::new(0)).is_trusted());
    }

    #[test]
    fn a_few_misses_with_one_thing_in_common_are_enough() {
        // Feature 9 decides; four misses among 200 programs that differ in everything else.
        let (mut predictor, mut rng) = (Predictor::new(Seed::new(1)), Seed::new(7).rng());
        for n in 0..200 {
            let (Profile { mut features, .. }, _) = profile(&mut rng);
            features.retain(|&feature| feature != 9);
            if n % 50 == 7 {
                features.push(9);
            }
            predictor.hear(&Profile { features, construct: Construct::Other, fuel: 1 }, n % 50 == 7, true);
        }
        predictor.fit();
        assert!(predictor.is_trusted(), "{:?}", predictor.auc());
        assert_eq!(predictor.view, View::Suspects);
    }

    #[test]
    fn the_area_counts_pairs_in_order() {
        // Of the 16 pairs 4 + 3 + 2.5 + 2 are in order.
        assert_eq!(in_order(&[0.9, 0.7, 0.6, 0.2], &[0.8, 0.6, 0.1, 0.0]), (11.5, 16.0));
    }

    #[test]
    fn nobody_is_measured_on_what_it_learned_from() {
        let mut rng = Seed::new(5).rng();
        let mut predictor = learned(|missed, _| missed);
        // Features that no other program has can be learned by heart, which does not help with other programs.
        predictor.held_out.clear();
        for n in 0..200 {
            let features = vec![1000 + n, 2000 + n];
            let profile = Profile { features, construct: Construct::Other, fuel: 1 };
            predictor.hear(&profile, rng.below(2) == 0, true);
        }
        (0..50).for_each(|_| predictor.fit());
        let auc = predictor.auc().expect("enough were held out");
        assert!((auc - 0.5).abs() < 0.1, "{auc}");
    }
}
