//! Owns what kinds of networks there are, and one of them as tensors: its parameters and its forward pass.
//!
//! Must not know that there are two of them, an actor and a critic, nor what their outputs mean. Three kinds: the small
//! perceptron, two wide layers as the original WasmWeaver had them, and a perceptron that also reads the latest actions
//! one by one, through an attention whose question comes from the observation (Vaswani et al. 2017; one layer, so that
//! acting stays cheap). Such an observation has the latest actions behind its features: as many numbers as the network
//! reads, the latest first, an action's number plus one, or 0 before the first action.

use std::fmt;
use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Embedding, Module};
use serde::{Deserialize, Serialize};

use super::sparse::{Aside, Rows};

/// Which network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// A small multi-layer perceptron.
    #[default]
    Mlp,
    /// The original's: two layers of 512 and 256 units with tanh.
    Towers,
    /// A perceptron that also reads the latest actions one by one.
    Sequence,
}

/// What stands between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// The positive part.
    Relu,
    /// The hyperbolic tangent; on the processor about a hundred times slower.
    Tanh,
}

impl Activation {
    /// Of one number.
    pub fn of(self, x: f32) -> f32 {
        match self {
            Self::Relu => x.max(0.0),
            Self::Tanh => x.tanh(),
        }
    }

    fn of_all(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Relu => x.relu(),
            Self::Tanh => x.tanh(),
        }
    }
}

/// How the latest actions are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sequence {
    /// How many of them.
    pub actions: usize,
    /// Numbers that stand for one action.
    pub width: usize,
    /// Questions asked at once; each has its share of the width.
    pub heads: usize,
}

impl Default for Sequence {
    fn default() -> Self {
        Self { actions: 32, width: 32, heads: 4 }
    }
}

/// A network but for its inputs and outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Which one.
    pub kind: NetworkKind,
    /// Widths of the hidden layers. None makes it linear.
    pub hidden: Vec<usize>,
    /// What stands between them.
    pub activation: Activation,
    /// How the latest actions are read, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {:?}", self.kind, self.hidden, self.activation)?;
        let Some(Sequence { actions, width, heads }) = self.sequence else { return Ok(()) };
        write!(f, " over {actions} actions of {width} numbers with {heads} heads")
    }
}

/// What an observation and an answer are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ends {
    /// Features of an observation.
    pub(super) inputs: usize,
    /// Numbers that the latest actions may have, "none" included.
    pub(super) tokens: usize,
    /// Numbers of an answer.
    pub(super) outputs: usize,
    /// Gain of the last layer.
    pub(super) gain: f64,
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Start {
    Zero,
    /// Rows or columns, whichever are fewer, orthogonal with this norm (Saxe et al. 2014).
    Orthogonal(f64),
    /// Independent, with this deviation.
    Normal(f64),
}

/// Name, dimensions and start of a parameter.
pub(super) type Parameter = (String, Vec<usize>, Start);

/// Parameters that the sequence has before those of the layers.
const OF_SEQUENCE: usize = 7;
/// Gain of the orthogonal initialisation where a ReLU follows.
const HIDDEN_GAIN: f64 = std::f64::consts::SQRT_2;

impl Network {
    /// Every parameter in order; weights are `[in, out]`.
    pub(super) fn parameters(&self, ends: Ends) -> Vec<Parameter> {
        let widths: Vec<usize> =
            [ends.inputs].into_iter().chain(self.hidden.iter().copied()).chain([ends.outputs]).collect();
        let mut parameters = Vec::new();
        let mut add = |name: String, dims: &[usize], start| parameters.push((name, dims.to_vec(), start));
        if let Some(Sequence { actions, width, .. }) = self.sequence {
            let small = Start::Normal(1.0 / (width as f64).sqrt());
            let square = [width, width];
            add("recent.action".into(), &[ends.tokens, width], small);
            add("recent.place".into(), &[actions, width], small);
            add("recent.query.weight".into(), &[ends.inputs, width], Start::Orthogonal(1.0));
            add("recent.query.bias".into(), &[width], Start::Zero);
            add("recent.key".into(), &square, Start::Orthogonal(1.0));
            add("recent.value".into(), &square, Start::Orthogonal(1.0));
            add("recent.output".into(), &[width, widths[1]], Start::Orthogonal(HIDDEN_GAIN));
        }
        let last = self.hidden.len();
        for (layer, pair) in widths.windows(2).enumerate() {
            let gain = if layer == last { ends.gain } else { HIDDEN_GAIN };
            add(format!("{layer}.weight"), pair, Start::Orthogonal(gain));
            add(format!("{layer}.bias"), &pair[1..], Start::Zero);
        }
        parameters
    }

    /// Numbers that one observation becomes at most on its way through, with so many outputs.
    pub(super) fn widest(&self, outputs: usize) -> usize {
        let read = self.sequence.map_or(0, |sequence| sequence.actions * sequence.width);
        self.hidden.iter().copied().chain([outputs, read]).max().unwrap_or(outputs)
    }

    /// How many of the latest actions an observation ends with.
    pub fn history(&self) -> usize {
        self.sequence.map_or(0, |sequence| sequence.actions)
    }

