//! Owns a folder in an object store (`s3://`, `gs://`, `az://`, `file://`): what is in it, and bringing files there and back.
//!
//! Must not know what the files are. It waits for the store on a thread of its own, so that it can be called from anywhere,
//! within a runtime too. Addresses and keys come from the variables that each provider's own tools read
//! (`AWS_*`, `GOOGLE_*`, `AZURE_*`); nothing else of the environment is looked at.

use futures::future::{BoxFuture, FutureExt};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, UpdateVersion, WriteMultipart};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use tokio::runtime::Runtime;
use url::Url;

/// Files that travel at the same time.
const AT_ONCE: usize = 8;
/// Bytes that travel as one piece; larger files are sent in several.
const PIECE: usize = 8 << 20;
/// Variables by whose names a provider is told where and who.
const VARIABLES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// A folder in an object store.
#[derive(Debug)]
pub(crate) struct Folder {
    url: String,
    store: Box<dyn ObjectStore>,
    prefix: Key,
    /// There until it is dropped.
    runtime: Option<Runtime>,
}

/// A small object, and which version of it was read.
#[derive(Debug)]
pub(crate) struct Stood {
    /// What is in it.
    pub bytes: Vec<u8>,
    version: UpdateVersion,
}

/// What became of an object that was put where something certain, or nothing, should stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It stands there now.
    Done,
    /// It stands there now, in place of whatever did: the store cannot look first.
    Unchecked,
    /// Something else stands there.
    Refused,
}

/// An object store does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is no address of an object store.
    #[error(
        "`{url}` is no folder in an object store: {problem}; write s3://BUCKET/FOLDER, gs://, az:// or file:///FOLDER"
    )]
    Address {
        /// As it was given.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// The store says no, or nothing.
    #[error("cannot {action} {url}: {source}; check the address, the bucket's rights and the variables {}*", VARIABLES.join("*, "))]
    Store {
        /// What was tried.
        action: &'static str,
        /// Of what.
        url: String,
        /// What the store said.
        source: Box<object_store::Error>,
    },
    /// A file here cannot be read or written.
    #[error("cannot {action} {path}: {source}; check the room on the disk")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Whether a path is meant as an address of an object store.
pub(crate) fn is_address(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains("://"))
}

