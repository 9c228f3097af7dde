//! Owns the export as a data set in the form of the Hugging Face Hub: Parquet for each task, and a card whose front matter
//! says where.
//!
//! Must not know how items come about. 64-bit integers and the bits of floats are text, so that no reader rounds them.

use super::GRADER;
use super::folder::{ExportError, Folder};
use super::question::{About, Export, ExportedQuestion};
use super::table::{Cell, ColumnKind, ParquetFile};
use crate::item::record::{Said, Task};
use crate::wasm::types::Value;
use serde_json::json;
use std::collections::BTreeMap;

/// The columns, and what the card says of each.
const COLUMNS: [(&str, ColumnKind, &str); 16] = [
    ("id", ColumnKind::Text, "names the item within its suite"),
    ("task", ColumnKind::Text, "`stack`, `reachability`, `result` or `fuel`"),
    ("level", ColumnKind::Int, "difficulty, 1 to 5; null where it was not chosen"),
    ("messages", ColumnKind::Turns, "the prompt, as a list of `role` and `content`"),
    ("program", ColumnKind::Text, "the module in the text format, with the comments that are asked about"),
    ("answer", ColumnKind::Text, "the exact answer as JSON, values as text; what `grade.py` takes as the truth"),
    ("types", ColumnKind::Texts, "for `stack` and `result`: the type of each value, bottom first"),
    (
        "bits",
        ColumnKind::Texts,
        "for `stack` and `result`: the bits of each value in hex, as many digits as the type has",
    ),
    ("probes", ColumnKind::Text, "where the question looks: JSON list of function, position, hit"),
    ("fuel", ColumnKind::Int, "fuel of the whole run, as wasmtime counts it"),
    ("bytes", ColumnKind::Int, "length of the encoded module"),
    ("instructions", ColumnKind::Int, "instructions executed"),
    ("canonical", ColumnKind::Text, "hash of the canonical form: equal for programs that count as the same"),
    ("chosen_by", ColumnKind::Text, "the suite, or who else chose the item"),
    ("generator", ColumnKind::Text, "version of the generator"),
    (
        "recipe",
        ColumnKind::Text,
        "rebuilds the program: JSON of the generator's version, its seed as text, and its choices",
    ),
];

/// An export in the making.
#[derive(Debug)]
pub struct HuggingFace {
    folder: Folder,
    tables: BTreeMap<Task, ParquetFile>,
}

impl HuggingFace {
    /// Begins one.
    pub fn new(folder: Folder) -> Self {
        Self { folder, tables: BTreeMap::new() }
    }

    fn card(&self, about: &About) -> String {
        let rows: u64 = self.tables.values().map(ParquetFile::rows).sum();
        let config = |name: &str, path: &str, is_default: bool| {
            let default = if is_default { "  default: true\n" } else { "" };
            format!("- config_name: {name}\n{default}  data_files:\n  - split: test\n    path: {path}\n")
        };
        let configs: String = self.tables.keys().map(|task| config(task.name(), &path(*task), false)).collect();
        let counts: String =
            self.tables.iter().map(|(task, table)| format!("| `{task}` | {} |\n", table.rows())).collect();
        let columns: String = COLUMNS.iter().map(|(name, _, what)| format!("| `{name}` | {what} |\n")).collect();
        let prompts: Vec<String> = about.prompts.iter().map(|(task, name)| format!("{task}: {name}")).collect();
        format!(
            "---\n\
             pretty_name: WebAssembly execution ({label})\n\
             license: mit\n\
             language:\n- en\n\
             tags:\n- webassembly\n- code\n- reasoning\n- synthetic\n\
             task_categories:\n- text-generation\n\
             size_categories:\n- {size}\n\
             configs:\n{all}{configs}\
             ---\n\n\
             # WebAssembly execution\n\n\
             {sentence} Made by wasmweaver {version}; each answer is what two engines agree on, its own interpreter and \
             wasmtime. Prompts: {prompts}.\n\n\
             | task | items |\n| --- | --- |\n{counts}\n\
             | column | holds |\n| --- | --- |\n{columns}\n\
             `grade.py` grades a reply exactly as wasmweaver does: `grade(reply, row[\"answer\"])`.\n",
            label = about.label,
            size = size(rows),
            all = config("all", "data/*/test-*.parquet", true),
            sentence = about.sentence(),
            version = env!("CARGO_PKG_VERSION"),
            prompts = prompts.join(", "),
        )
    }
}

