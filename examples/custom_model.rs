//! A model of one's own in place of HTTP: anything that answers a conversation. This one reads no program; it says that
//! every value is zero, and an evaluation shows how far that gets it.
//!
//! `cargo run --example custom_model`

#![allow(clippy::print_stdout)] // An example shows what it does.

use std::error::Error;
use std::sync::Arc;
use wasmweaver::ask::chat::{BoxFuture, ChatError, ChatModel, ChatReply, ChatRequest};
use wasmweaver::job::eval::asked::Selection;
use wasmweaver::job::eval::{self, Evaluation};
use wasmweaver::job::runs::Place;
use wasmweaver::job::setting::Setting;
use wasmweaver::run::homes::Homes;
use wasmweaver::run::plan::{Conditions, Examinee};
use wasmweaver::{Prompts, Task};

/// Says that there is one zero.
struct Zero;

impl ChatModel for Zero {
    fn ask<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatReply, ChatError>> {
        Box::pin(async move {
            let asked = request.messages.last().map_or("", |message| &message.content);
            let key = if asked.contains("return_values") { "return_values" } else { "stack_values" };
            Ok(ChatReply::text(format!(r#"<OUTPUT>{{"{key}": [0]}}</OUTPUT>"#)))
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let homes = Homes::telling(|text| println!("{text}"));
    let setting = Setting::new(&homes).answered_by("mine/zero", Arc::new(Zero));
    let selection =
        Selection { tasks: vec![Task::Stack, Task::Result], limit: Some(20), ..Selection::of_suite("smoke") };
    let evaluation = Evaluation::new(selection, vec![Examinee::named("mine/zero")], Prompts::default(), 1, &homes)?;
    let place = Place::Below(folder.path().into());
    let outcome = eval::run(&evaluation, &Conditions::default(), place, &setting).await?;
    for row in &outcome.figures.rows {
        println!("{} at {}: {:.0} % right", row.model, row.task, 100.0 * row.accuracy_strict.unwrap_or_default());
    }
    Ok(())
}
