//! Owns the attack: rounds of weaving, confirming, asking, paying and learning, within a budget of queries.
//!
//! Must not know how records are stored ([`RecordSink`]), how progress is shown ([`Watch`]), or which model answers.

use super::strategy::Strategy;
use super::strategy::random::Random;
use crate::ask::chat::{ChatError, ChatModel, ChatRequest, Params};
use crate::ask::limits::Limits;
use crate::ask::pipeline::{Clock, Ended, Question, StopSignal, ask_all};
use crate::ask::prompt::{Prompt, PromptError};
use crate::item::make::{Draft, Maker, confirm_all};
use crate::item::record::{Answer, Purpose, Record, RecordSink, SCHEMA_VERSION, SinkError, Verdict};
use crate::learn;
use crate::learn::ppo::UpdateMetrics;
use crate::learn::reward::RewardConfig;
use crate::seed::Seed;
use crate::wasm::oracle::{Disagreement, Oracle};
use crate::weave::weaver::{Loom, Weaver};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;

/// How an attack spends its budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttackConfig {
    /// Programs asked about in one round; the policy is updated after each.
    pub batch: u32,
    /// The share of a round's queries that may be spent on asking misses again.
    pub confirm: f64,
}

impl Default for AttackConfig {
    fn default() -> Self {
        Self { batch: 32, confirm: 0.1 }
    }
}

/// Rounds without a single question, one after the other, that end an attack.
const FRUITLESS_ROUNDS: u32 = 200;

/// Everything that an attack needs.
pub struct Search {
    /// Settings of the programs.
    pub loom: Arc<Loom>,
    /// Who asks about them.
    pub maker: Maker,
    /// How misses are paid.
    pub reward: RewardConfig,
    /// How the budget is spent.
    pub config: AttackConfig,
    /// Who chooses the programs.
    pub strategy: Box<dyn Strategy>,
    /// Whether a random baseline is asked beside it.
    pub baseline: bool,
    /// How questions are put.
    pub prompt: Prompt,
    /// Who is asked.
    pub model: Arc<dyn ChatModel>,
    /// The model's id, as requests name it.
    pub model_id: String,
    /// Sampling parameters.
    pub params: Params,
    /// Limits of asking.
    pub limits: Limits,
    /// Root of every random draw.
    pub seed: Seed,
    /// Requests at most, confirmations included, the baseline's not.
    pub query_budget: u64,
}

/// What an attack tells while it runs.
pub trait Watch {
    /// A final answer came.
    fn answered(&mut self, record: &Record);
    /// The policy was updated.
    fn updated(&mut self, round: u32, metrics: &UpdateMetrics) -> Result<(), SinkError>;
}

/// Why an attack ended early.
#[derive(Debug, thiserror::Error)]
pub enum AttackError {
    /// The machine and wasmtime disagree: a bug of ours, and no score.
    #[error("our machine and wasmtime disagree about program {}: {disagreement}", draft.item.id)]
    Disagreement {
        /// The item.
        draft: Box<Draft>,
        /// What about.
        disagreement: Disagreement,
    },
    /// A record could not be kept.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The prompt does not render.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// Asking on makes no sense.
    #[error(transparent)]
    Model(ChatError),
    /// Not one reply came: nothing that follows would be different.
    #[error("not one of {asked} questions was answered; the last trouble: {trouble}")]
    NobodyAnswers {
        /// Questions asked.
        asked: usize,
        /// What the provider said last.
        trouble: String,
    },
    /// The tensor library failed.
    #[error("the learner failed: {0}")]
    Learner(#[from] learn::Error),
}

/// Whether the budget was spent or somebody stopped the attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The budget is spent.
    Complete,
    /// It was told to stop.
    Stopped,
}

/// One batch of questions of one purpose.
struct Batch<'a> {
    purpose: Purpose,
    round: u32,
    /// What is asked; the position in the round is the index of a record.
    drafts: Vec<(u32, &'a Draft)>,
    chosen_by: &'a dyn Fn(u32) -> String,
}

/// State over the rounds.
struct State<'a> {
    sink: &'a mut dyn RecordSink,
    watch: &'a mut dyn Watch,
    stop: StopSignal,
    oracle: Oracle,
    maker: Maker,
    /// Canonical forms missed so far.
    missed: HashSet<String>,
    /// Whether the model has ever replied.
    replied: bool,
}

