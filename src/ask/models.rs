//! Owns model names and what is known about each model: where it answers, which parameters it takes, what it costs.
//!
//! Must not know connections or keys. Entries are data (`models.yaml` beside this file, and a file of the user's own);
//! prices carry the date on which they were read, since they change.

mod provider;

pub use provider::{OPENAI_BASE_URL, Provider, Row};

use super::chat::Params;
use crate::item::record::Usage;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

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
    /// `azure`: the version of the API, `2024-10-21` if not given here or in `OPENAI_API_VERSION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
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

    /// What it costs, as far as known: those that answer within this program cost nothing.
    pub fn prices_here(&self) -> Option<Prices> {
        let free = || Prices { input: 0.0, output: 0.0, as_of: "always".into() };
        self.prices.clone().or_else(|| self.provider.is_resident().then(free))
    }

    /// Which parameters it takes.
    pub fn style(&self) -> ParamStyle {
        self.style.unwrap_or(if self.reasoning { ParamStyle::Reasoning } else { ParamStyle::Standard })
    }

    /// Where it answers. Solvers and guessers of ours answer where the caller serves them.
    pub fn base_url(&self) -> &str {
        self.base_url.as_deref().or(self.provider.row().base_url).unwrap_or_default()
    }

    /// An entry for a model of which only the name is known. OpenAI's series are told by their names.
    fn guessed(provider: Provider, id: &str) -> Self {
        let last = id.rsplit('/').next().unwrap_or(id);
        let reasoning = ["o1", "o3", "o4", "gpt-5"].iter().any(|series| last.starts_with(series));
        Self {
            provider,
            id: id.to_owned(),
            base_url: None,
            api_version: None,
            reasoning,
            style: None,
            context: None,
            max_output: None,
            prices: None,
        }
    }
}

