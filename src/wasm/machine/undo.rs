//! Owns going back: marks, and the log of changes that a rollback takes back.
//!
//! Must not know why it goes back. Changes are logged only while a mark is set, so that a long run that is never taken
//! back logs nothing, and of slots and labels only what was live at a mark: those above the floors are dead once its
//! registers are restored.

use super::{Label, Machine, Registers};
use crate::wasm::types::{Bits, ValType};

/// One change. What was there before lies on the stacks of the [`Log`].
#[derive(Clone, Copy, Debug)]
enum Undo {
    Slot { at: u32, ty: ValType },
    Label { at: u32 },
    Global { at: u32 },
    Bytes { memory: u32, at: u32, count: u32 },
    Pages { memory: u32, before: u32 },
    Elements { table: u32, at: u32, count: u32 },
    TableLen { table: u32, before: u32 },
    ElemDropped { at: u32 },
    DataDropped { at: u32 },
}

/// The changes since the oldest mark, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    /// Marks that are set.
    marks: u32,
    changes: Vec<Undo>,
    bits: Vec<Bits>,
    bytes: Vec<u8>,
    labels: Vec<Label>,
}

impl Log {
    #[cold]
    pub(super) fn slot(&mut self, at: u32, ty: ValType, bits: Bits) {
        self.bits.push(bits);
        self.changes.push(Undo::Slot { at, ty });
    }

    pub(super) fn label(&mut self, at: u32, label: Label) {
        self.labels.push(label);
        self.changes.push(Undo::Label { at });
    }

    pub(super) fn global(&mut self, at: u32, bits: Bits) {
        if self.marks > 0 {
            self.bits.push(bits);
            self.changes.push(Undo::Global { at });
        }
    }

    #[inline]
    pub(super) fn bytes(&mut self, memory: u32, at: u32, old: &[u8]) {
        if self.marks > 0 {
            self.bytes.extend_from_slice(old);
            self.changes.push(Undo::Bytes { memory, at, count: old.len() as u32 });
        }
    }

    pub(super) fn pages(&mut self, memory: u32, before: u32) {
        self.change(Undo::Pages { memory, before });
    }

    pub(super) fn elements(&mut self, table: u32, at: u32, old: &[Bits]) {
        if self.marks > 0 {
            self.bits.extend_from_slice(old);
            self.changes.push(Undo::Elements { table, at, count: old.len() as u32 });
        }
    }

    pub(super) fn table_len(&mut self, table: u32, before: u32) {
        self.change(Undo::TableLen { table, before });
    }

    pub(super) fn elem_dropped(&mut self, at: u32) {
        self.change(Undo::ElemDropped { at });
    }

    pub(super) fn data_dropped(&mut self, at: u32) {
        self.change(Undo::DataDropped { at });
    }

    fn change(&mut self, undo: Undo) {
        if self.marks > 0 {
            self.changes.push(undo);
        }
    }

    #[cfg(test)]
    pub(super) fn lens(&self) -> [usize; 4] {
        [self.changes.len(), self.bits.len(), self.bytes.len(), self.labels.len()]
    }

    pub(super) fn clear(&mut self) {
        self.marks = 0;
        self.changes.clear();
        self.bits.clear();
        self.bytes.clear();
        self.labels.clear();
    }
}

/// A point to go back to. Marks nest: the last one made is the first to be rolled back or forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    changes: usize,
    registers: Registers,
    slot_floor: u32,
    label_floor: u32,
}

impl Machine {
    /// Remembers this moment.
    pub fn mark(&mut self) -> Mark {
        let mark = Mark {
            changes: self.log.changes.len(),
            registers: self.r,
            slot_floor: self.slot_floor,
            label_floor: self.label_floor,
        };
        self.log.marks += 1;
        self.slot_floor = self.slot_floor.max(self.r.sp);
        self.label_floor = self.label_floor.max(self.r.lp);
        mark
    }

    /// Forgets the last mark and keeps what happened since.
    pub fn forget(&mut self, mark: Mark) {
        (self.slot_floor, self.label_floor) = (mark.slot_floor, mark.label_floor);
        self.log.marks -= 1;
        if self.log.marks == 0 {
            self.log.clear();
        }
    }

    /// Takes back everything since the last mark, and forgets it.
    pub fn rollback(&mut self, mark: Mark) {
        while self.log.changes.len() > mark.changes {
            let change = self.log.changes.pop().expect("longer than the mark");
            self.undo(change);
        }
        self.r = mark.registers;
        self.forget(mark);
    }

    fn undo(&mut self, change: Undo) {
        const SAVED: &str = "saved with the change";
        let Log { bits, bytes, labels, .. } = &mut self.log;
        match change {
            Undo::Slot { at, ty } => {
                self.slots[at as usize] = bits.pop().expect(SAVED);
                self.types[at as usize] = ty;
            }
            Undo::Label { at } => self.labels[at as usize] = labels.pop().expect(SAVED),
            Undo::Global { at } => self.globals[at as usize] = bits.pop().expect(SAVED),
            Undo::Bytes { memory, at, count } => {
                let start = bytes.len() - count as usize;
                self.memories[memory as usize].write(at, &bytes[start..]);
                bytes.truncate(start);
            }
            Undo::Pages { memory, before } => {
                self.memories[memory as usize].set_pages(before);
            }
            Undo::Elements { table, at, count } => {
                let start = bits.len() - count as usize;
                self.tables[table as usize].elements[at as usize..][..count as usize].copy_from_slice(&bits[start..]);
                bits.truncate(start);
            }
            Undo::TableLen { table, before } => self.tables[table as usize].elements.truncate(before as usize),
            Undo::ElemDropped { at } => self.dropped_elems[at as usize] = false,
            Undo::DataDropped { at } => self.dropped_datas[at as usize] = false,
        }
    }
}
