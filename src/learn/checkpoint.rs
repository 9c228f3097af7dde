//! Owns keeping a policy: weights, the optimiser's moments and what is needed to go on, in one safetensors file with a
//! YAML card beside it.
//!
//! Must not know what the metadata means. The safetensors file holds everything, the card included, so that one rename
//! replaces the whole checkpoint: a run killed at any moment finds the old one or the new one. The card beside it is a
//! copy for people, never read. candle writes safetensors without their metadata, so the header is written here.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::network::Network;
use super::optim::{Adam, Moments};
use super::policy::{ActorCritic, Shape};

/// The version of the file that is written, and the only one that is read.
pub const FORMAT: u32 = 2;

/// What a checkpoint is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Version of the file, [`FORMAT`].
    pub format: u32,
    /// Features in one observation.
    pub obs_dim: usize,
    /// Actions, legal or not.
    pub n_actions: usize,
    /// The actor and the critic but for their ends.
    pub network: Network,
    /// Updates done so far.
    pub updates: u64,
    /// Episodes learned from so far.
    pub episodes: u64,
    /// All that the caller must find again: what observations and actions mean, seeds, the preset.
    pub metadata: BTreeMap<String, String>,
}

impl Card {
    /// The card of a policy in its present state.
    pub fn new(policy: &ActorCritic, updates: u64, episodes: u64, metadata: BTreeMap<String, String>) -> Self {
        let Shape { obs_dim, n_actions, network } = policy.shape().clone();
        Self { format: FORMAT, obs_dim, n_actions, network, updates, episodes, metadata }
    }

    /// Refuses a checkpoint whose policy does not fit what the caller is about to use it for: other sizes, or another
    /// value (or none) under a key of `metadata`. Keys that only the checkpoint has are free.
    pub fn check_fits(
        &self,
        obs_dim: usize,
        n_actions: usize,
        metadata: &BTreeMap<String, String>,
    ) -> Result<(), CheckpointError> {
        let sizes = [("obs_dim", self.obs_dim, obs_dim), ("n_actions", self.n_actions, n_actions)];
        let sizes = sizes.map(|(key, found, wanted)| (key, found.to_string(), wanted.to_string()));
        let texts = metadata.iter().map(|(key, wanted)| {
            let found = self.metadata.get(key).cloned().unwrap_or_else(|| "nothing".to_owned());
            (key.as_str(), found, wanted.clone())
        });
        match sizes.into_iter().chain(texts).find(|(_, found, wanted)| found != wanted) {
            Some((key, found, wanted)) => Err(CheckpointError::Mismatch { key: key.to_owned(), found, wanted }),
            None => Ok(()),
        }
    }

    /// Refuses a checkpoint of another kind or size of network than the caller's settings ask for.
    pub fn check_network(&self, wanted: &Network) -> Result<(), CheckpointError> {
        if self.network == *wanted {
            return Ok(());
        }
        let (found, wanted) = (self.network.to_string(), wanted.to_string());
        Err(CheckpointError::Mismatch { key: "network".to_owned(), found, wanted })
    }
}

/// Why a checkpoint could not be kept or used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The disk, or the path.
    #[error("{path}: {source}; check the path, or make a policy with `harness train --out`")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a file that [`save`] wrote, or not all of it.
    #[error("{path} is no usable checkpoint: {reason}; choose another one or train anew")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Written by another version of this program.
    #[error(
        "{path} has checkpoint format {found}, this program reads {FORMAT}; use the version that wrote it or train anew"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The policy was trained for something else.
    #[error(
        "the checkpoint has {key} {found} where {wanted} is needed; use the preset it was trained with, or train anew"
    )]
    Mismatch {
        /// A size or a metadata key.
        key: String,
        /// The checkpoint's value.
        found: String,
        /// The value that the caller needs.
        wanted: String,
    },
    /// candle could not read or make a tensor.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Names of the optimiser's tensors start with these.
const FIRST: &str = "adam.first.";
const SECOND: &str = "adam.second.";
/// What the name of a card ends with; a preset may have the name without `card`.
const CARD_ENDING: &str = "card.yaml";

/// Writes a checkpoint to `path` (`.safetensors`) and its card beside it (`.card.yaml`), replacing what was there.
/// Without the optimiser the file is a third as large; further training begins with a fresh one.
///
/// # Panics
/// If the optimiser was made for another policy.
pub fn save(path: &Path, policy: &ActorCritic, optimizer: Option<&Adam>, card: &Card) -> Result<(), CheckpointError> {
    let fits = optimizer.is_none_or(|optimizer| optimizer.moments.len() == policy.parameters().len());
    assert!(fits, "the optimiser was made for another policy");
    let mut tensors = Vec::new();
    for (at, (name, var)) in policy.parameters().iter().enumerate() {
        let dims = var.dims().to_vec();
        tensors.push((name.clone(), dims.clone(), var.flatten_all()?.to_vec1::<f32>()?));
        if let Some(moments) = optimizer.map(|optimizer| &optimizer.moments[at]) {
            tensors.push((format!("{FIRST}{name}"), dims.clone(), moments.first.clone()));
            tensors.push((format!("{SECOND}{name}"), dims, moments.second.clone()));
        }
    }
    let card = serde_yaml::to_string(card).expect("a card is plain data");
    write_atomically(path, &encode(&tensors, &card, optimizer.map_or(0, |optimizer| optimizer.steps)))?;
    write_atomically(&path.with_extension(CARD_ENDING), card.as_bytes())
}

