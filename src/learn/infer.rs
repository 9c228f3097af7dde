//! Owns the actor's forward pass outside of training: plain loops over a copy of its weights.
//!
//! Must not know environments or gradients. Two reasons not to use candle here. Its forward pass on variables records
//! a graph; and a matrix product may round a row differently depending on how many rows stand beside it, so that an
//! episode would depend on its neighbours. Here each row's sums have one order. Observations are sparse, so zero inputs
//! (and units that ReLU silenced) are skipped, and only legal actions are scored.

use candle_core::{DType, Device, Result, Tensor};

use super::network::{Activation, Sequence};
use super::policy::ActorCritic;
use super::sparse::{add_rows, compress};
use crate::seed::Rng;

/// Partial sums of a dot product: enough independent ones to keep the adders busy.
const LANES: usize = 16;

/// A copy of the actor's weights, laid out for one observation at a time.
#[derive(Debug)]
pub(crate) struct Actor {
    /// Features of an observation; the latest actions follow.
    inputs: usize,
    activation: Activation,
    reader: Option<Reader>,
    /// `[in, out]`, row by row: an input that is zero skips its row.
    hidden: Vec<Layer>,
    /// `[out, in]`, row by row: an action that is illegal skips its row.
    head: Layer,
}

#[derive(Debug)]
struct Layer {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// What reads the latest actions, with the products that don't depend on the observation already taken.
#[derive(Debug)]
struct Reader {
    shape: Sequence,
    query: Layer,
    key: Embeddings,
    value: Embeddings,
    /// `[width, out]`, where `out` is that of the first layer.
    output: Vec<f32>,
}

/// A row for each action and one for each place; what stands for an action at a place is their sum.
#[derive(Debug)]
struct Embeddings {
    actions: Vec<f32>,
    places: Vec<f32>,
}

/// Buffers of the forward pass, kept between calls.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    active: Vec<u32>,
    numbers: Vec<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
    query: Vec<f32>,
    shares: Vec<f32>,
    read: Vec<f32>,
    logits: Vec<f32>,
}

impl Actor {
    /// Copies the weights out of a policy.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub(crate) fn new(policy: &ActorCritic) -> Result<Self> {
        let on_cpu = |var: &Tensor| var.detach().to_device(&Device::Cpu);
        let tensors: Vec<Tensor> = policy.actor().iter().map(|(_, var)| on_cpu(var)).collect::<Result<_>>()?;
        let network = &policy.shape().network;
        let (sequence, layers) = network.split(&tensors);
        let (head, hidden) = layers.split_last().expect("a network has a last layer");
        let reader = network.sequence.zip(sequence).map(|(shape, parameters)| Reader::new(shape, parameters));
        Ok(Self {
            inputs: policy.shape().obs_dim,
            activation: network.activation,
            reader: reader.transpose()?,
            hidden: hidden.iter().map(|[weight, bias]| Layer::new(weight, bias)).collect::<Result<_>>()?,
            head: Layer::new(&head[0].t()?, &head[1])?,
        })
    }

    /// Draws one of the `legal` actions; returns it with the natural logarithm of its probability.
    pub(crate) fn sample(
        &self,
        observation: &[f32],
        legal: &[usize],
        rng: &mut Rng,
        scratch: &mut Scratch,
    ) -> (usize, f32) {
        self.score(observation, legal, scratch);
        let (at, log_prob) = draw(&mut scratch.logits, rng);
        (legal[at], log_prob)
    }

    /// The natural logarithm of the probability of an action among the `legal` ones.
    pub(crate) fn log_prob(&self, observation: &[f32], legal: &[usize], action: usize, scratch: &mut Scratch) -> f32 {
        self.score(observation, legal, scratch);
        let at = legal.iter().position(|&other| other == action).expect("the action is legal");
        let total = shift(&mut scratch.logits);
        scratch.logits[at] - total.ln() as f32
    }

    /// Puts the logits of the legal actions into `scratch.logits`.
    fn score(&self, observation: &[f32], legal: &[usize], scratch: &mut Scratch) {
        let (features, recent) = observation.split_at(self.inputs);
        scratch.input.clear();
        scratch.input.extend_from_slice(features);
        for (at, layer) in self.hidden.iter().enumerate() {
            scratch.active.clear();
            scratch.numbers.clear();
            compress(&scratch.input, &mut scratch.active, &mut scratch.numbers);
            layer.apply(&scratch.active, &scratch.numbers, &mut scratch.output);
            if let (0, Some(reader)) = (at, &self.reader) {
                reader.read(recent, scratch);
            }
            scratch.output.iter_mut().for_each(|x| *x = self.activation.of(*x));
            std::mem::swap(&mut scratch.input, &mut scratch.output);
        }
        let Scratch { input, logits, .. } = scratch;
        logits.clear();
        let row = |action: usize| &self.head.weight[action * input.len()..][..input.len()];
        logits.extend(legal.iter().map(|&action| dot(row(action), input) + self.head.bias[action]));
    }
}

