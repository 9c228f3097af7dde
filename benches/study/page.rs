//! Owns the page of the study: its tables, and the sentences that follow from them.

use super::attack::{BUDGET, Line, STEP};
use super::{SOLVERS, STRATEGIES, picture};
use std::fmt::Write;
use std::path::Path;
use wasmweaver::report::bands::{Band, Scores, band, ratio};
use wasmweaver::seed::Seed;

/// Queries after which it is looked what was found.
const POINTS: [u64; 4] = [100, 300, 1000, BUDGET];
/// A solver is rare if random programs hit it less often than this.
const RARE: f64 = 0.1;
/// What PPO is asked to find on rare misconceptions, as a multiple of what others find.
const WANTED: f64 = 1.5;

/// What is counted of a line.
#[derive(Clone, Copy)]
pub(super) enum Count {
    Failures,
    Unique,
    Cells,
}

impl Count {
    /// After so many queries.
    fn of(self, line: &Line, queries: u64) -> f64 {
        let counts = match self {
            Self::Failures => &line.failures,
            Self::Unique => &line.unique,
            Self::Cells => &line.cells,
        };
        counts[(queries / STEP) as usize - 1] as f64
    }
}

/// All finished attacks.
pub(super) struct Study<'a> {
    lines: &'a [Line],
    /// Those with lines, in the order of their list; others behind.
    pub(super) solvers: Vec<&'a str>,
}

impl<'a> Study<'a> {
    fn new(lines: &'a [Line]) -> Self {
        let mut solvers: Vec<&str> = lines.iter().map(|line| line.solver.as_str()).collect();
        solvers.sort_by_key(|name| (SOLVERS.iter().position(|known| known == name).unwrap_or(usize::MAX), *name));
        solvers.dedup();
        Self { lines, solvers }
    }

    fn of<'s>(&'s self, strategy: &'s str, solver: &'s str) -> impl Iterator<Item = &'a Line> + 's {
        self.lines.iter().filter(move |line| line.strategy == strategy && line.solver == solver)
    }

    /// By solver and seed; a solver without a line of this strategy is not there.
    pub(super) fn scores(&self, strategy: &str, solvers: &[&str], count: Count, queries: u64) -> Scores {
        let of = |solver: &&str| self.of(strategy, solver).map(|line| count.of(line, queries)).collect();
        solvers.iter().map(of).filter(|runs: &Vec<f64>| !runs.is_empty()).collect()
    }

    /// How often random programs hit a solver.
    fn chance(&self, solver: &str) -> Option<f64> {
        let (misses, replies) =
            self.of("random", solver).fold((0, 0), |(m, r), line| (m + line.misses, r + line.replies));
        (replies > 0).then(|| misses as f64 / replies as f64)
    }

    /// The solvers with rare misconceptions.
    pub(super) fn rare(&self) -> Vec<&'a str> {
        let is_rare = |solver: &&str| self.chance(solver).is_some_and(|chance| chance < RARE);
        self.solvers.iter().copied().filter(is_rare).collect()
    }

    fn strategies(&self) -> Vec<&'static str> {
        let has = |name: &&str| self.lines.iter().any(|line| line.strategy == *name);
        STRATEGIES.into_iter().filter(has).collect()
    }
}

/// Writes `README.md` and the picture.
pub(super) fn write(lines: &[Line], out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    if lines.is_empty() {
        return Ok(());
    }
    let study = Study::new(lines);
    std::fs::write(out.join("unique-misses.svg"), picture::draw(&study, &study.strategies())?)?;
    let mut text = head(&study);
    let rare = study.rare();
    text += &strategies(&study, &rare, "On rare misconceptions");
    text += &strategies(&study, &study.solvers, "On all solvers");
    text += &ratios(&study, &rare);
    text += &solvers(&study, &rare);
    if let Ok(notes) = std::fs::read_to_string(out.join("notes.md")) {
        write!(text, "\n{notes}")?;
    }
    std::fs::write(out.join("README.md"), text)?;
    Ok(())
}

fn head(study: &Study<'_>) -> String {
    let seeds = study.lines.iter().map(|line| line.seed).collect::<std::collections::BTreeSet<_>>().len();
    let minutes = study.lines.iter().map(|line| line.seconds).sum::<f64>() / 60.0;
    format!(
        "# Which strategy finds most with the same queries?\n\n\
         Made by `cargo bench --bench study`: {} attacks, {} strategies against {} simulated solvers over {seeds} seeds, \
         {BUDGET} queries each; {minutes:.0} minutes of one core in all.\n\
         A failure is a miss that the solver repeats when it is asked again (outside of the budget, for every strategy \
         alike); failures of one canonical form are counted once as unique.\nNumbers are interquartile means over \
         solvers and seeds with 95 % bands of a bootstrap stratified by solver (Agarwal et al. 2021). A misconception is \
         rare if random programs hit it in under {:.0} %.\n`ppo-no-predictor` is `--strategy ppo --no-predictor`; \
         `matched` is random with the length and the instructions of what `ppo` asked with the same seed.\n\n\
         ![unique failures and cells by queries, with bands](unique-misses.svg)\n",
        study.lines.len(),
        study.strategies().len(),
        study.solvers.len(),
        100.0 * RARE
    )
}

fn table(heads: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    line(heads) + &line(&vec!["---".into(); heads.len()]) + &rows.iter().map(|row| line(row)).collect::<String>()
}