    /// The parameters of the sequence, if there is one, and weight and bias of each layer.
    pub(super) fn split<'a, T>(&self, parameters: &'a [T]) -> (Option<&'a [T; OF_SEQUENCE]>, &'a [[T; 2]]) {
        let (sequence, layers) = match self.sequence {
            Some(_) => parameters.split_first_chunk().map_or((None, parameters), |(some, rest)| (Some(some), rest)),
            None => (None, parameters),
        };
        (sequence, layers.as_chunks().0)
    }

    /// `[n, outputs]`.
    pub(super) fn forward(&self, parameters: &[Tensor], inputs: &Inputs) -> Result<Tensor> {
        let (sequence, layers) = self.split(parameters);
        let mut x = inputs.times(&layers[0][0])?.broadcast_add(&layers[0][1])?;
        if let (Some(shape), Some(parameters), Some(recent)) = (self.sequence, sequence, &inputs.recent) {
            x = (x + shape.read(parameters, inputs, recent)?)?;
        }
        for [weight, bias] in &layers[1..] {
            x = self.activation.of_all(&x)?.matmul(weight)?.broadcast_add(bias)?;
        }
        Ok(x)
    }
}

impl Sequence {
    /// What the latest actions add to the first layer.
    fn read(self, parameters: &[Tensor; OF_SEQUENCE], inputs: &Inputs, recent: &Tensor) -> Result<Tensor> {
        let [action, place, query, query_bias, key, value, output] = parameters;
        let (n, apart) = (inputs.len, self.width / self.heads);
        // (action + place) * key, with the product taken before there is one row for each place of each observation.
        let each = |by: &Tensor| {
            let rows = Embedding::new(action.matmul(by)?, self.width).forward(recent)?;
            let rows = rows.reshape((n, self.actions, self.width))?;
            rows.broadcast_add(&place.matmul(by)?)?.reshape((n, self.actions, self.heads, apart))
        };
        let query = inputs.times(query)?.broadcast_add(query_bias)?.reshape((n, 1, self.heads, apart))?;
        let scores = (each(key)?.broadcast_mul(&query)?.sum(3)? / (apart as f64).sqrt())?;
        let weights = scores.broadcast_sub(&scores.max_keepdim(1)?.detach())?.exp()?;
        let shares = weights.broadcast_div(&weights.sum_keepdim(1)?)?;
        let read = each(value)?.broadcast_mul(&shares.unsqueeze(3)?)?.sum(1)?;
        read.reshape((n, self.width))?.matmul(output)
    }
}

/// Observations as a network takes them.
#[derive(Clone, Debug)]
pub struct Inputs {
    len: usize,
    features: Features,
    /// Gradients of what the features were multiplied by.
    aside: Aside,
    /// `[n * actions]` of type u32.
    recent: Option<Tensor>,
}

#[derive(Clone, Debug)]
enum Features {
    /// On the processor.
    Sparse(Arc<Rows>),
    /// `[n, inputs]`, elsewhere.
    Full(Tensor),
}

impl Inputs {
    /// The features times a weight.
    fn times(&self, weight: &Tensor) -> Result<Tensor> {
        match &self.features {
            Features::Sparse(rows) => rows.product(weight, &self.aside),
            Features::Full(rows) => rows.matmul(weight),
        }
    }

    /// After a backward pass: the gradient of a variable that candle's store does not have.
    pub(super) fn gradient(&self, var: &Tensor) -> Option<Vec<f32>> {
        self.aside.take(var)
    }
}

/// Many observations, from which some are taken again and again.
#[derive(Debug)]
pub(super) struct Observations<'a> {
    inputs: usize,
    history: usize,
    rows: &'a [f32],
    /// Made once, where it is of use.
    sparse: Option<Rows>,
    device: Device,
}

impl<'a> Observations<'a> {
    /// `rows` is `[n, inputs + history]`.
    pub(super) fn new(inputs: usize, history: usize, rows: &'a [f32], device: &Device) -> Self {
        let features = || rows.chunks_exact(inputs + history).map(|row| &row[..inputs]);
        let sparse = device.is_cpu().then(|| Rows::new(inputs, features()));
        Self { inputs, history, rows, sparse, device: device.clone() }
    }

    /// These of them, in this order.
    pub(super) fn take(&self, steps: &[usize]) -> Result<Inputs> {
        let row = |&step: &usize| &self.rows[step * (self.inputs + self.history)..][..self.inputs + self.history];
        let features = match &self.sparse {
            Some(rows) => Features::Sparse(Arc::new(rows.select(steps))),
            None => {
                let rows: Vec<f32> = steps.iter().flat_map(|step| &row(step)[..self.inputs]).copied().collect();
                Features::Full(Tensor::from_vec(rows, (steps.len(), self.inputs), &self.device)?)
            }
        };
        let mut recent = None;
        if self.history > 0 {
            let tokens: Vec<f32> = steps.iter().flat_map(|step| &row(step)[self.inputs..]).copied().collect();
            recent = Some(Tensor::from_vec(tokens, steps.len() * self.history, &self.device)?.to_dtype(DType::U32)?);
        }
        Ok(Inputs { len: steps.len(), features, aside: Aside::default(), recent })
    }
}
