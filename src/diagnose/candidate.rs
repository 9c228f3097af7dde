//! Owns candidates: questions with what each mutant answers to them.
//!
//! Must not know what is believed of the mutants.

use crate::cause::mutant::{Answer, Mutants};
use crate::item::edit::{Question, UnreadableItem};
use crate::item::make::Draft;
use crate::item::record::{Item, Truth};
use crate::wasm::machine::Machine;
use crate::wasm::types::{ValType, Value};

/// Slots of an answer at most.
pub const SLOTS: usize = 8;

/// A wrong answer, as some mutants give it.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The answer.
    pub truth: Truth,
    /// Its wrong slots, one bit each.
    pub wrong: u8,
    /// For each wrong slot, how unlikely just this value is as a slip: the logarithm of one over its probability.
    pub surprise: [f32; SLOTS],
}

impl Said {
    /// Whether it can be told from a slip: some value of it is no obvious one, such as 0, 1 or the negated truth.
    pub fn is_telling(&self) -> bool {
        self.surprise.iter().any(|&surprise| surprise >= TELLING)
    }
}

/// What a mutant makes of a question that it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The mutant.
    pub mutant: u32,
    /// Its answer, by its number in [`Candidate::said`]; `None` where it comes to none.
    pub said: Option<u16>,
}

/// A question that could be asked.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The question with its truth.
    pub draft: Draft,
    /// How many values there are to get right.
    pub slots: usize,
    /// Executed instructions.
    pub steps: f64,
    /// The different wrong answers that mutants give.
    pub said: Vec<Said>,
    /// Which mutant gives which, ascending.
    pub exposures: Vec<Exposure>,
}

impl Candidate {
    /// Prepares a question: runs all mutants that touch it. `None` if its answer has no slots, or more than [`SLOTS`].
    ///
    /// # Errors
    /// If its program cannot be read.
    pub fn of(draft: Draft, mutants: &Mutants, machine: &mut Machine) -> Result<Option<Self>, UnreadableItem> {
        let item = &draft.item;
        let slots = item.truth.slots();
        if slots == 0 || slots > SLOTS {
            return Ok(None);
        }
        let question = Question::of(item)?;
        let answers = mutants.answers(&question, &item.truth, item.fuel, machine);
        let (said, exposures) = grouped(answers, &item.truth);
        let steps = f64::from(item.instructions);
        Ok(Some(Self { slots, steps, said, exposures, draft }))
    }

    /// The question.
    pub fn item(&self) -> &Item {
        &self.draft.item
    }

    /// What a mutant makes of it, if it touches it.
    pub fn exposure(&self, mutant: u32) -> Option<Exposure> {
        let at = self.exposures.binary_search_by_key(&mutant, |exposure| exposure.mutant).ok()?;
        Some(self.exposures[at])
    }
}

/// The different answers, and who gives them.
fn grouped(answers: Vec<Answer>, truth: &Truth) -> (Vec<Said>, Vec<Exposure>) {
    let mut all: Vec<Said> = Vec::new();
    let mut exposures = Vec::with_capacity(answers.len());
    for Answer { mutant, said } in answers {
        let said = said.and_then(|said| wrong(said, truth)).map(|said| {
            let at = all.iter().position(|other| *other == said).unwrap_or_else(|| {
                all.push(said);
                all.len() - 1
            });
            u16::try_from(at).expect("there are fewer answers than mutants of one instruction")
        });
        exposures.push(Exposure { mutant: mutant as u32, said });
    }
    (all, exposures)
}

/// An answer beside the truth; `None` where it has not as many slots, which predicts a miss and no value.
fn wrong(said: Truth, truth: &Truth) -> Option<Said> {
    let surprise = match (&said, truth) {
        (Truth::StackValues(values), Truth::StackValues(right))
        | (Truth::ReturnValues(values), Truth::ReturnValues(right)) => {
            if values.len() != right.len() {
                return None;
            }
            beside(values.iter().zip(right).map(|(said, right)| (!said.same(*right)).then(|| surprise(*said, *right))))
        }
        // A flag has one wrong value.
        (Truth::FlagStates(flags), Truth::FlagStates(right)) => {
            beside(flags.iter().zip(right).map(|(said, right)| (said != right).then_some(0.0)))
        }
        (Truth::Fuel(said), Truth::Fuel(right)) => beside([(said != right).then_some(OTHER)]),
        _ => return None,
    };
    let wrong = (0..SLOTS).filter(|&slot| surprise[slot].is_some()).fold(0, |wrong, slot| wrong | 1 << slot);
    Some(Said { truth: said, wrong, surprise: surprise.map(Option::unwrap_or_default) })
}

fn beside(slots: impl IntoIterator<Item = Option<f32>>) -> [Option<f32>; SLOTS] {
    let mut all = [None; SLOTS];
    all.iter_mut().zip(slots).for_each(|(slot, surprise)| *slot = surprise);
    all
}

