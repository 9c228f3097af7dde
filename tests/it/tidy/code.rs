//! Owns telling code from comments and text.
//!
//! Must not know the rules. A rule about code must not stumble over a word in a comment or a string.

/// The text with comments, strings and characters blanked out; lines stay where they are.
pub(super) fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let blank = blanked(rest, code.chars().next_back());
        if blank == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..blank].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[blank..];
        }
    }
    code
}

/// The code without what is compiled for tests alone; lines stay where they are.
pub(super) fn without_tests(code: &str) -> String {
    const TESTS: &str = "#[cfg(test)]";
    let mut left = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(TESTS) {
        left.push_str(&rest[..at]);
        let item = item_len(&rest[at + TESTS.len()..]);
        let (tests, after) = rest[at..].split_at(TESTS.len() + item);
        left.extend(tests.chars().filter(|&c| c == '\n'));
        rest = after;
    }
    left + rest
}

/// Length of the first item: to its `;`, or to the end of its block.
fn item_len(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            // `use a::{b};` goes on behind its block.
            '}' if depth == 1 => return at + 1 + usize::from(code[at + 1..].starts_with(';')),
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Length in bytes of the comment, string or character that the text starts with; 0 if it starts with code.
fn blanked(text: &str, before: Option<char>) -> usize {
    let within_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if text.starts_with("//") {
        text.find('\n').unwrap_or(text.len())
    } else if text.starts_with("/*") {
        text.find("*/").map_or(text.len(), |end| end + 2)
    } else if let Some(quote) = text.strip_prefix('"') {
        1 + quoted(quote, '"')
    } else if text.starts_with("'") {
        character(text)
    } else if text.starts_with("r\"") || text.starts_with("r#") || text.starts_with("br") {
        if within_word { 0 } else { raw_string(text) }
    } else {
        0
    }
}

/// Length of a quoted text after its opening quote, the closing one included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Length of `'x'` or `'\n'`; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut inner = text[1..].chars();
    match (inner.next(), inner.next()) {
        (Some('\\'), _) => 1 + quoted(&text[1..], '\''),
        (Some(c), Some('\'')) => 1 + c.len_utf8() + 1,
        _ => 0,
    }
}

/// Length of `r#"..."#`, with any number of `#`; 0 for a raw name.
fn raw_string(text: &str) -> usize {
    let after_r = text.find('r').map_or(0, |at| at + 1);
    let hashes = text[after_r..].bytes().take_while(|&b| b == b'#').count();
    let open = after_r + hashes;
    if !text[open..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    text[open + 1..].find(&close).map_or(text.len(), |end| open + 1 + end + close.len())
}

#[test]
fn only_code_is_left() {
    let text = "a // \"b\"\n\"c\\\"d\" e 'f' '\\'' <'g> r#\"h\"i\"# /* j\n */ k r#type var\"l\" 'é' m";
    let words: Vec<String> = code_only(text).split_whitespace().map(String::from).collect();
    assert_eq!(words, ["a", "e", "<'g>", "k", "r#type", "var", "m"]);
    assert_eq!(code_only(text).matches('\n').count(), text.matches('\n').count());
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod b;\nc"), "a\n\n\nc");
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod b {\n{}\n}\nc #[cfg(test)] use {d};e"), "a\n\n\n\n\nc e");
}
