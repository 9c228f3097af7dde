//! Owns the export to OpenAI's Batch API: requests as lines of input files, each within the limits of one file.
//!
//! Must not know models: the caller says how a question is written as a line.

use super::folder::{ExportError, Folder, OutFile};
use super::question::{About, Export, ExportedQuestion};
use crate::ask::batch::{MOST_BYTES, MOST_REQUESTS};
use std::collections::HashSet;

/// A question as requests of a batch: the name and the line of each.
pub type Lines = Box<dyn Fn(&ExportedQuestion) -> Vec<(String, String)>>;

/// An export in the making.
pub struct OpenAiBatch {
    folder: Folder,
    lines: Lines,
    /// The command that takes the replies in, up to the files.
    import: String,
    most: (usize, u64),
    file: Option<OutFile>,
    /// Requests and bytes in the file.
    used: (usize, u64),
    files: usize,
    seen: HashSet<String>,
}

impl OpenAiBatch {
    /// Begins one. `import` is the command that takes the replies in.
    pub fn new(folder: Folder, lines: Lines, import: String) -> Self {
        Self::within(folder, lines, import, (MOST_REQUESTS, MOST_BYTES))
    }

    fn within(folder: Folder, lines: Lines, import: String, most: (usize, u64)) -> Self {
        Self { folder, lines, import, most, file: None, used: (0, 0), files: 0, seen: HashSet::new() }
    }

    fn line(&mut self, custom_id: String, line: &str) -> Result<(), ExportError> {
        let bytes = line.len() as u64 + 1;
        if bytes > self.most.1 {
            return Err(ExportError::TooLarge(custom_id));
        }
        if self.used.0 == self.most.0 || self.used.1 + bytes > self.most.1 {
            self.file.take().map_or(Ok(()), OutFile::finish)?;
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = self.folder.file(&format!("requests-{:05}.jsonl", self.files))?;
                (self.files, self.used) = (self.files + 1, (0, 0));
                none.insert(file)
            }
        };
        file.write(line)?;
        file.write("\n")?;
        self.used = (self.used.0 + 1, self.used.1 + bytes);
        if self.seen.insert(custom_id.clone()) { Ok(()) } else { Err(ExportError::Twice(custom_id)) }
    }
}

impl Export for OpenAiBatch {
    fn add(&mut self, question: &ExportedQuestion) -> Result<(), ExportError> {
        (self.lines)(question).into_iter().try_for_each(|(custom_id, line)| self.line(custom_id, &line))
    }

    fn finish(mut self: Box<Self>, about: &About) -> Result<(), ExportError> {
        self.file.take().map_or(Ok(()), OutFile::finish)?;
        let readme = format!(
            "# Requests for OpenAI's Batch API\n\n\
             {} {} requests in {} files.\n\n\
             Send each `requests-*.jsonl` as a batch to `/v1/chat/completions`; then judge the replies of all of them, output \
             files and error files, with\n\n\
             ```sh\n{} --import-batch output.jsonl error.jsonl\n```\n",
            about.sentence(),
            self.seen.len(),
            self.files,
            self.import,
        );
        self.folder.write("README.md", &readme)?;
        self.folder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::question::tests::{about, questions};
    use super::*;

    fn exported(out: &std::path::Path, most: (usize, u64)) -> Result<(), ExportError> {
        let lines: Lines = Box::new(|question| {
            let id = question.item().id.clone();
            vec![(format!("{id}-0"), format!("{id:0>20}")), (format!("{id}-1"), "1".repeat(20))]
        });
        let folder = Folder::create(out)?;
        let mut batch = Box::new(OpenAiBatch::within(folder, lines, "harness eval".into(), most));
        questions().iter().try_for_each(|question| batch.add(question))?;
        batch.finish(&about())
    }

    #[test]
    fn files_keep_to_requests_and_bytes() {
        let scratch = tempfile::tempdir().expect("can be made");
        for (at, (most, expected)) in
            [((3, 1000), vec![3, 3, 2]), ((100, 42), vec![2; 4]), ((100, 41), vec![1; 8]), ((8, 168), vec![8])]
                .into_iter()
                .enumerate()
        {
            let out = scratch.path().join(at.to_string());
            exported(&out, most).expect("has room");
            let file = |at| std::fs::read_to_string(out.join(format!("requests-{at:05}.jsonl")));
            let counts: Vec<usize> = (0..).map_while(|at| file(at).ok()).map(|text| text.lines().count()).collect();
            assert_eq!(counts, expected, "{most:?}");
            let readme = std::fs::read_to_string(out.join("README.md")).expect("is there");
            assert!(readme.contains(&format!("8 requests in {} files", expected.len())), "{readme}");
        }
        let error = exported(&scratch.path().join("none"), (9, 20)).expect_err("has no room").to_string();
        assert!(error.starts_with("the request stack-0-0 alone is larger"), "{error}");
        assert!(!scratch.path().join("none").exists());
    }

    #[test]
    fn a_request_that_is_there_is_refused() {
        let scratch = tempfile::tempdir().expect("can be made");
        let folder = Folder::create(&scratch.path().join("out")).expect("has room");
        let lines: Lines = Box::new(|_| vec![("same".into(), "{}".into())]);
        let mut batch = OpenAiBatch::new(folder, lines, String::new());
        let questions = questions();
        batch.add(&questions[0]).expect("is new");
        assert!(matches!(batch.add(&questions[1]), Err(ExportError::Twice(id)) if id == "same"));
    }
}
