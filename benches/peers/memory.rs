//! Owns whether memory stays flat while one weaver weaves program after program.
//!
//! Must not know what the programs are.

use crate::Options;
use crate::figure::Figure;
use crate::programs::{Loop, straight_loom};
use wasmweaver::weave::chance::Chance;

const PROGRAMS: u64 = 300_000;
const PROGRAMS_IN_FULL: u64 = 10_000_000;

/// Resident kilobytes of this process; Linux tells.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

pub(crate) fn measure(options: &Options) -> Vec<Figure> {
    let (loom, preset) = straight_loom();
    let mut woven = Loop::new(loom, Chance::Actions);
    let programs = if options.full { PROGRAMS_IN_FULL } else { PROGRAMS };
    let mut seen = Vec::new();
    for done in 1..=programs {
        std::hint::black_box(woven.next());
        if [programs / 10, programs / 2, programs].contains(&done) {
            seen.push(resident());
        }
    }
    let [Some(early), Some(middle), Some(late)] = seen[..] else {
        println!("memory: this system does not tell how much is resident");
        return Vec::new();
    };
    vec![Figure {
        name: "memory_growth".into(),
        value: 100.0 * (late - early) / early,
        core: None,
        unit: "%",
        preset,
        detail: format!(
            "{programs} programs on one weaver; resident at 10 %, 50 %, 100 %: {early:.0}, {middle:.0}, {late:.0} kB"
        ),
        limit: "under 1 % is flat",
        target: None,
    }]
}
