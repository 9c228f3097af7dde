//! Owns the picture of the miss-rate curve, as an SVG.
//!
//! Must not know records. It is drawn on white, so that it reads on any page, in colours that the colour-blind tell
//! apart (Okabe and Ito 2008); the lines differ in their dashes too.

use super::curve::{Curves, Point};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::FontTransform;

/// Width and height, pixels.
const SIZE: (u32, u32) = (960, 480);
const ATTACK: RGBColor = RGBColor(213, 94, 0);
const BASELINE: RGBColor = RGBColor(0, 114, 178);
const INK: RGBColor = RGBColor(40, 40, 40);
/// Length of a dash and of the gap behind it, pixels.
const DASH: (u32, u32) = (8, 5);
/// Length of a line in the legend, pixels.
const LEGEND: i32 = 22;
const GRID: RGBColor = RGBColor(225, 225, 225);

/// The picture could not be drawn.
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

/// Draws the curves with their 95 % bands; `None` where there is no point to draw. `names` are those of the attack and
/// of the baseline in the legend.
pub fn miss_rate_svg(curves: &Curves, title: &str, names: (&str, &str)) -> Result<Option<String>, PlotError> {
    if curves.attack.is_empty() && curves.baseline.is_empty() {
        return Ok(None);
    }
    let mut svg = String::new();
    draw(curves, title, names, &mut svg).map_err(|error| PlotError::new("the miss-rate curve", &error.to_string()))?;
    Ok(Some(svg))
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn draw(curves: &Curves, title: &str, names: (&str, &str), svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 24).into_font().color(&INK))
        .margin(16)
        .margin_right(28)
        .x_label_area_size(56)
        .y_label_area_size(76)
        .build_cartesian_2d(0.0..last_query(curves), 0.0..top(curves))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(("sans-serif", 16).into_font().color(&INK))
        .axis_desc_style(("sans-serif", 18).into_font().color(&INK))
        .x_desc("queries")
        .y_desc(format!("miss rate over the last {} finished replies", curves.window))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{:.0} %", y * 100.0))
        .draw()?;
    series(&mut chart, &curves.attack, ATTACK, names.0, false)?;
    series(&mut chart, &curves.baseline, BASELINE, names.1, true)?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .label_font(("sans-serif", 17).into_font().transform(FontTransform::None).color(&INK))
        .draw()?;
    area.present()?;
    Ok(())
}

/// One curve with its band, and its line in the legend.
fn series(
    chart: &mut Chart<'_, '_>,
    points: &[Point],
    colour: RGBColor,
    name: &str,
    dashed: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    if points.is_empty() {
        return Ok(());
    }
    let at = |y: fn(&Point) -> f64| points.iter().map(move |point| (point.query as f64, y(point)));
    let band: Vec<(f64, f64)> = at(high).chain(at(low).rev()).collect();
    chart.draw_series(std::iter::once(Polygon::new(band, colour.mix(0.14))))?;
    let line = colour.stroke_width(3);
    if dashed {
        chart
            .draw_series(DashedLineSeries::new(at(rate), DASH.0, DASH.1, line))?
            .label(name)
            .legend(move |(x, y)| DashedPathElement::new([(x, y), (x + LEGEND, y)], DASH.0, DASH.1, line));
    } else {
        chart
            .draw_series(LineSeries::new(at(rate), line))?
            .label(name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + LEGEND, y)], line));
    }
    Ok(())
}

fn rate(point: &Point) -> f64 {
    point.missed.rate().expect("a window is never empty")
}

fn low(point: &Point) -> f64 {
    point.missed.wilson().expect("a window is never empty").low
}

fn high(point: &Point) -> f64 {
    point.missed.wilson().expect("a window is never empty").high
}

fn last_query(curves: &Curves) -> f64 {
    let last = [&curves.attack, &curves.baseline].into_iter().filter_map(|points| points.last());
    last.map(|point| point.query).max().unwrap_or(1).max(1) as f64
}

/// The end of the rate axis: the next tenth above everything drawn, at most 1.
fn top(curves: &Curves) -> f64 {
    let highest = curves.attack.iter().chain(&curves.baseline).map(high).fold(0.0, f64::max);
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
        let curves = Curves { window: 50, attack: line(400, |q| q / 10), baseline: line(400, |_| 6) };
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
        let curves = Curves { window: 50, attack: line(60, |_| 0), baseline: vec![] };
        assert_eq!(top(&curves), 0.1);
        assert!(!svg(&curves).lines().any(|line| line.trim() == "random"), "nothing drawn, nothing in the legend");
        let sure = Curves { attack: line(60, |_| 50), ..curves };
        assert_eq!(top(&sure), 1.0);
    }

    #[test]
    fn nothing_to_draw_is_no_picture() {
        let curves = Curves { window: 10, attack: vec![], baseline: vec![] };
        assert_eq!(miss_rate_svg(&curves, "", ("", "")).expect("no error"), None);
    }
}
