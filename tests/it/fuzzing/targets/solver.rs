//! Owns the target of the simulated solvers: whatever a conversation says and whatever a solver misreads, it replies or says why
//! not; and what the solver replies that makes no mistake is the truth.

use super::inspect::ends;
use super::{AtHand, rest, smith};
use arbitrary::Unstructured;
use wasmweaver::ask::chat::{ChatReply, Message, Role};
use wasmweaver::ask::judge::judge;
use wasmweaver::item::inspect::{Report, Source, Told, Wish, inspect};
use wasmweaver::item::record::{Truth, Verdict};
use wasmweaver::solver::Solver;
use wasmweaver::solver::misconception::{Misconceptions, TABLE};
use wasmweaver::wasm::parse::{parse_binary, parse_text};
use wasmweaver::wasm::print::print;
use wasmweaver::wasm::program::Extern;
use wasmweaver::wasm::types::Value;

const FUEL: u64 = 20_000;

pub(super) fn solver(bytes: &mut Unstructured<'_>, at_hand: &mut AtHand) -> arbitrary::Result<bool> {
    let solver = any_solver(bytes)?;
    let key = *bytes.choose(&["stack_values", "return_values", "flag_states", "fuel"])?;
    let place: u16 = bytes.arbitrary()?;
    let is_module = bytes.ratio(3, 4)?;
    let text = if is_module {
        let Ok(program) = parse_binary(&smith::module(bytes)?) else { return Ok(false) };
        marked(&print(&program, &[]), place.into())
    } else {
        format!("(module {})", String::from_utf8_lossy(rest(bytes)?))
    };
    at_hand.rest.text = Some(text.clone());
    let ask = |content: String| [Message { role: Role::User, content }];
    let question = ask(format!("What is \"{key}\" of\n```\n{text}\n```\n?"));
    // Whatever it is asked, it answers or says why not.
    let replied = solver.reply(&question, Some(place.into()));
    assert_eq!(replied.is_ok(), Solver::ORACLE.reply(&question, None).is_ok(), "what it misreads is no matter here");
    if key == "stack_values" || key == "return_values" {
        return Ok(oracle_says_truth(&text, &question, key == "stack_values"));
    }
    Ok(false)
}

/// Whether there is an answer that our machine and wasmtime agree on; the oracle must give it then.
fn oracle_says_truth(text: &str, question: &[Message], is_stack: bool) -> bool {
    let Some(invoke) = entry(text) else { return false };
    let wish = Wish { invoke, args: Vec::new(), hit: None, fuel: FUEL, strict: false };
    let Ok(report) = inspect(Source::Text(text), &wish) else { return false };
    let Some(truth) = truth(&report, is_stack) else { return false };
    let Ok(reply) = Solver::ORACLE.reply(question, None) else { return false };
    let judged = judge(&ChatReply::text(reply.as_str()), &truth);
    assert_eq!(judged.verdict, Verdict::Correct, "{reply}\nis not {truth:?}");
    true
}

/// The function that a question is about: `run`, or else the first that is exported. What runs before it a prompt never has.
fn entry(text: &str) -> Option<String> {
    let program = parse_text(text, &[]).ok()?.0;
    let mut funcs = program.exports.iter().filter(|export| export.kind == Extern::Func);
    let entry = funcs.clone().find(|export| export.name == "run").or(funcs.next())?;
    let args: Vec<Value> = program.func_type(entry.index).params.iter().map(|&ty| Value::zero(ty)).collect();
    let is_asked = program.start.is_none() && ends(&program, entry.index, &args, FUEL);
    is_asked.then(|| entry.name.clone())
}

fn truth(report: &Report, is_stack: bool) -> Option<Truth> {
    if !report.confirmed || report.trap.is_some() || report.nondeterministic.is_some() {
        return None;
    }
    let told = if is_stack { &report.stack_values } else { &report.return_values };
    let value = |told: &Told| Value::parse(told.r#type, &told.value);
    let values: Vec<Value> = told.as_ref()?.iter().map(value).collect::<Option<_>>()?;
    // Names of functions are those of the text.
    let is_plain = values.iter().all(|value| !value.ty.is_ref() || value.bits == 0);
    let truth = if is_stack { Truth::StackValues(values) } else { Truth::ReturnValues(values) };
    is_plain.then_some(truth)
}

fn any_solver(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Solver> {
    let mut misconceptions = Misconceptions::NONE;
    for _ in 0..bytes.int_in_range(0..=3)? {
        let one = bytes.choose(&TABLE)?.misconception;
        let counted = Misconceptions::counted(one, bytes.int_in_range(1..=9)?);
        misconceptions = misconceptions.union(counted.unwrap_or(Misconceptions::of(&[one])));
    }
    Ok(Solver { misconceptions, noise: if bytes.ratio(1, 4)? { 1.0 } else { 0.0 } })
}

/// The text with probe comments behind two of its lines.
fn marked(text: &str, place: usize) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let count = lines.len();
    for (at, comment) in [(place % count, ";;INSPECT"), (place / 7 % count, ";;FLAG_0")] {
        lines[at].push_str(&format!(" {comment}"));
    }
    lines.join("\n")
}
