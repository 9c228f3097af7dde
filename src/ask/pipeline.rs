//! Owns asking many questions at once: bounded, each to its final answer, delivered as they come.
//!
//! Must not know what the answers are used for, nor how a model is reached. A provider's trouble becomes a verdict of its
//! own; trouble that every question would meet (no key, no such model, no credit) ends the asking instead.

use super::chat::{ChatError, ChatErrorKind, ChatModel, ChatReply, ChatRequest};
use super::form::{Form, NeverInForm};
use super::judge::thought::told;
use super::judge::{Strictness, judge_with};
use super::limits::Limits;
use super::stop::{Stop, StopSignal};
use crate::item::record::{Answer, Record, Timing, Truth, Verdict};
use futures::{FutureExt, Stream, StreamExt};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// One question: what to send, the truth to judge the reply by, and what the caller wants back with the answer.
#[derive(Clone, Debug)]
pub struct Query<T> {
    /// The request.
    pub request: ChatRequest,
    /// The exact answer.
    pub truth: Truth,
    /// The caller's own.
    pub about: T,
    /// How exactly the reply is held against it.
    pub strictness: Strictness,
}

impl Query<()> {
    /// The same, with what the caller wants back.
    pub fn about<T>(self, about: T) -> Query<T> {
        let Self { request, truth, strictness, .. } = self;
        Query { request, truth, strictness, about }
    }
}

/// What depends on the clock about one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// From the first attempt to the final answer, milliseconds.
    pub latency_ms: u64,
    /// Requests sent, retries included; 0 for a reply that was kept.
    pub attempts: u32,
}

impl Clock {
    /// The timing line that goes with a record.
    pub fn timing(self, record: &Record) -> Timing {
        Timing {
            id: record.item.id.clone(),
            model: record.model.clone(),
            purpose: record.purpose,
            round: record.round,
            index: record.index,
            latency_ms: self.latency_ms,
            attempts: self.attempts,
        }
    }
}

/// Why the asking ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Every question has its answer.
    Complete,
    /// It was told to, with questions left.
    Stopped,
    /// The model has ceased to answer: so many questions, one after the other, met trouble that passes elsewhere. They have no
    /// answer, so that a resumed run asks them again; to score them would be to score an outage.
    Outage {
        /// How many.
        questions: usize,
        /// The last trouble.
        trouble: String,
    },
    /// The model never answers in the form that was asked for; its first replies have their answers.
    Formless(NeverInForm),
    /// Every further question would have met this trouble. Those that met it have no answer, so that a resumed run asks
    /// them again; the others in flight have theirs.
    Fatal(ChatError),
}

/// Questions in trouble, without a reply to any other in between, that are an outage.
const OUTAGE: usize = 50;
/// The same where there are no more, and none was answered.
const SHORT_OUTAGE: usize = 8;

/// Answers that are not handed on before another question has a reply.
struct Held<T> {
    held: Vec<(T, Answer, Clock)>,
    replied: bool,
}

impl<T> Held<T> {
    /// Takes in an answer; what can be handed on now.
    fn take(&mut self, about: T, answer: Answer, clock: Clock) -> Vec<(T, Answer, Clock)> {
        let is_reply = answer.verdict.is_reply();
        self.replied |= is_reply;
        self.held.push((about, answer, clock));
        if is_reply { std::mem::take(&mut self.held) } else { Vec::new() }
    }

    /// Whether trouble that every question would meet is that of one question after all: a gateway forbids this one
    /// (403) and answers others.
    fn is_of_one(&self, error: &ChatError) -> bool {
        self.replied && error.status == Some(403)
    }

    /// The outage, if it is one.
    fn outage(&self, at_the_end: bool) -> Option<Ended> {
        let questions = self.held.len();
        let is_one = questions >= OUTAGE || (at_the_end && !self.replied && questions >= SHORT_OUTAGE);
        let trouble = self.held.last().and_then(|(_, answer, _)| answer.error.clone()).unwrap_or_default();
        is_one.then_some(Ended::Outage { questions, trouble })
    }
}

