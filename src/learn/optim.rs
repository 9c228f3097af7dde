//! Owns the optimiser: Adam with its moments in the open, and clipping of the gradient's global norm.
//!
//! Must not know where gradients come from. candle's AdamW hides its moments (a checkpoint needs them), decays weights
//! by default and takes another epsilon; it also makes a dozen tensors per parameter where one loop does.

use candle_core::{Error, Result, Tensor, Var};

/// Decay of the first moment.
const BETA1: f64 = 0.9;
/// Decay of the second moment.
const BETA2: f64 = 0.999;
/// Added to the root of the second moment; PPO implementations use 1e-5 (Huang et al. 2022, detail 3).
const EPSILON: f32 = 1e-5;

/// The running moments of one parameter's gradient, flattened.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Running mean of the gradient.
    pub first: Vec<f32>,
    /// Running mean of the squared gradient.
    pub second: Vec<f32>,
}

/// Adam (Kingma and Ba 2015) without weight decay, over an ordered list of parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Adam {
    /// Steps taken so far; the bias correction depends on it.
    pub steps: u32,
    /// One entry per parameter, in the policy's order.
    pub moments: Vec<Moments>,
}

impl Adam {
    /// An optimiser that has taken no step, for parameters in this order.
    pub fn new(parameters: &[(String, Var)]) -> Self {
        let zeros = |var: &Var| vec![0.0; var.elem_count()];
        let moments = parameters.iter().map(|(_, var)| Moments { first: zeros(var), second: zeros(var) }).collect();
        Self { steps: 0, moments }
    }

    /// Clips the gradient to a global norm of `max_norm` and moves every parameter that has one.
    /// A parameter without a gradient keeps its value and its moments. Returns the norm before clipping.
    /// `gradients` has one entry per parameter, flattened.
    ///
    /// # Errors
    /// If the learner has diverged: a gradient or a weight is no finite number. The weights are those of the step before.
    ///
    /// # Panics
    /// If `parameters` or `gradients` do not belong to what the optimiser was made for.
    pub fn step(
        &mut self,
        parameters: &[(String, Var)],
        mut gradients: Vec<Option<Vec<f32>>>,
        learning_rate: f64,
        max_norm: f32,
    ) -> Result<f32> {
        let counts = [parameters.len(), gradients.len()];
        assert_eq!(counts, [self.moments.len(); 2], "the optimiser was made for other parameters");
        let norm = clip_global_norm(&mut gradients, max_norm);
        if !norm.is_finite() {
            return Err(diverged());
        }
        self.steps += 1;
        let (rate, root) = self.bias_corrected(learning_rate);
        for (((_, var), moments), gradient) in parameters.iter().zip(&mut self.moments).zip(gradients) {
            let Some(gradient) = gradient else { continue };
            let mut weights = var.flatten_all()?.to_vec1::<f32>()?;
            moments.apply(&mut weights, &gradient, rate, root);
            if weights.iter().any(|weight| !weight.is_finite()) {
                return Err(diverged());
            }
            var.set(&Tensor::from_vec(weights, var.shape(), var.device())?)?;
        }
        Ok(norm)
    }

    /// The step size, and what the root of the second moment is divided by, at this step.
    fn bias_corrected(&self, learning_rate: f64) -> (f32, f32) {
        let t = self.steps as i32;
        ((learning_rate / (1.0 - BETA1.powi(t))) as f32, (1.0 - BETA2.powi(t)).sqrt() as f32)
    }
}

fn diverged() -> Error {
    Error::Msg("the learner has diverged: its numbers are not finite any more; make `ppo.learning_rate` smaller".into())
}

impl Moments {
    fn apply(&mut self, weights: &mut [f32], gradient: &[f32], rate: f32, root: f32) {
        let (beta1, beta2) = (BETA1 as f32, BETA2 as f32);
        // Rounded from f64: 1 - 0.999 in f32 would be off by one part in 80,000, against the bias correction.
        let (rest1, rest2) = ((1.0 - BETA1) as f32, (1.0 - BETA2) as f32);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((weight, &g), (first, second)) in weights.iter_mut().zip(gradient).zip(moments) {
            *first = beta1 * *first + rest1 * g;
            *second = beta2 * *second + rest2 * g * g;
            *weight -= rate * *first / (second.sqrt() / root + EPSILON);
        }
    }
}

/// Scales all gradients so that their common L2 norm is at most `max_norm`; returns the norm before.
fn clip_global_norm(gradients: &mut [Option<Vec<f32>>], max_norm: f32) -> f32 {
    let squares = |g: &Vec<f32>| g.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
    let norm = gradients.iter().flatten().map(squares).sum::<f64>().sqrt() as f32;
    if norm > max_norm {
        let scale = max_norm / (norm + 1e-6);
        gradients.iter_mut().flatten().flatten().for_each(|x| *x *= scale);
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn clipping_is_global_and_only_downwards() {
        let mut gradients = vec![Some(vec![3.0]), None, Some(vec![0.0, 4.0])];
        assert_eq!(clip_global_norm(&mut gradients, 10.0), 5.0);
        assert_eq!(gradients[2], Some(vec![0.0, 4.0]));
        assert_eq!(clip_global_norm(&mut gradients, 0.5), 5.0);
        assert!((gradients[0].as_ref().unwrap()[0] - 0.3).abs() < 1e-6);
        assert!((gradients[2].as_ref().unwrap()[1] - 0.4).abs() < 1e-6);
    }

    #[test]
    fn two_steps_agree_with_the_formula() -> Result<()> {
        // f(x) = x^2 / 2 from x = 1, so that the gradient is x. The first step is rate * g / (|g| + eps).
        let x = Var::from_slice(&[1f32], 1, &Device::Cpu)?;
        let parameters = vec![("x".to_owned(), x.clone())];
        let mut adam = Adam::new(&parameters);
        let mut expected = (1f64, 0f64, 0f64);
        for t in 1..=2 {
            let gradients = (x.sqr()? / 2.0)?.sum_all()?.backward()?;
            let gradient = gradients.get(&x).expect("of x").to_vec1()?;
            adam.step(&parameters, vec![Some(gradient)], 0.1, f32::INFINITY)?;
            let (value, m, v) = expected;
            let (m, v) = (0.9 * m + 0.1 * value, 0.999 * v + 0.001 * value * value);
            let (m_hat, v_hat) = (m / (1.0 - 0.9f64.powi(t)), v / (1.0 - 0.999f64.powi(t)));
            expected = (value - 0.1 * m_hat / (v_hat.sqrt() + 1e-5), m, v);
            assert!((f64::from(x.to_vec1::<f32>()?[0]) - expected.0).abs() < 1e-6, "step {t}");
        }
        assert_eq!(adam.steps, 2);
        Ok(())
    }
}
