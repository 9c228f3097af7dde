use super::*;
use crate::item::make::Maker;
use crate::item::record::Task;
use crate::item::source::ItemSource;
use crate::item::task::ProbeConfig;
use crate::item::task::place::Placement;
use crate::wasm::machine::Machine;
use crate::wasm::rerun::Execution;
use crate::weave::chance::Chance;
use std::collections::BTreeSet;

fn loom() -> Arc<Loom> {
    let yaml = "fuel: {min: 15, max: 50}\nforbid: [load, store, memory, table, reference, call_indirect, nop]";
    Arc::new(Loom::new(serde_yaml::from_str(yaml).expect("valid settings")).expect("valid settings"))
}

fn profiles(loom: &Arc<Loom>, woven: &[Weaver], maker: &mut Maker) -> Vec<Option<Profile>> {
    let mut machine = Machine::default();
    assert!(woven.iter().all(|weaver| weaver.config() == &loom.config));
    let profile = |(at, weaver): (usize, &Weaver)| {
        let mut rng = Seed::new(8).indexed("probe", at as u64).rng();
        let item = maker.make(weaver, String::new(), Placement::Random(&mut rng))?.item;
        let (program, entry, fuel_limit) = (weaver.program(), weaver.entry(), item.fuel);
        let execution = Execution { machine: &mut machine, program, entry, fuel_limit };
        Some(Profile::new(execution, item.task, &item.probes))
    };
    woven.iter().enumerate().map(profile).collect()
}

/// Everything that the answers to so many queries depend on, with the cover and by chance.
fn covered(queries: usize) -> (Vec<usize>, HashSet<u16>, HashSet<u16>) {
    let loom = loom();
    let prior = Prior::default();
    let mut maker =
        ItemSource::new(&loom, Task::Stack, ProbeConfig::default(), Arc::new(prior.taste(&loom.config.instructions())))
            .maker();
    let mut cover = Cover::new(loom.clone(), &prior);
    let seeds: Vec<Seed> = (0..queries * CANDIDATES).map(|at| Seed::new(1).indexed("program", at as u64)).collect();
    let woven = cover.weave(&seeds);
    let found = profiles(&loom, &woven, &mut maker);
    let chosen = cover.choose(&found.iter().map(Option::as_ref).collect::<Vec<_>>());
    let by_chance = |(at, seed): (usize, &Seed)| {
        let mut weaver = Weaver::new(loom.clone(), seed.to_u64());
        Chance::ALL[at % 2].weave(&mut weaver, &mut seed.child("choices").rng());
        weaver
    };
    let woven: Vec<Weaver> = seeds.iter().enumerate().map(by_chance).collect();
    let random = profiles(&loom, &woven, &mut maker).into_iter().flatten().take(chosen.len());
    let random = random.flat_map(|profile| profile.features).collect();
    (chosen, cover.met, random)
}

#[test]
fn it_covers_more_than_chance() {
    let (chosen, met, random) = covered(200);
    assert!(chosen.len() > 150, "{} queries", chosen.len());
    assert!(4 * met.len() > 5 * random.len(), "{} features met, {} by chance", met.len(), random.len());
    assert_eq!(covered(200).0, chosen, "it is deterministic");
}

#[test]
fn every_category_and_construct_has_its_turn() {
    let loom = loom();
    let mut cover = Cover::new(loom.clone(), &Prior::default());
    let count = cover.tastes.len();
    let seeds: Vec<Seed> = (0..count * CANDIDATES).map(|at| Seed::new(2).indexed("program", at as u64)).collect();
    let woven = cover.weave(&seeds);
    let placed: BTreeSet<&str> = woven
        .iter()
        .flat_map(|weaver| weaver.actions())
        .filter(|&&action| usize::from(action) < Op::COUNT)
        .map(|&action| Op::ALL[usize::from(action)].row().category.name())
        .collect();
    let allowed: BTreeSet<&str> = loom
        .config
        .instructions()
        .iter()
        .filter_map(|action| match action {
            Action::Instr(op) => Some(op.row().category.name()),
            _ => None,
        })
        .collect();
    assert_eq!(placed, allowed);
    let constructs = CONSTRUCTS.into_iter().filter(|&op| loom.config.instructions().contains(Action::Instr(op)));
    for op in constructs {
        let with = woven.iter().filter(|weaver| weaver.actions().contains(&(op.index() as u16))).count();
        assert!(with >= CANDIDATES / 2, "{op:?} in {with} programs");
    }
}
