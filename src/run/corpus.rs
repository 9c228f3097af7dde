//! Owns reading corpora: a folder of modules, or a profile that was made of one.
//!
//! Must not know what profiles are for. A package is any entry of the folder itself: a folder with modules
//! anywhere in it, or a module by itself. What cannot be read is named and left out.

use crate::wasm::survey::{Survey, SurveyError};
use crate::weave::align::profile::{Profile, ProfileBuilder};
use crate::weave::align::reference;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// The name of the profile that the binary carries.
pub(crate) const REFERENCE: &str = "reference";

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CorpusError {
    /// A file or folder.
    #[error("{path}: {source}; give a folder of .wasm or .wat files, or a profile")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder without code.
    #[error("{0} has no .wasm or .wat file with code that can be read; give another folder")]
    Empty(PathBuf),
    /// A file that is no profile.
    #[error("{path} is no profile: {reason}; make one with `harness corpus build DIR --out FILE`")]
    NoProfile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: serde_json::Error,
    },
}

/// The profile of a folder of modules, or in a file; `reference` is the one of real-world packages. `left_out` hears of
/// each module that cannot be read, `done` how many packages of how many are counted.
///
/// # Errors
/// If there is nothing to count.
pub(crate) fn load(
    name: &str,
    left_out: &mut dyn FnMut(&SurveyError),
    done: &mut dyn FnMut(usize, usize),
) -> Result<Profile, CorpusError> {
    let path = Path::new(name);
    if path.is_dir() {
        return build(path, left_out, done);
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(_) if name == REFERENCE => reference::TEXT.to_owned(),
        Err(source) => return Err(CorpusError::Io { path: path.into(), source }),
    };
    serde_json::from_str(&text).map_err(|reason| CorpusError::NoProfile { path: path.into(), reason })
}

/// The profile of all modules in a folder.
///
/// # Errors
/// As [`load`].
pub(crate) fn build(
    folder: &Path,
    left_out: &mut dyn FnMut(&SurveyError),
    done: &mut dyn FnMut(usize, usize),
) -> Result<Profile, CorpusError> {
    let packages = entries(folder)?.iter().map(|entry| modules(entry)).collect::<Result<Vec<_>, _>>()?;
    let packages: Vec<Vec<PathBuf>> = packages.into_iter().filter(|modules| !modules.is_empty()).collect();
    let mut builder = ProfileBuilder::default();
    let mut counted = 0;
    for some in packages.chunks(rayon::current_num_threads()) {
        // Added in order: the profile does not depend on how many threads there are.
        let surveys: Vec<_> = some.par_iter().map(|modules| survey(modules)).collect();
        for (surveys, failed) in surveys {
            builder.add_package(&surveys);
            failed.iter().for_each(&mut *left_out);
            counted += 1;
            done(counted, packages.len());
        }
    }
    let profile = builder.finish(format!("Statistics of the modules in {}", folder.display()));
    if profile.counts.modules == 0 { Err(CorpusError::Empty(folder.into())) } else { Ok(profile) }
}

fn survey(modules: &[PathBuf]) -> (Vec<Survey>, Vec<SurveyError>) {
    let (mut surveys, mut failed) = (Vec::new(), Vec::new());
    for path in modules {
        match Survey::of_file(path) {
            Ok(survey) => surveys.push(survey),
            Err(error) => failed.push(error),
        }
    }
    (surveys, failed)
}

/// What stands in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let error = |source| CorpusError::Io { path: folder.into(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(error)? {
        paths.push(entry.map_err(error)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The modules at or below a path. Links are not followed, so that none leads round in a circle.
fn modules(path: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    if path.is_symlink() {
        return Ok(Vec::new());
    }
    if path.is_dir() {
        let below = entries(path)?.iter().map(|entry| modules(entry)).collect::<Result<Vec<_>, _>>()?;
        return Ok(below.concat());
    }
    let is_module = path.extension().is_some_and(|extension| extension == "wasm" || extension == "wat");
    Ok(if is_module { vec![path.into()] } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::super::dir::tests::Scratch;
    use super::*;

    #[test]
    fn packages_are_what_stands_in_the_folder() {
        let folder = Scratch::new();
        std::fs::create_dir_all(folder.path().join("two/deep")).expect("a folder");
        let write = |name: &str, text: &str| drop(folder.file(name, text));
        write("one.wat", "(module (func nop))");
        write("two/a.wat", "(module (func unreachable))");
        write("two/deep/b.wat", "(module (func unreachable unreachable))");
        write("two/broken.wat", "(module (func nonsense))");
        write("notes.txt", "no module");
        let (mut left_out, mut last) = (Vec::new(), (0, 0));
        let name = folder.path().display().to_string();
        let profile = load(&name, &mut |error| left_out.push(error.to_string()), &mut |n, of| last = (n, of))
            .expect("two packages");
        assert_eq!((profile.counts.packages, profile.counts.modules, last), (2, 3, (2, 2)));
        assert!(matches!(&left_out[..], [one] if one.contains("broken.wat")), "{left_out:?}");
        let nop = profile.opcodes.column("mean").find(|(name, _)| *name == "nop");
        assert_eq!(nop, Some(("nop", 0.5)));
    }

    #[test]
    fn what_is_no_corpus_is_named() {
        let folder = Scratch::new();
        let load = |path: &Path| load(&path.display().to_string(), &mut |_| {}, &mut |_, _| {});
        assert!(matches!(load(folder.path()), Err(CorpusError::Empty(_))));
        assert!(matches!(load(&folder.path().join("none")), Err(CorpusError::Io { .. })));
        let file = folder.file("p.json", "{}");
        assert!(matches!(load(&file), Err(CorpusError::NoProfile { .. })));
        assert_eq!(super::load(REFERENCE, &mut |_| {}, &mut |_, _| {}).expect("in the binary").counts.packages, 112);
    }
}
