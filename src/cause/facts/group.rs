//! Owns the groups of instructions that weaknesses are told in: one row each.
//!
//! Must not know circumstances. An instruction may be in several groups, since it is not known beforehand which of its
//! sides a model gets wrong.

use crate::cause::construct::Construct;
use crate::wasm::isa::{Category, Op};
use std::sync::LazyLock;

/// A group.
pub(super) struct Group {
    /// What its instructions are, in the plural.
    pub(super) words: &'static str,
    has: fn(Op, &str) -> bool,
}

/// The number of the group of all instructions; only circumstances without values say anything of it.
pub(super) const CODE: u8 = 0;

/// Every group; the functions see the instruction and its name without the type before the dot.
pub(super) static ALL: [Group; 37] = [
    Group { words: "code", has: |_, _| true },
    Group { words: "integer arithmetic", has: |op, _| op.row().category == Category::IntArithmetic },
    Group {
        words: "integer additions, subtractions and multiplications",
        has: |op, name| is_int(op) && matches!(name, "add" | "sub" | "mul"),
    },
    Group {
        words: "integer divisions and remainders",
        has: |op, name| is_int(op) && (name.starts_with("div_") || name.starts_with("rem_")),
    },
    Group { words: "unsigned instructions", has: |op, name| is_plain(op) && is_unsigned(op, name) },
    Group {
        words: "unsigned divisions and remainders",
        has: |op, name| is_int(op) && matches!(name, "div_u" | "rem_u"),
    },
    Group {
        words: "unsigned comparisons",
        has: |op, name| op.row().category == Category::IntComparison && name.ends_with("_u"),
    },
    Group {
        words: "signed comparisons",
        has: |op, name| op.row().category == Category::IntComparison && name.ends_with("_s"),
    },
    Group {
        words: "integer equalities",
        has: |op, name| op.row().category == Category::IntComparison && matches!(name, "eq" | "ne" | "eqz"),
    },
    Group { words: "shifts and rotations", has: |op, _| Construct::of(op) == Some(Construct::Shift) },
    Group { words: "shifts to the left", has: |op, name| is_int(op) && name == "shl" },
    Group { words: "unsigned shifts to the right", has: |op, name| is_int(op) && name == "shr_u" },
    Group { words: "rotations", has: |op, name| is_int(op) && name.starts_with("rot") },
    Group {
        words: "bitwise and, or, exclusive or",
        has: |op, name| is_int(op) && matches!(name, "and" | "or" | "xor"),
    },
    Group { words: "bit counts", has: |op, name| is_int(op) && matches!(name, "clz" | "ctz" | "popcnt") },
    Group {
        words: "sign extensions",
        has: |op, name| is_plain(op) && name.starts_with("extend") && name.ends_with("_s"),
    },
    Group { words: "float minima and maxima", has: |op, name| is_float(op) && matches!(name, "min" | "max") },
    Group {
        words: "roundings of floats",
        has: |op, name| is_float(op) && matches!(name, "ceil" | "floor" | "trunc" | "nearest"),
    },
    Group { words: "roundings to the nearest", has: |op, name| is_float(op) && name == "nearest" },
    Group {
        words: "signs of floats (abs, neg, copysign)",
        has: |op, name| is_float(op) && matches!(name, "abs" | "neg" | "copysign"),
    },
    Group {
        words: "float minima, maxima and copysign",
        has: |op, name| is_float(op) && matches!(name, "min" | "max" | "copysign"),
    },
    Group {
        words: "float arithmetic",
        has: |op, name| is_float(op) && matches!(name, "add" | "sub" | "mul" | "div" | "sqrt"),
    },
    Group { words: "f32 instructions", has: |op, _| is_plain(op) && touches_f32(op) },
    Group { words: "float comparisons", has: |op, _| op.row().category == Category::FloatComparison },
    Group { words: "conversions of integers to floats", has: |op, name| is_plain(op) && name.starts_with("convert") },
    Group {
        words: "conversions of floats to integers",
        has: |op, name| op.row().category == Category::Conversion && name.starts_with("trunc"),
    },
    Group {
        words: "promotions and demotions",
        has: |_, name| name.starts_with("promote") || name.starts_with("demote"),
    },
    Group { words: "reinterpretations of bits", has: |_, name| name.starts_with("reinterpret") },
    Group { words: "loads", has: |op, _| op.row().category == Category::Load },
    Group {
        words: "narrow signed loads",
        has: |op, name| op.row().category == Category::Load && name.starts_with("load") && name.ends_with("_s"),
    },
    Group { words: "stores", has: |op, _| op.row().category == Category::Store },
    Group { words: "loads and stores", has: |op, _| matches!(op.row().category, Category::Load | Category::Store) },
    Group { words: "stretches of memory", has: |op, _| op.row().category == Category::Memory },
    Group { words: "selects", has: |op, _| matches!(op, Op::Select | Op::TypedSelect) },
    Group { words: "conditions (if, br_if)", has: |op, _| matches!(op, Op::If | Op::BrIf) },
    Group {
        words: "tables and references",
        has: |op, _| matches!(op.row().category, Category::Table | Category::Reference),
    },
    Group { words: "vector instructions", has: |op, _| is_vector(op) },
];

