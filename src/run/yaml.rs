//! Owns reading YAML that a person wrote, with errors that name file, line and column and say what to do.
//!
//! Must not know what the settings mean. A type that is read here has to be `deny_unknown_fields`, or a misspelt key
//! would silently mean the default. Mistakes that only the reader of a setting can see (a minimum above its maximum)
//! become errors of the same kind through [`YamlFile::at`].

mod explain;
mod locate;
mod nearest;

pub use locate::{Position, locate};
pub use nearest::nearest;

use serde::de::DeserializeOwned;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A mistake in a file that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// Where in it, as far as that can be told.
    pub position: Option<Position>,
    /// What is wrong, without a full stop.
    pub what: String,
    /// What to do about it, without a full stop.
    pub todo: String,
}

impl ConfigError {
    /// A mistake about the setting at this key path of a file: `ConfigError::at(path, &["fuel", "min"], ...)`. Reads the
    /// file again to find the line; use [`YamlFile::at`] where the text is at hand.
    pub fn at(path: &Path, keys: &[&str], what: &str, todo: &str) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        YamlFile { path: path.into(), text }.at(keys, what, todo)
    }

    /// A mistake about a file as a whole.
    pub fn whole(path: &Path, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { path: path.into(), position: None, what: what.into(), todo: todo.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(Position { line, column }) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}; {}", self.what, self.todo)
    }
}

impl std::error::Error for ConfigError {}

/// A YAML file in memory, kept while its settings are checked so that each mistake can be shown at its line.
#[derive(Clone, Debug)]
pub struct YamlFile {
    path: PathBuf,
    text: String,
}

impl YamlFile {
    /// Reads a file. For one that is missing the error names those that are there.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            // A module, say: its first bytes are text as well.
            Ok(text) if text.contains('\0') => {
                Err(ConfigError::whole(path, "is binary, and no YAML", "name a YAML file"))
            }
            Ok(text) => Ok(Self { path: path.into(), text }),
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    /// Text that is at hand already, such as a preset within the program; `path` is what errors call it.
    pub fn from_text(path: &Path, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is written in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its settings.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        // A file of nothing but comments is valid YAML, but surely a mistake.
        if matches!(serde_yaml::from_str(&self.text), Ok(serde_yaml::Value::Null)) {
            let todo = format!("write settings into it, or copy another file; {}", there_are(&self.path));
            return Err(ConfigError::whole(&self.path, "the file is empty", todo));
        }
        serde_yaml::from_str(&self.text).map_err(|error| {
            let (what, todo) = explain::explain(&error);
            let position = error.location().map(Position::from);
            ConfigError { path: self.path.clone(), position, what, todo }
        })
    }

    /// A mistake about the setting at this key path: `file.at(&["fuel", "min"], "the minimum 60 is above the maximum
    /// 50", "lower it to at most 50")`. Shown at the line of the key, or of the nearest one above it that is written.
    pub fn at(&self, keys: &[&str], what: &str, todo: &str) -> ConfigError {
        let position = (0..=keys.len()).rev().find_map(|depth| locate(&self.text, &keys[..depth]));
        let what = if keys.is_empty() { what.to_owned() } else { format!("`{}`: {what}", key_path(keys)) };
        ConfigError { path: self.path.clone(), position, what, todo: todo.into() }
    }
}

/// Whether a preset or suite is called by its file, not by its name.
pub fn is_path(name: &str) -> bool {
    name.contains(['/', '\\']) || name.ends_with(".yaml") || name.ends_with(".yml")
}

/// Reads the settings in a YAML file: [`YamlFile::read`] and [`YamlFile::parse`].
pub fn load_yaml<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    YamlFile::read(path)?.parse()
}

/// As the YAML reader writes it: `mask[1].weight`.
fn key_path(keys: &[&str]) -> String {
    let mut path = String::new();
    for key in keys {
        let is_index = !path.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
        path += &match (is_index, path.is_empty()) {
            (true, _) => format!("[{key}]"),
            (false, true) => (*key).to_owned(),
            (false, false) => format!(".{key}"),
        };
    }
    path
}

fn unreadable(path: &Path, error: &std::io::Error) -> ConfigError {
    match error.kind() {
        ErrorKind::NotFound => missing(path),
        ErrorKind::IsADirectory => {
            ConfigError::whole(path, "is a directory", format!("name a file; {}", there_are(&path.join("x"))))
        }
        ErrorKind::InvalidData => {
            ConfigError::whole(path, "is not UTF-8 text", "save it as UTF-8, or name another file")
        }
        _ => ConfigError::whole(path, format!("cannot be read: {error}"), "check its rights, or name another file"),
    }
}

fn missing(path: &Path) -> ConfigError {
    let names = yaml_files_beside(path);
    let given = path.file_name().unwrap_or_default().to_string_lossy();
    let todo = match nearest(&given, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{}`? {}", path.with_file_name(name).display(), there_are(path)),
        None => there_are(path),
    };
    ConfigError::whole(path, "there is no such file", todo)
}

/// Says which YAML files stand beside this one.
fn there_are(path: &Path) -> String {
    let folder = folder_of(path).display().to_string();
    if !folder_of(path).is_dir() {
        return format!("there is no folder {folder} either");
    }
    let names: Vec<String> = yaml_files_beside(path).into_iter().filter(|name| !path.ends_with(name)).collect();
    if names.is_empty() {
        format!("there are no YAML files in {folder}")
    } else {
        format!("in {folder} there are {}", names.join(", "))
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn yaml_files_beside(path: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder_of(path)) else { return Vec::new() };
    let is_yaml = |name: &String| name.ends_with(".yaml") || name.ends_with(".yml");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(is_yaml).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests;
