//! Owns the export to Inspect: the items as samples, and a task file whose scorer grades.
//!
//! Must not know how items come about. Chat messages go in as they are, whatever their roles.

use super::GRADER;
use super::folder::{ExportError, Folder, OutFile};
use super::question::{About, Export, ExportedQuestion};
use serde_json::json;

/// What stands in the task file behind the grader.
const TASK: &str = include_str!("inspect.py");

/// An export in the making.
#[derive(Debug)]
pub struct Inspect {
    folder: Folder,
    rows: OutFile,
}

impl Inspect {
    /// Begins one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(folder: Folder) -> Result<Self, ExportError> {
        Ok(Self { rows: folder.file("items.jsonl")?, folder })
    }
}

fn readme(about: &About) -> String {
    format!(
        "# WebAssembly execution, for Inspect\n\n\
         {}\n\n\
         ```sh\n\
         pip install inspect-ai openai\n\
         inspect eval wasmweaver.py --model openai/MODEL          # all items; -T only=stack for those of one task\n\
         ```\n\n\
         The scorer grades integers by their bits, floats by their bits after one rounding, and takes any NaN for a NaN. A \
         score's explanation is the verdict.\n",
        about.sentence()
    )
}

impl Export for Inspect {
    fn add(&mut self, question: &ExportedQuestion) -> Result<(), ExportError> {
        self.rows.line(&json!({
            "input": question.messages,
            "target": question.answer(),
            "id": question.item().id,
            "metadata": question.metadata(),
        }))
    }

    fn finish(self: Box<Self>, about: &About) -> Result<(), ExportError> {
        let Self { folder, rows } = *self;
        rows.finish()?;
        folder.write("wasmweaver.py", &format!("{GRADER}\n\n{TASK}"))?;
        folder.write("README.md", &readme(about))?;
        folder.finish()
    }
}
