//! One integration binary: what holds of the whole, not of one module.

mod tidy;
