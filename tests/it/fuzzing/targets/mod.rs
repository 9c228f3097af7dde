//! Owns what fuzzing feeds: each target takes any bytes, and panics if something that is promised does not hold for them.
//!
//! Must not know where the bytes come from, libFuzzer (`fuzz/`) or the tests beside: both include this folder, so that no
//! target stands twice. Only the public names of the library are used.

mod inspect;
mod judge;
mod modules;
mod smith;
mod solver;
mod weave;

use arbitrary::Unstructured;
use serde_json::json;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use wasmweaver::run::evidence::Evidence;
use wasmweaver::weave::weaver::Weaver;

/// Makes what it tests of the bytes, leaves what there is of it at hand, and says whether the bytes led to what the target
/// is about.
type Body = fn(&mut Unstructured<'_>, &mut AtHand) -> arbitrary::Result<bool>;

const TARGETS: [(&str, Body); 5] = [
    ("weave", weave::weave),
    ("judge", judge::judge_any),
    ("modules", modules::modules),
    ("solver", solver::solver),
    ("inspect", inspect::inspect_any),
];

/// All bytes that are left.
fn rest<'a>(bytes: &mut Unstructured<'a>) -> arbitrary::Result<&'a [u8]> {
    bytes.bytes(bytes.len())
}

/// What a target works on: what is saved if it panics.
#[derive(Default)]
struct AtHand {
    weaver: Option<Weaver>,
    rest: Evidence,
}

impl AtHand {
    fn evidence(self, what: &str) -> Evidence {
        // A program that broke off in the middle may have no text.
        let woven = |weaver| catch_unwind(AssertUnwindSafe(|| Evidence::of_woven(weaver, what))).ok();
        let told = json!({ "broken": what, "at_hand": self.rest.told });
        self.weaver.as_ref().and_then(woven).unwrap_or(Evidence { told: Some(told), ..self.rest })
    }
}

/// Feeds the bytes to a target. Whether they led to what it is about.
///
/// # Panics
/// If a promise does not hold. The bytes and the program, as far as there is one, are saved before, and it is said where.
pub(crate) fn feed(name: &str, data: &[u8]) -> bool {
    let body = TARGETS.iter().find(|(known, _)| *known == name).expect("a target has this name").1;
    let mut at_hand = AtHand::default();
    let fed = catch_unwind(AssertUnwindSafe(|| body(&mut Unstructured::new(data), &mut at_hand)));
    // Bytes that end too early are no input.
    fed.map(|led| led.unwrap_or(false)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let what = what.unwrap_or("it panicked");
        match keep(name, data, &at_hand.evidence(what)) {
            Ok(input) => eprintln!(
                "the target `{name}` broke on {input}, with .wat, .wasm and .json beside it as far as there is a program; \
                 again: FUZZ_INPUT={input} cargo test --test it fuzzing::{name}",
                input = input.display()
            ),
            Err(error) => eprintln!("the target `{name}` broke on {data:?}, and that could not be saved: {error}"),
        }
        resume_unwind(panic)
    })
}

/// Where what broke is kept, from the root of the project; tests and scripts run there.
const BROKEN: &str = "target/fuzz/broken";

fn keep(name: &str, data: &[u8], evidence: &Evidence) -> std::io::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    let base = Path::new(BROKEN).join(format!("{name}-{:016x}", hasher.finish()));
    evidence.save(&base)?;
    let input = base.with_extension("input");
    std::fs::create_dir_all(BROKEN)?;
    std::fs::write(&input, data)?;
    Ok(input)
}
