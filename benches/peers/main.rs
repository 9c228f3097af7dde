//! How fast is it, and against whom? Runs everything in one process and one thread (`generate` on two) and prints a
//! table and, last, one JSON line: `cargo bench --bench peers`. `-- --full` holds memory flat over ten million programs;
//! `-- --only NAME` measures the parts whose name starts so.
//!
//! Every figure is the best of several repetitions by the wall clock, after a warm-up. Compare figures within one run:
//! the ratios are what carries over to another machine.

#![allow(clippy::print_stdout)] // A bench prints what it measures.

mod figure;
mod foreign;
mod generate;
mod memory;
mod programs;
mod smith;
mod steps;

use figure::{Figure, print_all};

/// As in the `harness` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the command line asks for.
struct Options {
    full: bool,
    only: Option<String>,
}

impl Options {
    fn read() -> Self {
        let mut options = Self { full: false, only: None };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--full" => options.full = true,
                "--only" => options.only = Some(args.next().expect("--only takes the start of a name")),
                // What cargo itself adds.
                "--bench" => {}
                other => panic!("no such option: {other}; there are --full and --only NAME"),
            }
        }
        options
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| name.starts_with(only))
    }
}

/// A part of the bench.
type Part = fn(&Options) -> Vec<Figure>;

const PARTS: [(&str, Part); 7] = [
    ("straight", programs::straight),
    ("everything", programs::everything),
    ("smith", smith::measure),
    ("wasmi", foreign::measure),
    ("steps", steps::measure),
    ("generate", generate::measure),
    ("memory", memory::measure),
];

fn main() {
    let options = Options::read();
    let mut figures = Vec::new();
    for (name, part) in PARTS {
        if options.wants(name) {
            eprintln!("{name} ...");
            figures.extend(part(&options));
        }
    }
    print_all(&figures);
}
