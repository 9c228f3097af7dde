//! Owns asking about programs that are being cut down: each text once, within the budget, and again to be sure.
//!
//! Must not know edits. Trouble of the provider decides nothing: what met it counts neither as missed nor as answered.

use super::{Finish, Size};
use crate::ask::exchange::{self, Exchange, ExchangeError, ToAsk};
use crate::ask::pipeline::Clock;
use crate::item::edit::UnreadableItem;
use crate::item::make::{Draft, confirm_all};
use crate::item::record::{Answer, Item, Purpose, Record};
use crate::wasm::oracle::{Disagreement, Oracle};
use futures::stream;
use std::collections::HashSet;

/// The first epoch of what is asked here: an attack has asked in 0, and confirmed in 1.
const EPOCH: u32 = 2;

/// Why shrinking ended early.
#[derive(Debug, thiserror::Error)]
pub enum ShrinkError {
    /// Its program cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableItem),
    /// There is no question in it.
    #[error("the program of item {id} does not come to the place that is asked about; was the file edited?")]
    Unlabelled {
        /// The item.
        id: String,
    },
    /// The machine and wasmtime disagree: a bug of ours.
    #[error("our machine and wasmtime disagree about a program cut out of {}: {disagreement}", draft.item.id)]
    Disagreement {
        /// The program.
        draft: Box<Draft>,
        /// What about.
        disagreement: Disagreement,
    },
    /// The model could not be asked on.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
}

/// What shrinking tells while it goes on.
pub trait Watch {
    /// A final answer came, after so many requests; 0 for a reply that was kept.
    fn answered(&mut self, record: &Record, attempts: u32);
    /// A smaller program was missed.
    fn smaller(&mut self, size: Size);
}

/// One program's questions.
pub(super) struct Asking<'a> {
    exchange: &'a mut Exchange,
    /// How often a smaller program must be missed again.
    confirm: u32,
    query_budget: u64,
    watch: &'a mut dyn Watch,
    oracle: Oracle,
    left: u64,
    stopped: bool,
    /// What met the last question, if no reply came.
    trouble: Option<String>,
    asked: HashSet<String>,
    /// What was missed at first, and the answer.
    missed: Vec<(String, Answer)>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(exchange: &'a mut Exchange, confirm: u32, query_budget: u64, watch: &'a mut dyn Watch) -> Self {
        Self {
            exchange,
            confirm,
            query_budget,
            watch,
            oracle: Oracle::new(),
            left: query_budget,
            stopped: false,
            trouble: None,
            asked: HashSet::new(),
            missed: Vec::new(),
        }
    }

    /// Requests spent.
    pub(super) fn spent(&self) -> u64 {
        self.query_budget - self.left
    }

    /// Whether it was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Why the last question has no reply, if it has none.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.clone()
    }

    /// Whether nothing more can be found out: one question and its confirmations are not left.
    pub(super) fn is_over(&self) -> bool {
        self.stopped || self.left <= u64::from(self.confirm)
    }

    pub(super) fn finish(&self) -> Finish {
        match self.is_over() {
            _ if self.stopped => Finish::Stopped,
            true => Finish::Budget,
            false => Finish::Smallest,
        }
    }

    /// Whether this text was asked.
    pub(super) fn knows(&self, draft: &Draft) -> bool {
        self.asked.contains(&draft.item.program)
    }

    /// Tells that a smaller program was found.
    pub(super) fn smaller(&mut self, size: Size) {
        self.watch.smaller(size);
    }

    /// Asks about a program, and again; its answer and how often of how often it was missed, if it was every time.
    pub(super) async fn is_missed(&mut self, draft: &Draft) -> Result<Option<(Answer, (u32, u32))>, ShrinkError> {
        if self.first(&[draft]).await?.is_empty() { Ok(None) } else { self.again(draft).await }
    }

    /// Asks about programs for the first time; which of them were missed. Room for confirming one is kept.
    pub(super) async fn first(&mut self, drafts: &[&Draft]) -> Result<Vec<usize>, ShrinkError> {
        let room = self.left.saturating_sub(u64::from(self.confirm)) as usize;
        let drafts = &drafts[..drafts.len().min(room)];
        confirm_all(drafts, &self.oracle).map_err(|(at, disagreement)| ShrinkError::Disagreement {
            draft: Box::new(drafts[at].clone()),
            disagreement,
        })?;
        let questions: Vec<(&Draft, u32)> = drafts.iter().map(|draft| (*draft, EPOCH)).collect();
        let answers = self.ask(&questions).await?;
        self.asked.extend(drafts.iter().map(|draft| draft.item.program.clone()));
        let mut missed = Vec::new();
        for (at, answer) in answers.into_iter().filter(|(_, answer)| answer.verdict.is_miss()) {
            self.missed.push((drafts[at].item.program.clone(), answer));
            missed.push(at);
        }
        Ok(missed)
    }

    /// Asks again about a program that was missed; as [`Asking::is_missed`].
    pub(super) async fn again(&mut self, draft: &Draft) -> Result<Option<(Answer, (u32, u32))>, ShrinkError> {
        let times = self.confirm;
        if self.left < u64::from(times) {
            return Ok(None);
        }
        let questions: Vec<(&Draft, u32)> = (1..=times).map(|again| (draft, EPOCH + again)).collect();
        let answers = self.ask(&questions).await?;
        let hits = answers.iter().filter(|(_, answer)| answer.verdict.is_miss()).count() as u32;
        let first = self.missed.iter().find(|(text, _)| *text == draft.item.program);
        let first = first.map(|(_, answer)| answer.clone()).filter(|_| hits == times);
        Ok(first.map(|answer| (answer, (1 + hits, 1 + times))))
    }

    /// The answers, by the number of their question, in this order.
    async fn ask(&mut self, questions: &[(&Draft, u32)]) -> Result<Vec<(usize, Answer)>, ShrinkError> {
        let Self { exchange, watch, .. } = self;
        let mut answers = Vec::new();
        let on_answer = |at: usize, answer: Answer, clock: Clock| -> Result<(), ShrinkError> {
            watch.answered(&record(questions[at].0.item.clone(), answer.clone()), clock.attempts);
            answers.push((at, answer));
            Ok(())
        };
        let asked = questions
            .iter()
            .enumerate()
            .map(|(about, &(draft, epoch))| Ok(ToAsk { item: draft.item.clone(), epoch, about }));
        let finish = exchange.ask(stream::iter(asked), on_answer).await;
        // What was not asked any more, since it was told to stop, is not spent.
        self.left -= answers.len() as u64;
        self.stopped |= finish? == exchange::Finish::Stopped;
        answers.sort_by_key(|(at, _)| *at);
        let last = answers.last().map(|(_, answer)| answer).filter(|answer| !answer.verdict.is_reply());
        self.trouble = last.map(|answer| answer.error.clone().unwrap_or_else(|| answer.verdict.to_string()));
        Ok(answers)
    }
}

/// What is kept of a program and its answer.
pub(super) fn record(item: Item, answer: Answer) -> Record {
    Record::beside(Purpose::Shrink, item, answer)
}
