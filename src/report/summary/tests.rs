//! Holds the page as a reader sees it, made from records that are stored and read back.

use super::*;
use crate::item::record::{RecordSink, Timing, Truth};
use crate::run::clock::Stamp;
use crate::run::dir::{RunName, tests::Scratch};
use crate::run::manifest::tests::sample as sample_manifest;
use crate::run::sink::{JsonlSink, tests::sample};
use crate::seed::Rng;
use crate::wasm::types::Value;
use std::time::{Duration, UNIX_EPOCH};

const PROGRAM: &str = "(module\n  (func (export \"run\")\n    i32.const 2147483647\n    i32.const 1\n    i32.add\n    \
                       ;;INSPECT\n    drop))";

/// A learning attack: the share of misses grows from a tenth to nine tenths; every second miss is confirmed.
fn records(rounds: u32) -> Vec<Record> {
    let mut rng = Rng::from_u64(1);
    let mut records = Vec::new();
    for (round, index) in (0..rounds).flat_map(|round| (0..50).map(move |index| (round, index))) {
        let rate = 0.1 + 0.8 * f64::from(round) / f64::from(rounds);
        let missed = rng.unit() < rate;
        let mut attack = sample(Purpose::Attack, round, index, if missed { Verdict::Wrong } else { Verdict::Correct });
        attack.item.program = PROGRAM.into();
        attack.item.truth = Truth::StackValues(vec![Value::i32(i32::MIN)]);
        attack.item.bytes = 40 + rng.below(100);
        attack.answer.reply = Some(
            "Adding wraps.\n<OUTPUT>{\"stack_values\": [{\"type\": \"i32\", \"value\": \"2147483648\"}]}</OUTPUT>"
                .into(),
        );
        if missed && rng.below(2) == 0 {
            records.push(Record { purpose: Purpose::Confirm, ..attack.clone() });
        }
        records.push(attack);
        let baseline = if rng.unit() < 0.12 { Verdict::Wrong } else { Verdict::Correct };
        records.push(sample(Purpose::Baseline, round, index, baseline));
    }
    records
}

/// A finished run with these records, stored.
fn stored(scratch: &Scratch, records: &[Record]) -> RunDir {
    let name = RunName { verb: "attack", strategy: None, preset: "stack", model: Some("sim/novice"), seed: 7 };
    let dir = RunDir::create(scratch.path(), &name, &Stamp::of(UNIX_EPOCH)).expect("can be made");
    let mut manifest = sample_manifest();
    manifest.end(Status::Complete, Stamp::of(UNIX_EPOCH), Duration::from_secs(83));
    manifest.write(&dir).expect("can be written");
    let mut sink = JsonlSink::open(&dir).expect("can be opened");
    for record in records {
        let Record { purpose, round, index, .. } = *record;
        let timing =
            Timing { id: record.item.id.clone(), model: None, purpose, round, index, latency_ms: 1, attempts: 1 };
        sink.record(record, &timing).expect("can be written");
    }
    dir
}

