//! An attack with a progress of one's own: every miss is printed as it is found, and every round that was learned from.
//!
//! `cargo run --example attack_with_events`

#![allow(clippy::print_stdout)] // An example shows what it does.

use std::error::Error;
use std::sync::Arc;
use wasmweaver::job::attack;
use wasmweaver::job::connect::examinee;
use wasmweaver::job::events::{Event, Events, Stage};
use wasmweaver::job::runs::Place;
use wasmweaver::job::setting::Setting;
use wasmweaver::run::homes::Homes;
use wasmweaver::run::plan::{AttackPlan, Conditions};

/// Prints what happens. Events come one after the other, from any thread.
struct Printed;

impl Events for Printed {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Began(Stage::Attack { queries }) => println!("{queries} questions"),
            Event::Answered { record, spent } if record.answer.verdict.is_miss() => {
                println!("round {}: wrong on program {}, ${spent:.2} spent", record.round, record.index);
            }
            Event::Learned(round) => println!("round {}: {} cells have a miss", round.round, round.cells),
            Event::Note(text) => println!("{text}"),
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let homes = Homes::telling(|text| println!("{text}"));
    let setting = Setting { events: Arc::new(Printed), ..Setting::new(&homes) };
    let usual = attack::usual("stack", examinee("sim/unsigned-as-signed")?)?;
    let plan = AttackPlan { query_budget: 120, baseline: false, seed: 7, ..usual };
    let place = Place::Below(folder.path().into());
    let outcome = attack::run(&plan, &Conditions::default(), place, &setting).await?;
    let figures = outcome.figures;
    println!("{} of {} questions were misses; the run lies in {}", figures.misses, figures.queries, outcome.dir.name());
    Ok(())
}
