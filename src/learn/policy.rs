//! Owns the two networks: an actor that scores every action and a critic that predicts the return.
//!
//! Must not know the environment, what is legal, or how the networks are trained. They share nothing, so the critic's
//! loss never disturbs the actor. ReLU rather than tanh, unless a preset asks for it: candle's tanh is scalar and about
//! a hundred times slower. Parameters are an ordered list, since the order of candle's `VarMap` varies from run to run.

use candle_core::{Device, Result, Tensor, Var};
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::network::{Activation, Ends, Inputs, Network, NetworkKind, Observations, Parameter, Sequence, Start};
use crate::seed::Rng;

/// Gain of the actor's last layer: small, so that training starts from (nearly) the prior.
const ACTOR_GAIN: f64 = 0.01;
/// Gain of the critic's last layer.
const CRITIC_GAIN: f64 = 1.0;

/// The kind and size of both networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// Which network.
    pub network: NetworkKind,
    /// Widths of the hidden layers of the actor, and of the critic. An empty list makes both linear; null takes the
    /// network's own, [192, 128] or, for `towers`, [512, 256].
    pub hidden: Option<Vec<usize>>,
    /// What stands between two layers; null takes the network's own, `relu` or, for `towers`, `tanh`.
    pub activation: Option<Activation>,
    /// How the network `sequence` reads the latest actions.
    pub sequence: Sequence,
}

impl PolicyConfig {
    /// A perceptron with these hidden layers.
    pub fn mlp(hidden: &[usize]) -> Self {
        Self { hidden: Some(hidden.to_vec()), ..Self::default() }
    }

    /// The network that is meant, with what was left out filled in.
    pub fn network(&self) -> Network {
        let (hidden, activation) = match self.network {
            NetworkKind::Mlp | NetworkKind::Sequence => ([192, 128], Activation::Relu),
            NetworkKind::Towers => ([512, 256], Activation::Tanh),
        };
        Network {
            kind: self.network,
            hidden: self.hidden.clone().unwrap_or_else(|| hidden.to_vec()),
            activation: self.activation.unwrap_or(activation),
            sequence: (self.network == NetworkKind::Sequence).then_some(self.sequence),
        }
    }

    /// Refuses sizes that no network can have.
    pub fn check(&self) -> std::result::Result<(), ConfigError> {
        const WIDEST: usize = 8192;
        const LONGEST: usize = 1024;
        let require = |holds: bool, field, problem| if holds { Ok(()) } else { Err(ConfigError { field, problem }) };
        let hidden = self.hidden.iter().flatten().all(|width| (1..=WIDEST).contains(width));
        require(hidden, "hidden", "must hold widths from 1 to 8192")?;
        let linear = self.hidden.as_ref().is_some_and(Vec::is_empty);
        require(
            self.network != NetworkKind::Sequence || !linear,
            "hidden",
            "must not be empty for the network sequence",
        )?;
        let Sequence { actions, width, heads } = self.sequence;
        require((1..=LONGEST).contains(&actions), "sequence", "must read from 1 to 1024 actions")?;
        require((1..=LONGEST).contains(&width), "sequence", "must have a width from 1 to 1024")?;
        require(heads > 0 && width.is_multiple_of(heads), "sequence", "must have heads that divide its width")
    }
}

/// What two policies must share for one's parameters to fit the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Features in one observation.
    pub obs_dim: usize,
    /// Actions, legal or not.
    pub n_actions: usize,
    /// Both networks but for their ends.
    pub network: Network,
}

impl Shape {
    /// Numbers in one observation: its features, then the latest actions that the network reads (see
    /// [`network`](super::network)).
    pub fn observation(&self) -> usize {
        self.obs_dim + self.network.history()
    }

    /// Name and dimensions of every parameter in order: the actor's, layer by layer, then the critic's. Weights are
    /// `[in, out]`.
    pub fn parameters(&self) -> Vec<(String, Vec<usize>)> {
        self.started().into_iter().map(|(name, dims, _)| (name, dims)).collect()
    }

    fn started(&self) -> Vec<Parameter> {
        let towers = [("actor", self.n_actions, ACTOR_GAIN), ("critic", 1, CRITIC_GAIN)];
        let tower = |(tower, outputs, gain): (&str, usize, f64)| {
            let ends = Ends { inputs: self.obs_dim, tokens: self.n_actions + 1, outputs, gain };
            let named = move |(name, dims, start)| (format!("{tower}.{name}"), dims, start);
            self.network.parameters(ends).into_iter().map(named).collect::<Vec<_>>()
        };
        towers.into_iter().flat_map(tower).collect()
    }
}

/// Actor and critic, two separate networks of one kind.
#[derive(Debug)]
pub struct ActorCritic {
    shape: Shape,
    device: Device,
    parameters: Vec<(String, Var)>,
}

