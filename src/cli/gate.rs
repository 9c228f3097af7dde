//! Owns gates: figures held against a threshold, for scripts that go by exit codes.
//!
//! Must not know where figures come from. A figure that is not known passes no gate.

use super::Failure;

/// Why nothing is known of a run that did not come to its end.
pub(super) const STOPPED: &str = "the run was stopped before its end";

/// A threshold and its flag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    flag: &'static str,
    threshold: f64,
    /// Whether figures must be at least the threshold, else at most.
    at_least: bool,
}

impl Gate {
    pub(super) fn at_least(flag: &'static str, threshold: f64) -> Self {
        Self { flag, threshold, at_least: true }
    }

    pub(super) fn at_most(flag: &'static str, threshold: f64) -> Self {
        Self { flag, threshold, at_least: false }
    }

    /// Says in one sentence what misses the threshold: who, `is right` or `is wrong`, how often, or why that is unknown.
    pub(super) fn judge(
        &self,
        who: &str,
        what: &str,
        figure: Option<f64>,
        unknown: Option<&str>,
    ) -> Result<(), Failure> {
        let Self { flag, threshold, at_least } = *self;
        let problem = match figure {
            Some(figure) if (at_least && figure >= threshold) || (!at_least && figure <= threshold) => return Ok(()),
            Some(figure) => {
                let side = if at_least { "below" } else { "above" };
                format!(
                    "{who} {what} on {:.1} %, {side} {:.1} % ({flag} {threshold})",
                    100.0 * figure,
                    100.0 * threshold
                )
            }
            None => {
                let why = unknown.unwrap_or("there is no reply to tell it from");
                format!("how often {who} {what} is not known: {why} ({flag} {threshold})")
            }
        };
        Err(Failure::Missed(anyhow::anyhow!(problem)))
    }
}

/// A share on the command line.
pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share from 0 to 1, such as 0.8".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(gate: Gate, figure: Option<f64>) -> String {
        match gate.judge("a/b", "is right", figure, None) {
            Ok(()) => String::new(),
            Err(Failure::Missed(error)) => error.to_string(),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_gate_says_what_misses_it() {
        let (least, most) = (Gate::at_least("--fail-below", 0.8), Gate::at_most("--fail-miss-above", 0.2));
        assert_eq!(said(least, Some(0.8)), "");
        assert_eq!(said(least, Some(0.799)), "a/b is right on 79.9 %, below 80.0 % (--fail-below 0.8)");
        assert_eq!(said(most, Some(0.2)), "");
        assert_eq!(said(most, Some(0.25)), "a/b is right on 25.0 %, above 20.0 % (--fail-miss-above 0.2)");
        assert!(said(least, None).starts_with("how often a/b is right is not known: there is no reply"));
    }

    #[test]
    fn shares_are_from_0_to_1() {
        assert_eq!((share("0"), share("1"), share("0.25")), (Ok(0.0), Ok(1.0), Ok(0.25)));
        assert!(["-0.1", "1.01", "80", "80%", "nan", ""].iter().all(|text| share(text).is_err()));
    }
}
