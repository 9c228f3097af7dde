//! Owns `summary.md`: a run as a reader wants it, from its manifest and records alone.
//!
//! Must not know how figures are computed ([`super::figures`], [`super::stats`]) nor how the curve is drawn.

mod claims;
mod misses;
pub(super) mod text;

use super::curve::{Curves, curves};
use super::figures::{AttackFigures, Learner, spending};
use super::plot::{PlotError, miss_rate_svg};
use super::stats::{self, Share};
use super::weakness::Weaknesses;
use crate::item::record::{Purpose, Record, Verdict};
use crate::run::dir::{DirError, RunDir, write_whole};
use crate::run::jsonl::{self, Cut, LineError};
use crate::run::manifest::{Manifest, ManifestError, Status};
use crate::run::pairs::read_pairs;
use crate::run::shrunk::{read_shrunk, spent};
use crate::run::sink::{ReadError, read_records};
use crate::run::spending::Spending;
use std::path::Path;
use text::{count, interval, line, percent, table};

/// What the baseline is called wherever it is shown.
const BASELINE: &str = "random baseline";

/// A run could not be reported on.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Its manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Its records cannot be read.
    #[error(transparent)]
    Records(#[from] ReadError),
    /// The learner's figures cannot be read.
    #[error(transparent)]
    Metrics(#[from] LineError),
    /// The curve cannot be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// The summary cannot be written.
    #[error(transparent)]
    Write(#[from] DirError),
}

/// Reads what is stored of an attack, writes its picture and `summary.md`, and returns the figures.
pub fn write_summary(dir: &RunDir) -> Result<AttackFigures, ReportError> {
    write(dir, None)
}

/// The same with what the model fails on.
pub fn write_summary_with(dir: &RunDir, weaknesses: &Weaknesses) -> Result<AttackFigures, ReportError> {
    write(dir, Some(weaknesses))
}

fn write(dir: &RunDir, weaknesses: Option<&Weaknesses>) -> Result<AttackFigures, ReportError> {
    let manifest = Manifest::read(dir)?;
    let lines = read_records(dir)?;
    let figures = AttackFigures::compute(Path::new(&dir.name()), &manifest, &lines.rows, last_said(dir)?);
    let curves = curves(&lines.rows);
    let names = (manifest.plan.attack().map_or("attack", |attack| attack.strategy.name()), BASELINE);
    let title = format!("How often {} is wrong", figures.model.as_deref().unwrap_or("the model"));
    let picture = miss_rate_svg(&curves, &title, names)?;
    if let Some(svg) = &picture {
        write_whole(&dir.miss_rate_plot(), svg)?;
    }
    // A program that cannot be read leaves the section out; `harness report` names it.
    let found = match weaknesses {
        Some(_) => None,
        None => found(dir, &lines.rows)?,
    };
    let parts = Parts {
        manifest: &manifest,
        figures: &figures,
        records: &lines.rows,
        curves: &curves,
        picture: picture.as_ref().map(|_| dir.miss_rate_plot()),
        cut: lines.cut.as_ref(),
        beside: beside(dir, &manifest)?,
        weaknesses: weaknesses.or(found.as_ref()),
    };
    write_whole(&dir.summary(), &summary(&parts))?;
    Ok(figures)
}

/// What the model fails on, as far as it is known without asking; none where a program cannot be read.
fn found(dir: &RunDir, records: &[Record]) -> Result<Option<Weaknesses>, ReportError> {
    let (pairs, shrunk) = (read_pairs(dir)?, read_shrunk(dir)?);
    Ok(Weaknesses::of(records).and_then(|found| found.with(records, &pairs, &shrunk)).ok())
}

/// What was asked beside the attack itself took and cost.
fn beside(dir: &RunDir, manifest: &Manifest) -> Result<Vec<(&'static str, Spending)>, ReportError> {
    let (pairs, shrunk) = (read_pairs(dir)?, read_shrunk(dir)?);
    let mut beside = Vec::new();
    if !pairs.is_empty() {
        beside.push(("minimal pairs", spending(manifest, pairs.iter().map(|pair| &pair.record))));
    }
    beside.extend(spent(&shrunk).map(|spent| ("shrinking", spent)));
    Ok(beside)
}

/// The last line of the learner's figures; nothing of one that does not learn.
fn last_said(dir: &RunDir) -> Result<Learner, ReportError> {
    if !dir.metrics().exists() {
        return Ok(Learner::default());
    }
    Ok(jsonl::read(&dir.metrics())?.rows.pop().unwrap_or_default())
}

/// What a summary is made of.
struct Parts<'a> {
    manifest: &'a Manifest,
    figures: &'a AttackFigures,
    records: &'a [Record],
    curves: &'a Curves,
    picture: Option<std::path::PathBuf>,
    cut: Option<&'a Cut>,
    beside: Vec<(&'static str, Spending)>,
    weaknesses: Option<&'a Weaknesses>,
}

fn summary(parts: &Parts<'_>) -> String {
    let sections = [
        headline(parts),
        notes(parts),
        parts.weaknesses.map_or(String::new(), claims::section),
        figures(parts),
        picture(parts),
        verdicts(parts.records),
        misses::section(parts.records),
        origin(parts.manifest),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

fn headline(parts: &Parts<'_>) -> String {
    let AttackFigures { model, strategy, miss_rate, replies, .. } = parts.figures;
    let model = line(model.as_deref().unwrap_or("the model"));
    let mut text = format!("# {model}: ");
    let Some(rate) = *miss_rate else { return text + "no finished reply, so nothing is known yet\n" };
    text += &format!("wrong on {} of {} finished replies", percent(rate), count(*replies));
    text += &format!(", woven by `{}`\n", strategy.as_deref().unwrap_or("attack"));
    if let Some(last) = parts.figures.miss_rate_last_quarter {
        text += &format!("\nIn the last quarter of the questions it was wrong on **{}**", percent(last));
        text += &match parts.figures.baseline_miss_rate {
            Some(baseline) => format!(", on random programs within the same limits on **{}**.\n", percent(baseline)),
            None => "; no random baseline was asked.\n".into(),
        };
    }
    text
}

/// What a reader must know before trusting the figures.
fn notes(parts: &Parts<'_>) -> String {
    let mut notes = String::new();
    match parts.manifest.status {
        Status::Complete => {}
        Status::Interrupted => notes += "> The run was stopped before its end: these are the figures up to there.\n",
        Status::Running => notes += "> The run was still going on, or was killed: these are the figures so far.\n",
    }
    if let Some(Cut { line, .. }) = parts.cut {
        notes += &format!("> Line {line} of `records.jsonl` was cut off by a kill and is left out.\n");
    }
    notes
}

fn figures(parts: &Parts<'_>) -> String {
    let attack = stats::asked(parts.records, Purpose::Attack);
    let baseline = stats::asked(parts.records, Purpose::Baseline);
    let last_quarter = stats::last_quarter(&attack);
    let again = stats::confirmations(parts.records);
    let is = |verdict| move |record: &&&Record| record.answer.verdict == verdict;
    let shares = [
        ("miss rate (wrong over finished replies)", stats::miss_share(&attack)),
        ("miss rate in the last quarter", stats::miss_share(last_quarter)),
        ("miss rate of the random baseline (the better kind of it)", stats::best_miss_share(&baseline)),
        (
            "reproduced: misses that were missed again when asked again",
            Share::count(again.values(), |share| share.hits > 0),
        ),
        ("accuracy over answered", {
            Share::count(attack.iter().filter(|record| record.answer.verdict.answered()), is(Verdict::Correct))
        }),
        ("accuracy over all asked (strict)", Share::count(&attack, is(Verdict::Correct))),
    ];
    let mut rows: Vec<Vec<String>> = shares.iter().map(|(name, share)| share_row(name, *share)).collect();
    // Forms are no independent draws: an interval would claim a precision that is not there.
    let distinct = stats::distinct_share(last_quarter);
    rows.push(vec!["unique among the last quarter's misses".into(), of(distinct), String::new()]);
    let AttackFigures { unique_misses, queries, seconds, .. } = parts.figures;
    rows.push(vec!["unique misses, by canonical form".into(), count(*unique_misses), String::new()]);
    rows.push(vec![
        "coverage: cells of construct and fuel with a miss".into(),
        count(parts.figures.cells_filled),
        String::new(),
    ]);
    rows.extend(parts.figures.predictor().map(|told| vec!["predictor".into(), told, String::new()]));
    rows.push(vec!["queries, confirmations among them".into(), count(*queries), String::new()]);
    rows.extend(money("all replies", &parts.figures.spending));
    rows.extend(parts.beside.iter().flat_map(|(what, spending)| money(what, spending)));
    let seconds = seconds.map_or("unknown".into(), |seconds| format!("{seconds:.1} s"));
    rows.push(vec!["time".into(), seconds, String::new()]);
    format!("## Figures\n\n{}", table(&["", "value", "95 % interval (Wilson)"], &rows))
}

/// What replies took and cost; nothing of those that are free.
fn money(what: &str, spending: &Spending) -> Option<Vec<String>> {
    let told = format!("{}: {}", spending.cost(), spending.tokens());
    (!spending.is_free()).then(|| vec![format!("cost of {what}"), told, String::new()])
}

fn share_row(name: &str, share: Share) -> Vec<String> {
    vec![name.into(), of(share), share.wilson().map_or(String::new(), interval)]
}

/// `41.2 % (816 of 1,980)`.
fn of(share: Share) -> String {
    let counts = format!("{} of {}", count(share.hits), count(share.of));
    share.rate().map_or("unknown".into(), |rate| format!("{} ({counts})", percent(rate)))
}

fn picture(parts: &Parts<'_>) -> String {
    let file = parts.picture.as_deref().and_then(Path::file_name);
    let window = parts.curves.window;
    match file {
        Some(file) => {
            let about = "The bands are 95 % intervals of each window alone.";
            format!("![miss rate over the last {window} finished replies]({})\n\n{about}\n", file.to_string_lossy())
        }
        None => format!("There are fewer than {window} finished replies: too few for a curve.\n"),
    }
}

fn verdicts(records: &[Record]) -> String {
    let columns = [Purpose::Attack, Purpose::Confirm, Purpose::Baseline]
        .map(|purpose| stats::verdicts(&stats::asked(records, purpose)));
    let row = |name: &str, counts: [u64; 3]| std::iter::once(name.into()).chain(counts.map(count)).collect();
    let mut rows: Vec<Vec<String>> = Verdict::ALL
        .iter()
        .map(|verdict| row(verdict.name(), columns.each_ref().map(|counts| counts[verdict])))
        .collect();
    rows.push(row("all", columns.each_ref().map(|counts| counts.values().sum())));
    format!("## Verdicts\n\n{}", table(&["verdict", "attack", "confirm", "baseline"], &rows))
}

/// How to make the run again.
fn origin(manifest: &Manifest) -> String {
    let Manifest { plan, wasmweaver, commit, started, model_returned, .. } = manifest;
    let commit = commit.as_deref().map_or(String::new(), |commit| format!(" ({commit})"));
    let prompt = plan.prompts().first().map_or("none".into(), |prompt| format!("{} ({})", prompt.name, prompt.hash));
    let rows = [
        ("command", format!("`{}`", line(&manifest.command.join(" ")))),
        ("preset", plan.preset().name.clone()),
        ("prompt", prompt),
        ("seed", plan.seed().to_string()),
        ("model that answered", model_returned.clone().unwrap_or("unknown".into())),
        ("wasmweaver", format!("{wasmweaver}{commit}")),
        ("started", started.to_string()),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.into(), line(&value)]).collect();
    format!("## Where this comes from\n\nAll of it is in `manifest.yaml`.\n\n{}", table(&["", ""], &rows))
}

#[cfg(test)]
mod tests;