impl ActorCritic {
    /// Fresh networks with orthogonal weights (Saxe et al. 2014) and zero biases, on the processor.
    ///
    /// `obs_dim` counts the features of an observation, without the latest actions that the network may read besides.
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
        let shape = Shape { obs_dim, n_actions, network: config.network() };
        let mut values = Vec::new();
        for (_, dims, start) in shape.started() {
            values.push(match (start, &dims[..]) {
                (Start::Orthogonal(gain), &[rows, cols]) => orthogonal(rows, cols, gain, rng),
                (Start::Normal(deviation), _) => {
                    (0..dims.iter().product()).map(|_| (deviation * rng.normal()) as f32).collect()
                }
                _ => vec![0.0; dims.iter().product()],
            });
        }
        if let Some(bias) = head_bias {
            // Of the actor's parameters the last.
            let last = values.len() / 2 - 1;
            values[last] = bias.to_vec();
        }
        Self::from_values(shape, values)
    }

    /// Networks with these parameters, flattened, in the order of [`Shape::parameters`], on the processor.
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
        Ok(Self { shape, device: Device::Cpu, parameters })
    }

    /// The same networks on a device, where updates then compute (see [`device`](super::device)).
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub fn on(self, device: &Device) -> Result<Self> {
        let moved = |(name, var): (String, Var)| Ok((name, Var::from_tensor(&var.to_device(device)?)?));
        let parameters = self.parameters.into_iter().map(moved).collect::<Result<_>>()?;
        Ok(Self { shape: self.shape, device: device.clone(), parameters })
    }

    /// The kind and sizes of the networks.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Where the networks are.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Every parameter with its name, in the order of [`Shape::parameters`].
    pub fn parameters(&self) -> &[(String, Var)] {
        &self.parameters
    }

    /// The actor's parameters.
    pub(super) fn actor(&self) -> &[(String, Var)] {
        &self.parameters[..self.parameters.len() / 2]
    }

    /// The critic's parameters.
    fn critic(&self) -> &[(String, Var)] {
        &self.parameters[self.parameters.len() / 2..]
    }

    /// Prepares `[n, observation]` numbers to be taken from.
    pub(super) fn observations<'a>(&self, rows: &'a [f32]) -> Observations<'a> {
        Observations::new(self.shape.obs_dim, self.shape.network.history(), rows, &self.device)
    }

    /// One score per action, `[n, n_actions]`, before any mask.
    pub fn logits(&self, inputs: &Inputs) -> Result<Tensor> {
        let parameters: Vec<Tensor> = self.actor().iter().map(|(_, var)| var.as_tensor().clone()).collect();
        self.shape.network.forward(&parameters, inputs)
    }

    /// The predicted return, `[n]`.
    pub fn values(&self, inputs: &Inputs) -> Result<Tensor> {
        let parameters: Vec<Tensor> = self.critic().iter().map(|(_, var)| var.as_tensor().clone()).collect();
        self.shape.network.forward(&parameters, inputs)?.squeeze(1)
    }

    /// As [`Self::values`], recording no graph.
    pub fn values_detached(&self, inputs: &Inputs) -> Result<Tensor> {
        let parameters: Vec<Tensor> = self.critic().iter().map(|(_, var)| var.as_detached_tensor()).collect();
        self.shape.network.forward(&parameters, inputs)?.squeeze(1)
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
        let observations = policy.observations(&[1f32, 0., 0., 2., 2., 0., 0., 1.]).take(&[0, 1])?;
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
        let names = |config: &PolicyConfig| {
            let shape = Shape { obs_dim: 4, n_actions: 3, network: config.network() };
            let names = shape.parameters().into_iter().map(|(name, dims)| format!("{name}{dims:?}"));
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            names(&PolicyConfig::mlp(&[2])),
            "actor.0.weight[4, 2] actor.0.bias[2] actor.1.weight[2, 3] actor.1.bias[3] \
             critic.0.weight[4, 2] critic.0.bias[2] critic.1.weight[2, 1] critic.1.bias[1]"
        );
        let sequence: PolicyConfig =
            serde_yaml::from_str("{network: sequence, hidden: [2], sequence: {actions: 7, width: 8}}").unwrap();
        assert!(names(&sequence).starts_with(
            "actor.recent.action[4, 8] actor.recent.place[7, 8] actor.recent.query.weight[4, 8] \
             actor.recent.query.bias[8] actor.recent.key[8, 8] actor.recent.value[8, 8] actor.recent.output[8, 2] \
             actor.0.weight[4, 2]"
        ));
    }

    #[test]
    fn presets_choose_the_network() {
        let network = |yaml: &str| {
            let config: PolicyConfig = serde_yaml::from_str(yaml).unwrap();
            config.check().map(|()| config.network().to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(network("{}").unwrap(), "Mlp [192, 128] Relu");
        assert_eq!(network("{hidden: [64]}").unwrap(), "Mlp [64] Relu");
        assert_eq!(network("{network: towers}").unwrap(), "Towers [512, 256] Tanh");
        assert_eq!(network("{network: towers, activation: relu}").unwrap(), "Towers [512, 256] Relu");
        let sequence = "Sequence [192, 128] Relu over 16 actions of 32 numbers with 4 heads";
        assert_eq!(network("{network: sequence, sequence: {actions: 16}}").unwrap(), sequence);
        for wrong in ["{hidden: [3, 0]}", "{network: sequence, hidden: []}"] {
            assert!(network(wrong).unwrap_err().starts_with("hidden"), "{wrong}");
        }
        assert!(network("{sequence: {heads: 5}}").unwrap_err().starts_with("sequence"));
        assert!(serde_yaml::from_str::<PolicyConfig>("{network: transformer}").is_err());
    }
}
