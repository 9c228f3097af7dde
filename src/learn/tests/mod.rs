//! The parts together: does it learn, does it repeat, and are its numbers those of other implementations?

mod identity;
mod reference;
mod repeat;
mod update;
