//! Owns a lenient reader of JSON as models write it: trailing commas, comments, bare words, single and typographic quotes,
//! missing ends.
//!
//! Must not know what the data means, but for the flags, whose names begin like a comment. Numbers stay text, so that
//! nothing is rounded before its type is known.

use super::work;

/// What models write for JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// A quoted string, unescaped.
    Text(String),
    /// Anything bare: numbers, `null`, `true`, `nan`, `i32(10)`.
    Word(String),
    /// A list.
    List(Vec<Json>),
    /// An object; keys in order, doubles kept.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// The last value under this key, if this is an object that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        let Self::Map(entries) = self else { return None };
        entries.iter().rev().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }
}

/// How comments begin and end.
const COMMENTS: [(&str, &str); 4] = [("//", "\n"), ("/*", "*/"), ("#", "\n"), (";;", "\n")];

/// Whether here stands a flag as programs write it, `;;FLAG_0`, which is no comment.
fn is_marked_name(text: &str) -> bool {
    let name = text.strip_prefix(";;").map(|text| text.trim_start_matches(' '));
    name.and_then(|name| name.get(..5)).is_some_and(|start| start.eq_ignore_ascii_case("flag_"))
}

/// What ends a text that is begun with this quote; `None` if it is no quote. Word processors make pairs of quotes, and
/// now and then only one of the two.
fn closing(quote: char) -> Option<&'static [char]> {
    match quote {
        '"' => Some(&['"']),
        '\'' => Some(&['\'']),
        '\u{201c}'..='\u{201f}' => Some(&['\u{201d}', '\u{201c}', '"']),
        '\u{2018}'..='\u{201b}' => Some(&['\u{2019}', '\u{2018}', '\'']),
        '\u{ab}' => Some(&['\u{bb}']),
        _ => None,
    }
}

/// Deepest nesting that is followed; answers need three levels.
const MAX_DEPTH: u32 = 16;

/// Reads one value from the start of the text; whatever follows it is ignored.
pub(super) fn value(text: &str) -> Option<Json> {
    Scanner { rest: text }.value(0)
}

