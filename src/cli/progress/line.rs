//! Owns one progress line on stderr, which always fits the terminal: what is told last is cut where there is no room.
//!
//! Must not know what goes on.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// A line.
#[derive(Clone)]
pub(crate) struct Line {
    /// The bar, for its numbers; what it says goes through [`Line::tell`].
    pub bar: ProgressBar,
    /// What is told, and what goes wrong.
    told: Arc<Mutex<(String, String)>>,
}

impl Line {
    /// To so many, if that is known. Beside indicatif's keys the template may have `{rate}`, a speed without needless digits;
    /// `{wide_msg}`, at its end, is what is told.
    pub(crate) fn new(total: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let speed = |state: &ProgressState, text: &mut dyn Write| {
            // Text takes what is written to it.
            let _ = text.write_str(&rate(state.per_sec()));
        };
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        bar.set_style(style.with_key("rate", speed));
        Self { bar, told: Arc::default() }
    }

    /// Says how it goes.
    pub(crate) fn tell(&self, text: String) {
        self.change(|told| told.0 = text);
    }

    /// Says what goes wrong, behind how it goes; nothing if the text is empty.
    pub(crate) fn warn(&self, text: String) {
        self.change(|told| told.1 = text);
    }

    fn change(&self, change: impl FnOnce(&mut (String, String))) {
        // Two texts are whole whatever became of who held them.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut told);
        let (text, trouble) = &*told;
        self.bar.set_message(if trouble.is_empty() { text.clone() } else { format!("{text} ({trouble})") });
    }

    /// How it goes.
    pub(crate) fn told(&self) -> String {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// How many are done, and of how many.
    pub(crate) fn done(&self) -> (u64, u64) {
        (self.bar.position(), self.bar.length().unwrap_or(0))
    }

    /// Takes it away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// `12.8/s`, `1280/s`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second < 100.0 { format!("{per_second:.1}/s") } else { format!("{per_second:.0}/s") }
}

#[cfg(test)]
mod tests {
    use super::super::ASKING;
    use super::*;
    use indicatif::TermLike;

    /// A terminal of 80 columns that remembers what was written.
    #[derive(Clone, Debug, Default)]
    struct Narrow(Arc<Mutex<Vec<String>>>);

    impl Narrow {
        fn write(&self, text: &str) -> std::io::Result<()> {
            self.0.lock().expect("nobody panics").push(text.to_owned());
            Ok(())
        }
    }

    impl TermLike for Narrow {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> std::io::Result<()> {
            self.write(text)
        }
        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.write(text)
        }
        fn clear_line(&self) -> std::io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_fits_at_all_times() {
        let screen = Narrow::default();
        let line = Line::new(Some(1_000_000_000), ASKING);
        line.bar.set_draw_target(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        for at in [0, 7, 123_456_789, 999_999_999] {
            line.bar.set_position(at);
            line.tell("missed 100 % (random 100 %), $1234.56".into());
            line.warn("waiting 30 s as the provider wants, 12 retries, 3 at once: the provider is overloaded".into());
            line.bar.force_draw();
        }
        let drawn = screen.0.lock().expect("nobody panics");
        assert!(drawn.iter().any(|text| text.contains("123456789/1000000000, ")), "{drawn:?}");
        assert!(drawn.iter().all(|text| text.chars().count() <= 80), "{drawn:?}");
    }

    #[test]
    fn what_matters_fits_the_usual_line() {
        let screen = Narrow::default();
        let line = Line::new(Some(2000), ASKING);
        line.bar.set_draw_target(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        line.tell("missed 54 % (random 12 %), $12.34".into());
        line.bar.force_draw();
        let drawn = screen.0.lock().expect("nobody panics").concat();
        assert!(drawn.contains("missed 54 % (random 12 %), $12.34"), "{drawn:?}");
        assert_eq!([12.829_2, 99.97, 1280.4].map(rate), ["12.8/s", "100.0/s", "1280/s"]);
    }
}
