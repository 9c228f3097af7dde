//! Owns how a solver writes its answer down, and the slips it makes while doing so.
//!
//! Must not know how the answer came to be.

use super::value::Held;
use crate::ask::chat::Message;
use crate::seed::Rng;
use crate::wasm::types::{ValType, Value};
use std::fmt::Write;

/// A line of prose and the answer in the shape that the shipped prompts ask for.
pub(super) fn write(operands: &[Held]) -> String {
    let count = operands.len();
    let noun = if count == 1 { "value" } else { "values" };
    let mut text = format!("Executed step by step, the operand stack holds {count} {noun} at the probe.\n\n<OUTPUT>");
    text.push_str("{\"stack_values\":[");
    for (index, held) in operands.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Names of types and numbers: nothing that JSON would have escaped.
        write!(text, "{comma}{{\"type\":\"{}\",\"value\":\"{}\"}}", held.ty(), held.text())
            .expect("a string takes all");
    }
    text.push_str("]}</OUTPUT>");
    text
}

/// With this probability, gets one operand wrong. Drawn from what is asked and the request's seed alone, so that the
/// same request has the same reply. An empty stack leaves nothing to get wrong.
pub(super) fn slip(operands: &mut [Held], probability: f64, messages: &[Message], seed: Option<u64>) {
    if operands.is_empty() || probability <= 0.0 {
        return;
    }
    let mut rng = stream(messages, seed);
    if rng.unit() < probability {
        let slot = rng.below(operands.len() as u32) as usize;
        operands[slot] = slipped(operands[slot], &mut rng);
    }
}

/// The random numbers that belong to a request.
fn stream(messages: &[Message], seed: Option<u64>) -> Rng {
    let mut hasher = blake3::Hasher::new_derive_key("wasmweaver solver noise v1");
    for message in messages {
        hasher.update(&(message.content.len() as u64).to_le_bytes()).update(message.content.as_bytes());
    }
    // Without a seed is another request than with seed 0.
    hasher.update(&[seed.is_some().into()]).update(&seed.unwrap_or(0).to_le_bytes());
    let mut bits = [0; 8];
    hasher.finalize_xof().fill(&mut bits);
    Rng::from_u64(u64::from_le_bytes(bits))
}

/// An integer is off by one; of a float the sign is lost.
fn slipped(held: Held, rng: &mut Rng) -> Held {
    let by = if rng.below(2) == 0 { 1 } else { -1 };
    match (held.ty(), held) {
        (ty @ (ValType::I32 | ValType::I64), _) => Held::integer(ty, held.number().saturating_add(by)),
        (_, Held::Unrounded(x)) if !x.is_nan() => Held::Unrounded(-x),
        (ValType::F64, Held::Exact(value)) if !value.is_nan() => Held::Exact(Value::f64(-f64::from_bits(held.bits()))),
        (ValType::F32, Held::Exact(value)) if !value.is_nan() => {
            Held::Exact(Value::f32(-f32::from_bits(held.bits() as u32)))
        }
        (ty, _) => Held::zero(ty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::chat::Role;

    fn ask(text: &str) -> Vec<Message> {
        vec![Message { role: Role::User, content: text.into() }]
    }

    #[test]
    fn the_answer_has_the_shape_that_is_asked_for() {
        let text = write(&[Held::Beyond(ValType::I32, 1 << 40), Held::Unrounded(0.1)]);
        assert!(text.ends_with(
            r#"<OUTPUT>{"stack_values":[{"type":"i32","value":"1099511627776"},{"type":"f32","value":"0.1"}]}</OUTPUT>"#
        ));
        assert!(write(&[]).ends_with(r#"<OUTPUT>{"stack_values":[]}</OUTPUT>"#));
    }

    #[test]
    fn slips_come_at_their_rate_and_change_one_operand() {
        let truth = [
            Held::Exact(Value::i32(i32::MAX)),
            Held::Exact(Value::i64(i64::MIN)),
            Held::Exact(Value::f32(f32::NAN)),
            Held::Exact(Value::f64(0.0)),
            Held::Exact(Value::f32(-1e30)),
            Held::Unrounded(0.1),
        ];
        let texts = |operands: &[Held]| operands.iter().map(|held| held.text()).collect::<Vec<_>>();
        let (mut slips, mut slots) = (0, [0; 6]);
        for n in 0..10_000 {
            let mut operands = truth;
            slip(&mut operands, 0.1, &ask(&format!("item {n}")), Some(n % 7));
            let changed: Vec<usize> = (0..6).filter(|&at| texts(&operands)[at] != texts(&truth)[at]).collect();
            assert!(changed.len() <= 1);
            slips += changed.len();
            changed.iter().for_each(|&at| slots[at] += 1);
        }
        // Five standard deviations of a binomial with n = 10,000 and p = 0.1.
        assert!((850..1150).contains(&slips), "{slips}");
        assert!(slots.iter().all(|&count| count > 100), "{slots:?}");
    }

    #[test]
    fn a_slip_belongs_to_text_and_seed() {
        let draw = |text: &str, seed| stream(&ask(text), seed).bits();
        assert_eq!(draw("a", Some(1)), draw("a", Some(1)));
        let all = [draw("a", Some(0)), draw("a", Some(1)), draw("a", None), draw("b", Some(0))];
        assert!((0..4).all(|i| (0..i).all(|j| all[i] != all[j])), "{all:?}");
        let mut sure = [Held::Exact(Value::i32(0))];
        slip(&mut sure, 1.0, &ask("a"), None);
        assert_ne!(sure, [Held::Exact(Value::i32(0))]);
        slip(&mut [], 1.0, &ask("a"), None);
    }
}
