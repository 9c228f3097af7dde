//! Owns `harness report`: the page of a run, and the minimal pairs that it asks.
//!
//! Must not know what a weakness is, nor how a page looks.

use super::again;
use super::disagreement::disagreement;
use super::resume::verb_of;
use super::table::{Column, Table};
use super::{Failure, Verb, print_json, print_line, runtime, say};
use crate::ask::examiner::Examiner;
use crate::ask::pipeline::{Ended, Stop};
use crate::attack::pairs::{self, PairsError, Twin};
use crate::item::record::{Item, Purpose, Record};
use crate::report::attack_page::{Parts, attack_page};
use crate::report::figures::{AttackFigures, spending};
use crate::report::summary::write_summary;
use crate::report::weakness::{Claim, Cure, Weaknesses};
use crate::run::dir::{RunDir, write_whole};
use crate::run::homes::Homes;
use crate::run::jsonl::JsonLines;
use crate::run::manifest::Manifest;
use crate::run::pairs::{Pair, read_pairs};
use crate::run::shrunk::read_shrunk;
use crate::run::sink::read_records;
use crate::run::spending::Spending;
use crate::seed::Seed;
use crate::wasm::machine::Machine;
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Pairs that are asked for each claim where asking is free.
const FREE_PAIRS: usize = 20;

/// Write the page of an attack: what the model fails on, counterexamples, every item
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run directory of an attack
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// Minimal pairs to ask the run's model for each claim, two requests each, as the run asked it; by default 20 where
    /// asking is free, else none
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
    /// What the minimal pairs of each claim show, in their order; null without any.
    cures: Vec<Option<Cure>>,
    /// What all minimal pairs of the run took and cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs_spending: Option<Spending>,
}

impl Args {
    /// Asks what is still to be asked, writes the page, and shows what the model fails on.
    pub fn run(&self, homes: &Homes) -> Result<(), Failure> {
        let dir = homes.open(&self.run).map_err(Failure::usage)?;
        let manifest = Manifest::read(&dir).map_err(Failure::usage)?;
        let Verb::Attack(attack) = verb_of(&manifest, &self.run)? else {
            let verb = &manifest.plan.verb;
            let problem = format!(
                "{} is a run of `harness {verb}`; a report is of an attack (for evaluations: `harness leaderboard`)",
                self.run.display()
            );
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        };
        let against = self.against.iter().map(|path| other(path, homes)).collect::<Result<Vec<_>, Failure>>()?;
        let records = read_records(&dir).map_err(Failure::usage)?.rows;
        let weaknesses = Weaknesses::of(&records)?;
        let file = self.prompt.as_deref().or(attack.prompt.as_deref());
        let prompt = |items: &[&Item]| again::prompt(&manifest, file, items);
        let (entry, way) = (attack.asking.entry()?, &attack.asking.way);
        let wanted = self.pairs.unwrap_or(if entry.provider.is_resident() { FREE_PAIRS } else { 0 });
        let open = open_twins(&weaknesses, &records, &read_pairs(&dir)?, wanted, manifest.plan.seed)?;
        if !open.is_empty() {
            let prompt = prompt(&[&open[0].twin.draft.item])?;
            say(&format!("asking {} minimal pairs of {}", open.len().div_ceil(2), entry.name()));
            runtime()?.block_on(async {
                let connection = way.connect(entry, &[], Seed::new(manifest.plan.seed)).await?;
                ask(&dir, &open, &again::examiner(way, &connection, prompt)).await
            })?;
        }
        // After the pairs: the summary says what they cost.
        let figures = write_summary(&dir)?;
        let (pairs, shrunk) = (read_pairs(&dir)?, read_shrunk(&dir)?);
        let page = attack_page(Parts {
            dir: dir.name(),
            manifest: &manifest,
            records: &records,
            figures: &figures,
            weaknesses: &weaknesses,
            pairs: &pairs,
            shrunk: &shrunk,
            against: &against,
            prompts: records.first().and_then(|record| prompt(&[&record.item]).ok()).into_iter().collect(),
        })?;
        let path = self.out.clone().unwrap_or_else(|| dir.report());
        write_whole(&path, &page).map_err(Failure::usage)?;
        let cures = weaknesses.claims.iter().map(|claim| Cure::of(claim, &pairs)).collect();
        let pairs_spending = (!pairs.is_empty()).then(|| spending(&manifest, pairs.iter().map(|pair| &pair.record)));
        let report = dir.shown(&path).into();
        let report = Report { report, figures: &figures, weaknesses: &weaknesses, cures, pairs_spending };
        if self.json { print_json(&report) } else { report.show() }
    }
}