impl Layer {
    fn new(weight: &Tensor, bias: &Tensor) -> Result<Self> {
        Ok(Self { weight: numbers(weight)?, bias: numbers(bias)? })
    }

    /// `output = bias + input * weight`, of an input's numbers that are not zero and their places.
    fn apply(&self, active: &[u32], input: &[f32], output: &mut Vec<f32>) {
        output.clear();
        output.extend_from_slice(&self.bias);
        add_rows(output, active, input, &self.weight);
    }
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

impl Reader {
    fn new(shape: Sequence, parameters: &[Tensor; 7]) -> Result<Self> {
        let [action, place, query, query_bias, key, value, output] = parameters;
        let table = |by: &Tensor| {
            Result::Ok(Embeddings { actions: numbers(&action.matmul(by)?)?, places: numbers(&place.matmul(by)?)? })
        };
        Ok(Self {
            shape,
            query: Layer::new(query, query_bias)?,
            key: table(key)?,
            value: table(value)?,
            output: numbers(output)?,
        })
    }

    /// Adds to `scratch.output` what the latest actions tell; the features are those in `active` and `numbers`.
    fn read(&self, recent: &[f32], scratch: &mut Scratch) {
        let Scratch { active, numbers, output, query, shares, read, .. } = scratch;
        self.query.apply(active, numbers, query);
        read.clear();
        read.resize(self.shape.width, 0.0);
        let apart = self.shape.width / self.shape.heads;
        for head in (0..self.shape.width).step_by(apart).map(|from| from..from + apart) {
            shares.clear();
            shares.extend((0..recent.len()).map(|place| {
                let key = self.key.row(recent[place] as usize, place, self.shape.width);
                let score: f32 = head.clone().map(|i| query[i] * (key.0[i] + key.1[i])).sum();
                score / (apart as f32).sqrt()
            }));
            let total = shift(shares) as f32;
            for (place, share) in shares.iter().enumerate() {
                let value = self.value.row(recent[place] as usize, place, self.shape.width);
                let share = share.exp() / total;
                head.clone().for_each(|i| read[i] += share * (value.0[i] + value.1[i]));
            }
        }
        active.clear();
        active.extend(0..read.len() as u32);
        add_rows(output, active, read, &self.output);
    }
}

impl Embeddings {
    /// Its vector and that of its place.
    fn row(&self, action: usize, place: usize, width: usize) -> (&[f32], &[f32]) {
        (&self.actions[action * width..][..width], &self.places[place * width..][..width])
    }
}

/// The dot product, summed in an order that depends on the length alone.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Shifts the logits so that the largest is 0; returns the sum of their exponentials.
fn shift(logits: &mut [f32]) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    assert!(max.is_finite(), "the policy's scores are not finite: training diverged");
    logits.iter_mut().for_each(|logit| *logit -= max);
    logits.iter().map(|logit| f64::from(logit.exp())).sum()
}

