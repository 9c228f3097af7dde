//! Owns the folder that an export is written to: it appears whole, or not at all.
//!
//! Must not know what is in the files. Everything is written beside the folder and takes its place at the end.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// An export cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is something already.
    #[error("{} is not empty; choose a folder that is, or one that does not exist yet", .0.display())]
    NotEmpty(PathBuf),
    /// The place is none for a folder.
    #[error("{} cannot be made: {source}; name another folder with --out", path.display())]
    NoPlace {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}; nothing is left of the export", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A table cannot be written.
    #[error("cannot write {}: {source}; nothing is left of the export", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// A prompt that the other tool cannot ask with.
    #[error(
        "lm-evaluation-harness asks with a message of the user and one of the system before it, and the prompt for {task} \
         has other messages; choose another one with --prompt"
    )]
    Turns {
        /// What it asks.
        task: crate::item::record::Task,
    },
    /// Two requests are the same.
    #[error("the items with the name {0} are the same one twice; a batch takes each request once")]
    Twice(String),
    /// Not even one request has room.
    #[error("the request {0} alone is larger than a file of a batch may be")]
    TooLarge(String),
}

impl ExportError {
    /// Whether the user can mend it by asking otherwise.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Write { .. } | Self::Table { .. })
    }
}

/// A folder in the making. Dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub struct Folder {
    out: PathBuf,
    partial: PathBuf,
}

impl Folder {
    /// Begins one at a place that is empty or does not exist yet.
    ///
    /// # Errors
    /// If it is not, or cannot be made.
    pub fn create(out: &Path) -> Result<Self, ExportError> {
        let no_place = |source| ExportError::NoPlace { path: out.into(), source };
        // `.` has no name, but its whole path does.
        let out = if out.exists() { out.canonicalize().map_err(no_place)? } else { out.to_owned() };
        if out.exists() && fs::read_dir(&out).map_err(no_place)?.next().is_some() {
            return Err(ExportError::NotEmpty(out));
        }
        let name = out.file_name().ok_or_else(|| no_place(io::ErrorKind::InvalidInput.into()))?.to_string_lossy();
        let partial = out.with_file_name(format!(".{name}.{}.partial", std::process::id()));
        fs::create_dir_all(&partial).map_err(no_place)?;
        Ok(Self { out, partial })
    }

    /// Begins a file in it; `name` may have folders.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn file(&self, name: &str) -> Result<OutFile, ExportError> {
        let (path, shown) = (self.partial.join(name), self.out.join(name));
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create_new(&path));
        let file = made.map_err(|source| ExportError::Write { path: shown.clone(), source })?;
        Ok(OutFile { shown, file: BufWriter::new(file) })
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), ExportError> {
        let mut file = self.file(name)?;
        file.write(text)?;
        file.finish()
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn finish(self) -> Result<(), ExportError> {
        let moved = if self.out.exists() { self.fill() } else { fs::rename(&self.partial, &self.out) };
        moved.map_err(|source| ExportError::Write { path: self.out.clone(), source })
    }

    /// Moves everything into the empty folder that is there: a shell may stand in it.
    fn fill(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.partial)? {
            let entry = entry?;
            fs::rename(entry.path(), self.out.join(entry.file_name()))?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Once it is in its place there is nothing left here; what cannot be removed does no harm.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

/// A file in the making.
#[derive(Debug)]
pub struct OutFile {
    /// Where it will be.
    pub(super) shown: PathBuf,
    pub(super) file: BufWriter<File>,
}

impl OutFile {
    /// Goes on.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&mut self, text: &str) -> Result<(), ExportError> {
        self.file.write_all(text.as_bytes()).map_err(|source| ExportError::Write { path: self.shown.clone(), source })
    }

    /// Writes a line of JSON.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn line(&mut self, row: &serde_json::Value) -> Result<(), ExportError> {
        self.write(&format!("{row}\n"))
    }

    /// Ends it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<(), ExportError> {
        self.file.flush().map_err(|source| ExportError::Write { path: self.shown, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("is there")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_there_whole_or_not_at_all() {
        let scratch = tempfile::tempdir().expect("can be made");
        let (new, empty) = (scratch.path().join("a/b"), scratch.path().join("empty"));
        fs::create_dir(&empty).expect("can be made");
        for out in [&new, &empty] {
            let folder = Folder::create(out).expect("has room");
            folder.write("x/y.txt", "z").expect("can be written");
            assert!(!out.join("x").exists());
            folder.finish().expect("can be placed");
            assert_eq!(fs::read_to_string(out.join("x/y.txt")).expect("is there"), "z");
            assert!(matches!(Folder::create(out), Err(ExportError::NotEmpty(_))));
        }
        let dropped = scratch.path().join("dropped");
        let folder = Folder::create(&dropped).expect("has room");
        folder.write("x", "y").expect("can be written");
        drop(folder);
        fs::write(scratch.path().join("file"), "").expect("can be written");
        assert!(matches!(Folder::create(&scratch.path().join("file")), Err(ExportError::NoPlace { .. })));
        assert_eq!(names(scratch.path()), ["a", "empty", "file"], "nothing half-written is left");
    }
}
