//! Owns `harness serve`: the simulated solvers behind an OpenAI-compatible endpoint, for any client.

use super::{Failure, print_line, runtime};
use crate::ask::serve::Server;
use crate::ask::solver::Solvers;
use std::net::SocketAddr;
use std::sync::Arc;

/// Serve the simulated solvers as an OpenAI-compatible endpoint, until Ctrl-C
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "IP:PORT")]
    addr: SocketAddr,
}

impl Args {
    /// Serves until it is told to stop.
    pub fn run(&self) -> Result<(), Failure> {
        runtime()?.block_on(async {
            let server = Server::start(self.addr, Arc::new(Solvers)).await?;
            print_line(&format!("serving simulated solvers at {} (Ctrl-C ends it)", server.base_url()))?;
            tokio::signal::ctrl_c().await?;
            server.shutdown().await;
            Ok(())
        })
    }
}
