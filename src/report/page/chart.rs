//! Owns pictures drawn by a library as parts of a page, and the colours in which they are to be drawn there.
//!
//! Must not know what they show. The library writes colours into the picture; the style sheet knows those below by their
//! numbers and puts others in their place, so that one picture reads on a light and on a dark page.

use super::html::{Html, escaped};
use plotters::style::RGBColor;

/// The page. What is white in a picture takes the colour of the page.
pub const PAGE: RGBColor = RGBColor(255, 255, 255);
/// Text and axes.
pub const INK: RGBColor = RGBColor(40, 40, 40);
/// Text that matters less.
pub const FAINT: RGBColor = RGBColor(120, 120, 120);
/// Lines behind the figures.
pub const GRID: RGBColor = RGBColor(225, 225, 225);
/// The first of the colours that the colour-blind tell apart (Okabe and Ito 2008): vermilion, for what the page is about.
pub const FIRST: RGBColor = RGBColor(213, 94, 0);
/// Blue, for what it is held against.
pub const SECOND: RGBColor = RGBColor(0, 114, 178);
/// Green.
pub const THIRD: RGBColor = RGBColor(0, 158, 115);
/// Purple.
pub const FOURTH: RGBColor = RGBColor(204, 121, 167);
/// Orange.
pub const FIFTH: RGBColor = RGBColor(230, 159, 0);

/// A picture as plotters writes it, as part of a page: as wide as its column, with what it says for those who cannot see
/// it. `svg` must be this program's own.
pub fn picture(svg: &str, said: &str) -> Html {
    let start = svg.find("<svg").unwrap_or(0);
    let end = svg[start..].find('>').map_or(svg.len(), |end| start + end);
    let size = attribute(&svg[start..end], "viewBox").unwrap_or("0 0 960 480");
    let rest = svg.get(end + 1..).unwrap_or_default();
    Html::trusted(format!(
        r#"<div class="picture"><svg class="chart" viewBox="{size}" role="img" aria-label="{}">{rest}</div>"#,
        escaped(said)
    ))
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    tag[start..].split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_fits_its_column() {
        use plotters::prelude::*;
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (300, 100)).into_drawing_area();
        area.fill(&PAGE).expect("draws");
        area.present().expect("draws");
        drop(area);
        let picture = picture(&svg, "nothing & more").to_string();
        assert!(picture.contains(r#"viewBox="0 0 300 100" role="img" aria-label="nothing &amp; more">"#), "{picture}");
        assert!(picture.contains(r##"fill="#FFFFFF""##), "the style sheet knows white by this: {picture}");
        assert!(!picture.contains("<?xml") && picture.ends_with("</svg>\n</div>"), "{picture}");
    }
}
