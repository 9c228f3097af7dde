//! Owns `harness report`: its flags, and what an attack found, in short.

use super::budget;
use super::flags::file_here;
use super::given::Given;
use super::table::{Column, TextTable};
use super::{Failure, asking, print_json, print_line, signals};
use crate::job::report::{self, Outcome, ReportPlan};
use crate::report::figures::AttackFigures;
use crate::report::stats::Share;
use crate::report::weakness::{Claim, Cure, Status, Weaknesses};
use crate::run::homes::Homes;
use crate::run::manifest::Manifest;
use crate::run::spending::Spending;
use serde::Serialize;
use std::path::PathBuf;

/// Write the page of an attack: what the model fails on, counterexamples, every item
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run directory of an attack
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// Minimal pairs to ask the run's model for each claim, each of another lineage, two requests each, as the run asked
    /// it; by default 20 where asking is free, else none: without pairs no claim is more than suspected. As many requests
    /// again may cut one program of each claim down, if none was
    #[arg(long, value_name = "N")]
    pairs: Option<usize>,
    /// Prompt file of the run, where it is not where it was
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
    /// Another run to draw beside it, such as one of `--strategy matched`; may be given several times
    #[arg(long, value_name = "RUN_DIR")]
    against: Vec<PathBuf>,
    /// Where the page goes; by default report.html in the run directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    budget: budget::Flags,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    report: PathBuf,
    #[serde(flatten)]
    figures: &'a AttackFigures,
    weaknesses: &'a Weaknesses,
    /// What the minimal pairs of each claim show, in their order; null without any. The same stands in the claims.
    cures: Vec<Option<&'a Cure>>,
    /// What all minimal pairs of the run took and cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs_spending: Option<Spending>,
    /// What cutting programs down took and cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    shrinking_spending: Option<Spending>,
}

impl Args {
    /// Asks what is still to be asked, writes the page, and shows what the model fails on.
    pub(super) fn run(&self, homes: &Homes, given: &Given) -> Result<(), Failure> {
        file_here("--out", self.out.as_deref())?;
        let dir = homes.open(&self.run).map_err(Failure::usage)?;
        let manifest = Manifest::read(&dir).map_err(Failure::unread)?;
        let plan = ReportPlan {
            run: self.run.clone(),
            pairs: self.pairs,
            prompt: self.prompt.clone(),
            against: self.against.clone(),
            out: self.out.clone(),
        };
        // As the run asked, but for what it may cost.
        let conditions =
            self.budget.limit(crate::run::plan::Conditions { cost_limit: None, ..manifest.conditions }, given);
        let outcome = asking(homes, async |setting| Ok(report::run(&plan, &conditions, setting).await?))?;
        let Outcome { page, figures, weaknesses, pairs, shrinking, stopped, .. } = &outcome;
        let cures = weaknesses.claims.iter().map(|claim| claim.cure.as_ref()).collect();
        let (pairs_spending, shrinking_spending) = (pairs.clone(), shrinking.clone());
        let report = Report { report: page.clone(), figures, weaknesses, cures, pairs_spending, shrinking_spending };
        if self.json { print_json(&report) } else { report.show() }?;
        if *stopped { signals::ended_early("what was answered is kept; go on with the same command") } else { Ok(()) }
    }
}

impl Report<'_> {
    fn show(&self) -> Result<(), Failure> {
        if self.weaknesses.claims.is_empty() {
            print_line("no fact of the computation goes with the misses more than chance lets expect")?;
        }
        for status in Status::ALL {
            let claims: Vec<&Claim> = self.weaknesses.of_status(status).collect();
            if !claims.is_empty() {
                print_line(&table(status, &claims))?;
            }
        }
        for (what, spending) in [("minimal pairs", &self.pairs_spending), ("cutting down", &self.shrinking_spending)] {
            if let Some(spending) = spending.as_ref().filter(|spending| !spending.is_free()) {
                print_line(&format!("{what}: {}, {}", spending.cost(), spending.tokens()))?;
            }
        }
        print_line(&format!("report  {}", self.report.display()))
    }
}

/// A share in whole percent; a half is rounded up, as people do.
fn whole(share: f64) -> f64 {
    (100.0 * share).round()
}

/// The claims of one status.
fn table(status: Status, claims: &[&Claim]) -> String {
    let first = match status {
        Status::Confirmed => "fails on",
        Status::Suspected => "suspected: goes with misses",
        Status::NotCured => "not the cause, goes with misses",
    };
    let mut table = TextTable::new([
        Column::text(first).folding(),
        Column::number("miss rate"),
        Column::number("elsewhere"),
        Column::number("explains").rank(1),
        Column::number("cured"),
        Column::number("control"),
    ]);
    let percent = |share: Share| share.rate().map_or("unknown".into(), |rate| format!("{} %", whole(rate)));
    let between = |share: Share| match share.wilson() {
        Some(range) => format!("{} ({}-{})", percent(share), whole(range.low), whole(range.high)),
        None => "-".into(),
    };
    for claim in claims {
        let cured = |share: fn(&Cure) -> Share| claim.cure.as_ref().map_or("-".into(), |cure| between(share(cure)));
        table.row([
            claim.what.clone(),
            percent(claim.with),
            percent(claim.without),
            percent(claim.explains),
            cured(|cure| cure.suspect),
            cured(|cure| cure.control),
        ]);
    }
    table.text()
}
