//! Owns the execution of an item's program as a page shows it: instruction by instruction, with the operands after each.
//!
//! Must not know why it is shown. Nothing of it is stored with a run: the machine runs the stored program again.

use crate::item::edit::Question;
use crate::item::record::Item;
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::parse;
use crate::wasm::print::{Names, Printer};
use crate::wasm::program::{Place, Program};
use crate::wasm::rerun::Execution;
use serde::Serialize;
use std::collections::HashMap;

/// Steps of a trace at most.
const STEPS: usize = 2000;
/// Operands shown at most, those on top.
const OPERANDS: usize = 12;

/// What was executed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ShownTrace {
    steps: Vec<Step>,
    /// Steps that are left out, behind the others.
    more: u64,
    /// What the run returned.
    results: String,
}

/// One instruction: activations around it, function, place in it, line in the text (0 where it has none), the instruction,
/// and the operands after it.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Step(u32, String, u32, u32, String, String);

/// Runs an item's program once more; `None` if it cannot be read or does not run, which what this program writes does.
pub(super) fn trace(machine: &mut Machine, item: &Item) -> Option<ShownTrace> {
    let question = Question::of(item).ok()?;
    let program = &question.program;
    let printer = Printer::new(program);
    let names = printer.names();
    let mut tracer = Tracer {
        names,
        places: places(program, &printer, &item.program),
        active: Vec::new(),
        steps: Vec::new(),
        waiting: false,
        more: 0,
    };
    let outcome = Execution { machine, program, entry: question.entry, fuel_limit: item.fuel }.run(&mut tracer).ok()?;
    let results = operands(names, &outcome.results);
    if let Some(last) = tracer.steps.last_mut().filter(|_| tracer.waiting) {
        last.5.clone_from(&results);
    }
    Some(ShownTrace { steps: tracer.steps, more: tracer.more, results })
}

/// An instruction by its place: pc, line, text.
type Places = HashMap<(u32, Place), (u32, u32, String)>;

fn places(program: &Program, printer: &Printer<'_>, text: &str) -> Places {
    let (lines, imported) = (parse::lines(text), program.imported_funcs());
    let line = |func: u32, pc: u32| lines.get((func - imported) as usize)?.get(pc as usize).copied();
    let of_func = |func: u32| {
        let flat = program.flatten(func).into_iter().zip(0..);
        let line = &line;
        flat.map(move |(flat, pc)| ((func, flat.place), (pc, line(func, pc).unwrap_or(0), printer.instr(&flat.instr))))
    };
    (imported..program.funcs.len() as u32).flat_map(of_func).collect()
}

struct Tracer<'p> {
    names: &'p Names<'p>,
    places: Places,
    /// Serial numbers of the activations that are not over, outermost first.
    active: Vec<u32>,
    steps: Vec<Step>,
    /// Whether the operands after the last step are still to be told.
    waiting: bool,
    more: u64,
}

impl Observer for Tracer<'_> {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        let serial = machine.activation();
        let known = self.active.binary_search(&serial).ok();
        if let Some(last) = self.steps.last_mut().filter(|_| std::mem::take(&mut self.waiting)) {
            // The operands of a function that begins are its own: those of the caller wait.
            last.5 = match known {
                Some(_) => operands(self.names, &machine.frame_operands().collect::<Vec<_>>()),
                None => format!("enters {}", self.names.func(func)),
            };
        }
        match known {
            Some(at) => self.active.truncate(at + 1),
            None => self.active.push(serial),
        }
        if self.steps.len() == STEPS {
            self.more += 1;
            return;
        }
        let Some((pc, line, text)) = self.places.get(&(func, place)) else { return };
        let depth = self.active.len() as u32 - 1;
        let name = self.names.func(func);
        self.steps.push(Step(depth, name, *pc, *line, text.clone(), String::new()));
        self.waiting = true;
    }
}

/// Bottom first, `i32(30) f64(1.5)`; of many those on top.
fn operands(names: &Names, values: &[crate::wasm::types::Value]) -> String {
    let left_out = values.len().saturating_sub(OPERANDS);
    let shown = values[left_out..].iter().map(|&value| format!("{}({})", value.ty, names.value(value)));
    let more = (left_out > 0).then(|| format!("({left_out} below)"));
    more.into_iter().chain(shown).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::record::{Purpose, Verdict};
    use crate::run::sink::tests::sample;

    #[test]
    fn every_step_has_the_operands_after_it() {
        let mut item = sample(Purpose::Eval, 0, 0, Verdict::Wrong).item;
        item.program =
            "(module\n  (func $double (param i32) (result i32)\n    local.get 0\n    local.get 0\n    i32.add)\n  \
                        (func (export \"run\") (result i32)\n    i32.const 20\n    call $double\n    i32.const 1\n    \
                        i32.sub ;;INSPECT\n  )\n)"
                .into();
        item.fuel = 100;
        let trace = trace(&mut Machine::default(), &item).expect("it runs");
        let steps: Vec<String> = trace
            .steps
            .iter()
            .map(|Step(depth, func, pc, line, text, after)| format!("{depth} {func} {pc} {line} {text} -> {after}"))
            .collect();
        insta::assert_snapshot!(steps.join("\n"), @r"
        0 $f1 0 7 i32.const 20 -> i32(20)
        0 $f1 1 8 call $double -> enters $double
        1 $double 0 3 local.get 0 -> i32(20)
        1 $double 1 4 local.get 0 -> i32(20) i32(20)
        1 $double 2 5 i32.add -> i32(40)
        1 $double 3 0 end -> i32(40)
        0 $f1 2 9 i32.const 1 -> i32(40) i32(1)
        0 $f1 3 10 i32.sub -> i32(39)
        0 $f1 4 0 end -> i32(39)
        ");
        assert_eq!((trace.more, trace.results.as_str()), (0, "i32(39)"));
    }

    #[test]
    fn a_long_run_is_cut() {
        let mut item = sample(Purpose::Eval, 0, 0, Verdict::Wrong).item;
        item.program = "(module (func (export \"run\") (local i32) loop local.get 0 i32.const 1 i32.add local.tee 0 \
                        i32.const 1000 i32.lt_u br_if 0 end))"
            .into();
        item.fuel = 100_000;
        let found = trace(&mut Machine::default(), &item).expect("it runs");
        // The `loop`, a thousand times 7 instructions, two ends.
        assert_eq!((found.steps.len(), found.more), (STEPS, 1 + 7000 + 2 - STEPS as u64));
        item.fuel = 10;
        assert_eq!(trace(&mut Machine::default(), &item), None, "it does not run within the fuel");
    }
}
