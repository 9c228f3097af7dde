//! Owns the memory that a reader has in mind: what was stored, and zero everywhere else.
//!
//! Must not know instructions. Sparse, since a stranger's module may declare 4 GiB and store one byte.

use crate::wasm::program::{PAGE_BYTES, Program};
use std::collections::BTreeMap;

/// Pages that 32-bit addresses reach.
const MAX_PAGES: u32 = 1 << 16;
/// Bytes of a word.
const WORD: u64 = 8;

/// The memory of a program.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Little-endian words by address divided by [`WORD`].
    words: BTreeMap<u64, u64>,
    pages: u32,
    max: u32,
}

impl Memory {
    /// As the program starts with it, but for its data.
    pub(super) fn new(program: &Program) -> Self {
        let (pages, max) = program.memory.as_ref().map_or((0, None), |memory| (memory.min, memory.max));
        Self { words: BTreeMap::new(), pages, max: max.unwrap_or(MAX_PAGES).min(MAX_PAGES) }
    }

    /// Its size in pages.
    pub(super) fn pages(&self) -> u32 {
        self.pages
    }

    /// Grows by some pages; the size before, or all ones.
    pub(super) fn grow(&mut self, by: u64) -> u32 {
        match u64::from(self.pages).saturating_add(by) {
            size if size <= self.max.into() => std::mem::replace(&mut self.pages, size as u32),
            _ => u32::MAX,
        }
    }

    /// The `width` bytes at an address, little-endian and zero-extended; `None` out of bounds.
    pub(super) fn load(&self, at: u64, width: u8) -> Option<u128> {
        if !self.holds(at, width.into()) {
            return None;
        }
        let eight = |at| (self.pair(at) >> shift(at)) as u64;
        let wide = if width > 8 { u128::from(eight(at + WORD)) << 64 } else { 0 };
        Some((wide | u128::from(eight(at))) & mask(width))
    }

    /// Writes the low `width` bytes of a value. Out of bounds nothing happens.
    pub(super) fn store(&mut self, at: u64, width: u8, value: u128) {
        if !self.holds(at, width.into()) {
            return;
        }
        if width > 8 {
            self.put(at + WORD, 8, (value >> 64) as u64);
        }
        self.put(at, width.min(8), value as u64);
    }

    fn put(&mut self, at: u64, width: u8, value: u64) {
        let mask = mask(width) << shift(at);
        let pair = (self.pair(at) & !mask) | ((u128::from(value) << shift(at)) & mask);
        self.words.insert(at / WORD, pair as u64);
        if mask >> 64 != 0 {
            self.words.insert(at / WORD + 1, (pair >> 64) as u64);
        }
    }

    /// Writes bytes. If one lies out of bounds nothing happens.
    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) {
        if self.holds(at, bytes.len() as u64) {
            (at..).zip(bytes).for_each(|(at, &byte)| self.put(at, 1, byte.into()));
        }
    }

    /// A stretch of bytes; `None` if one lies out of bounds.
    pub(super) fn read(&self, at: u64, count: u64) -> Option<Vec<u8>> {
        self.holds(at, count).then(|| (at..at + count).map(|at| (self.pair(at) >> shift(at)) as u8).collect())
    }

    fn holds(&self, at: u64, count: u64) -> bool {
        at.saturating_add(count) <= u64::from(self.pages) * u64::from(PAGE_BYTES)
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
    u128::MAX >> (128 - u32::from(width) * 8)
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
            let width = 1_u8 << rng.below(5);
            let at = rng.below(64 - u32::from(width) + 1) as usize;
            let range = at..at + usize::from(width);
            let value = u128::from(rng.bits()) << 64 | u128::from(rng.bits());
            if rng.below(2) == 0 {
                sparse.store(at as u64, width, value);
                plain[range].copy_from_slice(&value.to_le_bytes()[..usize::from(width)]);
            } else {
                let mut bytes = [0; 16];
                bytes[..usize::from(width)].copy_from_slice(&plain[range.clone()]);
                assert_eq!(sparse.load(at as u64, width), Some(u128::from_le_bytes(bytes)));
                assert_eq!(sparse.read(at as u64, width.into()).as_deref(), Some(&plain[range]));
            }
        }
    }

    #[test]
    fn it_grows_as_far_as_it_may() {
        let memory = Some(program::Memory { min: 1, max: Some(3), import: None });
        let mut memory = Memory::new(&Program { memory, ..Program::default() });
        assert_eq!((memory.grow(1), memory.grow(2), memory.grow(1), memory.pages()), (1, u32::MAX, 2, 3));
        memory.write(3 * u64::from(PAGE_BYTES) - 2, &[1, 2, 3]);
        assert_eq!(memory.read(3 * u64::from(PAGE_BYTES) - 2, 2), Some(vec![0, 0]));
        memory.write(3 * u64::from(PAGE_BYTES) - 2, &[1, 2]);
        assert_eq!(memory.load(3 * u64::from(PAGE_BYTES) - 2, 2), Some(0x201));
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
