//! Owns prompts: Markdown files with YAML front matter, whose `# system` and `# user` sections are minijinja templates
//! over an item, and become the messages of a request.
//!
//! Must not know models or replies. A prompt is data and may be a user's own, so every mistake in one is an error that
//! names file and line, found when it is loaded and not at the thousandth item. Variables: `program` (the WAT with the
//! comments of its probes), `hit` (which arrival at `;;INSPECT` is meant, from 1) and `task`.

mod parse;

use super::chat::{Message, Role};
use crate::item::record::{Item, Task};
use minijinja::{Environment, UndefinedBehavior, context};
use std::path::{Path, PathBuf};

/// A prompt cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The file cannot be read.
    #[error("cannot read the prompt {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is neither a file nor a way to ask that comes with the program.
    #[error("there is no way to ask `{given}`; write one of {known}, or a file")]
    Unknown {
        /// What was asked for.
        given: String,
        /// The names that would do.
        known: String,
    },
    /// The file is no prompt.
    #[error("{path}:{line}: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// A prompt, ready to be rendered.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Its name, without the version.
    pub name: String,
    /// Its version; a prompt that has been used is never changed, its successor has the next number.
    pub version: u32,
    /// The task that it asks.
    pub task: Task,
    /// One line for people.
    pub description: String,
    /// BLAKE3 of the file with its line ends made `\n`, hex: what a manifest keeps.
    pub hash: String,
    path: PathBuf,
    sections: Vec<parse::Section>,
    templates: Environment<'static>,
}

/// Path and text of each prompt.
macro_rules! shipped {
    ($($name:literal)*) => {
        [$((concat!("prompts/", $name, ".md"), include_str!(concat!("../../prompts/", $name, ".md")))),*]
    };
}

/// The prompts that come with the program: path, text.
const SHIPPED: &[(&str, &str)] = &shipped! {
    "stack.v1" "reachability.v1" "result.v1" "fuel.v1"
    "stack-answer-only.v1" "reachability-answer-only.v1" "result-answer-only.v1" "fuel-answer-only.v1"
};

/// The ways to ask that come with the program: name, and what stands behind the task in the names of its prompts.
const STYLES: [(&str, &str); 2] = [("step-by-step", ""), ("answer-only", "-answer-only")];

impl Prompt {
    /// The prompt that comes with the program for a task, in its newest version.
    pub fn shipped(task: Task) -> Self {
        Self::of_style(task, "").expect("a test finds one for each task")
    }

    /// The prompts that a name stands for: those of all tasks that have one for a way to ask that comes with the program
    /// (`step-by-step`, `answer-only`), or that of a file.
    ///
    /// # Errors
    /// If it is neither, or the file is no prompt.
    pub fn named(name: &str) -> Result<Vec<Self>, PromptError> {
        let style = STYLES.iter().find(|(style, _)| *style == name);
        match style {
            Some((_, suffix)) => Ok(Task::ALL.iter().filter_map(|&task| Self::of_style(task, suffix)).collect()),
            None if Path::new(name).exists() || name.contains(['/', '\\', '.']) => {
                Ok(vec![Self::load(Path::new(name))?])
            }
            None => {
                let known = STYLES.map(|(style, _)| style).join(", ");
                Err(PromptError::Unknown { given: name.into(), known })
            }
        }
    }

    /// All prompts that come with the program for a task: every way to ask, every version.
    pub fn all_shipped(task: Task) -> Vec<Self> {
        let all = SHIPPED.iter().map(|(path, text)| Self::parse(Path::new(path), text));
        all.map(|prompt| prompt.expect("a test parses them all")).filter(|prompt| prompt.task == task).collect()
    }

    fn of_style(task: Task, suffix: &str) -> Option<Self> {
        let name = format!("{task}{suffix}");
        let all =
            SHIPPED.iter().map(|(path, text)| Self::parse(Path::new(path), text).expect("a test parses them all"));
        all.filter(|prompt| prompt.name == name).max_by_key(|prompt| prompt.version)
    }

