//! Owns how far two profiles are apart, table by table, and where.
//!
//! Must not know files.

use super::{Profile, ShareTable};
use crate::weave::align::divergence::{Distribution, alignment};
use serde::Serialize;
use std::collections::BTreeMap;

/// How far two tables are apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What was counted.
    pub table: &'static str,
    /// `1 - JSD`: 1 for equal shares, 0 for nothing in common.
    pub alignment: f64,
    /// Jensen-Shannon divergence in bits.
    pub divergence: f64,
    /// What differs most, in order.
    pub differences: Vec<Difference>,
}

/// One row in which two tables differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The instruction, class or n-gram.
    pub name: String,
    /// Its share in the first.
    pub a: f64,
    /// Its share in the second.
    pub b: f64,
}

/// Differences that are named.
const NAMED: usize = 10;

/// Compares a column of two profiles; tables that one of them lacks are left out.
pub fn compare(a: &Profile, b: &Profile, column: &str) -> Vec<Comparison> {
    let both = [
        ("classes", &a.classes, &b.classes),
        ("opcodes", &a.opcodes, &b.opcodes),
        ("categories", &a.buckets, &b.buckets),
        ("abstract trigrams", &a.trigrams, &b.trigrams),
        ("bigrams", &a.bigrams_top2000, &b.bigrams_top2000),
        ("trigrams", &a.trigrams_top2000, &b.trigrams_top2000),
    ];
    let both = both.into_iter().filter(|(_, a, b)| !a.p.is_empty() && !b.p.is_empty());
    both.map(|(name, a, b)| of(name, a, b, column)).collect()
}

fn of(table: &'static str, a: &ShareTable, b: &ShareTable, column: &str) -> Comparison {
    let mut rows: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for (side, table) in [a, b].into_iter().enumerate() {
        table.column(column).for_each(|(name, share)| rows.entry(name).or_default()[side] = share);
    }
    let side = |side: usize| {
        let shares: Vec<f64> = rows.values().map(|row| row[side]).collect();
        // A table that was cut says nothing about the names of the rest.
        let rest = (1.0 - shares.iter().sum::<f64>()).max(0.0);
        Distribution { shares, rest }
    };
    let alignment = alignment(&side(0), &side(1));
    let mut differences: Vec<Difference> = rows
        .iter()
        .filter(|(_, [a, b])| a != b)
        .map(|(name, &[a, b])| Difference { name: (*name).to_owned(), a, b })
        .collect();
    differences.sort_by(|x, y| (y.a - y.b).abs().total_cmp(&(x.a - x.b).abs()));
    differences.truncate(NAMED);
    Comparison { table, alignment, divergence: 1.0 - alignment, differences }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weave::align::reference;
    use serde_json::json;

    #[test]
    fn a_profile_is_like_itself_and_its_mean_near_its_pool() {
        let profile: Profile = serde_json::from_str(reference::TEXT).expect("well-formed");
        let same = compare(&profile, &profile, "mean");
        assert_eq!(same.len(), 6);
        assert!(same.iter().all(|table| table.alignment == 1.0), "{same:?}");
        let mut other = profile.clone();
        other.classes.p.insert("LocalGet".into(), json!([0.0]));
        let changed = compare(&profile, &other, "mean");
        assert!(changed[0].alignment < 0.9);
        assert_eq!((changed[0].differences[0].name.as_str(), changed[0].differences[0].b), ("LocalGet", 0.0));
    }
}
