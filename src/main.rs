//! The `harness` binary: everything is in the library.

use std::process::ExitCode;

/// candle's updates are several times slower with the system allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    wasmweaver::cli::main()
}
