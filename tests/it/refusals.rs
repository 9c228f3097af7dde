//! Wrong input, verb by verb: one sentence before anything is done or spent, exit code 2, and nothing on disk.

use super::command_line::{folder, harness};
use std::path::Path;

/// What is at hand: modules, presets, an empty file.
fn place() -> std::path::PathBuf {
    let folder = folder("refusals");
    let own = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("our folder");
    let body = |inside: &str| format!("(module (func (export \"run\") (result i32)\n{inside}))");
    for (name, hit) in [
        ("zero", "hit 0"),
        ("minus", "hit -1"),
        ("word", "hit two"),
        ("none", "hit"),
        ("joined", "hit2"),
        ("loud", "Hit 2"),
        ("two", "hit 2 3"),
    ] {
        own(&format!("{name}.wat"), body(&format!("i32.const 1 ;;INSPECT {hit}\n")).as_bytes());
    }
    own("outside.wat", b";;INSPECT\n(module (func (export \"run\")))");
    own("twice.wat", body("i32.const 1 ;;FLAG_0\n drop ;;FLAG_0\n i32.const 2").as_bytes());
    own("named.wat", body("i32.const 1 ;;FLAG_x\n").as_bytes());
    own("fine.wat", body("i32.const 1").as_bytes());
    own("garbage.wasm", b"\0asm\x01\0\0\0\xff\xfe");
    own("empty.yaml", b"");
    own("steep.yaml", b"task: stack\nppo: {learning_rate: 5}\n");
    std::fs::create_dir(folder.join("closed")).expect("our folder");
    std::fs::write(folder.join("closed/file"), "").expect("our folder");
    folder
}

/// A command line, and what its sentence has in it.
const REFUSED: &[(&str, &str)] = &[
    ("inspect zero.wat", "line 2: `;;INSPECT hit 0` names no arrival"),
    ("inspect minus.wat", "names no arrival"),
    ("inspect word.wat", "names no arrival"),
    ("inspect none.wat", "names no arrival"),
    ("inspect joined.wat", "names no arrival"),
    ("inspect loud.wat", "names no arrival"),
    ("inspect two.wat", "names no arrival"),
    ("inspect named.wat", "line 2: `;;FLAG_x` names no flag"),
    ("inspect outside.wat", "outside.wat:1:1: `;;INSPECT` stands outside of a function"),
    ("inspect twice.wat", "line 3: `FLAG_0` stands in line 2 already"),
    ("inspect fine.wat --hit 0", "--hit"),
    ("inspect closed", "cannot read closed"),
    ("explain closed", "of a run directory name an item, as in --item"),
    ("attack --baseline --no-baseline", "cannot be used with"),
    ("attack --like results --strategy random", "--like is for --strategy matched"),
    ("attack --no-predictor --strategy evolve", "--no-predictor is for --strategy ppo"),
    ("attack --policy policies/aligned --strategy random", "--policy is for --strategy ppo"),
    ("attack --base-url http://127.0.0.1:1/v1", "sim/novice answers within this program"),
    ("attack --cache --no-cache", "cannot be used with"),
    ("attack --shrink-budget 50", "required"),
    ("eval --prompt answer-only --prompt step-by-step", "has a prompt already"),
    ("eval --items a.jsonl --level 2", "cannot be used with"),
    ("export smoke --to hf --out x --temperature 1", "--temperature is for --to openai-batch"),
    ("export smoke --to inspect --out x --max-tokens 5", "--max-tokens is for --to openai-batch or lm-eval"),
    ("export results --to parquet --out x --limit 3", "--limit is for --to lm-eval or inspect or hf or openai-batch"),
    ("export results --to parquet --out x --prompt answer-only", "--prompt is for --to lm-eval"),
    ("attack --shrink 1 --shrink-budget 1", "--shrink-budget 1 is too small"),
    ("attack --query-budget 0", "--query-budget"),
    ("attack --temperature 99", "from 0 to 2"),
    ("attack --temperature -1", "from 0 to 2"),
    ("attack --temperature nan", "from 0 to 2"),
    ("attack --max-tokens 0", "--max-tokens"),
    ("attack --max-connections 0", "--max-connections"),
    ("attack --time-limit 0", "--time-limit"),
    ("attack --cost-limit -1", "--cost-limit"),
    ("attack --cost-limit nan", "--cost-limit"),
    ("attack --float-tolerance nan", "--float-tolerance"),
    ("attack --fail-miss-above nan", "--fail-miss-above"),
    ("attack --seed -1", "--seed"),
    ("attack --preset garbage.wasm", "garbage.wasm"),
    ("attack --preset empty.yaml", "empty.yaml"),
    ("attack --preset closed", "closed"),
    ("attack --preset steep.yaml", "steep.yaml:2:7: `ppo.learning_rate`"),
    ("attack --preset reachability --prompt prompts/none.md", "prompts/none.md"),
    ("attack --model ", "there is no model ``"),
    ("eval --suite smoke --level 3", "cannot be used with"),
    ("eval --suite smoke --preset stack", "cannot be used with"),
    ("eval --epochs 0", "--epochs"),
    ("eval --limit 0", "--limit"),
    ("eval --shard 0/4", "--shard"),
    ("eval --shard 5/4", "--shard"),
    ("eval --fail-below nan", "--fail-below"),
    ("export smoke --to lm-eval --epochs 3 --out x", "--epochs is for --to openai-batch"),
    ("export smoke --to inspect --model sim/novice --out x", "--model is for --to openai-batch"),
    ("export smoke --to openai-batch --out x", "--model"),
    ("verify -n 0", "'0' for '--count <N>'"),
    ("verify --seed dice", "write a whole number, or `random`"),
    ("generate -n 0 --out x", "'0' for '--count <N>'"),
    ("generate --suite smoke --level 2 --out x", "cannot be used with"),
    ("train --minutes 0", "--minutes"),
    ("train --minutes 1 --steps 5", "cannot be used with"),
    ("train --steps 5 --out closed/file/policy", "--out closed/file/policy: cannot write"),
    ("shrink results --best 1 --query-budget 1", "--query-budget 1 is too small"),
    ("shrink results --best 1 --item a", "cannot be used with"),
    ("report closed", "closed"),
    ("models nobody", "nobody"),
    ("models openai/ --max-tokens 5", "--max-tokens says nothing without --probe"),
    ("models sim/novice --temperature 1", "--temperature says nothing without --probe"),
    ("eval --replay results --temperature 1", "--temperature says nothing with --replay"),
];

