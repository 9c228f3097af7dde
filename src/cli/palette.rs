//! Owns colour in a terminal: when there is any, and which verdict has which, as on the pages.
//!
//! Must not know where something is shown.

use crate::item::record::Verdict;
use std::io::IsTerminal;

/// Keeps a number and what it belongs to on one line until [`paint`] puts a space in its place.
pub(super) const GLUE: char = '\u{a0}';

/// Near the pages' colours, and read well on dark ground and on light: numbers of the 256 that terminals share.
const RIGHT: u8 = 36;
const WRONG: u8 = 166;
const OTHER: u8 = 136;

/// Whether standard output takes colours: https://no-color.org, and CLICOLOR_FORCE where no terminal is.
pub(super) fn is_colourful() -> bool {
    let says = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if says("NO_COLOR").is_some() {
        return false;
    }
    let forced = says("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    forced || (std::io::stdout().is_terminal() && says("TERM").is_none_or(|term| term != "dumb"))
}

fn colour(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Correct => RIGHT,
        Verdict::Wrong => WRONG,
        _ => OTHER,
    }
}

/// The name of a verdict for people.
fn name(verdict: Verdict) -> String {
    verdict.name().replace('_', &GLUE.to_string())
}

/// `correct 166, wrong 194`, of those that came, in this order.
pub(super) fn verdicts(counts: impl IntoIterator<Item = (Verdict, u64)>) -> String {
    let came = counts.into_iter().filter(|(_, count)| *count > 0);
    came.map(|(verdict, count)| format!("{}{GLUE}{count}", name(verdict))).collect::<Vec<_>>().join(", ")
}

/// The same, most frequent first; a dash where none came.
pub(super) fn verdicts_by_count(counts: impl IntoIterator<Item = (Verdict, u64)>) -> String {
    let mut counts: Vec<(Verdict, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Some(verdicts(counts)).filter(|text| !text.is_empty()).unwrap_or("-".into())
}

/// What is right, or what is wrong, in its colour.
pub(super) fn judged(text: &str, is_right: bool) -> String {
    if is_colourful() { in_colour(text, if is_right { RIGHT } else { WRONG }) } else { text.into() }
}

fn in_colour(text: &str, colour: u8) -> String {
    format!("\x1b[38;5;{colour}m{text}\x1b[39m")
}

/// Counted verdicts in their colours, if there are to be any, and plain spaces for glue.
pub(super) fn paint(text: &str, colourful: bool) -> String {
    let mut painted = text.to_owned();
    for verdict in Verdict::ALL.iter().filter(|_| colourful) {
        painted = counted(&painted, *verdict);
    }
    painted.replace(GLUE, " ")
}

/// One verdict with its counts in its colour.
fn counted(text: &str, verdict: Verdict) -> String {
    let (sign, mut painted, mut rest) = (name(verdict) + &GLUE.to_string(), String::new(), text);
    while let Some(at) = rest.find(&sign) {
        let digits = rest[at + sign.len()..].chars().take_while(char::is_ascii_digit).count();
        let end = at + sign.len() + digits;
        painted += &rest[..at];
        painted += &in_colour(&rest[at..end], colour(verdict));
        rest = &rest[end..];
    }
    painted + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_have_their_colours() {
        let text = verdicts([(Verdict::Correct, 166), (Verdict::Refusal, 0), (Verdict::ProviderError, 2)]);
        assert_eq!(paint(&text, false), "correct 166, provider error 2");
        let painted = "\x1b[38;5;36mcorrect 166\x1b[39m, \x1b[38;5;136mprovider error 2\x1b[39m";
        assert_eq!(paint(&text, true), painted);
        let counts = [(Verdict::Correct, 1), (Verdict::Wrong, 3)];
        assert_eq!(paint(&verdicts_by_count(counts), false), "wrong 3, correct 1");
        assert_eq!(verdicts_by_count([]), "-");
    }
}
