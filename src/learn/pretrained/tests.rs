use super::*;
use crate::learn::policy::PolicyConfig;
use crate::learn::train::figures::{Exam, Figures, Who};
use crate::seed::Seed;
use crate::weave::weaver::Loom;
use std::num::NonZeroUsize;

/// A policy of another preset: it knows no floats, and prefers `local.get` by far.
fn trained(yaml: &str) -> (Arc<Vocabulary>, ActorCritic) {
    let config: PolicyConfig = serde_yaml::from_str(yaml).expect("well-formed");
    let weave: WeaveConfig = serde_yaml::from_str("forbid: [f32, f64]").expect("well-formed");
    let vocabulary = Arc::new(Vocabulary::new(&weave));
    let prior: Prior = serde_yaml::from_str("instructions: {local.get: 400}").expect("well-formed");
    let logits = vocabulary.select(&prior.logits(&weave.instructions()));
    let mut rng = Rng::from_u64(5);
    let policy =
        ActorCritic::new(Episode::OBSERVATION, vocabulary.len(), &config, Some(&logits), &mut rng).expect("memory");
    (vocabulary, policy)
}

/// A file of this test's own, removed at the end.
struct File(PathBuf);

impl File {
    fn keep(name: &str, policy: &ActorCritic, metadata: BTreeMap<String, String>) -> Self {
        let name = format!("wasmweaver-pretrained-{name}-{}", std::process::id());
        let file = Self(std::env::temp_dir().join(name).join("policy.safetensors"));
        save(&file.0, policy, &Card::new(policy, 3, 7, metadata)).expect("can be written");
        file
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().expect("has one"));
    }
}

#[test]
fn a_policy_weaves_for_a_preset_with_other_actions() {
    for network in ["hidden: [16]", "{network: sequence, hidden: [16], sequence: {actions: 4, width: 8}}"] {
        let (vocabulary, policy) = trained(network);
        let file = File::keep(&network.len().to_string(), &policy, metadata(&vocabulary));
        let pretrained = Pretrained::load(&file.0.with_extension("")).expect("the ending may be left out");

        let loom = Arc::new(Loom::new(WeaveConfig::default()).expect("valid settings"));
        let other = Arc::new(Vocabulary::new(&loom.config));
        assert!(other.len() > vocabulary.len());
        let logits = other.select(&Prior::default().logits(&loom.config.instructions()));
        let fitted = pretrained.fitted(&other, &logits).expect("memory");
        same_scores(&policy, &vocabulary, &fitted, &other);

        let chooser = pretrained.chooser(&loom.config, &Prior::default()).expect("memory");
        let mut again = Vec::new();
        let (mut gets, mut floats, mut all) = (0, 0, 0);
        for n in 0..40 {
            let mut weaver = Weaver::new(loom.clone(), n);
            chooser.weave(&mut weaver, &mut Seed::new(n).rng());
            for &number in weaver.actions() {
                if let Action::Instr(op) = Action::from_number(number.into()) {
                    all += 1;
                    gets += u32::from(op.mnemonic() == "local.get");
                    floats += u32::from(op.mnemonic().starts_with('f'));
                }
            }
            again.push(weaver.actions().to_vec());
        }
        assert!(4 * gets > all && floats > 0, "{gets} of {all}, {floats} floats");
        let mut weaver = Weaver::new(loom.clone(), 7);
        chooser.weave(&mut weaver, &mut Seed::new(7).rng());
        assert_eq!(weaver.actions(), again[7]);
    }
}

