//! Owns reading `multipart/form-data`, in which clients upload files.
//!
//! Must not know what the parts are for. A file is large, so a part is a range of the body, not a copy.

use std::ops::Range;

/// One part of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The field's name.
    pub(super) name: String,
    /// The file's, if it is one.
    pub(super) file_name: Option<String>,
    /// Where its content stands in the body.
    pub(super) content: Range<usize>,
}

/// The parts of a body with this content type.
pub(super) fn parts(content_type: &str, body: &[u8]) -> Result<Vec<Part>, &'static str> {
    let boundary = parameter(content_type, "boundary").filter(|_| content_type.starts_with("multipart/form-data"));
    let delimiter = format!("--{}", boundary.ok_or("the body must be multipart/form-data with a boundary")?);
    let mut at = find(body, delimiter.as_bytes(), 0).ok_or("the form has no part")? + delimiter.len();
    let (mut parts, delimiter) = (Vec::new(), format!("\r\n{delimiter}"));
    while !body[at..].starts_with(b"--") {
        let start = find(body, b"\r\n\r\n", at).ok_or("a part of the form has no head")? + 4;
        let end = find(body, delimiter.as_bytes(), start).ok_or("a part of the form has no end")?;
        let head = String::from_utf8_lossy(&body[at..start]).into_owned();
        let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"));
        let disposition = disposition.ok_or("a part of the form has no name")?;
        let name = parameter(disposition, "name").ok_or("a part of the form has no name")?;
        parts.push(Part { name, file_name: parameter(disposition, "filename"), content: start..end });
        at = end + delimiter.len();
    }
    Ok(parts)
}

/// The value behind `name=` among the parameters of a header, in quotes or not.
fn parameter(header: &str, name: &str) -> Option<String> {
    let values = header.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    let value = values.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    body.get(from..)?.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=xyz";

    #[test]
    fn parts_are_found_byte_for_byte() {
        let body = b"--xyz\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--xyz\r\n\
            content-disposition: form-data; name=\"file\"; filename=\"a b.jsonl\"\r\nContent-Type: text/plain\r\n\r\n\
            {}\r\n--xy\n\r\n--xyz--\r\n";
        let parts = parts(KIND, body).expect("reads");
        let told: Vec<_> = parts
            .iter()
            .map(|part| (part.name.as_str(), part.file_name.as_deref(), &body[part.content.clone()]))
            .collect();
        assert_eq!(told, [("purpose", None, &b"batch"[..]), ("file", Some("a b.jsonl"), b"{}\r\n--xy\n")]);
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let head = "--xyz\r\nContent-Disposition: form-data; name=\"a\"";
        for (kind, body) in [
            ("application/json", "{}".to_owned()),
            ("multipart/form-data", "--xyz--".to_owned()),
            (KIND, String::new()),
            (KIND, "--xyz".to_owned()),
            (KIND, head.to_owned()),
            (KIND, format!("{head}\r\n\r\nb\r\n--xy")),
            (KIND, "--xyz\r\nX: y\r\n\r\nb\r\n--xyz--".to_owned()),
        ] {
            assert!(parts(kind, body.as_bytes()).is_err(), "{kind}: {body}");
        }
        assert_eq!(parts(KIND, b"--xyz--"), Ok(vec![]));
    }
}
