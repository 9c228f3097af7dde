//! Owns model names and what is known about each model: where it answers, which parameters it takes, what it costs.
//!
//! Must not know connections or keys. Entries are data (`models.yaml` beside this file, and a file of the user's own);
//! prices carry the date on which they were read, since they change.

use super::chat::Params;
use crate::item::record::Usage;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where OpenAI itself answers.
pub const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// Which parameters a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParamStyle {
    /// `temperature`, `top_p`, `max_tokens`.
    Standard,
    /// `max_completion_tokens` and `reasoning_effort`; sampling cannot be chosen.
    Reasoning,
}

impl ParamStyle {
    /// The parameters that are set but would not be sent, for a warning.
    pub fn ignores(self, params: &Params) -> Vec<&'static str> {
        let sampling = [("temperature", params.temperature.is_some()), ("top_p", params.top_p.is_some())];
        let ignored = sampling.into_iter().filter(|(_, set)| *set && self == Self::Reasoning);
        ignored.map(|(name, _)| name).collect()
    }
}

/// Who runs a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A simulated solver of this program's own.
    Sim,
    /// A guesser of this program's own.
    Guess,
    /// OpenAI, or an endpoint that speaks like it.
    OpenAi,
}

impl Provider {
    const ALL: [Provider; 3] = [Provider::Sim, Provider::Guess, Provider::OpenAi];

    /// What stands before the slash of a model's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Guess => "guess",
            Self::OpenAi => "openai",
        }
    }

    /// Whether it answers within this program: at once, and for nothing.
    pub fn is_resident(&self) -> bool {
        matches!(self, Self::Sim | Self::Guess)
    }

    /// The provider that a model's name begins with, and the rest of it.
    pub fn of(name: &str) -> Option<(Self, &str)> {
        let (prefix, id) = name.split_once('/')?;
        let provider = Self::ALL.into_iter().find(|provider| provider.name() == prefix)?;
        Some((provider, id))
    }
}

/// US dollars per million tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Tokens read.
    pub input: f64,
    /// Tokens written, hidden reasoning included.
    pub output: f64,
    /// The day on which the prices were read, `YYYY-MM-DD` or `YYYY-MM`.
    pub as_of: String,
}

impl Prices {
    /// What one reply cost, US dollars; `None` if the provider did not count its tokens.
    pub fn cost(&self, usage: &Usage) -> Option<f64> {
        let (read, written) = (usage.prompt_tokens?, usage.completion_tokens?);
        Some((read as f64 * self.input + written as f64 * self.output) / 1e6)
    }
}

/// What is known about one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Who runs it.
    #[serde(default = "openai")]
    pub provider: Provider,
    /// Its name at its endpoint.
    pub id: String,
    /// Where it answers, if not where its provider does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Whether it thinks before it answers, at the cost of tokens.
    #[serde(default)]
    pub reasoning: bool,
    /// Which parameters it takes; by default that of reasoning models for those that reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<ParamStyle>,
    /// Context window, tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// Most tokens written, hidden reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u32>,
    /// What it costs; `None` if unknown, which is not free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
}

fn openai() -> Provider {
    Provider::OpenAi
}

impl ModelEntry {
    /// The full name, `provider/id`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider.name(), self.id)
    }

    /// Which parameters it takes.
    pub fn style(&self) -> ParamStyle {
        self.style.unwrap_or(if self.reasoning { ParamStyle::Reasoning } else { ParamStyle::Standard })
    }

    /// Where it answers. Solvers and guessers of ours answer where the caller serves them.
    pub fn base_url(&self) -> &str {
        self.base_url.as_deref().unwrap_or(OPENAI_BASE_URL)
    }

    /// An entry for a model of which only the name is known. OpenAI's series are told by their names.
    fn guessed(provider: Provider, id: &str, base_url: Option<&str>) -> Self {
        let last = id.rsplit('/').next().unwrap_or(id);
        let reasoning = ["o1", "o3", "o4", "gpt-5"].iter().any(|series| last.starts_with(series));
        let base_url = base_url.map(str::to_owned);
        let id = id.to_owned();
        Self { provider, id, base_url, reasoning, style: None, context: None, max_output: None, prices: None }
    }
}

/// A model cannot be found, or a file of models not be read.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ModelError {
    /// Nobody is known by this name.
    #[error(
        "there is no model `{given}` here; write `provider/model`, with --base-url for an endpoint of your own; known: {known}"
    )]
    Unknown {
        /// What was asked for.
        given: String,
        /// The names of all that are known.
        known: String,
    },
    /// A file of models cannot be read.
    #[error("cannot read the models in {path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        reason: String,
    },
}

/// The models that are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Models(Vec<ModelEntry>);

impl Models {
    /// The entries that come with the program.
    pub fn shipped() -> Self {
        let entries = serde_yaml::from_str(include_str!("models.yaml"));
        Self(entries.expect("a test reads the shipped entries"))
    }

