//! Owns finding the question in a conversation: the program, and what is asked about it.
//!
//! Must not know who answers. A reader sees what a model sees, so all is taken from the text: which answer it asks for,
//! and the last module in it that this can be asked about, wherever a prompt puts it and whatever stands around it.

use crate::item::message::{Message, Role};
use crate::item::record::{Looks, Shape, Task};
use crate::item::task::{FLAG, INSPECT};
use crate::wasm::parse::{Marked, ParseError, parse_text};
use crate::wasm::program::{Extern, Place, Program};

/// What is asked.
#[derive(Debug)]
pub(crate) struct FoundQuestion {
    pub(crate) program: Program,
    /// The function that is run.
    pub(crate) entry: u32,
    pub(crate) wanted: Wanted,
}

/// What is to be found out about a program.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// The operands at a place, when it is reached for the `hit`-th time, from 1.
    Operands { place: Place, hit: u32 },
    /// Whether each of these places is passed, by the names of their flags.
    Flags(Vec<(String, Place)>),
    /// What the whole run comes to, of what this task asks.
    End(Task),
}

/// There is nothing in a conversation that a solver can answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// No module at all.
    #[error("there is no WebAssembly module in the messages; put the text format, `(module ...)`, into one of them")]
    NoModule,
    /// A module that nothing is asked about.
    #[error(
        "no line of the module has the comment `;;{INSPECT}`; put it where the operand stack is asked for, put \
         `;;{FLAG}0` where reaching is, or ask for `return_values` or `fuel`"
    )]
    NoProbe,
    /// The module cannot be read.
    #[error("the module cannot be read: {0}")]
    Unreadable(String),
}

/// Modules that are tried, from the end; bounds the work on a text that says little else.
const MAX_MODULES: usize = 8;
/// Blocks in a module at most. Far above any real question.
const MAX_BLOCKS: usize = 2_000;

impl FoundQuestion {
    /// The last module that there is a question about, in the last message that has one.
    pub(crate) fn find(messages: &[Message]) -> Result<Self, Unanswerable> {
        let asking = || messages.iter().rev().filter(|message| message.role != Role::Assistant);
        let task = asking().find_map(|message| task_of(&message.content));
        let modules = asking().flat_map(|message| modules(&message.content)).take(MAX_MODULES);
        let mut problem = Unanswerable::NoModule;
        for module in modules {
            match Self::read(module, task) {
                Ok(question) => return Ok(question),
                // Of several problems, that of the last module in the text is the one to tell.
                Err(error) if problem == Unanswerable::NoModule => problem = error,
                Err(_) => {}
            }
        }
        Err(problem)
    }

    fn read(module: &str, task: Option<Task>) -> Result<Self, Unanswerable> {
        let unreadable = |error: ParseError| Unanswerable::Unreadable(error.to_string());
        let marked = module.contains(INSPECT) || module.contains(FLAG);
        if !marked && task.is_none_or(|task| task.looks() == Looks::Probes) {
            return Err(Unanswerable::NoProbe);
        }
        if ["block", "loop", "if"].iter().map(|op| module.matches(op).count()).sum::<usize>() > MAX_BLOCKS {
            return Err(Unanswerable::Unreadable(format!("it has more than {MAX_BLOCKS} blocks")));
        }
        let (program, marks) = parse_text(module, &[INSPECT, FLAG]).map_err(unreadable)?;
        let wanted = wanted(&program, &marks, task).ok_or(Unanswerable::NoProbe)?;
        // A module with another entry is asked about by its first exported function.
        let first = program.exports.iter().find(|export| export.kind == Extern::Func).map(|export| export.index);
        let entry = program.export("run").or(first).or(marks.first().map(|mark| mark.func)).unwrap_or(0);
        match program.funcs.is_empty() {
            true => Err(Unanswerable::Unreadable("it has no function".into())),
            false => Ok(Self { program, entry, wanted }),
        }
    }
}

