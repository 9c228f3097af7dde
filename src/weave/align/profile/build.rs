//! Owns how modules become a profile.
//!
//! Must not know files. A module is counted by `wasm::survey`; here counts become shares, and shares are weighed.

use super::{Counts, Profile, ShareTable};
use crate::wasm::isa::Op;
use crate::wasm::survey::{OpId, Survey, names};
use crate::weave::align::Bucket;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::LazyLock;

/// As many instructions of one package at most count in the column `pooled`.
pub const POOLED_MOST: f64 = 500_000.0;
/// Pairs and triples of instructions that a profile keeps.
const KEPT: usize = 2000;

/// Instructions by [`OpId`], as the tables count them.
struct Kinds {
    end: OpId,
    otherwise: OpId,
    class: Vec<&'static str>,
    bucket: Vec<&'static str>,
}

static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
    let id = |name: &str| names().iter().position(|known| known == name).expect("a core instruction") as OpId;
    let of = |known: fn(Op) -> &'static str, other: &'static str| {
        names().iter().map(|name| Op::parse(name).map_or(other, known)).collect()
    };
    Kinds {
        end: id("end"),
        otherwise: id("else"),
        class: of(|op| op.row().class, "Other"),
        bucket: of(|op| Bucket::of(op).name(), "Other"),
    }
});

/// Shares of what was counted in a column, by key.
type Shares<K> = BTreeMap<K, f64>;

/// Both columns of a table in the making.
#[derive(Clone, Debug)]
struct Columns<K> {
    mean: Shares<K>,
    pooled: Shares<K>,
}

impl<K> Default for Columns<K> {
    fn default() -> Self {
        Self { mean: BTreeMap::new(), pooled: BTreeMap::new() }
    }
}

impl<K: Ord + Hash + Copy> Columns<K> {
    /// Adds a module's counts: normalised and weighed by `mean`, and as they are, weighed by `pooled`.
    fn add(&mut self, counts: &HashMap<K, u64>, weights: &Weights) {
        let total = counts.values().sum::<u64>().max(1) as f64;
        for (&key, &count) in counts {
            *self.mean.entry(key).or_default() += weights.mean * count as f64 / total;
            *self.pooled.entry(key).or_default() += weights.pooled * count as f64;
        }
    }

    /// The table, most frequent first, of at most so many rows.
    fn table(&self, most: usize, name: impl Fn(&K) -> String) -> ShareTable {
        let total = |shares: &Shares<K>| shares.values().sum::<f64>().max(f64::MIN_POSITIVE);
        let (mean, pooled) = (total(&self.mean), total(&self.pooled));
        // Several keys can share a name.
        let mut rows: BTreeMap<String, [f64; 2]> = BTreeMap::new();
        for (key, share) in &self.mean {
            let row = rows.entry(name(key)).or_default();
            row[0] += share / mean;
            row[1] += self.pooled[key] / pooled;
        }
        let mut rows: Vec<(String, [f64; 2])> = rows.into_iter().collect();
        rows.sort_by(|(_, a), (_, b)| b[0].total_cmp(&a[0]));
        rows.truncate(most);
        let p = rows.into_iter().map(|(name, shares)| (name, json!(shares.map(rounded)))).collect();
        ShareTable { columns: vec!["mean".into(), "pooled".into()], p }
    }
}

/// How much a module counts in each column.
struct Weights {
    mean: f64,
    pooled: f64,
}

/// Shares with four significant digits, as in the reference.
fn rounded(share: f64) -> f64 {
    format!("{share:.3e}").parse().unwrap_or(share)
}

/// Gathers a corpus, package by package.
#[derive(Debug, Default)]
pub struct ProfileBuilder {
    counts: Counts,
    opcodes: Columns<OpId>,
    /// Shares of `end` and `else`, summed over packages.
    ends: [f64; 2],
    bigrams: Columns<[OpId; 2]>,
    trigrams: Columns<[OpId; 3]>,
    branch_depths: Columns<u32>,
    block_kinds: Columns<(&'static str, bool)>,
    i32_constants: Columns<i64>,
    i64_constants: Columns<i64>,
    offsets: Columns<u64>,
    /// Share of naturally aligned accesses, and the weight of the modules that have accesses.
    natural: (f64, f64),
    lengths: Vec<u32>,
    locals: Vec<u32>,
    nestings: Vec<u32>,
}

impl ProfileBuilder {
    /// Adds the modules of one package; without any with code it does not count.
    pub fn add_package(&mut self, modules: &[Survey]) {
        let with_code: Vec<&Survey> = modules.iter().filter(|module| !module.functions.is_empty()).collect();
        if with_code.is_empty() {
            return;
        }
        let instructions: u64 = with_code.iter().flat_map(|module| module.opcodes.values()).sum();
        let weights =
            Weights { mean: 1.0 / with_code.len() as f64, pooled: (POOLED_MOST / instructions as f64).min(1.0) };
        self.counts.packages += 1;
        with_code.into_iter().for_each(|module| self.add_module(module, &weights));
    }

