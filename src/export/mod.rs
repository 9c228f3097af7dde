//! Owns exports: items as tasks and data sets of other tools, requests as files of a batch, records as tables.
//!
//! Must not know models: all is made of items and records, and of the prompts that ask about them. What an export writes
//! depends on what goes in alone, byte for byte. A tool that loads one grades with `grade.py`, which is held against
//! `ask::judge` reply by reply.

pub mod folder;
mod grader;
pub mod hugging_face;
pub mod inspect;
pub mod lm_eval;
pub mod openai_batch;
pub mod question;
pub mod records;
mod table;

pub use grader::GRADER;
