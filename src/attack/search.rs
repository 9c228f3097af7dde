//! Owns the attack: rounds of weaving, confirming, asking, paying and learning, within a budget of queries.
//!
//! Must not know how records are stored ([`RecordSink`]), how progress is shown ([`Watch`]), or which model answers.

mod ask;
mod error;
mod known;
mod pick;

pub use crate::ask::exchange::Finish;
pub use error::AttackError;
pub use known::Known;

use super::archive::Archive;
use super::cover::{self, Cover};
use super::predictor::Predictor;
use super::strategy::random::Random;
use super::strategy::{Strategy, Tried, Woven};
use crate::ask::exchange::Exchange;
use crate::item::make::Maker;
use crate::item::record::{Answer, Purpose, Record, RecordSink, SinkError, Verdict};
use crate::learn;
use crate::learn::ppo::UpdateMetrics;
use crate::learn::reward::{Miss, RewardConfig};
use crate::seed::Seed;
use crate::wasm::machine::Machine;
use crate::wasm::oracle::Oracle;
use crate::weave::weaver::Loom;
use ask::{Batch, heard};
use pick::{ChosenBy, Pick, WovenCandidate};
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
    /// The share of the budget that covers the space first, whatever has been missed so far. A strategy that does not
    /// learn has no use for it.
    pub cover: f64,
    /// With a predictor that is trusted: programs woven for one query at most. The rarer the strategy's own programs are
    /// missed, the more are woven, so that there is something to choose from.
    pub candidates: u32,
    /// With a predictor that is trusted: the share of the queries that it has no part in choosing, which measures it.
    pub unbiased: f64,
    /// With a predictor that is trusted: programs of a round that were not asked, and that the strategy learns from as
    /// if they had paid what is expected of them: imagined rollouts (Hafner et al. 2020, "Dream to Control").
    pub dreams: u32,
}

impl Default for AttackConfig {
    fn default() -> Self {
        Self { batch: 32, confirm: 0.1, cover: 0.2, candidates: 32, unbiased: 0.2, dreams: 32 }
    }
}

/// Misses that should be among the programs woven for one query.
const MISSED_CANDIDATES: f64 = 4.0;
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
    /// Who chooses the first of them, for a strategy that learns.
    pub cover: Cover,
    /// Who chooses among the strategy's programs, once it is trusted; `None` asks all that it weaves.
    pub predictor: Option<Predictor>,
    /// Whether a random baseline is asked beside it.
    pub baseline: bool,
    /// Root of every random draw.
    pub seed: Seed,
    /// Requests at most, confirmations included, the baseline's not.
    pub query_budget: u64,
    /// What was asked already, of an attack that goes on.
    pub known: Known,
}

/// What an attack tells while it runs.
pub trait Watch {
    /// A final answer came; so many dollars are spent.
    fn answered(&mut self, record: &Record, spent: f64);
    /// The strategy has learned from a round.
    fn learned(&mut self, metrics: &RoundMetrics) -> Result<(), SinkError>;
}

/// What a round came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RoundMetrics {
    /// The round, from 0.
    pub round: u32,
    /// Queries spent so far.
    pub queries: u64,
    /// Environment steps of the programs that the round wove.
    pub steps: usize,
    /// What the round's programs were paid on average, those that nothing is learned of left out.
    pub mean_reward: Option<f32>,
    /// Cells with a miss so far.
    pub cells: usize,
    /// The predictor's area under the ROC curve on queries that it did not choose; null where too few are known.
    pub predictor_auc: Option<f64>,
    /// Whether it chooses among the next programs; null without one.
    pub predictor_trusted: Option<bool>,
    /// The policy's update, where there was one.
    #[serde(flatten)]
    pub update: Option<UpdateMetrics>,
}

/// Who decides what is asked in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The cells that have no question yet.
    Covering,
    /// The predictor, among many programs of the strategy.
    Predicting,
    /// The strategy alone.
    Following,
}

