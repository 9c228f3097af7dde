//! Owns tables: what sorts by which number, and how wide a table may get on a narrow screen.
//!
//! Must not know what is in the cells. The script makes headers into buttons; without it the table reads as it is. A column
//! in which nothing stands, or nothing that is known, is left out.

use super::html::{Html, escaped};

/// The class of cells whose value is not known.
const UNKNOWN: &str = "unknown";

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    heading: String,
    hint: String,
    numeric: bool,
}

impl Column {
    /// Of text, to the left.
    pub fn text(heading: &str) -> Self {
        Self { heading: heading.into(), hint: String::new(), numeric: false }
    }

    /// Of numbers, to the right.
    pub fn number(heading: &str) -> Self {
        Self { numeric: true, ..Self::text(heading) }
    }

    /// A sentence that says what the column is.
    pub fn hint(self, hint: &str) -> Self {
        Self { hint: hint.into(), ..self }
    }

    fn html(&self) -> String {
        let class = if self.numeric { r#" class="number""# } else { "" };
        let hint = if self.hint.is_empty() { String::new() } else { format!(r#" title="{}""#, escaped(&self.hint)) };
        format!(r#"<th scope="col"{class}{hint}>{}</th>"#, escaped(&self.heading))
    }
}

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    html: Html,
    sort: Option<f64>,
    class: &'static str,
    shade: Option<f64>,
    hint: String,
}

impl Cell {
    /// Text, sorted by its letters.
    pub fn text(text: &str) -> Self {
        Self::html(Html::text(text))
    }

    /// Markup, sorted by the letters in it.
    pub fn html(html: Html) -> Self {
        Self { html, sort: None, class: "", shade: None, hint: String::new() }
    }

    /// A number as it is shown.
    pub fn number(number: f64, shown: &str) -> Self {
        Self::text(shown).sorted_by(number)
    }

    /// Something that is not known; it sorts behind all that is.
    pub fn unknown() -> Self {
        Self { class: UNKNOWN, ..Self::text("unknown") }
    }

    /// Whether a reader learns something from it.
    fn says_something(&self) -> bool {
        !self.html.is_empty() && self.class != UNKNOWN
    }

    /// A number as it is shown, or that it is not known.
    pub fn maybe(number: Option<f64>, shown: impl FnOnce(f64) -> String) -> Self {
        number.map_or_else(Self::unknown, |number| Self::number(number, &shown(number)))
    }

    /// The cell, sorted by a number.
    pub fn sorted_by(self, number: f64) -> Self {
        Self { sort: Some(number), ..self }
    }

    /// The cell on a ground as dark as a share in `[0, 1]` is large.
    pub fn shaded(self, share: f64) -> Self {
        Self { shade: Some(share), class: "heat", ..self }
    }

    /// The cell with a sentence that is shown where a pointer rests on it.
    pub fn hint(self, hint: &str) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// The cell with a class of the style sheet.
    pub fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }
}

/// A table. It sorts by a click on a header; a row stands in a box that scrolls where the screen is narrow.
#[derive(Clone, Debug)]
pub struct HtmlTable {
    columns: Vec<Column>,
    /// Class and cells of each.
    rows: Vec<(&'static str, Vec<Cell>)>,
    filtered: bool,
    grid: bool,
    caption: Html,
}

impl HtmlTable {
    /// Without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        let columns = columns.into_iter().collect();
        Self { columns, rows: Vec::new(), filtered: false, grid: false, caption: Html::default() }
    }

    /// With an input above it that shows only the rows with a text.
    pub fn filtered(self) -> Self {
        Self { filtered: true, ..self }
    }

    /// As a grid, which cannot be sorted: rows against columns.
    pub fn grid(self) -> Self {
        Self { grid: true, ..self }
    }

    /// With a sentence above it.
    pub fn caption(self, caption: Html) -> Self {
        Self { caption, ..self }
    }

    /// One more row, with a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.row_of("", cells);
    }

    /// One more row, with a class of the style sheet: `floor`, `ceiling`, `unranked`.
    pub fn row_of(&mut self, class: &'static str, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        self.rows.push((class, cells));
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As part of a page.
    pub fn html(&self) -> Html {
        let says_something =
            |&at: &usize| self.is_empty() || self.rows.iter().any(|(_, cells)| cells[at].says_something());
        let shown: Vec<usize> = (0..self.columns.len()).filter(says_something).collect();
        let head: String = shown.iter().map(|&at| self.columns[at].html()).collect();
        let rows: String = self.rows.iter().map(|(class, cells)| self.row_html(&shown, class, cells)).collect();
        let filtered = if self.filtered { " data-filter" } else { "" };
        let caption =
            if self.caption.is_empty() { String::new() } else { format!("<caption>{}</caption>", self.caption) };
        let class = if self.grid { "grid" } else { "sortable" };
        Html::trusted(format!(
            "<div class=\"scroll\"{filtered}><table class=\"{class}\">{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        ))
    }

    fn row_html(&self, shown: &[usize], class: &str, cells: &[Cell]) -> String {
        let class = if class.is_empty() { String::new() } else { format!(r#" class="{class}""#) };
        let cells: String = shown.iter().map(|&at| cell_html(&self.columns[at], &cells[at])).collect();
        format!("<tr{class}>{cells}</tr>\n")
    }
}

fn cell_html(column: &Column, cell: &Cell) -> String {
    let mut classes: Vec<&str> = if column.numeric { vec!["number"] } else { Vec::new() };
    classes.extend(Some(cell.class).filter(|class| !class.is_empty()));
    let class = if classes.is_empty() { String::new() } else { format!(r#" class="{}""#, classes.join(" ")) };
    let sort = cell.sort.map_or(String::new(), |sort| format!(r#" data-sort="{sort}""#));
    let shade = cell.shade.map_or(String::new(), |share| format!(r#" style="--shade:{:.0}%""#, 100.0 * share));
    let hint = if cell.hint.is_empty() { String::new() } else { format!(r#" title="{}""#, escaped(&cell.hint)) };
    format!("<td{class}{sort}{shade}{hint}>{}</td>", cell.html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_what_it_sorts_by() {
        let columns = [Column::text("model").hint("who \"was\" asked"), Column::number("right")];
        let mut table = HtmlTable::new(columns).filtered();
        table.row([Cell::text("<a>"), Cell::number(0.5, "50 %")]);
        table.row_of("floor", [Cell::text("b"), Cell::maybe(None, |_| unreachable!())]);
        insta::assert_snapshot!(table.html(), @r#"
        <div class="scroll" data-filter><table class="sortable"><thead><tr><th scope="col" title="who &quot;was&quot; asked">model</th><th scope="col" class="number">right</th></tr></thead>
        <tbody>
        <tr><td>&lt;a&gt;</td><td class="number" data-sort="0.5">50 %</td></tr>
        <tr class="floor"><td>b</td><td class="number unknown">unknown</td></tr>
        </tbody></table></div>
        "#);
    }

    #[test]
    fn columns_that_say_nothing_are_left_out() {
        let told = |columns: usize, rows: &[&[Cell]]| {
            let mut table = HtmlTable::new((0..columns).map(|at| Column::text(&format!("c{at}"))));
            rows.iter().for_each(|cells| table.row(cells.iter().cloned()));
            let html = table.html().to_string();
            (0..columns).filter(|at| html.contains(&format!(">c{at}<"))).collect::<Vec<_>>()
        };
        let [said, unknown, empty] = [Cell::text("x"), Cell::unknown(), Cell::text("")];
        let rows = [&[said.clone(), unknown.clone(), empty.clone(), unknown.clone()][..]];
        assert_eq!(told(4, &rows), [0]);
        assert_eq!(told(4, &[rows[0], &[said.clone(), unknown, empty, said]]), [0, 3]);
        assert_eq!(told(2, &[]), [0, 1], "a table without rows says what it would have");
    }
}
