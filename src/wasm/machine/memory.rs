//! Owns memories: bounds, little-endian access, growth, stretches of bytes, and giving a memory back clean.
//!
//! Must not know which instruction asks. A memory remembers which of its chunks were ever written, so that cleaning it
//! for the next program costs what was used of it, not what is there.

use super::Machine;
use super::table::part;
use crate::wasm::isa::Trap;
use crate::wasm::program::{PAGE_BYTES, Program};
use crate::wasm::types::Bits;

/// Pages that 32-bit addresses reach (spec 3.2.5).
const MAX_PAGES: u32 = 1 << 16;
/// Bytes behind the end, never written, so that any access may move 16 bytes at once.
const SLACK: usize = 16;
/// A bit of [`Memory::dirty`] stands for this many bytes, a word for a page.
const CHUNK_BYTES: usize = PAGE_BYTES as usize / u64::BITS as usize;
/// Memories above this are not kept for the next program.
const MAX_SPARE_BYTES: usize = 16 << 20;

/// A memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// At least the visible bytes and the slack; zero but for the dirty chunks.
    bytes: Vec<u8>,
    /// Visible bytes.
    len: usize,
    /// Pages at most, where that is declared.
    max: Option<u32>,
    /// A word for each page there is room for: the chunks that may hold something.
    dirty: Vec<u64>,
}

impl Memory {
    /// Makes this clean memory one of so many pages; `false` if they cannot be had, and then it has none.
    fn begin(&mut self, pages: u32, max: Option<u32>) -> bool {
        self.max = max;
        self.set_pages(pages)
    }

    /// Zeroes it all; whether it is worth keeping.
    pub(super) fn wipe(&mut self) -> bool {
        if self.bytes.len() > MAX_SPARE_BYTES {
            return false;
        }
        for (page, chunks) in self.dirty.iter_mut().enumerate() {
            for start in dirty_starts(page, *chunks) {
                self.bytes[start..start + CHUNK_BYTES].fill(0);
            }
            *chunks = 0;
        }
        self.len = 0;
        true
    }

