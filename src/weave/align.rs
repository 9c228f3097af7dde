//! Owns likeness: how close programs come to the real world in the instructions that they are made of.
//!
//! Must not know rewards. What real code consists of stands in [`mod@reference`], counted from the modules that
//! `reference_sources.tsv` lists; what programs consist of is counted by [`tally`]; how far apart two such histograms are
//! says [`divergence`]; whole corpora become the same kind of file in [`profile`]. Histograms are of instructions as they
//! are written down, not as often as they run, since that is how the reference was counted.

pub mod divergence;
pub mod profile;
pub mod reference;
pub mod tally;

mod grams;

pub use grams::{Bucket, CLASSES, TRIGRAMS, class_of};

#[cfg(test)]
mod tests;
