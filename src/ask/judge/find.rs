//! Owns finding where in a reply the answer stands.
//!
//! Must not know what it says: each task has a [`Form`] that reads it.

use super::scan::{self, Json};
use super::work;

/// How the answers to a task are written.
pub(super) struct Form<T> {
    /// The key of the object that holds an answer.
    pub(super) key: &'static str,
    /// Reads what stands under the key.
    pub(super) keyed: fn(&Json) -> Option<T>,
    /// Reads JSON that stands alone, without the key.
    pub(super) bare: fn(&Json) -> Option<T>,
    /// Reads the text between the tags where that is no JSON.
    pub(super) plain: fn(&str) -> Option<T>,
}

impl<T> Form<T> {
    /// The answer in a reply; `None` if there is none that can be read whole.
    pub(super) fn find(&self, reply: &str) -> Option<T> {
        let tags: Vec<Tag> = tags(reply).into_iter().filter(|tag| !tag.is_mention).collect();
        let last_open = tags.iter().rfind(|tag| tag.opens).map(|tag| tag.at + OPEN.len());
        let Some(close) = tags.iter().rfind(|tag| !tag.opens).map(|tag| tag.at) else {
            // Only the closing tag is forgiven: what stands before the opening one is a draft.
            return self.outside_block(&reply[last_open.unwrap_or(0)..]);
        };
        match last_open {
            // A new answer was begun after the last one and never ended.
            Some(open) if open > close => None,
            Some(open) => self.in_block(&reply[open..close]),
            None => self.outside_block(reply),
        }
    }

    fn in_block(&self, block: &str) -> Option<T> {
        self.outside_block(block).or_else(|| (self.plain)(unfenced(block)))
    }

    fn outside_block(&self, text: &str) -> Option<T> {
        let plainly = |text: &str| self.whole(text).or_else(|| self.last_object(text));
        let unescaped = |escapes: &[(&str, &str)]| {
            let text = escapes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
            plainly(&text)
        };
        plainly(text)
            .or_else(|| text.contains("\\\"").then(|| unescaped(&QUOTED_AGAIN)).flatten())
            .or_else(|| text.contains('&').then(|| unescaped(&ENTITIES)).flatten())
    }

    /// The text as a whole, if it is an object with the key, or the answer alone; with anything after it, that may be a
    /// step on the way rather than the answer.
    fn whole(&self, text: &str) -> Option<T> {
        let text = unfenced(text);
        let json = text.starts_with(['{', '[']).then(|| scan::whole(text)).flatten()?;
        match json.get(self.key) {
            Some(answer) => (self.keyed)(answer),
            None => (self.bare)(&json),
        }
    }

    /// The object with the last key in it. One that cannot be read gives no way to those before it, which are drafts.
    fn last_object(&self, text: &str) -> Option<T> {
        let open = last_object_with(text, self.key)?;
        (self.keyed)(scan::value(&text[open..])?.get(self.key)?)
    }
}

/// JSON that was quoted once more, as in `{\"fuel\":17}`.
const QUOTED_AGAIN: [(&str, &str); 2] = [("\\\"", "\""), ("\\n", "\n")];
/// JSON that was escaped for HTML, as in `{&quot;fuel&quot;:17}`.
const ENTITIES: [(&str, &str); 6] =
    [("&quot;", "\""), ("&#34;", "\""), ("&#x22;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&#x27;", "'")];

const OPEN: &str = "<OUTPUT>";
const CLOSE: &str = "</OUTPUT>";

/// A tag of an answer.
struct Tag {
    at: usize,
    opens: bool,
    /// Whether it is spoken of rather than used.
    is_mention: bool,
}

/// All tags in a reply, in order; case does not matter.
fn tags(reply: &str) -> Vec<Tag> {
    work::sees(reply.len());
    // Upper-casing ASCII alone keeps every byte offset.
    let upper = reply.to_ascii_uppercase();
    let tag = |at: usize| {
        let opens = upper[at..].starts_with(OPEN);
        (opens || upper[at..].starts_with(CLOSE)).then(|| Tag { at, opens, is_mention: is_mention(&upper, at, opens) })
    };
    let mut tags: Vec<Tag> = upper.match_indices('<').filter_map(|(at, _)| tag(at)).collect();
    for at in 1..tags.len() {
        let (open, close) = (&tags[at - 1], &tags[at]);
        if open.opens && !close.opens && is_spoken_pair(&upper, open.at, close.at) {
            (tags[at - 1].is_mention, tags[at].is_mention) = (true, true);
        }
    }
    tags
}

const QUOTES: [char; 3] = ['`', '"', '\''];

/// Whether a tag stands in quotes, or is called a tag.
fn is_mention(upper: &str, at: usize, opens: bool) -> bool {
    let after = &upper[at + if opens { OPEN.len() } else { CLOSE.len() }..];
    let is_quoted = upper[..at].ends_with(QUOTES) && after.starts_with(QUOTES);
    is_quoted || (is_in_prose(upper, at) && after.starts_with(" TAG"))
}

/// Whether two tags are spoken of together: "between <OUTPUT> and </OUTPUT>", "<OUTPUT>...</OUTPUT>". In quotes, nothing
/// or `{"fuel": ...}` may stand in between.
fn is_spoken_pair(upper: &str, open: usize, close: usize) -> bool {
    work::sees(close - open);
    let between = upper[open + OPEN.len()..close].trim();
    let is_quoted = upper[..open].ends_with(QUOTES) && upper[close + CLOSE.len()..].starts_with(QUOTES);
    let is_short = || between.is_empty() || (is_cut_short(between) && !between.contains(|c: char| c.is_ascii_digit()));
    (is_in_prose(upper, open) && matches!(between, "AND" | "OR"))
        || is_placeholder(between)
        || (is_quoted && is_short())
}

fn is_cut_short(text: &str) -> bool {
    text.contains("...") || text.contains('\u{2026}')
}

/// Whether this only holds the place of an answer: dots, or words that name one, as in `{...}` and `[your answer]`.
fn is_placeholder(upper: &str) -> bool {
    const NAMES: [&str; 8] = ["YOUR", "THE", "MY", "FINAL", "JSON", "ANSWER", "OBJECT", "HERE"];
    let text = upper.trim_matches(|c: char| c.is_whitespace() || "{}[]()<>\"'`".contains(c));
    let is_dots = text.chars().all(|c| matches!(c, '.' | '\u{2026}'));
    !text.is_empty() && (is_dots || text.split(' ').all(|word| NAMES.contains(&word)))
}

/// Whether a word stands before this place on its line.
fn is_in_prose(upper: &str, at: usize) -> bool {
    let before = upper[..at].trim_end_matches(' ');
    work::sees(at - before.len());
    let before = before.chars().next_back();
    before.is_some_and(|c| c.is_ascii_uppercase() || c == ',')
}

/// Where the innermost object starts that holds the last such word within any object. Prose has none around it.
fn last_object_with(text: &str, word: &str) -> Option<usize> {
    work::sees(text.len());
    let mut words = text.match_indices(word).map(|(at, _)| at).peekable();
    let (mut open, mut found) = (Vec::new(), None);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open.push(at),
            b'}' => drop(open.pop()),
            _ => {}
        }
        if words.next_if_eq(&at).is_some() {
            found = open.last().copied().or(found);
        }
    }
    found
}

/// The text without the Markdown fence around it, of which either end may be missing.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_suffix("```").unwrap_or(text).trim_end();
    let Some(inner) = text.strip_prefix("```") else { return text };
    // The rest of the fence's line names the language.
    let start = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    inner[start..].trim()
}
