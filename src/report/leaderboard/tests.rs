use super::*;
use crate::item::record::{Answer, Probe, Purpose, Record};
use crate::run::dir::tests::Scratch;
use crate::run::dir::{RunDir, RunName};
use crate::run::manifest::{Manifest, Status, tests::sample as manifest};
use crate::run::plan::Plan;
use crate::run::plan::tests::{evaluation, examinee};
use crate::run::sink::tests::sample;
use Verdict::{Correct, Refusal, Wrong};
use std::time::UNIX_EPOCH;

/// The tasks of the items.
const TASKS: [Task; 4] = [Task::Stack, Task::Stack, Task::Stack, Task::Fuel];

fn record(model: &str, index: u32, epoch: u32, verdict: Verdict) -> Record {
    let mut record = sample(Purpose::Eval, epoch, index, verdict);
    let item = &mut record.item;
    item.id = format!("i{index}");
    item.task = TASKS[index as usize];
    item.program = "(module\n  (func (export \"run\") (result i32)\n    i32.const 30 ;;INSPECT\n  )\n)".into();
    item.probes = vec![Probe { func: 0, pc: 1, hit: 1 }];
    item.fuel = 17 + u64::from(index);
    // What a reply is worth is found out anew: it has to say what the verdict wants.
    let says = |value: u32| Some(format!("</script><OUTPUT>[{value}]</OUTPUT>"));
    let reply = if verdict == Wrong { says(31) } else { says(30) };
    let refusal = (verdict == Refusal).then(|| "no".to_owned());
    record.answer = Answer { reply, refusal, ..record.answer };
    (record.model, record.level) = (Some(model.into()), Some(1 + (index % 2) as u8));
    record
}

/// A run with these replies, item by item, of each model.
fn run(scratch: &Scratch, fingerprint: &str, status: Status, models: &[(&str, &[Verdict])]) -> Entrant {
    let mut manifest: Manifest = manifest();
    manifest.plan = Plan::Eval(evaluation(models.iter().map(|(name, _)| examinee(name)).collect(), 1));
    (manifest.status, manifest.fingerprint) = (status, Some(fingerprint.into()));
    let name = RunName { verb: "eval", strategy: None, preset: "smoke", model: None, seed: 0 };
    let dir = RunDir::create(scratch.path(), &name, &Stamp::of(UNIX_EPOCH)).expect("can be made");
    manifest.write(&dir).expect("can be written");
    let lines = |records: Vec<Record>| -> String {
        records.iter().map(|record| serde_json::to_string(record).expect("plain data") + "\n").collect()
    };
    let items = (0..4).map(|index| record("", index, 0, Verdict::Correct)).collect();
    std::fs::write(dir.items(), lines(items)).expect("can be written");
    let replies = models.iter().flat_map(|(model, verdicts)| {
        verdicts.iter().zip(0..).map(|(&verdict, index)| record(model, index, 0, verdict))
    });
    std::fs::write(dir.records(), lines(replies.collect())).expect("can be written");
    entrant(dir).expect("is an evaluation")
}

/// Rank, label and accuracy of each row.
fn told(board: &Board) -> Vec<(Option<u64>, String, Option<f64>)> {
    board.rows.iter().map(|row| (row.rank, row.label(&board.rows), row.accuracy_strict)).collect()
}

