//! Owns many environments that step together, in one call, on as many threads as it pays for.
//!
//! Must not know gymnasium. Numbers are written into buffers that stay here and copied from there into the caller's
//! arrays in one go; what an environment does depends on its own seed and actions alone.

use crate::border::{apart, refuse};
use crate::finished::Finished;
use crate::kit::Kit;
use crate::slot::{Slot, action_name};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use rayon::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasmweaver::wasm::print::print;

/// Environments that one thread steps at a time: fewer are done before another thread is awake.
const SHARE: usize = 16;

/// What happens when an episode is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Autoreset {
    /// The next step starts another one, and its action is passed over.
    NextStep,
    /// Another one starts at once.
    SameStep,
    /// Nothing, until it is reset.
    Disabled,
}

/// Environments and what they showed last.
struct Yard {
    slots: Vec<Slot>,
    observations: Vec<f32>,
    masks: Vec<u8>,
    rewards: Vec<f64>,
    ended: Vec<u8>,
    finished: Vec<Option<Finished>>,
    chosen: Vec<i64>,
}

/// Many environments of one kind.
#[pyclass(frozen, module = "wasmweaver")]
pub(crate) struct Fleet {
    kit: Arc<Kit>,
    autoreset: Autoreset,
    parallel: bool,
    yard: Mutex<Yard>,
}

/// Where one environment writes what it shows.
struct Row<'a> {
    slot: &'a mut Slot,
    observation: &'a mut [f32],
    mask: Option<&'a mut [u8]>,
}

impl Row<'_> {
    fn show(&mut self, over: u8) {
        self.slot.observe(self.observation);
        if let Some(mask) = &mut self.mask {
            self.slot.mask(mask, over);
        }
    }
}

/// Where one environment's step ends up.
struct Outcome<'a> {
    reward: &'a mut f64,
    ended: &'a mut u8,
    finished: &'a mut Option<Finished>,
}

impl Autoreset {
    /// What a mask says of an episode that is over: nothing is legal, or anything, since it is passed over.
    fn over(self) -> u8 {
        u8::from(self == Self::NextStep)
    }

    fn step(self, mut row: Row<'_>, outcome: Outcome<'_>, action: i64) {
        (*outcome.reward, *outcome.ended) = (0.0, 0);
        if row.slot.ended {
            row.slot.next();
        } else if let Some((reward, mut finished)) = row.slot.step(action as usize) {
            (*outcome.reward, *outcome.ended) = (reward, 1);
            if self == Self::SameStep {
                row.slot.observe(row.observation);
                finished.last = Some(row.observation.to_vec());
                row.slot.next();
            }
            *outcome.finished = Some(finished);
        }
        row.show(self.over());
    }
}

#[pymethods]
impl Fleet {
    /// `wanted` is JSON; see `kit`.
    #[new]
    fn new(py: Python<'_>, wanted: &str, envs: usize, autoreset: &str, parallel: bool) -> PyResult<Self> {
        let autoreset = match autoreset {
            "NextStep" => Autoreset::NextStep,
            "SameStep" => Autoreset::SameStep,
            "Disabled" => Autoreset::Disabled,
            other => return Err(refuse(format!("there is no autoreset mode {other}"))),
        };
        if envs == 0 {
            return Err(refuse("num_envs is 0; give at least 1"));
        }
        apart(py, || {
            let kit = Kit::of(wanted)?;
            let yard = Mutex::new(Yard {
                slots: (0..envs).map(|_| Slot::new(&kit)).collect(),
                observations: vec![0.0; envs * kit.observation()],
                masks: vec![0; envs * kit.vocabulary.len()],
                rewards: vec![0.0; envs],
                ended: vec![0; envs],
                finished: (0..envs).map(|_| None).collect(),
                chosen: vec![0; envs],
            });
            Ok(Self { kit, autoreset, parallel, yard })
        })?
    }

    /// How many actions there are.
    #[getter]
    fn actions(&self) -> usize {
        self.kit.vocabulary.len()
    }

    /// Numbers in one observation, those of past actions included.
    #[getter]
    fn observation(&self) -> usize {
        self.kit.observation()
    }

    /// The largest fuel, and the largest stretch of dead code: what bounds an observation.
    #[getter]
    fn limits(&self) -> (u32, u32) {
        (self.kit.preset.weave.fuel.max, self.kit.preset.weave.limits.dead)
    }

    /// What each action stands for.
    fn action_names(&self) -> Vec<String> {
        (0..self.kit.vocabulary.len()).map(|output| action_name(&self.kit, output)).collect()
    }

    /// The preset as it is used, as JSON.
    fn settings(&self) -> PyResult<String> {
        crate::border::json(&self.kit.preset)
    }

    /// Starts episodes: those whose entry of `chosen` is set, from the seed at their place or else the next ones.
    #[pyo3(signature = (seeds, chosen, observations, masks))]
    fn reset(
        &self,
        py: Python<'_>,
        seeds: Option<Vec<u64>>,
        chosen: Option<Vec<bool>>,
        observations: PyBuffer<f32>,
        masks: Option<PyBuffer<u8>>,
    ) -> PyResult<()> {
        apart(py, || {
            let mut yard = self.yard();
            for (at, slot) in yard.slots.iter_mut().enumerate() {
                if chosen.as_ref().is_some_and(|chosen| !chosen[at]) {
                    continue;
                }
                match &seeds {
                    Some(seeds) => slot.seed(seeds[at]),
                    None => slot.next(),
                }
            }
            yard.show(&self.kit, self.autoreset.over(), masks.is_some());
        })?;
        self.copy(py, &self.yard(), &observations, masks.as_ref())
    }

