//! Owns `harness report`: the page of a run, and what it asks for it: minimal pairs, and the smallest program of each claim.
//!
//! Must not know what a weakness is, nor how a page looks.

mod smallest;
mod twins;

use super::again;
use super::connect::{Connection, Way};
use super::flags::file_here;
use super::resume::verb_of;
use super::table::{Column, Table};
use super::{Failure, Verb, print_json, print_line, runtime, say};
use crate::ask::models::ModelEntry;
use crate::ask::prompt::Prompt;
use crate::item::record::{Item, Record};
use crate::report::attack_page::{Parts, attack_page};
use crate::report::figures::{AttackFigures, spending};
use crate::report::stats::Share;
use crate::report::summary::write_summary_with;
use crate::report::weakness::{Claim, Cure, Status, Weaknesses};
use crate::run::dir::{RunDir, write_whole};
use crate::run::homes::Homes;
use crate::run::manifest::Manifest;
use crate::run::pairs::{Pair, read_pairs};
use crate::run::shrunk::{Shrunk, read_shrunk};
use crate::run::sink::read_records;
use crate::run::spending::Spending;
use crate::seed::Seed;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Pairs that are asked for each claim where asking is free.
const FREE_PAIRS: usize = 20;

/// Write the page of an attack: what the model fails on, counterexamples, every item
#[derive(Debug, clap::Args)]
pub struct Args {
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
}

impl Args {
    /// Asks what is still to be asked, writes the page, and shows what the model fails on.
    pub fn run(&self, homes: &Homes) -> Result<(), Failure> {
        file_here("--out", self.out.as_deref())?;
        let dir = homes.open(&self.run).map_err(Failure::usage)?;
        let manifest = Manifest::read(&dir).map_err(Failure::unread)?;
        let Verb::Attack(attack) = verb_of(&manifest, &self.run)? else {
            let verb = &manifest.plan.verb;
            let problem = format!(
                "{} is a run of `harness {verb}`; a report is of an attack (for evaluations: `harness leaderboard`)",
                self.run.display()
            );
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        };
        let against = self.against.iter().map(|path| other(path, &dir, homes)).collect::<Result<Vec<_>, Failure>>()?;
        let records = read_records(&dir).map_err(Failure::unread)?.rows;
        let file = self.prompt.as_deref().or(attack.prompt.as_deref());
        let prompt = |items: &[&Item]| again::prompt(&manifest, file, items);
        let (entry, way) = (attack.asking.entry()?, &attack.asking.way);
        let wanted = self.pairs.unwrap_or(if entry.provider.is_resident() { FREE_PAIRS } else { 0 });
        if wanted > 0 {
            // What is known must not grow while the rest is asked.
            homes.take(&self.run).map_err(Failure::usage)?;
        }
        let asked = Asked { dir: &dir, manifest: &manifest, records: &records, way, entry: &entry, prompt: &prompt };
        // Before the summary, which says what it cost.
        let Found { weaknesses, pairs, shrunk } = asked.found(wanted)?;
        let figures = write_summary_with(&dir, &weaknesses)?;
        let page = attack_page(Parts {
            dir: dir.name(),
            manifest: &manifest,
            records: &records,
            figures: &figures,
            weaknesses: &weaknesses,
            shrunk: &shrunk,
            against: &against,
            prompts: records.first().and_then(|record| prompt(&[&record.item]).ok()).into_iter().collect(),
        })?;
        let path = self.out.clone().unwrap_or_else(|| dir.report());
        write_whole(&path, &page).map_err(Failure::usage)?;
        let cures = weaknesses.claims.iter().map(|claim| claim.cure.as_ref()).collect();
        let pairs_spending = (!pairs.is_empty()).then(|| spending(&manifest, pairs.iter().map(|pair| &pair.record)));
        let report = dir.shown(&path).into();
        let report = Report { report, figures: &figures, weaknesses: &weaknesses, cures, pairs_spending };
        if self.json { print_json(&report) } else { report.show() }
    }
}

/// Who is asked for a report, about which run.
struct Asked<'a> {
    dir: &'a RunDir,
    manifest: &'a Manifest,
    records: &'a [Record],
    way: &'a Way,
    entry: &'a ModelEntry,
    /// The prompt of the run, which must fit these items.
    prompt: &'a dyn Fn(&[&Item]) -> Result<Prompt, Failure>,
}

/// What is known of a run then.
struct Found {
    weaknesses: Weaknesses,
    pairs: Vec<Pair>,
    shrunk: Vec<Shrunk>,
}

impl Asked<'_> {
    /// Asks what is still to be asked: so many pairs for each claim, then what cuts one program of each down.
    fn found(&self, wanted: usize) -> Result<Found, Failure> {
        let Self { dir, manifest, records, .. } = *self;
        let weaknesses = Weaknesses::of(records)?;
        let known = read_pairs(dir).map_err(Failure::unread)?;
        let open = twins::open_twins(&weaknesses, records, &known, wanted, manifest.plan.seed)?;
        if !open.is_empty() {
            let prompt = (self.prompt)(&[&open[0].twin.draft.item])?;
            say(&format!("asking {} minimal pairs of {}", open.len().div_ceil(2), self.entry.name()));
            runtime()?.block_on(async {
                let connection = self.connect().await?;
                twins::ask(dir, &open, &again::examiner(self.way, &connection, prompt)).await
            })?;
            let mut manifest = Manifest::read(dir).map_err(Failure::unread)?;
            manifest.note([dir.pairs().as_path()])?;
            manifest.write(dir)?;
        }
        let (pairs, shrunk) = (read_pairs(dir)?, read_shrunk(dir)?);
        let weaknesses = weaknesses.with(records, &pairs, &shrunk)?;
        let found = Found { weaknesses, pairs, shrunk };
        if wanted > 0 { smallest::cut_down(self, found, wanted) } else { Ok(found) }
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        self.way.connect(self.entry.clone(), &[], Seed::new(self.manifest.plan.seed)).await
    }
}

/// A run to draw beside it, by its strategy.
fn other(path: &Path, own: &RunDir, homes: &Homes) -> Result<(String, Vec<Record>), Failure> {
    let dir = homes.open(path).map_err(Failure::usage)?;
    let real = |dir: &RunDir| dir.path().canonicalize().unwrap_or_else(|_| dir.path().into());
    if real(&dir) == real(own) {
        let problem = format!("--against {} is the run itself; name another one", path.display());
        return Err(Failure::usage(anyhow::anyhow!(problem)));
    }
    let manifest = Manifest::read(&dir).map_err(Failure::unread)?;
    if manifest.plan.verb != "attack" {
        let (path, verb) = (path.display(), &manifest.plan.verb);
        let problem = format!("--against {path} is a run of `harness {verb}`; name that of an attack");
        return Err(Failure::usage(anyhow::anyhow!(problem)));
    }
    let records = read_records(&dir).map_err(Failure::unread)?.rows;
    Ok((manifest.plan.strategy.unwrap_or(manifest.plan.verb), records))
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
        if let Some(spending) = self.pairs_spending.as_ref().filter(|spending| !spending.is_free()) {
            print_line(&format!("minimal pairs: {}, {}", spending.cost(), spending.tokens()))?;
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
    let mut table = Table::new([
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
