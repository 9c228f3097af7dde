//! Owns one program of an attack as it is quoted: its text, and its truth beside what the model said of it.
//!
//! Must not know why it is quoted. The truth is green, and so is what was said rightly; what was said wrongly is red.

use super::super::page::Html;
use super::super::page::table::{Cell, Column, HtmlTable};
use super::super::said::said;
use super::super::summary::text::clip;
use crate::item::record::Record;

/// Characters of a reply that is quoted as it came.
const REPLY: usize = 300;

/// The program, and its answers below it.
pub(super) fn quoted(record: &Record) -> Html {
    Html::text(&record.item.program).within("pre", "quote").and(answers(record))
}

/// Truth and reply, slot by slot; a reply that is not in the usual form as it came.
fn answers(record: &Record) -> Html {
    let reply = record.answer.reply.as_deref().unwrap_or_default();
    let said = said(reply, &record.item.truth);
    let mut table = HtmlTable::new([Column::text("slot"), Column::text("truth"), Column::text("the model")]).grid();
    for (at, (name, truth)) in record.item.truth.texts().into_iter().enumerate() {
        let is_right = record.answer.slots.get(at).copied().unwrap_or(false);
        let said = said.as_ref().map_or("", |said| said.get(at).map_or("nothing", String::as_str));
        table.row([Cell::text(&name), value(&truth, true), value(said, is_right)]);
    }
    let as_it_came = || Html::text(&clip(reply.trim(), REPLY)).within("pre", "quote bad");
    table.html().and(if said.is_none() { as_it_came() } else { Html::default() })
}

/// What a reply says a slot holds; nothing of nothing.
fn value(text: &str, is_right: bool) -> Cell {
    let value = if text.is_empty() { Html::default() } else { Html::code(text) };
    Cell::html(value).class(if is_right { "good" } else { "bad" })
}
