//! Owns `harness schema`: the language as data, for people and for programs.

use super::table::{Column, TextTable as Text, flow, prose};
use super::{Failure, print_json, print_line};
use crate::run::yaml::nearest;
use crate::wasm::isa::Op;
use crate::wasm::schema::{self, Form, Instruction, NOT_COVERED, NotCovered};
use serde::Serialize;

/// Print the instruction table, or the binary format section by section
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One instruction in detail: its name in the text format, such as call_indirect
    #[arg(value_name = "NAME", conflicts_with = "sections")]
    name: Option<String>,
    /// The sections of the binary format instead of the instructions
    #[arg(long)]
    sections: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listing {
    instructions: Vec<Instruction>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    not_covered: &'static [NotCovered],
}

impl Args {
    /// Prints.
    pub(super) fn run(&self) -> Result<(), Failure> {
        if self.sections {
            return if self.json { print_json(&schema::FORMAT) } else { print_sections() };
        }
        let Some(name) = &self.name else {
            let table = Listing { instructions: schema::instructions().collect(), not_covered: &NOT_COVERED };
            return if self.json { print_json(&table) } else { print_table(&table) };
        };
        let found = find(name).ok_or_else(|| Failure::usage(unknown(name)))?;
        if self.json {
            return print_json(&Listing { instructions: found, not_covered: &[] });
        }
        found.iter().try_for_each(print_detail)
    }
}

/// Every instruction of this name: there are two `select`s.
fn find(name: &str) -> Option<Vec<Instruction>> {
    let found: Vec<Instruction> = schema::instructions().filter(|instruction| instruction.name == name).collect();
    (!found.is_empty()).then_some(found)
}

fn unknown(name: &str) -> anyhow::Error {
    let hint = nearest(name, Op::ALL.iter().map(|op| op.mnemonic()));
    let hint = hint.map_or("`harness schema` lists all".into(), |near| format!("did you mean `{near}`?"));
    anyhow::anyhow!("no instruction is called `{name}`; {hint}")
}

fn print_table(table: &Listing) -> Result<(), Failure> {
    let mut text = Text::new([
        Column::text("opcode"),
        Column::text("instruction"),
        Column::text("signature"),
        Column::text("immediates").folding().rank(2),
        Column::text("category").rank(3),
        Column::text("proposal").rank(4),
        Column::text("traps").folding().rank(1),
    ]);
    for instruction in &table.instructions {
        let immediates: Vec<&str> = instruction.immediates.iter().map(|immediate| immediate.name).collect();
        text.row([
            &opcode(instruction),
            instruction.name,
            &instruction.signature.text,
            &immediates.join(", "),
            instruction.category,
            instruction.proposal,
            &instruction.traps.join(", "),
        ]);
    }
    print_line(&text.text())?;
    print_line("")?;
    print_line(&prose("t stands for a type that depends on the module: `harness schema NAME` says on what."))?;
    print_line("Not covered:")?;
    let left_out = |left: &NotCovered| words(&format!("  {}: ", left.proposal), left.instructions);
    table.not_covered.iter().try_for_each(left_out)
}

fn opcode(instruction: &Instruction) -> String {
    instruction.opcode.join(" ").replace("0x", "")
}

/// What stands behind a label, over several lines where the terminal is narrow.
fn words(label: &str, text: &str) -> Result<(), Failure> {
    print_line(flow(label, text.split(' '), " ").trim_end())
}

fn print_detail(instruction: &Instruction) -> Result<(), Failure> {
    let line = |label: &str, text: &str| words(&format!("{label:13} "), text);
    print_line(instruction.name)?;
    line("  opcode", &instruction.opcode.join(" "))?;
    for (at, field) in instruction.immediates.iter().enumerate() {
        let label = if at == 0 { "  followed by" } else { "" };
        line(label, &format!("{} ({}): {}", field.name, field.encoding, field.meaning))?;
    }
    line("  signature", &instruction.signature.text)?;
    if let Some(depends_on) = instruction.signature.depends_on {
        line("  depends on", depends_on)?;
    }
    line("  traps", &if instruction.traps.is_empty() { "never".into() } else { instruction.traps.join(", ") })?;
    let per = instruction.fuel.and_per.map_or(String::new(), |per| format!(", and 1 for each {per}"));
    line("  fuel", &format!("{}{per}", instruction.fuel.base))?;
    line("  category", instruction.category)?;
    line("  class", instruction.class.unwrap_or("none"))?;
    line("  proposal", instruction.proposal)
}

fn print_sections() -> Result<(), Failure> {
    let format = schema::FORMAT;
    let forms = |title: &str, forms: &[Form]| {
        print_line(title)?;
        forms.iter().try_for_each(|form| {
            let mut ways = form.forms.iter();
            let first = ways.next().unwrap_or(&"");
            words(&format!("  {:12} {first:44} ", form.name), form.about)?;
            ways.try_for_each(|way| print_line(&format!("  {:10} | {way}", "")))
        })
    };
    forms("A module begins with", format.header)?;
    forms("and goes on with sections, each of which begins with", format.section)?;
    print_line("Sections, in the order in which they must stand; each may be left out")?;
    for section in format.sections {
        words(&format!("  {:2} {:11} {:15} ", section.id, section.name, section.content), section.about)?;
    }
    forms("Forms", format.forms)?;
    forms("Custom sections", format.custom)
}
