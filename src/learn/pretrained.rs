//! Owns policies that were trained before: what a checkpoint must say to be of use here, and fitting one to a preset
//! that offers other actions.
//!
//! Must not know how it was trained. A checkpoint counts actions and features by their numbers; where the table of
//! instructions, the vocabulary or an observation's layout has changed since, the numbers mean something else, and the
//! checkpoint is refused.

use super::checkpoint::{self, Card, CheckpointError};
use super::episode::{Episode, Vocabulary, observe};
use super::infer::{Actor, Scratch};
use super::network::Network;
use super::optim::Adam;
use super::policy::{ActorCritic, Shape};
use crate::seed::Rng;
use crate::weave::action::{self, Action};
use crate::weave::chooser::Chooser;
use crate::weave::config::WeaveConfig;
use crate::weave::prior::Prior;
use crate::weave::recipe::GENERATOR;
use crate::weave::weaver::Weaver;
use crate::weave::weaver::goal::Goal;

type Tensors<T> = candle_core::Result<T>;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// Where a card says what its policy's numbers mean.
const TABLE: &str = "instruction_table";
/// Where a card says which actions its outputs stand for.
const ACTIONS: &str = "actions";
/// Where a card says how many places its last outputs stand for, if any.
const PLACES: &str = "places";
/// What the files of policies end with.
const ENDING: &str = "safetensors";
/// Policies that the binary carries, so that it needs no files beside it.
const SHIPPED: [(&str, &[u8]); 1] =
    [("policies/aligned.safetensors", include_bytes!("../../policies/aligned.safetensors"))];

/// The hash of everything that the numbers in a checkpoint mean.
pub(crate) static TABLE_HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for number in 0..action::COUNT {
        let name = match Action::from_number(number) {
            Action::Instr(op) => op.mnemonic().to_owned(),
            other => format!("{other:?}"),
        };
        hasher.update(name.as_bytes()).update(&[0]);
    }
    hasher.update(GENERATOR.as_bytes()).update(&(Episode::OBSERVATION as u64).to_le_bytes());
    hasher.finalize().to_hex()[..16].to_string()
});

/// A policy that was trained before.
#[derive(Debug)]
pub struct Pretrained {
    /// What it is.
    pub card: Card,
    policy: ActorCritic,
    vocabulary: Vocabulary,
}

/// What a card must say for [`Pretrained::load`] to read the policy again.
pub fn metadata(vocabulary: &Vocabulary) -> BTreeMap<String, String> {
    let actions: Vec<String> = vocabulary.actions().map(|number| number.to_string()).collect();
    let mut metadata =
        BTreeMap::from([(TABLE.to_owned(), TABLE_HASH.clone()), (ACTIONS.to_owned(), actions.join(" "))]);
    if vocabulary.places() > 0 {
        metadata.insert(PLACES.to_owned(), vocabulary.places().to_string());
    }
    metadata
}

impl Pretrained {
    /// Reads a checkpoint; the ending of its name may be left out.
    ///
    /// # Errors
    /// As [`checkpoint::load`], and if it belongs to another table of instructions.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let path = with_ending(path);
        let shipped = SHIPPED.iter().find(|(name, _)| Path::new(name) == path && !path.exists());
        let (policy, _, card) = match shipped {
            Some((_, bytes)) => checkpoint::read(&path, bytes)?,
            None => checkpoint::load(&path)?,
        };
        let table = BTreeMap::from([(TABLE.to_owned(), TABLE_HASH.clone())]);
        card.check_fits(Episode::OBSERVATION, card.n_actions, &table)?;
        let numbers = card.metadata.get(ACTIONS).into_iter().flat_map(|text| text.split(' '));
        let numbers: Option<Vec<u16>> = numbers.map(|number| number.parse().ok()).collect();
        let places = card.metadata.get(PLACES).and_then(|text| text.parse().ok()).unwrap_or(0);
        let vocabulary = numbers.and_then(Vocabulary::of_actions).map(|known| known.with_places(places));
        let vocabulary = vocabulary.filter(|known| known.len() == card.n_actions);
        let reason = "its card does not say which actions it chooses among".to_owned();
        let vocabulary = vocabulary.ok_or(CheckpointError::Corrupt { path, reason })?;
        Ok(Self { card, policy, vocabulary })
    }

    /// A hash of its weights: 32 hexadecimal digits.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub fn hash(&self) -> Tensors<String> {
        let mut hasher = blake3::Hasher::new();
        for (name, var) in self.policy.parameters() {
            hasher.update(name.as_bytes());
            var.flatten_all()?.to_vec1::<f32>()?.iter().for_each(|x| {
                hasher.update(&x.to_le_bytes());
            });
        }
        Ok(hasher.finalize().to_hex()[..32].to_string())
    }

    /// The policy with one output for each action of another vocabulary. What it never chose among starts from these
    /// logits, one for each output, moved to where the policy's own lie on average.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub fn fitted(&self, vocabulary: &Vocabulary, logits: &[f32]) -> Tensors<ActorCritic> {
        let Shape { obs_dim, network, .. } = self.policy.shape().clone();
        let shape = Shape { obs_dim, n_actions: vocabulary.len(), network };
        let place = |part: usize| (part < self.vocabulary.places()).then(|| self.vocabulary.place(part as u8));
        let actions = vocabulary.actions().map(|number| self.vocabulary.output(number));
        let from: Vec<Option<usize>> = actions.chain((0..vocabulary.places()).map(place)).collect();
        let old: Vec<(&str, Vec<f32>)> = self
            .policy
            .parameters()
            .iter()
            .map(|(name, var)| Ok((name.as_str(), var.flatten_all()?.to_vec1::<f32>()?)))
            .collect::<Tensors<_>>()?;
        let [weight, bias] = head(&shape.network).map(|part| format!("actor.{part}"));
        let values = old.into_iter().map(|(name, values)| match name {
            _ if name == weight => columns(&values, self.vocabulary.len(), &from),
            _ if name == bias => biases(&values, &from, logits),
            _ if name.ends_with("recent.action") => rows(&values, self.vocabulary.len() + 1, &from),
            _ => values,
        });
        ActorCritic::from_values(shape, values.collect())
    }

    /// The policy as a chooser under these settings; the prior speaks for what it never chose among.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub fn chooser(&self, config: &WeaveConfig, prior: &Prior) -> Tensors<PolicyChooser> {
        let vocabulary = Arc::new(Vocabulary::new(config));
        let policy = self.fitted(&vocabulary, &vocabulary.select(&prior.logits(&config.instructions())))?;
        Ok(PolicyChooser { actor: Actor::new(&policy)?, observation: policy.shape().observation(), vocabulary })
    }
}

