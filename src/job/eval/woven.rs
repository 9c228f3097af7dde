//! Owns the items of an evaluation while they are woven: each stands in the run directory first, and is asked about as soon
//! as it does.
//!
//! Must not know who is asked. The file is the queue: every model reads it at its own pace, the weaver never waits, and
//! a run that is killed meanwhile finds its first items there when it goes on.

use super::asked::{self, EvalItems, Weaving};
use super::keep::KeepError;
use crate::ask::evaluate::Subject;
use crate::ask::stop::{Stop, StopSignal};
use crate::item::halt::Halt;
use crate::job::error::JobError;
use crate::run::dir::RunDir;
use crate::run::manifest::{Manifest, Status};
use crate::run::suite::{Shelf, WeaveError};
use futures::{Stream, stream};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How far the items are.
#[derive(Clone, Copy, Debug, Default)]
struct Far {
    /// Those that stand in the file.
    items: u64,
    /// Whether no more will.
    is_over: bool,
}

/// Items and their fingerprint, or why there are none.
type Written = Result<(u64, String), JobError>;

/// The items of one evaluation.
pub(super) struct Woven {
    far: watch::Receiver<Far>,
    halt: Halt,
    /// The weaver; none if all are there from before.
    thread: Option<JoinHandle<Written>>,
}

impl Woven {
    /// Begins to weave what the run directory does not have yet, within a runtime.
    pub(super) fn begin(asked: &Arc<EvalItems>, dir: &RunDir, manifest: &Manifest, shelf: Option<&Shelf>) -> Self {
        let halt = Halt::default();
        if let (Some(items), Some(_), true) = (manifest.items, &manifest.fingerprint, dir.items().exists()) {
            return Self { far: watch::channel(Far { items, is_over: true }).1, halt, thread: None };
        }
        let (sender, far) = watch::channel(Far::default());
        let (asked, dir, until, shelf) = (asked.clone(), dir.clone(), halt.clone(), shelf.cloned());
        let thread = tokio::task::spawn_blocking(move || {
            let weaving = Weaving::Silent { halt: &until, shelf: shelf.as_ref() };
            let written = asked.write_items(&dir, weaving, |items| sender.send_modify(|far| far.items = items));
            // One that was halted leaves it open whether there are more: so that nobody takes these for all.
            if !until.is_wished() {
                // After a failure nothing more is asked.
                sender.send_modify(|far| {
                    *far = Far { items: if written.is_ok() { far.items } else { 0 }, is_over: true }
                });
            }
            written
        });
        Self { far, halt, thread: Some(thread) }
    }

    /// What ends the weaving, when it is wished; it ends too when this is dropped.
    pub(super) fn halt(&self) -> Halt {
        self.halt.clone()
    }

    /// Says how many of so many there are, until there are all.
    pub(super) fn told(&self, label: String, of: u64) -> impl Fn() -> Option<String> + use<> {
        let far = self.far.clone();
        move || {
            let Far { items, is_over } = *far.borrow();
            (!is_over).then(|| format!("{items}/{of} items of {label} woven"))
        }
    }

    /// The items, as they come.
    pub(super) fn subjects(&self, dir: &RunDir) -> impl Stream<Item = Result<Subject, KeepError>> + use<> {
        // The file is opened once there is something in it.
        stream::unfold((self.far.clone(), dir.clone(), None, 0), async |(mut far, dir, mut lines, read)| {
            let there = far.wait_for(|far| far.items > read || far.is_over).await.map(|far| far.items);
            match there {
                Ok(items) if items > read => {}
                Ok(_) => return None,
                // Halted: the readers are told to stop elsewhere.
                Err(_) => std::future::pending().await,
            }
            if lines.is_none() {
                match asked::read_items(&dir) {
                    Ok(opened) => lines = Some(opened),
                    Err(error) => return Some((Err(error.into()), (far, dir, None, u64::MAX))),
                }
            }
            let next = lines.as_mut().and_then(Iterator::next)?;
            Some((next.map_err(KeepError::from), (far, dir, lines, read + 1)))
        })
    }

    /// Waits for the end of the weaving, and notes in the manifest what the items are. Interrupted, if it was halted; so it is
    /// when the questions are told to stop.
    pub(super) async fn noted(
        &mut self,
        dir: &RunDir,
        manifest: &mut Manifest,
        mut stop: StopSignal,
    ) -> Result<Status, JobError> {
        let Some(mut thread) = self.thread.take() else { return Ok(Status::Complete) };
        let told = async {
            // The weaver is gone.
            if stop.wait_for(|order| *order != Stop::Go).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let written = tokio::select! {
            written = &mut thread => written,
            () = told => {
                self.halt.wish();
                thread.await
            }
        };
        match written {
            Ok(Ok((items, fingerprint))) => {
                (manifest.items, manifest.fingerprint) = (Some(items), Some(fingerprint));
                manifest.note([dir.items().as_path()])?;
                manifest.write(dir)?;
                Ok(Status::Complete)
            }
            Ok(Err(error)) if matches!(error.cause(), Some(WeaveError::Stopped)) => Ok(Status::Interrupted),
            Ok(Err(failure)) => Err(failure),
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

impl Drop for Woven {
    /// Nothing is woven that is not asked about; the runtime waits for the weaver before it goes.
    fn drop(&mut self) {
        self.halt.wish();
    }
}