    fn add_module(&mut self, module: &Survey, weights: &Weights) {
        self.counts.modules += 1;
        self.counts.functions += module.functions.len() as u64;
        self.counts.instructions_incl_end_else += module.opcodes.values().sum::<u64>();
        self.counts.bytes += module.bytes;
        let mut opcodes = module.opcodes.clone();
        let all = module.opcodes.values().sum::<u64>() as f64;
        for (share, id) in self.ends.iter_mut().zip([KINDS.end, KINDS.otherwise]) {
            *share += weights.mean * opcodes.remove(&id).unwrap_or(0) as f64 / all;
        }
        self.opcodes.add(&opcodes, weights);
        self.bigrams.add(&module.bigrams, weights);
        self.trigrams.add(&module.trigrams, weights);
        self.branch_depths.add(&module.branch_depths, weights);
        self.block_kinds.add(&module.block_kinds, weights);
        self.i32_constants.add(&module.i32_constants, weights);
        self.i64_constants.add(&module.i64_constants, weights);
        self.offsets.add(&module.offsets, weights);
        let accesses = module.offsets.values().sum::<u64>();
        if accesses > 0 {
            self.natural.0 += weights.mean * module.natural_alignments as f64 / accesses as f64;
            self.natural.1 += weights.mean;
        }
        self.lengths.extend(module.functions.iter().map(|shape| shape.length));
        self.locals.extend(module.functions.iter().map(|shape| shape.locals));
        self.nestings.extend(module.functions.iter().map(|shape| shape.nesting));
    }

    /// The profile of all packages added.
    pub fn finish(mut self, about: String) -> Profile {
        let share = |sum: f64| json!(rounded(sum / self.counts.packages.max(1) as f64));
        let [ends, elses] = self.ends.map(share);
        let end_else_share_of_all = Map::from_iter([("end".into(), ends), ("else".into(), elses)]);
        let name = |id: &OpId| names()[usize::from(*id)].clone();
        let joined = |ids: &[OpId]| ids.iter().map(name).collect::<Vec<_>>().join(" ");
        let opcodes = self.opcodes.table(usize::MAX, name);
        let per_1000 = self.per_1000(&opcodes);
        let bucket = |id: &OpId| KINDS.bucket[usize::from(*id)];
        Profile {
            about,
            counts: self.counts,
            opcodes,
            end_else_share_of_all,
            classes: self.opcodes.table(usize::MAX, |id| KINDS.class[usize::from(*id)].to_owned()),
            buckets: self.opcodes.table(usize::MAX, |id| bucket(id).to_owned()),
            trigrams: self.trigrams.table(usize::MAX, |ids| ids.each_ref().map(bucket).join(" ")),
            bigrams_top2000: self.bigrams.table(KEPT, |ids| joined(ids)),
            trigrams_top2000: self.trigrams.table(KEPT, |ids| joined(ids)),
            structure_per_function: Map::from_iter([
                ("length_incl_end_else".into(), spread(&mut self.lengths)),
                ("locals_declared".into(), spread(&mut self.locals)),
                ("max_nesting_depth".into(), spread(&mut self.nestings)),
            ]),
            control: Map::from_iter([
                ("per_1000_instructions".into(), per_1000),
                ("br_target_depth_share".into(), by_number(&self.branch_depths.mean)),
                ("block_kind_share".into(), self.block_shares()),
            ]),
            constants: Map::from_iter([
                ("i32.const".into(), constants(&self.i32_constants.mean)),
                ("i64.const".into(), constants(&self.i64_constants.mean)),
            ]),
            memarg: self.memarg(),
        }
    }

    fn per_1000(&self, opcodes: &ShareTable) -> Value {
        const SHOWN: [&str; 17] = [
            "block",
            "loop",
            "if",
            "br",
            "br_if",
            "br_table",
            "return",
            "call",
            "call_indirect",
            "select",
            "drop",
            "unreachable",
            "local.get",
            "local.set",
            "local.tee",
            "global.get",
            "global.set",
        ];
        let shares: HashMap<&str, f64> = opcodes.column("mean").collect();
        let row = |name: &str| (name.to_owned(), json!(rounded(1000.0 * shares.get(name).copied().unwrap_or(0.0))));
        Value::Object(SHOWN.into_iter().map(row).collect())
    }

    fn block_shares(&self) -> Value {
        let name = |(what, yields): &(&str, bool)| format!("{what}:{}", if *yields { "value" } else { "empty" });
        let table = self.block_kinds.table(usize::MAX, name);
        Value::Object(table.column("mean").map(|(name, share)| (name.to_owned(), json!(share))).collect())
    }

