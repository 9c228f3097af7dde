//! Owns the page of an attack: what the model fails on, the counterexamples, how the attack went, and every item.
//!
//! Must not know how a page is written ([`super::page`]) nor how figures are computed. One leaf for each part.

mod archive;
mod course;
mod failing;
mod items;
mod quoted;
mod shrunk;

use super::figures::AttackFigures;
use super::page::table::{Cell, Column, HtmlTable};
use super::page::{Html, Page, Section};
use super::plot::PlotError;
use super::stats;
use super::summary::text::{count, percent};
use super::weakness::{Status, Weaknesses};
use crate::item::record::{Purpose, Record, Verdict};
use crate::run::manifest::Manifest;
use crate::run::shrunk::Shrunk;

/// What the page is made of.
pub(crate) struct Parts<'a> {
    /// The run's directory, as commands name it.
    pub dir: String,
    /// The run.
    pub manifest: &'a Manifest,
    /// Its records.
    pub records: &'a [Record],
    /// Its figures.
    pub figures: &'a AttackFigures,
    /// What the model fails on.
    pub weaknesses: &'a Weaknesses,
    /// Missed programs cut down.
    pub shrunk: &'a [Shrunk],
    /// Other runs that it is held against, each with its name.
    pub against: &'a [(String, Vec<Record>)],
    /// Prompts whose text does not come with the program.
    pub prompts: Vec<crate::ask::prompt::Prompt>,
}

/// The page as one file.
///
/// # Errors
/// If a picture cannot be drawn.
pub(crate) fn attack_page(parts: Parts<'_>) -> Result<String, PlotError> {
    let model = parts.figures.model.clone().unwrap_or("the model".into());
    let mut sections = vec![failing::section(&parts)];
    sections.extend(shrunk::section(&parts));
    sections.push(course::section(&parts)?);
    sections.push(archive::section(parts.records));
    sections.push(verdicts(parts.records));
    sections.push(origin(parts.manifest));
    let lead = lead(&parts);
    let items = items::items(parts);
    Ok(Page { title: format!("Where {model} fails"), lead, sections, items: Some(items) }.render())
}

/// What a reader should know first.
fn lead(parts: &Parts<'_>) -> Html {
    let AttackFigures { replies, miss_rate, miss_rate_last_quarter, baseline_miss_rate, unique_misses, .. } =
        parts.figures;
    let Some(rate) = miss_rate else { return Html::text("There is no finished reply, so nothing is known yet.") };
    let mut text = format!(
        "Wrong on {} of {} finished replies, {} unique programs among these",
        percent(*rate),
        count(*replies),
        count(*unique_misses)
    );
    if let Some(last) = miss_rate_last_quarter {
        text += &format!("; on {} in the last quarter", percent(*last));
    }
    if let Some(baseline) = baseline_miss_rate {
        text += &format!("; on random programs within the same limits on {}", percent(*baseline));
    }
    text += ". ";
    let first = |status| parts.weaknesses.of_status(status).next();
    text += &match (first(Status::Confirmed), first(Status::Suspected)) {
        (Some(claim), _) => format!("First weakness: {}.", claim.what),
        (None, Some(claim)) => format!("First suspicion: {}.", claim.what),
        (None, None) => "No weakness holds on questions that had no part in finding it.".into(),
    };
    let spending = &parts.figures.spending;
    if !spending.is_free() {
        text += &format!(" Cost: {} ({}).", spending.cost(), spending.tokens());
    }
    Html::prose(&text)
}

fn verdicts(records: &[Record]) -> Section {
    let purposes = [Purpose::Attack, Purpose::Confirm, Purpose::Baseline];
    let counts = purposes.map(|purpose| stats::verdicts(&stats::asked(records, purpose)));
    let columns = purposes.map(|purpose| Column::number(purpose.name()));
    let mut table = HtmlTable::new([Column::text("verdict")].into_iter().chain(columns));
    let number = |n: u64| Cell::number(n as f64, &count(n));
    for verdict in Verdict::ALL {
        let cells = counts.each_ref().map(|counts| number(counts[verdict]));
        table.row([Cell::text(verdict.name())].into_iter().chain(cells));
    }
    let sums = counts.each_ref().map(|counts| number(counts.values().sum()));
    table.row([Cell::text("all")].into_iter().chain(sums));
    let note = "A miss is a wrong answer in a reply that the model ended by itself. Replies without an answer, refusals and \
                trouble of the provider are none.";
    Section::new("verdicts", "Verdicts", table.html().and(Html::note(note)))
}

/// How to make the run again.
fn origin(manifest: &Manifest) -> Section {
    let plan = &manifest.plan;
    let prompt = plan.prompts().first().map_or("none".into(), |prompt| format!("{} ({})", prompt.name, prompt.hash));
    let commit = manifest.commit.as_deref().map_or(String::new(), |commit| format!(" ({commit})"));
    let mut table = HtmlTable::new([Column::text("what"), Column::text("")]);
    for (name, value) in [
        ("preset", plan.preset().name.clone()),
        ("strategy", plan.attack().map_or("", |attack| attack.strategy.name()).to_owned()),
        ("prompt", prompt),
        ("seed", plan.seed().to_string()),
        ("model asked for", plan.attack().map_or("", |attack| &attack.model.name).to_owned()),
        ("model that answered", manifest.model_returned.clone().unwrap_or("unknown".into())),
        ("wasmweaver", format!("{}{commit}", manifest.wasmweaver)),
        ("started", manifest.started.to_string()),
    ] {
        table.row([Cell::text(name), Cell::text(&value)]);
    }
    let command = Html::command(&manifest.command.join(" "));
    Section::new("origin", "Where this comes from", command.and(table.html()))
}

#[cfg(test)]
mod tests;
