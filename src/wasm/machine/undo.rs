//! Owns going back: marks, and the log of changes that a rollback takes back.
//!
//! Must not know why somebody goes back. Only what was live at a mark is logged: slots and labels above the floors are
//! dead once the mark's registers are restored.

use super::{Label, Machine, Registers};
use crate::wasm::types::{Bits, ValType};

/// One change, with what was there before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Undo {
    Slot { at: u32, bits: Bits, ty: ValType },
    Label { at: u32, label: Label },
    Global { at: u32, bits: Bits },
    Memory { at: u32, width: u8, bytes: u64 },
}

/// A point to go back to. Marks nest: the last one made is the first to be rolled back or forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    log: usize,
    registers: Registers,
    slot_floor: u32,
    label_floor: u32,
}

impl Machine {
    /// Remembers this moment.
    pub fn mark(&mut self) -> Mark {
        let mark =
            Mark { log: self.log.len(), registers: self.r, slot_floor: self.slot_floor, label_floor: self.label_floor };
        self.slot_floor = self.slot_floor.max(self.r.sp);
        self.label_floor = self.label_floor.max(self.r.lp);
        mark
    }

    /// Forgets the last mark and keeps what happened since.
    pub fn forget(&mut self, mark: Mark) {
        (self.slot_floor, self.label_floor) = (mark.slot_floor, mark.label_floor);
    }

    /// Takes back everything since the last mark, and forgets it.
    pub fn rollback(&mut self, mark: Mark) {
        while self.log.len() > mark.log {
            match self.log.pop().expect("longer than the mark") {
                Undo::Slot { at, bits, ty } => {
                    self.slots[at as usize] = bits;
                    self.types[at as usize] = ty;
                }
                Undo::Label { at, label } => self.labels[at as usize] = label,
                Undo::Global { at, bits } => self.globals[at as usize] = bits,
                Undo::Memory { at, width, bytes } => self.put_bytes(at, width, bytes),
            }
        }
        self.r = mark.registers;
        self.forget(mark);
    }
}
