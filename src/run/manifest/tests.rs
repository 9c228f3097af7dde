use super::*;
use crate::ask::chat::Params;
use crate::run::dir::{RunName, tests::Scratch};
use crate::run::plan::tests::examinee;
use crate::run::plan::{AttackPlan, Examinee, NamedConfig, Prompt, Request, StrategyPlan};
use std::time::UNIX_EPOCH;

pub(crate) fn sample() -> Manifest {
    let params = Params { max_tokens: Some(500), temperature: Some(0.5), ..Params::default() };
    let plan = AttackPlan {
        seed: u64::MAX,
        preset: NamedConfig { name: "stack".into(), config: parse("fuel: {min: 10, max: 50}\nbytes: 1000") },
        strategy: StrategyPlan::Ppo { predictor: true, policy: None },
        prompt: Prompt { name: "stack.v1".into(), hash: "ab12".into(), file: None },
        model: Examinee { request: Request { params, ..Request::default() }, ..examinee("sim/novice") },
        query_budget: 2000,
        baseline: true,
        shrink: None,
    };
    let args = "harness attack --api-key abc --seed 7".split(' ').map(String::from);
    Manifest::begin(Plan::Attack(plan), Conditions::default(), args, Stamp::of(UNIX_EPOCH))
}

fn parse(text: &str) -> Value {
    serde_yaml::from_str(text).expect("is YAML")
}

fn attack(manifest: &mut Manifest) -> &mut AttackPlan {
    let Plan::Attack(plan) = &mut manifest.plan else { unreachable!("the sample is one") };
    plan
}

fn dir(scratch: &Scratch) -> RunDir {
    let name = RunName { verb: "attack", strategy: None, preset: "stack", model: Some("sim/novice"), seed: 7 };
    RunDir::create(scratch.path(), &name, &Stamp::of(UNIX_EPOCH)).expect("can be made")
}

#[test]
fn written_is_what_is_read() {
    let scratch = Scratch::new();
    let dir = dir(&scratch);
    let mut manifest = sample();
    manifest.write(&dir).expect("can be written");
    assert_eq!(Manifest::read(&dir).expect("reads back"), manifest);
    manifest.end(Status::Complete, Stamp::of(UNIX_EPOCH + Duration::from_secs(9)), Duration::from_micros(8_123_456));
    manifest.model_returned = Some("novice-1".into());
    manifest.write(&dir).expect("can be written");
    let text = std::fs::read_to_string(dir.manifest()).expect("is there");
    let sealed = seal(&text).expect("is YAML");
    insta::assert_snapshot!(text.replace(&sealed, "SEAL"), @r"
    schema: 2
    wasmweaver: 0.1.0
    commit: null
    status: complete
    started: 1970-01-01T00:00:00Z
    finished: 1970-01-01T00:00:09Z
    seconds: 8.123
    command:
    - harness
    - attack
    - --api-key
    - REDACTED
    - --seed
    - '7'
    plan:
      job: attack
      seed: 18446744073709551615
      preset:
        name: stack
        config:
          fuel:
            min: 10
            max: 50
          bytes: 1000
      strategy:
        name: ppo
        predictor: true
      prompt:
        name: stack.v1
        hash: ab12
      model:
        name: sim/novice
        request:
          params:
            temperature: 0.5
            max_tokens: 500
        prices: null
      query_budget: 2000
      baseline: true
    conditions:
      max_connections: 32
      max_retries: 5
      timeout: 300
      device: cpu
    model_returned: novice-1
    seal: SEAL
    ");
    assert_eq!(Manifest::read(&dir).expect("reads back"), manifest);
    assert_eq!(manifest.identity(), Manifest::read(&dir).expect("reads back").identity());
}

#[test]
fn identity_is_of_what_decides_the_records() {
    let base = sample();
    let id = |change: fn(&mut Manifest)| {
        let mut changed = base.clone();
        change(&mut changed);
        changed.identity()
    };
    let same: [fn(&mut Manifest); 5] = [
        |m| m.conditions.max_connections = 1,
        |m| m.command.clear(),
        |m| m.end(Status::Interrupted, Stamp::now(), Duration::from_secs(1)),
        |m| attack(m).preset.name = "copy".into(),
        |m| attack(m).model.prices = Some(Prices { input: 1.0, output: 2.0, as_of: "2026-01".into() }),
    ];
    assert!(same.into_iter().all(|change| id(change) == base.identity()));
    let other: [fn(&mut Manifest); 7] = [
        |m| attack(m).seed = 1,
        |m| attack(m).strategy = StrategyPlan::Random,
        |m| attack(m).preset.config = parse("bytes: 1001"),
        |m| attack(m).prompt.hash.push('0'),
        |m| attack(m).model.name = "sim/oracle".into(),
        |m| attack(m).model.request = Request::default(),
        |m| m.wasmweaver.push('1'),
    ];
    assert!(other.into_iter().all(|change| id(change) != base.identity()));
}

#[test]
fn what_was_changed_by_hand_is_found_out() {
    let scratch = Scratch::new();
    let dir = dir(&scratch);
    let mut manifest = sample();
    scratch.file("x.jsonl", "{}\n{}\n{\"cut\":");
    manifest.note([scratch.path().join("x.jsonl").as_path(), Path::new("none.jsonl")]).expect("can be read");
    manifest.write(&dir).expect("can be written");
    let text = std::fs::read_to_string(dir.manifest()).expect("is there");
    assert!(text.contains("x.jsonl:\n    lines: 2\n    bytes: 6\n"), "{text}");
    let read = |text: &str| {
        std::fs::write(dir.manifest(), text).expect("can be written");
        Manifest::read(&dir).map_err(|error| error.to_string())
    };
    for (from, to) in [("name: sim/novice", "name: m/x"), ("lines: 2", "lines: 3"), ("seed: 18", "seed: 17")] {
        let error = read(&text.replacen(from, to, 1)).expect_err("was changed");
        assert!(error.contains("manifest.yaml: it was changed since the run wrote it"), "{error}");
    }
    // How far a run came is no part of it, nor is how the file is laid out, nor what a later version adds.
    assert!(read(&(text.replace("status: running", "status: interrupted") + "# a remark\n")).is_ok());
    let more = text.replace(&format!("seal: {}\n", seal(&text).expect("is YAML")), "new: [1, 0.1]\n");
    let sealed = seal(&more).expect("is YAML");
    assert!(read(&format!("{more}seal: {sealed}\n")).is_ok());
    assert!(read(&more).is_ok(), "runs of before have none");
}

#[test]
fn a_newer_schema_is_refused_by_line() {
    let scratch = Scratch::new();
    let dir = dir(&scratch);
    Manifest { schema: MANIFEST_SCHEMA + 1, ..sample() }.write(&dir).expect("can be written");
    let error = Manifest::read(&dir).expect_err("is newer").to_string();
    assert!(error.contains("manifest.yaml:1:1: `schema`: 3 is newer"), "{error}");
}
