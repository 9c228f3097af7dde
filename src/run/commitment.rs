//! Owns commitments to a secret seed: a hash that is published before a suite is used, and checked afterwards.
//!
//! Must not know what a suite holds. The seed that `--seed` takes has few enough values to try them all against a hash;
//! so the secret is 256 bits, the seed derives from it, and the hash is of the whole secret, with the suite's name and
//! version. The author may still draw many secrets and publish the one whose items suit: a commitment shows that the
//! seed was chosen before, not that it was chosen blindly.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes of a secret.
const BYTES: usize = 32;

/// What a held-out seed derives from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret([u8; BYTES]);

impl fmt::Debug for Secret {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What goes wrong with secrets and commitments.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// The system gives no random bits.
    #[error("the system gives no random bits: {0}; give a secret of 64 hexadecimal digits on stdin, with `--secret -`")]
    NoRandomness(getrandom::Error),
    /// It is not what a secret looks like.
    #[error("{from}: a secret is 64 hexadecimal digits; this is something else")]
    Malformed {
        /// Where it was read.
        from: String,
    },
    /// There is a file already.
    #[error(
        "{} exists, and a secret is never written over; name another file, or print the hash of this one with \
         `--secret - < {}`", .0.display(), .0.display()
    )]
    Exists(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot {action} {}: {source}; name another file", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The secret belongs to another commitment.
    #[error(
        "the secret does not belong to this commitment: with {suite} it gives {gives}; is it another suite, another version \
         of it, or another secret?"
    )]
    Mismatch {
        /// The suite it was held against.
        suite: String,
        /// The commitment of this secret.
        gives: String,
    },
}

impl Secret {
    /// A new one. The only draw in the program that does not come from a seed: it must not be repeatable.
    ///
    /// # Errors
    /// If the system gives no random bits.
    pub(crate) fn draw() -> Result<Self, SecretError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(SecretError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// Reads 64 hexadecimal digits; `from` is what errors call their place.
    ///
    /// # Errors
    /// If they are something else.
    pub(crate) fn parse(text: &str, from: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let plain = text.len() == 2 * BYTES && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let hash = plain.then(|| blake3::Hash::from_hex(text).ok()).flatten();
        let bytes = hash.map(|hash| *hash.as_bytes());
        bytes.map(Self).ok_or_else(|| SecretError::Malformed { from: from.into() })
    }

    /// Reads a file of 64 hexadecimal digits.
    ///
    /// # Errors
    /// If it cannot be read, or holds something else.
    pub(crate) fn read(path: &Path) -> Result<Self, SecretError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| SecretError::File { action: "read", path: path.into(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Keeps it in a new file that its owner alone may read, where the system knows such rights.
    ///
    /// # Errors
    /// If there is a file already, or it cannot be written.
    pub(crate) fn keep(&self, path: &Path) -> Result<(), SecretError> {
        let fail = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => SecretError::Exists(path.into()),
            _ => SecretError::File { action: "write", path: path.into(), source },
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(fail)?;
        let written = writeln!(file, "{}", self.hex()).and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a secret would stand in the way of the next attempt.
            let _ = std::fs::remove_file(path);
        }
        written.map_err(fail)
    }

    /// The hash to publish, for a suite of this name and version: 64 hexadecimal digits.
    pub(crate) fn commitment(&self, suite: &str) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("wasmweaver suite commitment v1");
        hasher.update(&self.0).update(suite.as_bytes());
        hasher.finalize().to_hex().to_string()
    }

    /// The seed of the suite's items. Below 2^53, so that every reader of JSON has it exactly.
    pub(crate) fn seed(&self) -> u64 {
        let key = blake3::derive_key("wasmweaver suite seed v1", &self.0);
        u64::from_le_bytes(key[..8].try_into().expect("32 bytes hold 8")) >> 11
    }

    /// The seed, if this is what was committed to.
    ///
    /// # Errors
    /// If it is not.
    pub(crate) fn reveal(&self, suite: &str, commitment: &str) -> Result<u64, SecretError> {
        let gives = self.commitment(suite);
        if commitment.trim().eq_ignore_ascii_case(&gives) {
            return Ok(self.seed());
        }
        Err(SecretError::Mismatch { suite: suite.into(), gives })
    }

    fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::dir::tests::Scratch;
    use super::*;

    fn secret(digits: &str) -> Secret {
        Secret::parse(digits, "here").expect("64 digits")
    }

    /// Frozen: what was published has to hold for good.
    #[test]
    fn what_was_published_stays_true() {
        let secret = secret(&"0f".repeat(32));
        let published = "80a8cb390166a1f9ab44f77ac79f02d78da3279cfea3fb0365e632736883b144";
        assert_eq!(secret.commitment("standard@1"), published);
        assert_eq!(secret.seed(), 1_322_896_649_696_364);
    }

    #[test]
    fn a_commitment_holds_for_one_secret_and_one_suite() {
        let secret = secret(&"0f".repeat(32));
        let published = secret.commitment("standard@1");
        assert_eq!(secret.reveal("standard@1", &published).ok(), Some(secret.seed()));
        assert_eq!(secret.reveal("standard@1", &format!(" {}\n", published.to_uppercase())).ok(), Some(secret.seed()));
        let other = Secret::parse(&format!("{}0e", "0f".repeat(31)), "here").expect("64 digits");
        let last = if published.ends_with('0') { '1' } else { '0' };
        let tampered = format!("{}{last}", &published[..63]);
        let wrong = [
            other.reveal("standard@1", &published),
            secret.reveal("standard@2", &published),
            secret.reveal("standard@1", &published[..63]),
            secret.reveal("standard@1", &tampered),
        ];
        for refused in wrong {
            assert!(refused.is_err_and(|error| error.to_string().contains("does not belong")));
        }
        assert!(secret.seed() != other.seed() && other.seed() < 1 << 53);
    }

    #[test]
    fn secrets_are_drawn_kept_and_never_written_over() {
        let scratch = Scratch::new();
        let path = scratch.path().join("secret");
        let drawn = Secret::draw().expect("the system has random bits");
        assert_ne!(drawn, Secret::draw().expect("more of them"));
        drawn.keep(&path).expect("can be written");
        assert_eq!(Secret::read(&path).expect("was written"), drawn);
        let refused = Secret::draw().expect("bits").keep(&path).expect_err("it is taken").to_string();
        assert!(refused.contains("never written over"), "{refused}");
        assert_eq!(Secret::read(&path).expect("was written"), drawn);
        assert!(!format!("{drawn:?}").contains(&drawn.hex()[..8]));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("is there").permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for text in ["", "42", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            let error = Secret::parse(text, "stdin").expect_err(text).to_string();
            assert!(error.starts_with("stdin: a secret is 64"), "{error}");
        }
    }
}
