//! Owns the memory that a reader has in mind: what was stored, and zero everywhere else.
//!
//! Must not know instructions. Sparse, since a stranger's module may declare 4 GiB and store one byte.

use crate::wasm::program::{PAGE_BYTES, Program};
use std::collections::BTreeMap;

/// Bytes of a word.
const WORD: u64 = 8;

/// The memory of a program.
#[derive(Debug)]
pub(super) struct Memory {
    /// Little-endian words by address divided by [`WORD`].
    words: BTreeMap<u64, u64>,
    pages: u32,
}

impl Memory {
    /// As the program starts with it.
    pub(super) fn new(program: &Program) -> Self {
        Self { words: BTreeMap::new(), pages: program.memory.as_ref().map_or(0, |memory| memory.min) }
    }

    /// Its size in pages.
    pub(super) fn pages(&self) -> u32 {
        self.pages
    }

    /// The `width` bytes at an address, little-endian and zero-extended; `None` out of bounds.
    pub(super) fn load(&self, at: u64, width: u8) -> Option<u64> {
        self.holds(at, width).then(|| (self.pair(at) >> shift(at)) as u64 & mask(width) as u64)
    }

    /// Writes the low `width` bytes of a value. Out of bounds nothing happens.
    pub(super) fn store(&mut self, at: u64, width: u8, value: u64) {
        if !self.holds(at, width) {
            return;
        }
        let mask = mask(width) << shift(at);
        let pair = (self.pair(at) & !mask) | ((u128::from(value) << shift(at)) & mask);
        self.words.insert(at / WORD, pair as u64);
        if mask >> 64 != 0 {
            self.words.insert(at / WORD + 1, (pair >> 64) as u64);
        }
    }

    fn holds(&self, at: u64, width: u8) -> bool {
        at.saturating_add(width.into()) <= u64::from(self.pages) * u64::from(PAGE_BYTES)
    }

    /// The word that an address lies in, and the one behind it.
    fn pair(&self, at: u64) -> u128 {
        let word = |index| u128::from(self.words.get(&index).copied().unwrap_or(0));
        word(at / WORD) | word(at / WORD + 1) << 64
    }
}

/// Bits before an address in its word.
fn shift(at: u64) -> u64 {
    at % WORD * 8
}

fn mask(width: u8) -> u128 {
    (1 << (u32::from(width) * 8)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::wasm::program;

    fn memory(pages: u32) -> Memory {
        let memory = Some(program::Memory { min: pages, max: None, import: None });
        Memory::new(&Program { memory, ..Program::default() })
    }

    #[test]
    fn it_reads_what_plain_bytes_would() {
        let mut rng = Seed::new(3).rng();
        let (mut sparse, mut plain) = (memory(1), vec![0_u8; 64]);
        for _ in 0..10_000 {
            let width = 1_u8 << rng.below(4);
            let at = rng.below(64 - u32::from(width) + 1) as usize;
            let range = at..at + usize::from(width);
            let value = rng.bits();
            if rng.below(2) == 0 {
                sparse.store(at as u64, width, value);
                plain[range].copy_from_slice(&value.to_le_bytes()[..usize::from(width)]);
            } else {
                let mut bytes = [0; 8];
                bytes[..usize::from(width)].copy_from_slice(&plain[range]);
                assert_eq!(sparse.load(at as u64, width), Some(u64::from_le_bytes(bytes)));
            }
        }
    }

    #[test]
    fn it_ends_where_it_ends() {
        let mut memory = memory(65_536);
        memory.store((1 << 32) - 8, 8, 7);
        assert_eq!(memory.load((1 << 32) - 8, 8), Some(7));
        assert_eq!((memory.load((1 << 32) - 7, 8), memory.load(u64::MAX, 1)), (None, None));
        memory.store(u64::MAX, 8, 1);
        assert_eq!(memory.words.len(), 1);
        assert_eq!(self::memory(0).load(0, 1), None);
    }
}