    fn memarg(&self) -> Map<String, Value> {
        let mut buckets: Shares<u32> = BTreeMap::new();
        self.offsets.mean.iter().for_each(|(&offset, share)| *buckets.entry(bits(offset)).or_default() += share);
        let natural = if self.natural.1 > 0.0 { self.natural.0 / self.natural.1 } else { 0.0 };
        Map::from_iter([
            ("offset_log2_bucket_share".into(), by_number(&buckets)),
            ("natural_alignment_share".into(), json!(rounded(natural))),
        ])
    }
}

/// Bits that a magnitude takes; 0 for zero.
fn bits(magnitude: u64) -> u32 {
    u64::BITS - magnitude.leading_zeros()
}

/// Shares in the order of their numbers.
fn by_number<K: ToString>(shares: &Shares<K>) -> Value {
    let total = shares.values().sum::<f64>().max(f64::MIN_POSITIVE);
    let row = |(key, share): (&K, &f64)| (key.to_string(), json!(rounded(share / total)));
    Value::Object(shares.iter().map(row).collect())
}

/// What constants are like.
fn constants(shares: &Shares<i64>) -> Value {
    let total = shares.values().sum::<f64>().max(f64::MIN_POSITIVE);
    let share = |holds: &dyn Fn(i64) -> bool| {
        rounded(shares.iter().filter(|(value, _)| holds(**value)).map(|(_, share)| share).sum::<f64>() / total)
    };
    let mut buckets: Shares<i64> = BTreeMap::new();
    for (&value, share) in shares {
        *buckets.entry(value.signum() * i64::from(bits(value.unsigned_abs()))).or_default() += share;
    }
    json!({
        "share_zero": share(&|v| v == 0),
        "share_one": share(&|v| v == 1),
        "share_neg1": share(&|v| v == -1),
        "share_neg": share(&|v| v < 0),
        "share_pow2": share(&|v| v > 1 && v.count_ones() == 1),
        "share_pow2m1": share(&|v| v > 1 && (v & (v.wrapping_add(1))) == 0),
        "share_byte": share(&|v| (0..256).contains(&v)),
        "log2_bucket_share": by_number(&buckets),
    })
}

/// Deciles, the 99th percentile, and the mean over all functions alike.
fn spread(numbers: &mut [u32]) -> Value {
    if numbers.is_empty() {
        return Value::Null;
    }
    numbers.sort_unstable();
    let at = |share: f64| numbers[((numbers.len() - 1) as f64 * share).round() as usize];
    let deciles: Vec<u32> = (1..10).map(|tenth| at(f64::from(tenth) / 10.0)).chain([at(0.99)]).collect();
    let mean = numbers.iter().map(|&n| f64::from(n)).sum::<f64>() / numbers.len() as f64;
    json!({ "pooled_deciles": deciles, "pooled_mean": rounded(mean) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::parse::assemble;

    fn survey(text: &str) -> Survey {
        Survey::of(&assemble(text).expect("a module")).expect("it is read")
    }

    #[test]
    fn every_package_weighs_the_same_in_the_mean() {
        let mut builder = ProfileBuilder::default();
        builder.add_package(&[survey("(module (func nop nop nop nop nop nop nop nop))")]);
        builder.add_package(&[
            survey("(module (func i32.const 1 drop))"),
            survey("(module (func i32.const -8 drop i32.const 0 i32.load offset=4 drop) (memory 1))"),
        ]);
        builder.add_package(&[survey("(module)")]);
        let profile = builder.finish("a test".into());
        assert_eq!((profile.counts.packages, profile.counts.modules, profile.counts.functions), (2, 3, 3));
        let share = |table: &ShareTable, column: &str, name: &str| {
            table.column(column).find(|(n, _)| *n == name).map_or(0.0, |(_, share)| share)
        };
        assert_eq!(share(&profile.opcodes, "mean", "nop"), 0.5);
        assert_eq!(share(&profile.opcodes, "mean", "drop"), 0.225, "a quarter of 1/2, and of 2/5");
        assert_eq!(share(&profile.opcodes, "pooled", "nop"), 0.5333);
        assert_eq!(share(&profile.classes, "mean", "Const"), 0.225);
        assert_eq!(share(&profile.buckets, "mean", "Memory"), 0.05);
        assert_eq!(share(&profile.trigrams, "pooled", "Control Control Control"), 0.6667);
        assert_eq!(profile.constants["i32.const"]["share_one"], json!(0.5));
        assert_eq!(profile.constants["i32.const"]["log2_bucket_share"]["-4"], json!(0.25));
        assert_eq!(profile.structure_per_function["length_incl_end_else"]["pooled_deciles"][4], json!(6));
        assert_eq!(profile.memarg["natural_alignment_share"], json!(1.0));
        let text = serde_json::to_string(&profile).expect("plain data");
        assert_eq!(serde_json::from_str::<Profile>(&text).expect("it reads back"), profile);
    }
}
