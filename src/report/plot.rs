//! Owns pictures of lines, as SVG: the miss-rate curve, and what was found with how many queries.
//!
//! Must not know records. They are drawn on white, so that they read on any page, in colours that the colour-blind tell
//! apart (Okabe and Ito 2008); the lines differ in their dashes too.

use super::curve::{Curves, Point};
use super::page::chart::{FIFTH, FIRST, FOURTH, GRID, INK, PAGE, SECOND, THIRD};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::FontTransform;

/// Width and height, pixels.
const SIZE: (u32, u32) = (960, 480);
/// Of the lines, in their order.
const COLOURS: [RGBColor; 5] = [FIRST, SECOND, THIRD, FOURTH, FIFTH];
/// Length of a dash and of the gap behind it, pixels.
const DASH: (u32, u32) = (8, 5);
/// Length of a line in the legend, pixels.
const LEGEND: i32 = 22;

/// A picture could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw {what}: {why}; this is a bug of ours, and the records are unharmed")]
pub struct PlotError {
    what: &'static str,
    why: String,
}

impl PlotError {
    /// Of a picture, and what the library said.
    pub(super) fn new(what: &'static str, why: &str) -> Self {
        Self { what, why: why.into() }
    }
}

/// A line of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
    /// At each point the lower and the upper end of its band; none where there is no band.
    pub band: Vec<(f64, f64)>,
    /// Whether it is drawn with dashes: what the picture is not about.
    pub dashed: bool,
}

/// What a picture says beside its lines.
struct Frame<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    /// Where the vertical axis ends.
    top: f64,
    /// Whether it counts shares.
    percent: bool,
}

/// Draws the curves with their 95 % bands; `None` where there is no point to draw. `names` are those of the attack and
/// of the baseline in the legend.
pub(crate) fn miss_rate_svg(curves: &Curves, title: &str, names: (&str, &str)) -> Result<Option<String>, PlotError> {
    let mut lines = vec![curve(names.0, &curves.attack, false), curve(names.1, &curves.baseline, true)];
    lines.extend(curves.others.iter().map(|(name, points)| curve(name, points, true)));
    let y = format!("miss rate over the last {} finished replies", curves.window);
    let frame = Frame { title, x: "queries", y: &y, top: top(curves), percent: true };
    svg(&lines, &frame)
}

/// Draws how many were found with how many queries; `None` where there is nothing to draw.
pub(crate) fn found_svg(lines: &[Line], title: &str) -> Result<Option<String>, PlotError> {
    let most = lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y).fold(1.0, f64::max);
    let frame = Frame { title, x: "queries", y: "different programs missed", top: 1.05 * most, percent: false };
    svg(lines, &frame)
}

fn curve(name: &str, points: &[Point], dashed: bool) -> Line {
    let rate = |point: &Point| (point.query as f64, point.missed.rate().expect("a window is never empty"));
    let band = |point: &Point| {
        let interval = point.missed.wilson().expect("a window is never empty");
        (interval.low, interval.high)
    };
    let (points, band) = (points.iter().map(rate).collect(), points.iter().map(band).collect());
    Line { name: name.into(), points, band, dashed }
}