/// What both policies know has the same odds, whatever else is legal.
fn same_scores(a: &ActorCritic, of_a: &Vocabulary, b: &ActorCritic, of_b: &Vocabulary) {
    let known: Vec<usize> = of_a.actions().step_by(7).collect();
    let legal = |vocabulary: &Vocabulary| -> Vec<usize> {
        known.iter().filter_map(|&number| vocabulary.output(number)).collect()
    };
    let (legal_a, legal_b) = (legal(of_a), legal(of_b));
    assert_eq!(legal_a.len(), legal_b.len());
    let seen: Vec<f32> =
        (0..a.shape().observation()).map(|at| (at % 3) as f32 * f32::from(u8::from(at < 900))).collect();
    let mut seen_b = seen.clone();
    let first = 3;
    let (mut seen_a, inputs) = (seen, Episode::OBSERVATION);
    // The same latest action, by the number that each has for it.
    for (seen, legal) in [(&mut seen_a, &legal_a), (&mut seen_b, &legal_b)] {
        seen[inputs..].fill(0.0);
        if let Some(latest) = seen.get_mut(inputs) {
            *latest = (legal[first] + 1) as f32;
        }
    }
    let (a, b, mut scratch) = (Actor::new(a).expect("memory"), Actor::new(b).expect("memory"), Scratch::default());
    for at in 0..known.len() {
        let log = [(&a, &seen_a, &legal_a), (&b, &seen_b, &legal_b)]
            .map(|(actor, seen, legal)| actor.log_prob(seen, legal, legal[at], &mut scratch));
        assert!((log[0] - log[1]).abs() < 1e-4, "{log:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (vocabulary, policy) = trained("hidden: [4]");
    let mut other = metadata(&vocabulary);
    other.insert(TABLE.into(), "0123456789abcdef".into());
    let file = File::keep("table", &policy, other);
    let error = Pretrained::load(&file.0).expect_err("another table").to_string();
    assert!(error.contains("instruction_table 0123456789abcdef"), "{error}");

    for actions in ["", "1 x", "5 4", "1 2 3"] {
        let mut other = metadata(&vocabulary);
        other.insert(ACTIONS.into(), actions.into());
        let file = File::keep("actions", &policy, other);
        let error = Pretrained::load(&file.0).expect_err(actions).to_string();
        assert!(error.contains("which actions"), "{error}");
    }
    let missing = Pretrained::load(Path::new("no/such/policy")).expect_err("no file").to_string();
    assert!(missing.contains("no/such/policy.safetensors"), "{missing}");
}

/// What an exam tells depends on its seed, not on threads.
#[test]
fn an_exam_is_the_same_on_any_number_of_threads() {
    let (vocabulary, policy) = trained("hidden: [8]");
    let weave = serde_yaml::from_str("forbid: [f32, f64]").expect("well-formed");
    let loom = Arc::new(Loom::new(weave).expect("valid settings"));
    let figures = |threads: usize| {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        let (vocabulary, seed) = (&vocabulary, Seed::new(1));
        let exam = Exam { loom: &loom, vocabulary, programs: 50, depth: None, seed, threads };
        let looks: Vec<_> =
            exam.take(Who::Policy(&policy)).expect("memory").into_iter().map(|(_, look)| look).collect();
        Figures::of(&looks, 0.0)
    };
    let one = figures(1);
    assert_eq!(one, figures(3));
    assert!(one.failed_episodes == 0 && one.episodes == 50 && one.mean_reward > 0.0);
}

/// The policies in the binary belong to its table of instructions, and still do what their cards say.
#[test]
fn shipped_policies_are_what_they_were() {
    for (name, _) in SHIPPED {
        let pretrained = Pretrained::load(Path::new(name)).expect("its table is this one");
        let preset = include_str!("../../../policies/aligned.yaml");
        let preset: serde_yaml::Value = serde_yaml::from_str(preset).expect("well-formed");
        let loom = Arc::new(
            Loom::new(serde_yaml::from_value(preset["weave"].clone()).expect("well-formed")).expect("valid settings"),
        );
        let vocabulary = Arc::new(Vocabulary::new(&loom.config));
        let policy = pretrained.fitted(&vocabulary, &vec![0.0; vocabulary.len()]).expect("memory");
        let (seed, threads) = (Seed::new(4), NonZeroUsize::MIN);
        let exam = Exam { loom: &loom, vocabulary: &vocabulary, programs: 200, depth: None, seed, threads };
        let looks: Vec<_> =
            exam.take(Who::Policy(&policy)).expect("memory").into_iter().map(|(_, look)| look).collect();
        let figures = Figures::of(&looks, 0.0);
        assert!(figures.mean_reward > 1.8 && figures.mean_length > 0.95, "{figures:?}");
        assert!(figures.pooled_class_align > 0.97 && figures.executed_class_align > 0.95, "{figures:?}");
    }
}
