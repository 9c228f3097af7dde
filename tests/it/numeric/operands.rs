//! Owns the operands that instructions are tried with: edge values in all combinations, then random ones.

use wasmweaver::seed::Rng;
use wasmweaver::wasm::types::{Bits, ValType};

/// Integers whose sign, width or neighbourhood of a power of two matters, as 64 bits.
fn int_edges() -> Vec<u64> {
    let powers = [5, 6, 7, 8, 15, 16, 24, 31, 32, 53, 63].map(|power| 1u64 << power);
    let around = powers.into_iter().flat_map(|x| [x - 1, x, x + 1, x.wrapping_neg()]);
    // The last two round differently to f32 when they go through f64.
    let patterns = [0xaaaa_aaaa_aaaa_aaaa, 0x0123_4567_89ab_cdef, 0x8000_0080_0000_0001, 0x4000_0040_0000_0001];
    [0, 1, 2, 3, u64::MAX, u64::MAX - 1].into_iter().chain(around).chain(patterns).collect()
}

/// Floats that the two widths share: zeros, halves, the limits of integers, infinities.
fn float_edges() -> Vec<f64> {
    let halves = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.5, 4.5, 0.499_999_97, 8_388_607.5, 8_388_609.0];
    let limits = [31, 32, 53, 63, 64].map(|power| 2f64.powi(power));
    let around = limits.into_iter().flat_map(|x| [x, x + 1.0, x - 1.0, x - 0.1, x.next_up(), x.next_down()]);
    let near = limits.map(|x| f64::from((x as f32).next_down()));
    let extremes = [f64::INFINITY, f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE), f64::from(f32::from_bits(1))];
    let positive = halves.into_iter().chain(around).chain(near).chain(extremes);
    positive.flat_map(|x| [x, -x]).collect()
}

fn f32_edges() -> Vec<u64> {
    let mut edges: Vec<u64> = float_edges().into_iter().map(|x| u64::from((x as f32).to_bits())).collect();
    // Largest subnormal, NaNs: canonical, negative, with payload, signalling.
    edges.extend([0x007f_ffff, 0x7fc0_0000, 0xffc0_0000, 0x7fc1_2345, 0x7f80_0001, 0xff81_2345]);
    edges
}

fn f64_edges() -> Vec<u64> {
    let mut edges: Vec<u64> = float_edges().into_iter().map(f64::to_bits).collect();
    // Where demotion ties, overflows or meets subnormals.
    let demoted = [1.0 + 2f64.powi(-24), 1.0 + 2f64.powi(-24) + f64::EPSILON, 2f64.powi(128) - 2f64.powi(103)];
    edges.extend(demoted.map(f64::to_bits));
    edges.extend([2f64.powi(-150), 2f64.powi(-150).next_up(), f64::MAX, f64::MIN_POSITIVE].map(f64::to_bits));
    edges.extend([1, 0x000f_ffff_ffff_ffff, 0x7ff8_0000_0000_0000, 0xfff8_0000_0000_0000]);
    edges.extend([0x7ff8_0000_1234_5678, 0x7ff0_0000_0000_0001, 0xfff0_1234_5678_9abc]);
    edges
}

/// How the bits of an operand are read: a number, or one lane of a vector.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Int { width: u32 },
    F32,
    F64,
}

impl Reading {
    fn width(self) -> u32 {
        match self {
            Self::Int { width } => width,
            Self::F32 => 32,
            Self::F64 => 64,
        }
    }