fn svg(lines: &[Line], frame: &Frame<'_>) -> Result<Option<String>, PlotError> {
    if lines.iter().all(|line| line.points.is_empty()) {
        return Ok(None);
    }
    let mut svg = String::new();
    draw(lines, frame, &mut svg).map_err(|error| PlotError::new("a picture", &error.to_string()))?;
    Ok(Some(svg))
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn draw(lines: &[Line], frame: &Frame<'_>, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let last = lines.iter().filter_map(|line| line.points.last()).map(|(x, _)| *x).fold(1.0, f64::max);
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&PAGE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(frame.title, ("sans-serif", 24).into_font().color(&INK))
        .margin(16)
        .margin_right(28)
        .x_label_area_size(56)
        .y_label_area_size(76)
        .build_cartesian_2d(0.0..last, 0.0..frame.top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(("sans-serif", 16).into_font().color(&INK))
        .axis_desc_style(("sans-serif", 18).into_font().color(&INK))
        .x_desc(frame.x)
        .y_desc(frame.y)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| if frame.percent { format!("{:.0} %", y * 100.0) } else { format!("{y:.0}") })
        .draw()?;
    for (line, colour) in lines.iter().zip(COLOURS.into_iter().cycle()) {
        series(&mut chart, line, colour)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(PAGE.mix(0.85))
        .border_style(GRID)
        .label_font(("sans-serif", 17).into_font().transform(FontTransform::None).color(&INK))
        .draw()?;
    area.present()?;
    Ok(())
}

/// One line with its band, and its entry in the legend.
fn series(chart: &mut Chart<'_, '_>, line: &Line, colour: RGBColor) -> Result<(), Box<dyn std::error::Error>> {
    if line.points.is_empty() {
        return Ok(());
    }
    let ends = || line.points.iter().zip(&line.band);
    let upper = ends().map(|((x, _), (_, high))| (*x, *high));
    let band: Vec<(f64, f64)> = upper.chain(ends().rev().map(|((x, _), (low, _))| (*x, *low))).collect();
    if !band.is_empty() {
        chart.draw_series(std::iter::once(Polygon::new(band, colour.mix(0.14))))?;
    }
    let stroke = colour.stroke_width(3);
    let points = line.points.iter().copied();
    if line.dashed {
        chart
            .draw_series(DashedLineSeries::new(points, DASH.0, DASH.1, stroke))?
            .label(&line.name)
            .legend(move |(x, y)| DashedPathElement::new([(x, y), (x + LEGEND, y)], DASH.0, DASH.1, stroke));
    } else {
        chart
            .draw_series(LineSeries::new(points, stroke))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + LEGEND, y)], stroke));
    }
    Ok(())
}

/// The end of the rate axis: the next tenth above everything drawn, at most 1.
fn top(curves: &Curves) -> f64 {
    let others = curves.others.iter().flat_map(|(_, points)| points);
    let high = |point: &Point| point.missed.wilson().expect("a window is never empty").high;
    let highest = curves.attack.iter().chain(&curves.baseline).chain(others).map(high).fold(0.0, f64::max);
    ((highest * 10.0).ceil() / 10.0).clamp(0.1, 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::stats::Share;
    use super::*;

    fn line(n: u64, hits: impl Fn(u64) -> u64) -> Vec<Point> {
        (50..n).map(|query| Point { query, missed: Share { hits: hits(query), of: 50 } }).collect()
    }

    fn svg(curves: &Curves) -> String {
        miss_rate_svg(curves, "sim/novice & <you>", ("ppo", "random")).expect("can be drawn").expect("has points")
    }

    #[test]
    fn labels_are_text_in_the_picture() {
        let curves = Curves { window: 50, attack: line(400, |q| q / 10), baseline: line(400, |_| 6), others: vec![] };
        let svg = svg(&curves);
        let texts = ["queries", "miss rate over the last 50 finished replies", "ppo", "random", "90 %", "300"];
        for text in texts {
            assert!(svg.lines().any(|line| line.trim() == text), "no `{text}` in {svg}");
        }
        assert!(svg.contains("sim/novice &amp; &lt;you&gt;"), "the title is escaped");
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn the_axis_ends_above_the_highest_band() {
        let curves = Curves { window: 50, attack: line(60, |_| 0), baseline: vec![], others: vec![] };
        assert_eq!(top(&curves), 0.1);
        assert!(!svg(&curves).lines().any(|line| line.trim() == "random"), "nothing drawn, nothing in the legend");
        let sure = Curves { attack: line(60, |_| 50), ..curves };
        assert_eq!(top(&sure), 1.0);
    }

    #[test]
    fn nothing_to_draw_is_no_picture() {
        let curves = Curves { window: 10, attack: vec![], baseline: vec![], others: vec![] };
        assert_eq!(miss_rate_svg(&curves, "", ("", "")).expect("no error"), None);
    }
}