    pub(super) fn visible(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn pages(&self) -> u32 {
        (self.len / PAGE_BYTES as usize) as u32
    }

    pub(super) fn max(&self) -> Option<u32> {
        self.max
    }

    /// Sets the size; `false` if so much cannot be had, and then it stays. What is cut off must have been zeroed; what is
    /// added is zero.
    pub(super) fn set_pages(&mut self, pages: u32) -> bool {
        let there = pages as usize <= self.dirty.len() || self.reserve(pages as usize);
        if there {
            self.len = pages as usize * PAGE_BYTES as usize;
        }
        there
    }

    /// Moves to a bigger allocation, if there is one, copying what was written. Fresh zeroed bytes cost nothing until they
    /// are used.
    fn reserve(&mut self, pages: usize) -> bool {
        let ahead = (2 * self.dirty.len()).clamp(pages, MAX_PAGES as usize);
        let Some(room) = [ahead, pages].into_iter().find(|&pages| can_be_had(pages)) else { return false };
        let mut bytes = vec![0; room * PAGE_BYTES as usize + SLACK];
        for (page, &chunks) in self.dirty.iter().enumerate() {
            for start in dirty_starts(page, chunks) {
                let range = start..start + CHUNK_BYTES;
                bytes[range.clone()].copy_from_slice(&self.bytes[range]);
            }
        }
        self.bytes = bytes;
        self.dirty.resize(room, 0);
        true
    }

    /// Whether so many bytes from here on are there.
    #[inline(always)]
    fn holds(&self, at: u64, count: u64) -> bool {
        at + count <= self.len as u64
    }

    #[inline(always)]
    fn touch(&mut self, at: u32) {
        self.dirty[at as usize / PAGE_BYTES as usize] |= 1 << (at as usize / CHUNK_BYTES % u64::BITS as usize);
    }

    /// Marks a stretch that is about to be written.
    fn touch_all(&mut self, at: u32, count: u32) {
        if count > 0 {
            (at..at + (count - 1)).step_by(CHUNK_BYTES).for_each(|at| self.touch(at));
            self.touch(at + (count - 1));
        }
    }

    /// Writes bytes that are in bounds.
    pub(super) fn write(&mut self, at: u32, bytes: &[u8]) {
        self.touch_all(at, bytes.len() as u32);
        self.bytes[at as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    #[inline(always)]
    fn word(&self, at: u32) -> u64 {
        let at = at as usize;
        u64::from_le_bytes(self.bytes[at..at + 8].try_into().expect("8 bytes"))
    }
}

/// Whether the system gives so many pages: where few are asked for they are taken to be there. It is asked for them and
/// given them back at once, since only the way that cannot fail has zeroed bytes for nothing.
fn can_be_had(pages: usize) -> bool {
    let bytes = pages * PAGE_BYTES as usize + SLACK;
    bytes <= MAX_SPARE_BYTES || Vec::<u8>::new().try_reserve_exact(bytes).is_ok()
}

/// Where the dirty chunks of a page start.
fn dirty_starts(page: usize, chunks: u64) -> impl Iterator<Item = usize> {
    let left = |chunks: u64| (chunks != 0).then_some(chunks);
    std::iter::successors(left(chunks), move |chunks| left(chunks & (chunks - 1)))
        .map(move |chunks| page * PAGE_BYTES as usize + chunks.trailing_zeros() as usize * CHUNK_BYTES)
}

/// The lowest bits of a word that `width` bytes, 1 to 8, have.
#[inline(always)]
fn mask(width: u8) -> u64 {
    u64::MAX >> (64 - 8 * u32::from(width))
}

impl Machine {
    #[inline(always)]
    pub(super) fn own_memory(&mut self) -> &mut Memory {
        &mut self.memories[self.r.memory as usize]
    }

    /// The effective address if the whole access is in bounds.
    #[inline(always)]
    pub(super) fn address(&self, address: Bits, offset: u64, width: u8) -> Result<u32, Trap> {
        let at = u64::from(address as u32) + offset;
        let memory = &self.memories[self.r.memory as usize];
        if memory.holds(at, u64::from(width)) { Ok(at as u32) } else { Err(Trap::MemoryOutOfBounds) }
    }

    /// At most 8 bytes that are in bounds.
    #[inline(always)]
    pub(super) fn load(&self, at: u32, width: u8) -> u64 {
        self.memories[self.r.memory as usize].word(at) & mask(width)
    }

    /// At most 16 bytes that are in bounds.
    pub(super) fn load_wide(&self, at: u32, width: u8) -> Bits {
        let mut bytes = [0; 16];
        let memory = &self.memories[self.r.memory as usize];
        bytes[..usize::from(width)].copy_from_slice(&memory.bytes[at as usize..][..usize::from(width)]);
        Bits::from_le_bytes(bytes)
    }

    /// Writes the low bytes, at most 8, of a value.
    #[inline(always)]
    pub(super) fn store(&mut self, at: u32, width: u8, value: u64) {
        let memory = &mut self.memories[self.r.memory as usize];
        let old = memory.word(at);
        self.log.bytes(self.r.memory, at, &old.to_le_bytes()[..usize::from(width)]);
        memory.touch(at);
        memory.touch(at + (u32::from(width) - 1));
        let new = old & !mask(width) | value & mask(width);
        memory.bytes[at as usize..at as usize + 8].copy_from_slice(&new.to_le_bytes());
    }

    /// Writes the low bytes, at most 16, of a value.
    pub(super) fn store_wide(&mut self, at: u32, width: u8, value: Bits) {
        self.write_memory(at, &value.to_le_bytes()[..usize::from(width)]);
    }

    /// Writes bytes that are in bounds, and logs what was there.
    pub(super) fn write_memory(&mut self, at: u32, bytes: &[u8]) {
        self.log_bytes(at, bytes.len() as u32);
        self.own_memory().write(at, bytes);
    }

    fn log_bytes(&mut self, at: u32, count: u32) {
        let memory = &self.memories[self.r.memory as usize];
        self.log.bytes(self.r.memory, at, &memory.bytes[at as usize..][..count as usize]);
    }

    /// A stretch of memory, if it is in bounds.
    pub(super) fn stretch(&self, at: Bits, count: Bits) -> Result<(u32, u32), Trap> {
        let memory = &self.memories[self.r.memory as usize];
        let (at, count) = (at as u32, count as u32);
        if memory.holds(u64::from(at), u64::from(count)) { Ok((at, count)) } else { Err(Trap::MemoryOutOfBounds) }
    }

    /// `memory.size`
    pub(super) fn memory_size(&self) -> u32 {
        self.memories[self.r.memory as usize].pages()
    }

    /// `memory.grow`: the size before, or all ones.
    pub(super) fn memory_grow(&mut self, by: u32) -> u32 {
        let address = self.r.memory;
        let memory = self.own_memory();
        let before = memory.pages();
        match before.checked_add(by) {
            Some(pages) if pages <= memory.max.unwrap_or(MAX_PAGES).min(MAX_PAGES) => {
                if !memory.set_pages(pages) {
                    self.starved = Some(pages);
                    return u32::MAX;
                }
                self.log.pages(address, before);
                before
            }
            _ => u32::MAX,
        }
    }

    /// `memory.fill`
    pub(super) fn memory_fill(&mut self, at: Bits, value: Bits, count: Bits) -> Result<(), Trap> {
        let (at, count) = self.stretch(at, count)?;
        self.log_bytes(at, count);
        let memory = self.own_memory();
        memory.touch_all(at, count);
        memory.bytes[at as usize..][..count as usize].fill(value as u8);
        Ok(())
    }

    /// `memory.copy`
    pub(super) fn memory_copy(&mut self, to: Bits, from: Bits, count: Bits) -> Result<(), Trap> {
        let (from, _) = self.stretch(from, count)?;
        let (to, count) = self.stretch(to, count)?;
        self.log_bytes(to, count);
        let memory = self.own_memory();
        memory.touch_all(to, count);
        memory.bytes.copy_within(from as usize..from as usize + count as usize, to as usize);
        Ok(())
    }

    /// `memory.init` from the bytes of a segment.
    pub(super) fn memory_init(&mut self, segment: &[u8], to: Bits, from: Bits, count: Bits) -> Result<(), Trap> {
        let bytes = part(segment, from, count).ok_or(Trap::MemoryOutOfBounds)?;
        let (to, _) = self.stretch(to, count)?;
        self.write_memory(to, bytes);
        Ok(())
    }

    /// Makes a memory; its address.
    pub(super) fn allocate_memory(&mut self, pages: u32, max: Option<u32>) -> u32 {
        let mut memory = self.spare_memories.pop().unwrap_or_default();
        if !memory.begin(pages, max) {
            self.starved = Some(pages);
        }
        self.memories.push(memory);
        self.memories.len() as u32 - 1
    }

    /// The bytes that a segment still has.
    pub(super) fn data<'p>(&self, program: &'p Program, segment: u32) -> &'p [u8] {
        if self.dropped_datas[self.data_address(segment)] { &[] } else { &program.datas[segment as usize].bytes }
    }

    /// `data.drop`
    pub(super) fn drop_data(&mut self, segment: u32) {
        let address = self.data_address(segment);
        if !std::mem::replace(&mut self.dropped_datas[address], true) {
            self.log.data_dropped(address as u32);
        }
    }
}
