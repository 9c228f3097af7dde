//! Owns the names of solvers: `sim/NAME(=K)?(+NAME(=K)?)*(+noise=P)?`.
//!
//! Must not know what a misconception does. Every name comes from the tables, so that what is listed is what is read.

use super::misconception::{MAX_NUMBER, Misconception, Misconceptions, NAMED, TABLE};
use super::simulated::Solver;
use std::fmt;
use std::str::FromStr;

/// The provider's prefix; at the endpoint itself it may be left out.
const PREFIX: &str = "sim/";

/// A name that names no solver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SolverNameError {
    /// A part that is not known.
    #[error(
        "there is no simulated solver `{PREFIX}{given}`: `{part}` is none of {known}; combine with `+`, as in \
         `{PREFIX}no-wrap+unsigned-as-signed+noise=0.05`"
    )]
    Unknown {
        /// The whole name, without its prefix.
        given: String,
        /// The part.
        part: String,
        /// All names that would do.
        known: String,
    },
    /// A part that stands there twice.
    #[error("the solver `{PREFIX}{given}` names `{part}` twice; leave one out")]
    Repeated {
        /// The whole name, without its prefix.
        given: String,
        /// The part.
        part: String,
    },
    /// A number that a misconception cannot be counted with.
    #[error("the solver `{PREFIX}{given}` has `{part}`; write a whole number from 1 to {MAX_NUMBER} behind the `=`")]
    Number {
        /// The whole name, without its prefix.
        given: String,
        /// The part.
        part: String,
    },
    /// A noise that is no probability.
    #[error("the solver `{PREFIX}{given}` has `{part}`; write a number from 0 to 1, as in `noise=0.05`")]
    Noise {
        /// The whole name, without its prefix.
        given: String,
        /// The part.
        part: String,
    },
}

impl FromStr for Solver {
    type Err = SolverNameError;

    /// Reads `sim/no-wrap+unsigned-as-signed+noise=0.05`, with or without `sim/`. Noise that is given replaces that of
    /// a named solver: `sim/novice+noise=0` makes no slips.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let given = name.strip_prefix(PREFIX).unwrap_or(name);
        let mut solver = Self::ORACLE;
        let mut noise = None;
        let parts: Vec<&str> = given.split('+').collect();
        for (index, &part) in parts.iter().enumerate() {
            let owned = || (given.to_owned(), part.to_owned());
            let stem = part.split('=').next();
            if parts[..index].iter().any(|earlier| earlier.split('=').next() == stem) {
                let (given, part) = owned();
                return Err(SolverNameError::Repeated { given, part });
            }
            if let Some(text) = part.strip_prefix("noise=") {
                let probability = text.parse().ok().filter(|p| (0.0..=1.0).contains(p));
                let (given, part) = owned();
                noise = Some(probability.ok_or(SolverNameError::Noise { given, part })?);
            } else if let Some(named) = Solver::named(part) {
                solver.misconceptions = solver.misconceptions.union(named.misconceptions);
                solver.noise = solver.noise.max(named.noise);
            } else if let Some((counted, number)) = counted(part) {
                let set = number.parse().ok().and_then(|number| Misconceptions::counted(counted, number));
                let (given, part) = owned();
                let set = set.ok_or(SolverNameError::Number { given, part })?;
                solver.misconceptions = solver.misconceptions.union(set);
            } else {
                let (given, part) = owned();
                return Err(SolverNameError::Unknown { given, part, known: known() });
            }
        }
        solver.noise = noise.unwrap_or(solver.noise);
        Ok(solver)
    }
}

impl Solver {
    /// The solver of one name, without combinations.
    fn named(name: &str) -> Option<Self> {
        let whole = NAMED.iter().find(|named| named.name == name);
        let whole = whole.map(|named| Self { misconceptions: named.misconceptions, noise: named.noise });
        let single = || TABLE.iter().find(|row| row.name == name).map(|row| row.misconception);
        whole.or_else(|| Some(Self { misconceptions: Misconceptions::of(&[single()?]), noise: 0.0 }))
    }
}

/// The misconception of `NAME=K`, if it is counted, and what stands for K.
fn counted(part: &str) -> Option<(Misconception, &str)> {
    let (name, number) = part.split_once('=')?;
    let row = TABLE.iter().find(|row| row.name == name && row.parameter.is_some())?;
    Some((row.misconception, number))
}

