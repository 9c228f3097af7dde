//! The verb `train`, and the verbs that begin with the policy that it keeps.

use super::command_line::{folder, harness, json};
use serde_json::Value;

/// The figures that are told of a policy, and of the two that did not learn.
const FIGURES: [&str; 12] = [
    "episodes",
    "mean_reward",
    "mean_align",
    "mean_length",
    "mean_depth_reward",
    "pooled_class_align",
    "pooled_opcode_align",
    "pooled_trigram_align",
    "executed_class_align",
    "share_above_p90",
    "distinct_share",
    "failed_episodes",
];

#[test]
fn a_training_leaves_a_policy_that_others_begin_with() {
    let folder = folder("train");
    let args = ["train", "--steps", "15000", "--programs", "100", "--seed", "3", "--out", "kept/mine", "--json"];
    let report = json(&harness(&folder, &args));
    for figure in FIGURES {
        for figures in [&report, &report["random"], &report["untrained"]] {
            assert!(figures.get(figure).is_some(), "no {figure} in {figures}");
        }
    }
    assert!(report["steps"].as_u64().is_some_and(|steps| steps >= 15_000) && report["steps_per_s"].is_number());
    assert_eq!((&report["failed_episodes"], &report["random"]["failed_episodes"]), (&0.into(), &0.into()));
    assert!(report["mean_reward"].as_f64() > report["random"]["mean_reward"].as_f64(), "{report}");

    let run = std::fs::read_dir(folder.join("results")).expect("a folder").next().expect("a run").expect("readable");
    let lines = |name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(run.path().join(name)).expect(name);
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let (metrics, samples) = (lines("metrics.jsonl"), lines("samples.jsonl"));
    assert!(!metrics.is_empty() && metrics.len() == samples.len());
    for key in ["mean_align", "approx_kl", "clip_fraction", "explained_variance", "relative_entropy", "gradient_norm"] {
        assert!(metrics[0][key].is_number(), "{key}");
    }
    // The original's names, on which its users' scripts rely.
    let names = "step trace wat_str reward length_reward used_fuel target_fuel module_reward good_samples bucket_reward \
                 dynamic_depth_reward depth_target";
    assert!(names.split_whitespace().all(|name| samples[0].get(name).is_some()), "{}", samples[0]);

    let card = std::fs::read_to_string(folder.join("kept/mine.card.yaml")).expect("a card");
    assert!(["preset: aligned", "seed: '3'", "figures:", "instruction_table:"].iter().all(|key| card.contains(key)));
    for (preset, out) in [("aligned", "a"), ("result", "b")] {
        let args = ["generate", "--policy", "kept/mine", "--preset", preset, "-n", "20", "--out", out, "--json"];
        assert_eq!(json(&harness(&folder, &args))["items"], 20);
        let card = std::fs::read_to_string(folder.join(out).join("dataset.yaml")).expect("a card");
        assert!(card.contains("\npolicy: "), "{card}");
    }
    let args = ["attack", "--policy", "kept/mine.safetensors", "--query-budget", "100", "--no-baseline", "--json"];
    assert_eq!(json(&harness(&folder, &args))["queries"], 100);
}

#[test]
fn unusable_policies_and_wrong_flags_end_with_code_2() {
    let folder = folder("train_refused");
    let wrong = |args: &[&str], needle: &str| {
        let output = harness(&folder, args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(needle), "{args:?}: {said}");
    };
    let output = harness(&folder, &["train", "--steps", "1", "--programs", "10", "--out", "mine"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let path = folder.join("mine.safetensors");
    let mut bytes = std::fs::read(&path).expect("it is there");
    let key = b"instruction_table: ";
    let at = bytes.windows(key.len()).position(|window| window == key).expect("in the card") + key.len();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    std::fs::write(&path, &bytes).expect("can be written");
    wrong(&["generate", "--policy", "mine", "--out", "data"], "checksum");
    wrong(&["attack", "--policy", "other"], "other.safetensors");
    wrong(&["attack", "--policy", "mine", "--strategy", "random"], "--policy is for --strategy ppo");
    wrong(&["train", "--device", "abacus"], "cpu, cuda or metal");
    wrong(&["train", "--minutes", "0"], "--minutes");
}