#[test]
fn wrong_input_is_one_sentence_and_costs_nothing() {
    let folder = place();
    let (before, mut wrong) = (names(&folder), Vec::new());
    for (line, told) in REFUSED {
        // An argument may be empty.
        let args: Vec<&str> = line.split(' ').collect();
        let output = harness(&folder, &args);
        let said = String::from_utf8_lossy(&output.stderr);
        let is_right = output.status.code() == Some(2) && said.contains(told) && output.stdout.is_empty();
        if !is_right || names(&folder) != before {
            wrong.push(format!("harness {line}: {:?}: {said}", output.status.code()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_prompt_of_another_task_is_refused() {
    let folder = folder("refused-prompts");
    let prompt = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/stack.v1.md");
    let prompt = prompt.to_string_lossy();
    for args in [
        &["attack", "--preset", "reachability", "--prompt", &prompt][..],
        &["eval", "--suite", "smoke", "--task", "fuel", "--prompt", &prompt],
        &["eval", "--preset", "result", "--prompt", &prompt],
    ] {
        let output = harness(&folder, args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains("--prompt stack.v1 asks the task stack, and what is asked is"), "{args:?}: {said}");
    }
    assert!(names(&folder).is_empty(), "no run was begun");
}

/// The line of a damaged `.env` is told, not what stands there; who needs no key goes on.
#[test]
fn a_damaged_env_is_told_by_line() {
    let folder = folder("refused-env");
    std::fs::write(folder.join(".env"), "# keys\nOTHER=1\nOPENAI_API_KEY sk-secret\n").expect("our folder");
    let output = harness(&folder, &["schema", "i32.add"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains(".env:3: this is no line of NAME=value"), "{said}");
    assert!(!said.contains("sk-secret"), "{said}");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("our folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into()).collect();
    names.sort();
    names
}
