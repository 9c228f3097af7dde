//! The tests that hold the crate against programs that others wrote.

mod asking;
mod numeric;
