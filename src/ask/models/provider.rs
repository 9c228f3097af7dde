//! Owns the table of providers: where each answers by itself, and which key it wants.
//!
//! Must not know models or connections. All but our own speak OpenAI's language; another provider is another row.

use serde::{Deserialize, Serialize};

/// Where OpenAI itself answers.
pub const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// Who runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A simulated solver of this program's own.
    Sim,
    /// A guesser of this program's own.
    Guess,
    /// OpenAI, or an endpoint that speaks like it.
    OpenAi,
    /// Azure OpenAI: an address for each resource, and the deployment in place of the model.
    Azure,
    /// OpenRouter.
    OpenRouter,
    /// A vLLM server.
    Vllm,
    /// The server of llama.cpp.
    LlamaCpp,
    /// Ollama.
    Ollama,
}

/// What is to be known about one provider.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The provider.
    pub provider: Provider,
    /// What stands before the slash of a model's name.
    pub name: &'static str,
    /// Where it answers, up to and without `/chat/completions`; `None` if every account has an address of its own, or if it
    /// answers within this program.
    pub base_url: Option<&'static str>,
    /// The variable that may hold the address.
    pub base_url_variable: Option<&'static str>,
    /// The variable that holds the key; `None` if it answers within this program.
    pub key_variable: Option<&'static str>,
    /// Whether the key stands in a header `api-key` instead of `Authorization: Bearer`.
    pub key_header: bool,
}

static TABLE: &[Row] = &[
    row(Provider::Sim, "sim", None, None),
    row(Provider::Guess, "guess", None, None),
    Row {
        base_url_variable: Some("OPENAI_BASE_URL"),
        ..row(Provider::OpenAi, "openai", Some(OPENAI_BASE_URL), Some("OPENAI_API_KEY"))
    },
    Row {
        base_url_variable: Some("AZURE_OPENAI_ENDPOINT"),
        key_header: true,
        ..row(Provider::Azure, "azure", None, Some("AZURE_OPENAI_API_KEY"))
    },
    row(Provider::OpenRouter, "openrouter", Some("https://openrouter.ai/api/v1"), Some("OPENROUTER_API_KEY")),
    row(Provider::Vllm, "vllm", Some("http://localhost:8000/v1"), Some("VLLM_API_KEY")),
    row(Provider::LlamaCpp, "llamacpp", Some("http://localhost:8080/v1"), Some("LLAMA_API_KEY")),
    row(Provider::Ollama, "ollama", Some("http://localhost:11434/v1"), Some("OLLAMA_API_KEY")),
];

const fn row(
    provider: Provider,
    name: &'static str,
    base_url: Option<&'static str>,
    key_variable: Option<&'static str>,
) -> Row {
    Row { provider, name, base_url, base_url_variable: None, key_variable, key_header: false }
}

impl Row {
    /// Whether it needs a key. A server of your own asks for one only if it was started so.
    pub fn needs_key(&self) -> bool {
        self.key_variable.is_some() && self.base_url.is_none_or(|url| url.starts_with("https:"))
    }
}

impl Provider {
    /// Everything about it.
    pub fn row(&self) -> &'static Row {
        &TABLE[*self as usize]
    }

    /// The rows of all of them.
    pub fn all() -> impl Iterator<Item = &'static Row> {
        TABLE.iter()
    }

    /// What stands before the slash of a model's name.
    pub fn name(&self) -> &'static str {
        self.row().name
    }

    /// Whether it answers within this program: at once, and for nothing.
    pub fn is_resident(&self) -> bool {
        matches!(self, Self::Sim | Self::Guess)
    }

    /// The provider that a model's name begins with, and the rest of it.
    pub fn of(name: &str) -> Option<(Self, &str)> {
        let (prefix, id) = name.split_once('/')?;
        let row = TABLE.iter().find(|row| row.name == prefix)?;
        Some((row.provider, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_numbers_under_the_names_that_files_use() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.provider as usize, index);
            assert_eq!(serde_yaml::to_string(&row.provider).expect("plain").trim(), row.name);
            assert_eq!(Provider::of(&format!("{}/a/b", row.name)), Some((row.provider, "a/b")));
            let answers = row.base_url.is_some() || row.base_url_variable.is_some();
            assert!(answers != row.provider.is_resident(), "{}", row.name);
            assert_eq!(row.key_variable.is_none(), row.provider.is_resident(), "{}", row.name);
            let is_at_home = ["sim", "guess", "vllm", "llamacpp", "ollama"].contains(&row.name);
            assert_eq!(row.needs_key(), !is_at_home, "{}", row.name);
            assert!(row.base_url.is_none_or(|url| !url.ends_with('/')), "addresses are compared without it");
        }
        assert_eq!(Provider::of("meta-llama/llama-3"), None);
    }
}
