//! Owns the outer form of a prompt file: front matter, then sections under headings that name a role.
//!
//! Must not know templates. Lines are counted from the top of the file all along, for errors.

use super::Problem;
use crate::ask::chat::Role;
use crate::item::record::Task;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Front {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) task: Task,
    pub(super) description: String,
    #[serde(default)]
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
    let mut front: Front = serde_yaml::from_str(front_text).map_err(|e| Problem {
        // The front matter starts on line 2.
        line: e.location().map_or(1, |at| at.line() + 1),
        text: format!("front matter: {e}; it has `name, version, task, description` and may have `system`"),
    })?;
    let mut sections = sections(body, body_line)?;
    if let Some(text) = front.system.take() {
        sections.insert(0, Section { role: Role::System, line: 1, text });
    }
    if sections.iter().any(|section| section.role == Role::User) {
        return Ok((front, sections));
    }
    Err(Problem { line: body_line, text: "nothing is asked; write a section under the heading `# user`".into() })
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
