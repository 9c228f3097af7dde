use super::super::weakness::tests::records;
use super::*;
use crate::attack::shrink::Size;
use crate::cause::twin::{Manner, Role};
use crate::report::figures::Learner;
use crate::run::manifest::tests::sample as manifest;
use crate::run::pairs::Pair;
use std::path::Path;

fn page(records: &[Record], pairs: &[Pair], shrunk: &[Shrunk]) -> String {
    let manifest = manifest();
    let figures = AttackFigures::compute(Path::new("results/x"), &manifest, records, Learner::default());
    let weaknesses = Weaknesses::of(records).and_then(|found| found.with(records, pairs, shrunk)).expect("readable");
    let parts = Parts {
        dir: "results/x".into(),
        manifest: &manifest,
        records,
        figures: &figures,
        weaknesses: &weaknesses,
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
    let missed: Vec<usize> = (0..records.len()).filter(|&at| records[at].answer.verdict.is_miss()).collect();
    let hostile = "</script><img src=x onerror=alert(1)>";
    records[missed[0]].answer.reply = Some(hostile.into());
    let miss = &records[missed[0]];
    let pair = |at: &usize| {
        let roles = [(Role::Suspect, Verdict::Correct), (Role::Control, Verdict::Wrong)];
        roles.map(|(role, verdict)| {
            let mut record = records[*at].clone();
            record.answer.verdict = verdict;
            let (of, change) = (record.item.id.clone(), "i32.shl -> i32.const 31 i32.and i32.shl".into());
            Pair { claim: shifts.into(), of, role, manner: Some(Manner::Plain), change, record }
        })
    };
    let pairs: Vec<Pair> = missed[..8].iter().flat_map(pair).collect();
    let shrunk = Shrunk {
        from: miss.item.id.clone(),
        before: Size { instructions: 40, bytes: 90 },
        after: Size { instructions: 3, bytes: 30 },
        queries: 9,
        hits: 2,
        of: 2,
        spent: None,
        smallest: true,
        model: None,
        record: miss.clone(),
    };
    let told = page(&records, &pairs, &[shrunk]);
    let bare = page(&records, &[], &[]);
    assert!(bare.contains("Suspected: it goes with misses") && !bare.contains("Confirmed: changing"));
    let page = told;
    for text in [
        shifts,
        "Confirmed: changing it cures the misses",
        "Changing it cures 8 of 8 misses (its operand reduced before: 8 of 8); changing another instruction instead cures 0 of 8",
        "Cured 100.0\u{a0}% (67.6\u{2013}100.0\u{a0}%, 8 of 8)",
        "From 40 instructions to 3; missed 2 of 2 times",
        "i32.shl -&gt; i32.const 31 i32.and i32.shl",
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
    assert!(page.contains("Nothing was missed.") && page.contains("Wrong on 0.0\u{a0}%"));
}