    /// Reads a prompt from a file.
    pub fn load(path: &Path) -> Result<Self, PromptError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| PromptError::Unreadable { path: path.into(), source })?;
        Self::parse(path, &text)
    }

    /// Its file, unless it comes with the program.
    pub fn file(&self) -> Option<&Path> {
        let is_shipped = Self::all_shipped(self.task).iter().any(|shipped| shipped.hash == self.hash);
        (!is_shipped).then_some(&*self.path)
    }

    /// Reads a prompt from its text; `path` is for errors.
    pub fn parse(path: &Path, text: &str) -> Result<Self, PromptError> {
        let text = text.replace("\r\n", "\n");
        let (front, sections) = parse::split(&text).map_err(|problem| problem.in_file(path))?;
        let prompt = Self {
            name: front.name,
            version: front.version,
            task: front.task,
            description: front.description,
            hash: blake3::hash(text.as_bytes()).to_hex().to_string(),
            path: path.into(),
            templates: compile(path, &sections)?,
            sections,
        };
        prompt.rehearse()?;
        Ok(prompt)
    }

    /// Name and version, as manifests and tables show them: `stack.v1`.
    pub fn id(&self) -> String {
        format!("{}.v{}", self.name, self.version)
    }

    /// The messages that ask about an item.
    pub fn render(&self, item: &Item) -> Result<Vec<Message>, PromptError> {
        self.messages(&item.program, item.probes.first().map_or(1, |probe| probe.hit))
    }

    /// The messages that ask about a program as the model sees it; `hit` is the arrival that `stack` asks about.
    pub fn messages(&self, program: &str, hit: u32) -> Result<Vec<Message>, PromptError> {
        let context = context! { program, hit, task => self.task.name() };
        let render = |(index, section): (usize, &parse::Section)| {
            let template = self.templates.get_template(&index.to_string()).expect("compiled under this name");
            let content = template.render(&context).map_err(|e| in_template(&self.path, section, &e))?;
            Ok(Message { role: section.role, content: content.trim().to_owned() })
        };
        self.sections.iter().enumerate().map(render).collect()
    }

    /// Renders with stand-ins, so that unknown variables and a forgotten program are found at once.
    fn rehearse(&self) -> Result<(), PromptError> {
        const PROGRAM: &str = "(module (; stand-in ;))";
        self.messages(PROGRAM, 2)?;
        let messages = self.messages(PROGRAM, 1)?;
        if messages.iter().any(|message| message.content.contains(PROGRAM)) {
            return Ok(());
        }
        let problem = "no section shows the program; write {{ program }} where it belongs".into();
        Err(PromptError::Malformed { path: self.path.clone(), line: self.sections[0].line, problem })
    }
}

fn compile(path: &Path, sections: &[parse::Section]) -> Result<Environment<'static>, PromptError> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    for (index, section) in sections.iter().enumerate() {
        let added = templates.add_template_owned(index.to_string(), section.text.clone());
        added.map_err(|e| in_template(path, section, &e))?;
    }
    Ok(templates)
}

fn in_template(path: &Path, section: &parse::Section, error: &minijinja::Error) -> PromptError {
    let line = section.line + error.line().unwrap_or(1) - 1;
    let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    let problem = format!("{what}; a prompt may use {{{{ program }}}}, {{{{ hit }}}} and {{{{ task }}}}");
    PromptError::Malformed { path: path.into(), line, problem }
}

/// A mistake at a line, before the file is known.
struct Problem {
    line: usize,
    text: String,
}

impl Problem {
    fn in_file(self, path: &Path) -> PromptError {
        PromptError::Malformed { path: path.into(), line: self.line, problem: self.text }
    }
}

impl Role {
    fn of_heading(line: &str) -> Option<Self> {
        match line.strip_prefix("# ")?.trim().to_ascii_lowercase().as_str() {
            "system" => Some(Self::System),
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            _ => None,
        }
    }
}

/// How each task is asked.
#[derive(Clone, Debug)]
pub struct Prompts(Vec<Prompt>);

impl Default for Prompts {
    /// Every task asked as usual.
    fn default() -> Self {
        Self::new([])
    }
}

