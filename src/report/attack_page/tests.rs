use super::super::weakness::tests::records;
use super::*;
use crate::attack::pairs::Role;
use crate::attack::shrink::Size;
use crate::report::figures::Learner;
use crate::run::manifest::tests::sample as manifest;
use std::path::Path;

fn page(records: &[Record], pairs: &[Pair], shrunk: &[Shrunk]) -> String {
    let manifest = manifest();
    let figures = AttackFigures::compute(Path::new("results/x"), &manifest, records, Learner::default());
    let weaknesses = Weaknesses::of(records).expect("readable");
    let parts = Parts {
        dir: "results/x".into(),
        manifest: &manifest,
        records,
        figures: &figures,
        weaknesses: &weaknesses,
        pairs,
        shrunk,
        against: &[("matched".into(), records[..records.len() / 2].to_vec())],
        prompts: vec![],
    };
    attack_page(parts).expect("can be drawn")
}

#[test]
fn the_page_tells_what_fails_and_what_cures_it() {
    let shifts = "shifts and rotations by the width or more";
    let mut records = records(700, |facts, _| facts.iter().any(|fact| fact.to_string() == shifts));
    let missed = records.iter().position(|record| record.answer.verdict.is_miss()).expect("some are missed");
    let hostile = "</script><img src=x onerror=alert(1)>";
    records[missed].answer.reply = Some(hostile.into());
    let miss = &records[missed];
    let pair = |role, verdict| {
        let mut record = miss.clone();
        record.answer.verdict = verdict;
        let change = "i32.shl -> i32.xor".into();
        Pair { claim: shifts.into(), of: miss.item.id.clone(), role, change, record }
    };
    let pairs = [pair(Role::Suspect, Verdict::Correct), pair(Role::Control, Verdict::Wrong)];
    let shrunk = Shrunk {
        from: miss.item.id.clone(),
        before: Size { instructions: 40, bytes: 90 },
        after: Size { instructions: 3, bytes: 30 },
        queries: 9,
        hits: 2,
        of: 2,
        spent: None,
        smallest: true,
        record: miss.clone(),
    };
    let page = page(&records, &pairs, &[shrunk]);
    for text in [
        shifts,
        "Swapping it for a neighbour cures 1 of 1 misses; swapping another instruction instead cures 0 of 1",
        "From 40 instructions to 3; missed 2 of 2 times",
        "i32.shl -&gt; i32.xor",
        "different programs missed",
        "matched",
    ] {
        assert!(page.contains(text), "no `{text}`");
    }
    assert!(!page.contains(hostile) && !page.contains("<img"), "what a model says is never markup");
}

#[test]
fn a_run_without_a_miss_says_so() {
    let page = page(&records(60, |_, _| false), &[], &[]);
    assert!(page.contains("Nothing was missed.") && page.contains("Wrong on 0.0 %"));
}
