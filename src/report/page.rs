//! Owns the shell of every report page: one HTML file that loads nothing from elsewhere, with its sections and its items.
//!
//! Must not know what is reported. Style and script stand beside this module and are written into the page; a content
//! policy in its head lets the browser refuse any request. What models wrote is never markup: sections are made of
//! [`Html`], which escapes what goes in, and items travel as compressed lines that the script shows as text alone.
//!
//! A page is made like this:
//!
//! ```
//! use wasmweaver::report::page::{Html, Page, Section, table::{Cell, Column, HtmlTable}};
//! let mut table = HtmlTable::new([Column::text("model"), Column::number("right")]).filtered();
//! table.row([Cell::text("sim/<novice>"), Cell::number(0.25, "25 %")]);
//! let section = Section::new("models", "Models", table.html());
//! let page = Page { title: "A report".into(), lead: Html::text("One sentence."), sections: vec![section], items: None };
//! assert!(page.render().contains("sim&#x2f;&lt;novice&gt;"));
//! ```

pub mod bar;
pub mod chart;
mod html;
pub mod items;
mod programs;
mod prompts;
pub mod table;
mod trace;

pub use html::Html;
pub use items::{ItemBook, Items};

use minijinja::{Environment, Value, context};

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// The theme, tables and copying first, then the items.
const SCRIPT: &str = concat!(include_str!("page/page.js"), include_str!("page/items.js"));

/// What a page shows.
#[derive(Clone, Debug)]
pub struct Page {
    /// The title, plain text.
    pub title: String,
    /// What a reader should know first, under the title.
    pub lead: Html,
    /// The sections, in their order.
    pub sections: Vec<Section>,
    /// The items to look into, the last section of the page.
    pub items: Option<Items>,
}

/// A part of a page, with its entry in the table of contents.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its anchor: letters, digits and `-`.
    pub id: String,
    /// Its heading, plain text.
    pub heading: String,
    /// What it holds.
    pub body: Html,
}

impl Section {
    /// Of an anchor, a heading and a body.
    pub fn new(id: impl Into<String>, heading: impl Into<String>, body: Html) -> Self {
        Self { id: id.into(), heading: heading.into(), body }
    }
}

impl Page {
    /// The whole file.
    pub fn render(&self) -> String {
        let mut templates = Environment::new();
        // The name ends in `.html`, so that what is not marked as safe is escaped.
        templates.add_template("page.html", TEMPLATE).expect("it ships with the program");
        let sections: Vec<Value> = self.sections.iter().map(section).collect();
        let items = self
            .items
            .as_ref()
            .map(|items| context! { data => Value::from_safe_string(items.data().into()), note => items.note(), count => items.len() });
        let page = context! {
            title => &self.title,
            lead => safe(&self.lead),
            sections,
            items,
            style => Value::from_safe_string(STYLE.into()),
            script => Value::from_safe_string(SCRIPT.into()),
            version => env!("CARGO_PKG_VERSION"),
        };
        templates.get_template("page.html").and_then(|template| template.render(page)).expect("a test renders it")
    }
}

fn section(section: &Section) -> Value {
    context! { id => &section.id, heading => &section.heading, body => safe(&section.body) }
}

fn safe(html: &Html) -> Value {
    Value::from_safe_string(html.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(items: Option<Items>) -> String {
        let body = Html::paragraph("a <b> & c");
        let sections = vec![Section::new("one", "One & <only>", body)];
        Page { title: "</title><script>alert(1)</script>".into(), lead: Html::text("<i>"), sections, items }.render()
    }

    #[test]
    fn text_never_becomes_markup() {
        let page = page(None);
        for text in ["<b>", "<i>", "<script>alert", "<only>"] {
            assert!(!page.contains(text), "{text} is markup");
        }
        assert!(page.contains("<p>a &lt;b&gt; &amp; c</p>") && page.contains("One &amp; &lt;only&gt;"));
    }

    #[test]
    fn a_page_asks_nobody() {
        let page = page(Some(ItemBook::new(Vec::new()).finish("none")));
        assert!(page.contains("default-src 'none'"));
        // Names of XML namespaces are no addresses.
        let page = page.replace("http://www.w3.org/", "");
        for request in ["http://", "https://", " src=", "@import", "url(", "fetch(", "XMLHttpRequest", "<link"] {
            assert!(!page.contains(request), "{request}");
        }
        assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
    }

    #[test]
    fn the_data_stand_in_the_page_as_they_are() {
        let items = ItemBook::new(Vec::new()).finish("none");
        let data = items.data().to_owned();
        // What stands in a script is not unescaped; base64 needs no escape.
        assert!(page(Some(items)).contains(&format!(">{data}</script>")));
    }
}
