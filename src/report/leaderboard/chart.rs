//! Owns the picture of what accuracy costs.
//!
//! Must not know how figures are computed. A point bears the rank of its row, so that names need no room; labels keep clear
//! of each other and of points.

use super::{Board, Role, Row};
use crate::report::page::Html;
use crate::report::page::chart::{FIRST, GRID, INK, PAGE, SECOND, picture};
use crate::report::plot::PlotError;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Width and height, pixels.
const SIZE: (u32, u32) = (960, 420);
/// Width of a digit, pixels.
const DIGIT: i32 = 9;
/// Height of a line, pixels.
const LINE: i32 = 15;
/// How far from its point a label stands, pixels.
const GAP: i32 = 9;
/// How many times the cheapest the dearest must cost for an axis of powers.
const WIDE: f64 = 20.0;

/// What stands on the axis of costs.
enum Cost {
    /// US dollars for 100 replies.
    Dollars,
    /// Tokens of a reply, where nothing is paid.
    Tokens,
}

impl Cost {
    fn of(&self, row: &Row) -> Option<f64> {
        let replies = row.replies.max(1) as f64;
        match self {
            Self::Dollars => Some(100.0 * row.cost_usd? / replies),
            Self::Tokens => Some(row.tokens.completion_tokens? as f64 / replies),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Dollars => "US dollars for 100 replies",
            Self::Tokens => "tokens of a reply",
        }
    }
}

/// The picture with its caption; `None` where costs of fewer than two ranked rows are known.
pub(super) fn cost_against_accuracy(board: &Board) -> Result<Option<Html>, PlotError> {
    let ranked: Vec<&Row> = board.rows.iter().filter(|row| row.rank.is_some()).collect();
    let paid = ranked.iter().any(|row| row.cost_usd.is_some_and(|cost| cost > 0.0));
    let cost = if paid { Cost::Dollars } else { Cost::Tokens };
    let points: Vec<Point> = ranked.iter().filter_map(|row| point(row, &cost)).collect();
    if points.len() < 2 {
        return Ok(None);
    }
    let floor = board.rows.iter().find(|row| row.role == Role::Floor && row.is_complete());
    let mut svg = String::new();
    draw(&points, floor.and_then(|row| row.accuracy_strict), &cost, &mut svg)
        .map_err(|error| PlotError::new("cost against accuracy", &error.to_string()))?;
    let said = format!("Strict accuracy against {} of {} models", cost.name(), points.len());
    let mut caption = "Numbers are the places in the table; lines are the intervals.".to_owned();
    if floor.is_some() {
        caption += " Dashed: the best guesser.";
    }
    if !paid {
        caption += " Nobody is paid for these replies, so their length stands for what they cost.";
    }
    Ok(Some(Html::figure(picture(&svg, &said), Html::text(&caption))))
}

struct Point {
    rank: u64,
    cost: f64,
    right: f64,
    interval: [f64; 2],
}

fn point(row: &Row, cost: &Cost) -> Option<Point> {
    Some(Point { rank: row.rank?, cost: cost.of(row)?, right: row.accuracy_strict?, interval: row.ci95? })
}

