//! Pools of a small preset: confirmed, repeatable, and short where short ones do.

use super::*;
use crate::item::make::confirm_all;
use crate::item::record::Task;
use crate::item::task::ProbeConfig;
use crate::wasm::oracle::Oracle;
use crate::weave::config::WeaveConfig;

fn pool(size: Size) -> (Mutants, Vec<Candidate>) {
    let yaml = "bytes: {max: 400}\nfuel: {min: 6, max: 50}\nallow: [int arithmetic, int bitwise, int comparison, local, \
                br_if, block, if]\nlimits: {functions: 1, locals: 3, nesting: 2, stack: 5}";
    let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
    let loom = Arc::new(Loom::new(config).expect("valid settings"));
    let (prior, allowed) = (Prior::default(), loom.config.instructions());
    let source = ItemSource::new(&loom, Task::Stack, ProbeConfig::default(), Arc::new(prior.taste(&allowed)));
    let instructions: Vec<Op> = allowed.iter().filter_map(|action| Op::from_index(action.number())).collect();
    let mutants = Mutants::of(&instructions);
    let candidates = weave(&loom, &source, &prior, &mutants, Seed::new(5), size);
    (mutants, candidates)
}

#[test]
fn a_pool_is_confirmed_and_the_same_on_any_number_of_threads() {
    let size = Size { woven: 300, kept: 200, exposed: 10 };
    let (_, all) = pool(size);
    assert!(all.len() > 50 && all.len() <= 200, "{}", all.len());
    assert!(all.is_sorted_by(|a, b| a.steps <= b.steps));
    let edited = all.iter().filter(|candidate| candidate.item().id.ends_with('e')).count();
    assert!(edited * 5 > all.len() && edited < all.len(), "{edited} of {}", all.len());
    let drafts: Vec<&Draft> = all.iter().map(|candidate| &candidate.draft).collect();
    assert_eq!(confirm_all(&drafts, &Oracle::new()), Ok(()));
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let (_, again) = alone.install(|| pool(size));
    let texts = |all: &[Candidate]| all.iter().map(|candidate| candidate.item().program.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&all), texts(&again));
}

#[test]
fn what_is_exposed_enough_adds_nothing() {
    let exposures = |size: Size| {
        let (mutants, all) = pool(size);
        let mut exposed = vec![0; mutants.all().len()];
        for exposure in all.iter().flat_map(|candidate| &candidate.exposures).filter(|one| one.said.is_some()) {
            exposed[exposure.mutant as usize] += 1;
        }
        (all.len(), exposed.iter().filter(|&&times| times >= 3).count())
    };
    let (few, met_by_few) = exposures(Size { woven: 600, kept: 5000, exposed: 3 });
    let (all, met) = exposures(Size { woven: 600, kept: 5000, exposed: u32::MAX });
    assert_eq!(met_by_few, met, "every mutant that can be met three times is");
    assert!(few < all, "{few} of {all}");
}