/// State over the rounds.
struct State<'a> {
    exchange: &'a mut Exchange,
    sink: &'a mut dyn RecordSink,
    watch: &'a mut dyn Watch,
    oracle: Oracle,
    maker: Maker,
    machine: Machine,
    /// Queries left.
    left: u64,
    found: Found,
    /// Whether the model has ever replied.
    replied: bool,
    known: Known,
}

/// What was missed in earlier rounds: what a miss pays depends on it, and not on the order in which replies come.
#[derive(Default)]
struct Found {
    /// Canonical forms.
    forms: HashSet<String>,
    archive: Archive,
}

impl Search {
    /// Attacks the model of an exchange until the budget of queries is spent.
    ///
    /// # Errors
    /// See [`AttackError`]; what was recorded before stays.
    pub async fn run(
        &mut self,
        exchange: &mut Exchange,
        sink: &mut dyn RecordSink,
        watch: &mut dyn Watch,
    ) -> Result<Finish, AttackError> {
        let mut state = State {
            exchange,
            sink,
            watch,
            oracle: Oracle::new(),
            maker: self.maker.clone(),
            machine: Machine::default(),
            left: self.query_budget,
            found: Found::default(),
            replied: false,
            known: std::mem::take(&mut self.known),
        };
        let mut fruitless = 0;
        let mut random = Random::new(self.loom.clone());
        for round in 0.. {
            if state.left == 0 {
                break;
            }
            let before = state.left;
            let reserve = self.confirm_budget().min(state.left - 1);
            let count = u64::from(self.config.batch).min(state.left - reserve) as usize;
            let finish = self.round(round, count, &mut state).await?;
            // A policy that weaves nothing worth asking about must not go on for ever.
            fruitless = if state.left == before { fruitless + 1 } else { 0 };
            if fruitless == FRUITLESS_ROUNDS {
                break;
            }
            if finish == Finish::Stopped {
                return Ok(finish);
            }
            if self.baseline && self.baseline_round(&mut random, round, count, &mut state).await? == Finish::Stopped {
                return Ok(Finish::Stopped);
            }
        }
        Ok(Finish::Complete)
    }

    /// Queries of a round that may go to asking misses again.
    fn confirm_budget(&self) -> u64 {
        (f64::from(self.config.batch) * self.config.confirm) as u64
    }

    /// Covering is for the first share of the budget.
    fn phase(&self, state: &State<'_>) -> Phase {
        let spent = (self.query_budget - state.left) as f64;
        if self.strategy.learns() && spent < self.config.cover * self.query_budget as f64 {
            Phase::Covering
        } else if self.predictor.as_ref().is_some_and(Predictor::is_trusted) {
            Phase::Predicting
        } else {
            Phase::Following
        }
    }

    /// Weaves, asks, pays and learns once.
    async fn round(&mut self, round: u32, count: usize, state: &mut State<'_>) -> Result<Finish, AttackError> {
        let root = self.seed.child("attack").indexed("round", round.into());
        let phase = self.phase(state);
        let woven = match phase {
            Phase::Covering => self.covering(&seeds(root, count * cover::CANDIDATES)),
            Phase::Predicting => self.strategy.weave(&seeds(root, count * self.candidates_each()))?,
            Phase::Following => self.strategy.weave(&seeds(root, count))?,
        };
        let candidates = self.candidates(woven, root, state);
        let picks = self.pick(&candidates, count, phase, root, &state.found);
        let name = self.strategy.name();
        let asked = picks.iter().map(|pick| (candidates[pick.at].question(), pick.by.name(&name)));
        let batch = Batch::new(Purpose::Attack, round, asked, &format!("a{round:04}"));
        let queries = batch.len() as u64;
        self.confirm(&batch, state)?;
        let (answers, finish) = self.ask(&batch, state).await?;
        state.left -= queries;
        heard(&answers, state)?;
        let verdicts = self.pay(&picks, &candidates, &answers, state);
        if finish == Finish::Stopped {
            return Ok(finish);
        }
        let update = self.learn(&candidates, &picks, &verdicts, phase, state)?;
        let finish = self.confirm_misses(&batch, &answers, state).await?;
        let steps = candidates.iter().map(|candidate| candidate.woven.weaver.actions().len()).sum();
        self.tell(round, steps, &verdicts, update, state)?;
        Ok(finish)
    }

