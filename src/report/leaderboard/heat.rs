//! Owns the map of a task: how often items of each instruction category and length are got right.
//!
//! Must not know how categories are found; the map of all models together stands first.

use super::super::evaluation::bucket;
use super::pairs::Counts;
use serde::Serialize;
use std::collections::BTreeMap;

/// The map of a model, or of all together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heat {
    /// Number of the row; null for all ranked ones together.
    pub row: Option<usize>,
    /// Category by category, from short to long runs; where there is no item, there is no cell.
    pub cells: Vec<Cell>,
}

/// Items of one category and length.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// What most of the answer is computed with.
    pub category: &'static str,
    /// Least and most fuel.
    pub fuel: [u64; 2],
    /// Items; of all together each counts once.
    pub items: u64,
    /// The mean of the items' shares of right replies; of all together the mean of the models'.
    pub accuracy_strict: f64,
}

/// What of an item the map knows: category and fuel.
pub(super) type Sort = (&'static str, u64);

/// The maps of some rows, after that of all of them together; nothing without rows.
pub(super) fn maps(sorts: &[Sort], rows: &[(usize, &Counts)]) -> Vec<Heat> {
    if rows.is_empty() {
        return Vec::new();
    }
    let all: Vec<&Counts> = rows.iter().map(|row| row.1).collect();
    let one = |&(at, counts): &(usize, &Counts)| Heat { row: Some(at), cells: cells(sorts, &[counts]) };
    std::iter::once(Heat { row: None, cells: cells(sorts, &all) }).chain(rows.iter().map(one)).collect()
}

/// The items of a cell, and the sum and number of the shares in it.
#[derive(Clone, Copy, Default)]
struct Sum {
    items: u64,
    shares: f64,
    of: u64,
}

fn cells(sorts: &[Sort], rows: &[&Counts]) -> Vec<Cell> {
    let mut sums: BTreeMap<(&'static str, (u64, u64)), Sum> = BTreeMap::new();
    for (at, &(category, fuel)) in sorts.iter().enumerate() {
        let asked = rows.iter().map(|row| row[at]).filter(|of| of.1 > 0);
        let shares: Vec<f64> = asked.map(|(right, of)| f64::from(right) / f64::from(of)).collect();
        if !shares.is_empty() {
            let sum = sums.entry((category, bucket(fuel))).or_default();
            sum.items += 1;
            sum.shares += shares.iter().sum::<f64>();
            sum.of += shares.len() as u64;
        }
    }
    let cells = sums.into_iter().map(|((category, (low, high)), Sum { items, shares, of })| Cell {
        category,
        fuel: [low, high],
        items,
        accuracy_strict: shares / of as f64,
    });
    cells.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_means_over_their_items() {
        let sorts = [("loop", 9), ("loop", 15), ("loop", 16), ("float", 3)];
        let (a, b): (Counts, Counts) = (vec![(1, 1), (0, 1), (1, 1), (0, 0)], vec![(1, 2), (1, 2), (0, 2), (2, 2)]);
        let found = maps(&sorts, &[(0, &a), (4, &b)]);
        let told: Vec<(&str, u64, u64, f64)> =
            found[0].cells.iter().map(|cell| (cell.category, cell.fuel[1], cell.items, cell.accuracy_strict)).collect();
        assert_eq!(told, [("float", 7, 1, 1.0), ("loop", 15, 2, 0.5), ("loop", 31, 1, 0.5)]);
        assert_eq!((found[1].row, found[1].cells.len(), found[2].row), (Some(0), 2, Some(4)));
        assert!(maps(&sorts, &[]).is_empty());
    }
}
