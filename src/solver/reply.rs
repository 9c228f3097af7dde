//! Owns how a solver writes its answer down, and the slips it makes while doing so.
//!
//! Must not know how the answer came to be.

use super::value::Held;
use crate::item::message::Message;
use crate::item::record::Task;
use crate::seed::Rng;
use crate::wasm::types::{ValType, Value};

/// What a reader found out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Values, bottom first.
    Values(Task, Vec<Held>),
    /// Which flags were passed.
    Flags(Vec<(String, bool)>),
    /// One number.
    Amount(Task, u64),
}

impl Answer {
    fn task(&self) -> Task {
        match self {
            Self::Values(task, _) | Self::Amount(task, _) => *task,
            Self::Flags(_) => Task::Reachability,
        }
    }
}

/// A line of prose and the answer in the shape that the shipped prompts ask for.
pub(super) fn write(answer: &Answer) -> String {
    let (prose, json) = match answer {
        Answer::Values(task, values) => {
            let count = count(values);
            let prose = match task {
                Task::Stack => format!("the operand stack holds {count} at the probe"),
                Task::Result => format!("the function returns {count}"),
                _ => format!("the answer has {count}"),
            };
            (prose, list(values))
        }
        Answer::Flags(flags) => {
            let passed = flags.iter().filter(|(_, passed)| *passed).count();
            let states = flags.iter().map(|(name, passed)| format!("{}:{passed}", json_text(name)));
            (format!("execution passes {passed} of the {} flags", flags.len()), format!("{{{}}}", join(states)))
        }
        Answer::Amount(Task::Fuel, fuel) => (format!("the run uses {fuel} of fuel"), fuel.to_string()),
        Answer::Amount(_, amount) => (format!("the answer is {amount}"), amount.to_string()),
    };
    format!("Executed step by step, {prose}.\n\n<OUTPUT>{{\"{}\":{json}}}</OUTPUT>", answer.task().key())
}

fn count(values: &[Held]) -> String {
    let noun = if values.len() == 1 { "value" } else { "values" };
    format!("{} {noun}", values.len())
}

/// Names of types and numbers: nothing that JSON would have escaped.
fn list(values: &[Held]) -> String {
    let value = |held: &Held| format!("{{\"type\":\"{}\",\"value\":\"{}\"}}", held.ty(), held.text());
    format!("[{}]", join(values.iter().map(value)))
}

/// The name of a flag comes from a comment, where anything may stand.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// With this probability, gets one slot wrong. Drawn from what is asked and the request's seed alone, so that the same
/// request has the same reply. An empty stack leaves nothing to get wrong.
pub(super) fn slip(answer: &mut Answer, probability: f64, messages: &[Message], seed: Option<u64>) {
    let slots = match answer {
        Answer::Values(_, values) => values.len(),
        Answer::Flags(flags) => flags.len(),
        Answer::Amount(..) => 1,
    };
    if slots == 0 || probability <= 0.0 {
        return;
    }
    let mut rng = stream(messages, seed);
    if rng.unit() >= probability {
        return;
    }
    let slot = rng.below(slots as u32) as usize;
    match answer {
        Answer::Values(_, values) => values[slot] = slipped(values[slot], &mut rng),
        Answer::Flags(flags) => flags[slot].1 ^= true,
        Answer::Amount(_, amount) => *amount = amount.saturating_add_signed(off_by_one(&mut rng).into()),
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

fn off_by_one(rng: &mut Rng) -> i8 {
    if rng.below(2) == 0 { 1 } else { -1 }
}

/// An integer is off by one; of a float the sign is lost; of anything else the last bit is another.
fn slipped(held: Held, rng: &mut Rng) -> Held {
    let by = off_by_one(rng);
    match (held.ty(), held) {
        (ty @ (ValType::I32 | ValType::I64), _) => Held::integer(ty, held.number().saturating_add(by.into())),
        (_, Held::Unrounded(x)) if !x.is_nan() => Held::Unrounded(-x),
        (ValType::F64, Held::Exact(value)) if !value.is_nan() => Held::Exact(Value::f64(-f64::from_bits(held.bits()))),
        (ValType::F32, Held::Exact(value)) if !value.is_nan() => {
            Held::Exact(Value::f32(-f32::from_bits(held.bits() as u32)))
        }
        (ty @ (ValType::F32 | ValType::F64), _) => Held::zero(ty),
        (ty, _) => Held::exact(ty, held.wide() ^ 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::message::Role;

    fn ask(text: &str) -> Vec<Message> {
        vec![Message { role: Role::User, content: text.into() }]
    }

    #[test]
    fn the_answer_has_the_shape_that_is_asked_for() {
        let values = vec![Held::Beyond(ValType::I32, 1 << 40), Held::Unrounded(0.1)];
        let flags = vec![("FLAG_0".into(), true), ("FLAG_\"".into(), false)];
        for (answer, output) in [
            (
                Answer::Values(Task::Stack, values.clone()),
                r#"{"stack_values":[{"type":"i32","value":"1099511627776"},{"type":"f32","value":"0.1"}]}"#,
            ),
            (Answer::Values(Task::Stack, vec![]), r#"{"stack_values":[]}"#),
            (Answer::Values(Task::Result, values[1..].to_vec()), r#"{"return_values":[{"type":"f32","value":"0.1"}]}"#),
            (Answer::Flags(flags), r#"{"flag_states":{"FLAG_0":true,"FLAG_\"":false}}"#),
            (Answer::Amount(Task::Fuel, 17), r#"{"fuel":17}"#),
        ] {
            let text = write(&answer);
            assert!(text.ends_with(&format!(".\n\n<OUTPUT>{output}</OUTPUT>")), "{text}");
        }
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
            let mut answer = Answer::Values(Task::Stack, truth.to_vec());
            slip(&mut answer, 0.1, &ask(&format!("item {n}")), Some(n % 7));
            let Answer::Values(_, operands) = answer else { panic!("another task") };
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
        let flags = [("FLAG_0".to_owned(), true)];
        for sure in [
            Answer::Values(Task::Stack, vec![Held::Exact(Value::i32(0))]),
            Answer::Values(Task::Result, vec![Held::Exact(Value::i32(0))]),
            Answer::Flags(flags.into()),
            Answer::Amount(Task::Fuel, 9),
        ] {
            let mut answer = sure.clone();
            slip(&mut answer, 1.0, &ask("a"), None);
            assert_ne!(answer, sure);
        }
        slip(&mut Answer::Values(Task::Stack, vec![]), 1.0, &ask("a"), None);
    }
}
