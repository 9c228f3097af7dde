//! Owns a question on its way out: an item, its place among the others, and the messages that ask about it; and the
//! description of all of them.
//!
//! Must not know formats.

use crate::ask::chat::Message;
use crate::ask::evaluate::Subject;
use crate::item::record::{Item, Task};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An item and how it is asked.
#[derive(Clone, Debug)]
pub struct ExportedQuestion {
    /// The item, and where it comes from.
    pub subject: Subject,
    /// What is sent.
    pub messages: Vec<Message>,
}

impl ExportedQuestion {
    /// The item.
    pub fn item(&self) -> &Item {
        &self.subject.item
    }

    /// The exact answer as `grade.py` takes it: JSON, integers and floats as text.
    pub fn answer(&self) -> String {
        serde_json::to_string(&self.item().truth).expect("plain data")
    }

    /// What is known of the item beside question and answer.
    pub fn metadata(&self) -> Value {
        let Subject { chosen_by, level, item } = &self.subject;
        json!({
            "task": item.task,
            "level": level,
            "chosen_by": chosen_by,
            "fuel": item.fuel,
            "bytes": item.bytes,
            "instructions": item.instructions,
            "canonical": item.canonical,
        })
    }
}

/// What all questions of an export are.
#[derive(Clone, Debug)]
pub struct About {
    /// The suite, or what else they are of.
    pub label: String,
    /// The seed of the items.
    pub seed: u64,
    /// The items' fingerprint.
    pub fingerprint: String,
    /// The model against which the items were chosen, if they were.
    pub chosen_against: Option<String>,
    /// The prompts, by task.
    pub prompts: BTreeMap<Task, String>,
}

impl About {
    /// The label in characters that every tool takes in a name: `standard_1`.
    pub fn name(&self) -> String {
        plain_name(&self.label)
    }

    /// In a sentence.
    pub fn sentence(&self) -> String {
        let Self { label, seed, fingerprint, .. } = self;
        let chosen = self.chosen_against.as_ref().map_or(String::new(), |model| {
            format!(" The items were chosen against {model}, and are no measure of it.")
        });
        format!("Items of `{label}`, seed {seed}, fingerprint `{fingerprint}`.{chosen}")
    }
}

/// A name of letters, digits and underscores.
pub fn plain_name(label: &str) -> String {
    label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Something that takes questions one after the other, and makes files of them.
pub trait Export {
    /// Takes one.
    ///
    /// # Errors
    /// If it cannot be written.
    fn add(&mut self, question: &ExportedQuestion) -> Result<(), super::folder::ExportError>;

    /// Ends it: the folder is in its place.
    ///
    /// # Errors
    /// If it cannot be written.
    fn finish(self: Box<Self>, about: &About) -> Result<(), super::folder::ExportError>;
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ask::chat::Role;
    use crate::item::record::{Probe, Recipe, Truth};
    use crate::wasm::types::{ValType, Value};

    /// A question with this truth, asked with a message of the system and one of the user.
    pub(in crate::export) fn question(id: &str, truth: Truth) -> ExportedQuestion {
        let task = truth.task();
        let item = Item {
            id: id.into(),
            task,
            program: format!("(module (; {id} ;))"),
            probes: vec![Probe { func: 0, pc: 3, hit: 1 }],
            truth,
            fuel: 17,
            bytes: 40,
            instructions: 3,
            canonical: format!("c-{id}"),
            recipe: Recipe { generator: "0.1.0".into(), seed: u64::MAX, actions: vec![1, 200] },
        };
        let message = |role, content: String| Message { role, content };
        let messages =
            vec![message(Role::System, "Be exact.".into()), message(Role::User, format!("What? {}", item.program))];
        ExportedQuestion { subject: Subject { chosen_by: "standard@1".into(), level: Some(3), item }, messages }
    }

    /// One of each task.
    pub(in crate::export) fn questions() -> Vec<ExportedQuestion> {
        vec![
            question("stack-0", Truth::StackValues(vec![Value::i64(i64::MIN), Value::f32(-0.0)])),
            question("reachability-0", Truth::FlagStates(vec![("FLAG_0".into(), true), ("FLAG_1".into(), false)])),
            question("result-0", Truth::ReturnValues(vec![Value::new(ValType::V128, 7)])),
            question("fuel-0", Truth::Fuel(17)),
        ]
    }

    pub(in crate::export) fn about() -> About {
        About {
            label: "standard@1".into(),
            seed: 7,
            fingerprint: "ab12".into(),
            chosen_against: None,
            prompts: BTreeMap::from([(Task::Stack, "stack.v1".into())]),
        }
    }

    #[test]
    fn answers_keep_every_bit_as_text() {
        let answers: Vec<String> = questions().iter().map(ExportedQuestion::answer).collect();
        let expected = [
            r#"{"stack_values":[{"type":"i64","value":"-9223372036854775808"},{"type":"f32","value":"-0.0"}]}"#,
            r#"{"flag_states":{"FLAG_0":true,"FLAG_1":false}}"#,
            r#"{"return_values":[{"type":"v128","value":"7 0 0 0"}]}"#,
            r#"{"fuel":17}"#,
        ];
        assert_eq!(answers, expected);
        assert_eq!(about().name(), "standard_1");
    }
}
