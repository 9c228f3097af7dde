//! Owns `harness models`: who can be asked, and whether asking works.

use super::asking::Way;
use super::flags::idle;
use super::given::Given;
use super::table::{Column, TextTable as Text};
use super::{Failure, asking, print_json, print_line};
use crate::ask::guess::{self, Guesser};
use crate::ask::models::{ModelEntry, Prices, Provider, Row};
use crate::ask::probe::{PROGRAM, Probed, truth};
use crate::item::record::{Usage, Verdict};
use crate::job::probe;
use crate::run::spending;
use crate::solver::{self, Documented, Solver};
use serde::Serialize;

/// List the models that can be asked, or ask one of them something small
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A model, or all of a provider: `openai/`; `sim/` lists the simulated solvers, `guess/` the guessers
    #[arg(value_name = "NAME", conflicts_with = "probe")]
    name: Option<String>,
    /// Ask this model one tiny question, and show its reply, verdict, latency and tokens
    #[arg(long, value_name = "NAME")]
    probe: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    way: Way,
}

/// A model, as it is shown.
#[derive(Serialize)]
struct Shown {
    name: String,
    provider: Provider,
    id: String,
    base_url: Option<String>,
    reasoning: bool,
    context: Option<u32>,
    max_output: Option<u32>,
    prices: Option<Prices>,
}

/// A provider, as it is shown.
#[derive(Serialize)]
struct ShownProvider {
    name: &'static str,
    base_url: Option<&'static str>,
    base_url_variable: Option<&'static str>,
    key_variable: Option<&'static str>,
}

/// What `--json` prints of entries.
#[derive(Serialize)]
struct Listing {
    models: Vec<Shown>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    providers: Vec<ShownProvider>,
}

/// One who answers within this program.
#[derive(Serialize)]
struct Resident {
    name: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<u32>,
}

/// What `--json` prints of those.
#[derive(Serialize)]
struct Residents {
    residents: Vec<Resident>,
}

/// What `--probe` prints.
#[derive(Serialize)]
struct Report {
    model: String,
    verdict: Verdict,
    reply: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    finish_reason: Option<String>,
    model_returned: Option<String>,
    latency_ms: u64,
    requests: u32,
    tokens: Usage,
    cost_usd: Option<f64>,
}

impl Args {
    /// Prints.
    pub(super) fn run(&self) -> Result<(), Failure> {
        if let Some(name) = &self.probe {
            return self.show_probe(name);
        }
        // Which models there are, and where, is shown; how they would be asked is not.
        let of_asking = self.way.given().into_iter().filter(|(_, flag)| !["--models", "--base-url"].contains(flag));
        idle(of_asking, "without --probe, which asks")?;
        match self.name.as_deref().and_then(|name| Some((Provider::of(name)?, name))) {
            Some(((Provider::Sim, ""), _)) => self.show_residents(solver::documented().into_iter().map(resident)),
            Some(((Provider::Sim, _), name)) => self.show_residents(parts(name)?.into_iter().map(resident)),
            Some(((Provider::Guess, ""), _)) => self.show_residents(Guesser::ALL.into_iter().map(guesser)),
            Some(((Provider::Guess, _), name)) => {
                let one: Guesser = name.parse().map_err(|error: guess::GuesserNameError| Failure::usage(error))?;
                self.show_residents([guesser(one)].into_iter())
            }
            _ => self.show_entries(),
        }
    }

    fn show_entries(&self) -> Result<(), Failure> {
        let models = self.way.models()?;
        let of = self.name.as_deref().and_then(Provider::of);
        let mut table = Listing { models: Vec::new(), providers: Vec::new() };
        match (&self.name, of) {
            (None, _) => {
                table.models = models.entries().iter().map(shown).collect();
                table.providers =
                    Provider::all().filter(|row| !row.provider.is_resident()).map(shown_provider).collect();
            }
            (Some(_), Some((provider, ""))) => {
                table.models = models.entries().iter().filter(|entry| entry.provider == provider).map(shown).collect();
                table.providers = vec![shown_provider(provider.row())];
            }
            (Some(name), _) => table.models = vec![shown(&self.way.entry(name)?)],
        }
        if self.json {
            return print_json(&table);
        }
        if !table.models.is_empty() {
            print_line(&entries_table(&table.models))?;
        }
        if !table.providers.is_empty() {
            print_line(&providers_table(&table.providers))?;
        }
        match self.name {
            None => print_line("`harness models sim/` lists the simulated solvers, `... guess/` the guessers."),
            Some(_) => Ok(()),
        }
    }

    fn show_residents(&self, residents: impl Iterator<Item = Resident>) -> Result<(), Failure> {
        let residents = Residents { residents: residents.collect() };
        if self.json {
            return print_json(&residents);
        }
        if self.name.as_deref().is_some_and(|name| !name.ends_with('/')) {
            return residents.residents.iter().try_for_each(print_resident);
        }
        let mut table = Text::new([Column::text("model"), Column::text("what it does").folding()]);
        for Resident { name, description, .. } in residents.residents {
            table.row([name, description]);
        }
        print_line(&table.text())
    }

    fn show_probe(&self, name: &str) -> Result<(), Failure> {
        let entry = self.way.entry(name)?;
        let examinee = self.way.examinee(name)?;
        let conditions = self.way.conditions(None, &Given::default());
        let homes = super::homes();
        let asked = asking(&homes, async |setting| Ok(probe::run(&examinee, &conditions, setting).await?))?;
        let report = report(&entry, asked);
        if self.json { print_json(&report) } else { print_report(&report) }
    }
}

