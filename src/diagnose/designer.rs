//! Owns the choice of questions: those whose answers tell most, for what they cost.
//!
//! Must not know claims. A question tells as many bits as its answer is uncertain, less what chance there is in it
//! (Bayesian experimental design). Mutants that give the same wrong answer are not told apart by it, so questions are
//! preferred where mutants differ from the truth and from each other. Long questions invite slips and cost tokens.

use super::candidate::Candidate;
use super::posterior::Belief;

/// What a hypothesis still counts once a question of the same batch tells about it.
const FADE: f64 = 0.3;
/// How much a question of the usual length counts less than one of no length.
const COST: f64 = 0.5;
/// Hypotheses less likely than this are left out of the sum.
const LEAST: f64 = 1e-9;

/// The candidates that are asked next, at most `count` of those that are not `taken`, the most telling first. `hypothesis`
/// numbers the mutants; `usual` is a usual number of executed instructions.
pub fn choose(
    candidates: &[Candidate],
    belief: &Belief,
    hypothesis: impl Fn(u32) -> Option<usize> + Copy,
    taken: &[bool],
    usual: f64,
    count: usize,
) -> Vec<usize> {
    let mut fade = vec![1.0; belief.holds.len()];
    let mut left: Vec<usize> = (0..candidates.len()).filter(|&at| !taken[at]).collect();
    let slips: Vec<f64> = candidates.iter().map(|candidate| belief.slip(candidate.steps)).collect();
    let mut chosen = Vec::new();
    let mut groups = Vec::new();
    while chosen.len() < count && !left.is_empty() {
        let mut score = |&at: &usize| {
            let candidate = &candidates[at];
            let bits = bits(candidate, belief, hypothesis, &fade, slips[at], &mut groups);
            bits / (1.0 + COST * candidate.steps / usual)
        };
        let scores: Vec<f64> = left.iter().map(&mut score).collect();
        // Of equals the first.
        let best = (0..left.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("some are left");
        let at = left.swap_remove(best);
        for exposure in &candidates[at].exposures {
            if let Some(number) = hypothesis(exposure.mutant) {
                fade[number] *= FADE;
            }
        }
        chosen.push(at);
    }
    chosen
}

/// How much the answer to a question tells, in nats.
fn bits(
    candidate: &Candidate,
    belief: &Belief,
    hypothesis: impl Fn(u32) -> Option<usize>,
    fade: &[f64],
    slip: f64,
    groups: &mut Vec<f64>,
) -> f64 {
    // One group for each wrong answer, and one for those that have none.
    groups.clear();
    groups.resize(candidate.said.len() + 1, 0.0);
    let (mut wrong, mut chance) = (0.0, 0.0);
    for exposure in &candidate.exposures {
        let Some(number) = hypothesis(exposure.mutant) else { continue };
        let holds = belief.holds[number] * fade[number];
        if holds < LEAST {
            continue;
        }
        let shows = belief.share[number] * (1.0 - slip);
        groups[exposure.said.map_or(candidate.said.len(), usize::from)] += holds * shows;
        wrong += holds * shows;
        chance += holds * (part(shows) + part(1.0 - shows));
    }
    (groups.iter().copied().map(part).sum::<f64>() + part(1.0 - wrong) - chance).max(0.0)
}

/// What an outcome of this probability adds to an entropy.
fn part(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::candidate::tests::candidate;
    use super::super::posterior::Posterior;
    use super::*;

    fn chosen(candidates: &[Candidate], taken: &[bool], count: usize) -> Vec<usize> {
        let belief = Posterior::new(&[1.0; 4], 20.0).belief();
        choose(candidates, &belief, |mutant| (mutant < 4).then_some(mutant as usize), taken, 20.0, count)
    }

    #[test]
    fn what_tells_most_is_asked_first() {
        let candidates = [
            candidate(20.0, &[[7, 99]], &[(0, 0)]),
            // Two mutants with answers of their own tell more than two with one answer.
            candidate(20.0, &[[7, 99]], &[(0, 0), (1, 0)]),
            candidate(20.0, &[[7, 99], [7, 98]], &[(0, 0), (1, 1)]),
            // The same in a longer question.
            candidate(80.0, &[[7, 99], [7, 98]], &[(0, 0), (1, 1)]),
            // About mutants that are no hypothesis.
            candidate(1.0, &[[7, 99]], &[(7, 0)]),
        ];
        let none = [false; 5];
        assert_eq!(chosen(&candidates, &none, 1), [2]);
        assert_eq!(chosen(&candidates, &[false, false, true, false, false], 1), [1]);
        assert_eq!(chosen(&candidates, &none, 9).len(), 5);
        assert_eq!(chosen(&candidates, &[true; 5], 3), [] as [usize; 0]);
    }

    #[test]
    fn a_batch_spreads_over_the_hypotheses() {
        let both = candidate(20.0, &[[7, 99], [7, 98]], &[(0, 0), (1, 1)]);
        let others = candidate(22.0, &[[7, 99], [7, 98]], &[(2, 0), (3, 1)]);
        let candidates = [both.clone(), both, others];
        assert_eq!(chosen(&candidates, &[false; 3], 2), [0, 2]);
    }
}
