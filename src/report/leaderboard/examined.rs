//! Owns the counting behind the tables of one set of items: for each run and model what became of each item.
//!
//! Must not know statistics. Items and records are read one at a time; an item keeps only what sorts it, and the counts
//! of its replies and of the right ones.

use super::heat::{self, Sort};
use super::noise::{clustered_wilson, noise};
use super::overall::{self, Part};
use super::pairs::{Counts, duels};
use super::read::{Entrant, LeaderboardError};
use super::{Board, Overall, Role, Row, Unsolved};
use crate::cause::profile::Profile;
use crate::item::edit::Question;
use crate::item::record::{Item, Purpose, Task, Verdict};
use crate::report::evaluation::{self, EvaluationTally};
use crate::run::command::quoted;
use crate::run::extent::Damage;
use crate::run::intact::{self, ReadError};
use crate::run::manifest::Status;
use crate::run::suite::fingerprint;
use crate::seed::Seed;
use crate::wasm::machine::Machine;
use crate::wasm::rerun::Execution;
use rayon::prelude::*;

/// Items whose programs are run at once.
const CHUNK: usize = 256;

/// An item, without its program.
#[derive(Clone, Debug)]
struct Kept {
    task: Task,
    /// Of program, places and truth.
    fingerprint: String,
    item: Unsolved,
}

/// A model in a run.
struct Line<'a> {
    entrant: &'a Entrant,
    model: &'a str,
    /// By the item's index.
    counts: Counts,
    /// Its rows, by task.
    figures: Vec<evaluation::Row>,
    /// Replies whose stored verdict was another one.
    rejudged: u64,
}

/// What some runs with the same items found.
pub(super) struct Examined<'a> {
    items: Vec<Kept>,
    lines: Vec<Line<'a>>,
}

impl<'a> Examined<'a> {
    /// Reads runs of one fingerprint.
    pub(super) fn read(group: &[&'a Entrant]) -> Result<Self, LeaderboardError> {
        let items = read_items(group[0])?;
        let mut lines = Vec::new();
        for entrant in group {
            let mut tally = EvaluationTally::new(&entrant.manifest).expect("looked at when it was let in");
            let models = &entrant.evaluation().models;
            let mut counts = vec![vec![(0, 0); items.len()]; models.len()];
            let mut rejudged = vec![0; models.len()];
            for (judged, line) in entrant.judged()?.zip(1..) {
                let (record, is_same) = judged?;
                tally.add(&record);
                let model = models.iter().position(|model| Some(&model.name) == record.model.as_ref());
                let Some(model) = model.filter(|_| record.purpose == Purpose::Eval) else { continue };
                rejudged[model] += u64::from(!is_same);
                let at = record.index as usize;
                let Some((right, of)) = counts[model].get_mut(at) else { continue };
                if fingerprint([&record.item]) != items[at].fingerprint {
                    let what = format!("its item is not item {at} of items.jsonl");
                    return Err(ReadError::from(Damage { path: entrant.dir.records(), line: Some(line), what }).into());
                }
                (*right, *of) = (*right + u32::from(record.answer.verdict == Verdict::Correct), *of + 1);
            }
            let mut rows = tally.figures(entrant.dir.path()).rows;
            for ((model, counts), rejudged) in models.iter().zip(counts).zip(rejudged) {
                let figures = rows.extract_if(.., |row| row.model == model.name).collect();
                lines.push(Line { entrant, model: &model.name, counts, figures, rejudged });
            }
        }
        Ok(Self { items, lines })
    }

    /// Every model at every task; `None` if there is one task alone.
    pub(super) fn overall(&self, boards: &[Board]) -> Option<Overall> {
        let first = boards.first().filter(|_| boards.len() > 1)?;
        let of_task: Vec<Vec<usize>> = boards.iter().map(|board| self.of_task(board.task)).collect();
        let part = |line: &Line<'_>, board: &Board, items: &[usize]| {
            let name = line.entrant.name();
            let row = board.rows.iter().find(|row| row.model == line.model && row.run == name)?;
            let counts = items.iter().map(|&at| line.counts[at]).collect();
            Some(Part { accuracy: row.accuracy_strict, ci95: row.ci95, complete: row.is_complete(), counts })
        };
        let lines = self.lines.iter().map(|line| overall::Line {
            model: line.model.into(),
            run: line.entrant.name(),
            role: role(line.model),
            tasks: boards.iter().zip(&of_task).map(|(board, items)| part(line, board, items)).collect(),
        });
        let lines: Vec<overall::Line> = lines.collect();
        Some(Overall {
            suite: first.suite.clone(),
            seed: first.seed,
            fingerprint: first.fingerprint.clone(),
            tasks: boards.iter().map(|board| board.task).collect(),
            rows: overall::rows(&lines),
        })
    }