impl Prompts {
    /// These; of several for one task the last counts. A task without one is asked as usual.
    pub fn new(own: impl IntoIterator<Item = Prompt>) -> Self {
        let mut prompts: Vec<Prompt> = Task::ALL.iter().map(|&task| Prompt::shipped(task)).collect();
        for prompt in own {
            let of_task = prompts.iter_mut().find(|known| known.task == prompt.task);
            *of_task.expect("there is one for each task") = prompt;
        }
        Self(prompts)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Prompt> {
        self.0.iter()
    }

    /// That of a task.
    pub fn of(&self, task: Task) -> &Prompt {
        self.0.iter().find(|prompt| prompt.task == task).expect("there is one for each task")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: &str = "---\nname: x\nversion: 2\ntask: stack\ndescription: d\n---\n";

    fn parse(text: &str) -> Result<Prompt, PromptError> {
        Prompt::parse(Path::new("p.md"), text)
    }

    fn problem(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn every_task_has_a_shipped_prompt() {
        for &task in Task::ALL {
            assert_eq!(Prompt::shipped(task).task, task);
        }
        for (path, text) in SHIPPED {
            let prompt = Prompt::parse(Path::new(path), text).expect("parses");
            assert_eq!(*path, format!("prompts/{}.md", prompt.id()));
        }
    }

    /// It comes as a file alone: for one task, and for models that no style would help.
    #[test]
    fn examples_are_turns_of_a_conversation() {
        use crate::ask::{chat::ChatReply, judge::judge};
        use crate::item::record::{Probe, Truth, Verdict};
        use crate::wasm::{machine::Machine, parse::parse_text, rerun::Execution};
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/stack-few-shot.v1.md");
        let prompt = Prompt::load(Path::new(path)).expect("is a prompt");
        let messages = prompt.messages("(module)", 1).expect("renders");
        assert!(matches!(messages[0].role, Role::System) && messages.len().is_multiple_of(2));
        assert_eq!(messages.last().map(|last| (last.role, last.content.as_str())), Some((Role::User, "(module)")));
        for pair in messages[1..messages.len() - 1].chunks(2) {
            let (program, marks) = parse_text(&pair[0].content, &["INSPECT"]).expect(&pair[0].content);
            let probe = Probe { func: marks[0].func, pc: marks[0].pc, hit: 1 };
            let seen = Execution { machine: &mut Machine::default(), program: &program, entry: 0, fuel_limit: 100 }
                .snapshot(probe)
                .expect("does not trap");
            let truth = Truth::StackValues(seen.expect("is reached").operands);
            let verdict = judge(&ChatReply::text(&pair[1].content), &truth).verdict;
            assert_eq!(verdict, Verdict::Correct, "{} is {truth:?}", pair[0].content);
        }
    }

    #[test]
    fn every_prompt_asks_in_the_form_that_the_judge_reads() {
        use crate::ask::{chat::ChatReply, judge::judge};
        use crate::item::record::{Truth, Verdict};
        use crate::wasm::types::Value;
        let values = vec![Value::i32(30), Value::f64(1.5)];
        for truth in [
            Truth::StackValues(values.clone()),
            Truth::FlagStates(vec![("FLAG_0".into(), true), ("FLAG_1".into(), false)]),
            Truth::ReturnValues(values),
            Truth::Fuel(17),
        ] {
            for (style, _) in STYLES {
                let prompts = Prompt::named(style).expect("is shipped");
                let prompt = prompts.iter().find(|prompt| prompt.task == truth.task()).expect("one for each task");
                let messages = prompt.messages("(module ;;INSPECT\n)", 1).expect("renders");
                assert_eq!(messages.iter().map(|m| m.role).collect::<Vec<_>>(), [Role::System, Role::User]);
                assert!(messages[1].content.contains("```wat\n(module ;;INSPECT\n)\n```"));
                let verdict = judge(&ChatReply::text(&messages[1].content), &truth).verdict;
                assert_eq!(verdict, Verdict::Correct, "{}: {truth:?}", prompt.id());
                assert_eq!(messages[1].content.contains("step by step"), style == "step-by-step");
            }
        }
    }

    #[test]
    fn sections_become_messages() {
        let text = format!(
            "{FRONT}# system\nBe exact.\n# User\n{{{{ program }}}}{{% if hit > 1 %}} at {{{{ hit }}}}{{% endif %}}\n# Not a role\n"
        );
        let prompt = parse(&text).expect("parses");
        let messages = prompt.messages("<a & b>", 3).expect("renders");
        assert_eq!(messages[0], Message { role: Role::System, content: "Be exact.".into() });
        assert_eq!(messages[1], Message { role: Role::User, content: "<a & b> at 3\n# Not a role".into() });
        assert_eq!((prompt.id().as_str(), prompt.hash.len()), ("x.v2", 64));
        assert_eq!(parse(&text.replace('\n', "\r\n")).expect("parses").hash, prompt.hash);
    }

    #[test]
    fn without_headings_all_is_the_user_s() {
        let front = FRONT.replace("task:", "system: Be exact.\ntask:");
        let messages =
            parse(&format!("{front}Look: {{{{ program }}}}")).expect("parses").messages("p", 1).expect("renders");
        assert_eq!(messages.iter().map(|m| m.content.as_str()).collect::<Vec<_>>(), ["Be exact.", "Look: p"]);
    }

    #[test]
    fn mistakes_name_their_line() {
        let cases = [
            ("", "p.md:1: "),
            ("hello", "p.md:1: "),
            ("---\nname: x\n", "p.md:1: "),
            ("---\nname: x\nversion: two\n---\n", "p.md:3: "),
            ("---\nname: x\nversion: 1\ntask: heap\ndescription: d\n---\n", "p.md:4: "),
            ("---\nname: x\nversion: 1\ntask: stack\ndescription: d\nmodel: m\n---\n", "p.md:6: "),
            (&format!("{FRONT}# user\nno program\n"), "p.md:8: no section shows the program"),
            (&format!("{FRONT}# user\n{{{{ program }}}}\n{{{{ wat }}}}\n"), "p.md:9: undefined value"),
            (&format!("{FRONT}# user\n{{{{ program }}\n"), "p.md:8: syntax error"),
            (&format!("{FRONT}stray\n# user\n{{{{ program }}}}\n"), "p.md:7: "),
            (&format!("{FRONT}# system\n{{{{ program }}}}\n"), "p.md:7: "),
            (&format!("{FRONT}\n"), "p.md:7: "),
        ];
        for (text, start) in cases {
            assert!(problem(text).starts_with(start), "{text}\n=> {}", problem(text));
        }
        let error = Prompt::load(Path::new("no/such.md")).expect_err("missing").to_string();
        assert!(error.starts_with("cannot read the prompt no/such.md"), "{error}");
    }
}
