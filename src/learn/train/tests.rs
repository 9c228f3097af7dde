use super::*;
use crate::learn::network::NetworkKind;
use crate::weave::config::WeaveConfig;
use figures::{Exam, Who};

const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

fn settings<'a>(prior: &'a Prior, policy: &'a PolicyConfig, train: TrainConfig) -> Settings<'a> {
    let ppo = PpoConfig { learning_rate: 2e-3, ..PpoConfig::default() };
    Settings { prior, policy, ppo, reward: WeavingReward::default(), train }
}

fn loom() -> Arc<Loom> {
    let config: WeaveConfig =
        serde_yaml::from_str("{bytes: {max: 120}, fuel: {min: 5, max: 15}, limits: {dead: 4}}").expect("well-formed");
    Arc::new(Loom::new(config).expect("valid settings"))
}

fn trainer(seed: u64, train: TrainConfig) -> Trainer {
    let (prior, policy) = (Prior { real_world: true, ..Prior::default() }, PolicyConfig::mlp(&[32]));
    Trainer::new(loom(), settings(&prior, &policy, train), &candle_core::Device::Cpu, Seed::new(seed)).expect("memory")
}

fn round(trainer: &mut Trainer, done: f64, threads: NonZeroUsize) -> Round {
    trainer.round(done, threads, &|| false).expect("memory").expect("goes on").0
}

fn exam(trainer: &Trainer, who: Who<'_>) -> Figures {
    let (loom, vocabulary, seed) = (&trainer.loom, &trainer.vocabulary, Seed::new(99));
    let exam = Exam { loom, vocabulary, programs: 300, depth: None, seed, threads: THREADS };
    let looks: Vec<_> = exam.take(who).expect("memory").into_iter().map(|(_, look)| look).collect();
    Figures::of(&looks, 0.0)
}

/// Thirty small rounds are enough to come nearer to the targets and to the real world than the policy began.
#[test]
fn training_improves_on_the_untrained_policy() {
    let mut trainer = trainer(1, TrainConfig { batch: 64, ..TrainConfig::default() });
    let before = exam(&trainer, Who::Policy(&trainer.policy));
    let mut last = None;
    for round in 0..30u32 {
        let (made, sample) =
            trainer.round(f64::from(round) / 30.0, THREADS, &|| false).expect("memory").expect("goes on");
        assert_eq!((made.round, made.figures.episodes, made.figures.failed_episodes), (u64::from(round) + 1, 64, 0));
        last = sample;
    }
    let after = exam(&trainer, Who::Policy(&trainer.policy));
    assert!(after.mean_length > before.mean_length + 0.1, "{before:?} {after:?}");
    assert!(after.mean_reward > before.mean_reward + 0.15, "{before:?} {after:?}");
    assert!(after.mean_reward > exam(&trainer, Who::Chance).mean_reward + 0.3);
    assert_eq!(trainer.episodes, 30 * 64);

    let sample = last.expect("none fails");
    assert_eq!(sample.good_samples, 29 * 64);
    assert_eq!(sample.length_reward, (-(sample.used_fuel as f64 / f64::from(sample.target_fuel) - 1.0).abs()).exp());
    assert!(crate::wasm::parse::assemble(&sample.wat_str).is_ok());
    assert!(sample.trace.iter().any(|choice| choice == "end"), "{:?}", sample.trace);
}

/// What is made of a seed does not depend on threads.
#[test]
fn a_seed_gives_one_policy_on_any_number_of_threads() {
    let weights = |threads: usize, network: NetworkKind| {
        let policy = PolicyConfig { network, hidden: Some(vec![16]), ..PolicyConfig::default() };
        let (prior, train) = (Prior::default(), TrainConfig { batch: 16, ..TrainConfig::default() });
        let device = candle_core::Device::Cpu;
        let mut trainer =
            Trainer::new(loom(), settings(&prior, &policy, train), &device, Seed::new(3)).expect("memory");
        let threads = NonZeroUsize::new(threads).expect("not zero");
        let rounds: Vec<Round> = (0..3).map(|_| round(&mut trainer, 0.5, threads)).collect();
        let numbers = trainer.policy.parameters().iter();
        let numbers = numbers.map(|(_, var)| var.flatten_all().unwrap().to_vec1::<f32>().unwrap()).collect::<Vec<_>>();
        (rounds, numbers)
    };
    for network in [NetworkKind::Mlp, NetworkKind::Sequence] {
        assert!(weights(1, network) == weights(3, network), "{network:?}");
    }
}

#[test]
fn a_curriculum_raises_its_targets_as_the_policy_gets_good() {
    let bounds = Bounds { min: 10, max: 50 };
    let mut reach = Reach::new(true);
    assert_eq!(reach.of(bounds), Bounds { min: 10, max: 20 });
    reach.hear(0.89);
    assert_eq!(reach.of(bounds).max, 20);
    reach.hear(0.95);
    assert_eq!(reach.of(bounds).max, 22);
    (0..40).for_each(|_| reach.hear(0.95));
    assert_eq!(reach.of(bounds), bounds);
    assert_eq!(Reach::new(false).of(bounds), bounds);
}

/// With a target of depth its reward is told, and enters R_total by its weight.
#[test]
fn depth_is_rewarded_where_it_has_a_target() {
    let bounds = Bounds { min: 1, max: 3 };
    let mut trainer = trainer(2, TrainConfig { batch: 32, depth: Some(bounds), ..TrainConfig::default() });
    trainer.reward.depth = 0.5;
    let figures = round(&mut trainer, 0.0, THREADS).figures;
    let depth = figures.mean_depth_reward.expect("has a target");
    assert!((0.1..1.0).contains(&depth));
    assert!((figures.mean_reward - figures.mean_align - figures.mean_length - 0.5 * depth).abs() < 1e-9);
}