static OF: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let of = |op: Op| {
        let has = |group: &Group| (group.has)(op, name(op));
        (0..).zip(&ALL).filter(|(_, group)| has(group)).map(|(number, _)| number).collect()
    };
    Op::ALL.iter().copied().map(of).collect()
});

/// The groups of an instruction, ascending.
pub(super) fn of(op: Op) -> &'static [u8] {
    &OF[op.index()]
}

/// The name without the type before the dot.
fn name(op: Op) -> &'static str {
    op.mnemonic().split_once('.').map_or(op.mnemonic(), |(_, name)| name)
}

fn is_int(op: Op) -> bool {
    matches!(op.row().category, Category::IntArithmetic | Category::IntBitwise)
}

fn is_float(op: Op) -> bool {
    op.row().category == Category::FloatArithmetic
}

fn is_vector(op: Op) -> bool {
    matches!(
        op.row().category,
        Category::VectorInt | Category::VectorFloat | Category::VectorComparison | Category::VectorLane
    )
}

/// Neither a vector instruction nor an access to memory.
fn is_plain(op: Op) -> bool {
    !is_vector(op) && !matches!(op.row().category, Category::Load | Category::Store)
}

/// Reads an integer as unsigned where there is a twin that reads it as signed.
fn is_unsigned(op: Op, name: &str) -> bool {
    name.ends_with("_u") && !(op.row().category == Category::Conversion && name.starts_with("trunc"))
}

fn touches_f32(op: Op) -> bool {
    op.mnemonic().starts_with("f32.") || op == Op::F64PromoteF32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_what_they_say() {
        let groups = |op: Op| of(op).iter().map(|&number| ALL[usize::from(number)].words).collect::<Vec<_>>();
        assert_eq!(groups(Op::I32Shl), ["code", "shifts and rotations", "shifts to the left"]);
        assert_eq!(groups(Op::I64LtU), ["code", "unsigned instructions", "unsigned comparisons"]);
        assert_eq!(groups(Op::I64ExtendI32U), ["code", "unsigned instructions"]);
        assert_eq!(
            groups(Op::I32Load8U),
            ["code", "loads", "loads and stores"],
            "loads have no signed twin in this sense"
        );
        assert_eq!(groups(Op::I32TruncF32U), ["code", "conversions of floats to integers"]);
        assert_eq!(groups(Op::F32Min).len(), 4);
        assert!(
            ALL.iter()
                .enumerate()
                .all(|(at, group)| OF.iter().any(|of| of.contains(&(at as u8))) || panic!("{}", group.words))
        );
    }
}
