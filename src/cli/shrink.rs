//! Owns `harness shrink`: its flags, and what came of it, as at the end of an attack.

use super::asking::Way;
use super::budget;
use super::given::Given;
use super::palette::judged;
use super::table::prose;
use super::{Failure, asking, print_json, print_line, signals};
use crate::item::edit::Question;
use crate::item::record::Looks;
use crate::item::task::show_with_truth;
use crate::job::shrink::{self, CONFIRM, Picked, QUERY_BUDGET, Same, ShrinkLimits, ShrinkPlan, Shrinking, Unanswered};
use crate::run::dir::RunDir;
use crate::run::homes::Homes;
use crate::run::plan::Conditions;
use crate::run::shrunk::Shrunk;
use crate::run::spending::Spending;
use serde::Serialize;
use std::path::PathBuf;

/// Cut missed programs of a run down to the smallest that the model still misses
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run directory of an attack, or of an evaluation
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// Item to cut down; may be given several times
    #[arg(long, value_name = "ID")]
    item: Vec<String>,
    /// In place of items: K misses that were missed again when asked again, the shortest of each claim of the report first,
    /// then the next of each; one for each canonical form, and none that was cut down before
    #[arg(long, value_name = "K", conflicts_with = "item", value_parser = clap::value_parser!(u32).range(1..))]
    best: Option<u32>,
    /// How often a smaller program must be missed again to count
    #[arg(long, default_value_t = CONFIRM, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100))]
    confirm: u32,
    /// Requests at most for each program, confirmations included
    #[arg(long, default_value_t = QUERY_BUDGET, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    query_budget: u64,
    /// Model to ask; by default the run's
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Prompt file, where the run was asked with one
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    budget: budget::Flags,
    #[command(flatten)]
    way: Way,
}

/// Refuses a budget that tries nothing.
pub(super) fn enough(flag: &str, limits: ShrinkLimits) -> Result<(), Failure> {
    let (least, budget) = (limits.least(), limits.query_budget);
    if budget >= least {
        return Ok(());
    }
    let problem = format!("{flag} {budget} is too small to try one smaller program; give at least {least}");
    Err(Failure::usage(anyhow::anyhow!(problem)))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    run: String,
    file: String,
    shrunk: &'a [Shrunk],
    not_missed: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unanswered: &'a [Unanswered],
    same: &'a [Same],
    #[serde(flatten)]
    spent: &'a Spending,
}

impl Args {
    /// Shrinks, keeps and shows.
    pub(super) fn run(&self, homes: &Homes, given: &Given) -> Result<(), Failure> {
        let limits = ShrinkLimits { confirm: self.confirm, query_budget: self.query_budget };
        enough("--query-budget", limits)?;
        let what = match self.best {
            Some(best) => Picked::Best(best as usize),
            None if self.item.is_empty() => {
                let problem = "name what to shrink: --item ID, or the K best misses with --best K";
                return Err(Failure::usage(anyhow::anyhow!(problem)));
            }
            None => Picked::Items(self.item.clone()),
        };
        let plan = ShrinkPlan {
            run: self.run.clone(),
            what,
            limits,
            model: self.model.as_deref().map(|name| self.way.examinee(name)).transpose()?,
            changes: self.way.changes(),
            prompt: self.prompt.clone(),
        };
        let conditions: Conditions = self.budget.limit(self.way.conditions(None, given), given);
        let (dir, shrinking) = asking(homes, async |setting| Ok(shrink::run(&plan, &conditions, setting).await?))?;
        if self.json {
            let (run, file) = (dir.name(), dir.shown(&dir.shrunk()));
            let Shrinking { shrunk, not_missed, unanswered, same, spent, .. } = &shrinking;
            print_json(&Report { run, file, shrunk, not_missed, unanswered, same, spent })?;
        } else {
            show(&shrinking, &dir)?;
        }
        if !shrinking.stopped {
            return Ok(());
        }
        signals::ended_early("what was cut down is kept; the same command goes on from there")
    }
}

/// Shows every program with its truth, and what was said.
pub(super) fn show(shrinking: &Shrinking, dir: &RunDir) -> Result<(), Failure> {
    for id in &shrinking.not_missed {
        print_line(&format!("{id}: not missed when asked again; it is left alone\n"))?;
    }
    for Unanswered { from, trouble } in &shrinking.unanswered {
        print_line(&format!("{from}: no reply came; {trouble}\n"))?;
    }
    for line in &shrinking.shrunk {
        let Shrunk { from, before, after, queries, hits, of, record, .. } = line;
        let end = if line.smallest { "" } else { "; not yet the smallest" };
        print_line(&prose(&format!(
            "{from}: {} instructions ({} bytes), cut down to {} ({} bytes) with {queries} queries; missed {hits} of {of} \
             times{end}",
            before.instructions, before.bytes, after.instructions, after.bytes
        )))?;
        let Question { program, task, probes, .. } = Question::of(&record.item)?;
        print_line(show_with_truth(task, &program, &probes, &record.item.truth).trim_end())?;
        if task.looks() == Looks::End {
            let values: Vec<String> = record.item.truth.texts().into_iter().map(|(_, value)| value).collect();
            print_line(&format!("truth: {}", judged(&values.join(", "), true)))?;
        }
        let said = record.answer.reply.as_deref().unwrap_or_default().trim();
        print_line(&format!("the model said:\n{}\n", judged(&prose(said), false)))?;
    }
    for Same { from, same_as, queries } in &shrinking.same {
        let after = if *queries == 0 { String::new() } else { format!(", as {queries} queries show") };
        print_line(&format!("{from}: comes to the same program as {same_as}{after}\n"))?;
    }
    // Nothing asked, or free: nothing to tell.
    if shrinking.spent.cost_usd.is_none_or(|usd| usd > 0.0)
        && !(shrinking.shrunk.is_empty() && shrinking.not_missed.is_empty())
    {
        print_line(&format!("shrinking cost {}: {}", shrinking.spent.cost(), shrinking.spent.tokens()))?;
    }
    if shrinking.shrunk.is_empty() { Ok(()) } else { print_line(&format!("kept in {}", dir.shown(&dir.shrunk()))) }
}
