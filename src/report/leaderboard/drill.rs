//! Owns which replies a leaderboard's page lets its reader look into.
//!
//! Must not know how they are shown. There may be more than a page holds: what models got wrong comes first, then what
//! they got right, then the guessers; items in their order, so that of each all models are there.

use super::read::{Entrant, groups};
use super::{Leaderboard, LeaderboardError};
use crate::ask::prompt::Prompt;
use crate::item::record::{Purpose, Record, Verdict};
use crate::report::page::{ItemBook, Items};
use crate::report::summary::text::count;
use std::collections::{BTreeMap, BTreeSet};

/// Replies on a page at most.
const MOST: u64 = 10_000;
/// Items that are told with their execution.
const IN_FULL: usize = 40;

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Missed,
    Right,
    Guessed,
}

/// Where an item stands: its number, and that of its set of items.
type Place = (u32, usize);

/// The replies of these runs, as many as a page holds.
pub(super) fn items(
    leaderboard: &Leaderboard,
    entrants: &[Entrant],
    prompts: Vec<Prompt>,
) -> Result<Items, LeaderboardError> {
    let groups = groups(entrants);
    let mut there: BTreeMap<(Class, Place), u64> = BTreeMap::new();
    each(&groups, |key, _, _| *there.entry(key).or_default() += 1)?;
    let (last, left_out) = last(&there, MOST);
    let mut kept: Vec<((Class, Place), usize, Record)> = Vec::new();
    each(&groups, |key, run, record| {
        if last.is_some_and(|last| key <= last) {
            kept.push((key, run, record));
        }
    })?;
    kept.sort_by(|(a, run_a, one), (b, run_b, other)| {
        (a, run_a, &one.model, one.round).cmp(&(b, run_b, &other.model, other.round))
    });
    let mut in_full = in_full(leaderboard, kept.iter().map(|(.., record)| record));
    let mut book = ItemBook::new(prompts);
    book.expect(kept.len() as u64);
    let run = |entrant: &&Entrant| book.run(&entrant.name(), &entrant.evaluation().prompts);
    let runs: Vec<_> = groups.iter().flatten().map(run).collect();
    for (_, run, record) in &kept {
        // Once for each item: the page's script finds it by the item's name.
        let full = in_full.remove(&name(record));
        let view = book.view(runs[*run], record, full);
        book.add(view);
    }
    Ok(book.finish(note(kept.len() as u64, left_out)))
}

/// Goes through all records: where each belongs, the number of its run, and the record.
fn each(groups: &[Vec<&Entrant>], mut with: impl FnMut((Class, Place), usize, Record)) -> Result<(), LeaderboardError> {
    let runs = groups.iter().enumerate().flat_map(|(group, entrants)| entrants.iter().map(move |one| (group, one)));
    for (run, (group, entrant)) in runs.enumerate() {
        for judged in entrant.judged()? {
            let (record, _) = judged?;
            if record.purpose != Purpose::Eval {
                continue;
            }
            let class = match record.model.as_deref() {
                Some(model) if model.starts_with("guess/") => Class::Guessed,
                _ if record.answer.verdict == Verdict::Correct => Class::Right,
                _ => Class::Missed,
            };
            with((class, (record.index, group)), run, record);
        }
    }
    Ok(())
}

/// The last of what finds room, all before it included, and how many replies find none.
fn last(there: &BTreeMap<(Class, Place), u64>, most: u64) -> (Option<(Class, Place)>, u64) {
    let (mut last, mut sum, mut left_out) = (None, 0, 0);
    for (&key, &count) in there {
        // After the first that has no room, nothing is shown: the page has all that comes before it.
        if left_out == 0 && sum + count <= most {
            (last, sum) = (Some(key), sum + count);
        } else {
            left_out += count;
        }
    }
    (last, left_out)
}

/// What tells an item from others of its name.
type Name = (String, String);

fn name(record: &Record) -> Name {
    (record.item.id.clone(), record.item.canonical.clone())
}

/// Items that are told in full: those that no model got right, then the first that are shown.
fn in_full<'r>(leaderboard: &Leaderboard, shown: impl Iterator<Item = &'r Record>) -> BTreeSet<Name> {
    let unsolved = leaderboard.boards.iter().flat_map(|board| board.unsolved.iter().take(IN_FULL / 4));
    let mut names: BTreeSet<Name> = unsolved.map(|item| (item.id.clone(), item.canonical.clone())).collect();
    for record in shown {
        if names.len() >= IN_FULL {
            break;
        }
        names.insert(name(record));
    }
    names
}

fn note(shown: u64, left_out: u64) -> String {
    let all = format!("Of {} replies", count(shown + left_out));
    if left_out == 0 {
        return format!(
            "{all} every one is here: first what models got wrong, then what they got right, then the guessers."
        );
    }
    let shown = count(shown);
    format!("{all} these are {shown}: what models got wrong comes first, then what they got right, then the guessers.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_finds_room_first() {
        let there = BTreeMap::from([
            ((Class::Missed, (0, 0)), 3),
            ((Class::Missed, (1, 0)), 2),
            ((Class::Right, (0, 0)), 4),
            ((Class::Right, (1, 0)), 1),
        ]);
        assert_eq!(last(&there, 10), (Some((Class::Right, (1, 0))), 0));
        assert_eq!(
            last(&there, 6),
            (Some((Class::Missed, (1, 0))), 5),
            "the last would fit, but not what is before it"
        );
        assert_eq!(last(&there, 2), (None, 10));
    }
}
