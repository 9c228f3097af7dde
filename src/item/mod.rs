//! Owns questions: what is asked about a program, its exact answer, and the record that is kept of the reply.
//!
//! Must not know who answers: a question is the same whether a person, a simulated solver or a model is asked.

pub mod edit;
pub mod halt;
pub mod inspect;
pub mod make;
pub mod message;
pub mod record;
pub mod source;
pub mod stream;
pub mod task;
pub mod verify;
