//! Owns names and strings of the text format (spec 6.3.3, 6.3.5).
//!
//! Must not know what they name.

/// A string literal: what is printable stands as it is, the rest as escapes.
pub(super) fn literal(bytes: &[u8]) -> String {
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
        c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| hex(byte, text)),
    }
}

fn hex(byte: u8, text: &mut String) {
    text.push_str(&format!("\\{byte:02x}"));
}

/// A name behind `$`, in quotes where it is no plain identifier.
pub(super) fn identifier(name: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !"\"(),;[]{}".contains(c);
    if name.chars().all(plain) { format!("${name}") } else { format!("${}", literal(name.as_bytes())) }
}
