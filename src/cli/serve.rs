//! Owns `harness serve`: the simulated solvers behind an OpenAI-compatible endpoint, for any client.

use super::{Failure, print_json, print_line, runtime};
use crate::ask::serve::{Responder, Server};
use crate::ask::solver::Solvers;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long open requests are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serve the simulated solvers as an OpenAI-compatible endpoint, until Ctrl-C
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "IP:PORT")]
    addr: SocketAddr,
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
    pub fn run(&self) -> Result<(), Failure> {
        runtime()?.block_on(async {
            let server = Server::start(self.addr, Arc::new(Solvers)).await.map_err(Failure::usage)?;
            let serving = Serving { base_url: server.base_url(), models: Solvers.models() };
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
}