fn path(task: Task) -> String {
    format!("data/{task}/test-00000-of-00001.parquet")
}

/// The Hub's words for how many rows there are.
fn size(rows: u64) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        _ => "10M<n<100M",
    }
}

fn row(question: &ExportedQuestion) -> Vec<Cell> {
    let item = question.item();
    let values: &[Value] = match item.truth.said() {
        Said::Values(values) => values,
        Said::Flags(_) | Said::Amount(_) => &[],
    };
    let recipe = serde_json::to_value(&item.recipe).expect("plain data");
    let recipe = json!({
        "generator": recipe["generator"],
        "seed": item.recipe.seed.to_string(),
        "actions": recipe["actions"],
    });
    vec![
        Cell::text(item.id.as_str()),
        Cell::text(item.task.name()),
        Cell::Int(question.subject.level.map(i64::from)),
        Cell::Turns(question.messages.clone()),
        Cell::text(item.program.as_str()),
        Cell::text(question.answer()),
        Cell::Texts(values.iter().map(|value| value.ty.to_string()).collect()),
        Cell::Texts(values.iter().map(|value| bits(*value)).collect()),
        Cell::json(&item.probes),
        Cell::count(item.fuel),
        Cell::count(item.bytes),
        Cell::count(item.instructions),
        Cell::text(item.canonical.as_str()),
        Cell::text(question.subject.chosen_by.as_str()),
        Cell::text(item.recipe.generator.as_str()),
        Cell::json(&recipe),
    ]
}

fn bits(value: Value) -> String {
    use crate::wasm::types::ValType::{F32, F64, I32, I64};
    let digits = match value.ty {
        I32 | F32 => 8,
        I64 | F64 => 16,
        _ => 32,
    };
    format!("0x{:0digits$x}", value.bits)
}

impl Export for HuggingFace {
    fn add(&mut self, question: &ExportedQuestion) -> Result<(), ExportError> {
        let task = question.item().task;
        if !self.tables.contains_key(&task) {
            let columns = COLUMNS.map(|(name, kind, _)| (name, kind));
            self.tables.insert(task, ParquetFile::new(self.folder.file(&path(task))?, &columns)?);
        }
        self.tables.get_mut(&task).expect("is there now").add(row(question))
    }

    fn finish(mut self: Box<Self>, about: &About) -> Result<(), ExportError> {
        self.folder.write("README.md", &self.card(about))?;
        self.folder.write("grade.py", GRADER)?;
        std::mem::take(&mut self.tables).into_values().try_for_each(ParquetFile::finish)?;
        self.folder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::question::tests::{about, questions};
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    #[test]
    fn the_card_says_where_and_rows_keep_every_bit() {
        let scratch = tempfile::tempdir().expect("can be made");
        let out = scratch.path().join("out");
        let mut export = Box::new(HuggingFace::new(Folder::create(&out).expect("has room")));
        questions().iter().try_for_each(|question| export.add(question)).expect("can be written");
        export.finish(&about()).expect("can be placed");
        let card = std::fs::read_to_string(out.join("README.md")).expect("is there");
        let front = card.split("---\n").nth(1).expect("has front matter");
        let front: serde_yaml::Value = serde_yaml::from_str(front).expect("is YAML");
        assert_eq!((&front["license"], &front["size_categories"][0]), (&"mit".into(), &"n<1K".into()));
        let configs = front["configs"].as_sequence().expect("a list");
        assert_eq!(configs.len(), 5);
        for config in &configs[1..] {
            assert!(out.join(config["data_files"][0]["path"].as_str().expect("text")).exists(), "{config:?}");
        }
        let file = std::fs::File::open(out.join(path(Task::Stack))).expect("is there");
        let reader = SerializedFileReader::new(file).expect("is Parquet");
        let row = reader.get_row_iter(None).expect("has rows").next().expect("one").expect("reads");
        let at = |name: &str| COLUMNS.iter().position(|(column, ..)| *column == name).expect(name);
        let bits = row.get_list(at("bits")).expect("a list");
        let told: Vec<String> = bits.elements().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["\"0x8000000000000000\"", "\"0x80000000\""]);
        assert_eq!(row.get_list(at("messages")).expect("a list").len(), 2);
        assert!(row.get_string(at("recipe")).expect("text").contains("\"seed\":\"18446744073709551615\""));
    }
}
