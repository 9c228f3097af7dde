//! Owns how tables and long lines fit a terminal: its width, and which columns give way where it is narrow.
//!
//! Must not know what is in them. A table first lays its words out over several lines in the columns that may fold, then
//! leaves out columns, the least important first; what is left out stands in `--json`. Names are never broken while there
//! is anything else to give up.

use super::palette::{is_colourful, paint};
use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Width, presets};

/// Columns of what is no terminal and does not say COLUMNS, as for `--help`.
const WIDTH: usize = 100;
/// A terminal of which this is more than the width says nothing true about itself.
const NARROWEST: usize = 20;
/// What a column that folds needs, at most.
const FOLDED: usize = 24;
/// Blanks around a cell.
const PADDING: usize = 2;

/// How wide lines may be: the terminal, else COLUMNS, else a hundred.
pub(super) fn width() -> usize {
    let terminal = comfy_table::Table::new().width().map(usize::from);
    let told = || std::env::var("COLUMNS").ok()?.trim().parse().ok();
    terminal.filter(|&width| width >= NARROWEST).or_else(told).filter(|&width| width >= NARROWEST).unwrap_or(WIDTH)
}

/// A column.
pub(super) struct Column {
    head: String,
    is_number: bool,
    folds: bool,
    /// When it is left out: 0 never, else the highest first.
    rank: u8,
}

impl Column {
    /// Of words.
    pub(super) fn text(head: &str) -> Self {
        Self { head: head.into(), is_number: false, folds: false, rank: 0 }
    }

    /// Of numbers, which stand flush right.
    pub(super) fn number(head: &str) -> Self {
        Self { is_number: true, ..Self::text(head) }
    }

    /// Whose words may stand on several lines.
    pub(super) fn folding(self) -> Self {
        Self { folds: true, ..self }
    }

    /// That is left out where the terminal is narrow, those of the highest rank first.
    pub(super) fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// A row, and whether it stands back.
struct Row {
    cells: Vec<String>,
    is_faint: bool,
}

/// A table in the making.
pub(super) struct TextTable {
    columns: Vec<Column>,
    has_head: bool,
    rows: Vec<Row>,
}

impl TextTable {
    /// With these columns.
    pub(super) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), has_head: true, rows: Vec::new() }
    }

    /// Of names and what they are, without a head.
    pub(super) fn of_pairs() -> Self {
        Self { has_head: false, ..Self::new([Column::text(""), Column::text("").folding()]) }
    }

    /// Adds a row, a cell for each column.
    pub(super) fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.add(cells, false);
    }

    /// Adds a row that stands back.
    pub(super) fn faint_row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.add(cells, true);
    }

    fn add<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>, is_faint: bool) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        self.rows.push(Row { cells, is_faint });
    }

    /// As it is printed here.
    pub(super) fn text(&self) -> String {
        self.at(width(), is_colourful())
    }

    fn at(&self, width: usize, colourful: bool) -> String {
        let shown = self.shown(width);
        let mut table = self.laid_out(&shown, width, colourful, false);
        // Above, below, and below the head are rules.
        let frame = if self.has_head { 4 } else { 2 };
        let folded = table.trim_fmt().lines().count() > self.rows.len() + frame;
        if folded {
            // Rows of several lines want a rule between them.
            table = self.laid_out(&shown, width, colourful, true);
        }
        let text = paint(&table.trim_fmt(), colourful);
        match self.left_out(&shown) {
            Some(left_out) => format!("{text}\n{}", wrapped(&left_out, width)),
            None => text,
        }
    }

    /// Says which columns had no room.
    fn left_out(&self, shown: &[usize]) -> Option<String> {
        let left = self.with_text().filter(|at| !shown.contains(at));
        let named: Vec<&str> = left.map(|at| self.columns[at].head.as_str()).filter(|head| !head.is_empty()).collect();
        (!named.is_empty()).then(|| format!("No room for: {}.", named.join(", ")))
    }

    /// The columns in which anything stands, by number.
    fn with_text(&self) -> impl Iterator<Item = usize> {
        (0..self.columns.len()).filter(|&at| self.rows.iter().any(|row| !row.cells[at].is_empty()))
    }

    /// The columns for which there is room, by number.
    fn shown(&self, width: usize) -> Vec<usize> {
        let mut shown: Vec<usize> = self.with_text().collect();
        while self.takes(&shown) > width {
            let Some(&least) =
                shown.iter().filter(|&&at| self.columns[at].rank > 0).max_by_key(|&&at| self.columns[at].rank)
            else {
                break;
            };
            shown.retain(|&at| at != least);
        }
        shown
    }

    /// The room that these columns take, with a blank between two.
    fn takes(&self, shown: &[usize]) -> usize {
        shown.iter().map(|&at| self.needs(at) + PADDING).sum::<usize>() + shown.len().saturating_sub(1)
    }

    /// Characters of the widest cell.
    fn widest(&self, at: usize) -> usize {
        let cells = self.rows.iter().map(|row| row.cells[at].as_str()).chain([self.columns[at].head.as_str()]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    /// The room without which it is better left out.
    fn needs(&self, at: usize) -> usize {
        if self.columns[at].folds { self.widest(at).min(FOLDED) } else { self.widest(at) }
    }

    fn laid_out(&self, shown: &[usize], width: usize, colourful: bool, ruled: bool) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        let rule = if ruled { presets::UTF8_HORIZONTAL_ONLY.row_separator } else { comfy_table::LineStyle::none() };
        table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(rule));
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX)).force_no_tty();
        if colourful {
            table.enforce_styling();
        }
        if self.has_head {
            table.set_header(shown.iter().map(|&at| self.columns[at].head.as_str()));
        }
        for Row { cells, is_faint } in &self.rows {
            let cell = |&at: &usize| {
                let cell = Cell::new(&cells[at]);
                if *is_faint { cell.fg(Color::DarkGrey) } else { cell }
            };
            table.add_row(shown.iter().map(cell));
        }
        let fits = self.takes(shown) <= width;
        for (&at, column) in shown.iter().zip(table.column_iter_mut()) {
            if self.columns[at].is_number {
                column.set_cell_alignment(CellAlignment::Right);
            }
            // Where not even the names have room they are broken; else only what folds gives way.
            if fits && !self.columns[at].folds {
                let wide = self.widest(at) + PADDING;
                column
                    .set_constraint(ColumnConstraint::Absolute(Width::Fixed(u16::try_from(wide).unwrap_or(u16::MAX))));
            }
        }
        table
    }
}

