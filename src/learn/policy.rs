//! Owns the two networks: an actor that scores every action and a critic that predicts the return.
//!
//! Must not know the environment, what is legal, or how the networks are trained. They share nothing, so the critic's
//! loss never disturbs the actor. ReLU rather than tanh: candle's tanh is scalar and about a hundred times slower.
//! Parameters are an ordered list, since the order of candle's `VarMap` varies from run to run.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp2, Device, Layout, Result, Tensor, Var};
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::seed::Rng;

/// Gain of the orthogonal initialisation where a ReLU follows.
const HIDDEN_GAIN: f64 = std::f64::consts::SQRT_2;
/// Gain of the actor's last layer: small, so that training starts from (nearly) the prior.
const ACTOR_GAIN: f64 = 0.01;
/// Gain of the critic's last layer.
const CRITIC_GAIN: f64 = 1.0;

/// The size of both networks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// Widths of the hidden layers of the actor, and of the critic. None makes both linear.
    pub hidden: Vec<usize>,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self { hidden: vec![192, 128] }
    }
}

impl PolicyConfig {
    /// Refuses sizes that no network can have.
    pub fn check(&self) -> std::result::Result<(), ConfigError> {
        const WIDEST: usize = 8192;
        if self.hidden.iter().any(|width| !(1..=WIDEST).contains(width)) {
            return Err(ConfigError { field: "hidden", problem: "must hold widths from 1 to 8192" });
        }
        Ok(())
    }
}

/// What two policies must share for one's parameters to fit the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Numbers in one observation.
    pub obs_dim: usize,
    /// Actions, legal or not.
    pub n_actions: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
}

impl Shape {
    /// Name and dimensions of every parameter in order: the actor's weight and bias layer by layer, then the critic's.
    /// Weights are `[in, out]`.
    pub fn parameters(&self) -> Vec<(String, Vec<usize>)> {
        let mut parameters = Vec::new();
        for (tower, outputs) in [("actor", self.n_actions), ("critic", 1)] {
            let widths: Vec<usize> =
                [self.obs_dim].into_iter().chain(self.hidden.iter().copied()).chain([outputs]).collect();
            for (layer, pair) in widths.windows(2).enumerate() {
                parameters.push((format!("{tower}.{layer}.weight"), pair.to_vec()));
                parameters.push((format!("{tower}.{layer}.bias"), vec![pair[1]]));
            }
        }
        parameters
    }
}

/// Actor and critic, two separate multi-layer perceptrons.
#[derive(Debug)]
pub struct ActorCritic {
    shape: Shape,
    parameters: Vec<(String, Var)>,
}

impl ActorCritic {
    /// Fresh networks with orthogonal weights (Saxe et al. 2014) and zero biases.
    ///
    /// `head_bias` holds one initial logit per action: a policy that starts from a prior other than the uniform one.
    ///
    /// # Panics
    /// If `head_bias` has not one entry per action, or a width is zero.
    pub fn new(
        obs_dim: usize,
        n_actions: usize,
        config: &PolicyConfig,
        head_bias: Option<&[f32]>,
        rng: &mut Rng,
    ) -> Result<Self> {
        assert!(head_bias.is_none_or(|bias| bias.len() == n_actions), "one initial logit per action");
        let shape = Shape { obs_dim, n_actions, hidden: config.hidden.clone() };
        let head = config.hidden.len();
        let mut values = Vec::new();
        for (name, dims) in shape.parameters() {
            let gain = match name.split('.').collect::<Vec<_>>()[..] {
                [tower, layer, _] if layer == head.to_string() => {
                    [CRITIC_GAIN, ACTOR_GAIN][usize::from(tower == "actor")]
                }
                _ => HIDDEN_GAIN,
            };
            values.push(match dims[..] {
                [rows, cols] => orthogonal(rows, cols, gain, rng),
                _ => vec![0.0; dims[0]],
            });
        }
        if let Some(bias) = head_bias {
            values[2 * head + 1] = bias.to_vec();
        }
        Self::from_values(shape, values)
    }

    /// Networks with these parameters, flattened, in the order of [`Shape::parameters`].
    ///
    /// # Panics
    /// If the number of values does not fit the shape, or a width is zero.
    pub fn from_values(shape: Shape, values: Vec<Vec<f32>>) -> Result<Self> {
        let wanted = shape.parameters();
        assert_eq!(wanted.len(), values.len(), "one vector per parameter");
        let mut parameters = Vec::with_capacity(wanted.len());
        for ((name, dims), values) in wanted.into_iter().zip(values) {
            assert!(dims.iter().all(|&dim| dim > 0), "{name} would be empty");
            assert_eq!(dims.iter().product::<usize>(), values.len(), "values of {name}");
            parameters.push((name, Var::from_vec(values, dims, &Device::Cpu)?));
        }
        Ok(Self { shape, parameters })
    }

    /// The sizes of the networks.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Every parameter with its name, in the order of [`Shape::parameters`].
    pub fn parameters(&self) -> &[(String, Var)] {
        &self.parameters
    }

    /// The actor's parameters: weight and bias, layer by layer.
    pub(super) fn actor(&self) -> &[(String, Var)] {
        &self.parameters[..self.parameters.len() / 2]
    }

