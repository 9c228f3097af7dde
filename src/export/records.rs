//! Owns the records of a run as one Parquet file: a typed column for what is counted, JSON text for what is nested.
//!
//! Must not know what the figures add up to: docs/duckdb.md shows how to ask. Rows are written as they are read, so that a
//! run may be larger than memory, and name their run, so that the files of many can be read as one table.

use super::folder::{ExportError, Folder};
use super::table::{Cell, ColumnKind, ParquetFile};
use crate::ask::price::paid;
use crate::item::record::Record;
use crate::run::manifest::Manifest;

const COLUMNS: [(&str, ColumnKind); 42] = [
    ("run", ColumnKind::Text),
    ("suite", ColumnKind::Text),
    ("seed", ColumnKind::Text),
    ("fingerprint", ColumnKind::Text),
    ("schema", ColumnKind::Int),
    ("purpose", ColumnKind::Text),
    ("model", ColumnKind::Text),
    ("round", ColumnKind::Int),
    ("index", ColumnKind::Int),
    ("chosen_by", ColumnKind::Text),
    ("level", ColumnKind::Int),
    ("task", ColumnKind::Text),
    ("item_id", ColumnKind::Text),
    ("canonical", ColumnKind::Text),
    ("fuel", ColumnKind::Int),
    ("bytes", ColumnKind::Int),
    ("instructions", ColumnKind::Int),
    ("verdict", ColumnKind::Text),
    ("slots", ColumnKind::Int),
    ("slots_right", ColumnKind::Int),
    ("wrong_share", ColumnKind::Single),
    ("prompt_tokens", ColumnKind::Int),
    ("completion_tokens", ColumnKind::Int),
    ("reasoning_tokens", ColumnKind::Int),
    ("cost_usd", ColumnKind::Real),
    ("cost_estimated", ColumnKind::Bool),
    ("reward", ColumnKind::Single),
    ("cell", ColumnKind::Text),
    ("model_returned", ColumnKind::Text),
    ("finish_reason", ColumnKind::Text),
    ("error", ColumnKind::Text),
    ("refusal", ColumnKind::Text),
    ("reply", ColumnKind::Text),
    ("reasoning", ColumnKind::Text),
    ("program", ColumnKind::Text),
    ("truth", ColumnKind::Text),
    ("slot_results", ColumnKind::Text),
    ("probes", ColumnKind::Text),
    ("generator", ColumnKind::Text),
    ("recipe_seed", ColumnKind::Text),
    ("recipe_actions", ColumnKind::Text),
    ("wasmweaver", ColumnKind::Text),
];

/// An export in the making.
#[derive(Debug)]
pub struct Records {
    folder: Folder,
    table: ParquetFile,
    run: String,
    manifest: Manifest,
}

impl Records {
    /// Begins one of the run of this name.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(folder: Folder, run: String, manifest: Manifest) -> Result<Self, ExportError> {
        let table = ParquetFile::new(folder.file("records.parquet")?, &COLUMNS)?;
        Ok(Self { folder, table, run, manifest })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, record: Record) -> Result<(), ExportError> {
        self.table.add(row(&self.run, &self.manifest, record))
    }

    /// Ends it: the folder is in its place. How many records there are.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self) -> Result<u64, ExportError> {
        let rows = self.table.rows();
        self.table.finish()?;
        self.folder.finish()?;
        Ok(rows)
    }
}

fn row(run: &str, manifest: &Manifest, record: Record) -> Vec<Cell> {
    let plan = &manifest.plan;
    let Record { item, answer, .. } = &record;
    // Where a run asks one model, its records leave the name out.
    let model = record.model.clone().or_else(|| plan.attack().map(|attack| attack.model.name.clone()));
    let paid = manifest.prices_of(model.as_deref()).map(|prices| paid(prices, item, answer));
    let tokens = |count: Option<u64>| Cell::Int(count.and_then(|count| count.try_into().ok()));
    let recipe = serde_json::to_value(&item.recipe).expect("plain data");
    let right = answer.slots.iter().filter(|&&right| right).count();
    vec![
        Cell::text(run),
        Cell::text(plan.preset().name.as_str()),
        Cell::text(plan.seed().to_string()),
        Cell::Text(manifest.fingerprint.clone()),
        Cell::count(record.schema),
        Cell::text(record.purpose.name()),
        Cell::Text(model.clone()),
        Cell::count(record.round),
        Cell::count(record.index),
        Cell::text(record.chosen_by.as_str()),
        Cell::Int(record.level.map(i64::from)),
        Cell::text(item.task.name()),
        Cell::text(item.id.as_str()),
        Cell::text(item.canonical.as_str()),
        Cell::count(item.fuel),
        Cell::count(item.bytes),
        Cell::count(item.instructions),
        Cell::text(answer.verdict.name()),
        Cell::count(item.truth.slots()),
        Cell::Int(answer.verdict.answered().then_some(right as i64)),
        Cell::Single(answer.wrong_share),
        tokens(answer.usage.prompt_tokens),
        tokens(answer.usage.completion_tokens),
        tokens(answer.usage.reasoning_tokens),
        Cell::Real(paid.map(|paid| paid.usd)),
        Cell::Bool(paid.map(|paid| paid.estimated)),
        Cell::Single(record.reward),
        Cell::Text(record.cell.clone()),
        Cell::Text(answer.model_returned.clone()),
        Cell::Text(answer.finish_reason.clone()),
        Cell::Text(answer.error.clone()),
        Cell::Text(answer.refusal.clone()),
        Cell::Text(answer.reply.clone()),
        Cell::Text(answer.reasoning.clone()),
        Cell::text(item.program.as_str()),
        Cell::json(&item.truth),
        Cell::json(&answer.slots),
        Cell::json(&item.probes),
        Cell::text(item.recipe.generator.as_str()),
        Cell::text(item.recipe.seed.to_string()),
        Cell::text(recipe["actions"].as_str().unwrap_or_default()),
        Cell::text(manifest.wasmweaver.as_str()),
    ]
}

#[cfg(test)]
mod tests;
