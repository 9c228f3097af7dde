//! Owns the export to lm-evaluation-harness: a task for each of ours, a group of all, and `utils.py`, which grades.
//!
//! Must not know how items come about. Its templates take one message of the system and one of the user; a prompt with
//! other messages is refused, since it would be changed.

use super::GRADER;
use super::folder::{ExportError, Folder, OutFile};
use super::question::{About, Export, ExportedQuestion};
use crate::ask::chat::Role;
use crate::item::record::Task;
use serde_json::json;
use std::collections::BTreeMap;

/// What stands in `utils.py` behind the grader.
const UTILS: &str = include_str!("lm_eval.py");
/// Tokens of a reply at most; a model that thinks step by step needs many.
const MAX_TOKENS: u32 = 16_384;

/// An export in the making.
#[derive(Debug)]
pub struct LmEval {
    folder: Folder,
    max_tokens: u32,
    tasks: BTreeMap<Task, TaskFile>,
}

#[derive(Debug)]
struct TaskFile {
    rows: OutFile,
    has_system: bool,
}

impl LmEval {
    /// Begins one.
    pub fn new(folder: Folder, max_tokens: Option<u32>) -> Self {
        Self { folder, max_tokens: max_tokens.unwrap_or(MAX_TOKENS), tasks: BTreeMap::new() }
    }

    fn yaml(&self, about: &About, task: Task, file: &TaskFile) -> String {
        let name = about.name();
        let description = if file.has_system { "description: \"{{system}}\"\n" } else { "" };
        let prompt = about.prompts.get(&task).map_or("", String::as_str);
        format!(
            "# {sentence} Asked with {prompt}.\n\
             task: wasmweaver_{name}_{task}\n\
             dataset_path: json\n\
             dataset_kwargs:\n  data_files:\n    test: data/{task}.jsonl\n\
             test_split: test\n\
             output_type: generate_until\n\
             {description}\
             doc_to_text: \"{{{{user}}}}\"\n\
             doc_to_target: \"{{{{answer}}}}\"\n\
             process_results: !function utils.process_results\n\
             num_fewshot: 0\n\
             generation_kwargs:\n  until: []\n  do_sample: false\n  max_gen_toks: {max_tokens}\n  seed: 0\n\
             metric_list:\n{acc}{answered}{slots}\
             metadata:\n  version: 1\n  fingerprint: \"{fingerprint}\"\n",
            sentence = about.sentence(),
            max_tokens = self.max_tokens,
            acc = metric("acc"),
            answered = metric("answered"),
            slots = metric("slots_right"),
            fingerprint = about.fingerprint,
        )
    }

    fn group(&self, about: &About) -> String {
        let name = about.name();
        let tasks: String = self.tasks.keys().map(|task| format!("  - wasmweaver_{name}_{task}\n")).collect();
        format!(
            "group: wasmweaver_{name}\n\
             task:\n{tasks}\
             aggregate_metric_list:\n  - metric: acc\n    aggregation: mean\n    weight_by_size: true\n\
             metadata:\n  version: 1\n"
        )
    }
}

fn metric(name: &str) -> String {
    format!("  - metric: {name}\n    aggregation: mean\n    higher_is_better: true\n")
}

fn readme(about: &About) -> String {
    format!(
        "# WebAssembly execution, for lm-evaluation-harness\n\n\
         {}\n\n\
         Run it in this folder; the paths in the tasks are relative to it:\n\n\
         ```sh\n\
         pip install 'lm_eval[api]'\n\
         lm_eval run --include_path . --tasks wasmweaver_{} --model local-chat-completions --apply_chat_template \\\n    \
             --model_args model=MODEL,base_url=http://HOST/v1/chat/completions --log_samples --output_path results\n\
         ```\n\n\
         `utils.py` grades: integers by their bits, floats by their bits after one rounding, any NaN for a NaN. `acc` is the \
         share of items with every value right, `answered` that of replies with an answer that can be read, `slots_right` \
         the mean share of values that are right.\n",
        about.sentence(),
        about.name(),
    )
}

impl Export for LmEval {
    fn add(&mut self, question: &ExportedQuestion) -> Result<(), ExportError> {
        let item = question.item();
        let (system, user) = match &question.messages[..] {
            [user] if user.role == Role::User => (None, user),
            [system, user] if (system.role, user.role) == (Role::System, Role::User) => (Some(system), user),
            _ => return Err(ExportError::Turns { task: item.task }),
        };
        if !self.tasks.contains_key(&item.task) {
            let rows = self.folder.file(&format!("data/{}.jsonl", item.task))?;
            self.tasks.insert(item.task, TaskFile { rows, has_system: system.is_some() });
        }
        let file = self.tasks.get_mut(&item.task).expect("is there now");
        let mut row = json!({"id": item.id});
        if let Some(system) = system {
            row["system"] = system.content.as_str().into();
        }
        row["user"] = user.content.as_str().into();
        row["answer"] = question.answer().into();
        row["metadata"] = question.metadata();
        file.rows.line(&row)
    }

    fn finish(mut self: Box<Self>, about: &About) -> Result<(), ExportError> {
        let name = about.name();
        for (task, file) in &self.tasks {
            self.folder.write(&format!("wasmweaver_{name}_{task}.yaml"), &self.yaml(about, *task, file))?;
        }
        self.folder.write(&format!("wasmweaver_{name}.yaml"), &self.group(about))?;
        self.folder.write("utils.py", &format!("{GRADER}\n\n{UTILS}"))?;
        self.folder.write("README.md", &readme(about))?;
        std::mem::take(&mut self.tasks).into_values().try_for_each(|file| file.rows.finish())?;
        self.folder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::question::tests::{about, questions};
    use super::*;

    #[test]
    fn tasks_are_yaml_that_names_their_data() {
        let scratch = tempfile::tempdir().expect("can be made");
        let out = scratch.path().join("out");
        let mut export = Box::new(LmEval::new(Folder::create(&out).expect("has room"), Some(99)));
        questions().iter().try_for_each(|question| export.add(question)).expect("can be written");
        export.finish(&about()).expect("can be placed");
        let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
        // The tag of a function is lm-eval's own.
        let task = read("wasmweaver_standard_1_stack.yaml").replace("!function ", "");
        let yaml: serde_yaml::Value = serde_yaml::from_str(&task).expect("is YAML");
        assert_eq!(yaml["dataset_kwargs"]["data_files"]["test"], "data/stack.jsonl");
        assert_eq!((&yaml["doc_to_text"], &yaml["description"]), (&"{{user}}".into(), &"{{system}}".into()));
        assert_eq!(yaml["generation_kwargs"]["max_gen_toks"], 99);
        let group: serde_yaml::Value = serde_yaml::from_str(&read("wasmweaver_standard_1.yaml")).expect("is YAML");
        assert_eq!(group["task"].as_sequence().map(Vec::len), Some(4));
        let row: serde_json::Value = serde_json::from_str(&read("data/fuel.jsonl")).expect("one row");
        assert_eq!((&row["system"], &row["answer"]), (&"Be exact.".into(), &"{\"fuel\":17}".into()));
        assert!(read("utils.py").ends_with(UTILS) && read("utils.py").starts_with(GRADER));
    }

    #[test]
    fn a_conversation_is_refused() {
        let scratch = tempfile::tempdir().expect("can be made");
        let mut export = LmEval::new(Folder::create(&scratch.path().join("out")).expect("has room"), None);
        let mut question = questions().remove(0);
        question.messages.extend(question.messages.clone());
        assert!(matches!(export.add(&question), Err(ExportError::Turns { task: Task::Stack })));
    }
}
