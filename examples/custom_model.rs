//! A model of one's own in place of HTTP: anything that answers a conversation. This one reads short programs without a
//! mistake, and gives up on long ones; an evaluation shows what that is worth.
//!
//! `cargo run --example custom_model`

#![allow(clippy::print_stdout)] // An example shows what it does.

use std::error::Error;
use std::sync::Arc;
use wasmweaver::ask::chat::{BoxFuture, ChatError, ChatErrorKind, ChatModel, ChatReply, ChatRequest};
use wasmweaver::job::eval::asked::Selection;
use wasmweaver::job::eval::{self, Evaluation};
use wasmweaver::job::runs::Place;
use wasmweaver::job::setting::Setting;
use wasmweaver::run::homes::Homes;
use wasmweaver::run::plan::{Conditions, Examinee};
use wasmweaver::{Prompts, Solver, Task};

/// Reads programs up to so many lines.
struct Patient {
    lines: usize,
    reader: Solver,
}

impl ChatModel for Patient {
    fn ask<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatReply, ChatError>> {
        Box::pin(async move {
            let lines: usize = request.messages.iter().map(|message| message.content.lines().count()).sum();
            let reply = if lines > self.lines {
                "That is too long for me.".into()
            } else {
                let read = self.reader.reply(&request.messages, None);
                read.map_err(|error| ChatError::new(ChatErrorKind::BadRequest, error.to_string()))?
            };
            Ok(ChatReply::text(reply))
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let homes = Homes::telling(|text| println!("{text}"));
    let patient = Patient { lines: 200, reader: "sim/oracle".parse()? };
    let setting = Setting::new(&homes).answered_by("mine/patient", Arc::new(patient));
    let selection =
        Selection { tasks: vec![Task::Stack, Task::Result], limit: Some(20), ..Selection::of_suite("smoke") };
    let evaluation = Evaluation::new(selection, vec![Examinee::named("mine/patient")], Prompts::default(), 1, &homes)?;
    let place = Place::Below(folder.path().into());
    let outcome = eval::run(&evaluation, &Conditions::default(), place, &setting).await?;
    for row in &outcome.figures.rows {
        println!("{} at {}: {:.0} % right", row.model, row.task, 100.0 * row.accuracy_strict.unwrap_or_default());
    }
    Ok(())
}
