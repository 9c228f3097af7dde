//! Owns the asking side of an attack: questions of woven programs, held against wasmtime, asked and recorded.
//!
//! Must not know what is learned from the answers.

use super::pick::{Candidate, Question};
use super::{AttackError, Finish, Search, State, seeds};
use crate::ask::chat::{ChatRequest, Params};
use crate::ask::pipeline::{Clock, Ended, Question as Asked, ask_all};
use crate::ask::prompt::PromptError;
use crate::attack::profile::Profile;
use crate::attack::strategy::Strategy;
use crate::attack::strategy::random::Random;
use crate::item::make::{Draft, confirm_all};
use crate::item::record::{Answer, Item, Purpose, Record, SCHEMA_VERSION, SinkError, Verdict};
use crate::seed::Seed;
use crate::weave::weaver::Weaver;

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
    question: &'a Question,
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
        asked: impl Iterator<Item = (&'a Question, String)>,
        prefix: &str,
    ) -> Self {
        let one = |(index, (question, chosen_by)): (u32, (&'a Question, String))| One {
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
    pub(super) fn candidates(&self, woven: Vec<Weaver>, root: Seed, state: &mut State<'_>) -> Vec<Candidate> {
        let make = |(at, weaver): (usize, Weaver)| {
            // The same stream as the program's own.
            let mut rng = root.indexed("program", at as u64).child("probe").rng();
            let asked = state.maker.make(&weaver, String::new(), &mut rng).map(|draft| {
                let (item, run) = (&draft.item, (weaver.program(), weaver.entry()));
                let profile = Profile::new(&mut state.machine, run, (item.task, &item.probes), item.fuel);
                Question { draft, profile }
            });
            Candidate { weaver, asked }
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
        let seed = u64::from(batch.purpose == Purpose::Confirm);
        let params = Params { seed: self.params.seed.map(|given| given + seed), ..self.params.clone() };
        let question = |one: &One<'_>| {
            let item = &one.question.draft.item;
            let messages = self.prompt.render(item)?;
            let request = ChatRequest { model: self.model_id.clone(), messages, params: params.clone() };
            Ok(Asked { request, truth: item.truth.clone(), strictness: self.strictness })
        };
        let questions = batch.asked.iter().map(question).collect::<Result<Vec<Asked>, PromptError>>()?;
        let mut answers = Vec::new();
        let (sink, watch, found) = (&mut *state.sink, &mut *state.watch, &state.found);
        let paid = batch.purpose == Purpose::Attack;
        let on_answer = |at: usize, answer: Answer, clock: Clock| -> Result<(), SinkError> {
            let one = &batch.asked[at];
            let verdict = answer.verdict;
            let record = Record {
                schema: SCHEMA_VERSION,
                purpose: batch.purpose,
                round: batch.round,
                index: one.index,
                chosen_by: one.chosen_by.clone(),
                item: one.item(),
                reward: if paid { self.worth(one.question, &answer, found) } else { None },
                cell: verdict.is_finished_reply().then(|| one.question.cell(verdict).to_string()),
                answer,
            };
            sink.record(&record, &clock.timing(&record))?;
            watch.answered(&record);
            answers.push((one.index, record.answer));
            Ok(())
        };
        let ended = ask_all(self.model.clone(), questions, &self.limits, state.stop.clone(), on_answer).await?;
        answers.sort_by_key(|(index, _)| *index);
        match ended {
            Ended::Complete => Ok((answers, Finish::Complete)),
            Ended::Stopped => Ok((answers, Finish::Stopped)),
            Ended::Fatal(error) => Err(AttackError::Model(error)),
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

/// Notes whether anybody has replied yet.
///
/// # Errors
/// A whole round met nothing but trouble, and no earlier one was answered either.
pub(super) fn heard(answers: &[(u32, Answer)], replied: &mut bool) -> Result<(), AttackError> {
    let trouble = |answer: &Answer| matches!(answer.verdict, Verdict::ProviderError | Verdict::Timeout);
    *replied |= answers.iter().any(|(_, answer)| !trouble(answer));
    match answers.last() {
        Some((_, last)) if !*replied => Err(AttackError::NobodyAnswers {
            asked: answers.len(),
            trouble: last.error.clone().unwrap_or_else(|| last.verdict.to_string()),
        }),
        _ => Ok(()),
    }
}
