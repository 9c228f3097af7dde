//! Owns finding an item of a run by its id.
//!
//! Must not know what is done with it.

use super::error::JobError;
use crate::item::record::Item;
use crate::run::homes::Homes;
use crate::run::intact;
use crate::run::manifest::Manifest;
use crate::run::pairs::read_pairs;
use crate::run::shrunk::read_all_shrunk;
use std::path::Path;

/// The item of a run with this id: among those that it is to ask, those that it asked, the programs that were cut down, and
/// their twins.
///
/// # Errors
/// If there is no such run or item, or the run is damaged.
pub(crate) fn find(run: &Path, id: &str, homes: &Homes) -> Result<Item, JobError> {
    let dir = homes.open(run).map_err(JobError::usage)?;
    let manifest = Manifest::read(&dir).map_err(JobError::unread)?;
    let mut found = None;
    // Both have the fields of an item in their lines. They are read to their ends: only then it is known that they are whole.
    for file in [dir.items(), dir.records()].into_iter().filter(|file| *file == dir.records() || file.exists()) {
        for item in intact::lines::<Item>(&file, Some(&manifest)).map_err(JobError::unread)? {
            let item = item.map_err(JobError::unread)?;
            if found.is_none() && item.id == id {
                found = Some(item);
            }
        }
    }
    if let Some(item) = found {
        return Ok(item);
    }
    let shrunk = read_all_shrunk(&dir)?.into_iter().map(|line| line.record.item);
    let twins = read_pairs(&dir)?.into_iter().map(|line| line.record.item);
    shrunk.chain(twins).find(|item| item.id == id).ok_or_else(|| {
        let run = run.display();
        JobError::wrong(format!("{run} has no item `{id}`; its records.jsonl lists them under `id`"))
    })
}
