//! Weaves programs, asks three simulated models what each leaves on its stack, and judges the replies.
//!
//! `cargo run --example weave_and_ask`

#![allow(clippy::print_stdout)] // An example shows what it does.

use std::error::Error;
use wasmweaver::{ChatReply, Preset, Prompts, Seed, Solver, Verdict, judge};

/// Programs that are asked about.
const PROGRAMS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let preset = Preset::load("stack")?;
    let items = preset.source(&preset.loom()?).items(Seed::new(7), PROGRAMS)?;
    let truth = serde_json::to_string(&items[0].truth)?;
    println!("{}\nThe truth, confirmed by wasmtime: {truth}\n", items[0].program);
    let prompts = Prompts::default();
    for name in ["sim/oracle", "sim/novice", "sim/no-wrap+noise=0.2"] {
        let solver: Solver = name.parse()?;
        let mut right = 0;
        for item in &items {
            let messages = prompts.of(item.task).render(item)?;
            let reply = ChatReply::text(solver.reply(&messages, None)?);
            right += usize::from(judge(&reply, &item.truth).verdict == Verdict::Correct);
        }
        println!("{name} is right about {right} of {PROGRAMS}");
    }
    Ok(())
}
