//! Owns the report on a finished episode: a few numbers at once, everything else when it is asked for.
//!
//! Must not know environments. It keeps the recipe, from which the program is woven again, so that those who look at no
//! program pay for none.

use crate::border::{apart, bug, json};
use crate::kit::Kit;
use pyo3::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use wasmweaver::item::make::Draft;
use wasmweaver::item::record::Recipe;
use wasmweaver::item::task::place::Placement;
use wasmweaver::learn::episode::Episode;
use wasmweaver::learn::train::judge::Judge;
use wasmweaver::learn::train::sample::Sample;
use wasmweaver::seed::Seed;
use wasmweaver::wasm::isa::Op;
use wasmweaver::wasm::machine::Machine;
use wasmweaver::wasm::oracle::Oracle;
use wasmweaver::wasm::rerun::Execution;
use wasmweaver::weave::recipe::{GENERATOR, rebuild};
use wasmweaver::weave::weaver::goal::Goal;

/// How an episode ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// With a program.
    Woven { fuel: u64, bytes: u32, align: f64, length: f64 },
    /// With a choice that was not legal, say.
    Failed(String),
}

/// A finished episode.
#[pyclass(frozen, module = "wasmweaver")]
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) kit: Arc<Kit>,
    /// Of the episode; the weaver's is made of it.
    pub(crate) seed: Seed,
    pub(crate) actions: Vec<u16>,
    pub(crate) place: Option<u8>,
    pub(crate) goal: Goal,
    /// Which program of its environment's seed it is.
    #[pyo3(get)]
    pub(crate) number: u64,
    /// Steps that its environment took since it was seeded.
    pub(crate) step: u64,
    #[pyo3(get)]
    pub(crate) reward: f64,
    pub(crate) end: End,
    /// The last observation, where the environment went on at once.
    pub(crate) last: Option<Vec<f32>>,
}

#[pymethods]
impl Finished {
    /// Why it failed; `None` if it did not.
    #[getter]
    fn failure(&self) -> Option<&str> {
        match &self.end {
            End::Failed(why) => Some(why),
            End::Woven { .. } => None,
        }
    }

    /// Choices that were made.
    #[getter]
    fn length(&self) -> usize {
        self.actions.len()
    }

    /// Fuel that it aimed at.
    #[getter]
    fn target_fuel(&self) -> u32 {
        self.goal.fuel
    }

    /// Fuel, bytes, R_align and R_length of the program; zeros if it failed.
    #[getter]
    fn figures(&self) -> (u64, u32, f64, f64) {
        match self.end {
            End::Woven { fuel, bytes, align, length } => (fuel, bytes, align, length),
            End::Failed(_) => (0, 0, 0.0, 0.0),
        }
    }

    /// Copies the last observation into a buffer of as many floats.
    fn last_observation(&self, py: Python<'_>, out: pyo3::buffer::PyBuffer<f32>) -> PyResult<()> {
        self.last.as_ref().map_or(Ok(()), |last| out.copy_from_slice(py, last))
    }

    /// Everything about the program, as JSON; `None` if there is none.
    fn json(&self, py: Python<'_>) -> PyResult<Option<String>> {
        match self.end {
            End::Failed(_) => Ok(None),
            End::Woven { .. } => apart(py, || self.tell().and_then(|told| json(&told)))?.map(Some),
        }
    }
}

impl Finished {
    fn tell(&self) -> PyResult<Map<String, Value>> {
        let kit = &self.kit;
        let weaver = rebuild(kit.loom.clone(), GENERATOR, self.seed.to_u64(), &self.actions).map_err(bug)?;
        let mut episode = Episode::new(&kit.loom, &kit.vocabulary, self.seed.to_u64()).with_goal(self.goal);
        episode.weaver = weaver;
        let (weaver, limit) = (&episode.weaver, u64::from(kit.preset.weave.fuel.max));
        let look = Judge::default().look(weaver, &self.goal).ok_or_else(|| bug("a program trapped that ran before"))?;
        let (program, entry, machine) = (weaver.program(), weaver.entry(), &mut Machine::default());
        let ran = Execution { machine, program, entry, fuel_limit: limit }.run_to_end().map_err(bug)?;
        let sample = Sample::new(self.step, self.number, &episode, &look, self.reward as f32);
        let items = self.items(&episode)?;
        let counts = Op::ALL.iter().zip(&look.tally.opcodes).filter(|(_, count)| **count > 0.0);
        let histogram: Map<String, Value> =
            counts.map(|(op, &n)| (op.mnemonic().to_owned(), json!(n as u64))).collect();
        let recipe = Recipe { generator: GENERATOR.into(), seed: weaver.seed(), actions: self.actions.clone() };
        let mut told = match serde_json::to_value(&sample).map_err(bug)? {
            Value::Object(told) => told,
            _ => return Err(bug("a sample is no object")),
        };
        if let Some(item) = items.iter().flatten().next() {
            told["wat_str"] = item.item.program.clone().into();
        }
        told["reward"] = self.reward.into();
        told.insert("bytes".into(), weaver.bytes().into());
        told.insert("instructions".into(), (look.instructions() as u64).into());
        told.insert("histogram".into(), histogram.into());
        told.insert("return_values".into(), serde_json::to_value(&ran.results).map_err(bug)?);
        told.insert("canonical".into(), look.canonical.into());
        told.insert("recipe".into(), serde_json::to_value(&recipe).map_err(bug)?);
        let items: Vec<Option<&_>> = items.iter().map(|draft| draft.as_ref().map(|draft| &draft.item)).collect();
        told.insert("items".into(), serde_json::to_value(&items).map_err(bug)?);
        Ok(told)
    }

    /// The question of each task, where there is one worth asking.
    fn items(&self, episode: &Episode) -> PyResult<Vec<Option<Draft>>> {
        let ask = |source: &wasmweaver::item::source::ItemSource| {
            let mut maker = source.maker();
            let mut rng = self.seed.child("probe").rng();
            let placement = match self.place.filter(|_| maker.places() > 0) {
                Some(part) => Placement::Part(part),
                None => Placement::Random(&mut rng),
            };
            let draft = maker.make(&episode.weaver, self.number.to_string(), placement);
            if let Some(draft) = draft.as_ref().filter(|_| self.kit.confirm) {
                draft.confirm(&Oracle::new()).map_err(|difference| bug(format!("wasmtime disagrees: {difference}")))?;
            }
            Ok(draft)
        };
        self.kit.sources.iter().map(ask).collect()
    }
}
