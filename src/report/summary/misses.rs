//! Owns showing the shortest confirmed misses: program, truth, and what the model said, value by value.
//!
//! Must not know other figures.

use super::super::said::said;
use super::super::stats::{confirmations, confirmed};
use super::text::{clip, count, fenced, line, table};
use crate::item::record::{Record, Said, Truth};

/// How many are shown.
const SHOWN: usize = 10;
/// Characters of a reply that is shown as it came.
const REPLY_CHARS: usize = 600;

/// The section of the summary.
pub(super) fn section(records: &[Record]) -> String {
    let confirmed = confirmed(records);
    let mut text = "## The shortest confirmed misses\n\n".to_owned();
    text += &match confirmed.len() {
        0 if confirmations(records).is_empty() => "No miss was asked again yet.\n".into(),
        0 => "No miss happened again when it was asked again.\n".into(),
        n if n <= SHOWN => "Each was asked again and missed again; one for each canonical form.\n".to_owned(),
        n => format!(
            "The {SHOWN} shortest of {}; each was asked again and missed again, one for each canonical form.\n",
            count(n as u64)
        ),
    };
    for (record, number) in confirmed.iter().take(SHOWN).zip(1..) {
        text += &miss(record, number);
    }
    text
}

fn miss(record: &Record, number: usize) -> String {
    let item = &record.item;
    let size = format!("{} bytes, {} instructions executed", count(item.bytes.into()), count(item.instructions.into()));
    let mut text = format!("\n### {number}. `{}`: {size}\n\n{}\n", line(&item.id), fenced("wat", &item.program));
    let reply = record.answer.reply.as_deref().unwrap_or_default();
    match said(reply, &item.truth) {
        Some(values) => text += &comparison(record, &values),
        None => {
            let truth: Vec<String> = item.truth.texts().into_iter().map(|(_, value)| value).collect();
            let truth = if truth.is_empty() { "nothing".into() } else { truth.join(", ") };
            text += &format!("Truth, {}: {truth}. The model said:\n\n", order(&item.truth));
            text += &fenced("", &clip(reply, REPLY_CHARS));
        }
    }
    text
}

/// How the slots of a truth are ordered.
fn order(truth: &Truth) -> String {
    match truth.said() {
        Said::Values(_) => "bottom first".into(),
        Said::Flags(_) => "flag by flag".into(),
        Said::Amount(_) => format!("in {}", truth.task().key()),
    }
}

/// The truth beside what was said, slot by slot. What is right is the judge's to say, not a comparison of texts.
fn comparison(record: &Record, said: &[String]) -> String {
    let truth = record.item.truth.texts();
    let row = |slot: usize| {
        let right = record.answer.slots.get(slot).copied().unwrap_or(false);
        vec![
            truth.get(slot).map_or_else(|| slot.to_string(), |(name, _)| name.clone()),
            truth.get(slot).map_or("nothing".into(), |(_, value)| value.clone()),
            said.get(slot).map_or("nothing".into(), |value| line(value)),
            if right { "right" } else { "**wrong**" }.into(),
        ]
    };
    let rows: Vec<Vec<String>> = (0..truth.len().max(said.len())).map(row).collect();
    let slot = match record.item.truth.said() {
        Said::Values(_) => "slot, from the bottom",
        Said::Flags(_) => "flag",
        Said::Amount(_) => "",
    };
    table(&[slot, "truth", "model", ""], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::record::Purpose;
    use crate::item::record::Verdict::{Correct, Wrong};
    use crate::run::sink::tests::sample;

    /// Attack misses of these lengths in bytes, each confirmed.
    fn misses(bytes: &[u32]) -> Vec<Record> {
        let pair = |(&bytes, index)| {
            [Purpose::Attack, Purpose::Confirm].map(|purpose| {
                let mut record = sample(purpose, 0, index, Wrong);
                record.item.bytes = bytes;
                record
            })
        };
        bytes.iter().zip(0..).flat_map(pair).collect()
    }

    fn ids<'a>(records: &[&'a Record]) -> Vec<&'a str> {
        records.iter().map(|record| record.item.id.as_str()).collect()
    }

    #[test]
    fn only_misses_that_happened_again_count() {
        let mut records = misses(&[30, 20, 10, 40]);
        records[3].answer.verdict = Correct;
        records[7].item.id = "another".into();
        assert_eq!(ids(&confirmed(&records)), ["r0-2", "r0-0"]);
    }

    #[test]
    fn one_for_each_canonical_form_shortest_first() {
        let mut records = misses(&[30, 20, 10]);
        records[0].item.canonical = "same".into();
        records[4].item.canonical = "same".into();
        assert_eq!(ids(&confirmed(&records)), ["r0-2", "r0-1"]);
    }

    #[test]
    fn ten_are_shown() {
        let section = section(&misses(&[50; 12]));
        assert!(section.contains("The 10 shortest of 12;"), "{section}");
        assert_eq!(section.matches("\n### ").count(), SHOWN);
    }

    #[test]
    fn missing_and_surplus_values_are_shown() {
        let mut record = sample(Purpose::Attack, 0, 0, Wrong);
        record.answer.reply = Some(r#"<OUTPUT>{"stack_values": []}</OUTPUT>"#.into());
        assert!(miss(&record, 1).contains("| 0 | i32(30) | nothing | **wrong** |"), "{}", miss(&record, 1));
        record.answer.reply = Some(r#"<OUTPUT>{"stack_values": ["i32(30)", "a | b"]}</OUTPUT>"#.into());
        record.answer.slots = vec![true];
        let text = miss(&record, 1);
        assert!(text.contains("| 0 | i32(30) | i32(30) | right |\n| 1 | nothing | a \\| b | **wrong** |"), "{text}");
        record.answer.reply = Some("thirty-one".into());
        assert!(miss(&record, 1).contains("bottom first: i32(30). The model said:\n\n```\nthirty-one\n```"));
    }
}