/// A run to draw beside it, by its strategy.
fn other(path: &Path, homes: &Homes) -> Result<(String, Vec<Record>), Failure> {
    let dir = homes.open(path).map_err(Failure::usage)?;
    let manifest = Manifest::read(&dir).map_err(Failure::usage)?;
    let records = read_records(&dir).map_err(Failure::usage)?.rows;
    Ok((manifest.plan.strategy.unwrap_or(manifest.plan.verb), records))
}

/// A twin that is to be asked, of which item, and for which claim.
struct Open<'a> {
    claim: &'a Claim,
    of: &'a str,
    twin: Twin,
}

/// The twins of so many misses of each claim, without those whose answers are known.
fn open_twins<'a>(
    weaknesses: &'a Weaknesses,
    records: &'a [Record],
    known: &[Pair],
    wanted: usize,
    seed: u64,
) -> Result<Vec<Open<'a>>, Failure> {
    let by_id: HashMap<&str, &Record> = records
        .iter()
        .filter(|record| record.purpose != Purpose::Confirm)
        .map(|record| (record.item.id.as_str(), record))
        .collect();
    let (mut open, mut machine) = (Vec::new(), Machine::default());
    for claim in &weaknesses.claims {
        let mut found = 0;
        for id in &claim.misses {
            if found == wanted {
                break;
            }
            let Some(record) = by_id.get(id.as_str()) else { continue };
            let seed = Seed::new(seed).child("pairs").child(id);
            let twins = pairs::twins(&record.item, claim.fact, seed, &mut machine)?;
            found += usize::from(!twins.is_empty());
            let is_known = |twin: &Twin| {
                known.iter().any(|pair| pair.claim == claim.what && pair.of == *id && pair.role == twin.role)
            };
            open.extend(twins.into_iter().filter(|twin| !is_known(twin)).map(|twin| Open { claim, of: id, twin }));
        }
    }
    Ok(open)
}

/// Asks the twins and keeps each answer as it comes.
async fn ask(dir: &RunDir, open: &[Open<'_>], examiner: &Examiner) -> Result<(), Failure> {
    let mut lines = JsonLines::open(&dir.pairs())?;
    let twins: Vec<Twin> = open.iter().map(|open| open.twin.clone()).collect();
    let (_sender, stop) = tokio::sync::watch::channel(Stop::Go);
    let keep = |at: usize, answer, _| {
        let Open { claim, of, twin } = &open[at];
        let record = Record::beside(Purpose::Pair, twin.draft.item.clone(), answer);
        let (claim, of) = (claim.what.clone(), (*of).to_owned());
        Ok(lines.append(&Pair { claim, of, role: twin.role, change: twin.change.clone(), record })?)
    };
    let ended = pairs::ask(&twins, examiner, stop, keep).await.map_err(|error| match &error {
        PairsError::Disagreement { draft, .. } => disagreement(&error, draft, dir),
        _ => error.into(),
    })?;
    match ended {
        Ended::Complete | Ended::Stopped => Ok(()),
        Ended::Outage { trouble, .. } => Err(Failure::Error(anyhow::anyhow!(
            "nobody answers any more: {trouble}; what was answered is kept, so ask again later, or write the page without \
             pairs: --pairs 0"
        ))),
        Ended::Fatal(error) => Err(error.into()),
    }
}

impl Report<'_> {
    fn show(&self) -> Result<(), Failure> {
        let percent = |rate: Option<f64>| rate.map_or("unknown".into(), |rate| format!("{:.0} %", 100.0 * rate));
        if self.weaknesses.claims.is_empty() {
            print_line("no fact of the computation goes with the misses more than chance lets expect")?;
        } else {
            let mut table = Table::new([
                Column::text("fails on").folding(),
                Column::number("miss rate"),
                Column::number("elsewhere"),
                Column::number("explains").rank(1),
                Column::number("cured"),
                Column::number("control"),
            ]);
            for (claim, cure) in self.weaknesses.claims.iter().zip(&self.cures) {
                let cured =
                    |share: fn(&Cure) -> Option<f64>| cure.as_ref().map_or("-".into(), |cure| percent(share(cure)));
                table.row([
                    claim.what.clone(),
                    percent(claim.with.rate()),
                    percent(claim.without.rate()),
                    percent(claim.explains.rate()),
                    cured(|cure| cure.suspect.rate()),
                    cured(|cure| cure.control.rate()),
                ]);
            }
            print_line(&table.text())?;
        }
        if let Some(spending) = self.pairs_spending.as_ref().filter(|spending| !spending.is_free()) {
            print_line(&format!("minimal pairs: {}, {}", spending.cost(), spending.tokens()))?;
        }
        print_line(&format!("report  {}", self.report.display()))
    }
}