/// Draws an index in proportion to `exp(logits)`; returns it with its log-probability. Overwrites the logits.
fn draw(logits: &mut [f32], rng: &mut Rng) -> (usize, f32) {
    let total = shift(logits);
    let threshold = rng.unit() * total;
    let mut cumulative = 0f64;
    let mut chosen = 0;
    for (at, &logit) in logits.iter().enumerate() {
        let weight = f64::from(logit.exp());
        if weight > 0.0 {
            chosen = at;
        }
        cumulative += weight;
        if cumulative > threshold {
            break;
        }
    }
    (chosen, logits[chosen] - total.ln() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::network::NetworkKind;
    use crate::learn::policy::PolicyConfig;

    /// A policy of this kind with widths that are no multiples of the lanes or of four, so that the remainders are
    /// covered.
    fn policy(network: NetworkKind) -> Result<ActorCritic> {
        let config = PolicyConfig {
            network,
            sequence: Sequence { actions: 5, width: 6, heads: 3 },
            ..PolicyConfig::mlp(&[37, 21])
        };
        let mut rng = Rng::from_u64(5);
        let bias: Vec<f32> = (0..45).map(|_| rng.normal() as f32).collect();
        let policy = ActorCritic::new(50, 45, &config, Some(&bias), &mut rng)?;
        // Numbers of one size everywhere: at its start the head hides what is below it.
        for (_, var) in policy.parameters() {
            let numbers: Vec<f32> = (0..var.elem_count()).map(|_| 0.3 * rng.normal() as f32).collect();
            var.set(&Tensor::from_vec(numbers, var.shape(), &Device::Cpu)?)?;
        }
        Ok(policy)
    }

    #[test]
    fn the_loops_agree_with_candle() -> Result<()> {
        for kind in [NetworkKind::Mlp, NetworkKind::Towers, NetworkKind::Sequence] {
            let policy = policy(kind)?;
            let (actor, mut rng, mut scratch) = (Actor::new(&policy)?, Rng::from_u64(6), Scratch::default());
            let legal: Vec<usize> = (0..45).step_by(2).collect();
            for _ in 0..20 {
                let feature = |_| (rng.normal() * f64::from(rng.below(2))) as f32;
                let mut observation: Vec<f32> = (0..50).map(feature).collect();
                observation.extend((0..policy.shape().network.history()).map(|_| rng.below(46) as f32));
                actor.score(&observation, &legal, &mut scratch);
                let graph = policy.logits(&policy.observations(&observation).take(&[0])?)?.to_vec2::<f32>()?;
                for (&action, &score) in legal.iter().zip(&scratch.logits) {
                    assert!((score - graph[0][action]).abs() < 3e-5, "{kind:?} {action}: {score} {}", graph[0][action]);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_sequence_tells_which_action_came_when() -> Result<()> {
        let policy = policy(NetworkKind::Sequence)?;
        let scored = |recent: [f32; 5]| {
            let (actor, mut scratch) = (Actor::new(&policy).expect("weights"), Scratch::default());
            let observation: Vec<f32> = [0.5; 50].into_iter().chain(recent).collect();
            actor.score(&observation, &[0, 1], &mut scratch);
            scratch.logits
        };
        let first = scored([3.0, 9.0, 0.0, 0.0, 0.0]);
        assert_eq!(first, scored([3.0, 9.0, 0.0, 0.0, 0.0]));
        for other in [[9.0, 3.0, 0.0, 0.0, 0.0], [3.0, 8.0, 0.0, 0.0, 0.0], [3.0, 9.0, 0.0, 0.0, 9.0]] {
            assert_ne!(first, scored(other), "{other:?}");
        }
        Ok(())
    }

    #[test]
    fn draws_follow_the_distribution() {
        let probabilities = [0.1f32, 0.0, 0.6, 0.3];
        let mut rng = Rng::from_u64(3);
        let mut counts = [0u32; 4];
        for _ in 0..20_000 {
            let (at, log_prob) = draw(&mut probabilities.map(|p| p.ln() + 4.0), &mut rng);
            assert!((log_prob.exp() - probabilities[at]).abs() < 1e-6);
            counts[at] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, probability) in counts.iter().zip(probabilities) {
            assert!((*count as f32 / 20_000.0 - probability).abs() < 0.015, "{counts:?}");
        }
    }
}
