//! Owns asking many questions at once: bounded, each to its final answer, delivered as they come.
//!
//! Must not know what the answers are used for, nor how a model is reached. A provider's trouble becomes a verdict of its
//! own; trouble that every question would meet (no key, no such model, no credit) ends the asking instead.

use super::chat::{ChatError, ChatErrorKind, ChatModel, ChatReply, ChatRequest};
use super::judge::{Strictness, judge_with};
use super::limits::Limits;
use crate::item::record::{Answer, Record, Timing, Truth, Verdict};
use futures::{FutureExt, Stream, StreamExt};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// One question: what to send, the truth to judge the reply by, and what the caller wants back with the answer.
#[derive(Clone, Debug)]
pub struct Question<T> {
    /// The request.
    pub request: ChatRequest,
    /// The exact answer.
    pub truth: Truth,
    /// The caller's own.
    pub about: T,
    /// How exactly the reply is held against it.
    pub strictness: Strictness,
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

/// Where [`Stop`] is heard.
pub type StopSignal = watch::Receiver<Stop>;

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
    /// It was told to, with questions left.
    Stopped,
    /// Nobody answers any more: so many questions, one after the other, met trouble that passes elsewhere. They have no
    /// answer, so that a resumed run asks them again; to score them would be to score an outage.
    Outage {
        /// How many.
        questions: usize,
        /// The last trouble.
        trouble: String,
    },
    /// Every further question would have met this trouble. Those that met it have no answer, so that a resumed run asks
    /// them again; the others in flight have theirs.
    Fatal(ChatError),
}

/// Questions in trouble, without a reply to any other in between, that are an outage.
const OUTAGE: usize = 50;
/// The same where there are no more, and none was answered.
const SHORT_OUTAGE: usize = 8;

/// Answers that are not handed on before somebody replies to another question.
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
    questions: impl Iterator<Item = Result<Question<T>, E>>,
    limits: &Limits,
    stop: StopSignal,
    on_answer: impl FnMut(T, Answer, Clock) -> Result<(), E>,
) -> Result<Ended, E> {
    ask_as_they_come(model, futures::stream::iter(questions), limits, stop, on_answer).await
}

