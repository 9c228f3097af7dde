//! Does the report name what a model fails on, and how small do its misses get? Attacks each simulated solver with a single
//! misconception, one that makes no mistake and some that only slip, at the default budget, reports, shrinks, and holds the
//! first weakness and the smallest programs against what is known of the solver: `cargo bench --bench weaknesses`. Writes
//! results/weaknesses/README.md. `-- --seed N` sets the seed (default 0), `-- --runs DIR` where the runs are kept (default:
//! a folder of the target directory); what is there is not attacked again.

#![allow(clippy::print_stdout)] // A bench prints what it measures.

#[path = "common/asking.rs"]
mod asking;

use asking::asking;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wasmweaver::attack::shrink::Size;
use wasmweaver::job::attack;
use wasmweaver::job::connect::examinee;
use wasmweaver::job::report::{self, Outcome, ReportPlan};
use wasmweaver::job::runs::{Earlier, Place};
use wasmweaver::job::setting::Setting;
use wasmweaver::job::shrink::{self, Picked, ShrinkLimits, ShrinkPlan};
use wasmweaver::report::stats::Share;
use wasmweaver::report::weakness::{Claim, Status};
use wasmweaver::run::homes::Homes;
use wasmweaver::run::plan::{AttackPlan, Conditions, Plan, Request};
use wasmweaver::solver::misconception::TABLE;

/// The preset: the default one has neither memory nor `br_table` nor long loops, on which several solvers fail.
const PRESET: &str = "broad";
/// Words of which the first weakness must have one, for each misconception: its instructions, or its construct.
const WORDS: [(&str, &[&str]); 20] = [
    ("no-wrap", &["wraps around"]),
    ("unsigned-as-signed", &["unsigned"]),
    ("shift-unmasked", &["shift", "rotation", "rot"]),
    ("f32-as-f64", &["f32"]),
    ("loops-once", &["loop", "repeated iteration"]),
    ("zero-extended", &["sign extension", "extend"]),
    ("min-max-nan", &["minima and maxima"]),
    ("select-swapped", &["select"]),
    ("table-default", &["br_table"]),
    ("args-reversed", &["several arguments of one type"]),
    ("shr-arithmetic", &["shr_u", "unsigned shifts to the right"]),
    ("half-away", &["nearest"]),
    ("zero-unsigned", &["minima", "maxima", "copysign"]),
    ("loads-unextended", &["narrow signed loads", "load8_s", "load16_s", "load32_s"]),
    ("label-off-by-one", &["branches out of more than one block"]),
    ("loops-capped", &["loop", "repeated iteration"]),
    ("return-ignored", &["return"]),
    ("locals-kept", &["declared locals"]),
    ("stack-forgotten", &["operands on the stack"]),
    ("big-endian", &["load", "store"]),
];
/// Misses that are cut down for each solver.
const SHRUNK: usize = 15;
/// Instructions that the median of them may be longer than the witness.
const MORE: u32 = 2;
/// Solvers that nothing may be said of.
const NONE: [&str; 4] = ["oracle", "oracle+noise=0.05", "oracle+noise=0.2", "oracle+noise=0.5"];

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |flag: &str| args.iter().position(|arg| arg == flag).and_then(|at| args.get(at + 1)).cloned();
    let seed = value("--seed").map_or(0, |seed| seed.parse().expect("--seed is a number"));
    let runs = value("--runs").map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("weaknesses"), PathBuf::from);
    let (mut rows, mut sizes) = (String::new(), String::new());
    let (mut named, mut silent, mut small) = (0, 0, 0);
    for row in &TABLE {
        let (_, words) = WORDS.iter().find(|(name, _)| *name == row.name).expect("every misconception has its words");
        let report = reported(row.name, seed, &runs);
        let first = report.weaknesses.claims.first().map_or("none", |claim| &claim.what);
        let is_named = words.iter().any(|word| first.contains(word));
        named += u32::from(is_named);
        rows += &told(row.name, &report, first, if is_named { "yes" } else { "**no**" });
        let shrunk = shrunk(report.dir.path());
        let is_small =
            shrunk.as_ref().is_some_and(|shrunk| shrunk.after[shrunk.after.len() / 2] <= row.instructions + MORE);
        small += u32::from(is_small);
        sizes += &told_sizes(row.name, row.instructions, shrunk.as_ref());
    }
    for name in NONE {
        let report = reported(name, seed, &runs);
        let claims = &report.weaknesses.claims;
        let first = claims.first().map_or("none", |claim| &claim.what);
        silent += u32::from(claims.is_empty());
        rows += &told(name, &report, first, if claims.is_empty() { "yes" } else { "**no**" });
    }
    let text = page((named, silent, small), (&rows, &sizes), seed);
    println!("{text}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/weaknesses");
    std::fs::create_dir_all(&folder).expect("the project can be written");
    std::fs::write(folder.join("README.md"), text).expect("the project can be written");
}

/// What came of the programs of a run that were cut down, each list ascending.
struct Shrunk {
    before: Vec<u32>,
    after: Vec<u32>,
    queries: Vec<u32>,
}

/// Cuts down the best misses of a run; `None` where it has none.
fn shrunk(run: &Path) -> Option<Shrunk> {
    let homes = Homes::telling(|text| println!("{text}"));
    let (run, what, limits) = (run.to_owned(), Picked::Best(SHRUNK), ShrinkLimits::default());
    let plan = ShrinkPlan { run, what, limits, model: None, changes: Request::default(), prompt: None };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let (_, shrinking) = runtime.block_on(shrink::run(&plan, &Conditions::default(), &Setting::new(&homes))).ok()?;
    let list = |of: &dyn Fn(&wasmweaver::run::shrunk::Shrunk) -> u32| {
        let mut list: Vec<u32> = shrinking.shrunk.iter().map(of).collect();
        list.sort_unstable();
        list
    };
    let instructions = |size: Size| size.instructions;
    let (before, after) = (list(&|line| instructions(line.before)), list(&|line| instructions(line.after)));
    let queries = list(&|line| line.queries as u32);
    (!after.is_empty()).then_some(Shrunk { before, after, queries })
}