impl Search {
    /// Attacks until the budget is spent.
    ///
    /// # Errors
    /// See [`AttackError`]; what was recorded before stays.
    pub async fn run(
        &mut self,
        sink: &mut dyn RecordSink,
        watch: &mut dyn Watch,
        stop: StopSignal,
    ) -> Result<Finish, AttackError> {
        let mut state = State {
            sink,
            watch,
            stop,
            oracle: Oracle::new(),
            maker: self.maker.clone(),
            missed: HashSet::new(),
            replied: false,
        };
        let (mut left, mut fruitless) = (self.query_budget, 0);
        let mut random = Random::new(self.loom.clone());
        for round in 0.. {
            if left == 0 {
                break;
            }
            let reserve = self.confirm_budget().min(left - 1);
            let count = u64::from(self.config.batch).min(left - reserve);
            let (asked, finish) = self.round(round, count as u32, left, &mut state).await?;
            left -= asked;
            // A policy that weaves nothing worth asking about must not go on for ever.
            fruitless = if asked == 0 { fruitless + 1 } else { 0 };
            if fruitless == FRUITLESS_ROUNDS {
                break;
            }
            if finish == Finish::Stopped {
                return Ok(finish);
            }
            if self.baseline
                && self.baseline_round(&mut random, round, count as u32, &mut state).await? == Finish::Stopped
            {
                return Ok(Finish::Stopped);
            }
        }
        Ok(Finish::Complete)
    }

    /// Queries of a round that may go to asking misses again.
    fn confirm_budget(&self) -> u64 {
        (f64::from(self.config.batch) * self.config.confirm) as u64
    }

    /// Weaves, asks, pays and learns once; the queries spent, of those that were left.
    async fn round(
        &mut self,
        round: u32,
        count: u32,
        left: u64,
        state: &mut State<'_>,
    ) -> Result<(u64, Finish), AttackError> {
        let seeds = seeds(self.seed.child("attack"), round, count);
        let woven = self.strategy.weave(&seeds)?;
        let drafts = self.drafts(&woven, "a", round, &seeds, state)?;
        let name = self.strategy.name();
        let batch = Batch {
            purpose: Purpose::Attack,
            round,
            drafts: drafts.iter().enumerate().filter_map(|(at, draft)| Some((at as u32, draft.as_ref()?))).collect(),
            chosen_by: &|_| name.clone(),
        };
        let asked = batch.drafts.len() as u64;
        let (answers, finish) = self.ask(batch, state).await?;
        heard(&answers, &mut state.replied)?;
        let rewards = self.pay(&drafts, &answers, state);
        if finish == Finish::Stopped {
            return Ok((asked, finish));
        }
        if let Some(metrics) = self.strategy.learn(&rewards)? {
            state.watch.updated(round, &metrics)?;
        }
        let (confirmed, finish) = self.confirm_misses(round, left - asked, &drafts, &answers, state).await?;
        Ok((asked + confirmed, finish))
    }

    /// Turns programs into questions that wasmtime agrees with; `None` where there is nothing to ask.
    fn drafts(
        &self,
        woven: &[Weaver],
        prefix: &str,
        round: u32,
        seeds: &[Seed],
        state: &mut State<'_>,
    ) -> Result<Vec<Option<Draft>>, AttackError> {
        let make = |(at, (weaver, seed)): (usize, (&Weaver, &Seed))| {
            state.maker.make(weaver, format!("{prefix}{round:04}-{at:04}"), &mut seed.child("probe").rng())
        };
        let drafts: Vec<Option<Draft>> = woven.iter().zip(seeds).enumerate().map(make).collect();
        let present: Vec<&Draft> = drafts.iter().flatten().collect();
        confirm_all(&present, &state.oracle).map_err(|(at, disagreement)| AttackError::Disagreement {
            draft: Box::new(present[at].clone()),
            disagreement,
        })?;
        Ok(drafts)
    }