/// A model cannot be found, or a file of models not be read.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ModelError {
    /// No model is known by this name.
    #[error(
        "there is no model `{given}` here; write `provider/model`, with --base-url for an endpoint of your own; known: {known}"
    )]
    Unknown {
        /// What was asked for.
        given: String,
        /// The names of all that are known.
        known: String,
    },
    /// Its provider answers nowhere that is known.
    #[error(
        "`{given}` needs the address of its endpoint: {variable}, --base-url, or `base_url` in a file for --models"
    )]
    NoBaseUrl {
        /// What was asked for.
        given: String,
        /// The variable that may hold it.
        variable: &'static str,
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

    /// Adds the entries of a YAML file, as [`Models::extend_from`].
    ///
    /// # Errors
    /// If it cannot be read, or is no list of models.
    pub fn extend_with(&mut self, path: &Path) -> Result<(), ModelError> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| ModelError::Unreadable { path: path.into(), reason: e.to_string() })?;
        self.extend_from(&text, path)
    }

    /// Adds the entries of a YAML text, which replace those of the same name. `path` is for errors.
    ///
    /// # Errors
    /// If it is no list of models, or names one twice.
    pub fn extend_from(&mut self, text: &str, path: &Path) -> Result<(), ModelError> {
        let unreadable = |reason| ModelError::Unreadable { path: path.into(), reason };
        let added: Vec<ModelEntry> = serde_yaml::from_str(text).map_err(|e| unreadable(e.to_string()))?;
        let names: Vec<String> = added.iter().map(ModelEntry::name).collect();
        if let Some(at) = (1..names.len()).find(|&at| names[..at].contains(&names[at])) {
            return Err(unreadable(format!("`{}` stands there twice; leave one out", names[at])));
        }
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
    /// `base_url` is the user's choice for this run and comes before that of the entry; `usual` is the provider's own
    /// variable ([`Row::base_url_variable`]) and comes behind it. OpenAI's models need an address unless the table has
    /// them, so that a misspelt name is an error; with an address any name goes, and a prefix that is no provider of
    /// ours is part of it, as in `meta-llama/llama-3`. The caller knows which `sim/...` and `guess/...` there are.
    ///
    /// # Errors
    /// If there is no such model, or no address to ask it at.
    pub fn resolve(&self, name: &str, base_url: Option<&str>, usual: Option<&str>) -> Result<ModelEntry, ModelError> {
        let (provider, id) = Provider::of(name).unwrap_or((Provider::OpenAi, name));
        if id.is_empty() {
            return Err(self.unknown(name));
        }
        if provider.is_resident() {
            return Ok(ModelEntry::guessed(provider, id));
        }
        let known = self.0.iter().find(|entry| entry.provider == provider && entry.id == id);
        let own = known.and_then(|entry| entry.base_url.as_deref());
        let address = base_url.or(own).or(usual);
        if known.is_none() && address.is_none() && provider == Provider::OpenAi {
            return Err(self.unknown(name));
        }
        if address.is_none() && provider.row().base_url.is_none() {
            let variable = provider.row().base_url_variable.unwrap_or_default();
            return Err(ModelError::NoBaseUrl { given: name.into(), variable });
        }
        let entry = known.cloned().unwrap_or_else(|| ModelEntry::guessed(provider, id));
        Ok(ModelEntry { base_url: address.map(str::to_owned), ..entry })
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
            assert_eq!(models.resolve(&entry.name(), None, None).as_ref(), Ok(entry), "named twice?");
            assert_eq!(models.resolve(&entry.id, None, None).as_ref(), Ok(entry));
            let prices = entry.prices.as_ref().expect("a price");
            assert!(prices.input > 0.0 && prices.output > prices.input && prices.as_of.len() >= 7, "{}", entry.id);
            assert!(entry.context > entry.max_output, "{}", entry.id);
            assert_eq!(ModelEntry::guessed(Provider::OpenAi, &entry.id).reasoning, entry.reasoning);
        }
    }

    #[test]
    fn names_resolve() {
        let models = Models::shipped();
        let resolve = |name, url| models.resolve(name, url, None).expect("resolves");
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
            let error = models.resolve(unknown, None, None).expect_err(unknown).to_string();
            assert!(error.contains("openai/o3-mini") && error.contains("--base-url"), "{error}");
        }
    }

    #[test]
    fn every_provider_has_its_address() {
        let mut models = Models::shipped();
        let file =
            "- {provider: azure, id: own, base_url: https://own}\n- {provider: vllm, id: fast, reasoning: true}\n";
        models.extend_from(file, Path::new("mine.yaml")).expect("reads");
        let at = |name, url, usual| models.resolve(name, url, usual).map(|entry| entry.base_url().to_owned());
        for (name, url, usual, expected) in [
            ("ollama/llama3.2", None, None, "http://localhost:11434/v1"),
            ("vllm/fast", None, None, "http://localhost:8000/v1"),
            ("llamacpp/any", Some("http://far:1/v1"), None, "http://far:1/v1"),
            ("openrouter/meta-llama/llama-3", None, None, "https://openrouter.ai/api/v1"),
            ("azure/gpt-4o", None, Some("https://usual"), "https://usual"),
            ("azure/own", None, Some("https://usual"), "https://own"),
            ("azure/own", Some("https://now"), Some("https://usual"), "https://now"),
        ] {
            assert_eq!(at(name, url, usual).as_deref(), Ok(expected), "{name}");
        }
        assert_eq!(models.resolve("openrouter/a/b", None, None).expect("any goes").id, "a/b");
        assert!(models.resolve("vllm/fast", None, None).expect("known").reasoning);
        let error = at("azure/gpt-4o", None, None).expect_err("nowhere").to_string();
        assert!(error.contains("AZURE_OPENAI_ENDPOINT") && error.contains("--base-url"), "{error}");
    }

    #[test]
    fn a_file_adds_and_replaces() {
        let mut models = Models::shipped();
        let path = Path::new("mine.yaml");
        models.extend_from("- {id: gpt-4o, reasoning: true}\n- {id: mine, style: reasoning}\n", path).expect("reads");
        assert!(models.resolve("gpt-4o", None, None).expect("known").reasoning);
        assert_eq!(models.resolve("mine", None, None).expect("known").style(), ParamStyle::Reasoning);
        let error =
            models.extend_from("- {id: x}\n- {id: y, price: 3}\n", path).expect_err("no such field").to_string();
        assert!(error.contains("mine.yaml") && error.contains("line 2"), "{error}");
        let error = models.extend_from("- {id: x}\n- {id: x}\n", path).expect_err("twice").to_string();
        assert!(error.contains("`openai/x` stands there twice"), "{error}");
        let error = models.extend_with(Path::new("no/such.yaml")).expect_err("no file").to_string();
        assert!(error.contains("no/such.yaml"), "{error}");
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
