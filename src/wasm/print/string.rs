//! Owns names and strings of the text format (spec 6.3.3, 6.3.5), and what of a stranger's text a terminal may see.
//!
//! Must not know what they name.

/// A string literal: what is printable stands as it is, the rest as escapes.
pub(in crate::wasm) fn literal(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| escape(c, &mut text));
        chunk.invalid().iter().for_each(|byte| hex(*byte, &mut text));
    }
    text.push('"');
    text
}

fn escape(c: char, text: &mut String) {
    match c {
        '"' | '\\' => text.extend(['\\', c]),
        ' '..='~' => text.push(c),
        // Letters of other scripts stay; invisible and reordering characters would hide what is there.
        c if c.is_alphanumeric() => text.push(c),
        c => escape_bytes(c, text),
    }
}

fn escape_bytes(c: char, text: &mut String) {
    c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| hex(byte, text));
}

fn hex(byte: u8, text: &mut String) {
    text.push_str(&format!("\\{byte:02x}"));
}

/// A name behind `$`, in quotes where it is no plain identifier.
pub(super) fn identifier(name: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !"\"(),;[]{}".contains(c);
    if name.chars().all(plain) { format!("${name}") } else { format!("${}", literal(name.as_bytes())) }
}

/// A text that quotes what a stranger wrote, in one line and without anything that a terminal would carry out or that
/// hides what is there: such characters stand as in a string literal.
pub fn printable(text: &str) -> String {
    shown(text, is_hidden)
}

/// [`printable`] of a text of several lines.
pub fn printable_lines(text: &str) -> String {
    shown(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

fn shown(text: &str, hidden: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| if hidden(c) { escape_bytes(c, &mut shown) } else { shown.push(c) });
    shown
}

/// Controls, and what is invisible or changes the direction of what follows.
fn is_hidden(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    invisible || c.is_control()
}
