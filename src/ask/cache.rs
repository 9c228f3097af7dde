//! Owns replies that are kept on disk, so that nothing is paid twice: a model in front of a model.
//!
//! Must not know how a model is asked. The key is everything that can change a reply: where it is asked, the model, every
//! parameter, all messages, and how often the same was asked before (two epochs are two replies). Trouble is never kept,
//! nor is an empty reply. Several processes may share the folder. A cache that cannot be written costs money, not
//! replies: the run goes on, and says so at its end.

use super::chat::{ChatError, ChatModel, ChatReply, ChatRequest};
use futures::future::BoxFuture;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// A model whose replies are kept.
pub(crate) struct Cached {
    inner: Arc<dyn ChatModel>,
    folder: PathBuf,
    endpoint: String,
    tally: Arc<Tally>,
}

/// What a cache did.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    hits: AtomicU64,
    trouble: OnceLock<String>,
}

impl Tally {
    /// Replies that were not asked for again.
    pub(crate) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// The first trouble with the folder.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.get().map(String::as_str)
    }
}

/// Where replies are kept by default; `None` on a machine without such a place.
pub(crate) fn usual_folder() -> Option<PathBuf> {
    user_folder("replies")
}

/// The place of one kind of thing in the user's folder for caches.
pub(crate) fn user_folder(kind: &str) -> Option<PathBuf> {
    dirs::cache_dir().map(|folder| folder.join("wasmweaver").join(kind))
}

impl Cached {
    /// Keeps this model's replies in a folder, made where it is missing. `endpoint` is where the model answers.
    pub(crate) fn new(inner: Arc<dyn ChatModel>, folder: PathBuf, endpoint: String) -> Self {
        Self { inner, folder, endpoint, tally: Arc::default() }
    }

    /// What it does from now on.
    pub(crate) fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }

    fn key(&self, request: &ChatRequest) -> String {
        // Field by field in a fixed order, so that equal requests have equal texts.
        let text = serde_json::to_string(&(&self.endpoint, request)).expect("plain data");
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// What came of the disk; the first trouble is noted.
    fn noted<T>(&self, done: cacache::Result<T>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(cacache::Error::EntryNotFound(..)) => None,
            Err(error) => {
                self.tally.trouble.get_or_init(|| format!("{}: {error}", self.folder.display()));
                None
            }
        }
    }

    async fn kept(&self, key: &str) -> Option<ChatReply> {
        let bytes = self.noted(cacache::read(&self.folder, key).await)?;
        // What another version wrote is asked anew.
        let reply: ChatReply = serde_json::from_slice(&bytes).ok()?;
        Some(ChatReply { attempts: 0, ..reply })
    }

    async fn keep(&self, key: &str, reply: &ChatReply) {
        let is_empty = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        if is_empty(&reply.content) && is_empty(&reply.refusal) {
            return;
        }
        let bytes = serde_json::to_vec(reply).expect("plain data");
        self.noted(cacache::write(&self.folder, key, bytes).await);
    }
}

impl ChatModel for Cached {
    fn ask<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatReply, ChatError>> {
        Box::pin(async move {
            let key = self.key(request);
            if let Some(reply) = self.kept(&key).await {
                self.tally.hits.fetch_add(1, Ordering::Relaxed);
                return Ok(reply);
            }
            let reply = self.inner.ask(request).await?;
            self.keep(&key, &reply).await;
            Ok(reply)
        })
    }

    fn close(&self) {
        self.inner.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::chat::{ChatErrorKind, Message, Params, Role, Scripted};

    fn request() -> ChatRequest {
        let messages = vec![Message { role: Role::User, content: "hi".into() }];
        ChatRequest { model: "m".into(), messages, params: Params::default(), epoch: 0 }
    }

    fn cached(folder: &std::path::Path, inner: &Arc<Scripted>, endpoint: &str) -> Cached {
        Cached::new(inner.clone(), folder.into(), endpoint.into())
    }

    #[tokio::test]
    async fn whatever_can_change_a_reply_is_in_the_key() {
        let folder = tempfile::tempdir().expect("can be made");
        let inner = Arc::new(Scripted::saying("7"));
        let model = cached(folder.path(), &inner, "http://x/v1");
        let changes: [fn(&mut ChatRequest); 9] = [
            |_| {},
            |r| r.model.push('2'),
            |r| r.messages[0].content.push('!'),
            |r| r.messages[0].role = Role::System,
            |r| r.params.temperature = Some(0.5),
            |r| r.params.top_p = Some(0.5),
            |r| r.params.max_tokens = Some(5),
            |r| r.params.reasoning_effort = Some("low".into()),
            |r| r.epoch = 1,
        ];
        for asked in 1..=changes.len() {
            let mut request = request();
            changes[asked - 1](&mut request);
            for attempts in [1, 0] {
                let reply = model.ask(&request).await.expect("replies");
                assert_eq!((reply.content.as_deref(), reply.attempts), (Some("7"), attempts), "change {asked}");
                assert_eq!(inner.asked(), asked);
            }
        }
        assert_eq!(model.tally().hits(), 9);
        let elsewhere = cached(folder.path(), &inner, "http://y/v1");
        assert_eq!(elsewhere.ask(&request()).await.expect("replies").attempts, 1);
        let again = cached(folder.path(), &inner, "http://x/v1");
        assert_eq!(again.ask(&request()).await.expect("replies").attempts, 0, "another process finds it");
    }

    #[tokio::test]
    async fn neither_trouble_nor_silence_is_kept() {
        let folder = tempfile::tempdir().expect("can be made");
        let scripts: [fn() -> Result<ChatReply, ChatError>; 3] = [
            || Err(ChatError::new(ChatErrorKind::Timeout, "slow")),
            || Ok(ChatReply::default()),
            || Ok(ChatReply::text(" ")),
        ];
        for script in scripts {
            let inner = Arc::new(Scripted::new(move |_| script()));
            let model = cached(folder.path(), &inner, "x");
            for asked in 1..3 {
                let _ = model.ask(&request()).await;
                assert_eq!((inner.asked(), model.tally().hits()), (asked, 0));
            }
        }
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_loses_no_reply() {
        let folder = tempfile::tempdir().expect("can be made");
        let file = folder.path().join("taken");
        std::fs::write(&file, "").expect("can be written");
        let inner = Arc::new(Scripted::saying("7"));
        let model = cached(&file, &inner, "x");
        assert_eq!(model.ask(&request()).await.expect("replies").content.as_deref(), Some("7"));
        assert!(model.tally().trouble().is_some_and(|trouble| trouble.contains("taken")));
    }
}
