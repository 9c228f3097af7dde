//! Owns asking the minimal pairs of a report: the twins of some misses of each claim.
//!
//! Must not know how twins are made, nor what they show.

use crate::ask::exchange::{Exchange, Finish};
use crate::attack::pairs::{self, PairsError};
use crate::cause::twin::{Twin, twins};
use crate::item::record::{Item, Purpose, Record};
use crate::job::connect::Connection;
use crate::job::disagreement::disagreement;
use crate::job::error::JobError;
use crate::job::events::{Event, Stage, Waiting};
use crate::job::setting::Setting;
use crate::report::weakness::{Claim, Weaknesses};
use crate::run::dir::RunDir;
use crate::run::jsonl::JsonLines;
use crate::run::pairs::Pair;
use crate::seed::Seed;
use crate::wasm::machine::Machine;
use std::collections::{HashMap, HashSet};

/// How to go on when the model does not answer.
const TODO: &str = "what was answered is kept, so ask again later, or write the page without pairs: --pairs 0";

/// A twin that is to be asked, of which item, and for which claim.
pub(super) struct Open<'a> {
    claim: &'a Claim,
    of: &'a str,
    twin: Twin,
}

impl Open<'_> {
    /// The question.
    pub(super) fn item(&self) -> &Item {
        &self.twin.draft.item
    }
}

/// The twins of so many misses of each claim, each of another lineage, without those whose answers are known.
pub(super) fn open_twins<'a>(
    weaknesses: &'a Weaknesses,
    records: &'a [Record],
    known: &[Pair],
    wanted: usize,
    seed: u64,
) -> Result<Vec<Open<'a>>, JobError> {
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

/// Asks the twins and keeps each answer as it comes; whether it was stopped.
pub(super) async fn ask(
    dir: &RunDir,
    open: &[Open<'_>],
    exchange: &mut Exchange,
    connection: &Connection,
    setting: &Setting<'_>,
) -> Result<bool, JobError> {
    let name = &exchange.examiner().name;
    setting.note(&format!("asking {} minimal pairs of {name}", open.len().div_ceil(2)));
    let mut lines = JsonLines::open(&dir.pairs())?;
    let twins: Vec<Twin> = open.iter().map(|open| open.twin.clone()).collect();
    let budget = exchange.budget().clone();
    let keep = |at: usize, answer| {
        let Open { claim, of, twin } = &open[at];
        let record = Record::beside(Purpose::Pair, twin.draft.item.clone(), answer);
        setting.events.tell(Event::Answered { record: &record, spent: budget.spent() });
        let (claim, of) = (claim.what.clone(), (*of).to_owned());
        let (role, manner, change) = (twin.role, Some(twin.manner), twin.change.clone());
        Ok(lines.append(&Pair { claim, of, role, manner, change, record })?)
    };
    setting.events.tell(Event::Began(&Stage::Pairs { questions: open.len() as u64 }));
    let waiting = Waiting::begin(setting.events.clone(), connection.meter.iter().cloned().collect(), || None);
    let ended = pairs::ask(&twins, exchange, keep).await;
    drop(waiting);
    setting.events.tell(Event::Ended);
    match ended {
        Ok(finish) => Ok(finish == Finish::Stopped),
        Err(PairsError::Exchange(error)) => Err(JobError::exchange(error, TODO)),
        Err(PairsError::Sink(error)) => Err(error.into()),
        Err(ref error @ PairsError::Disagreement { ref draft, .. }) => Err(disagreement(error, draft, dir)),
    }
}
