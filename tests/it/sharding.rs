//! Work in parts: `--shard`, `--into` and `harness merge`, here and in an object store (the one that is a folder).

use super::command_line::{folder, harness};
use std::path::Path;
use std::process::Output;

fn ok(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).expect("text") + &said
}

fn refused(output: Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn damaged(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn same(one: &Path, other: &Path, files: &[&str]) {
    for file in files {
        let read = |run: &Path| std::fs::read(run.join(file)).expect("it is there");
        assert!(read(one) == read(other), "{file} of {} and {}", one.display(), other.display());
    }
}

#[test]
fn merged_parts_of_an_evaluation_are_the_whole_one() {
    let folder = folder("shards");
    let ask = ["eval", "--suite", "smoke", "--task", "stack", "--task", "fuel", "--limit", "5", "--epochs", "2"];
    let ask = [&ask[..], &["--model", "sim/novice", "--model", "sim/oracle"]].concat();
    let part = |shard: &str, into: &str| harness(&folder, &[&ask[..], &["--shard", shard, "--into", into]].concat());
    ok(harness(&folder, &[&ask[..], &["--into", "whole"]].concat()));
    // A store whose folder this machine has: what lies in it is looked at, and what is written goes there.
    let store = format!("file://{}/store", folder.display());
    for (at, shard) in ["1/3", "2/3", "3/3"].into_iter().enumerate() {
        let told = ok(part(shard, &format!("{store}/part-{at}")));
        assert!(told.contains(&format!("kept at {store}/part-{at}")), "{told}");
    }
    // The same line again: nothing is asked twice.
    assert!(ok(part("2/3", &format!("{store}/part-1"))).contains("nothing is left to ask"));
    let told = refused(part("1/3", &format!("{store}/part-1")));
    assert!(told.contains("--shard would differ"), "{told}");

    let told = ok(harness(&folder, &["merge", &store, "--out", "merged"]));
    let (whole, merged) = (folder.join("whole"), folder.join("merged"));
    same(&whole, &merged, &["items.jsonl", "records.jsonl"]);
    assert!(told.contains("sim/novice") && told.contains("sim/oracle"), "{told}");
    ok(harness(&folder, &["leaderboard", "whole", "merged", "--out", "board"]));
    // What went on with the whole goes on with what was merged.
    assert!(ok(harness(&folder, &["eval", "--resume", "merged"])).contains("nothing is left to ask"));

    let parts = folder.join("store");
    let told = refused(harness(&folder, &["leaderboard", "store/part-0", "--out", "board"]));
    assert!(told.contains("part 1/3") && told.contains("harness merge"), "{told}");
    let told = refused(harness(&folder, &["merge", "store/part-0", "store/part-2", "--out", "wrong"]));
    assert!(told.contains("1 of 3 parts are missing: 2"), "{told}");
    let told = refused(harness(&folder, &["merge", "whole", "--out", "wrong"]));
    assert!(told.contains("is no part"), "{told}");
    ok(harness(&folder, &[&ask[..], &["--seed", "1", "--shard", "2/3", "--into", "other"]].concat()));
    let told = refused(harness(&folder, &["merge", "store/part-0", "other", "store/part-2", "--out", "wrong"]));
    assert!(told.contains("seed") && told.contains("fingerprints"), "{told}");
    let records = parts.join("part-1/records.jsonl");
    let lines = std::fs::read_to_string(&records).expect("it is there");
    std::fs::write(&records, lines.lines().skip(1).fold(String::new(), |all, line| all + line + "\n"))
        .expect("writable");
    let told = damaged(harness(&folder, &["merge", "store", "--out", "wrong"]));
    assert!(told.contains("records.jsonl:1: here the record of item 1, epoch 0, sim/novice should stand"), "{told}");
    std::fs::write(&records, lines.replacen("\"verdict\":\"correct\"", "\"verdict\":\"wrong\"", 1)).expect("writable");
    let told = damaged(harness(&folder, &["merge", "store", "--out", "wrong"]));
    assert!(told.contains("part-1/records.jsonl") && told.contains("their hash is another one"), "{told}");
    assert!(!folder.join("wrong").exists(), "nothing half-merged stays");
}

#[test]
fn merged_parts_of_a_data_set_are_the_whole_one() {
    let folder = folder("shards-data");
    let kinds: [(&str, &[&str], &[&str]); 2] = [
        // Many of these programs are alike, so that some items are repeated within parts and some across them.
        ("tiny", &["--preset", "tiny", "-n", "400", "--split", "train=0.9,test=0.1"], &["train.jsonl", "test.jsonl"]),
        ("suite", &["--suite", "smoke", "--task", "fuel"], &["items.jsonl"]),
    ];
    for (name, make, files) in kinds {
        let whole = format!("{name}-whole");
        ok(harness(&folder, &[&["generate", "--out", &whole][..], make].concat()));
        for shard in ["1/4", "2/4", "3/4", "4/4"] {
            let out = format!("{name}/{}", &shard[..1]);
            ok(harness(&folder, &[&["generate", "--out", &out, "--shard", shard][..], make].concat()));
        }
        let out = format!("{name}/2");
        let again = ok(harness(&folder, &[&["generate", "--out", &out, "--shard", "2/4"][..], make].concat()));
        assert!(again.contains("there already"), "{again}");
        let other = refused(harness(&folder, &[&["generate", "--out", &out, "--shard", "1/4"][..], make].concat()));
        assert!(other.contains("is not empty"), "{other}");
        let merged = format!("{name}-merged");
        ok(harness(&folder, &["merge", name, "--out", &merged]));
        same(&folder.join(whole), &folder.join(merged), &[files, &["dataset.yaml"]].concat());
    }
    let cut = folder.join("tiny/3/items.jsonl");
    let text = std::fs::read_to_string(&cut).expect("it is there");
    std::fs::write(&cut, &text[..=text[..text.len() / 4].rfind('\n').expect("it has lines")]).expect("writable");
    let told = damaged(harness(&folder, &["merge", "tiny", "--out", "cut"]));
    assert!(told.contains("3/items.jsonl") && told.contains("the file ends here"), "{told}");
}

#[test]
fn addresses_that_are_none_are_told() {
    let folder = folder("addresses");
    for (address, why) in [
        ("s4://bucket/x", "`s4://bucket/x` is no folder in an object store"),
        ("file:///no/such/place/at-all", "is this a run directory?"),
    ] {
        let told = refused(harness(&folder, &["report", address]));
        assert!(told.contains(why) || told.contains("manifest.yaml"), "{told}");
        assert!(!told.contains("/tmp/harness-"), "{told}");
    }
    let told = refused(harness(&folder, &["eval", "--shard", "5/4"]));
    assert!(told.contains("I/N") && told.contains("3/16"), "{told}");
}
