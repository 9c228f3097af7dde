//! Owns asking many questions at once: bounded, each to its final answer, delivered as they come.
//!
//! Must not know what the answers are used for, nor how a model is reached. A provider's trouble becomes a verdict of its
//! own; trouble that every question would meet (no key, no such model, no credit) ends the asking instead.

use super::chat::{ChatError, ChatErrorKind, ChatModel, ChatReply, ChatRequest};
use super::judge::judge;
use super::limits::Limits;
use crate::item::record::{Answer, Record, Timing, Truth, Verdict};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// One question: what to send, and the truth to judge the reply by.
#[derive(Clone, Debug)]
pub struct Question {
    /// The request.
    pub request: ChatRequest,
    /// The exact answer.
    pub truth: Truth,
}

/// What depends on the clock about one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// From the first attempt to the final answer, milliseconds.
    pub latency_ms: u64,
    /// Requests sent, retries included.
    pub attempts: u32,
}

impl Clock {
    /// The timing line that goes with a record.
    pub fn timing(self, record: &Record) -> Timing {
        Timing {
            id: record.item.id.clone(),
            purpose: record.purpose,
            round: record.round,
            index: record.index,
            latency_ms: self.latency_ms,
            attempts: self.attempts,
        }
    }
}

/// How a run of questions is told to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    #[default]
    Go,
    /// Ask nothing new; wait for what is in flight, one attempt's time at most.
    Finish,
    /// Drop what is in flight, too. Dropped questions have no answer, so that a resumed run asks them again.
    Now,
}

/// Why the asking ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Every question has its answer.
    Complete,
    /// It was told to.
    Stopped,
    /// Every further question would have met the same trouble. Those in flight have their answers.
    Fatal(ChatError),
}

/// Asks all questions, at most `limits.max_connections` at once, and hands each answer to `on_answer` as it comes, with
/// the question's index. Exactly one answer for each, unless it ends early. An error of `on_answer` (say, a full disk)
/// ends it at once.
///
/// # Errors
/// Only those of `on_answer`.
pub async fn ask_all<E>(
    model: Arc<dyn ChatModel>,
    questions: Vec<Question>,
    limits: &Limits,
    mut stop: watch::Receiver<Stop>,
    mut on_answer: impl FnMut(usize, Answer, Clock) -> Result<(), E>,
) -> Result<Ended, E> {
    let mut waiting = questions.into_iter().enumerate();
    let mut flying = JoinSet::new();
    let mut ended = Ended::Complete;
    loop {
        if *stop.borrow() != Stop::Go && ended == Ended::Complete && waiting.len() > 0 {
            ended = Ended::Stopped;
        }
        while ended == Ended::Complete && flying.len() < limits.max_connections.max(1) {
            let Some((index, question)) = waiting.next() else { break };
            let model = model.clone();
            flying.spawn(async move { (index, ask_one(&*model, &question).await) });
        }
        let landed = tokio::select! {
            biased;
            landed = flying.join_next() => landed,
            () = dropped(&mut stop, limits.attempt_timeout) => return Ok(Ended::Stopped),
            () = told(&mut stop, ended == Ended::Complete) => continue,
        };
        match landed {
            None => return Ok(ended),
            Some(Err(failed)) => std::panic::resume_unwind(failed.into_panic()),
            Some(Ok((index, (answer, clock, fatal)))) => {
                on_answer(index, answer, clock)?;
                if let Some(error) = fatal {
                    ended = Ended::Fatal(error);
                }
            }
        }
    }
}

async fn ask_one(model: &dyn ChatModel, question: &Question) -> (Answer, Clock, Option<ChatError>) {
    let start = Instant::now();
    let outcome = model.ask(&question.request).await;
    let latency_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(reply) => {
            let attempts = reply.attempts;
            (answered(reply, &question.truth), Clock { latency_ms, attempts }, None)
        }
        Err(error) => {
            let clock = Clock { latency_ms, attempts: error.attempts };
            (unanswered(&error), clock, error.is_fatal().then_some(error))
        }
    }
}

fn answered(reply: ChatReply, truth: &Truth) -> Answer {
    let judged = judge(&reply, truth);
    Answer {
        verdict: judged.verdict,
        slots: judged.slots,
        wrong_share: judged.wrong_share,
        reply: reply.content,
        finish_reason: reply.finish_reason,
        refusal: reply.refusal,
        reasoning: reply.reasoning,
        model_returned: reply.model,
        usage: reply.usage,
        error: None,
    }
}

fn unanswered(error: &ChatError) -> Answer {
    let verdict = if error.kind == ChatErrorKind::Timeout { Verdict::Timeout } else { Verdict::ProviderError };
    Answer { error: Some(error.message.clone()), ..Answer::of(verdict) }
}
