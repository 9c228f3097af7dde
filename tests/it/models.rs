//! `harness models` as its user meets it.

use crate::command_line::{folder, harness, json};
use serde_json::Value;

fn listed(folder: &std::path::Path, args: &[&str], key: &str) -> Vec<Value> {
    json(&harness(folder, &[&["models", "--json"], args].concat()))[key].as_array().expect("a list").clone()
}

#[test]
fn models_and_providers_are_listed() {
    let folder = folder("models-listed");
    let models = listed(&folder, &[], "models");
    let o3 = models.iter().find(|model| model["name"] == "openai/o3-mini").expect("is shipped");
    assert_eq!((&o3["reasoning"], &o3["base_url"]), (&true.into(), &"https://api.openai.com/v1".into()));
    assert!(o3["prices"]["input"].is_number() && o3["context"].is_number());
    let providers = listed(&folder, &[], "providers");
    let names: Vec<&str> = providers.iter().map(|provider| provider["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["openai", "azure", "openrouter", "vllm", "llamacpp", "ollama"]);
    let [alone] = &listed(&folder, &["o3-mini"], "models")[..] else { panic!("one model") };
    assert_eq!(alone, o3);
    assert_eq!(listed(&folder, &["ollama/llama3.2"], "models")[0]["base_url"], "http://localhost:11434/v1");
    let text = String::from_utf8(harness(&folder, &["models"]).stdout).expect("text");
    assert!(text.contains("openai/o3-mini") && text.contains("AZURE_OPENAI_API_KEY"), "{text}");
}

#[test]
fn solvers_and_guessers_are_listed_with_what_they_do() {
    let folder = folder("models-residents");
    let solvers = listed(&folder, &["sim/"], "residents");
    let single = solvers.iter().filter(|solver| solver["witness"].is_string()).count();
    assert!(single >= 20, "{single} misconceptions");
    assert!(solvers.iter().all(|solver| solver["description"].as_str().is_some_and(|text| text.ends_with('.'))));
    let named = listed(&folder, &["sim/no-wrap+loops-capped=2+noise=0.1"], "residents");
    let names: Vec<&Value> = named.iter().map(|solver| &solver["name"]).collect();
    assert_eq!(names, ["sim/no-wrap", "sim/loops-capped"]);
    let text = String::from_utf8(harness(&folder, &["models", "sim/no-wrap"]).stdout).expect("text");
    assert!(text.contains("i32.add") && text.contains("3 instructions"), "{text}");
    assert!(listed(&folder, &["guess/"], "residents").len() >= 7);
}

#[test]
fn a_probe_shows_what_came_back() {
    let folder = folder("models-probe");
    let report = json(&harness(&folder, &["models", "--probe", "sim/oracle", "--json"]));
    assert_eq!(
        (&report["verdict"], &report["requests"], &report["cost_usd"]),
        (&"correct".into(), &1.into(), &0.0.into())
    );
    assert!(report["reply"].as_str().is_some_and(|reply| reply.contains("42")), "{report}");
    assert!(report["tokens"]["prompt_tokens"].is_number() && report["latency_ms"].is_number());
    let text = String::from_utf8(harness(&folder, &["models", "--probe", "guess/zero"]).stdout).expect("text");
    assert!(text.contains("verdict   wrong") && text.contains("i32(42)"), "{text}");
}

#[test]
fn a_file_of_the_users_own_is_read() {
    let folder = folder("models-own");
    std::fs::write(folder.join("mine.yaml"), "- {provider: vllm, id: mine, context: 4096}\n").expect("is written");
    let own = |args: &[&str]| listed(&folder, &[args, &["vllm/"]].concat(), "models");
    assert_eq!(own(&[]), Vec::<Value>::new());
    assert_eq!(own(&["--models", "mine.yaml"])[0]["context"], 4096);
    std::fs::rename(folder.join("mine.yaml"), folder.join("models.yaml")).expect("is moved");
    assert_eq!(own(&[])[0]["name"], "vllm/mine");
}

#[test]
fn how_replies_are_judged_is_kept_with_a_run() {
    let folder = folder("models-tolerance");
    let run = |args: &[&str]| {
        let figures = json(&harness(&folder, &[&["attack", "--query-budget", "20", "--json"], args].concat()));
        let dir = folder.join(figures["run_dir"].as_str().expect("a path"));
        std::fs::read_to_string(dir.join("manifest.yaml")).expect("a manifest")
    };
    assert!(run(&["--float-tolerance", "1e-5"]).contains("float_tolerance: 0.00001"));
    assert!(!run(&["--seed", "1"]).contains("  float_tolerance"));
}

#[test]
fn what_is_not_there_is_refused() {
    let folder = folder("models-refused");
    std::fs::write(folder.join("bad.yaml"), "- {id: x, price: 3}\n").expect("is written");
    for (args, says) in [
        (&["o5-tiny"][..], "openai/o3-mini"),
        (&["sim/nobody"], "no-wrap"),
        (&["sim/loops-capped=0"], "from 1 to"),
        (&["guess/nobody"], "guess/zero"),
        (&["--probe", "sim/nobody"], "no-wrap"),
        (&["--probe", "azure/mine"], "AZURE_OPENAI_ENDPOINT"),
        (&["--probe", "azure/mine", "--base-url", "https://x.invalid"], "AZURE_OPENAI_API_KEY"),
        (&["--probe", "openrouter/a/b"], "OPENROUTER_API_KEY"),
        (&["--probe", "o3-mini"], "OPENAI_API_KEY"),
        (&["--models", "bad.yaml"], "bad.yaml"),
        (&["--models", "none.yaml"], "none.yaml"),
        (&["--float-tolerance", "-1"], "1e-5"),
        (&["o3-mini", "--probe", "o3-mini"], "--probe"),
    ] {
        let output = harness(&folder, &[&["models"], args].concat());
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(says), "{args:?} says: {message}");
    }
}
