//! Owns numbers and tables as Markdown.
//!
//! Must not know what they mean. Text from models goes through [`line`], so that no reply can break the page.

use super::super::stats::Interval;

/// `41.2 %`.
pub(in crate::report) fn percent(rate: f64) -> String {
    format!("{:.1} %", rate * 100.0)
}

/// `39.0–43.4 %`.
pub(in crate::report) fn interval(interval: Interval) -> String {
    format!("{:.1}–{:.1} %", interval.low * 100.0, interval.high * 100.0)
}

/// `+12.3 points`: a difference of two shares is no percentage.
pub(in crate::report) fn points(difference: f64) -> String {
    format!("{:+.1} points", difference * 100.0)
}

/// `12,345`.
pub(in crate::report) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A Markdown table, without the columns in which nothing stands.
pub(in crate::report) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let says_something = |&at: &usize| rows.iter().any(|cells| !cells[at].is_empty());
    let shown: Vec<usize> = (0..head.len()).filter(says_something).collect();
    let row = |cell: &dyn Fn(usize) -> String| {
        let cells: Vec<String> = shown.iter().map(|&at| cell(at)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = row(&|at| head[at].into());
    text += &row(&|_| "---".into());
    rows.iter().for_each(|cells| text += &row(&|at| cells[at].clone()));
    text
}

/// The text on one line of at most 160 characters and three dots, harmless in a cell of a table.
pub(in crate::report) fn line(text: &str) -> String {
    const MOST: usize = 160;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    clip(&words, MOST).replace('|', "\\|").replace('<', "&lt;")
}

/// The first `most` characters, with `...` where something was left out.
pub(in crate::report) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}

/// A fenced block that its own text cannot close.
pub(in crate::report) fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(percent(0.4117), "41.2 %");
        assert_eq!(interval(Interval { low: 0.0, high: 1.0 }), "0.0–100.0 %");
    }

    #[test]
    fn no_text_breaks_the_page() {
        assert_eq!(line("a | b\n<b>  c"), "a \\| b &lt;b> c");
        assert_eq!(line(&"é".repeat(200)).chars().count(), 163);
        assert_eq!(fenced("wat", "(module)\n"), "```wat\n(module)\n```\n");
        assert_eq!(fenced("", "a ```` b"), "`````\na ```` b\n`````\n");
        assert_eq!(table(&["a", "b"], &[vec!["1".into(), "2".into()]]), "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
        assert_eq!(table(&["a", "b"], &[vec![String::new(), "2".into()]]), "| b |\n| --- |\n| 2 |\n", "none in vain");
    }
}
