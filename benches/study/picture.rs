//! Owns the picture of the study: what each strategy had found after so many queries.

use super::attack::{BUDGET, STEP};
use super::page::{Count, Study};
use plotters::prelude::*;
use plotters::style::Color;
use wasmweaver::report::bands::{Band, band};
use wasmweaver::seed::Seed;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const SIZE: (u32, u32) = (1200, 520);
/// In the order of the strategies; told apart by those who see no red and green as well (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(213, 94, 0),
    RGBColor(230, 159, 0),
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);
/// Length of a line in the legend, pixels.
const LEGEND: i32 = 22;

/// Two panels: unique failures on rare misconceptions, and cells on all solvers.
pub(super) fn draw(study: &Study<'_>, strategies: &[&str]) -> Outcome<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let panels = area.split_evenly((1, 2));
        let (rare, all) = (study.rare(), &study.solvers);
        let left = curves(study, strategies, &rare, Count::Unique);
        panel(&panels[0], "unique failures, rare misconceptions", strategies, &left)?;
        panel(
            &panels[1],
            "cells with a failure, all solvers",
            strategies,
            &curves(study, strategies, all, Count::Cells),
        )?;
        area.present()?;
    }
    Ok(svg)
}

/// By strategy: (queries, what was found).
type Curves = Vec<Vec<(f64, Band)>>;

fn curves(study: &Study<'_>, strategies: &[&str], solvers: &[&str], count: Count) -> Curves {
    let at = |strategy: &str, queries: u64| {
        let found = band(&study.scores(strategy, solvers, count, queries), Seed::new(0))?;
        Some((queries as f64, found))
    };
    let of = |strategy: &&str| (1..=BUDGET / STEP).filter_map(|step| at(strategy, step * STEP)).collect();
    strategies.iter().map(of).collect()
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    title: &str,
    strategies: &[&str],
    curves: &Curves,
) -> Outcome<()> {
    let top = curves.iter().flatten().map(|(_, band)| band.interval.high).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20).into_font().color(&INK))
        .margin(14)
        .x_label_area_size(50)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..BUDGET as f64, 0.0..1.05 * top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(("sans-serif", 15).into_font().color(&INK))
        .x_desc("queries")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()?;
    for ((strategy, curve), colour) in strategies.iter().zip(curves).zip(COLOURS) {
        let low = curve.iter().rev().map(|(x, band)| (*x, band.interval.low));
        let outline: Vec<(f64, f64)> = curve.iter().map(|(x, band)| (*x, band.interval.high)).chain(low).collect();
        chart.draw_series(std::iter::once(Polygon::new(outline, colour.mix(0.12))))?;
        chart
            .draw_series(LineSeries::new(curve.iter().map(|(x, band)| (*x, band.estimate)), colour.stroke_width(3)))?
            .label(*strategy)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + LEGEND, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .label_font(("sans-serif", 15).into_font().color(&INK))
        .draw()?;
    Ok(())
}