/// Reads a checkpoint. Call [`Card::check_fits`] before using the policy.
pub fn load(path: &Path) -> Result<(ActorCritic, Adam, Card), CheckpointError> {
    let bytes = std::fs::read(path).map_err(|source| CheckpointError::Io { path: path.to_owned(), source })?;
    read(path, &bytes)
}

/// As [`load`], of a file that is in memory; errors name `path`.
pub fn read(path: &Path, bytes: &[u8]) -> Result<(ActorCritic, Adam, Card), CheckpointError> {
    let corrupt = |reason: String| CheckpointError::Corrupt { path: path.to_owned(), reason };
    let (header, data) = split(bytes).map_err(corrupt)?;
    let text = |key: &str| header.get(key).ok_or_else(|| corrupt(format!("its metadata has no {key}")));

    // The format comes first: a later one may have other fields in its card.
    let card: serde_yaml::Value = serde_yaml::from_str(text("card")?).map_err(|error| corrupt(error.to_string()))?;
    let format = card.get("format").and_then(serde_yaml::Value::as_u64).unwrap_or_default() as u32;
    if format != FORMAT {
        return Err(CheckpointError::Format { path: path.to_owned(), found: format });
    }
    let steps = text("adam_steps")?;
    if *text("blake3")? != checksum(text("card")?, steps, data) {
        return Err(corrupt("its contents do not match its checksum".to_owned()));
    }
    let card: Card = serde_yaml::from_value(card).map_err(|error| corrupt(error.to_string()))?;
    let steps = steps.parse().map_err(|_| corrupt(format!("adam_steps is {steps:?}")))?;

    let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
    let (policy, moments) = rebuild(&card, &tensors).map_err(corrupt)??;
    Ok((policy, Adam { steps, moments }, card))
}

/// The policy and the optimiser's moments, or which tensor is missing or of another shape than the card says.
fn rebuild(
    card: &Card,
    tensors: &HashMap<String, Tensor>,
) -> Result<candle_core::Result<(ActorCritic, Vec<Moments>)>, String> {
    let shape = Shape { obs_dim: card.obs_dim, n_actions: card.n_actions, network: card.network.clone() };
    if card.network.hidden.is_empty() && card.network.sequence.is_some() {
        return Err("its network has no hidden layer".to_owned());
    }
    let read = |name: &str, dims: &[usize]| -> Result<Vec<f32>, String> {
        let tensor = tensors.get(name).ok_or_else(|| format!("it has no tensor {name}"))?;
        if tensor.dims() != dims || dims.contains(&0) {
            return Err(format!("{name} has shape {:?}, its card says {dims:?}", tensor.dims()));
        }
        tensor.flatten_all().and_then(|flat| flat.to_vec1()).map_err(|error| format!("{name}: {error}"))
    };
    let (mut values, mut moments) = (Vec::new(), Vec::new());
    let has_moments = tensors.keys().any(|name| name.starts_with(FIRST));
    for (name, dims) in shape.parameters() {
        values.push(read(&name, &dims)?);
        let moment = |kind: &str| match has_moments {
            true => read(&format!("{kind}{name}"), &dims),
            false => Ok(vec![0.0; dims.iter().product()]),
        };
        moments.push(Moments { first: moment(FIRST)?, second: moment(SECOND)? });
    }
    Ok(ActorCritic::from_values(shape, values).map(|policy| (policy, moments)))
}

/// A safetensors file: the header's length (u64, little-endian), the header (JSON, padded to 8 bytes), the data.
fn encode(tensors: &[(String, Vec<usize>, Vec<f32>)], card: &str, steps: u32) -> Vec<u8> {
    let mut data = Vec::new();
    let mut header = serde_json::Map::new();
    for (name, dims, values) in tensors {
        let start = data.len();
        values.iter().for_each(|value| data.extend_from_slice(&value.to_le_bytes()));
        let entry = serde_json::json!({ "dtype": "F32", "shape": dims, "data_offsets": [start, data.len()] });
        header.insert(name.clone(), entry);
    }
    let steps = steps.to_string();
    let checksum = checksum(card, &steps, &data);
    let metadata = serde_json::json!({ "format": "pt", "card": card, "adam_steps": steps, "blake3": checksum });
    header.insert("__metadata__".to_owned(), metadata);
    let mut header = serde_json::Value::Object(header).to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

/// The metadata and the data of a safetensors file, or what is wrong with it.
fn split(bytes: &[u8]) -> Result<(BTreeMap<String, String>, &[u8]), String> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(rename = "__metadata__", default)]
        metadata: BTreeMap<String, String>,
    }
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or("it is too short")?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| "its header is too long")?;
    let (header, data) = rest.split_at_checked(length).ok_or("it ends within its header")?;
    let header: Header = serde_json::from_slice(header).map_err(|error| error.to_string())?;
    Ok((header.metadata, data))
}

fn checksum(card: &str, steps: &str, data: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [card.as_bytes(), steps.as_bytes()] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.update(data).finalize().to_hex().to_string()
}

/// Writes beside the file, then renames: readers find the old contents or the new ones.
fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), CheckpointError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| CheckpointError::Io { path, source }
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(io(folder))?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let mut file = File::create(&temporary).map_err(io(&temporary))?;
    file.write_all(contents).and_then(|()| file.sync_all()).map_err(io(&temporary))?;
    std::fs::rename(&temporary, path).map_err(io(path))
}