/// The same of questions that are still being made: while the next one is not there, answers land.
///
/// # Errors
/// As [`ask_all`].
pub async fn ask_as_they_come<T: Send + 'static, E>(
    model: Arc<dyn ChatModel>,
    questions: impl Stream<Item = Result<Question<T>, E>>,
    limits: &Limits,
    mut stop: StopSignal,
    mut on_answer: impl FnMut(T, Answer, Clock) -> Result<(), E>,
) -> Result<Ended, E> {
    let (mut waiting, mut is_dry) = (std::pin::pin!(questions.fuse()), false);
    let mut flying = JoinSet::new();
    let mut held = Held { held: Vec::new(), replied: false };
    let mut fatal: Option<ChatError> = None;
    let mut finish_by: Option<tokio::time::Instant> = None;
    loop {
        match *stop.borrow_and_update() {
            Stop::Go => {}
            Stop::Finish => _ = finish_by.get_or_insert_with(|| tokio::time::Instant::now() + limits.attempt_timeout),
            Stop::Now => flying.abort_all(),
        }
        let asks = *stop.borrow() == Stop::Go && fatal.is_none() && !is_dry;
        let has_room = flying.len() < limits.max_connections.max(1);
        let landed = tokio::select! {
            biased;
            question = waiting.next(), if asks && has_room => {
                let Some(question) = question else {
                    is_dry = true;
                    continue;
                };
                let (question, model) = (question?, model.clone());
                let Question { request, truth, strictness, about } = question;
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
                let ended = if is_over { Ended::Complete } else { Ended::Stopped };
                if let Some(outage) = held.outage(ended == Ended::Complete && fatal.is_none()) {
                    return Ok(outage);
                }
                held.held.into_iter().try_for_each(|(about, answer, clock)| on_answer(about, answer, clock))?;
                return Ok(fatal.map_or(ended, Ended::Fatal));
            }
            Some(Ok((Outcome::Fatal(error), _))) => _ = fatal.get_or_insert(error),
            Some(Ok((Outcome::Answer(answer, clock), about))) => {
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
    Fatal(ChatError),
}

async fn ask_one(model: &dyn ChatModel, request: &ChatRequest, truth: &Truth, strictness: Strictness) -> Outcome {
    let start = Instant::now();
    let reply = model.ask(request).await;
    let latency_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    match reply {
        Err(error) if error.is_fatal() => Outcome::Fatal(error),
        reply => {
            let attempts = reply.as_ref().map_or_else(|error| error.attempts, |reply| reply.attempts);
            Outcome::Answer(Box::new(settled(reply, truth, strictness)), Clock { latency_ms, attempts })
        }
    }
}

/// The answer that a final outcome of asking is.
pub(super) fn settled(reply: Result<ChatReply, ChatError>, truth: &Truth, strictness: Strictness) -> Answer {
    reply.map_or_else(|error| unanswered(&error), |reply| answered(reply, truth, strictness))
}

fn answered(reply: ChatReply, truth: &Truth, strictness: Strictness) -> Answer {
    let judged = judge_with(&reply, truth, strictness);
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

/// An answer that was graded before, graded anew: from the reply as it came. Trouble stays what it was.
pub fn regrade(answer: Answer, truth: &Truth, strictness: Strictness) -> Answer {
    if !answer.verdict.is_reply() {
        return answer;
    }
    let Answer { reply: content, refusal, reasoning, finish_reason, model_returned: model, usage, .. } = answer;
    answered(ChatReply { content, refusal, reasoning, finish_reason, model, usage, attempts: 0 }, truth, strictness)
}

fn unanswered(error: &ChatError) -> Answer {
    let verdict = if error.kind == ChatErrorKind::Timeout { Verdict::Timeout } else { Verdict::ProviderError };
    Answer { error: Some(error.message.clone()), ..Answer::of(verdict) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ask::chat::{Params, Scripted};
    use crate::wasm::types::Value;
    use futures::future::BoxFuture;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Waits for something that asks, where tokio is not known.
    pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be made").block_on(future)
    }

    /// A signal that never comes.
    pub(crate) fn never() -> StopSignal {
        watch::channel(Stop::Go).1
    }

    fn questions<E>(n: usize) -> impl Iterator<Item = Result<Question<usize>, E>> {
        let request =
            |i: usize| ChatRequest { model: i.to_string(), messages: vec![], params: Params::default(), epoch: 0 };
        let truth = Truth::StackValues(vec![Value::i32(1)]);
        let strictness = Strictness::default();
        (0..n).map(move |about| Ok(Question { request: request(about), truth: truth.clone(), strictness, about }))
    }

    fn limits(max_connections: usize) -> Limits {
        Limits { max_connections, ..Limits::default() }
    }

    /// Asks with nobody to stop it; returns the verdicts by index.
    async fn verdicts(model: Arc<dyn ChatModel>, n: usize, limits: &Limits) -> (Ended, Vec<Vec<Verdict>>) {
        let mut seen = vec![Vec::new(); n];
        let stop = watch::channel(Stop::Go).1;
        let ended = ask_all(model, questions(n), limits, stop, |index, answer, _| {
            seen[index].push(answer.verdict);
            Ok::<(), Infallible>(())
        });
        (ended.await.expect("cannot fail"), seen)
    }

    #[tokio::test]
    async fn each_question_has_one_verdict_and_trouble_has_its_own() {
        let model = Scripted::new(|request| match request.model.parse::<usize>().expect("a number") % 4 {
            0 => Ok(ChatReply::text("<OUTPUT>[1]</OUTPUT>")),
            1 => Ok(ChatReply::text("<OUTPUT>[2]</OUTPUT>")),
            2 => Err(ChatError::new(ChatErrorKind::Provider, "down")),
            _ => Err(ChatError::new(ChatErrorKind::Timeout, "slow")),
        });
        let (ended, seen) = verdicts(Arc::new(model), 40, &limits(7)).await;
        assert_eq!(ended, Ended::Complete);
        let expected = [Verdict::Correct, Verdict::Wrong, Verdict::ProviderError, Verdict::Timeout];
        assert!(seen.iter().enumerate().all(|(i, verdicts)| *verdicts == [expected[i % 4]]), "{seen:?}");
    }

    #[tokio::test]
    async fn questions_are_asked_while_others_are_made() {
        let model = Arc::new(Scripted::new(|_| Ok(ChatReply::text("<OUTPUT>[1]</OUTPUT>"))));
        let (order, stop) = watch::channel(Stop::Go);
        let (sender, made) = futures::channel::mpsc::unbounded();
        let mut made_so_far = questions::<&str>(9);
        sender.unbounded_send(made_so_far.next().expect("nine")).expect("somebody listens");
        let mut landed = 0;
        let ended = ask_as_they_come(model, made, &limits(4), stop, |_, _, _| {
            landed += 1;
            match landed {
                5 => drop(order.send_replace(Stop::Finish)),
                _ => sender.unbounded_send(made_so_far.next().expect("nine")).map_err(|_| "nobody listens")?,
            }
            Ok(())
        });
        assert_eq!(ended.await, Ok(Ended::Stopped));
        assert_eq!(landed, 5);
    }

    #[tokio::test]
    async fn an_outage_is_nobody_s_verdict() {
        // Up to `good` there are replies, then none.
        let ended = async |good: usize, n: usize| {
            let model = Scripted::new(move |request| match request.model.parse::<usize>().expect("a number") {
                i if i < good => Ok(ChatReply::text("<OUTPUT>[1]</OUTPUT>")),
                _ => Err(ChatError::new(ChatErrorKind::Connect, "refused")),
            });
            let (ended, seen) = verdicts(Arc::new(model), n, &limits(4)).await;
            (matches!(ended, Ended::Outage { .. }), seen.iter().filter(|verdicts| !verdicts.is_empty()).count())
        };
        assert_eq!(ended(0, 7).await, (false, 7), "too few to tell");
        assert_eq!(ended(0, 8).await, (true, 0));
        assert_eq!(ended(0, 1000).await, (true, 0));
        assert_eq!(ended(100, 149).await, (false, 149));
        assert_eq!(ended(100, 1000).await, (true, 100));
    }

    #[tokio::test]
    async fn fatal_trouble_ends_it_without_verdicts() {
        let model = Arc::new(Scripted::new(|_| Err(ChatError::new(ChatErrorKind::Auth, "no key"))));
        let (ended, seen) = verdicts(model.clone(), 100, &limits(4)).await;
        assert!(matches!(ended, Ended::Fatal(error) if error.kind == ChatErrorKind::Auth));
        assert!(seen.iter().all(Vec::is_empty) && model.asked() <= 8, "asked {}", model.asked());
    }

    /// Counts who is in flight; lets nobody land until told, or ever.
    #[derive(Default)]
    struct Slow {
        now: AtomicUsize,
        most: AtomicUsize,
        hangs: bool,
    }

    impl ChatModel for Slow {
        fn ask<'a>(&'a self, _: &'a ChatRequest) -> BoxFuture<'a, Result<ChatReply, ChatError>> {
            Box::pin(async move {
                self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                if self.hangs {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
                self.now.fetch_sub(1, Ordering::SeqCst);
                Ok(ChatReply::text("<OUTPUT>[1]</OUTPUT>"))
            })
        }
    }

    #[tokio::test]
    async fn never_more_at_once_than_allowed() {
        for allowed in [1, 5] {
            let model = Arc::new(Slow::default());
            verdicts(model.clone(), 20, &limits(allowed)).await;
            assert_eq!(model.most.load(Ordering::SeqCst), allowed);
        }
    }

    #[tokio::test]
    async fn told_to_finish_it_lands_what_flies_and_asks_nothing_new() {
        let (sender, stop) = watch::channel(Stop::Go);
        let mut answers = 0;
        let limits = limits(4);
        let ended = ask_all(Arc::new(Slow::default()), questions(50), &limits, stop, |_, _, _| {
            answers += 1;
            sender.send_replace(Stop::Finish);
            Ok::<(), Infallible>(())
        });
        assert_eq!(ended.await, Ok(Ended::Stopped));
        assert_eq!(answers, 4);
    }

    #[tokio::test]
    async fn hanging_questions_are_dropped_when_told_now_or_after_an_attempt_s_time() {
        for order in [Stop::Now, Stop::Finish] {
            let (_sender, stop) = watch::channel(order);
            let (sender, late) = watch::channel(Stop::Go);
            let model = Arc::new(Slow { hangs: true, ..Slow::default() });
            let limits = Limits { attempt_timeout: Duration::from_millis(5), ..limits(4) };
            let none = |_, _, _| Err("no answer is expected");
            assert_eq!(ask_all(model.clone(), questions(9), &limits, stop, none).await, Ok(Ended::Stopped));
            assert_eq!(model.most.load(Ordering::SeqCst), 0, "none may be asked after the order");
            let telling = async {
                tokio::task::yield_now().await;
                sender.send_replace(order);
            };
            let (ended, ()) = tokio::join!(ask_all(model.clone(), questions(9), &limits, late, none), telling);
            assert_eq!((ended, model.most.load(Ordering::SeqCst)), (Ok(Ended::Stopped), 4));
        }
    }

    #[tokio::test]
    async fn a_full_disk_ends_it_at_once() {
        let stop = watch::channel(Stop::Go).1;
        let model = Arc::new(Scripted::saying("x"));
        let ended = ask_all(model.clone(), questions(50), &limits(2), stop, |_, _, _| Err("full")).await;
        assert_eq!(ended, Err("full"));
        assert!(model.asked() <= 4);
    }
}