fn told_sizes(solver: &str, witness: u32, shrunk: Option<&Shrunk>) -> String {
    let Some(Shrunk { before, after, queries }) = shrunk else {
        return format!("| `sim/{solver}` | {witness} | none | | | | 0 | |\n");
    };
    let middle = |list: &[u32]| list[list.len() / 2];
    let (least, most) = (after[0], after[after.len() - 1]);
    format!(
        "| `sim/{solver}` | {witness} | {} | {least} | {most} | {} | {} | {} |\n",
        middle(after),
        middle(before),
        after.len(),
        middle(queries)
    )
}

/// The run of a solver that is there already.
fn earlier(solver: &str, seed: u64, runs: &Path) -> Option<PathBuf> {
    let plain: String =
        solver.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    let end = format!("-{PRESET}-sim-{plain}-seed{seed}");
    let entries = std::fs::read_dir(runs).ok()?;
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    found.into_iter().rfind(|path| path.to_string_lossy().ends_with(&end))
}

/// The report on an attack at the default budget.
fn reported(solver: &str, seed: u64, runs: &Path) -> Outcome {
    let homes = Homes::telling(|text| println!("{text}"));
    let (setting, usual) = (Setting::new(&homes), Conditions::default());
    let model = examinee(&format!("sim/{solver}")).expect("there is such a solver");
    let plan = AttackPlan { seed, ..attack::usual(PRESET, model).expect("is shipped") };
    let (plan, place) = match earlier(solver, seed, runs) {
        None => (plan, Place::Below(runs.to_owned())),
        Some(run) => {
            let earlier = Earlier::open(&run, &homes).expect("is a run");
            let Plan::Attack(plan) = earlier.manifest.plan.clone() else { panic!("{} is no attack", run.display()) };
            (plan, Place::Earlier(Box::new(earlier)))
        }
    };
    let run = asking(attack::run(&plan, &usual, place, &setting)).dir.path().to_owned();
    let report = asking(report::run(&ReportPlan { run, ..ReportPlan::default() }, &usual, &setting));
    let first = report.weaknesses.claims.first().map_or("none", |claim| &claim.what);
    println!("{solver}: {first} ({:.0} s)", report.figures.seconds.unwrap_or_default());
    report
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Confirmed => "confirmed",
        Status::Suspected => "suspected",
        Status::NotCured => "not cured",
    }
}

/// A row of the table.
fn told(solver: &str, report: &Outcome, first: &str, right: &str) -> String {
    let Outcome { figures, weaknesses, .. } = report;
    let share = |share: Share| share.rate().map_or_else(String::new, |rate| format!("{:.0} %", 100.0 * rate));
    let claim = weaknesses.claims.first();
    let of = |of: &dyn Fn(&Claim) -> Option<Share>| claim.and_then(of).map(share).unwrap_or_default();
    format!(
        "| `sim/{solver}` | {} of {} | {first} | {} | {} | {} | {} | {} | {} | {} | {right} |\n",
        figures.misses,
        figures.replies,
        claim.map(|claim| status(claim.status)).unwrap_or_default(),
        of(&|claim| Some(claim.with)),
        of(&|claim| Some(claim.without)),
        of(&|claim| Some(claim.explains)),
        of(&|claim| claim.cure.as_ref().map(|cure| cure.suspect)),
        of(&|claim| claim.cure.as_ref().map(|cure| cure.control)),
        weaknesses.claims.len().saturating_sub(1),
    )
}

fn page((named, silent, small): (u32, u32, u32), (rows, sizes): (&str, &str), seed: u64) -> String {
    let mut text = String::new();
    let total = TABLE.len();
    let _ = writeln!(
        text,
        "# Does the report name what a model fails on?\n\n\
         Of {total} solvers with a single misconception the first weakness is the misconception's instructions or construct \
         in **{named}**; of {} that make no mistake or only slip, **{silent}** have no weakness. Each was attacked with 2,000 \
         queries (the default budget), preset `{PRESET}`, seed {seed}, and reported on, by `cargo bench --bench weaknesses`.\n\n\
         Missed and elsewhere: misses among the lineages with that fact and among the others, all of them lineages that \
         had no part in finding it. Explains: of all misses there, the share that has it. Cured and control: misses gone when \
         the suspected instruction is changed, and when another one is changed instead; the status says whether that \
         confirms it. Others: further claims that held.\n\n\
         | solver | misses | first weakness | status | missed | elsewhere | explains | cured | control | others | right |\n\
         |---|---|---|---|---|---|---|---|---|---|---|",
        NONE.len()
    );
    text += rows;
    let _ = write!(
        text,
        "\n## How small do the misses get?\n\n\
         {SHRUNK} misses of each run that happened again, the shortest of each claim first, were cut down by \
         `harness shrink RUN --best {SHRUNK}`; what came to a program that was there already is not counted. The median is at most {MORE} instructions longer than the smallest witness that is \
         documented for the solver (`harness models sim/NAME`) for **{small}** of {total}. Sizes are instructions in the text, \
         of all functions, `else` and `end` not counted; queries are those spent on one program, confirmations among them.\n\n\
         | solver | witness | median shrunk | smallest | largest | median before | programs | median queries |\n\
         |---|---|---|---|---|---|---|---|\n{sizes}"
    );
    text
}
