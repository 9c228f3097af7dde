//! Owns the store: how instances come to be, how they find what they import, and how all is made ready for the next
//! program.
//!
//! Must not know how code runs, nor how the weaver declares what it adds.

use super::address::{Link, Provided};
use super::{Machine, Modules, Observer, Registers, Stop};
use crate::wasm::isa::Trap;
use crate::wasm::program::{Data, Elem, Extern, Global, Import, Program, SegmentMode};
use crate::wasm::types::Bits;

/// An import was given something of another type (spec 4.5.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("incompatible import type: {}.{}", .0.module, .0.name)]
pub struct LinkError(pub Import);

impl Machine {
    /// Makes instance 0 and nothing else: nothing runs, its segments are not applied ([`Machine::start`]), its imports
    /// are stood in for. `spare_locals` slots are kept in every activation for locals that are declared later.
    /// Allocations of former programs are used again, and what they changed is all that is cleared.
    pub fn reset(&mut self, program: &Program, spare_locals: u32) {
        self.log.clear();
        self.r = Registers::default();
        (self.slot_floor, self.label_floor, self.serial) = (0, 0, 0);
        self.spare_locals = spare_locals;
        self.fuel_limit = u64::MAX;
        self.spares_refused = false;
        self.starved = None;
        self.links.clear();
        self.globals.clear();
        self.dropped_elems.clear();
        self.dropped_datas.clear();
        self.spare_tables.append(&mut self.tables);
        let memories = self.memories.drain(..);
        self.spare_memories.extend(memories.filter_map(|mut memory| memory.wipe().then_some(memory)));

        for global in &program.globals {
            self.allocate_global(program, global);
        }
        for table in &program.tables {
            self.allocate_table(table.min, table.max);
        }
        if let Some(memory) = &program.memory {
            self.allocate_memory(memory.min, memory.max);
        }
        self.add_segments(program);
    }

    /// Makes a further instance, of `modules.program` of its number, which is returned. `resolve` says which instance
    /// provides an import; one that no instance provides is stood in for. Nothing runs ([`Machine::start`]).
    ///
    /// # Errors
    /// [`LinkError`]; the machine is as before.
    pub fn link(
        &mut self,
        modules: &(impl Modules + ?Sized),
        mut resolve: impl FnMut(&Import, Extern) -> Option<Provided>,
    ) -> Result<u32, LinkError> {
        let number = self.links.len() as u32 + 1;
        let program = modules.program(number);
        let mut find = |import: &Option<Box<Import>>, kind: Extern, index: usize| {
            let Some(import) = import else { return Ok(None) };
            match resolve(import, kind) {
                Some(at) if !self.fits(modules, program, kind, index, at) => Err(LinkError((**import).clone())),
                found => Ok(found.map(|at| self.address_of(kind, at))),
            }
        };
        let all = |count: usize| 0..count;
        let funcs: Vec<_> = all(program.imported_funcs() as usize)
            .map(|index| find(&program.funcs[index].import, Extern::Func, index))
            .collect::<Result<_, _>>()?;
        let tables: Vec<_> = all(program.tables.len())
            .map(|index| find(&program.tables[index].import, Extern::Table, index))
            .collect::<Result<_, _>>()?;
        let memory = program.memory.as_ref().map(|memory| find(&memory.import, Extern::Memory, 0)).transpose()?;
        let globals: Vec<_> = all(program.globals.len())
            .map(|index| find(&program.globals[index].import, Extern::Global, index))
            .collect::<Result<_, _>>()?;

        // From here on nothing can fail. Initial values may name functions and imported globals of the instance.
        let own = self.links.last().map_or(0, |link| link.funcs) + modules.program(number - 1).funcs.len() as u32;
        self.links.push(Link {
            funcs: own,
            imported: (own..).zip(funcs).map(|(stand_in, found)| found.unwrap_or(stand_in)).collect(),
            elems: self.dropped_elems.len() as u32,
            datas: self.dropped_datas.len() as u32,
            ..Link::default()
        });
        self.r = Registers { instance: number, ..Registers::default() };
        for (table, found) in program.tables.iter().zip(tables) {
            let address = found.unwrap_or_else(|| self.allocate_table(table.min, table.max));
            self.own_link().tables.push(address);
        }
        if let Some((memory, found)) = program.memory.as_ref().zip(memory) {
            let address = found.unwrap_or_else(|| self.allocate_memory(memory.min, memory.max));
            self.own_link().memory = address;
        }
        for (global, found) in program.globals.iter().zip(globals) {
            let address = found.unwrap_or_else(|| self.allocate_global(program, global));
            self.own_link().globals.push(address);
        }
        self.add_segments(program);
        Ok(number)
    }

