//! Owns the addresses of the store: where an instance finds what it names.
//!
//! Must not know what is there. Instance 0 imports from no other, so everything it names is at the address that equals
//! its index, also what is declared while it runs; the others have lists of addresses ([`Link`]). Functions have
//! addresses too, and a reference to a function is 1 + its address: each instance owns a range of them as long as its
//! list of functions.

use super::Machine;
use crate::wasm::program::Extern;
use crate::wasm::types::Bits;

/// Something that another instance has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provided {
    /// The instance.
    pub instance: u32,
    /// The index there, among those of its kind.
    pub index: u32,
}

/// Where an instance other than the first finds what it names.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    /// Address of its function 0, if that is its own.
    pub(super) funcs: u32,
    /// Addresses of the functions that it imports.
    pub(super) imported: Vec<u32>,
    pub(super) globals: Vec<u32>,
    pub(super) tables: Vec<u32>,
    pub(super) memory: u32,
    /// Addresses of its segments 0.
    pub(super) elems: u32,
    pub(super) datas: u32,
}

impl Machine {
    #[inline]
    fn link_of(&self, instance: u32) -> Option<&Link> {
        instance.checked_sub(1).map(|link| &self.links[link as usize])
    }

    /// Where something that an instance has stands in the store.
    pub(super) fn address_of(&self, kind: Extern, at: Provided) -> u32 {
        let Some(link) = self.link_of(at.instance) else { return at.index };
        match kind {
            Extern::Func => self.func_address(at.instance, at.index),
            Extern::Table => link.tables[at.index as usize],
            Extern::Memory => link.memory,
            Extern::Global => link.globals[at.index as usize],
        }
    }

    /// The address of a function of an instance; a reference to it is 1 more.
    pub fn func_address(&self, instance: u32, func: u32) -> u32 {
        let Some(link) = self.link_of(instance) else { return func };
        link.imported.get(func as usize).copied().unwrap_or(link.funcs + func)
    }

    /// The instance and the index there of the function with this address.
    pub fn func_at(&self, address: u32) -> (u32, u32) {
        let instance = self.links.partition_point(|link| link.funcs <= address) as u32;
        (instance, address - self.link_of(instance).map_or(0, |link| link.funcs))
    }

    #[inline]
    pub(super) fn memory_address(&self, instance: u32) -> u32 {
        self.link_of(instance).map_or(0, |link| link.memory)
    }

    /// The address of a table of the running instance.
    #[inline]
    pub(super) fn table_address(&self, index: u32) -> u32 {
        self.link_of(self.r.instance).map_or(index, |link| link.tables[index as usize])
    }

    /// The address of a global of the running instance.
    #[inline]
    pub(super) fn global_address(&self, index: u32) -> usize {
        self.link_of(self.r.instance).map_or(index, |link| link.globals[index as usize]) as usize
    }

    /// The address of an element segment of the running instance.
    pub(super) fn elem_address(&self, segment: u32) -> usize {
        (self.link_of(self.r.instance).map_or(0, |link| link.elems) + segment) as usize
    }

    /// The address of a data segment of the running instance.
    pub(super) fn data_address(&self, segment: u32) -> usize {
        (self.link_of(self.r.instance).map_or(0, |link| link.datas) + segment) as usize
    }

    /// The value of a global of any instance.
    pub fn global(&self, instance: u32, index: u32) -> Bits {
        self.globals[self.address_of(Extern::Global, Provided { instance, index }) as usize]
    }
}
