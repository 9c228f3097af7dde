use super::super::dir::tests::Scratch;
use super::*;
use crate::item::halt::Halt;
use crate::item::record::Item;
use crate::seed::Seed;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

fn read(text: &str) -> Result<Suite, ConfigError> {
    Suite::of_file(&YamlFile::from_text(Path::new("s.yaml"), text), None)
}

fn woven(suite: &Suite, select: &Select, threads: usize) -> Items {
    let items = suite
        .weave(Seed::new(5), select, Workers { threads, halt: &Halt::default() }, |_, _| ControlFlow::Continue(()));
    items.unwrap_or_else(|error| panic!("{error}"))
}

fn error(suite: &Suite, select: &Select) -> String {
    suite
        .weave(Seed::new(5), select, Workers { threads: 1, halt: &Halt::default() }, |_, _| ControlFlow::Continue(()))
        .expect_err("it cannot be woven")
        .to_string()
}

#[test]
fn shipped_suites_ask_every_task_at_several_levels() {
    for (name, _) in SHIPPED {
        let suite = Suite::load(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(suite.name, name);
        assert_eq!(Suite::load(&suite.label()), Ok(suite.clone()));
        let counts: Vec<Task> = suite.counts().into_iter().map(|(task, _)| task).collect();
        assert_eq!(counts, Task::ALL, "{name}");
        for &task in Task::ALL {
            let of_task = suite.parts.iter().filter(|part| part.task == task);
            let levels: BTreeSet<u8> = of_task.map(|part| part.level).collect();
            assert!(levels.len() > 1, "{name}: {task} at {levels:?}");
        }
    }
}

#[test]
fn mistakes_name_their_line() {
    let parts = "name: s\nversion: 1\nparts:\n  - {task: stack, items: 1}\n";
    assert!(read(parts).is_ok());
    for (text, begins, says) in [
        ("name: s\nversion: 1\n".into(), "s.yaml", "parts"),
        ("name: s\nversion: 1\nparts: []\n".into(), "s.yaml:3:", "none"),
        (parts.replace("name: s", "name: a/b"), "s.yaml:1:", "`a/b` is no name"),
        (parts.replace("version: 1", "version: 0"), "s.yaml:2:", "begin at 1"),
        (parts.replace("version: 1", "verison: 1"), "s.yaml:2:", "did you mean `version`"),
        (format!("{parts}  - task: stacks\n    items: 1\n"), "s.yaml:5:", "stacks"),
        (format!("{parts}  - task: fuel\n    items: 0\n"), "s.yaml:6:", "without items"),
        (format!("{parts}  - task: fuel\n    items: 3\n    level: 6\n"), "s.yaml:7:", "no level 6"),
        (format!("{parts}  - items: 3\n"), "s.yaml:5:", "neither task nor preset"),
        (format!("{parts}  - preset: stakc\n    items: 3\n"), "s.yaml:5:", "did you mean `stack`"),
        (format!("{parts}  - preset: stack\n    item: 3\n"), "s.yaml:6:", "did you mean `items`"),
    ] {
        let error = read(&text).expect_err(&text).to_string();
        assert!(error.starts_with(begins) && error.contains(says), "{text}{error}");
    }
    let scratch = Scratch::new();
    scratch.file("mine.yaml", "task: stack\nweave:\n  fule: {max: 3}\n");
    let suite = scratch.file("suite.yaml", &parts.replace("task: stack", "preset: ./mine.yaml"));
    let error = Suite::load(&suite.to_string_lossy()).expect_err("the preset is wrong").to_string();
    assert!(error.contains("mine.yaml:3:"), "{error}");
}

#[test]
fn names_and_versions_that_are_not_there_are_refused() {
    for (name, says) in [
        ("smok", "did you mean `smoke`"),
        ("smok@1", "did you mean `smoke`"),
        ("smoke@2", "ask for smoke@1"),
        ("smoke@x", "no version x"),
        ("nowhere/suite.yaml", "nowhere/suite.yaml"),
    ] {
        let error = Suite::load(name).expect_err(name).to_string();
        assert!(error.contains(says), "{name}: {error}");
    }
    let scratch = Scratch::new();
    let path = scratch.file("a.yaml", "name: mine\nversion: 3\nparts: [{task: fuel, items: 2}]\n");
    let path = path.to_string_lossy();
    assert_eq!(Suite::load(&format!("{path}@3")).expect("it is").label(), "mine@3");
    assert!(Suite::load(&format!("{path}@2")).is_err());
}

/// Parts of short programs, which are often the same, two of them alike.
fn short() -> Suite {
    let part = "{preset: paper-stack, level: 1, items: 12}";
    let text =
        format!("name: short\nversion: 1\nparts:\n  - {part}\n  - {{task: result, level: 1, items: 3}}\n  - {part}\n");
    read(&text).expect("it is sound")
}

#[test]
fn a_selection_is_a_piece_of_the_whole_and_threads_change_nothing() {
    let suite = short();
    let all = woven(&suite, &Select::default(), 1);
    assert!(all == woven(&suite, &Select::default(), 3));
    let ids: Vec<&str> = all.items.iter().map(|one| one.item.id.as_str()).collect();
    assert_eq!((ids.len(), ids[0], ids[12], ids[26]), (27, "stack-l1-00000", "result-l1-00000", "stack-l1-00023"));
    let distinct = |of: &dyn Fn(&SuiteItem) -> String| all.items.iter().map(of).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(&|one| one.item.id.clone()), 27);
    assert_eq!(distinct(&|one| one.item.canonical.clone()), 27);
    let known: BTreeMap<&str, &SuiteItem> = all.items.iter().map(|one| (one.item.id.as_str(), one)).collect();
    for (tasks, limit, expected) in [
        (
            None,
            Some(5),
            vec![
                "result-l1-00000",
                "result-l1-00001",
                "result-l1-00002",
                "stack-l1-00000",
                "stack-l1-00001",
                "stack-l1-00002",
                "stack-l1-00012",
                "stack-l1-00013",
            ],
        ),
        (Some(vec![Task::Result]), Some(2), vec!["result-l1-00000", "result-l1-00001"]),
    ] {
        let some = woven(&suite, &Select { tasks, limit }, 2);
        let mut ids: Vec<&str> = some.items.iter().map(|one| one.item.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, expected);
        assert!(some.items.iter().all(|one| known[one.item.id.as_str()] == one));
        assert_ne!(some.fingerprint, all.fingerprint);
    }
    let told = error(&suite, &Select { tasks: Some(vec![Task::Fuel]), limit: None });
    assert!(told.contains("short@1 does not ask fuel; it asks stack, result"), "{told}");
    let stopped =
        suite.weave(Seed::new(5), &Select::default(), Workers { threads: 1, halt: &Halt::default() }, |_, _| {
            ControlFlow::Break(())
        });
    assert!(matches!(stopped, Err(WeaveError::Stopped)));
    // At the end of a part as well; at the very end there is nothing to stop.
    for (at, is_stopped) in [(1, true), (2, true), (3, true), (4, false)] {
        let (select, mut taken) = (Select { tasks: Some(vec![Task::Stack]), limit: Some(4) }, 0);
        let ended = suite.each(Seed::new(5), &select, Workers { threads: 1, halt: &Halt::default() }, |item, _| {
            taken += u64::from(item.is_some());
            if taken == at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((matches!(ended, Err(WeaveError::Stopped)), taken), (is_stopped, at));
    }
}

#[test]
fn a_fingerprint_is_of_questions_and_answers() {
    let suite = short();
    let items: Vec<_> = woven(&suite, &Select { tasks: None, limit: Some(2) }, 1).items;
    let items: Vec<_> = items.into_iter().map(|one| one.item).collect();
    let known = fingerprint(&items);
    let changed = |change: &dyn Fn(&mut Vec<Item>)| {
        let mut items = items.clone();
        change(&mut items);
        fingerprint(&items) != known
    };
    assert!(!changed(&|items| items[0].id = "another".into()));
    assert!(changed(&|items| items.swap(0, 1)));
    assert!(changed(&|items| drop(items.pop())));
    assert!(changed(&|items| items[0].program.push(' ')));
    assert!(changed(&|items| items[0].probes[0].hit += 1));
    assert!(changed(&|items| items[0].truth = items[1].truth.clone()));
}

#[test]
fn programs_come_back_from_their_recipes() {
    let scratch = Scratch::new();
    let made = Suite::of_preset(Some("paper-stack"), &[], 1, 30).expect("a preset");
    let items: Vec<_> = woven(&made, &Select::default(), 2).items.into_iter().map(|one| one.item).collect();
    let lines: Vec<String> = items
        .iter()
        .enumerate()
        .map(|(at, item)| if at % 2 == 0 { serde_json::to_string(&item.recipe) } else { serde_json::to_string(item) })
        .map(|line| line.expect("plain data"))
        .collect();
    let write = |lines: &[String]| scratch.file("made.jsonl", &(lines.join("\n") + "\n"));
    write(&lines);
    let text = "name: kept\nversion: 1\nparts:\n  - {preset: paper-stack, level: 1, items: 20, recipes: made.jsonl}\n  \
                - {preset: paper-stack, level: 1, items: 40}\n";
    let load = |text: &str| Suite::load(&scratch.file("suite.yaml", text).to_string_lossy()).expect("it is sound");
    let suite = load(text);
    let all = woven(&suite, &Select::default(), 2);
    let (kept, new) = all.items.split_at(20);
    let same = |a: &Item, b: &Item| (&a.recipe, &a.canonical, a.fuel) == (&b.recipe, &b.canonical, b.fuel);
    assert!(kept.iter().all(|one| items.iter().any(|item| same(item, &one.item))));
    let forms: BTreeSet<&str> = items.iter().map(|item| item.canonical.as_str()).collect();
    assert!(new.iter().all(|one| !forms.contains(one.item.canonical.as_str())), "the kept ones are not woven again");

    let told = error(&load(&text.replacen("paper-stack", "fuel", 1)), &Select::default());
    assert!(told.contains("made.jsonl:1:") || !told.is_empty(), "{told}");
    assert!(told.contains("made.jsonl:") && told.contains("not legal"), "{told}");
    let told = error(&load(&text.replace("items: 20", "items: 31")), &Select::default());
    assert!(told.contains("part 1 of kept@1") && told.contains("30 made an item"), "{told}");
    let mut wrong = lines.clone();
    wrong[2] = wrong[2].replace("\"generator\":\"", "\"generator\":\"0");
    write(&wrong);
    let told = error(&suite, &Select::default());
    assert!(told.contains("made.jsonl:3:") && told.contains("generator 0"), "{told}");
    wrong[1] = "{\"seed\": 3}".into();
    write(&wrong);
    let told = error(&suite, &Select::default());
    assert!(told.contains("made.jsonl:2:") && told.contains("is no recipe"), "{told}");
    std::fs::remove_file(scratch.path().join("made.jsonl")).expect("it is ours");
    let told = error(&suite, &Select::default());
    assert!(told.contains("made.jsonl") && told.contains("cannot be read"), "{told}");
}

#[test]
fn what_was_woven_is_kept_by_all_that_decides_it() {
    let (scratch, suite) =
        (Scratch::new(), read("name: kept\nversion: 1\nparts: [{task: fuel, level: 1, items: 6}]\n"));
    let suite = suite.expect("it is sound");
    let shelf = Shelf::new(scratch.path().join("suites"), |told| panic!("{told}"));
    // Without threads nothing is woven.
    let kept = |suite: &Suite, seed: u64, select: &Select, threads: usize| {
        let (mut items, halt) = (Vec::new(), Halt::default());
        let all =
            suite.each_kept(Some(&shelf), Seed::new(seed), select, Workers { threads, halt: &halt }, |item, of| {
                assert_eq!(of, suite.count(select).expect("it has these"));
                items.extend(item);
                ControlFlow::Continue(())
            });
        all.map(|fingerprint| Items { items, fingerprint })
    };
    let (all, few) = (Select::default(), Select { tasks: None, limit: Some(2) });
    let made = kept(&suite, 5, &all, 2).expect("it is woven");
    assert!(made == woven(&suite, &all, 1) && kept(&suite, 5, &all, 0).is_ok_and(|kept| kept == made));
    let other = Suite { version: 2, ..suite.clone() };
    let mut harder = suite.clone();
    harder.parts[0].settings.weave.fuel.max += 1;
    for (suite, seed, select) in [(&suite, 6, &all), (&suite, 5, &few), (&other, 5, &all), (&harder, 5, &all)] {
        assert!(kept(suite, seed, select, 0).is_err(), "{} {seed} {select:?}", suite.label());
    }
    // One that was broken off is not kept, nor one that is made up.
    let broken =
        suite.each_kept(Some(&shelf), Seed::new(7), &all, Workers { threads: 1, halt: &Halt::default() }, |item, _| {
            if item.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    assert!(matches!(broken, Err(WeaveError::Stopped)) && kept(&suite, 7, &all, 0).is_err());
    let made_up = Suite { version: 0, ..suite };
    assert!(kept(&made_up, 5, &all, 2).is_ok() && kept(&made_up, 5, &all, 0).is_err());
    let halt = Halt::default();
    halt.wish();
    let halted = other.each(Seed::new(5), &all, Workers { threads: 2, halt: &halt }, |_, _| ControlFlow::Continue(()));
    assert!(matches!(halted, Err(WeaveError::Stopped)));
}