/// Parts one behind the other, on as many lines as they need; lines after the first stand as far in as the lead is long.
pub(super) fn flow<T: AsRef<str>>(lead: &str, parts: impl IntoIterator<Item = T>, gap: &str) -> String {
    flowed(lead, parts, gap, width())
}

/// Words as a paragraph.
pub(super) fn prose(text: &str) -> String {
    wrapped(text, width())
}

fn wrapped(text: &str, width: usize) -> String {
    flowed("", text.split(' '), " ", width)
}

fn flowed<T: AsRef<str>>(lead: &str, parts: impl IntoIterator<Item = T>, gap: &str, width: usize) -> String {
    let (indent, mut text, mut at, mut is_first) = (lead.chars().count(), lead.to_owned(), lead.chars().count(), true);
    for part in parts {
        let part = part.as_ref();
        let (wide, between) = (part.chars().count(), gap.chars().count());
        if is_first {
            at += wide;
        } else if at + between + wide <= width {
            text += gap;
            at += between + wide;
        } else {
            text += "\n";
            text += &" ".repeat(indent);
            at = indent + wide;
        }
        text += part;
        is_first = false;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TextTable {
        let mut table = TextTable::new([
            Column::text("model"),
            Column::number("accuracy"),
            Column::text("about").folding().rank(1),
            Column::number("cost").rank(2),
        ]);
        table.row(["openrouter/some/model", "97.5 %", "it knows what a shift by the width does", "$1.25"]);
        table.faint_row(["sim/x", "5.0 %", "nothing", ""]);
        table
    }

    #[test]
    fn what_has_room_is_shown_and_the_rest_gives_way() {
        for width in [90, 68, 40] {
            insta::assert_snapshot!(format!("table_of_{width}"), table().at(width, false));
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 20..120 {
            let text = table().at(width, false);
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}\n{text}");
        }
    }

    #[test]
    fn colour_is_no_width() {
        let strip = |text: &str| {
            let mut parts = text.split("\x1b[");
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
        };
        let painted = table().at(90, true);
        assert_ne!(painted, table().at(90, false));
        let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(lines(&strip(&painted)), lines(&table().at(90, false)));
    }

    #[test]
    fn parts_flow_below_each_other() {
        assert_eq!(flowed("by fuel ", ["16-31: 87 %", "32-63: 100 %"], "  ", 40), "by fuel 16-31: 87 %  32-63: 100 %");
        assert_eq!(
            flowed("by fuel ", ["16-31: 87 %", "32-63: 100 %"], "  ", 30),
            "by fuel 16-31: 87 %\n        32-63: 100 %"
        );
    }
}