    /// Takes one action in each environment. Returns the episodes that ended, with the number of their environment.
    #[pyo3(signature = (actions, observations, masks, rewards, ended))]
    fn step(
        &self,
        py: Python<'_>,
        actions: PyBuffer<i64>,
        observations: PyBuffer<f32>,
        masks: Option<PyBuffer<u8>>,
        rewards: PyBuffer<f64>,
        ended: PyBuffer<u8>,
    ) -> PyResult<Vec<(usize, Finished)>> {
        actions.copy_to_slice(py, &mut self.yard().chosen)?;
        let finished = apart(py, || {
            let mut yard = self.yard();
            self.check(&yard)?;
            Ok::<_, PyErr>(yard.step(&self.kit, self.autoreset, masks.is_some(), self.parallel))
        })??;
        let yard = self.yard();
        rewards.copy_from_slice(py, &yard.rewards)?;
        ended.copy_from_slice(py, &yard.ended)?;
        self.copy(py, &yard, &observations, masks.as_ref())?;
        Ok(finished)
    }

    /// Writes the masks of this moment.
    fn masks(&self, py: Python<'_>, out: PyBuffer<u8>) -> PyResult<()> {
        apart(py, || {
            let mut yard = self.yard();
            let over = self.autoreset.over();
            let Yard { slots, masks, .. } = &mut *yard;
            let masks = masks.chunks_mut(self.kit.vocabulary.len());
            slots.iter().zip(masks).for_each(|(slot, mask)| slot.mask(mask, over));
        })?;
        out.copy_from_slice(py, &self.yard().masks)
    }

    /// Draws a legal action in each environment, all equally likely, from the environment's own stream of chance.
    fn draw(&self, py: Python<'_>, out: PyBuffer<i64>) -> PyResult<()> {
        let drawn: Vec<i64> = apart(py, || self.yard().slots.iter_mut().map(|slot| slot.draw() as i64).collect())?;
        out.copy_from_slice(py, &drawn)
    }

    /// The program of an environment as far as it is woven.
    fn text(&self, py: Python<'_>, at: usize) -> PyResult<String> {
        apart(py, || print(self.yard().slots[at].episode.weaver.program(), &[]))
    }
}

impl Fleet {
    fn yard(&self) -> MutexGuard<'_, Yard> {
        // What a panic left is told as such at once; a reset makes it whole again.
        self.yard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses what no environment may be asked, before any has moved.
    fn check(&self, yard: &Yard) -> PyResult<()> {
        let actions = self.kit.vocabulary.len();
        for (at, (slot, &action)) in yard.slots.iter().zip(&yard.chosen).enumerate() {
            if slot.ended && self.autoreset == Autoreset::Disabled {
                return Err(refuse(format!("the episode of environment {at} is over; call reset() before step()")));
            }
            if !slot.ended && !(0..actions as i64).contains(&action) {
                return Err(refuse(format!(
                    "environment {at}: there is no action {action}, there are 0 to {}",
                    actions - 1
                )));
            }
        }
        Ok(())
    }

    fn copy(
        &self,
        py: Python<'_>,
        yard: &Yard,
        observations: &PyBuffer<f32>,
        masks: Option<&PyBuffer<u8>>,
    ) -> PyResult<()> {
        observations.copy_from_slice(py, &yard.observations)?;
        masks.map_or(Ok(()), |masks| masks.copy_from_slice(py, &yard.masks))
    }
}

impl Yard {
    fn show(&mut self, kit: &Kit, over: u8, masked: bool) {
        let rows = self.slots.iter_mut().zip(self.observations.chunks_mut(kit.observation()));
        let rows = rows.zip(self.masks.chunks_mut(kit.vocabulary.len()));
        rows.for_each(|((slot, observation), mask)| {
            Row { slot, observation, mask: masked.then_some(mask) }.show(over);
        });
    }

    fn step(&mut self, kit: &Kit, autoreset: Autoreset, masked: bool, parallel: bool) -> Vec<(usize, Finished)> {
        let Self { slots, observations, masks, rewards, ended, finished, chosen } = self;
        let (width, actions) = (kit.observation(), kit.vocabulary.len());
        if parallel && slots.len() > SHARE {
            let rows = slots.par_iter_mut().zip(observations.par_chunks_mut(width)).zip(masks.par_chunks_mut(actions));
            let outcomes = rewards.par_iter_mut().zip(ended.par_iter_mut()).zip(finished.par_iter_mut());
            let all = rows.zip(outcomes).zip(chosen.par_iter()).with_min_len(SHARE);
            all.for_each(|((((slot, observation), mask), ((reward, ended), finished)), &action)| {
                let row = Row { slot, observation, mask: masked.then_some(mask) };
                autoreset.step(row, Outcome { reward, ended, finished }, action);
            });
        } else {
            let rows = slots.iter_mut().zip(observations.chunks_mut(width)).zip(masks.chunks_mut(actions));
            let outcomes = rewards.iter_mut().zip(ended.iter_mut()).zip(finished.iter_mut());
            let all = rows.zip(outcomes).zip(chosen.iter());
            all.for_each(|((((slot, observation), mask), ((reward, ended), finished)), &action)| {
                let row = Row { slot, observation, mask: masked.then_some(mask) };
                autoreset.step(row, Outcome { reward, ended, finished }, action);
            });
        }
        finished.iter_mut().enumerate().filter_map(|(at, finished)| Some((at, finished.take()?))).collect()
    }
}