    /// The numbers of the items of a task.
    fn of_task(&self, task: Task) -> Vec<usize> {
        (0..self.items.len()).filter(|&at| self.items[at].task == task).collect()
    }

    /// The table of a task; `None` if there are no items of it.
    pub(super) fn board(&self, task: Task) -> Option<Board> {
        let of_task = self.of_task(task);
        if of_task.is_empty() {
            return None;
        }
        let select = |line: &Line<'_>| -> Counts { of_task.iter().map(|&at| line.counts[at]).collect() };
        let lines = self.lines.iter().filter_map(|line| {
            let figures = line.figures.iter().find(|row| row.task == task);
            let counts = select(line);
            Some((row(line, figures?, &counts), counts))
        });
        let mut lines: Vec<(Row, Counts)> = lines.collect();
        sort(&mut lines);
        let rows: Vec<Row> = lines.iter().map(|(row, _)| row.clone()).collect();
        let counts = |at: usize| (at, &lines[at].1);
        let ranked: Vec<usize> = (0..rows.len()).filter(|&at| rows[at].rank.is_some()).collect();
        // They stand by accuracy, so that the first guesser is the best.
        let guesser = rows.iter().position(|row| row.role == Role::Floor && row.is_complete());
        let compared = ranked.iter().copied().chain(guesser).map(counts).collect();
        let sorts: Vec<Sort> =
            of_task.iter().map(|&at| (self.items[at].item.category, self.items[at].item.fuel)).collect();
        let ranked: Vec<(usize, &Counts)> = ranked.into_iter().map(counts).collect();
        let solved = |at: usize| ranked.iter().any(|(_, counts)| counts[at].0 > 0);
        let unsolved = (0..of_task.len()).filter(|&at| !ranked.is_empty() && !solved(at));
        let first = self.lines.first()?.entrant;
        let seed = Seed::new(0).child("leaderboard").child(first.fingerprint()).child(task.name());
        Some(Board {
            suite: first.evaluation().suite.name.clone(),
            seed: first.evaluation().seed,
            fingerprint: first.fingerprint().into(),
            task,
            items: of_task.len() as u64,
            duels: duels(compared, seed),
            heat: heat::maps(&sorts, &ranked),
            unsolved: unsolved.map(|at| self.items[of_task[at]].item.clone()).collect(),
            rows,
        })
    }
}

/// The ranked first, by accuracy; then what is not complete. Gives the ranks.
fn sort(lines: &mut [(Row, Counts)]) {
    lines.sort_by(|(a, _), (b, _)| {
        let of = |row: &Row| row.accuracy_strict.unwrap_or(-1.0);
        let by_name = (&a.model, &a.run).cmp(&(&b.model, &b.run));
        b.is_complete().cmp(&a.is_complete()).then(of(b).total_cmp(&of(a))).then(by_name)
    });
    let (mut before, mut last) = (0, (0, None));
    for (row, _) in lines.iter_mut().filter(|(row, _)| row.role == Role::Model && row.is_complete()) {
        before += 1;
        // Equals share a place.
        if last.1 != Some(row.accuracy_strict) {
            last = (before, Some(row.accuracy_strict));
        }
        row.rank = Some(last.0);
    }
}