fn shown(entry: &ModelEntry) -> Shown {
    Shown {
        name: entry.name(),
        provider: entry.provider,
        id: entry.id.clone(),
        base_url: Some(entry.base_url().to_owned()).filter(|url| !url.is_empty()),
        reasoning: entry.reasoning,
        context: entry.context,
        max_output: entry.max_output,
        prices: entry.prices.clone(),
    }
}

fn shown_provider(row: &'static Row) -> ShownProvider {
    ShownProvider {
        name: row.name,
        base_url: row.base_url,
        base_url_variable: row.base_url_variable,
        key_variable: row.key_variable,
    }
}

fn resident(documented: Documented) -> Resident {
    let Documented { name, description, witness } = documented;
    let (witness, instructions) = witness.unzip();
    Resident { name, description, witness, instructions }
}

fn guesser(one: Guesser) -> Resident {
    let (name, description) = (one.model(), one.description().to_owned());
    Resident { name, description, witness: None, instructions: None }
}

/// What is told of a name: itself where it is one of the table, and every misconception it is made of.
fn parts(name: &str) -> Result<Vec<Documented>, Failure> {
    let solver: Solver = name.parse().map_err(|error: solver::SolverNameError| Failure::usage(error))?;
    let parts: Vec<String> =
        solver.misconceptions.iter().map(|one| format!("{}/{}", Provider::Sim.name(), one.row().name)).collect();
    let mut all = solver::documented();
    all.retain(|one| one.name == name || parts.contains(&one.name));
    Ok(all)
}

fn entries_table(models: &[Shown]) -> String {
    let number = |number: Option<u32>| number.map_or("?".into(), |number| number.to_string());
    let mut table = Text::new([
        Column::text("model"),
        Column::text("endpoint").rank(5),
        Column::text("reasons").rank(2),
        Column::number("context").rank(3),
        Column::number("output").rank(4),
        Column::number("$/M in"),
        Column::number("$/M out"),
        Column::text("prices of").rank(1),
    ]);
    for model in models {
        let price =
            |of: fn(&Prices) -> f64| model.prices.as_ref().map_or("?".into(), |prices| format!("{:.2}", of(prices)));
        table.row([
            model.name.clone(),
            model.base_url.clone().unwrap_or_default(),
            if model.reasoning { "yes".into() } else { String::new() },
            number(model.context),
            number(model.max_output),
            price(|prices| prices.input),
            price(|prices| prices.output),
            model.prices.as_ref().map_or("?".into(), |prices| prices.as_of.clone()),
        ]);
    }
    table.text()
}

fn providers_table(providers: &[ShownProvider]) -> String {
    let mut table = Text::new([
        Column::text("provider"),
        Column::text("answers at"),
        Column::text("or at").folding().rank(1),
        Column::text("key"),
    ]);
    for provider in providers {
        table.row([
            format!("{}/", provider.name),
            provider.base_url.unwrap_or("an address of your own").into(),
            provider.base_url_variable.map_or("--base-url".into(), |variable| format!("{variable}, --base-url")),
            provider.key_variable.unwrap_or("none").into(),
        ]);
    }
    table.text()
}

fn print_resident(resident: &Resident) -> Result<(), Failure> {
    print_line(&format!("{}: {}", resident.name, resident.description))?;
    let Some(witness) = resident.witness else { return Ok(()) };
    let instructions = resident.instructions.unwrap_or_default();
    print_line(&format!("The smallest program that it gets wrong, {instructions} instructions:\n\n{witness}\n"))
}

fn report(entry: &ModelEntry, probed: Probed) -> Report {
    let Probed { reply, verdict, latency_ms } = probed;
    let free = entry.provider.is_resident().then_some(0.0);
    let cost_usd = free.or_else(|| entry.prices.as_ref()?.cost(&reply.usage));
    Report {
        model: entry.name(),
        verdict,
        reply: reply.content,
        reasoning: reply.reasoning,
        refusal: reply.refusal,
        finish_reason: reply.finish_reason,
        model_returned: reply.model,
        latency_ms,
        requests: reply.attempts,
        tokens: reply.usage,
        cost_usd,
    }
}

fn requests(count: u32) -> String {
    if count == 1 { "1 request".into() } else { format!("{count} requests") }
}

fn print_report(report: &Report) -> Result<(), Failure> {
    let line = |label: &str, text: &str| print_line(&format!("{label:9} {text}"));
    let expected = truth().texts().into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(", ");
    print_line(&format!("{PROGRAM}\n"))?;
    line("expected", &expected)?;
    for (label, text) in [("reasoning", &report.reasoning), ("refusal", &report.refusal), ("reply", &report.reply)] {
        text.as_ref().map_or(Ok(()), |text| line(label, text))?;
    }
    let verdict = serde_yaml::to_string(&report.verdict)?;
    let ended = report.finish_reason.as_deref().map_or(String::new(), |reason| format!(" (ended with `{reason}`)"));
    line("verdict", &format!("{}{ended}", verdict.trim()))?;
    line("latency", &format!("{} ms, {}", report.latency_ms, requests(report.requests)))?;
    let count = |tokens: Option<u64>| tokens.map_or("?".into(), |tokens| tokens.to_string());
    let Usage { prompt_tokens, completion_tokens, reasoning_tokens, .. } = &report.tokens;
    let hidden = reasoning_tokens.map_or(String::new(), |tokens| format!(", {tokens} of them reasoning"));
    line("tokens", &format!("{} read, {} written{hidden}", count(*prompt_tokens), count(*completion_tokens)))?;
    line("cost", &spending::cost(report.cost_usd, false))
}