/// Asks all questions, at most `limits.max_connections` at once, and hands each answer to `on_answer` as it comes, with
/// what the question is about. Exactly one answer for each, unless it ends early. Questions are taken one by one as there
/// is room, so that there may be any number of them. An error of `on_answer` (say, a full disk) or in place of a question
/// ends it at once. A `stop` whose sender is gone never stops it.
///
/// # Errors
/// Only those of `on_answer` and `questions`.
pub async fn ask_all<T: Send + 'static, E>(
    model: Arc<dyn ChatModel>,
    questions: impl Iterator<Item = Result<Query<T>, E>>,
    limits: &Limits,
    stop: StopSignal,
    on_answer: impl FnMut(T, Answer, Clock) -> Result<(), E>,
) -> Result<Ended, E> {
    ask_as_they_come(model, futures::stream::iter(questions), limits, &mut Form::default(), stop, on_answer).await
}

/// The same of questions that are still being made: while the next one is not there, answers land. `form` is what is known of
/// the model's form from questions before.
///
/// # Errors
/// As [`ask_all`].
pub async fn ask_as_they_come<T: Send + 'static, E>(
    model: Arc<dyn ChatModel>,
    questions: impl Stream<Item = Result<Query<T>, E>>,
    limits: &Limits,
    form: &mut Form,
    mut stop: StopSignal,
    mut on_answer: impl FnMut(T, Answer, Clock) -> Result<(), E>,
) -> Result<Ended, E> {
    let (mut waiting, mut is_dry, mut is_whole) = (std::pin::pin!(questions.fuse()), false, true);
    let mut flying = JoinSet::new();
    let mut held = Held { held: Vec::new(), replied: false };
    let mut ending: Option<Ended> = None;
    let mut finish_by: Option<tokio::time::Instant> = None;
    loop {
        match *stop.borrow_and_update() {
            Stop::Go => {}
            Stop::Finish => {
                model.close();
                _ = finish_by.get_or_insert_with(|| tokio::time::Instant::now() + limits.attempt_timeout);
            }
            Stop::Now => flying.abort_all(),
        }
        let asks = *stop.borrow() == Stop::Go && ending.is_none() && !is_dry;
        let has_room = flying.len() < limits.max_connections.max(1);
        let landed = tokio::select! {
            biased;
            question = waiting.next(), if asks && has_room => {
                let Some(question) = question else {
                    is_dry = true;
                    continue;
                };
                let (question, model) = (question?, model.clone());
                let Query { request, truth, strictness, about } = question;
                flying.spawn(async move { (ask_one(&*model, &request, &truth, strictness).await, about) });
                continue;
            }
            landed = flying.join_next(), if !(asks && flying.is_empty()) => landed,
            () = reached(finish_by) => {
                held.held.into_iter().try_for_each(|(about, answer, clock)| on_answer(about, answer, clock))?;
                return Ok(Ended::Stopped);
            }
            () = changed(&mut stop) => continue,
        };
        match landed {
            None => {
                // A question that is still being made is one that is left.
                let is_over = is_dry || waiting.next().now_or_never().is_some_and(|next| next.is_none());
                let ended = if is_over && is_whole { Ended::Complete } else { Ended::Stopped };
                if let Some(outage) = held.outage(ended == Ended::Complete && ending.is_none()) {
                    return Ok(outage);
                }
                held.held.into_iter().try_for_each(|(about, answer, clock)| on_answer(about, answer, clock))?;
                return Ok(ending.unwrap_or(ended));
            }
            Some(Ok((Outcome::Dropped, _))) => is_whole = false,
            Some(Ok((Outcome::Fatal(error, _), _))) if !held.is_of_one(&error) => {
                _ = ending.get_or_insert(Ended::Fatal(error));
            }
            Some(Ok((outcome, about))) => {
                let (answer, clock) = match outcome {
                    Outcome::Answer(answer, clock) => (answer, clock),
                    Outcome::Fatal(error, clock) => (Box::new(unanswered(&error)), clock),
                    Outcome::Dropped => unreachable!("it was looked at"),
                };
                form.hear(answer.verdict);
                ending = ending.or_else(|| form.never().map(Ended::Formless));
                for (about, answer, clock) in held.take(about, *answer, clock) {
                    on_answer(about, answer, clock)?;
                }
                if let Some(outage) = held.outage(false) {
                    return Ok(outage);
                }
            }
            Some(Err(failed)) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Aborted: told to stop now.
                Err(_) => return Ok(Ended::Stopped),
            },
        }
    }
}

