//! Readers that are mutants themselves, hidden from the one who asks.

use super::*;
use crate::ask::chat::ChatReply;
use crate::ask::judge::judge;
use crate::diagnose::pool::{self, Size};
use crate::item::record::{Answer, Task, Truth};
use crate::item::source::ItemSource;
use crate::item::task::ProbeConfig;
use crate::seed::{Rng, Seed};
use crate::wasm::isa::Op;
use crate::weave::config::WeaveConfig;
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;

const SETTINGS: &str = "bytes: {max: 600}\nfuel: {min: 6, max: 60}\nallow: [int arithmetic, int bitwise, int comparison, \
                        conversion, local, br_if, block, loop, if, select]\nlimits: {functions: 1, locals: 3, nesting: 3, stack: 6}";

fn pool(size: Size) -> (Mutants, Arc<[Candidate]>) {
    let config: WeaveConfig = serde_yaml::from_str(SETTINGS).expect("valid settings");
    let loom = Arc::new(Loom::new(config).expect("valid settings"));
    let prior = Prior::default();
    let allowed = loom.config.instructions();
    let source = ItemSource::new(&loom, Task::Stack, ProbeConfig::default(), Arc::new(prior.taste(&allowed)));
    let instructions: Vec<Op> = allowed.iter().filter_map(|action| Op::from_index(action.number())).collect();
    let mutants = Mutants::of(&instructions);
    let candidates = pool::weave(&loom, &source, &prior, &mutants, Seed::new(1), size);
    (mutants, candidates.into())
}

/// What a reader says: the answer of its mutant in this share of the cases, and a slip with this probability.
struct Hidden {
    mutant: Option<usize>,
    share: f64,
    noise: f64,
    rng: Rng,
}

impl Hidden {
    fn answer(&mut self, candidate: &Candidate) -> Option<Answer> {
        let mut said = candidate.item().truth.clone();
        let exposure = self.mutant.and_then(|mutant| candidate.exposure(mutant as u32));
        if let Some(exposure) = exposure.filter(|_| self.rng.unit() < self.share) {
            said = candidate.said[usize::from(exposure.said?)].truth.clone();
        }
        if self.rng.unit() < self.noise {
            let Truth::StackValues(values) = &mut said else { panic!("the stack is asked about") };
            let at = self.rng.below(values.len() as u32) as usize;
            values[at].bits ^= 1 << self.rng.below(8);
        }
        let Truth::StackValues(values) = &said else { panic!("the stack is asked about") };
        let list = values.iter().map(|value| format!("{{\"type\":\"{}\",\"value\":\"{}\"}}", value.ty, value.text()));
        let content = format!("<OUTPUT>{{\"stack_values\":[{}]}}</OUTPUT>", list.collect::<Vec<_>>().join(","));
        let judged = judge(&ChatReply::text(content.clone()), &candidate.item().truth);
        Some(Answer {
            slots: judged.slots,
            reply: Some(content),
            finish_reason: Some("stop".into()),
            ..Answer::of(judged.verdict)
        })
    }
}

/// The first claim within so many questions.
fn diagnosed(
    mutants: &Mutants,
    candidates: &Arc<[Candidate]>,
    mut reader: Hidden,
    most: usize,
) -> (Diagnosis, Option<Claim>) {
    let mut diagnosis = Diagnosis::new(mutants, candidates.clone(), Leading::default());
    while diagnosis.asked() < most {
        for at in diagnosis.choose_next() {
            let candidate = &candidates[at];
            let heard = reader.answer(candidate).and_then(|answer| Heard::of(candidate, &answer));
            diagnosis.hear(at, heard.as_ref());
        }
        if let Some(claim) = diagnosis.conclude() {
            return (diagnosis, Some(claim));
        }
    }
    (diagnosis, None)
}

#[test]
fn hidden_mutants_are_named_and_a_right_reader_is_not_accused() {
    let (mutants, candidates) = pool(Size { woven: 2500, kept: 2500, exposed: 40 });
    let begun = Diagnosis::new(&mutants, candidates.clone(), Leading::default());
    let exposed = |mutant: usize| {
        let has =
            |candidate: &&Candidate| candidate.exposure(mutant as u32).is_some_and(|exposure| exposure.said.is_some());
        candidates.iter().filter(has).count()
    };
    let mut testable: Vec<usize> = begun.hypotheses().iter().map(|one| one.mutants[0]).collect();
    testable.retain(|&mutant| exposed(mutant) >= 16);
    assert!(testable.len() > 300, "only {}", testable.len());
    let mut rng = Seed::new(2).rng();
    rng.shuffle(&mut testable);
    for (share, noise) in [(1.0, 0.0), (0.8, 0.05)] {
        let (mut asked, mut right, mut wrong) = (Vec::new(), 0, 0);
        for (number, &mutant) in testable.iter().take(10).enumerate() {
            let rng = Seed::new(3).indexed("reader", number as u64).rng();
            let reader = Hidden { mutant: Some(mutant), share, noise, rng };
            let (diagnosis, claim) = diagnosed(&mutants, &candidates, reader, 150);
            match claim {
                Some(claim) if diagnosis.hypotheses()[claim.hypothesis].mutants.contains(&mutant) => {
                    right += 1;
                    asked.push(claim.asked);
                }
                Some(claim) => {
                    wrong += 1;
                    let named = diagnosis.hypotheses()[claim.hypothesis].mutants[0];
                    eprintln!("{} taken for {}", mutants.all()[mutant], mutants.all()[named]);
                }
                None => eprintln!("not named: {}", mutants.all()[mutant]),
            }
        }
        asked.sort_unstable();
        assert!(right >= 8 && wrong == 0 && asked[asked.len() / 2] <= 64, "{right} right, {wrong} wrong, {asked:?}");
    }
    for noise in [0.0, 0.1] {
        let reader = Hidden { mutant: None, share: 1.0, noise, rng: Seed::new(4).rng() };
        let (diagnosis, claim) = diagnosed(&mutants, &candidates, reader, 120);
        assert_eq!(claim, None, "noise {noise}");
        assert!(diagnosis.belief().none > 0.5, "{}", diagnosis.belief().none);
    }
}