fn shown(band: Option<Band>, digits: usize) -> String {
    band.map_or("-".into(), |Band { estimate, interval }| {
        format!("{estimate:.digits$} [{:.digits$}, {:.digits$}]", interval.low, interval.high)
    })
}

/// One row for each strategy.
fn strategies(study: &Study<'_>, solvers: &[&str], title: &str) -> String {
    let seed = Seed::new(0);
    let mut heads = vec!["strategy".to_owned()];
    heads.extend(POINTS.map(|point| format!("unique failures at {point}")));
    heads.extend(["failures".into(), "cells".into(), "seconds".into()]);
    let row = |strategy: &&str| {
        let of = |count, point| shown(band(&study.scores(strategy, solvers, count, point), seed), 0);
        let mut row = vec![format!("`{strategy}`")];
        row.extend(POINTS.map(|point| of(Count::Unique, point)));
        row.extend([of(Count::Failures, BUDGET), of(Count::Cells, BUDGET), seconds(study, strategy, solvers)]);
        row
    };
    let rows: Vec<Vec<String>> = study.strategies().iter().map(row).collect();
    let names: Vec<String> = solvers.iter().map(|solver| format!("`{solver}`")).collect();
    format!("\n## {title}\n\n{}:\n\n{}", names.join(", "), table(&heads, &rows))
}

/// The median.
fn seconds(study: &Study<'_>, strategy: &str, solvers: &[&str]) -> String {
    let mut all: Vec<f64> =
        solvers.iter().flat_map(|solver| study.of(strategy, solver)).map(|line| line.seconds).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).map_or("-".into(), |median| format!("{median:.0}"))
}

/// PPO against each other strategy.
fn ratios(study: &Study<'_>, rare: &[&str]) -> String {
    let others: Vec<&str> = study.strategies().into_iter().filter(|name| *name != "ppo").collect();
    let mut heads = vec!["unique failures of `ppo` over those of".to_owned()];
    heads.extend(POINTS.map(|point| format!("at {point}")));
    heads.extend([format!("{WANTED} times at {BUDGET}"), "solvers on which the other finds more (mean)".into()]);
    let row = |other: &&str| {
        let at = |point| {
            let of = |strategy| study.scores(strategy, rare, Count::Unique, point);
            ratio(&of("ppo"), &of(other), Seed::new(0))
        };
        let mut row = vec![format!("`{other}`")];
        row.extend(POINTS.map(|point| shown(at(point), 2)));
        row.push(at(BUDGET).map_or("-".into(), |band| if band.estimate >= WANTED { "yes" } else { "no" }.into()));
        row.push(better(study, other));
        row
    };
    format!(
        "\n## PPO against each other, on rare misconceptions\n\n\
         Of a strategy that learns the first fifth of the budget covers the space, and three of 35 queries ask misses \
         again: after covering nobody can find more than about {:.0}.\n\n{}",
        0.8 * BUDGET as f64 * 32.0 / 35.0,
        table(&heads, &others.iter().map(row).collect::<Vec<_>>())
    )
}

/// The solvers on which a strategy finds more than PPO, with both means.
fn better(study: &Study<'_>, other: &str) -> String {
    let mut found = Vec::new();
    for solver in &study.solvers {
        if let (Some(ours), Some(theirs)) = (mean(study, "ppo", solver), mean(study, other, solver))
            && theirs > ours
        {
            found.push(format!("`{solver}` ({theirs:.0} to {ours:.0})"));
        }
    }
    if found.is_empty() { "none".into() } else { found.join(", ") }
}

fn mean(study: &Study<'_>, strategy: &str, solver: &str) -> Option<f64> {
    let runs: Vec<f64> = study.of(strategy, solver).map(|line| Count::Unique.of(line, BUDGET)).collect();
    (!runs.is_empty()).then(|| runs.iter().sum::<f64>() / runs.len() as f64)
}

/// One row for each solver: what each strategy finds, mean and range over the seeds.
fn solvers(study: &Study<'_>, rare: &[&str]) -> String {
    let strategies = study.strategies();
    let mut heads: Vec<String> = vec!["solver".into(), "random hits".into()];
    heads.extend(strategies.iter().map(|name| format!("`{name}`")));
    let row = |solver: &&str| {
        let rate = study.chance(solver).map_or("-".into(), |chance| format!("{:.1} %", 100.0 * chance));
        let mark = if rare.contains(solver) { ", rare" } else { "" };
        let mut row = vec![format!("`sim/{solver}`"), format!("{rate}{mark}")];
        let best = strategies.iter().filter_map(|name| mean(study, name, solver)).fold(0.0, f64::max);
        row.extend(strategies.iter().map(|name| cell(study, name, solver, best)));
        row
    };
    let rows: Vec<Vec<String>> = study.solvers.iter().map(row).collect();
    format!(
        "\n## Unique failures after {BUDGET} queries, by solver\n\nMean over the seeds, least and most in brackets; the best mean in bold.\n\n{}",
        table(&heads, &rows)
    )
}

fn cell(study: &Study<'_>, strategy: &str, solver: &str, best: f64) -> String {
    let runs: Vec<f64> = study.of(strategy, solver).map(|line| Count::Unique.of(line, BUDGET)).collect();
    let Some(mean) = mean(study, strategy, solver) else { return "-".into() };
    let (least, most) = (runs.iter().copied().fold(f64::INFINITY, f64::min), runs.iter().copied().fold(0.0, f64::max));
    let shown = if mean == best && best > 0.0 { format!("**{mean:.0}**") } else { format!("{mean:.0}") };
    format!("{shown} ({least:.0}-{most:.0})")
}
