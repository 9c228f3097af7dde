use super::*;
use crate::ask::chat::{Params, Scripted};
use crate::wasm::types::Value;
use futures::future::BoxFuture;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// Waits for something that asks, where tokio is not known.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(future)
}

fn questions<E>(n: usize) -> impl Iterator<Item = Result<Query<usize>, E>> {
    let request =
        |i: usize| ChatRequest { model: i.to_string(), messages: vec![], params: Params::default(), epoch: 0 };
    let truth = Truth::StackValues(vec![Value::i32(1)]);
    let strictness = Strictness::default();
    (0..n).map(move |about| Ok(Query { request: request(about), truth: truth.clone(), strictness, about }))
}

fn limits(max_connections: usize) -> Limits {
    Limits { max_connections, ..Limits::default() }
}

/// Asks, and is never stopped; returns the verdicts by index.
async fn verdicts(model: Arc<dyn ChatModel>, n: usize, limits: &Limits) -> (Ended, Vec<Vec<Verdict>>) {
    let mut seen = vec![Vec::new(); n];
    let stop = watch::channel(Stop::Go).1;
    let ended = ask_all(model, questions(n), limits, stop, |index, answer, _| {
        seen[index].push(answer.verdict);
        Ok::<(), Infallible>(())
    });
    (ended.await.expect("cannot fail"), seen)
}

#[test]
fn thoughts_stand_apart_and_are_judged_alike_again() {
    let truth = Truth::StackValues(vec![Value::i32(1)]);
    let answer = |reply: &str| answered(ChatReply::text(reply), &truth, Strictness::default());
    for (reply, verdict, kept, thought) in [
        ("<think> hm </think><OUTPUT>[1]</OUTPUT>", Verdict::Correct, "<OUTPUT>[1]</OUTPUT>", Some("hm")),
        (
            "<OUTPUT>[2]</OUTPUT></think><OUTPUT>[1]</OUTPUT>",
            Verdict::Correct,
            "<OUTPUT>[1]</OUTPUT>",
            Some("<OUTPUT>[2]</OUTPUT>"),
        ),
        ("<think><OUTPUT>[2]</OUTPUT>", Verdict::Truncated, "<think>", Some("<OUTPUT>[2]</OUTPUT>")),
        ("<OUTPUT>[2]</OUTPUT>", Verdict::Wrong, "<OUTPUT>[2]</OUTPUT>", None),
    ] {
        let told = answer(reply);
        assert_eq!((told.verdict, told.verdict.is_miss()), (verdict, verdict == Verdict::Wrong), "{reply}");
        assert_eq!((told.reply.as_deref(), told.reasoning.as_deref()), (Some(kept), thought), "{reply}");
        assert_eq!(regrade(told.clone(), &truth, Strictness::default()), told, "{reply}");
    }
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
    let (few, mut form) = (limits(4), Form::default());
    let ended = ask_as_they_come(model, made, &few, &mut form, stop, |_, _, _| {
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

/// Counts who is in flight; lets none land until told, or ever.
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