/// Reads the text as one value, with nothing after it.
pub(super) fn whole(text: &str) -> Option<Json> {
    let mut scanner = Scanner { rest: text };
    let value = scanner.value(0)?;
    scanner.peek().is_none().then_some(value)
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn value(&mut self, depth: u32) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            '{' => self.map(depth),
            '[' => self.list(depth),
            quote if closing(quote).is_some() => self.string().map(Json::Text),
            _ => self.word().map(Json::Word),
        }
    }

    fn list(&mut self, depth: u32) -> Option<Json> {
        self.skip(1);
        let mut items = Vec::new();
        loop {
            match self.peek()? {
                ']' => {
                    self.skip(1);
                    return Some(Json::List(items));
                }
                ',' => self.skip(1),
                _ => items.push(self.value(depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: u32) -> Option<Json> {
        self.skip(1);
        let mut entries = Vec::new();
        loop {
            match self.peek()? {
                '}' => {
                    self.skip(1);
                    return Some(Json::Map(entries));
                }
                ',' => self.skip(1),
                quote => {
                    let key = if closing(quote).is_some() { self.string()? } else { self.key()? };
                    if self.peek()? != ':' {
                        return None;
                    }
                    self.skip(1);
                    entries.push((key, self.value(depth + 1)?));
                }
            }
        }
    }

    /// A quoted string; an escape that JSON does not know stands for itself.
    fn string(&mut self) -> Option<String> {
        let mut chars = self.rest.char_indices();
        let ends = closing(chars.next()?.1)?;
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            work::sees(c.len_utf8());
            match c {
                _ if ends.contains(&c) => {
                    self.rest = &self.rest[at + c.len_utf8()..];
                    return Some(text);
                }
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'u' => {
                        let code = (0..4).try_fold(0, |code, _| Some(code * 16 + chars.next()?.1.to_digit(16)?))?;
                        text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    other => text.push(other),
                },
                _ => text.push(c),
            }
        }
        None
    }

    fn key(&mut self) -> Option<String> {
        self.until(|c| c == ':' || c.is_whitespace() || matches!(c, ',' | '{' | '}' | '[' | ']'))
    }

    fn word(&mut self) -> Option<String> {
        self.until(|c| matches!(c, ',' | '{' | '}' | '[' | ']' | '"' | '\n'))
    }

    /// The text up to such a character, or up to a comment.
    fn until(&mut self, stop: fn(char) -> bool) -> Option<String> {
        let marks = if is_marked_name(self.rest) { 2 } else { 0 };
        let after = &self.rest[marks..];
        // No further than to the end: a comment that is looked for beyond it would be looked for again behind it.
        let is_comment = |at: usize| COMMENTS.iter().any(|(open, _)| after[at..].starts_with(open));
        let end = after.char_indices().find(|&(at, c)| stop(c) || is_comment(at)).map_or(after.len(), |(at, _)| at);
        let (word, rest) = self.rest.split_at(marks + end);
        work::sees(word.len());
        self.rest = rest;
        let word = word.trim();
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// The next character that is neither white space nor in a comment; moves up to it.
    fn peek(&mut self) -> Option<char> {
        loop {
            let trimmed = self.rest.trim_start();
            work::sees(self.rest.len() - trimmed.len());
            self.rest = trimmed;
            if is_marked_name(self.rest) {
                return Some(';');
            }
            let comment = COMMENTS.iter().find_map(|(open, close)| Some((self.rest.strip_prefix(open)?, *close)));
            let Some((inside, close)) = comment else { return self.rest.chars().next() };
            // One without an end takes all that follows.
            let after = inside.split_once(close).map_or("", |(_, after)| after);
            work::sees(inside.len() - after.len());
            self.rest = after;
        }
    }

    /// Passes over so many ASCII characters.
    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Json {
        Json::Word(text.into())
    }

    #[test]
    fn forgives_what_models_write() {
        assert_eq!(value("[1, -2.5e3, nan,]"), Some(Json::List(vec![word("1"), word("-2.5e3"), word("nan")])));
        assert_eq!(value(r#"{a: 'x', "b": [],} trailing"#).expect("reads").get("B"), Some(&Json::List(vec![])));
        assert_eq!(value(r#""a\"\u0041\q\n""#), Some(Json::Text("a\"Aq\n".into())));
        assert_eq!(value(r#"{"k": 1, "k": 2}"#).expect("reads").get("k"), Some(&word("2")));
        let commented = "[ // a [list], {really}\n1 /* one */, # two\n2// last\n]";
        assert_eq!(value(commented), Some(Json::List(vec![word("1"), word("2")])));
        assert_eq!(value("[ ;; a [list]\n1 ;; one\n, 2;;two\n]"), Some(Json::List(vec![word("1"), word("2")])));
        let named = "{ ;; both\n;;FLAG_0: 1, ;;flag_1 : 0 ;; no\n}";
        let entries = vec![(";;FLAG_0".to_owned(), word("1")), (";;flag_1".to_owned(), word("0"))];
        assert_eq!(value(named), Some(Json::Map(entries)));
        let typographic = "{\u{201c}a\u{201d}: \u{2018}x\u{2019}, \u{201e}b\u{201c}: \u{ab}y\u{bb}}";
        let text = |text: &str| Json::Text(text.into());
        let entries = vec![("a".to_owned(), text("x")), ("b".to_owned(), text("y"))];
        assert_eq!(value(typographic), Some(Json::Map(entries)));
    }

    #[test]
    fn gives_up_on_what_has_no_end() {
        for text in [
            "", "[", "[1", "{\"a\"", "{\"a\":", "\"abc", "\"\\", "\"\\u12", "{1}", "]", "{[:1}", "[1 // ]", "/* [1]",
            "[1 ;; ]",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
        assert_eq!(value(&"[".repeat(100_000)), None);
    }
}