    fn edges(self) -> Vec<Bits> {
        let values: Vec<u64> = match self {
            // All of them.
            Self::Int { width: 8 } => (0..256).collect(),
            Self::Int { width } => {
                let mask = u64::MAX >> (64 - width);
                let parts = |x| (0..64 / width).map(move |part| (x >> (part * width)) & mask);
                int_edges().into_iter().flat_map(parts).collect()
            }
            Self::F32 => f32_edges(),
            Self::F64 => f64_edges(),
        };
        let mut edges: Vec<Bits> = values.into_iter().map(Bits::from).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// Half the draws are any bits; the rest are of moderate size, where bits seldom land.
    fn random(self, rng: &mut Rng) -> Bits {
        let any = rng.bits() >> (64 - self.width());
        let moderate = rng.below(2) == 0;
        let x = (rng.unit() - 0.5) * 2f64.powi(rng.below(68) as i32);
        Bits::from(match self {
            Self::Int { width } if moderate => any >> rng.below(width),
            Self::F32 if moderate => u64::from((x as f32).to_bits()),
            Self::F64 if moderate => x.to_bits(),
            _ => any,
        })
    }
}

/// The shapes of vectors, as the names of instructions have them.
const SHAPES: [(&str, Reading); 6] = [
    ("i8x16", Reading::Int { width: 8 }),
    ("i16x8", Reading::Int { width: 16 }),
    ("i32x4", Reading::Int { width: 32 }),
    ("i64x2", Reading::Int { width: 64 }),
    ("f32x4", Reading::F32),
    ("f64x2", Reading::F64),
];

/// How an instruction with this name may read an operand of this type. A vector is of any shape that the name has, and
/// bytes if it has none.
fn readings(mnemonic: &str, ty: ValType) -> Vec<Reading> {
    match ty {
        ValType::I32 => vec![Reading::Int { width: 32 }],
        ValType::I64 => vec![Reading::Int { width: 64 }],
        ValType::F32 => vec![Reading::F32],
        ValType::F64 => vec![Reading::F64],
        ValType::V128 => {
            let named = |(shape, _): &&(&str, Reading)| mnemonic.contains(shape);
            let readings: Vec<Reading> = SHAPES.iter().filter(named).map(|&(_, reading)| reading).collect();
            if readings.is_empty() { vec![SHAPES[0].1] } else { readings }
        }
        ValType::FuncRef | ValType::ExternRef => panic!("nothing computes with references"),
    }
}

/// The vector of these lanes, taken round and round until it is full.
fn vector(lanes: &[Bits], width: u32) -> Bits {
    (0..128 / width).zip(lanes.iter().cycle()).fold(0, |v, (index, lane)| v | lane << (index * width))
}

/// The edge values of an operand: of a vector, those of its lanes, as many at once as fit.
fn edges(mnemonic: &str, ty: ValType) -> Vec<Bits> {
    let edges = |reading: Reading| match ty {
        ValType::V128 => {
            let lanes = 128 / reading.width() as usize;
            reading.edges().chunks(lanes).map(|lanes| vector(lanes, reading.width())).collect()
        }
        _ => reading.edges(),
    };
    readings(mnemonic, ty).into_iter().flat_map(edges).collect()
}

fn random(mnemonic: &str, ty: ValType, rng: &mut Rng) -> Bits {
    let reading = *rng.pick(&readings(mnemonic, ty));
    match ty {
        ValType::V128 => {
            let lanes: Vec<Bits> = (0..128 / reading.width()).map(|_| reading.random(rng)).collect();
            vector(&lanes, reading.width())
        }
        _ => reading.random(rng),
    }
}

/// All combinations of edge values, then random operands.
pub(super) fn operands(mnemonic: &str, params: &[ValType], rng: &mut Rng) -> Vec<Vec<Bits>> {
    let mut all = vec![vec![]];
    for (index, &ty) in params.iter().enumerate() {
        let mut values = edges(mnemonic, ty);
        // Lanes meet at the same place alone, so a second vector is turned until each has met each.
        if index == 1 && ty == ValType::V128 {
            let finest = readings(mnemonic, ty)[0].width();
            values = values.iter().flat_map(|v| (0..128 / finest).map(move |n| v.rotate_left(n * finest))).collect();
        }
        all = all.iter().flat_map(|head| values.iter().map(move |&x| [head.as_slice(), &[x]].concat())).collect();
    }
    all.extend((0..500).map(|_| params.iter().map(|&ty| random(mnemonic, ty, rng)).collect()));
    all
}
