//! Owns the archive: the cell that a question belongs to, and what was found in each cell.
//!
//! Must not know strategies. A cell is what an attack should find different misses in: how long the run is, which
//! construct most of the answer depends on, and what became of the question (the descriptor of MAP-Elites, Mouret and
//! Clune 2015). `map-elites` keeps one program for each, the reward pays less where many were found, and reports count
//! the cells with a miss.

use crate::cause::construct::Construct;
use crate::cause::profile::Profile;
use crate::item::record::Verdict;
use std::collections::BTreeMap;
use std::fmt;

/// Where the buckets of fuel end, exclusive: two for each power of two.
const FUEL: [u64; 12] = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384];

/// A cell of the archive. As text: `shift/24-31/wrong`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    construct: Construct,
    /// Number of the bucket.
    fuel: u8,
    verdict: Verdict,
}

impl Cell {
    /// Of a question, if this became of it.
    pub fn new(profile: &Profile, verdict: Verdict) -> Self {
        let fuel = FUEL.iter().filter(|&&end| profile.fuel >= end).count() as u8;
        Self { construct: profile.construct, fuel, verdict }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bucket = usize::from(self.fuel);
        let low = if bucket == 0 { 0 } else { FUEL[bucket - 1] };
        let high = FUEL.get(bucket).map_or(String::new(), |end| (end - 1).to_string());
        write!(f, "{}/{low}-{high}/{}", self.construct.name(), self.verdict)
    }
}

/// How many misses were found in each cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Archive {
    found: BTreeMap<Cell, u32>,
}

impl Archive {
    /// How many misses of this cell are known.
    pub(crate) fn found(&self, cell: Cell) -> u32 {
        self.found.get(&cell).copied().unwrap_or(0)
    }

    /// One more miss.
    pub(crate) fn add(&mut self, cell: Cell) {
        *self.found.entry(cell).or_default() += 1;
    }

    /// Cells with a miss.
    pub(crate) fn filled(&self) -> usize {
        self.found.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(fuel: u64) -> Cell {
        let profile = Profile { features: vec![], construct: Construct::Shift, fuel };
        Cell::new(&profile, Verdict::Wrong)
    }

    #[test]
    fn cells_say_what_they_hold() {
        let texts = [(0, "0-7"), (7, "0-7"), (8, "8-11"), (31, "24-31"), (32, "32-47"), (384, "384-"), (9999, "384-")];
        for (fuel, range) in texts {
            assert_eq!(cell(fuel).to_string(), format!("shift/{range}/wrong"));
        }
    }

    #[test]
    fn the_archive_counts_by_cell() {
        let mut archive = Archive::default();
        [20, 21, 40].map(cell).into_iter().for_each(|cell| archive.add(cell));
        assert_eq!((archive.found(cell(22)), archive.found(cell(9)), archive.filled()), (2, 0, 2));
    }
}