/// Above this a value says more than that something went wrong.
const TELLING: f32 = 3.0;
/// Of 0, 1, -1, NaN and infinities.
const DULL: f32 = 2.0;
/// Of what lies beside the truth, or is its negation.
const NEAR: f32 = 2.5;
/// Of other small numbers.
const SMALL: f32 = 4.5;
/// Of any other value.
const OTHER: f32 = 9.2;

/// How unlikely a value is as a slip. A reader who slips says a likely wrong value more often than any other; these
/// weights are assumptions, on the safe side.
fn surprise(said: Value, right: Value) -> f32 {
    match said.ty {
        ValType::I32 => of_integer(i64::from(said.bits as u32 as i32), i64::from(right.bits as u32 as i32)),
        ValType::I64 => of_integer(said.bits as u64 as i64, right.bits as u64 as i64),
        ValType::F32 => {
            of_float(f64::from(f32::from_bits(said.bits as u32)), f64::from(f32::from_bits(right.bits as u32)))
        }
        ValType::F64 => of_float(f64::from_bits(said.bits as u64), f64::from_bits(right.bits as u64)),
        _ => OTHER,
    }
}

fn of_integer(said: i64, right: i64) -> f32 {
    let is_near = said.wrapping_sub(right).unsigned_abs() <= 1 || said == right.wrapping_neg() || said == !right;
    match said {
        -1..=1 => DULL,
        _ if is_near => NEAR,
        _ if said.unsigned_abs() < 64 => SMALL,
        _ => OTHER,
    }
}

fn of_float(said: f64, right: f64) -> f32 {
    if said.is_nan() || said.is_infinite() || said == 0.0 || said.abs() == 1.0 {
        DULL
    } else if said == -right || (said - right).abs() <= 1.0 {
        NEAR
    } else {
        OTHER
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::item::record::{Probe, Task};
    use crate::wasm::parse::parse_text;

    /// A question about two values, 7 and 8, with these wrong answers, and the mutants that give them; 99 stands for none.
    pub(crate) fn candidate(steps: f64, said: &[[i32; 2]], exposures: &[(u32, u16)]) -> Candidate {
        let text = "(module (func (export \"run\") i32.const 7 i32.const 8\n;;INSPECT\n drop drop))";
        let (program, marks) = parse_text(text, &["INSPECT"]).expect("a module");
        let probes = vec![Probe { func: marks[0].func, pc: marks[0].pc, hit: 1 }];
        let question = Question { entry: program.export("run").expect("is there"), program, task: Task::Stack, probes };
        let draft = question.label(&mut Machine::default(), "q".into(), 100).expect("it has an answer");
        let stack = |values: &[i32; 2]| Truth::StackValues(values.iter().map(|&value| Value::i32(value)).collect());
        let said = said.iter().map(|values| wrong(stack(values), &draft.item.truth).expect("two values")).collect();
        let exposure = |&(mutant, said): &(u32, u16)| Exposure { mutant, said: (said != 99).then_some(said) };
        Candidate { slots: 2, steps, said, exposures: exposures.iter().map(exposure).collect(), draft }
    }

    #[test]
    fn likely_slips_surprise_less() {
        let of = |said: i32, right: i32| surprise(Value::i32(said), Value::i32(right));
        assert_eq!([of(0, 77), of(-77, 77), of(78, 77), of(12, 77), of(-5000, 77)], [DULL, NEAR, NEAR, SMALL, OTHER]);
        let of = |said: f64, right: f64| surprise(Value::f64(said), Value::f64(right));
        assert_eq!([of(f64::NAN, 2.5), of(3.0, 2.5), of(1e9, 2.5)], [DULL, NEAR, OTHER]);
    }

    #[test]
    fn answers_are_grouped_by_what_they_say() {
        let stack = |values: &[i32]| Truth::StackValues(values.iter().map(|&value| Value::i32(value)).collect());
        let answers = [
            Answer { mutant: 3, said: Some(stack(&[7, 99])) },
            Answer { mutant: 5, said: None },
            Answer { mutant: 8, said: Some(stack(&[7])) },
            Answer { mutant: 9, said: Some(stack(&[7, 99])) },
            Answer { mutant: 11, said: Some(stack(&[0, 99])) },
        ];
        let (said, exposures) = grouped(answers.to_vec(), &stack(&[7, 8]));
        assert_eq!(said.iter().map(|said| said.wrong).collect::<Vec<_>>(), [0b10, 0b11]);
        assert!(said[0].is_telling() && said[0].surprise[..2] == [0.0, OTHER]);
        let of: Vec<_> = exposures.iter().map(|exposure| (exposure.mutant, exposure.said)).collect();
        assert_eq!(of, [(3, Some(0)), (5, None), (8, None), (9, Some(0)), (11, Some(1))]);
    }
}