/// The solver's name, written out: `sim/oracle`, `sim/no-wrap+noise=0.05`. Reads back to the same solver.
impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |one: Misconception| {
            let number =
                self.misconceptions.number(one).filter(|_| self.misconceptions.number(one) != one.row().parameter);
            number.map_or(one.row().name.to_owned(), |number| format!("{}={number}", one.row().name))
        };
        let mut parts: Vec<String> = self.misconceptions.iter().map(part).collect();
        if parts.is_empty() {
            parts.push("oracle".into());
        }
        if self.noise > 0.0 {
            parts.push(format!("noise={}", self.noise));
        }
        write!(f, "{PREFIX}{}", parts.join("+"))
    }
}

/// A solver that has a name, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Documented {
    /// Its name with the prefix.
    pub name: String,
    /// What it does, in a sentence or two.
    pub description: String,
    /// The smallest module that it answers wrong, as WAT, and its instructions, for those with a single misconception.
    pub witness: Option<(&'static str, u32)>,
}

/// Every solver with a name of its own, then every single misconception: what `harness models sim/` lists.
pub fn documented() -> Vec<Documented> {
    let named = NAMED.iter().map(|named| {
        let stands_for = Solver { misconceptions: named.misconceptions, noise: named.noise };
        let written_out =
            if named.misconceptions.is_empty() { String::new() } else { format!(" It is `{stands_for}`.") };
        let description = format!("{}{written_out}", named.description);
        Documented { name: format!("{PREFIX}{}", named.name), description, witness: None }
    });
    let single = TABLE.iter().map(|row| Documented {
        name: format!("{PREFIX}{}", row.name),
        description: match row.parameter {
            Some(own) => format!("{} K is {own}; `{PREFIX}{}=K` gives another.", row.description, row.name),
            None => row.description.into(),
        },
        witness: Some((row.witness, row.instructions)),
    });
    named.chain(single).collect()
}

fn known() -> String {
    let names = NAMED.iter().map(|named| named.name.to_owned()).chain(TABLE.iter().map(|row| match row.parameter {
        Some(_) => format!("{}[=K]", row.name),
        None => row.name.to_owned(),
    }));
    names.chain(["noise=P".to_owned()]).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::misconception::Misconception::{NoWrap, UnsignedAsSigned};
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        let read = |name: &str| name.parse::<Solver>().expect(name);
        let combined = read("sim/no-wrap+unsigned-as-signed+noise=0.05");
        let both = Misconceptions::of(&[NoWrap, UnsignedAsSigned]);
        assert_eq!(combined, Solver { misconceptions: both, noise: 0.05 });
        assert_eq!(read("oracle"), Solver::ORACLE);
        assert_eq!(read("sim/noise=0.5+oracle"), Solver { noise: 0.5, ..Solver::ORACLE });
        assert_eq!(read("sim/novice+noise=0").noise, 0.0);
        for documented in documented() {
            let solver = read(&documented.name);
            assert_eq!(read(&solver.to_string()), solver, "{solver}");
            assert!(documented.description.ends_with('.'), "{}", documented.description);
        }
        assert_eq!(combined.to_string(), "sim/no-wrap+unsigned-as-signed+noise=0.05");
        for (name, written) in [
            ("stack-forgotten=2+loops-capped=7", "sim/loops-capped=7+stack-forgotten=2"),
            ("loops-capped=3", "sim/loops-capped"),
            (
                "novice+loops-capped=2",
                "sim/no-wrap+unsigned-as-signed+shift-unmasked+f32-as-f64+loops-once+loops-capped=2+noise=0.01",
            ),
        ] {
            assert_eq!((read(name).to_string().as_str(), read(written)), (written, read(name)));
        }
    }

    #[test]
    fn what_names_nobody_is_refused_with_what_would_do() {
        let refused = |name: &str| name.parse::<Solver>().expect_err(name).to_string();
        for name in ["sim/", "sim/wrap", "sim/no-wrap+", "sim/no-wrap noise=1", "", "sim/sim/oracle", "sim/Novice"] {
            let error = refused(name);
            assert!(error.contains("oracle, novice, no-wrap") && error.contains("noise=0.05"), "{error}");
        }
        assert!(refused("sim/no-wrap+no-wrap").contains("twice"));
        assert!(refused("sim/noise=0+noise=1").contains("twice"));
        assert!(refused("sim/loops-capped+loops-capped=4").contains("twice"));
        assert!(refused("sim/no-wrap=3").contains("`no-wrap=3` is none of"));
        for number in ["0", "-1", "", "x", "1.5", "1000001", "99999999999"] {
            assert!(refused(&format!("sim/loops-capped={number}")).contains("from 1 to 1000000"), "{number}");
        }
        for noise in ["2", "-0.1", "NaN", "", "x"] {
            assert!(refused(&format!("sim/oracle+noise={noise}")).contains("from 0 to 1"), "{noise}");
        }
    }
}
