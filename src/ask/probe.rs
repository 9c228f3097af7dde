//! Owns asking a model one tiny question, to see whether it can be asked at all.
//!
//! Must not know how a model is reached. The question is always the same, so that two models can be held side by side.

use super::chat::{ChatError, ChatModel, ChatReply, ChatRequest, Params};
use super::judge::{Strictness, judge_with};
use super::prompt::Prompt;
use crate::item::record::{Task, Truth, Verdict};
use crate::wasm::types::Value;
use std::time::Instant;

/// The program that is asked about.
pub(crate) const PROGRAM: &str = "(module
  (func (export \"run\")
    i32.const 6
    i32.const 7
    i32.mul
    ;;INSPECT
    drop
  )
)";

/// What stands on the stack there.
pub(crate) fn truth() -> Truth {
    Truth::StackValues(vec![Value::i32(42)])
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Probed {
    /// The reply.
    pub reply: ChatReply,
    /// Its verdict.
    pub verdict: Verdict,
    /// From the first attempt to the reply, milliseconds.
    pub latency_ms: u64,
}

/// Asks the model that its endpoint calls `id`.
///
/// # Errors
/// If no reply came, after all that the model's own patience allows.
pub(crate) async fn probe(
    model: &dyn ChatModel,
    id: &str,
    params: Params,
    strictness: Strictness,
) -> Result<Probed, ChatError> {
    let messages = Prompt::shipped(Task::Stack).messages(PROGRAM, 1).expect("a shipped prompt renders");
    let request = ChatRequest { model: id.to_owned(), messages, params, epoch: 0 };
    let start = Instant::now();
    let reply = model.ask(&request).await?;
    let latency_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let verdict = judge_with(&reply, &truth(), strictness).verdict;
    Ok(Probed { reply, verdict, latency_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::chat::Scripted;
    use crate::solver::Solver;

    #[tokio::test]
    async fn a_reply_is_judged_and_trouble_told() {
        let oracle = Scripted::new(|request| {
            Ok(ChatReply::text(Solver::ORACLE.reply(&request.messages, None).expect("there is a question")))
        });
        let ask = async |model: &Scripted| probe(model, "m", Params::default(), Strictness::default()).await;
        assert_eq!(ask(&oracle).await.expect("answers").verdict, Verdict::Correct);
        let wrong = Scripted::saying("<OUTPUT>{\"stack_values\":[41]}</OUTPUT>");
        assert_eq!(ask(&wrong).await.expect("answers").verdict, Verdict::Wrong);
        let down = Scripted::new(|_| Err(ChatError::new(crate::ask::chat::ChatErrorKind::Provider, "down")));
        assert_eq!(ask(&down).await.expect_err("no reply").message, "down");
    }
}