/// The task whose answer a text asks for: that of the last key in quotes, as in `{"fuel": 17}`.
fn task_of(text: &str) -> Option<Task> {
    let last = |task: Task| Some((text.rfind(&format!("\"{}\"", task.key()))?, task));
    Task::ALL.iter().copied().filter_map(last).max().map(|(_, task)| task)
}

/// What is asked about a module with these comments. Where the text does not say, the comments do.
fn wanted(program: &Program, marks: &[Marked], task: Option<Task>) -> Option<Wanted> {
    let operands = || {
        let (mark, hit) = marks.iter().find_map(|mark| Some((mark, arrival(&mark.comment)?)))?;
        Some(Wanted::Operands { place: program.place(mark.func, mark.pc)?, hit })
    };
    let flags = || {
        let flag = |mark: &Marked| Some((flag_name(&mark.comment)?.to_owned(), program.place(mark.func, mark.pc)?));
        let flags: Vec<(String, Place)> = marks.iter().filter_map(flag).collect();
        (!flags.is_empty()).then_some(Wanted::Flags(flags))
    };
    match task {
        Some(task) if task.looks() == Looks::End => Some(Wanted::End(task)),
        Some(task) if task.shape() == Shape::Flags => flags(),
        Some(_) => operands(),
        None => operands().or_else(flags),
    }
}

/// Which arrival a comment means: `INSPECT` the first, `INSPECT hit 3` the third. What else stands there, as the truth
/// in an annotated program, is not for us. `None` if it is another comment.
fn arrival(comment: &str) -> Option<u32> {
    let mut words = comment.split_whitespace();
    if words.next() != Some(INSPECT) {
        return None;
    }
    let hit = words.next().filter(|&word| word == "hit").and_then(|_| words.next()?.parse().ok());
    Some(hit.unwrap_or(1).max(1))
}

/// The flag that a comment is, if it is one.
fn flag_name(comment: &str) -> Option<&str> {
    comment.split_whitespace().next().filter(|word| word.starts_with(FLAG))
}

/// The modules in a text, last first.
fn modules(text: &str) -> impl Iterator<Item = &str> {
    const OPEN: &str = "(module";
    let is_module = |at: usize| !text[at + OPEN.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let starts = text.rmatch_indices(OPEN).map(|(at, _)| at).filter(move |&at| is_module(at)).take(MAX_MODULES);
    starts.filter_map(|at| balanced(&text[at..]))
}

/// The text from its opening parenthesis to the one that closes it. Those in comments and strings do not count.
fn balanced(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b';', b';', ..] => at = end_of_line(bytes, at),
            [b'(', b';', ..] => at = end_of_block_comment(bytes, at),
            [b'"', ..] => at = end_of_string(bytes, at),
            [b'(', ..] => depth += 1,
            [b')', ..] if depth == 1 => return Some(&text[..=at]),
            [b')', ..] => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The last byte of a line.
fn end_of_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |length| at + length)
}

/// The last byte of a comment `(; ... ;)`; they nest.
fn end_of_block_comment(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0, start);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"(;" => depth += 1,
            b";)" if depth == 1 => return at + 1,
            b";)" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
    }
    bytes.len()
}