fn row(line: &Line<'_>, figures: &evaluation::Row, counts: &Counts) -> Row {
    let (manifest, epochs) = (&line.entrant.manifest, line.entrant.evaluation().epochs);
    let replies: Vec<(u64, u64)> = counts.iter().map(|&(right, of)| (right.into(), of.into())).collect();
    Row {
        rank: None,
        model: line.model.into(),
        run: line.entrant.name(),
        role: role(line.model),
        incomplete: incomplete(manifest.status, figures.replies, counts.len() as u64 * u64::from(epochs)),
        items: figures.items,
        replies: figures.replies,
        epochs,
        accuracy_strict: figures.accuracy_strict,
        rejudged: line.rejudged,
        ci95: clustered_wilson(&replies).map(|interval| [interval.low, interval.high]),
        accuracy_answered: figures.accuracy_answered,
        verdicts: figures.verdicts.clone(),
        tokens: figures.tokens,
        cost_usd: figures.cost_usd,
        cost_estimated: figures.cost_estimated,
        noise: if epochs > 1 { noise(&replies) } else { None },
        by_level: figures.by_level.clone(),
        wasmweaver: manifest.wasmweaver.clone(),
        commit: manifest.commit.clone(),
        started: manifest.started.clone(),
        command: command(&manifest.command),
    }
}

/// What a model is there for.
fn role(model: &str) -> Role {
    match model {
        "sim/oracle" => Role::Ceiling,
        model if model.starts_with("guess/") => Role::Floor,
        _ => Role::Model,
    }
}

/// Why a row is not ranked.
fn incomplete(status: Status, replies: u64, wanted: u64) -> Option<String> {
    let how = match status {
        Status::Complete if replies >= wanted => return None,
        Status::Complete => "replies are missing",
        Status::Interrupted => "the run was stopped",
        Status::Running => "the run is going on or was killed",
    };
    Some(format!("{how}: {replies} of {wanted} replies"))
}

/// The command line of a run, for a shell. Where it was kept decides nothing.
fn command(args: &[String]) -> String {
    let mut words = vec!["harness".to_owned()];
    let mut args = args.iter().skip(1);
    while let Some(word) = args.next() {
        match word.strip_prefix("--log-dir") {
            Some("") => drop(args.next()),
            Some(rest) if rest.starts_with('=') => {}
            _ => words.push(quoted(word)),
        }
    }
    words.join(" ")
}

/// The items that a run asks about, in their order.
fn read_items(entrant: &Entrant) -> Result<Vec<Kept>, LeaderboardError> {
    let mut kept = Vec::new();
    let mut lines = intact::lines::<Listed>(&entrant.dir.items(), Some(&entrant.manifest))?;
    loop {
        let chunk = lines.by_ref().take(CHUNK).collect::<Result<Vec<Listed>, _>>()?;
        if chunk.is_empty() {
            return Ok(kept);
        }
        let sorted = chunk.par_iter().map_init(Machine::default, keep);
        kept.extend(sorted.collect::<Result<Vec<Kept>, _>>()?);
    }
}

/// What is wanted of a line of `items.jsonl`.
#[derive(serde::Deserialize)]
struct Listed {
    #[serde(default)]
    level: Option<u8>,
    #[serde(flatten)]
    item: Item,
}

fn keep(machine: &mut Machine, Listed { level, item }: &Listed) -> Result<Kept, LeaderboardError> {
    let Question { program, entry, .. } = Question::of(item)?;
    // A program that others gave may not run to its end within what is said of it.
    let mut execution = Execution { machine, program: &program, entry, fuel_limit: item.fuel };
    let category = if execution.run_to_end().is_ok() {
        Profile::new(execution, item.task, &item.probes).construct.name()
    } else {
        "other"
    };
    let (id, canonical) = (item.id.clone(), item.canonical.clone());
    let fingerprint = fingerprint([item]);
    Ok(Kept {
        task: item.task,
        fingerprint,
        item: Unsolved { id, canonical, level: *level, fuel: item.fuel, category },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_without_where_its_run_lies() {
        let args =
            ["/x/harness", "eval", "--log-dir", "a b", "--model", "sim/no-wrap", "--log-dir=c", "--note", "it's"];
        assert_eq!(command(&args.map(String::from)), r"harness eval --model sim/no-wrap --note 'it'\''s'");
    }

    #[test]
    fn only_what_came_to_its_end_is_ranked() {
        assert_eq!(incomplete(Status::Complete, 20, 20), None);
        assert_eq!(incomplete(Status::Complete, 19, 20).as_deref(), Some("replies are missing: 19 of 20 replies"));
        assert!(incomplete(Status::Interrupted, 20, 20).is_some() && incomplete(Status::Running, 20, 20).is_some());
    }
}
