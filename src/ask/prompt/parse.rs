//! Owns the outer form of a prompt file: front matter, then sections under headings that name a role.
//!
//! Must not know templates. Lines are counted from the top of the file all along, for errors.

use super::Problem;
use crate::ask::chat::Role;
use crate::item::record::Task;
use serde::Deserialize;

pub(super) struct Front {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) task: Task,
    pub(super) description: String,
}

/// Front matter as written: a field that is missing is found by us, who can say what to do about it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    name: Option<String>,
    version: Option<u32>,
    task: Option<Task>,
    description: Option<String>,
    system: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) role: Role,
    /// Line of the first line of `text`, from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

/// Splits a file into its front matter and its sections, of which one at least is the user's.
pub(super) fn split(text: &str) -> Result<(Front, Vec<Section>), Problem> {
    let (front_text, body, body_line) = front_and_body(text)?;
    let mut written = written(front_text)?;
    let system = written.system.take();
    let front = complete(written, body_line - 1)?;
    let mut sections = sections(body, body_line)?;
    if let Some(text) = system {
        sections.insert(0, Section { role: Role::System, line: 1, text });
    }
    if sections.iter().any(|section| section.role == Role::User) {
        return Ok((front, sections));
    }
    Err(Problem { line: body_line, text: "nothing is asked; write a section under the heading `# user`".into() })
}

fn written(front_text: &str) -> Result<Written, Problem> {
    if front_text.trim().is_empty() {
        return Ok(Written::default());
    }
    serde_yaml::from_str(front_text).map_err(|e| {
        let text = e.to_string();
        // The parser counts from the front matter's own first line, which is the file's second.
        let what = text.split(" at line ").next().unwrap_or(&text);
        Problem {
            line: e.location().map_or(1, |at| at.line() + 1),
            text: format!("front matter: {what}; it has `name, version, task, description` and may have `system`"),
        }
    })
}

/// The front matter with all it needs; `close` is the line of the `---` that ends it.
fn complete(written: Written, close: usize) -> Result<Front, Problem> {
    let missing = |field: &str, example: &str| Problem {
        line: close,
        text: format!("the front matter has no `{field}`; add a line such as `{field}: {example}` above this `---`"),
    };
    Ok(Front {
        name: written.name.ok_or_else(|| missing("name", "stack"))?,
        version: written.version.ok_or_else(|| missing("version", "1"))?,
        task: written.task.ok_or_else(|| missing("task", "stack"))?,
        description: written.description.ok_or_else(|| missing("description", "what it asks, in one line"))?,
    })
}

fn front_and_body(text: &str) -> Result<(&str, &str, usize), Problem> {
    let open = || Problem { line: 1, text: "a prompt starts with front matter between two lines `---`".into() };
    let rest = text.strip_prefix("---\n").ok_or_else(open)?;
    let close = if rest.starts_with("---\n") { 0 } else { rest.find("\n---\n").ok_or_else(open)? + 1 };
    let (front, body) = (&rest[..close], &rest[close + "---\n".len()..]);
    Ok((front, body, front.lines().count() + 3))
}

fn sections(body: &str, first_line: usize) -> Result<Vec<Section>, Problem> {
    let mut sections: Vec<Section> = Vec::new();
    let mut loose = Section { role: Role::User, line: first_line, text: String::new() };
    for (number, line) in (first_line..).zip(body.lines()) {
        if let Some(role) = Role::of_heading(line) {
            sections.push(Section { role, line: number + 1, text: String::new() });
            continue;
        }
        let section = sections.last_mut().unwrap_or(&mut loose);
        section.text.push_str(line);
        section.text.push('\n');
    }
    match (sections.is_empty(), loose.text.trim().is_empty()) {
        (true, false) => Ok(vec![loose]),
        (false, false) => {
            let text = "text before the first heading; put it under `# system` or `# user`".into();
            Err(Problem { line: first_line, text })
        }
        _ => Ok(sections),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_in_front_matter_name_their_line_and_the_cure() {
        let cases = [
            ("", 2, "no `name`; add a line such as `name: stack`"),
            ("version: 1\ntask: stack\ndescription: d\n", 5, "no `name`; add"),
            ("name: x\ntask: stack\ndescription: d\n", 5, "no `version`; add a line such as `version: 1`"),
            ("name: x\nversion: 1\ndescription: d\n", 5, "no `task`; add"),
            ("name: x\nversion: 1\ntask: stack\n", 5, "no `description`; add"),
            ("name: x\nversion: 1\ntask: stack\ndescription:\n", 6, "no `description`; add"),
            ("name: x\nversion: two\n", 3, "version: invalid type"),
        ];
        for (front, line, part) in cases {
            let problem = split(&format!("---\n{front}---\n# user\nhello\n")).err().expect(front);
            assert_eq!(problem.line, line, "{front}: {}", problem.text);
            assert!(problem.text.contains(part) && !problem.text.contains(" at line "), "{front}: {}", problem.text);
        }
    }
}
