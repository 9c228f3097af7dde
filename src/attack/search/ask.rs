//! Owns the asking side of an attack: questions of woven programs, held against wasmtime, asked and recorded.
//!
//! Must not know what is learned from the answers.

use super::pick::{WovenCandidate, WovenQuestion};
use super::{AttackError, Finish, Found, Search, State, seeds};
use crate::ask::exchange::{ExchangeError, ToAsk};
use crate::ask::pipeline::Clock;
use crate::attack::strategy::random::Random;
use crate::attack::strategy::{Strategy, Woven};
use crate::cause::profile::Profile;
use crate::item::make::{Draft, confirm_all};
use crate::item::record::{Answer, Item, Purpose, Record, SCHEMA_VERSION, Verdict};
use crate::item::task::place::Placement;
use crate::seed::Seed;
use crate::wasm::rerun::Execution;
use futures::stream;

/// One batch of questions of one purpose.
pub(super) struct Batch<'a> {
    purpose: Purpose,
    round: u32,
    asked: Vec<One<'a>>,
}

/// One of them.
#[derive(Clone)]
struct One<'a> {
    /// Its place in the round.
    index: u32,
    question: &'a WovenQuestion,
    /// The question's draft has no id of its own: which of many programs are asked is decided after they are made.
    id: String,
    chosen_by: String,
}

impl One<'_> {
    fn item(&self) -> Item {
        Item { id: self.id.clone(), ..self.question.draft.item.clone() }
    }
}