    /// One score per action, `[n, obs_dim] -> [n, n_actions]`, before any mask.
    pub fn logits(&self, observations: &Tensor) -> Result<Tensor> {
        perceptron(self.actor().iter().map(|(_, var)| var.as_tensor().clone()), observations)
    }

    /// The predicted return, `[n, obs_dim] -> [n]`.
    pub fn values(&self, observations: &Tensor) -> Result<Tensor> {
        let critic = &self.parameters[self.parameters.len() / 2..];
        perceptron(critic.iter().map(|(_, var)| var.as_tensor().clone()), observations)?.squeeze(1)
    }

    /// As [`Self::values`], recording no graph.
    pub fn values_detached(&self, observations: &Tensor) -> Result<Tensor> {
        let critic = &self.parameters[self.parameters.len() / 2..];
        perceptron(critic.iter().map(|(_, var)| var.as_detached_tensor()), observations)?.squeeze(1)
    }
}

/// Layers of weight and bias with a ReLU between each two.
fn perceptron(parameters: impl ExactSizeIterator<Item = Tensor>, input: &Tensor) -> Result<Tensor> {
    let parameters: Vec<Tensor> = parameters.collect();
    let last = parameters.len() / 2 - 1;
    let mut x = input.clone();
    for (layer, pair) in parameters.chunks_exact(2).enumerate() {
        let product = if layer == 0 { x.apply_op2(&pair[0], InputProduct)? } else { x.matmul(&pair[0])? };
        x = product.broadcast_add(&pair[1])?;
        if layer < last {
            x = x.relu()?;
        }
    }
    Ok(x)
}

/// Matrix product of observations and weights that sends no gradient to the observations. candle's own computes it only
/// to throw it away, which is a sixth of an update.
struct InputProduct;

impl CustomOp2 for InputProduct {
    fn name(&self) -> &'static str {
        "input-product"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, candle_core::Shape)> {
        let ((n, inputs), (_, outputs)) = (x_at.shape().dims2()?, w_at.shape().dims2()?);
        Ok((x.matmul(w, (1, n, outputs, inputs), x_at, w_at)?, (n, outputs).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((None, Some(x.t()?.matmul(gradient)?)))
    }
}

/// A `rows x cols` matrix, row by row, whose rows or columns (whichever are fewer) are orthogonal with norm `gain`:
/// Gram and Schmidt's process on normal vectors, which draws from the uniform (Haar) distribution.
fn orthogonal(rows: usize, cols: usize, gain: f64, rng: &mut Rng) -> Vec<f32> {
    let (count, length) = (rows.min(cols), rows.max(cols));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut vector: Vec<f64> = (0..length).map(|_| rng.normal()).collect();
        for other in &basis {
            let along = dot(&vector, other);
            vector.iter_mut().zip(other).for_each(|(x, o)| *x -= along * o);
        }
        let norm = dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|x| *x /= norm);
        basis.push(vector);
    }
    let entry = |row: usize, col: usize| if rows < cols { basis[row][col] } else { basis[col][row] };
    (0..rows * cols).map(|at| (gain * entry(at / cols, at % cols)) as f32).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_matrices_are() {
        for (rows, cols) in [(7, 7), (5, 9), (9, 5)] {
            let matrix = orthogonal(rows, cols, 3.0, &mut Rng::from_u64(1));
            let matrix = Tensor::from_vec(matrix, (rows, cols), &Device::Cpu).unwrap();
            let matrix = if rows < cols { matrix } else { matrix.t().unwrap() };
            let gram = matrix.matmul(&matrix.t().unwrap()).unwrap().to_vec2::<f32>().unwrap();
            for (i, row) in gram.iter().enumerate() {
                for (j, &entry) in row.iter().enumerate() {
                    let expected = if i == j { 9.0 } else { 0.0 };
                    assert!((entry - expected).abs() < 1e-4, "{rows}x{cols} [{i}][{j}] = {entry}");
                }
            }
        }
    }

    #[test]
    fn initial_logits_are_near_the_prior_and_depend_on_the_order_of_inputs() -> Result<()> {
        let prior = [0.0, 1.0, 2.0];
        let policy = ActorCritic::new(4, 3, &PolicyConfig::default(), Some(&prior), &mut Rng::from_u64(2))?;
        let observations = Tensor::new(&[[1f32, 0., 0., 2.], [2., 0., 0., 1.]], &Device::Cpu)?;
        let logits = policy.logits(&observations)?.to_vec2::<f32>()?;
        assert!(logits[0].iter().zip(prior).all(|(logit, prior)| (logit - prior).abs() < 0.1), "{logits:?}");
        assert_ne!(logits[0], logits[1]);
        let values = policy.values(&observations)?.to_vec1::<f32>()?;
        assert_ne!(values[0], values[1]);
        assert_eq!(values, policy.values_detached(&observations)?.to_vec1::<f32>()?);
        Ok(())
    }

    #[test]
    fn parameters_have_one_order() {
        let shape = Shape { obs_dim: 4, n_actions: 3, hidden: vec![2] };
        let names: Vec<String> = shape.parameters().into_iter().map(|(name, dims)| format!("{name}{dims:?}")).collect();
        assert_eq!(
            names.join(" "),
            "actor.0.weight[4, 2] actor.0.bias[2] actor.1.weight[2, 3] actor.1.bias[3] \
             critic.0.weight[4, 2] critic.0.bias[2] critic.1.weight[2, 1] critic.1.bias[1]"
        );
    }
}