#[test]
fn the_page_of_a_small_run() {
    let scratch = Scratch::new();
    let dir = stored(&scratch, &records(2)[..40]);
    let figures = write_summary(&dir).expect("can be reported on");
    let page = std::fs::read_to_string(dir.summary()).expect("is there");
    insta::assert_snapshot!(page, @r#"
    # sim/novice: wrong on 10.5 % of 19 finished replies, woven by `ppo`

    In the last quarter of the questions it was wrong on **25.0 %**, on random programs within the same limits on **21.1 %**.

    ## Figures

    |  | value | 95 % interval (Wilson) |
    | --- | --- | --- |
    | miss rate (wrong over finished replies) | 10.5 % (2 of 19) | 2.9–31.4 % |
    | miss rate in the last quarter | 25.0 % (1 of 4) | 4.6–69.9 % |
    | miss rate of the random baseline (the better kind of it) | 21.1 % (4 of 19) | 8.5–43.3 % |
    | reproduced: misses that were missed again when asked again | 100.0 % (2 of 2) | 34.2–100.0 % |
    | accuracy over answered | 89.5 % (17 of 19) | 68.6–97.1 % |
    | accuracy over all asked (strict) | 89.5 % (17 of 19) | 68.6–97.1 % |
    | unique among the last quarter's misses | 100.0 % (1 of 1) |  |
    | unique misses, by canonical form | 2 |  |
    | coverage: cells of construct and fuel with a miss | 0 |  |
    | queries, confirmations among them | 21 |  |
    | cost of all replies | unknown: tokens not counted by the provider |  |
    | time | 83.0 s |  |

    ![miss rate over the last 10 finished replies](miss-rate.svg)

    The bands are 95 % intervals of each window alone.

    ## Verdicts

    | verdict | attack | confirm | baseline |
    | --- | --- | --- | --- |
    | correct | 17 | 0 | 15 |
    | wrong | 2 | 2 | 4 |
    | invalid_format | 0 | 0 | 0 |
    | refusal | 0 | 0 | 0 |
    | no_response | 0 | 0 | 0 |
    | truncated | 0 | 0 | 0 |
    | provider_error | 0 | 0 | 0 |
    | timeout | 0 | 0 | 0 |
    | all | 19 | 2 | 19 |

    ## The shortest confirmed misses

    Each was asked again and missed again; one for each canonical form.

    ### 1. `r0-4`: 79 bytes, 3 instructions executed

    ```wat
    (module
      (func (export "run")
        i32.const 2147483647
        i32.const 1
        i32.add
        ;;INSPECT
        drop))
    ```

    | slot, from the bottom | truth | model |  |
    | --- | --- | --- | --- |
    | 0 | i32(-2147483648) | i32(2147483648) | **wrong** |

    ## Where this comes from

    All of it is in `manifest.yaml`.

    |  |  |
    | --- | --- |
    | command | `harness attack --api-key REDACTED --seed 7` |
    | preset | stack |
    | prompt | stack.v1 (ab12) |
    | seed | 18446744073709551615 |
    | model that answered | unknown |
    | wasmweaver | 0.1.0 |
    | started | 1970-01-01T00:00:00Z |
    "#);
    assert!(page.contains(&format!("of {} finished replies", figures.replies)));
}

#[test]
fn the_page_of_a_long_run_has_its_picture() {
    let scratch = Scratch::new();
    let dir = stored(&scratch, &records(20));
    write_summary(&dir).expect("can be reported on");
    let page = std::fs::read_to_string(dir.summary()).expect("is there");
    assert!(page.contains("![miss rate over the last 100 finished replies](miss-rate.svg)"), "{page}");
    assert!(std::fs::read_to_string(dir.miss_rate_plot()).expect("is there").contains("random baseline"));
    assert_eq!(page.matches("\n### ").count(), 10);
}

#[test]
fn a_run_without_replies_says_so() {
    let scratch = Scratch::new();
    let dir = stored(&scratch, &[sample(Purpose::Attack, 0, 0, Verdict::Timeout)]);
    let figures = write_summary(&dir).expect("can be reported on");
    assert_eq!((figures.queries, figures.miss_rate), (1, None));
    let page = std::fs::read_to_string(dir.summary()).expect("is there");
    assert!(page.starts_with("# sim/novice: no finished reply, so nothing is known yet\n"), "{page}");
    assert!(page.contains("| miss rate (wrong over finished replies) | unknown |  |"), "{page}");
    assert!(!dir.miss_rate_plot().exists());
}

#[test]
fn a_killed_run_says_so() {
    let scratch = Scratch::new();
    let dir = stored(&scratch, &records(1));
    sample_manifest().write(&dir).expect("can be written");
    let text = std::fs::read_to_string(dir.records()).expect("is there");
    std::fs::write(dir.records(), &text[..text.len() - 9]).expect("can be written");
    write_summary(&dir).expect("can be reported on");
    let page = std::fs::read_to_string(dir.summary()).expect("is there");
    assert!(page.contains("> The run was still going on, or was killed"), "{page}");
    let lines = text.lines().count();
    assert!(page.contains(&format!("> Line {lines} of `records.jsonl` was cut off")), "{page}");
}
