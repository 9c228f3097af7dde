//! Owns putting a function's code in the place of its calls.
//!
//! Must not know whether that helps.

use super::subject::{Mark, Subject};
use super::typing::{called, is_left_early};
use super::window::copied;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{Instr, Place};

/// The program with each function inlined wherever it is called, of those that run to their end. A probe in such a
/// function is tried at every call.
pub(super) fn inlined(subject: &Subject) -> Vec<Subject> {
    let others = subject.functions().filter(|func| *func != subject.entry);
    others.flat_map(|func| everywhere(subject, func)).collect()
}

fn everywhere(subject: &Subject, func: u32) -> Vec<Subject> {
    let places = subject.places();
    let calls = |place: &Place| called(&subject.at(*place)) == Some(func);
    let itself = places.iter().any(|(of, place)| *of == func && calls(place));
    let body = subject.program.funcs[func as usize].body;
    if itself || is_left_early(&subject.program, body, 0) {
        return Vec::new();
    }
    let sites: Vec<(u32, Place)> = places.into_iter().filter(|(_, place)| calls(place)).collect();
    let inside = subject.marks.iter().any(|mark| mark.func == func);
    let tried = if inside { sites.len() } else { sites.len().min(1) };
    (0..tried).map(|at| with_probe_at(subject, func, &sites, at)).collect()
}

/// Inlined at all sites; what was asked of the function is asked of its code at one of them.
fn with_probe_at(subject: &Subject, func: u32, sites: &[(u32, Place)], asked: usize) -> Subject {
    let mut new = subject.clone();
    let params = subject.program.func_type(func).params.clone();
    let body = subject.program.funcs[func as usize].body;
    // Backwards, so that places that are still to come stay where they are.
    for (number, &(caller, place)) in sites.iter().enumerate().rev() {
        let locals = &mut new.program.funcs[caller as usize].locals;
        let first = subject.program.func_type(caller).params.len() + locals.len();
        locals.extend(params.iter().chain(&subject.program.funcs[func as usize].locals));
        let (mut code, map) = copied(&mut new.program, subject.code(body));
        let shift = |instr: &mut Instr| {
            if instr.op.row().imm == Imm::Local {
                instr.a += first as u32;
            }
        };
        code.iter_mut().for_each(shift);
        map.values().for_each(|seq| new.program.seqs[*seq as usize].code.iter_mut().for_each(shift));
        let set = |param: usize| Instr::index(Op::LocalSet, (first + param) as u32);
        code.splice(0..0, (0..params.len()).rev().map(set));
        let at = place.index as usize;
        new.splice(place.seq, at..at + 1, code);
        for (mark, old) in
            new.marks.iter_mut().zip(&subject.marks).filter(|(_, old)| old.func == func && number == asked)
        {
            let hit = if sites.len() == 1 { old.hit } else { 1 };
            let moved = if old.place.seq == body {
                Place { seq: place.seq, index: place.index + params.len() as u32 + old.place.index }
            } else {
                Place { seq: map[&old.place.seq], ..old.place }
            };
            *mark = Mark { func: caller, place: moved, hit };
        }
    }
    new
}