/// The closing quote of a string.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        modules(text).collect()
    }

    #[test]
    fn modules_are_found_whatever_stands_around_them() {
        assert_eq!(found("x (module) y (module $m (func)) z"), ["(module $m (func))", "(module)"]);
        assert_eq!(found("```wat\n(module ;; don't ) care (\n)\n```"), ["(module ;; don't ) care (\n)"]);
        assert_eq!(found("(module (; ) (; ( ;) \" ;) )!"), ["(module (; ) (; ( ;) \" ;) )"]);
        assert_eq!(found(r#"(module (export "a\")(" (func 0)))"#), [r#"(module (export "a\")(" (func 0)))"#]);
        assert_eq!(found("(modules) (module (func"), Vec::<&str>::new());
        assert_eq!(found("(module \"\\"), Vec::<&str>::new());
    }

    fn ask(parts: &[(Role, &str)]) -> Result<FoundQuestion, Unanswerable> {
        let messages: Vec<Message> =
            parts.iter().map(|&(role, text)| Message { role, content: text.to_owned() }).collect();
        FoundQuestion::find(&messages)
    }

    #[test]
    fn the_last_module_with_a_probe_is_asked_about() {
        let (first, last) = ("(module (func nop\n;;INSPECT\n))", "(module (func nop nop\n;; INSPECT hit 3 i32(1)\n))");
        let plain = "(module (func))";
        let question = ask(&[(Role::User, &format!("{first} then {last} and (module, so to say"))]).expect("found");
        assert!(matches!(question.wanted, Wanted::Operands { place: Place { index: 2, .. }, hit: 3 }), "{question:?}");
        let examples = [(Role::User, first), (Role::Assistant, last), (Role::User, plain)];
        let question = ask(&examples).expect("found");
        assert!(matches!(question.wanted, Wanted::Operands { place: Place { index: 1, .. }, hit: 1 }), "{question:?}");
    }

    #[test]
    fn the_answer_that_is_asked_for_says_what_the_question_is() {
        let module = "(module (func nop\n;;FLAG_1\n nop\n;;FLAG_0\n nop\n;;INSPECT\n))";
        let wanted = |text: &str| ask(&[(Role::System, text), (Role::User, module)]).expect("found").wanted;
        assert!(matches!(wanted("Answer {\"fuel\": 17}"), Wanted::End(Task::Fuel)));
        assert!(matches!(wanted("{\"fuel\": 17}? No: {\"return_values\": []}"), Wanted::End(Task::Result)));
        assert!(matches!(wanted("fuel, return_values"), Wanted::Operands { .. }), "not in quotes");
        assert!(matches!(wanted("{\"stack_values\": []}"), Wanted::Operands { .. }));
        match wanted("{\"flag_states\": {}}") {
            Wanted::Flags(flags) => {
                let flags: Vec<(&str, u32)> = flags.iter().map(|(name, place)| (name.as_str(), place.index)).collect();
                assert_eq!(flags, [("FLAG_1", 1), ("FLAG_0", 2)]);
            }
            other => panic!("{other:?}"),
        }
        let fuel = [(Role::User, "(module (func)) {\"fuel\": 1}"), (Role::Assistant, "{\"return_values\": []}")];
        assert!(matches!(ask(&fuel).expect("found").wanted, Wanted::End(Task::Fuel)));
    }

    #[test]
    fn run_is_the_entry_or_else_the_first_function_that_is_exported() {
        let run = "(module (func) (func nop\n;;INSPECT\n) (func) (export \"a\" (func 2)) (export \"run\" (func 1)))";
        assert_eq!(ask(&[(Role::User, run)]).expect("found").entry, 1);
        assert_eq!(ask(&[(Role::User, &run.replace("run", "b"))]).expect("found").entry, 2);
        // Fuzzing found this: what else is exported is no function.
        let other =
            run.replace("run", "b").replace("(export \"a\"", "(memory 1) (export \"m\" (memory 0)) (export \"a\"");
        assert_eq!(ask(&[(Role::User, &other)]).expect("found").entry, 2);
    }

    #[test]
    fn what_cannot_be_answered_says_why() {
        let refused = |text: &str| ask(&[(Role::User, text)]).expect_err("refused").to_string();
        assert!(refused("hello").contains("no WebAssembly module"));
        assert!(refused("(module (func))").contains(";;INSPECT"));
        assert!(refused("(module (func\n;;INSPECTED\n))").contains(";;INSPECT"));
        assert!(refused("(module (func\n;;INSPECT\n)) {\"flag_states\": {}}").contains(";;FLAG_0"));
        assert!(refused("(module) {\"fuel\": 1}").contains("no function"));
        assert!(refused("(module (func i32.ad ;;INSPECT\n))").contains("line 1, column 15: unknown operator"));
        let nested = format!("(module (func {} {} ;;INSPECT\n))", "block ".repeat(3000), "end ".repeat(3000));
        assert!(refused(&nested).contains("2000 blocks"));
        assert_eq!(ask(&[(Role::Assistant, "(module (func ;;INSPECT\n))")]).err(), Some(Unanswerable::NoModule));
    }
}