fn draw(points: &[Point], floor: Option<f64>, cost: &Cost, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let costs = || points.iter().map(|point| point.cost);
    let (least, most) = (costs().fold(f64::INFINITY, f64::min), costs().fold(0.0, f64::max));
    let powers = least > 0.0 && most / least > WIDE;
    let x = |cost: f64| if powers { cost.log10() } else { cost };
    let (low, high) = if powers { (x(least), x(most)) } else { (0.0, most.max(1e-9)) };
    let margin = 0.05 * (high - low);
    let low = if powers { low - margin } else { low };
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&PAGE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(52)
        .y_label_area_size(70)
        .build_cartesian_2d(low..high + margin, 0.0..1.02)?;
    let label = |x: &f64| {
        let cost = if powers { 10f64.powf(*x) } else { *x };
        significant(cost)
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(("sans-serif", 16).into_font().color(&INK))
        .axis_desc_style(("sans-serif", 17).into_font().color(&INK))
        .x_desc(cost.name())
        .y_desc("accuracy")
        .y_labels(6)
        .x_label_formatter(&label)
        .y_label_formatter(&|y| format!("{:.0} %", y * 100.0))
        .draw()?;
    if let Some(floor) = floor {
        let line = [(low, floor), (high + margin, floor)].map(|at| chart.backend_coord(&at));
        area.draw(&DashedPathElement::new(line, 6, 5, SECOND.stroke_width(2)))?;
    }
    let mut marks = Vec::new();
    for point in points {
        let at = x(point.cost);
        let line = vec![(at, point.interval[0]), (at, point.interval[1])];
        chart.draw_series(std::iter::once(PathElement::new(line, FIRST.mix(0.45).stroke_width(2))))?;
        chart.draw_series(std::iter::once(Circle::new((at, point.right), 5, FIRST.filled())))?;
        marks.push((chart.backend_coord(&(at, point.right)), point.rank.to_string()));
    }
    let style = ("sans-serif", 16).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
    for (at, label) in labels(marks) {
        area.draw(&Text::new(label, at, style.clone()))?;
    }
    area.present()?;
    Ok(())
}

/// Two digits that say something: `0.0034`, `1.5`, `120`.
fn significant(cost: f64) -> String {
    let digits = if cost > 0.0 { (1.0 - cost.log10().floor()).clamp(0.0, 8.0) as usize } else { 0 };
    let text = format!("{cost:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// A place of the picture, pixels from the upper left corner.
type At = (i32, i32);

/// Where the labels of points stand, each by its left end and its middle: beside its point, where neither another label nor
/// another point is. Equals that share a place often share a point, and one label.
fn labels(mut marks: Vec<(At, String)>) -> Vec<(At, String)> {
    marks.sort_by(|a, b| (a.0.1, a.0.0, &a.1).cmp(&(b.0.1, b.0.0, &b.1)));
    marks.dedup();
    let points: Vec<At> = marks.iter().map(|(at, _)| *at).collect();
    let mut placed: Vec<(At, i32)> = Vec::new();
    for ((across, down), label) in &marks {
        let width = DIGIT * label.len() as i32;
        let sides = [across + GAP, across - GAP - width];
        let places =
            (0..=marks.len() as i32).flat_map(|n| [-n * LINE, n * LINE]).flat_map(|by| sides.map(|x| (x, down + by)));
        let is_free = |&(x, y): &At| {
            let meets =
                |other: At, reach: i32| other.0 < x + width && other.0 + reach > x && (other.1 - y).abs() < LINE;
            placed.iter().all(|&(other, reach)| !meets(other, reach))
                && points.iter().all(|point| !meets((point.0 - GAP / 2, point.1), GAP))
        };
        let beside = (across + GAP, *down);
        placed.push((places.into_iter().find(is_free).unwrap_or(beside), width));
    }
    placed.into_iter().zip(marks).map(|((at, _), (_, label))| (at, label)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_told_by_digits_that_say_something() {
        let told = [0.0, 0.0034, 0.02, 1.5, 3.0, 12.4, 120.0].map(significant);
        assert_eq!(told, ["0", "0.0034", "0.02", "1.5", "3", "12", "120"]);
    }

    #[test]
    fn labels_keep_apart() {
        let crowd = |n: i32| (0..n).map(|at| ((100 + at % 3, 200 + at), at.to_string())).collect::<Vec<_>>();
        for n in [1, 2, 5, 12] {
            let found = labels(crowd(n));
            assert_eq!(found.len(), n as usize);
            for (number, ((x, y), label)) in found.iter().enumerate() {
                for ((other_x, other_y), other) in &found[number + 1..] {
                    let apart = (y - other_y).abs() >= 15
                        || x + 9 * label.len() as i32 <= *other_x
                        || other_x + 9 * other.len() as i32 <= *x;
                    assert!(apart, "{label} and {other} of {n}: {found:?}");
                }
            }
        }
        assert_eq!(labels(vec![((5, 5), "1".into()), ((5, 5), "1".into())]).len(), 1, "equals share one");
        assert_eq!(labels(crowd(1))[0].0, (109, 200), "beside its point where there is room");
    }
}
