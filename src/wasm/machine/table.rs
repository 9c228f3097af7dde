//! Owns tables: bounds, growth, and stretches of elements.
//!
//! Must not know which instruction asks, nor what an element refers to.

use super::Machine;
use crate::wasm::isa::Trap;
use crate::wasm::program::{Instr, Program};
use crate::wasm::types::Bits;

/// Elements that all tables may grow to together, whatever they declare: an implementation may refuse (spec 4.4.6), and a
/// stranger's program must not take all memory.
pub const MAX_ELEMENTS: u32 = 10_000_000;

/// A table.
#[derive(Clone, Debug, Default)]
pub(super) struct TableInstance {
    pub(super) elements: Vec<Bits>,
    /// Elements at most, where that is declared.
    pub(super) max: Option<u32>,
}

/// Where a stretch of a table of the running instance begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) table: u32,
    pub(super) index: Bits,
}

impl Machine {
    fn own_table(&self, index: u32) -> &TableInstance {
        &self.tables[self.table_address(index) as usize]
    }

    /// An element, if the table has so many.
    pub(super) fn element(&self, table: u32, at: Bits) -> Option<Bits> {
        self.own_table(table).elements.get(at as u32 as usize).copied()
    }

    /// `table.size`
    pub(super) fn table_size(&self, table: u32) -> u32 {
        self.own_table(table).elements.len() as u32
    }

    /// A stretch of a table of the running instance, if it is in bounds: the table's address, and where.
    pub(super) fn elements(&self, table: u32, at: Bits, count: Bits) -> Result<(u32, usize, usize), Trap> {
        let (at, count) = (at as u32 as usize, count as u32 as usize);
        let address = self.table_address(table);
        let there = at + count <= self.tables[address as usize].elements.len();
        if there { Ok((address, at, count)) } else { Err(Trap::TableOutOfBounds) }
    }

    /// The same stretch to be written, what is there now logged.
    fn elements_mut(&mut self, table: u32, at: Bits, count: Bits) -> Result<&mut [Bits], Trap> {
        let (table, at, count) = self.elements(table, at, count)?;
        let elements = &mut self.tables[table as usize].elements[at..at + count];
        self.log.elements(table, at as u32, elements);
        Ok(elements)
    }

    /// `table.fill`, and with a count of 1 `table.set`.
    pub(super) fn table_fill(&mut self, table: u32, at: Bits, value: Bits, count: Bits) -> Result<(), Trap> {
        self.elements_mut(table, at, count)?.fill(value);
        Ok(())
    }

    /// Whether a table may have so many elements more.
    pub(super) fn can_grow(&self, table: u32, by: u32) -> bool {
        let TableInstance { elements, max } = self.own_table(table);
        let within = |most: u32, all: usize| all as u64 + u64::from(by) <= u64::from(most);
        let all = self.tables.iter().map(|table| table.elements.len()).sum();
        within(max.unwrap_or(u32::MAX), elements.len()) && within(MAX_ELEMENTS, all)
    }

    /// `table.grow` that is allowed: the size before.
    pub(super) fn table_grow(&mut self, table: u32, value: Bits, by: u32) -> u32 {
        let address = self.table_address(table);
        let elements = &mut self.tables[address as usize].elements;
        let before = elements.len() as u32;
        elements.resize((before + by) as usize, value);
        self.log.table_len(address, before);
        before
    }

    /// `table.copy`
    pub(super) fn table_copy(&mut self, to: Element, from: Element, count: Bits) -> Result<(), Trap> {
        let (source, start, _) = self.elements(from.table, from.index, count)?;
        let target = self.table_address(to.table);
        let (to_start, range) = (to.index as u32 as usize, start..start + count as u32 as usize);
        self.elements_mut(to.table, to.index, count)?;
        if source == target {
            self.tables[source as usize].elements.copy_within(range, to_start);
        } else {
            let pair = self.tables.get_disjoint_mut([target as usize, source as usize]);
            let [target, source] = pair.expect("two tables of the store");
            target.elements[to_start..to_start + range.len()].copy_from_slice(&source.elements[range]);
        }
        Ok(())
    }

    /// `table.init` from the items of a segment of the running instance.
    pub(super) fn table_init(
        &mut self,
        program: &Program,
        items: &[Instr],
        table: u32,
        [to, from, count]: [Bits; 3],
    ) -> Result<(), Trap> {
        let items = part(items, from, count).ok_or(Trap::TableOutOfBounds)?;
        let (address, at, _) = self.elements(table, to, count)?;
        self.elements_mut(table, to, count)?;
        for (offset, item) in items.iter().enumerate() {
            self.tables[address as usize].elements[at + offset] = self.constant(program, item);
        }
        Ok(())
    }

    /// Makes a table of null references.
    pub(super) fn allocate_table(&mut self, size: u32, max: Option<u32>) -> u32 {
        let mut table = self.spare_tables.pop().unwrap_or_default();
        table.max = max;
        table.elements.clear();
        table.elements.resize(size as usize, 0);
        self.tables.push(table);
        self.tables.len() as u32 - 1
    }

    /// The items that a segment still has.
    pub(super) fn items<'p>(&self, program: &'p Program, segment: u32) -> &'p [Instr] {
        if self.dropped_elems[self.elem_address(segment)] { &[] } else { &program.elems[segment as usize].items }
    }

    /// `elem.drop`
    pub(super) fn drop_elem(&mut self, segment: u32) {
        let address = self.elem_address(segment);
        if !std::mem::replace(&mut self.dropped_elems[address], true) {
            self.log.elem_dropped(address as u32);
        }
    }
}

/// A stretch of a segment, if it has so much.
pub(super) fn part<T>(segment: &[T], from: Bits, count: Bits) -> Option<&[T]> {
    let from = from as u32 as usize;
    segment.get(from..from + count as u32 as usize)
}