impl<'a> Batch<'a> {
    /// Of questions, and who chose each; ids begin with `prefix`.
    pub(super) fn new(
        purpose: Purpose,
        round: u32,
        asked: impl Iterator<Item = (&'a WovenQuestion, String)>,
        prefix: &str,
    ) -> Self {
        let one = |(index, (question, chosen_by)): (u32, (&'a WovenQuestion, String))| One {
            index,
            question,
            id: format!("{prefix}-{index:04}"),
            chosen_by,
        };
        Self { purpose, round, asked: (0..).zip(asked).map(one).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.asked.len()
    }

    /// Those that were missed, the shortest first.
    fn missed(&self, answers: &[(u32, Answer)], most: usize) -> Self {
        let missed = answers.iter().filter(|(_, answer)| answer.verdict.is_miss());
        let mut asked: Vec<One<'a>> = missed.map(|(index, _)| self.asked[*index as usize].clone()).collect();
        asked.sort_by_key(|one| (one.question.draft.item.instructions, one.index));
        asked.truncate(most);
        Self { purpose: Purpose::Confirm, round: self.round, asked }
    }
}

impl Search {
    /// Makes the question about each program, where there is one.
    pub(super) fn candidates(&self, woven: Vec<Woven>, root: Seed, state: &mut State<'_>) -> Vec<WovenCandidate> {
        let make = |(at, woven): (usize, Woven)| {
            // The same stream as the program's own.
            let mut rng = root.indexed("program", at as u64).child("probe").rng();
            let placement = woven.place.map_or(Placement::Random(&mut rng), Placement::Part);
            let weaver = &woven.weaver;
            let asked = state.maker.make(weaver, String::new(), placement).map(|draft| {
                let (item, machine) = (&draft.item, &mut state.machine);
                let (program, entry, fuel_limit) = (weaver.program(), weaver.entry(), item.fuel);
                let execution = Execution { machine, program, entry, fuel_limit };
                let profile = Profile::new(execution, item.task, &item.probes);
                WovenQuestion { draft, profile }
            });
            WovenCandidate { woven, asked }
        };
        woven.into_iter().enumerate().map(make).collect()
    }

    /// Holds a batch against wasmtime.
    pub(super) fn confirm(&self, batch: &Batch<'_>, state: &State<'_>) -> Result<(), AttackError> {
        let drafts: Vec<&Draft> = batch.asked.iter().map(|one| &one.question.draft).collect();
        confirm_all(&drafts, &state.oracle).map_err(|(at, disagreement)| {
            let mut draft = Box::new(drafts[at].clone());
            draft.item.id.clone_from(&batch.asked[at].id);
            AttackError::Disagreement { draft, disagreement }
        })
    }

    /// Asks a batch and records each answer as it comes; the answers by index.
    pub(super) async fn ask(
        &self,
        batch: &Batch<'_>,
        state: &mut State<'_>,
    ) -> Result<(Vec<(u32, Answer)>, Finish), AttackError> {
        let epoch = u32::from(batch.purpose == Purpose::Confirm);
        let (mut known, mut open) = (Vec::new(), Vec::new());
        for (about, one) in batch.asked.iter().enumerate() {
            let item = &one.question.draft.item;
            match state.known.take((batch.purpose, batch.round, one.index), item)? {
                Some(answer) => known.push((about, answer)),
                None => open.push(Ok(ToAsk { item: item.clone(), epoch, about })),
            }
        }
        let mut answers = Vec::new();
        let State { exchange, sink, watch, found, .. } = state;
        for (at, answer) in known {
            let record = self.record(batch, at, answer, found);
            exchange.recall(&record.item, &record.answer);
            watch.answered(&record, exchange.budget().spent());
            answers.push((record.index, record.answer));
        }
        let budget = exchange.budget().clone();
        let on_answer = |at: usize, answer: Answer, clock: Clock| -> Result<(), AttackError> {
            let record = self.record(batch, at, answer, found);
            sink.record(&record, &clock.timing(&record))?;
            watch.answered(&record, budget.spent());
            answers.push((record.index, record.answer));
            Ok(())
        };
        let finish = exchange.ask(stream::iter(open), on_answer).await?;
        answers.sort_by_key(|(index, _)| *index);
        Ok((answers, finish))
    }

    /// What is kept of an answer.
    fn record(&self, batch: &Batch<'_>, at: usize, answer: Answer, found: &Found) -> Record {
        let (one, verdict) = (&batch.asked[at], answer.verdict);
        let paid = batch.purpose == Purpose::Attack;
        Record {
            schema: SCHEMA_VERSION,
            purpose: batch.purpose,
            model: None,
            round: batch.round,
            index: one.index,
            chosen_by: one.chosen_by.clone(),
            level: None,
            item: one.item(),
            reward: if paid { self.worth(one.question, &answer, found) } else { None },
            cell: verdict.is_finished_reply().then(|| one.question.cell(verdict).to_string()),
            answer,
        }
    }

    /// Asks the shortest misses of the round again.
    pub(super) async fn confirm_misses(
        &self,
        batch: &Batch<'_>,
        answers: &[(u32, Answer)],
        state: &mut State<'_>,
    ) -> Result<Finish, AttackError> {
        let again = batch.missed(answers, self.confirm_budget().min(state.left) as usize);
        state.left -= again.len() as u64;
        Ok(self.ask(&again, state).await?.1)
    }

    pub(super) async fn baseline_round(
        &self,
        random: &mut Random,
        round: u32,
        count: usize,
        state: &mut State<'_>,
    ) -> Result<Finish, AttackError> {
        let root = self.seed.child("baseline").indexed("round", round.into());
        let woven = random.weave(&seeds(root, count))?;
        let candidates = self.candidates(woven, root, state);
        let asked = candidates.iter().enumerate().filter_map(|(at, candidate)| {
            Some((candidate.asked.as_ref()?, format!("random/{}", Random::chance(at).name())))
        });
        let batch = Batch::new(Purpose::Baseline, round, asked, &format!("b{round:04}"));
        self.confirm(&batch, state)?;
        Ok(self.ask(&batch, state).await?.1)
    }
}

/// Notes whether the model has replied yet.
///
/// # Errors
/// A whole round met nothing but trouble, and no earlier one was answered either.
pub(super) fn heard(answers: &[(u32, Answer)], state: &mut State<'_>) -> Result<(), ExchangeError> {
    let trouble = |answer: &Answer| matches!(answer.verdict, Verdict::ProviderError | Verdict::Timeout);
    state.replied |= answers.iter().any(|(_, answer)| !trouble(answer));
    match answers.last() {
        Some((_, last)) if !state.replied => Err(ExchangeError::Outage {
            name: state.exchange.examiner().name.clone(),
            questions: answers.len(),
            trouble: last.error.clone().unwrap_or_else(|| last.verdict.to_string()),
        }),
        _ => Ok(()),
    }
}
