//! Owns asking the minimal pairs of a report: the twins of some misses of each claim.
//!
//! Must not know how twins are made, nor what they show.

use super::super::disagreement::disagreement;
use super::super::{Failure, budget, signals};
use crate::ask::examiner::Examiner;
use crate::ask::pipeline::Ended;
use crate::attack::pairs::{self, PairsError};
use crate::cause::twin::{Twin, twins};
use crate::item::record::{Purpose, Record};
use crate::report::weakness::{Claim, Weaknesses};
use crate::run::dir::RunDir;
use crate::run::jsonl::JsonLines;
use crate::run::pairs::Pair;
use crate::seed::Seed;
use crate::wasm::machine::Machine;
use std::collections::{HashMap, HashSet};

/// A twin that is to be asked, of which item, and for which claim.
pub(super) struct Open<'a> {
    claim: &'a Claim,
    of: &'a str,
    pub(super) twin: Twin,
}

/// The twins of so many misses of each claim, each of another lineage, without those whose answers are known.
pub(super) fn open_twins<'a>(
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
        let mut found = HashSet::new();
        for miss in &claim.misses {
            if found.len() == wanted {
                break;
            }
            let Some(record) = by_id.get(miss.id.as_str()).filter(|_| !found.contains(&miss.lineage)) else { continue };
            let seed = Seed::new(seed).child("pairs").child(&miss.id);
            let twins = twins(&record.item, claim.fact, seed, &mut machine)?;
            if !twins.is_empty() {
                found.insert(miss.lineage);
            }
            let is_known = |twin: &Twin| {
                let is_it = |pair: &Pair| pair.claim == claim.what && pair.of == miss.id && pair.role == twin.role;
                known.iter().any(|pair| is_it(pair) && pair.manner == Some(twin.manner))
            };
            open.extend(twins.into_iter().filter(|twin| !is_known(twin)).map(|twin| Open {
                claim,
                of: &miss.id,
                twin,
            }));
        }
    }
    Ok(open)
}

/// Asks the twins and keeps each answer as it comes.
pub(super) async fn ask(dir: &RunDir, open: &[Open<'_>], examiner: &Examiner) -> Result<(), Failure> {
    let mut lines = JsonLines::open(&dir.pairs())?;
    let twins: Vec<Twin> = open.iter().map(|open| open.twin.clone()).collect();
    let (_sender, stop) = budget::listen();
    let keep = |at: usize, answer, _| {
        let Open { claim, of, twin } = &open[at];
        let record = Record::beside(Purpose::Pair, twin.draft.item.clone(), answer);
        let (claim, of) = (claim.what.clone(), (*of).to_owned());
        let (role, manner, change) = (twin.role, Some(twin.manner), twin.change.clone());
        Ok(lines.append(&Pair { claim, of, role, manner, change, record })?)
    };
    let ended = pairs::ask(&twins, examiner, stop, keep).await.map_err(|error| match &error {
        PairsError::Disagreement { draft, .. } => disagreement(&error, draft, dir),
        _ => error.into(),
    })?;
    match ended {
        Ended::Complete => Ok(()),
        Ended::Stopped => signals::ended_early("what was answered is kept; go on with the same command"),
        Ended::Outage { trouble, .. } => Err(Failure::Error(anyhow::anyhow!(
            "nobody answers any more: {trouble}; what was answered is kept, so ask again later, or write the page without \
             pairs: --pairs 0"
        ))),
        Ended::Formless(never) => Err(Failure::Error(anyhow::anyhow!("{never}"))),
        Ended::Fatal(error) => Err(error.into()),
    }
}
