//! Owns telling what a model thought from what it answered, where both stand in one text.
//!
//! Must not know what an answer looks like, only where one may stand. Open models write their thoughts into the reply,
//! between markers; many chat templates open the thought themselves, so that the reply has the closing marker alone.
//! `export/grade.py` has the same table and rules, since it travels by itself; `tests/e2e/exports.sh` holds it against these.

use super::work;
use std::borrow::Cow;

/// How one family of models marks its thoughts.
struct Family {
    open: &'static str,
    close: &'static str,
    kind: Marking,
}

/// What the markers of a family are worth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marking {
    /// The closing marker ends any thought, one that nothing opened too.
    Alone,
    /// The closing marker ends what its own family opened: `<|end|>` ends any message.
    Own,
    /// Both are sentences that may occur in prose. The opening one counts at the start of a reply, the closing one
    /// after any such opening.
    Said,
}

const fn family(open: &'static str, close: &'static str) -> Family {
    Family { open, close, kind: Marking::Alone }
}

const fn own(open: &'static str, close: &'static str) -> Family {
    Family { open, close, kind: Marking::Own }
}

const fn said(open: &'static str, close: &'static str) -> Family {
    Family { open, close, kind: Marking::Said }
}

/// DeepSeek, Qwen, Granite 3.3, Phi and most others; Claude's habit; EXAONE Deep; Magistral; Seed-OSS; LongCat; Kimi;
/// OpenThinker; Command A; Gemma; MedGemma; habits that prompts taught; two more spellings; gpt-oss (harmony, whose answers
/// follow `final`); Granite 3.2. Where one marker begins another, the longer one stands first.
const FAMILIES: [Family; 25] = [
    family("<think>", "</think>"),
    family("<thinking>", "</thinking>"),
    family("<thought>", "</thought>"),
    family("<reasoning>", "</reasoning>"),
    family("[THINK]", "[/THINK]"),
    family("<seed:think>", "</seed:think>"),
    family("<longcat_think>", "</longcat_think>"),
    family("\u{25c1}think\u{25b7}", "\u{25c1}/think\u{25b7}"),
    family("<|begin_of_thought|>", "<|end_of_thought|>"),
    family("<|START_THINKING|>", "<|END_THINKING|>"),
    family("<|channel>thought", "<channel|>"),
    family("<unused94>thought", "<unused95>"),
    family("<unused94>", "<unused95>"),
    family("<scratchpad>", "</scratchpad>"),
    family("<analysis>", "</analysis>"),
    family("<reflection>", "</reflection>"),
    family("<think_start>", "<think_end>"),
    family("<|think_start|>", "<|think_end|>"),
    own("<|channel|>analysis<|message|>", "<|end|>"),
    own("<|channel|>commentary<|message|>", "<|end|>"),
    family("", "<|channel|>final<|message|>"),
    family("", "<|channel|>final <|constrain|>json<|message|>"),
    said("Here is my thought process:", "Here is my response:"),
    said("Here's my thought process:", "Here's my response:"),
    said("Here\u{2019}s my thought process:", "Here\u{2019}s my response:"),
];

impl Family {
    /// Whether this closing marker ends a thought that `opened` began, inside of which those families were opened.
    fn ends(&self, opened: &Family, inside: &[&str]) -> bool {
        match self.kind {
            _ if self.close == opened.close => true,
            Marking::Alone => !inside.contains(&self.close),
            Marking::Own => false,
            Marking::Said => opened.kind == Marking::Said,
        }
    }
}

/// A reply, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// The answer: all but the thoughts. The opening marker of a thought that was never closed stays, so that
    /// the rest is never taken for a finished reply.
    pub answer: Cow<'a, str>,
    /// What was thought, without its markers; empty if nothing was.
    pub thought: String,
    /// Whether a thought was opened and never closed: the reply was cut off, whatever the provider says of its end.
    pub is_open: bool,
}

/// Takes a reply apart, in time that is linear in its length.
///
/// A thought runs from an opening marker to the next closing one; one that was opened inside of it does not end it. A
/// closing marker that nothing opened makes a thought of all before it. A marker in quotes is mentioned, not used; so is
/// one in the middle of a line that has an answer before it and none behind.
pub fn told(reply: &str) -> Told<'_> {
    let (mut answers, mut thoughts, mut from) = (Vec::new(), Vec::new(), 0);
    let mut open: Option<&Mark> = None;
    // The closing markers of what was opened inside of the open thought.
    let mut inside: Vec<&str> = Vec::new();
    let (marks, places) = (marks(reply), Places::of(reply));
    for mark in marks.iter().filter(|mark| !is_quoted(reply, mark)) {
        match (open, mark.opens) {
            (None, true) if !places.mention(reply, mark) => {
                answers.push(from..mark.at);
                (open, from) = (Some(mark), mark.end);
                inside.clear();
            }
            (Some(_), true) if !inside.contains(&mark.family.close) => inside.push(mark.family.close),
            (None, false) if mark.family.kind == Marking::Alone && !places.mention(reply, mark) => {
                answers.clear();
                thoughts.clear();
                thoughts.push(0..mark.at);
                from = mark.end;
            }
            (Some(opened), false) if mark.family.ends(opened.family, &inside) => {
                thoughts.push(from..mark.at);
                (open, from) = (None, mark.end);
            }
            _ => {}
        }
    }
    match open {
        Some(opened) => {
            thoughts.push(from..reply.len());
            answers.push(opened.at..opened.end);
        }
        None => answers.push(from..reply.len()),
    }
    let joined =
        |ranges: &[std::ops::Range<usize>]| ranges.iter().map(|range| &reply[range.clone()]).collect::<String>();
    let answer = if thoughts.is_empty() { Cow::Borrowed(reply) } else { Cow::Owned(joined(&answers)) };
    Told { answer, thought: joined(&thoughts), is_open: open.is_some() }
}