/// Resolves at the deadline, or never without one.
async fn reached(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Resolves when the order to stop changes; never once its sender is gone.
async fn changed(stop: &mut StopSignal) {
    if stop.changed().await.is_err() {
        std::future::pending().await
    }
}

enum Outcome {
    Answer(Box<Answer>, Clock),
    /// It was given up between two attempts, since nothing new is asked: no verdict.
    Dropped,
    Fatal(ChatError, Clock),
}

async fn ask_one(model: &dyn ChatModel, request: &ChatRequest, truth: &Truth, strictness: Strictness) -> Outcome {
    let start = Instant::now();
    let reply = model.ask(request).await;
    let latency_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let attempts = reply.as_ref().map_or_else(|error| error.attempts, |reply| reply.attempts);
    let clock = Clock { latency_ms, attempts };
    match reply {
        Err(error) if error.kind == ChatErrorKind::Stopped => Outcome::Dropped,
        Err(error) if error.is_fatal() => Outcome::Fatal(error, clock),
        reply => Outcome::Answer(Box::new(settled(reply, truth, strictness)), clock),
    }
}

/// The answer that a final outcome of asking is.
pub(super) fn settled(reply: Result<ChatReply, ChatError>, truth: &Truth, strictness: Strictness) -> Answer {
    reply.map_or_else(|error| unanswered(&error), |reply| answered(reply, truth, strictness))
}

fn answered(reply: ChatReply, truth: &Truth, strictness: Strictness) -> Answer {
    let judged = judge_with(&reply, truth, strictness);
    let reply = apart(reply);
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

/// A reply whose content is what was answered; what was thought in it stands with the reasoning.
fn apart(reply: ChatReply) -> ChatReply {
    let Some(content) = &reply.content else { return reply };
    let told = told(content);
    if told.thought.is_empty() {
        // Markers with nothing between them take nothing from what is judged.
        return reply;
    }
    let reasoning = reply.reasoning.iter().map(String::as_str).chain([told.thought.trim()]).collect::<Vec<_>>();
    let reasoning = Some(reasoning.join("\n\n"));
    ChatReply { content: Some(told.answer.into_owned()), reasoning, ..reply }
}

/// An answer that was graded before, graded anew: from the reply as it came. Trouble stays what it was.
pub fn regrade(answer: Answer, truth: &Truth, strictness: Strictness) -> Answer {
    if !answer.verdict.is_reply() {
        return answer;
    }
    let Answer { reply: content, refusal, reasoning, finish_reason, model_returned: model, usage, .. } = answer;
    answered(ChatReply { content, refusal, reasoning, finish_reason, model, usage, attempts: 0 }, truth, strictness)
}

fn unanswered(error: &ChatError) -> Answer {
    let said = Some(error.message.clone());
    match error.kind {
        ChatErrorKind::Declined => Answer { refusal: said, ..Answer::of(Verdict::Refusal) },
        ChatErrorKind::Timeout => Answer { error: said, ..Answer::of(Verdict::Timeout) },
        _ => Answer { error: said, ..Answer::of(Verdict::ProviderError) },
    }
}

#[cfg(test)]
pub(crate) mod tests;
