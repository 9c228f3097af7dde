//! Owns showing the programs that were cut down.
//!
//! Must not know how they were cut.

use super::super::page::{Html, Section};
use super::Parts;
use super::quoted::quoted;
use crate::run::shrunk::Shrunk;

/// The section; none where nothing was cut down.
pub(super) fn section(parts: &Parts<'_>) -> Option<Section> {
    if parts.shrunk.is_empty() {
        return None;
    }
    let mut shrunk: Vec<&Shrunk> = parts.shrunk.iter().collect();
    shrunk.sort_by_key(|line| (line.after.instructions, line.after.bytes));
    let intro = "Missed programs, cut down to what is still missed. Where nothing else is said, nothing can be taken away \
                 without the model getting it right.";
    let body: Html = [Html::paragraph(intro)].into_iter().chain(shrunk.into_iter().map(told)).collect();
    Some(Section::new("shrunk", "The smallest programs that it misses", body))
}

fn told(line: &Shrunk) -> Html {
    let Shrunk { from, before, after, hits, of, smallest, record, .. } = line;
    let end = if *smallest { "" } else { " Stopped before its end: it may not be the smallest." };
    let sizes = format!(
        "From {} instructions to {}; missed {hits} of {of} times.{end} Cut out of ",
        before.instructions, after.instructions
    );
    let title = Html::item(&record.item.id, &format!("{} instructions", after.instructions));
    let heading = title.within("h3", "");
    let about = Html::text(&sizes).and(Html::item(from, from)).within("p", "");
    heading.and(about).and(quoted(record))
}