    /// Whether what another instance has can be imported here (spec 3.4).
    fn fits(
        &self,
        modules: &(impl Modules + ?Sized),
        program: &Program,
        kind: Extern,
        index: usize,
        at: Provided,
    ) -> bool {
        let (theirs, there) = (modules.program(at.instance), at.index as usize);
        let address = self.address_of(kind, at) as usize;
        match kind {
            Extern::Func => theirs.func_type(at.index) == program.func_type(index as u32),
            Extern::Table => {
                let (table, wanted) = (&self.tables[address], &program.tables[index]);
                theirs.tables[there].ty == wanted.ty
                    && within(table.elements.len() as u32, table.max, wanted.min, wanted.max)
            }
            Extern::Memory => {
                let memory = &self.memories[address];
                let wanted = program.memory.as_ref().expect("it is imported");
                within(memory.pages(), memory.max(), wanted.min, wanted.max)
            }
            Extern::Global => {
                let (global, wanted) = (&theirs.globals[there], &program.globals[index]);
                (global.ty, global.mutable) == (wanted.ty, wanted.mutable)
            }
        }
    }

    /// The links of the instance that is being made.
    fn own_link(&mut self) -> &mut Link {
        self.links.last_mut().expect("the instance was added")
    }

    fn allocate_global(&mut self, program: &Program, global: &Global) -> u32 {
        let init = self.constant(program, &global.init);
        self.globals.push(init);
        self.globals.len() as u32 - 1
    }

    fn add_segments(&mut self, program: &Program) {
        self.dropped_elems.extend(program.elems.iter().map(|elem| elem.mode != SegmentMode::Passive));
        self.dropped_datas.extend(program.datas.iter().map(|data| data.mode != SegmentMode::Passive));
    }

    /// Copies the active segments of an instance and runs its start function (spec 4.5.4). The fuel used is forgotten:
    /// what is called afterwards begins at zero.
    ///
    /// # Errors
    /// The trap that ended it; what was done before stays done.
    pub fn start(
        &mut self,
        modules: &(impl Modules + ?Sized),
        instance: u32,
        observer: &mut impl Observer,
    ) -> Result<(), Trap> {
        let program = modules.program(instance);
        self.r = Registers { instance, memory: self.memory_address(instance), ..Registers::default() };
        program.elems.iter().try_for_each(|elem| self.apply_elem(program, elem))?;
        program.datas.iter().try_for_each(|data| self.apply_data(program, data))?;
        if let Some(func) = program.start {
            self.invoke_in(modules, instance, func, &[])?;
            match self.run(modules, observer) {
                Stop::Finished => {}
                Stop::Trap(trap) => return Err(trap),
                Stop::Frontier => unreachable!("a finished program has no open sequence"),
            }
        }
        self.r = Registers::default();
        Ok(())
    }

    pub(super) fn apply_elem(&mut self, program: &Program, elem: &Elem) -> Result<(), Trap> {
        let SegmentMode::Active { target, offset } = &elem.mode else { return Ok(()) };
        let to = self.constant(program, offset);
        self.table_init(program, &elem.items, *target, [to, 0, elem.items.len() as Bits])
    }

    pub(super) fn apply_data(&mut self, program: &Program, data: &Data) -> Result<(), Trap> {
        let SegmentMode::Active { offset, .. } = &data.mode else { return Ok(()) };
        let to = self.constant(program, offset);
        self.memory_init(&data.bytes, to, 0, data.bytes.len() as Bits)
    }
}

/// Whether something of this size and bound can be imported as one of at least `min` and at most `max` (spec 3.4.5).
fn within(size: u32, bound: Option<u32>, min: u32, max: Option<u32>) -> bool {
    size >= min && max.is_none_or(|max| bound.is_some_and(|bound| bound <= max))
}