    /// Programs that cover the space, at places drawn for a strategy that would have chosen them.
    fn covering(&mut self, seeds: &[Seed]) -> Vec<Woven> {
        let parts = self.maker.places() as u32;
        let place = |seed: &Seed| (parts > 0).then(|| seed.child("place").rng().below(parts) as u8);
        let woven = self.cover.weave(seeds).into_iter().zip(seeds);
        woven.map(|(weaver, seed)| Woven { weaver, place: place(seed) }).collect()
    }

    /// Programs to weave for one query, for the predictor to choose one: so many that some would be missed.
    fn candidates_each(&self) -> usize {
        let share = self.predictor.as_ref().map_or(1.0, Predictor::share);
        let wanted = (MISSED_CANDIDATES / share).ceil() as usize;
        wanted.min(self.config.candidates as usize).max(1)
    }

    fn tell(
        &self,
        round: u32,
        steps: usize,
        verdicts: &[Option<Paid>],
        update: Option<UpdateMetrics>,
        state: &mut State<'_>,
    ) -> Result<(), SinkError> {
        let rewards: Vec<f32> = verdicts.iter().flatten().map(|paid| paid.reward).collect();
        let metrics = RoundMetrics {
            round,
            queries: self.query_budget - state.left,
            steps,
            mean_reward: (!rewards.is_empty()).then(|| rewards.iter().sum::<f32>() / rewards.len() as f32),
            cells: state.found.archive.filled(),
            predictor_auc: self.predictor.as_ref().and_then(Predictor::auc),
            predictor_trusted: self.predictor.as_ref().map(Predictor::is_trusted),
            update,
        };
        if self.strategy.learns() { state.watch.learned(&metrics) } else { Ok(()) }
    }

    /// Which of the candidates are asked.
    fn pick(
        &mut self,
        candidates: &[WovenCandidate],
        count: usize,
        phase: Phase,
        root: Seed,
        found: &Found,
    ) -> Vec<Pick> {
        if phase == Phase::Covering {
            let profiles: Vec<_> = candidates.iter().map(WovenCandidate::profile).collect();
            return Pick::all(self.cover.choose(&profiles), ChosenBy::Cover);
        }
        let askable = candidates.iter().enumerate().filter(|(_, candidate)| candidate.asked.is_some());
        match &self.predictor {
            Some(predictor) if phase == Phase::Predicting => {
                let worth = |candidate: &WovenCandidate| self.expected(candidate, found);
                let unbiased = (count as f64 * self.config.unbiased).ceil() as usize;
                pick::by_predictor(candidates, count, unbiased, predictor, worth, &mut root.child("picks").rng())
            }
            _ => Pick::all(askable.map(|(at, _)| at), ChosenBy::Strategy),
        }
    }

    /// What each pick was paid; `None` where no finished reply was read, since nothing can be learned of it.
    fn pay(
        &self,
        picks: &[Pick],
        candidates: &[WovenCandidate],
        answers: &[(u32, Answer)],
        state: &mut State<'_>,
    ) -> Vec<Option<Paid>> {
        let mut paid: Vec<Option<Paid>> = vec![None; picks.len()];
        for (index, answer) in answers {
            let at = *index as usize;
            let question = candidates[picks[at].at].question();
            let reward = self.worth(question, answer, &state.found);
            paid[at] = reward.map(|reward| Paid { reward, verdict: answer.verdict });
        }
        for (pick, _) in picks.iter().zip(&paid).filter(|(_, paid)| paid.is_some_and(|paid| paid.verdict.is_miss())) {
            let question = candidates[pick.at].question();
            state.found.forms.insert(question.draft.item.canonical.clone());
            state.found.archive.add(question.cell(Verdict::Wrong));
        }
        paid
    }