    /// Adds the entries of a YAML text, which replace those of the same name. `path` is for errors.
    pub fn extend_from(&mut self, text: &str, path: &Path) -> Result<(), ModelError> {
        let added: Vec<ModelEntry> = serde_yaml::from_str(text)
            .map_err(|e| ModelError::Unreadable { path: path.into(), reason: e.to_string() })?;
        self.0.retain(|old| added.iter().all(|new| new.name() != old.name()));
        self.0.extend(added);
        Ok(())
    }

    /// All entries.
    pub fn entries(&self) -> &[ModelEntry] {
        &self.0
    }

    /// The entry that a name stands for: `provider/model`, or a bare `o3-mini` for OpenAI's.
    ///
    /// With a base URL any model goes, and a prefix that names no provider of ours is part of its name there, as in
    /// `meta-llama/llama-3`. Which `sim/...` and `guess/...` there are is the caller's to say.
    pub fn resolve(&self, name: &str, base_url: Option<&str>) -> Result<ModelEntry, ModelError> {
        let (provider, id) = Provider::of(name).unwrap_or((Provider::OpenAi, name));
        if id.is_empty() {
            return Err(self.unknown(name));
        }
        if provider.is_resident() {
            return Ok(ModelEntry::guessed(provider, id, base_url));
        }
        match (self.0.iter().find(|entry| entry.provider == provider && entry.id == id), base_url) {
            (Some(entry), None) => Ok(entry.clone()),
            (Some(entry), Some(url)) => Ok(ModelEntry { base_url: Some(url.into()), ..entry.clone() }),
            (None, Some(url)) => Ok(ModelEntry::guessed(provider, id, Some(url))),
            (None, None) => Err(self.unknown(name)),
        }
    }

    fn unknown(&self, given: &str) -> ModelError {
        let known = self.0.iter().map(ModelEntry::name).collect::<Vec<_>>().join(", ");
        ModelError::Unknown { given: given.into(), known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_entries_are_whole() {
        let models = Models::shipped();
        assert!(models.entries().len() >= 9);
        for entry in models.entries() {
            assert_eq!(models.resolve(&entry.name(), None).as_ref(), Ok(entry), "named twice?");
            assert_eq!(models.resolve(&entry.id, None).as_ref(), Ok(entry));
            let prices = entry.prices.as_ref().expect("a price");
            assert!(prices.input > 0.0 && prices.output > prices.input && prices.as_of.len() >= 7, "{}", entry.id);
            assert!(entry.context > entry.max_output, "{}", entry.id);
            assert_eq!(ModelEntry::guessed(Provider::OpenAi, &entry.id, None).reasoning, entry.reasoning);
        }
    }

    #[test]
    fn names_resolve() {
        let models = Models::shipped();
        let resolve = |name, url| models.resolve(name, url).expect("resolves");
        let o3 = resolve("o3-mini", None);
        assert_eq!(
            (o3.name().as_str(), o3.style(), o3.base_url()),
            ("openai/o3-mini", ParamStyle::Reasoning, OPENAI_BASE_URL)
        );
        assert_eq!(resolve("gpt-4o", Some("http://x/v1")).base_url(), "http://x/v1");
        assert_eq!(resolve("meta-llama/llama-3", Some("http://x/v1")).id, "meta-llama/llama-3");
        assert_eq!(resolve("openai/new", Some("http://x/v1")).id, "new");
        assert_eq!(resolve("sim/novice", None).provider, Provider::Sim);
        assert_eq!(resolve("guess/zero", None).name(), "guess/zero");
        for unknown in ["gpt-9", "openai/", "", "meta-llama/llama-3"] {
            let error = models.resolve(unknown, None).expect_err(unknown).to_string();
            assert!(error.contains("openai/o3-mini") && error.contains("--base-url"), "{error}");
        }
    }

    #[test]
    fn a_file_adds_and_replaces() {
        let mut models = Models::shipped();
        let path = Path::new("mine.yaml");
        models.extend_from("- {id: gpt-4o, reasoning: true}\n- {id: mine, style: reasoning}\n", path).expect("reads");
        assert!(models.resolve("gpt-4o", None).expect("known").reasoning);
        assert_eq!(models.resolve("mine", None).expect("known").style(), ParamStyle::Reasoning);
        let error =
            models.extend_from("- {id: x}\n- {id: y, price: 3}\n", path).expect_err("no such field").to_string();
        assert!(error.contains("mine.yaml") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn unknown_tokens_are_not_free() {
        let prices = Prices { input: 1.0, output: 4.0, as_of: "2025-08".into() };
        let usage = Usage { prompt_tokens: Some(1_000_000), completion_tokens: Some(500_000), reasoning_tokens: None };
        assert_eq!(prices.cost(&usage), Some(3.0));
        assert_eq!(prices.cost(&Usage { completion_tokens: None, ..usage }), None);
    }

    #[test]
    fn ignored_parameters_are_named() {
        let params = Params { temperature: Some(1.0), max_tokens: Some(5), ..Params::default() };
        assert_eq!(ParamStyle::Reasoning.ignores(&params), ["temperature"]);
        assert!(ParamStyle::Standard.ignores(&params).is_empty());
    }
}
