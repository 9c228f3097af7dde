//! Owns the functions that need no environment: items of a seed, answers about a module, verdicts.
//!
//! Must not know how items or verdicts come about; what goes in and out is JSON, as in the files that `harness` writes.

use crate::border::{apart, bug, json, panicked, refuse};
use crate::kit;
use pyo3::prelude::*;
use serde::Serialize;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use wasmweaver::ask::chat::ChatReply;
use wasmweaver::ask::judge::{Judged, Strictness, judge_with};
use wasmweaver::item::inspect::{Source, Wish, inspect as answer};
use wasmweaver::item::record::{Task, Truth, Verdict};
use wasmweaver::item::source::{PROGRAMS_PER_ITEM, TooFew};
use wasmweaver::learn::episode::Episode;
use wasmweaver::run::preset::Preset;
use wasmweaver::seed::Seed;
use wasmweaver::wasm::isa::Op;
use wasmweaver::weave::weaver::Loom;
use wasmweaver::weave::weaver::{goal, observe};

/// Items that wait to be taken.
const WAITING: usize = 256;
/// How often a wait looks whether the user interrupts.
const LOOK: Duration = Duration::from_millis(100);

type Made = Result<String, String>;

/// The items of a seed, one after the other; other threads make them in the meantime.
#[pyclass(frozen, module = "wasmweaver")]
pub(crate) struct Items(Mutex<Option<Making>>);

struct Making {
    receiver: Receiver<Made>,
    thread: JoinHandle<()>,
}

impl Making {
    /// Has the thread end; what it said if it panicked.
    fn end(self) -> PyResult<()> {
        drop(self.receiver);
        self.thread.join().map_err(panicked)
    }
}

#[pymethods]
impl Items {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<String>> {
        loop {
            let came = apart(py, || {
                let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                held.as_ref().map(|making| making.receiver.recv_timeout(LOOK))
            })?;
            match came {
                None => return Ok(None),
                Some(Ok(Ok(item))) => return Ok(Some(item)),
                Some(Ok(Err(message))) => return Err(refuse(message)),
                Some(Err(RecvTimeoutError::Timeout)) => py.check_signals()?,
                Some(Err(RecvTimeoutError::Disconnected)) => return self.close(py).map(|()| None),
            }
        }
    }

    /// Makes no more.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let making = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        making.map_or(Ok(()), |making| apart(py, || making.end())?)
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        // A thread must not outlive the interpreter; a panic no longer matters.
        if let Some(making) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = making.end();
        }
    }
}

/// The items that `harness generate` makes with the same settings: each confirmed by wasmtime, no two with one canonical
/// form, the same for any number of threads.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python names them")]
pub(crate) fn generate(
    py: Python<'_>,
    task: Option<&str>,
    preset: &str,
    level: u8,
    settings: &str,
    count: u64,
    seed: u64,
    threads: usize,
) -> PyResult<Items> {
    let settings = serde_json::from_str(settings).map_err(refuse)?;
    let mut preset = kit::preset(preset, level, settings, Vec::new())?;
    if let Some(task) = task {
        preset.task = serde_json::from_value::<Task>(task.into()).map_err(refuse)?;
    }
    let loom = preset.loom().map_err(refuse)?;
    apart(py, move || {
        let (sender, receiver) = sync_channel(WAITING);
        let thread =
            std::thread::spawn(move || make((&preset, &loom), count, Seed::new(seed), threads.max(1), &sender));
        Items(Mutex::new(Some(Making { receiver, thread })))
    })
}

fn make((preset, loom): (&Preset, &Arc<Loom>), count: u64, seed: Seed, threads: usize, sender: &SyncSender<Made>) {
    let (mut seen, mut programs, mut left) = (HashSet::new(), 0, false);
    let made = preset.source(loom).stream(seed, threads, |draft, woven| {
        programs = woven;
        // Programs are counted by stretches; within one more items may come.
        let spent = draft.is_none() && woven > PROGRAMS_PER_ITEM * count;
        if let Some(draft) = draft.filter(|draft| seen.insert(draft.item.canonical.clone())) {
            let text = serde_json::to_string(&draft.item).map_err(|error| error.to_string());
            left = sender.send(text).is_err();
        }
        let done = seen.len() as u64 == count || left || spent;
        if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let items = seen.len();
    let trouble = match made {
        Err(disagrees) => Some(disagrees.to_string()),
        Ok(()) if !left && (items as u64) < count => Some(TooFew { programs, items }.to_string()),
        Ok(()) => None,
    };
    if let Some(trouble) = trouble {
        // The receiver may be gone.
        let _ = sender.send(Err(trouble));
    }
}

/// What `harness inspect --json` says of a module, text or binary.
#[pyfunction]
#[pyo3(signature = (text, binary, invoke, args, hit, fuel, strict))]
#[expect(clippy::too_many_arguments, reason = "Python names them")]
pub(crate) fn inspect(
    py: Python<'_>,
    text: Option<String>,
    binary: Vec<u8>,
    invoke: String,
    args: Vec<String>,
    hit: Option<u32>,
    fuel: u64,
    strict: bool,
) -> PyResult<String> {
    let wish = Wish { invoke, args, hit, fuel, strict };
    let source = text.as_deref().map_or(Source::Binary(&binary), Source::Text);
    let report = apart(py, || answer(source, &wish))?.map_err(refuse)?;
    json(&report)
}

/// The verdict on a reply, as JSON.
#[pyfunction]
#[pyo3(signature = (truth, reply, finish_reason, refusal, float_tolerance))]
pub(crate) fn judge(
    py: Python<'_>,
    truth: &str,
    reply: Option<String>,
    finish_reason: Option<String>,
    refusal: Option<String>,
    float_tolerance: Option<f64>,
) -> PyResult<String> {
    let truth: Truth = serde_json::from_str(truth).map_err(|error| refuse(format!("this is no truth: {error}")))?;
    let reply = ChatReply { content: reply, finish_reason, refusal, ..ChatReply::default() };
    let judged = apart(py, || judge_with(&reply, &truth, Strictness { float_tolerance }))?;
    json(&Told::from(judged))
}

/// A verdict as records have it.
#[derive(Serialize)]
struct Told {
    verdict: Verdict,
    slots: Vec<bool>,
    wrong_share: Option<f32>,
}

impl From<Judged> for Told {
    fn from(Judged { verdict, slots, wrong_share }: Judged) -> Self {
        Self { verdict, slots, wrong_share }
    }
}

/// The names of all instructions.
#[pyfunction]
pub(crate) fn instructions() -> Vec<&'static str> {
    Op::ALL.iter().map(|op| op.mnemonic()).collect()
}

/// The blocks of an observation in their order, with their widths: those of the program, then those of its goal.
#[pyfunction]
pub(crate) fn observation_layout() -> PyResult<Vec<(&'static str, usize)>> {
    let blocks: Vec<(&str, usize)> = observe::LAYOUT.iter().chain(goal::LAYOUT).copied().collect();
    let sum: usize = blocks.iter().map(|(_, width)| width).sum();
    if sum == Episode::OBSERVATION { Ok(blocks) } else { Err(bug("the layout leaves out a block")) }
}