impl Folder {
    /// The folder at an address; nothing is asked of the store yet.
    ///
    /// # Errors
    /// [`StoreError::Address`].
    pub(crate) fn at(address: &str) -> Result<Self, StoreError> {
        let wrong = |problem: String| StoreError::Address { url: address.into(), problem };
        let url = Url::parse(address).map_err(|error| wrong(error.to_string()))?;
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let is_meant = VARIABLES.iter().any(|prefix| name.starts_with(prefix));
            Some((name, value.into_string().ok()?)).filter(|_| is_meant)
        });
        crate::ask::openai::install_tls();
        let (store, prefix) =
            object_store::parse_url_opts(&url, variables).map_err(|error| wrong(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| file_error("begin to talk to", address, source))?;
        Ok(Self { url: address.trim_end_matches('/').into(), store, prefix, runtime: Some(runtime) })
    }

    /// Waits for something of the store. A runtime cannot wait on a thread that another one works on, so this is a new one.
    fn wait<F: Future + Send>(&self, work: F) -> F::Output
    where
        F::Output: Send,
    {
        let runtime = self.runtime.as_ref().expect("it is there until the folder is dropped");
        std::thread::scope(|scope| match scope.spawn(|| runtime.block_on(work)).join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The files in it and below, by their paths within it, sorted.
    ///
    /// # Errors
    /// If the store cannot say.
    pub(crate) fn files(&self) -> Result<Vec<String>, StoreError> {
        let listed = self.store.list(Some(&self.prefix)).try_collect::<Vec<_>>();
        let listed = self.wait(listed).map_err(|source| self.error("list", "", source))?;
        let mut names: Vec<String> = listed.iter().filter_map(|meta| self.name(&meta.location)).collect();
        names.sort();
        Ok(names)
    }

    /// The folders directly in it.
    ///
    /// # Errors
    /// If the store cannot say.
    pub(crate) fn folders(&self) -> Result<Vec<String>, StoreError> {
        let listed = self.wait(self.store.list_with_delimiter(Some(&self.prefix)));
        let listed = listed.map_err(|source| self.error("list", "", source))?;
        Ok(listed.common_prefixes.iter().filter_map(|prefix| self.name(prefix)).collect())
    }

    /// Brings files from it into a folder here.
    ///
    /// # Errors
    /// If one cannot be read or written.
    pub(crate) fn fetch(&self, names: &[String], to: &Path) -> Result<(), StoreError> {
        let fetches: Vec<BoxFuture<'_, _>> =
            names.iter().map(|name| self.fetch_one(name, to.join(name)).boxed()).collect();
        self.wait(futures::stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect())
    }

    async fn fetch_one(&self, name: &str, to: std::path::PathBuf) -> Result<(), StoreError> {
        let failed = |source| file_error("write", &to.to_string_lossy(), source);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = File::create(&to).map_err(failed)?;
        let fetched = self.store.get(&self.key(name)).await.map_err(|source| self.error("read", name, source))?;
        let mut pieces = fetched.into_stream();
        while let Some(piece) = pieces.try_next().await.map_err(|source| self.error("read", name, source))? {
            file.write_all(&piece).map_err(failed)?;
        }
        Ok(())
    }

    /// Sends the first `length` bytes of a file here; a reader there sees all of them, or what was there before.
    ///
    /// # Errors
    /// If it cannot be read or sent.
    pub(crate) fn send(&self, name: &str, from: &Path, length: u64) -> Result<(), StoreError> {
        let failed = |source| file_error("read", &from.to_string_lossy(), source);
        let refused = |source| self.error("write", name, source);
        let mut file = File::open(from).map_err(failed)?.take(length);
        let mut piece = Vec::new();
        let mut next = |piece: &mut Vec<u8>| {
            piece.clear();
            file.by_ref().take(PIECE as u64).read_to_end(piece).map_err(failed)
        };
        if length <= PIECE as u64 {
            next(&mut piece)?;
            let key = self.key(name);
            let sent = self.store.put(&key, piece.into());
            return self.wait(sent).map(drop).map_err(refused);
        }
        self.wait(async {
            let upload = self.store.put_multipart(&self.key(name)).await.map_err(refused)?;
            let mut upload = WriteMultipart::new_with_chunk_size(upload, PIECE);
            while next(&mut piece)? > 0 {
                upload.wait_for_capacity(AT_ONCE).await.map_err(refused)?;
                upload.write(&piece);
            }
            upload.finish().await.map(drop).map_err(refused)
        })
    }

    /// Takes a file out of it; one that is not there is out already.
    ///
    /// # Errors
    /// If the store does not let go of it.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StoreError> {
        match self.wait(self.store.delete(&self.key(name))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(self.error("remove", name, source)),
        }
    }

    /// A small object; `None` where there is none.
    ///
    /// # Errors
    /// If the store cannot say.
    pub(crate) fn look(&self, name: &str) -> Result<Option<Stood>, StoreError> {
        let key = self.key(name);
        let got = self.wait(async {
            let got = self.store.get(&key).await?;
            let version = UpdateVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
            Ok(Stood { version, bytes: got.bytes().await?.to_vec() })
        });
        match got {
            Ok(stood) => Ok(Some(stood)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.error("read", name, source)),
        }
    }

    /// Puts a small object in the place of this one, or where none stands.
    ///
    /// # Errors
    /// If the store does not take it.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>, stood: Option<&Stood>) -> Result<Put, StoreError> {
        let key = self.key(name);
        let mode = stood.map_or(PutMode::Create, |stood| PutMode::Update(stood.version.clone()));
        match self.wait(self.store.put_opts(&key, bytes.clone().into(), mode.into())) {
            Ok(_) => Ok(Put::Done),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. }) => Ok(Put::Refused),
            Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                let put = self.wait(self.store.put(&key, bytes.into()));
                put.map(|_| Put::Unchecked).map_err(|source| self.error("write", name, source))
            }
            Err(source) => Err(self.error("write", name, source)),
        }
    }

    fn key(&self, name: &str) -> Key {
        let parts = self.prefix.parts().chain(name.split('/').map(Into::into));
        Key::from_iter(parts)
    }

    /// The path of a key within the folder.
    fn name(&self, key: &Key) -> Option<String> {
        let parts: Vec<String> = key.prefix_match(&self.prefix)?.map(|part| part.as_ref().to_owned()).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }

    fn error(&self, action: &'static str, name: &str, source: Error) -> StoreError {
        let url = if name.is_empty() { self.url.clone() } else { format!("{}/{name}", self.url) };
        StoreError::Store { action, url, source: Box::new(source) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Within another runtime this one may not be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn file_error(action: &'static str, path: &str, source: io::Error) -> StoreError {
    StoreError::File { action, path: path.into(), source }
}
