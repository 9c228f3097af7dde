//! Owns the exchange with one model, the same for every job: it asks questions, judges and pays replies, hands answers
//! on, and reports its end.
//!
//! Must not know why anything is asked, nor what becomes of an answer.

use super::budget::Budget;
use super::chat::ChatError;
use super::examiner::Examiner;
use super::form::{Form, NeverInForm};
use super::pipeline::{Clock, Ended, ask_as_they_come};
use super::prompt::PromptError;
use crate::item::record::{Answer, Item};
use futures::{Stream, StreamExt};
use std::sync::Arc;

/// An item that is to be asked about.
#[derive(Clone, Debug)]
pub struct ToAsk<T> {
    /// The item.
    pub item: Item,
    /// How often it was asked about before.
    pub epoch: u32,
    /// What the caller wants back with the answer.
    pub about: T,
}

/// How an exchange came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Every question has its answer.
    Complete,
    /// It was told to stop, by the user or by a limit; some questions have no answer.
    Stopped,
}

/// Why an exchange broke off. Questions without an answer are left for a run that is resumed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The prompt does not render.
    #[error(transparent)]
    Prompt(Arc<PromptError>),
    /// The model does not answer, or has ceased to answer.
    #[error("{name} does not answer: {questions} questions one after the other met trouble; the last: {trouble}")]
    Outage {
        /// The model.
        name: String,
        /// Questions, one after the other.
        questions: usize,
        /// What the provider said last.
        trouble: String,
    },
    /// The model never answers in the form that was asked for.
    #[error("{name}: {never}")]
    NeverInForm {
        /// The model.
        name: String,
        /// What it answers.
        never: NeverInForm,
    },
    /// Every further question would meet the same: no key, no such model, no credit.
    #[error("{name}: {error}")]
    Refused {
        /// The model.
        name: String,
        /// What its provider says.
        #[source]
        error: ChatError,
    },
}

impl From<PromptError> for ExchangeError {
    fn from(error: PromptError) -> Self {
        Self::Prompt(Arc::new(error))
    }
}

/// The exchange with one model. What is known of the form of its replies goes from one call of [`Exchange::ask`] to the next.
pub struct Exchange {
    examiner: Examiner,
    budget: Arc<Budget>,
    form: Form,
}

impl Exchange {
    /// An exchange that is paid out of a budget, which others may share.
    pub fn new(examiner: Examiner, budget: Arc<Budget>) -> Self {
        Self { examiner, budget, form: Form::default() }
    }

    /// Who is asked.
    pub fn examiner(&self) -> &Examiner {
        &self.examiner
    }

    /// The budget that pays.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Counts an answer of an earlier part of a run.
    pub fn recall(&self, item: &Item, answer: &Answer) {
        self.budget.pay(self.examiner.prices.as_ref(), item, answer);
    }

    /// Asks about items as they come, many at once. Each answer is judged, paid unless a cache had it, and handed on.
    ///
    /// # Errors
    /// Those of `asked` and `on_answer`, and [`ExchangeError`]. What was handed on before stays.
    pub async fn ask<T: Send + 'static, E: From<ExchangeError>>(
        &mut self,
        asked: impl Stream<Item = Result<ToAsk<T>, E>>,
        mut on_answer: impl FnMut(T, Answer, Clock) -> Result<(), E>,
    ) -> Result<Finish, E> {
        let Self { examiner, budget, form } = self;
        let questions = asked.map(|asked| {
            let ToAsk { item, epoch, about } = asked?;
            let question = examiner.question(&item, epoch, ()).map_err(ExchangeError::from)?;
            Ok(question.about((item, about)))
        });
        let paid = |(item, about): (Item, T), answer, clock: Clock| {
            if clock.attempts > 0 {
                budget.pay(examiner.prices.as_ref(), &item, &answer);
            }
            on_answer(about, answer, clock)
        };
        let (model, limits, stop) = (examiner.model.clone(), &examiner.limits, budget.signal());
        let ended = ask_as_they_come(model, questions, limits, form, stop, paid).await?;
        Ok(finished(ended, &examiner.name)?)
    }
}

fn finished(ended: Ended, name: &str) -> Result<Finish, ExchangeError> {
    let name = name.to_owned();
    match ended {
        Ended::Complete => Ok(Finish::Complete),
        Ended::Stopped => Ok(Finish::Stopped),
        Ended::Outage { questions, trouble } => Err(ExchangeError::Outage { name, questions, trouble }),
        Ended::Formless(never) => Err(ExchangeError::NeverInForm { name, never }),
        Ended::Fatal(error) => Err(ExchangeError::Refused { name, error }),
    }
}
