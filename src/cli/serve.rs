//! Owns `harness serve`: the simulated solvers and the guessers behind an OpenAI-compatible endpoint, for any client.

use super::{Failure, print_json, print_line, runtime, say};
use crate::ask::guess::learned::Learned;
use crate::ask::residents::Residents;
use crate::ask::serve::{Responder, Server};
use crate::item::record::Task;
use crate::job::connect::learn;
use crate::run::preset::Preset;
use crate::seed::Seed;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long open requests are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serve the simulated solvers and the guessers as an OpenAI-compatible endpoint, until Ctrl-C
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "IP:PORT")]
    addr: SocketAddr,
    /// Preset that `guess/learned` learns from first: a name in policies/, or a file; without one it is not served
    #[arg(long, value_name = "NAME|FILE")]
    preset: Option<String>,
    /// Print one JSON object: `{"base_url": ..., "models": [...]}`
    #[arg(long)]
    json: bool,
}

/// What a client needs to know.
#[derive(Serialize)]
struct Serving {
    base_url: String,
    models: Vec<String>,
}

impl Args {
    /// Serves until it is told to stop.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let residents = Arc::new(Residents { learned: self.learn()? });
        runtime()?.block_on(async {
            let models = residents.models();
            let server = Server::start(self.addr, residents).await.map_err(Failure::usage)?;
            let serving = Serving { base_url: server.base_url(), models };
            if self.json {
                print_json(&serving)?;
            } else {
                print_line(&format!("serving {} at {} (Ctrl-C ends it)", serving.models.join(", "), serving.base_url))?;
            }
            tokio::signal::ctrl_c().await?;
            // A client that holds its request back does not hold us back.
            tokio::select! {
                () = server.shutdown() => {}
                _ = tokio::signal::ctrl_c() => {}
                () = tokio::time::sleep(PATIENCE) => {}
            }
            Ok(())
        })
    }
    /// What `guess/learned` knows of the preset.
    fn learn(&self) -> Result<BTreeMap<Task, Learned>, Failure> {
        let Some(name) = &self.preset else { return Ok(BTreeMap::new()) };
        let preset = Preset::load(name).map_err(Failure::usage)?;
        let source = preset.source(&preset.loom().map_err(Failure::usage)?);
        Ok(learn(&[source], Seed::new(0), say)?)
    }
}
