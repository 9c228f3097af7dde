//! Owns the comparison of what the machine and wasmtime found, and how a difference is shown.
//!
//! Must not know where the values come from.

use super::Disagreement;
use crate::wasm::program::Probe;
use crate::wasm::trap::Trap;
use crate::wasm::types::Value;

/// Whether both mean the same: wasmtime has one name for all accesses past the end of a table.
pub(super) fn same_trap(ours: Trap, theirs: Trap) -> bool {
    let ours = if ours == Trap::UndefinedElement { Trap::TableOutOfBounds } else { ours };
    ours == theirs && !matches!(ours, Trap::OutOfFuel | Trap::CallStackExhausted)
}

pub(super) fn equal_fuel(ours: u64, theirs: u64) -> Result<(), Disagreement> {
    if ours == theirs { Ok(()) } else { Err(Disagreement::Fuel { ours, theirs }) }
}

/// Bit for bit: with canonical NaNs on both sides, even NaNs have one form.
pub(super) fn equal_values(what: &'static str, ours: &[Value], theirs: &[Value]) -> Result<(), Disagreement> {
    if ours == theirs {
        return Ok(());
    }
    let list = |values: &[Value]| values.iter().map(|v| format!("{v}={:#x}", v.bits)).collect::<Vec<_>>().join(", ");
    Err(Disagreement::State { what, ours: list(ours), theirs: list(theirs) })
}

pub(super) fn equal_flags(ours: &[(Probe, bool)], theirs: &[bool]) -> Result<(), Disagreement> {
    if ours.iter().map(|(_, state)| state).eq(theirs) {
        return Ok(());
    }
    let list = |states: &mut dyn Iterator<Item = bool>| states.map(|s| s.to_string()).collect::<Vec<_>>().join(", ");
    let (ours, theirs) = (list(&mut ours.iter().map(|flag| flag.1)), list(&mut theirs.iter().copied()));
    Err(Disagreement::State { what: "flags", ours, theirs })
}

/// A probe that the machine hit at least so often.
pub(super) fn hit(hit: u32, theirs: u64) -> Result<(), Disagreement> {
    if theirs >= u64::from(hit) {
        return Ok(());
    }
    let ours = format!("at least {hit}");
    Err(Disagreement::State { what: "hits of a probe", ours, theirs: theirs.to_string() })
}

/// A probe that the machine did not hit so often.
pub(super) fn not_hit(hit: u32, theirs: u64) -> Result<(), Disagreement> {
    if theirs < u64::from(hit) {
        return Ok(());
    }
    let ours = format!("fewer than {hit}");
    Err(Disagreement::State { what: "hits of a probe", ours, theirs: theirs.to_string() })
}

pub(super) fn equal_memory(ours: &[u8], theirs: &[u8]) -> Result<(), Disagreement> {
    if ours == theirs {
        return Ok(());
    }
    let at = ours.iter().zip(theirs).position(|(a, b)| a != b);
    let show = |bytes: &[u8]| at.map_or(format!("{} bytes", bytes.len()), |at| format!("{:#04x} at {at}", bytes[at]));
    Err(Disagreement::State { what: "memory", ours: show(ours), theirs: show(theirs) })
}
