//! Owns bars: a share with its interval, as large as a word.
//!
//! Must not know what is measured. Colours are the style sheet's, so that they fit light and dark.

use super::super::stats::Interval;
use super::html::{Html, escaped};

/// Width of a bar from 0 to 1, pixels.
const WIDTH: f64 = 160.0;
/// Space on either side, so that the end of an interval at 1 is seen.
const MARGIN: f64 = 2.0;

/// A share in `[0, 1]` with its interval, if it has one; `said` is its text for screen readers.
pub fn interval(share: f64, interval: Option<Interval>, said: &str) -> Html {
    let x = |share: f64| MARGIN + WIDTH * share.clamp(0.0, 1.0);
    let whisker = interval.map_or(String::new(), |Interval { low, high }| {
        let (low, high) = (x(low), x(high));
        format!(r#"<path class="whisker" d="M{low:.1} 8H{high:.1}M{low:.1} 4.5V11.5M{high:.1} 4.5V11.5"/>"#)
    });
    Html::trusted(format!(
        r#"<svg class="bar" viewBox="0 0 164 16" width="164" height="16" role="img" aria-label="{}"><path class="track" d="M2 8H162"/><rect class="share" x="2" y="3" width="{:.1}" height="10"/>{whisker}</svg>"#,
        escaped(said),
        x(share) - MARGIN,
    ))
}

/// A difference in `[-1, 1]` with its interval, to the left and right of zero.
pub fn difference(estimate: f64, interval: Interval, said: &str) -> Html {
    let x = |difference: f64| MARGIN + WIDTH * (0.5 + 0.5 * difference.clamp(-1.0, 1.0));
    let (low, high, at) = (x(interval.low), x(interval.high), x(estimate));
    Html::trusted(format!(
        r#"<svg class="bar" viewBox="0 0 164 16" width="164" height="16" role="img" aria-label="{}"><path class="track" d="M2 8H162M82 2V14"/><path class="whisker" d="M{low:.1} 8H{high:.1}M{low:.1} 4.5V11.5M{high:.1} 4.5V11.5"/><circle class="estimate" cx="{at:.1}" cy="8" r="3"/></svg>"#,
        escaped(said),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_within_their_track() {
        let bar = interval(0.5, Some(Interval { low: 0.25, high: 1.5 }), "half \"of\" all").to_string();
        assert!(bar.contains(r#"width="80.0""#) && bar.contains("M42.0 8H162.0"), "{bar}");
        assert!(bar.contains("half &quot;of&quot; all"));
        let bar = difference(-0.5, Interval { low: -1.0, high: 0.0 }, "").to_string();
        assert!(bar.contains(r#"cx="42.0""#) && bar.contains("M2.0 8H82.0"), "{bar}");
    }
}
