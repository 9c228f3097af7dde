//! Owns what a report of an attack rests on: its claims, the minimal pairs that confirm them, the smallest program of each,
//! and the page.
//!
//! Must not know what a weakness is, nor how a page looks.

mod pairs;
mod smallest;

use super::connect::{self, Connection};
use super::error::JobError;
use super::prompts;
use super::setting::Setting;
use crate::ask::budget::Budget;
use crate::ask::exchange::Exchange;
use crate::ask::prompt::{Prompt, Prompts};
use crate::item::record::{Item, Record};
use crate::report::attack_page::{Parts, attack_page};
use crate::report::figures::{AttackFigures, spending};
use crate::report::summary::write_summary_with;
use crate::report::weakness::Weaknesses;
use crate::run::dir::{RunDir, write_whole};
use crate::run::manifest::Manifest;
use crate::run::pairs::{Pair, read_pairs};
use crate::run::plan::{AttackPlan, Conditions, Plan};
use crate::run::shrunk::{self, Shrunk, read_shrunk};
use crate::run::sink::read_records;
use crate::run::spending::Spending;
use crate::seed::Seed;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Pairs that are asked for each claim where asking is free.
const FREE_PAIRS: usize = 20;

/// What a report is of, and what may be asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportPlan {
    /// The run directory of an attack.
    pub run: PathBuf,
    /// Minimal pairs for each claim; by default as many as are free.
    pub pairs: Option<usize>,
    /// The prompt's file, where it is not where it was.
    pub prompt: Option<PathBuf>,
    /// Other attacks to draw beside it.
    pub against: Vec<PathBuf>,
    /// Where the page goes; by default into the run directory.
    pub out: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The run.
    pub dir: RunDir,
    /// The page.
    pub page: PathBuf,
    /// The figures of the attack.
    pub figures: AttackFigures,
    /// What the model fails on.
    pub weaknesses: Weaknesses,
    /// What all minimal pairs of the run took and cost, if there are any.
    pub pairs: Option<Spending>,
    /// What cutting programs of the run down took and cost, if any was.
    pub shrinking: Option<Spending>,
    /// Whether it was stopped before all was asked: the page is of what is known.
    pub stopped: bool,
}

/// Asks what is still to be asked, and writes the page.
///
/// # Errors
/// See [`JobError`]; what was answered is kept in the run.
pub async fn run(plan: &ReportPlan, conditions: &Conditions, setting: &Setting<'_>) -> Result<Outcome, JobError> {
    let dir = setting.homes.open(&plan.run).map_err(JobError::usage)?;
    let manifest = Manifest::read(&dir).map_err(JobError::unread)?;
    let Plan::Attack(attack) = &manifest.plan else {
        let (path, verb) = (plan.run.display(), manifest.plan.verb());
        return Err(JobError::wrong(format!(
            "{path} is a run of `harness {verb}`; a report is of an attack (for evaluations: `harness leaderboard`)"
        )));
    };
    let against = plan.against.iter().map(|path| other(path, &dir, setting)).collect::<Result<Vec<_>, JobError>>()?;
    let records = read_records(&dir).map_err(JobError::unread)?.rows;
    let is_free = connect::is_free(&attack.model);
    let wanted = plan.pairs.unwrap_or(if is_free { FREE_PAIRS } else { 0 });
    if wanted > 0 {
        // What is known must not grow while the rest is asked.
        setting.homes.take(&plan.run).map_err(JobError::usage)?;
    }
    let asking = Asking {
        dir: &dir,
        manifest: &manifest,
        attack,
        records: &records,
        conditions,
        prompt: plan.prompt.as_deref(),
        is_free,
        setting,
    };
    // Before the summary, which says what it cost.
    let Found { weaknesses, pairs, shrunk, stopped } = asking.found(wanted).await?;
    let figures = write_summary_with(&dir, &weaknesses)?;
    let prompts = records.first().and_then(|record| asking.prompt(&[&record.item]).ok()).into_iter().collect();
    let page = attack_page(Parts {
        dir: dir.name(),
        manifest: &manifest,
        records: &records,
        figures: &figures,
        weaknesses: &weaknesses,
        shrunk: &shrunk,
        against: &against,
        prompts,
    })?;
    let path = plan.out.clone().unwrap_or_else(|| dir.report());
    write_whole(&path, &page).map_err(JobError::usage)?;
    let spent = (!pairs.is_empty()).then(|| spending(&manifest, pairs.iter().map(|pair| &pair.record)));
    let page = dir.shown(&path).into();
    let shrinking = shrunk::spent(&shrunk);
    Ok(Outcome { dir: dir.clone(), page, figures, weaknesses, pairs: spent, shrinking, stopped })
}

