//! Owns markup that is safe to show: text that is put in comes out as text.
//!
//! Must not know what it says. Only this module makes markup of strings, and only of those that this program wrote.

use minijinja::HtmlEscape;
use std::fmt;

/// A piece of a page. Pieces are put together with [`Html::and`] and `collect()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Text, in line.
    pub fn text(text: &str) -> Self {
        Self(escaped(text))
    }

    /// A paragraph of text.
    pub fn paragraph(text: &str) -> Self {
        Self::prose(text).within("p", "")
    }

    /// Text whose numbers stay on one line with their units: `91.2 %`, `12.3 points`.
    pub fn prose(text: &str) -> Self {
        Self::text(&bound(text))
    }

    /// A paragraph in small print: how to read what stands above it, what was left out.
    pub fn note(text: &str) -> Self {
        Self::prose(text).within("p", "note")
    }

    /// A heading within a section.
    pub fn heading(text: &str) -> Self {
        Self::text(text).within("h3", "")
    }

    /// Text in bold face.
    pub fn strong(text: &str) -> Self {
        Self::text(text).within("strong", "")
    }

    /// A word as a machine writes it: an instruction, a name.
    pub fn code(text: &str) -> Self {
        Self::text(text).within("code", "")
    }

    /// A command line on a line of its own, with a button that copies it.
    pub fn command(line: &str) -> Self {
        Self(format!(r#"<div class="command"><code>{}</code></div>"#, escaped(line)))
    }

    /// A link to a section of the same page.
    pub fn link(section: &str, text: &str) -> Self {
        Self(format!(r##"<a href="#{}">{}</a>"##, escaped(section), escaped(text)))
    }

    /// A link that opens an item of the page.
    pub fn item(id: &str, text: &str) -> Self {
        Self(format!(r##"<a href="#item={}">{}</a>"##, percent_encoded(id), escaped(text)))
    }

    /// A link that opens an item of the page, told from others of its name by its canonical form.
    pub fn item_of(id: &str, canonical: &str) -> Self {
        let form: String = canonical.chars().filter(char::is_ascii_alphanumeric).collect();
        Self(format!(r##"<a href="#item={}&amp;form={form}">{}</a>"##, percent_encoded(id), escaped(id)))
    }

    /// A list with a bullet for each piece.
    pub fn list(pieces: impl IntoIterator<Item = Html>) -> Self {
        pieces.into_iter().map(|piece| piece.within("li", "")).collect::<Self>().within("ul", "")
    }

    /// A picture with a sentence below.
    pub fn figure(picture: Html, caption: Html) -> Self {
        picture.and(caption.within("figcaption", "")).within("figure", "")
    }

    /// What is folded away until the reader opens it.
    pub fn folded(summary: &str, inner: Html) -> Self {
        Self::text(summary).within("summary", "").and(inner).within("details", "")
    }

    /// The piece within an element of this class (none if it is empty).
    pub fn within(self, element: &'static str, class: &'static str) -> Self {
        let class = if class.is_empty() { String::new() } else { format!(r#" class="{class}""#) };
        Self(format!("<{element}{class}>{}</{element}>", self.0))
    }

    /// The piece and another one behind it.
    pub fn and(mut self, other: Html) -> Self {
        self.0 += &other.0;
        self
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Markup that this program wrote, with all text in it escaped.
    pub(super) fn trusted(markup: String) -> Self {
        Self(markup)
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(pieces: I) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect())
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text as it stands in markup and in attributes.
pub(super) fn escaped(text: &str) -> String {
    HtmlEscape(text).to_string()
}

/// What stands behind numbers and belongs to them.
const UNITS: [&str; 8] = ["%", "points", "point", "s", "ms", "times", "instructions", "queries"];

/// The text with no line break between a number and its unit.
fn bound(text: &str) -> String {
    let mut bound = String::with_capacity(text.len());
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        bound += word;
        let Some(next) = words.peek() else { break };
        let unit = next.trim_end_matches([',', ';', '.', ':', ')']);
        let holds = word.ends_with(|c: char| c.is_ascii_digit()) && UNITS.contains(&unit);
        bound.push(if holds { '\u{a0}' } else { ' ' });
    }
    bound
}

/// The text within the fragment of a URL.
fn percent_encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_goes_in_is_text() {
        let text = "\"><script>'&";
        for html in [Html::text(text), Html::command(text), Html::link(text, text), Html::item(text, text)] {
            assert!(!html.to_string().contains("<script"), "{html}");
        }
        assert_eq!(Html::item("a b/ü", "x").to_string(), r##"<a href="#item=a%20b%2F%C3%BC">x</a>"##);
        let list = Html::list([Html::code("a"), Html::text("b").and(Html::strong("c"))]);
        assert_eq!(list.to_string(), "<ul><li><code>a</code></li><li>b<strong>c</strong></li></ul>");
    }

    #[test]
    fn numbers_and_their_units_stay_together() {
        let told = Html::paragraph("missed 91.2 % (85.0–95.1 %, 3 of 4), by 12.3 points; in 4 ways.").to_string();
        assert_eq!(told, "<p>missed 91.2\u{a0}% (85.0–95.1\u{a0}%, 3 of 4), by 12.3\u{a0}points; in 4 ways.</p>");
        assert_eq!(Html::text("3 %").to_string(), "3 %", "what is no prose stays as it is");
    }
}
