//! Jobs that ask no model: verifying, exporting, ranking, finding an item.

use super::{World, evaluation, one_by_one, records};
use crate::ask::chat::Params;
use crate::ask::models::Models;
use crate::ask::prompt::Prompts;
use crate::item::record::Task;
use crate::job::eval::asked::Selection;
use crate::job::export::{self, BatchPlan, ExportPlan, Target};
use crate::job::leaderboard::{self, LeaderboardPlan};
use crate::job::verify::{self, VerifyPlan};
use crate::job::{eval, items, suites};
use crate::run::dir::RunDir;
use crate::run::plan::ItemsPlan;
use std::path::{Path, PathBuf};

fn programs(count: u64, preset: &str, log_dir: &Path) -> VerifyPlan {
    VerifyPlan { preset: preset.into(), count, seed: 1, log_dir: log_dir.into() }
}

#[test]
fn verifying_counts_every_program_and_keeps_no_folder_where_all_is_well() {
    let world = World::replying();
    let plan = programs(40, "stack", world.scratch.path());
    let outcome = verify::run(&plan, &world.setting()).expect("the preset is shipped");
    assert_eq!((outcome.verified.programs, outcome.verified.checked_wasmtime), (40, 40));
    assert!(outcome.verified.holds() && outcome.broken.is_none() && world.runs() == 0, "{outcome:?}");
    let told = world.events.told();
    assert_eq!(told.first().map(String::as_str), Some("began Verifying { programs: 40 }"));
    assert_eq!(told.last().map(String::as_str), Some("ended"));
    let plan = programs(40, "no-such-preset", world.scratch.path());
    let refused = verify::run(&plan, &world.setting()).expect_err("there is none");
    assert!(refused.is_usage() && refused.to_string().contains("no-such-preset"), "{refused}");
}

/// Six items of each of two tasks.
fn selection() -> Selection {
    let (tasks, limit) = (vec![Task::Stack, Task::Result], Some(6));
    Selection { tasks, limit, ..Selection::of_suite("smoke@1") }
}

fn to(out: PathBuf, to: Target) -> ExportPlan {
    ExportPlan { selection: selection(), prompts: Prompts::default(), to, out }
}

#[test]
fn the_same_items_are_exported_once_into_a_folder() {
    let world = World::replying();
    let plan = to(world.scratch.path().join("hf"), Target::HuggingFace);
    let exported = export::run(&plan, &world.setting()).expect("the folder is new");
    assert_eq!(exported.counts.into_iter().collect::<Vec<_>>(), [(Task::Stack, 6), (Task::Result, 6)]);
    assert_eq!((exported.about.label.as_str(), exported.about.seed), ("smoke@1", 0));
    assert_eq!(world.events.count("woven"), 12);
    let refused = export::run(&plan, &world.setting()).expect_err("something is there");
    assert!(refused.is_usage(), "{refused}");
    // Another format, the same items.
    let model = Models::shipped().resolve("openai/gpt-4o", None, None).expect("is shipped");
    let batch = BatchPlan { model, params: Params::default(), epochs: 3, import: "harness eval".into() };
    let plan = to(world.scratch.path().join("batch"), Target::OpenAiBatch(Box::new(batch)));
    let again = export::run(&plan, &world.setting()).expect("the folder is new");
    assert_eq!(again.about.fingerprint, exported.about.fingerprint);
    let requests = std::fs::read_to_string(plan.out.join("requests-00000.jsonl")).expect("is there");
    assert_eq!(requests.lines().count(), 12 * 3);
}

#[tokio::test]
async fn evaluations_of_a_folder_are_ranked_and_other_runs_are_left_out() {
    let world = World::replying();
    let plan = |runs: &Path, out: &str| LeaderboardPlan {
        runs: vec![runs.to_owned()],
        prompts: Vec::new(),
        out: world.scratch.path().join(out),
    };
    let runs = world.scratch.path().join("runs");
    std::fs::create_dir(&runs).expect("can be made");
    let none = leaderboard::run(&plan(&runs, "none"), &world.setting()).expect_err("the folder is empty");
    assert!(none.is_usage() && none.to_string().contains("harness eval --suite standard"), "{none}");
    let both = evaluation(&world, &["m/x", "m/y"], 1);
    let place = crate::job::runs::Place::Below(runs.clone());
    let run = eval::run(&both, &one_by_one(), place, &world.setting()).await.expect("all answer");
    let attack = super::plan(3);
    let place = crate::job::runs::Place::Below(runs.clone());
    world.attack(&attack, &one_by_one(), place).await.expect("all answer");
    let found = leaderboard::run(&plan(&runs, "board"), &world.setting()).expect("there is one");
    assert_eq!(
        found.boards.iter().map(|board| (board.task, board.items, board.rows.len())).collect::<Vec<_>>(),
        [(Task::Stack, 6, 2), (Task::Result, 6, 2)]
    );
    assert_eq!(world.events.count("note left out"), 1, "{:?}", world.events.told());
    for file in ["leaderboard.md", "leaderboard.json", "leaderboard.csv", "index.html"] {
        assert!(world.scratch.path().join("board").join(file).exists(), "{file}");
    }
    finds_its_items(&world, &run.dir);
    let table = export::records(run.dir.path(), &world.scratch.path().join("table"), &world.setting());
    assert_eq!(table.expect("the run is whole"), 24);
    assert!(world.scratch.path().join("table/records.parquet").exists());
}

fn finds_its_items(world: &World, run: &RunDir) {
    let item = records(run).swap_remove(3).item;
    assert_eq!(items::find(run.path(), &item.id, &world.homes).expect("is asked"), item);
    let missing = items::find(run.path(), "nothing", &world.homes).expect_err("there is none");
    assert!(missing.is_usage() && missing.to_string().contains("has no item `nothing`"), "{missing}");
}

#[test]
fn what_is_not_there_makes_no_folder() {
    let world = World::replying();
    let missing = ItemsPlan::Records { path: world.scratch.path().join("none.jsonl") };
    let plan = ExportPlan {
        selection: Selection { items: missing, ..selection() },
        ..to(world.scratch.path().join("out"), Target::HuggingFace)
    };
    let refused = export::run(&plan, &world.setting()).expect_err("there is no such file");
    assert!(refused.is_usage() && !plan.out.exists(), "{refused}");
    let listed = suites::shipped();
    assert!(listed.iter().any(|suite| suite.suite == "standard@1" && !suite.levels.is_empty()), "{listed:?}");
}