    /// Asks a batch and records each answer as it comes; the answers by index.
    async fn ask(&self, batch: Batch<'_>, state: &mut State<'_>) -> Result<(Vec<(u32, Answer)>, Finish), AttackError> {
        let seed = u64::from(batch.purpose == Purpose::Confirm);
        let params = Params { seed: self.params.seed.map(|given| given + seed), ..self.params.clone() };
        let question = |(_, draft): &(u32, &Draft)| {
            let messages = self.prompt.render(&draft.item)?;
            let request = ChatRequest { model: self.model_id.clone(), messages, params: params.clone() };
            Ok(Question { request, truth: draft.item.truth.clone() })
        };
        let questions = batch.drafts.iter().map(question).collect::<Result<Vec<Question>, PromptError>>()?;
        let mut answers = Vec::new();
        let (sink, watch, missed) = (&mut *state.sink, &mut *state.watch, &state.missed);
        let paid = batch.purpose == Purpose::Attack;
        let on_answer = |at: usize, answer: Answer, clock: Clock| -> Result<(), SinkError> {
            let (index, draft) = batch.drafts[at];
            let record = Record {
                schema: SCHEMA_VERSION,
                purpose: batch.purpose,
                round: batch.round,
                index,
                chosen_by: (batch.chosen_by)(index),
                item: draft.item.clone(),
                reward: if paid { self.worth(draft, &answer, missed) } else { None },
                answer,
            };
            sink.record(&record, &clock.timing(&record))?;
            watch.answered(&record);
            answers.push((index, record.answer));
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

    /// What each program of the round was worth, in the order in which it was woven.
    fn pay(&self, drafts: &[Option<Draft>], answers: &[(u32, Answer)], state: &mut State<'_>) -> Vec<Option<f32>> {
        // A program with nothing to ask about is worth nothing.
        let mut rewards: Vec<Option<f32>> = drafts.iter().map(|draft| draft.is_none().then_some(0.0)).collect();
        let answered: Vec<(usize, &Draft, &Answer)> = answers
            .iter()
            .filter_map(|(index, answer)| Some((*index as usize, drafts[*index as usize].as_ref()?, answer)))
            .collect();
        for &(at, draft, answer) in &answered {
            rewards[at] = self.worth(draft, answer, &state.missed);
        }
        let misses = answered.iter().filter(|(.., answer)| answer.verdict.is_miss());
        state.missed.extend(misses.map(|(_, draft, _)| draft.item.canonical.clone()));
        rewards
    }

    /// What an answer pays; `None` where no finished reply was read, since nothing can be learned of it. `missed` holds
    /// what was missed in earlier rounds, so that the order in which answers come makes no difference.
    fn worth(&self, draft: &Draft, answer: &Answer, missed: &HashSet<String>) -> Option<f32> {
        let wrong = if answer.verdict.is_miss() { answer.wrong_share? } else { 0.0 };
        answer.verdict.answered().then(|| self.reward.pay(wrong, missed.contains(&draft.item.canonical)))
    }

    /// Asks the shortest misses of the round again.
    async fn confirm_misses(
        &self,
        round: u32,
        left: u64,
        drafts: &[Option<Draft>],
        answers: &[(u32, Answer)],
        state: &mut State<'_>,
    ) -> Result<(u64, Finish), AttackError> {
        let budget = self.confirm_budget().min(left) as usize;
        let mut missed: Vec<(u32, &Draft)> = answers
            .iter()
            .filter(|(_, answer)| answer.verdict.is_miss())
            .filter_map(|(index, _)| Some((*index, drafts[*index as usize].as_ref()?)))
            .collect();
        missed.sort_by_key(|(index, draft)| (draft.item.instructions, *index));
        missed.truncate(budget);
        let count = missed.len() as u64;
        let name = self.strategy.name();
        let batch = Batch { purpose: Purpose::Confirm, round, drafts: missed, chosen_by: &|_| name.clone() };
        let (_, finish) = self.ask(batch, state).await?;
        Ok((count, finish))
    }

    async fn baseline_round(
        &self,
        random: &mut Random,
        round: u32,
        count: u32,
        state: &mut State<'_>,
    ) -> Result<Finish, AttackError> {
        let seeds = seeds(self.seed.child("baseline"), round, count);
        let woven = random.weave(&seeds)?;
        let drafts = self.drafts(&woven, "b", round, &seeds, state)?;
        let batch = Batch {
            purpose: Purpose::Baseline,
            round,
            drafts: drafts.iter().enumerate().filter_map(|(at, draft)| Some((at as u32, draft.as_ref()?))).collect(),
            chosen_by: &|at| format!("random/{}", Random::chance(at as usize).name()),
        };
        Ok(self.ask(batch, state).await?.1)
    }
}

/// Notes whether anybody has replied yet.
///
/// # Errors
/// A whole round met nothing but trouble, and no earlier one was answered either.
fn heard(answers: &[(u32, Answer)], replied: &mut bool) -> Result<(), AttackError> {
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

/// The seeds of the programs of a round.
fn seeds(root: Seed, round: u32, count: u32) -> Vec<Seed> {
    let round = root.indexed("round", round.into());
    (0..count).map(|at| round.indexed("program", at.into())).collect()
}