    /// What an answer pays; `None` where it was not read.
    fn worth(&self, question: &pick::WovenQuestion, answer: &Answer, found: &Found) -> Option<f32> {
        let wrong_share = if answer.verdict.is_miss() { answer.wrong_share? } else { 0.0 };
        answer.verdict.answered().then(|| self.reward.pay(question.miss(wrong_share, found)))
    }

    /// What a program would pay that is missed as a whole.
    fn expected(&self, candidate: &WovenCandidate, found: &Found) -> f32 {
        candidate.asked.as_ref().map_or(0.0, |question| self.reward.pay(question.miss(1.0, found)))
    }

    /// Lets predictor and strategy learn from a round.
    fn learn(
        &mut self,
        candidates: &[WovenCandidate],
        picks: &[Pick],
        paid: &[Option<Paid>],
        phase: Phase,
        state: &State<'_>,
    ) -> learn::Result<Option<UpdateMetrics>> {
        let mut real: Vec<Option<Paid>> = vec![None; candidates.len()];
        for (pick, paid) in picks.iter().zip(paid) {
            real[pick.at] = *paid;
            if let (Some(paid), Some(predictor)) = (paid, &mut self.predictor) {
                let profile = &candidates[pick.at].question().profile;
                predictor.hear(profile, paid.verdict.is_miss(), pick.by != ChosenBy::Predictor);
            }
        }
        if let Some(predictor) = &mut self.predictor {
            predictor.fit();
        }
        let picked: HashSet<usize> = picks.iter().map(|pick| pick.at).collect();
        let mut imagined = if phase == Phase::Predicting { self.config.dreams } else { 0 };
        let mut tried: Vec<Tried<'_>> = Vec::with_capacity(candidates.len());
        for (at, candidate) in candidates.iter().enumerate() {
            let unknown = Tried { woven: &candidate.woven, reward: None, cell: None, real: true };
            tried.push(match (&candidate.asked, real[at]) {
                (Some(question), Some(paid)) => {
                    Tried { reward: Some(paid.reward), cell: Some(question.cell(paid.verdict)), ..unknown }
                }
                // No finished reply, or not chosen to cover anything.
                _ if picked.contains(&at) || phase == Phase::Covering => unknown,
                _ if phase == Phase::Predicting && imagined == 0 => unknown,
                (asked, _) => {
                    imagined = imagined.saturating_sub(1);
                    let likely = match (asked, &self.predictor) {
                        (Some(question), Some(predictor)) => predictor.chance(&question.profile),
                        _ => 0.0,
                    };
                    // A program with nothing to ask about is worth nothing, and that is certain.
                    let reward = Some(likely * self.expected(candidate, &state.found));
                    Tried { reward, real: asked.is_none(), ..unknown }
                }
            });
        }
        self.strategy.learn(&tried)
    }
}

/// What a pick came to.
#[derive(Clone, Copy, Debug)]
struct Paid {
    reward: f32,
    verdict: Verdict,
}

impl pick::WovenQuestion {
    /// A miss of it, as its worth depends on what was missed before.
    fn miss(&self, wrong_share: f32, found: &Found) -> Miss {
        let repeated = found.forms.contains(&self.draft.item.canonical);
        Miss { wrong_share, repeated, known_of_cell: found.archive.found(self.cell(Verdict::Wrong)) }
    }
}

/// The seeds of the programs of a round.
fn seeds(round: Seed, count: usize) -> Vec<Seed> {
    (0..count).map(|at| round.indexed("program", at as u64)).collect()
}