/// A marker in a reply.
struct Mark {
    at: usize,
    end: usize,
    family: &'static Family,
    opens: bool,
}

/// All markers that count, in order; case does not matter.
fn marks(reply: &str) -> Vec<Mark> {
    let starts_with = |at: usize, marker: &str| {
        let here = reply.as_bytes().get(at..at + marker.len());
        !marker.is_empty() && here.is_some_and(|here| here.eq_ignore_ascii_case(marker.as_bytes()))
    };
    work::sees(reply.len());
    let start = reply.len() - reply.trim_start().len();
    let mut marks: Vec<Mark> = Vec::new();
    for (at, _) in reply.match_indices(['<', '[', '\u{25c1}', 'H', 'h']) {
        if marks.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let both = FAMILIES.iter().flat_map(|family| [(family, family.open, true), (family, family.close, false)]);
        let counts = |family: &Family, opens: bool| !opens || family.kind != Marking::Said || at <= start;
        let found = both.into_iter().find(|(family, marker, opens)| starts_with(at, marker) && counts(family, *opens));
        marks.extend(found.map(|(family, marker, opens)| Mark { at, end: at + marker.len(), family, opens }));
    }
    marks
}

const QUOTES: [char; 5] = ['`', '"', '\'', '\u{201c}', '\u{201d}'];

fn is_quoted(reply: &str, mark: &Mark) -> bool {
    reply[..mark.at].ends_with(QUOTES) && reply[mark.end..].starts_with(QUOTES)
}

/// Where answers may stand.
struct Places {
    /// The end of the first thing that may be an answer.
    first: Option<usize>,
    /// The start of the last.
    last: Option<usize>,
}

impl Places {
    fn of(reply: &str) -> Self {
        Self {
            first: reply.find('}').or(reply.to_ascii_uppercase().find("</OUTPUT>")),
            last: reply.rfind(['{', '[', '<']),
        }
    }

    /// Whether a marker stands in a line of prose after the answer, as in "I closed my thoughts with </think> above".
    fn mention(&self, reply: &str, mark: &Mark) -> bool {
        let answered = self.first.is_some_and(|first| first < mark.at) && self.last.is_none_or(|last| last < mark.end);
        let before = reply[..mark.at].trim_end_matches([' ', '\t']);
        let after = reply[mark.end..].trim_start_matches([' ', '\t']);
        work::sees(mark.at - before.len() + reply.len() - mark.end - after.len());
        let (before, after) = (before.chars().next_back(), after.chars().next());
        let is_prose = |c: Option<char>| c.is_some_and(|c| !matches!(c, '\n' | '\r' | '>' | '}' | ']'));
        answered && is_prose(before) && is_prose(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_told_apart() {
        for family in FAMILIES.iter().filter(|family| !family.open.is_empty()) {
            let (open, close) = (family.open, family.close);
            let whole = format!("{open}why{close}\nso");
            let expected = Told { answer: "\nso".into(), thought: "why".into(), is_open: false };
            assert_eq!(told(&whole), expected, "{whole}");
            assert_eq!(told(&whole.to_uppercase()).thought, "WHY");
            let before = if family.kind == Marking::Said { "" } else { "so " };
            let cut = format!("{before}{open}why");
            let expected = Told { answer: format!("{before}{open}").into(), thought: "why".into(), is_open: true };
            assert_eq!(told(&cut), expected, "{cut}");
            assert!(told(&told(&cut).answer).is_open, "what is kept of it is read again as it was");
        }
        for family in FAMILIES.iter().filter(|family| family.kind == Marking::Alone) {
            let expected = Told { answer: "so".into(), thought: "why".into(), is_open: false };
            assert_eq!(told(&format!("why{}so", family.close)), expected);
        }
    }

    #[test]
    fn what_is_between_and_beside_thoughts_is_the_answer() {
        for (reply, answer, thought) in [
            ("a", "a", ""),
            ("", "", ""),
            ("<think></think>a", "a", ""),
            ("<think>b</think>a<think>c</think>d", "ad", "bc"),
            ("a\n<think>b</think>", "a\n", "b"),
            ("<thinking>b<think>c</think>d</thinking>a", "a", "b<think>c</think>d"),
            ("<thinking>b</think>a", "a", "b"),
            ("So: Here is my thought process: b", "So: Here is my thought process: b", ""),
            ("{1}\nHere is my response: {2}", "{1}\nHere is my response: {2}", ""),
            ("Here is my thought process: b\nHere's my response: a", " a", " b\n"),
            ("<think>I close with `</think>` later</think>a", "a", "I close with `</think>` later"),
            ("<|channel|>analysis<|message|>b<|end|><|start|>assistant<|channel|>final<|message|>a", "a", BOTH),
            ("{1} said by <|im_end|><|end|>", "{1} said by <|im_end|><|end|>", ""),
            ("{1}\nI thought between <think> tags, as asked.", "{1}\nI thought between <think> tags, as asked.", ""),
            ("{1} is it; </think> closed my thought.", "{1} is it; </think> closed my thought.", ""),
            ("{1} is it?\n</think>\nno", "\nno", "{1} is it?\n"),
            ("{\"note\": \"</think>\", \"a\": 1}", "{\"note\": \"</think>\", \"a\": 1}", ""),
        ] {
            let expected = Told { answer: answer.into(), thought: thought.into(), is_open: false };
            assert_eq!(told(reply), expected, "{reply}");
        }
    }

    const BOTH: &str = "<|channel|>analysis<|message|>b<|end|><|start|>assistant";
}