#[test]
fn models_are_ranked_where_they_answered_the_same_items() {
    let scratch = Scratch::new();
    let entrants = [
        run(
            &scratch,
            "aa",
            Status::Complete,
            &[
                ("m/worse", &[Correct, Wrong, Wrong, Correct]),
                ("sim/oracle", &[Correct; 4]),
                ("guess/zero", &[Wrong, Wrong, Refusal, Wrong]),
            ],
        ),
        run(&scratch, "bb", Status::Complete, &[("m/worse", &[Wrong; 4])]),
        run(&scratch, "aa", Status::Complete, &[("m/better", &[Correct, Correct, Wrong, Correct])]),
        run(&scratch, "aa", Status::Interrupted, &[("m/better", &[Correct])]),
    ];
    let found = leaderboard(&entrants).expect("can be computed");
    let tables: Vec<(&str, Task, u64)> =
        found.boards.iter().map(|board| (board.fingerprint.as_str(), board.task, board.items)).collect();
    assert_eq!(tables, [("aa", Task::Stack, 3), ("aa", Task::Fuel, 1), ("bb", Task::Stack, 3), ("bb", Task::Fuel, 1)]);
    // Four items are too few to tell two models apart, so they share the first place.
    let overall: Vec<(String, &str, bool)> =
        found.overall[0].rows.iter().map(|row| (row.told_place(), row.model.as_str(), row.complete)).collect();
    assert_eq!(overall[0], ("ceiling".into(), "sim/oracle", true));
    assert_eq!(
        overall[1..3].iter().map(|row| (row.0.as_str(), row.1)).collect::<Vec<_>>(),
        [("=1", "m/better"), ("=1", "m/worse")]
    );
    assert_eq!(
        overall[3..].iter().map(|row| (row.0.as_str(), row.1)).collect::<Vec<_>>(),
        [("floor", "guess/zero"), ("not ranked", "m/better")]
    );
    let better = &found.overall[0].rows[1];
    assert_eq!((better.mean, &better.by_task), (Some((2.0 / 3.0 + 1.0) / 2.0), &vec![Some(2.0 / 3.0), Some(1.0)]));
    let board = &found.boards[0];
    let third = |n: f64| Some(n / 3.0);
    let names = told(board);
    assert_eq!(names[0], (None, "sim/oracle".into(), Some(1.0)));
    assert!(names[1].0 == Some(1) && names[1].1.starts_with("m/better (") && names[1].2 == third(2.0), "{names:?}");
    // The model's other run is no twin of one with other items.
    assert_eq!(names[2], (Some(2), "m/worse".into(), third(1.0)));
    assert_eq!(names[3], (None, "guess/zero".into(), Some(0.0)));
    assert!(names[4].0.is_none() && names[4].1.starts_with("m/better (") && names[4].2 == Some(1.0));
    assert_eq!(board.rows[4].incomplete.as_deref(), Some("the run was stopped: 1 of 3 replies"));
    assert_eq!(board.rows[3].verdicts[&Refusal], 1);
    // The oracle is compared with no other model; the guesser is.
    assert_eq!(board.duels.rows, [1, 2, 3]);
    assert_eq!((board.duels.all.len(), board.duels.including_zero), (3, 3));
    let unsolved: Vec<&str> = board.unsolved.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(unsolved, ["i2"], "the oracle's answer is no model's");
    assert_eq!(board.heat[0].cells.iter().map(|cell| cell.items).sum::<u64>(), 3);
    assert_eq!(leaderboard(&entrants).expect("can be computed"), found, "there is no chance in it");
    let page = page::page(&found, &entrants, Vec::new()).expect("can be made");
    assert_eq!(page.matches("</script>").count(), 2, "what a model wrote is no markup");
    assert!(page.contains("#item=i2&amp;form=c02"));
    let text = csv::csv(&found).expect("can be written");
    assert_eq!(text.lines().count(), 1 + 5 + 4 + 1 + 1, "{text}");
}

#[test]
fn items_chosen_against_a_model_rank_nobody() {
    let scratch = Scratch::new();
    let name = RunName { verb: "attack", strategy: None, preset: "stack", model: None, seed: 7 };
    let dir = RunDir::create(scratch.path(), &name, &Stamp::of(UNIX_EPOCH)).expect("can be made");
    manifest().write(&dir).expect("can be written");
    let why = entrant(dir).expect_err("is an attack").to_string();
    assert!(why.contains("`harness attack`: items chosen against one model rank no models"), "{why}");
    let Entrant { dir, mut manifest } = run(&scratch, "aa", Status::Complete, &[("m", &[Wrong; 4])]);
    let Plan::Eval(plan) = &mut manifest.plan else { unreachable!("it was made so") };
    plan.chosen_against = Some("sim/novice".into());
    manifest.write(&dir).expect("can be written");
    let why = entrant(dir).expect_err("has an attack's items").to_string();
    assert!(why.contains("were chosen against sim/novice: they rank no models"), "{why}");
    let Entrant { dir, mut manifest } = run(&scratch, "aa", Status::Complete, &[("m", &[Wrong; 4])]);
    manifest.fingerprint = None;
    manifest.write(&dir).expect("can be written");
    assert!(entrant(dir).expect_err("has no items").to_string().contains("--resume"));
}
