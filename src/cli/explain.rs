//! stub
#[derive(Debug, clap::Args)]
pub struct Args {}
impl Args { pub fn run(&self) -> Result<(), super::Failure> { Ok(()) } }