/// The file of a policy whose ending may have been left out.
pub fn with_ending(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|end| end == ENDING) {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ENDING);
    name.into()
}

/// Keeps a policy for [`Pretrained::load`]: without its optimiser: training does not go on.
///
/// # Errors
/// The disk.
pub fn save(path: &Path, policy: &ActorCritic, card: &Card) -> Result<(), CheckpointError> {
    checkpoint::save(path, policy, None::<&Adam>, card)
}

/// The names of weight and bias of a network's last layer.
fn head(network: &Network) -> [String; 2] {
    let last = network.hidden.len();
    [format!("{last}.weight"), format!("{last}.bias")]
}

/// Of a matrix with so many columns these, zeros where there is none.
fn columns(matrix: &[f32], width: usize, from: &[Option<usize>]) -> Vec<f32> {
    matrix.chunks_exact(width).flat_map(|row| from.iter().map(|at| at.map_or(0.0, |at| row[at]))).collect()
}

/// The row of "no action", and those of these actions.
fn rows(matrix: &[f32], height: usize, from: &[Option<usize>]) -> Vec<f32> {
    let width = matrix.len() / height;
    let row = |at: usize| &matrix[at * width..][..width];
    let zeros = vec![0.0; width];
    let others = from.iter().map(|at| at.map_or(&zeros[..], |at| row(at + 1)));
    [row(0)].into_iter().chain(others).flatten().copied().collect()
}

/// The trained biases; where there is none, the logit and what the others are above theirs on average.
fn biases(trained: &[f32], from: &[Option<usize>], logits: &[f32]) -> Vec<f32> {
    let above: Vec<f32> = from.iter().zip(logits).filter_map(|(at, logit)| Some(trained[(*at)?] - logit)).collect();
    let mean = above.iter().sum::<f32>() / above.len().max(1) as f32;
    from.iter().zip(logits).map(|(at, logit)| at.map_or(logit + mean, |at| trained[at])).collect()
}

/// A policy that weaves and does not learn. Each program aims at a fuel within its preset's bounds.
#[derive(Debug)]
pub struct PolicyChooser {
    actor: Actor,
    /// Numbers of an observation.
    observation: usize,
    vocabulary: Arc<Vocabulary>,
}

impl Chooser for PolicyChooser {
    fn weave(&self, weaver: &mut Weaver, rng: &mut Rng) {
        let goal = Goal::draw(weaver.config().fuel, None, rng);
        let (mut seen, mut scratch, mut legal) = (vec![0.0; self.observation], Scratch::default(), Vec::new());
        let mut done = weaver.legal().is_empty();
        while !done {
            legal.clear();
            legal.extend(weaver.legal().numbers().filter_map(|number| self.vocabulary.output(number)));
            let output = match legal[..] {
                [only] => only,
                _ => {
                    observe(weaver, Some(&goal), &self.vocabulary, &mut seen);
                    self.actor.sample(&seen, &legal, rng, &mut scratch).0
                }
            };
            done = weaver.step_number(self.vocabulary.action(output));
        }
    }
}

#[cfg(test)]
mod tests;
