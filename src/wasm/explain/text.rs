//! Owns the dump as text, one instruction a line.
//!
//! Must not compute anything: what is not in the dump is not shown.

use super::layout::WHOLE;
use super::{Dump, Entry, Executed, Field, Function, Instruction, Shown};
use crate::wasm::schema::Encoding;
use std::fmt::Write;

/// Bytes on one line.
const BYTES: usize = 8;
/// Lines of one entry at most; real modules have data segments and custom sections of megabytes.
const LINES: usize = 8;
/// Characters of what an entry or an instruction is, at most.
const WIDTH: usize = 200;
/// Blocks that an instruction is indented by at most, so that the deepest can still be read.
const INDENTED: u32 = 50;

/// The dump as text.
pub fn text(dump: &Dump) -> String {
    let mut text = Text(String::new());
    dump.header.iter().for_each(|entry| text.entry(entry, 0));
    for section in &dump.sections {
        let what = format!("section {} {}: {} bytes", section.id, section.name, section.length);
        text.bytes(section.offset, &section.bytes.0, &what);
        section.entries.iter().for_each(|entry| text.entry(entry, 1));
        section.functions.iter().for_each(|function| text.function(function, dump.run.is_some()));
    }
    text.end(dump);
    text.0
}

struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        writeln!(self.0, "{}", line.trim_end()).expect("a string takes all");
    }

    /// Bytes, as many lines as they take, the first with what they are.
    fn bytes(&mut self, offset: u32, bytes: &[u8], what: &str) {
        let left_out = bytes.len().saturating_sub(LINES * BYTES);
        let shown = &bytes[..bytes.len() - left_out];
        for (number, chunk) in shown.chunks(BYTES).enumerate() {
            let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
            let what = if number == 0 { what } else { "" };
            let at = offset as usize + number * BYTES;
            self.line(&format!("{at:06x}  {:24} {what}", hex.join(" ")));
        }
        if left_out > 0 {
            self.line(&format!("{:8}... and {left_out} bytes more", ""));
        }
    }

    fn entry(&mut self, entry: &Entry, depth: usize) {
        self.bytes(entry.offset, &entry.bytes.0, &format!("{:1$}{2}", "", 2 * depth, cut(&entry.what)));
    }

    fn function(&mut self, function: &Function, ran: bool) {
        self.line("");
        self.line(&format!("{:32}{}", "", cut(&function.declaration)));
        function.head.iter().for_each(|entry| self.entry(entry, 1));
        if ran {
            self.line(&format!("{:32}{:>7} {:>7}", "", "hits", "fuel"));
        }
        function.code.iter().for_each(|instruction| self.instruction(instruction));
    }

    fn instruction(&mut self, instruction: &Instruction) {
        let ran = instruction.ran.as_ref().map_or(String::new(), counts);
        let code = format!("{:1$}{2}", "", 2 * instruction.depth.min(INDENTED) as usize, instruction.text);
        let numbers = instruction.immediates.iter().filter_map(number).collect::<Vec<_>>();
        let numbers = if numbers.is_empty() { String::new() } else { format!("  ({})", numbers.join(", ")) };
        let stack = instruction.ran.as_ref().and_then(|ran| stack(&instruction.text, ran)).unwrap_or_default();
        self.bytes(instruction.offset, &instruction.bytes.0, &format!("{ran}{:40} {stack}", cut(&(code + &numbers))));
    }

    fn end(&mut self, dump: &Dump) {
        self.line("");
        if dump.functions_without_code > 0 {
            let (count, most) = (dump.functions_without_code, WHOLE >> 20);
            self.line(&format!(
                "{count} functions that did not begin are shown in bytes: there are over {most} MiB of code"
            ));
        }
        let Some(run) = &dump.run else { return self.line("nothing was run") };
        let how = match (&run.results, &run.trap) {
            (Some(results), _) => format!("returns {}", values(results)),
            (None, trap) => format!("traps: {}", trap.as_deref().unwrap_or_default()),
        };
        self.line(&format!("{} {how}", run.function));
        let all: Vec<&Executed> = dump
            .sections
            .iter()
            .flat_map(|s| &s.functions)
            .flat_map(|f| &f.code)
            .filter_map(|i| i.ran.as_ref())
            .collect();
        let dead = all.iter().filter(|ran| ran.dead).count();
        let shown = if dump.functions_without_code > 0 { " that are shown" } else { "" };
        self.line(&format!("fuel {}; {dead} of {} instructions{shown} never executed", run.fuel, all.len()));
    }
}

/// The beginning of a text that is too long.
fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}

fn counts(ran: &Executed) -> String {
    if ran.dead { format!("{:>15}  ", "dead") } else { format!("{:>7} {:>7}  ", ran.hits, ran.fuel) }
}

/// A LEB128 number whose value its bytes do not show: `ac 02 = 300`.
fn number(field: &Field) -> Option<String> {
    let shown = match field.encoding {
        Encoding::U32 | Encoding::Signed(_) if field.padding > 0 => false,
        Encoding::U32 | Encoding::Signed(32 | 64) => field.bytes.0.iter().map(u8::to_string).eq([&*field.value]),
        _ => field.padding == 0,
    };
    let padding = if field.padding == 0 { String::new() } else { format!(", padded by {}", field.padding) };
    (!shown).then(|| format!("{} = {}{padding}", field.bytes, field.value))
}

/// The operands before and after.
fn stack(instruction: &str, ran: &Executed) -> Option<String> {
    let before = operands(ran.below_before, ran.before.as_ref()?);
    let after = match (&ran.after, &ran.trap) {
        (_, Some(trap)) => trap.clone(),
        (Some(after), _) => operands(ran.below_after, after),
        (None, _) if instruction.starts_with("call") => "does not return".into(),
        (None, _) => "leaves the function".into(),
    };
    Some(format!("{before} -> {after}"))
}

/// Operands, and of a deep stack how many lie below them.
fn operands(below: u32, top: &[Shown]) -> String {
    let top = values(top);
    if below == 0 { top } else { format!("[{below} below, {}", &top[1..]) }
}

fn values(values: &[Shown]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{}({})", value.r#type, value.value)).collect();
    format!("[{}]", values.join(" "))
}