/// A run to draw beside it, by its strategy.
fn other(path: &Path, own: &RunDir, setting: &Setting<'_>) -> Result<(String, Vec<Record>), JobError> {
    let dir = setting.homes.open(path).map_err(JobError::usage)?;
    let real = |dir: &RunDir| dir.path().canonicalize().unwrap_or_else(|_| dir.path().into());
    if real(&dir) == real(own) {
        let path = path.display();
        return Err(JobError::wrong(format!("--against {path} is the run itself; name another one")));
    }
    let manifest = Manifest::read(&dir).map_err(JobError::unread)?;
    let Plan::Attack(attack) = &manifest.plan else {
        let (path, verb) = (path.display(), manifest.plan.verb());
        let problem = format!("--against {path} is a run of `harness {verb}`; name that of an attack");
        return Err(JobError::wrong(problem));
    };
    let records = read_records(&dir).map_err(JobError::unread)?.rows;
    Ok((attack.strategy.name().to_owned(), records))
}

/// Who is asked for a report, about which run.
struct Asking<'a> {
    dir: &'a RunDir,
    manifest: &'a Manifest,
    attack: &'a AttackPlan,
    records: &'a [Record],
    conditions: &'a Conditions,
    prompt: Option<&'a Path>,
    is_free: bool,
    setting: &'a Setting<'a>,
}

/// What is known of a run then.
struct Found {
    weaknesses: Weaknesses,
    pairs: Vec<Pair>,
    shrunk: Vec<Shrunk>,
    stopped: bool,
}

/// The model of a run while it is asked, and what that is paid out of.
struct Line {
    connection: Connection,
    budget: Arc<Budget>,
}

impl Asking<'_> {
    /// Asks what is still to be asked: so many pairs for each claim, then what cuts one program of each down.
    async fn found(&self, wanted: usize) -> Result<Found, JobError> {
        let Self { dir, manifest, records, .. } = *self;
        let weaknesses = Weaknesses::of(records)?;
        let known = read_pairs(dir).map_err(JobError::unread)?;
        let open = pairs::open_twins(&weaknesses, records, &known, wanted, manifest.plan.seed())?;
        let (mut line, mut stopped) = (None, false);
        if let Some(first) = open.first() {
            let opened = self.open().await?;
            let mut exchange = self.exchange(&opened, &[first.item()])?;
            stopped = pairs::ask(dir, &open, &mut exchange, &opened.connection, self.setting).await?;
            line = Some(opened);
            let mut manifest = Manifest::read(dir).map_err(JobError::unread)?;
            manifest.note([dir.pairs().as_path()])?;
            manifest.write(dir)?;
        }
        let (pairs, shrunk) = (read_pairs(dir).map_err(JobError::unread)?, read_shrunk(dir).map_err(JobError::unread)?);
        let weaknesses = weaknesses.with(records, &pairs, &shrunk)?;
        let found = Found { weaknesses, pairs, shrunk, stopped };
        if wanted > 0 && !stopped { smallest::cut_down(self, line, found, wanted).await } else { Ok(found) }
    }

    /// The prompt of the run, which must fit these items.
    fn prompt(&self, items: &[&Item]) -> Result<Prompt, JobError> {
        prompts::of_run(self.manifest, self.prompt, items)
    }

    async fn open(&self) -> Result<Line, JobError> {
        let Self { attack, conditions, setting, .. } = *self;
        connect::check_prices(std::slice::from_ref(&attack.model), conditions)?;
        let connection = Connection::open(&attack.model, conditions, &[], Seed::new(attack.seed), setting).await?;
        Ok(Line { connection, budget: Arc::new(Budget::open(conditions.allowance(), setting.stopper.clone())) })
    }

    fn exchange(&self, line: &Line, items: &[&Item]) -> Result<Exchange, JobError> {
        let prompts = Prompts::new([self.prompt(items)?]);
        Ok(line.connection.exchange(&self.attack.model, prompts, self.conditions, &line.budget))
    }
}
