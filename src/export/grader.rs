//! Owns the grader of exported tasks.
//!
//! Must not know what is exported. `grade.py` is held against [`judge`](crate::ask::judge) reply by reply.

/// The grader that stands beside exported tasks: Python, standard library alone.
pub const GRADER: &str = include_str!("grade.py");
